"""What holds whatever a model says: the wishes a message really contains, and card text as data.

A hosted model may forget a wish or read an instruction into a garment's name. So the program reads
the message itself, keeps its hard wishes beside the model's, and shows the model no free text of
any card: names are composed from the card's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agent import numbers
from agent.lexicon import fold
from agent.understand import understand
from catalog.garment import Garment
from tools.outfit import OCCASIONS, Wish
from tools.wish import Piece

_OCCASION_WORDS = {w for o in OCCASIONS.values() for w in (o.name, *o.same, *o.words)}
_FACTS = (
    "why",
    "cost",
    "what",
    "warm_enough",
    "compare",
    "material",
    "waterproof",
    "dressy",
    "needed",
    "most",
)
"""Questions whose answer stands in the plan: the program says it, whichever model plans."""
_SEASON_SHARE = 0.1
_SHORTEST_NAME = 4


@dataclass(frozen=True)
class Heard:
    """The hard wishes of one message in its thread, as the program reads them."""

    wish: Wish = Wish()
    person: bool = False
    """Whether the message says who wears it."""
    season: bool = False
    """Whether the message says when."""
    temperature: bool = False
    dress: bool = False
    """Whether the message asks for clothes, and not for a word about them, or to go back."""
    fact: bool = False
    """Whether the message asks what the plan itself says."""

    @classmethod
    def of(cls, message: str, state: dict[str, Any]) -> Heard:
        """Read ``message`` in the light of the note that every model gets."""
        request = understand(message, state)
        if request.kind != "dress":
            unchanged = Wish.model_validate(state.get("wish") or {})
            return cls(unchanged, fact=request.kind in _FACTS)
        wish = request.wish
        before = Wish.model_validate(state.get("wish") or {})
        return cls(
            wish,
            person="presentation" in request.person,
            season=bool(wish.season) and wish.season != before.season,
            temperature=numbers.temperature(fold(message)) is not None,
            dress=True,
        )

    def forgotten(self, wish: Wish) -> list[str]:
        """What the message says and ``wish`` leaves out, in words for the model."""
        heard, lost = self.wish, []
        for piece in heard.avoid:
            if not any(_covers(a, piece) for a in wish.avoid):
                lost.append(f"avoid {piece.words}")
        if heard.budget is not None and (wish.budget is None or wish.budget > heard.budget):
            lost.append(f"budget {heard.budget:g}")
        if heard.size and wish.size != heard.size:
            lost.append(f"size {heard.size}")
        if self.person and heard.who != "anyone" and wish.who != heard.who:
            lost.append(f"who {heard.who}")
        if self.temperature and heard.temperature_c is not None:
            if wish.temperature_c is None or abs(wish.temperature_c - heard.temperature_c) > 3:
                lost.append(f"temperature_c {heard.temperature_c:g}")
        elif self.season and wish.temperature_c is None:
            main = max(heard.season, key=lambda s: heard.season[s])
            if wish.season.get(main, 0.0) < _SEASON_SHARE:
                lost.append(f"season {main}")
        missing = [w for w in heard.weather if w in ("rain", "snow") and w not in wish.weather]
        lost += [f"weather {w}" for w in missing]
        return lost

    def bound(self, wish: Wish) -> Wish:
        """``wish`` with what it forgot put back."""
        if not self.forgotten(wish):
            return wish
        heard = self.wish
        avoid = [p for p in heard.avoid if not any(_covers(a, p) for a in wish.avoid)]
        change: dict[str, Any] = {
            "avoid": (*avoid, *wish.avoid)[:24],
            "want": tuple(w for w in wish.want if not any(_covers(p, w) for p in avoid)),
            "weather": tuple(dict.fromkeys((*wish.weather, *heard.weather))),
        }
        if heard.budget is not None:
            change["budget"] = min(heard.budget, wish.budget or heard.budget)
        if heard.size:
            change["size"] = heard.size
        if self.person and heard.who != "anyone":
            change["who"] = heard.who
        if self.temperature:
            change.update(temperature_c=heard.temperature_c, season=heard.season)
        elif self.season and any(w.startswith("season") for w in self.forgotten(wish)):
            change["season"] = heard.season
        return wish.model_copy(update=change)


def _covers(wide: Piece, narrow: Piece) -> bool:
    """Whether avoiding ``wide`` also avoids every ``narrow``."""
    if wide.slot and wide.slot not in (narrow.slots if len(narrow.slots) == 1 else ()):
        return False
    return all(
        not (mine := set(getattr(wide, field)))
        or (bool(theirs := set(getattr(narrow, field))) and theirs <= mine)
        for field in ("categories", "colors", "patterns", "materials", "sleeves", "lengths", "fits")
    )


def label(g: Garment) -> str:
    """A garment in the card's closed words alone: “red plaid wool scarf”."""
    pattern = "" if g.pattern == "plain" else g.pattern
    return " ".join(w for w in (g.color, pattern, g.material, g.category) if _is_word(w))


def labelled(value: Any, garments: Iterable[Garment]) -> Any:
    """``value`` (plain JSON) with every name of ``garments`` replaced by its label."""
    names = {g.name: label(g) for g in garments if len(g.name) >= _SHORTEST_NAME}
    return _replaced(value, sorted(names.items(), key=lambda pair: -len(pair[0])))


def known_occasions(g: Garment) -> list[str]:
    """The card's occasions that are words of ours; a card can hold any text there."""
    return [w for w in g.occasions if w in _OCCASION_WORDS]


def _is_word(word: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z -]{0,24}", word))


def _replaced(value: Any, names: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        for name, said in names:
            value = value.replace(name, said)
        return value
    if isinstance(value, dict):
        return {k: _replaced(v, names) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(v, names) for v in value]
    return value
