"""The garments and seasons that come with the program.

``garments.json`` holds the cards; the LoRAs lie beside it in ``loras``. Photos are not kept: they
are redrawn from each card's seed. Base training draws none of their shades, nor the prints and
trims of ``cloth.PRINTS_HELD`` and ``TRIMS_HELD``, which most of the patterned ones have; stripes,
plaids and dots it knows as kinds, but never in these colours.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from catalog.garment import SEASONS, Garment
from catalog.lora_file import sha256_of

PHOTOS = 10
"""Photos of each starter garment."""

_HERE = Path(__file__).parent


def starter_loras() -> Path:
    """Folder of ``<id>.safetensors`` and ``season-<season>.safetensors``; may be incomplete."""
    return _HERE / "loras"


def starter_garments() -> list[Garment]:
    """The starter cards, sorted by id; ``lora_sha256`` is that of the file in ``starter_loras``,
    "" where there is none yet."""
    cards = json.loads((_HERE / "garments.json").read_text("utf-8"))
    garments = [
        Garment.model_validate(card | {"lora_sha256": _sha256(starter_lora_file(card["id"]))})
        for card in cards
    ]
    return sorted(garments, key=lambda garment: garment.id)


def starter_lora_file(name: str) -> Path:
    """Where the LoRA of a starter garment (its id) or season (``season-<season>``) lies."""
    return starter_loras() / f"{name}.safetensors"


def starter_seasons() -> dict[str, str]:
    """Season → content hash of its LoRA, for those that are there."""
    found = {season: _sha256(starter_lora_file(f"season-{season}")) for season in SEASONS}
    return {season: sha for season, sha in found.items() if sha}


def starter_photos(garment: Garment, count: int = PHOTOS) -> list[np.ndarray]:
    """``count`` flat product photos of a drawn garment, uint8 ``(384, 256, 3)`` RGB each.

    The same card gives the same photos: photo ``i`` is drawn from ``garment.seed`` and ``i``.
    """
    from catalog.croquis.sheet import Sheet
    from catalog.croquis.wardrobe import flat

    photos = []
    for i in range(count):
        sheet = Sheet(1.0)
        flat(sheet, garment.shape, garment.cloth, seed=garment.seed * 1000 + i)
        photos.append(sheet.pixels().copy())
    return photos


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path.read_bytes())
    except FileNotFoundError:
        return ""
