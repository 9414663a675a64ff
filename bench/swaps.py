"""Figures of one thing switched: a garment's LoRA off or exchanged, the season off.

Every switch is a full redraw from the same seed, never a composite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench import judges, measure, pictures, renders
from bench.cloths import Cloth, cloth, photo_distance
from bench.figures import Measured, figure, once
from bench.outfits import draw_truth, outfits
from bench.pictures import Seen, card_delta_e, see
from catalog.croquis.cloth import pattern_class
from catalog.garment import Garment
from catalog.starter import starter_garments
from tools.look import Plan

LEAK_EVERY = 3
"""Leaks are measured with every third garment switched, to stay quick."""
CLOSER_EVERY = 2
"""Three renders a garment: every second one is enough to know the share to a few percent."""
SEASON_EVERY = 2
WORST = 50.0
"""ΔE counts no more than this when two are subtracted: a garment gone missing is not worse."""


@dataclass(frozen=True)
class Switch:
    """Garment ``index`` of outfit ``number``, whose LoRA is switched."""

    number: int
    index: int

    @property
    def garment(self) -> Garment:
        return outfits()[self.number].garments[self.index]


@once
def switches() -> tuple[Switch, ...]:
    """Every starter garment once, in the outfit where most of it shows."""
    best: dict[str, tuple[int, Switch]] = {}
    for n, outfit in enumerate(outfits()):
        for i in outfit.visible:
            garment = outfit.garments[i]
            area = int((outfit.classes == pictures.class_of(garment)).sum())
            if area > best.get(garment.id, (0, None))[0]:
                best[garment.id] = area, Switch(n, i)
    return tuple(best[id][1] for id in sorted(best))


@once
def on(number: int) -> Seen:
    """The outfit by its LoRAs alone: nothing is held to the colours of its card."""
    return see(renders.render(renders.unguided(outfits()[number].plan)))


@once
def off(switch: Switch) -> Seen:
    """The same, drawn again without the garment's LoRA."""
    plan = renders.unguided(outfits()[switch.number].plan)
    return see(renders.render(renders.without_lora(plan, switch.index)))


UNDER_A_COAT = ("top", "bottom", "onepiece")
"""Slots that outerwear covers: what is left of them may be a few pixels."""


@once
def uncovered(switch: Switch) -> tuple[Plan, int, Seen]:
    """The outfit with nothing worn over the garment, which index it has there, and its drawn truth.

    A strip of a top between the fronts of a coat shows neither a colour nor a pattern to measure.
    """
    outfit, index = outfits()[switch.number], switch.index
    if switch.garment.slot not in UNDER_A_COAT:
        return outfit.plan, index, pictures.drawn(switch.number)
    kept = [i for i, g in enumerate(outfit.garments) if g.slot != "outerwear"]
    worn = tuple(outfit.plan.garments[i] for i in kept)
    plan = outfit.plan.model_copy(update={"garments": worn})
    drawn = draw_truth(plan, tuple(outfit.garments[i] for i in kept))
    assert drawn.picture is not None
    return plan, kept.index(index), see(np.ascontiguousarray(drawn.picture))


@once
def called(switch: Switch, lora: str) -> Seen:
    """The garment, uncovered, asked for by its trigger and kind alone, so that its colours and
    pattern can come from a LoRA only: its ``own``, ``another`` garment's or ``none``.
    """
    plan, index, _ = uncovered(switch)
    plan = renders.unguided(plan)
    if lora == "none":
        plan = renders.without_lora(plan, index)
    swap = renders.Swap(index, _other(switch)) if lora == "another" else None
    return see(renders.render(plan, swap, called=index))


def _other(switch: Switch) -> str:
    """The next garment of the same slot whose colour family is another."""
    mine = switch.garment
    peers = [g for g in starter_garments() if g.slot == mine.slot]
    at = [g.id for g in peers].index(mine.id)
    later = [*peers[at + 1 :], *peers[:at]]
    family = measure.family_of(mine.color)
    far = [g for g in later if measure.family_of(g.color) != family]
    return (far or later)[0].id


# --- what one garment's LoRA does to everything else ---------------------------------------------


def _leaky() -> tuple[Switch, ...]:
    return switches()[::LEAK_EVERY]


