"""The geometry clothes are cut from: curves, limbs, a body's levels, one piece of sewing work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import skia

from catalog.croquis.cloth import Frame, fill_cloth
from catalog.croquis.figure import Figure
from catalog.croquis.paints import detail_color, lightness, pen
from catalog.croquis.sheet import Sheet
from catalog.garment import Cloth, Shape

_LEVELS = np.arange(131) / 100.0


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
    p1 = np.array(points)
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    path = line(points[0])
    for curve in np.hstack([p1 + (p2 - p0) / 6, p2 - (p3 - p1) / 6, p2]).tolist():
        path.cubicTo(*curve)
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


def _hull(points: Sequence[np.ndarray]) -> list[tuple[float, float]]:
    """Convex hull (monotone chain)."""
    ordered = sorted((float(p[0]), float(p[1])) for p in points)
    chains = []
    for run in (ordered, ordered[::-1]):
        chain: list[tuple[float, float]] = []
        for p in run:
            while len(chain) > 1 and (chain[-1][0] - chain[-2][0]) * (p[1] - chain[-2][1]) <= (
                chain[-1][1] - chain[-2][1]
            ) * (p[0] - chain[-2][0]):
                chain.pop()
            chain.append(p)
        chains += chain[:-1]
    return chains


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
        self._left, self._right = fig.torso_sides(_LEVELS)
        width = np.hypot(*(self._right - self._left).T)
        self._half = (width / 2).tolist()
        self._middle = (self._left + self._right) / 2
        self._way = (self._right - self._left) / (width + 1e-9)[:, None]
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
        k = self._level(t)
        return self._left[k], self._right[k]

    def _level(self, t: float) -> int:
        return min(max(round(t * 100), 0), 130)

    def edge(self, s: int, t: float, grow: float = 0.0, straight: float = 0.0) -> np.ndarray:
        """The cloth's edge at level ``t``; ``straight`` fills the waist."""
        k = self._level(t)
        half = self._half[k]
        if straight and 0.3 < t < 1.0:
            chest, hip = self.fig.half["chest"], self.fig.half["hip"]
            full = chest + (hip - chest) * (t - 0.3) / 0.7
            half += max(full - half, 0.0) * straight
        return self._middle[k] + self._way[k] * s * (half + grow * self.u)

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

    @property
    def astride(self) -> bool:
        """Whether a thigh lies so flat (sitting) that cloth must be draped over it."""
        return any(
            abs(leg[1][0] - leg[0][0]) > 0.5 * abs(leg[1][1] - leg[0][1])
            for leg in self._legs.values()
        )

    def draped(self, path: skia.Path, f_end: float, grow: float) -> skia.Path:
        """``path`` grown to cover seat and thighs of a sitting figure.

        With ``f_end`` the cloth is stretched from thigh to thigh, as skirts are.
        """
        if not self.astride:
            return path
        g = grow * self.u
        cover = [
            self.edge(s, t, grow + (1.0 if t == 1.0 else 0.0))
            for s in (-1, 1)
            for t in (0.84, 1.0, 1.2)
        ]
        if f_end:
            end = min(f_end, 1.0)
            halves = [self.leg_half[0] * 1.08 + g, self.leg_half[1] + g, 0.0]
            for s in (-1, 1):
                for side in limb(self._legs[s], halves, (0.0, 0.3 * end, 0.7 * end, end - 0.001)):
                    cover += side
                if f_end >= 1.0:
                    angles = np.linspace(0, 2 * np.pi, 9)[:-1]
                    ball = np.stack([np.cos(angles), np.sin(angles)], 1) * halves[1]
                    cover += list(self._legs[s][1] + ball)
        return skia.Op(path, polygon(*np.array(_hull(cover))), skia.kUnion_PathOp)

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
    under: bool = False
    """Worn under outerwear, which holds it close."""
    tucked: bool = False
    """A top worn inside the waistband."""
    tucked_f: float = 9.0
    """Leg level at which trousers vanish in boots."""

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
        return Frame(
            float((a[0] + b[0]) / 2), float((a[1] + b[1]) / 2), angle, self.body.cloth_scale, half
        )
