"""Questions about what is worn: what it is made of, whether it keeps the rain out, suits the event.

They are answered from the plan and change nothing.
"""

from __future__ import annotations

import re
from typing import Any

from agent import numbers
from agent.lexicon import Hit
from agent.phrasebook import EVENTS, listed, name, of_card, say
from catalog.garment import CATEGORIES
from tools.reading import read_wish
from tools.shortlist import slot_gain
from tools.warmth import ensemble_clo, most_clo, needed_clo, temperature_of, veto
from tools.wish import OCCASIONS, Piece, Wish

_SHAPES = (
    ("material", r"what.{0,40} made (?:of|from|out of)|(?:what|which) (?:material|fabric)|"
                 r"woraus|welche[ms]? (?:material|stoff)|(?:en |de )?quelle (?:matiere|etoffe)|"
                 r"en quoi (?:est|sont)|de que (?:material|tela|esta hech|estan hech)|"
                 r"什么(?:材质|料子|面料|材料|做的)|(?:何の)?素材(?:は|です)|何でできて"),
    ("waterproof", r"^(?:and )?(?:is|are|will|does|do(?! you)|which (?:of|pieces?|ones?|parts?)|"
                   r"what(?: of it)? is) .*(?:water ?proof|rain ?proof|keep .*dry)|"
                   r"^(?:ist|sind|halt|halten) .*(?:wasserdicht|regendicht|regenfest)|"
                   r"(?:est|sont)(?: | il | elle ).*impermeables?|"
                   r"(?:es|son) (?:el |la |los |las |este |esta )?.*impermeables?\s*\?|"
                   r"防水(?:吗|么)|防水です"),
    ("dressy", r"(?:formal|dressy|smart|elegant|fancy) enough|"
               r"^(?:is|are) (?:that|this|it|they)[a-z ]{0,20} too (?:formal|casual|dressy|fancy)|"
               r"(?:fein|schick|formell|elegant|festlich) genug|"
               r"assez (?:habille|elegant|formel|chic)|"
               r"(?:bastante|suficientemente|lo bastante) (?:elegante|formal|arreglad)|"
               r"够不?够?正式|正式吗|(?:フォーマル|きちんと).{0,8}(?:ですか|十分|大丈夫)"),
)  # fmt: skip
_IT = r"(?:it|this|that|they|these|those|(?:the|my|her|his) [a-z]+)"
_ASKED = re.compile(
    r"^(?:(?:and|but|so|ok|okay|hmm|also)[ ,]+)*(?:"
    rf"(?:is|are|does|do|will|would|has) {_IT}\b|"
    rf"how (?!much|many|about)\w+ (?:is|are) {_IT}\b|"
    rf"(?:can|could|may|should) (?:i|she|he|we|one) (?:wear|use|walk in|sit in|go in) {_IT}\b|"
    r"(?:ist|sind|passt|passen|halt|halten|reicht|reichen|wird|geht|taugt|hat) "
    r"(?:das|es|die|der|diese[rs]?|sie)\b|"
    r"kann (?:ich|man|sie|er) (?:das|es|sie|die|den|diese\w*)\b|"
    r"(?:est ce que?|puis je|c' est|"
    r"(?:le|la|les|l'|ce|cette|ces) [a-z ]+ (?:est|sont)[ -](?:il|elle)|"
    r"ca (?:va|convient)|je peux (?:le|la|les) (?:porter|mettre))\b|"
    r"¿?\s*(?:es|son|esta|estan|sirven?|puedo (?:llevar|usar|poner)\w*|aguantan?)\b)[^.!;?]*\?*$|"
    r"^[^.!;?。！？]*(?:吗|么|ですか|ますか|でしょうか|かな)[?？]?$"
)
"""A question about what is worn, that can be answered with yes or no, or by how much."""
_REQUEST = re.compile(
    r"\b(?:make|change|swap|replace|add|give|find|show|another|other|else|instead|rather|better|"
    r"possible|available|in stock|come in|comes in|without|ander\w*|lieber|statt|moglich|autres?|"
    r"plutot|avez|y a|possible|otr[oa]s?|mejor|tienes|hay|posible)\b|"
    r"[有换想再别]|不要|能给|推荐|什么|怎么|哪|あり|もらえ|くれ|くださ|いただけ|できます|"
    r"変え|替え|他の|別の|どんな|何|どう|どれ|どこ|おすすめ"
)
"""The same form, but something is asked for."""
_ELSE = re.compile(r"\b(?:something else|instead|another|other|swap|change)\b")
_TOGETHER = re.compile(
    r"\b(?:match\w*|goe?s? with|go together|suits? (?:me|the|each)|zusammen|"
    r"pass(?:t|en) .*zu[mr]?|"
    r"va avec|vont (?:bien )?(?:ensemble|avec)|combinan?)\b|搭吗|配吗|合いますか|合う"
)
_FITTING = re.compile(
    r"\b(?:ok|okay|fine|suitable|appropriate|alright|all right|good|passend|angemessen|"
    r"convenable|adecuad[oa]|apropiad[oa])\b|可以吗|行吗|合适吗"
)
COMFORT = re.compile(
    r"comfort|comfy|confortable|bequem|comod|舒服|舒适|快適|楽(?=で|か|な|に)|きつくな"
)
_WHERE = re.compile(
    r"^where (?:can|do|could) (?:i|we) (?:buy|get|order)|^wo (?:kann|gibt|bekomme)|"
    r"^ou (?:puis je|peut on|est ce qu\w* (?:je|on) peu\w*) .*(?:acheter|trouver)|"
    r"^¿?donde (?:puedo|se puede) compr|在哪[里儿]?(?:能|可以)?买|どこで買"
)
"""Cards name no shop."""
_DEAR = re.compile(r"\b(?:expensive|teuer|cher|chere|car[oa]s?)\b|贵|高いです")
_NEEDED = re.compile(
    r"^(?:(?:and|but|so|ok|okay|hmm|also)[ ,]+)*(?:"
    r"(?:should|shall|must|do|does|will|would) (?:i|we|she|he|one) (?:really |also |even )?"
    r"(?:need|wear|take|bring|have to|want|put on|require)\b|"
    r"(?:is|are|would) (?:a |an |the |my )?[a-z ]{2,24} (?:necessary|needed|required|help)\b|"
    r"(?:brauche?|benotige|soll|sollte|muss|brauchte) (?:ich|man|sie|er|wir)\b|"
    r"(?:ai je|aurai je|aurais je|est ce que j'? ?ai|a t on) (?:vraiment )?besoin|"
    r"(?:dois je|devrais je|faut il|est ce qu'? ?il faut|est ce que je dois)\b|"
    r"¿?\s*(?:necesito|necesitare|debo|deberia|tengo que|hace falta|me hace falta)\b[^.!]*\?)|"
    r"(?:要不要|需不需要|用不用|该不该|需要.{1,12}[吗么]|应该.{1,12}[吗么]|用.{1,8}吗)|"
    r"(?:必要|要り?ます|いります)(?:です)?か|(?:必要|いる|要る)[?？]|"
    r"(?:着|履|かぶ|巻|持)\w{0,3}(?:た|った|いた)?(?:方がいい|ほうがいい|べき)(?:です)?か"
)
"""“Should I wear a scarf?”: a question, until somebody asks for the scarf."""
_WARMING = ("outerwear", "neckwear", "headwear")
_COOL = 0.15
"""clo below what is asked for that still counts as warm enough."""
_AS_DRESSY = 0.12
"""Formality by which an outfit may miss its occasion and still suit it."""


