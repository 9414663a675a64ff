"""Sentences in six languages: what the planner says, and what the tools say in English.

The tools speak English only. Every sentence of theirs stands in ``words/tools.txt`` with its
translations; here it is recognised again, its blanks are said in the language one by one
(``words/names.txt``), and what is not known stays as it was. The planner's own sentences stand in
``words/sentences.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agent.lexicon import WORDS, Hit, hits

LANGUAGES = ("fr", "de", "es", "zh", "ja")
"""Columns of the tables, after English."""
EVENTS = {"everyday": "every day", "commute": "a commute", "interview": "an interview",
          "party": "a party", "date": "a date", "wedding": "a wedding", "beach": "the beach",
          "formal": "formal occasions", "outdoors": "the outdoors"}  # fmt: skip
"""Occasions as English says them after “for”, where that is not the word itself."""
SEASONS = {"spring-autumn": "spring or autumn"}
_BLANK = re.compile(r"\{(?:(\w+):)?(\w+)\}")
_NUMBER = r"-?\d+(?:[.,]\d+)?"


@dataclass(frozen=True)
class _Sentence:
    english: str
    others: tuple[str, ...]
    shape: re.Pattern[str]
    """Matches the English sentence with its blanks filled."""
    kinds: dict[str, str]
    """Blank → what kind of word stands in it; “” for one that is filled as it is."""


def _rows(name: str) -> Iterable[list[str]]:
    for line in (WORDS / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split(" | ")


@lru_cache(maxsize=2)
def _sentences(table: str) -> dict[str, _Sentence]:
    found = {}
    for english, *others in _rows(f"{table}.txt"):
        kinds = {m[2]: m[1] or "" for m in _BLANK.finditer(english)}
        shape, at = "", 0
        for m in _BLANK.finditer(english):
            inside = {"n": _NUMBER, "reason": ".+", "reasons": ".+"}.get(m[1] or "", "[^;]+?")
            shape += re.escape(english[at : m.start()]) + f"(?P<{m[2]}>{inside})"
            at = m.end()
        shape += re.escape(english[at:])
        found[english] = _Sentence(english, tuple(others), re.compile(shape), kinds)
    return found


@lru_cache(maxsize=1)
def _names() -> dict[tuple[str, str], tuple[str, ...]]:
    found = {}
    for first, *others in _rows("names.txt"):
        kind, _, word = first.partition(" ")
        found[kind, word] = tuple(others)
    return found


def name(kind: str, word: str, language: str) -> str:
    """A catalog word in ``language``; the English word where there is no other."""
    if language == "en":
        return word
    row = _names().get((kind, word))
    return row[LANGUAGES.index(language)] if row else word


def say(english: str, language: str, names: Mapping[str, str] | None = None, **values: Any) -> str:
    """A sentence of the table, blanks filled; ``names`` says garments' names in the language."""
    sentence = _sentences("sentences").get(english) or _sentences("tools")[english]
    shown = {
        blank: _word(kind, str(values[blank]), language, names or {})
        for blank, kind in sentence.kinds.items()
    }
    text = english if language == "en" else sentence.others[LANGUAGES.index(language)]
    return _BLANK.sub(lambda m: shown[m[2]], text)


def told(text: str, language: str, names: Mapping[str, str] | None = None) -> str:
    """An English sentence of the tools in ``language``; parts joined by “;” one by one."""
    if language == "en" or not text:
        return text
    names = names or {}
    whole = _known(text, language, names)
    if whole is not None:
        return whole
    if "; " in text:
        mark = {"zh": "；", "ja": "、"}.get(language, "; ")
        return mark.join(told(part, language, names) for part in text.split("; "))
    for split in (" — ", ": "):
        head, found, tail = text.partition(split)
        if found:
            rest = told(tail, language, names)
            if rest != tail:
                colon = {"fr": " : ", "zh": "：", "ja": "："}.get(language, ": ")
                return f"{_word('garment', head, language, names)}{colon}{rest}"
    return text


def _known(text: str, language: str, names: Mapping[str, str]) -> str | None:
    for sentence in _sentences("tools").values():
        match = sentence.shape.fullmatch(text)
        if match and all(_fits(kind, match[blank]) for blank, kind in sentence.kinds.items()):
            return say(sentence.english, language, names, **match.groupdict())
    return None


def _fits(kind: str, word: str) -> bool:
    """Whether ``word`` can be a word of ``kind``; only closed kinds are looked up."""
    if kind == "color":
        return (kind, word) in _names()
    if kind in ("season", "seasons"):
        return all(("season", w) in _names() or w in SEASONS.values() for w in word.split(" and "))
    return True


