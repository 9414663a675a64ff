"""Which one garment of a drawn look a message changes, and how: colour, sleeves, length.

Only what a touch-up can do is read here. A message that says anything more is about the outfit and
is read as a wish.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent import numbers
from agent.lexicon import Hit, hits, language_of
from agent.reference import meant, points_back
from catalog.croquis.palette import COLORS
from catalog.errors import BadValue
from catalog.garment import Garment

_THE = {
    "the", "my", "his", "her", "their", "this", "that", "these", "those",
    "der", "die", "das", "den", "dem", "mein", "meine", "meinen", "meinem",
    "le", "la", "les", "l'", "mon", "ma", "mes", "ce", "cet", "cette",
    "el", "los", "las", "mi", "mis", "ese", "esa",
}  # fmt: skip
"""What stands before a garment that is there already: “the coat”, not “a coat”."""
_SILENT = {"with", "add", "swap", "for", "but", "keep", "everything"}
"""Cues that may stand beside a change: “the coat in red, but keep the rest”."""
_FAMILIES = {"mini dress", "midi dress", "maxi dress", "mini skirt", "midi skirt", "pencil skirt",
             "shorts", "trousers"}  # fmt: skip
"""Kinds that differ in length: a shorter one is another garment of the shop."""
_SLEEVED = ("outerwear", "onepiece", "top")
_LENGTHS = ("top", "bottom", "onepiece", "outerwear")
_NEAR = 4
"""Words before a garment among which its article stands."""


def touch_of(
    message: str, found: Sequence[Hit], language: str, state: dict[str, Any]
) -> dict[str, Any] | None:
    """Arguments of ``touch_up`` that do all that a message asks for; None when more is asked.

    ``state`` is the note that every model gets: the look, its garments, and what is marked.
    """
    worn = (state.get("plan") or {}).get("garments", [])
    if not (worn and state.get("look") and state.get("drawing")):
        return None
    marked = state.get("marked") or {}
    if marked.get("change"):
        return dict(marked["change"])
    here = marked.get("garment")
    change = _change(found, worn, here, language, message)
    if change is None or (here is None and not _is_meant(found, language)):
        return None
    if change.get("garment") == here:
        del change["garment"]  # what is marked there is meant, which may be a part of it
    return change


def touch_in_words(words: str, garments: Sequence[Garment], marked: str | None) -> dict[str, Any]:
    """Arguments of ``touch_up`` for words such as “in red” or “shorter sleeves”.

    Args:
        garments: those of the look. ``marked``: the id of the one that is marked, if one is.

    Raises:
        BadValue: empty or too long, or nothing in them that a touch-up can do.
    """
    if not words.strip() or len(words) > 400:
        raise BadValue("What shall change is said in 1 to 400 characters.", "Say “in red”.")
    language = language_of(words, "en")
    worn = [{"id": g.id, "slot": g.slot, "category": g.category} for g in garments]
    change = _change(hits(words, language), worn, marked, language, words)
    if change is None:
        raise BadValue(
            "Nothing in these words can be touched up.",
            "Say a colour, “shorter sleeves”, “longer”, and which garment, or give --swap ID.",
        )
    if marked not in (None, change["garment"]):
        raise BadValue(
            f"The words are about {change['garment']}, and {marked} is marked.",
            "Say what changes about that one, or leave the mark out.",
        )
    return change


def _change(
    found: Sequence[Hit],
    worn: list[dict[str, Any]],
    marked: str | None,
    language: str,
    message: str,
) -> dict[str, Any] | None:
    """The garment and what of it changes, when the words say that and nothing else."""
    if any(not _is_plain(h) for h in found):
        return None
    if numbers.temperature(message) or numbers.budget(message) or numbers.size(message):
        return None
    # 1. which garment
    nouns = [h for h in found if h.has("category", "slot")]
    sleeves = any(h.get("part") == "sleeves" for h in found)
    named = [[g["id"] for g in _worn(h, worn)] for h in nouns]
    if len({tuple(ids) for ids in named}) > 1 or any(len(ids) != 1 for ids in named):
        return None
    if named:
        id = named[0][0]
    elif marked is not None:
        id = marked
    elif sleeves:
        sleeved = [g["id"] for s in _SLEEVED for g in worn if g["slot"] == s]
        if not sleeved:
            return None
        id = sleeved[0]
    else:
        return None
    garment = next((g for g in worn if g["id"] == id), None)
    if garment is None:
        return None
    # 2. what of it
    change: dict[str, Any] = {"garment": id}
    colors = [h for h in found if h.has("color")]
    if len(colors) > 1 or any(h.get("color") not in COLORS for h in colors):
        return None
    if colors:
        if nouns and colors[0].start < nouns[-1].start and marked is None:
            return None  # “the red coat” is another coat
        change["color"] = colors[0].get("color")
    degree = next((h.get("degree") for h in found if h.has("degree")), None)
    cut = next((h.get("sleeves") for h in found if h.has("sleeves")), None)
    if degree and sleeves:
        change["sleeves"] = degree
    elif degree:
        if garment["slot"] not in _LENGTHS:
            return None
        if garment["category"] in _FAMILIES and marked is None:
            return None
        change["length"] = degree
    elif cut:
        change["sleeves"] = cut
    if "sleeves" in change and garment["slot"] not in _SLEEVED:
        return None
    if len(change) == 1 and not any(h.asks("mend") for h in found):
        return None
    return change


def _is_plain(hit: Hit) -> bool:
    """Whether a hit may stand in a message that a touch-up answers alone."""
    if not hit.meanings or hit.text in _THE or hit.get("word") == "again":
        return True
    kinds = ("category", "slot", "color", "sleeves", "part", "degree")
    return hit.has(*kinds) or hit.cues(*_SILENT) or hit.asks("mend")


def _worn(hit: Hit, worn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    value = hit.get("category")
    kinds = [k for group in value.split("+") for k in group.split("|")] if value else []
    return meant(kinds, hit.get("slot"), worn)


def _is_meant(found: Sequence[Hit], language: str) -> bool:
    """Whether it speaks of what is worn: “the coat”, “shorter sleeves”, not “a red coat”."""
    nouns = [i for i, h in enumerate(found) if h.has("category", "slot")]
    if not nouns:
        return any(h.has("degree") or h.asks("mend") for h in found)
    if language in ("zh", "ja"):
        return True  # the garment came before its colour: it is what is spoken of
    if points_back(found[nouns[0]]) and found[nouns[0]].text != "one":
        return True
    return any(h.text in _THE for h in found[max(0, nouns[0] - _NEAR) : nouns[0]])
