"""Conditions: what each base is told of a layout, as control maps and shares of its latent cells"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from catalog.base import Base
from catalog.croquis import maps
from catalog.errors import CannotNow, UnknownName
from tools.layout import Layout
from tools.look import Control

CALLED = {"lineart": "layout"}
"""What a plan calls a base's net, where that is not the net's own name."""


def nets(base: Base, edges: bool) -> dict[str, Any]:
    """The ControlNets at work, by what a plan calls them; ``canny`` where a picture's edges are
    given. The croquis net that reads layouts has learned to read bare edges too.

    Raises:
        CannotNow: edges are given to a base that has no such net.
    """
    found = {CALLED.get(kind, kind): net for kind, net in base.controlnets.items()}
    if edges:
        if base.name != "croquis":
            raise CannotNow(
                f"The base {base.name} does not follow the edges of a picture.",
                "Leave them out, or set STYLIST_BASE=croquis.",
            )
        found["canny"] = found["layout"]
    return found


def control_maps(layout: Layout, base: Base, edges: np.ndarray | None = None) -> list[np.ndarray]:
    """The map of each of ``nets``, in their order, float32 ``(C, H, W)`` in 0…1.

    The croquis nets read small maps made for them; those of sd15 read pictures: the OpenPose
    skeleton in its published colours, and the layout's lines, white on black.

    Args:
        edges: a picture's, uint8 ``(1, 96, 64)``.
    """
    made = {
        "layout": lambda: layout.layout_map,
        "lineart": lambda: layout.edges[None].repeat(3, 0),
        "openpose": lambda: (
            layout.skeleton_map
            if base.name == "croquis"
            else maps.skeleton(layout.points, 2.0).transpose(2, 0, 1)
        ),
    }
    told = [made[kind]() for kind in base.controlnets]
    if edges is not None:
        nothing = np.zeros_like(layout.layout_map[:-1])
        told.append(np.concatenate([nothing, edges]))
    return [one.astype(np.float32) / 255 for one in told]


def heard(usual: Control, controls: Mapping[str, Control], names: Collection[str]) -> list[Control]:
    """How each ControlNet of ``names`` is heard, in their order: as ``controls`` says, else as
    usual.

    Raises:
        UnknownName: ``controls`` names a net that is not at work.
    """
    for name in controls:
        if name not in names:
            raise UnknownName.among("ControlNet", name, names)
    return [controls.get(name, usual) for name in names]


def at_steps(
    controls: Sequence[Control], steps: int, left: int
) -> tuple[list[float], list[float], list[float]]:
    """Weight, start and end of each net over the last ``left`` of ``steps`` steps, as diffusers
    takes them.

    A net is heard in every step of which it is to be heard at all: of two steps there is none that
    begins after 0.6, and it would fall silent. What ended before the steps that are left is 0.
    """
    weights, starts, ends = [], [], []
    for control in controls:
        first = math.floor(control.start * steps + 1e-6) - (steps - left)
        last = math.ceil(control.end * steps - 1e-6) - (steps - left)
        weights.append(control.weight if last > 0 else 0.0)
        starts.append(max(0, first) / left if last > 0 else 0.0)
        ends.append(last / left if last > 0 else 1.0)
    return weights, starts, ends


def shares(layout: Layout, base: Base) -> np.ndarray:
    """Share of each latent cell per phrase, float32 ``(2 + garments, h, w)``, summing to 1."""
    if base.latent_size == maps.LATENT_SIZE:
        return layout.shares
    return maps.shares(layout.regions, len(layout.slots), base.latent_size)
