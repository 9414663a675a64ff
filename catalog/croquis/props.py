"""Props: sky, trees, windows, vases and what lies on the ground, each wearing the season."""

from __future__ import annotations

import math
from collections.abc import Iterable

import skia

from catalog.croquis.brush import ALL, Brush, box, leaf, oval, poly, strokes
from catalog.croquis.sheet import HEIGHT, WIDTH


def sky(b: Brush, horizon: float) -> None:
    b.fade(ALL, "sky haze haze", 0, horizon * 1.5)
    # summer sun stands high, autumn sun low and wide, winter sun is a pale disc
    x, y = 206, 44 * b.summer + 0.66 * horizon * b.autumn + 92 * b.winter
    b.glow(x, y, 105, 105, "sun", 0.9 * b.autumn + 0.95 * b.summer + 0.5 * b.winter)
    b.wash(oval(x, y, 17, 17), "sun", 0.55 * b.autumn + 0.95 * b.summer + 0.75 * b.winter)
    high = horizon * 0.30
    shift = b.vary(12)
    flat = 0.55 + 0.45 * b.summer  # overcast lies in bands, summer piles up
    b.wash(b.clump(((44 + shift, high, 46, 11 * flat), (72 + shift, high - 9 * flat, 26, 13 * flat),
                    (168 - shift, high * 0.35, 62, 9 * flat), (20, high * 2.1, 50, 8 * flat))),
           "cloud", 0.8)  # fmt: skip


def drifts(b: Brush, y: float = 300, amount: float = 1.0) -> None:
    """Snow lying, leaves fallen: what the season leaves on the ground."""
    if b.winter > 0.04:
        w = min(1.0, 1.2 * b.winter) * amount
        b.wash(b.clump(((-4, 390, 84, 30 * w), (262, 388, 78, 36 * w), (-6, y + 6, 62, 9 * w),
                        (264, y + 20, 60, 11 * w)), 0.08), "snow", 0.9 * w)  # fmt: skip
    count = round(16 * b.autumn * amount)
    fallen = {name: skia.Path() for name in ("leaf", "leaf2", "leaf3")}
    for i, (u, v, a) in enumerate(b.rng.random((16, 3)).tolist()[:count]):
        x = 4 + 72 * u if i % 2 else 252 - 72 * u
        leaf(list(fallen.values())[i % 3], x, y + 12 + (370 - y) * v, 5 + 3.5 * v, 6.3 * a, 0.36)
    for name, path in fallen.items():
        b.wash(path, name, 0.85)


def tree(b: Brush, x: float, base: float, tall: float, crown: float, bloom: bool = False) -> None:
    """Trunk and boughs, a crown in leaf, and snow along the boughs, as the season has it."""
    fork = base - 0.45 * tall
    width = 0.05 * tall
    lean = b.vary(0.03) * tall
    boughs = []
    for angle, reach in ((-64, 0.34), (-34, 0.44), (-4, 0.50), (24, 0.45), (54, 0.38)):
        a = math.radians(angle + b.vary(5))
        tip_x, tip_y = x + lean + math.sin(a) * reach * tall, fork - math.cos(a) * reach * tall
        boughs.append((x + lean, fork + 3, x + lean + math.sin(a) * reach * tall * 0.35,
                       fork - reach * tall * 0.5, tip_x, tip_y))  # fmt: skip
    twigs = []
    for x0, y0, mx, my, tx, ty in boughs:
        px, py = (x0 + 2 * mx + tx) / 4, (y0 + 2 * my + ty) / 4
        for side, far in ((-1, 0.9), (1, 0.7)):
            ex, ey = px + (tx - px) * 0.5 + side * 0.085 * tall, py + (ty - py) * far
            twigs.append((px, py, (px + ex) / 2 + side * 3, (py + ey) / 2 + 3, ex, ey))
    trunk = poly(x - width * 0.75, base, x + lean - width * 0.36, fork - 4, x + lean + width * 0.36,
                 fork - 4, x + width * 0.75, base)  # fmt: skip
    b.wash(trunk, "bark", 0.95)
    b.line(strokes(*boughs), "bark", width * 0.34, 0.95)
    b.line(strokes(*twigs), "bark", width * 0.16, 0.9 * (0.3 + 0.7 * b.winter))
    if b.winter > 0.04:
        up = -0.15 * width - 0.4
        snow = [tuple(v + up * (i % 2) for i, v in enumerate(s)) for s in boughs + twigs]
        b.line(strokes(*snow), "snow", width * 0.15, b.winter)
    if b.leafy > 0.02:
        cx, cy, r = x + lean, fork - 0.27 * tall, crown
        under, middle, top = ("leaf2", "leaf", "leaf3")
        if bloom:  # the blossoming tree is pink in spring and green after
            b.wash(b.clump(_crown(cx, cy + 3, r)), "leaf", b.leafy * 0.8 * (1 - b.autumn))
            under, middle, top = "bloom", "bloom", "bloom2"
        a = b.leafy * (b.autumn if bloom else 1.0)
        b.wash(b.clump(_crown(cx, cy, r)), under, 0.72 * a, rim=0.10)
        b.wash(b.clump(_crown(cx + 0.10 * r, cy - 0.16 * r, 0.80 * r)), middle, 0.85 * a)
        b.wash(b.clump(_crown(cx + 0.24 * r, cy - 0.34 * r, 0.48 * r)), top, 0.85 * a)


