"""Pose: presets by name, fitted to a person."""

from __future__ import annotations

from catalog.croquis import figure
from catalog.croquis.figure import POSES, Person, Pose
from catalog.errors import UnknownName


def preset(name: str, person: Person) -> Pose:
    """The preset pose ``name`` in this person's proportions.

    Raises:
        UnknownName: no such pose; the nearest ones are named.
    """
    if name not in POSES:
        raise UnknownName.among("pose", name, POSES)
    return figure.pose(name, person)
