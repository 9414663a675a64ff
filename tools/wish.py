"""Wish (what somebody wants to wear) and Outfit (what was chosen for it)."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from catalog.errors import BadValue, UnknownName
from catalog.garment import CATEGORIES, SEASONS, SLOTS, Fit, Garment, Length, Season, Sleeves, Slot

Who = Literal["women", "men", "anyone"]
Weather = Literal["rain", "snow", "wind", "sun"]


class Occasion(BaseModel):
    """One thing people dress for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    formality: float
    """Aim on the 0 (beach, sport) – 1 (black tie) scale of the cards."""
    met: float = 2.6
    """Activity on the way, met (ISO 8996: 2.6 walking at 4.8 km/h, 3.4 dancing or sport)."""
    same: tuple[str, ...] = ()
    """Words by which cards may name it."""
    words: tuple[str, ...] = ()
    """Words of cards that come near it."""
    extras: tuple[Slot, ...] = ()
    """Slots that are nice to fill for it."""


_BAG: tuple[Slot, ...] = ("bag",)


def _occasion(
    name: str,
    formality: float,
    same: str,
    near: str,
    extras: tuple[Slot, ...] = (),
    met: float = 2.6,
) -> Occasion:
    return Occasion(
        name=name,
        formality=formality,
        same=(name, *same.split()),
        words=tuple(near.split()),
        extras=extras,
        met=met,
    )


OCCASIONS: dict[str, Occasion] = {
    o.name: o
    for o in (
        _occasion("everyday", 0.35, "weekend home casual school shopping", "commute travel walk"),
        _occasion("commute", 0.5, "", "work office city weekend", _BAG),
        _occasion("work", 0.62, "office workwear business", "commute formal", _BAG),
        _occasion("interview", 0.72, "work office business", "formal commute", _BAG),
        _occasion("party", 0.58, "evening club cocktail", "date wedding"),
        _occasion("date", 0.55, "dinner", "party evening"),
        _occasion("formal", 0.85, "gala ceremony", "wedding work evening"),
        _occasion("wedding", 0.75, "ceremony", "formal party"),
        _occasion("sport", 0.1, "gym running yoga training", "hiking outdoor home", met=3.4),
        _occasion(
            "beach", 0.12, "pool", "holiday vacation summer travel", ("eyewear", "bag", "headwear")
        ),
        _occasion("travel", 0.35, "holiday vacation", "weekend everyday commute", _BAG),
        _occasion("outdoors", 0.2, "hiking outdoor", "sport rain weekend travel", met=3.4),
    )
}
"""What people dress for; formality aims are this house's own reading of dress codes."""


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


SLEEVED: tuple[Slot, ...] = ("top", "onepiece", "outerwear")
"""Where sleeves are spoken of: shoes have none, and are not what “nothing sleeveless” means."""


