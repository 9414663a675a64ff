"""How pictures are measured: pure functions over pixels, masks and colours."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from catalog.croquis import palette

MISSING = 100.0
"""ΔE of a garment that the picture does not show."""
LEAST = 12
"""Pixels below which nothing can be said about a region."""
BORDER = 3.0
"""ΔE2000 by which a colour may lie beyond the border between two colour families."""
FAMILIES = {
    "white": ("white", "cream"),
    "brown": ("beige", "camel", "brown"),
    "grey": ("black", "charcoal", "grey"),
    "blue": ("navy", "blue", "light blue"),
    "teal": ("teal", "turquoise"),
    "green": ("green", "dark green", "olive", "mint"),
    "yellow": ("yellow", "mustard"),
    "orange": ("orange", "coral"),
    "red": ("red", "burgundy"),
    "pink": ("pink", "magenta"),
    "purple": ("purple", "lavender"),
}
"""Colour words that a shopper would call by one name."""


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks; 1 when both are empty."""
    either = (a | b).sum()
    return float((a & b).sum() / either) if either else 1.0


def eroded(mask: np.ndarray, pixels: int = 2) -> np.ndarray:
    """``mask`` without its rim, so that ink and neighbours do not count; less where it is thin."""
    for rim in range(pixels, 0, -1):
        kernel = np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)
        inner = cv2.erode(mask.astype(np.uint8), kernel, borderValue=0).astype(bool)
        if inner.sum() >= max(LEAST, 0.1 * mask.sum()):
            return inner
    return mask


def dilated(mask: np.ndarray, pixels: int = 2) -> np.ndarray:
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)


def shrunk(picture: np.ndarray, factor: int) -> np.ndarray:
    """Mean of each block of ``factor`` by ``factor`` pixels."""
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    return cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)


def labs(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """CIELAB of the pixels under ``mask``, ``(n, 3)``."""
    return palette.srgb_to_lab(picture[mask])


def card_delta_e(pixels: np.ndarray, colors: Sequence[str], plain: bool) -> float:
    """ΔE2000 between a region's pixels ``(n, 3)`` in Lab and a card's colours.

    Plain: from their median to the first colour. Patterned: the pixels fall into as many groups
    as the card has colours, each group goes with one colour so that the distances, each weighted
    by its group's area, are least. (Not by order of area alone: half of the patterns cover more
    of the cloth than its ground does, and a fold may hide either.)
    """
    from scipy.optimize import linear_sum_assignment

    if len(pixels) < LEAST:
        return MISSING
    card = palette.srgb_to_lab(np.array([palette.hex_to_rgb(c) for c in colors]))
    if plain or len(colors) == 1:
        return float(palette.delta_e(np.median(pixels, 0), card[0]))
    groups, areas = color_groups(pixels, len(colors))
    cost = palette.delta_e(groups[:, None], card[None]) * areas[:, None]
    return float(cost[linear_sum_assignment(cost)].sum())


def color_groups(pixels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """k-means in Lab: medians of the groups ``(count, 3)`` and their areas, largest first."""
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 40, 0.1)
    _, label, _ = cv2.kmeans(
        pixels.astype(np.float32), count, np.empty(0, np.int32), stop, 4, cv2.KMEANS_PP_CENTERS
    )
    label = label.ravel()
    areas = np.bincount(label, minlength=count) / len(label)
    order = np.argsort(-areas)
    medians = np.stack([np.median(pixels[label == k], 0) for k in order])
    return medians, areas[order]


def in_family(pixels: np.ndarray, colors: int, word: str) -> bool:
    """Whether a region's pixels, Lab ``(n, 3)``, show the family of the colour ``word``.

    Plain (``colors`` 1): their median does. Patterned: one of their groups does that covers a
    quarter of the region. A colour belongs to a family when no anchor of another one is nearer by
    more than ``BORDER``.
    """
    if len(pixels) < LEAST:
        return False
    groups, areas = np.median(pixels, 0)[None], np.ones(1)
    if colors > 1:
        groups, areas = color_groups(pixels, colors)
    return any(_belongs(g, word) for g, area in zip(groups, areas, strict=True) if area >= 0.25)


def family_of(word: str) -> str:
    """The family of a colour word."""
    return next(name for name, words in FAMILIES.items() if word in words)


def _belongs(color: np.ndarray, word: str) -> bool:
    family = FAMILIES[family_of(word)]
    far = palette.delta_e(color[None], _ANCHORS)
    ours = np.array([w in family for w in _ANCHOR_WORDS])
    return bool(far[ours].min() <= far.min() + BORDER)


def transport(a: np.ndarray, b: np.ndarray, count: int = 160) -> float:
    """Mean ΔE2000 that turns the colours of region ``a`` into those of ``b``, both Lab ``(n, 3)``.

    Both are thinned to ``count`` pixels and paired at the least total cost.
    """
    from scipy.optimize import linear_sum_assignment

    if min(len(a), len(b)) < LEAST:
        return MISSING
    rng = np.random.default_rng(0)
    a, b = (x[rng.integers(len(x), size=count)] for x in (a, b))
    cost = palette.delta_e(a[:, None], b[None])
    return float(cost[linear_sum_assignment(cost)].mean())


def pixel_delta_e(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """ΔE2000 of each pixel of two pictures at a quarter of their size, inside ``mask`` only."""
    inside = shrunk(mask.astype(np.float32), 4) > 0.5
    return palette.delta_e(
        palette.srgb_to_lab(shrunk(a, 4)[inside]), palette.srgb_to_lab(shrunk(b, 4)[inside])
    )


_ANCHOR_WORDS = [word for word, shades in palette.COLORS.items() for _ in shades]
_ANCHORS = palette.srgb_to_lab(
    np.array([palette.hex_to_rgb(s) for shades in palette.COLORS.values() for s in shades])
)
