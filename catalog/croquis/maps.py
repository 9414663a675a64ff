"""Maps: what a drawing's truth looks like to the model. Layout, skeleton, shares of each cell.

The picture is 384 rows by 256 columns, control maps are 96 x 64 (one cell of four by four
pixels), latents are 48 x 32.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import skia

from catalog.croquis.sheet import FIRST_GARMENT, HAIR, HEIGHT, SKIN, WIDTH, Canvas
from catalog.garment import SLOTS, Slot

MAP_SIZE = HEIGHT // 4, WIDTH // 4
LATENT_SIZE = HEIGHT // 8, WIDTH // 8
CHANNELS = ("skin", "hair", *SLOTS, "edge")
"""Channels of a layout map: who covers the cell, and where outlines, hems and openings run."""
SCENE, PERSON, FIRST_PHRASE = 0, 1, 2
"""Phrases in order: the scene's, the person's, then one per garment."""

# OpenPose-18: the published limb order and colours (Cao et al., 2017), drawn by our own code
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLORS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip


def coverage(regions: np.ndarray, count: int) -> np.ndarray:
    """Region numbers ``(4h, 4w)`` → share of each map cell, float32 ``(3 + count, h, w)``."""
    rows, columns = regions.shape[0] // 4, regions.shape[1]
    numbers = np.arange(FIRST_GARMENT + count, dtype=np.uint8)
    # added up rows first, in bytes: three times as fast as a mean of floats, and as exact
    covered = (regions == numbers[:, None, None]).view(np.uint8).reshape(-1, rows, 4, columns)
    covered = covered[:, :, 0] + covered[:, :, 1] + covered[:, :, 2] + covered[:, :, 3]
    covered = covered[..., ::4] + covered[..., 1::4] + covered[..., 2::4] + covered[..., 3::4]
    return covered.astype(np.float32) / np.float32(16)


def layout_map(regions: np.ndarray, edges: np.ndarray, slots: Sequence[Slot]) -> np.ndarray:
    """The ControlNet's layout map, uint8 ``(12, 96, 64)``: classes and edges, nothing else.

    ``slots[i]`` is the slot of the garment whose region is ``FIRST_GARMENT + i``.
    """
    return _layout(coverage(regions, len(slots)), edges, slots)


def layout_and_shares(
    regions: np.ndarray, edges: np.ndarray, slots: Sequence[Slot]
) -> tuple[np.ndarray, np.ndarray]:
    """``layout_map`` and ``shares`` of one drawing, its regions counted once."""
    cover = coverage(regions, len(slots))
    return _layout(cover, edges, slots), _shares(cover, LATENT_SIZE)


def _layout(cover: np.ndarray, edges: np.ndarray, slots: Sequence[Slot]) -> np.ndarray:
    layout = np.zeros((len(CHANNELS), *MAP_SIZE), np.float32)
    layout[0], layout[1] = cover[SKIN], cover[HAIR]
    for i, slot in enumerate(slots):
        layout[2 + SLOTS.index(slot)] += cover[FIRST_GARMENT + i]
    layout[-1] = _shrink(edges, 4) / 255.0
    return np.round(layout * 255).astype(np.uint8)


def shares(regions: np.ndarray, count: int, size: tuple[int, int] = LATENT_SIZE) -> np.ndarray:
    """Share of each latent cell per phrase, float32 ``(2 + count, *size)``, summing to 1."""
    return _shares(coverage(regions, count), size)


def _shares(cover: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    cells = np.stack([_shrink(c, cover.shape[1] // size[0]) for c in cover])
    return np.concatenate([cells[:1], cells[SKIN : SKIN + 1] + cells[HAIR : HAIR + 1], cells[3:]])


def outline(regions: np.ndarray) -> np.ndarray:
    """Edges where region numbers change, uint8 ``(H, W)``: all a cut-out photo can tell."""
    edge = np.zeros(regions.shape, bool)
    edge[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    edge[1:] |= regions[1:] != regions[:-1]
    return edge.astype(np.uint8) * 255


def skeleton(points: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """OpenPose-18 keypoints ``(18, 2)`` in world units → picture uint8 ``(H, W, 3)``.

    Points that are not finite are left out.
    """
    return skeleton_picture(
        np.asarray(points, float) * scale, round(HEIGHT * scale), round(WIDTH * scale), scale
    )


def skeleton_picture(
    points: np.ndarray, height: int, width: int, stroke: float | None = None
) -> np.ndarray:
    """Keypoints ``(18, 2)`` in pixels → uint8 ``(height, width, 3)`` in the published colours.

    Points that are not finite are left out.

    Args:
        stroke: how many times as wide as at 256 x 384 lines and joints are; None: as the picture
            is larger.
    """
    wide = (height * width / (HEIGHT * WIDTH)) ** 0.5 if stroke is None else stroke
    return cv2.cvtColor(_skeleton(points, height, width, wide), cv2.COLOR_BGRA2RGB)


def skeleton_map(points: np.ndarray) -> np.ndarray:
    """The openpose ControlNet's map, uint8 ``(3, 96, 64)``."""
    shrunk = _shrink(_skeleton(points, HEIGHT, WIDTH, 1.0), 4)
    return cv2.cvtColor(shrunk, cv2.COLOR_BGRA2RGB).transpose(2, 0, 1)


def _skeleton(points: np.ndarray, height: int, width: int, wide: float) -> np.ndarray:
    """Limbs and joints, uint8 ``(height, width, 4)``, BGRA."""
    drawn = Canvas(width, height)
    canvas = drawn.canvas
    points = np.asarray(points, float)
    known = np.isfinite(points).all(1).tolist()
    xy = points.tolist()
    for limb, (a, b) in enumerate(LIMBS):
        if known[a] and known[b]:
            canvas.drawLine(*xy[a], *xy[b], _limb(limb, wide))
    for joint, (x, y) in enumerate(xy):
        if known[joint]:
            canvas.drawCircle(x, y, 2.6 * wide, _joint(joint))
    return drawn.pixels


@lru_cache(256)
def _limb(limb: int, wide: float) -> skia.Paint:
    """The pen of a limb, darker than its joints; paints are shared, so never change one."""
    return skia.Paint(
        Color=skia.Color(*(int(c * 0.6) for c in COLORS[limb])),
        AntiAlias=True,
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=4.5 * wide,
        StrokeCap=skia.Paint.kRound_Cap,
    )


@lru_cache(32)
def _joint(joint: int) -> skia.Paint:
    return skia.Paint(Color=skia.Color(*COLORS[joint]), AntiAlias=True)


def canny_map(picture: np.ndarray) -> np.ndarray:
    """The Canny edges of a picture uint8 ``(384, 256, 3)``: an edge channel, ``(1, 96, 64)``."""
    return shrunk_edges(cv2.Canny(np.ascontiguousarray(picture), 100, 200))


def shrunk_edges(edges: np.ndarray) -> np.ndarray:
    """Edges uint8 ``(384, 256)`` as an edge channel, ``(1, 96, 64)``."""
    return np.round(_shrink(edges, 4)).astype(np.uint8)[None]


def _shrink(array: np.ndarray, factor: int) -> np.ndarray:
    """Mean of each block of ``factor`` by ``factor`` pixels."""
    rows, columns = array.shape[0] // factor, array.shape[1] // factor
    return cv2.resize(array, (columns, rows), interpolation=cv2.INTER_AREA)
