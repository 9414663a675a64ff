"""Touch-up: a part of a look drawn again. What lies outside its feathered mask stays, bit for bit.

Mask → repaint → composite back. What changes is drawn by the diffusion model, as the changed plan
says; nothing is painted, pasted or tinted.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import cv2
import numpy as np
from pydantic import ValidationError

from catalog.errors import BadValue, ModelUnavailable, UnknownName
from catalog.garment import CATEGORIES, Garment, Length, Sleeves
from tools import mask as masks
from tools.layout import Layout, Window
from tools.look import Plan, Touch, Worn

if TYPE_CHECKING:
    from tools.engine import Engine, Job

REACH = 5
"""Pixels by which a garment's region is grown: outlines lie on its border."""
REACH_ALONE = 2
"""The same for a part drawn alone: its surroundings are kept, and only the outline lies there."""
CLOSEST = 172
"""Pixels of the picture that a part drawn alone is wide at least: the base has learned to draw up
to three times as large, no larger."""

STRENGTHS = {"original": 1.0, "noise": 1.0, "fill": 0.75}
"""How far a part is taken back to noise when nobody says it, by what the drawing begins from. At 1
what it began from is forgotten, so a fill needs less."""
RECOLORED = 0.88
"""The same where a garment changes its colour and nothing else: the first of eight steps, which
would settle anew where folds fall, is left out (`python -m bench touch-shading touch-color`)."""
Degree = Literal["shorter", "longer"]
"""One step along ``Sleeves`` or ``Length`` from what is worn now."""


def checked(
    content: str, strength: float | None, steps: int, *, recolored: bool = False, **way: Any
) -> Touch:
    """A touch of a mask that is still to be found; ``recolored``: nothing but a colour changes.

    The usual strength is used where a drawing of ``steps`` can leave any of them out.

    Raises:
        BadValue: a number outside its limits, or noise of which less than all is taken.
    """
    usual = STRENGTHS.get(content, 1.0)
    if recolored and content == "original":
        usual = RECOLORED
    if steps * usual < 1:
        usual = 1.0
    if content == "noise" and strength not in (None, 1):
        raise BadValue("Noise keeps nothing of what is there.", "Leave the strength out.")
    try:
        return Touch.model_validate(
            {"mask_sha256": "", "content": content, **way}
            | {"strength": usual if strength is None else strength}
        )
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        raise BadValue(
            f"A {name} of {str(wrong['input'])[:40]} is not possible.", f"{wrong['msg']}."
        ) from None


def require_look(id: str, base: str) -> None:
    """Raises ModelUnavailable when ``id`` is a photo's: only looks can be repainted."""
    if not id.startswith("photo-"):
        return
    why = "Repainting a photo needs the sd15 base: croquis draws sketches only."
    if base != "croquis":
        why = "A photo has no plan and no layout, so only looks are repainted so far."
    raise ModelUnavailable(why, "Touch up a look instead; segment finds the parts of a photo.")


def anew(look: str) -> int:
    """The seed of a part of ``look`` that is drawn anew: another one for each look."""
    return int(hashlib.sha256(look.encode()).hexdigest()[:8], 16) % 2**31


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
        length = _step(now, "length", lengths(now), length)
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


def lengths(garment: Garment) -> list[str]:
    """Every length that garments of this one's slot can be drawn in, from short to long."""
    every = list(get_args(Length))
    known = {n for c in CATEGORIES.values() if c.slot == garment.slot for n in c.lengths}
    if garment.slot == "top":
        known.add("crop")
    at = [every.index(n) for n in known]
    return every[min(at) : max(at) + 1]


def require_other_shape(garment: Garment, before: Layout, after: Layout) -> None:
    """Raises BadValue when a change of ``garment``'s shape changes no layout: nobody saw it."""
    if before.sha256 == after.sha256:
        raise BadValue(
            f"{garment.name} would look the same.",
            "That part of it is hidden, or it comes in no such shape; name another change.",
        )


