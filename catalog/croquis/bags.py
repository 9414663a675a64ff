"""Bags, and how they are carried."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import Frame
from catalog.croquis.paints import brush, pen
from catalog.croquis.tailor import Job, blob, line, polygon, unit
from catalog.croquis.trims import stitches, trim

BAG_SIZE = {"tote bag": (40, 44), "handbag": (42, 30), "backpack": (54, 70),
            "crossbody bag": (33, 24)}  # fmt: skip
"""Width and height in body units."""


def _strap(job: Job, path: skia.Path, width: float) -> None:
    """A strap: filled as part of the bag."""
    outline = skia.Path()
    pen("#000000", width * job.body.u).getFillPath(path, outline)
    box = path.getBounds()
    job.fill(outline, frame=Frame(box.centerX(), box.centerY(), 0, job.body.u**0.5), shade=0.6,
             ink=0.8)  # fmt: skip


def bag_body(job: Job, top: np.ndarray, tilt: float = 0.0, handle: float = 26.0) -> None:
    """The bag itself hanging from ``top`` (the middle of its upper edge)."""
    u, cat = job.body.u, job.shape.category
    w, h = BAG_SIZE[cat]
    rad = np.radians(tilt)
    x = np.array([np.cos(rad), np.sin(rad)]) * u
    y = np.array([-np.sin(rad), np.cos(rad)]) * u

    def at(px: float, py: float) -> np.ndarray:
        return top + x * px + y * py

    frame = Frame(float(top[0]), float(top[1]), tilt, u**0.7, w / 2 * u)
    if cat == "tote bag":
        loop = line(at(-w * 0.26, 2))
        loop.cubicTo(*map(float, (*at(-w * 0.20, -handle), *at(w * 0.20, -handle),
                                  *at(w * 0.26, 2))))  # fmt: skip
        _strap(job, loop, 2.6)
        body = line(at(-w * 0.46, 0), at(w * 0.46, 0), at(w * 0.52, h * 0.94), at(w * 0.46, h),
                    at(-w * 0.46, h), at(-w * 0.52, h * 0.94))  # fmt: skip
        body.close()
        job.fill(body, frame=frame, folds=2)
        with job.sheet.clipped(body):
            stitches(job.sheet, line(at(-w, 3.4), at(w, 3.4)), job.cloth)
        for s in (-1, 1):
            job.mark(polygon(*(at(s * w * 0.26 + a, 0.5 + b)
                               for a, b in ((-2, 0), (2, 0), (2, 6), (-2, 6)))), 0.8)  # fmt: skip
        trim(job.sheet, body, job.cloth, at(0, 2), at(0, h - 4), w / 2 * u)
    elif cat == "handbag":
        loop = line(at(-w * 0.24, 3))
        loop.cubicTo(*map(float, (*at(-w * 0.26, -handle), *at(w * 0.26, -handle),
                                  *at(w * 0.24, 3))))  # fmt: skip
        _strap(job, loop, 3.0)
        body = blob(at(-w * 0.38, 0), at(0, -0.5), at(w * 0.38, 0), at(w * 0.46, h * 0.5),
                    at(w * 0.50, h * 0.92), at(w * 0.40, h), at(-w * 0.40, h),
                    at(-w * 0.50, h * 0.92), at(-w * 0.46, h * 0.5))  # fmt: skip
        job.fill(body, frame=frame)
        flap = line(at(-w * 0.42, h * 0.10))
        flap.cubicTo(*map(float, (*at(-w * 0.36, h * 0.62), *at(w * 0.36, h * 0.62),
                                  *at(w * 0.42, h * 0.10))))  # fmt: skip
        job.seam(flap, 1.0)
        _clasp(job, at(0, h * 0.47), 2.6 * u)
        trim(job.sheet, body, job.cloth, at(0, 2), at(0, h), w / 2 * u)
    elif cat == "crossbody bag":
        if handle > 30:  # in a product photo: the strap lies in a loop above
            loop = line(at(-w * 0.42, 3))
            loop.cubicTo(*map(float, (*at(-w * 0.75, -handle), *at(w * 0.75, -handle),
                                      *at(w * 0.42, 3))))  # fmt: skip
            _strap(job, loop, 1.9)
        body = blob(at(-w * 0.46, 0.5), at(0, 0), at(w * 0.46, 0.5), at(w * 0.50, h * 0.5),
                    at(w * 0.40, h * 0.96), at(0, h), at(-w * 0.40, h * 0.96),
                    at(-w * 0.50, h * 0.5))  # fmt: skip
        job.fill(body, frame=frame)
        flap = line(at(-w * 0.48, h * 0.30))
        flap.quadTo(*map(float, (*at(0, h * 0.86), *at(w * 0.48, h * 0.30))))
        job.seam(flap, 1.0)
        _clasp(job, at(0, h * 0.58), 2.0 * u)
        trim(job.sheet, body, job.cloth, at(0, 2), at(0, h), w / 2 * u)
    else:
        _pack(job, at, w, h, frame)


def _clasp(job: Job, spot: np.ndarray, r: float) -> None:
    def draw(canvas: skia.Canvas) -> None:
        canvas.drawCircle(float(spot[0]), float(spot[1]), r, brush("#d6ae55"))
        canvas.drawCircle(float(spot[0]), float(spot[1]), r, pen("#5d431c", 0.8))

    job.sheet.paint(draw)


def _pack(job: Job, at, w: float, h: float, frame: Frame) -> None:
    loop = line(at(-5, 2))
    loop.cubicTo(*map(float, (*at(-5, -9), *at(5, -9), *at(5, 2))))
    _strap(job, loop, 2.4)
    for s in (-1, 1):
        side = line(at(s * w * 0.42, 12))
        side.cubicTo(*map(float, (*at(s * w * 0.66, 24), *at(s * w * 0.64, h * 0.8),
                                  *at(s * w * 0.44, h * 0.92))))  # fmt: skip
        _strap(job, side, 3.2)
    body = blob(
        at(-w * 0.30, 0.5),
        at(0, -1),
        at(w * 0.30, 0.5),
        at(w * 0.46, h * 0.22),
        at(w * 0.50, h * 0.60),
        at(w * 0.46, h * 0.95),
        at(w * 0.2, h),
        at(-w * 0.2, h),
        at(-w * 0.46, h * 0.95),
        at(-w * 0.50, h * 0.60),
        at(-w * 0.46, h * 0.22),
    )
    job.fill(body, frame=frame, folds=0)
    job.seam(line(at(-w * 0.40, h * 0.40), at(-w * 0.36, h * 0.13), at(0, h * 0.08),
                  at(w * 0.36, h * 0.13), at(w * 0.40, h * 0.40), curved=True), 0.9)  # fmt: skip
    pocket = blob(at(-w * 0.32, h * 0.54), at(0, h * 0.51), at(w * 0.32, h * 0.54),
                  at(w * 0.35, h * 0.74), at(w * 0.30, h * 0.92), at(0, h * 0.94),
                  at(-w * 0.30, h * 0.92), at(-w * 0.35, h * 0.74))  # fmt: skip
    job.fill(pocket, frame=frame, shade=0.7)
    job.seam(line(at(-w * 0.33, h * 0.63), at(w * 0.33, h * 0.63)), 0.9)
    trim(job.sheet, body, job.cloth, at(0, 4), at(0, h * 0.5), w / 2 * job.body.u)


def backpack_behind(job: Job) -> None:
    """The pack's edge behind shoulders and sides."""
    body, u = job.body, job.body.u
    c0, c1 = body.at(0.06), body.at(0.88)
    w0, w1 = body.fig.half["chest"] + 3 * u, body.fig.half["chest"] + 9 * u
    x = body.across
    path = blob(c0 - x * w0 * 0.6 + body.up * 13 * u, c0 + x * w0 * 0.6 + body.up * 13 * u,
                c0 + x * w0, body.at(0.5) + x * w1, c1 + x * w1 * 0.95, c1 - x * w1 * 0.95,
                body.at(0.5) - x * w1, c0 - x * w0)  # fmt: skip
    job.fill(path)


