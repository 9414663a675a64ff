"""Marking: what is marked in a look, and how clicks, strokes, files and buttons change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agent.touching import Mark
from catalog.errors import BadValue, ModelUnavailable
from tools import mask as masks

BRUSHES = {"Fine brush": 8, "Brush": 24, "Broad brush": 64}
"""Their widths, in the picture's own pixels."""
LONGEST_STROKE = 5000
"""Points of one stroke."""
KEPT = 12
"""Steps that can be taken back."""
Way = dict[str, Any]
"""How it is drawn, as ``touch_up`` takes it: strength, content, padding, feather."""


@dataclass(frozen=True)
class Part:
    """What is marked in a look."""

    look: str
    garment: str
    """Empty as long as nothing is marked."""
    masks: tuple[np.ndarray, ...]
    """Candidates, bool ``(H, W)``; none as long as nothing is marked."""
    own: bool
    """Whether the first candidate is the garment's own mask, known without a model."""
    points: tuple[tuple[float, float, bool], ...] = ()
    number: int = 0
    """Which candidate counts."""
    removing: bool = False
    """Whether a plain click or stroke takes away."""
    brush: int = 0
    """Width of the brush; 0: a click chooses."""
    way: tuple[tuple[str, Any], ...] = ()
    """How it is drawn where not as usual, in the order of ``Way``."""
    past: tuple[Part, ...] = ()
    """What was marked before, oldest first."""

    @property
    def mask(self) -> np.ndarray:
        return self.masks[self.number]

    def mark(self, change: dict[str, Any] | None = None) -> Mark | None:
        """As a turn of the talk takes it; None when nothing is marked."""
        if not self.masks:
            return None
        mask = None if self.own and self.number == 0 else self.mask
        return Mark(self.look, self.garment, mask, change, dict(self.way))

    def after(self, before: Part | None) -> Part:
        """This as the step after ``before``: with its tools, and the way back to it."""
        if before is None:
            return self
        past = (*before.past, replace(before, past=()))[-KEPT:]
        return replace(
            self, removing=before.removing, brush=before.brush, way=before.way, past=past
        )


def nothing(look: str) -> Part:
    """A part that marks nothing yet, for a brush to begin with."""
    return Part(look, "", (), own=False)


def marked(
    studio: Any, look: str, before: Part | None, x: float, y: float, keep: bool
) -> Part | None:
    """What is marked after a click at (x, y) of a look; None = nothing any more.

    The look knows its garments' masks, so the first click means the garment under it, and a model
    adds candidates. Further clicks refine with the model; without one they choose another garment,
    or let go of this one. To what was painted, a click adds what lies there, or takes it away.

    Raises:
        BadValue: no garment is there, or it lies outside the picture.
    """
    known = studio.garment_masks(look)
    rows, columns = next(iter(known.values())).shape
    if not (0 <= x < columns and 0 <= y < rows):
        raise BadValue("That is outside the picture.", "Click on a garment.")
    under = next((id for id, mask in known.items() if mask[int(y), int(x)]), None)
    before = before if before is not None and before.look == look and before.masks else None
    if before is not None and not before.points:
        return _combined(studio, known, before, (x, y), keep)
    # of two clicks on one pixel the later one counts
    earlier = [p for p in (before.points if before else ()) if p[:2] != (x, y)]
    points = (*earlier, (x, y, keep))
    try:
        meant = any(k for *_, k in points)
        found = studio.segment(look, points=points) if meant else None
    except ModelUnavailable:
        found = None
    if before is None:
        if under is None or not keep:
            raise BadValue("There is no garment just there.", "Click on one, or pick its name.")
        seen = tuple(c.mask for c in found.candidates if c.mask.any()) if found else ()
        return Part(look, under, seen or (known[under],), own=True, points=points)
    if found is not None:
        seen = tuple(c.mask for c in found.candidates if c.mask.any())
        if not seen:
            return None
        return Part(look, found.garment or before.garment, seen, own=False, points=points)
    if not keep:
        return None if under == before.garment else before
    if under is None:
        return before
    return Part(look, under, (known[under],), own=True, points=((x, y, True),))


def named(studio: Any, look: str, garment: str) -> Part:
    """The part that naming a garment marks. Raises UnknownName, and BadValue when it is hidden."""
    found = studio.segment(look, garment=garment)
    # as if it had been clicked in its middle: further clicks add to it and take away from it
    x, y = masks.interior(found.mask)
    return Part(look, str(found.garment), (found.mask,), own=True, points=((x, y, True),))


def painted(
    studio: Any, look: str, before: Part | None, stroke: Any, width: float, keep: bool
) -> Part:
    """What is marked after a stroke of a brush; points are x, y in the look's own pixels.

    Raises:
        BadValue: no stroke, or nothing of a garment is marked after it.
    """
    known = studio.garment_masks(look)
    if not isinstance(stroke, Sequence) or not 0 < len(stroke) <= LONGEST_STROKE:
        raise BadValue("That was no stroke.", "Paint over what should change.")
    try:
        points = np.array(stroke, float).reshape(len(stroke), 2)
    except (TypeError, ValueError):
        raise BadValue("That was no stroke.", "Paint over what should change.") from None
    start = np.zeros_like(next(iter(known.values())))
    if before is not None and before.look == look and before.masks:
        start = before.mask
    return _kept(look, known, before, masks.brush(start, points, width, erase=not keep))


def uploaded(studio: Any, look: str, before: Part | None, data: bytes) -> Part:
    """The part that a mask file marks. Raises BadValue: no picture, another size, empty, full."""
    from catalog.photo_file import photo_pixels, photo_png

    known = studio.garment_masks(look)
    pixels = photo_pixels(photo_png(data, clear="black"))
    mask = masks.require_part(masks.checked(pixels, next(iter(known.values())).shape))
    return _kept(look, known, before, mask)


def reshaped(studio: Any, before: Part, word: str) -> Part:
    """``before`` after one of ``masks.RESHAPES``. Raises BadValue when nothing of it is left."""
    known = studio.garment_masks(before.look)
    mask = masks.require_part(masks.reshaped(before.mask, (word,)))
    return _kept(before.look, known, before, mask)


def _combined(
    studio: Any, known: dict[str, np.ndarray], before: Part, at: tuple[float, float], keep: bool
) -> Part:
    """A painted mask with what lies at a point added to it, or taken away."""
    try:
        found = studio.segment(before.look, points=((*at, True),)).mask
    except ModelUnavailable:
        found = next((m for m in known.values() if m[int(at[1]), int(at[0])]), None)
        if found is None:
            return before
    change = masks.add if keep else masks.subtract
    return _kept(before.look, known, before, change(before.mask, found))


def _kept(look: str, known: dict[str, np.ndarray], before: Part | None, mask: np.ndarray) -> Part:
    """The part that ``mask`` makes: of the garment it was of, else of that it covers most of."""
    covered = {id: int((m & mask).sum()) for id, m in known.items()}
    id = max(covered, key=lambda k: (before is not None and k == before.garment, covered[k]))
    if not covered[id]:
        id = max(covered, key=lambda k: covered[k])
    if not mask.any():
        return nothing(look).after(before)
    if not covered[id]:
        raise BadValue("There is no garment under the mark.", "Paint over one, or click on it.")
    return Part(look, id, (mask,), own=False).after(before)
