"""Two baselines for the same table: a random wearable outfit, and retrieval without thinking.

Each is a stylist in the answer's JSON contract that knows the cards and nothing of conversations.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

Ask = Callable[[dict[str, Any]], dict[str, Any]]
_SEPARATES = ("top", "bottom", "footwear")
_DRESS = ("onepiece", "footwear")


def _answer(request: dict[str, Any], worn: list[dict[str, Any]]) -> dict[str, Any]:
    season = worn[0]["seasons"][0]
    plan = {
        "season": {season: 1.0},
        "occasion": "everyday",
        "temperature_c": {"winter": 2.0, "summer": 26.0}.get(season, 14.0),
        "pose": "standing",
        "scene": "studio",
        "person": {},
        "assumptions": [],
        "unmet": [],
        "garments": [{"id": g["id"], "name": g["name"], "slot": g["slot"]} for g in worn],
        "price_total": sum(g["price"] for g in worn),
    }
    names = ", ".join(g["name"] for g in worn)
    return {"thread": request["thread"], "reply": f"I chose {names}.", "plan": plan, "look": None,
            "tool_calls": []}  # fmt: skip


def random_valid(cards: dict[str, dict[str, Any]], home: Path) -> Ask:
    """Any complete outfit of one season, without looking at the request."""
    dice = random.Random(7)

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        season = dice.choice(("spring-autumn", "summer", "winter"))
        slots = dice.choice((_SEPARATES, _DRESS)) + (("outerwear",) if season == "winter" else ())
        worn = [
            dice.choice([g for g in cards.values() if g["slot"] == s and season in g["seasons"]])
            for s in slots
        ]
        return _answer(request, worn)

    return ask


def retrieval_only(cards: dict[str, dict[str, Any]], home: Path) -> Ask:
    """For each slot the garment that the catalog's text search finds first for the message."""
    from catalog.index import Catalog

    catalog = Catalog(home)

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, tuple[float, str]] = {}
        for slot in ("top", "bottom", "onepiece", "footwear", "outerwear"):
            best = catalog.find(request["message"], slot=slot, limit=1)
            if best:
                found[slot] = (best[0][1], best[0][0].id)
        separates = max(found["top"][0], found["bottom"][0])
        body = _SEPARATES if found["onepiece"][0] < separates else _DRESS
        slots = [*body, *(("outerwear",) if found["outerwear"][0] > separates else ())]
        return _answer(request, [cards[found[s][1]] for s in slots])

    return ask


BASELINES: dict[str, Callable[[dict[str, dict[str, Any]], Path], Ask]] = {
    "random": random_valid,
    "retrieval": retrieval_only,
}
