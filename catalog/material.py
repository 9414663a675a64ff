"""What a drawn garment is made of: its photos beside the same garment drawn in each material.

A knit's ribs, a leather's gloss and a denim's twill show in how lightness varies, finely and
coarsely, and in the spectrum of the cloth. Real photos say other things with these, so only
drawings are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from catalog.croquis.palette import srgb_to_lab
from catalog.garment import CATEGORIES, Cloth, Shape
from catalog.pattern import laid_flat, mean_spectrum, spectrum

DRAWN = range(60, 64)
"""Seeds of the drawings that each material is compared by."""
_SCALES = (0.8, 1.6, 3.2, 6.4)
"""Deviations of the blurs, in pixels of 384 x 256, between which lightness is looked at."""
_STRONG = 3.0
"""Deviations from which on a pixel is a highlight."""
_SPECTRUM = 10.0
"""How much a difference of spectra counts beside one of lightness."""
_SHARP = 1.5
"""How fast belief falls with distance."""


def likeliest(far: Mapping[str, float]) -> tuple[str, float]:
    """The nearest material of one shape, and how sure that is, 0–1."""
    best = min(far, key=lambda name: far[name])
    return best, float(1.0 / sum(np.exp(_SHARP * (far[best] - d)) for d in far.values()))


def distances(
    photos: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    shapes: Sequence[Shape],
    colors: tuple[str, ...],
    pattern: str,
) -> dict[Shape, dict[str, float]]:
    """How far what is seen lies from each shape drawn in each material of its kind.

    Args:
        photos: the garment alone, uint8 ``(384, 256, 3)`` each, at least one.
        masks: bool ``(384, 256)`` each, not empty.
        shapes: what it may be.
        colors: one to three, ground first.

    Returns:
        Of each shape the distance by material; neighbours lie about 1 apart.
    """
    light, waves = _look(list(zip(photos, masks, strict=True)))
    far: dict[Shape, dict[str, float]] = {shape: {} for shape in shapes}
    for shape in shapes:
        for name in CATEGORIES[shape.category].materials:
            cloth = Cloth(colors=colors, pattern=pattern, material=name)
            own_light, own_waves = _look([laid_flat(shape, cloth, seed) for seed in DRAWN])
            far[shape][name] = float(np.abs(own_light - light).sum())
            if waves is not None and own_waves is not None:
                far[shape][name] += _SPECTRUM * float(np.linalg.norm(own_waves - waves))
    return far


def _look(seen: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray | None]:
    """Lightness and spectrum, means over photos."""
    light = np.mean([lightness(photo, mask) for photo, mask in seen], 0)
    return light, mean_spectrum([spectrum(photo, mask) for photo, mask in seen])


def lightness(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """How lightness varies inside ``mask``, float ``(18,)``: at each scale how much, how often
    strongly and to which side; and how far its extremes lie from its median."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    inner = inner if inner.sum() > 150 else mask
    light = srgb_to_lab(photo)[..., 0].astype(np.float32)
    there = inner.astype(np.float32)
    finer = np.where(inner, light - light[inner].mean(), 0).astype(np.float32)
    found: list[float] = []
    for scale in _SCALES:
        weight = cv2.GaussianBlur(there, (0, 0), scale) + 1e-3
        coarser = np.where(inner, cv2.GaussianBlur(finer, (0, 0), scale) / weight, 0)
        detail = (finer - coarser)[inner]
        spread = float(detail.std())
        skew = float(((detail / (spread + 1e-3)) ** 3).mean())
        strong = float((detail > _STRONG * spread).mean())
        found += [np.log(spread + 0.1), 10 * strong, 0.25 * min(max(skew, -4.0), 4.0)]
        finer = coarser.astype(np.float32)
    extremes = np.percentile(light[inner] - np.median(light[inner]), [1, 5, 25, 75, 95, 99])
    return np.array([*found, *(extremes / 10)])
