"""Layout: pose and garments → what each pixel of this body wears.

It holds classes and edges, never colour, pattern, shading or prints, and serves three times: as a
ControlNet map, as attention regions, and as the known mask of each garment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.croquis import drawing
from catalog.croquis.figure import Person
from catalog.croquis.sheet import FIRST_GARMENT, WHOLE, WIDTH, View
from catalog.garment import Cloth, Garment, Season, Shape, Slot
from tools import pose

_BLANK = Cloth(colors=("#808080",))
Window = tuple[int, int, int]
"""A part of the picture, in its pixels: left, top, width; half as high again as it is wide."""


@dataclass(frozen=True)
class Layout:
    """Arrays are rows by columns; regions are 384 x 256, maps 96 x 64, latents 48 x 32."""

    regions: np.ndarray
    """uint8 ``(384, 256)``: 0 background, 1 skin, 2 hair, 3 + i garment i."""
    edges: np.ndarray
    """uint8 ``(768, 512)``: outlines, hems, openings, features; at the size of the picture."""
    slots: tuple[Slot, ...]
    layout_map: np.ndarray
    """uint8 ``(12, 96, 64)``, channels ``maps.CHANNELS``."""
    skeleton_map: np.ndarray
    """uint8 ``(3, 96, 64)``"""
    shares: np.ndarray
    """float32 ``(2 + garments, 48, 32)``: scene, person, garments; sums to 1 in each cell."""
    points: np.ndarray
    """Keypoints ``(18, 2)``, world units."""

    def mask(self, garment: int) -> np.ndarray:
        """bool ``(384, 256)``: the pixels garment ``garment`` covers."""
        return self.regions == FIRST_GARMENT + garment

    @property
    def sha256(self) -> str:
        """Of everything the ControlNets, the attention and the decoder are given."""
        digest = hashlib.sha256()
        shares = np.round(self.shares * 65535)
        for array in (self.layout_map, self.skeleton_map, shares, self.edges):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def lay_out(
    garments: Sequence[Garment],
    person: Person,
    posture: str | pose.Points,
    season: Mapping[Season, float],
    window: Window | None = None,
    sleeves_down: Sequence[int] = (),
) -> Layout:
    """Draw the layout of an outfit on a body, posed as a preset or as measured on a picture.

    Season decides how clothes are worn: sleeves rolled when summer weighs most, coats closed when
    winter does; ``sleeves_down`` names garments whose sleeves somebody asked to be long: those stay
    down. With a ``window`` it is the layout of that part alone, at the size of a whole one.

    Raises:
        UnknownName: no such pose.
    """
    shapes = tuple(worn_shape(g.shape, season) for g in garments)
    truth = drawing.Worn(
        person=person,
        pose=pose.fitted(posture, person),
        outfit=tuple((shape, _BLANK) for shape in shapes),
        scene="studio",
        season=(),
        seed=person.seed,
        sleeves_rolled=season.get("summer", 0.0) > 0.5,
        sleeves_down=tuple(sleeves_down),
    )
    view = WHOLE
    if window is not None:
        left, top, width = window
        view = View(2 * WIDTH / width, left / 2, top / 2)
    large = drawing.draw(truth, scale=2.0, picture=False, view=view)
    drawn = drawing.halved(large)
    layout_map, skeleton_map, shares = drawing.model_maps(drawn)
    return Layout(
        drawn.regions,
        large.edges,
        drawn.slots,
        layout_map,
        skeleton_map,
        shares,
        view.seen(truth.pose.array()),
    )


def worn_shape(shape: Shape, season: Mapping[Season, float]) -> Shape:
    """How a garment of this shape is worn in that season: what opens is closed in winter."""
    if shape.open and season.get("winter", 0.0) > 0.5:
        return shape.model_copy(update={"open": False})
    return shape
