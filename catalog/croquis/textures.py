"""How materials look close by: one repeat of each, transparent marks that lie over any colour.

``TEXTURES[material] = width, height, draw``; ``draw(canvas, up, down)`` takes the opacity of its
light and of its dark marks, which are other on dark cloth.
"""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.paints import color4, pen


def _denim(c: skia.Canvas, up: float, down: float) -> None:
    for k in range(-1, 3):
        x = k * 2.0
        c.drawLine(x, 4, x + 4, 0, pen("#ffffff", 0.5, up * (0.5 if up > 0.24 else 0.9)))
        c.drawLine(x + 1, 4, x + 5, 0, pen("#0a0a28", 0.5, down * (0.8 if up > 0.24 else 0.6)))


def _knit(c: skia.Canvas, up: float, down: float) -> None:
    for y in (0.0, 3.4):
        path = skia.Path()
        path.moveTo(0.3, y)
        path.lineTo(2.0, y + 2.0)
        path.lineTo(3.7, y)
        c.drawPath(path, pen("#120c20", 0.55, down * 1.15))
        c.drawLine(0.5, y - 0.9, 1.9, y + 0.7, pen("#ffffff", 0.55, up * 1.1))


def _speckle(count: int, size: float, seed: int, strength: float):
    spots = np.random.default_rng(seed).random((count, 3))

    def draw(c: skia.Canvas, up: float, down: float) -> None:
        for x, y, k in spots:
            light = k < 0.5
            paint = pen(
                "#ffffff" if light else "#120c20",
                size,
                min((up if light else down) * strength, 1.0),
            )
            c.drawLine(x * 24, y * 24, x * 24 + 1.3 * (k - 0.3), y * 24 + 0.7, paint)

    return draw


def _quilted(c: skia.Canvas, up: float, down: float) -> None:
    # on dark cloth a highlight as strong as on light cloth reads as a stripe of another colour
    dark = up > 0.24
    shine = 0.17 if dark else up * 1.5
    paint = skia.Paint(
        Shader=skia.GradientShader.MakeLinear(
            [skia.Point(0, 0), skia.Point(0, 11)],
            [
                color4("#0f0a24", 0.30),
                color4("#ffffff", 0.04),
                color4("#ffffff", shine),
                color4("#ffffff", 0.0),
                color4("#0f0a24", 0.0),
                color4("#0f0a24", down * 1.6),
            ],
            [0.0, 0.12, 0.28, 0.46, 0.66, 1.0],
        )
    )
    c.drawRect(skia.Rect(0, 0, 12, 11), paint)
    c.drawLine(0, 0.4, 12, 0.4, pen("#0f0a1c", 0.8, 0.6 if dark else 0.42))


def _weave(step: float, strength: float):
    def draw(c: skia.Canvas, up: float, down: float) -> None:
        for k in (0, 1):
            a, b = k * step, (1 - k) * step
            c.drawLine(a, b + step * 0.5, a + step, b + step * 0.5,
                       pen("#1a0f05", step * 0.28, down * strength))  # fmt: skip
            c.drawLine(b + step * 0.5, b, b + step * 0.5, b + step,
                       pen("#ffffff", step * 0.28, up * strength))  # fmt: skip

    return draw


def _linen(c: skia.Canvas, up: float, down: float) -> None:
    for k, (x, y) in enumerate(np.random.default_rng(5).random((14, 2)) * 20):
        tone, alpha = ("#ffffff", up) if k % 2 else ("#20160a", down * 0.9)
        if k % 3:
            c.drawLine(x, y, x + 5, y, pen(tone, 0.45, alpha))
        else:
            c.drawLine(x, y, x, y + 5, pen(tone, 0.45, alpha))


TEXTURES = {
    "denim": (4, 4, _denim),
    "knit": (4, 6.75, _knit),
    "wool": (24, 24, _speckle(110, 0.45, 3, 0.62)),
    "suede": (24, 24, _speckle(150, 0.4, 4, 0.5)),
    "quilted": (12, 11, _quilted),
    "straw": (6, 6, _weave(3.0, 1.5)),
    "canvas": (3, 3, _weave(1.5, 0.7)),
    "linen": (20, 20, _linen),
}
