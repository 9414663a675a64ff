"""What comes after a word: a garment, the rest of a list, or something new."""

from __future__ import annotations

from agent.lexicon import Hit
from agent.mention import FIELD, only_kind, places
from tools.wish import Piece

OR = {"or", "ou", "oder", "o", "u", "或", "或者", "还是", "或是", "か", "または", "もしくは",
       "それとも"}  # fmt: skip
ARTICLE = {"a", "an", "some", "the", "un", "une", "ein", "eine", "einen", "una", "unos", "my"}
_BESIDE = {"maybe", "perhaps", "even", "else", "pair", "of", "vielleicht", "paar", "peut", "etre",
           "paire", "de", "par", "quizas", "的", "の", "い", "条", "件", "双", "一"}  # fmt: skip
"""What else may stand between “or” and its garment: “or maybe a pair of trousers”."""
DETERMINERS = {"der", "die", "das", "den", "dem", "le", "la", "les", "el", "los", "las", "meine"}
BREAK = set(".;!?,，。；！？、:)）")


def noun_follows(hits: list[Hit], hit: Hit) -> bool:
    """Whether a garment comes right after this attribute and further ones."""
    at = hits.index(hit)
    for other in hits[at + 1 : at + 5]:
        if other.has("category", "slot"):
            return True
        if not (other.has(*FIELD) or other.text in ("and", "und", "的", "の", "い", *OR)):
            return False
    return False


def garment_follows(hits: list[Hit], i: int) -> bool:
    """Whether a garment comes next, with nothing but what describes it before it."""
    for other in hits[i + 1 : i + 7]:
        if other.has("category", "slot"):
            return True
        if not (other.has(*FIELD, "cut") or other.text in ARTICLE | DETERMINERS | _BESIDE):
            return False
    return False


def attributes_follow(hits: list[Hit], hit: Hit) -> bool:
    """Whether colours or the like come after this word and before any garment."""
    about = (h for h in hits if h.start > hit.start and h.has("category", "slot", *FIELD))
    following = next(about, None)
    return following is not None and following.has(*FIELD)


def denied(hits: list[Hit], i: int) -> bool:
    """Whether a list of bare attributes goes on until a “なし”."""
    for other in hits[i + 1 :]:
        if other.cues("after", "after_not"):
            return True
        if not (other.has(*FIELD) or other.text in "、,・はもがとや") or noun_follows(hits, other):
            return False
    return False


def described_garment(hits: list[Hit], comma: int) -> bool:
    """Whether something new comes after a list of bare attributes: “no wool, navy dress”."""
    before, after = hits[max(comma - 1, 0)], hits[comma + 1 : comma + 6]
    kind = next((k for k, _ in before.meanings if k in FIELD), None)
    at = next((j for j, h in enumerate(after) if h.has("category", "slot")), None)
    if kind is None or before.has("category", "slot") or at is None:
        return False
    about = after[at - 1] if at else after[1] if len(after) > 1 else None
    if about is None or not about.has(*FIELD) or not (at == 0 or after[0].has(*FIELD)):
        return False
    return not after[0].has(kind) and not about.has(kind)


def begins_anew(hits: list[Hit], comma: int) -> bool:
    """“No black, navy skirt and white shirt”: could be one list, is more likely a new one."""
    before, after = hits[max(comma - 1, 0)], hits[comma + 1 : comma + 9]
    kind = next((k for k, _ in before.meanings if k in FIELD), None)
    at = next((j for j, h in enumerate(after) if h.has("category", "slot")), None)
    if kind is None or before.has("category", "slot") or not at or not after[0].has(kind):
        return False
    if not all(h.has(*FIELD) for h in after[:at]):
        return False
    behind = after[at + 1 :]
    ends = not behind or behind[0].text in BREAK
    described = len(behind) > 1 and behind[0].text == "and" and behind[1].has(*FIELD)
    return ends or described


def instead_of(unwanted: Piece, hits: list[Hit], comma: int, language: str) -> bool:
    """“no jeans, black skirt or trousers”: a described garment for the place of the bare one
    that is not wanted is what is wanted there; “no jeans, shorts or skirts” goes on."""
    if not only_kind(unwanted):
        return False
    after = hits[comma + 1 : comma + 6]
    at = next((j for j, h in enumerate(after) if h.has("category", "slot")), None)
    if at is None or any(h.text in BREAK or h.cues("not") for h in after[:at]):
        return False
    behind = after[at + 1 : at + 2] if language in ("fr", "es") else []
    if not any(h.has(*FIELD) for h in (*after[:at], *behind)):
        return False
    value = after[at].get("category")
    groups = value.split("+") if value else []
    piece = Piece(
        slot=None if value else after[at].get("slot"),  # type: ignore[arg-type]
        categories=tuple(groups[0].split("|")) if groups else (),
    )
    return bool(places(piece.slots) & places(unwanted.slots))
