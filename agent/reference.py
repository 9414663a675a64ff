"""What words point at: “it”, “the red one”, “the coat” (a puffer), “two back”, “the second one”.

Everything is looked up in the note: what is worn, and what the person said before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from agent.lexicon import Hit, hits, language_of
from catalog.garment import CATEGORIES

_GROUPS = (
    {"coat", "trench coat", "raincoat", "puffer jacket"},
    {"blazer", "leather jacket", "denim jacket", "puffer jacket", "raincoat"},
    {"trousers", "jeans", "leggings"},
    {"t-shirt", "tank top"},
    {"shirt", "blouse", "polo shirt"},
    {"sweater", "turtleneck", "hoodie"},
    {"mini skirt", "midi skirt", "pencil skirt"},
    {"mini dress", "midi dress", "maxi dress"},
    {"boots", "rain boots"},
    {"beanie", "cap", "sun hat", "fedora"},
    {"tote bag", "handbag", "backpack", "crossbody bag"},
    {"sunglasses", "glasses"},
)
"""Kinds that people call by each other's names: “the coat” is whatever of these is worn."""
_ABOUT = ("color", "pattern", "material", "sleeves", "length", "fit", "degree")
_ONE = {"one", "ones"}
_IT = {
    "it", "them", "that", "those", "these",
    "es", "sie", "ihn",
    "lo", "hazlo", "hazla", "hazlos", "hazlas", "ponlo", "ponla", "ponlos", "ponlas", "cambialo",
    "cambiala",
    "它", "那件", "这件", "那条", "这条", "那双", "这双", "那个", "这个", "それ", "これ",
}  # fmt: skip
_ARTICLES = {
    "der", "die", "das", "den", "dem", "le", "la", "les", "el", "los", "las", "lieber", "mets",
    "met",
}  # fmt: skip
"""Before a colour without a garment: “die rote”, “la rouge”."""
_BARE = {
    "in", "now", "instead", "rather", "and", "or", "maybe", "then", "what", "about", "how",
    "please", "a", "bit", "little", "slightly", "again",
    "etwas", "ein", "bisschen", "un", "peu", "poco",
    "jetzt", "lieber", "doch", "nun", "und", "vielleicht", "bitte", "wieder",
    "en", "plutot", "et", "maintenant", "peut", "etre", "de", "nouveau",
    "mets", "mettez", "remets", "remettez", "le", "la", "les", "mach", "mache", "make",
    "mejor", "ahora", "y", "quizas", "favor", "por", "nuevo", "otra vez",
    "改成", "换成", "变成", "再", "又",
    "に", "し", "て", "く", "ま", "た", "だ", "さ", "い",
}  # fmt: skip
"""What may stand around a colour that is all a message says: “in green instead”."""
_CJK_ONE = re.compile(r"^(?:的|の|い|のが|いの)")
_STEPS = {
    2: r"two|twice|2|zwei|zweimal|deux|dos|两步|两次|两个|两套|二つ|2つ|ふたつ|二回|2回",
    3: r"three|thrice|3|drei|dreimal|trois|tres|三步|三次|三个|三套|三つ|3つ|三回|3回",
    4: r"four|4|vier|quatre|cuatro|四步|四次|四つ|4つ",
}
_NTH = {
    1: r"first|1st|ersten?|erstes|premi(?:er|ere)|primer[oa]?|第一|一番目|1番目|一つ目|1つ目",
    2: r"second|2nd|zweiten?|zweites|deuxieme|seconde?|segund[oa]|第二|二番目|2番目|二つ目|2つ目",
    3: r"third|3rd|dritten?|drittes|troisieme|tercer[oa]?|第三|三番目|3番目|三つ目|3つ目",
    4: r"fourth|4th|vierten?|viertes|quatrieme|cuart[oa]|第四|四番目|4番目|四つ目|4つ目",
    5: r"fifth|5th|funften?|funftes|cinquieme|quint[oa]|第五|五番目|5番目|五つ目|5つ目",
    6: r"sixth|6th|sechsten?|sechstes|sixieme|sext[oa]|第六|六番目|6番目|六つ目|6つ目",
    7: r"seventh|7th|siebten?|siebtes|septieme|septim[oa]|第七|七番目|7番目|七つ目|7つ目",
    8: r"eighth|8th|achten?|achtes|huitieme|octav[oa]|第八|八番目|8番目|八つ目|8つ目",
    9: r"ninth|9th|neunten?|neuntes|neuvieme|noven[oa]|第九|九番目|9番目|九つ目|9つ目",
}
_TAKEN = {
    "first": r"\b(?:from|of) (?:the |my )?(?:very )?(?:first|original)"
             r"(?: (?:look|outfit|one|version)\b|$|[.,;!?])|\b(?:aus|von|vom) (?:dem )?ersten\b|"
             r"\b(?:de la premiere|du premier)\b|\b(?:del primer[oa]?|de la primera)\b|"
             r"第一套(?:里|中)?的|最初の(?:コーデの)?",
    "before": r"\b(?:from|of) the (?:last|previous|earlier) (?:look|outfit|one)\b|"
              r"\b(?:from|of) the (?:look|outfit|one) before\b|上一套(?:里|中)?的",
}  # fmt: skip
_ORDINAL = "|".join(words for words in _NTH.values())
_COUNTED = re.compile(
    r"(?:\b(?:look|outfit|tenue|conjunto)|コーデ) ?(?:number |no\.? ?|nr\.? ?|#)?(\d{1,2})\b|"
    r"#(\d{1,2})\b|第(\d{1,2})[套个]|(\d{1,2})番目"
)
_OF_LOOK = re.compile(
    rf"\b(?:from|of|in|aus|von|vom|de|du|del) (?:(?:the|dem|der|la|le|el) )?"
    rf"(?:(?:{_ORDINAL}) (?:look|outfit|one|version|tenue|conjunto)|"
    r"(?:look|outfit|tenue|conjunto) ?(?:number |no\.? ?|#)?\d{1,2})\b|"
    rf"(?:{_ORDINAL}|第\d)套(?:里|中)?的|(?:{_ORDINAL})のコーデの"
)
_PIECE = re.compile(
    rf"(?<![a-z\d])(?:({_ORDINAL})|(?:piece|item|number|no\.?|#) ?(\d)) ?"
    r"(?:one|piece|item|garment|thing|stück|stuck|teil|piece|prenda|pieza|件|点)?$"
)
"""What stands before “of the first look” when a piece is named by its number."""
_LOOK = (
    r"(?:\s*(?:one|look|outfit|or this|version|option|tenue|[套个身件条双款顶]|の|を|に|が)|"
    r"\s*[.!?。！？]?$)"
)


