"""Drawing: one picture of the croquis world with the truth about it, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from catalog.croquis import cloth as cloths
from catalog.croquis import figure as figures
from catalog.croquis import maps, palette, scene, wardrobe
from catalog.croquis.figure import Figure, Person, Pose
from catalog.croquis.sheet import WHOLE, Sheet, View
from catalog.garment import CATEGORIES, SEASONS, Cloth, Shape, Slot

WORLD = 2
"""Version of the world; figures measured on different versions cannot be compared."""


@dataclass(frozen=True)
class Worn:
    """Somebody wearing something somewhere: the exact attributes of a drawing."""

    person: Person
    pose: Pose
    outfit: tuple[tuple[Shape, Cloth], ...]
    scene: str
    season: tuple[tuple[str, float], ...]
    seed: int
    sleeves_rolled: bool = False
    sleeves_down: tuple[int, ...] = ()
    """Garments of the outfit whose sleeves stay down all the same."""


@dataclass(frozen=True)
class Flat:
    """A product photo of one garment."""

    shape: Shape
    cloth: Cloth
    seed: int


@dataclass(frozen=True)
class Drawing:
    """A picture and the truth about it. Arrays at scale 1 are 384 rows by 256 columns."""

    truth: Worn | Flat
    picture: np.ndarray | None
    """uint8 ``(H, W, 3)``"""
    regions: np.ndarray
    """uint8 ``(H, W)``, see ``sheet.FIRST_GARMENT``."""
    edges: np.ndarray
    slots: tuple[Slot, ...]
    phrases: tuple[str, ...]
    """Scene, person, then one per garment."""
    points: np.ndarray | None
    """Keypoints ``(18, 2)`` where a sheet of scale 1 has them; None for a product photo."""


def draw(
    truth: Worn | Flat, *, scale: float = 1.0, picture: bool = True, view: View = WHOLE
) -> Drawing:
    """The drawing of ``truth``; without ``picture`` only its layout (three times as fast)."""
    sheet = Sheet(scale, picture=picture, view=view)
    if isinstance(truth, Flat):
        wardrobe.flat(sheet, truth.shape, truth.cloth, seed=truth.seed)
        slots: tuple[Slot, ...] = (CATEGORIES[truth.shape.category].slot,)
        phrases: tuple[str, ...] = (PRODUCT_PHOTO, "", garment_phrase(truth.shape, truth.cloth))
        points = None
    else:
        rng = np.random.default_rng((truth.seed, 1))
        fig, season = Figure(truth.person, truth.pose), dict(truth.season)
        if picture:
            scene.backdrop(sheet, truth.scene, season, rng)
            if truth.pose.seated:
                scene.seat(sheet, fig)
            scene.contact_shadow(sheet, fig)
        wardrobe.dress(
            sheet,
            fig,
            truth.outfit,
            seed=truth.seed,
            sleeves_rolled=truth.sleeves_rolled,
            sleeves_down=truth.sleeves_down,
        )
        if picture:
            scene.weather(sheet, truth.scene, season, rng)
        slots = tuple(CATEGORIES[shape.category].slot for shape, _ in truth.outfit)
        worn = (garment_phrase(shape, cloth) for shape, cloth in truth.outfit)
        phrases = (truth.scene, person_phrase(truth.person), *worn)
        points = view.seen(truth.pose.array())
    return Drawing(
        truth,
        sheet.pixels() if picture else None,
        sheet.regions(),
        sheet.edges(),
        slots,
        phrases,
        points,
    )


def halved(drawing: Drawing) -> Drawing:
    """The same drawing at half its scale."""

    def shrunk(array: np.ndarray) -> np.ndarray:
        size = array.shape[1] // 2, array.shape[0] // 2
        return cv2.resize(array, size, interpolation=cv2.INTER_AREA)

    return replace(
        drawing,
        picture=None if drawing.picture is None else shrunk(drawing.picture),
        regions=np.ascontiguousarray(drawing.regions[::2, ::2]),
        edges=shrunk(drawing.edges),
    )


PRODUCT_PHOTO = "product photo"


def garment_phrase(shape: Shape, cloth: Cloth) -> str:
    """Colour, pattern, material, kind: ``navy and white stripes cotton t-shirt``."""
    words = [palette.color_word(cloth.colors[0])]
    if cloth.pattern != "plain":
        if len(cloth.colors) > 1:
            words += ["and", palette.color_word(cloth.colors[1])]
        words.append(cloth.pattern)
    return " ".join([*words, cloth.material, shape.category])


def person_phrase(person: Person) -> str:
    return (
        f"{person.age} {person.presentation} {person.body} {person.skin} skin "
        f"{person.hair} {person.hair_color} hair"
    )


# --- sampling what base training draws -------------------------------------------------------


def sample_worn(seed: int, *, season: str | None = None) -> Worn:
    """A random, plausible look from ``seed``; only shades and patterns that training may draw."""
    rng = np.random.default_rng((seed, 11))
    person = sample_person(rng)
    if season is not None:
        weights = {season: 1.0}
    elif rng.random() < 0.75:
        weights = {SEASONS[rng.integers(3)]: 1.0}
    else:
        pair, share = rng.permutation(3)[:2], float(rng.uniform(0.3, 0.7))
        weights = {SEASONS[pair[0]]: share, SEASONS[pair[1]]: 1 - share}
    pose_name = figures.POSES[rng.integers(len(figures.POSES))]
    pose = figures.pose(pose_name, person, rng)
    return Worn(
        person=person,
        pose=pose,
        outfit=sample_outfit(rng, person, weights),
        scene=scene.SCENES[rng.integers(len(scene.SCENES))],
        season=tuple(weights.items()),
        seed=seed,
        sleeves_rolled=bool(rng.random() < 0.15 + 0.3 * weights.get("summer", 0)),
    )


def sample_flat(seed: int) -> Flat:
    rng = np.random.default_rng((seed, 12))
    category = list(CATEGORIES)[rng.integers(len(CATEGORIES))]
    shape = sample_shape(category, rng)
    return Flat(shape, sample_cloth(category, rng), seed)


def sample_person(rng: np.random.Generator) -> Person:
    def pick(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    return Person(
        body=pick(figures.BODIES),
        skin=pick(tuple(figures.SKINS)),
        hair=pick(figures.HAIR),
        hair_color=pick(tuple(figures.HAIR_COLORS)),
        presentation=pick(figures.PRESENTATIONS),
        age=pick(figures.AGES),
        seed=int(rng.integers(2**31)),
    )


def sample_outfit(
    rng: np.random.Generator, person: Person, season: dict[str, float]
) -> tuple[tuple[Shape, Cloth], ...]:
    cold = season.get("winter", 0) + 0.5 * season.get("spring-autumn", 0)
    slots: list[Slot] = []
    skirted = person.presentation != "man"
    slots += ["onepiece"] if skirted and rng.random() < 0.3 else ["bottom", "top"]
    slots += ["footwear"]
    if rng.random() < 0.25 + 0.45 * cold:
        slots.append("outerwear")
    for slot, chance in (
        ("neckwear", 0.12 + 0.2 * cold), ("headwear", 0.28), ("eyewear", 0.2), ("bag", 0.33),
    ):  # fmt: skip
        if rng.random() < chance:
            slots.append(slot)  # type: ignore[arg-type]
    outfit = []
    for slot in slots:
        names = [
            c.name
            for c in CATEGORIES.values()
            if c.slot == slot and (skirted or "skirt" not in c.name)
        ]
        category = names[rng.integers(len(names))]
        outfit.append((sample_shape(category, rng), sample_cloth(category, rng)))
    return tuple(outfit)


def sample_shape(category: str, rng: np.random.Generator) -> Shape:
    kind = CATEGORIES[category]
    return Shape(
        category=category,
        length=kind.lengths[rng.integers(len(kind.lengths))],
        sleeves=kind.sleeves[rng.integers(len(kind.sleeves))],
        fit=kind.fits[rng.integers(len(kind.fits))],
        open=bool(kind.can_open and rng.random() < 0.55),
    )


def sample_cloth(category: str, rng: np.random.Generator) -> Cloth:
    kind, words = CATEGORIES[category], list(palette.COLORS)
    patterned = rng.random() < (0.45 if kind.slot not in ("footwear", "eyewear") else 0.1)
    pattern = "plain"
    if patterned:
        pattern = cloths.PATTERNS_BASE[rng.integers(1, len(cloths.PATTERNS_BASE))]
    material = kind.materials[rng.integers(len(kind.materials))]
    ground = words[rng.integers(len(words))]
    if material == "denim" and rng.random() < 0.7:
        ground = ("navy", "blue", "light blue", "black", "grey", "white")[rng.integers(6)]
    colors = [palette.training_shade(ground, rng)]
    while pattern != "plain" and len(colors) < 3:
        shade = palette.training_shade(words[rng.integers(len(words))], rng)
        lab = palette.srgb_to_lab(np.array([palette.hex_to_rgb(c) for c in (colors[0], shade)]))
        if palette.delta_e(lab[0], lab[1]) > 18:
            colors.append(shade)
    return Cloth(
        colors=tuple(colors),
        pattern=pattern,
        material=material,
        trim=cloths.TRIMS_BASE[rng.integers(len(cloths.TRIMS_BASE))],
    )


def model_maps(drawing: Drawing) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Layout map, skeleton map and phrase shares of a drawing at scale 1 (see ``maps``).

    A product photo's layout is its cut-out: the outline, and no seams inside it.
    """
    layout, shares = maps.layout_and_shares(drawing.regions, known_edges(drawing), drawing.slots)
    if drawing.points is None:
        skeleton = np.zeros((3, *maps.MAP_SIZE), np.uint8)
    else:
        skeleton = maps.skeleton_map(drawing.points)
    return layout, skeleton, shares


def known_edges(drawing: Drawing) -> np.ndarray:
    """The edges a model may know: all of them when worn, the outline of a product photo."""
    if isinstance(drawing.truth, Flat):
        return maps.outline(drawing.regions)
    return drawing.edges
