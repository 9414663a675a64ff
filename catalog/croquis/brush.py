"""Brush: the season's tones mixed on the palette, and the few soft strokes backdrops need."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import skia

from catalog.croquis.palette import hex_to_rgb, lab_to_srgb, srgb_to_lab
from catalog.croquis.sheet import HEIGHT, WIDTH
from catalog.garment import SEASONS

# name: spring-autumn, summer, winter
_LIVING = 5
"""The first so many tones are foliage and flowers."""
_COMMON = {
    "leaf": "dfa05a 8cbd77 a9b9bd",
    "leaf2": "c98653 70a86f 97aab1",
    "leaf3": "efcb8e b6d894 c6d3d8",
    "bloom": "eeb4b2 f0909c e6ecf3",
    "bloom2": "f8dad2 fbe3a8 eef3f8",
    "sky": "d6d3ca 9ccbe9 bfccda",
    "haze": "f4e3c4 e6f3f2 e2e8ee",
    "sun": "ffdf9e fff7cc f6f9fc",
    "cloud": "ebe1d2 fdfefe d3dce6",
    "far": "e3c596 b3d4b0 bdcad6",
    "grass": "d5c78f b1d18c dde6ef",
    "grass2": "c0b078 98c07a c9d6e3",
    "bark": "9c7f68 9c8973 8b8a92",
    "shade": "8d7358 6c8276 6c7f9c",
    "ink": "74604f 5f6d66 5f6b7b",
    "snow": "f5f8fc f5f8fc f5f8fc",
    "berry": "b9573f b9573f b5504e",
    "vase": "b98f72 8fb3b5 9aa7b8",
    "frame": "efe4d2 fafaf4 e6ebf1",
}
_TONES = {
    "studio": {
        "wall": "d8c3a4 bfd8d0 b9c5d2", "paper": "ecdcc2 dcebe2 d3dce6",
        "floor": "dcc6a3 d3e2d4 c3ceda",
    },
    "city street": {
        "brick": "cfaa8c dcbfa4 b3b8c4", "stone": "dccbb0 ece0c8 c6ceda",
        "glass": "b9a891 a9cbd6 9eb0c2", "pave": "e3d7c2 e6e0cf dce4ec",
        "road": "c6b8a4 cfcfc8 c6d0db", "awning": "c0714d 5fa9a0 7f93b0",
        "far": "ddceb8 c9dbe0 ccd5df",
    },
    "park": {
        "path": "e6d3af efe4c4 d3dde8", "bench": "a5805e a88a66 8a8c98",
    },
    "beach": {
        "sea": "a9b3ad 74bfcf 9fb3c4", "sea2": "cfcdb9 b6e3dd c3d0db",
        "sand": "ead7b0 f6e5b9 d5dde5", "sand2": "d2b987 ecd49b c9d1da",
        "rock": "b9a285 b9c2a2 a9b4c1", "cloth": "d98c62 f0866f a3b0c2",
    },
    "office": {
        "wall": "e4d5bd d6e5e0 cbd5df", "floor": "d2bf9f d5dacb b8c3d0",
        "desk": "b78f68 cda97e 98a0ae", "far": "cfbda1 b9d0d6 b3c1cf",
        "screen": "77706a 6f8084 66707f",
    },
    "cafe": {
        "wall": "e6cfae efe3c8 cfd7df", "panel": "c9a07c b3c2a6 a0aab8",
        "floor": "d6b993 e2d2ae bfc0c6", "board": "93806e 88998c 7f8a98",
        "lamp": "c77f4f e0b04f 8d98a8", "desk": "a67c59 c19a6e 8f8583",
    },
    "forest": {
        "far": "e3cda6 c1dcb9 c6d2dd",
    },
    "home": {
        "wall": "e9d6bc d5e3d3 d0d7e1", "floor": "d0b08a dfc9a0 b6b6bc",
        "sofa": "b9805c 8fb59b 8797ad", "rug": "e6cfae e4e2c6 d5dbe4",
        "curtain": "dfb98d f6f1dd b4bfce", "desk": "a67c59 c19a6e 8d8688",
    },
    "stairs": {
        "stone": "eadcc0 f6efdc cdd7e2", "riser": "d0bb96 dcd3b8 b3c0d0",
        "wall": "d6c19c e6dac0 bcc8d5",
    },
    "garden": {
        "hedge": "c3bd88 9bc688 afc0bf", "hedge2": "adaa75 84b378 9db0b2",
        "path": "e2cfae efe4c8 d0dbe6", "wood": "b59573 f3efdf a2a7b0",
    },
}  # fmt: skip


@lru_cache(maxsize=16)
def anchors(scene: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of a scene's tones and their CIELAB values ``(n, 3 seasons, 3)``."""
    table = _COMMON | _TONES[scene]
    rgb = [[hex_to_rgb("#" + code) for code in row.split()] for row in table.values()]
    return tuple(table), srgb_to_lab(np.array(rgb))


