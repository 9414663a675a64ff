"""Mask operations: pure functions over boolean masks, and the feather a repaint is blended with.

A mask is bool ``(H, W)``, True where something is to change. Sizes are in pixels of that mask.
"""

from __future__ import annotations

import cv2
import numpy as np

from catalog.errors import BadValue

LARGEST_REACH = 256
"""Largest number of pixels a mask can be grown, shrunk or feathered by."""


def checked(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``mask`` as bool of ``size`` (rows, columns): pictures are masks where they are bright.

    Raises:
        BadValue: another size, or neither True/False nor shades of grey.
    """
    array = np.asarray(mask)
    if array.ndim == 3 and array.shape[2] in (1, 3, 4):
        # an upload's colours count as brightness; where it is transparent, nothing is marked
        alpha = array[..., 3] > 127 if array.shape[2] == 4 else True
        array = (array[..., : min(3, array.shape[2])].max(2) > 127) & alpha
    if array.ndim != 2 or array.shape != size:
        raise BadValue(
            f"The mask is {'x'.join(map(str, array.shape[:2][::-1]))} pixels.",
            f"It must have the size of the picture, {size[1]}x{size[0]}.",
        )
    if array.dtype == bool:
        return array
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise BadValue("The mask holds values that are no numbers.", "Use black and white.")
    return array > (127 if array.max(initial=0) > 1 else 0)


def require_some(mask: np.ndarray) -> np.ndarray:
    """``mask``, when it marks anything. Raises BadValue when it is empty."""
    if not mask.any():
        raise BadValue("Nothing is marked.", "Click on what should change, or name a garment.")
    return mask


def grow(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Dilated by ``pixels``; eroded when negative. Raises BadValue beyond ``LARGEST_REACH``."""
    _check_reach(abs(pixels))
    if pixels == 0 or not mask.any():
        return mask.copy()
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(pixels) + 1,) * 2)
    apply = cv2.dilate if pixels > 0 else cv2.erode
    return apply(mask.astype(np.uint8), kernel, borderValue=0).astype(bool)


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """With every hole closed: what the outside cannot reach belongs to the mask."""
    outside = np.pad(mask, 1).astype(np.uint8)
    cv2.floodFill(outside, None, (0, 0), 2)
    return (outside != 2)[1:-1, 1:-1]


def keep_largest(mask: np.ndarray) -> np.ndarray:
    """Its largest connected part alone."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    if count <= 2:
        return mask.copy()
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def invert(mask: np.ndarray) -> np.ndarray:
    """Everything but the mask: “repaint all else”."""
    return ~mask


def add(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    return mask | other


def subtract(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    return mask & ~other


def brush(mask: np.ndarray, stroke: np.ndarray, width: float, erase: bool = False) -> np.ndarray:
    """A stroke through the points ``(n, 2)`` (x, y), ``width`` pixels wide, added or erased.

    Raises:
        BadValue: no points, points that are no numbers, or a width that cannot be painted.
    """
    points = np.asarray(stroke, float).reshape(-1, 2)
    if not len(points) or not np.isfinite(points).all() or np.abs(points).max() > 1e5:
        raise BadValue("A stroke needs points inside the picture.")
    if not 1 <= width <= LARGEST_REACH:
        raise BadValue(f"A brush is 1 to {LARGEST_REACH} pixels wide.")
    painted = np.zeros(mask.shape, np.uint8)
    line = np.round(points).astype(np.int32)
    cv2.polylines(painted, [line], False, 1, max(1, round(width)))
    for x, y in line:
        cv2.circle(painted, (int(x), int(y)), max(1, round(width / 2)), 1, -1)
    return subtract(mask, painted > 0) if erase else add(mask, painted > 0)


def feathered(mask: np.ndarray, pixels: int) -> np.ndarray:
    """How much of the new picture each pixel takes, float32 0…1.

    1 inside the mask, falling to 0 over ``pixels`` outside it; exactly 0 beyond, so that nothing
    there changes by a single bit.
    """
    _check_reach(pixels)
    if pixels == 0 or mask.all():
        return mask.astype(np.float32)
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    fall = np.clip(1 - away / (pixels + 1), 0, 1)
    return (fall * fall * (3 - 2 * fall)).astype(np.float32)


def composite(before: np.ndarray, after: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``after`` where ``share`` is 1, ``before`` bit for bit where it is 0, blended between.

    Pictures are uint8 ``(H, W, 3)``, ``share`` float ``(H, W)`` in 0…1.
    """
    mixed = before + (after.astype(np.float32) - before) * share[..., None]
    out = np.round(mixed).astype(np.uint8)
    out[share == 0] = before[share == 0]
    return out


def _check_reach(pixels: int) -> None:
    if not 0 <= pixels <= LARGEST_REACH:
        raise BadValue(f"Between 0 and {LARGEST_REACH} pixels are possible.")
