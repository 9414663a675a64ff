"""Tops: what lies between the neckline and the hem."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.collars import neck_finish, shirt_collar
from catalog.croquis.cuts import NECKS, ease_of, hem_mid, straightness, upper_path
from catalog.croquis.outerwear import open_fronts
from catalog.croquis.tailor import Job, line
from catalog.croquis.trims import buttons, trim


def top(job: Job) -> None:
    """The body of a top (its sleeves come with the arms)."""
    shape, body = job.shape, job.body
    cat = shape.category
    if shape.open and cat == "shirt":
        open_fronts(job, 1.04, ())
        shirt_collar(job, spread=1.4)
        return
    kind, wide, deep = NECKS[cat]
    t_end = {"crop": 0.66, "hip": 1.02}.get(shape.length, 1.1)
    ribbed = cat in ("sweater", "turtleneck", "hoodie")
    ease = ease_of(job)
    hem = 2.2 if ribbed else 3.0
    straight = straightness(shape) if not job.under else 0.1
    if cat == "blouse":
        t_end, straight = min(t_end, 1.0), 0.3
    if job.tucked:
        t_end, straight, ribbed = min(t_end, 0.76), min(straight, 0.35), False
    path = upper_path(body, shape, kind=kind, wide=wide, deep=deep, t_end=t_end, ease=ease,
                      straight=straight, sleeveless=shape.sleeves == "none", hem=hem,
                      strap=7.0)  # fmt: skip
    job.fill(path, folds=3 if shape.fit != "slim" else 2)
    low = hem_mid(job, t_end, hem)
    neck = body.at(0.02)
    with job.sheet.clipped(path):
        if ribbed:
            _rib_hem(job, t_end, ease, straight, hem)
        if cat in ("shirt", "polo shirt"):
            start = body.at(deep)
            stop = low if cat == "shirt" else body.at(0.30)
            job.seam(line(start, stop), 0.9)
            job.mark(line(start + body.across * 3.2, stop + body.across * 3.2), 0.6, 0.45)
            count = 6 if cat == "shirt" else 2
            spots = [start + (stop - start) * (k + 0.45) / count for k in range(count)]
            buttons(job.sheet, [p + body.across * 1.6 * body.u for p in spots], job.cloth,
                    1.15 * body.u)  # fmt: skip
        if cat == "hoodie":
            _kangaroo(job, ease, straight)
        if cat == "t-shirt" or cat == "tank top":
            a, b = body.edge(-1, t_end, ease, straight), body.edge(1, t_end, ease, straight)
            lift = body.up * 2.6 * body.u
            job.mark(line(a + lift, low + lift, b + lift, curved=True), 0.6, 0.55)
    trim(job.sheet, path, job.cloth, neck, low, body.fig.half["chest"])
    neck_finish(job, cat, kind, wide, deep)


def _rib_hem(job: Job, t_end: float, ease: float, straight: float, hem: float) -> None:
    body = job.body
    a, b = body.edge(-1, t_end, ease, straight), body.edge(1, t_end, ease, straight)
    low = hem_mid(job, t_end, hem)
    lift = body.up * 6.5 * body.u
    job.seam(line(a + lift, low + lift, b + lift, curved=True), 0.9)
    if not job.sheet.draws_picture:
        return
    ribs = skia.Path()
    for k in np.linspace(0.06, 0.94, 15):
        p = a * (1 - k) + b * k + (low - (a + b) / 2) * (4 * k * (1 - k))
        ribs.moveTo(*map(float, p + lift * 0.9))
        ribs.lineTo(*map(float, p))
    job.mark(ribs, 0.6, 0.45)


def _kangaroo(job: Job, ease: float, straight: float) -> None:
    body = job.body
    w = body.fig.half["waist"] * 0.62 + 2 * body.u
    c0, c1 = body.at(0.66), body.at(0.93)
    x = body.across * w
    pocket = line(c1 - x * 1.35, c0 + (c1 - c0) * 0.45 - x * 1.3, c0 - x * 0.72, c0 + x * 0.72,
                  c0 + (c1 - c0) * 0.45 + x * 1.3, c1 + x * 1.35)  # fmt: skip
    job.seam(pocket, 1.0)
