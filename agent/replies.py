"""What the embedded planner says, built from facts the tools returned and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent import advice, questions, sizes
from agent.phrasebook import EVENTS, listed, of_card, piece, say, told
from agent.reference import meant
from agent.request import Request

OFFER = "Tell me where you are going and how the weather is, and I will put an outfit together."
_ASK = "Where are you going, and how is the weather?"
_DECLINE = {
    "undress": "I only dress people, I don't undress them.",
    "child": "I only draw adults, so I can't help with that.",
    "harm": "I can't help with that, but I am glad to help with clothes.",
    "inject": "I can't do that; clothes are all I am here for.",
    "elsewhere": "That is outside my wardrobe: I only help with clothes.",
}
_TALK = {
    "help": "I choose outfits from the catalog and draw them: say the occasion, the weather, "
    "pieces and colors you like or avoid, or a budget. Then refine: “swap the boots”, “warmer”, "
    "“undo”.",
    "thanks": "You are welcome! Say the word if you want a piece swapped or another look.",
    "unclear": "I am not sure what you would like. Shall I change a piece, the color, the warmth "
    "or the occasion?",
}
ASIDE = (
    "Good to know. I keep dressing the same person and change nothing; say whom an outfit is for "
    "and I dress them."
)
_SEASON = {"spring-autumn": "spring and autumn", "summer": "summer", "winter": "winter"}


def decline(request: Request) -> str:
    """One friendly line, and an offer."""
    line = _DECLINE.get(request.reason, _DECLINE["elsewhere"])
    return _joined([say(line, request.language), say(OFFER, request.language)], request.language)


def small_talk(request: Request, state: dict[str, Any]) -> str:
    """Greetings, thanks and questions about the present outfit."""
    language, plan = request.language, state.get("plan") or {}
    garments = plan.get("garments", [])
    names = names_of(garments, language)
    about = request.about
    shown = garments if about is None else meant(about.categories, about.slot, garments)
    missing = "" if shown else say("There is no {x} in this outfit.", language,
                                   x=piece(about.words, language) if about else "")  # fmt: skip
    shown = shown or garments
    kind = request.kind
    if kind == "greet":
        return _joined([say("Hello! I am your stylist.", language), say(OFFER, language)], language)
    if kind == "help" or (kind in _TALK and garments):
        return say(_TALK[kind], language)
    if kind == "thanks":
        return _joined([say("You are welcome!", language), say(OFFER, language)], language)
    if kind == "why":
        the = "the " if language == "en" else ""
        colon = {"fr": " : ", "zh": "：", "ja": "："}.get(language, ": ")
        reasons = [
            f"{the}{of_card(g, language)}{colon}{told(g['why'], language, names)}"
            for g in shown
            if g.get("why")
        ]
        stop = "。" if language in ("zh", "ja") else ". "
        why = say("Here is why — {list}.", language, list=stop.join(reasons[:6]))
        return _joined([missing, why], language)
    if kind in ("material", "waterproof", "dressy", "cannot_tell"):
        told_as = questions.answer(kind, plan, shown, language, request.event)
        return _joined([missing, told_as], language)
    if kind == "cost":
        prices = ", ".join(f"{of_card(g, language)} {g['price']:.2f}" for g in shown)
        whole = f"{plan['price_total']:.2f} {_currency(plan)}"
        told_as = "{list}; the whole outfit is {price}."
        if len(shown) == len(garments):
            told_as = "Together {price}: {list}."
        said = [say(told_as, language, list=prices, price=whole)]
        over = float((state.get("wish") or {}).get("budget") or 0) - float(plan["price_total"])
        if over >= 0:
            rest = f"{over:.2f} {_currency(plan)}"
            said.append(say("{price} of your budget are left.", language, price=rest))
        return _joined(said, language)
    if kind == "warm_enough":
        return questions.warmth(plan, request.celsius, language)
    if kind == "sizes":
        return say(sizes.NOT_ON_CARDS, language)
    if kind == "what":
        worn = say("You are wearing {list}.", language, list=_listed(garments, language))
        return _joined([missing, worn], language)
    if kind == "needed":
        if not plan:
            return questions.needed_outside(request.wish, about, language)
        worn_so = [] if missing else shown
        return questions.needed(plan, about, worn_so, request.celsius, language)
    if kind == "umbrella":
        return advice.umbrella(plan, request.wish, language)
    if kind in ("taller", "slimmer"):
        return advice.looks(kind, language)
    if kind == "together":
        return _pair(request, garments)
    if kind == "most":
        return questions.most(request.order, plan, language)
    if kind == "aside":
        return say(ASIDE, language)
    if kind == "compare":
        named = state.get("named") or {}  # “compare it with the first one”
        if named and named["number"] != int(state.get("earlier_looks") or 0) + 1:
            return compared(named["plan"], plan, language, number=named["number"])
        left = state.get("left")  # just gone away from: that one and this are “these two”
        return compared(left or state.get("before"), plan, language, bool(left))
    return _joined([say("I did not quite get that.", language), say(_ASK, language)], language)


def _pair(request: Request, garments: list[dict[str, Any]]) -> str:
    """Whether the two pieces asked about go together, or which of them is not worn."""
    worn = [meant(p.categories, p.slot, garments) for p in request.find]
    for piece_, here in zip(request.find, worn, strict=True):
        if not here:
            words = piece(piece_.words, request.language)
            return say("There is no {x} in this outfit.", request.language, x=words)
    return advice.together(worn[0][0], worn[1][0], request.language)


def compared(
    before: dict[str, Any] | None,
    now: dict[str, Any],
    language: str,
    left: bool = False,
    number: int | None = None,
) -> str:
    """The look before (or the one just ``left``, or that ``number``) and this one, by what can be
    counted."""
    if not before or not now:
        return say(
            "There is only one look so far, so there is nothing to compare. Shall I make another?",
            language,
        )
    one, two = (_listed(p["garments"], language) for p in (before, now))
    clo, old = float(now["clo_total"]), float(before["clo_total"])
    if abs(clo - old) < 0.01:
        warmth = say("both are equally warm", language)
    else:
        word = "warmer" if clo > old else "lighter"
        warmth = say(
            f"This one is {word} ({{n:a}} clo, the other {{n:b}})",
            language, a=f"{clo:.2f}", b=f"{old:.2f}",
        )  # fmt: skip
    more = float(now["price_total"]) - float(before["price_total"])
    amount = f"{abs(more):.2f} {_currency(now)}"
    if abs(more) < 0.01:
        price = say("it costs the same", language)
    else:
        price = say(
            "it costs {n:a} more" if more > 0 else "it costs {n:a} less", language, a=amount
        )
    dressy, was = dressiness(now), dressiness(before)
    parts = [warmth, price]
    if abs(dressy - was) >= 0.02:
        parts.append(say("it is dressier" if dressy > was else "it is more casual", language))
    comma, stop = {"zh": ("，", "。"), "ja": ("、", "。")}.get(language, (", ", "."))
    told_as = (
        "The other look: {a}. This one: {b}." if left else "The look before: {a}. This one: {b}."
    )
    if number is not None:
        told_as = "Look {n:number}: {a}. This one: {b}."
    both = say(told_as, language, a=one, b=two, number=number)
    counted = comma.join(parts) + stop
    return _joined([both, counted[0].upper() + counted[1:]], language)


_FIRST = {
    "cheapest": "From the cheapest up: {list}. Shall I build an outfit around one of them?",
    "dearest": "From the dearest down: {list}. Shall I build an outfit around one of them?",
    "warmest": "From the warmest down: {list}. Shall I build an outfit around one of them?",
    "lightest": "From the lightest up: {list}. Shall I build an outfit around one of them?",
}


def found(
    piece_words: str, cards: Sequence[dict[str, Any]], language: str = "en", order: str = ""
) -> str:
    """What a search of the catalog gave, in which ``order``."""
    if not cards:
        return say(
            "There is no {x} in the catalog just now. Shall I look for something near?",
            language, x=piece(piece_words, language),
        )  # fmt: skip
    by_warmth = order in ("warmest", "lightest")
    shown = [
        f"{of_card(c, language)} ("
        + (f"{c['clo']:g} clo, " if by_warmth else "")
        + f"{c['price']:.2f} {c.get('currency', 'EUR')})"
        for c in cards[:5]
    ]
    told_as = "I have {list}. Shall I build an outfit around one of them?"
    if len(cards) == 1:
        told_as = "I have {list}. Shall I build an outfit around it?"
    elif order:
        told_as = _FIRST[order]
    return say(told_as, language, list=listed(shown, language))


def outfit(
    facts: dict[str, Any],
    request: Request,
    drawn: bool,
    failed: str = "",
    mended: Sequence[str] = (),
    earlier: Sequence[dict[str, Any]] = (),
) -> str:
    """The outfit in a few sentences; ``earlier`` garments may be named in what went wrong."""
    language = request.language
    garments = facts.get("garments", [])
    names = names_of([*earlier, *garments], language)

    def tell(sentences: Sequence[str]) -> str:
        mark = {"zh": "；", "ja": "、"}.get(language, "; ")
        return mark.join(told(s, language, names) for s in dict.fromkeys(sentences))

    if not garments:
        missing = tell(facts.get("unmet", [])) or say("the catalog has nothing that fits", language)
        return say("I could not put an outfit together: {list}.", language, list=missing)
    parts = [
        say("{lead}: {pieces}.", language, lead=_lead(facts, language),
            pieces=_listed(garments, language)),
        _reason(garments, language, names),
    ]  # fmt: skip
    assumed = [*request.notes, *facts.get("assumptions", [])]
    if assumed:
        parts.append(say("I assumed: {list}.", language, list=tell(assumed)))
    unmet = [*facts.get("unmet", []), *mended]
    if unmet:
        parts.append(say("I could not do everything: {list}.", language, list=tell(unmet)))
    price = f"{facts.get('price_total', 0):.2f} {_currency(facts)}"
    told_as = "Together {price}."
    if facts.get("cheapest"):
        told_as = "Together {price}: nothing complete for this costs less."
    parts.append(say(told_as, language, price=price))
    if drawn:
        parts.append(say("It is drawn for you.", language))
    elif failed:
        why = told(failed, language, names)
        parts.append(say("I could not draw it: {why}", language, why=why))
    return _joined(parts, language)


def in_short(facts: dict[str, Any], language: str) -> str:
    """What is worn, what it costs, what was assumed and what could not be done."""
    garments = facts["garments"]
    names = names_of(garments, language)
    price = f"{facts['price_total']:.2f} {_currency(facts)}"
    parts = [
        say("You are wearing {list}.", language, list=_listed(garments, language)),
        say("Together {price}.", language, price=price),
    ]
    for told_as, said in (
        ("I assumed: {list}.", facts["assumptions"]),
        ("I could not do everything: {list}.", facts["unmet"]),
    ):
        if said:
            mark = {"zh": "；", "ja": "、"}.get(language, "; ")
            parts.append(
                say(told_as, language, list=mark.join(told(s, language, names) for s in said))
            )
    return _joined(parts, language)


def nothing(trouble: str, language: str) -> str:
    """A tool said no: its words, in the person's language where they are known."""
    whole = told(trouble, language)
    if whole != trouble or language == "en":
        return whole
    return say("I could not put an outfit together: {list}.", language, list=trouble.rstrip("."))


