"""Figures of garments worn together: do LoRAs disturb each other, is each garment still itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench import pictures, renders, swaps
from bench.cloths import Cloth, cloth, photographed, unlike
from bench.figures import Measured, NotYet, figure, once
from bench.judge_pictures import any_cloth
from bench.outfits import outfits
from bench.pictures import Seen, card_delta_e, see
from bench.swaps import Switch, switches, worn
from catalog.croquis import drawing
from catalog.croquis.sheet import FIRST_GARMENT
from tools.look import Plan

SIX = 6
SIX_OUTFITS = 4
"""Outfits of six garments that are drawn seven times each."""
DISTRACTORS = 50
FIRST_SEED = 5_900_000_000
"""Product photos of distractors are drawn from here on."""
NAMED_EVERY = 3
"""Garments that are looked for: those whose renders without LoRA other figures need too."""


def alone(plan: Plan, index: int) -> Plan:
    """``plan`` with no garment's LoRA at work but that of garment ``index``, all else the same."""
    for i in range(len(plan.garments)):
        if i != index:
            plan = renders.without_lora(plan, i)
    return plan


def worsened(numbers: Sequence[int]) -> list[float]:
    """ΔE to its card with all LoRAs at work less that with its own alone, of every garment."""
    worse = []
    for n in numbers:
        outfit, together = outfits()[n], swaps.on(n)
        for i in outfit.visible:
            own = see(renders.render(alone(renders.unguided(outfit.plan), i)))
            both = [card_delta_e(seen, outfit.garments[i]) for seen in (together, own)]
            worse.append(min(both[0], swaps.WORST) - min(both[1], swaps.WORST))
    return worse


@figure("six-loras-delta-e", better="lower", issue=4, target=0.5, minutes=2)
def six_loras() -> Measured:
    """Six garment LoRAs at once against each alone (same outfit, words and seed): ΔE of a garment
    to its card worsens by, mean."""
    six = [n for n, o in enumerate(outfits()) if len(o.garments) >= SIX][:SIX_OUTFITS]
    if not six:
        raise NotYet("no outfit of the bench has six garments")
    worse = worsened(six)
    note = f"{len(worse)} garments, 90 % below {np.percentile(worse, 90):.1f}"
    return Measured(float(np.mean(worse)), note=note)


@once
def distractors(category: str) -> tuple[Cloth, ...]:
    """Product photos of other garments of the same kind, in any shade, print and trim."""
    found = []
    for i in range(DISTRACTORS):
        rng = np.random.default_rng((FIRST_SEED + i, 51))
        other = any_cloth(drawing.sample_cloth(category, rng), rng)
        flat = drawing.Flat(drawing.sample_shape(category, rng), other, FIRST_SEED + i)
        drawn = drawing.draw(flat)
        assert drawn.picture is not None
        photo, mask = np.ascontiguousarray(drawn.picture), drawn.regions == FIRST_GARMENT
        found.append(cloth(photo, mask))
    return tuple(found)


def identified(seen: Seen, switch: Switch) -> bool:
    """Whether the garment's region is nearer to its own product photo than to any distractor's."""
    garment = switch.garment
    one = worn(seen, garment)
    photos = (photographed(garment.id)[0], *distractors(garment.category))
    return int(np.argmin([unlike(one, [photo]) for photo in photos])) == 0


@figure("identified", better="higher", issue=4, target=90, unit="%", minutes=4.5)
def rank_one() -> Measured:
    """Garments told from 50 others of the same kind by their region of the render: it is least
    unlike its own product photo in colour, pattern and shape (rank-1). Ceiling: drawn truth in its
    place. The note: by its words alone, without LoRA and not held to its colours."""
    chosen = switches()[::NAMED_EVERY]
    with_it = np.mean([identified(pictures.rendered(s.number), s) for s in chosen])
    without = np.mean([identified(swaps.off(s), s) for s in chosen])
    ceiling = np.mean([identified(pictures.drawn(s.number), s) for s in chosen])
    note = f"{len(chosen)} garments; by its words alone {without:.0%}"
    return Measured(100 * float(with_it), 100 * float(ceiling), note)
