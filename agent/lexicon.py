"""Words people use, in six languages, found in a message together with what they mean.

The words are data (``agent/words/*.txt``); this file only looks them up: the longest phrase wins,
plurals and small typing mistakes are forgiven, German compounds are taken apart.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

WORDS = Path(__file__).parent / "words"
LANGUAGES = ("en", "fr", "de", "es", "zh", "ja")
_LONGEST = 6
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff々ー"
_PIECES = re.compile(rf"[{_CJK}]+|[a-z0-9ß']+|[^\sa-z0-9ß'{_CJK}]")
_IS_CJK = re.compile(f"[{_CJK}]")


_LISTS = ("function", "possessive", "tells")
"""Lines of a language file that list plain words for one purpose, and mean nothing as phrases."""
_ACCENT_TELLS = {"él": "el'"}
"""Words that only an accent tells from another one: “él” is he, “el” an article."""


@dataclass(frozen=True)
class Hit:
    """Words ``start:end`` of the folded text and what they may mean."""

    start: int
    end: int
    text: str
    meanings: tuple[tuple[str, str], ...]
    """(kind, value) pairs; empty for a word that means nothing here."""

    def get(self, kind: str) -> str | None:
        return next((v for k, v in self.meanings if k == kind), None)

    def has(self, *kinds: str) -> bool:
        return any(k in kinds for k, _ in self.meanings)

    def asks(self, value: str) -> bool:
        return ("ask", value) in self.meanings

    def cues(self, *values: str) -> bool:
        return any(k == "cue" and v in values for k, v in self.meanings)


def fold(text: str) -> str:
    """Lower case, no accents on Latin letters, plain quotes and spaces for hyphens."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    for accented, own in _ACCENT_TELLS.items():
        text = re.sub(rf"\b{accented}\b", own, text)
    parts = unicodedata.normalize("NFD", text)
    text = unicodedata.normalize("NFC", re.sub("[\u0300-\u0308\u030a-\u0327]", "", parts))
    for mixed, pure in (("tシャツ", "ティーシャツ"), ("t恤", "短袖"), ("polo衫", "马球衫")):
        text = text.replace(mixed, pure)
    text = re.sub(r"\b([dljnmsc]|qu)'(?=[a-z])", r"\1' ", text)
    return re.sub(r"(?<=[a-z])[-‐–_](?=[a-z])", " ", text)


@dataclass(frozen=True)
class Lexicon:
    """All phrases of English and one more language."""

    phrases: dict[str, tuple[tuple[str, str], ...]]
    cjk: tuple[str, ...]
    """CJK phrases, longest first."""
    single: tuple[str, ...]
    """One-word Latin phrases of four letters and more."""
    german: bool

    def look_up(self, phrase: str) -> tuple[tuple[str, str], ...]:
        """Meanings of a phrase, its singular included."""
        found = self.phrases.get(phrase)
        if found:
            return found
        for tail, stem in (("ies", "y"), ("es", ""), ("s", ""), ("'s", "")):
            if phrase.endswith(tail) and len(phrase) - len(tail) >= 3:
                found = self.phrases.get(phrase[: -len(tail)] + stem)
                if found:
                    return found
        return ()

    def compound(self, word: str) -> tuple[tuple[str, str], ...]:
        """German compounds: “winteroutfit” is winter and outfit."""
        if not self.german or len(word) < 8:
            return ()
        for cut in range(3, len(word) - 2):
            head, tail = word[:cut], word[cut:]
            for first in (head, head.removesuffix("s"), head.removesuffix("n"), head + "e"):
                if self.phrases.get(first) and self.phrases.get(tail):
                    return self.phrases[first] + self.phrases[tail]
        return ()

    def typo(self, word: str) -> tuple[tuple[str, str], ...]:
        """Meanings of the nearest word, when a slip of the finger explains the difference."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if len(word) < 4 or not word.isalpha() or word in plain_words():
            return ()
        if any(word in words for words in _function_words().values()):
            return ()
        reach = 1 if len(word) < 8 else 2
        near = process.extract(word, self.single, scorer=OSA.distance, score_cutoff=reach, limit=8)
        near = [n for n in near if n[0][0] == word[0] and (len(word) > 4 or len(n[0]) > 4)]
        if not near:
            return ()
        best = min(near, key=lambda n: (n[1], abs(len(n[0]) - len(word)), n[0]))
        return self.phrases[best[0]]


def _entries(language: str) -> list[tuple[str, str, str]]:
    found = []
    for line in (WORDS / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith(("#", *_LISTS)):
            continue
        left, _, right = line.partition("=")
        kind, _, value = left.strip().partition(" ")
        for phrase in right.split(","):
            found.append((fold(phrase.strip()), kind, value.strip()))
    return found


@lru_cache(maxsize=8)
def lexicon(language: str) -> Lexicon:
    """English and ``language`` together; the other language's meaning comes first."""
    phrases: dict[str, list[tuple[str, str]]] = {}
    for source in dict.fromkeys((language, "en")):
        here: dict[str, list[tuple[str, str]]] = {}
        for phrase, kind, value in _entries(source):
            here.setdefault(phrase, []).append((kind, value))
        for phrase, meanings in here.items():
            phrases.setdefault(phrase, meanings)
    return Lexicon(
        phrases={p: tuple(m) for p, m in phrases.items() if p},
        cjk=tuple(sorted((p for p in phrases if _IS_CJK.search(p)), key=lambda p: -len(p))),
        single=tuple(sorted(p for p in phrases if p.isalpha() and len(p) >= 4 and p.isascii())),
        german=language == "de",
    )


