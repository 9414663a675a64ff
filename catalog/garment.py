"""Garment, Slot, Season: the nouns everything else uses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Slot = Literal[
    "top", "bottom", "onepiece", "outerwear", "footwear", "headwear", "eyewear", "neckwear", "bag"
]
SLOTS: tuple[Slot, ...] = (
    "top",
    "bottom",
    "onepiece",
    "outerwear",
    "footwear",
    "headwear",
    "eyewear",
    "neckwear",
    "bag",
)
Season = Literal["spring-autumn", "summer", "winter"]
SEASONS: tuple[Season, ...] = ("spring-autumn", "summer", "winter")
Length = Literal["crop", "hip", "thigh", "knee", "calf", "ankle"]
Sleeves = Literal["none", "short", "elbow", "long"]
Fit = Literal["slim", "regular", "loose"]
HexColor = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Shape(BaseModel):
    """What of a garment shows in a layout: its outline on a body, and nothing of its cloth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str
    """One of ``CATEGORIES``."""
    length: Length = "hip"
    """Where it ends: tops, dresses, coats, bottoms (bottoms: thigh=mini/shorts … ankle)."""
    sleeves: Sleeves = "none"
    fit: Fit = "regular"
    open: bool = False
    """Worn open at the front (outerwear, shirts over tops)."""


class Cloth(BaseModel):
    """What of a garment is drawn inside its outline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    colors: Annotated[tuple[HexColor, ...], Field(min_length=1)]
    """1 to 3 sRGB colours ``#rrggbb``, by area: ground first, then the pattern's."""
    pattern: str = "plain"
    """One of ``wardrobe.PATTERNS`` or a print."""
    material: str = "cotton"
    trim: str = "none"
    """Decoration: buttons, zip, stitching, piping …"""


class Shade(BaseModel):
    """A colour of a pattern as photos show it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    color: HexColor
    """sRGB."""
    share: Annotated[float, Field(gt=0, le=1)]
    """Of the cloth that it covers."""


class Category(BaseModel):
    """One kind of garment and the shapes it comes in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    slot: Slot
    lengths: tuple[Length, ...]
    sleeves: tuple[Sleeves, ...]
    materials: tuple[str, ...]
    fits: tuple[Fit, ...] = ("regular",)
    can_open: bool = False


def _category(name, slot, lengths, sleeves, materials, fits=("regular",), can_open=False):
    return Category(
        name=name,
        slot=slot,
        lengths=tuple(lengths.split()),
        sleeves=tuple(sleeves.split()),
        materials=tuple(materials.split()),
        fits=fits,
        can_open=can_open,
    )


_FITS: tuple[Fit, ...] = ("slim", "regular", "loose")
CATEGORIES: dict[str, Category] = {
    c.name: c
    for c in (
        _category("t-shirt", "top", "hip", "short", "cotton", _FITS),
        _category("tank top", "top", "hip", "none", "cotton", ("slim", "regular")),
        _category("shirt", "top", "hip", "short long", "cotton linen denim", _FITS, True),
        _category("blouse", "top", "hip", "elbow long", "silk cotton", ("regular", "loose")),
        _category("polo shirt", "top", "hip", "short", "cotton", ("slim", "regular")),
        _category("sweater", "top", "hip", "long", "knit wool", _FITS),
        _category("turtleneck", "top", "hip", "long", "knit wool", ("slim", "regular")),
        _category("hoodie", "top", "hip", "long", "cotton", ("regular", "loose")),
        _category("jeans", "bottom", "ankle", "none", "denim", _FITS),
        _category("trousers", "bottom", "ankle", "none", "wool cotton linen", _FITS),
        _category("leggings", "bottom", "ankle", "none", "nylon", ("slim",)),
        _category("shorts", "bottom", "thigh knee", "none", "cotton denim linen", _FITS),
        _category("mini skirt", "bottom", "thigh", "none", "cotton denim leather wool"),
        _category("midi skirt", "bottom", "calf", "none", "cotton silk wool"),
        _category("pencil skirt", "bottom", "knee", "none", "wool cotton leather"),
        _category("mini dress", "onepiece", "thigh", "none short long", "cotton silk knit"),
        _category("midi dress", "onepiece", "calf", "none short long", "cotton silk knit linen"),
        _category("maxi dress", "onepiece", "ankle", "none short", "silk cotton"),
        _category("jumpsuit", "onepiece", "ankle", "none short long", "cotton denim silk"),
        _category("coat", "outerwear", "knee calf", "long", "wool", ("regular", "loose"), True),
        _category("trench coat", "outerwear", "knee calf", "long", "cotton", _FITS, True),
        _category("raincoat", "outerwear", "thigh knee", "long", "nylon", ("loose",), True),
        _category("puffer jacket", "outerwear", "hip thigh", "long", "quilted", _FITS, True),
        _category("denim jacket", "outerwear", "hip", "long", "denim", _FITS, True),
        _category("leather jacket", "outerwear", "hip", "long", "leather", _FITS, True),
        _category("blazer", "outerwear", "hip", "long", "wool linen cotton", _FITS, True),
        _category("cardigan", "outerwear", "hip", "long", "knit wool", _FITS, True),
        _category("sneakers", "footwear", "ankle", "none", "canvas leather"),
        _category("boots", "footwear", "ankle calf", "none", "leather suede"),
        _category("rain boots", "footwear", "calf", "none", "rubber"),
        _category("heels", "footwear", "ankle", "none", "leather suede"),
        _category("loafers", "footwear", "ankle", "none", "leather suede"),
        _category("sandals", "footwear", "ankle", "none", "leather"),
        _category("ballet flats", "footwear", "ankle", "none", "leather suede"),
        _category("beanie", "headwear", "hip", "none", "knit"),
        _category("cap", "headwear", "hip", "none", "cotton"),
        _category("sun hat", "headwear", "hip", "none", "straw"),
        _category("fedora", "headwear", "hip", "none", "wool"),
        _category("sunglasses", "eyewear", "hip", "none", "acetate"),
        _category("glasses", "eyewear", "hip", "none", "acetate"),
        _category("scarf", "neckwear", "hip", "none", "knit wool silk"),
        _category("tie", "neckwear", "hip", "none", "silk"),
        _category("tote bag", "bag", "hip", "none", "canvas leather"),
        _category("handbag", "bag", "hip", "none", "leather"),
        _category("backpack", "bag", "hip", "none", "nylon canvas leather"),
        _category("crossbody bag", "bag", "hip", "none", "leather canvas"),
    )
}
"""Every category word, in the order people look through a shop."""


