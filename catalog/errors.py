"""Everything that can go wrong, as one tree. Every message is fit to show a person.

StylistError
├── AskDifferently        the caller can fix it: the message says how
│   ├── UnknownName       something named does not exist: the nearest existing ones are in ``hint``
│   └── BadValue          a number, text, picture or file outside its stated limits
└── CannotNow             right now it cannot be done: the message says what to do
    ├── Busy              somebody else holds the lock or the queue is full
    ├── Damaged           a file of ours is missing, truncated or not what its hash says
    ├── NotAllowed        this caller may not do that, whatever the words
    ├── ModelUnavailable  a language model or a base's weights cannot be reached
    └── Cancelled         the person stopped it
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StylistError(Exception):
    """Base of all errors this program raises on purpose.

    ``message`` says what happened, ``hint`` what to do next. Both are plain sentences.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def as_dict(self) -> dict[str, str]:
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint}


class AskDifferently(StylistError):
    """The request cannot be met as asked, but a changed one can."""


class UnknownName(AskDifferently):
    """A garment, pose, scene, thread... of that name does not exist."""

    @classmethod
    def among(cls, kind: str, asked: object, known: Iterable[str]) -> UnknownName:
        """The error for ``asked`` not being one of ``known``, naming the nearest ones."""
        names = sorted(known)
        shown = clip(asked)
        near = difflib.get_close_matches(shown.lower(), names, n=3, cutoff=0.5)
        if near:
            hint = f"Did you mean {', '.join(near)}?"
        elif names:
            hint = f"There are: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}."
        else:
            hint = "There are none yet."
        return cls(f"There is no {kind} “{shown}”.", hint)


class BadValue(AskDifferently):
    """A value outside its stated limits."""


class CannotNow(StylistError):
    """Nothing is wrong with the request, but it cannot be done at the moment."""


class Busy(CannotNow):
    """Another process or person is at it."""


class NotAllowed(CannotNow):
    """The caller lacks the right to it: asking again or differently does not help."""


class Damaged(CannotNow):
    """A file of ours is missing, cut short or changed."""


class ModelUnavailable(CannotNow):
    """A model (language model, base, LoRA) cannot be loaded or reached."""


class Cancelled(CannotNow):
    """The person asked to stop."""


def clip(value: object, limit: int = 60) -> str:
    """``value`` as one short printable line, for use inside messages."""
    text = "".join(c if c.isprintable() else "�" for c in str(value)[: limit + 1])
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"
