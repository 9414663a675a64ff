"""Searches of the catalog: their arguments, what they replied, and a garment picked from it."""

from __future__ import annotations

from typing import Any

from agent.mentioned import matches
from tools.wish import Piece, Wish


def with_that(wish: Wish, card: dict[str, Any]) -> Wish:
    """``wish`` with a garment that was listed wanted, in place of any of its kind."""
    words = next((p.words for p in wish.want if matches(p, card)), "")
    that = Piece(
        slot=card["slot"],
        categories=(card["category"],),
        colors=(card["color"],),
        patterns=(card["pattern"],),
        materials=(card["material"],),
        said=words,
    )
    rest = tuple(p for p in wish.want if not matches(p, card))
    prefer = (str(card["id"]), *wish.prefer)[:32]
    return wish.model_copy(update={"want": (*rest, that)[-12:], "prefer": prefer})


def cards_in(found: Any) -> list[Any]:
    """What find_garments replied: a list of cards, over MCP inside an object."""
    cards = found.get("garments") if isinstance(found, dict) else found
    return cards if isinstance(cards, list) else []


def filters(piece: Piece) -> dict[str, Any]:
    """``find_garments`` arguments for a piece."""
    args: dict[str, Any] = {"text": piece.words}
    if len(piece.categories) == 1:
        args["category"] = piece.categories[0]
    elif len(piece.slots) == 1:
        args["slot"] = piece.slots[0]
    if piece.colors:
        args["color"] = piece.colors[0]
    return args
