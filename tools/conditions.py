"""Conditions: what each base is told of a layout, as control maps and shares of its latent cells"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from catalog.base import Base
from catalog.croquis import maps
from catalog.errors import UnknownName
from tools.layout import Layout
from tools.look import Control

CALLED = {"lineart": "layout"}
"""What a plan calls a base's net, where that is not the net's own name."""


def control_maps(layout: Layout, base: Base) -> list[np.ndarray]:
    """The map of each of the base's ControlNets, in their order, float32 ``(C, H, W)`` in 0…1.

    The croquis nets read small maps made for them; those of sd15 read pictures: the OpenPose
    skeleton in its published colours, and the layout's lines, white on black.
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
    return [made[kind]().astype(np.float32) / 255 for kind in base.controlnets]


def heard(usual: Control, controls: Mapping[str, Control], base: Base) -> list[Control]:
    """How each of the base's ControlNets is heard, in their order: as named, else as usual.

    Raises:
        UnknownName: ``controls`` names a net that this base does not have.
    """
    names = [CALLED.get(kind, kind) for kind in base.controlnets]
    for name in controls:
        if name not in names:
            raise UnknownName.among("ControlNet", name, names)
    return [controls.get(name, usual) for name in names]


def shares(layout: Layout, base: Base) -> np.ndarray:
    """Share of each latent cell per phrase, float32 ``(2 + garments, h, w)``, summing to 1."""
    if base.latent_size == maps.LATENT_SIZE:
        return layout.shares
    return maps.shares(layout.regions, len(layout.slots), base.latent_size)
