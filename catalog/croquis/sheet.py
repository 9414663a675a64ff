"""Sheet: what the world is drawn on. One call draws the picture and the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import cv2
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

_BLACK = 0xFF000000


class Canvas:
    """Where skia draws into an array of ours, black at first: nothing is converted to be read."""

    def __init__(self, width: int, height: int) -> None:
        black = np.full((height, width), _BLACK, "<u4")
        self.pixels = black.view(np.uint8).reshape(height, width, 4)
        """uint8 ``(H, W, 4)``, BGRA: the order that skia itself draws in, which is its fastest."""
        # the surface draws into the array and does not keep it alive: both are kept here
        self._surface = skia.Surface(self.pixels, skia.kBGRA_8888_ColorType, skia.kPremul_AlphaType)
        self.canvas = self._surface.getCanvas()


class Sheet:
    """A picture, the region of every pixel, and the drawn edges, all in world units.

    With ``picture=False`` only regions and edges are kept: a layout, at a third of the cost.
    """

    def __init__(self, scale: float = 1.0, *, picture: bool = True, view: View = WHOLE) -> None:
        self.scale = scale
        self.size = round(WIDTH * scale), round(HEIGHT * scale)
        self._picture = Canvas(*self.size) if picture else None
        self._regions = Canvas(*self.size)
        self._edges = Canvas(*self.size)
        for surface in (self._picture, self._regions, self._edges):
            if surface is not None:
                surface.canvas.scale(scale * view.zoom, scale * view.zoom)
                surface.canvas.translate(-view.left, -view.top)

    @property
    def draws_picture(self) -> bool:
        return self._picture is not None

    def fill(self, path: skia.Path, region: int, paint: skia.Paint | None = None) -> None:
        """Fill ``path`` (world units): its pixels now belong to ``region``."""
        self._regions.canvas.drawPath(path, _flat(region))
        # whatever this path covers hides the edges below it; its own outline is an edge
        edges = self._edges.canvas
        edges.drawPath(path, _HIDDEN)
        edges.drawPath(path, _EDGE)
        if self._picture is not None and paint is not None:
            self._picture.canvas.drawPath(path, paint)

    def seam(self, path: skia.Path, paint: skia.Paint | None = None) -> None:
        """An opening, hem or lapel that belongs to the *shape*: drawn as an edge too."""
        self._edges.canvas.drawPath(path, _EDGE)
        if self._picture is not None and paint is not None:
            self._picture.canvas.drawPath(path, paint)

    def trace(self, path: skia.Path) -> None:
        """A line of the *body* (lids, mouth, fingers): an edge; its ink is painted apart."""
        self._edges.canvas.drawPath(path, _FINE_EDGE)

    def paint(self, draw: Callable[..., object]) -> None:
        """Marks of the picture only: shading, folds, prints, stitches, faces; ``draw(canvas)``."""
        if self._picture is not None:
            draw(self._picture.canvas)

    @contextmanager
    def clipped(self, path: skia.Path):
        """Everything painted inside stays inside ``path`` (picture only)."""
        if self._picture is None:
            yield
            return
        canvas = self._picture.canvas
        canvas.save()
        canvas.clipPath(path, doAntiAlias=True)
        try:
            yield
        finally:
            canvas.restore()

    @contextmanager
    def transformed(self, matrix: skia.Matrix):
        """Everything drawn inside is moved by ``matrix`` (picture, regions and edges alike)."""
        canvases = [s.canvas for s in (self._picture, self._regions, self._edges) if s is not None]
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
        return cv2.cvtColor(self._picture.pixels, cv2.COLOR_BGRA2RGB)

    def regions(self) -> np.ndarray:
        """Region number of every pixel, uint8 ``(H, W)``."""
        return cv2.extractChannel(self._regions.pixels, 0)

    def edges(self) -> np.ndarray:
        """Outlines, hems and openings, uint8 ``(H, W)``, 255 on the line."""
        return cv2.extractChannel(self._edges.pixels, 0)


@lru_cache(256)
def _flat(region: int) -> skia.Paint:
    return skia.Paint(Color=skia.Color(region, region, region), AntiAlias=False)


_HIDDEN = skia.Paint(Color=skia.ColorBLACK, AntiAlias=True)
_FINE_EDGE = skia.Paint(
    Color=skia.ColorWHITE, AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=0.9
)
_EDGE = skia.Paint(
    Color=skia.ColorWHITE, AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=1.2
)
