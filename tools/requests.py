"""Requests: a key given twice gets the same look, without drawing twice, also after a restart."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from catalog.errors import BadValue, Busy
from tools.uploads import LOCAL


class Requests:
    """What was answered under each caller's keys: ``<home>/requests/<caller>/<hash>.json``.

    Only what succeeded is remembered: a request that failed or was killed may be sent again.
    """

    def __init__(self, home: Path) -> None:
        self._root = Path(home) / "requests"

    @contextmanager
    def under(self, owner: str | None, key: str, body: dict[str, Any]) -> Iterator[Request]:
        """Hold the key while its request is answered.

        Raises:
            BadValue: the key was used for another body.
            Busy: the very request is being answered at this moment, perhaps by another process.
        """
        path = self._path(owner, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.with_suffix(".lock")
        lock = filelock.FileLock(held, timeout=0, thread_local=False)
        busy = Busy(
            "This request key is being answered at the moment.",
            "Send the same request again when it is done; it will not be drawn twice.",
        )
        try:
            lock.acquire()
        except filelock.Timeout:
            raise busy from None
        try:
            if not held.exists():  # who held it before took it away: somebody may hold a new one
                raise busy
            yield Request(path, body)
        finally:
            if not path.exists():  # refused, failed or stopped: nothing of it stays
                held.unlink(missing_ok=True)
            lock.release()

    def answer(self, owner: str | None, key: str, body: dict[str, Any]) -> str | None:
        """The look that the request was answered with before. Raises BadValue as ``under``."""
        return Request(self._path(owner, key), body).look

    def _path(self, owner: str | None, key: str) -> Path:
        folder = self._root / (owner or LOCAL)
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


class Request:
    """One key while it is held. ``look`` is what it was answered with before, None the first
    time."""

    def __init__(self, path: Path, body: dict[str, Any]) -> None:
        self._path = path
        self._body = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        self.look: str | None = None
        try:
            saved = json.loads(path.read_bytes())
            before, look = str(saved["body"]), str(saved["look"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return  # nothing, or not written to its end: the request starts afresh
        if before != self._body:
            raise BadValue(
                "This request key was used for another request.",
                "Give each new request a new key; repeat a key only with the very same arguments.",
            )
        self.look = look

    def answered(self, look: str) -> None:
        """Remember the look that this request was answered with."""
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with partial.open("w", encoding="utf-8") as file:
            json.dump({"body": self._body, "look": look}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, self._path)
