"""Which pattern a garment has: the spectrum of its cloth beside those of every pattern drawn on it.

The power spectrum of windows inside the garment does not care where a stripe or a dot lies, only
how large, how often and in which direction it comes back.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from catalog.croquis.palette import srgb_to_lab
from catalog.garment import Cloth, Shape

SIZE = 384, 256
"""Rows and columns of the photos that are compared."""
_WINDOW = 64
_STEP = 16
_SHARP = 25.0
"""How fast belief falls with distance; the right pattern leads by 0.05 and more."""


def pattern_of(
    photos: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    shape: Shape,
    colors: tuple[str, ...],
    material: str,
) -> tuple[str, float]:
    """The pattern of a garment and how sure it is, 0–1.

    Args:
        photos: the garment alone, uint8 ``(384, 256, 3)``.
        masks: bool ``(384, 256)`` each.
        colors: two or three, ground first.

    Returns:
        ``("plain", 0.0)`` when the garment is too narrow to see a pattern on it.
    """
    from catalog.croquis.cloth import PATTERNS

    # 1. what is seen
    seen = mean_spectrum([spectrum(p, m) for p, m in zip(photos, masks, strict=True)])
    if seen is None:
        return "plain", 0.0
    # 2. each pattern on the same garment
    far: dict[str, float] = {}
    for name in PATTERNS:
        cloth = Cloth(colors=colors, pattern=name, material=material)
        drawn = [spectrum(*laid_flat(shape, cloth, seed)) for seed in (50, 51)]
        if (middle := mean_spectrum(drawn)) is not None:
            far[name] = float(np.linalg.norm(middle - seen))
    if not far:
        return "plain", 0.0
    # 3. the nearest
    best = min(far, key=lambda name: far[name])
    weights = {name: np.exp(_SHARP * (far[best] - d)) for name, d in far.items()}
    return best, float(1.0 / sum(weights.values()))


def laid_flat(shape: Shape, cloth: Cloth, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A product photo, uint8 ``(384, 256, 3)``, as the drawn world has it, and its cut-out."""
    from catalog.croquis import drawing
    from catalog.croquis.sheet import FIRST_GARMENT

    drawn = drawing.draw(drawing.Flat(shape, cloth, seed))
    assert drawn.picture is not None
    return drawn.picture, drawn.regions >= FIRST_GARMENT


def spectrum(photo: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """Mean amplitude spectrum of the cloth, unit power; None when no window fits into it."""
    # 1. the one number a pixel that varies most: along the main axis of the garment's colours
    inner = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    inner = inner if inner.sum() >= 200 else mask
    if not inner.any():
        return None
    lab = srgb_to_lab(photo)
    middle = lab[inner].mean(0)
    axis = np.linalg.svd(lab[inner][::7] - middle, full_matrices=False)[2][0]
    value = ((lab - middle) @ axis) * inner
    value /= value[inner].std() + 1e-6
    # 2. windows that lie in it
    bell = np.hanning(_WINDOW)[:, None] * np.hanning(_WINDOW)
    rows, columns = np.nonzero(inner)
    total, count = np.zeros((_WINDOW, _WINDOW // 2 + 1)), 0
    for y in range(rows.min(), rows.max() - _WINDOW + 2, _STEP):
        for x in range(columns.min(), columns.max() - _WINDOW + 2, _STEP):
            part = slice(y, y + _WINDOW), slice(x, x + _WINDOW)
            if (inner[part] * bell).sum() > 0.8 * bell.sum():
                tile = value[part]
                tile = (tile - (tile * bell).sum() / bell.sum()) * bell
                total += np.abs(np.fft.rfft2(tile)) ** 2
                count += 1
    if not count:
        return None
    power = np.fft.fftshift(total / max(total.sum(), 1e-12), axes=0)
    return cv2.GaussianBlur(np.sqrt(power).astype(np.float32), (0, 0), 1.0).ravel()


def mean_spectrum(spectra: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """The mean of those that are there, or None."""
    there = [s for s in spectra if s is not None]
    return np.mean(there, 0) if there else None
