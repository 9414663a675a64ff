"""What a message means for the outfit: a ``Request``, made from words, numbers and what was before.

Rules over a word table; the same message in the same state is always read the same way. The state
is the plain JSON note that every model gets (``conversation.note``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from agent import numbers, sizes
from agent.lexicon import Hit, fold, hits, language_of, named
from agent.mention import Mention
from agent.others import asides
from agent.pieces import mentions
from agent.questions import about_worn, celsius_asked, event_asked, is_needed
from agent.reference import looks_number, meant, nth, resolved, steps_back, taken_from
from agent.refusals import refusal
from agent.touch_words import touch_of
from agent.wearer import CLOTHES, wearer
from agent.wishing import change
from tools.wish import Piece, Wish

Kind = Literal[
    "dress", "touch", "redraw", "undo", "redo", "first", "greet", "thanks", "why", "cost", "what",
    "warm_enough", "help", "have", "compare", "decline", "unclear", "material",
    "waterproof", "dressy", "cannot_tell", "sizes", "needed", "aside",
]  # fmt: skip


@dataclass
class Request:
    """What one message asks for."""

    kind: Kind
    language: str = "en"
    wish: Wish = field(default_factory=Wish)
    """The whole wish after this message (not only its change)."""
    find: list[Piece] = field(default_factory=list)
    """Pieces asked for by name in this message."""
    pose: str | None = None
    scene: str | None = None
    person: dict[str, str] = field(default_factory=dict)
    redraw_only: bool = False
    """Only pose, scene or person change: the garments stay."""
    another: bool = False
    """Another look is asked for without the word."""
    changes: bool = False
    """Whether garments are asked to change."""
    reason: str = ""
    """Why it is declined: undress, child, harm, inject, elsewhere."""
    about: Piece | None = None
    """What a question is about."""
    celsius: float | None = None
    """Kind warm_enough: the temperature asked about, if not the plan's."""
    event: str = ""
    """Kind dressy: the occasion asked about, if not the plan's."""
    notes: list[str] = field(default_factory=list)
    """Things to say aloud."""
    steps: int = 1
    """Kind undo: how many looks back; below 0 forward again."""
    recolour: dict[str, Any] = field(default_factory=dict)
    """Arguments of ``touch_up`` that draw what is worn in the colour asked for, should the shop
    have no such garment."""
    touch: dict[str, Any] = field(default_factory=dict)
    """Kind touch: the arguments of ``touch_up`` that do all that is asked."""


def understand(message: str, state: dict[str, Any]) -> Request:
    """Read ``message`` in the light of ``state`` (see ``conversation.note``)."""
    language = language_of(message, str(state.get("language") or "en"))
    folded = fold(message)
    refused = refusal(folded)
    if refused:
        return Request("decline", language, reason=refused)
    if sizes.only_measures(folded):
        return Request("sizes", language)
    left, measured = sizes.without_measures(folded)
    message = left if measured else message
    message = _NO.sub("", _APART.sub(r"\1 off \2", message))
    picked, message = _picked(message)
    language, folded = language_of(message, str(state.get("language") or "en")), fold(message)
    found = resolved(hits(message, language), state)
    asked = about_worn(folded, found) if state.get("plan") else None
    touch = None if asked else touch_of(message, found, language, state)
    if touch is not None:
        wish = Wish.model_validate(state.get("wish") or {})
        return Request("touch", language, wish=wish, touch=touch)
    if state.get("undone") and any(h.asks("redo") for h in found):
        return Request("redo", language)
    others = asides(found, language, state)
    masked, person = wearer([h for h in found if h.start not in others], folded)
    if any(h.asks("couple") for h in found):
        person.pop("presentation", None)  # one is dressed at a time: who was, stays
    if others and not person and not any(h.has("adjust", *_SUBSTANCE) for h in found):
        return Request("aside", language)
    said = mentions(found, language, masked)
    request = Request("dress", language, person=person)
    if others and "presentation" not in person:
        request.notes.append(_SAME_PERSON)
    request.pose = picked.get("pose") or _first(found, "pose", masked)
    request.scene = picked.get("scene") or _first(found, "scene", masked)
    small = _small_talk(found, folded, said, state, request, asked)
    if small is not None:
        return small
    change(request, message, found, said, state)
    request.recolour = _recolour(request, said.found, state)
    return request