def _crown(x: float, y: float, r: float) -> tuple[tuple[float, float, float, float], ...]:
    return ((x, y, 0.72 * r, 0.62 * r), (x - 0.58 * r, y + 0.24 * r, 0.44 * r, 0.38 * r),
            (x + 0.58 * r, y + 0.20 * r, 0.46 * r, 0.40 * r), (x + 0.1 * r, y - 0.42 * r, 0.5 * r,
             0.42 * r))  # fmt: skip


def vase(b: Brush, x: float, base: float, tall: float) -> None:
    """The indoor sign of the season: rust sprays, a lush green plant, or bare twigs in berry."""
    pot = 0.30 * tall
    w, neck = 0.13 * tall, base - pot
    stems, tips = [], []
    for angle, reach in ((-34, 0.52), (-15, 0.66), (4, 0.72), (22, 0.60), (40, 0.46)):
        a = math.radians(angle + b.vary(4))
        tx, ty = x + math.sin(a) * reach * tall, neck - math.cos(a) * reach * tall
        stems.append((x, neck, x + (tx - x) * 0.25, neck + (ty - neck) * 0.6, tx, ty))
        tips.append((tx, ty, a))
    b.line(strokes(*stems), "bark", 0.016 * tall + 0.6, 0.9)
    if b.winter > 0.04:
        twigs = [(x0 + (tx - x0) * 0.45, y0 + (ty - y0) * 0.62, tx + s * 0.09 * tall,
                  ty + 0.1 * tall) for x0, y0, _, _, tx, ty in stems for s in (-1, 1)]  # fmt: skip
        b.line(strokes(*twigs), "bark", 0.012 * tall, 0.9 * b.winter)
        berries = skia.Path()
        for _, _, px, py in twigs:
            berries.addCircle(px, py, 0.022 * tall)
        b.wash(berries, "berry", b.winter)
    for i, name in enumerate(("leaf2", "leaf", "leaf3")):
        path = skia.Path()
        for k, (tx, ty, a) in enumerate(tips):
            for j, t in enumerate((0.5, 0.75, 1.0)):
                if (k + j) % 3 != i:
                    continue
                # summer leaves are broad blades, autumn ones small and many-coloured
                size = tall * (0.17 + 0.11 * b.summer) * (1 - 0.25 * t)
                way = a - math.pi / 2 + (0.75, -0.75, 0.0)[j]
                leaf(path, x + (tx - x) * t, neck + (ty - neck) * t, size, way, 0.34)
        b.wash(path, name, 0.9 * b.leafy)
    body = skia.Path()
    body.moveTo(x - w * 0.55, neck)
    body.cubicTo(x - w * 1.5, neck + pot * 0.4, x - w * 1.1, base - 3, x - w * 0.6, base)
    body.lineTo(x + w * 0.6, base)
    body.cubicTo(x + w * 1.1, base - 3, x + w * 1.5, neck + pot * 0.4, x + w * 0.55, neck)
    body.close()
    b.wash(body, "vase", 1, rim=0.3)


