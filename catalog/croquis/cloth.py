"""How cloth looks inside an outline: ground colour, pattern, material, light, folds and ink."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import skia

from catalog.croquis.paints import (
    INK,
    brush,
    color4,
    contour_color,
    detail_color,
    lightness,
    mix,
    pen,
)
from catalog.croquis.prints import MARKS
from catalog.croquis.sheet import Sheet
from catalog.croquis.textures import TEXTURES
from catalog.garment import Cloth

PATTERNS_BASE = (
    "plain",
    "stripes",
    "pinstripes",
    "plaid",
    "gingham",
    "dots",
    "floral",
    "leopard",
    "camouflage",
)
"""Patterns the base is trained on."""

PRINTS_HELD = ("zigzag", "hearts", "stars", "argyle", "waves", "leaves", "lemons", "diamonds")
"""Prints base training never draws: only a garment's own LoRA knows them."""

PATTERNS = PATTERNS_BASE + PRINTS_HELD

TRIMS_BASE = ("none", "buttons", "zip", "pockets")

TRIMS_HELD = ("piping", "patch", "studs", "chest stripe", "toggles")

TRIMS = TRIMS_BASE + TRIMS_HELD

_TILE_PX = 4

_SMOOTH = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)

_CLASS = {
    "plain": "plain",
    "stripes": "stripes",
    "pinstripes": "stripes",
    "plaid": "plaid",
    "gingham": "plaid",
    "dots": "dots",
}

_PATTERN_SIZE = 1.4
"""Of every pattern. A repeat must span more than one of the base's cells of 8 units, or the base
draws a patch of the right colours in its place."""

_ZOOM = {
    "dots": 1.25,
    "hearts": 1.3,
    "stars": 1.3,
    "leaves": 1.2,
    "diamonds": 1.25,
    "lemons": 1.15,
    "floral": 1.1,
    "leopard": 1.25,
    "zigzag": 1.15,
}


@dataclass(frozen=True)
class Frame:
    """Where a piece of cloth hangs: pattern origin, lie of the cloth, size of its pattern."""

    x: float = 128.0
    y: float = 120.0
    angle: float = 0.0
    """Degrees clockwise from hanging straight down."""
    scale: float = 1.0
    half: float | None = None
    """Half-width of the piece, for its shadow side; measured from the outline if None."""
    lie: float | None = None
    """Degrees of the piece itself where the pattern runs askew to it (ties)."""


def pattern_class(pattern: str) -> str:
    """The coarse word of a pattern: plain, stripes, plaid, dots or print."""
    return _CLASS.get(pattern, "print")


def inside(cloth: Cloth) -> Cloth:
    """The wrong side of a cloth: plain and darker (linings, hoods, back panels)."""
    ground = cloth.colors[0]
    dark = mix(ground, "#1a1424", 0.42) if lightness(ground) > 22 else mix(ground, "#ffffff", 0.1)
    return cloth.model_copy(update={"colors": (dark,), "pattern": "plain", "trim": "none"})


@lru_cache(4096)
def pattern_colors(colors: tuple[str, ...]) -> tuple[str, str, str]:
    """Ground and two pattern colours; missing ones are lighter or darker grounds."""
    ground = colors[0]
    light = lightness(ground)
    second = colors[1] if len(colors) > 1 else mix(ground, "#ffffff" if light < 62 else INK, 0.45)
    third = colors[2] if len(colors) > 2 else mix(second, ground, 0.45)
    return ground, second, third


