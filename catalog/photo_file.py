"""Photo files in: decoded defensively, turned upright, stripped of metadata, kept as PNG."""

from __future__ import annotations

import io
import warnings

import numpy as np

from catalog.errors import BadValue

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 32 << 20
MAX_PIXELS = 40_000_000
MIN_SIDE = 32


STILL = ("JPEG", "MPO")
"""Formats whose further pictures are previews or depth maps of the first, as phones keep them."""


def photo_png(data: bytes, clear: str | None = "white") -> bytes:
    """Any allowed picture file → PNG bytes, RGB, upright, without metadata.

    ``clear``: the colour that clear parts become: white paper behind a cut-out, but black in a
    mask, where they mark nothing. None: they stay clear, for ``photo_pixels`` to colour.

    Raises ``BadValue`` when it is none of ``FORMATS``, broken, too large or too small.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data or len(data) > MAX_BYTES:
        raise BadValue(f"A photo has between 1 byte and {MAX_BYTES >> 20} MB.", "Give another one.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
                    raise BadValue(
                        f"A photo of {width} x {height} pixels cannot be used.",
                        f"Give one of at least {MIN_SIDE} pixels a side and at most "
                        f"{MAX_PIXELS // 1_000_000} million pixels.",
                    )
                if picture.format not in STILL and getattr(picture, "is_animated", False):
                    raise BadValue("An animated picture is no photo.", "Give a still picture.")
                # upright first: a picture in another colour space forgets how it was held
                upright = _eight_bits(ImageOps.exif_transpose(picture))
                if upright.mode in ("RGBA", "LA", "PA", "P"):
                    upright = upright.convert("RGBA")
                pixels = np.asarray(_flat(upright, clear))
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise BadValue(
            "A photo cannot be read.", f"Give a whole {', '.join(FORMATS)} file."
        ) from error
    return pixels_png(pixels)


def _flat(picture, clear: str | None):
    """``picture`` as RGB on the colour ``clear``; as it is when some of it is to stay clear."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture.convert("RGB")
    if clear is None and picture.getchannel("A").getextrema()[0] < 255:
        return picture
    flat = Image.new("RGB", picture.size, clear or "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


def _eight_bits(picture):
    """A picture of 16 bits a channel, or in its own colour space, as sRGB or grey of 8 bits."""
    import PIL.ImageCms as cms
    from PIL import Image

    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I"):  # Pillow would clip at 255 instead of dividing
        levels = np.asarray(picture).astype(np.int64)
        return Image.fromarray((levels.clip(0, 65535) // 257).astype(np.uint8))
    if profile and picture.mode in ("RGB", "CMYK"):
        try:
            srgb = cms.createProfile("sRGB")
            source = cms.ImageCmsProfile(io.BytesIO(profile))
            seen = cms.profileToProfile(picture, source, srgb, outputMode="RGB")
        except (cms.PyCMSError, OSError, ValueError):
            return picture  # a broken profile says nothing about the pixels
        return seen if seen is not None else picture
    return picture


def pixels_png(pixels: np.ndarray) -> bytes:
    """uint8 ``(H, W, 3)`` RGB, or RGBA, → PNG bytes. The same pixels give the same bytes."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=3)
    return out.getvalue()


def photo_pixels(data: bytes, clear: str = "white") -> np.ndarray:
    """PNG bytes of ours → uint8 ``(H, W, 3)``, what is clear in that colour.

    Raises ``OSError`` or ``ValueError`` if broken.
    """
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        return np.asarray(_flat(picture, clear))
