"""Uploads: photos that callers sent, kept under an id for a while; nobody sees another's."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from catalog.errors import Busy, CannotNow, UnknownName
from catalog.photo_file import photo_png

MAX_PHOTOS = 40
MAX_PIXELS = 120_000_000
"""Of all photos that one caller keeps here at a time."""
KEPT_HOURS = 24
DISK_RESERVE = 256 << 20
"""Bytes that stay free on the disk whatever is sent."""
_ID = re.compile(r"photo-[0-9a-f]{16}")
LOCAL = "@local"
"""The folder of the person at this machine; no caller's name begins with @."""


class Photo(BaseModel):
    """A photo that was sent: its id is what tools take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    width: int
    height: int
    kept_hours: int = KEPT_HOURS


class Uploads:
    """The photos under ``<home>/photos``. Safe to use from several threads and processes."""

    def __init__(self, home: Path) -> None:
        self._root = Path(home) / "photos"
        self._lock = threading.Lock()

    def add(self, data: bytes, owner: str | None = None) -> Photo:
        """Keep a PNG, JPEG or WebP file, upright and without metadata; the same photo, the same id.

        Raises BadValue (no such picture, too large), Busy (this caller keeps too many), CannotNow.
        """
        png = photo_png(data, clear=None)  # a mask is read on black, a photo on white
        width, height = _size(png)
        id = f"photo-{hashlib.sha256(png).hexdigest()[:16]}"
        folder = self._folder(owner)
        with self._lock:
            self._sweep()
            path = folder / f"{id}.png"
            if path.exists():
                os.utime(path)
                return Photo(id=id, width=width, height=height)
            kept = list(folder.glob("photo-*.png")) if folder.exists() else []
            pixels = sum(w * h for w, h in (_size(p.read_bytes()[:32]) for p in kept))
            if len(kept) >= MAX_PHOTOS or pixels + width * height > MAX_PIXELS:
                raise Busy(
                    f"You keep {len(kept)} photos of {pixels / 1e6:.0f} million pixels here; "
                    f"{MAX_PHOTOS} photos or {MAX_PIXELS / 1e6:.0f} million pixels are the most.",
                    f"Send smaller ones, or wait: each is forgotten after {KEPT_HOURS} hours.",
                )
            try:
                folder.mkdir(parents=True, exist_ok=True)
                if shutil.disk_usage(folder).free < len(png) + DISK_RESERVE:
                    raise CannotNow("There is no room for more photos.", "Try again later.")
                partial = folder / f".{id}.{os.getpid()}"
                partial.write_bytes(png)
                os.replace(partial, path)
            except OSError as error:
                raise CannotNow("The photo could not be kept.", "Try again later.") from error
        return Photo(id=id, width=width, height=height)

    def read(self, id: str, owner: str | None = None) -> bytes:
        """The photo as a PNG file. Raises UnknownName for an id that this caller never got."""
        folder = self._folder(owner)
        if isinstance(id, str) and _ID.fullmatch(id):
            try:
                return (folder / f"{id}.png").read_bytes()
            except FileNotFoundError:
                pass
        raise UnknownName.among("photo", id, [p.stem for p in folder.glob("photo-*.png")])

    def _folder(self, owner: str | None) -> Path:
        return self._root / (owner or LOCAL)

    def _sweep(self) -> None:
        oldest = time.time() - KEPT_HOURS * 3600
        for path in self._root.glob("*/*"):
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process swept it


def _size(png: bytes) -> tuple[int, int]:
    """Width and height in a PNG file's first 24 bytes."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
