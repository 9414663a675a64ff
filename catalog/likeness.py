"""Likeness: which garments of the catalog look like the one in a picture.

The base's picture–words pair embeds one garment's picture as 128 numbers. Those of the catalog are
kept in one file beside the search index, by the hash of the photo; what is not there yet is
embedded on the spot. Comparing is exact: 10⁵ garments are one matrix product of milliseconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog.base import part_sha256, weights_folder
from catalog.errors import BadValue, Damaged, ModelUnavailable
from catalog.photo_file import photo_pixels
from catalog.photos import cut_out

if TYPE_CHECKING:
    from catalog.croquis.pair import PicturePair

PHOTOS = 3
"""Photos of a garment that stand for it."""
Progress = Callable[[str, int, int], None]


class Likeness:
    """Vectors of photos under ``folder``, made as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"likeness-{part_sha256('pair')[:12]}.npz"

    def of_photos(
        self, photos: Mapping[str, Sequence[Path]], progress: Progress | None = None
    ) -> tuple[list[str], np.ndarray]:
        """Ids and unit vectors ``(n, 128)`` of garments, from their first photos."""
        known = self._known()
        keys = {id: [_key(path) for path in paths[:PHOTOS]] for id, paths in photos.items()}
        missing = [
            (key, path)
            for id, paths in photos.items()
            for key, path in zip(keys[id], paths, strict=False)
            if key not in known
        ]
        for done, (key, path) in enumerate(missing, 1):
            pixels = photo_pixels(path.read_bytes())
            known[key] = embed(pixels, cut_out(pixels))
            if progress:
                progress("looking at the photos", done, len(missing))
        if missing:
            self._keep({k: known[k] for ks in keys.values() for k in ks})
        ids = sorted(keys)
        means = np.stack([np.mean([known[k] for k in keys[id]], 0) for id in ids])
        return ids, means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-9)

    def _known(self) -> dict[str, np.ndarray]:
        try:
            with np.load(self._file, allow_pickle=False) as kept:
                rows, keys = kept["rows"], json.loads(str(kept["keys"]))
            return dict(zip(keys, rows, strict=True))
        except (OSError, ValueError, KeyError):
            return {}  # disposable: embedded again from the photos

    def _keep(self, known: dict[str, np.ndarray]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_name(f".{secrets.token_hex(6)}.npz")
        np.savez(partial, rows=np.stack(list(known.values())), keys=json.dumps(list(known)))
        os.replace(partial, self._file)


def embed(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The garment under ``mask``, bool ``(H, W)``, as a unit vector float32 ``(128,)``.

    Raises:
        BadValue: hardly anything of a garment can be seen.
        ModelUnavailable: the pair's weights are not here.
    """
    import torch

    from catalog.croquis.pair import garment_crop

    crop = garment_crop(picture, mask)
    if crop is None:
        raise BadValue(
            "No garment stands out in that picture.",
            "Give a photo of one garment before an even background.",
        )
    with torch.no_grad():
        x = torch.from_numpy(crop)[None].float() / 127.5 - 1
        return _pair().pictures(x)[0].numpy()


@lru_cache(maxsize=1)
def _pair() -> PicturePair:
    from catalog.croquis.pair import PicturePair

    folder = weights_folder() / "pair"
    if not (folder / "config.json").exists():
        raise ModelUnavailable(
            "The weights that compare pictures are missing from this installation.",
            "Restore them: git checkout -- catalog/croquis/weights.",
        )
    return PicturePair.from_pretrained(folder, use_safetensors=True).float().eval()


def _key(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    except OSError as error:
        raise Damaged(
            f"The photo {path.name} cannot be read.", "Run `stylist catalog rebuild`."
        ) from error