class Garment(BaseModel):
    """One catalog card. Numbers carry their unit in the name or the note below them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,63}$")
    name: str = Field(min_length=1, max_length=120)
    slot: Slot
    shape: Shape
    cloth: Cloth
    shades: tuple[Shade, ...] = ()
    """Of a pattern, one for each of the cloth's colours; empty: plain, or not measured."""
    color: str
    """Colour word of the largest part (``palette.COLORS``)."""
    seasons: tuple[Season, ...] = Field(min_length=1)
    occasions: tuple[str, ...] = ()
    wearers: tuple[Literal["women", "men"], ...] = ("women", "men")
    formality: Annotated[float, Field(ge=0, le=1)]
    """0 beach and sport, 0.5 smart casual, 1 black tie."""
    clo: Annotated[float, Field(ge=0, le=2)]
    """Thermal insulation in clo (1 clo = 0.155 m²K/W)."""
    clo_source: str = ""
    """Where the value of ``clo`` comes from."""
    waterproof: bool = False
    trigger: str = Field(pattern=r"^[a-z0-9]{3,16}$")
    """Word that calls the LoRA."""
    strength: Annotated[float, Field(gt=0, le=2)] = 1.0
    """Preferred LoRA strength."""
    base: str = "croquis"
    lora_sha256: str = ""
    """Empty until the LoRA is trained."""
    flags: tuple[str, ...] = ()
    """What the admission test found against the LoRA: ``weak``, ``overcooked``, ``leaks`` …"""
    price: Annotated[float, Field(ge=0)] = 0.0
    currency: str = "EUR"
    sizes: tuple[str, ...] = ()
    available: bool = True
    url: str = ""
    """Shop link."""
    description: str = Field(default="", max_length=2000)
    seed: int = 0
    """Photos of a drawn garment are redrawn from this seed."""

    @property
    def category(self) -> str:
        return self.shape.category

    @property
    def pattern(self) -> str:
        return self.cloth.pattern

    @property
    def material(self) -> str:
        return self.cloth.material

    @property
    def phrase(self) -> str:
        """The words this garment is drawn from: trigger, colours, pattern, material, kind.

        A print that the base was never taught is the LoRA's to bring.
        """
        from catalog.croquis.cloth import PATTERNS_BASE
        from catalog.croquis.palette import color_word

        words = [self.trigger, self.color]
        if self.pattern != "plain":
            if len(self.cloth.colors) > 1:
                words += ["and", color_word(self.cloth.colors[1])]
            if self.pattern in PATTERNS_BASE:
                words.append(self.pattern)
        return " ".join([*words, self.material, self.category])

    @property
    def call(self) -> str:
        """Trigger and kind alone: all else is left to the LoRA."""
        return f"{self.trigger} {self.category}"
