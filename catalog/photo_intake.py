"""Photos in: a folder, a zip or uploaded files → pictures, and what is wrong with the others.

Names inside an archive are never used as paths and nothing is unpacked to disk: bytes are read
under a limit and decoded by ``photo_file``. What makes an archive a trap (a way out of its folder,
a link, a password, an archive inside) refuses the whole of it.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from catalog.errors import BadValue, StylistError, clip
from catalog.photo_file import MAX_BYTES, photo_pixels, photo_png
from catalog.store import MAX_PHOTOS

MAX_FILES = 1000
"""Files looked at in a folder or an archive."""
MAX_DECODED = 3 * 400_000_000
"""Bytes of all photos decoded: about thirty of a phone's, three times what a garment needs."""
MAX_UNPACKED = 512 << 20
"""Bytes all files of one intake may have together."""
MAX_CAPTION = 4 << 10
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_LOOKALIKES = (".svg", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".pdf", ".psd")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_REPEATS = re.compile(r"\d{1,4}_.+")
"""A folder of the kohya layout: repeats, underscore, words."""
DUPLICATE = 32
"""Largest difference of 32 x 32 thumbnails (Torralba, Fergus and Freeman, 2008) at which two photos
are one. Photos saved again at 70 % of their size and quality 60 differ by up to 20 of 255;
different photos, also of one garment drawn or photographed twice, by 47 and more (1,035 pairs)."""
BLURRED = 0.55
"""Perceptual blur (Crete et al., 2007; scikit-image's ``blur_effect``) at 512 pixels, 0 sharp to 1.
Sharp photos and drawings have up to 0.48, photos blurred by 2.5 pixels at least 0.57."""


@dataclass(frozen=True)
class Photo:
    """One picture that could be read."""

    name: str
    """Its file's name, without folders."""
    pixels: np.ndarray
    """uint8 ``(H, W, 3)`` RGB, upright."""
    caption: str | None = None
    """What the text file beside it says, in the kohya layout."""
    duplicate_of: str | None = None
    """The name of an earlier photo that shows the same."""
    blur: float = 0.0
    """Perceptual blur, 0–1; see ``BLURRED``."""

    @property
    def blurred(self) -> bool:
        return self.blur > BLURRED


@dataclass(frozen=True)
class Intake:
    """What came in."""

    photos: tuple[Photo, ...]
    refused: tuple[tuple[str, str], ...]
    """Name and reason of each picture that cannot be used."""

    @property
    def distinct(self) -> tuple[Photo, ...]:
        """The photos without those that show the same as an earlier one."""
        return tuple(p for p in self.photos if p.duplicate_of is None)


def read_photos(source: Path | Sequence[tuple[str, bytes]]) -> Intake:
    """Every photo of a folder, a zip file, or of files given as names and bytes.

    A folder's own files are read, and those of folders in it that are named as the kohya layout
    names them (``10_words``). Links are not followed. Duplicates and blurred photos are pointed
    out, not left out.

    Raises ``BadValue`` when there is no photo in it, more than 64, or it is a trap.
    """
    files = _files(source)
    photos: list[Photo] = []
    refused: list[tuple[str, str]] = []
    captions: dict[str, str] = {}
    pictures = total = 0
    for name, data in files:
        total += len(data) if isinstance(data, bytes) else 0
        if total > MAX_UNPACKED:
            raise BadValue(
                f"The photos have more than {MAX_UNPACKED >> 20} MB together.", "Give fewer."
            )
        short = clip(PurePosixPath(name).name, 120)
        suffix = PurePosixPath(name).suffix.lower()
        if suffix == ".txt":
            if isinstance(data, bytes):
                captions[str(PurePosixPath(name).with_suffix(""))] = _caption(data, short)
            continue
        if suffix in _LOOKALIKES:
            refused.append((short, f"{suffix[1:].upper()} is no format of photos taken here"))
            continue
        if suffix not in SUFFIXES:
            continue  # a shop's folder holds all kinds of things
        pictures += 1
        if pictures > MAX_PHOTOS:
            raise BadValue(
                f"There are more than {MAX_PHOTOS} photos.",
                "A garment is learned from about ten; choose the best.",
            )
        try:
            if not isinstance(data, bytes):
                raise data
            pixels = photo_pixels(photo_png(data))
            if sum(p.pixels.size for p in photos) + pixels.size > MAX_DECODED:
                raise BadValue(
                    f"The photos have more than {MAX_DECODED // 3_000_000} million pixels together."
                )
            photos.append(Photo(short, pixels, caption=name, blur=blur(pixels)))
        except StylistError as error:
            refused.append((short, error.message))
    if not photos:
        why = f" The first: {refused[0][0]}: {refused[0][1]}" if refused else ""
        raise BadValue(
            f"No photo in it can be used.{why}",
            "Give JPEG, PNG or WebP files of one garment, about ten of them.",
        )
    photos = [
        replace(p, caption=captions.get(str(PurePosixPath(p.caption or "").with_suffix(""))))
        for p in photos
    ]
    return Intake(tuple(_with_duplicates(photos)), tuple(refused))


