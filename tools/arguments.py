"""Arguments of the tools, as a language model gives them: words and ids, checked, nothing extra."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from catalog.croquis.figure import AGES, BODIES, HAIR, HAIR_COLORS, POSES, PRESENTATIONS, SKINS
from catalog.croquis.palette import COLORS
from catalog.croquis.scene import SCENES
from catalog.garment import CATEGORIES, Season, Slot
from tools.look import MAX_GARMENTS
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
    skin: Annotated[str, _one_of(SKINS)] | None = None
    hair: Annotated[str, _one_of(HAIR)] | None = None
    hair_color: Annotated[str, _one_of(HAIR_COLORS)] | None = None
    presentation: Annotated[str, _one_of(PRESENTATIONS)] | None = None
    age: Annotated[str, _one_of(AGES)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class FindArgs(Arguments):
    """Words and filters for a search."""

    text: Annotated[str, Field(max_length=400)] = ""
    slot: Slot | None = None
    season: Season | None = None
    color: Color | None = None
    category: CategoryWord | None = None
    min_formality: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_formality: Annotated[float, Field(ge=0, le=1)] = 1.0
    max_price: Annotated[float, Field(gt=0)] | None = None
    limit: Annotated[int, Field(ge=1, le=20)] = 8


class PlanArgs(Wish):
    """The whole wish, and how it is to be shown."""

    pose: Pose | None = None
    scene: Scene | None = None
    person: PersonChange | None = None


class LookArgs(Arguments):
    """What to draw; everything left out stays as planned."""

    garments: Annotated[tuple[str, ...], Field(max_length=MAX_GARMENTS)] = ()
    """Garment ids."""
    pose: Pose | None = None
    scene: Scene | None = None
    season: dict[Season, Annotated[float, Field(ge=0, le=1)]] | None = None
    person: PersonChange | None = None