@figure("leak-pixels", better="lower", issue=3, target=4, next=1.5, unit="of 255", minutes=4.5)
def leak_pixels() -> Measured:
    """One garment's LoRA on against off: mean change of all pixels outside its region."""
    changes = []
    for switch in _leaky():
        a, b = on(switch.number), off(switch)
        region = measure.dilated(a.mask(switch.garment) | b.mask(switch.garment))
        change = np.abs(a.picture.astype(np.int16) - b.picture).mean(2)
        changes.append(float(change[~region].mean()))
    return Measured(float(np.mean(changes)), note=f"worst {max(changes):.1f}")


@figure("leak-delta-e", better="lower", issue=3, target=1.5, next=0.5, minutes=4.5)
def leak_delta_e() -> Measured:
    """One garment's LoRA on against off: ΔE of the other garments to their cards worsens by,
    mean."""
    worse = []
    for switch in _leaky():
        outfit = outfits()[switch.number]
        with_it, without = on(switch.number), off(switch)
        for i in outfit.visible:
            if i != switch.index:
                worse.append(_worse(with_it, without, outfit.garments[i]))
    return Measured(float(np.mean(worse)), note=f"90 % below {np.percentile(worse, 90):.1f}")


def _worse(now: Seen, before: Seen, garment: Garment) -> float:
    return min(card_delta_e(now, garment), WORST) - min(card_delta_e(before, garment), WORST)


# --- what it does to the garment itself ----------------------------------------------------------


def worn(seen: Seen, garment: Garment) -> Cloth:
    """The garment as the segmenter sees it in a picture."""
    return cloth(seen.picture, seen.mask(garment))


@figure("lora-closer", better="higher", issue=3, target=80, next=98, unit="%", minutes=9)
def lora_closer() -> Measured:
    """Garments whose LoRA, on against off with the same words and seed, brings them at least 40 %
    nearer to their photos (colour and pattern), and nearer than another garment's LoRA does; tops,
    bottoms and dresses without the coat over them. The words are the trigger and the kind: words
    that name the colours would do the LoRA's work."""
    good, fall, prints, drawn = [], [], [], []
    for switch in switches()[::CLOSER_EVERY]:
        garment = switch.garment
        with_it, without, other = (
            photo_distance(worn(seen, garment), garment.id)
            for seen in (called(switch, lora) for lora in ("own", "none", "another"))
        )
        fall.append(1 - with_it / without)
        good.append(with_it <= 0.6 * without and with_it < other)
        if pattern_class(garment.pattern) == "print":
            prints.append(good[-1])
        truth = photo_distance(worn(uncovered(switch)[2], garment), garment.id)
        drawn.append(truth <= 0.6 * without and truth < other)
    note = f"{len(good)} garments, median fall {np.median(fall):.0%}, prints {np.mean(prints):.0%}"
    return Measured(100 * float(np.mean(good)), 100 * float(np.mean(drawn)), note)


# --- seasons -------------------------------------------------------------------------------------


@once
def _without_season(number: int) -> Seen:
    plan = outfits()[number].plan
    return see(renders.render(plan.model_copy(update={"season_strength": 0.0})))


def _season_right(seen: Seen, number: int) -> bool:
    likely = judges.season(seen.picture, seen.classes)
    return judges.likeliest(likely) == next(iter(outfits()[number].plan.season))


@figure("season", better="higher", issue=3, target=80, next=95, unit="%", minutes=4.5)
def season() -> Measured:
    """Season of the render recognised at strength 1, by a classifier that sees everything but the
    garments and was trained on other drawings."""
    every = range(len(outfits()))
    value = np.mean([_season_right(pictures.rendered(n), n) for n in every])
    ceiling = np.mean([_season_right(pictures.drawn(n), n) for n in every])
    off_too = np.mean([_season_right(_without_season(n), n) for n in every[::SEASON_EVERY]])
    return Measured(100 * float(value), 100 * float(ceiling), f"at strength 0 {off_too:.0%}")


@figure("season-delta-e", better="lower", issue=3, target=3, next=1, minutes=4.5)
def season_delta_e() -> Measured:
    """Season from 0 to 1: ΔE of the garments to their cards worsens by, mean."""
    worse = [
        _worse(pictures.rendered(n), _without_season(n), outfits()[n].garments[i])
        for n in range(0, len(outfits()), SEASON_EVERY)
        for i in outfits()[n].visible
    ]
    return Measured(float(np.mean(worse)))
