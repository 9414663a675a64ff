"""What a message means for the outfit: a ``Request``, made from words, numbers and what was before.

Rules over a word table; the same message in the same state is always read the same way. The state
is the plain JSON note that every model gets (``conversation.note``).
"""

from __future__ import annotations

import re
from typing import Any

from agent import numbers, sizes
from agent.lexicon import Hit, fold, hits, language_of, named
from agent.mention import Mention
from agent.mentioned import matches
from agent.others import asides, company
from agent.owned import matched, own
from agent.pieces import mentions
from agent.questions import about_worn, is_told
from agent.reference import meant, nth, resolved
from agent.refusals import refusal
from agent.request import Request
from agent.small_talk import SUBSTANCE, small_talk
from agent.sold import also_sold, of_that
from agent.touch_words import touch_of
from agent.wearer import CLOTHES, age_told, wearer
from agent.wishing import change
from tools.wish import Wish


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
    offered |= asked.kind == "may"
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
    if not others and (age := age_told(folded)):
        person["age"] = age
    if any(h.asks("couple") for h in found):
        person.pop("presentation", None)  # one is dressed at a time: who was, stays
    told = others - company(found, language)
    if told and not person and not any(h.has("adjust", *SUBSTANCE) for h in found):
        return Request("aside", language)
    said = mentions(found, language, masked)
    if sold := bool(state.get("plan")) and also_sold(folded):
        said.found = of_that(said.found, state)
    if _ON.match(folded) and (state.get("said") or []) and _denied(str(state["said"][-1]), state):
        for mention in said.of("want"):  # “she doesn't like dresses” – “or skirts”
            mention.stance = "avoid"
    request = Request("dress", language, person=person, notes=list(said.notes))
    if told and "presentation" not in person:
        request.notes.append(_SAME_PERSON)
    request.pose = picked.get("pose") or _first(found, "pose", masked)
    request.scene = picked.get("scene") or _first(found, "scene", masked)
    wanted = [m.piece for m in said.found if not m.loose]
    if sold and wanted and not accepted:
        return Request("have", language, about=wanted[0], find=wanted)
    small = None if accepted else small_talk(found, folded, said, state, request, asked)
    undressed = small is request and (
        request.kind in ("umbrella", "may") or request.kind == "needed" and not state.get("plan")
    )
    if small is not None and not undressed:
        return small
    if request.kind == "umbrella":  # it is no word about the weather there
        found = [h for h in found if h.get("absent") != "umbrella"]
    worn = (state.get("plan") or {}).get("garments", [])
    said.found = matched(message, own(message, said.found, request.notes), worn, request.notes)
    if any(h.asks("taller") for h in found):
        request.notes.append(_TALLER)
    change(request, message, found, said, state)
    if undressed:
        request.find = [request.about] if request.kind == "may" and request.about else []
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
_TALLER = "heels and one color from head to foot do most to look taller: say so and I do it"
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
