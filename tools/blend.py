"""Blend: garments and seasons → how strongly each LoRA works. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.garment import Garment, Season
from tools.look import Worn

SMALL_REGION = 0.004
"""Share of the picture below which a garment covers so little that its LoRA is eased off."""

RECOLORED_PLAIN, RECOLORED_PRINT = 0.4, 0.6
"""Shares of its strength that a LoRA keeps when the garment is worn recoloured: it knows the old
colour, but its folds too."""


def garment_strengths(
    garments: Sequence[Garment], worn: Sequence[Worn], coverage: Sequence[float]
) -> tuple[float, ...]:
    """Strength of each garment's LoRA.

    What the caller asked for is taken as asked. Else the card's preferred strength, eased where the
    garment covers almost nothing: there neighbours share its cells and would be coloured with it.
    Worn in another colour than its own, a garment keeps a part of its LoRA, which pulls the old
    colour back: of a plain one what its folds need, of a patterned one a little more.

    Args:
        coverage: share of the picture each garment covers, 0–1.
    """
    strengths = []
    for garment, wish, share in zip(garments, worn, coverage, strict=True):
        if wish.strength is not None:
            strengths.append(wish.strength)
        else:
            ease = min(1.0, 0.6 + 0.4 * share / SMALL_REGION)
            if wish.color is not None and wish.color != garment.color:
                ease *= RECOLORED_PLAIN if garment.pattern == "plain" else RECOLORED_PRINT
            strengths.append(round(garment.strength * ease, 4))
    return tuple(strengths)


def season_strengths(season: Mapping[Season, float], strength: float) -> dict[Season, float]:
    """Weight of each season's LoRA: the shares, times the plan's overall season strength."""
    total = sum(season.values())
    return {s: round(strength * w / total, 4) for s, w in sorted(season.items()) if w > 0}
