"""Selection: which part of a picture is meant, by a garment's name, by clicks or by a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalog.errors import BadValue
from tools import mask as masks
from tools.layout import Layout
from tools.segment import Candidate, Prompt, Segmenter

OWN = "the look's own masks"
"""Who answers when a garment is named: no model has to look for it."""
AGREE = 0.85
"""A model's mask replaces a garment's region when their overlap (IoU) is at least this: a render
keeps to its layout more closely than a doubtful mask would."""
BEYOND = 8
"""Pixels by which such a mask may reach beyond the region."""
_SMALL = 64
"""Pixels below which a region is not worth asking a model about."""


@dataclass(frozen=True)
class Selection:
    """What was meant: one to three candidates, the most likely first."""

    candidates: tuple[Candidate, ...]
    model: str
    """Which model answered, for whoever asks."""
    garment: str | None = None
    """In a look: the id of the garment that most of the first candidate lies on."""

    @property
    def mask(self) -> np.ndarray:
        """The most likely one, bool ``(H, W)``."""
        return self.candidates[0].mask

    def candidate(self, number: int) -> np.ndarray:
        """One of the candidates' masks. Raises BadValue when there are not so many."""
        if not 0 <= number < len(self.candidates):
            raise BadValue(
                f"There is no candidate {number}.",
                f"There are {len(self.candidates)}, counted from 0.",
            )
        return self.candidates[number].mask

    def facts(self) -> dict[str, Any]:
        """The same in numbers, as JSON: where each candidate lies and how sure the model is."""
        rows, columns = self.mask.shape
        return {
            "model": self.model,
            "width": columns,
            "height": rows,
            "garment": self.garment,
            "candidates": [_facts(c) for c in self.candidates],
        }


def _facts(candidate: Candidate) -> dict[str, Any]:
    y, x = np.nonzero(candidate.mask)
    box = [int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1] if len(x) else None
    share = round(float(candidate.mask.mean()), 5)
    return {"score": round(candidate.score, 4), "share": share, "box": box}


def named(labels: np.ndarray, index: int, garment: str) -> Selection:
    """The selection that naming garment ``index`` of a look makes. Raises BadValue: hidden."""
    mask = labels == index + 1
    require_seen(garment, mask)
    return Selection((Candidate(mask, 1.0, np.zeros((0, 0), np.float32)),), OWN, garment)


def require_seen(garment: str, *where: np.ndarray) -> None:
    """Raises BadValue when a garment is in none of the masks ``where``: others hide it."""
    if not any(mask.any() for mask in where):
        raise BadValue(
            f"{garment} cannot be seen in this look: what is worn over it hides it.",
            "Name another garment, or ask for a look without the one above.",
        )


def clicked(segmenter: Segmenter, picture: np.ndarray, prompt: Prompt) -> Selection:
    """What ``segmenter`` finds where somebody clicked. Raises BadValue as ``segment`` does."""
    return Selection(tuple(segmenter.segment(picture, prompt)), segmenter.name)


def garment_first(found: Selection, labels: np.ndarray, prompt: Prompt) -> Selection:
    """``found`` by one click on a look, with the whole garment under the click as its first answer.

    Its place is known, and pointing at a coat means the coat; what the model saw, a part maybe,
    comes after it. More clicks, a box, or a click beside every garment are the model's alone.
    """
    if len(prompt.points) != 1 or prompt.box is not None or prompt.refine is not None:
        return found
    x, y, keep = prompt.points[0]
    label = int(labels[int(y), int(x)])
    if not keep or label == 0:
        return found
    seen = found.candidates
    own = Candidate(labels == label, 1.0, seen[0].logits)
    return replace(found, candidates=(own, *seen[: len(seen) - 1 or 1]))


def labels_of(layout: Layout) -> np.ndarray:
    """Which garment each pixel belongs to, uint8 ``(768, 512)``: 0 none, 1 + i garment i."""
    small = np.zeros(layout.regions.shape, np.uint8)
    for i in range(len(layout.slots)):
        small[layout.mask(i)] = i + 1
    return small.repeat(2, 0).repeat(2, 1)


def refined(segmenter: Segmenter, picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """``labels`` with each garment's region as the picture really shows it.

    The layout says where a garment was meant to be; a model sees where it was drawn. What it sees
    counts where both agree on the whole; else the region stays.
    """
    out = labels.copy()
    for index in range(int(labels.max(initial=0))):
        region = labels == index + 1
        if region.sum() < _SMALL:
            continue
        found = segmenter.segment(picture, _prompt(region))
        best = max(found, key=lambda c: _overlap(c.mask, region))
        if _overlap(best.mask, region) < AGREE:
            continue
        near = masks.grow(region, BEYOND)
        # a neighbour keeps what is its own
        seen = best.mask & near & ((labels == 0) | region)
        out[region & ~seen] = 0
        out[seen] = index + 1
    return out


def garment_under(labels: np.ndarray, mask: np.ndarray) -> int | None:
    """Index of the garment that most of a mask lies on; None when it lies on none."""
    covered = np.bincount(labels[mask], minlength=2)[1:]
    return int(covered.argmax()) if covered.any() else None


def prompt_of(
    points: Sequence[tuple[float, float, bool]],
    box: tuple[float, float, float, float] | None,
    refine: np.ndarray | None = None,
) -> Prompt:
    """Points ``(x, y, keep)`` and a box in the picture's own pixels."""
    return Prompt(tuple((float(x), float(y), bool(k)) for x, y, k in points), box, refine)


def _prompt(region: np.ndarray) -> Prompt:
    """A region's box and the point farthest from its rim."""
    import cv2

    y, x = np.nonzero(region)
    depth = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    box = (float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
    return Prompt(points=((float(column), float(row), True),), box=box)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    either = (a | b).sum()
    return float((a & b).sum() / either) if either else 0.0