def _word(kind: str, word: str, language: str, names: Mapping[str, str]) -> str:
    """What fills a blank of ``kind``, in ``language``."""
    if language == "en" or kind in ("", "n", "text"):
        return word
    say_it = _KINDS.get(kind)
    return say_it(word, language, names) if say_it else name(kind, word, language)


def _garment(word: str, language: str, names: Mapping[str, str]) -> str:
    return names.get(word) or piece(word, language)


def _event(word: str, language: str, names: Mapping[str, str]) -> str:
    key = next((k for k, v in EVENTS.items() if v == word), word)
    return name("occasion", key, language)


def _season(word: str, language: str, names: Mapping[str, str]) -> str:
    key = next((k for k, v in SEASONS.items() if v == word), word)
    return name("season", key, language)


def _several(kind: str, joint: str) -> Callable[[str, str, Mapping[str, str]], str]:
    def words(word: str, language: str, names: Mapping[str, str]) -> str:
        parts = [_word(kind, w, language, names) for w in word.split(joint)]
        return listed(parts, language)

    return words


_KINDS: dict[str, Callable[[str, str, Mapping[str, str]], str]] = {
    "piece": lambda word, language, names: piece(word, language),
    "garment": _garment,
    "event": _event,
    "season": _season,
    "seasons": _several("season", " and "),
    "slots": _several("slot", ", "),
    "reason": lambda word, language, names: told(word, language, names),
    "reasons": lambda word, language, names: told(word, language, names),
}


def listed(parts: Sequence[str], language: str) -> str:
    """“a, b and c”."""
    if len(parts) < 2:
        return "".join(parts)
    if language in ("zh", "ja"):
        return "、".join(parts)
    return f"{', '.join(parts[:-1])} {say('and', language)} {parts[-1]}"


def of_card(card: Mapping[str, Any], language: str) -> str:
    """A garment as a shopper says it: its name in English, else kind, pattern and colour."""
    if language == "en":
        return str(card["name"])
    pattern = "" if card["pattern"] == "plain" else name("pattern", card["pattern"], language)
    noun = name("category", card["category"], language)
    return _phrase(noun, [name("color", card["color"], language)], [pattern], [], [], language)


def piece(words: str, language: str) -> str:
    """A wished piece (“red wool sweater”, “other shoes”) in ``language``."""
    if language == "en":
        return words
    if " or " in words:
        mark = f" {say('or', language)} " if language not in ("zh", "ja") else say("or", language)
        return mark.join(piece(w, language) for w in words.split(" or "))
    found = hits(words, "en")
    noun = next((n for h in reversed(found) if (n := _noun(h, language))), "")

    def of(kind: str) -> list[str]:
        values = [v for h in found if not _noun(h, language) and (v := h.get(kind))]
        return [name(kind, v, language) for v in values if (kind, v) in _names()]

    patterns = of("pattern")
    if any(h.get("pattern") == "any print" for h in found):
        patterns = [name("noun", "prints", language)]
    noun = noun or name("noun", "piece", language)
    extra = [*of("sleeves"), *of("fit")]
    return _phrase(noun, of("color"), patterns, of("material"), extra, language)


def _noun(hit: Hit, language: str) -> str:
    value = hit.get("category")
    if value and "|" not in value and "+" not in value:
        return name("category", value, language)
    if value:
        last = value.split("|")[0].split()[-1]
        kinds = {"blazer": "jacket", "beanie": "hat"}
        word = kinds.get(last, last)
        return name("noun", word, language) if ("noun", word) in _names() else word
    if absent := hit.get("absent"):
        return name("noun", absent, language)
    slot = hit.get("slot")
    return name("slot", slot, language) if slot else ""


def _phrase(
    noun: str, colors: list[str], patterns: list[str], materials: list[str], extra: list[str],
    language: str,
) -> str:  # fmt: skip
    colors, patterns = [c for c in colors if c], [p for p in patterns if p]
    if language == "zh":
        return "".join((*colors[:1], *extra, *patterns[:1], *materials[:1], noun))
    if language == "ja":
        return "の".join((*colors[:1], "".join((*extra, *patterns[:1], *materials[:1], noun))))
    of = {"fr": "en", "de": "aus", "es": "de"}[language]
    color = {"fr": "coloris", "de": "in", "es": "color"}[language]
    parts = [noun]
    if language != "de":
        parts += [*extra, *patterns[:1]]
    parts += [f"{of} {m}" for m in materials[:1]] + [f"{color} {c}" for c in colors[:1]]
    if language == "de" and (extra or patterns):
        parts.append(f"({', '.join([*extra, *patterns[:1]])})")
    return " ".join(parts)
