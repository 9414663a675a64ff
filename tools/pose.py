"""Pose: presets by name, or points measured on a picture, fitted to a person."""

from __future__ import annotations

import numpy as np

from catalog.croquis import figure, posture
from catalog.croquis.figure import KEYPOINTS, POSES, Person, Pose
from catalog.errors import BadValue, UnknownName

Points = tuple[tuple[float, float] | None, ...]
"""OpenPose-18 keypoints in any unit, x right, y down; None where unknown."""
LARGEST = 100_000.0


def fitted(pose: str | Points, person: Person) -> Pose:
    """A preset's name or measured points, in this person's proportions.

    Raises:
        UnknownName: no such preset; the nearest ones are named.
    """
    if isinstance(pose, str):
        return figure.pose(checked_name(pose), person)
    return posture.measured(as_array(pose), person)


def checked_name(name: str) -> str:
    """``name`` if a preset is called so. Raises UnknownName naming the nearest."""
    if name not in POSES:
        raise UnknownName.among("pose", name, POSES)
    return name


def checked_points(points: Points) -> Points:
    """``points`` if a figure can be drawn by them.

    Raises:
        BadValue: not 18, a number beyond ±100000, or shoulders or hips unknown or all in one place.
    """
    if len(points) != len(KEYPOINTS):
        raise BadValue(
            f"A pose has {len(KEYPOINTS)} points, here are {len(points)}.",
            "Give them in the order of OpenPose-18, null where unknown.",
        )
    at = as_array(points)
    if (np.abs(at[np.isfinite(at)]) > LARGEST).any():
        raise BadValue("A pose's point is far away.", f"Numbers up to {LARGEST:g} are read.")
    needed = np.array([at[KEYPOINTS.index(name)] for name in posture.NEEDED])
    torso = needed[:2].mean(0) - needed[2:].mean(0)
    if not np.isfinite(needed).all() or np.hypot(*torso) < 1e-6:
        raise BadValue(
            "A pose needs both shoulders and both hips.",
            "Give a picture that shows the person from the shoulders down to the hips at least.",
        )
    return points


def as_array(points: Points) -> np.ndarray:
    """float64 ``(18, 2)``, not a number where unknown."""
    return np.array([(np.nan, np.nan) if p is None else p for p in points], np.float64)


def name_of(pose: str | Points) -> str:
    """What a pose is called."""
    return pose if isinstance(pose, str) else posture.NAME
