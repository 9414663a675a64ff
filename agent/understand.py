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
from agent.mention import FIELD, Mention
from agent.mentioned import matches
from agent.others import asides, company
from agent.pieces import mentions
from agent.questions import (
    about_all,
    about_worn,
    celsius_asked,
    event_asked,
    is_needed,
    is_told,
    is_warming,
)
from agent.reference import looks_number, meant, nth, resolved, steps_back, taken_from
from agent.refusals import refusal
from agent.touch_words import touch_of
from agent.wearer import CLOTHES, wearer
from agent.wishing import change
from tools.wish import Piece, Wish

Kind = Literal[
    "dress", "touch", "redraw", "undo", "redo", "first", "greet", "thanks", "why", "cost", "what",
    "warm_enough", "help", "have", "compare", "decline", "unclear", "material",
    "waterproof", "dressy", "cannot_tell", "sizes", "needed", "aside", "most",
]  # fmt: skip


@dataclass
class Request:
    """What one message asks for."""

    kind: Kind
    language: str = "en"
    wish: Wish = field(default_factory=Wish)
    """The whole wish after this message (not only its change)."""
    order: str = ""
    """Kinds have and most: what comes first (``catalog.index.ORDERS``), when it is asked for."""
    pick: int = 0
    """Kind dress: which garment of those listed before is to be worn; 0 = none by its number."""
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
    return _accepted(message, state) or _read(message, state)


def _accepted(message: str, state: dict[str, Any]) -> Request | None:
    """What the question before asks about, to be put on: ``message`` says yes to the offer that
    answered it, or names one of the garments that were listed: “the second one”."""
    before, folded = (state.get("said") or [""])[-1], fold(message).strip()
    yes, number = bool(_YES.fullmatch(folded)), nth(folded)
    if not before or not (yes or number):
        return None
    asked = _read(before, state)
    worn = (state.get("plan") or {}).get("garments", [])
    about = asked.about
    offered = asked.kind == "have" and bool(asked.find)
    if yes and asked.kind == "needed" and about is not None:
        new = not any(matches(about, g) for g in worn)
        offered = new and (bool(worn) or is_told(asked.wish))
    named = any(h.has(*CLOTHES) for h in hits(message, language_of(message, "en")))
    if not offered or number and named:
        return None
    request = _read(before, state, accepted=True)
    if asked.kind == "have":
        plain = {"cheapest": False, "thrifty": 0.0, "warmer": 0.0}
        request.wish = request.wish.model_copy(update=plain if asked.order else {})
        request.find, request.order = asked.find, asked.order
        request.pick = number or (1 if asked.order else 0)
    return request


def _read(message: str, state: dict[str, Any], accepted: bool = False) -> Request:
    """``understand``; ``accepted``: what the message asks about is to be put on."""
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
    limit = Wish.model_validate(state.get("wish") or {}).budget
    if limit is not None and (amount := numbers.bare_amount(message)):
        message = f"{message}, budget {amount:g}"  # “make that 100”: of the budget spoken of
    picked, message = _picked(message)
    language, folded = language_of(message, str(state.get("language") or "en")), fold(message)
    found = resolved(hits(message, language), state)
    asked = about_worn(folded, found) if state.get("plan") and not accepted else None
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
    told = others - company(found, language)
    if told and not person and not any(h.has("adjust", *_SUBSTANCE) for h in found):
        return Request("aside", language)
    said = mentions(found, language, masked)
    if _ON.match(folded) and (state.get("said") or []) and _denied(str(state["said"][-1]), state):
        for mention in said.of("want"):  # “she doesn't like dresses” – “or skirts”
            mention.stance = "avoid"
    request = Request("dress", language, person=person, notes=list(said.notes))
    if told and "presentation" not in person:
        request.notes.append(_SAME_PERSON)
    request.pose = picked.get("pose") or _first(found, "pose", masked)
    request.scene = picked.get("scene") or _first(found, "scene", masked)
    small = None if accepted else _small_talk(found, folded, said, state, request, asked)
    undressed = small is request and request.kind == "needed" and not state.get("plan")
    if small is not None and not undressed:
        return small
    change(request, message, found, said, state)
    if undressed:  # a question about the weather that was told: nothing is put together for it
        return request
    request.recolour = _recolour(request, said.found, state)
    return request


_ON = re.compile(r"(?:or|nor|oder|ou|ni|或者?|もしくは)\b|或")
"""A message that goes on with a list."""