def touched(data: dict[str, Any], request: Request) -> str:
    """After a touch-up: what was drawn again, and where the picture is not what the shop sells."""
    language, plan = request.language, data.get("plan") or {}
    garments = plan.get("garments", [])
    names = names_of(garments, language)
    now = next((g for g in garments if g["id"] == data["touched"]), None)
    changed = str(now["name"]) if now else str(data["touched"])
    only = "Only this was drawn again: {garment:x}. Everything else in the picture is as it was."
    parts = [say(only, language, names, x=changed)]
    notes = [u for u in plan.get("unmet", []) if now is None or u.startswith(f"{now['name']} ")]
    if notes:
        mark = {"zh": "；", "ja": "、"}.get(language, "; ")
        said = mark.join(told(u, language, names) for u in notes)
        parts.append(say("Please note: {list}.", language, list=said))
    return _joined(parts, language)


def back(facts: dict[str, Any], request: Request) -> str:
    """After an undo, or after an undo was taken back."""
    pieces = _listed(facts.get("garments", []), request.language)
    if request.kind == "redo" or request.steps < 0:
        return say("Here it is again: {list}.", request.language, list=pieces)
    if request.kind == "first":
        return say("Back to the first look: {list}.", request.language, list=pieces)
    if request.steps > 1:
        return say("Back to that look: {list}.", request.language, list=pieces)
    return say("Back to the look before: {list}.", request.language, list=pieces)


