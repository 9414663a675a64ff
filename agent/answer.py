"""The answer of a turn: what is shown of plan and look, and words that nothing bears out."""

from __future__ import annotations

import re
from typing import Any

_CLAIMS = re.compile(
    r"\b(?:here(?:'s| is) (?:the|your) (?:picture|image|drawing|render)|i(?:'ve| have)? (?:just )?"
    r"(?:drawn|drew|rendered)|see the (?:picture|image) |^drawn\b)", re.I
)  # fmt: skip


def claims_a_picture(said: str) -> bool:
    """Whether a model says that it has drawn something."""
    return bool(_CLAIMS.search(said))


def shown(plan: dict[str, Any] | None) -> dict[str, Any] | None:
    """The plan as the answer's contract has it, without what only the planner needs."""
    if plan is None:
        return None
    garments = [{k: v for k, v in g.items() if k != "waterproof"} for g in plan["garments"]]
    kept = {k: v for k, v in plan.items() if k not in ("clo_needed", "currency")}
    return {**kept, "garments": garments}


def look_of(turn: Any) -> dict[str, Any] | None:
    """The look drawn in this turn, as the answer's contract has it."""
    if turn.look is None:
        return None
    return {"id": turn.look.id, "image": turn.look.image, "receipt": turn.look.receipt_file}


def grounded(said: str, turn: Any, language: str) -> str:
    """A foreign model's words, and after them what it put together, as the program knows it."""
    from agent import replies

    if not said or turn.outfit is None or turn.moments is None:
        return said
    return f"{said} {replies.in_short(turn.outfit.facts(), language)}"


def summary(turn: Any) -> str:
    """A model that stopped without a word: the outfit speaks for itself."""
    from agent import replies
    from agent.request import Request

    if turn.outfit is not None:
        return replies.outfit(turn.outfit.facts(), Request("dress"), turn.look is not None)
    return replies.small_talk(Request("unclear"), {})
