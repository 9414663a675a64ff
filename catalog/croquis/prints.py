"""One repeat of every print, in cloth units: ``MARKS[name] = width, height, draw``.

``draw(canvas, (ground, second, third))`` paints over the ground; whatever leaves the repeat on
one side is drawn again on the other, so marks may cross its border.
"""

from __future__ import annotations

import numpy as np
import skia


def _paint(color: str, alpha: float = 1.0, width: float = 0.0) -> skia.Paint:
    r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    paint = skia.Paint(AntiAlias=True, Color=skia.ColorSetARGB(int(round(255 * alpha)), r, g, b))
    if width:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint


def _poly(points, closed: bool = True) -> skia.Path:
    path = skia.Path()
    path.addPoly([skia.Point(float(x), float(y)) for x, y in points], closed)
    return path


def _rect(c, x, y, w, h, paint) -> None:
    c.drawRect(skia.Rect.MakeXYWH(x, y, w, h), paint)


def _stripes(c, k) -> None:
    _rect(c, 0, 2.5, 9, 3.8, _paint(k[1]))


def _pinstripes(c, k) -> None:
    _rect(c, 3, 0, 1.1, 7, _paint(k[1]))


def _plaid(c, k) -> None:
    for x in (1.0, 9.0):
        wide = 5.0 if x == 1.0 else 1.6
        paint = _paint(k[1], 0.55) if x == 1.0 else _paint(k[2], 0.95)
        _rect(c, x, 0, wide, 15, paint)
        _rect(c, 0, x, 15, wide, paint)


def _gingham(c, k) -> None:
    _rect(c, 0, 0, 3.6, 7.6, _paint(k[1], 0.55))
    _rect(c, 0, 0, 7.6, 3.6, _paint(k[1], 0.55))


def _dots(c, k) -> None:
    for x, y in ((2.5, 2.5), (7.5, 7.5)):
        c.drawCircle(x, y, 1.75, _paint(k[1]))


def _flower(c, x, y, r, petal, heart) -> None:
    for a in np.arange(5) * 2 * np.pi / 5 - np.pi / 2:
        c.drawCircle(x + r * 0.62 * float(np.cos(a)), y + r * 0.62 * float(np.sin(a)), r * 0.48,
                     _paint(petal))  # fmt: skip
    c.drawCircle(x, y, r * 0.36, _paint(heart))


def _leaf(c, x, y, length, angle, color) -> None:
    c.save()
    c.translate(x, y)
    c.rotate(angle)
    path = skia.Path()
    path.moveTo(0, 0)
    path.quadTo(length * 0.5, -length * 0.42, length, 0)
    path.quadTo(length * 0.5, length * 0.42, 0, 0)
    c.drawPath(path, _paint(color))
    c.restore()


def _floral(c, k) -> None:
    for x, y, r in ((5, 5, 4.2), (16, 12, 3.6), (6.5, 17, 3.0)):
        for angle in (25, 160):
            _leaf(c, x, y, r * 1.75, angle + x * 9, k[2])
        _flower(c, x, y, r, k[1], k[2])


def _leopard(c, k) -> None:
    rng = np.random.default_rng(11)
    for x, y in ((3, 3), (12, 2), (7.5, 9), (16, 9.5), (2.5, 14.5), (11.5, 15.5)):
        r = 2.5 + 0.7 * rng.random()
        c.drawCircle(x, y, r * 0.8, _paint(k[2]))
        start = 360 * rng.random()
        box = skia.Rect.MakeLTRB(x - r, y - r * 0.85, x + r, y + r * 0.85)
        for part in range(2):
            c.drawArc(box, start + part * 170, 125, False, _paint(k[1], 1, 1.5))


def _camouflage(c, k) -> None:
    rng = np.random.default_rng(4)
    spots = ((6, 7), (22, 4), (14, 17), (29, 19), (5, 26), (20, 29))
    for n, (x, y) in enumerate(spots):
        angles = np.linspace(0, 2 * np.pi, 9)[:-1]
        radii = 3.2 + 4.2 * rng.random(8)
        points = np.stack([x + 1.35 * radii * np.cos(angles), y + radii * np.sin(angles)], 1)
        mids = (points + np.roll(points, -1, 0)) / 2
        path = skia.Path()
        path.moveTo(*map(float, mids[-1]))
        for p, q in zip(points, mids, strict=True):
            path.quadTo(*map(float, p), *map(float, q))
        c.drawPath(path, _paint(k[1] if n % 2 else k[2]))


