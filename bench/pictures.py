"""Figures of whole renders against the drawn truth and the garments' cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench import judges, measure, renders
from bench.figures import Measured, figure, once
from bench.outfits import Outfit, class_of, outfits
from catalog.croquis.cloth import pattern_class
from catalog.garment import Garment

MINUTES = 4
"""Drawing the outfits once; figures that share them take seconds after that."""


@dataclass(frozen=True)
class Seen:
    """A picture and what the segmenter sees in it: all that is known of a render."""

    picture: np.ndarray
    classes: np.ndarray

    def mask(self, garment: Garment) -> np.ndarray:
        return self.classes == class_of(garment)

    def pixels(self, garment: Garment) -> np.ndarray:
        """Lab of the garment's eroded region, ``(n, 3)``."""
        return measure.labs(self.picture, measure.eroded(self.mask(garment)))


def see(picture: np.ndarray) -> Seen:
    return Seen(picture, judges.segment(picture))


@once
def drawn(number: int) -> Seen:
    """The drawn truth of outfit ``number``, as the segmenter sees it."""
    return see(outfits()[number].picture)


@once
def rendered(number: int) -> Seen:
    """The render of outfit ``number``."""
    return see(renders.render(outfits()[number].plan))


def card_delta_e(seen: Seen, garment: Garment) -> float:
    """ΔE2000 between a garment's region in a picture and its card."""
    plain = garment.pattern == "plain"
    return measure.card_delta_e(seen.pixels(garment), garment.cloth.colors, plain)


Judge = Callable[[Seen, Garment], float]


def _pairs(of: Callable[[int], Seen], judge: Judge) -> np.ndarray:
    """``judge`` of every garment that can be measured, in every outfit."""
    return np.array([
        judge(of(n), outfit.garments[i])
        for n, outfit in enumerate(outfits())
        for i in outfit.visible
    ])  # fmt: skip


@once
def _delta_e(of: Callable[[int], Seen]) -> np.ndarray:
    return _pairs(of, card_delta_e)


def _both(score: Callable[[Callable[[int], Seen]], float]) -> Measured:
    """``score`` of the renders, with that of the drawn truth as the ceiling."""
    return Measured(score(rendered), score(drawn))


@figure("silhouette-iou", better="higher", issue=3, target=0.85, next=0.95, minutes=MINUTES)
def silhouette() -> Measured:
    """Silhouette IoU, render against the drawn truth for the same pose and garments, both as the
    segmenter sees them; mean. Ceiling: drawn truth seen against the true mask."""
    pairs = [(rendered(n), drawn(n), o) for n, o in enumerate(outfits())]
    value = np.mean([measure.iou(r.classes > 0, d.classes > 0) for r, d, _ in pairs])
    true = np.mean([measure.iou(r.classes > 0, o.classes > 0) for r, _, o in pairs])
    ceiling = np.mean([measure.iou(d.classes > 0, o.classes > 0) for _, d, o in pairs])
    return Measured(float(value), float(ceiling), f"against the true mask {true:.3f}")


@figure("garment-iou", better="higher", issue=3, minutes=MINUTES)
def garment_regions() -> Measured:
    """IoU of a garment's region in the render with its true mask, median: kinds, hems, sleeves."""

    def score(of: Callable[[int], Seen]) -> float:
        return float(np.median([
            measure.iou(of(n).mask(o.garments[i]), o.classes == class_of(o.garments[i]))
            for n, o in enumerate(outfits())
            for i in o.visible
        ]))  # fmt: skip

    return _both(score)


@figure("garment-delta-e", better="lower", issue=3, target=8, next=4, minutes=MINUTES)
def garment_delta_e() -> Measured:
    """ΔE2000 between a garment's region in the render and its card (patterned: per palette
    colour), median of all garments in all outfits. Ceiling: drawn truth against the card."""
    values = _delta_e(rendered)
    garments = {o.garments[i].id for o in outfits() for i in o.visible}
    missing = int((values >= measure.MISSING).sum())
    note = f"{len(values)} pairs, {len(garments)} garments, {missing} not to be seen"
    return Measured(float(np.median(values)), float(np.median(_delta_e(drawn))), note)


@figure("garment-delta-e-p90", better="lower", issue=3, minutes=MINUTES)
def garment_delta_e_p90() -> Measured:
    """The same, 90th percentile."""
    return _both(lambda of: float(np.percentile(_delta_e(of), 90)))


def color_right(seen: Seen, garment: Garment) -> float:
    colors = 1 if garment.pattern == "plain" else len(garment.cloth.colors)
    return float(measure.in_family(seen.pixels(garment), colors, garment.color))


@figure("color-family", better="higher", issue=3, target=85, next=97, unit="%", minutes=MINUTES)
def color_family() -> Measured:
    """Garments whose region shows the colour family of their card."""
    return _both(lambda of: 100 * float(_pairs(of, color_right).mean()))


def pattern_right(seen: Seen, garment: Garment) -> float:
    read = judges.pattern(seen.picture, seen.mask(garment))
    return float(judges.likeliest(read) == pattern_class(garment.pattern))


@once
def _patterns(of: Callable[[int], Seen]) -> np.ndarray:
    return _pairs(of, pattern_right)


@figure("pattern-class", better="higher", issue=3, target=60, next=90, unit="%", minutes=MINUTES)
def pattern() -> Measured:
    """Garments whose pattern class (plain, stripes, plaid, dots, print) is read right, by a
    classifier trained on other drawings; mean of plain ones and patterned ones."""
    plain = np.array([o.garments[i].pattern == "plain" for o in outfits() for i in o.visible])

    def score(of: Callable[[int], Seen]) -> tuple[float, float]:
        right = _patterns(of)
        return 100 * float(right[plain].mean()), 100 * float(right[~plain].mean())

    here, ceiling = score(rendered), score(drawn)
    note = f"plain {here[0]:.0f} %, patterned {here[1]:.0f} % (drawn {ceiling[1]:.0f} %)"
    return Measured(float(np.mean(here)), float(np.mean(ceiling)), note)


@figure("category", better="higher", issue=3, unit="%", minutes=MINUTES)
def category() -> Measured:
    """Garments whose kind (of 46) is read right, by a classifier trained on other drawings."""

    def right(seen: Seen, garment: Garment) -> float:
        read = judges.category(seen.picture, seen.mask(garment))
        return float(judges.likeliest(read) == garment.category)

    return _both(lambda of: 100 * float(_pairs(of, right).mean()))


@figure("figure-delta-e", better="lower", issue=3, minutes=MINUTES)
def figure_delta_e() -> Measured:
    """ΔE2000 to the drawn truth, pixel by pixel of the whole figure at a quarter of the size
    (faces, hands and edges count), median pixel of the median picture."""

    def score(seen: Seen, outfit: Outfit) -> float:
        inside = outfit.classes > 0
        return float(np.median(measure.pixel_delta_e(seen.picture, outfit.picture, inside)))

    return Measured(float(np.median([score(rendered(n), o) for n, o in enumerate(outfits())])))
