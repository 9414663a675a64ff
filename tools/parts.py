"""Parts of a look: one mask per garment, refined by a SAM, and what a click on it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from catalog.errors import Damaged, ModelUnavailable
from tools import selection, touch_up
from tools.brief import Briefs
from tools.look import Look
from tools.looks import Looks
from tools.segment import Prompt, Segmenter, check_prompt
from tools.selection import Selection

KEPT = 32
"""Looks whose refined masks are kept in memory."""


class Parts:
    """Answers for the looks of one folder. ``segmenter`` loads the SAM when one is needed."""

    def __init__(self, looks: Looks, briefs: Briefs, segmenter: Callable[[], Segmenter]) -> None:
        self._looks, self._briefs, self._segmenter = looks, briefs, segmenter
        self._labels: dict[str, np.ndarray] = {}

    def labels(self, look: Look) -> np.ndarray:
        """Which garment each pixel of a look belongs to, as ``Looks.labels`` says it."""
        known = self._labels.get(look.id)
        if known is not None:
            return known
        labels = self._looks.labels(look)
        if labels is None:
            labels = selection.labels_of(self._briefs.layout(look.receipt.plan))
        try:
            labels = selection.refined(self._segmenter(), self._looks.picture(look), labels)
        except (ModelUnavailable, Damaged):
            return labels  # what was planned will do, and a whole SAM may come later
        self._labels[look.id] = labels
        while len(self._labels) > KEPT:
            self._labels.pop(next(iter(self._labels)), None)
        return labels

    def masks(self, look: Look) -> dict[str, np.ndarray]:
        """Garment id → its mask, bool ``(H, W)``."""
        labels = self.labels(look)
        return {worn.id: labels == i + 1 for i, worn in enumerate(look.receipt.plan.garments)}

    def named(self, look: Look, garment: str) -> Selection:
        """The garment of that id, slot or kind. Raises UnknownName; BadValue: hidden."""
        worn = self._briefs.garments(look.receipt.plan)
        index = touch_up.index_of(worn, garment)
        return selection.named(self.labels(look), index, worn[index].id)

    def clicked(self, look: Look, prompt: Prompt) -> Selection:
        """What was clicked on: one click on a garment means that garment first.

        Raises BadValue as `check_prompt` does, ModelUnavailable without a SAM.
        """
        picture = self._looks.picture(look)
        found = selection.garment_first(self.seen(picture, prompt), self.labels(look), prompt)
        under = selection.garment_under(self.labels(look), found.mask)
        worn = look.receipt.plan.garments
        return replace(found, garment=None if under is None else worn[under].id)

    def seen(self, picture: np.ndarray, prompt: Prompt) -> Selection:
        """What the SAM finds in any picture; raises as ``clicked`` does."""
        check_prompt(prompt, *picture.shape[:2])  # before a model is asked for
        return selection.clicked(self._segmenter(), picture, prompt)
