"""Numbers in a message: temperatures, budgets, season shares. Pure functions over the text."""

from __future__ import annotations

import re

from agent.lexicon import Hit, fold
from agent.number_words import in_digits
from catalog.garment import Season

_NUMBER = r"(?:-|−|–|minus |moins |menos |零下|マイナス|氷点下)?\s?\d{1,3}(?:[.,]\d)?"
_DEGREE = (
    r"(?:°\s*|º\s*|degrees?\s*|deg\s*|grad\s*|grados?\s*|degres?\s*|℃|℉|度|摄氏度)"
    r"(?:(?:celsius|centigrade|fahrenheit|c|f)\b)?|(?:celsius|centigrade|fahrenheit|c|f)\b"
)
_TEMPERATURE = re.compile(rf"({_NUMBER})\s*({_DEGREE})")
_SPAN = re.compile(
    rf"({_NUMBER})\s*(?:{_DEGREE})?\s*(?:to|and|-|–|until|bis|und|a|y|et|到|至|から|~)\s*"
    rf"({_NUMBER})\s*({_DEGREE})"
)
_ZERO = r"(?:below (?:zero|freezing)|unter null|sous zero|en dessous de zero|bajo cero|under zero)"
_FOREIGN = (
    r"(?:\$|£|¥|₩|₹|dollars?\b|dolar(?:es)?\b|usd\b|bucks\b|pounds?\b|gbp\b|"
    r"livres? sterling|pfund\b|"
    r"libras?\b|yens?\b|jpy\b|yuans?\b|rmb\b|cny\b|renminbi\b|chf\b|francs?\b|franken\b|"
    r"francos?\b|pesos?\b|won\b|krw\b|rupees?\b|inr\b|zloty\b|kron(?:or|er|en)\b|"
    r"块钱?|人民币|日元|美元|美金|英镑|港币|元|円|ドル|ポンド|人民元)"
)
_COIN = rf"(?:€|eur(?:os?)?\b|欧元|ユーロ|{_FOREIGN})"
_AMOUNT = r"(\d{1,6}(?:[.,]\d{3})*(?:\.\d{1,2})?)"
_HOTTEST = 45
"""°C up to which a number without a unit can be a temperature."""
_LIMIT = (
    r"(?:under|below|less than|max(?:imum)?|at most|up to|no more than|not more than|within|"
    r"budget(?: is| of|:)?(?: about| around)?|cheaper than|for less than|limit of|spend|"
    r"unter|bis zu|hochstens|maximal|moins de|max|pas plus de|menos de|hasta|maximo|"
    r"presupuesto(?: de)?|预算(?:是|在)?|不超过|予算は?)"
)
_BUDGETS = (
    re.compile(
        rf"{_LIMIT}\s*(?:of\s*|about\s*|around\s*)?{_COIN}?\s*{_AMOUNT}(?!\s*(?:{_DEGREE}))"
    ),
    re.compile(rf"{_COIN}\s*{_AMOUNT}"),
    re.compile(rf"{_AMOUNT}\s*{_COIN}"),
    re.compile(rf"{_AMOUNT}\s*(?:以内|以下|以内で)"),
)


_SKY = (
    r"(?:sunny|sunshine|cloudy|overcast|rainy|raining|windy|snowy|snowing|foggy|dry|clear|outside|"
    r"outdoors|sonnig|bewolkt|regnerisch|windig|bedeckt|trocken|draussen|ensoleille|nuageux|"
    r"pluvieux|venteux|couvert|dehors|soleado|nublado|lluvioso|ventoso|fuera)"
)
_SKY_CJK = r"(?:晴天|晴朗|晴れ|晴|阴天|多云|雨天|下雨|曇り|雨|室外|外は|外面)"
_LINK = r"(?: ?, ?| and | und | et | y | with | mit | avec | con | at | bei | around | about | )"
_BARE_DEGREES = r"(-?\d{1,2})(?![\d.,:%/]|\s*(?:%|€|\$|£|am\b|pm\b|uhr\b|h\b))"
_OVER = r"(?=\s*$|\s*[.;,!?)]| (?:and|but|in|on|at|today|tomorrow|tonight|und|et|y|heute|for)\b)"
_BESIDE_SKY = (
    re.compile(rf"\b{_SKY}{_LINK}{_BARE_DEGREES}(?=\s*$|\s*[.;,!?)]|{_LINK}(?!\d)(?!\w+s\b))"),
    re.compile(rf"(?<![\d.,:€$£-])(?<!\w ){_BARE_DEGREES}{_LINK}{_SKY}{_OVER}"),
    re.compile(rf"(?:^|it's |its |it is |around |about |es ist |il fait |hace |estamos a )"
               rf"{_BARE_DEGREES}{_LINK}{_SKY}{_OVER}"),
    re.compile(rf"{_SKY_CJK}[、，, ]?{_BARE_DEGREES}(?![^\s、，。,.!?！？])"),
)  # fmt: skip
"""“Sunny 22”, “22 and sunny”: no unit, but the sky beside it says what the number is."""


