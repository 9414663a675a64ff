"""Advice on what is not worn (yet): an umbrella, sneakers with it, what makes one look taller."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.lexicon import Hit
from agent.phrasebook import EVENTS, of_card, say
from agent.questions import answer
from catalog.croquis.palette import COLORS, hex_to_rgb, srgb_to_lab
from tools.harmony import harmony
from tools.warmth import veto
from tools.wish import OCCASIONS, Wish

_QUESTION = re.compile(
    r"[?？]|(?:吗|么|呢|ですか|ますか|かな)[。.]?\s*$|^(?:should|shall|do|will) "
)
_SOLD = re.compile(
    r"\b(?:do you (?:have|sell|stock)|have you|got any|is there|are there|verkauf\w+|gibt es|"
    r"haben sie|vendez|avez vous|y a t il|venden|tienen|tienes|hay)\b|"
    r"有没有|有卖|卖|ありますか|売って"
)
_MAY = re.compile(
    r"^(?:(?:and|but|so|ok|okay|hmm|also)[ ,]+)*(?:"
    r"(?:can|could|may) (?:i|we|he|she) (?:also |still |even )?(?:wear|put on|use|pair|combine)\b|"
    r"(?:is it|would it be) (?:ok|okay|fine|alright|all right) (?:to wear|if i wear)\b|"
    r"(?:kann|darf|konnte|konnen|durfen) (?:ich|man|sie|er|wir) .*(?:tragen|anziehen|kombinieren)|"
    r"(?:gehen|passen) (?:auch |dazu )?[a-z ]+ dazu\b|"
    r"(?:est ce qu(?:e|') ?)?(?:je peux|on peut|elle peut|il peut|puis je|peut on) (?:aussi )?"
    r"(?:mettre|porter)\b|"
    r"¿?\s*(?:puedo|puede|podria) (?:llevar|usar|poner\w*|combinar\w*)\b)|"
    r"(?:可以|能|能不能|可不可以)(?:配|穿|搭|戴)|(?:穿|配|搭|戴).{1,10}(?:可以|行|合适)[吗么]|"
    r"(?:でも|を履いても|を着ても|をはいても|をかぶっても|は)(?:いい|良い|よい|大丈夫|合い)(?:です|ます)?か"
)
"""“Can I wear sneakers with it?”"""
_INSTEAD = re.compile(
    r"\b(?:instead|rather|statt|stattdessen|plutot|en vez|a la place)\b|代わり|换成"
)
_SUITS = 0.2
"""Formality by which one piece may miss an occasion and still suit it."""
_GOES = 0.5
"""Harmony from which two colours are said to go together."""


def umbrella_asked(folded: str, found: list[Hit]) -> bool:
    """Whether it is asked if an umbrella is needed."""
    named = any(h.get("absent") == "umbrella" for h in found)
    return named and bool(_QUESTION.search(folded.strip())) and not _SOLD.search(folded)


def may_asked(folded: str) -> bool:
    """Whether it is asked if something may be worn."""
    return bool(_MAY.search(folded.strip())) and not _INSTEAD.search(folded)


def umbrella(plan: dict[str, Any], wish: Wish, language: str) -> str:
    """Whether to take one, by what was said of the weather; and what of the outfit keeps dry."""
    told = (
        "I do not know the forecast, and nothing here speaks of rain: take an umbrella if rain is "
        "likely. I have none, only clothes; say “rain” and I dress for it."
    )
    if "rain" in wish.weather:
        told = "Yes, take one: it is to rain. I have no umbrellas, only clothes."
    outer = [g for g in plan.get("garments", []) if g["slot"] in ("outerwear", "footwear")]
    parts = [say(told, language)]
    if outer:
        parts.append(answer("waterproof", plan, outer, language))
    return ("" if language in ("zh", "ja") else " ").join(parts)


_LOOKS = {
    "taller": "No garment makes anyone taller, but heels add some centimetres and one color from "
    "head to foot draws a long line: say “heels” or “all in navy” and I do it. "
    "Nothing was changed.",
    "slimmer": "How it sits on somebody no card tells, and nobody needs to look different for me. "
    "If you like, I try another cut or one dark color: say “looser” or “all in black”. "
    "Nothing was changed.",
}


def looks(how: str, language: str) -> str:
    """What clothes can honestly do for somebody who wants to look taller or slimmer."""
    return say(_LOOKS[how], language)


def may_wear(
    cards: Sequence[dict[str, Any]],
    occasion: str,
    celsius: float,
    weather: Sequence[str],
    language: str,
) -> str:
    """Whether the best of ``cards`` suits the occasion and the weather."""
    event = occasion or "everyday"
    aim, met = OCCASIONS[event].formality, OCCASIONS[event].met

    def against(card: dict[str, Any]) -> str:
        return veto(card["category"], card["material"], celsius, tuple(weather), met) or ""

    best = min(cards, key=lambda c: (bool(against(c)), abs(float(c["formality"]) - aim)))
    if reason := against(best):
        return say("Better not: {reason:r}.", language, r=reason.partition(": ")[2])
    level = float(best["formality"])
    told = "Yes — {garment:x}: as dressy as {event:o} asks for. Shall I put that in?"
    if level < aim - _SUITS:
        told = (
            "I would not — {garment:x}: more casual than {event:o} asks for. Shall I put that in "
            "all the same?"
        )
    elif level > aim + _SUITS:
        told = "You can — {garment:x}: only dressier than {event:o} asks for. Shall I put that in?"
    name = str(best["name"])
    shown = EVENTS.get(event, event)
    return say(told, language, {name: of_card(best, language)}, x=name, o=shown)


def together(one: dict[str, Any], other: dict[str, Any], language: str) -> str:
    """Whether two pieces that are worn go together, by their colours."""
    names = {str(g["name"]): of_card(g, language) for g in (one, other)}
    told = "Yes: {color:c} and {color:d} go together ({garment:a}, {garment:b})."
    if one["color"] == other["color"]:
        told = "Yes, they have the same color: {garment:a} and {garment:b}."
    elif _harmony(one["color"], other["color"]) < _GOES:
        told = "Not really: {color:c} and {color:d} do not go together ({garment:a}, {garment:b})."
    values = {"a": one["name"], "b": other["name"], "c": one["color"], "d": other["color"]}
    kinds = {k: v for k, v in values.items() if f":{k}}}" in told}
    return say(told, language, names, **kinds)


def _harmony(one: str, other: str) -> float:
    first, second = (srgb_to_lab(hex_to_rgb(COLORS[c][0])) for c in (one, other))
    return float(harmony(np.asarray(first), np.asarray(second)))
