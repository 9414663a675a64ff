"""The catalog as numpy columns, so that a search over 10⁵ garments takes milliseconds."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from catalog.croquis.palette import hex_to_rgb, srgb_to_lab
from catalog.garment import SEASONS, SLOTS, Garment
from tools.harmony import loudness
from tools.wish import SLEEVED, Piece, comes_in

_KEPT = 4


class Closet:
    """Columns of ``n`` garments, in the order given. Built once per catalog generation."""

    def __init__(self, garments: Sequence[Garment]) -> None:
        self.garments = list(garments)
        gs = self.garments
        n = len(gs)
        self.slot = np.array([SLOTS.index(g.slot) for g in gs], dtype=np.int8)
        self._codes: dict[str, dict[str, int]] = {}
        self.category = self._coded("categories", [g.category for g in gs])
        self.color = self._coded("colors", [g.color for g in gs])
        self.pattern = self._coded("patterns", [g.pattern for g in gs])
        self.material = self._coded("materials", [g.material for g in gs])
        self._fields = {
            "categories": self.category,
            "colors": self.color,
            "patterns": self.pattern,
            "materials": self.material,
            "sleeves": self._coded("sleeves", [g.shape.sleeves for g in gs]),
            "lengths": self._coded("lengths", [g.shape.length for g in gs]),
            "fits": self._coded("fits", [g.shape.fit for g in gs]),
        }
        rgb = np.array([hex_to_rgb(g.cloth.colors[0]) for g in gs], dtype=np.uint8).reshape(n, 3)
        self.lab = srgb_to_lab(rgb)
        self.chroma = np.hypot(self.lab[:, 1], self.lab[:, 2])
        self.seasons = np.array([[s in g.seasons for s in SEASONS] for g in gs], dtype=bool)
        self.seasons = self.seasons.reshape(n, len(SEASONS))
        self.formality = np.array([g.formality for g in gs], dtype=np.float64)
        self.clo = np.array([g.clo for g in gs], dtype=np.float64)
        self.price = np.array([g.price for g in gs], dtype=np.float64)
        self.available = np.array([g.available for g in gs], dtype=bool)
        self.women = np.array(["women" in g.wearers for g in gs], dtype=bool)
        self.men = np.array(["men" in g.wearers for g in gs], dtype=bool)
        self.waterproof = np.array([g.waterproof for g in gs], dtype=bool)
        self.loud = np.array([loudness(g.pattern) for g in gs], dtype=np.float64)
        self.hash = np.array([zlib.crc32(g.id.encode()) for g in gs], dtype=np.uint64)
        self.row = {g.id: i for i, g in enumerate(gs)}
        sets: dict[tuple[str, ...], int] = {}
        self._occasions = np.array(
            [sets.setdefault(g.occasions, len(sets)) for g in gs], dtype=np.int32
        )
        self._occasion_sets = list(sets)
        ranges: dict[tuple[str, ...], int] = {}
        self._sizes = np.array(
            [ranges.setdefault(g.sizes, len(ranges)) for g in gs], dtype=np.int32
        )
        self._size_ranges = list(ranges)

    def __len__(self) -> int:
        return len(self.garments)

    def _coded(self, field: str, words: list[str]) -> np.ndarray:
        codes = self._codes.setdefault(field, {})
        return np.array([codes.setdefault(w, len(codes)) for w in words], dtype=np.int32)

    def matches(self, piece: Piece) -> np.ndarray:
        """``Piece.matches`` for every garment at once: ``(n,)`` bool."""
        mask = np.ones(len(self), dtype=bool)
        if piece.slot is not None:
            mask &= self.slot == SLOTS.index(piece.slot)
        for field, column in self._fields.items():
            wanted = getattr(piece, field)
            if wanted:
                codes = [self._codes[field][w] for w in wanted if w in self._codes[field]]
                mask &= np.isin(column, codes)
        if piece.sleeves:
            mask &= np.isin(self.slot, [SLOTS.index(s) for s in SLEEVED])
        return mask

    def per_kind(self, judge) -> np.ndarray:
        """``judge(category, material) -> bool`` for every garment, asked once per pair."""
        cats, mats = list(self._codes["categories"]), list(self._codes["materials"])
        pairs = self.category.astype(np.int64) * max(len(mats), 1) + self.material
        unique, inverse = np.unique(pairs, return_inverse=True)
        verdict = np.array(
            [judge(cats[p // len(mats)], mats[p % len(mats)]) for p in unique], dtype=bool
        )
        return verdict[inverse] if len(unique) else np.zeros(0, dtype=bool)

    def comes_in(self, size: str) -> np.ndarray:
        """``wish.comes_in`` for every garment: ``(n,)`` bool."""
        return np.array([comes_in(s, size) for s in self._size_ranges], dtype=bool)[self._sizes]

    def occasion_match(self, same: Sequence[str], near: Sequence[str]) -> np.ndarray:
        """1 where the card names the occasion, 0.5 for a related one, 0.3 for none, else 0."""
        values = []
        for named in self._occasion_sets:
            if any(w in named for w in same):
                values.append(1.0)
            elif any(w in named for w in near):
                values.append(0.5)
            else:
                values.append(0.0 if named else 0.3)
        return np.array(values, dtype=np.float64)[self._occasions]


_recent: list[tuple[int, Closet]] = []


def closet_of(garments: Sequence[Garment] | Closet) -> Closet:
    """The columns of ``garments``; the last few catalogs seen are remembered.

    Garments are frozen and a remembered closet keeps them alive, so equal identities mean an
    equal catalog.
    """
    if isinstance(garments, Closet):
        return garments
    key = hash(tuple(map(id, garments)))
    for known, closet in list(_recent):
        if known == key and len(closet) == len(garments):
            return closet
    closet = Closet(garments)
    _recent.insert(0, (key, closet))
    del _recent[_KEPT:]
    return closet