def together_asked(folded: str) -> bool:
    """Whether it is asked if two things go together."""
    asked = re.search(r"[?？]|(?:吗|么|ますか)$|^(?:do|does|passt|passen) ", folded.strip())
    return bool(asked and _TOGETHER.search(folded)) and not re.search(
        r"\b(?:what|which|was|quoi|quel\w*|que|cual)\b|什么|何|どれ", folded
    )


def question(folded: str) -> str | None:
    """material, waterproof or dressy when ``folded`` text asks for that of what is worn."""
    return next((kind for kind, shape in _SHAPES if re.search(shape, folded)), None)


def about_worn(folded: str, found: list[Hit]) -> str | None:
    """The kind of answer that a question about the outfit worn wants; None when it is none.

    Whatever no card tells is “cannot_tell”: a question changes nothing.
    """
    if is_needed(folded, found):
        return "needed"
    kind = question(folded)
    if kind is not None:
        return kind
    if _WHERE.search(folded):
        return "cannot_tell"
    fine = any(h.asks("fine") for h in found)
    if numbers.budget(folded) is not None:
        return None  # “that's too dear, 250 at most”
    if not fine and not _ASKED.search(folded.strip()) or _REQUEST.search(folded):
        return None
    if any(h.has("ask") and not (h.asks("thanks") or h.asks("new") or fine) for h in found):
        return None
    if COMFORT.search(folded):
        return "cannot_tell"
    adjust = {h.get("adjust") for h in found}
    sky = {h.get("weather") for h in found}
    if adjust & {"warmer", "cooler"} or "snow" in sky or any(h.has("season") for h in found):
        return "warm_enough"
    if numbers.temperature(folded) or any(h.has("temperature") for h in found):
        return "warm_enough"
    if "rain" in sky:
        return "waterproof"
    if fine or event_asked(found) or adjust & {"formal", "casual"} or _FITTING.search(folded):
        return "dressy"
    if adjust & {"cheaper", "pricier"} or _DEAR.search(folded):
        return "cost"
    if _TOGETHER.search(folded):
        return "why"
    if any(h.has("material") for h in found):
        return "material"
    return "what" if any(h.has("color", "pattern") for h in found) else "cannot_tell"


