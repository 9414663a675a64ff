"""Coats and jackets, open and closed."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import Frame, inside
from catalog.croquis.collars import flap_pocket, hood_front, roll_collar, shirt_collar, stand_collar
from catalog.croquis.cuts import (
    HEM_F,
    NECKS,
    ease_of,
    hem_mid,
    levels,
    straightness,
    torso_chain,
    upper_path,
)
from catalog.croquis.tailor import Job, line, polygon, smooth, unit
from catalog.croquis.trims import buttons, stitches, trim, zip_line


def coat_cut(job: Job) -> tuple[float, tuple[float, ...], float, float]:
    """Hem on the torso, leg levels, room at the hem and flare."""
    shape, cat = job.shape, job.shape.category
    if shape.length in ("crop", "hip"):
        return {"blazer": 1.14, "cardigan": 1.08, "puffer jacket": 1.06}.get(cat, 0.97), (), 0, 0
    f_end = HEM_F[shape.length]
    extra = {"slim": 2.5, "regular": 4.5, "loose": 7.0}[shape.fit]
    flare = {"trench coat": 8.0, "raincoat": 8.0, "coat": 4.0}.get(cat, 1.0)
    return 0.98, tuple(levels(f_end, job.body)), extra + 2.0, flare


def outer_back(job: Job) -> None:
    """What hangs behind the legs of an open coat."""
    t_end, skirt, grow, flare = coat_cut(job)
    if not job.shape.open or not skirt:
        return
    path = upper_path(job.body, job.shape, t_end=t_end, ease=ease_of(job), skirt=skirt,
                      grow=grow, flare=flare, hem=1.0)  # fmt: skip
    path = job.body.draped(path, HEM_F[job.shape.length], grow)
    job.fill(path, cloth=inside(job.cloth))


def open_fronts(job: Job, t_end: float, skirt: tuple[float, ...], grow: float = 0.0,
                flare: float = 0.0) -> dict[int, list[np.ndarray]]:  # fmt: skip
    """Both fronts of a garment worn open; returns the opening edges from neck to hem."""
    body, cat = job.body, job.shape.category
    ease, straight = ease_of(job), straightness(job.shape)
    wide = NECKS[cat][1]
    edges = {}
    for s in (-1, 1):
        chain = torso_chain(body, s, ease, straight, 0.98 if skirt else t_end)
        rim = [body.neck_side(s, wide), body.at(0.14, 0.30 * s), body.at(0.40, 0.44 * s),
               body.at(0.68, 0.56 * s)]  # fmt: skip
        if skirt:
            rim.append(body.at(1.0, 0.50 * s))
            for f in skirt:
                left, right = body.skirt(f, grow, flare)
                chain.append(left if s < 0 else right)
            last_l, last_r = body.skirt(skirt[-1], grow, flare)
            rim.append((last_l + last_r) / 2 + (last_r - last_l) * 0.28 * s + np.array([0, 4.0]))
        else:
            rim.append(body.at(t_end + 0.03, 0.52 * s))
        path = skia.Path()
        path.moveTo(*map(float, rim[0]))
        path.lineTo(*map(float, chain[0]))
        path.lineTo(*map(float, chain[1]))
        smooth(path, chain[1:])
        path.lineTo(*map(float, rim[-1]))
        smooth(path, rim[::-1])
        path.close()
        frame = job.frame()
        way = body.edge(s, 0.5, ease) - rim[2]
        half = float(np.hypot(*way)) * 0.62
        center = (body.edge(s, 0.5, ease) + rim[2]) / 2
        frame = Frame(float(center[0]), float(center[1]), frame.angle, frame.scale, half)
        job.fill(path, folds=2, frame=frame, shade=1.0 if s > 0 else 0.8)
        edges[s] = rim
        trim_path = path
        if job.cloth.trim in ("pockets", "patch", "studs", "piping", "chest stripe", "toggles"):
            a, b = body.at(0.02, 0.62 * s), body.at(min(t_end, 1.0), 0.75 * s)
            trim(job.sheet, trim_path, job.cloth, a, b, body.fig.half["chest"] * 0.6)
    return edges


def outer(job: Job) -> None:
    """The body of a coat or jacket, open or closed, with its collar."""
    body, cat = job.body, job.shape.category
    t_end, skirt, grow, flare = coat_cut(job)
    kind, wide, deep = NECKS[cat]
    if job.shape.open:
        rims = open_fronts(job, t_end, skirt, grow, flare)
    else:
        _closed(job, t_end, skirt, grow, flare, kind, wide, deep)
        rims = {}
        for s in (-1, 1):
            rims[s] = [body.neck_side(s, wide), body.at(deep)]
    _coat_details(job, rims, t_end, skirt, grow, flare)


def _closed(job: Job, t_end, skirt, grow, flare, kind, wide, deep) -> skia.Path:
    body, u, cat = job.body, job.body.u, job.shape.category
    hem = 2.4
    straight = straightness(job.shape)
    if cat in ("blazer", "trench coat"):
        straight *= 0.4
    elif cat == "puffer jacket":
        straight = max(straight, 0.75)
    path = upper_path(body, job.shape, kind=kind, wide=wide, deep=deep, t_end=t_end,
                      ease=ease_of(job), straight=straight, skirt=skirt, grow=grow, flare=flare,
                      hem=hem)  # fmt: skip
    if skirt:
        path = body.draped(path, HEM_F[job.shape.length], grow)
    job.fill(path, folds=3 if cat != "puffer jacket" else 0)
    if skirt:
        left, right = body.skirt(skirt[-1], grow, flare)
        low = (left + right) / 2 + np.array([0, hem * u])
    else:
        low = hem_mid(job, t_end, hem)
    start = body.at(deep) if kind == "v" else body.neck - body.up * deep * u
    with job.sheet.clipped(path):
        if cat == "leather jacket":
            a = body.at(deep, 0.0, -1.0)
            b = body.at(t_end, -0.30)
            job.seam(line(a, b), 1.0)
            zip_line(job.sheet, line(a, b), job.cloth)
        elif cat == "trench coat":
            off = body.across * 7.5 * u
            a = body.at(deep) + off * 0.0
            job.seam(line(a, body.at(deep + 0.12) + off, body.at(0.98) + off,
                          low + off), 1.0)  # fmt: skip
            spots = [body.at(t) + body.across * x * u for t in (0.42, 0.55, 0.84, 1.0)
                     for x in (-7, 4)]  # fmt: skip
            buttons(job.sheet, spots, job.cloth, 1.5 * u)
        else:
            off = body.across * (2.2 if cat in ("coat", "blazer", "denim jacket") else 0.0) * u
            waist = body.at(0.7) + off
            if cat == "blazer":
                cut = low + body.across * 8 * u
                job.seam(line(start, waist, low + off + body.up * 13 * u, cut, curved=True), 1.0)
            else:
                job.seam(line(start, waist, low + off), 1.0)
            if cat in ("puffer jacket", "raincoat") and job.cloth.trim != "buttons":
                if cat == "puffer jacket":
                    zip_line(job.sheet, line(start, waist, low), job.cloth)
            elif cat != "puffer jacket":
                stop = {"blazer": body.at(0.74), "coat": body.at(0.92)}.get(cat, low)
                count = {"blazer": 2, "coat": 3, "cardigan": 5, "denim jacket": 5}.get(cat, 4)
                first = start + (stop - start) * 0.06
                spots = [first + (stop - first) * k / max(count - 1, 1) * 0.97
                         for k in range(count)]  # fmt: skip
                size = 1.9 if cat in ("coat", "raincoat") else 1.3
                buttons(job.sheet, [p - body.across * 1.4 * u for p in spots], job.cloth, size * u)
        if cat == "raincoat":
            job.mark(line(start + body.across * 5 * u, low + body.across * 5 * u), 0.7, 0.5)
    trim(job.sheet, path, job.cloth, start, body.at(min(t_end, 1.0)), body.fig.half["chest"])
    return path


def _coat_details(job: Job, rims, t_end, skirt, grow, flare) -> None:
    body, u, cat = job.body, job.body.u, job.shape.category
    ease = ease_of(job)
    straight = straightness(job.shape)
    is_open = job.shape.open
    if cat in ("coat", "blazer", "trench coat", "leather jacket"):
        for s in (-1, 1):
            _lapel(job, s, rims[s], cat, is_open)
    if cat == "denim jacket":
        shirt_collar(job, spread=1.5 if is_open else 1.15)
        for s in (-1, 1):
            flap_pocket(job, body.at(0.33, 0.56 * s), 6.0, 8.5)
            a, b = body.at(0.235, 0.18 * s if not is_open else 0.42 * s), body.edge(s, 0.235, ease)
            job.mark(line(a, b), 0.9)
            stitches(job.sheet, line(a - body.up * 1.4, b - body.up * 1.4), job.cloth)
            a, b = (
                body.at(0.42, 0.4 * s if not is_open else 0.55 * s),
                body.at(0.88, 0.28 * s if not is_open else 0.58 * s),
            )
            job.mark(line(a, b), 0.8)
            stitches(job.sheet, line(a + s * body.across * 1.5, b + s * body.across * 1.5),
                     job.cloth)  # fmt: skip
            _band(job, s, t_end, 5.5, ease, straight, is_open)
    elif cat == "leather jacket":
        for s in (-1, 1):
            a, b = body.at(0.66, 0.52 * s if not is_open else 0.68 * s), body.at(0.78, 0.86 * s)
            zip_line(job.sheet, line(a, b), job.cloth)
            _band(job, s, t_end, 5.0, ease, straight, is_open)
            _epaulette(job, s, ease)
        if not is_open:
            buckle = body.at(t_end - 0.03, 0.1)
            job.mark(polygon(*(buckle + d for d in (np.array([-3, -2]), np.array([3, -2]),
                                                    np.array([3, 2]), np.array([-3, 2])))),
                     1.0)  # fmt: skip
    elif cat == "trench coat":
        for s in (-1, 1):
            _epaulette(job, s, ease)
        a, b = body.at(0.16, -0.2), body.edge(-1, 0.34, ease)
        job.seam(line(body.at(0.13, -0.62), b * 0.75 + body.at(0.36) * 0.25,
                      body.at(0.38, -0.34), curved=True), 0.9)  # fmt: skip
        if is_open:
            for s in (-1, 1):
                p = body.edge(s, 0.70, ease * 0.9)
                q = body.at(0.70, 0.58 * s)
                job.fill(polygon(p + body.up * 2.5 * u, q + body.up * 2.5 * u,
                                 q - body.up * 2.5 * u, p - body.up * 2.5 * u))  # fmt: skip
        else:
            _belt(job, ease)
        for s in (-1, 1):
            p = body.at(1.02, 0.55 * s if not is_open else 0.72 * s)
            job.mark(line(p + s * body.across * 2.5 * u, p - body.up * 13 * u
                          + s * body.across * 5.5 * u), 1.1)  # fmt: skip
    elif cat in ("coat", "blazer"):
        for s in (-1, 1):
            p = body.at(0.86 if cat == "blazer" else 0.98, 0.62 * s if not is_open else 0.76 * s)
            w = body.across * 6.5 * u
            flap = polygon(p - w, p + w, p + w - body.up * 3.6 * u, p - w - body.up * 3.6 * u)
            job.mark(flap, 0.9)
            if cat == "blazer":
                job.mark(line(body.at(0.34, 0.6 * s), body.at(0.8, 0.6 * s)), 0.6, 0.4)
        if cat == "blazer":
            p = body.at(0.30, 0.62)
            job.mark(line(p - body.across * 4.5 * u, p + body.across * 4.5 * u + body.up * u), 1.0)
    elif cat == "puffer jacket":
        if not is_open:
            roll_collar(job, 12.0)
        for s in (-1, 1):
            if is_open:
                stand_collar(job, s)
            if not skirt:
                _band(job, s, t_end, 4.0, ease, straight, is_open)
            p = body.at(0.80, 0.55 * s if not is_open else 0.70 * s)
            job.mark(line(p, p - body.up * 9 * u + s * body.across * 4 * u), 1.2)
    elif cat == "raincoat":
        hood_front(job)
        for s in (-1, 1):
            flap_pocket(job, body.at(0.97, 0.6 * s if not is_open else 0.78 * s), 7.0, 4.0, deep=0)
    elif cat == "cardigan":
        for s in (-1, 1):
            rim = rims[s]
            off = s * body.across * 4.2 * u
            points = [p + off * (1 if i else 0.7) for i, p in enumerate(rim)]
            if not is_open:
                points[-1] = body.at(NECKS[cat][2] + 0.075, 0.0, 4.0 * s)
                points.append(hem_mid(job, t_end, 2.4) + off)
            job.seam(line(*points, curved=is_open), 0.9)
            _band(job, s, t_end, 6.0, ease, straight, is_open)
            p = body.at(0.82, 0.58 * s if not is_open else 0.72 * s)
            w = body.across * 6.5 * u
            job.mark(line(p - w, p + w), 1.1)
            job.mark(line(p - w, p - w - body.up * 12 * u), 0.7, 0.5)
            job.mark(line(p + w, p + w - body.up * 12 * u), 0.7, 0.5)


def _band(job: Job, s: int, t_end: float, up: float, ease: float, straight: float,
          is_open: bool) -> None:  # fmt: skip
    """The seam of a waistband or ribbed hem on one side."""
    body = job.body
    lift = body.up * up * body.u
    a = body.edge(s, t_end, ease, straight) + lift
    b = body.at(t_end + 0.015, 0.52 * s if is_open else 0.0) + lift
    job.seam(line(a, b), 0.9)


def _belt(job: Job, ease: float) -> None:
    body, u = job.body, job.body.u
    a, b = body.edge(-1, 0.70, ease * 0.9), body.edge(1, 0.70, ease * 0.9)
    h = body.up * 3.0 * u
    sag = -body.up * 1.6 * u
    m = (a + b) / 2 + sag
    tail = m + body.across * 3 * u
    end = tail - body.up * 20 * u
    left, right = end + body.across * 2.5 * u - body.up * 2 * u, end + body.across * 7 * u
    job.fill(polygon(tail, tail + body.across * 4 * u, right, left))
    path = line(a + h)
    path.quadTo(*map(float, (*(m + h + sag), *(b + h))))
    path.lineTo(*map(float, b - h))
    path.quadTo(*map(float, (*(m - h + sag), *(a - h))))
    path.close()
    job.fill(path, inner=True)
    w, k = body.across * 3.4 * u, body.up * 4.2 * u
    job.seam(polygon(m - w + k, m + w + k, m + w - k, m - w - k), 1.2)


def _epaulette(job: Job, s: int, ease: float) -> None:
    body, u = job.body, job.body.u
    tip, base = body.tip(s, ease), body.neck_side(s, 9)
    way = unit(tip - base)
    n = np.array([-way[1], way[0]]) * 2.4 * u * s
    job.mark(line(tip - n * 0.2, base - n * 0.2, base + way * -2.5 * u + n * 0.8, base + n * 2,
                  tip + n * 2.0), 0.9)  # fmt: skip


def _lapel(job: Job, s: int, rim: list[np.ndarray], cat: str, is_open: bool) -> None:
    """A lapel with its notch and the collar above it."""
    body, u = job.body, job.body.u
    neck = body.neck_side(s, 0.5, 4.0)
    out = {"coat": 15.0, "trench coat": 16.0, "leather jacket": 15.5, "blazer": 12.5}[cat]
    if is_open:
        low = rim[2] * 0.55 + rim[3] * 0.45 if cat == "blazer" else rim[2]
        inner = [rim[0], rim[1]]
        notch = body.at(0.15, 0.30 * s, s * out * 0.45)
        tip = body.at(0.155, 0.30 * s, s * out * 0.80)
    else:
        low = rim[-1]
        inner = [rim[0]]
        notch = body.at(0.12, 0.0, s * (out * 0.66))
        tip = body.at(0.135, 0.0, s * out * 1.05)
    drop = -body.up * (5 if cat != "leather jacket" else 9) * u
    lapel = line(rim[0])
    for p in inner[1:]:
        lapel.lineTo(*map(float, p))
    lapel.lineTo(*map(float, low))
    bend = (low + tip + drop) / 2 + s * body.across * 2.5 * u
    lapel.quadTo(*map(float, (*bend, *(tip + drop))))
    lapel.lineTo(*map(float, notch))
    lapel.lineTo(*map(float, body.neck_side(s, 5.5, 0)))
    lapel.close()
    job.fill(lapel, shade=0.7, inner=True)
    # the collar's end stands above the notch
    collar = line(neck)
    collar.lineTo(*map(float, rim[0] - body.up * 2 * u))
    collar.lineTo(*map(float, notch))
    point = notch + (tip - notch) * 0.75 + body.up * 4.0 * u
    collar.lineTo(*map(float, point))
    collar.lineTo(*map(float, body.neck_side(s, 8.5, 0.5)))
    collar.close()
    job.fill(collar, shade=0.7, inner=True)
