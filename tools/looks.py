"""Looks: one folder per look, named by what it holds, written once and never changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import Damaged, StylistError, UnknownName
from tools.layout import Layout
from tools.look import Look, Receipt
from tools.selection import labels_of
from tools.touch_up import mask_sha256

LOOK_ID = re.compile(r"look-[0-9a-f]{16}")


class Looks:
    """The looks of one home. A caller (``owner``) sees its own; None sees every look."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "looks"
        self._receipts: dict[str, Receipt] = {}

    def get(self, id: str, owner: str | None = None) -> Look:
        """A look by its id. Raises UnknownName, also for another caller's look."""
        folder = self.folder / str(id)
        if LOOK_ID.fullmatch(str(id)) and (folder / "receipt.json").exists():
            receipt = self._receipt(folder)
            if owner in (None, receipt.owner):
                return Look(id=id, folder=str(folder), receipt=receipt)
        known = (
            [k.id for k in self.all(owner=owner)] if owner else [p.name for p in self._folders()]
        )
        raise UnknownName.among("look", id, known[-40:])

    def all(self, thread: str | None = None, owner: str | None = None) -> list[Look]:
        """All looks, or those of one thread or of one owner, oldest first."""
        found = []
        for folder in self._folders():
            try:
                receipt = self._receipt(folder)
            except StylistError:
                continue  # asked for by its id it says what is wrong with it
            if owner in (None, receipt.owner) and thread in (None, receipt.thread):
                found.append(Look(id=folder.name, folder=str(folder), receipt=receipt))
        return sorted(found, key=lambda x: (x.receipt.created, x.id))

    def keep(
        self,
        facts: dict[str, Any],
        picture: np.ndarray,
        layout: Layout,
        mask: np.ndarray | None = None,
    ) -> Look:
        """Keep a picture, what it was drawn from, its garments' masks, and where it was touched.

        ``facts`` are the fields of its receipt, all but its id and date; None fields that are not
        part of every receipt are left out of what the id is made from. The same look drawn again
        is the one that is there; where that is damaged, the new one takes its place.
        """
        facts = {k: v for k, v in facts.items() if v is not None or k in ("parent", "thread")}
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        id = f"look-{digest[:16]}"
        if there := self._sound(id):
            return there
        created = datetime.now(UTC).isoformat(timespec="milliseconds")
        receipt = Receipt(look_id=id, created=created, **facts)
        folder = self.folder / id
        partial = folder.with_name(f".{id}.{os.getpid()}.{threading.get_ident()}")
        partial.mkdir(parents=True, exist_ok=True)
        write_png(partial / "look.png", picture)
        write_png(partial / "layout.png", _layout_picture(layout))
        write_png(partial / "garments.png", labels_of(layout))
        if mask is not None:
            write_png(partial / "mask.png", mask.astype(np.uint8) * 255)
        (partial / "receipt.json").write_text(receipt.model_dump_json(indent=1))
        if there := self._sound(id):  # another process was quicker
            shutil.rmtree(partial, ignore_errors=True)
            return there
        shutil.rmtree(folder, ignore_errors=True)  # what is there cannot be read
        try:
            os.rename(partial, folder)
        except OSError:
            # somebody drew the very same look in the same moment: theirs is ours
            shutil.rmtree(partial, ignore_errors=True)
            if not (folder / "receipt.json").exists():
                raise
            return self.get(id)
        return Look(id=id, folder=str(folder), receipt=receipt)

    def _sound(self, id: str) -> Look | None:
        """The look ``id`` if it is there and whole."""
        try:
            look = self.get(id)
            self.picture(look)
        except (UnknownName, Damaged):
            return None
        return None if self.labels(look) is None else look

    def forget(self, thread: str, owner: str | None = None) -> int:
        """Delete the looks that ``owner`` had drawn in a thread; how many there were.

        None: those of the person at this machine. Another caller may have a thread of that name.
        """
        looks = [x for x in self.all(thread) if x.receipt.owner == owner]
        for look in looks:
            shutil.rmtree(look.folder)
            self._receipts.pop(look.id, None)
        return len(looks)

    def picture(self, look: Look) -> np.ndarray:
        """uint8 ``(H, W, 3)``. Raises Damaged when it is not what its receipt says."""
        picture = read_png(Path(look.image), "RGB")
        if picture is None or pixels_sha256(picture) != look.receipt.picture_sha256:
            raise Damaged(f"The picture of {look.id} was changed.", "Draw the look again.")
        return picture

    def labels(self, look: Look) -> np.ndarray | None:
        """Which garment each pixel belongs to, uint8 ``(H, W)``: 0 none, 1 + i garment i.

        None when the look was kept without it, or it cannot be read.
        """
        labels = read_png(Path(look.folder) / "garments.png", "L")
        size = look.receipt.height, look.receipt.width
        if labels is None or labels.shape != size:
            return None
        return labels if labels.max(initial=0) <= len(look.receipt.plan.garments) else None

    def _folders(self) -> list[Path]:
        return sorted(self.folder.glob("look-*")) if self.folder.exists() else []

    def _receipt(self, folder: Path) -> Receipt:
        """A look's receipt; looks never change, so each is read once."""
        known = self._receipts.get(folder.name)
        if known is None:
            known = self._receipts[folder.name] = read_receipt(folder / "receipt.json")
        return known


def read_receipt(path: Path) -> Receipt:
    """A receipt file. Raises UnknownName when it is not there, Damaged when it cannot be read."""
    if not path.is_file():
        raise UnknownName(f"There is no receipt at {path}.", "Each look's folder holds one.")
    try:
        said = json.loads(path.read_bytes())
        if isinstance(said, dict) and isinstance(said.get("plan"), dict):
            # a look of before garments were held to their colours is drawn again as it was
            said["plan"].setdefault("color_weight", 0.0)
        return Receipt.model_validate(said)
    except StylistError:
        raise
    except (ValueError, RecursionError) as error:
        raise Damaged(f"The receipt {path.name} cannot be read.", "Draw the look again.") from error


def read_mask(path: Path, sha256: str) -> np.ndarray:
    """A kept mask, bool ``(H, W)``. Raises Damaged when it is not what its hash says."""
    grey = read_png(path, "L")
    mask = None if grey is None else grey > 127
    if mask is None or mask_sha256(mask) != sha256:
        raise Damaged("The mask of this touch-up was changed.", "Make the touch-up again.")
    return mask


def pixels_sha256(picture: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()


def write_png(path: Path, picture: np.ndarray) -> None:
    """Whole or not at all."""
    from PIL import Image

    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        Image.fromarray(picture).save(file, format="PNG", compress_level=3)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def read_png(path: Path, mode: str) -> np.ndarray | None:
    from PIL import Image

    try:
        return np.asarray(Image.open(path).convert(mode))
    except (OSError, ValueError):
        return None


def _layout_picture(layout: Layout) -> np.ndarray:
    """Region numbers as greys, edges white: what the ControlNet was told, to look at."""
    grey = (layout.regions.astype(np.uint16) * 18).clip(0, 220).astype(np.uint8)
    return np.maximum(grey.repeat(2, 0).repeat(2, 1), layout.edges)
