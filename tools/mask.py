"""Mask operations: pure functions over boolean masks, and the feather a repaint is blended with.

A mask is bool ``(H, W)``, True where something is to change. Sizes are in pixels of that mask.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from catalog.errors import BadValue, UnknownName

LARGEST_REACH = 256
"""Largest number of pixels a mask can be grown, shrunk or feathered by."""
MOST_GREY = 0.1
"""Share of a picture that may be middling grey for it to be a mask: soft edges are, photos not."""


def checked(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``mask`` as bool of ``size`` (rows, columns): pictures are masks where they are bright.

    Fractions go from black, 0, to white, 1; of whole numbers up to 1 a 1 is marked.

    Raises:
        BadValue: another size, values that are no numbers, or so much grey that it is not black
            and white.
    """
    array = np.asarray(mask)
    if array.ndim == 3 and array.shape[2] in (1, 3, 4):
        # an upload's colours count as brightness; where it is transparent, nothing is marked
        seen = array[..., : min(3, array.shape[2])].max(2)
        most = 1 if np.issubdtype(array.dtype, np.floating) and array.max(initial=0) <= 1 else 255
        clear = array.shape[2] == 4 and array[..., -1] <= most / 2
        array = np.where(clear, 0, seen)
    if array.ndim != 2 or array.shape != size:
        raise BadValue(
            f"The mask is {'x'.join(map(str, array.shape[:2][::-1]))} pixels.",
            f"It must have the size of the picture, {size[1]}x{size[0]}.",
        )
    if array.dtype == bool:
        return array
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise BadValue("The mask holds values that are no numbers.", "Use black and white.")
    if array.max(initial=0) <= 1:
        if not np.issubdtype(array.dtype, np.floating):
            return array > 0
        array = array * 255
    if ((array > 63) & (array < 192)).mean() > MOST_GREY:
        raise BadValue(
            "The mask is grey: it does not say what is marked.",
            "Paint white what should change, and black what stays.",
        )
    return array > 127


def require_some(mask: np.ndarray) -> np.ndarray:
    """``mask``, when it marks anything. Raises BadValue when it is empty."""
    if not mask.any():
        raise BadValue("Nothing is marked.", "Click on what should change, or name a garment.")
    return mask


def require_part(mask: np.ndarray) -> np.ndarray:
    """``mask``, when it marks a part. Raises BadValue when it is empty, or leaves nothing."""
    require_some(mask)
    if mask.all():
        raise BadValue(
            "Everything is marked, so nothing would stay.",
            "Mark what should change, or draw a new look.",
        )
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


def interior(mask: np.ndarray) -> tuple[float, float]:
    """x, y of the point that lies deepest inside ``mask``. Raises BadValue when it is empty."""
    depth = cv2.distanceTransform(np.pad(require_some(mask), 1).astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(x - 1), float(y - 1)


RESHAPES = ("grow", "shrink", "fill", "largest", "invert")
"""Words for what can be done to a mask. The first two take a number of pixels: ``grow:8``."""
_USUAL = 4
"""Pixels to grow or shrink by when no number is said."""


def reshaped(mask: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """``mask`` after each of ``words``, in their order.

    Raises:
        UnknownName: none of ``RESHAPES``. BadValue: a number that is none, or too large.
    """
    for word in words:
        name, _, number = word.partition(":")
        if name not in RESHAPES:
            raise UnknownName.among("change of a mask", name, RESHAPES)
        if name in ("grow", "shrink"):
            if number and not (number.isascii() and number.isdigit() and len(number) < 5):
                raise BadValue(f"“{word[:40]}” names no number of pixels.", f"Say {name}:8.")
            pixels = int(number or _USUAL)
            mask = grow(mask, pixels if name == "grow" else -pixels)
        elif number:
            raise BadValue(f"“{name}” takes no number.", f"Say {name} alone.")
        else:
            mask = {"fill": fill_holes, "largest": keep_largest, "invert": invert}[name](mask)
    return mask


def brush(mask: np.ndarray, stroke: np.ndarray, width: float, erase: bool = False) -> np.ndarray:
    """A stroke through the points ``(n, 2)`` (x, y), ``width`` pixels wide, added or erased.

    Raises:
        BadValue: no points, points that are no numbers, or a width that cannot be painted.
    """
    points = np.asarray(stroke, float).reshape(-1, 2)
    if not len(points) or not np.isfinite(points).all() or np.abs(points).max() > 1e5:
        raise BadValue("A stroke needs points.", "Paint inside the picture.")
    if not 1 <= width <= LARGEST_REACH:
        raise BadValue(
            "No brush is so wide.", f"Between 1 and {LARGEST_REACH} pixels are possible."
        )
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
        raise BadValue(
            f"{pixels} pixels are too many or too few.",
            f"Between 0 and {LARGEST_REACH} are possible.",
        )