def _denied(message: str, state: dict[str, Any]) -> bool:
    """Whether the last thing that ``message`` mentions is not wanted."""
    language = language_of(message, str(state.get("language") or "en"))
    found = mentions(hits(message, language), language, set()).found
    return bool(found) and found[-1].stance == "avoid"


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
_YES = re.compile(
    r"(?:yes|yeah|yep|yup|sure|ok|okay|alright|all right|go ahead|please do|do it|do that|ja|gern|"
    r"gerne|klar|bitte|jawohl|oui|d'? ?accord|volontiers|si|claro|vale|dale|adelante|"
    r"好|好的|好啊|可以|行|要|是|是的|对|嗯|はい|うん|お願い|おねがい|お願いします|ぜひ)"
    r"(?:[ ,.!，。！、]*(?:please|sure|do|do it|go ahead|thanks|thank you|that would be \w+|"
    r"bitte|gern|gerne|s'? ?il vous plait|s'? ?il te plait|merci|por favor|gracias|谢谢|请|"
    r"お願いします))*[ .!。！]*"
)
"""“Yes, please”: nothing but that."""
_WISHED = re.compile(r"^[^?]*\b(?:make|want|need|something|find|give|must be|should be)\b[^?]*$")
"""“I want it warm enough for -10” is no question."""
_HAVE = re.compile(
    r"\b(?:do you have|have you got|got any|which|list|find me|"
    r"is there|are there|do you (?:sell|carry|stock)|in stock|what .* do you have|haben sie|"
    r"habt ihr|gibt es|hast du|verkaufen sie|avez vous|as tu|y a t il|vendez vous|"
    r"tienes|tienen|teneis|hay)\b|"
    r"有没有|有什么|有.{1,12}[吗么]|ありますか|売っていますか|置いていますか"
)
_SHOWN = re.compile(
    r"\b(?:your|show me|list|which|what(?:'s| is| are| do)|do you|you (?:have|sell|stock|carry)|"
    r"have you|you've got|eure?[rsmn]?|ihre?[rsmn]?|zeig\w*|welche[rsnm]?|was (?:ist|sind)|"
    r"habt ihr|haben sie|hast du|votre|vos|montre\w*|quel(?:le)?s?|avez vous|as tu|sus?|vuestr\w+|"
    r"ensena\w*|muestra\w*|mostrar\w*|cual(?:es)?|tienes|tienen)\b|"
    r"你们|有哪些|哪[件条双个款]|是什么|看看|有什么|列出|どれ|どの|見せて|ありますか|教えて|は何|は[?？]$"
)
"""The shop's own are asked for: “your cheapest coat”."""
_PUT = re.compile(r"(?:please |can you |could you )*(?:put|dress|style|pair|combine)\b")
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


def _listed(found: list[Hit], folded: str, said: list[Mention]) -> str:
    """The order of what the shop shall show: “your cheapest coats”; "" when it shows none."""
    order = next((v for h in found if (v := h.get("order"))), "")
    named = any(m.stance == "want" and not m.loose for m in said)
    dressing = any(h.asks("new") or h.cues("add", "swap", "keep") for h in found)
    dressing |= bool(_PUT.match(folded))
    if not order or not named or dressing or _WISHED.search(folded):
        return ""
    return order if _SHOWN.search(folded) else ""


def _described(said: list[Mention]) -> list[Piece]:
    """The garments named, with what is said of them after a comma: “your coats, in black”."""
    loose = {name: values for m in said if m.loose for name in FIELD.values()
             if (values := getattr(m.piece, name))}  # fmt: skip
    return [m.piece.model_copy(update=loose) for m in said if not m.loose]


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
            raincoat = {h.start for h in found if h.text == "waterproof"}  # not the noun here
            request.about = next(
                (m.piece for m in said.found if not m.loose and m.start not in raincoat), None
            )
            return request
        order = next((v for h in found if (v := h.get("order"))), "")
        if order and about_all(folded) and not any(m.stance == "want" for m in said.found):
            request.kind, request.order = "most", order
            return request
        if asks("why") and not asks("new"):
            return answer("why")
        if asks("cost") and not adjust and numbers.budget(folded) is None:
            return answer("cost")
        if asks("what") and not adjust:
            return answer("what")
    absent = [v for h in found if (v := h.get("absent"))]
    within = plan and _WITHIN.search(folded)
    if asks("have") and within and said.found and not adjust and _HAVE.search(folded):
        return answer("what")
    if plan is None and is_needed(folded, found):
        piece = next((m.piece for m in said.found if not m.loose), None)
        event = any(h.has("occasion") for h in found) and not (piece and is_warming(piece))
        if absent and not piece:  # no shop of ours has them
            return Request("have", request.language, about=Piece(said=" or ".join(absent)))
        if not event:
            request.kind, request.about = "needed", piece
            return request
    if order := _listed(found, folded, said.found):
        return Request("have", request.language, about=about, order=order,
                       find=_described([m for m in said.found if m.stance == "want"]))  # fmt: skip
    if asks("have") and said.found and not asks("new") and _HAVE.search(folded):
        return Request("have", request.language, about=about, find=[m.piece for m in said.found])
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
