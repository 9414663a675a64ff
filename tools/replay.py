"""Replay: a look redrawn from its receipt alone, and compared pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog.errors import Damaged
from tools import touch_up
from tools.brief import Briefs
from tools.look import Receipt
from tools.looks import Looks, pixels_sha256, read_mask, read_png, read_receipt, write_png

if TYPE_CHECKING:
    import threading

    from tools.engine import Engine

OnStep = Callable[[int, int, "np.ndarray | None"], None]


@dataclass(frozen=True)
class ReplayResult:
    same: bool
    max_difference: int
    """Largest difference of any pixel channel, 0–255."""
    message: str
    image: str
    """Where the redrawn picture was written."""


class CardsChanged(Exception):
    """What the garments' cards say is not what a receipt's look was drawn from."""


@dataclass(frozen=True)
class Replay:
    """Redraws on what ``engine`` loads, whose usual number of threads is ``threads``."""

    engine: Callable[[], Engine]
    briefs: Briefs
    looks: Looks
    threads: int

    def of(
        self, path: Path, on_step: OnStep, cancel: threading.Event | None = None
    ) -> ReplayResult:
        """Redraw the look of the receipt at ``path``; its old picture is read after that only.

        Raises:
            Damaged: the receipt, a weight file or a LoRA is not what it was.
            UnknownName: a look that a touched-up one came from was deleted.
            Cancelled: ``cancel`` was set.
        """
        old = read_receipt(path)
        try:
            picture = self._redrawn(old, path.parent, on_step, cancel)
        except CardsChanged as changed:
            return ReplayResult(False, 255, str(changed), "")
        out = path.with_name("replay.png")
        write_png(out, picture)
        if pixels_sha256(picture) == old.picture_sha256:
            return ReplayResult(True, 0, "The same picture, to the pixel.", str(out))
        before = read_png(path.with_name("look.png"), "RGB")
        if before is None or before.shape != picture.shape:
            said = "The picture differs; by how much cannot be said without the old one."
            return ReplayResult(False, 255, said, str(out))
        largest = int(np.abs(before.astype(np.int16) - picture.astype(np.int16)).max())
        message = f"The picture differs by up to {largest} of 255."
        return ReplayResult(False, largest, message, str(out))

    def _redrawn(
        self, old: Receipt, folder: Path, on_step: OnStep, cancel: threading.Event | None
    ) -> np.ndarray:
        """The picture of a receipt; of a touched-up one, the looks it came from first."""
        import torch

        engine = self.engine()
        if old.base_sha256 != engine.base.sha256:
            raise Damaged(
                "The base's weights are not those of the receipt.",
                "Install the version named in the receipt's `versions`.",
            )
        before = mask = None
        if old.touch is not None:
            mask = read_mask(folder / "mask.png", old.touch.mask_sha256)
            parent = self.looks.get(old.parent or "")
            before = self._redrawn(parent.receipt, Path(parent.folder), on_step, cancel)
        layout = self.briefs.layout(old.plan)
        if layout.sha256 != old.control_sha256:
            raise CardsChanged("The layout differs: the garments' cards or the wardrobe changed.")
        if old.colors_sha256 not in ("", self.briefs.colors_sha256(old.plan)):
            raise CardsChanged("The colours on the garments' cards are not those of the receipt.")
        job = self.briefs.job(old.plan, layout, old.adapters)
        if mask is not None and old.touch is not None:
            job = self.briefs.touched(job, old.plan, mask, old.touch)
        torch.set_num_threads(_threads(old) or self.threads)
        try:
            if old.touch is None or before is None or mask is None:
                return engine.draw(job, on_step=on_step, cancel=cancel).picture
            return touch_up.repainted(
                engine, job, before, mask, old.touch, on_step=on_step, cancel=cancel
            )[0]
        finally:
            torch.set_num_threads(self.threads)


def _threads(old: Receipt) -> int | None:
    """How many threads drew the look; None when its receipt does not say. Raises Damaged."""
    said = old.versions.get("threads")
    if said is None:
        return None
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= 4096:
        raise Damaged("The receipt names no number of threads.", "It was changed; draw again.")
    return int(said)
