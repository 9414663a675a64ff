"""Photos in: the garment cut out of a product photo."""

from __future__ import annotations

import cv2
import numpy as np

_EVEN = 5
"""Largest difference within 3 x 3 pixels of an even surface: soft shadows stay below it."""
_SHADOW = 45
"""How much darker than the ground around the garment the ground seen through it may be."""


def cut_out(photo: np.ndarray) -> np.ndarray:
    """Mask bool ``(H, W)`` of what stands before the even background of a product photo.

    The background is what can be reached from the border without crossing a line or a step in
    colour: soft gradients and soft shadows are crossed, an inked outline is not. Background that
    is seen through a handle or a pair of glasses is background too.

    Args:
        photo: uint8 ``(H, W, 3)``.
    """
    # 1. even surfaces; those that touch the border are background
    photo = np.ascontiguousarray(photo)
    square = np.ones((3, 3), np.uint8)
    steps = (cv2.dilate(photo, square) - cv2.erode(photo, square)).max(2)
    count, surface, stats, _ = cv2.connectedComponentsWithStats(
        (steps <= _EVEN).astype(np.uint8), connectivity=4
    )
    outer = np.zeros(count, bool)
    for side in (surface[0], surface[-1], surface[:, 0], surface[:, -1]):
        outer[side] = True
    outer[0] = False
    # 2. and those that look like background seen through an opening
    ground = outer[surface]
    depth = cv2.distanceTransform((~ground).astype(np.uint8), cv2.DIST_L2, 3)
    unit = np.sqrt(photo.shape[0] * photo.shape[1] / (384 * 256))
    silhouette = np.count_nonzero(depth > 3 * unit)
    behind = None
    for i in range(1, count):
        if outer[i] or stats[i, cv2.CC_STAT_AREA] < 0.09 * silhouette:
            continue
        part = surface == i
        if np.percentile(depth[part], 2) < 12 * unit:
            continue  # too near the outside for a strap or a rim in between
        behind = _continued(photo, ground) if behind is None else behind
        if _is_opening(photo, part, behind, stats[i, cv2.CC_STAT_AREA] / silhouette):
            ground |= part
    # 3. up to the middle of the outline
    for _ in range(2):
        near = cv2.dilate(ground.astype(np.uint8), square) > 0
        weight = cv2.blur(ground.astype(np.float32), (5, 5))[..., None]
        known = cv2.blur(photo.astype(np.float32) * ground[..., None], (5, 5))
        alike = np.abs(photo - known / np.maximum(weight, 1e-6)).max(2) < 16
        ground |= near & alike
    inside = cv2.morphologyEx((~ground).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] > 0.0008 * inside.size
    keep[0] = False
    return keep[labels]


def _continued(photo: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The ground's colours carried on behind the garment, float32 ``(H, W, 3)``."""
    size = photo.shape[1] // 8, photo.shape[0] // 8
    share = cv2.resize(ground.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    seen = photo.astype(np.float32) * ground[..., None]
    colors = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    known = (share > 0.3)[..., None]
    colors = np.where(known, colors / np.maximum(share, 1e-6)[..., None], 0)
    colors = np.where(known, colors, colors.sum((0, 1)) / max(known.sum(), 1)).astype(np.float32)
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    for _ in range(300):
        colors = np.where(known, colors, cv2.filter2D(colors, -1, cross))
    return cv2.resize(colors, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _is_opening(photo: np.ndarray, part: np.ndarray, behind: np.ndarray, share: float) -> bool:
    """Whether an enclosed even surface is the ground, plain or in shadow, and no piece of cloth.

    ``share`` is its size beside the whole silhouette.
    """
    # as bright as the ground or in its shadow; only panes of glass may tint it
    shade = np.median(photo[part] - behind[part], axis=0)
    tint = shade.max() - shade.min()
    if shade.max() > 3 or shade.min() < -_SHADOW or tint > (14 if share > 0.2 else 7):
        return False
    # a round opening with nothing drawn in it
    lines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(lines, key=cv2.contourArea)
    hull = max(cv2.contourArea(cv2.convexHull(line)), 1.0)
    if cv2.contourArea(line) < 0.975 * hull or part.sum() < cv2.contourArea(line):
        return False
    # one smooth surface: cloth is lit, folded and glossy
    rows, columns = np.nonzero(part)
    y, x = (rows - rows.mean()) / 50, (columns - columns.mean()) / 50
    terms = np.stack([x**a * y**b for a in range(5) for b in range(5 - a)], 1)
    colors = photo[part].astype(np.float64)
    fit = terms @ np.linalg.lstsq(terms, colors, rcond=None)[0]
    return bool((colors - fit).std() < 2)