def _zigzag(c, k) -> None:
    path = _poly(((-2, 7.6), (0, 6), (5, 2), (10, 6), (12, 7.6)), False)
    paint = _paint(k[1], 1, 2.8)
    paint.setStrokeJoin(skia.Paint.kMiter_Join)
    c.drawPath(path, paint)


def _hearts(c, k) -> None:
    for x, y, color in ((3.5, 3, k[1]), (9.5, 9, k[2] if k[2] else k[1])):
        path = skia.Path()
        path.moveTo(x, y + 2.8)
        path.cubicTo(x - 4.6, y - 0.4, x - 2.0, y - 4.0, x, y - 1.2)
        path.cubicTo(x + 2.0, y - 4.0, x + 4.6, y - 0.4, x, y + 2.8)
        c.drawPath(path, _paint(color))


def _stars(c, k) -> None:
    for x, y, r, color in ((3.5, 3.8, 3.2, k[1]), (9.5, 10, 2.6, k[2])):
        angles = -np.pi / 2 + np.arange(10) * np.pi / 5
        radii = np.where(np.arange(10) % 2 == 0, r, r * 0.45)
        c.drawPath(
            _poly(np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1)),
            _paint(color),
        )


def _argyle(c, k) -> None:
    c.drawPath(_poly(((6, 0.5), (11.5, 9), (6, 17.5), (0.5, 9))), _paint(k[1]))
    for a, b in (((0, 0), (12, 18)), ((12, 0), (0, 18))):
        c.drawLine(*a, *b, _paint(k[2], 1, 0.8))


def _waves(c, k) -> None:
    for y, color in ((2, k[1]), (6.5, k[2])):
        path = skia.Path()
        path.moveTo(0, y)
        path.cubicTo(3, y - 3.6, 3.5, y - 3.6, 6, y)
        path.cubicTo(8.5, y + 3.6, 9, y + 3.6, 12, y)
        c.drawPath(path, _paint(color, 1, 1.7))


def _leaves(c, k) -> None:
    for x, y, angle, color in ((2, 4, -35, k[1]), (10, 13, -145, k[2]), (11, 3, 60, k[1])):
        _leaf(c, x, y, 8.0, angle, color)
        rad = np.radians(angle)
        c.drawLine(x, y, x + 6.6 * float(np.cos(rad)), y + 6.6 * float(np.sin(rad)),
                   _paint(k[0], 0.8, 0.6))  # fmt: skip


def _lemons(c, k) -> None:
    for x, y, angle in ((4.5, 4.5, 30), (12, 12, -35)):
        c.save()
        c.translate(x, y)
        c.rotate(angle)
        _leaf(c, 2.6, -1.6, 4.6, -50, k[2])
        path = skia.Path()
        path.moveTo(-4.6, 0)
        path.cubicTo(-2.4, -3.9, 2.4, -3.9, 4.6, 0)
        path.cubicTo(2.4, 3.9, -2.4, 3.9, -4.6, 0)
        c.drawPath(path, _paint(k[1]))
        c.restore()


def _diamonds(c, k) -> None:
    c.drawPath(_poly(((4.5, 0.8), (7.6, 5.5), (4.5, 10.2), (1.4, 5.5))), _paint(k[1]))
    c.drawPath(_poly(((4.5, 3.2), (6.0, 5.5), (4.5, 7.8), (3.0, 5.5))), _paint(k[2]))


MARKS = {
    "stripes": (9, 9, _stripes),
    "pinstripes": (7, 7, _pinstripes),
    "plaid": (15, 15, _plaid),
    "gingham": (7.5, 7.5, _gingham),
    "dots": (10, 10, _dots),
    "floral": (22, 22, _floral),
    "leopard": (18, 18, _leopard),
    "camouflage": (34, 34, _camouflage),
    "zigzag": (10, 9, _zigzag),
    "hearts": (12, 12, _hearts),
    "stars": (12.5, 12.5, _stars),
    "argyle": (12, 18, _argyle),
    "waves": (12, 9, _waves),
    "leaves": (16, 16, _leaves),
    "lemons": (16, 16, _lemons),
    "diamonds": (9, 11, _diamonds),
}