_SAME_PERSON = "the outfit stays for the same person: say whom it is for and I dress them"
_ELSE = ("season", "occasion", "temperature_c", "budget", "warmer", "formality")
"""What of a wish must not change beside a colour, for the look to be only recoloured."""


def _recolour(request: Request, said: list[Mention], state: dict[str, Any]) -> dict[str, Any]:
    """“A red coat” while another coat is worn: it can be drawn in red; {} when more is asked."""
    worn = (state.get("plan") or {}).get("garments", [])
    wanted = [m.piece for m in said if m.stance == "want"]
    if not (worn and state.get("look") and state.get("drawing") and len(wanted) == 1):
        return {}
    piece = wanted[0]
    others = any(m.stance not in ("want", "swap") for m in said)
    plain = not (piece.patterns or piece.materials or piece.sleeves or piece.lengths or piece.fits)
    here = meant(piece.categories, piece.slot, worn) if piece.colors and plain else []
    if others or len(here) != 1 or request.pose or request.scene or request.person:
        return {}
    before = Wish.model_validate(state.get("wish") or {})
    same = all(getattr(request.wish, k) == getattr(before, k) for k in _ELSE)
    return {"garment": here[0]["id"], "color": piece.colors[0]} if same else {}


def _picked(message: str) -> tuple[dict[str, str], str]:
    """“Scene: beach”, “pose walking”: a choice said outright, and the message without it.

    Taken out first, because “beach”, “office” and “home” alone say what the outfit is for.
    """
    picked: dict[str, str] = {}
    for kind in ("scene", "pose"):
        names = named(kind)
        words = "|".join(re.escape(p) for p in sorted(names, key=len, reverse=True))
        choice = re.compile(rf"\b{kind}\b\s*[:：]?\s*({words})\b[.;,]?", re.IGNORECASE)
        if match := choice.search(message):
            picked[kind] = names[match[1].lower()]
            message = f"{message[: match.start()]} {message[match.end() :]}".strip()
    return picked, message


def _first(found: list[Hit], kind: str, masked: set[int]) -> str | None:
    return next((h.get(kind) for h in found if h.has(kind) and h.start not in masked), None)


_APART = re.compile(
    r"\b(take|leave) ((?:the|that|this|those|her|his|my) [\w -]{2,24}?) off\b", re.I
)
"""“take the scarf off”: the two halves of the verb."""
_NO = re.compile(
    r"^\s*(?:no|nope|nah|nein|nee|non|不是|不|不对|いや|いいえ|いえ)\s*[,，、]\s*(?=\S)", re.I
)
"""“No, the boots black”: a word to the person, not a wish."""
_WISHED = re.compile(r"^[^?]*\b(?:make|want|need|something|find|give|must be|should be)\b[^?]*$")
"""“I want it warm enough for -10” is no question."""
_HAVE = re.compile(
    r"\b(?:do you have|have you got|got any|which|list|find me|"
    r"is there|are there|do you (?:sell|carry|stock)|in stock|what .* do you have|haben sie|"
    r"habt ihr|gibt es|hast du|verkaufen sie|avez vous|as tu|y a t il|vendez vous|"
    r"tienes|tienen|teneis|hay)\b|"
    r"有没有|有什么|有.{1,12}[吗么]|ありますか|売っていますか|置いていますか"
)
_WITHIN = re.compile(r"\b(?:in|with) (?:it|this|that|(?:the|this|my) (?:outfit|look))\b")
_SUBSTANCE = (
    *CLOTHES,
    "absent",
    "shun",
    "occasion",
    "season",
    "weather",
    "temperature",
    "adjust",
    "formality",
    "unlimited",
)


