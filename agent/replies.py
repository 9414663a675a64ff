"""What the embedded planner says, built from facts the tools returned and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.understand import Request

OFFER = "Tell me where you are going and how the weather is, and I will put an outfit together."
_DECLINE = {
    "undress": "I only dress people, I don't undress them. {offer}",
    "child": "I only draw adults, so I can't help with that. {offer}",
    "harm": "I can't help with that, but I am glad to help with clothes. {offer}",
    "inject": "I can't do that; clothes are all I am here for. {offer}",
    "elsewhere": "That is outside my wardrobe: I only help with clothes. {offer}",
}
_DECLINE_ELSEWHERE = {
    "fr": "Je ne peux pas vous aider pour cela, je m'occupe seulement de vêtements : dites-moi où "
    "vous allez et je vous habille.",
    "de": "Dabei kann ich nicht helfen, ich kümmere mich nur um Kleidung: Sagen Sie mir, wohin es "
    "geht, und ich stelle ein Outfit zusammen.",
    "es": "En eso no puedo ayudar, solo me ocupo de la ropa: dime adónde vas y te preparo un "
    "conjunto.",
    "zh": "这个我帮不上忙，我只负责穿搭：告诉我去哪里、天气如何，我来为你搭配。",
    "ja": "それはお手伝いできませんが、服のことならお任せください。行き先と天気を教えてください。",
}
_FRAME: dict[str, dict[str, str]] = {
    "en": {
        "and": "and", "chose": "{lead}: {pieces}.", "total": "Together {price}.",
        "assumed": "I assumed: {list}.", "unmet": "I could not do everything: {list}.",
        "drawn": "It is drawn for you.", "failed": "I could not draw it: {why}",
    },
    "fr": {
        "and": "et", "chose": "Voici votre tenue : {pieces}.", "total": "En tout {price}.",
        "assumed": "J'ai supposé : {list}.", "unmet": "Ce que je n'ai pas pu faire : {list}.",
        "drawn": "Le dessin est prêt.", "failed": "Je n'ai pas pu la dessiner : {why}",
    },
    "de": {
        "and": "und", "chose": "Hier ist Ihr Outfit: {pieces}.", "total": "Zusammen {price}.",
        "assumed": "Ich habe angenommen: {list}.", "unmet": "Das ging nicht: {list}.",
        "drawn": "Das Bild ist gezeichnet.", "failed": "Ich konnte es nicht zeichnen: {why}",
    },
    "es": {
        "and": "y", "chose": "Aquí está tu conjunto: {pieces}.", "total": "En total {price}.",
        "assumed": "He supuesto: {list}.", "unmet": "Lo que no pude cumplir: {list}.",
        "drawn": "El dibujo está listo.", "failed": "No pude dibujarlo: {why}",
    },
    "zh": {
        "and": "和", "chose": "为你搭配好了：{pieces}。", "total": "合计 {price}。",
        "assumed": "我的假设：{list}。", "unmet": "没能满足的：{list}。",
        "drawn": "已经画好了。", "failed": "没能画出来：{why}",
    },
    "ja": {
        "and": "と", "chose": "コーディネートはこちらです：{pieces}。", "total": "合計 {price}。",
        "assumed": "前提：{list}。", "unmet": "ご希望に添えなかった点：{list}。",
        "drawn": "絵も描きました。", "failed": "描けませんでした：{why}",
    },
}  # fmt: skip
_SEASON = {"spring-autumn": "spring and autumn", "summer": "summer", "winter": "winter"}


def decline(request: Request) -> str:
    """One friendly line, and an offer."""
    if request.language in _DECLINE_ELSEWHERE:
        return _DECLINE_ELSEWHERE[request.language]
    return _DECLINE.get(request.reason, _DECLINE["elsewhere"]).format(offer=OFFER)


def small_talk(request: Request, state: dict[str, Any]) -> str:
    """Greetings, thanks and questions about the present outfit."""
    plan = state.get("plan") or {}
    garments = plan.get("garments", [])
    if request.kind == "greet":
        return f"Hello! I am your stylist. {OFFER}"
    if request.kind == "help":
        return (
            "I choose outfits from the catalog and draw them: say the occasion, the weather, "
            "pieces and colors you like or avoid, or a budget. Then refine: “swap the boots”, "
            "“warmer”, “undo”."
        )
    if request.kind == "thanks":
        if garments:
            return "You are welcome! Say the word if you want a piece swapped or another look."
        return f"You are welcome! {OFFER}"
    about = request.about
    shown = [g for g in garments if about is None or _is(about, g)] or garments
    if request.kind == "why":
        reasons = [f"the {g['name']}: {g['why']}" for g in shown if g.get("why")]
        return "Here is why — " + ". ".join(reasons[:6]) + "."
    if request.kind == "cost":
        prices = ", ".join(f"{g['name']} {g['price']:.2f}" for g in shown)
        if len(shown) < len(garments):
            return f"{prices}; the whole outfit is {plan['price_total']:.2f} {_currency(plan)}."
        return f"Together {plan['price_total']:.2f} {_currency(plan)}: {prices}."
    if request.kind == "warm_enough":
        low = (plan.get("clo_needed") or [0])[0]
        word = (
            "should keep you comfortable"
            if plan["clo_total"] >= low - 0.15
            else "is on the cool side"
        )
        return (
            f"At {plan['temperature_c']:g} °C it {word}: it insulates {plan['clo_total']:.2f} clo "
            f"and about {low:.2f} is asked for when you walk. Say “warmer” and I will add to it."
        )
    if request.kind == "what":
        return f"You are wearing {listed([g['name'] for g in garments], 'en')}."
    return (
        "I am not sure what you would like. Shall I change a piece, the color, the warmth or the "
        "occasion?"
        if garments
        else f"I did not quite get that. {OFFER}"
    )


def found(pieces: str, cards: Sequence[dict[str, Any]]) -> str:
    """What a search of the catalog gave."""
    if not cards:
        return f"There is no {pieces} in the catalog just now. Shall I look for something near?"
    shown = [f"{c['name']} ({c['price']:.2f} {c.get('currency', 'EUR')})" for c in cards[:5]]
    return f"I have {listed(shown, 'en')}. Shall I build an outfit around one of them?"


def outfit(
    facts: dict[str, Any],
    request: Request,
    drawn: bool,
    failed: str = "",
    mended: Sequence[str] = (),
) -> str:
    """The outfit in a few sentences."""
    frame = _FRAME.get(request.language, _FRAME["en"])
    garments = facts.get("garments", [])
    if not garments:
        missing = "; ".join(facts.get("unmet", [])) or "the catalog has nothing that fits"
        return f"I could not put an outfit together: {missing}."
    names = [str(g["name"]) for g in garments]
    told = frame["chose"].format(lead=_lead(facts), pieces=listed(names, request.language))
    parts = [told]
    if request.language == "en":
        parts.append(_reason(garments))
    assumed = [*request.notes, *facts.get("assumptions", [])]
    if assumed:
        parts.append(frame["assumed"].format(list="; ".join(assumed)))
    unmet = list(dict.fromkeys([*facts.get("unmet", []), *mended]))
    if unmet:
        parts.append(frame["unmet"].format(list="; ".join(unmet)))
    price = f"{facts.get('price_total', 0):.2f} {_currency(facts)}"
    parts.append(frame["total"].format(price=price))
    if drawn:
        parts.append(frame["drawn"])
    elif failed:
        parts.append(frame["failed"].format(why=failed))
    return " ".join(p for p in parts if p)


def back(facts: dict[str, Any], request: Request) -> str:
    """After an undo."""
    names = [g["name"] for g in facts.get("garments", [])]
    return f"Back to the look before: {listed(names, 'en')}."


def listed(names: Sequence[str], language: str) -> str:
    """“a, b and c”."""
    if len(names) < 2:
        return "".join(names)
    if language in ("zh", "ja"):
        return "、".join(names)
    word = _FRAME.get(language, _FRAME["en"])["and"]
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def _lead(facts: dict[str, Any]) -> str:
    seasons = [s for s, _ in sorted(facts.get("season", {}).items(), key=lambda p: -p[1])]
    season = " with a touch of ".join(_SEASON.get(s, s) for s in seasons[:2])
    if len(seasons) == 2 and abs(facts["season"][seasons[0]] - facts["season"][seasons[1]]) < 0.05:
        season = f"half {_SEASON[seasons[0]]}, half {_SEASON[seasons[1]]}"
    occasion = {"everyday": "every day", "work": "work", "sport": "sport", "travel": "travelling",
                "outdoors": "the outdoors", "beach": "the beach", "formal": "a formal occasion",
                "interview": "an interview"}  # fmt: skip
    what = facts.get("occasion", "everyday")
    where = occasion.get(what, f"a {what}")
    return f"For {where}, {season}, {facts['temperature_c']:g} °C, I chose"


def _reason(garments: Sequence[dict[str, Any]]) -> str:
    rank = ("outerwear", "onepiece", "top", "footwear", "bottom")
    best = sorted(
        (g for g in garments if g.get("why") and g["slot"] in rank),
        key=lambda g: (not g["why"].startswith(("you asked", "keeps")), rank.index(g["slot"])),
    )[:2]
    said = [f"the {g['name']} ({g['why']})" for g in best]
    return f"It starts from {listed(said, 'en')}." if said else ""


def _currency(facts: dict[str, Any]) -> str:
    return str(facts.get("currency") or "EUR")


def _is(piece: Any, g: dict[str, Any]) -> bool:
    return (not piece.categories or g["category"] in piece.categories) and (
        piece.slot is None or g["slot"] == piece.slot
    )
