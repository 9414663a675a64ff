"""Who wears it: body, skin, hair, age and presentation, as a message describes them."""

from __future__ import annotations

import re

from agent.lexicon import Hit
from agent.number_words import in_digits

CLOTHES = ("category", "slot", "color", "pattern", "material", "sleeves", "length", "fit")
"""Kinds of words that are about garments."""
_PERSON = ("body", "skin", "age", "hair")


_YEARS = re.compile(
    r"\b(?:she|he|i)(?:'s| is|'m| am)(?: (?:now|already|about|almost|over))? (\d{2})\b"
    r"(?!\s*(?:[°%€$.,:/]\d?|cm|kg|m\b|degrees|euros?|minutes|inch))|"
    r"\b(?:sie|er|ich) (?:ist|bin)(?: (?:jetzt|schon|etwa|uber))? (\d{2})\b(?!\s*(?:cm|kg|grad|°))|"
    r"\b(?:elle|il|ai) (?:a )?(?:deja )?(\d{2}) ans\b|\b(?:tiene|tengo) (?:ya )?(\d{2}) anos\b|"
    r"[她他我](?:今年|已经)?(\d{2})岁|(?:彼女|彼|私|母|父)(?:は|も)(\d{2})(?:歳|才)"
)


def age_told(folded: str) -> str:
    """young, middle-aged or older, when the years of the wearer are said: “she's 70”."""
    found = _YEARS.search(in_digits(folded))
    years = int(next(g for g in found.groups() if g)) if found else 0
    if years < 18:
        return ""
    return "young" if years < 40 else "middle-aged" if years < 60 else "older"


def wearer(found: list[Hit], folded: str) -> tuple[set[int], dict[str, str]]:
    """Words about the wearer, and the hits they use up."""
    from catalog.croquis.figure import HAIR, HAIR_COLORS, SKINS

    masked: set[int] = set()
    person: dict[str, str] = {}
    for hit in found:
        for kind in _PERSON:
            value = hit.get(kind)
            if value and not (
                kind == "age"
                and hit.text in ("old", "young", "senior")
                and not re.search(r"\b(?:wo)?m[ae]n|person|lady|guy\b", folded)
            ):
                person[kind] = value
                if kind != "body" or not hit.has(*CLOTHES):
                    masked.add(hit.start)
    # “curly red hair”, “hair: short and black”, “blonde”
    for match in re.finditer(r"((?:[a-z]+[ ,]+){0,4})hair(?:ed)?\b", folded):
        words = match.group(1).replace(",", " ").split()
        words = words[len(words) - next(
            (i for i, w in enumerate(reversed(words)) if w in ("with", "a", "an", "has", "have")),
            len(words),
        ) :]  # fmt: skip
        for word in words:
            word = {"gray": "grey", "ginger": "red", "blond": "blonde", "brunette": "brown",
                    "wavy": "long", "straight": "long", "dark": "black", "silver": "grey",
                    "white": "grey", "shaved": "buzz", "auburn": "red"}.get(word, word)  # fmt: skip
            if word in HAIR_COLORS:
                person["hair_color"] = word
            if word in HAIR:
                person["hair"] = word
        masked |= {h.start for h in found if match.start() <= h.start < match.end()}
    for word, color in (("blonde", "blonde"), ("blond", "blonde"), ("redhead", "red"),
                        ("brunette", "brown"), ("ginger", "red")):  # fmt: skip
        if re.search(rf"\b{word}\b", folded):
            person.setdefault("hair_color", color)
    skin = re.search(rf"\b({'|'.join(SKINS)}) skin", folded)
    if skin:
        person["skin"] = skin.group(1)
        masked |= {h.start for h in found if skin.start() <= h.start < skin.end()}
    who = [h.get("who") for h in found if h.has("who") and h.start not in masked]
    who += [h.get("who") for h in found if h.has("who") and h.start in masked]
    if who:
        person["presentation"] = {"women": "woman", "men": "man"}.get(str(who[0]), "person")
    return masked, person
