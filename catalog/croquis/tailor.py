"""The geometry clothes are cut from: body levels, limbs with ease, one piece of sewing work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import skia

from catalog.croquis.cloth import Frame, detail_color, fill_cloth, lightness, pen
from catalog.croquis.figure import Figure
from catalog.croquis.sheet import Sheet
from catalog.garment import Cloth, Shape

EASE = {"slim": 0.8, "regular": 2.8, "loose": 6.0}
"""Room between body and cloth in body units (1/328 of the height)."""
_STRAIGHT = {"slim": 0.15, "regular": 0.45, "loose": 0.85}
HEM_F = {"crop": 0.15, "hip": 0.25, "thigh": 0.52, "knee": 0.96, "calf": 1.55, "ankle": 1.88}
"""Hem levels along the leg: 0 hip joint, 1 knee, 2 ankle."""
SLEEVE_F = {"none": 0.0, "short": 0.58, "elbow": 0.98, "long": 1.94}
_TS = (0.21, 0.34, 0.50, 0.66, 0.83, 1.0)


def smooth(path: skia.Path, points: Sequence[np.ndarray]) -> None:
    """Continue ``path``, already at ``points[0]``, smoothly through the rest."""
    p = [(float(q[0]), float(q[1])) for q in points]
    p = [p[0], *p, p[-1]]
    for i in range(1, len(p) - 2):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = p[i - 1 : i + 3]
        path.cubicTo(
            x1 + (x2 - x0) / 6, y1 + (y2 - y0) / 6, x2 - (x3 - x1) / 6, y2 - (y3 - y1) / 6, x2, y2
        )


def line(*points: np.ndarray, curved: bool = False) -> skia.Path:
    """An open path through ``points``."""
    path = skia.Path()
    path.moveTo(float(points[0][0]), float(points[0][1]))
    if curved:
        smooth(path, points)
    else:
        for p in points[1:]:
            path.lineTo(float(p[0]), float(p[1]))
    return path


def polygon(*points: np.ndarray) -> skia.Path:
    """A closed path with straight sides."""
    path = line(*points)
    path.close()
    return path


def blob(*points: np.ndarray) -> skia.Path:
    """A closed smooth path."""
    path = line(points[0])
    n = len(points)
    q = [points[(k - 1) % n] for k in range(n + 3)]
    for i in range(1, n + 1):
        p0, p1, p2, p3 = q[i - 1], q[i], q[i + 1], q[i + 2] if i + 2 < len(q) else q[3]
        a, b = p1 + (p2 - p0) / 6, p2 - (p3 - p1) / 6
        path.cubicTo(*map(float, (*a, *b, *p2)))
    path.close()
    return path


def unit(v: np.ndarray) -> np.ndarray:
    return v / (float(np.hypot(v[0], v[1])) + 1e-9)


def limb(line_: np.ndarray, halves: Sequence[float], fs: Sequence[float]):
    """Both edges (viewer's left of a downward line first) at joint shares ``fs``: 0 first joint,
    1 second … with mitred corners, so that sharply bent elbows stay clean."""
    count = len(line_) - 1
    ways = [unit(line_[k + 1] - line_[k]) for k in range(count)]
    left, right = [], []
    for f in fs:
        k = min(int(f), count - 1)
        t = f - k
        spot = line_[k] * (1 - t) + line_[k + 1] * t
        half = halves[k] * (1 - t) + halves[k + 1] * t
        way = ways[k]
        if k and t < 0.08:
            way = unit(ways[k - 1] + ways[k])
            half /= max(float(np.dot(way, ways[k])), 0.78)
        normal = np.array([-way[1], way[0]]) * half
        left.append(spot + normal)
        right.append(spot - normal)
    return left, right


class Body:
    """A figure as a tailor measures it. Sides: -1 the viewer's left (the person's right)."""

    def __init__(self, fig: Figure) -> None:
        self.fig = fig
        j = fig.joint
        self.u = fig.height / 328.0
        # seen close, a pattern grows slower than its garment
        self.cloth_scale = self.u if self.u < 1.1 else 1.1 * (self.u / 1.1) ** 0.5
        self.neck = j["neck"]
        self.down = fig.mid_hip - self.neck
        self.across = unit(j["l_shoulder"] - j["r_shoulder"])
        self.up = np.array([self.across[1], -self.across[0]])
        self.hips = unit(j["l_hip"] - j["r_hip"])
        self.turn = fig.pose.turn
        self._sides = {t: fig.torso(t) for t in (*_TS, 0.12, 0.62, 0.7, 1.06)}
        self._legs = {
            s: np.array([j[f"{k}_hip"], j[f"{k}_knee"], j[f"{k}_ankle"]])
            for s, k in ((-1, "r"), (1, "l"))
        }
        self._arms = {
            s: np.array([j[f"{k}_shoulder"], j[f"{k}_elbow"], j[f"{k}_wrist"]])
            for s, k in ((-1, "r"), (1, "l"))
        }
        h = fig.half
        self.leg_half = (h["thigh"], h["knee"] * 1.12, h["ankle"])

    def at(self, t: float, side: float = 0.0, u: float = 0.0) -> np.ndarray:
        """On the torso at level ``t``, ``side`` half-widths across, then ``u`` units across."""
        left, right = self.torso(t)
        return (left + right) / 2 + (right - left) / 2 * side + self.across * (u * self.u)

    def torso(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        if t not in self._sides:
            self._sides[t] = self.fig.torso(t)
        return self._sides[t]

    def edge(self, s: int, t: float, grow: float = 0.0, straight: float = 0.0) -> np.ndarray:
        """The cloth's edge at level ``t``; ``straight`` fills the waist."""
        left, right = self.torso(t)
        half = float(np.hypot(*(right - left))) / 2
        if straight and 0.3 < t < 1.0:
            chest, hip = self.fig.half["chest"], self.fig.half["hip"]
            full = chest + (hip - chest) * (t - 0.3) / 0.7
            half += max(full - half, 0.0) * straight
        middle, way = (left + right) / 2, unit(right - left)
        return middle + way * s * (half + grow * self.u)

    def neck_side(self, s: int, wide: float = 0.0, rise: float = 0.0) -> np.ndarray:
        """Where neck and shoulder meet, ``wide`` units further out along the slope."""
        base = self.neck + s * self.across * self.fig.half["neck"] * 1.05 + self.up * 9.6 * self.u
        tip = self.tip(s)
        return base + unit(tip - base) * wide * self.u + self.up * rise * self.u

    def tip(self, s: int, grow: float = 0.0) -> np.ndarray:
        """The outer end of the shoulder seam."""
        shoulder, arm = self._arms[s][0], self.fig.half["arm"]
        return (
            shoulder
            + self.up * (arm * 0.84 + 0.4 * grow * self.u)
            + s * self.across * (arm * 0.12 + grow * self.u * 0.5)
        )

    def arm(self, s: int) -> tuple[np.ndarray, tuple[float, ...]]:
        h = self.fig.half
        return self._arms[s], (h["arm"], h["elbow"], h["wrist"])

    def leg(self, s: int) -> np.ndarray:
        return self._legs[s]

    def leg_point(self, s: int, f: float) -> np.ndarray:
        leg, k = self._legs[s], min(int(f), 1)
        return leg[k] * (1 - (f - k)) + leg[k + 1] * (f - k)

    def leg_width(self, f: float) -> float:
        k = min(int(f), 1)
        return self.leg_half[k] * (1 - (f - k)) + self.leg_half[k + 1] * (f - k)

    def skirt(self, f: float, grow: float, flare: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Both edges of a skirt at leg level ``f``: it covers both legs, plus ``grow`` units."""
        a, b = self.leg_point(-1, f), self.leg_point(1, f)
        half = self.leg_width(f) + (grow + flare * f) * self.u
        level = (a[1] + b[1]) / 2
        low, high = min(a[0], b[0]) - half, max(a[0], b[0]) + half
        # a swaying hem tilts with the feet, but much less than they do
        tilt = float(np.clip((b[1] - a[1]) * 0.25, -6, 6)) * (1 if a[0] < b[0] else -1)
        return np.array([low, level - tilt / 2]), np.array([high, level + tilt / 2])


@dataclass
class Job:
    """One garment being drawn: where, on whom, of what."""

    sheet: Sheet
    body: Body
    shape: Shape
    cloth: Cloth
    region: int
    seed: int = 0
    rolled: bool = False

    def fill(self, path: skia.Path, *, cloth: Cloth | None = None, frame: Frame | None = None,
             folds: int = 0, shade: float = 1.0, ink: float = 1.0,
             inner: bool = False) -> None:  # fmt: skip
        """A piece of this garment; ``inner`` pieces lie on another piece of the same cloth, and
        get a light line on dark cloth, where ink would not show."""
        fill_cloth(
            self.sheet,
            path,
            self.region,
            cloth or self.cloth,
            frame=frame or self.frame(),
            rng_seed=self.seed,
            folds=folds,
            shade=shade,
            ink=ink,
        )
        ground = (cloth or self.cloth).colors[0]
        if inner and self.sheet.draws_picture and lightness(ground) < 34:
            paint = pen(detail_color(ground), 0.8, 0.8)
            self.sheet.paint(lambda canvas: canvas.drawPath(path, paint))

    def seam(self, path: skia.Path, width: float = 1.0) -> None:
        """A line that belongs to the shape."""
        if not self.sheet.draws_picture:
            self.sheet.seam(path)
            return
        self.sheet.seam(path, pen(detail_color(self.cloth.colors[0]), width))

    def mark(self, path: skia.Path, width: float = 0.9, alpha: float = 0.85) -> None:
        """A line of the picture only."""
        if self.sheet.draws_picture:
            paint = pen(detail_color(self.cloth.colors[0]), width, alpha)
            self.sheet.paint(lambda canvas: canvas.drawPath(path, paint))

    def frame(self, scale: float = 1.0) -> Frame:
        """The cloth on the torso."""
        b = self.body
        way = b.down
        angle = float(np.degrees(np.arctan2(-way[0], way[1])))
        return Frame(float(b.neck[0]), float(b.neck[1]), angle, b.cloth_scale * scale)

    def limb_frame(self, a: np.ndarray, b: np.ndarray, half: float) -> Frame:
        """The cloth along a limb from ``a`` to ``b``."""
        way = b - a
        angle = float(np.degrees(np.arctan2(-way[0], way[1])))
        return Frame(float((a[0] + b[0]) / 2), float((a[1] + b[1]) / 2), angle,
                     self.body.cloth_scale, half)


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


def torso_chain(body: Body, s: int, ease: float, straight: float, t_end: float, *,
                strap: np.ndarray | None = None, arm: float = 0.21) -> list[np.ndarray]:  # fmt: skip
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
        w + (e + extra) * body.u
        for w, e in zip(body.leg_half, (thigh, knee, ankle), strict=True)
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
                armpit: float = 0.24) -> tuple[skia.Path, list]:  # fmt: skip
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
    if puff and f_end > 1.2:
        fs[-1:-1] = [f_end - 0.09]
    left, right = limb(line_, halves, fs)
    if puff and f_end > 1.2:
        mid_l, mid_r = (left[-2] + right[-2]) / 2, (right[-2] - left[-2]) / 2
        swell = (1 + puff * body.u / max(float(np.hypot(*mid_r)), 1))
        left[-2], right[-2] = mid_l - mid_r * swell, mid_l + mid_r * swell
    outer, inner = (left, right) if s < 0 else (right, left)
    inner = [p for p, f in zip(inner, fs, strict=True) if f >= inner_from or f == f_end]
    # the seam runs round the shoulder's ball, so that no bare arm shows inside of it
    ball = line_[0]
    end, neck = body.tip(s, shoulder), body.neck_side(s)
    top = end + unit(neck - end) * upper * 0.55 + body.up * 0.4 * body.u
    room = shoulder * body.u
    tip = ball + body.up * (upper * 0.66 + 0.34 * room) + s * body.across * (
        upper * 0.55 + 0.42 * room
    )
    pit = body.edge(s, armpit, ease * 0.55)
    path = skia.Path()
    path.moveTo(*map(float, top))
    smooth(path, [top, tip, *outer])
    path.lineTo(*map(float, inner[-1]))
    smooth(path, [*inner[::-1], pit])
    low = ball - s * body.across * upper * 1.15 - body.up * upper * 0.9
    high = ball - s * body.across * upper * 1.12 + body.up * upper * 0.5
    path.cubicTo(*map(float, (*low, *high, *top)))
    path.close()
    return path, [outer[-1], inner[-1]]
