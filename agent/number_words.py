"""Numbers said in words, in six languages, written in digits: “trois cents euros”, 五百欧元."""

from __future__ import annotations

import re

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen",
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dix-sept dix-huit dix-neuf",
    "cero un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro "
    "veinticinco veintiseis veintisiete veintiocho veintinueve",
)
_TENS = (
    "ten twenty thirty forty fifty sixty seventy eighty ninety",
    "dix vingt trente quarante cinquante soixante septante huitante nonante",
    "diez veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
_HUNDREDS = {
    "doscientos": 200, "trescientos": 300, "cuatrocientos": 400, "quinientos": 500,
    "seiscientos": 600, "setecientos": 700, "ochocientos": 800, "novecientos": 900,
    "cien": 100, "ciento": 100, "vingts": 20,
}  # fmt: skip
_TIMES = {"hundred": 100, "cent": 100, "cents": 100, "thousand": 1000, "mille": 1000, "mil": 1000,
          "hundert": 100, "tausend": 1000}  # fmt: skip
_JOINS = {"and", "et", "y"}
_ARTICLES = {"a", "one"}


_GERMAN_WORDS = (
    "ein zwei drei vier funf sechs sieben acht neun",
    "zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn achtzehn neunzehn",
    "zwanzig dreißig vierzig funfzig sechzig siebzig achtzig neunzig",
)


def _german() -> dict[str, int]:
    """The German words up to 99; they are written in one: “funfundzwanzig”."""
    ones, teens, tens = (line.split() for line in _GERMAN_WORDS)
    words = {"null": 0, "eins": 1}
    words |= {w: i for i, w in enumerate(ones, 1)} | {w: i for i, w in enumerate(teens, 10)}
    for ten, value in (*zip(tens, range(20, 100, 10), strict=True), ("dreissig", 30)):
        words[ten] = value
        words |= {f"{one}und{ten}": value + i for i, one in enumerate(ones, 1)}
    return words


_GERMAN = _german()
_ANY_GERMAN = "|".join(sorted(_GERMAN, key=len, reverse=True))
_GERMAN_SHAPE = re.compile(
    rf"(?:(?P<k>{_ANY_GERMAN})?(?P<t>tausend))?(?:(?P<c>{_ANY_GERMAN})?(?P<h>hundert))?"
    rf"(?:und)?(?P<r>{_ANY_GERMAN})?"
)


def _german_value(word: str) -> int | None:
    match = _GERMAN_SHAPE.fullmatch(word)
    if not word or not match:
        return None
    value = _GERMAN[match["r"]] if match["r"] else 0
    if match["h"]:
        value += 100 * _GERMAN[match["c"] or "ein"]
    if match["t"]:
        value += 1000 * _GERMAN[match["k"] or "ein"]
    return value


_VALUES = dict(_HUNDREDS)
for _line in _SMALL:
    _VALUES |= {w: i for i, w in enumerate(_line.split())}
for _line in _TENS:
    _VALUES |= {w: 10 * i for i, w in enumerate(_line.split(), 1)}

_UNIT = (
    r"(?:degrees?|degres?|grados?|grad|celsius|centigrade|fahrenheit|c|f|°|below|above|"
    r"euros?|eur|dollars?|bucks|pounds?|yen|yuan|years?|yrs?|ans|jahren?|jahrige[rsnm]?|anos)"
)
_UNIT_FOLLOWS = re.compile(
    rf"(?:\s*(?:to|and|or|bis|und|oder|a|et|ou|y|o) [a-zß]+)?\s*{_UNIT}(?![a-z])"
)
_CLEAR = 20
"""From here on a word is a number whatever follows: “under fifty”, but not “the second one”."""
_WORD = re.compile(r"[a-zß]+|[^a-zß]+")

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_MIXED = re.compile(r"(\d+(?:\.\d)?)([百千万])(?![零一二两三四五六七八九十百千万\d])")
_CJK = re.compile(
    r"(?<![零一二两三四五六七八九十百千万第\d])([一二两三四五六七八九十百千万]"
    r"[零一二两三四五六七八九十百千万]*)(?=\s*(?:度|摄氏|℃|°|块|元|欧|円|ユーロ|美元|岁|歳|才|以内|以下))"
    r"|(?<=预算)(?:是|在)?([一二两三四五六七八九十百千万]{2,})"
    r"|(?<=予算)は?([一二三四五六七八九十百千万]{2,})"
)


def in_digits(folded: str) -> str:
    """``folded`` text with its number words in digits, where they count something."""
    folded = _MIXED.sub(lambda m: f"{float(m[1]) * (_POWERS | {'万': 10000})[m[2]]:.0f}", folded)
    return _words(_CJK.sub(_cjk, folded))


def _cjk(match: re.Match[str]) -> str:
    said = match[1] or match[2] or match[3]
    before = match.string[: match.start()]
    once = match[1] in ("一", "二") and match.string[match.end() :].startswith("度")
    if once and not re.search(r"(?:零下|氷点下|マイナス|気温|气温)は?$", before):
        return match[0]  # “もう一度” is once more, not one degree
    return str(_cjk_value(said))


def _cjk_value(said: str) -> int:
    total, part, digit, last = 0, 0, 0, 1
    for c in said:
        if c == "万":
            total, part, digit, last = (total + part + digit) * 10000, 0, 0, 10000
        elif c in _POWERS:
            last = _POWERS[c]
            part, digit = part + (digit or 1) * last, 0
        else:
            digit = _DIGITS[c]
            last = 1 if c == "零" else last
    if digit and last >= 100:  # 三百五 is 350
        digit *= last // 10
    return total + part + digit


def _words(folded: str) -> str:
    tokens = _WORD.findall(folded)
    out: list[str] = []
    i = 0
    while i < len(tokens):
        value, end = _number(tokens, i)
        rest = "".join(tokens[end : end + 6])
        below = tokens[max(i - 2, 0) : i] == ["minus", " "]
        if value is not None and (value >= _CLEAR or below or _UNIT_FOLLOWS.match(rest)):
            out.append(str(value))
            i = end
        else:
            out.append(tokens[i])
            i += 1
    return "".join(out)


def _value(word: str) -> int | None:
    value = _VALUES.get(word, _TIMES.get(word))
    return _german_value(word) if value is None else value


def _number(tokens: list[str], at: int) -> tuple[int | None, int]:
    """The number that starts at token ``at``, and the token behind it."""
    first = _value(tokens[at])
    times = tokens[at + 2] if at + 2 < len(tokens) and tokens[at + 1] == " " else ""
    if tokens[at] in _ARTICLES and times in ("hundred", "thousand"):
        first = 1
    if first is None:
        return None, at
    total, part, last, end = 0, first, first, at + 1
    while end + 1 < len(tokens) and tokens[end] == " ":
        word, step = tokens[end + 1], 2
        joined = word in _JOINS and end + 3 < len(tokens) and tokens[end + 2] == " "
        if joined:
            word, step = tokens[end + 3], 4
        value = _value(word)
        if value is None:
            break
        if word in _TIMES and not joined:
            if _TIMES[word] == 1000:
                total, part = total + part * 1000, 0
            else:
                part *= 100
            last = _TIMES[word]
        elif value == 20 and part % 100 == 4 and word.startswith("vingt"):
            part, last = part + 76, 80  # quatre-vingts
        elif _adds(last, value, joined):
            part, last = part + value, value
        else:
            break
        end += step
    return total + part, end


def _adds(last: int, value: int, joined: bool) -> bool:
    """Whether ``value`` goes on a number whose last part is ``last``; “five and ten” are two."""
    if last >= 100:
        return value < last
    if last in (60, 80) and value < 20:
        return True
    return last >= 20 and last % 10 == 0 and 0 < value < (12 if joined else 10)
