"""Measures a person tells or asks for: height, weight, number sizes. No garment is chosen by them.

Letter sizes are another matter: they are kept in the wish (``numbers.size``).
"""

from __future__ import annotations

import re

NOT_ON_CARDS = (
    "Thank you for telling me. The cards know letter sizes at most (XS to XXL), no numbers and no "
    "measurements: say “size M” and I keep to it. Nothing was changed."
)
_MEASURE = (
    r"(?:\d{2,3}(?:[.,]\d)? ?(?:cm|centimet(?:er|re)s?|kg|kilos?|lbs?)|"
    r"[12](?:[.,]\d{1,2} ?m(?:eters?|etres?|etros?)?| ?m ?\d{2})|"
    r"\d ?(?:ft|foot|feet)(?: ?\d{1,2})?|"
    r"\d'\d{0,2}\"?)(?: (?:tall|high|gross|groß|de haut|de alto))?"
)
_PARTS = (
    r"(?:feet|foot|shoulders?|hips?|legs?|arms?|waist|chest|bust|torso|calves|thighs|belly|neck)"
)
_TOLD = re.compile(
    rf"\b(?:(?:i'?m|i am|she is|she's|he is|he's)[, ]+(?:\w+ )?{_MEASURE}|"
    r"(?:i'?m|i am|she is|she's|he is|he's) (?:very |quite |really |rather |pretty )?"
    r"(?:tall|short(?! (?:of|on)\b))(?! (?:enough|and \w+$)))(?=\s*(?:[,.;!?]|and\b|but\b|so\b|$))|"
    rf"\b(?:my|her|his) {_PARTS} (?:is|are) (?:very |quite |rather |really |a bit )?"
    r"(?:wide|narrow|broad|big|large|small|long|short|thick|thin|flat|high)\b|"
    r"\bi have (?:very |quite |rather )?(?:wide|narrow|broad|big|large|small|long|short|flat) "
    rf"{_PARTS}\b|"
    r"\b(?:(?:ich bin|je mesure|je fais|mido|peso|je pese|ich wiege|i weigh|i measure) )?"
    rf"{_MEASURE}(?![\w%]| of\b)|"
    r"\bich bin (?:sehr |recht )?(?:groß|gross|klein)\b|\bsoy (?:muy )?(?:alt[oa]|baj[oa])\b|"
    r"\bje suis (?:tres )?(?:grande?|petite?)\b|"
    r"\b(?:my |shoe |dress |eu |us |uk )*(?:size|taille|pointure|schuhgroße|große|grosse|talla|"
    r"numero)(?: is| ist| es)? ?(?:eu |us |uk )?\d{1,2}(?:[.,]5)?\b|"
    r"\bje (?:fais|chausse) du \d{2}\b|"
    r"我?(?:的)?(?:身高|体重|鞋码|脚长)(?:是|有|为)?[\d.一二两三四五六七八九十百米公斤分厘cmkg点多]+|"
    r"(?:我)?穿?(?:尺码)?\d{2}码|尺码\d{2}|我的?(?:脚|肩膀?|腿|腰)(?:很|比较|有点)(?:宽|窄|长|短|粗|大|小)|"
    r"(?:私は)?(?:身長|体重|足のサイズ)は?\d{2,3}(?:\.\d)? ?(?:cm|センチ|kg|キロ)?(?:です)?|"
    r"サイズ(?:は)?\d{2}(?:です)?|足(?:の幅)?が(?:広い|大きい|小さい)(?:です)?"
)
_ASKED = re.compile(
    r"\b(?:come|comes|available|have (?:it|them|this|that)) in (?:a )?(?:size )?"
    r"(?:\d{2}|petite|tall|plus size)\b|"
    r"\b(?:what|which) (?:\w+ )?sizes?\b|\b(?:run|runs) (?:small|large|big)\b|\btrue to size\b|"
    r"\b(?:welche|was fur eine) (?:schuh)?(?:große|grosse)\b|\bquelle (?:taille|pointure)\b|"
    r"\bque talla\b|(?:什么|哪个|多大的?)尺?码|(?:どの|何の)サイズ|サイズは(?:どれ|何|いくつ)"
)
_LEFT = re.compile(r"[^\W\d_]")
_FILLER = re.compile(
    r"\b(?:and|but|so|i'?m|i am|tall|by the way|btw|und|et|y|please|thanks|"
    r"thank you|i wear|i take|bitte|ich trage|je porte|uso|ich bin|je suis|soy)\b"
)


def without_measures(folded: str) -> tuple[str, bool]:
    """``folded`` text less what it tells of height, weight and number sizes; whether it did."""
    left = _TOLD.sub(" ", folded)
    return left, left != folded


def only_measures(folded: str) -> bool:
    """Whether the text tells measures and nothing else, or asks about sizes."""
    if _ASKED.search(folded):
        return True
    left, told = without_measures(folded)
    return told and not _LEFT.search(_FILLER.sub(" ", left))
