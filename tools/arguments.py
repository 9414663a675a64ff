"""Arguments of the tools, as a language model gives them: words and ids, checked, nothing extra."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.croquis.figure import AGES, BODIES, HAIR, HAIR_COLORS, POSES, PRESENTATIONS, SKINS
from catalog.croquis.palette import COLORS
from catalog.croquis.scene import SCENES
from catalog.garment import CATEGORIES, Length, Season, Sleeves, Slot
from tools.look import MAX_GARMENTS
from tools.segment import MOST_POINTS
from tools.touch_up import Degree
from tools.wish import Wish


def _one_of(words: Iterable[str]) -> Any:
    """The words in the schema, for a model to choose from; the check itself names the nearest."""
    return Field(json_schema_extra={"enum": list(words)})


Pose = Annotated[str, _one_of(POSES)]
Scene = Annotated[str, _one_of(SCENES)]
Color = Annotated[str, _one_of(COLORS)]
CategoryWord = Annotated[str, _one_of(CATEGORIES)]


class Arguments(BaseModel):
    """What every tool's arguments share: frozen, no unknown names, finite numbers."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class PersonChange(Arguments):
    """What changes about the person; leave out what stays."""

    body: Annotated[str, _one_of(BODIES)] | None = None
    """Figure."""
    skin: Annotated[str, _one_of(SKINS)] | None = None
    """Skin tone."""
    hair: Annotated[str, _one_of(HAIR)] | None = None
    """Hair style."""
    hair_color: Annotated[str, _one_of(HAIR_COLORS)] | None = None
    """Hair colour."""
    presentation: Annotated[str, _one_of(PRESENTATIONS)] | None = None
    """Who is drawn; which clothes fit is the wish's `who`."""
    age: Annotated[str, _one_of(AGES)] | None = None
    """Age, by look."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Another number is another face and build; the same one is the same person."""


class FindArgs(Arguments):
    """Words and filters for a search."""

    text: Annotated[str, Field(max_length=400)] = ""
    """What is looked for, in a few words of any kind: "warm red coat". Empty: all that the
    filters let through."""
    slot: Slot | None = None
    """Only garments worn there."""
    season: Season | None = None
    """Only garments for that season."""
    color: Color | None = None
    """Only garments of that main colour."""
    category: CategoryWord | None = None
    """Only that kind of garment."""
    min_formality: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Only garments at least that formal: 0 beach, 1 black tie."""
    max_formality: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Only garments at most that formal."""
    max_price: Annotated[float, Field(gt=0)] | None = None
    """Only garments that cost no more, in the catalog's currency."""
    order: Literal["best", "cheapest", "dearest", "warmest", "lightest"] = "best"
    """What comes first. After any but "best", only what `text` describes by kind, colour, pattern
    and material is there at all; with a photo, what looks like it comes first all the same."""
    limit: Annotated[int, Field(ge=1, le=20)] = 8
    """How many at most."""


class PlanArgs(Wish):
    """The whole wish, and how it is to be shown."""

    pose: Pose | None = None
    """How the person stands; left out: as the occasion suggests."""
    scene: Scene | None = None
    """Where; left out: as the occasion suggests."""
    person: PersonChange | None = None
    """Who wears it."""


class LookArgs(Arguments):
    """What to draw; everything left out stays as planned."""

    garments: Annotated[tuple[str, ...], Field(max_length=MAX_GARMENTS)] = ()
    """Garment ids."""
    pose: Pose | None = None
    """How the person stands."""
    scene: Scene | None = None
    """Where the person stands."""
    season: dict[Season, Annotated[float, Field(ge=0, le=1)]] | None = None
    """Season → weight, such as {"winter": 1} or {"summer": 0.5, "spring-autumn": 0.5}: light and
    weather of the picture."""
    person: PersonChange | None = None
    """Who wears it."""


class Click(Arguments):
    """One point of a picture, in its own pixels: x from the left, y from the top."""

    x: Annotated[float, Field(ge=0, le=100_000)]
    """Pixels from the left edge."""
    y: Annotated[float, Field(ge=0, le=100_000)]
    """Pixels from the top edge."""
    keep: bool = True
    """False takes away what is there."""


Side = Annotated[float, Field(ge=0, le=100_000)]


class PartArgs(Arguments):
    """Which part of a picture: a garment by its name, or clicks, or a box."""

    garment: Annotated[str, Field(max_length=64)] | None = None
    """Of a look: a garment's id, slot or kind. Needs no clicks."""
    points: Annotated[tuple[Click, ...], Field(max_length=MOST_POINTS)] = ()
    """Clicks on it, the best one first."""
    box: tuple[Side, Side, Side, Side] | None = None
    """Left, top, right, bottom."""

    @property
    def where(self) -> dict[str, Any]:
        """The part, as the methods of Studio take it."""
        points = tuple((p.x, p.y, p.keep) for p in self.points)
        return {"garment": self.garment, "points": points, "box": self.box}


class ChangeArgs(PartArgs):
    """What changes there. Without any of these the part is drawn anew, as it was planned."""

    candidate: Annotated[int, Field(ge=0, le=2)] = 0
    """Which of the answers that segment gave for these clicks."""
    color: Color | None = None
    """Drawn in this colour instead of its own."""
    sleeves: Sleeves | Degree | None = None
    """A length, or one step shorter or longer than now."""
    length: Length | Degree | None = None
    """Where it ends, or one step shorter or longer than now."""
    swap: Annotated[str, Field(max_length=64)] | None = None
    """Id of the garment to wear instead, of the same slot."""

    @property
    def change(self) -> dict[str, Any]:
        """Part and change, as ``Studio.touch_up`` takes them."""
        said = self.model_dump(include={"candidate", "color", "sleeves", "length", "swap"})
        return {**self.where, **said}