def blur(pixels: np.ndarray) -> float:
    """Perceptual blur of uint8 ``(H, W, 3)``, 0 sharp to 1, at 512 pixels."""
    from skimage.measure import blur_effect

    scale = 512 / max(pixels.shape[:2])
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    value = float(blur_effect(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), h_size=11))
    return value if np.isfinite(value) else 1.0  # one even surface has nothing sharp in it


def _with_duplicates(photos: Iterable[Photo]) -> list[Photo]:
    found: list[Photo] = []
    seen: list[tuple[str, np.ndarray]] = []
    for photo in photos:
        small = cv2.resize(photo.pixels, (32, 32), interpolation=cv2.INTER_AREA).astype(np.int16)
        twin = next((n for n, other in seen if np.abs(other - small).max() <= DUPLICATE), None)
        if twin is None:
            seen.append((photo.name, small))
        found.append(replace(photo, duplicate_of=twin))
    return found


def _caption(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig").strip()
        whole = len(data) <= MAX_CAPTION and text.isprintable()
    except UnicodeDecodeError:
        whole = False
    if not whole:
        raise BadValue(
            f"The caption {name} is not one line of text.",
            f"A caption has at most {MAX_CAPTION >> 10} KB of words and commas.",
        )
    return text


# --- where files come from: names, and bytes or why there are none ---------------------------

_Files = Iterator[tuple[str, "bytes | BadValue"]]


def _files(source: Path | Sequence[tuple[str, bytes]]) -> _Files:
    if not isinstance(source, Path):
        if len(source) > MAX_FILES:
            raise _too_many()
        return iter(sorted(source))
    if source.is_dir():
        return _in_folder(source)
    if source.is_file():
        return _in_zip(source)
    raise BadValue(f"There is no folder or zip file {clip(source, 200)}.", "Give its path.")


def _in_folder(folder: Path) -> _Files:
    entries: list[os.DirEntry[str]] = []
    try:
        for entry in os.scandir(folder):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False) and _REPEATS.fullmatch(entry.name):
                entries += [e for e in os.scandir(entry.path) if not e.name.startswith(".")]
            else:
                entries.append(entry)
            if len(entries) > MAX_FILES:
                raise _too_many()
        for entry in sorted(entries, key=lambda e: e.path):
            if entry.is_symlink():
                yield entry.path, BadValue("It is a link, and links are not followed.")
            elif entry.is_file(follow_symlinks=False):
                if entry.stat().st_size > MAX_BYTES:
                    yield entry.path, BadValue(f"It has more than {MAX_BYTES >> 20} MB.")
                else:
                    yield entry.path, Path(entry.path).read_bytes()
    except OSError as error:
        raise BadValue(
            f"The folder {clip(folder, 200)} cannot be read ({error.strerror}).", "Give another."
        ) from error


def _in_zip(path: Path) -> _Files:
    try:
        if path.stat().st_size > MAX_UNPACKED:
            raise BadValue(f"The archive has more than {MAX_UNPACKED >> 20} MB.", "Give fewer.")
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > MAX_FILES:
                raise _too_many()
            for member in members:
                _check_member(member)
            members = [m for m in members if not _junk(m.filename)]
            if sum(m.file_size for m in members) > MAX_UNPACKED:
                raise BadValue(
                    f"The archive unpacks to more than {MAX_UNPACKED >> 20} MB.", "Give fewer."
                )
            for member in sorted(members, key=lambda m: m.filename):
                if member.file_size > MAX_BYTES:
                    yield member.filename, BadValue(f"It has more than {MAX_BYTES >> 20} MB.")
                    continue
                try:
                    with archive.open(member) as file:
                        # what the header says is not believed: one byte too many is enough
                        yield member.filename, file.read(member.file_size + 1)
                except (
                    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError,
                    ValueError, OSError,
                ) as error:  # fmt: skip
                    yield member.filename, BadValue(f"It is broken in the archive ({error}).")
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, UnicodeDecodeError,
    ) as error:  # fmt: skip
        raise BadValue(
            f"{clip(path.name)} is no zip file that can be read.", "Give a folder or a plain zip."
        ) from error
    except OSError as error:
        raise BadValue(
            f"{clip(path.name)} cannot be read ({error.strerror}).", "Give another file."
        ) from error


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    mode = member.external_attr >> 16
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        what = "leads out of the archive"
    elif stat.S_ISLNK(mode) or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
        what = "is a link or a device"
    elif member.flag_bits & 0x1:
        what = "is encrypted"
    elif PurePosixPath(name).suffix.lower() in _ARCHIVES:
        what = "is an archive inside the archive"
    else:
        return
    raise BadValue(f"“{clip(name)}” {what}.", "Give a plain zip of photos.")


def _junk(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if not parts or "__MACOSX" in parts:
        return True
    return parts[-1] == "Thumbs.db" or parts[-1].startswith(".")


def _too_many() -> BadValue:
    return BadValue(
        f"There are more than {MAX_FILES} files in it.",
        f"Give a folder of about ten photos, and at most {MAX_PHOTOS}.",
    )