def _look(number: int, state: dict[str, Any], request: Request) -> Request | None:
    """“The second one”: back or forward to it, or a further look when there are not so many."""
    now, undone = int(state.get("earlier_looks") or 0) + 1, int(state.get("undone") or 0)
    if number > now + undone:
        request.another = True
        return None
    if number == now:
        return Request("what", request.language)
    request.kind, request.steps = "first" if number == 1 else "undo", now - number
    return request


def _small_talk(
    found: list[Hit],
    folded: str,
    said: Any,
    state: dict[str, Any],
    request: Request,
    asked: str | None,
) -> Request | None:
    """Messages that do not change the outfit; None when this one does.

    ``asked``: the kind of answer that a question about what is worn wants.
    """

    def asks(*values: str) -> bool:
        return any(h.asks(v) for h in found for v in values)

    plan = state.get("plan")
    substance = any(h.has(*_SUBSTANCE) for h in found)
    number = numbers.temperature(folded) or numbers.budget(folded) or numbers.size(folded)
    adjust = any(h.has("adjust") for h in found)
    about = said.found[0].piece if said.found else None

    def answer(kind: Kind) -> Request:
        return Request(kind, request.language, about=about)

    if plan and asks("compare"):
        return answer("compare")
    if plan and looks_number(folded) is not None:
        return None
    if plan and not substance and (look := nth(folded)) is not None:
        return _look(look, state, request)
    if said.found and taken_from(folded):
        return None
    if asks("first"):
        return answer("first")
    if asks("undo") and not asks("another"):
        request.steps = steps_back(folded)
        request.kind = "undo"
        return request
    if plan:
        if asked is None and asks("warm_enough") and not _WISHED.search(folded):
            asked = "warm_enough"
        missing = [v for h in found if (v := h.get("absent"))]
        if asked == "needed" and missing:  # no shop of ours has them
            return Request("have", request.language, about=Piece(said=" or ".join(missing)))
        if asked is not None:
            request.celsius = (
                celsius_asked(folded, found, plan) if asked in ("warm_enough", "needed") else None
            )
            request.event = event_asked(found)
            request.kind = asked  # type: ignore[assignment]
            request.about = next((m.piece for m in said.found if not m.loose), None)
            return request
        if asks("why") and not asks("new"):
            return answer("why")
        if asks("cost") and not adjust and numbers.budget(folded) is None:
            return answer("cost")
        if asks("what") and not adjust:
            return answer("what")
    within = plan and _WITHIN.search(folded)
    if asks("have") and within and said.found and not adjust and _HAVE.search(folded):
        return answer("what")
    told_when = any(h.has("season", "weather", "temperature", "occasion") for h in found)
    if plan is None and not (told_when or number) and is_needed(folded, found):
        return answer("unclear")  # nothing is known that an answer could stand on
    if asks("have") and said.found and not asks("new") and _HAVE.search(folded):
        return Request("have", request.language, about=about, find=[m.piece for m in said.found])
    absent = [v for h in found if (v := h.get("absent"))]
    if asks("have") and absent and not asks("new") and _HAVE.search(folded):
        return Request("have", request.language, about=Piece(said=" or ".join(absent)))
    if asks("cost") and plan is None and said.found and not number:
        return Request("have", request.language, about=about, find=[m.piece for m in said.found])
    person = bool(request.person) and set(request.person) != {"presentation"}
    if substance or number or asks("another", "new", "fresh") or said.keep_all:
        return None
    if request.pose or request.scene or person or (plan and request.person):
        request.redraw_only = plan is not None
        return None
    if asks("redraw") and plan:
        return answer("redraw")
    if request.person:
        return None
    if asks("help"):
        return answer("help")
    if asks("warm_enough", "fine"):
        return answer("unclear")
    if asks("thanks"):
        return answer("thanks")
    if asks("greet"):
        return answer("greet")
    if said.found or (plan and any(h.cues("swap", "add", "not") for h in found)):
        return answer("unclear")
    words = [h for h in found if re.match(r"\w", h.text)]
    question = "?" in folded or "？" in folded
    if len(words) <= 3 and not question:
        return answer("unclear")
    return Request("decline", request.language, reason="elsewhere")
