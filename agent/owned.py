"""Pieces that a message names for the sake of another: one's own, and one whose colour is taken up.

“I have a red bag already” asks for no bag; “match the bag to the shoes” for one in their colour.
"""

from __future__ import annotations

import re
from typing import Any

from agent.lexicon import fold
from agent.mention import FAMILIES, Mention, named
from agent.reference import meant
from tools.wish import Piece

_OWN = re.compile(
    r"\b(?:i|he|she|we|they)(?:'ve| have| has)? already (?:got|have|has|own|owns|bought)\b[^.;!?]*|"
    r"\b(?:i|he|she|we|they)(?:'ve| have| has|'s)?(?: got| own| owns| bought)?\b[^.;!?]* already\b|"
    r"\b(?:i|he|she|we|they)(?:'ve| have| has| own| owns)(?: got)? [^.;!?]*"
    r"\b(?:of my own|of her own|of his own|at home)\b|"
    r"\b(?:habe?|hat|haben|besitze|besitzt) (?:ich |er |sie |wir )?(?:schon|bereits)\b[^.;!?]*|"
    r"[^.;!?,]*\b(?:habe?|hat|haben) (?:ich|er|sie|wir) (?:schon|bereits)\b|"
    r"\b(?:ai|a|avons|possede) deja\b[^.;!?]*|"
    r"\bya (?:tengo|tiene|tenemos)\b[^.;!?]*|\b(?:tengo|tiene) ya\b[^.;!?]*|"
    r"(?:已经|已|早就)(?:有|买)[^。；！？.;!?]*|[我他她]有[^。；！？，.;!?,]*了|"
    r"[^。；！？、.;!?]*(?:は|を|なら)(?:もう|既に|すでに)?(?:持って|もって)(?:い)?(?:ます|る|て)"
)
"""What somebody has already, from the verb or up to it."""
_ONLY_SAID = re.compile(r"\balready (?:said|told|wearing|worn|asked|tried)\b|已经(?:说|穿)")
_LEFT_OUT = ("headwear", "eyewear", "neckwear", "bag")
"""Places that an outfit may leave to what is owned; a coat or shoes it must have to be drawn."""
_TO_MATCH = re.compile(
    r"\bmatch\b(?!ing (?:set|suit))|\bmatch(?:es|ing)\b|\bcoordinat\w+|\bsame colou?r as\b|"
    r"\bcolou?r of the\b|\bpassend (?:zu|mit)\b|\b(?:zu|an) .* (?:passend|anpassen|abgestimmt)|"
    r"\bpass\b.*\b(?:zu|an)\b|\bin der farbe de[rs]\b|\b(?:gleichen|selben) farbe wie\b|"
    r"\bassorti\w*|\bmeme couleur que\b|\bcouleur de[s ]|"
    r"\ba juego con\b|\bconjuntad\w+ con\b|\bmismo color que\b|\bcombin[ae]\w* con\b|\bcolor de l|"
    r"(?:和|跟|与|同).{1,6}(?:一样|相同|同色|同一个?颜色|配套|搭配?|相配)|(?:靴|バッグ|鞄|帽子|.)(?:の色)?(?:に|と)"
    r"(?:合わせ|あわせ|同じ色|お揃い|揃え)"
)
"""One piece is to go with another."""


def own(message: str, said: list[Mention], notes: list[str]) -> list[Mention]:
    """``said``, with what the person has already left out, or wanted only for its likeness."""
    folded = fold(message)
    if _ONLY_SAID.search(folded) or "?" in folded.split("already")[-1] and "do you" in folded:
        return said
    spans = [m.span() for m in _OWN.finditer(folded)]
    result = []
    for m in said:
        named_alone = not m.loose and m.stance == "want" and len(m.piece.slots) == 1
        if not (named_alone and any(a <= m.start < b for a, b in spans)):
            result.append(m)
            continue
        place = m.piece.slots[0]
        if place in _LEFT_OUT:
            notes.append(f"because of your own {m.piece.words}, no other is put in")
            slot = Piece(slot=place, said=place)
            result.append(Mention(slot, "avoid", m.start, removed=True))
        else:
            notes.append(
                f"the one shown stands in for your own {m.piece.words}, and its price is counted"
            )
            result.append(m)
    return result


_MODEL_FIRST = re.compile(r"[^を、。]{1,8}(?:に|と)(?:合わせ|あわせ|同じ色|お揃い|揃え)")
"""“靴に合わせたバッグ”: from the piece whose colour is taken up."""


def matched(
    message: str, said: list[Mention], worn: list[dict[str, Any]], notes: list[str]
) -> list[Mention]:
    """“Match the bag to the shoes”: the first piece in the colour of the second, which stays."""
    pieces = [m for m in said if not m.loose]
    if len(pieces) != 2 or not _TO_MATCH.search(fold(message)):
        return said
    one, other = pieces
    folded = fold(message)
    if folded[: one.start].endswith(("和", "跟", "与", "同")) or _MODEL_FIRST.match(
        folded[one.start :]
    ):
        one, other = other, one
    model = meant(other.piece.categories, other.piece.slot, worn)
    if len(model) != 1 or one.piece.colors or one.stance not in ("want", "swap", "keep"):
        return said
    color = str(model[0]["color"])
    near = (color, *(c for c in FAMILIES.get(color, ()) if c != color))
    noun = one.piece.said or one.piece.slots[0]
    piece = named(one.piece.model_copy(update={"colors": near}), noun, "en")
    if any(g["color"] == color for g in meant(piece.categories, piece.slot, worn)):
        notes.append(f"{piece.words}: worn already")
    return [Mention(piece, "want", one.start), Mention(other.piece, "keep", other.start)]