def window(b: Brush, x0: float, y0: float, x1: float, y1: float, bars: Iterable[float] = (0.5,),
            city: bool = False) -> None:  # fmt: skip
    """A window and the season outside it: foliage, blue sky, or snow with frost on the glass."""
    wide, tall = x1 - x0, y1 - y0
    pane = box(x0, y0, x1, y1)
    b.canvas.save()
    b.canvas.clipPath(pane)
    b.fade(pane, "sky haze", y0, y1)
    b.glow(x0 + 0.7 * wide, y0 + tall * (0.2 * b.summer + 0.6 * b.autumn + 0.4 * b.winter),
           0.6 * tall, 0.6 * tall, "sun", 0.9)  # fmt: skip
    if city:
        for i, (u, w, h) in enumerate(
            (
                (0, 0.2, 0.5),
                (0.2, 0.13, 0.32),
                (0.33, 0.2, 0.44),
                (0.56, 0.12, 0.36),
                (0.68, 0.16, 0.6),
                (0.84, 0.2, 0.42),
            )
        ):
            left, top = x0 + u * wide, y1 - (h + b.vary(0.05)) * tall
            b.wash(box(left, top, left + w * wide, y1), "far", 0.85 if i % 2 else 1.0)
            b.wash(box(left - 1, top - 3, left + w * wide + 1, top + 2, 2), "snow", b.winter)
        r = 0.17 * tall
        for x in (x0 + 0.08 * wide, x0 + 0.92 * wide):
            b.wash(b.clump(_crown(x, y1 - 0.1 * tall, 1.5 * r)), "leaf", 0.9 * b.leafy)
    else:
        b.wash(b.clump(((x0 + wide / 2, y1, 0.8 * wide, 0.24 * tall),)), "far", 1)
        tree(b, x0 + 0.3 * wide, y1 + 0.2 * tall, 0.95 * tall, 0.36 * tall)
    if b.winter > 0.04:
        for x in (x0, x1):  # frost creeps in from the corners
            b.glow(x, y1, 0.6 * wide, 0.34 * tall, "snow", b.winter)
            b.glow(x, y0, 0.4 * wide, 0.25 * tall, "snow", 0.9 * b.winter)
        b.wash(
            b.clump(
                (
                    (x0 + 0.35 * wide, y1 + 2, 0.42 * wide, 0.07 * tall),
                    (x0 + 0.8 * wide, y1 + 2, 0.3 * wide, 0.09 * tall),
                )
            ),
            "snow",
            b.winter,
        )
    b.canvas.restore()
    b.line(pane, "frame", 5)
    mullions = [(x0 + wide * t, y0, x0 + wide * t, y1) for t in bars]
    b.line(strokes(*mullions), "frame", 3.5)
    b.line(box(x0 - 2.5, y0 - 2.5, x1 + 2.5, y1 + 2.5), "ink", 0.9, 0.3)
    b.wash(box(x0 - 6, y1 + 1, x1 + 6, y1 + 7), "frame", 1, rim=0.3)


def room(b: Brush, line: float) -> None:
    b.fade(ALL, "wall wall haze", 0, line * 1.5)
    floor = box(0, line, WIDTH, HEIGHT)
    b.fade(floor, "floor floor haze", line, 1.3 * HEIGHT)
    b.wash(box(0, line - 7, WIDTH, line), "frame", 0.8)
    b.line(strokes((0, line, WIDTH, line)), "ink", 0.9, 0.3)


def sunbeam(b: Brush, x: float, y: float, wide: float, tall: float, slant: float) -> None:
    """Window light lying on a wall or floor: gold and long, white and crisp, or none."""
    a = 0.60 * b.autumn + 0.75 * b.summer
    for k in range(2):
        left = x + k * (wide / 2 + 2)
        b.wash(poly(left, y, left + wide / 2 - 2, y, left + wide / 2 - 2 + slant, y + tall,
                    left + slant, y + tall), "sun", a)  # fmt: skip


def table(b: Brush, x: float, top: float, half: float, base: float) -> None:
    b.line(strokes((x, top, x, base)), "desk", 5)
    b.wash(oval(x, base, half * 0.55, 4), "desk", 1)
    b.wash(oval(x, top, half, half * 0.2), "desk", 1, rim=0.35)
