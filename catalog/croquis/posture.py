"""Posture: keypoints measured on a picture → the same pose in a drawn person's proportions.

Only directions and foreshortening are taken over. The lengths of limbs are those of the person who
is drawn, as for a preset, so that anybody can stand as somebody in a photo does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.croquis.figure import KEYPOINTS, Angles, Person, Pose, posed

NAME = "from a picture"
"""What such a pose is called."""
NEEDED = ("r_shoulder", "l_shoulder", "r_hip", "l_hip")
"""Without these there is no telling which way the body stands."""
_STANDING = Angles()
_LENGTHS = {"arm": (0.160, 0.142), "leg": (0.262, 0.250)}
"""Upper and lower limb as shares of the height, as figures are drawn."""
_SHORTEST = 0.5
_SEATED = 0.65
"""Thighs that drop less than this share of what the shins do are those of somebody who sits."""


@dataclass(frozen=True)
class Keypoints:
    """The 18 OpenPose keypoints of one person in a picture."""

    points: np.ndarray
    """float64 ``(18, 2)``: x and y in the picture's own pixels; not a number where unknown."""
    confidence: np.ndarray
    """float64 ``(18,)``, 0–1; 0 where unknown."""

    def known(self, least: float) -> np.ndarray:
        """bool ``(18,)``: which joints are known at least that well."""
        return np.isfinite(self.points).all(1) & (self.confidence >= least)


def measured(points: np.ndarray, person: Person) -> Pose:
    """The pose of ``points``, ``(18, 2)`` in any unit, x right, y down, for this person.

    Points that are not numbers are unknown: what hangs on them stands as in the plainest pose.
    Who is seen from behind is drawn from the front. ``NEEDED`` must be known.
    """
    return posed(NAME, angles(points), person)


def angles(points: np.ndarray) -> Angles:
    """What ``measured`` takes over from the points."""
    j = {name: np.asarray(p, float) for name, p in zip(KEYPOINTS, points, strict=True)}
    if j["r_shoulder"][0] > j["l_shoulder"][0]:  # seen from behind
        j = {_other_side(name): p for name, p in j.items()}
    shoulders = (j["r_shoulder"] + j["l_shoulder"]) / 2
    up = shoulders - (j["r_hip"] + j["l_hip"]) / 2
    lean = np.degrees(np.arctan2(up[0], -up[1]))
    limbs, long = {}, {}
    for kind in _LENGTHS:
        for side in ("r", "l"):
            limbs[f"{side}_{kind}"] = _limb(j, side, kind)
        # the longest of four parts points at nobody: the others are measured by it
        scale = max(1e-9, *(x for s in ("r", "l") for x in limbs[f"{s}_{kind}"][1]))
        for side in ("r", "l"):
            shares = np.array(limbs[f"{side}_{kind}"][1]) / scale
            upper, lower = np.where(shares > 0, shares.clip(_SHORTEST, 1), 1.0)
            long[f"{side}_{kind}"] = (float(upper), float(lower))
    head, turn = _head(j, float(lean))
    return Angles(
        lean=float(np.clip(lean, -35, 35)),
        shoulders=_slope(j["r_shoulder"], j["l_shoulder"]),
        hips=_slope(j["r_hip"], j["l_hip"]),
        head=head,
        turn=turn,
        r_arm=limbs["r_arm"][0],
        l_arm=limbs["l_arm"][0],
        r_leg=limbs["r_leg"][0],
        l_leg=limbs["l_leg"][0],
        r_arm_length=long["r_arm"],
        l_arm_length=long["l_arm"],
        r_leg_length=long["r_leg"],
        l_leg_length=long["l_leg"],
        seated=_sits(j),
    )


def _other_side(name: str) -> str:
    return {"r": "l", "l": "r"}[name[0]] + name[1:] if name[1] == "_" else name


def _limb(
    j: dict[str, np.ndarray], side: str, kind: str
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Angles of the upper and lower part, and their lengths over those drawn; 0 if unknown."""
    names = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}[kind]
    usual = getattr(_STANDING, f"{side}_{kind}")
    sign = 1 if side == "l" else -1
    line = [j[f"{side}_{name}"] for name in names]
    found, lengths = [], []
    for k in (0, 1):
        along = line[k + 1] - line[k]
        known = bool(np.isfinite(along).all())
        angle = np.degrees(np.arctan2(sign * along[0], along[1])) if known else usual[k]
        found.append(float(angle))
        lengths.append(float(np.hypot(*along)) / _LENGTHS[kind][k] if known else 0.0)
    return (found[0], found[1]), (lengths[0], lengths[1])


def _slope(right: np.ndarray, left: np.ndarray) -> float:
    """Degrees by which the line between the two falls to the viewer's right, at most 20."""
    across = left - right
    return float(np.clip(np.degrees(np.arctan2(across[1], abs(across[0]))), -20, 20))


def _head(j: dict[str, np.ndarray], lean: float) -> tuple[float, float]:
    """How far the head is tilted against the body, and how far the figure is turned, -0.8…0.8.

    The turn is told by where the nose is between the ears.
    """
    across = j["l_ear"] - j["r_ear"]
    wide = float(np.hypot(*across))
    if not wide > 0 or not np.isfinite(j["nose"]).all():
        return _STANDING.head, _STANDING.turn
    tilt = np.degrees(np.arctan2(across[1], abs(across[0])))
    ahead = float((j["nose"] - (j["r_ear"] + j["l_ear"]) / 2) @ across) / wide
    # drawn, the ears are 0.083 of the height apart and a whole turn moves the nose by 0.0396
    return float(np.clip(tilt - lean, -15, 15)), float(np.clip(ahead / wide * 2.1, -0.8, 0.8))


def _sits(j: dict[str, np.ndarray]) -> bool:
    thighs = np.array([j[f"{s}_knee"][1] - j[f"{s}_hip"][1] for s in ("r", "l")])
    shins = np.array([j[f"{s}_ankle"][1] - j[f"{s}_knee"][1] for s in ("r", "l")])
    drops = thighs / np.where(shins > 0, shins, np.nan)
    return bool(np.isfinite(drops).all() and (drops < _SEATED).all())