def meant(
    kinds: Sequence[str], slot: str | None, worn: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The worn garments that are spoken of: such ones, else what people also call so.

    ``kinds``: category words; ``slot``: when only the place was named.
    """
    exact = [g for g in worn if g["category"] in kinds or (not kinds and g["slot"] == slot)]
    if exact or not kinds:
        return exact
    near = set().union(*(group for group in _GROUPS if group & set(kinds)))
    return [g for g in worn if g["category"] in near]


def resolved(found: list[Hit], state: dict[str, Any]) -> list[Hit]:
    """``found`` with every word that points back made to mean the garment it points at.

    A finger says more than a word: while something is marked in the picture, that is meant.
    """
    if (state.get("marked") or {}).get("garment"):
        return found
    found = _that_one(found, state)
    nouns = [i for i, h in enumerate(found) if h.has("category", "slot")]
    result: list[Hit] = []
    for i, hit in enumerate(found):
        before = [h for h in found[:i] if h.has("category", "slot")]
        if hit.text in _ONE and i and found[i - 1].has(*_ABOUT):
            result.append(_as(hit, before[-1] if before else spoken_of(state)))
        elif hit.text in _IT and not nouns and _says_something(found):
            result.append(_as(hit, spoken_of(state)))
        else:
            result.append(hit)
    if nouns or any(h.has("category", "slot") for h in result):
        return result
    return _colour_alone(result, state)


def _that_one(found: list[Hit], state: dict[str, Any]) -> list[Hit]:
    """“Not that one”, “a different one” after a message about one garment: that is exchanged."""
    at = next((i for i, h in enumerate(found) if h.asks("another") and h.has("one")), None)
    if at is None or not state.get("plan") or any(h.has("category", "slot") for h in found):
        return found
    nouns = _nouns((state.get("said") or [""])[-1], state)
    if len(nouns) != 1:
        return found
    hit = found[at]
    swap = Hit(hit.start, hit.start, hit.text, (("cue", "swap"),))
    return [*found[:at], swap, _as(Hit(hit.end, hit.end, "one", ()), nouns[0]), *found[at + 1 :]]


def _as(hit: Hit, noun: Hit | None) -> Hit:
    """A pronoun that means ``noun``; as it was when there is none."""
    if noun is None:
        return hit
    kept = tuple(m for m in noun.meanings if m[0] in ("category", "slot"))
    return Hit(hit.start, hit.end, hit.text, (*kept, ("points", noun.get("points") or noun.text)))


def _says_something(found: Sequence[Hit]) -> bool:
    """Whether something is asked of “it”: a colour, a length, or that it goes."""
    return any(h.has(*_ABOUT) or h.cues("remove", "swap") for h in found) and not any(
        h.has("adjust", "occasion", "season") or h.cues("everything") for h in found
    )


def _colour_alone(found: list[Hit], state: dict[str, Any]) -> list[Hit]:
    """“die rote”, “la rouge”, “in green instead”, “红色的那件”, “青いのがいい”."""
    said, found = found, _corrected(found)
    about = [i for i, h in enumerate(found) if h.has("color", "pattern", "degree")]
    about = about or [i for i, h in enumerate(found) if h.has("material")]
    if len(about) != 1 or len(found) > 9:
        return said
    at = about[0]
    hit, rest = found[at], [h for i, h in enumerate(found) if i != at]
    if any(h.cues("not", "less", "more", "everything", "but", "keep") for h in rest):
        return said
    if any(h.has("occasion", "season", "adjust", "ask", "who", "absent") for h in rest):
        return said
    noun = spoken_of(state)
    if hit.has("material"):
        noun = _made_of(hit.get("material") or "", noun, state)
    if noun is None:
        return said
    article = at > 0 and found[at - 1].text in _ARTICLES
    following = found[at + 1].text if at + 1 < len(found) else ""
    cjk = bool(_CJK_ONE.match(following)) and not any(h.cues("swap") for h in rest)
    bare = all(h.text in _BARE or not re.match(r"\w", h.text) for h in rest)
    if not (article or cjk or bare):
        return said
    pointer = _as(Hit(hit.end, hit.end, "one", ()), noun)
    if bare and not article:  # “in green”: what was spoken of, in green
        pointer = _as(Hit(hit.start, hit.start, "it", ()), noun)
        return [*found[:at], pointer, *found[at:]]
    return [*found[: at + 1], pointer, *found[at + 1 :]]


def _corrected(found: list[Hit]) -> list[Hit]:
    """“Not black, navy”: navy, and black only not for this piece."""
    words = [h for h in found if re.match(r"\w", h.text) and h.text not in _BARE]
    if len(words) == 3 and words[0].cues("not") and all(h.has("color") for h in words[1:]):
        return [words[2]]
    return found


def _made_of(material: str, noun: Hit | None, state: dict[str, Any]) -> Hit | None:
    """“In denim”: the garment spoken of if it can be, else what is worn that can."""

    def can(category: str) -> bool:
        kind = CATEGORIES.get(category)
        return kind is not None and material in kind.materials

    kinds = (noun.get("category") or "").split("|") if noun else []
    if any(can(c) for c in kinds):
        return noun
    worn = (state.get("plan") or {}).get("garments", [])
    if any(g["material"] == material for g in worn):
        return None
    places = ("bottom", "onepiece", "outerwear", "top", "footwear", "bag")
    about = [CATEGORIES[c].slot for c in kinds if c in CATEGORIES]
    here = [g for slot in (*about, *places) for g in worn if g["slot"] == slot]
    if fit := next((g for g in here if can(g["category"])), None):
        return Hit(0, 0, fit["category"], (("category", fit["category"]),))
    usual = {kind.slot for kind in CATEGORIES.values() if kind.materials[:1] == (material,)}
    other = usual or {kind.slot for category, kind in CATEGORIES.items() if can(category)}
    place = next((g["slot"] for g in here if g["slot"] in other), None)  # a midi skirt: jeans
    word = {"onepiece": "dress", "footwear": "shoes"}.get(place or "", place or "")
    return Hit(0, 0, word, (("slot", str(place)),)) if place else None


def spoken_of(state: dict[str, Any]) -> Hit | None:
    """The garment word said last, in the messages before this one.

    Of an exchange that was taken back, or found nothing, it is what is still worn.
    """
    worn = (state.get("plan") or {}).get("garments", [])
    for message in reversed(state.get("said") or []):
        if single := _nouns(message, state):
            return next((n for n in reversed(single) if _worn(n, worn)), single[-1])
    return None


def _worn(noun: Hit, worn: list[dict[str, Any]]) -> bool:
    category = noun.get("category")
    return bool(meant(category.split("|") if category else [], noun.get("slot"), worn))


def _nouns(message: str, state: dict[str, Any]) -> list[Hit]:
    """The words of ``message`` for one garment each."""
    language = language_of(message, str(state.get("language") or "en"))
    nouns = [h for h in hits(message, language) if h.has("category", "slot")]
    return [h for h in nouns if "+" not in (h.get("category") or "")]


def points_back(hit: Hit) -> bool:
    """Whether a word was made to mean a garment by ``resolved``."""
    return hit.has("points")


def steps_back(folded: str) -> int:
    """How many looks to go back: 2 in “go back two”, else 1."""
    for count, words in _STEPS.items():
        if re.search(rf"(?<![a-z\d.])(?:{words})(?![a-z\d.])", folded):
            return count
    return 1


def looks_number(folded: str) -> int | None:
    """The look that a piece is wanted from, by its number: 2 in “the shoes of the second look”."""
    found = _OF_LOOK.search(folded)
    return _number_in(found.group()) if found else None


def piece_number(folded: str) -> int | None:
    """Which piece of that look is meant: 3 in “the third one of the first look”."""
    found = _OF_LOOK.search(folded)
    before = _PIECE.search(folded[: found.start()].rstrip()) if found else None
    return _number_in(before.group()) if before else None


def _number_in(words: str) -> int | None:
    digits = re.search(r"\d{1,2}", words)
    if digits:
        return int(digits.group())
    return next((n for n, said in _NTH.items() if re.search(rf"(?<![a-z])(?:{said})", words)), None)


def nth(folded: str) -> int | None:
    """Which look of the conversation is named: 2 in “the second one”; None when none is."""
    if counted := _COUNTED.search(folded):
        return int(next(g for g in counted.groups() if g))
    for count, words in _NTH.items():
        if re.search(rf"(?<![a-z\d])(?:{words}){_LOOK}", folded):
            return count
    return None


def taken_from(folded: str) -> str | None:
    """The look a garment is wanted from, first or before: “the shoes from the first look”."""
    return next((look for look, words in _TAKEN.items() if re.search(words, folded)), None)
