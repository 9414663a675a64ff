"""Shades: the colours of a patterned cloth as its photos show them, and how much each covers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from catalog.croquis.palette import delta_e, hex_to_rgb, lab_to_srgb, rgb_to_hex, srgb_to_lab
from catalog.garment import Shade

PURE = 0.5
"""From what photos show (0) toward the colour itself (1): at the edges of a pattern a pixel shows
two of its colours, and photos are half as fine as a render."""
_SEEN = 1500
"""Pixels looked at in each photo."""
_OTHER = 20.0
"""ΔE2000 from which on a group is not of the colour but of folds and outlines: thin pinstripes."""


def shades(
    photos: Sequence[np.ndarray], masks: Sequence[np.ndarray], colors: Sequence[str]
) -> tuple[Shade, ...]:
    """A shade for each of a pattern's ``colors``; none for fewer than two colours.

    The pixels fall into as many groups as there are colours; each group goes with the colour so
    that the distances, weighted by area, are least.

    Args:
        photos: product photos, uint8 ``(H, W, 3)``.
        masks: bool ``(H, W)``, where the garment is in each.
        colors: sRGB ``#rrggbb``.
    """
    # 1. pixels away from the outline, as many from each photo
    rng = np.random.default_rng(0)
    seen = []
    for photo, mask in zip(photos, masks, strict=True):
        inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0) > 0
        pixels = photo[inner]
        if len(pixels):
            seen.append(pixels[rng.integers(0, len(pixels), _SEEN)])
    if len(colors) < 2 or not seen:
        return ()
    # 2. groups of one colour each
    lab = srgb_to_lab(np.concatenate(seen))
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 40, 0.1)
    none = np.empty(0, np.int32)
    _, labels, _ = cv2.kmeans(
        lab.astype(np.float32), len(colors), none, stop, 4, cv2.KMEANS_PP_CENTERS
    )
    groups = [lab[labels.ravel() == i] for i in range(len(colors))]
    middles = np.stack([np.median(g, 0) for g in groups])
    areas = np.array([len(g) for g in groups]) / len(lab)
    # 3. which group is which colour
    own = srgb_to_lab(np.stack([hex_to_rgb(c) for c in colors]))
    cost = delta_e(own[:, None], middles[None]) * areas
    rows = range(len(colors))
    order = min(itertools.permutations(rows), key=lambda p: sum(cost[i, p[i]] for i in rows))
    middles = middles[list(order)]
    other = delta_e(own, middles) > _OTHER
    mixed = np.where(other[:, None], own, PURE * own + (1 - PURE) * middles)
    return tuple(
        Shade(color=rgb_to_hex(lab_to_srgb(lab)), share=max(0.001, round(float(areas[i]), 3)))
        for lab, i in zip(mixed, order, strict=True)
    )
