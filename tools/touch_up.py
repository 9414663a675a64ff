"""Touch-up: a part of a look drawn again. What lies outside its feathered mask stays, bit for bit.

Mask → repaint → composite back. What changes is drawn by the diffusion model, as the changed plan
says; nothing is painted, pasted or tinted.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import cv2
import numpy as np

from catalog.errors import BadValue, UnknownName
from catalog.garment import CATEGORIES, Garment, Length, Sleeves
from tools import mask as masks
from tools.layout import Layout
from tools.look import Plan, Touch, Worn

if TYPE_CHECKING:
    from tools.engine import Engine, Job

REACH = 5
"""Pixels by which a garment's region is grown: outlines lie on its border."""


Degree = Literal["shorter", "longer"]
"""One step along ``Sleeves`` or ``Length`` from what is worn now."""


def changed(
    plan: Plan,
    garments: Sequence[Garment],
    index: int,
    *,
    swap: Garment | None = None,
    color: str | None = None,
    sleeves: Sleeves | Degree | None = None,
    length: Length | Degree | None = None,
) -> Plan:
    """``plan`` with its garment ``index`` exchanged, or worn in another colour or shape.

    Raises:
        BadValue: nothing would change, or the exchange is for another slot.
        UnknownName: no such colour, sleeves or length.
    """
    for name, word, known in (("sleeves", sleeves, Sleeves), ("length", length, Length)):
        words = (*get_args(known), *get_args(Degree))
        if word is not None and word not in words:
            raise UnknownName.among(name, word, words)
    worn, now = plan.garments[index], garments[index]
    if sleeves == "shorter" or sleeves == "longer":
        sleeves = _step(now, "sleeves", get_args(Sleeves), sleeves)
    if length == "shorter" or length == "longer":
        length = _step(now, "length", _lengths(now), length)
    if swap is not None:
        if swap.slot != now.slot:
            raise BadValue(
                f"{swap.name} is {swap.slot}, {now.name} is {now.slot}.",
                "Exchange a garment for one of the same slot, or draw a new look.",
            )
        worn = Worn(id=swap.id)
    asked = {"color": color, "sleeves": sleeves, "length": length}
    worn = worn.model_copy(update={k: v for k, v in asked.items() if v is not None})
    worn = Worn.model_validate(worn.model_dump())
    if worn == plan.garments[index]:
        raise BadValue(
            f"Nothing would change about {now.name}.",
            "Name a colour, sleeves, a length or another garment.",
        )
    everything = list(plan.garments)
    everything[index] = worn
    return plan.model_copy(update={"garments": tuple(everything)})


def _step(now: Garment, name: str, ladder: Sequence[Any], degree: str) -> Any:
    """The next shorter or longer word of ``ladder``. Raises BadValue at its end."""
    worn = getattr(now.shape, name)
    at = ladder.index(worn) + (1 if degree == "longer" else -1) if worn in ladder else -1
    if not 0 <= at < len(ladder) or len(ladder) < 2:
        raise BadValue(
            f"The {name} of {now.name} cannot be {degree}: it is “{worn}” already.",
            f"Possible are: {', '.join(ladder)}.",
        )
    return ladder[at]


def _lengths(garment: Garment) -> list[str]:
    """Every length that garments of this one's slot come in, from short to long."""
    known = {n for c in CATEGORIES.values() if c.slot == garment.slot for n in c.lengths}
    return [n for n in get_args(Length) if n in known]


def garment_at(layout: Layout, mask: np.ndarray) -> int:
    """Index of the garment that a mask, bool ``(768, 512)``, covers most of.

    Raises:
        BadValue: it covers none.
    """
    small = mask[::2, ::2]
    covered = [int((layout.mask(i) & small).sum()) for i in range(len(layout.slots))]
    if not covered or max(covered) == 0:
        raise BadValue("There is no garment under the mask.", "Click on one, or name it.")
    return int(np.argmax(covered))


def index_of(garments: Sequence[Garment], name: str) -> int:
    """Index of a garment by its id, slot or category. Raises UnknownName."""
    for i, garment in enumerate(garments):
        if name in (garment.id, garment.slot, garment.category):
            return i
    raise UnknownName.among("garment in this look", name, [g.id for g in garments])


def region(seen: np.ndarray, before: Layout, after: Layout, index: int) -> np.ndarray:
    """All that a change of garment ``index`` may touch, bool ``(768, 512)``.

    Where it was meant to be, where it is ``seen``, bool ``(768, 512)``, and where it will be: what
    a shorter sleeve uncovers is drawn again too.
    """
    either = before.mask(index) | after.mask(index)
    return masks.grow(either.repeat(2, 0).repeat(2, 1) | seen, REACH)


def repainted(
    engine: Engine,
    job: Job,
    picture: np.ndarray,
    mask: np.ndarray,
    touch: Touch,
    *,
    on_step: Callable[[int, int, np.ndarray | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> tuple[np.ndarray, dict[str, float]]:
    """The picture with what lies under the mask drawn again, and how long each part took.

    Raises:
        BadValue: the mask is empty, or the strength too small for the steps. Cancelled.
    """
    masks.require_some(mask)
    start = picture
    if touch.content == "fill":
        start = cv2.inpaint(picture, mask.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    strength = 1.0 if touch.content == "noise" else touch.strength
    # the blend's band is drawn too, so that both its sides show the same thing
    wide = masks.grow(mask, touch.feather)
    render = engine.repaint(job, start, wide, strength, on_step=on_step, cancel=cancel)
    share = masks.feathered(mask, touch.feather)
    return masks.composite(picture, render.picture, share), render.seconds


def mask_sha256(mask: np.ndarray) -> str:
    return hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()