def temperature(text: str) -> tuple[float, float | None] | None:
    """(°C, span in °C or None) said in ``text``; None when there is none."""
    folded = in_digits(fold(text).replace("℃", "°c").replace("℉", "°f"))
    folded = re.sub(r"\bbelow (?:zero|freezing)\b", "", _below(folded))
    span = _SPAN.search(folded)
    if span:
        low, high = (_celsius(span.group(i), span.group(3)) for i in (1, 2))
        if low is not None and high is not None and low != high:
            return round((low + high) / 2, 1), round(abs(high - low), 1)
    said = [_celsius(m.group(1), m.group(2)) for m in _TEMPERATURE.finditer(folded)]
    values = [v for v in said if v is not None]
    if len(set(values)) > 1 and not re.search(r"\b(?:from|not|instead|dropped|rose)\b", folded):
        low, high = min(values), max(values)
        return round((low + high) / 2, 1), round(high - low, 1)
    if values:
        return values[-1 if len(values) > 1 else 0], None
    bare = re.search(
        r"(?<![\d\w.])(?:[-−–]|minus )(\d{1,2})(?![\d.%]|\s*(?:%|€|\$|eur|year))",
        folded,
    )
    if bare:
        return -float(bare.group(1)), None
    under = re.search(r"(?<![\d.])(\d{1,2}) below\b(?! \d)", folded)
    if under:
        return -float(under.group(1)), None
    beside = next((m for shape in _BESIDE_SKY if (m := shape.search(folded))), None)
    if beside and float(beside.group(1)) <= _HOTTEST:
        return float(beside.group(1)), None
    if re.search(r"\b(?:below zero|sub zero|below freezing)\b", fold(text)):
        return -5.0, None
    return None


def _below(folded: str) -> str:
    return re.sub(rf"(\d{{1,2}})\s*(?:{_DEGREE})?\s*{_ZERO}", r"-\1 °c", folded)


def _celsius(number: str, unit: str) -> float | None:
    sign = -1 if re.match(r"[-−–]|minus|moins|menos|零下|マイナス|氷点下", number.strip()) else 1
    found = re.search(r"\d+(?:[.,]\d)?", number)
    if not found:
        return None
    value = sign * float(found.group().replace(",", "."))
    fahrenheit = bool(re.search(r"f(?:ahrenheit)?\s*$", unit.strip()))
    celsius = bool(re.search(r"c(?:elsius|entigrade)?\s*$", unit.strip()))
    if fahrenheit or (not celsius and value > 45):
        value = (value - 32) * 5 / 9
    return round(value, 1) if -60 <= value <= 60 else None


_LETTERS = r"(xxs|xs|s|m|l|xl|xxl)"
_SIZE = re.compile(
    rf"\b(?:size|taille|gro(?:ß|ss)e|talla)\s*(?:is\s*|:\s*|ist\s*|es\s*)?{_LETTERS}\b(?!\s*°)|"
    rf"(?:尺码|サイズ)(?:是|は)?\s*{_LETTERS}(?![a-z])|(?<![a-z]){_LETTERS}\s*(?:码|サイズ)"
)


def size(text: str) -> str | None:
    """The wearer's size in letters, when it is said."""
    found = _SIZE.search(fold(text))
    return next(g for g in found.groups() if g).upper() if found else None


