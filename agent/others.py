"""What is said about somebody else: “my husband is tall” dresses nobody anew."""

from __future__ import annotations

from typing import Any

from agent.lexicon import Hit, hits, language_of, listed_words

_ENDS = set(".;!?,，。；！？、")
_TOPIC = {"は", "も", "が"}
_ALONG = {
    "en": {"with"}, "de": {"mit"}, "fr": {"avec"}, "es": {"con"}, "zh": {"和", "跟", "与", "陪"},
    "ja": {"と"},
}  # fmt: skip
_WHOSE = {"my", "our", "a", "the", "meinem", "meiner", "meinen", "unserem", "einem", "einer", "mon",
          "ma", "mes", "un", "une", "mi", "mis", "una"}  # fmt: skip
_MYSELF = {"i", "i'm", "me", "ich", "mir", "mich", "je", "j'", "moi", "yo", "soy", "我", "私"}


def asides(found: list[Hit], language: str, state: dict[str, Any]) -> set[int]:
    """Starts of the words for people who are only spoken of, while the wearer is another.

    Somebody is spoken of who is the subject of a statement (“my mother hates yellow”), unless the
    sentence says what they dress for. With nobody dressed yet and no word about the speaker, they
    are taken to be the wearer, and so are they once an outfit was asked for them.
    """
    beside = company(found, language)
    spoken = [h for h in _spoken_of(found, language) if h.start not in beside]
    return beside | _told_of(spoken, found, state)


def company(found: list[Hit], language: str) -> set[int]:
    """Starts of the words for those who come along: “dinner with my wife's parents”."""
    along: set[int] = set()
    for i, hit in enumerate(found):
        if not hit.has("who"):
            continue
        before = [h.text for h in found[max(i - 2, 0) : i]]
        words = _ALONG[language]
        if language == "ja":
            after = found[i + 1].text if i + 1 < len(found) else ""
            beside = after in words
        elif language == "zh":
            beside = "".join(before).removesuffix("我")[-1:] in words
        else:
            beside = len(before) > 1 and before[0] in words and before[1] in _WHOSE
        if beside:
            along.add(hit.start)
    return along


def _told_of(spoken: list[Hit], found: list[Hit], state: dict[str, Any]) -> set[int]:
    """Starts of the words for those of whom something is told, and who are not the wearer."""
    if not spoken or not (state.get("plan") or any(h.text in _MYSELF for h in found)):
        return set()
    dressed = _dressed_before(state)
    return {h.start for h in spoken if h.text not in dressed}


def _spoken_of(found: list[Hit], language: str) -> list[Hit]:
    spoken = []
    for i, hit in enumerate(found):
        if not hit.has("who"):
            continue
        clause = []
        for other in found[i + 1 :]:
            if other.text in _ENDS:
                break
            clause.append(other)
        if any(h.has("occasion", "season", "temperature") or h.asks("new") for h in clause):
            continue
        if _is_subject(found, i, clause, language):
            spoken.append(hit)
    return spoken


def _is_subject(found: list[Hit], i: int, clause: list[Hit], language: str) -> bool:
    tells = listed_words(language, "tells")
    if language == "ja":
        said = "".join(h.text for h in clause[1:])
        return bool(clause) and clause[0].text in _TOPIC and any(t in said for t in tells)
    owner = found[i - 1].text if i else ""
    if owner not in listed_words(language, "possessive"):
        return False
    before = found[i - 2] if i > 1 else None
    if before is not None and before.cues("for"):
        return False
    if language == "zh":
        return any("".join(h.text for h in clause).startswith(t) for t in tells)
    return any(h.text in tells for h in clause[:2])


def _dressed_before(state: dict[str, Any]) -> set[str]:
    """Words for people for whom the conversation asked an outfit."""
    words: set[str] = set()
    for message in state.get("said") or []:
        language = language_of(message, str(state.get("language") or "en"))
        found = hits(message, language)
        spoken = {h.start for h in _spoken_of(found, language)}
        words |= {h.text for h in found if h.has("who") and h.start not in spoken}
    return words
