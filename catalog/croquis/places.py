"""Places: the ten backdrops in the light of every season, in large soft washes.

Paler than clothes and busiest at the sides, so that the figure in the middle reads against
quiet colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import skia

from catalog.croquis.brush import ALL, Brush, box, leaf, oval, poly, strokes
from catalog.croquis.props import drifts, room, sky, sunbeam, table, tree, vase, window
from catalog.croquis.sheet import HEIGHT, WIDTH


def _studio(b: Brush) -> None:
    b.fade(ALL, "wall wall floor", 0, 300)
    b.fade(box(0, 300, WIDTH, HEIGHT), "floor floor", 300, HEIGHT)
    paper = skia.Path()
    paper.moveTo(46, 12)
    paper.lineTo(210, 12)
    paper.lineTo(210, 276)
    paper.quadTo(212, 330, 246, HEIGHT)
    paper.lineTo(10, HEIGHT)
    paper.quadTo(44, 330, 46, 276)
    paper.close()
    b.wash(paper, "paper", 1, rim=0.28)
    b.glow(128, 312, 96, 36, "shade", 0.16)  # where the paper bends from wall to floor
    b.wash(box(38, 6, 218, 17, 5), "frame", 1, rim=0.35)
    b.canvas.save()
    b.canvas.clipPath(paper)
    sunbeam(b, 52 + b.vary(6), 50, 92, 176, 46)
    b.canvas.restore()
    b.line(strokes((231, 112, 231, 336), (231, 318, 217, 340), (231, 318, 246, 340)), "ink", 2, 0.6)
    b.wash(poly(214, 60, 250, 70, 246, 122, 210, 108), "frame", 1, rim=0.4)
    b.glow(214, 88, 52, 60, "sun", 0.55)
    vase(b, 26, 346, 132)


def _city(b: Brush) -> None:
    sky(b, 240)
    top: float
    for x0, x1, top in ((84, 112, 150), (110, 134, 118), (132, 152, 160), (150, 178, 134)):
        top += b.vary(8)
        b.wash(box(x0, top, x1, 270), "far", 0.9)
        b.wash(box(x0 - 1, top - 3, x1 + 1, top + 2, 2), "snow", b.winter)
    b.fade(box(0, 262, WIDTH, HEIGHT), "pave pave road", 262, 520)
    for near, back, tone, bands in ((0, 88, "brick", 3), (256, 170, "stone", 3)):
        side = 1 if near == 0 else -1
        top, far_top, foot, far_foot = 10, 98, 318, 266
        b.wash(poly(near, top, back, far_top, back, far_foot, near, foot), tone, 1, rim=0.25)

        def at(u, v, near=near, back=back, top=top, far_top=far_top, foot=foot, far=far_foot):
            y0, y1 = top + (far_top - top) * u, foot + (far - foot) * u
            return near + (back - near) * u, y0 + (y1 - y0) * v

        panes = skia.Path()
        for u in (0.10, 0.42, 0.70):
            for row in range(bands):
                v, w = 0.12 + 0.21 * row, 0.20 - 0.08 * u
                low = v + 0.13
                panes.addPath(poly(*at(u, v), *at(u + w, v), *at(u + w, low), *at(u, low)))
        b.wash(panes, "glass", 0.75)
        b.wash(poly(*at(0.06, 0.80), *at(0.62, 0.80), *at(0.62, 1), *at(0.06, 1)), "glass", 0.8)
        (ax, ay), (bx, by) = at(0.02, 0.75), at(0.68, 0.75)
        (cx, cy), (dx, dy) = at(0.68, 0.83), at(0.02, 0.84)
        b.wash(poly(ax, ay, bx, by, cx + 7 * side, cy, dx + 9 * side, dy), "awning",
               0.9 if side > 0 else 0.55)  # fmt: skip
        snow = strokes((ax, ay, bx, by), (*at(0, 0), *at(1, 0)), (*at(0, 0.715), *at(1, 0.715)))
        b.line(snow, "frame", 2, 0.6)
        b.line(snow, "snow", 6, b.winter)
    b.wash(poly(0, 318, 88, 266, 96, 266, 22, 384, 0, 384), "haze", 0.35)
    tree(b, 226, 326, 210, 66)
    drifts(b, 318)


def _park(b: Brush) -> None:
    sky(b, 236)
    b.bush(((30, 232, 60, 36), (100, 236, 50, 24), (160, 234, 54, 30), (236, 230, 50, 44)),
           "far", snow=3)  # fmt: skip
    b.fade(box(0, 244, WIDTH, HEIGHT), "grass grass2", 244, 400)
    path = skia.Path()
    path.moveTo(150, 246)
    path.cubicTo(120, 268, 60, 300, 14, HEIGHT)
    path.lineTo(240, HEIGHT)
    path.cubicTo(214, 310, 170, 270, 158, 246)
    path.close()
    b.wash(path, "path", 1)
    b.bush(((226, 262, 34, 17), (198, 268, 20, 10)), "leaf", 0.6 + 0.2 * b.leafy)
    tree(b, 26, 326, 290, 98)
    seat_at = 292
    b.line(strokes((196, seat_at, 192, 316), (246, seat_at, 248, 316)), "bench", 3.5)
    b.wash(box(190, seat_at - 3, 252, seat_at + 4, 2), "bench", 1)
    b.wash(box(194, seat_at - 26, 250, seat_at - 18, 2), "bench", 0.9)
    back = strokes((200, seat_at - 20, 200, seat_at), (244, seat_at - 20, 244, seat_at))
    b.line(back, "bench", 3)
    b.line(strokes((192, seat_at - 4, 250, seat_at - 4), (196, seat_at - 27, 248, seat_at - 27)),
           "snow", 4, b.winter)  # fmt: skip
    drifts(b, 318)


def _beach(b: Brush) -> None:
    sky(b, 206)
    b.bush(((8, 206, 62, 27), (54, 209, 40, 13)), "rock", snow=5)
    b.fade(box(0, 206, WIDTH, 274), "sea sea2", 206, 272)
    b.line(strokes((96, 220, 130, 222, 170, 220), (10, 232, 60, 235, 92, 232),
                   (150, 242, 200, 245, 246, 241)), "snow", 2, 0.6)  # fmt: skip
    sand = skia.Path()
    sand.moveTo(0, 268)
    sand.cubicTo(70, 254, 150, 276, WIDTH, 254)
    sand.lineTo(WIDTH, HEIGHT)
    sand.lineTo(0, HEIGHT)
    sand.close()
    b.line(sand, "snow", 7, 0.75)
    b.fade(sand, "sand sand sand2", 256, 470)
    if b.summer > 0.04:
        b.line(strokes((222, 118, 232, 318)), "bark", 3, b.summer)
        shade = skia.Path()
        shade.moveTo(162, 138)
        shade.cubicTo(172, 84, 262, 76, 284, 124)
        shade.quadTo(222, 118, 162, 138)
        shade.close()
        b.wash(shade, "cloth", b.summer)
        b.wash(poly(221, 95, 186, 130, 204, 125), "snow", 0.75 * b.summer)
        b.wash(poly(223, 95, 226, 120, 248, 118), "snow", 0.75 * b.summer)
        b.glow(238, 322, 44, 8, "shade", 0.4 * b.summer)
    for x, base, size in ((22, 346, 46), (238, 352, 40 * (1 - b.summer))):
        tuft = skia.Path()
        for a in (-28, -15, -4, 8, 20, 32):
            t = math.radians(a + b.vary(4) - 90)
            leaf(tuft, x + 0.3 * a, base, size * (1 - abs(a) / 90), t, 0.05)
        b.wash(tuft, "leaf2" if b.autumn > 0.5 else "leaf", 0.85)
        b.wash(b.clump(((x, base + 4, 34, 8),)), "sand2", 0.8)
    drifts(b, 306, 0.8)


def _office(b: Brush) -> None:
    room(b, 284)
    window(b, 22, 34, 234, 208, bars=(0.26, 0.74), city=True)
    sunbeam(b, 66, 300, 120, 70, -34)
    b.wash(box(192, 252, 270, 260), "desk", 1, rim=0.3)
    b.line(strokes((200, 260, 200, 336), (250, 260, 250, 336)), "desk", 4)
    b.wash(box(206, 208, 262, 244, 3), "screen", 0.8, rim=0.3)
    b.line(strokes((234, 244, 234, 252)), "screen", 4, 0.8)
    vase(b, 28, 340, 128)


def _cafe(b: Brush) -> None:
    room(b, 300)
    b.wash(box(0, 226, WIDTH, 300), "panel", 0.75)
    b.line(strokes((0, 226, WIDTH, 226)), "frame", 4)
    b.line(strokes((52, 234, 52, 294), (104, 234, 104, 294), (156, 234, 156, 294),
                   (208, 234, 208, 294)), "ink", 0.9, 0.22)  # fmt: skip
    window(b, 8, 58, 84, 206)
    b.wash(box(184, 84, 246, 176, 2), "board", 0.85)
    b.line(box(184, 84, 246, 176, 2), "desk", 4)
    chalk = strokes((194, 104, 222, 104), (194, 122, 234, 122), (194, 140, 228, 140))
    b.line(chalk, "frame", 2, 0.6)
    b.line(strokes((118, 0, 118, 10), (206, 0, 206, 38)), "ink", 1.2, 0.6)
    for x, y in ((118, 10), (206, 38)):
        b.glow(x, y + 22, 52, 44, "sun", 0.5 + 0.3 * b.winter)
        b.wash(poly(x - 5, y, x + 5, y, x + 19, y + 17, x - 19, y + 17), "lamp", 0.95)
    sunbeam(b, 30, 316, 70, 52, 30)
    table(b, 220, 262, 42, 352)
    b.wash(box(194, 250, 206, 261, 3), "frame", 1, rim=0.4)
    vase(b, 228, 262, 64)


def _forest(b: Brush) -> None:
    sky(b, 300)
    b.bush(((40, 250, 80, 60), (140, 262, 80, 44), (230, 246, 70, 70)), "far", 0.9, snow=3)
    b.fade(box(0, 276, WIDTH, HEIGHT), "grass grass2", 276, 420)
    far = skia.Path()
    x: float
    for x in (66, 88, 108, 146, 168, 192):
        x += b.vary(5)
        far.addPath(poly(x - 2, 282, x - 1.4, 0, x + 1.4, 0, x + 2.4, 282))
    b.wash(far, "bark", 0.22)
    for x, w, foot, a in ((52, 5, 296, 0.45), (206, 6, 300, 0.45), (14, 12, 330, 0.9),
                          (246, 14, 338, 0.9)):  # fmt: skip
        x += b.vary(4)
        b.wash(poly(x - w, foot, x - w * 0.7, 0, x + w * 0.7, 0, x + w, foot), "bark", a)
        s = 1 if x < 128 else -1
        boughs = strokes((x, 124, x + 26 * s, 100, x + 44 * s, 60),
                         (x, 178, x + 22 * s, 164, x + 36 * s, 138))  # fmt: skip
        b.line(boughs, "bark", w * 0.4, a)
        boughs.offset(0, -w * 0.16)
        b.line(boughs, "snow", w * 0.26, b.winter)
        b.line(strokes((x - w * 0.75, foot - 6, x - w * 0.5, 0)), "snow", w * 0.3, 0.75 * b.winter)
    ray = 0.30 * b.autumn + 0.34 * b.summer
    b.wash(poly(176, 0, 206, 0, 96, 320, 40, 320), "sun", ray)
    b.wash(poly(228, 0, 248, 0, 186, 320, 148, 320), "sun", ray)
    for name, grow, a in (("leaf2", 1.0, 0.75), ("leaf", 0.78, 0.85), ("leaf3", 0.46, 0.8)):
        b.wash(b.clump(((10, 30, 66 * grow, 60 * grow), (72, 2, 54 * grow, 32 * grow),
                        (140, -8, 60 * grow, 28 * grow), (206, 4, 52 * grow, 42 * grow),
                        (252, 44, 46 * grow, 64 * grow))), name, a * b.leafy)  # fmt: skip
    b.bush(((4, 340, 40, 24), (252, 346, 40, 26), (42, 348, 22, 12)), "leaf", 0.6 + 0.25 * b.leafy,
           snow=8)  # fmt: skip
    drifts(b, 312)


def _home(b: Brush) -> None:
    room(b, 294)
    window(b, 172, 46, 238, 204)
    for x, side in ((160, 1), (250, -1)):
        drape = skia.Path()
        drape.moveTo(x - 12, 36)
        drape.lineTo(x + 12, 36)
        drape.cubicTo(x + 12 + 4 * side, 120, x + 8 - 4 * side, 200, x + 11, 286)
        drape.lineTo(x - 13, 286)
        drape.cubicTo(x - 8 - 4 * side, 200, x - 12 + 4 * side, 120, x - 12, 36)
        drape.close()
        b.wash(drape, "curtain", 0.95, rim=0.25)
    b.line(strokes((140, 36, 256, 36)), "desk", 3)
    b.wash(box(22, 92, 74, 156), "frame", 1, rim=0.45)
    b.wash(b.clump(((48, 132, 15, 13), (42, 118, 8, 7))), "leaf", 0.6)
    sunbeam(b, 96, 304, 110, 56, -30)
    b.wash(oval(128, 358, 122, 24), "rug", 0.95, rim=0.2)
    b.wash(box(-30, 232, 78, 300, 14), "sofa", 0.8, rim=0.3)
    b.wash(box(-30, 270, 88, 326, 12), "sofa", 0.95, rim=0.3)
    b.wash(poly(20, 240, 54, 236, 60, 268, 24, 272), "curtain", 1, rim=0.3)
    b.line(strokes((10, 326, 8, 340), (76, 326, 78, 340)), "desk", 4)
    table(b, 226, 276, 30, 346)
    vase(b, 226, 275, 92)


def _stairs(b: Brush) -> None:
    sky(b, 170)
    b.bush(((30, 122, 66, 40), (128, 132, 66, 20), (226, 120, 66, 44)), "far", snow=4)
    b.bush(((10, 128, 46, 34), (246, 126, 46, 38)), "leaf", 0.55 * b.leafy)
    b.fade(box(0, 140, WIDTH, 320), "grass grass2", 140, 340)
    y, steps = 130.0, 8
    for i in range(steps):
        t = i / steps
        half, rise, tread = 60 + 44 * t, 9 + 9 * t, 5 + 6 * t
        b.wash(box(128 - half, y, 128 + half, y + tread), "stone")
        b.wash(box(128 - half, y, 128 + half, y + tread * 0.8, 2), "snow", 0.85 * b.winter)
        b.wash(box(128 - half, y + tread, 128 + half, y + tread + rise + 1), "riser", 0.9)
        y += rise + tread
    b.fade(box(0, y, WIDTH, HEIGHT), "stone stone riser", y, 470)
    for s in (-1, 1):  # side walls slope down to piers with something growing on them
        b.wash(poly(128 + s * 58, 108, 128 + s * 72, 108, 128 + s * 124, y, 128 + s * 104, y,
                    128 + s * 58, 132), "wall", rim=0.25)  # fmt: skip
        cap = strokes((128 + s * 65, 107, 128 + s * 108, 256))
        b.line(cap, "stone", 8)
        b.line(cap, "snow", 6, b.winter)
        pier = 128 + s * 108
        b.wash(box(pier - 16, 264, pier + 16, y + 12), "wall", rim=0.35)
        b.wash(box(pier - 20, 257, pier + 20, 266, 2), "stone", rim=0.35)
        b.wash(box(pier - 20, 254, pier + 20, 260, 3), "snow", b.winter)
        vase(b, pier, 258, 88)
    drifts(b, 326)


def _garden(b: Brush) -> None:
    sky(b, 200)
    tree(b, 220, 262, 230, 66, bloom=True)
    for name, top, a in (("hedge", 186, 0.95), ("hedge2", 214, 0.6)):
        b.bush(((14, top + 44, 66, 46), (84, top + 52, 50, 38), (168, top + 52, 54, 38),
                (240, top + 46, 56, 46)), name, a, snow=6, rough=0.08)  # fmt: skip
    b.fade(box(0, 262, WIDTH, HEIGHT), "grass grass2", 262, 420)
    b.wash(poly(104, 262, 152, 262, 214, HEIGHT, 42, HEIGHT), "path", 1)
    arch = skia.Path()
    arch.moveTo(46, 312)
    arch.lineTo(46, 110)
    arch.cubicTo(50, 0, 206, 0, 210, 110)
    arch.lineTo(210, 312)
    b.line(arch, "wood", 5)
    b.line(arch, "ink", 0.9, 0.25)
    climb = ((45, 282, 11, 34), (44, 226, 14, 38), (46, 166, 16, 40), (50, 112, 20, 36),
             (66, 68, 26, 30), (102, 40, 34, 19), (152, 38, 34, 18), (188, 66, 28, 30),
             (206, 112, 20, 36), (211, 168, 14, 38), (211, 226, 11, 34))  # fmt: skip
    b.wash(b.clump(climb), "hedge2", 0.95 * b.leafy)
    b.wash(b.clump((x, y - 5, r * 0.6, s * 0.55) for x, y, r, s in climb), "hedge", b.leafy)
    arch.offset(0, -2)
    b.line(arch, "snow", 4.5, b.winter)
    beds = ((10, 316, 44, 22), (30, 352, 46, 28), (246, 316, 44, 22), (228, 354, 44, 28))
    b.bush(beds, "hedge2", snow=7)
    flowers = {"bloom": skia.Path(), "bloom2": skia.Path()}
    for i, (u, v) in enumerate(b.rng.random((28, 2)).tolist()):
        x, y, r, s = climb[i % 11] if i < 16 else beds[i % 4]
        spot = flowers["bloom" if i % 3 else "bloom2"]
        b.blob(spot, x + (u - 0.5) * 1.4 * r, y + (v - 0.6) * 1.3 * s, 4.6, 4.2, 0.2)
    for name, path in flowers.items():
        b.wash(path, name, b.leafy)
    drifts(b, 330, 0.5)


PAINTERS: dict[str, Callable[[Brush], None]] = {
    "studio": _studio,
    "city street": _city,
    "park": _park,
    "beach": _beach,
    "office": _office,
    "cafe": _cafe,
    "forest": _forest,
    "home": _home,
    "stairs": _stairs,
    "garden": _garden,
}
"""Scene word → what paints it; widths in world units, figure expected between x 70 and 186."""
