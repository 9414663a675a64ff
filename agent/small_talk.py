"""Messages that leave the outfit as it is: questions, listings, thanks, going back."""

from __future__ import annotations

import re
from typing import Any

from agent import numbers
from agent.advice import may_asked, umbrella_asked
from agent.lexicon import Hit
from agent.mention import FIELD, Mention
from agent.mentioned import matches
from agent.questions import (
    about_all,
    celsius_asked,
    event_asked,
    is_needed,
    is_warming,
    together_asked,
)
from agent.reference import looks_number, meant, nth, steps_back, taken_from
from agent.request import Kind, Request
from agent.wearer import CLOTHES
from tools.wish import Piece

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
_DEFINITE = re.compile(
    r"\b(?:the|this|these|those|my|die|den|diese\w*|meine\w*|le|la|les|ce\w*|mes|el|los|las|"
    r"est[aeo]s?|mis?)\b|[这那]|[そこ]の"
)
_PUT = re.compile(r"(?:please |can you |could you )*(?:put|dress|style|pair|combine)\b")
_WITHIN = re.compile(r"\b(?:in|with) (?:it|this|that|(?:the|this|my) (?:outfit|look))\b")
SUBSTANCE = (
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
"""Kinds of words that ask for clothes."""


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


def _pair_asked(folded: str, said: list[Mention]) -> list[Piece]:
    """The two pieces of “does the bag match the shoes?”."""
    pieces = [m.piece for m in said if not m.loose]
    return pieces if len(pieces) == 2 and together_asked(folded) else []


def _may_asked(
    folded: str, found: list[Hit], said: list[Mention], plan: dict[str, Any] | None
) -> Piece | None:
    """The one piece of “can I wear sneakers with it?”, when it is not worn."""
    pieces = [m.piece for m in said if not m.loose and m.stance == "want"]
    if len(pieces) != 1 or len(said) > 1 or not may_asked(folded):
        return None
    if plan is None:
        return pieces[0] if event_asked(found) else None
    worn, piece = plan["garments"], pieces[0]
    here = [g for g in worn if matches(piece, g)]
    if _DEFINITE.search(folded):  # “the coat” is whatever is worn of that kind
        here = meant(piece.categories, piece.slot, worn)
    return None if here else piece


def small_talk(
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
    substance = any(h.has(*SUBSTANCE) for h in found)
    number = numbers.temperature(folded) or numbers.budget(folded) or numbers.size(folded)
    adjust = any(h.has("adjust") for h in found)
    about = said.found[0].piece if said.found else None

    def answer(kind: Kind) -> Request:
        return Request(kind, request.language, about=about)

    if umbrella_asked(folded, found):
        request.kind = "umbrella"
        return request
    for how in ("taller", "slimmer"):
        bare = not said.found and not any(h.has("occasion") for h in found)
        if asks(how) and (bare or how == "slimmer" and plan):
            request.kind = how  # type: ignore[assignment]
            return request
    pair = _pair_asked(folded, said.found) if plan else []
    if pair:
        return Request("together", request.language, find=pair)
    may = _may_asked(folded, found, said.found, plan)
    if may is not None:
        request.kind, request.about, request.find = "may", may, [may]
        return request
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
