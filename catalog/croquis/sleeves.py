"""Sleeves: drawn over an arm that is already there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import skia

from catalog.croquis.cuts import SLEEVE_F, ease_of, sleeve_path
from catalog.croquis.paints import pen
from catalog.croquis.tailor import Job, line, polygon, unit
from catalog.croquis.trims import buttons
from catalog.garment import CATEGORIES


def sleeve(job: Job, s: int) -> None:
    """One sleeve of ``job``'s garment, over the arm that is already there."""
    shape, body = job.shape, job.body
    if shape.sleeves == "none":
        return
    end = SLEEVE_F[shape.sleeves]
    rolled = job.rolled and shape.sleeves == "long"
    if rolled:
        end = 1.12
    ease, cat = ease_of(job), shape.category
    puff, cuff = 0.0, 0.0
    if cat == "blouse":
        puff = 3.4
    elif cat in ("hoodie", "sweater", "turtleneck", "puffer jacket", "cardigan") and not rolled:
        puff = {"puffer jacket": 1.6, "hoodie": 1.4}.get(cat, 0.8)
    elif cat in ("mini dress", "midi dress") and shape.sleeves == "long":
        puff = 1.6
    if shape.sleeves == "short":
        cuff = 0.6
    tight = 0.62 if CATEGORIES[cat].slot != "outerwear" else 0.66
    path, (outer, inner) = sleeve_path(
        body,
        s,
        end,
        ease * tight,
        puff=puff,
        cuff=cuff,
        shoulder=ease,
        bare=end < 1.5 and body.fig.pose.name != "flat",
    )
    line_, halves = body.arm(s)
    half = (halves[0] + ease * tight * body.u) * 1.02
    a, b = line_[0], line_[1]
    way = unit(line_[2] - line_[1]) if end > 1.1 else unit(b - a)
    bent = end > 1.2 and float(np.dot(unit(b - a), way)) < 0.8
    frame = job.limb_frame(a, b, half)
    if bent:
        frame = replace(frame, half=None, lie=0.0)
    job.fill(path, frame=frame, folds=0 if bent else 1, shade=0.8, inner=True)
    if bent:
        _forearm_shade(job, path, line_, half)
    elbow_ink(job, line_, half, end)
    # cuff
    back = -way
    if rolled:
        depth = 5.0
    elif cat in ("sweater", "turtleneck", "hoodie", "cardigan"):
        depth = 6.5
    elif cat in ("shirt", "blouse", "denim jacket") and shape.sleeves == "long":
        depth = 6.0
    elif cat in ("trench coat", "raincoat"):
        depth = 9.0
    elif shape.sleeves in ("short", "elbow"):
        depth = 2.4
    else:
        depth = 3.0 if cat not in ("coat", "blazer") else 0.0
    if rolled or (cat in ("trench coat",) and depth):
        grow = (outer - inner) * 0.07
        job.fill(
            polygon(outer + grow, inner - grow, inner - grow + back * depth * body.u,
                    outer + grow + back * depth * body.u),
            frame=job.limb_frame(a, b, half),
        )  # fmt: skip
    elif depth:
        o, i = outer + back * depth * body.u, inner + back * depth * body.u
        bulge = way * 0.8 * body.u
        job.seam(line(o, (o + i) / 2 + bulge, i, curved=True), 0.9)
        if cat in ("sweater", "turtleneck", "cardigan"):
            ribs = skia.Path()
            for k in (0.25, 0.5, 0.75):
                ribs.moveTo(*map(float, o * (1 - k) + i * k))
                ribs.lineTo(*map(float, outer * (1 - k) + inner * k))
            job.mark(ribs, 0.6, 0.5)
    if cat in ("coat", "blazer"):
        spots = [inner + back * (2.5 + 3 * k) * body.u + (outer - inner) * 0.2 for k in range(2)]
        buttons(job.sheet, spots, job.cloth, 0.9 * body.u)
    if job.cloth.trim == "piping" and job.cloth.colors[1:]:
        job.sheet.paint(lambda c: c.drawPath(line(outer, inner), pen(job.cloth.colors[1], 1.8)))


def _forearm_shade(job: Job, path: skia.Path, line_: np.ndarray, half: float) -> None:
    """Below a sharply bent elbow the light falls differently: shade the forearm's lower side."""
    a, b = line_[1], line_[2]
    way = unit(b - a)
    normal = np.array([-way[1], way[0]])
    if normal[1] < 0:
        normal = -normal
    with job.sheet.clipped(path):
        low = line(a + normal * half * 0.75, b + normal * half * 0.6)
        job.sheet.paint(lambda c: c.drawPath(low, pen("#1b1440", half * 0.7, 0.16)))


def elbow_ink(job: Job, line_: np.ndarray, half: float, end: float) -> None:
    """Two fold strokes in the crook of a bent elbow."""
    if end < 1.2:
        return
    v0, v1 = unit(line_[1] - line_[0]), unit(line_[2] - line_[1])
    turn = float(v0[0] * v1[1] - v0[1] * v1[0])
    if abs(turn) < 0.2:
        return
    inward = unit(v1 - v0)
    crook = line_[1] + inward * half * 0.75
    for k in (-0.25, 0.3):
        job.mark(line(crook, line_[1] + (v0 + v1) * k * half - inward * half * 0.1), 0.8, 0.55)
