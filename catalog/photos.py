"""Photos in: the garment cut out of a product photo."""

from __future__ import annotations

import numpy as np


def cut_out(photo: np.ndarray) -> np.ndarray:
    """Mask bool ``(H, W)`` of what stands before the even background of a product photo.

    The background is what can be reached from the border without crossing a line or a step in
    colour: soft gradients and soft shadows are crossed, an inked outline is not.

    Args:
        photo: uint8 ``(H, W, 3)``.
    """
    import cv2

    height, width = photo.shape[:2]
    picture = np.ascontiguousarray(photo)
    filled = np.zeros((height + 2, width + 2), np.uint8)
    border = [(x, y) for x in range(0, width, 8) for y in (0, height - 1)]
    border += [(x, y) for y in range(0, height, 8) for x in (0, width - 1)]
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (255 << 8)
    for seed in border:
        if not filled[seed[1] + 1, seed[0] + 1]:
            cv2.floodFill(picture, filled, seed, 0, (5, 5, 5), (5, 5, 5), flags)
    inside = (filled[1:-1, 1:-1] == 0).astype(np.uint8)
    inside = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] > 0.0008 * height * width
    keep[0] = False
    return keep[labels]
