"""Plan (what to draw), Look (what was drawn), Receipt (how to draw it again)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from catalog.base import DRAFT_STEPS, GUIDANCE, STEPS, few_steps_lora
from catalog.croquis.figure import AGES, BODIES, HAIR, HAIR_COLORS, PRESENTATIONS, SKINS
from catalog.croquis.palette import COLORS
from catalog.croquis.scene import SCENES
from catalog.errors import BadValue, UnknownName
from catalog.garment import SEASONS, Garment, Length, Season, Sleeves
from tools import edge_map
from tools import pose as poses

MAX_GARMENTS = 9
_SLOTS_WITH = {
    "sleeves": ("top", "onepiece", "outerwear"),
    "length": ("top", "bottom", "onepiece", "outerwear"),
}
STANDING = ("standing", "city street")
STAGE = {
    "commute": ("walking", "city street"),
    "work": ("standing", "office"),
    "interview": ("standing", "office"),
    "party": ("hand on hip", "stairs"),
    "date": ("hand on hip", "cafe"),
    "formal": ("contrapposto", "stairs"),
    "wedding": ("contrapposto", "garden"),
    "sport": ("striding", "park"),
    "beach": ("contrapposto", "beach"),
    "travel": ("walking", "city street"),
    "outdoors": ("walking", "forest"),
    "everyday": ("standing", "park"),
}
"""Occasion → the pose and scene it is shown in, when nobody asked for others."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PersonSpec(_Strict):
    """Who wears it. Stays the same from turn to turn unless it is asked to change."""

    body: str = "average"
    skin: str = "light"
    hair: str = "long"
    hair_color: str = "brown"
    presentation: str = "woman"
    age: str = "young"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Everything about the person that has no word."""

    @field_validator("*", mode="after")
    @classmethod
    def _known(cls, value, info):
        known = {
            "body": BODIES,
            "skin": SKINS,
            "hair": HAIR,
            "hair_color": HAIR_COLORS,
            "presentation": PRESENTATIONS,
            "age": AGES,
        }.get(info.field_name)
        if known is not None and value not in known:
            raise UnknownName.among(info.field_name.replace("_", " "), value, known)
        return value


class Worn(_Strict):
    """One garment of a plan."""

    id: str = Field(min_length=1, max_length=64)
    strength: Annotated[float, Field(ge=0, le=2)] | None = None
    """LoRA strength; None = the card's preferred one, balanced by the blend budget."""
    color: str | None = None
    """Drawn in this colour word instead of the card's."""
    sleeves: Sleeves | None = None
    length: Length | None = None

    @field_validator("color")
    @classmethod
    def _a_color(cls, value):
        if value is not None and value not in COLORS:
            raise UnknownName.among("color", value, COLORS)
        return value

    def of(self, garment: Garment) -> Garment:
        """The card as it is worn here: in another colour, with other sleeves or another length.

        Raises:
            BadValue: this kind of garment has no sleeves, or no length, that could be changed.
        """
        shape = {k: getattr(self, k) for k in ("sleeves", "length") if getattr(self, k) is not None}
        for name in shape:
            if garment.slot not in _SLOTS_WITH[name]:
                raise BadValue(
                    f"{garment.name} has no {name} that could be changed.",
                    f"That goes for {', '.join(_SLOTS_WITH[name])}.",
                )
        changed: dict[str, Any] = {}
        if shape:
            changed["shape"] = garment.shape.model_copy(update=shape)
        if self.color is not None and self.color != garment.color:
            shades = COLORS[self.color]
            colors = (shades[len(shades) // 2], *garment.cloth.colors[1:])
            changed["cloth"] = garment.cloth.model_copy(update={"colors": colors})
            # what photos show of the other colours has the old one in it
            changed["shades"] = tuple(
                shade.model_copy(update={"color": color})
                for shade, color in zip(garment.shades, colors, strict=False)
            )
            changed["color"] = self.color
        return garment.model_copy(update=changed) if changed else garment


class Control(_Strict):
    """How one ControlNet is heard."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    weight: Annotated[float, Field(ge=0, le=2)] = 1.0
    """0 is not at all."""
    start: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the steps after which it begins."""
    end: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the steps after which it is silent."""

    @model_validator(mode="after")
    def _some_steps(self):
        if self.start >= self.end:
            raise BadValue(
                f"A control that begins at {self.start:g} cannot end at {self.end:g}.",
                "Give a start below its end, both from 0 to 1.",
            )
        return self


Quality = Literal["draft", "final"]


class Plan(_Strict):
    """Everything ``render_look`` needs. Limits: 1–9 garments, 1–50 steps, weights 0–2."""

    garments: Annotated[tuple[Worn, ...], Field(min_length=1, max_length=MAX_GARMENTS)]
    season: dict[Season, Annotated[float, Field(ge=0, le=1)]] = {"spring-autumn": 1.0}
    """Season → weight; normalised to sum to 1."""
    season_strength: Annotated[float, Field(ge=0, le=2)] = 1.0
    pose: str | poses.Points = "standing"
    """A preset, or 18 keypoints measured on a picture, in pixels of that picture."""
    scene: str = "city street"
    person: PersonSpec = PersonSpec()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    quality: Quality = "final"
    """A draft shows in a third of the time where it goes."""
    steps: Annotated[int, Field(ge=1, le=50)] | None = None
    """None: what the base draws well with (a receipt says the number)."""
    guidance: Annotated[float, Field(ge=1, le=10)] | None = None
    """Strength of guidance, which costs two evaluations a step; 1 is none. None: by the base's own
    LoRA for it, where it has one, in a single evaluation; else what the base draws well with."""
    color_weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How closely each garment is held to its card's colours while it is drawn; 0: they are its
    words' and its LoRA's alone. The base croquis knows how."""
    control_weight: Annotated[float, Field(ge=0, le=2)] = 1.0
    """Weight of every ControlNet that ``controls`` does not name."""
    control_start: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the steps after which the ControlNets begin."""
    control_end: Annotated[float, Field(ge=0, le=1)] = 1.0
    controls: Annotated[dict[str, Control], Field(max_length=8)] = {}
    """ControlNet → how it is heard: ``layout``, ``openpose``, and ``canny`` beside ``edges``."""
    edges: Annotated[str, Field(max_length=edge_map.LONGEST)] | None = None
    """The edges of a picture, which the drawing then follows: what ``edge_map`` made of it."""

    @property
    def control(self) -> Control:
        """How the nets are heard that ``controls`` does not name."""
        return Control(weight=self.control_weight, start=self.control_start, end=self.control_end)

    @model_validator(mode="after")
    def _controls_some_steps(self):
        _ = self.control
        return self

    @field_validator("pose")
    @classmethod
    def _can_be_drawn(cls, value):
        named = isinstance(value, str)
        return poses.checked_name(value) if named else poses.checked_points(value)

    @field_validator("edges")
    @classmethod
    def _is_a_map(cls, value):
        if value is not None:
            edge_map.unpacked(value)
        return value

    @field_validator("scene")
    @classmethod
    def _known(cls, value):
        if value not in SCENES:
            raise UnknownName.among("scene", value, SCENES)
        return value

    @field_validator("season")
    @classmethod
    def _sums_to_one(cls, value):
        total = sum(value.values())
        if not value or not math.isfinite(total) or total <= 0:
            raise ValueError(f"give at least one of {', '.join(SEASONS)} a weight above 0")
        return {s: value[s] / total for s in SEASONS if value.get(s, 0) > 0}

    def settled(self, base: str) -> Plan:
        """The plan with the numbers it leaves open, as ``base`` draws well.

        Guidance stays open where a LoRA of the base does without it.
        """
        few = self.few_steps_lora(base) is not None
        draft = few and self.quality == "draft"
        return self.model_copy(
            update={
                "steps": self.steps or (DRAFT_STEPS if draft else STEPS[base]),
                "guidance": self.guidance or (None if few else GUIDANCE[base]),
            }
        )

    def as_final(self, base: str) -> Plan:
        """The plan as it is; a draft's as a final: two steps are too few to change a picture in."""
        if self.quality == "final":
            return self
        open_again = {"quality": "final", "steps": None, "guidance": None}
        return self.model_copy(update=open_again).settled(base)

    def few_steps_lora(self, base: str) -> Path | None:
        """The base's LoRA that this plan is drawn with, in place of guidance.

        That of a draft knows ``DRAFT_STEPS`` steps and no others.
        """
        asked = self.quality == "draft" and self.steps not in (None, DRAFT_STEPS)
        return None if self.guidance or asked else few_steps_lora(base, self.quality)

    def evaluations(self, base: str) -> int:
        """How often the UNet is asked."""
        plan = self.settled(base)
        return (plan.steps or 0) * (2 if plan.guidance and plan.guidance > 1 else 1)


class AdapterUse(_Strict):
    """One LoRA of a render, frozen."""

    name: str
    """Garment id, season, or what it makes of the sampler."""
    kind: Literal["garment", "season", "sampler"]
    sha256: str
    weight: float
    region: int | None
    """Index of the garment whose region it works in; None = the whole picture."""


class Touch(_Strict):
    """How a part of the parent look was drawn again."""

    mask_sha256: str
    """Of the mask, bool ``(768, 512)``, kept as ``mask.png`` beside the look."""
    strength: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How far the part was taken back to noise; 1 forgets what was there."""
    content: Literal["original", "noise", "fill"] = "original"
    """What the drawing began from: what was there, nothing, or what lies around it."""
    feather: Annotated[int, Field(ge=0, le=64)] = 6
    """Pixels over which new and old are blended, outside the mask."""
    padding: Annotated[int, Field(ge=0, le=256)] | None = None
    """None: the part was drawn within the whole picture. A number: alone, as large as a picture,
    with so many pixels around it."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Noise of its own, of a part that was drawn anew; None: the plan's, which the rest came from.
    """


class Receipt(_Strict):
    """All that is needed to draw the look again, to the same pixels on the same machine."""

    look_id: str
    plan: Plan
    base: str
    base_sha256: str
    adapters: tuple[AdapterUse, ...]
    control_sha256: str
    """Of the control maps fed to the ControlNets."""
    colors_sha256: str = ""
    """Of the colours that the garments were held to; "" in looks of before they were."""
    picture_sha256: str
    """Of the raw RGB pixels."""
    width: int
    height: int
    versions: dict[str, str]
    created: str
    """UTC, ISO 8601."""
    parent: str | None = None
    thread: str | None = None
    touch: Touch | None = None
    """None: the whole picture was drawn."""
    owner: str | None = None
    """The caller it was drawn for; None = the person at this machine."""


class Look(_Strict):
    """A drawn look: its id, where its files are, and its receipt."""

    id: str
    folder: str
    receipt: Receipt
    seconds: dict[str, float] = {}

    @property
    def image(self) -> str:
        return f"{self.folder}/look.png"

    @property
    def receipt_file(self) -> str:
        return f"{self.folder}/receipt.json"