def is_needed(folded: str, found: list[Hit]) -> bool:
    """Whether it is asked if a piece should be worn: “do I need a coat?”."""
    named = any(h.has("category", "slot", "absent") for h in found)
    return named and bool(_NEEDED.search(folded.strip())) and not _ELSE.search(folded)


def event_asked(found: list[Hit]) -> str:
    """The occasion a question names; “does it work” names none."""
    for i, hit in enumerate(found):
        verb = hit.text == "work" and not (i and found[i - 1].text in ("for", "to", "at", "my"))
        if (event := hit.get("occasion")) and not verb:
            return event
    return ""


def celsius_asked(folded: str, found: list[Hit], plan: dict[str, Any]) -> float | None:
    """The temperature that a question about warmth names, itself or by its season or snow."""
    heat, season = numbers.temperature(folded), numbers.seasons(folded, found)
    if heat:
        return heat[0]
    if any(h.get("weather") == "snow" for h in found):
        return min(float(plan["temperature_c"]), 0.0)
    return temperature_of(season) if season else None


def warmth(plan: dict[str, Any], celsius: float | None, language: str) -> str:
    """Whether the outfit keeps one warm, at ``celsius`` or at the temperature it was made for."""
    low, clo = float((plan.get("clo_needed") or [0])[0]), float(plan["clo_total"])
    outside = float(plan["temperature_c"])
    if celsius is not None and celsius != outside:
        outside = celsius
        low = needed_clo(outside, OCCASIONS[plan.get("occasion") or "everyday"].met)[0]
    told = (
        "At {t} °C it should keep you comfortable: it insulates {a} clo and about {b} clo is "
        "asked for when you walk."
    )
    if clo < low - _COOL:
        told = (
            "At {t} °C it is on the cool side: it insulates {a} clo and about {b} clo is "
            "asked for when you walk. Say “warmer” and I will add to it."
        )
    elif clo > most_clo(outside):
        told = (
            "At {t} °C it is too warm: it insulates {a} clo and about {b} clo is asked for when "
            "you walk. Say “cooler” and I will change it."
        )
    return say(told, language, t=f"{outside:g}", a=f"{clo:.2f}", b=f"{low:.2f}")


def is_warming(piece: Piece) -> bool:
    """Whether such a piece is worn against the cold."""
    return set(piece.slots) <= set(_WARMING) and piece.categories != ("tie",)


_OF_IT = re.compile(
    r"\b(?:in|of) (?:it|this|that|these|them|the (?:outfit|look))\b|"
    r"\b(?:which|what)(?:'s| is| are)? (?:of (?:these|them)|the)\b.*"
    r"\b(?:piece|thing|item|part|one)s?\b|"
    r"^which (?:piece|item|part|one) (?:is|costs)|"
    r"\b(?:welches|was) .*(?:teil|stuck|davon)\b|\bquelle piece\b|\bque prenda\b|"
    r"哪[一]?件(?:最|是最)|其中最|どれ"
)


def about_all(folded: str) -> bool:
    """Whether one of all the pieces worn is asked for: “what's the dearest thing in it?”."""
    return bool(_OF_IT.search(folded))


def most(order: str, plan: dict[str, Any], language: str) -> str:
    """The cheapest, dearest, warmest or lightest piece of ``plan``."""
    key = "price" if order in ("cheapest", "dearest") else "clo"
    sign = -1 if order in ("dearest", "warmest") else 1
    first = min(plan["garments"], key=lambda g: sign * float(g[key]))
    coin = plan.get("currency") or "EUR"
    amount = f"{first['price']:.2f} {coin}" if key == "price" else f"{first['clo']:g} clo"
    names = {str(first["name"]): of_card(first, language)}
    told = "That is {garment:x} ({n:a}). Nothing was changed."
    return say(told, language, names, x=first["name"], a=amount)


def is_told(wish: Wish) -> bool:
    """Whether the weather is known."""
    return bool(wish.season or wish.weather or wish.temperature_c is not None)


