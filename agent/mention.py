"""A piece as a message mentions it: its garment and attribute words, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from catalog.croquis.palette import COLORS
from tools.wish import Piece

Stance = Literal["want", "avoid", "less", "like", "keep", "swap"]
FAMILIES: dict[str, tuple[str, ...]] = {
    "white": ("white", "cream"),
    "beige": ("beige", "camel", "cream"),
    "brown": ("brown", "camel"),
    "grey": ("grey", "charcoal"),
    "black": ("black",),
    "blue": ("blue", "light blue", "navy"),
    "green": ("green", "dark green", "olive", "mint"),
    "yellow": ("yellow", "mustard"),
    "orange": ("orange", "coral"),
    "red": ("red", "burgundy"),
    "pink": ("pink", "magenta", "coral"),
    "purple": ("purple", "lavender"),
    "dark tones": ("black", "charcoal", "navy", "burgundy", "dark green", "brown"),
    "pastel": ("pink", "lavender", "mint", "light blue", "cream"),
    "earth tones": ("beige", "camel", "brown", "olive", "mustard", "cream"),
}
"""Colour word → all words somebody may mean by it, the word itself first."""
PRINTS = ("floral", "leopard", "camouflage", "stripes", "plaid", "gingham", "dots", "zigzag",
          "hearts", "stars", "argyle", "waves", "leaves", "lemons", "diamonds")  # fmt: skip
FIELD = {
    "color": "colors",
    "pattern": "patterns",
    "material": "materials",
    "sleeves": "sleeves",
    "length": "lengths",
    "fit": "fits",
}


@dataclass
class Mention:
    """One piece as it was mentioned."""

    piece: Piece
    stance: Stance
    start: int = 0
    loose: bool = False
    """Only attributes, no garment: “something red”."""
    either: bool = False
    """An alternative to the piece before: “a skirt or a dress”."""
    listed: bool = False
    """It goes on a list: “a hat and a scarf”."""
    removed: bool = False
    """Taken off what is worn (“lose the hat”), not only disliked."""


@dataclass
class Mentions:
    """All pieces of a message, and whether the rest of the outfit stays."""

    found: list[Mention] = field(default_factory=list)
    keep_all: bool = False
    """“keep everything”, “same but …”."""
    change_rest: bool = False
    """“change everything else”."""
    spared: set[int] = field(default_factory=set)
    """Starts of words for what no shop of ours has, and that are not wanted either: “no gloves”."""
    notes: list[str] = field(default_factory=list)
    """How what could be read in two ways was read."""

    def of(self, *stances: Stance) -> list[Mention]:
        return [m for m in self.found if m.stance in stances]


def attribute(kind: str, value: str) -> tuple[str, tuple[str, ...]]:
    """The ``Piece`` field and the words an attribute stands for."""
    if kind == "color":
        return "colors", FAMILIES.get(value, (value,) if value in COLORS else ())
    if kind == "pattern":
        if value == "any print":
            return "patterns", PRINTS
        near = {"stripes": ("stripes", "pinstripes"), "plaid": ("plaid", "gingham")}
        return "patterns", near.get(value, (value,))
    return FIELD[kind], (value,)


def named(piece: Piece, noun: str, language: str) -> Piece:
    """``piece`` with the English words that tell of it; ``noun`` is the word that was used."""
    shown = piece.categories[0] if len(piece.categories) == 1 else noun
    if language != "en" and piece.categories:
        shown = piece.categories[0]
        if len(piece.categories) > 1:
            shown = {"onepiece": "dress", "headwear": "hat", "outerwear": "jacket"}.get(
                piece.slots[0], "skirt" if "skirt" in shown else shown
            )
    elif language != "en" and piece.slot:
        shown = {"footwear": "shoes"}.get(piece.slot, piece.slot)
    parts = [*piece.fits[:1], *piece.colors[:1]]
    if piece.patterns:
        parts.append("patterned" if len(piece.patterns) > 2 else _adjective(piece.patterns[0]))
    parts += piece.materials[:1]
    parts += [f"{s}-sleeved" if s != "none" else "sleeveless" for s in piece.sleeves[:1]]
    return piece.model_copy(update={"said": " ".join([*parts, shown])})


def only_kind(piece: Piece) -> bool:
    """Whether nothing but its kind or place is said of it."""
    return not any(getattr(piece, name) for name in FIELD.values())


def places(slots: Iterable[str]) -> set[str]:
    """The slots, and those that a one-piece takes up or leaves free."""
    found = set(slots)
    if found & {"onepiece", "bottom"}:
        found |= {"onepiece", "bottom"}
    return found


def one_of(one: Piece, other: Piece) -> Piece | None:
    """“A black skirt or trousers” as one wish that either meets; None when they differ in more
    than kind."""
    if not one.categories or not other.categories:
        return None
    if not only_kind(other) and any(
        getattr(one, name) != getattr(other, name) for name in FIELD.values()
    ):
        return None
    kinds = tuple(dict.fromkeys((*one.categories, *other.categories)))
    noun = other.said or " or ".join(other.categories[:1])
    return one.model_copy(update={"categories": kinds, "said": f"{one.said} or {noun}"})


def replace_said(piece: Piece, said: str) -> Piece:
    return piece.model_copy(update={"said": said})


def _adjective(pattern: str) -> str:
    return {"stripes": "striped", "pinstripes": "pinstriped", "dots": "dotted"}.get(
        pattern, pattern
    )


def without(pieces: tuple[Piece, ...], other: Piece) -> tuple[Piece, ...]:
    """``pieces`` less those that ``other`` is about: same slot, or the same attribute alone."""
    if not other.categories and other.slot is None:
        return tuple(
            p
            for p in pieces
            if not (set(p.colors) & set(other.colors) or set(p.patterns) & set(other.patterns))
        )
    mine = set(other.slots)
    if mine == {"onepiece"}:
        mine |= {"top", "bottom"}
    elif mine & {"top", "bottom"}:
        mine.add("onepiece")
    return tuple(p for p in pieces if p.everywhere or len(p.slots) > 3 or not set(p.slots) & mine)
