"""Decoration of cloth: buttons, zips, stitches and what a trim word means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import skia

from catalog.croquis.cloth import contour, pattern_colors
from catalog.croquis.paints import INK, brush, contour_color, detail_color, lightness, mix, pen
from catalog.croquis.sheet import Sheet
from catalog.garment import Cloth


def buttons(sheet: Sheet, points: Sequence[np.ndarray], cloth: Cloth, size: float = 1.6) -> None:
    """Round buttons at ``points`` (picture only)."""
    ground = cloth.colors[0]
    face = mix(ground, "#f6efe2", 0.7) if lightness(ground) < 62 else mix(ground, "#3a2c2c", 0.55)

    if not sheet.draws_picture:
        return
    path = skia.Path()
    for x, y in points:
        path.addCircle(float(x), float(y), size)

    def draw(canvas: skia.Canvas) -> None:
        canvas.drawPath(path, brush(face))
        canvas.drawPath(path, pen(INK, 0.55))

    sheet.paint(draw)


def stitches(sheet: Sheet, path: skia.Path, cloth: Cloth, width: float = 0.7) -> None:
    """A dashed stitch line: orange on denim (white on pale denim), tonal elsewhere."""
    ground = cloth.colors[0]
    if cloth.material == "denim":
        tone = "#e7a552" if lightness(ground) < 72 else "#a86a2c"
    else:
        tone = detail_color(ground)
    paint = pen(tone, width, 0.95)
    paint.setPathEffect(skia.DashPathEffect.Make([2.0, 1.1], 0.0))
    sheet.paint(lambda canvas: canvas.drawPath(path, paint))


def zip_line(sheet: Sheet, path: skia.Path, cloth: Cloth) -> None:
    """A zip: dark tape, metal teeth."""
    teeth = pen("#d9d9de" if lightness(cloth.colors[0]) < 80 else "#8b8b94", 1.1)
    teeth.setPathEffect(skia.DashPathEffect.Make([0.9, 0.9], 0.0))

    def draw(canvas: skia.Canvas) -> None:
        canvas.drawPath(path, pen(mix(cloth.colors[0], INK, 0.75), 1.9))
        canvas.drawPath(path, teeth)

    sheet.paint(draw)


def trim(
    sheet: Sheet,
    path: skia.Path,
    cloth: Cloth,
    top: np.ndarray,
    bottom: np.ndarray,
    half: float,
) -> None:
    """The cloth's decoration inside ``path``, placed by a centre line and a half-width."""
    if cloth.trim in ("none", "") or not sheet.draws_picture:
        return
    top, bottom = np.asarray(top, float), np.asarray(bottom, float)
    ground, second, _ = pattern_colors(cloth.colors)
    accent = second if len(cloth.colors) > 1 else detail_color(ground)
    down = bottom - top
    length = float(np.hypot(*down)) + 1e-6
    down /= length
    across = np.array([down[1], -down[0]])

    def at(along: float, side: float) -> np.ndarray:
        return top + down * length * along + across * half * side

    def line(*points) -> skia.Path:
        p = skia.Path()
        p.moveTo(*points[0])
        for q in points[1:]:
            p.lineTo(*q)
        return p

    kind = cloth.trim
    with sheet.clipped(path):
        if kind == "buttons":
            count = int(np.clip(length / 14, 2, 7))
            buttons(sheet, [at(0.06 + 0.88 * k / (count - 1), 0) for k in range(count)], cloth)
        elif kind == "zip":
            zip_line(sheet, line(at(0, 0), at(1, 0)), cloth)
        elif kind == "pockets":
            for side in (-0.5, 0.5):
                _pocket(sheet, at(0.62, side), down, across, min(half * 0.36, 8.5), cloth)
        elif kind == "piping":
            sheet.paint(lambda c: c.drawPath(path, pen(accent, 3.4)))
            sheet.paint(lambda c: contour(c, path, ground))
        elif kind == "patch":
            _patch(sheet, at(0.34, 0.46), min(half * 0.26, 6.5), accent, ground)
        elif kind == "studs":
            points = [at(a, s) for a in (0.06, 0.14) for s in np.linspace(-0.8, 0.8, 9)]

            def rivet(canvas: skia.Canvas, points=points) -> None:
                for x, y in points:
                    canvas.drawCircle(float(x), float(y), 1.25, brush("#e4e2dc"))
                    canvas.drawCircle(float(x), float(y), 1.25, pen(INK, 0.4))

            sheet.paint(rivet)
        elif kind == "chest stripe":
            band = line(at(0.36, -3), at(0.36, 3))
            sheet.paint(lambda c: c.drawPath(band, pen(accent, min(length * 0.16, 10.0))))
        elif kind == "toggles":
            for along in (0.12, 0.36, 0.60):
                loop = line(at(along, -0.34), at(along, 0.34))
                peg = line(at(along, -0.09), at(along, 0.09))

                def fasten(canvas: skia.Canvas, loop=loop, peg=peg) -> None:
                    canvas.drawPath(loop, pen(INK, 1.5))
                    canvas.drawPath(loop, pen(accent, 0.8))
                    canvas.drawPath(peg, pen(INK, 4.0))
                    canvas.drawPath(peg, pen("#c79a5b", 2.8))

                sheet.paint(fasten)


def _pocket(sheet, center, down, across, size, cloth) -> None:
    a, b = center - across * size, center + across * size
    c, d = b + down * size * 1.5, a + down * size * 1.5
    tip = (c + d) / 2 + down * size * 0.45
    path = skia.Path()
    path.addPoly([skia.Point(*p) for p in (a, b, c, tip, d)], True)
    tone = detail_color(cloth.colors[0])
    sheet.paint(lambda canvas: canvas.drawPath(path, pen(tone, 0.9)))
    flap = skia.Path()
    flap.moveTo(*(a + down * size * 0.4))
    flap.lineTo(*(b + down * size * 0.4))
    stitches(sheet, flap, cloth, 0.6)


def _patch(sheet, center, size, accent, ground) -> None:
    x, y = float(center[0]), float(center[1])

    def draw(canvas: skia.Canvas) -> None:
        canvas.drawCircle(x, y, size, brush(accent))
        canvas.drawCircle(x, y, size, pen(contour_color(ground), 0.8))
        ring = pen(mix(accent, "#ffffff", 0.75), 0.7)
        ring.setPathEffect(skia.DashPathEffect.Make([1.4, 1.0], 0.0))
        canvas.drawCircle(x, y, size * 0.78, ring)
        star = skia.Path()
        for k in range(10):
            r = size * (0.52 if k % 2 == 0 else 0.22)
            angle = -np.pi / 2 + k * np.pi / 5
            point = x + r * float(np.cos(angle)), y + r * float(np.sin(angle))
            star.lineTo(*point) if k else star.moveTo(*point)
        star.close()
        canvas.drawPath(star, brush(mix(accent, "#ffffff", 0.8)))

    sheet.paint(draw)