@lru_cache(maxsize=16)
def listed_words(language: str, kind: str) -> frozenset[str]:
    """The words of a ``kind =`` line (``_LISTS``)."""
    lines = (WORDS / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    found = [line.partition("=")[2] for line in lines if line.startswith(f"{kind} =")]
    return frozenset(fold(w.strip()) for line in found for w in line.split(",") if w.strip())


@lru_cache(maxsize=1)
def plain_words() -> frozenset[str]:
    return frozenset((WORDS / "plain.txt").read_text(encoding="utf-8").split())


@lru_cache(maxsize=1)
def _function_words() -> dict[str, frozenset[str]]:
    result = {}
    for language in ("en", "fr", "de", "es"):
        for line in (WORDS / f"{language}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("function"):
                words = fold(line.partition("=")[2]).replace(",", " ").split()
                result[language] = frozenset(words)
    return result


def language_of(text: str, before: str = "en") -> str:
    """The language of ``text``, one of ``LANGUAGES``; ``before`` decides when it is open."""
    folded = fold(text)
    if re.search("[\u3040-\u30ff]", folded):
        return "ja"
    if _IS_CJK.search(folded):
        return "ja" if before == "ja" else "zh"
    words = re.findall(r"[a-zß']+", folded)
    spaced = f" {' '.join(words)} "
    score = {}
    for language, function in _function_words().items():
        single, joined = _own_phrases(language)
        score[language] = sum(1.0 for w in words if w in function)
        score[language] += sum(0.9 for w in words if w in single)
        score[language] += sum(0.9 for p in joined if p in spaced)
        score[language] += 0.5 * (language == before) + 0.1 * (language == "en")
    return max(score, key=lambda k: score[k])


@lru_cache(maxsize=8)
def _entries_cached(language: str) -> frozenset[tuple[str, str, str]]:
    return frozenset(_entries(language))


@lru_cache(maxsize=8)
def _own_phrases(language: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The words of ``language``, and its phrases of several words with a space on each side."""
    own = {phrase for phrase, *_ in _entries_cached(language)}
    return frozenset(own), tuple(sorted(f" {p} " for p in own if " " in p))


@lru_cache(maxsize=8)
def named(kind: str) -> dict[str, str]:
    """English phrases for the values of ``kind``, the values themselves among them."""
    entries = [(phrase, value) for phrase, k, value in _entries_cached("en") if k == kind]
    return dict(entries) | {value: value for _, value in entries}


def hits(text: str, language: str) -> list[Hit]:
    """All words of ``text`` in order, phrases joined, with their meanings."""
    book, folded = lexicon(language), fold(text)
    pieces = [(m.start(), m.end(), m.group()) for m in _PIECES.finditer(folded)]
    found: list[Hit] = []
    i = 0
    while i < len(pieces):
        start, end, piece = pieces[i]
        if _IS_CJK.match(piece):
            found.extend(_cjk(piece, start, book, folded))
            i += 1
            continue
        for size in range(min(_LONGEST, len(pieces) - i), 0, -1):
            group = pieces[i : i + size]
            if any(not (p[2][0].isalnum() or p[2][0] == "'") for p in group):
                continue
            phrase = " ".join(p[2] for p in group)
            meanings = book.look_up(phrase)
            if not meanings and size == 1:
                meanings = book.compound(piece) or book.typo(piece)
            if meanings:
                found.append(Hit(start, group[-1][1], phrase, meanings))
                i += size
                break
        else:
            found.append(Hit(start, end, piece, ()))
            i += 1
    return found


def _cjk(run: str, offset: int, book: Lexicon, folded: str) -> list[Hit]:
    found, i = [], 0
    while i < len(run):
        whole = folded[offset + i :]
        phrase = next((p for p in book.cjk if whole.startswith(p)), None)
        size = len(phrase) if phrase else 1
        text = run[i : i + size]
        found.append(
            Hit(offset + i, offset + i + size, text, book.phrases[phrase] if phrase else ())
        )
        i += size
    return found