def require_reach(mask: np.ndarray, reach: np.ndarray, garment: Garment) -> None:
    """Raises BadValue when a mask leaves out all of a garment that is to change."""
    if not (mask & reach).any():
        raise BadValue(
            f"The mask does not touch {garment.name}, so it cannot change.",
            "Mark some of it, or leave the mask out.",
        )


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
    """Index of a garment by its id, slot, category, or the last word of that: “skirt”.

    Raises UnknownName, also when two garments are meant by one last word.
    """
    for i, garment in enumerate(garments):
        if name in (garment.id, garment.slot, garment.category):
            return i
    meant = [i for i, g in enumerate(garments) if g.category.split()[-1] == name]
    if len(meant) == 1:
        return meant[0]
    known = [word for g in garments for word in (g.id, g.category)]
    raise UnknownName.among("garment in this look", name, known)


def region(
    seen: np.ndarray, before: Layout, after: Layout, index: int, alone: bool = False
) -> np.ndarray:
    """All that a change of garment ``index`` may touch, bool ``(768, 512)``.

    Where it was meant to be, where it is ``seen``, bool ``(768, 512)``, and where it will be: what
    a shorter sleeve uncovers is drawn again too. ``alone``: it is drawn within a ``window``.
    """
    either = before.mask(index) | after.mask(index)
    reach = REACH_ALONE if alone else REACH
    return masks.grow(either.repeat(2, 0).repeat(2, 1) | seen, reach)


def window(mask: np.ndarray, touch: Touch) -> Window | None:
    """What a repaint of the masked part alone looks at; None for a repaint within the picture."""
    if touch.padding is None:
        return None
    rows, columns = mask.shape
    y, x = np.nonzero(masks.grow(mask, touch.feather))
    around = 2 * touch.padding
    wide, high = np.ptp(x) + 1 + around, np.ptp(y) + 1 + around
    width = min(max(int(wide), -(-2 * int(high) // 3), CLOSEST), columns)
    width += width % 2
    left = (int(x.min()) + int(x.max()) + 1 - width) // 2
    top = (int(y.min()) + int(y.max()) + 1 - width * 3 // 2) // 2
    left = min(max(left, 0), columns - width)
    return left, min(max(top, 0), rows - width * 3 // 2), width


def closer(job: Job, layout: Layout, window: Window) -> Job:
    """``job`` for what a window shows alone, whose own layout is ``layout``."""
    edges = job.edges
    if edges is not None:
        edges = _magnified(edges[0], window, cv2.INTER_LINEAR)[None]
    return replace(job, layout=layout, edges=edges)


def _magnified(array: np.ndarray, window: Window, how: int) -> np.ndarray:
    """What a window shows of an array of any size that stands for the picture, at its size."""
    rows, columns = array.shape[:2]
    left, top, width = (side * columns / 512 for side in window)
    x, y, w = round(left), round(top), max(1, round(width))
    part = array[y : y + max(1, round(1.5 * width)), x : x + w]
    return cv2.resize(part, (columns, rows), interpolation=how)


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

    ``job`` is for what ``window`` shows, where that is not the whole picture.

    Raises:
        BadValue: the mask is empty, or the strength too small for the steps. Cancelled.
    """
    masks.require_some(mask)
    start = picture
    if touch.content == "fill":
        start = cv2.inpaint(picture, mask.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    # noise keeps nothing, whatever a receipt of an earlier version says
    strength = 1.0 if touch.content == "noise" else touch.strength
    share = masks.feathered(mask, touch.feather)
    seen = window(mask, touch)
    if seen is None:
        # the blend's band is drawn too: the noise the look came from brings the same scene back
        wide = masks.grow(mask, touch.feather)
        render = engine.repaint(job, start, wide, strength, on_step=on_step, cancel=cancel)
        return masks.composite(picture, render.picture, share), render.seconds
    # alone: as large as a picture while it is drawn, then back at its own size. Nothing but the
    # mask is drawn: from other noise comes other light, which showed as a pale rim in the band
    large = _magnified(start, seen, cv2.INTER_CUBIC)
    within = _magnified(mask.astype(np.uint8), seen, cv2.INTER_NEAREST) > 0
    render = engine.repaint(job, large, within, strength, on_step=on_step, cancel=cancel)
    left, top, width = seen
    after, height = picture.copy(), width * 3 // 2
    after[top : top + height, left : left + width] = cv2.resize(
        render.picture, (width, height), interpolation=cv2.INTER_AREA
    )
    return masks.composite(picture, after, share), render.seconds


def mask_sha256(mask: np.ndarray) -> str:
    return hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()
