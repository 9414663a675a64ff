"""What each category is cut like: necklines, room, hems, and the outlines that follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import skia

from catalog.croquis.tailor import Body, Job, limb, smooth, unit
from catalog.garment import CATEGORIES, Shape

EASE = {"slim": 0.8, "regular": 2.8, "loose": 6.0}
"""Room between body and cloth in body units (1/328 of the height)."""

_STRAIGHT = {"slim": 0.15, "regular": 0.45, "loose": 0.85}

HEM_F = {"crop": 0.15, "hip": 0.25, "thigh": 0.52, "knee": 0.96, "calf": 1.55, "ankle": 1.88}
"""Hem levels along the leg: 0 hip joint, 1 knee, 2 ankle."""

SLEEVE_F = {"none": 0.0, "short": 0.58, "elbow": 0.98, "long": 1.94}


def hem_level(shape: Shape, own: float) -> float:
    """Where the hem runs: at the category's ``own`` level, unless it is worn longer or shorter."""
    comes_in = CATEGORIES[shape.category].lengths
    return own if shape.length in comes_in else HEM_F[shape.length]


def neck_chain(body: Body, kind: str, wide: float, deep: float) -> tuple[skia.Path, list]:
    """Start a path at the viewer's right neck point, run the neckline to the left one.

    Returns the path and both neck points ``[left, right]``. ``deep`` in units below the collarbone
    for round necks, torso level ``t`` for ``v``.
    """
    left, right = body.neck_side(-1, wide), body.neck_side(1, wide)
    path = skia.Path()
    path.moveTo(*map(float, right))
    if kind == "v":
        path.lineTo(*map(float, body.at(deep, 0.12 * body.turn)))
        path.lineTo(*map(float, left))
    else:
        low = body.neck - body.up * deep * body.u + body.across * 2 * body.turn * body.u
        sag = (low - (left + right) / 2) * 1.33
        path.cubicTo(*map(float, (*(right * 0.86 + left * 0.14 + sag),
                                  *(left * 0.86 + right * 0.14 + sag), *left)))  # fmt: skip
    return path, [left, right]


def torso_chain(
    body: Body,
    s: int,
    ease: float,
    straight: float,
    t_end: float,
    *,
    strap: np.ndarray | None = None,
    arm: float = 0.21,
) -> list[np.ndarray]:
    """Points of one side from the shoulder tip (or a strap's outer end) down to ``t_end``."""
    top = [body.tip(s, ease) if strap is None else strap]
    levels = [t for t in (arm, 0.34, 0.50, 0.66, 0.83, 1.0) if t < t_end - 0.06] + [t_end]
    return top + [body.edge(s, t, ease, straight) for t in levels]


def straightness(shape: Shape) -> float:
    return _STRAIGHT[shape.fit]


def upper_path(body: Body, shape: Shape, *, kind: str = "crew", wide: float = 2.0,
               deep: float = 1.5, t_end: float = 1.02, ease: float | None = None,
               straight: float | None = None, sleeveless: bool = False,
               skirt: Sequence[float] = (), grow: float = 2.0, flare: float = 0.0,
               strap: float = 7.0, hem: float = 3.0, hips: float = 0.0) -> skia.Path:  # fmt: skip
    """A top, dress or closed coat as one outline, hem curved down by ``hem`` units.

    ``skirt`` lists leg levels below the hips that the outline follows; the last is the hem.
    """
    ease = EASE[shape.fit] if ease is None else ease
    straight = straightness(shape) if straight is None else straight
    path, (left, right) = neck_chain(body, kind, wide, deep)
    chains = {}
    for s, start in ((-1, left), (1, right)):
        outer = None
        if sleeveless:
            outer = start + unit(body.tip(s) - start) * strap * body.u
        chains[s] = torso_chain(body, s, ease, straight, 0.98 if skirt else t_end, strap=outer,
                                arm=0.24 if sleeveless else 0.21)  # fmt: skip
        if hips:
            chains[s][-1] = chains[s][-1] + s * body.hips * hips * body.u
        for f in skirt:
            chains[s].append(body.skirt(f, grow, flare)[0 if s < 0 else 1])
    a, b = chains[-1], chains[1]
    path.lineTo(*map(float, a[0]))
    if sleeveless:
        dip = a[1] + (a[0] - a[1]) * 0.42 - body.across * -1 * 3.0 * body.u
        path.quadTo(*map(float, (*dip, *a[1])))
        smooth(path, a[1:])
    else:
        path.lineTo(*map(float, a[1]))
        smooth(path, a[1:])
    low = (a[-1] + b[-1]) / 2 + np.array([0.0, 2 * hem * body.u])
    path.quadTo(*map(float, (*low, *b[-1])))
    smooth(path, b[:0:-1])
    if sleeveless:
        dip = b[1] + (b[0] - b[1]) * 0.42 - body.across * 3.0 * body.u
        path.quadTo(*map(float, (*dip, *b[0])))
    else:
        path.lineTo(*map(float, b[0]))
    path.close()
    return path


LEG_EASE = {
    "slim": (1.2, 1.0, 2.0),
    "regular": (2.6, 4.2, 6.0),
    "loose": (4.0, 8.5, 12.5),
}


