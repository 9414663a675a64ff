"""Dresses and jumpsuits."""

from __future__ import annotations

from catalog.croquis.bottoms import leg_shade, pleats, wavy_hem
from catalog.croquis.collars import flap_pocket, neck_finish
from catalog.croquis.cuts import NECKS, add_trousers, hem_level, levels, neck_chain, torso_chain
from catalog.croquis.tailor import Job, line, smooth, unit
from catalog.croquis.trims import buttons, stitches, trim


def onepiece(job: Job) -> None:
    """Dresses and jumpsuits."""
    shape, body, u = job.shape, job.body, job.body.u
    cat = shape.category
    kind, wide, deep = NECKS[cat]
    bare = shape.sleeves == "none"
    if bare and cat in ("mini dress", "midi dress"):
        wide += 3.0
    if cat == "jumpsuit":
        _jumpsuit(job, kind, wide, deep, bare)
        return
    f_end = hem_level(shape, {"mini dress": 0.50, "midi dress": 1.50, "maxi dress": 1.93}[cat])
    grow, flare = {"mini dress": (3.0, 8.0), "midi dress": (3.0, 7.0), "maxi dress": (3.5, 7.0)}[
        cat
    ]
    path, (left, right) = neck_chain(body, kind, wide, deep)
    chains = {}
    for s, begin in ((-1, left), (1, right)):
        strap = None
        if bare:
            strap = begin + unit(body.tip(s) - begin) * (4.2 if cat == "maxi dress" else 7.0) * u
        chains[s] = torso_chain(body, s, 1.3, 0.08, 0.98, strap=strap, arm=0.24 if bare else 0.21)
        chains[s] += [body.skirt(f, grow, flare)[0 if s < 0 else 1] for f in levels(f_end, body)]
    a, b = chains[-1], chains[1]
    path.lineTo(*map(float, a[0]))
    if bare:
        dip = a[1] + (a[0] - a[1]) * 0.42 + body.across * 3.0 * u
        path.quadTo(*map(float, (*dip, *a[1])))
    else:
        path.lineTo(*map(float, a[1]))
    smooth(path, a[1:])
    wavy_hem(path, a[-1], b[-1], 3.6 * u, waves=0 if cat == "mini dress" else 3)
    smooth(path, b[:0:-1])
    if bare:
        dip = b[1] + (b[0] - b[1]) * 0.42 - body.across * 3.0 * u
        path.quadTo(*map(float, (*dip, *b[0])))
    else:
        path.lineTo(*map(float, b[0]))
    path.close()
    path = body.draped(path, f_end, grow)
    job.fill(path, folds=2)
    t_waist = 0.66 if cat != "maxi dress" else 0.46
    wa, wb = body.edge(-1, t_waist, 1.4), body.edge(1, t_waist, 1.4)
    with job.sheet.clipped(path):
        sag = (wa + wb) / 2 - body.up * 1.6 * u
        job.seam(line(wa, sag, wb, curved=True), 1.0)
        if cat == "midi dress":
            lift = body.up * 4.5 * u
            job.seam(line(wa + lift, sag + lift, wb + lift, curved=True), 0.9)
        lower = 5 if cat != "maxi dress" else 4
        if cat == "mini dress":
            pleats(job, a[3:], b[3:], 5)
        else:
            pleats(job, a[lower - 1 :], b[lower - 1 :], 7)
        if cat != "maxi dress":
            for s in (-1, 1):
                p = body.at(0.62, 0.5 * s)
                job.mark(line(p, body.at(0.42, 0.42 * s)), 0.7, 0.55)
    trim(job.sheet, path, job.cloth, body.at(0.05), body.at(t_waist), body.fig.half["chest"])
    neck_finish(job, cat, kind, wide, deep)


def _jumpsuit(job: Job, kind: str, wide: float, deep: float, bare: bool) -> None:
    body, u = job.body, job.body.u
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
    f_end = hem_level(job.shape, 1.88)
    legs, crotch = add_trousers(path, body, fit, f_end, {-1: a[1:], 1: b[1:]}, 1.0)
    if bare:
        dip = b[1] + (b[0] - b[1]) * 0.42 - body.across * 3.0 * u
        path.quadTo(*map(float, (*dip, *b[0])))
    else:
        path.lineTo(*map(float, b[0]))
    path.close()
    path = body.draped(path, 0.0, 3.0)
    job.fill(path, folds=3)
    leg_shade(job, path, legs, crotch)
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
                flap_pocket(job, body.at(0.30, 0.5 * s), 5.0, 7.0)
    trim(job.sheet, path, job.cloth, body.at(0.05), body.at(0.6), body.fig.half["chest"])
    neck_finish(job, "jumpsuit", kind, wide, deep)
