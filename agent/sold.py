"""“Does that come in green?”: whether the shop sells the garment spoken of in another form."""

from __future__ import annotations

import re
from typing import Any

from agent.mention import FIELD, Mention, named
from agent.reference import meant, spoken_of
from tools.wish import Piece

_IT = r"(?:it|that|this|them|they|these|those|the [a-z ]{2,24}|one)"
_ALSO_SOLD = re.compile(
    rf"\b(?:does|do|would) {_IT} (?:also )?come in\b|"
    rf"\b(?:is|are) {_IT} (?:also )?(?:available|sold|in stock) in\b|"
    rf"\b(?:do you (?:have|sell|stock)|have you got|is there|are there) {_IT} (?:also )?in\b|"
    r"\b(?:gibt(?: es|'?s)|haben sie|habt ihr|hast du) (?:das|die|den|es|sie|ihn|diese\w*)"
    r"(?: [a-z]+){0,2} in\b|"
    r"\bexiste\w*(?: t (?:il|elle)s?)?(?: aussi)? en\b|"
    r"\b(?:vous avez|tu as|avez vous|as tu|y a t il) (?:ca|cela|le|la|les|ce\w*)"
    r"(?: [a-z]+){0,2} en\b|"
    r"\b(?:lo|la|los|las) (?:hay|tienes?|tienen|teneis|venden)\b.* en\b|"
    r"\b(?:hay|tienes?|tienen|teneis|venden) (?:esto|eso|est[ea]|es[ea])(?: [a-z]+)? "
    r"(?:tambien )?en\b|\bvienen? (?:tambien )?en\b|"
    r"[这那][件条双个款顶].{0,3}有.{1,6}[吗么]|^[^有]{0,4}有(?!没).{1,4}的[吗么]|"
    r"(?:これ|それ|この.{1,8}|その.{1,8})(?:、|の|は|で|に)+.*(?:あります|ある[?？か])"
)


def also_sold(folded: str) -> bool:
    """Whether it is asked if a garment is sold in another colour, pattern or material."""
    return bool(_ALSO_SOLD.search(folded))


def of_that(said: list[Mention], state: dict[str, Any]) -> list[Mention]:
    """“That, in green”: the garment spoken of last, else the main one worn, in green."""
    worn = (state.get("plan") or {}).get("garments", [])
    loose = [m for m in said if m.loose and m.stance == "want"]
    if not worn or len(loose) != len(said) or not loose:
        if len(loose) == 1 and len(said) == 2:  # “外套有黑色的吗”: that garment, in this colour
            about = next(m for m in said if not m.loose)
            return [_with(about.piece, loose, about.start)]
        return said
    noun = spoken_of(state)
    kinds = tuple((noun.get("category") or "").split("|")) if noun else ()
    kinds = tuple(k for k in kinds if k)
    slot = noun.get("slot") if noun else None
    if noun is None or not meant(kinds, slot, worn):
        kinds = (next((g for g in worn if g["slot"] in ("onepiece", "top")), worn[0])["category"],)
        slot = None
    place: Any = None if kinds else slot
    return [_with(Piece(slot=place, categories=kinds), loose, loose[0].start)]


def _with(piece: Piece, loose: list[Mention], start: int) -> Mention:
    about = {f: v for m in loose for f in FIELD.values() if (v := getattr(m.piece, f))}
    noun = piece.said or (piece.categories[0] if len(piece.categories) == 1 else piece.slots[0])
    if len(piece.categories) > 1:
        noun = {"outerwear": "jacket", "onepiece": "dress", "headwear": "hat"}.get(
            piece.slots[0], piece.categories[0].split()[-1]
        )
    return Mention(named(piece.model_copy(update=about), noun, "en"), "want", start)
