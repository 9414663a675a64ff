"""What a garment looks like in a picture, and how far two looks are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench import judges, measure
from bench.figures import once
from catalog.errors import BadValue
from catalog.likeness import embed
from catalog.photos import cut_out
from catalog.starter import starter_garments, starter_photos

PHOTOS = 4
"""Photos of a garment that are compared with."""
LIKENESS = 128
"""Numbers of the picture tower's vector."""
PATTERN = 0.5
"""Weight of the pattern judge beside colour and likeness when a garment is told from others."""


@dataclass(frozen=True)
class Cloth:
    """A garment as a picture shows it."""

    pixels: np.ndarray
    """Lab ``(n, 3)``, without the rim."""
    shares: np.ndarray
    """How likely each of ``judges.PATTERN_CLASSES`` is; sums to 1."""
    vector: np.ndarray
    """Unit vector ``(128,)``: how the base's picture tower sees it."""

    def color_gap(self, other: Cloth) -> float:
        """ΔE2000 of the transport between their pixels."""
        return measure.transport(self.pixels, other.pixels)

    def pattern_gap(self, other: Cloth) -> float:
        """Total variation, 0–1, between what the pattern judge takes either for."""
        return float(np.abs(self.shares - other.shares).sum() / 2)

    def likeness_gap(self, other: Cloth) -> float:
        """1 less the cosine between their vectors, 0–2."""
        return 1 - float(self.vector @ other.vector)


def cloth(picture: np.ndarray, mask: np.ndarray) -> Cloth:
    """The garment under ``mask``, bool ``(H, W)``, of ``picture``, uint8 ``(H, W, 3)``."""
    pixels = measure.labs(picture, measure.eroded(mask))
    try:
        vector = embed(picture, mask)
    except BadValue:  # the picture does not show it: like nothing
        vector = np.zeros(LIKENESS, np.float32)
    return Cloth(pixels, np.array(list(judges.pattern(picture, mask).values())), vector)


@once
def photographed(garment_id: str) -> tuple[Cloth, ...]:
    """The garment on its product photos."""
    garment = next(g for g in starter_garments() if g.id == garment_id)
    return tuple(cloth(photo, cut_out(photo)) for photo in starter_photos(garment, PHOTOS))


@once
def typical() -> tuple[float, float]:
    """Colour gap and likeness gap between two different garments' photos, medians."""
    firsts = [photographed(g.id)[0] for g in starter_garments()]
    pairs = list(zip(firsts, [*firsts[7:], *firsts[:7]], strict=True))
    color = np.median([a.color_gap(b) for a, b in pairs])
    return float(color), float(np.median([a.likeness_gap(b) for a, b in pairs]))


def unlike(one: Cloth, photos: Sequence[Cloth]) -> float:
    """How unlike the garment on ``photos`` a garment is: to tell it from others by, mean.

    Colour and likeness count in units of `typical`, the pattern half. Chosen on drawn truth in
    other outfits (``python -m bench.cloths``): the raw features of the pattern judge, which were
    compared at first, told less than half of the garments (``catalog/croquis/LOG.md``).
    """
    color, likeness = typical()
    gaps = [
        one.color_gap(p) / color + one.likeness_gap(p) / likeness + PATTERN * one.pattern_gap(p)
        for p in photos
    ]
    return float(np.mean(gaps))


def photo_distance(one: Cloth, garment_id: str) -> float:
    """Energy distance to a garment's photos in colour and pattern; two garments are about 1 apart.

    Colour: the transport between pixels, over that between two garments' photos. Pattern: the
    total variation between what the judge takes either for. (Its raw features part a garment worn
    from itself laid flat by nearly as much as one garment from another: by them even drawn truth
    came as much nearer as is asked for in half of the cases only.) The mean distance to the photos
    less half of what they are apart among themselves (Székely and Rizzo, 2013): light and crop part
    two photos of one garment too. Never below 0.
    """
    return max(0.0, _mean_distance(one, photographed(garment_id)) - _apart(garment_id) / 2)


@once
def _apart(garment_id: str) -> float:
    """Mean distance between two photos of one garment."""
    photos = photographed(garment_id)
    others = [(p, tuple(q for q in photos if q is not p)) for p in photos]
    return float(np.mean([_mean_distance(p, rest) for p, rest in others]))


def _mean_distance(one: Cloth, photos: Sequence[Cloth]) -> float:
    color, _ = typical()
    gaps = [np.hypot(one.color_gap(p) / color, one.pattern_gap(p)) for p in photos]
    return float(np.mean(gaps))


def main() -> None:
    """Of the garments worn in other outfits, as drawn: how many one photo tells from all others."""
    from bench.outfits import class_of, outfits

    ids = [g.id for g in starter_garments()]
    gaps, own = [], []
    for outfit in outfits(1)[::2]:
        for garment in (outfit.garments[i] for i in outfit.visible):
            one = cloth(outfit.picture, outfit.classes == class_of(garment))
            known = [photographed(id)[0] for id in ids]
            gaps.append([
                [getattr(one, f"{kind}_gap")(photo) for photo in known]
                for kind in ("color", "likeness", "pattern")
            ])  # fmt: skip
            own.append(ids.index(garment.id))
    color, likeness = typical()
    c, k, p = np.array(gaps).transpose(1, 0, 2) / np.array([color, likeness, 1])[:, None, None]
    ways = {
        "colour": c, "likeness": k, "pattern": p, "colour and pattern": c + PATTERN * p,
        "colour and likeness": c + k, "all three": c + k + PATTERN * p,
    }  # fmt: skip
    print(f"rank-1 of {len(own)} garments worn, as drawn, among {len(ids)}")
    for name, far in ways.items():
        print(f"{name:>22}  {np.mean(far.argmin(1) == own):.0%}")


if __name__ == "__main__":
    main()