def budget(text: str) -> float | None:
    """The most the outfit may cost, when an amount of money is said."""
    folded = in_digits(fold(text))
    for pattern in _BUDGETS:
        for match in pattern.finditer(folded):
            tail = folded[match.end() : match.end() + 12]
            if re.match(rf"\s*(?:{_DEGREE}|%|years?|pieces|items|minutes|km)", tail):
                continue
            amount = float(re.sub(r"[,.](?=\d{3}\b)", "", match.group(1)))
            if amount > 0:
                return amount
    return None


_BARE = re.compile(
    r"^(?:(?:no|ok(?:ay)?|well|then|hmm|actually|sorry|that's|rather|und|gut|dann|lieber|non|alors|"
    r"plutot|bueno|vale|mejor|entonces|那就?|では|じゃあ)[ ,，、]*)*"
    r"(?:[^.;?]*\b(?:make (?:it|that)|say|rather|at most|max(?:imum)?|up to|only|hochstens|maximal|"
    r"mach|lieber|doch|plutot|disons|mejor|pongamos)\s+)?"
    r"(\d{2,6}(?:[.,]\d\d)?)(?:\s*(?:then|instead|please|max|tops|at most|is fine|is ok|bitte|"
    r"stattdessen|plutot|maximum|s'? il vous plait|por favor|mejor|吧|で))*\s*[.!。]?$"
)


def bare_amount(text: str) -> float | None:
    """The number that is all a message says, or says for a number before: “make that 100”."""
    found = _BARE.match(in_digits(fold(text)).strip())
    return float(found.group(1).replace(",", ".")) if found else None


_OTHER_COIN = re.compile(rf"\d\s*{_FOREIGN}|{_FOREIGN}\s*\d")


def other_coin(text: str) -> bool:
    """Whether an amount is said in money that is not the euro."""
    return bool(_OTHER_COIN.search(in_digits(fold(text))))


def seasons(text: str, found: list[Hit]) -> dict[Season, float]:
    """Season weights said in ``text``, summing to 1; empty when no season is named."""
    folded = fold(text)
    named: dict[Season, float] = {}
    numbers = False
    for hit in found:
        value = hit.get("season")
        if value is None:
            continue
        season: Season = value  # type: ignore[assignment]
        before = folded[max(0, hit.start - 16) : hit.start]
        after = folded[hit.end : hit.end + 8]
        share = re.search(r"(\d{1,3})\s*%\s*(?:of\s*)?$", before) or re.match(
            r"[:\s]*(\d{1,3})\s*%", after
        )
        weight = 1.0
        if share:
            weight, numbers = float(share.group(1)) / 100, True
        elif re.search(r"(?:mostly|mainly|more)\s*$", before):
            weight = 0.7
        elif re.search(r"(?:a (?:bit|touch|hint|little)(?: of)?|slightly)\s*$", before):
            weight = 0.3
        elif re.search(r"two thirds (?:of )?$", before):
            weight = 2 / 3
        elif re.search(r"(?:one|a) (?:third|quarter) (?:of )?$", before):
            weight = 0.33 if "third" in before else 0.25
        edge = _edge(hit.text, before)
        if edge and not share:
            named[season] = named.get(season, 0) + 0.7 * weight
            named[edge] = named.get(edge, 0) + 0.3 * weight
        elif season not in named or hit.text in ("autumn", "fall", "spring"):
            named[season] = max(named.get(season, 0), weight)
    total = sum(named.values())
    if total <= 0:
        return {}
    if numbers and len(named) == 1 and total < 1:
        return {s: 1.0 for s in named}
    if len(named) == 2 and not numbers and sorted(named.values()) == [0.7, 1.0]:
        named = {s: (0.7 if w == 0.7 else 0.3) for s, w in named.items()}
        total = 1.0
    if len(named) == 2 and not numbers and sorted(named.values()) == [0.3, 1.0]:
        named = {s: (0.3 if w == 0.3 else 0.7) for s, w in named.items()}
        total = 1.0
    return {s: round(w / total, 4) for s, w in named.items() if w > 0}


def _edge(word: str, before: str) -> Season | None:
    early, late = re.search(r"early\s*$", before), re.search(r"late\s*$", before)
    if word in ("autumn", "fall"):
        return "summer" if early else "winter" if late else None
    if word == "spring":
        return "winter" if early else "summer" if late else None
    if word in ("winter", "summer") and (early or late):
        return "spring-autumn"
    return None