class Piece(_Strict):
    """A description that garments match or not. Empty fields match anything.

    Words of one field are alternatives, fields are joined by “and”.
    """

    slot: Slot | None = None
    """Where it is worn."""
    categories: tuple[str, ...] = ()
    """Category words (``CATEGORIES``); any of them."""
    colors: tuple[str, ...] = ()
    """Colour words (``palette.COLORS``); any of them, the first is liked best."""
    patterns: tuple[str, ...] = ()
    """Pattern words as cards have them ("plain", "stripes"); any of them."""
    materials: tuple[str, ...] = ()
    """Material words as cards have them ("wool", "denim"); any of them."""
    sleeves: tuple[Sleeves, ...] = ()
    """Sleeve lengths; any of them."""
    lengths: tuple[Length, ...] = ()
    """Where it ends; any of them."""
    fits: tuple[Fit, ...] = ()
    """How loose it sits; any of them."""
    everywhere: bool = False
    """True: every piece of clothing should match (“all in black”), not only one."""
    choice: Annotated[int, Field(ge=0, le=99)] = 0
    """Wanted pieces with the same number above 0 are alternatives: one of them is enough."""
    said: str = ""
    """The words of the request it stands for."""

    @field_validator("categories")
    @classmethod
    def _categories(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            if word not in CATEGORIES:
                raise UnknownName.among("category", word, CATEGORIES)
        return value

    @field_validator("colors")
    @classmethod
    def _colors(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from catalog.croquis.palette import COLORS

        for word in value:
            if word not in COLORS:
                raise UnknownName.among("colour", word, COLORS)
        return value

    def matches(self, g: Garment) -> bool:
        """Whether ``g`` is such a piece."""
        return (
            (self.slot is None or g.slot == self.slot)
            and (not self.categories or g.category in self.categories)
            and (not self.colors or g.color in self.colors)
            and (not self.patterns or g.pattern in self.patterns)
            and (not self.materials or g.material in self.materials)
            and (not self.sleeves or (g.slot in SLEEVED and g.shape.sleeves in self.sleeves))
            and (not self.lengths or g.shape.length in self.lengths)
            and (not self.fits or g.shape.fit in self.fits)
        )

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots such a garment can fill, in the order of ``SLOTS``; all when not said."""
        if self.slot:
            return (self.slot,)
        found = {CATEGORIES[c].slot for c in self.categories}
        return tuple(s for s in SLOTS if s in found) if found else SLOTS

    @property
    def words(self) -> str:
        """The piece in a few English words: “red wool sweater”."""
        if self.said:
            return self.said
        kind = self.categories[0] if self.categories else (self.slot or "piece")
        long = [f"{s}-sleeved" for s in self.sleeves[:1] if s != "none"]
        parts = [*self.fits[:1], *self.colors[:1], *self.patterns[:1], *self.materials[:1], *long]
        return " ".join([*parts, kind])


class Wish(_Strict):
    """Everything known about what somebody wants to wear. All fields have a default.

    Hard: ``avoid``, ``exclude``, ``budget``, ``who`` and the weather. Everything else is met as
    well as the catalog allows, and what could not be met is said in ``Outfit.unmet``.
    """

    text: Annotated[str, Field(max_length=8000)] = ""
    """The request in the person's own words; nothing is read out of it, say it in the fields."""
    who: Who = "anyone"
    """Whose clothes: garments made for others are left out."""
    season: dict[Season, Annotated[float, Field(ge=0, le=1)]] = {}
    """Season → weight, normalised to sum to 1; empty = not said."""
    temperature_c: Annotated[float, Field(ge=-60, le=60)] | None = None
    """Air temperature outside, °C."""
    weather: tuple[Weather, ...] = ()
    """What comes with the temperature; rain and snow rule some clothes out."""
    occasion: str = ""
    """One of ``OCCASIONS``; empty = not said."""
    formality: Annotated[float, Field(ge=0, le=1)] | None = None
    """Aim, 0 beach – 1 black tie; None = what the occasion asks for."""
    warmer: Annotated[float, Field(ge=-2, le=2)] = 0.0
    """Clo more (or less) than temperature and activity ask for."""
    want: Annotated[tuple[Piece, ...], Field(max_length=12)] = ()
    """Pieces asked for."""
    absent: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=12)] = ()
    """Things asked for that no card can be, in one word each (“gloves”)."""
    like: Annotated[tuple[Piece, ...], Field(max_length=12)] = ()
    """Pieces to lean towards."""
    avoid: Annotated[tuple[Piece, ...], Field(max_length=24)] = ()
    """Pieces that must not be there."""
    less: Annotated[tuple[Piece, ...], Field(max_length=12)] = ()
    """Pieces to lean away from."""
    keep: Annotated[tuple[str, ...], Field(max_length=9)] = ()
    """Ids of garments that stay."""
    stay: Annotated[tuple[str, ...], Field(max_length=9)] = ()
    """Ids that stay unless the budget breaks by it (“swap the boots”: the rest stays)."""
    bare: Annotated[tuple[Slot, ...], Field(max_length=9)] = ()
    """Slots that stay empty unless the weather needs them: nobody asked for more than a change."""
    prefer: Annotated[tuple[str, ...], Field(max_length=32)] = ()
    """Ids to lean towards: found by text search, or worn before."""
    exclude: Annotated[tuple[str, ...], Field(max_length=200)] = ()
    """Ids that must not be chosen (“another”)."""
    budget: Annotated[float, Field(gt=0)] | None = None
    """Most that all pieces may cost together, in the catalog's currency."""
    ceiling: Annotated[float, Field(gt=0)] | None = None
    """A budget meant for this once (“cheaper than that”); given up before a complete outfit is."""
    thrifty: Annotated[float, Field(ge=-1, le=50)] = 0.0
    """How much a low price counts; 0 = not at all."""
    cheapest: bool = False
    """True: of all that keeps the hard wishes the lowest price, before any other liking."""
    colourful: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """1 bright and colourful, -1 quiet neutrals."""
    size: Literal["", "XXS", "XS", "S", "M", "L", "XL", "XXL"] = ""
    """Size of the wearer; garments whose card lists letter sizes must come in it."""
    layers: Annotated[int, Field(ge=-1, le=1)] = 0
    """1 = wants something over the top, -1 = no outer layer."""

    @field_validator("season")
    @classmethod
    def _normal(cls, value: dict[Season, float]) -> dict[Season, float]:
        if not value:
            return {}
        total = sum(value.values())
        if not math.isfinite(total) or total <= 0:
            raise BadValue(
                "The season weights sum to 0.", f"Give {', '.join(SEASONS)} weights above 0."
            )
        return {s: value[s] / total for s in SEASONS if value.get(s, 0) > 0}

    @field_validator("occasion")
    @classmethod
    def _occasion(cls, value: str) -> str:
        if value and value not in OCCASIONS:
            raise UnknownName.among("occasion", value, OCCASIONS)
        return value


