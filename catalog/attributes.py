"""Attributes of a garment measured from its cut-out photos: kind, shape, colours, pattern.

Of drawings, kind and shape are told by the silhouette: it is compared with those of every shape
that the wardrobe draws. Of real photos, a trained classifier (``photo_kind.py``) says which kinds
it can be, and the silhouette chooses among them. Colours are clusters of the pixels, the pattern is
found by its spectrum (``pattern.py``), the material of drawings by how light plays on it
(``material.py``). The material of real photos and the trim are not measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from catalog.croquis.palette import color_word, delta_e, lab_to_srgb, rgb_to_hex, srgb_to_lab
from catalog.errors import BadValue, ModelUnavailable, UnknownName
from catalog.garment import CATEGORIES, Cloth, Shape
from catalog.material import distances, likeliest
from catalog.pattern import SIZE, pattern_of
from catalog.photo_frame import frame
from catalog.photo_kind import DRAWN, KINDS, label_chances
from catalog.photos import cut_out

SILHOUETTE = 48, 32
"""Rows and columns in which silhouettes are compared."""
_ALIKE = 8.0
"""Distance within which silhouettes are of one world: drawn photos lie at 3.9 (median) to 8.1
(95 %) from the nearest drawn shape, real ones at 7.8 (10 %), 10.8 (median) and more."""
_CLUSTERS = 6
_SAME = 12.0
"""CIEDE2000 below which two clusters are one colour."""
_SHADE = 30.0
"""Lightness steps within which clusters of one hue are light and shade of one colour."""
_HUE = 6.0
"""How far, in CIELAB, the darker of two may lie beside the line from the lighter one to black."""
_RIVALS = 5
_NEAR = 1.5
"""So many kinds, and so much farther from a silhouette than the nearest, are one outline: jeans and
trousers, jackets of leather and of denim."""
_CLOTH = 0.3
"""What a distance of cloth counts beside one of silhouettes (`python -m bench photo-kind`)."""
_LEAST = 0.08
"""Share of the garment below which a colour is a button or an outline."""


@dataclass(frozen=True)
class Attributes:
    """What was measured. Confidences are 0–1: the share of the evidence that says so."""

    category: str
    category_confidence: float
    categories: tuple[tuple[str, float], ...]
    """The likeliest kinds with their confidence, the chosen one first."""
    shape: Shape
    colors: tuple[str, ...]
    """1 to 3 sRGB colours ``#rrggbb``, by area."""
    shares: tuple[float, ...]
    """Of the garment's area, one for each colour."""
    pattern: str
    pattern_confidence: float
    material: str
    material_confidence: float
    """0 where it was not measured: ``material`` is then what such garments are mostly made of."""

    @property
    def scores(self) -> dict[str, float]:
        """The attributes as tags with their confidence, as a tagger gives them."""
        named = {color_word(c): s for c, s in zip(self.colors, self.shares, strict=True)}
        return {
            **dict(self.categories[:3]),
            **{word: min(1.0, 0.5 + share) for word, share in named.items()},
            self.pattern: self.pattern_confidence,
            self.material: self.material_confidence,
        }


def measure(
    photos: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    category: str | None = None,
    whole: Sequence[np.ndarray] | None = None,
) -> Attributes:
    """The attributes of one garment from all its photos together.

    Args:
        photos: uint8 ``(H, W, 3)`` each.
        masks: bool ``(H, W)`` each: the garment.
        category: what it is, when that is known; then only its shape is measured.
        whole: the photos as they came, uint8 ``(H', W', 3)`` each, when ``photos`` are frames of
            them: the classifier looks at them too.

    Raises:
        BadValue: no garment in any photo.
        ModelUnavailable: the classifier of real photos is not there, and the category not given.
        UnknownName: the category does not exist.
    """
    if category is not None and category not in CATEGORIES:
        raise UnknownName.among("category", category, CATEGORIES)
    there = [i for i, mask in enumerate(masks) if mask.any()]
    seen = [(photos[i], masks[i]) for i in there]
    if not seen:
        raise BadValue("No garment stands out in any photo.", "Give photos of one garment alone.")
    came = None if whole is None else [whole[i] for i in there]
    # 1. what it can be by its outline, and for real photos by the classifier
    told = outline(seen, category, came)
    kinds, nearest, shapes = told.kinds, told.nearest, told.shapes
    # 2. colours and pattern
    shape = shapes[kinds[0][0]]
    colors, shares = _colors(seen)
    material, certain = CATEGORIES[shape.category].materials[0], 0.0
    pattern, sure = "plain", 0.9
    same = _same_size(seen) if told.drawn or len(colors) > 1 else ([], [])
    if len(colors) > 1:
        pattern, sure = pattern_of(*same, shape, colors, material)
    # 3. drawings: the material, and with it which of the kinds of one outline it is
    if told.drawn:
        ground = colors if pattern != "plain" else colors[:1]
        alike = [
            kind for kind, _ in kinds[:_RIVALS] if nearest[kind] <= nearest[kinds[0][0]] + _NEAR
        ]
        far = distances(*same, [shapes[kind] for kind in alike], ground, pattern)
        cloth_of = {kind: min(far[shapes[kind]].values()) for kind in alike}
        least, most = min(cloth_of.values()), max(cloth_of.values())
        kinds = by_silhouette({
            kind: d + _CLOTH * (cloth_of.get(kind, most) - least) for kind, d in nearest.items()
        })  # fmt: skip
        shape = shapes[kinds[0][0]]
        material, certain = likeliest(far[shape])
    name = category or kinds[0][0]
    confidence = 1.0 if category else kinds[0][1]
    return Attributes(
        name, confidence, tuple(kinds[:5]), shape, colors, shares, pattern, sure, material, certain
    )


