"""Callers: who asks, what they may do, and how much of it at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from catalog.errors import Busy, NotAllowed
from tools.tokens import RIGHTS, Right, Token, Tokens


@dataclass(frozen=True)
class Caller:
    """Somebody who calls tools."""

    name: str | None
    """What their looks and photos are kept under; None = the person at this machine."""
    may: frozenset[Right]
    token: Token | None = field(default=None, repr=False)
    """By which they were let in."""
    tokens: Tokens | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, token: Token, tokens: Tokens) -> Caller:
        return cls(token.name, frozenset(token.may), token, tokens)

    def require_still(self) -> None:
        """Raises NotAllowed when they would not be let in any more: revoked, expired, replaced."""
        if self.token is not None and self.tokens is not None:
            self.tokens.require_still(self.token)

    def require(self, right: Right, what: str) -> None:
        """Raises NotAllowed when the caller's token does not allow ``what``."""
        if right not in self.may:
            raise NotAllowed(
                f"Your token does not allow {what}.",
                f"Ask whoever runs this server for one with --may {right}.",
            )


LOCAL = Caller(None, frozenset(RIGHTS))


@dataclass(frozen=True)
class Limits:
    """How much one caller may have under way at once, and all of them together."""

    calls: int = 40
    """Tool calls of one caller."""
    drawings: int = 4
    """Of these, drawings: the one under way and those that wait."""
    all_drawings: int = 64


class Queue:
    """Counts what is under way. Safe to use from several threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._calls: Counter[str | None] = Counter()
        self._drawings: Counter[str | None] = Counter()

    @property
    def drawings(self) -> int:
        """Drawings under way or waiting, of everybody."""
        return sum(self._drawings.values())

    @contextmanager
    def place(self, caller: Caller, *, drawing: bool) -> Iterator[None]:
        """Hold a place for one call. Raises Busy at once when the caller has none left."""
        with self._lock:
            self._check(caller, drawing)
            self._calls[caller.name] += 1
            self._drawings[caller.name] += drawing
        try:
            yield
        finally:
            with self._lock:
                self._calls[caller.name] -= 1
                self._drawings[caller.name] -= drawing

    def _check(self, caller: Caller, drawing: bool) -> None:
        limits = self.limits
        if self._calls[caller.name] >= limits.calls:
            raise Busy(
                f"You have {limits.calls} calls under way, and that is the most.",
                "Wait for one of them to answer.",
            )
        if drawing and self._drawings[caller.name] >= limits.drawings:
            raise Busy(
                f"You have {limits.drawings} drawings under way or waiting, and that is the most.",
                "Wait for one of them to finish, or cancel it.",
            )
        if drawing and self.drawings >= limits.all_drawings:
            raise Busy("Too many drawings are waiting.", "Try again in a minute.")