def needed_outside(wish: Wish, piece: Piece | None, language: str) -> str:
    """Whether ``piece`` should be worn in the weather of ``wish``, before there is any outfit."""
    if piece is None or not is_told(wish):
        return say("That depends: where are you going, and how cold will it be?", language)
    context = read_wish(wish)
    t, met = context.temperature_c, context.occasion.met
    kinds = piece.categories or [c for c, kind in CATEGORIES.items() if kind.slot in piece.slots]
    reasons = [veto(c, (*piece.materials, "")[0], t, wish.weather, met) for c in kinds]
    if all(reasons):
        return say("Better not: {reason:r}.", language, r=reasons[0].partition(": ")[2])
    told = "Nothing speaks against it at {n:t} °C. Shall I put an outfit together with it?"
    if is_warming(piece):
        must, gain = slot_gain(piece.slots[0], context)
        told = "There is no need for it at {n:t} °C. Shall I put an outfit together?"
        if must or gain > 0:
            told = "Yes, at {n:t} °C it helps. Shall I put an outfit together with it?"
    return say(told, language, t=f"{t:g}")


def needed(
    plan: dict[str, Any],
    piece: Piece | None,
    worn: list[dict[str, Any]],
    celsius: float | None,
    language: str,
) -> str:
    """Whether ``piece`` should be worn, by what the cold asks for; ``worn``: what is worn of it."""
    if piece is None or not is_warming(piece):
        return say(
            "That is a matter of taste: nothing on the cards speaks for or against it. Ask for it "
            "and I put it in. Nothing was changed.",
            language,
        )
    outside = float(plan["temperature_c"]) if celsius is None else celsius
    low = needed_clo(outside, OCCASIONS[plan.get("occasion") or "everyday"].met)[0]
    clo = ensemble_clo(float(g["clo"]) for g in plan["garments"] if g not in worn)
    enough = clo >= low - _COOL
    if worn and enough:
        told = (
            "You can do without it at {t} °C: {a} clo are left, and about {b} clo is asked for "
            "when you walk. Say so and I take it off."
        )
    elif worn:
        told = (
            "Yes, it is worth wearing at {t} °C: without it {a} clo are left, and about {b} clo "
            "is asked for when you walk."
        )
    elif enough:
        told = (
            "There is no need at {t} °C: the outfit insulates {a} clo and about {b} clo is asked "
            "for when you walk. Ask for it and I add it all the same."
        )
    else:
        told = (
            "It would help at {t} °C: the outfit insulates {a} clo and about {b} clo is asked for "
            "when you walk. Ask for it and I add it."
        )
    return say(told, language, t=f"{outside:g}", a=f"{clo:.2f}", b=f"{low:.2f}")


def answer(
    kind: str, plan: dict[str, Any], shown: list[dict[str, Any]], language: str, event: str = ""
) -> str:
    """The answer about the garments ``shown``, or about the whole outfit and an ``event``."""
    if kind == "cannot_tell":
        return say(
            "I cannot tell that: a card says what a piece is made of, its color, warmth, price and "
            "whether it keeps the rain out. Nothing was changed.",
            language,
        )
    if kind == "material":
        colon = {"fr": " : ", "zh": "：", "ja": "："}.get(language, ": ")
        said = [f"{of_card(g, language)}{colon}{name('material', g['material'], language)}"
                for g in shown]  # fmt: skip
        return say("This is what it is made of: {list}.", language, list=", ".join(said))
    if kind == "waterproof":
        dry = [of_card(g, language) for g in shown if g.get("waterproof")]
        wet = [of_card(g, language) for g in shown if not g.get("waterproof")]
        parts = [say("Waterproof: {list}.", language, list=listed(dry, language))] if dry else []
        if wet:
            parts.append(say("Not waterproof: {list}.", language, list=listed(wet, language)))
        return ("" if language in ("zh", "ja") else " ").join(parts)
    event = event or plan.get("occasion") or "everyday"
    aim = OCCASIONS[event].formality
    worn = plan["garments"]
    level = sum(float(g["formality"]) for g in worn) / len(worn)
    if event == "formal" and language == "en":
        event = "a formal occasion"
    event = EVENTS.get(event, event)
    told = "Yes, it is as dressy as {event:o} asks for."
    if level < aim - _AS_DRESSY:
        told = "It is more casual than {event:o} asks for. Say “more formal” and I will change it."
    elif level > aim + _AS_DRESSY:
        told = "It is dressier than {event:o} asks for. Say “more casual” and I will change it."
    return say(told, language, o=event)