def trouser_chains(body: Body, fit: str, f_end: float, extra: float = 0.0):
    """Per side the outer edge (hip to hem) and inner edge (crotch to hem), and the crotch."""
    thigh, knee, ankle = LEG_EASE[fit]
    halves = [
        w + (e + extra) * body.u for w, e in zip(body.leg_half, (thigh, knee, ankle), strict=True)
    ]
    crotch = body.fig.mid_hip + body.down * 0.17
    fs = [f for f in (0.5, 1.0, 1.34, 1.7) if f < f_end - 0.12] + [f_end]
    out = {}
    for s in (-1, 1):
        left, right = limb(body.leg(s), halves, fs)
        outer, inner = (left, right) if s < 0 else (right, left)
        out[s] = [body.edge(s, 1.0, thigh + extra), *outer], inner
    return out, crotch


def add_trousers(path: skia.Path, body: Body, fit: str, f_end: float, start: dict,
                 extra: float = 0.0):  # fmt: skip
    """Run ``path`` from ``start[-1]`` (left points above the hip) around both legs to the right
    top point. Returns the chains for seams."""
    chains, crotch = trouser_chains(body, fit, f_end, extra)
    (outer_a, inner_a), (outer_b, inner_b) = chains[-1], chains[1]
    smooth(path, [*start[-1], *outer_a])
    path.lineTo(*map(float, inner_a[-1]))
    smooth(path, [*inner_a[::-1], crotch])
    smooth(path, [crotch, *inner_b])
    path.lineTo(*map(float, outer_b[-1]))
    smooth(path, [*outer_b[::-1], *start[1][::-1]])
    return chains, crotch


def sleeve_path(body: Body, s: int, f_end: float, ease: float, *, puff: float = 0.0,
                cuff: float = 0.0, shoulder: float = 2.0,
                bare: bool = True, armpit: float = 0.24) -> tuple[skia.Path, list]:  # fmt: skip
    """One sleeve from the shoulder seam to ``f_end``; ``puff`` widens its middle, ``cuff`` its end.

    Returns the path and the two cuff corners (outer, inner).
    """
    line_, (upper, elbow, wrist) = body.arm(s)
    e = ease * body.u
    halves = [upper + e, elbow + e * 1.05 + puff * body.u * 0.6, wrist + e * 0.85 + cuff * body.u]
    if f_end < 1.0:
        halves[1] = max(halves[1], upper + e * 1.15)
    inner_from = 0.42
    fs = [f for f in (0.22, 0.55, 0.85, 1.0, 1.2, 1.55) if f < f_end - 0.1] + [f_end]
    bent = float(np.dot(unit(line_[1] - line_[0]), unit(line_[2] - line_[1]))) < 0.8
    if puff and f_end > 1.2:
        fs[-1:-1] = [f_end - 0.09]
    left, right = limb(line_, halves, fs)
    if puff and f_end > 1.2:
        mid_l, mid_r = (left[-2] + right[-2]) / 2, (right[-2] - left[-2]) / 2
        swell = 1 + puff * body.u / max(float(np.hypot(*mid_r)), 1)
        left[-2], right[-2] = mid_l - mid_r * swell, mid_l + mid_r * swell
    outer, inner = (left, right) if s < 0 else (right, left)
    # inside a bent elbow neighbouring samples would cross
    skip = (0.85, 1.2) if bent and f_end > 1.3 else ()
    inner = [
        p
        for p, f in zip(inner, fs, strict=True)
        if f == f_end or (f >= inner_from and f not in skip)
    ]
    # over a bare arm the seam runs round the shoulder's ball, so that no skin shows inside of it
    ball = line_[0]
    end, neck = body.tip(s, shoulder), body.neck_side(s)
    top = end + unit(neck - end) * upper * 0.55
    room = shoulder * body.u
    tip = (
        ball
        + body.up * (upper * 0.60 + 0.30 * room)
        + s * body.across * (upper * 0.55 + 0.42 * room)
    )
    pit = body.edge(s, armpit, ease * 0.55)
    path = skia.Path()
    path.moveTo(*map(float, top))
    smooth(path, [top, tip, *outer])
    path.lineTo(*map(float, inner[-1]))
    smooth(path, [*inner[::-1], pit])
    inward = s * body.across * upper * (1.14 if bare else 0.62)
    low = ball - inward - body.up * upper * 0.9
    high = ball - inward + body.up * upper * 0.5
    path.cubicTo(*map(float, (*low, *high, *top)))
    path.close()
    return path, [outer[-1], inner[-1]]


NECKS = {  # kind, wide, deep
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

COLLARED = ("shirt", "polo shirt", "jumpsuit", "coat", "trench coat", "denim jacket",
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
    if job.under:
        return EASE["slim"] + 0.3 * _EXTRA_EASE.get(job.shape.category, 0.0)
    base = EASE[job.shape.fit]
    if job.shape.category == "puffer jacket":
        base *= 0.6
    return base + _EXTRA_EASE.get(job.shape.category, 0.0)


def levels(f_end: float, body: Body) -> list[float]:
    if body.astride and f_end < 1.05:
        return [0.1]  # the rest of a short skirt is draped over the thighs
    return [f for f in _LEVELS if f < f_end - 0.14] + [f_end]


def hem_mid(job: Job, t: float, drop: float) -> np.ndarray:
    return job.body.at(t) - job.body.up * drop * job.body.u