LETTER_SIZES = ("XXS", "XS", "S", "M", "L", "XL", "XXL")


def comes_in(sizes: tuple[str, ...], size: str) -> bool:
    """Whether a card with ``sizes`` can be had in ``size``; a card without letters always."""
    lettered = [s for s in sizes if s in LETTER_SIZES]
    return not size or not lettered or size in lettered


class Violation(_Strict):
    """One thing wrong with a set of garments. ``hard`` ones must not be drawn."""

    kind: Literal[
        "incomplete", "conflict", "weather", "season", "warmth", "budget", "avoided", "wearer",
        "unavailable", "excluded", "missing",
    ]  # fmt: skip
    message: str
    ids: tuple[str, ...] = ()
    hard: bool = True


class Chosen(_Strict):
    """One garment of an outfit and why it is there."""

    garment: Garment
    why: str

    @property
    def id(self) -> str:
        return self.garment.id


class Outfit(_Strict):
    """What was chosen for a wish."""

    garments: tuple[Chosen, ...] = ()
    season: dict[Season, float] = {"spring-autumn": 1.0}
    temperature_c: float = 15.0
    occasion: str = "everyday"
    formality: float = 0.35
    assumptions: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    clo_total: float = 0.0
    """Insulation of the ensemble, clo (ISO 9920 summation)."""
    clo_needed: tuple[float, float] = (0.0, 0.0)
    """What temperature and activity ask for, clo, from cool to warm."""
    price_total: float = 0.0
    currency: str = "EUR"
    score: float = 0.0
    cheapest: bool = False
    """Nothing complete that keeps the hard wishes costs less."""
    complete: bool = False
    """Torso, legs and feet are dressed."""
    runners_up: tuple[tuple[str, ...], ...] = ()
    """Ids of other good outfits, best first, each differing from the others."""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(c.id for c in self.garments)

    def facts(self) -> dict[str, Any]:
        """The outfit as plain JSON for a language model."""
        return {
            "garments": [
                {**card(c.garment, c.why), "waterproof": c.garment.waterproof}
                for c in self.garments
            ],
            "season": {s: round(w, 3) for s, w in self.season.items()},
            "temperature_c": self.temperature_c,
            "occasion": self.occasion,
            "assumptions": list(self.assumptions),
            "unmet": list(self.unmet),
            "clo_total": self.clo_total,
            "clo_needed": [round(c, 2) for c in self.clo_needed],
            "price_total": self.price_total,
            "currency": self.currency,
            "complete": self.complete,
            **({"cheapest": True} if self.cheapest else {}),
            "runners_up": [list(ids) for ids in self.runners_up],
        }


def card(g: Garment, why: str = "", strength: float | None = None) -> dict[str, Any]:
    """One garment as the answer's contract shows it."""
    return {
        "id": g.id,
        "name": g.name,
        "slot": g.slot,
        "category": g.category,
        "color": g.color,
        "pattern": g.pattern,
        "material": g.material,
        "formality": g.formality,
        "clo": g.clo,
        "price": g.price,
        "strength": g.strength if strength is None else strength,
        "why": why,
    }
