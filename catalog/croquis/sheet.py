"""Sheet: what the world is drawn on. One call draws the picture and the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import skia

WIDTH, HEIGHT = 256, 384
"""Size of the world in its own units; a sheet of scale 1 has one pixel a unit."""

BACKGROUND, SKIN, HAIR, FIRST_GARMENT = 0, 1, 2, 3
"""Region numbers; the outfit's garment ``i`` (in the order given) is ``FIRST_GARMENT + i``."""


@dataclass(frozen=True)
class View:
    """Which part of the world a sheet shows, in world units; the sheet stays as large."""

    zoom: float = 1.0
    """1 shows all of it, 3 a third of its width and height."""
    left: float = 0.0
    top: float = 0.0

    @classmethod
    def around(cls, x: float, y: float, zoom: float) -> View:
        """As near to having ``x``, ``y`` in the middle as the world's borders let it be."""
        wide, high = WIDTH / zoom, HEIGHT / zoom
        left = min(max(x - wide / 2, 0.0), WIDTH - wide)
        return cls(zoom, left, min(max(y - high / 2, 0.0), HEIGHT - high))

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Points ``(n, 2)`` of the world where this view shows them."""
        return (np.asarray(points, float) - (self.left, self.top)) * self.zoom


WHOLE = View()


class Sheet:
    """A picture, the region of every pixel, and the drawn edges, all in world units.

    With ``picture=False`` only regions and edges are kept: a layout, at a third of the cost.
    """

    def __init__(self, scale: float = 1.0, *, picture: bool = True, view: View = WHOLE) -> None:
        self.scale = scale
        self.size = round(WIDTH * scale), round(HEIGHT * scale)
        self._picture = skia.Surface(*self.size) if picture else None
        self._regions = skia.Surface(*self.size)
        self._edges = skia.Surface(*self.size)
        for surface in (self._picture, self._regions, self._edges):
            if surface is not None:
                surface.getCanvas().clear(skia.ColorBLACK)
                surface.getCanvas().scale(scale * view.zoom, scale * view.zoom)
                surface.getCanvas().translate(-view.left, -view.top)

    @property
    def draws_picture(self) -> bool:
        return self._picture is not None

    def fill(self, path: skia.Path, region: int, paint: skia.Paint | None = None) -> None:
        """Fill ``path`` (world units): its pixels now belong to ``region``."""
        flat = skia.Paint(Color=skia.Color(region, region, region), AntiAlias=False)
        self._regions.getCanvas().drawPath(path, flat)
        # whatever this path covers hides the edges below it; its own outline is an edge
        edges = self._edges.getCanvas()
        edges.drawPath(path, skia.Paint(Color=skia.ColorBLACK, AntiAlias=True))
        edges.drawPath(path, _EDGE)
        if self._picture is not None and paint is not None:
            self._picture.getCanvas().drawPath(path, paint)

    def seam(self, path: skia.Path, paint: skia.Paint | None = None) -> None:
        """An opening, hem or lapel that belongs to the *shape*: drawn as an edge too."""
        self._edges.getCanvas().drawPath(path, _EDGE)
        if self._picture is not None and paint is not None:
            self._picture.getCanvas().drawPath(path, paint)

    def trace(self, path: skia.Path) -> None:
        """A line of the *body* (lids, mouth, fingers): an edge; its ink is painted apart."""
        self._edges.getCanvas().drawPath(path, _FINE_EDGE)

    def paint(self, draw: Callable[..., object]) -> None:
        """Marks of the picture only: shading, folds, prints, stitches, faces; ``draw(canvas)``."""
        if self._picture is not None:
            draw(self._picture.getCanvas())

    @contextmanager
    def clipped(self, path: skia.Path):
        """Everything painted inside stays inside ``path`` (picture only)."""
        if self._picture is None:
            yield
            return
        canvas = self._picture.getCanvas()
        canvas.save()
        canvas.clipPath(path, doAntiAlias=True)
        try:
            yield
        finally:
            canvas.restore()

    @contextmanager
    def transformed(self, matrix: skia.Matrix):
        """Everything drawn inside is moved by ``matrix`` (picture, regions and edges alike)."""
        canvases = [
            s.getCanvas() for s in (self._picture, self._regions, self._edges) if s is not None
        ]
        for canvas in canvases:
            canvas.save()
            canvas.concat(matrix)
        try:
            yield
        finally:
            for canvas in canvases:
                canvas.restore()

    def pixels(self) -> np.ndarray:
        """The picture, uint8 ``(H, W, 3)`` RGB."""
        if self._picture is None:
            raise ValueError("this sheet keeps no picture")
        return _array(self._picture)[..., :3]

    def regions(self) -> np.ndarray:
        """Region number of every pixel, uint8 ``(H, W)``."""
        return _array(self._regions)[..., 0]

    def edges(self) -> np.ndarray:
        """Outlines, hems and openings, uint8 ``(H, W)``, 255 on the line."""
        return _array(self._edges)[..., 0]


def _array(surface: skia.Surface) -> np.ndarray:
    return surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType)


_FINE_EDGE = skia.Paint(
    Color=skia.ColorWHITE, AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=0.9
)
_EDGE = skia.Paint(
    Color=skia.ColorWHITE, AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=1.2
)