def names_of(garments: Sequence[dict[str, Any]], language: str) -> dict[str, str]:
    """Garment name → how it is said in ``language``."""
    return {str(g["name"]): of_card(g, language) for g in garments}


def dressiness(plan: dict[str, Any]) -> float:
    """Mean formality of the garments of a plan."""
    levels = [float(g["formality"]) for g in plan.get("garments", [])]
    return sum(levels) / len(levels) if levels else 0.0


def _listed(garments: Sequence[dict[str, Any]], language: str) -> str:
    return listed([of_card(g, language) for g in garments], language)


def _joined(parts: Sequence[str], language: str) -> str:
    return ("" if language in ("zh", "ja") else " ").join(p for p in parts if p)


def _lead(facts: dict[str, Any], language: str) -> str:
    weights = facts.get("season", {})
    seasons = sorted(weights, key=lambda s: -weights[s])[:2]
    season = " with a touch of ".join(_SEASON.get(s, s) for s in seasons)
    if len(seasons) == 2 and abs(weights[seasons[0]] - weights[seasons[1]]) < 0.05:
        season = f"half {_SEASON[seasons[0]]}, half {_SEASON[seasons[1]]}"
    what = facts.get("occasion", "everyday")
    told_as = {"formal": "a formal occasion", "travel": "travelling"}.get(what)
    event = told_as if told_as and language == "en" else EVENTS.get(what, what)
    return say(
        "For {event:o}, {season:s}, {n:t} °C, I chose",
        language, o=event, s=season, t=f"{facts['temperature_c']:g}",
    )  # fmt: skip


def _reason(garments: Sequence[dict[str, Any]], language: str, names: dict[str, str]) -> str:
    rank = ("outerwear", "onepiece", "top", "footwear", "bottom")
    best = sorted(
        (g for g in garments if g.get("why") and g["slot"] in rank),
        key=lambda g: (not g["why"].startswith(("you asked", "keeps")), rank.index(g["slot"])),
    )[:2]
    the, left, right = ("", "（", "）") if language in ("zh", "ja") else ("", " (", ")")
    if language == "en":
        the = "the "
    said = [
        f"{the}{of_card(g, language)}{left}{told(g['why'], language, names)}{right}" for g in best
    ]
    return say("It starts from {list}.", language, list=listed(said, language)) if said else ""


def _currency(facts: dict[str, Any]) -> str:
    return str(facts.get("currency") or "EUR")