def backpack_straps(job: Job) -> None:
    """Both shoulder straps in front."""
    body = job.body
    for s in (-1, 1):
        a = body.neck_side(s, 9, 2.5)
        strap = line(a)
        strap.cubicTo(*map(float, (*body.at(0.16, 0.52 * s), *body.at(0.30, 0.62 * s),
                                   *body.edge(s, 0.50, 3.0))))  # fmt: skip
        _strap(job, strap, 5.0)


def crossbody_strap(job: Job) -> None:
    """The strap over the chest and the bag on the hip."""
    body, u = job.body, job.body.u
    a = body.neck_side(-1, 6, 2.0)
    end = body.edge(1, 0.96, -3.0)
    strap = line(a)
    strap.quadTo(*map(float, (*(body.at(0.45, 0.16)), *end)))
    _strap(job, strap, 2.8)
    bag_body(job, end + body.across * 4 * u - body.up * 0.5 * u, tilt=4.0)


def carried(job: Job) -> None:
    """Tote or handbag: from a hanging hand, in the crook of a bent arm, or on the shoulder."""
    body, u = job.body, job.body.u
    best, side = -1e9, 1
    for s in (1, -1):
        arm = body.arm(s)[0]
        score = float(arm[2][1] - arm[1][1]) + abs(float(arm[2][0] - body.neck[0])) * 0.3
        if score > best + 3:
            best, side = score, s
    arm = body.arm(side)[0]
    hangs = arm[2][1] - arm[1][1] > 0.10 * body.fig.height and not body.fig.pose.seated
    hangs = hangs and abs(arm[2][0] - body.neck[0]) > body.fig.half["hip"]
    if hangs:
        hand = arm[2] + unit(arm[2] - arm[1]) * 0.032 * body.fig.height
        gap = 17.0 if job.shape.category == "tote bag" else 14.0
        bag_body(job, hand + np.array([side * 2.0, gap]) * u, handle=gap * 1.32)
    elif job.shape.category == "handbag":
        crook = arm[1] + unit(arm[2] - arm[1]) * 9 * u
        bag_body(job, crook + np.array([side * 5.0, 12.0]) * u, handle=18.0)
    else:
        shoulder = body.tip(side, 3)
        top = body.edge(side, 0.52, 10.0)
        for k in (-1, 1):
            loop = line(shoulder + body.across * k * 2.5 * u * side)
            loop.quadTo(*map(float, (*(shoulder * 0.5 + top * 0.5 + side * body.across * 7 * u),
                                     *(top + np.array([k * 9.0 * u, 2.0])))))  # fmt: skip
            _strap(job, loop, 2.4)
        bag_body(job, top, tilt=-4.0 * side, handle=3.0)