def fill_cloth(
    sheet: Sheet,
    path: skia.Path,
    region: int,
    cloth: Cloth,
    *,
    frame: Frame | None = None,
    rng_seed: int = 0,
    shade: float = 1.0,
    folds: int = 2,
    ink: float = 1.0,
) -> None:
    """Fill ``path`` for ``region`` and paint the cloth inside it.

    ``shade`` scales the shadow side, ``folds`` counts fold strokes, ``ink`` scales the contour
    (0: none). Only the outline reaches regions and edges.
    """
    if not sheet.draws_picture:
        sheet.fill(path, region)
        return
    frame = frame or Frame()
    ground = cloth.colors[0]
    matrix = skia.Matrix.Translate(frame.x, frame.y)
    matrix.preRotate(frame.angle)
    matrix.preScale(frame.scale, frame.scale)
    # a paint must be given its shader when it is made; setShader loses it to garbage collection
    if cloth.pattern in MARKS:
        tile = _pattern_tile(cloth.pattern, pattern_colors(cloth.colors))
        zoom = _PATTERN_SIZE * _ZOOM.get(cloth.pattern, 1.0)
        zoomed = skia.Matrix.Concat(matrix, skia.Matrix.Scale(zoom, zoom))
        base = skia.Paint(AntiAlias=True, Shader=_shader(tile, zoomed))
    else:
        base = skia.Paint(AntiAlias=True, Color=color4(ground))
    sheet.fill(path, region, base)

    def draw(canvas: skia.Canvas) -> None:
        texture = _material_tile(cloth.material, lightness(ground) < 38)
        if texture is not None:
            paint = skia.Paint(AntiAlias=True, Shader=_shader(texture, matrix))
            canvas.drawPath(path, paint)
        for paint in _light(path, frame, cloth, shade):
            canvas.drawPath(path, paint)
        if folds:
            canvas.save()
            canvas.clipPath(path, doAntiAlias=True)
            _folds(canvas, path.getBounds(), ground, folds, rng_seed)
            canvas.restore()
        if ink:
            contour(canvas, path, ground, ink)

    sheet.paint(draw)


def contour(canvas: skia.Canvas, path: skia.Path, ground: str, width: float = 1.0) -> None:
    """An ink outline, a little heavier on the side away from the light."""
    ink = contour_color(ground)
    box = path.getBounds()
    if box.width() * box.height() < 1000:
        canvas.drawPath(path, pen(ink, 1.05 * width))
        return
    canvas.drawPath(path, pen(ink, 0.95 * width))
    heavy = skia.Paint(
        AntiAlias=True,
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=1.7 * width,
        StrokeJoin=skia.Paint.kRound_Join,
        Shader=skia.GradientShader.MakeLinear(
            [skia.Point(box.left(), box.top()), skia.Point(box.right(), box.bottom())],
            [color4(ink, 0.0), color4(ink, 0.0), color4(ink, 0.8)],
            [0.0, 0.42, 1.0],
        ),
    )
    canvas.drawPath(path, heavy)


# light: (stops, white or shadow alpha); the middle stays untouched so the colour stays true
_GLOSS: dict[str, tuple[tuple[float, float], ...]] = {
    "leather": ((0, 0), (0.15, 0.05), (0.2, 0.42), (0.26, 0.05), (0.34, 0), (0.8, 0),
                (0.85, 0.24), (0.9, 0), (1, 0)),
    "rubber": ((0, 0), (0.14, 0), (0.18, 0.62), (0.27, 0.62), (0.3, 0), (0.86, 0),
               (0.9, 0.26), (0.94, 0), (1, 0)),
    "silk": ((0, 0), (0.08, 0.0), (0.24, 0.34), (0.38, 0), (0.6, 0), (0.72, 0.20), (0.8, 0),
             (1, 0)),
    "nylon": ((0, 0.0), (0.1, 0.05), (0.17, 0.30), (0.22, 0.05), (0.3, 0), (1, 0)),
    "acetate": ((0, 0), (0.2, 0.1), (0.3, 0.5), (0.4, 0), (1, 0)),
}  # fmt: skip