def season_weights(season: dict[str, float]) -> np.ndarray:
    weights = np.array([max(season.get(name, 0.0), 0.0) for name in SEASONS])
    return weights / weights.sum() if weights.sum() > 0 else np.full(3, 1 / 3)


class Brush:
    """A canvas with the season's tones mixed on the palette, and the few strokes scenes need."""

    def __init__(self, canvas: skia.Canvas, scene: str, season, rng: np.random.Generator) -> None:
        self.canvas, self.rng, self.scene = canvas, rng, scene
        weights = season_weights(season)
        self.autumn, self.summer, self.winter = (float(w) for w in weights)
        self.leafy = min(1.0, 1.25 * (1 - self.winter))
        """How much foliage hangs on the trees."""
        names, lab = anchors(scene)
        # leaves that still hang keep their own colour: winter thins them rather than greys them
        living = weights * (1, 1, 0.25)
        mixed = np.tensordot(lab, weights, (1, 0))
        mixed[:_LIVING] = np.tensordot(lab[:_LIVING], living / living.sum(), (1, 0))
        mixed += rng.normal(0, (1.0, 0.5, 0.7))
        rgb = np.clip(np.round(lab_to_srgb(mixed)), 0, 255).astype(int).tolist()
        self.tone = dict(zip(names, rgb, strict=True))

    def color(self, name: str, alpha: float = 1.0) -> int:
        return skia.ColorSetARGB(round(255 * min(max(alpha, 0), 1)), *self.tone[name])

    def wash(self, path: skia.Path, name: str, alpha: float = 1.0, rim: float = 0.0) -> None:
        """Fill; ``rim`` is how much pigment dried along the edge, as watercolour does."""
        if alpha <= 0.02:
            return
        self.canvas.drawPath(path, skia.Paint(Color=self.color(name, alpha), AntiAlias=True))
        if rim:
            self.line(path, "ink", 0.9, rim * alpha)

    def line(self, path: skia.Path, name: str, width: float, alpha: float = 1.0) -> None:
        if alpha <= 0.02:
            return
        self.canvas.drawPath(path, skia.Paint(
            Color=self.color(name, alpha), AntiAlias=True, Style=skia.Paint.kStroke_Style,
            StrokeWidth=width, StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join,
        ))  # fmt: skip

    def fade(self, path: skia.Path, names: str, y0: float, y1: float, alphas=(1, 1, 1)) -> None:
        """Fill with tones named in ``names`` running down from ``y0`` to ``y1``."""
        colors = [self.color(n, a) for n, a in zip(names.split(), alphas, strict=False)]
        shader = skia.GradientShader.MakeLinear([(0, y0), (0, y1)], colors)
        self.canvas.drawPath(path, skia.Paint(Shader=shader, AntiAlias=True, Dither=True))

    def glow(self, x: float, y: float, rx: float, ry: float, name: str, alpha: float) -> None:
        if alpha > 0.02:
            glow(self.canvas, x, y, rx, ry, self.color(name, alpha))

    def blob(self, path: skia.Path, x: float, y: float, rx: float, ry: float, rough=0.14) -> None:
        """Add a rounded, uneven patch to ``path``."""
        n = max(7, min(13, int(rx / 4)))
        turn, *reach = self.rng.random(n + 1).tolist()
        at = []
        for i, r in enumerate(reach):
            angle, r = 6.2832 * (turn + i / n), 1 + rough * (2 * r - 1)
            at.append((x + rx * r * math.cos(angle), y + ry * r * math.sin(angle)))
        (px, py), (qx, qy) = at[-1], at[0]
        path.moveTo((px + qx) / 2, (py + qy) / 2)
        for i, (px, py) in enumerate(at):
            qx, qy = at[(i + 1) % n]
            path.quadTo(px, py, (px + qx) / 2, (py + qy) / 2)
        path.close()

    def clump(self, spots: Iterable[tuple[float, float, float, float]], rough=0.14) -> skia.Path:
        path = skia.Path()
        path.setFillType(skia.PathFillType.kWinding)
        for spot in spots:
            self.blob(path, *spot, rough)
        return path

    def bush(
        self,
        spots: Iterable[tuple[float, float, float, float]],
        name: str,
        alpha: float = 1.0,
        snow: float = 4.0,
        rough: float = 0.10,
    ) -> None:
        """A clump that snow lies ``snow`` deep on, following its outline."""
        path = self.clump(spots, rough)
        if self.winter > 0.04:
            path.offset(0, -snow * min(1.0, 1.2 * self.winter))
            self.wash(path, "snow", alpha * min(1.0, 1.5 * self.winter))
            path.offset(0, snow * min(1.0, 1.2 * self.winter))
        self.wash(path, name, alpha)

    def vary(self, spread: float) -> float:
        return float(self.rng.uniform(-spread, spread))