def cloth(attributes: Attributes) -> Cloth:
    """The cloth a card says."""
    keep = len(attributes.colors) if attributes.pattern != "plain" else 1
    return Cloth(
        colors=attributes.colors[:keep],
        pattern=attributes.pattern,
        material=attributes.material,
    )


def _same_size(
    seen: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The first photos in the size in which patterns are compared, with their masks."""
    photos, masks = [], []
    for photo, mask in seen[:4]:
        if photo.shape[:2] != SIZE:
            photo = frame(photo, mask)
            mask = cut_out(photo)
        photos.append(photo)
        masks.append(mask)
    return photos, masks


# --- kind and shape --------------------------------------------------------------------------


def silhouette(mask: np.ndarray) -> np.ndarray:
    """A mask's outline without place and size, float32 ``(1536,)``."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = min(SILHOUETTE[0] / part.shape[0], SILHOUETTE[1] / part.shape[1])
    to = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    out = np.zeros(SILHOUETTE, np.float32)
    top, left = (SILHOUETTE[0] - to[1]) // 2, (SILHOUETTE[1] - to[0]) // 2
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    out[top : top + to[1], left : left + to[0]] = cv2.resize(part, to, interpolation=way)
    return cv2.GaussianBlur(out, (0, 0), 0.7).ravel()


@dataclass(frozen=True)
class Outline:
    """What a garment can be by its outline."""

    kinds: list[tuple[str, float]]
    """With their confidence 0–1, best first; for real photos as the classifier has them."""
    nearest: dict[str, float]
    """Kind → distance of its nearest drawn silhouette."""
    shapes: dict[str, Shape]
    """Kind → the shape of that one."""
    drawn: bool
    """Whether the classifier takes the photos for drawn ones; not asked where nothing hangs on
    it."""


def outline(
    seen: Sequence[tuple[np.ndarray, np.ndarray]],
    category: str | None = None,
    whole: Sequence[np.ndarray] | None = None,
) -> Outline:
    """What the garment can be.

    Args:
        seen: photo uint8 ``(H, W, 3)`` and mask bool ``(H, W)``, not empty, of one garment.
        category: what it is, when that is known: then no classifier is needed.
        whole: see ``measure``.

    Raises:
        ModelUnavailable: see ``measure``.
    """
    # 1. the nearest silhouette of each kind
    every, silhouettes = _silhouettes()
    far = np.mean([np.linalg.norm(silhouettes - silhouette(m), axis=1) for _, m in seen], 0)
    nearest: dict[str, float] = {}
    shapes: dict[str, Shape] = {}
    for shape, distance in zip(every, far.tolist(), strict=True):
        kind = shape.category
        if category in (None, kind) and distance < nearest.get(kind, np.inf):
            nearest[kind], shapes[kind] = distance, shape
    kinds = by_silhouette(nearest)
    # 2. is it of the drawn world, or what does the classifier of real photos say
    if category is not None and len(CATEGORIES[category].materials) == 1:
        return Outline(kinds, nearest, shapes, drawn=False)
    photos, masks = zip(*seen, strict=True)
    try:
        chances = label_chances(photos, masks, whole)
    except ModelUnavailable:
        if category is None:
            raise
        return Outline(kinds, nearest, shapes, drawn=False)
    drawn = chances[DRAWN] > 0.5
    if not drawn and category is None:
        kinds = by_label(chances, nearest)
    return Outline(kinds, nearest, shapes, drawn)


def by_silhouette(nearest: dict[str, float]) -> list[tuple[str, float]]:
    """Kinds with their confidence, best first, from each one's nearest distance to a drawn shape.

    What is like nothing that is drawn is not believed, however clear the nearest is.
    """
    best = min(nearest.values())
    weights = {kind: float(np.exp(best - far)) for kind, far in nearest.items()}
    total = sum(weights.values()) / min(1.0, (_ALIKE / max(best, 1e-6)) ** 4)
    return sorted(((k, w / total) for k, w in weights.items()), key=lambda x: (-x[1], x[0]))


def by_label(chances: dict[str, float], nearest: dict[str, float]) -> list[tuple[str, float]]:
    """Kinds with their confidence: those of the likeliest label first, in it the nearest first.

    A kind's confidence is its label's chance times its share of that label's likeness, so a sure
    label of seven kinds is still an unsure kind. Kinds that no label means are left out.

    Args:
        chances: label of ``photo_kind`` → probability 0–1.
        nearest: kind → distance of the nearest drawn silhouette.
    """
    found: list[tuple[str, float]] = []
    for label in sorted(KINDS, key=lambda name: -chances[name]):
        kinds = sorted(KINDS[label], key=lambda kind: nearest[kind])
        alike = np.exp([nearest[kinds[0]] - nearest[kind] for kind in kinds])
        found += zip(kinds, (chances[label] * alike / alike.sum()).tolist(), strict=True)
    return found


@lru_cache(maxsize=1)
def _silhouettes() -> tuple[list[Shape], np.ndarray]:
    """Every shape as the wardrobe lays it flat, twice; drawn once a process, 4 s."""
    from catalog.croquis.sheet import FIRST_GARMENT, Sheet
    from catalog.croquis.wardrobe import flat

    shapes, drawn = [], []
    for kind in CATEGORIES.values():
        opens = (False, True) if kind.can_open else (False,)
        for length, sleeves, fit, opened in itertools.product(
            kind.lengths, kind.sleeves, kind.fits, opens
        ):
            shape = Shape(category=kind.name, length=length, sleeves=sleeves, fit=fit, open=opened)
            cloth = Cloth(colors=("#8fa0b0",), material=kind.materials[0])
            for seed in (7000, 7001):
                sheet = Sheet(1.0, picture=False)
                flat(sheet, shape, cloth, seed=seed)
                shapes.append(shape)
                drawn.append(silhouette(sheet.regions() >= FIRST_GARMENT))
    return shapes, np.stack(drawn)


# --- colours ---------------------------------------------------------------------------------


def _colors(
    seen: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    # 1. pixels away from the outline, as many from each photo
    rng = np.random.default_rng(0)
    pixels = []
    for photo, mask in seen:
        reach = max(1, round(0.012 * max(photo.shape[:2])))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        inner = cv2.erode(mask.astype(np.uint8), disc, borderValue=0) > 0
        inside = photo[inner if inner.any() else mask]
        pixels.append(inside[rng.integers(0, len(inside), 1500)])
    lab = srgb_to_lab(np.concatenate(pixels)).astype(np.float32)
    # 2. clusters, and those that are one colour in light and shade made one
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.2)
    none = np.zeros(0, np.int32)
    _, labels, _ = cv2.kmeans(lab, _CLUSTERS, none, stop, 3, cv2.KMEANS_PP_CENTERS)
    parts = [lab[labels.ravel() == i] for i in range(_CLUSTERS)]
    groups = sorted((p for p in parts if len(p)), key=len, reverse=True)
    while pair := _one_color(groups):
        a, b = pair
        groups[a] = np.concatenate([groups[a], groups.pop(b)])
        groups.sort(key=len, reverse=True)
    # 3. the large ones
    large = [g for g in groups if len(g) >= _LEAST * len(lab)][:3]
    colors = tuple(rgb_to_hex(lab_to_srgb(np.median(g, 0))) for g in large)
    return colors, tuple(round(len(g) / len(lab), 3) for g in large)


def _one_color(groups: list[np.ndarray]) -> tuple[int, int] | None:
    """The first two clusters that are one colour."""
    middles = [np.median(g, 0) for g in groups]
    for a, b in itertools.combinations(range(len(groups)), 2):
        light, dark = sorted((middles[a], middles[b]), key=lambda lab: -lab[0])
        toward = light[1:] / max(float(np.hypot(*light[1:])), 8.0)
        beside = abs(float(toward[0] * dark[2] - toward[1] * dark[1]))
        away = float(np.hypot(*dark[1:]) - np.hypot(*light[1:]))
        shade = light[0] - dark[0] < _SHADE and beside < _HUE and away < 2 * _HUE
        if shade or delta_e(light, dark) < _SAME:
            return a, b
    return None
