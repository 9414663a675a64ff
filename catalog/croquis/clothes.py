"""Tops, bottoms, one-pieces and outerwear: what each category is cut like."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import (
    Frame,
    brush,
    buttons,
    contour_color,
    detail_color,
    inside,
    mix,
    pen,
    stitches,
    trim,
    zip_line,
)
from catalog.croquis.tailor import (
    EASE,
    HEM_F,
    LEG_EASE,
    SLEEVE_F,
    Job,
    add_trousers,
    blob,
    line,
    neck_chain,
    polygon,
    sleeve_path,
    smooth,
    straightness,
    torso_chain,
    unit,
    upper_path,
)
from catalog.garment import CATEGORIES

_NECKS = {  # kind, wide, deep
    "t-shirt": ("crew", 2.0, 1.0),
    "tank top": ("crew", 8.0, 14.0),
    "shirt": ("v", 0.0, 0.10),
    "blouse": ("v", 3.0, 0.17),
    "polo shirt": ("v", 1.0, 0.15),
    "sweater": ("crew", 2.0, 1.0),
    "turtleneck": ("crew", 0.0, -3.0),
    "hoodie": ("crew", 2.0, 3.0),
    "mini dress": ("crew", 6.0, 8.0),
    "midi dress": ("v", 6.0, 0.24),
    "maxi dress": ("crew", 10.0, 15.0),
    "jumpsuit": ("v", 2.0, 0.17),
    "coat": ("v", 3.0, 0.34),
    "trench coat": ("v", 3.0, 0.30),
    "raincoat": ("crew", 1.5, 1.0),
    "puffer jacket": ("crew", 0.0, -2.0),
    "denim jacket": ("v", 1.5, 0.14),
    "leather jacket": ("v", 2.5, 0.24),
    "blazer": ("v", 3.0, 0.50),
    "cardigan": ("v", 3.0, 0.44),
}
_COLLARED = ("shirt", "polo shirt", "jumpsuit", "coat", "trench coat", "denim jacket",
             "leather jacket", "blazer")  # fmt: skip
_LEVELS = (0.3, 0.62, 1.0, 1.3, 1.6, 1.88)
_EXTRA_EASE = {
    "coat": 4.0,
    "trench coat": 3.6,
    "raincoat": 3.5,
    "puffer jacket": 6.5,
    "denim jacket": 2.8,
    "leather jacket": 2.2,
    "blazer": 2.6,
    "cardigan": 2.4,
    "sweater": 1.6,
    "hoodie": 2.4,
    "turtleneck": 0.4,
    "shirt": 0.6,
    "blouse": 1.4,
}


def ease_of(job: Job) -> float:
    """Room of the whole garment in body units."""
    base = EASE[job.shape.fit]
    if job.shape.category == "puffer jacket":
        base *= 0.6
    return base + _EXTRA_EASE.get(job.shape.category, 0.0)


def _levels(f_end: float) -> list[float]:
    return [f for f in _LEVELS if f < f_end - 0.14] + [f_end]


def _pt(p: np.ndarray) -> skia.Point:
    return skia.Point(float(p[0]), float(p[1]))


def _hem_mid(job: Job, t: float, drop: float) -> np.ndarray:
    return job.body.at(t) - job.body.up * drop * job.body.u


# --- sleeves ----------------------------------------------------------------------------------


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
    path, (outer, inner) = sleeve_path(body, s, end, ease * tight, puff=puff, cuff=cuff,
                                        shoulder=ease)  # fmt: skip
    line_, halves = body.arm(s)
    half = (halves[0] + ease * tight * body.u) * 1.02
    a, b = line_[0], line_[1]
    way = unit(line_[2] - line_[1]) if end > 1.1 else unit(b - a)
    bent = end > 1.2 and float(np.dot(unit(b - a), way)) < 0.55
    job.fill(path, frame=job.limb_frame(a, b, half), folds=0 if bent else 1, shade=0.8,
             inner=True)  # fmt: skip
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
            for k in (0.25, 0.5, 0.75):
                job.mark(line(o * (1 - k) + i * k, outer * (1 - k) + inner * k), 0.6, 0.5)
    if cat in ("coat", "blazer"):
        spots = [inner + back * (2.5 + 3 * k) * body.u + (outer - inner) * 0.2 for k in range(2)]
        buttons(job.sheet, spots, job.cloth, 0.9 * body.u)
    if job.cloth.trim == "piping" and job.cloth.colors[1:]:
        job.sheet.paint(
            lambda c: c.drawPath(line(outer, inner), pen(job.cloth.colors[1], 1.8))
        )


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
        job.mark(line(crook, line_[1] + (v0 * k + v1 * k) * half - inward * half * 0.15), 0.9, 0.7)


# --- tops -------------------------------------------------------------------------------------


def top(job: Job) -> None:
    """The body of a top (its sleeves come with the arms)."""
    shape, body = job.shape, job.body
    cat = shape.category
    if shape.open and cat == "shirt":
        open_fronts(job, 1.04, ())
        shirt_collar(job, spread=1.4)
        return
    kind, wide, deep = _NECKS[cat]
    t_end = {"crop": 0.66, "hip": 1.02}.get(shape.length, 1.1)
    ribbed = cat in ("sweater", "turtleneck", "hoodie")
    ease = ease_of(job)
    hem = 2.2 if ribbed else 3.0
    straight = straightness(shape)
    if cat == "blouse":
        t_end, straight = 1.0, 0.3
    path = upper_path(body, shape, kind=kind, wide=wide, deep=deep, t_end=t_end, ease=ease,
                      straight=straight, sleeveless=shape.sleeves == "none", hem=hem,
                      strap=7.0)  # fmt: skip
    job.fill(path, folds=3 if shape.fit != "slim" else 2)
    low = _hem_mid(job, t_end, hem)
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
    _neck_finish(job, cat, kind, wide, deep)


def neck_back(job: Job) -> None:
    """The inside of the back, seen through an empty neckline (product photos)."""
    body, cat = job.body, job.shape.category
    kind, wide, deep = _NECKS[cat]
    rise = 5.0 if cat in _COLLARED else -0.6
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


def _rib_hem(job: Job, t_end: float, ease: float, straight: float, hem: float) -> None:
    body = job.body
    a, b = body.edge(-1, t_end, ease, straight), body.edge(1, t_end, ease, straight)
    low = _hem_mid(job, t_end, hem)
    lift = body.up * 6.5 * body.u
    job.seam(line(a + lift, low + lift, b + lift, curved=True), 0.9)
    for k in np.linspace(0.06, 0.94, 15):
        p = (a * (1 - k) + b * k) * 1.0
        sag = (low - (a + b) / 2) * float(4 * k * (1 - k))
        job.mark(line(p + sag + lift * 0.9, p + sag), 0.6, 0.45)


def _kangaroo(job: Job, ease: float, straight: float) -> None:
    body = job.body
    w = body.fig.half["waist"] * 0.62 + 2 * body.u
    c0, c1 = body.at(0.66), body.at(0.93)
    x = body.across * w
    pocket = line(c1 - x * 1.35, c0 + (c1 - c0) * 0.45 - x * 1.3, c0 - x * 0.72, c0 + x * 0.72,
                  c0 + (c1 - c0) * 0.45 + x * 1.3, c1 + x * 1.35)  # fmt: skip
    job.seam(pocket, 1.0)


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


def _neck_finish(job: Job, cat: str, kind: str, wide: float, deep: float) -> None:
    """Collars and neckbands of tops and one-pieces."""
    body, u = job.body, job.body.u
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
        path, (left, right) = neck_chain(body, kind, wide, deep)
        inner = skia.Path(path)
        shifted = neck_chain(body, kind, wide + band * 0.75, deep + band)[0]
        job.seam(shifted, 0.9)
        if cat == "sweater":
            with job.sheet.clipped(inner):
                pass
    elif kind == "v":
        left, right = body.neck_side(-1, wide + 2), body.neck_side(1, wide + 2)
        job.seam(line(left, body.at(deep + 0.035), right), 0.8)


def shirt_collar(job: Job, *, reach: float = 1.0, spread: float = 1.0) -> None:
    """Two pointed collar leaves around the neck."""
    body, u = job.body, job.body.u
    throat = body.at(0.035)
    back = [body.neck_side(-1, -0.5, 4.5), body.neck_side(1, -0.5, 4.5)]
    stand = line(body.neck_side(-1, 0, 0), back[0], (back[0] + back[1]) / 2 + body.up * 1.2 * u,
                 back[1], body.neck_side(1, 0, 0), throat)  # fmt: skip
    del stand
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
        for k in np.linspace(-0.8, 0.8, 7):
            job.mark(line(base + x * float(k) - y * 0.3, base + x * float(k) * 0.9 + y), 0.6, 0.5)


def _stand_collar(job: Job, s: int) -> None:
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


# --- bottoms ----------------------------------------------------------------------------------


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
    f_end = {"thigh": 0.46, "knee": 0.90}.get(shape.length, 1.90 if fit != "loose" else 1.97)
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
    job.fill(path, folds=2 if fit == "slim" else 3)
    _leg_shade(job, path, chains, fit, f_end)
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
    _side_stripe(job, path, chains)


def _side_stripe(job: Job, path: skia.Path, chains) -> None:
    """Piping runs down the outer seams of trousers."""
    del job, path, chains


def _leg_shade(job: Job, path: skia.Path, chains, fit: str, f_end: float) -> None:
    """Each leg has its own shadow side; the far thigh is lit by nothing."""
    if not job.sheet.draws_picture:
        return
    outer, inner = chains[-1]
    shadow = skia.Path()
    points = [o * 0.30 + i * 0.70 for o, i in zip(outer[1:], inner, strict=True)]
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
    f_end = HEM_F[shape.length]
    grow, flare = {
        "mini skirt": (2.5, 9.0),
        "midi skirt": (3.0, 8.5),
        "pencil skirt": (2.6, -0.6),
    }[cat]
    if cat == "mini skirt":
        f_end = 0.50
    elif cat == "pencil skirt":
        f_end = 1.0
    chains = {}
    for s in (-1, 1):
        k = 0 if s < 0 else 1
        chains[s] = [body.edge(s, t0, 1.2), body.edge(s, 0.85, 1.8), body.edge(s, 1.0, 2.4)]
        chains[s] += [body.skirt(f, grow, flare)[k] for f in _levels(f_end)]
    a, b = chains[-1], chains[1]
    path = skia.Path()
    path.moveTo(*map(float, a[0]))
    smooth(path, a)
    hem = 3.5 if cat != "pencil skirt" else 1.6
    _wavy_hem(path, a[-1], b[-1], hem * u, waves=3 if cat == "midi skirt" else 0)
    smooth(path, b[::-1])
    sag = (a[0] + b[0]) / 2 - body.up * 2.0 * u
    path.quadTo(*map(float, (*sag, *a[0])))
    path.close()
    job.fill(path, folds=2)
    drop = -body.up * 5.0 * u
    mid = (a[0] + b[0]) / 2
    with job.sheet.clipped(path):
        job.seam(line(a[0] + drop, sag + drop, b[0] + drop, curved=True), 0.9)
        if cat == "midi skirt":
            _pleats(job, a, b, 7)
        elif cat == "mini skirt":
            if job.cloth.material == "denim":
                job.mark(line(mid + drop, (a[-1] + b[-1]) / 2), 0.8)
                stitches(job.sheet, line(mid + drop + body.across * 1.6,
                                         (a[-1] + b[-1]) / 2 + body.across * 1.6),
                         job.cloth)  # fmt: skip
            else:
                _pleats(job, a, b, 4)
        else:
            for side in (-0.35, 0.35):
                p = mid + (b[0] - a[0]) / 2 * side
                job.mark(line(p + drop, p - body.up * 16 * u + body.across * side * 4), 0.8, 0.7)
            slit = (a[-1] + b[-1]) / 2 + (b[-1] - a[-1]) * 0.22
            job.seam(line(slit - np.array([1.0, 20.0 * u]), slit + np.array([0, 4])), 1.0)
    trim(job.sheet, path, job.cloth, mid, (a[-1] + b[-1]) / 2, body.fig.half["hip"])


def _wavy_hem(path: skia.Path, a: np.ndarray, b: np.ndarray, sag: float, waves: int = 0) -> None:
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


def _pleats(job: Job, a: list, b: list, count: int) -> None:
    """Soft pleats from the waist to the hem (picture only)."""
    if not job.sheet.draws_picture:
        return
    for n in range(count):
        k = (n + 0.7) / (count + 0.4)
        points = [p * (1 - k) + q * k for p, q in zip(a[1:], b[1:], strict=True)]
        points[-1] = points[-1] + np.array([0, 3.0])
        start = 1 if n % 2 else 0
        job.mark(line(*points[start:], curved=True), 0.8, 0.5)


# --- one-pieces -------------------------------------------------------------------------------


def onepiece(job: Job) -> None:
    """Dresses and jumpsuits."""
    shape, body, u = job.shape, job.body, job.body.u
    cat = shape.category
    kind, wide, deep = _NECKS[cat]
    bare = shape.sleeves == "none"
    if bare and cat in ("mini dress", "midi dress"):
        wide += 3.0
    if cat == "jumpsuit":
        _jumpsuit(job, kind, wide, deep, bare)
        return
    f_end = {"mini dress": 0.50, "midi dress": 1.50, "maxi dress": 1.93}[cat]
    grow, flare = {"mini dress": (3.0, 8.0), "midi dress": (3.0, 7.0), "maxi dress": (3.5, 7.0)}[
        cat
    ]
    knit = job.cloth.material == "knit" and False
    path, (left, right) = neck_chain(body, kind, wide, deep)
    chains = {}
    for s, begin in ((-1, left), (1, right)):
        strap = None
        if bare:
            strap = begin + unit(body.tip(s) - begin) * (4.2 if cat == "maxi dress" else 7.0) * u
        chains[s] = torso_chain(body, s, 1.3, 0.08, 0.98, strap=strap, arm=0.24 if bare else 0.21)
        chains[s] += [body.skirt(f, grow, flare)[0 if s < 0 else 1] for f in _levels(f_end)]
    a, b = chains[-1], chains[1]
    path.lineTo(*map(float, a[0]))
    if bare:
        dip = a[1] + (a[0] - a[1]) * 0.42 + body.across * 3.0 * u
        path.quadTo(*map(float, (*dip, *a[1])))
    else:
        path.lineTo(*map(float, a[1]))
    smooth(path, a[1:])
    _wavy_hem(path, a[-1], b[-1], 3.6 * u, waves=0 if cat == "mini dress" else 3)
    smooth(path, b[:0:-1])
    if bare:
        dip = b[1] + (b[0] - b[1]) * 0.42 - body.across * 3.0 * u
        path.quadTo(*map(float, (*dip, *b[0])))
    else:
        path.lineTo(*map(float, b[0]))
    path.close()
    job.fill(path, folds=2)
    t_waist = 0.66 if cat != "maxi dress" else 0.46
    wa, wb = body.edge(-1, t_waist, 1.4), body.edge(1, t_waist, 1.4)
    with job.sheet.clipped(path):
        sag = (wa + wb) / 2 - body.up * 1.6 * u
        job.seam(line(wa, sag, wb, curved=True), 1.0)
        if cat == "midi dress":
            lift = body.up * 4.5 * u
            job.seam(line(wa + lift, sag + lift, wb + lift, curved=True), 0.9)
        if not knit:
            lower = 5 if cat != "maxi dress" else 4
            if cat == "mini dress":
                _pleats(job, a[3:], b[3:], 5)
            else:
                _pleats(job, a[lower - 1 :], b[lower - 1 :], 7)
        if cat != "maxi dress":
            for s in (-1, 1):
                p = body.at(0.62, 0.5 * s)
                job.mark(line(p, body.at(0.42, 0.42 * s)), 0.7, 0.55)
    trim(job.sheet, path, job.cloth, body.at(0.05), body.at(t_waist), body.fig.half["chest"])
    _neck_finish(job, cat, kind, wide, deep)


def _jumpsuit(job: Job, kind: str, wide: float, deep: float, bare: bool) -> None:
    shape, body, u = job.shape, job.body, job.body.u
    path, (left, right) = neck_chain(body, kind, wide, deep)
    fit = "regular"
    chains = {}
    for s, begin in ((-1, left), (1, right)):
        strap = begin + unit(body.tip(s) - begin) * 8 * u if bare else None
        chains[s] = torso_chain(body, s, 2.6, 0.15, 0.86, strap=strap, arm=0.24 if bare else 0.21)
    a, b = chains[-1], chains[1]
    path.lineTo(*map(float, a[0]))
    if bare:
        dip = a[1] + (a[0] - a[1]) * 0.42 + body.across * 3.0 * u
        path.quadTo(*map(float, (*dip, *a[1])))
    else:
        path.lineTo(*map(float, a[1]))
    legs, crotch = add_trousers(path, body, fit, 1.88, {-1: a[1:], 1: b[1:]}, 1.0)
    if bare:
        dip = b[1] + (b[0] - b[1]) * 0.42 - body.across * 3.0 * u
        path.quadTo(*map(float, (*dip, *b[0])))
    else:
        path.lineTo(*map(float, b[0]))
    path.close()
    job.fill(path, folds=3)
    _leg_shade(job, path, legs, fit, 1.88)
    with job.sheet.clipped(path):
        for t in (0.63, 0.70):
            wa, wb = body.edge(-1, t, 3), body.edge(1, t, 3)
            job.seam(line(wa, (wa + wb) / 2 - body.up * 1.4 * u, wb, curved=True), 0.9)
        job.seam(line(body.at(deep), crotch), 0.9)
        stops = [body.at(deep + (0.60 - deep) * k / 3) for k in range(4)]
        buttons(job.sheet, [p + body.across * 1.8 * u for p in stops[1:]], job.cloth, 1.2 * u)
        for s in (-1, 1):
            p0, p1 = body.at(0.80, 0.62 * s), body.edge(s, 0.97, 2.5)
            job.mark(line(p0, p1), 1.0)
            outer, inner = legs[s]
            lift = -unit(outer[-1] - outer[-2]) * 3.2 * u
            job.mark(line(outer[-1] + lift, inner[-1] + lift), 0.7, 0.6)
            if job.cloth.material == "denim":
                stitches(job.sheet, line(*(o * 0.86 + i * 0.14 for o, i in
                                           zip(outer[1:], inner, strict=True)), curved=True),
                         job.cloth, 0.55)  # fmt: skip
                _flap_pocket(job, body.at(0.30, 0.5 * s), 5.0, 7.0)
    trim(job.sheet, path, job.cloth, body.at(0.05), body.at(0.6), body.fig.half["chest"])
    _neck_finish(job, "jumpsuit", kind, wide, deep)


# --- outerwear --------------------------------------------------------------------------------


def _coat_cut(job: Job) -> tuple[float, tuple[float, ...], float, float]:
    """Hem on the torso, leg levels, room at the hem and flare."""
    shape, cat = job.shape, job.shape.category
    if shape.length in ("crop", "hip"):
        return {"blazer": 1.14, "cardigan": 1.08, "puffer jacket": 1.06}.get(cat, 0.97), (), 0, 0
    f_end = HEM_F[shape.length]
    extra = {"slim": 2.5, "regular": 4.5, "loose": 7.0}[shape.fit]
    flare = {"trench coat": 8.0, "raincoat": 8.0, "coat": 4.0}.get(cat, 1.0)
    return 0.98, tuple(_levels(f_end)), extra + 2.0, flare


def outer_back(job: Job) -> None:
    """What hangs behind the legs of an open coat."""
    t_end, skirt, grow, flare = _coat_cut(job)
    if not job.shape.open or not skirt:
        return
    path = upper_path(job.body, job.shape, t_end=t_end, ease=ease_of(job), skirt=skirt,
                      grow=grow, flare=flare, hem=1.0)  # fmt: skip
    job.fill(path, cloth=inside(job.cloth))


def open_fronts(job: Job, t_end: float, skirt: tuple[float, ...], grow: float = 0.0,
                flare: float = 0.0) -> dict[int, list[np.ndarray]]:  # fmt: skip
    """Both fronts of a garment worn open; returns the opening edges from neck to hem."""
    body, cat = job.body, job.shape.category
    ease, straight = ease_of(job), straightness(job.shape)
    wide = _NECKS[cat][1]
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
    t_end, skirt, grow, flare = _coat_cut(job)
    kind, wide, deep = _NECKS[cat]
    if job.shape.open:
        rims = open_fronts(job, t_end, skirt, grow, flare)
        path = None
    else:
        path = _closed(job, t_end, skirt, grow, flare, kind, wide, deep)
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
    job.fill(path, folds=3 if cat != "puffer jacket" else 0)
    if skirt:
        left, right = body.skirt(skirt[-1], grow, flare)
        low = (left + right) / 2 + np.array([0, hem * u])
    else:
        low = _hem_mid(job, t_end, hem)
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
    if cat in ("sweater",):
        return
    if cat in ("coat", "blazer", "trench coat", "leather jacket"):
        for s in (-1, 1):
            _lapel(job, s, rims[s], cat, is_open)
    if cat == "denim jacket":
        shirt_collar(job, spread=1.5 if is_open else 1.15)
        for s in (-1, 1):
            _flap_pocket(job, body.at(0.33, 0.56 * s), 6.0, 8.5)
            a, b = body.at(0.235, 0.18 * s if not is_open else 0.42 * s), body.edge(s, 0.235, ease)
            job.mark(line(a, b), 0.9)
            stitches(job.sheet, line(a - body.up * 1.4, b - body.up * 1.4), job.cloth)
            a, b = body.at(0.42, 0.4 * s if not is_open else 0.55 * s), body.at(0.88, 0.28 * s if not is_open else 0.58 * s)
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
                _stand_collar(job, s)
            if not skirt:
                _band(job, s, t_end, 4.0, ease, straight, is_open)
            p = body.at(0.80, 0.55 * s if not is_open else 0.70 * s)
            job.mark(line(p, p - body.up * 9 * u + s * body.across * 4 * u), 1.2)
    elif cat == "raincoat":
        hood_front(job)
        for s in (-1, 1):
            _flap_pocket(job, body.at(0.97, 0.6 * s if not is_open else 0.78 * s), 7.0, 4.0, deep=0)
    elif cat == "cardigan":
        for s in (-1, 1):
            rim = rims[s]
            off = s * body.across * 4.2 * u
            points = [p + off * (1 if i else 0.7) for i, p in enumerate(rim)]
            if not is_open:
                points[-1] = body.at(_NECKS[cat][2] + 0.075, 0.0, 4.0 * s)
                points.append(_hem_mid(job, t_end, 2.4) + off)
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
    job.fill(polygon(tail, tail + body.across * 4 * u, tail + body.across * 7 * u - body.up * 20 * u,
                     tail + body.across * 2.5 * u - body.up * 22 * u))  # fmt: skip
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


def _flap_pocket(job: Job, top_: np.ndarray, w: float, h: float, deep: float = 1) -> None:
    """A patch pocket with a flap (picture only)."""
    body, u = job.body, job.body.u
    x, y = body.across * w * u, -body.up * u
    job.mark(line(top_ - x, top_ + x, top_ + x + y * 3, top_ + y * 5, top_ - x + y * 3, top_ - x),
             0.9)  # fmt: skip
    if deep:
        job.mark(line(top_ - x * 0.9 + y * 3, top_ - x * 0.85 + y * h, top_ + y * (h + 2),
                      top_ + x * 0.85 + y * h, top_ + x * 0.9 + y * 3), 0.7, 0.6)  # fmt: skip
    buttons(job.sheet, [top_ + y * 3], job.cloth, 0.8 * u)


__all__ = ["bottom", "detail_color", "onepiece", "outer", "outer_back", "sleeve", "top"]
