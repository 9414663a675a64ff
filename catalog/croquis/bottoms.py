"""Trousers, shorts and skirts."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cuts import HEM_F, LEG_EASE, add_trousers, hem_level, levels
from catalog.croquis.paints import brush
from catalog.croquis.tailor import Job, line, smooth, unit
from catalog.croquis.trims import buttons, stitches, trim


def bottom(job: Job) -> None:
    """Trousers, shorts and skirts."""
    if "skirt" in job.shape.category:
        _skirt(job)
    else:
        _trousers(job)


def _waist_points(job: Job, t0: float, ease: float) -> dict:
    body = job.body
    return {s: [body.edge(s, t0, ease * 0.6), body.edge(s, 0.83, ease)] for s in (-1, 1)}


def _trousers(job: Job) -> None:
    shape, body, u = job.shape, job.body, job.body.u
    cat = shape.category
    fit = shape.fit
    t0 = 0.72
    long = 1.90 if fit != "loose" else 1.97
    f_end = {"thigh": 0.46, "knee": 0.90, "calf": 1.45}.get(shape.length, long)
    f_end = min(f_end, job.tucked_f)
    extra = 0.0
    if cat == "leggings":
        extra = -0.8
    elif cat == "shorts":
        extra = 2.0
    elif cat == "trousers":
        extra = 0.8
    start = _waist_points(job, t0, LEG_EASE[fit][0])
    path = skia.Path()
    path.moveTo(*map(float, start[-1][0]))
    chains, crotch = add_trousers(path, body, fit, f_end, start, extra)
    a, b = start[-1][0], start[1][0]
    sag = (a + b) / 2 - body.up * 2.2 * u
    path.quadTo(*map(float, (*sag, *a)))
    path.close()
    path = body.draped(path, 0.0, LEG_EASE[fit][0] + extra)
    job.fill(path, folds=2 if fit == "slim" else 3)
    leg_shade(job, path, chains, crotch)
    mid = (a + b) / 2 - body.up * 1.1 * u
    with job.sheet.clipped(path):
        inner_a, inner_b = chains[-1][1], chains[1][1]
        if inner_a[-1][0] > inner_b[-1][0] - 1.0:
            job.seam(line(crotch, *inner_a), 1.0)
        if cat != "leggings":
            job.seam(line(mid, crotch), 0.9)
        drop = -body.up * (5.0 if cat != "leggings" else 6.5) * u
        job.seam(line(a + drop, sag + drop, b + drop, curved=True), 0.9)
        denim = job.cloth.material == "denim"
        for s in (-1, 1):
            p0 = body.edge(s, 0.78, 0) * 0.52 + body.at(0.78) * 0.48
            p1 = body.edge(s, 0.96, 2.5)
            if cat == "leggings":
                continue
            if denim:
                mid_p = p0 * 0.45 + p1 * 0.55 - body.up * 3.0 * u - s * body.across * 2.2 * u
                job.mark(line(p0, mid_p, p1, curved=True), 1.0)
                off = -body.up * 1.6 * u - s * body.across * 0.8 * u
                stitches(job.sheet, line(p0 + off, mid_p + off, p1 + off, curved=True), job.cloth)
            else:
                job.mark(line(p0 * 0.6 + p1 * 0.4, p1), 1.0)
            outer, inner = chains[s]
            if cat == "trousers":
                crease = [(o + i) / 2 for o, i in zip(outer[1:], inner, strict=True)]
                job.mark(line((outer[0] + crotch) / 2, *crease, curved=True), 0.8, 0.6)
            hem_lift = -unit(outer[-1] - outer[-2]) * (3.0 if cat != "leggings" else 2.2) * u
            hem = line(outer[-1] + hem_lift, inner[-1] + hem_lift)
            if denim:
                stitches(job.sheet, hem, job.cloth)
                side = [o * 0.86 + i * 0.14 for o, i in zip(outer[1:], inner, strict=True)]
                stitches(job.sheet, line(*side, curved=True), job.cloth, 0.55)
            elif cat != "trousers":
                job.mark(hem, 0.7, 0.6)
        if denim:
            x = body.across * 3.4 * u
            fly = line(mid + drop + x, crotch + body.up * 9 * u + x, crotch + body.up * 4.0 * u,
                       curved=True)  # fmt: skip
            stitches(job.sheet, fly, job.cloth)
            buttons(job.sheet, [mid + drop * 0.5], job.cloth, 1.2 * u)
        if cat == "trousers":
            buttons(job.sheet, [mid + drop * 0.5], job.cloth, 0.9 * u)
    trim(job.sheet, path, job.cloth, mid, crotch + body.down * 0.35, body.fig.half["hip"])


def leg_shade(job: Job, path: skia.Path, chains, crotch: np.ndarray) -> None:
    """The leg nearer the light has a shadow side of its own."""
    if not job.sheet.draws_picture:
        return
    outer, inner = chains[-1]
    shadow = skia.Path()
    points = [crotch]
    points += [o * 0.30 + i * 0.70 for o, i in zip(outer[1:], inner, strict=True)]
    shadow.moveTo(*map(float, points[0]))
    smooth(shadow, points)
    for p in inner[::-1]:
        shadow.lineTo(*map(float, p + np.array([1.5, 0])))
    shadow.close()
    with job.sheet.clipped(path):
        job.sheet.paint(lambda c: c.drawPath(shadow, brush("#1b1440", 0.15)))


def _skirt(job: Job) -> None:
    shape, body, u = job.shape, job.body, job.body.u
    cat = shape.category
    t0 = 0.70
    grow, flare = {
        "mini skirt": (2.5, 9.0),
        "midi skirt": (3.0, 8.5),
        "pencil skirt": (2.6, -0.6),
    }[cat]
    own = {"mini skirt": 0.50, "midi skirt": HEM_F["calf"], "pencil skirt": 1.0}[cat]
    f_end = hem_level(shape, own)
    chains = {}
    for s in (-1, 1):
        k = 0 if s < 0 else 1
        chains[s] = [body.edge(s, t0, 1.2), body.edge(s, 0.85, 1.8), body.edge(s, 1.0, 2.4)]
        chains[s] += [body.skirt(f, grow, flare)[k] for f in levels(f_end, body)]
    a, b = chains[-1], chains[1]
    path = skia.Path()
    path.moveTo(*map(float, a[0]))
    smooth(path, a)
    hem = 3.5 if cat != "pencil skirt" else 1.6
    wavy_hem(path, a[-1], b[-1], hem * u, waves=3 if cat == "midi skirt" else 0)
    smooth(path, b[::-1])
    sag = (a[0] + b[0]) / 2 - body.up * 2.0 * u
    path.quadTo(*map(float, (*sag, *a[0])))
    path.close()
    path = body.draped(path, f_end, grow)
    job.fill(path, folds=2)
    drop = -body.up * 5.0 * u
    mid = (a[0] + b[0]) / 2
    with job.sheet.clipped(path):
        job.seam(line(a[0] + drop, sag + drop, b[0] + drop, curved=True), 0.9)
        if cat == "midi skirt":
            pleats(job, a, b, 7)
        elif cat == "mini skirt":
            if job.cloth.material == "denim":
                job.mark(line(mid + drop, (a[-1] + b[-1]) / 2), 0.8)
                stitches(job.sheet, line(mid + drop + body.across * 1.6,
                                         (a[-1] + b[-1]) / 2 + body.across * 1.6),
                         job.cloth)  # fmt: skip
            else:
                pleats(job, a, b, 4)
        else:
            for side in (-0.35, 0.35):
                p = mid + (b[0] - a[0]) / 2 * side
                job.mark(line(p + drop, p - body.up * 16 * u + body.across * side * 4), 0.8, 0.7)
            slit = (a[-1] + b[-1]) / 2 + (b[-1] - a[-1]) * 0.22
            job.seam(line(slit - np.array([1.0, 20.0 * u]), slit + np.array([0, 4])), 1.0)
    trim(job.sheet, path, job.cloth, mid, (a[-1] + b[-1]) / 2, body.fig.half["hip"])


def wavy_hem(path: skia.Path, a: np.ndarray, b: np.ndarray, sag: float, waves: int = 0) -> None:
    """From the left end ``a`` to the right end ``b`` of a hem."""
    if not waves:
        low = (a + b) / 2 + np.array([0.0, 2 * sag])
        path.quadTo(*map(float, (*low, *b)))
        return
    for k in range(1, waves + 1):
        t0, t1 = (k - 0.5) / waves, k / waves
        dip = 4 * sag * t0 * (1 - t0) + sag * 0.95
        end = 4 * sag * t1 * (1 - t1)
        p, q = a * (1 - t0) + b * t0, a * (1 - t1) + b * t1
        path.quadTo(float(p[0]), float(p[1] + dip), float(q[0]), float(q[1] + end))


def pleats(job: Job, a: list, b: list, count: int) -> None:
    """Soft pleats from the waist to the hem (picture only)."""
    if not job.sheet.draws_picture:
        return
    for n in range(count):
        k = (n + 0.7) / (count + 0.4)
        points = [p * (1 - k) + q * k for p, q in zip(a[1:], b[1:], strict=True)]
        points[-1] = points[-1] + np.array([0, 3.0])
        start = 1 if n % 2 else 0
        job.mark(line(*points[start:], curved=True), 0.8, 0.5)
