"""Necklines, collars and hoods."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import inside
from catalog.croquis.cuts import COLLARED, NECKS, neck_chain
from catalog.croquis.paints import contour_color, mix, pen
from catalog.croquis.tailor import Job, blob, line
from catalog.croquis.trims import buttons


def neck_back(job: Job) -> None:
    """The inside of the back, seen through an empty neckline (product photos)."""
    body, cat = job.body, job.shape.category
    kind, wide, deep = NECKS[cat]
    rise = 5.0 if cat in COLLARED else -0.6
    if cat == "polo shirt" or cat == "shirt":
        deep = 0.12
    if job.shape.open:
        kind, deep = "v", 0.3
    path, (left, right) = neck_chain(body, kind, wide, deep)
    up = body.up * rise * body.u
    sag = (left + right) / 2 + up - body.up * (0.3 * wide + 2.0) * body.u
    path.lineTo(*map(float, left + up))
    path.quadTo(*map(float, (*sag, *(right + up))))
    path.close()
    job.fill(path, cloth=inside(job.cloth))


def hood_back(job: Job) -> None:
    """The hood lying on the shoulders, behind the neck."""
    body = job.body
    a, b = body.neck_side(-1, 8), body.neck_side(1, 8)
    u = body.u
    top_ = body.neck + body.up * 15 * u
    job.fill(
        blob(a, body.neck_side(-1, 2, 5), top_ - body.across * 5 * u, top_ + body.across * 5 * u,
             body.neck_side(1, 2, 5), b, body.neck),
        cloth=inside(job.cloth),
    )  # fmt: skip


def behind_head(job: Job) -> None:
    """What of a garment lies behind neck and hair: a hood."""
    if job.shape.category in ("hoodie", "raincoat"):
        hood_back(job)


def hood_front(job: Job) -> None:
    """The rim of a hood that lies back: two soft collars meeting at the throat."""
    body, u = job.body, job.body.u
    throat = body.at(0.09)
    for s in (-1, 1):
        rim = [
            throat + s * body.across * 0.4 * u,
            body.neck_side(s, 0.5, -4),
            body.neck_side(s, -1.5, 7),
            body.neck_side(s, 4, 6.5),
            body.neck_side(s, 9, 0.0),
            body.at(0.08, 0.0, s * 10),
        ]
        job.fill(blob(*[np.asarray(p) for p in rim]), shade=0.8, inner=True)


def _drawstrings(job: Job) -> None:
    body, u = job.body, job.body.u
    tone = mix(job.cloth.colors[0], "#ffffff", 0.65)

    def draw(canvas: skia.Canvas) -> None:
        for s in (-1, 1):
            a = body.at(0.10, 0.0, s * 3.2)
            b = a - body.up * 17 * u + body.across * s * 0.8
            canvas.drawPath(line(a, b), pen(contour_color(job.cloth.colors[0]), 2.0))
            canvas.drawPath(line(a, b), pen(tone, 1.1))

    job.sheet.paint(draw)


def neck_finish(job: Job, cat: str, kind: str, wide: float, deep: float) -> None:
    """Collars and neckbands of tops and one-pieces."""
    body = job.body
    if cat in ("shirt",):
        shirt_collar(job)
    elif cat == "polo shirt":
        shirt_collar(job, reach=0.85)
    elif cat == "jumpsuit":
        shirt_collar(job, spread=1.5)
    elif cat == "turtleneck":
        roll_collar(job, 11.5)
    elif cat == "hoodie":
        hood_front(job)
        _drawstrings(job)
    elif cat == "blouse":
        _bow(job, deep)
    elif kind == "crew" and cat in ("t-shirt", "sweater", "tank top", "mini dress", "maxi dress"):
        band = 3.4 if cat == "sweater" else 2.0
        shifted = neck_chain(body, kind, wide + band * 0.75, deep + band)[0]
        job.seam(shifted, 0.9)
    elif kind == "v":
        left, right = body.neck_side(-1, wide + 2), body.neck_side(1, wide + 2)
        job.seam(line(left, body.at(deep + 0.035), right), 0.8)


def shirt_collar(job: Job, *, reach: float = 1.0, spread: float = 1.0) -> None:
    """Two pointed collar leaves around the neck."""
    body, u = job.body, job.body.u
    throat = body.at(0.035)
    for s in (-1, 1):
        tip = body.at(0.105 * reach, 0.0, s * 9.5 * spread)
        leaf = skia.Path()
        high = body.neck_side(s, -0.8, 5.0)
        out = body.neck_side(s, 5.0, -0.5)
        leaf.moveTo(*map(float, throat + s * body.across * 0.3 * u * spread))
        leaf.quadTo(*map(float, (*(body.neck_side(s, -1.0, -2.0)), *high)))
        leaf.quadTo(*map(float, (*(body.neck_side(s, 3.0, 3.2)), *out)))
        leaf.lineTo(*map(float, tip))
        leaf.close()
        job.fill(leaf, shade=0.6, inner=True)


def roll_collar(job: Job, high: float) -> None:
    """A turtleneck's folded tube."""
    body, u = job.body, job.body.u
    w = body.fig.half["neck"] * 1.12 + 2.4 * u
    base = body.neck + body.up * 4.5 * u
    x, y = body.across * w, body.up * high * u
    path = skia.Path()
    path.moveTo(*map(float, base - x * 1.12))
    path.quadTo(*map(float, (*(base - x * 1.12 + y * 0.6), *(base - x * 0.94 + y))))
    path.quadTo(*map(float, (*(base + y * 0.72), *(base + x * 0.94 + y))))
    path.quadTo(*map(float, (*(base + x * 1.12 + y * 0.6), *(base + x * 1.12))))
    path.quadTo(*map(float, (*(base - y * 0.55), *(base - x * 1.12))))
    path.close()
    job.fill(path)
    with job.sheet.clipped(path):
        ribs = skia.Path()
        for k in np.linspace(-0.8, 0.8, 7):
            ribs.moveTo(*map(float, base + x * k - y * 0.3))
            ribs.lineTo(*map(float, base + x * k * 0.9 + y))
        job.mark(ribs, 0.6, 0.5)


