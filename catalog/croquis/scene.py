"""Scenes: where the person stands, and what the season does to light, leaves and snow.

Everything here belongs to region 0.
"""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.brush import Brush, anchors, box, glow, leaf, oval, poly, season_weights
from catalog.croquis.figure import Figure
from catalog.croquis.palette import lab_to_srgb
from catalog.croquis.places import PAINTERS
from catalog.croquis.sheet import HEIGHT, WIDTH, Sheet

SCENES = (
    "studio", "city street", "park", "beach", "office", "cafe", "forest", "home", "stairs",
    "garden",
)  # fmt: skip
INDOORS = frozenset(("studio", "office", "cafe", "home"))
GROUND = 0.945 * HEIGHT
"""Where feet stand."""


def backdrop(sheet: Sheet, scene: str, season: dict[str, float], rng: np.random.Generator) -> None:
    """Paint the whole background of ``scene`` (region 0), ground included.

    ``season`` weights the three ``SEASONS``; tones mix in CIELAB and snow, leaves and bloom come
    in proportion. Raises KeyError for an unknown scene.
    """
    paint_scene = PAINTERS[scene]

    def draw(canvas: skia.Canvas) -> None:
        b = Brush(canvas, scene, season, rng)
        canvas.save()
        if rng.random() < 0.5:
            canvas.translate(WIDTH, 0)
            canvas.scale(-1, 1)
        paint_scene(b)
        # a veil of light behind the figure keeps dark and pale clothes alike apart from the scene
        b.glow(128, 185, 96, 200, "haze", 0.42)
        b.glow(128, GROUND + 1, 88, 15, "shade", 0.26)
        canvas.restore()

    sheet.paint(draw)


def weather(sheet: Sheet, scene: str, season: dict[str, float], rng: np.random.Generator) -> None:
    """A handful of flakes, leaves or motes in front of the figure, away from the clothes."""

    def draw(canvas: skia.Canvas) -> None:
        b = Brush(canvas, scene, season, rng)
        spots = rng.random((30, 4)).tolist()
        outdoors = scene not in INDOORS
        marks = {name: skia.Path() for name in ("snow", "leaf2", "bloom", "sun")}
        flakes, leaves, motes = (round(n * w) for n, w in
                                 ((16, b.winter), (7, b.autumn), (7, b.summer)))  # fmt: skip
        for i, (u, v, size, turn) in enumerate(spots):
            # two bands left and right of the figure
            x = 4 + 56 * u if i % 2 else 252 - 56 * u
            y = 8 + 340 * v
            if i < 16:
                if i < flakes and outdoors:
                    marks["snow"].addCircle(x, y, 1.2 + 1.5 * size)
            elif i < 23:
                if i - 16 < leaves and outdoors:
                    leaf(marks["bloom" if scene == "garden" else "leaf2"], x, y,
                          3.6 + 2 * size, 6.3 * turn, 0.42)  # fmt: skip
            elif i - 23 < motes:
                marks["sun"].addCircle(x, y, 1.2 + 1.2 * size)
        for name, path in marks.items():
            b.wash(path, name, 0.9 if name == "snow" else 0.8)
        if outdoors:  # two pale rings of lens flare
            for (u, v, size, _), x in zip(spots[:2], (14, 230), strict=True):
                b.wash(oval(x + 12 * u, 30 + 120 * v, r := 9 + 7 * size, r), "sun", 0.2 * b.summer)

    sheet.paint(draw)


def light(season: dict[str, float]) -> tuple[float, float, float]:
    """Colour of the season's light, RGB 0–1. For backdrops only: garments keep their colour."""
    names, lab = anchors("park")
    sun = lab[names.index("sun")]
    r, g, b = np.clip(lab_to_srgb(season_weights(season) @ sun) / 255, 0, 1)
    return float(r), float(g), float(b)


def contact_shadow(sheet: Sheet, fig: Figure) -> None:
    """Soft shadow where the feet (and a seat) meet the ground; paint it before the figure."""
    tall = fig.height

    def draw(canvas: skia.Canvas) -> None:
        feet = [fig.joint["r_ankle"], fig.joint["l_ankle"]]
        ground = max(float(p[1]) for p in feet) + 0.036 * tall
        middle = float(feet[0][0] + feet[1][0]) / 2
        apart = abs(float(feet[0][0] - feet[1][0]))
        if fig.pose.seated:
            glow(canvas, float(fig.mid_hip[0]), ground - 0.016 * tall, 0.21 * tall, 0.036 * tall,
                  _shade(90))  # fmt: skip
        glow(canvas, middle + 4, ground, apart / 2 + 0.11 * tall, 0.028 * tall, _shade(70))
        for x, y in feet:
            # a lifted foot casts a fainter shadow
            near = 1 - min(max((ground - 0.036 * tall - float(y)) / (0.06 * tall), 0), 0.7)
            glow(canvas, float(x), ground, 0.055 * tall, 0.014 * tall, _shade(round(110 * near)))

    sheet.paint(draw)


def seat(sheet: Sheet, fig: Figure) -> None:
    """What a seated figure sits on (stool, bench or plinth by the person's seed), behind it."""
    if not fig.pose.seated:
        return
    tall, x = fig.height, float(fig.mid_hip[0])
    ankles = max(float(fig.joint[f"{s}_ankle"][1]) for s in "rl")
    top, base = float(fig.mid_hip[1]) + 0.030 * tall, ankles + 0.018 * tall
    kind = ("plinth", "bench", "stool")[fig.person.seed % 3]
    half = (fig.half["hip"] + 0.030 * tall) * {"plinth": 1.3, "bench": 1.75, "stool": 1.1}[kind]
    deep = 0.030 * tall
    ink = skia.Paint(Color=skia.ColorSetARGB(110, 84, 70, 60), AntiAlias=True, StrokeWidth=1.0,
                     Style=skia.Paint.kStroke_Style)  # fmt: skip

    def draw(canvas: skia.Canvas) -> None:
        def fill(path: skia.Path, color: int) -> None:
            canvas.drawPath(path, skia.Paint(Color=color, AntiAlias=True))
            canvas.drawPath(path, ink)

        if kind == "plinth":
            fill(box(x - half, top + deep * 0.4, x + half, base, 2), 0xFFD3C8B8)
            fill(
                poly(
                    x - half,
                    top + deep * 0.5,
                    x - half * 0.86,
                    top - deep * 0.6,
                    x + half * 0.86,
                    top - deep * 0.6,
                    x + half,
                    top + deep * 0.5,
                ),
                0xFFE7DFD2,
            )
            return
        wood, dark = 0xFFC7A27C, 0xFFAF8A66
        for side in (-1, 1):
            for inner, foot in ((0.62, base - 0.03 * tall), (0.9, base)):
                a, c = x + side * half * inner, x + side * half * (inner + 0.06)
                fill(poly(a - 3, top, a + 3, top, c + 2, foot, c - 2, foot), dark)
        if kind == "bench":
            fill(box(x - half, top - deep * 0.5, x + half, top + deep * 0.8, 5), wood)
            fill(box(x - half, top + deep * 0.35, x + half, top + deep, 4), dark)
        else:
            fill(oval(x, top + 7, half, deep), dark)
            fill(oval(x, top + 1, half, deep), wood)

    sheet.paint(draw)


def _shade(alpha: int) -> int:
    """Shadows are a neutral violet grey: true under any light, tinting nothing."""
    return skia.ColorSetARGB(alpha, 62, 58, 72)
