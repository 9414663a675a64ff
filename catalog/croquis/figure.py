"""Bodies and poses: who stands there and how, as 18 keypoints and the outlines around them.

Keypoints are OpenPose-18 in world units (256 x 384, x right, y down). The person's right is on
the viewer's left. Everything is derived from the keypoints, so a pose measured on a photograph
dresses as well as a preset.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import skia

from catalog.croquis.sheet import HEIGHT, WIDTH

KEYPOINTS = [
    "nose",
    "neck",
    "r_shoulder",
    "r_elbow",
    "r_wrist",
    "l_shoulder",
    "l_elbow",
    "l_wrist",
    "r_hip",
    "r_knee",
    "r_ankle",
    "l_hip",
    "l_knee",
    "l_ankle",
    "r_eye",
    "l_eye",
    "r_ear",
    "l_ear",
]

SKINS = {
    "fair": "#f6dcc9",
    "light": "#eec6a6",
    "tan": "#d6a077",
    "brown": "#a66d47",
    "dark": "#6b4330",
}
HAIR_COLORS = {
    "black": "#231d1d",
    "brown": "#5b3a26",
    "blonde": "#d9b36b",
    "red": "#a8482a",
    "grey": "#a3a2a3",
}
HAIR = ("short", "bob", "long", "bun", "ponytail", "curly", "afro", "buzz")
BODIES = ("slim", "average", "athletic", "curvy", "plus")
PRESENTATIONS = ("woman", "man", "person")
AGES = ("young", "middle-aged", "older")

# half-widths as shares of the height, by presentation (measured off fashion croquis proportions)
_WIDTHS = {
    "woman": dict(
        neck=0.020, shoulder=0.080, chest=0.066, waist=0.047, hip=0.074, thigh=0.041, knee=0.0228,
        calf=0.0248, ankle=0.0128, arm=0.0185, elbow=0.0148, wrist=0.0105,
    ),
    "man": dict(
        neck=0.026, shoulder=0.096, chest=0.081, waist=0.063, hip=0.072, thigh=0.043, knee=0.0265,
        calf=0.0288, ankle=0.0165, arm=0.0235, elbow=0.0190, wrist=0.0135,
    ),
    "person": dict(
        neck=0.023, shoulder=0.087, chest=0.073, waist=0.055, hip=0.073, thigh=0.042, knee=0.0245,
        calf=0.0265, ankle=0.0150, arm=0.0210, elbow=0.0168, wrist=0.0120,
    ),
}  # fmt: skip
_BODY = {
    "slim": (0.90, 0.88, 0.92),
    "average": (1.0, 1.0, 1.0),
    "athletic": (1.07, 0.98, 1.0),
    "curvy": (1.06, 1.06, 1.18),
    "plus": (1.20, 1.54, 1.26),
}  # chest and limbs, waist, hips and thighs


@dataclass(frozen=True)
class Person:
    """Who is drawn: words the base knows, plus a seed for what has no word."""

    body: str = "average"
    skin: str = "light"
    hair: str = "long"
    hair_color: str = "brown"
    presentation: str = "woman"
    age: str = "young"
    seed: int = 0


@dataclass(frozen=True)
class Pose:
    """18 keypoints ``(18, 2)`` in world units, the standing height they imply, and depth."""

    name: str
    points: tuple[tuple[float, float], ...]
    height: float
    turn: float = 0.0
    """-1 (to the viewer's left) … 1 (right): how far the figure is turned away from the front."""
    behind: tuple[str, ...] = ()
    """Limbs drawn behind the torso: any of ``r_arm``, ``l_arm``."""
    seated: bool = False

    def array(self) -> np.ndarray:
        return np.array(self.points, dtype=np.float64)

    def moved(self, scale: float, dx: float, dy: float) -> Pose:
        """The pose scaled about the origin, then shifted, in world units."""
        points = self.array() * scale + (dx, dy)
        return replace(self, points=_as_tuple(points), height=self.height * scale)


@dataclass(frozen=True)
class Angles:
    """A pose in degrees. Limb angles: 0 hangs straight down, positive away from the body; lengths
    are shares of the limb's own, less than 1 where it points at the viewer."""

    lean: float = 0.0
    shoulders: float = 0.0
    hips: float = 0.0
    head: float = 0.0
    turn: float = 0.0
    r_arm: tuple[float, float] = (12, 6)
    l_arm: tuple[float, float] = (12, 6)
    r_leg: tuple[float, float] = (4, 2)
    l_leg: tuple[float, float] = (4, 2)
    r_arm_length: tuple[float, float] = (1, 1)
    l_arm_length: tuple[float, float] = (1, 1)
    r_leg_length: tuple[float, float] = (1, 1)
    l_leg_length: tuple[float, float] = (1, 1)
    behind: tuple[str, ...] = field(default=())
    seated: bool = False


_POSES: dict[str, Angles] = {
    "standing": Angles(hips=-2, shoulders=1.5, head=1.5, r_arm=(10, 4), l_arm=(12, 6),
                        r_leg=(3, 1), l_leg=(6, 3)),
    "contrapposto": Angles(
        lean=-2, shoulders=5, hips=-8, head=4, r_arm=(17, 8), l_arm=(12, 2), r_leg=(1, -1),
        l_leg=(15, 3),
    ),
    "walking": Angles(
        lean=1, shoulders=-3, hips=5, turn=0.22, head=-2, r_arm=(18, 12), l_arm=(16, 2),
        r_leg=(5, 8), l_leg=(-1, -3), r_leg_length=(0.97, 0.84), l_leg_length=(1.0, 1.0),
    ),
    "hands on hips": Angles(hips=-3, shoulders=2, r_arm=(46, -52), l_arm=(46, -52), r_leg=(7, 5),
                             l_leg=(7, 4), r_arm_length=(0.92, 0.86), l_arm_length=(0.92, 0.86)),
    "hand on hip": Angles(hips=-5, shoulders=4, head=3, r_arm=(46, -52), l_arm=(12, 4),
                           r_leg=(3, 2), l_leg=(13, 8), r_arm_length=(0.92, 0.86)),
    "arms crossed": Angles(r_arm=(20, -104), l_arm=(20, -99), r_leg=(5, 3), l_leg=(6, 4),
                            hips=-2, shoulders=2, r_arm_length=(0.88, 1.0),
                            l_arm_length=(0.88, 0.92)),
    "waving": Angles(shoulders=-4, head=-4, r_arm=(12, 5), l_arm=(70, 158), r_leg=(4, 3),
                      l_leg=(6, 4), l_arm_length=(0.95, 0.92)),
    "hands in pockets": Angles(hips=3, r_arm=(22, -18), l_arm=(22, -18), r_leg=(6, 4),
                                l_leg=(6, 4), r_arm_length=(0.95, 0.80),
                                l_arm_length=(0.95, 0.80)),
    "turning": Angles(lean=1, turn=0.6, head=-5, shoulders=3, r_arm=(10, 2), l_arm=(16, 8),
                       r_leg=(3, 2), l_leg=(9, 7)),
    "sitting": Angles(lean=-3, turn=0.3, shoulders=1, r_arm=(14, -16), l_arm=(24, 22),
                       r_leg=(-46, 6), l_leg=(60, -4), r_leg_length=(0.74, 1.0),
                       l_leg_length=(0.74, 0.96), r_arm_length=(1.0, 0.9),
                       l_arm_length=(1.0, 0.9), seated=True),
    "striding": Angles(lean=3, turn=-0.35, shoulders=3, hips=-4, r_arm=(24, -2), l_arm=(16, 26),
                        r_leg=(17, 20), l_leg=(11, -2), r_leg_length=(0.97, 0.88)),
    "leaning": Angles(lean=6, shoulders=-5, hips=5, head=-6, r_arm=(10, 3), l_arm=(26, 18),
                       r_leg=(12, 9), l_leg=(-2, 4)),
}  # fmt: skip
POSES: tuple[str, ...] = tuple(_POSES)


def pose(
    name: str = "standing",
    person: Person | None = None,
    rng: np.random.Generator | None = None,
) -> Pose:
    """The preset ``name`` for this person's proportions; with ``rng`` every angle varies a little.

    Raises KeyError for an unknown name.
    """
    return posed(name, _POSES[name], person or Person(), rng)


def posed(name: str, a: Angles, person: Person, rng: np.random.Generator | None = None) -> Pose:
    """A pose of these angles in this person's proportions, standing on the ground line."""

    def vary(value: float, spread: float) -> float:
        return value + (rng.normal(0, spread) if rng is not None else 0.0)

    tall = 338.0 * (1.0 if person.presentation != "man" else 1.02)
    tall *= 0.895 + 0.09 * rng.random() if rng is not None else 0.97
    legs = vary(1.0, 0.015)
    width = _WIDTHS[person.presentation]
    bulk, _, hips = _BODY[person.body]
    turn = float(np.clip(vary(a.turn, 0.08), -0.8, 0.8))
    facing = np.cos(turn * 1.1)

    def ray(angle: float, length: float, side: int) -> np.ndarray:
        rad = np.radians(angle)
        return np.array([side * np.sin(rad), np.cos(rad)]) * length * tall

    mid_hip = np.zeros(2)
    lean = np.radians(vary(a.lean, 1.5))
    neck = mid_hip + np.array([np.sin(lean), -np.cos(lean)]) * 0.285 * tall
    across = _direction(vary(a.shoulders, 1.5))
    shoulder = across * width["shoulder"] * (0.5 + 0.5 * bulk) * facing * tall
    drop = np.array([0, 0.025 * tall])
    hip = _direction(vary(a.hips, 1.5)) * width["hip"] * 0.56 * (0.6 + 0.4 * hips) * facing * tall
    points = {"neck": neck}
    for side, tag in ((-1, "r"), (1, "l")):
        arm, arm_length = getattr(a, f"{tag}_arm"), getattr(a, f"{tag}_arm_length")
        leg, leg_length = getattr(a, f"{tag}_leg"), getattr(a, f"{tag}_leg_length")
        points[f"{tag}_shoulder"] = neck + side * shoulder + drop
        upper = ray(vary(arm[0], 4), 0.160 * arm_length[0], side)
        points[f"{tag}_elbow"] = points[f"{tag}_shoulder"] + upper
        fore = ray(vary(arm[1], 5), 0.142 * arm_length[1], side)
        points[f"{tag}_wrist"] = points[f"{tag}_elbow"] + fore
        points[f"{tag}_hip"] = mid_hip + side * hip
        thigh = ray(vary(leg[0], 1.5), 0.262 * leg_length[0] * legs, side)
        points[f"{tag}_knee"] = points[f"{tag}_hip"] + thigh
        shin = ray(vary(leg[1], 1.5), 0.250 * leg_length[1] * legs, side)
        points[f"{tag}_ankle"] = points[f"{tag}_knee"] + shin
    tilt = np.radians(vary(a.head, 3)) + lean
    up = np.array([np.sin(tilt), -np.cos(tilt)])
    right = np.array([np.cos(tilt), np.sin(tilt)])
    center = neck + up * 0.108 * tall
    ahead = right * turn * 0.022 * tall
    points["nose"] = center + ahead * 1.2 - up * 0.012 * tall
    for side, tag in ((-1, "r"), (1, "l")):
        points[f"{tag}_eye"] = center + ahead + right * side * 0.0165 * tall + up * 0.004 * tall
        points[f"{tag}_ear"] = center - ahead * 0.6 + right * side * 0.0415 * tall
    array = np.array([points[name_] for name_ in KEYPOINTS])
    # feet on the ground line, figure centred
    ground = 0.945 * HEIGHT + (vary(0, 3.0))
    lowest = max(points["r_ankle"][1], points["l_ankle"][1]) + 0.040 * tall
    xs = array[[2, 5, 8, 11, 10, 13], 0]
    array += (WIDTH / 2 - (xs.min() + xs.max()) / 2 + vary(0, 5.0), ground - lowest)
    return Pose(name, _as_tuple(array), tall, turn, a.behind, a.seated)


class Figure:
    """A person in a pose: named joints, half-widths, and smooth outlines around them."""

    def __init__(self, person: Person, pose_: Pose) -> None:
        self.person, self.pose = person, pose_
        self.height = pose_.height
        self.joint = {k: np.array(p) for k, p in zip(KEYPOINTS, pose_.points, strict=True)}
        bulk, waist, hips = _BODY[person.body]
        gain = {"waist": waist, "hip": hips, "thigh": hips, "shoulder": 1.0, "neck": 1.0}
        self.half = {
            part: share * gain.get(part, bulk) * self.height
            for part, share in _WIDTHS[person.presentation].items()
        }
        """Half-widths of body parts in world units."""
        facing = float(np.cos(pose_.turn * 1.1))
        for part in ("chest", "waist", "hip"):
            self.half[part] *= 0.75 + 0.25 * facing
        self.mid_hip = (self.joint["r_hip"] + self.joint["l_hip"]) / 2
        eyes = (self.joint["r_eye"] + self.joint["l_eye"]) / 2
        ears = (self.joint["r_ear"] + self.joint["l_ear"]) / 2
        self.head = (eyes + ears) / 2
        """Centre of the head."""
        self.head_size = 0.0440 * self.height, 0.0610 * self.height
        """Half-width and half-height of the head."""
        across = self.joint["l_ear"] - self.joint["r_ear"]
        self.head_tilt = float(np.degrees(np.arctan2(across[1], across[0])))
        """Degrees, clockwise positive."""

    def arm(self, side: str) -> tuple[np.ndarray, np.ndarray]:
        """``side`` 'r' or 'l' → centre line ``(3, 2)`` shoulder-elbow-wrist and half-widths."""
        j, h = self.joint, self.half
        line = np.array([j[f"{side}_shoulder"], j[f"{side}_elbow"], j[f"{side}_wrist"]])
        return line, np.array([h["arm"], h["elbow"], h["wrist"]])

    def leg(self, side: str) -> tuple[np.ndarray, np.ndarray]:
        """Centre line ``(4, 2)`` hip-knee-calf-ankle and half-widths."""
        j, h = self.joint, self.half
        hip, knee, ankle = (j[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        calf = knee + (ankle - knee) * 0.32
        widths = np.array([h["thigh"], h["knee"], h["calf"], h["ankle"]])
        return np.array([hip, knee, calf, ankle]), widths

    def torso(self, t: float, grow: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Left and right body edge (as seen) at ``t``: 0 shoulder line, .3 chest, .66 waist,
        1 hips (widest), 1.2 crotch; ``grow`` widens by that many world units."""
        left, right = self.torso_sides(np.array([t], dtype=float), grow)
        return left[0], right[0]

    def torso_sides(self, ts: np.ndarray, grow: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """``torso`` at many ``ts`` at once: both edges ``(n, 2)``."""
        j = self.joint
        center = j["neck"] + (self.mid_hip - j["neck"]) * ts[:, None]
        level = j["l_shoulder"] - j["r_shoulder"]
        low = j["l_hip"] - j["r_hip"]
        blend = np.clip(ts, 0, 1)[:, None]
        across = _unit(level) * (1 - blend) + _unit(low) * blend
        across /= np.hypot(across[:, 0], across[:, 1])[:, None] + 1e-9
        shoulder = float(np.hypot(*level)) / 2
        chest, waist, hip = self.half["chest"], self.half["waist"], self.half["hip"]
        rib = 0.42 * chest + 0.58 * waist
        knots = np.array((-0.2, 0.0, 0.10, 0.22, 0.34, 0.50, 0.64, 0.82, 1.0, 1.25, 1.5))
        halves = np.array((
            shoulder, shoulder, shoulder, max(shoulder * 0.82, chest * 0.97), chest, rib, waist,
            0.42 * waist + 0.58 * hip, hip, hip * 1.06, hip * 1.06,
        ))  # fmt: skip
        half = smooth_interp(ts, knots, halves) + grow
        return center - across * half[:, None], center + across * half[:, None]


def smooth_interp(x: np.ndarray, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Like ``np.interp`` with a smooth curve through the knots (cubic Hermite)."""
    slopes = np.gradient(values, knots)
    i = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    span = knots[i + 1] - knots[i]
    u = np.clip((x - knots[i]) / span, 0, 1)
    v = 1 - u
    return (
        v * v * (1 + 2 * u) * values[i]
        + u * u * (3 - 2 * u) * values[i + 1]
        + span * u * v * (v * slopes[i] - u * slopes[i + 1])
    )


def ribbon(line: np.ndarray, halves: np.ndarray, t0: float = 0.0, t1: float = 1.0, *,
           round_start: bool = False, round_end: bool = False) -> skia.Path:  # fmt: skip
    """The outline of a smooth band along ``line`` ``(n, 2)`` with half-widths ``(n,)``.

    ``t0``, ``t1`` in 0–1 cut it along its length. The workhorse of limbs, sleeves, trouser legs.
    """
    line, halves = _resample(np.asarray(line, float), np.asarray(halves, float), t0, t1)
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    left, right = line + normal * halves[:, None], line - normal * halves[:, None]
    path = skia.Path()
    path.moveTo(*left[0])
    _curve(path, left)
    if round_end:
        tip = line[-1] + tangent[-1] * halves[-1]
        path.quadTo(*(left[-1] + tangent[-1] * halves[-1]), *tip)
        path.quadTo(*(right[-1] + tangent[-1] * halves[-1]), *right[-1])
    else:
        path.lineTo(*right[-1])
    _curve(path, right[::-1])
    if round_start:
        tip = line[0] - tangent[0] * halves[0]
        path.quadTo(*(right[0] - tangent[0] * halves[0]), *tip)
        path.quadTo(*(left[0] - tangent[0] * halves[0]), *left[0])
    path.close()
    return path


def point_along(line: np.ndarray, t: float) -> np.ndarray:
    """The point at share ``t`` of the polyline's length."""
    line = np.asarray(line, float)
    steps = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    at = t * steps[-1]
    return np.array([np.interp(at, steps, line[:, 0]), np.interp(at, steps, line[:, 1])])


def smooth_path(points: np.ndarray, *, closed: bool = True) -> skia.Path:
    """A smooth curve through ``points`` ``(n, 2)`` (Catmull–Rom)."""
    points = np.asarray(points, float)
    path = skia.Path()
    path.moveTo(*points[0])
    _curve(path, np.vstack([points, points[:1]]) if closed else points)
    if closed:
        path.close()
    return path


def _curve(path: skia.Path, points: np.ndarray) -> None:
    """Continue ``path`` (already at ``points[0]``) smoothly through the rest."""
    padded = np.vstack([points[0], points, points[-1]])
    for i in range(1, len(padded) - 2):
        p0, p1, p2, p3 = padded[i - 1 : i + 3]
        path.cubicTo(*(p1 + (p2 - p0) / 6), *(p2 - (p3 - p1) / 6), *p2)


def _resample(line, halves, t0, t1):
    steps = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    steps /= steps[-1]
    ts = np.linspace(t0, t1, 9)

    # smooth the corner at the joints a little: average of three nearby samples
    def at(t):
        return np.stack([np.interp(t, steps, line[:, k]) for k in (0, 1)], 1)

    d = 0.05
    middle = (at(np.clip(ts - d, 0, 1)) + 2 * at(ts) + at(np.clip(ts + d, 0, 1))) / 4
    middle[0], middle[-1] = at(ts[:1])[0], at(ts[-1:])[0]
    return middle, smooth_interp(ts, steps, halves)


def _direction(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (np.linalg.norm(v) + 1e-9)


def _as_tuple(points: np.ndarray) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)