def stand_collar(job: Job, s: int) -> None:
    """One half of a stand-up collar worn open."""
    body = job.body
    points = (body.at(0.12, 0.30 * s), body.neck_side(s, -1.0, 0), body.neck_side(s, -0.5, 8.5),
              body.neck_side(s, 4.0, 6.5), body.neck_side(s, 6.5, -0.5),
              body.at(0.14, 0.42 * s))  # fmt: skip
    job.fill(blob(*points), shade=0.7, inner=True)


def _bow(job: Job, deep: float) -> None:
    body, u = job.body, job.body.u
    knot = body.at(deep - 0.015)
    for s in (-1, 1):
        job.seam(line(body.neck_side(s, 5.0), body.at(deep + 0.03)), 0.9)
        tail = [knot, knot - body.up * 12 * u + s * body.across * 4 * u,
                knot - body.up * 25 * u + s * body.across * 3.0 * u,
                knot - body.up * 24 * u + s * body.across * 8.0 * u,
                knot - body.up * 10 * u + s * body.across * 6.5 * u]  # fmt: skip
        job.fill(blob(*tail), shade=0.7)
        loop = [knot, knot + body.up * 5 * u + s * body.across * 8 * u,
                knot + body.up * 2 * u + s * body.across * 13 * u,
                knot - body.up * 4.5 * u + s * body.across * 9 * u]  # fmt: skip
        job.fill(blob(*loop), shade=0.7)
    job.fill(blob(*[knot + d for d in (body.across * 2.4 * u, -body.up * 3 * u,
                                       -body.across * 2.4 * u, body.up * 3 * u)]))  # fmt: skip


def flap_pocket(job: Job, top_: np.ndarray, w: float, h: float, deep: float = 1) -> None:
    """A patch pocket with a flap (picture only)."""
    body, u = job.body, job.body.u
    x, y = body.across * w * u, -body.up * u
    job.mark(line(top_ - x, top_ + x, top_ + x + y * 3, top_ + y * 5, top_ - x + y * 3, top_ - x),
             0.9)  # fmt: skip
    if deep:
        job.mark(line(top_ - x * 0.9 + y * 3, top_ - x * 0.85 + y * h, top_ + y * (h + 2),
                      top_ + x * 0.85 + y * h, top_ + x * 0.9 + y * 3), 0.7, 0.6)  # fmt: skip
    buttons(job.sheet, [top_ + y * 3], job.cloth, 0.8 * u)