def glow(canvas: skia.Canvas, x, y, rx, ry, color: int) -> None:
    """A soft ellipse, ``color`` in the middle and nothing at the rim."""
    clear = color & 0x00FFFFFF
    half = (round((color >> 24) * 0.45) << 24) | clear
    shader = skia.GradientShader.MakeRadial((0, 0), 1, [color, half, clear], [0, 0.5, 1])
    canvas.save()
    canvas.translate(x, y)
    canvas.scale(rx, ry)
    canvas.drawRect(skia.Rect(-1, -1, 1, 1), skia.Paint(Shader=shader, Dither=True))
    canvas.restore()


def poly(*xy: float) -> skia.Path:
    path = skia.Path()
    path.addPoly([skia.Point(*p) for p in zip(xy[::2], xy[1::2], strict=True)], True)
    return path


def box(x0, y0, x1, y1, radius=0.0) -> skia.Path:
    path = skia.Path()
    path.addRoundRect(skia.Rect(x0, y0, x1, y1), radius, radius)
    return path


def oval(x, y, rx, ry) -> skia.Path:
    path = skia.Path()
    path.addOval(skia.Rect(x - rx, y - ry, x + rx, y + ry))
    return path


def strokes(*lines: tuple[float, ...]) -> skia.Path:
    """Open lines; three points make one bent stroke."""
    path = skia.Path()
    for line in lines:
        path.moveTo(line[0], line[1])
        if len(line) == 6:
            path.quadTo(*line[2:])
        else:
            path.lineTo(line[2], line[3])
    return path


def leaf(path: skia.Path, x, y, length, angle, slim=0.3) -> None:
    """Add an almond from its stalk at ``x, y`` towards ``angle``."""
    dx, dy = length * math.cos(angle), length * math.sin(angle)
    path.moveTo(x, y)
    path.quadTo(x + dx / 2 - dy * slim, y + dy / 2 + dx * slim, x + dx, y + dy)
    path.quadTo(x + dx / 2 + dy * slim, y + dy / 2 - dx * slim, x, y)
    path.close()


ALL = box(0, 0, WIDTH, HEIGHT)