def _light(path: skia.Path, frame: Frame, cloth: Cloth, shade: float) -> list[skia.Paint]:
    """Paints of the lit side, the shadow side and the gloss, across the lie of the cloth."""
    box = path.getBounds()
    rad = np.radians(frame.angle if frame.lie is None else frame.lie)
    if frame.half is None:
        half = max(box.width() / 2, 1.0)
        cx, cy = box.centerX(), box.centerY()
    else:
        half, cx, cy = frame.half, frame.x, frame.y
    # across the limb, tipped a little so that the light comes from above as well
    dx, dy = float(np.cos(rad)) * half, float(np.sin(rad)) * half
    if dx < -0.2 * half:
        dx, dy = -dx, -dy
    dy += (0.22 if frame.half is None else 0.05) * half
    ends = [skia.Point(cx - dx, cy - dy), skia.Point(cx + dx, cy + dy)]
    light = lightness(cloth.colors[0])
    high = 0.16 if light > 45 else 0.11
    low = (0.24 if light > 45 else 0.36) * shade
    shadow = mix(cloth.colors[0], "#1b1440", 0.82)
    paints = [
        skia.Paint(
            AntiAlias=True,
            Shader=skia.GradientShader.MakeLinear(
                ends,
                [
                    color4("#ffffff", high),
                    color4("#ffffff", 0.0),
                    color4(shadow, 0.0),
                    color4(shadow, low * 0.72),
                    color4(shadow, low),
                ],
                [0.0, 0.26, 0.62, 0.72, 1.0],
            ),
        )
    ]
    gloss = _GLOSS.get(cloth.material)
    if gloss:
        dim = 0.75 if light < 30 else 1.0
        paints.append(
            skia.Paint(
                AntiAlias=True,
                Shader=skia.GradientShader.MakeLinear(
                    ends,
                    [color4("#ffffff", round(a * dim, 3)) for _, a in gloss],
                    [p for p, _ in gloss],
                ),
            )
        )
    return paints


def _folds(canvas: skia.Canvas, box: skia.Rect, ground: str, count: int, seed: int) -> None:
    """Tapered fold strokes, mostly in the shadow half and near the lower edge."""
    rng = np.random.default_rng(seed)
    w, h = box.width(), box.height()
    path = skia.Path()
    for k, (along, down, aside, drop, bent) in enumerate(rng.random((count, 5)).tolist()):
        x = box.left() + w * (0.30 + 0.5 * (k + along) / count)
        y = box.top() + h * (0.45 + 0.25 * down)
        dx, dy = w * (0.02 + 0.12 * aside), h * (0.20 + 0.22 * drop)
        bend = w * (0.03 + 0.05 * bent)
        path.moveTo(x, y)
        path.quadTo(x + dx * 0.2 + bend, y + dy * 0.5, x + dx, y + dy)
        path.quadTo(x + dx * 0.2 + bend - 2.0, y + dy * 0.55, x, y)
        path.close()
    dark = lightness(ground) < 34
    canvas.drawPath(path, brush(mix(ground, "#ffffff", 0.5) if dark else detail_color(ground),
                                0.5 if not dark else 0.36))  # fmt: skip


def _shader(tile: skia.Image, matrix: skia.Matrix) -> skia.Shader:
    local = skia.Matrix.Concat(matrix, skia.Matrix.Scale(1 / _TILE_PX, 1 / _TILE_PX))
    return tile.makeShader(skia.TileMode.kRepeat, skia.TileMode.kRepeat, _SMOOTH, local)


def _tile(width: float, height: float, draw, *, wrap: bool = True) -> skia.Image:
    """Draw once into a repeating image; marks that leave one side come back on the other."""
    surface = skia.Surface(round(width * _TILE_PX), round(height * _TILE_PX))
    canvas = surface.getCanvas()
    canvas.clear(skia.ColorTRANSPARENT)
    canvas.scale(_TILE_PX, _TILE_PX)
    reach = (-1, 0, 1) if wrap else (0,)
    for ox in reach:
        for oy in reach:
            canvas.save()
            canvas.translate(ox * width, oy * height)
            draw(canvas)
            canvas.restore()
    return surface.makeImageSnapshot().withDefaultMipmaps()


@lru_cache(512)
def _pattern_tile(pattern: str, colors: tuple[str, str, str]) -> skia.Image:
    width, height, draw = MARKS[pattern]
    surface = skia.Surface(round(width * _TILE_PX), round(height * _TILE_PX))
    canvas = surface.getCanvas()
    canvas.clear(color4(colors[0]))
    marks = _tile(
        width, height, lambda c: draw(c, colors), wrap=pattern not in ("plaid", "gingham")
    )
    canvas.drawImage(marks, 0, 0)
    return surface.makeImageSnapshot().withDefaultMipmaps()


@lru_cache(64)
def _material_tile(material: str, dark: bool) -> skia.Image | None:
    """Transparent marks of a material; on dark cloth the light marks are stronger."""
    maker = TEXTURES.get(material)
    if maker is None:
        return None
    width, height, draw = maker
    up, down = (0.26, 0.20) if dark else (0.22, 0.20)
    return _tile(width, height, lambda c: draw(c, up, down), wrap=material not in ("quilted",))
