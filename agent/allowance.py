"""How many tokens a hosted model may use in a day, counted in one small file."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from catalog.errors import ModelUnavailable

CHARACTERS_PER_TOKEN = 4
"""For servers that do not say what they counted."""


def _today() -> date:
    return datetime.now(UTC).date()


class Allowance:
    """The tokens of one home folder: ``<home>/llm_tokens.json``. None = no limit."""

    def __init__(
        self, home: Path, tokens_a_day: int | None, *, today: Callable[[], date] = _today
    ) -> None:
        self.path = Path(home) / "llm_tokens.json"
        self.tokens_a_day = tokens_a_day
        self._today = today

    def used(self) -> int:
        """Tokens used today (UTC); 0 when the file is not there or cannot be read."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            return int(kept["tokens"]) if kept["day"] == self._today().isoformat() else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def check(self) -> None:
        """Raise ModelUnavailable when today's tokens are used up."""
        if self.tokens_a_day is not None and self.used() >= self.tokens_a_day:
            raise ModelUnavailable(
                "The language model's tokens for today are used up.",
                "So I planned this one myself.",
            )

    def spend(self, tokens: int) -> None:
        """Add to today's count; two processes may lose each other's last addition, no more."""
        kept = {"day": self._today().isoformat(), "tokens": self.used() + max(tokens, 0)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(fresh, self.path)
