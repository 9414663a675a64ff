"""Admission: does this LoRA work on its base, in which range of strengths, and on nothing else.

The garment is drawn on the same person with the same noise, its LoRA off and then on at growing
strengths, and all of that again from other noise: what one seed shows may be its chance. What
counts is measured in the layout's known regions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from catalog.base import GUIDANCE, STEPS, Base
from catalog.croquis.drawing import person_phrase
from catalog.croquis.figure import Person
from catalog.croquis.palette import delta_e, hex_to_rgb, srgb_to_lab
from catalog.croquis.sheet import HAIR, SKIN
from catalog.errors import ModelUnavailable
from catalog.garment import Garment, Season
from catalog.likeness import embed
from catalog.lora_file import check_lora_file
from catalog.photos import cut_out
from catalog.starter import starter_garments
from tools.layout import Layout, lay_out

if TYPE_CHECKING:
    from tools.engine import Engine

STRENGTHS = (0.6, 0.8, 1.0, 1.25)
SEEDS = (11, 12)
"""Of the noise; what they show is averaged."""
EFFECT = 1.0
"""Mean change in the garment's region, 0–255, below which the LoRA does nothing."""
LEAK = 6.0
"""Mean change elsewhere, 0–255, above which it leaks."""
NEAR = 3.0
"""CIEDE2000 that counts: so far above the best strength's a strength is no longer usable, and so
far above the words alone a LoRA does harm."""
FAR = 20.0
"""CIEDE2000 from the card's colours above which the garment has the wrong colours."""
SCENE, POSE = "studio", "standing"
SEASON: dict[Season, float] = {"spring-autumn": 1.0}
LEAST = 60
"""Pixels of a garment, of 256 x 384, from which on it is compared with its photos."""
_BESIDE = {
    "top": ("indigo-straight-jeans",),
    "bottom": ("white-cotton-tee",),
    "onepiece": (),
}
"""Starter garments worn beside one of each slot; to all other slots both."""


@dataclass(frozen=True)
class Trial:
    """One strength."""

    strength: float
    inside: float
    """Mean absolute change of the garment's pixels against the LoRA off, 0–255."""
    person: float
    """The same on skin and hair."""
    elsewhere: float
    """The same on all that is not the garment."""
    color: float
    """Median CIEDE2000 of the garment's pixels to the nearest of the card's colours."""
    look: float = 0.0
    """How unlike its photos it is, 0–2: one less the cosine by which the picture–words pair sees
    kind, colours and pattern together; 0 where there are no photos, or not of the drawn world."""


@dataclass(frozen=True)
class Report:
    """What the trials came to."""

    off_color: float
    """``Trial.color`` with the LoRA off: what the words alone give."""
    off_look: float
    """``Trial.look`` with the LoRA off."""
    trials: tuple[Trial, ...]
    strength: float
    """The preferred one."""
    usable: tuple[float, float]
    """Least and most."""
    flags: tuple[str, ...]
    """``weak``, ``overcooked``, ``leaks into the person``, ``leaks``, ``wrong colours``."""
    sheet: np.ndarray
    """LoRA off and each strength side by side, a row for each seed, uint8 ``(H, W, 3)``."""

    @property
    def wearable(self) -> bool:
        """Whether the garment may be offered; an overcooked one may, at its preferred strength."""
        return not set(self.flags) - {"overcooked"}

    def facts(self) -> dict[str, Any]:
        """Everything but the pictures, as JSON."""
        return {
            "wearable": self.wearable,
            "strength": self.strength,
            "usable": list(self.usable),
            "flags": list(self.flags),
            "off_color": self.off_color,
            "off_look": self.off_look,
            "trials": [vars(t) for t in self.trials],
        }


def examine(
    card: Garment,
    lora: Path,
    base: Base,
    *,
    engine: Engine | None = None,
    photos: Sequence[np.ndarray] = (),
    steps: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Draw the garment with the LoRA of file ``lora`` off and at each of ``STRENGTHS``, by seed.

    ``photos``: the garment's own, uint8 ``(H, W, 3)``, which it is compared with.

    ``progress`` is called with how many pictures are drawn, and how many there are; what it raises
    ends the examination. ``engine``: one that was made over ``base`` already.

    Raises ``BadValue`` when the file is no LoRA for this base.
    """
    from tools.engine import Engine

    # 1. the outfit
    sha = check_lora_file(lora.read_bytes(), base=base.name).sha256
    layout, _ = fitting(card)
    # 2. the pictures
    engine = engine or Engine(base)
    rows, columns = layout.regions.shape
    cells = [(seed, strength) for seed in SEEDS for strength in (0.0, *STRENGTHS)]
    drawn = []
    for i, (seed, strength) in enumerate(cells):
        if progress:
            progress(i, len(cells))
        big = worn(card, lora, sha, strength, engine, card.phrase, seed=seed, steps=steps)
        drawn.append(cv2.resize(big, (columns, rows), interpolation=cv2.INTER_AREA))
    # 3. the verdict
    by_seed = [drawn[i : i + 1 + len(STRENGTHS)] for i in range(0, len(drawn), 1 + len(STRENGTHS))]
    own = _embedded(photos) if base.name == "croquis" else None
    trials = tuple(
        _mean([_trial(strength, row[i], row[0], layout, card, own) for row in by_seed])
        for i, strength in enumerate(STRENGTHS, 1)
    )
    off = _mean([_trial(0.0, row[0], row[0], layout, card, own) for row in by_seed])
    sheet = np.concatenate([np.concatenate(row, 1) for row in by_seed])
    return judged(off.color, trials, sheet, off.look)


def sample(
    card: Garment, lora: Path, engine: Engine, prompt: str, *, seed: int = SEEDS[0]
) -> np.ndarray:
    """The garment worn with the LoRA of file ``lora`` at strength 1, uint8 ``(H, W, 3)``.

    ``prompt``: what the garment's region is told.
    """
    sha = check_lora_file(lora.read_bytes(), base=engine.base.name).sha256
    return worn(card, lora, sha, 1.0, engine, prompt, seed=seed)


def worn(
    card: Garment,
    lora: Path,
    sha256: str,
    strength: float,
    engine: Engine,
    prompt: str,
    *,
    seed: int = SEEDS[0],
    steps: int | None = None,
    guided: bool = False,
) -> np.ndarray:
    """One picture of the trial, as ``sample`` has it; at strength 0 the LoRA is off.

    ``guided``: held to the cards' colours, as looks are. Trials are not: they tell what the LoRA
    brings by itself.
    """
    from tools.color_guidance import colors_of
    from tools.engine import Job, LoraUse

    base = engine.base.name
    layout, phrases = fitting(card)
    phrases = (*phrases[:2], prompt, *phrases[3:])
    loras = (LoraUse(lora, sha256, strength, 2),) if strength else ()
    held = tuple(colors_of(g) for g in outfit(card)) if guided else ()
    job = Job(layout, phrases, loras, seed, steps or STEPS[base], GUIDANCE[base], colors=held)
    return engine.draw(job).picture


def outfit(card: Garment) -> tuple[Garment, ...]:
    """The garment and what is worn beside it in the trial."""
    known = {g.id: g for g in starter_garments()}
    beside = _BESIDE.get(card.slot, ("white-cotton-tee", "indigo-straight-jeans"))
    return card, *(known[id] for id in beside)


def fitting(card: Garment) -> tuple[Layout, tuple[str, ...]]:
    """Somebody who wears the garment and what goes beside it, and the words that say so."""
    garments, person = outfit(card), Person()
    layout = lay_out(garments, person, POSE, SEASON)
    return layout, (SCENE, person_phrase(person), *(g.phrase for g in garments))


def judged(
    off_color: float, trials: tuple[Trial, ...], sheet: np.ndarray, off_look: float = 0.0
) -> Report:
    """The report that ``trials``, weakest first, amount to."""
    # 1. strengths that leave the rest alone, and of those the ones near the best colours
    clean = [t for t in trials if t.elsewhere <= LEAK and t.person <= LEAK] or [trials[0]]
    best = min(clean, key=lambda t: (t.color, abs(t.strength - 1.0)))
    usable = [t.strength for t in clean if t.color <= best.color + NEAR]
    # 2. of equally good ones, that which is nearest to 1
    alike = [t for t in clean if t.color <= best.color + 0.5]
    chosen = min(alike, key=lambda t: abs(t.strength - 1.0))
    flags = []
    if chosen.inside < EFFECT:
        flags.append("weak")
    if trials[-1].color > best.color + 2 * NEAR:
        flags.append("overcooked")
    if chosen.person > LEAK:
        flags.append("leaks into the person")
    if chosen.elsewhere > LEAK:
        flags.append("leaks")
    never_came = chosen.color > FAR and chosen.color > off_color - NEAR
    if never_came or chosen.color > off_color + NEAR:
        flags.append("wrong colours")
    return Report(
        off_color,
        off_look,
        trials,
        chosen.strength,
        (min(usable), max(usable)),
        tuple(flags),
        sheet,
    )


def _trial(
    strength: float,
    picture: np.ndarray,
    off: np.ndarray,
    layout: Layout,
    card: Garment,
    own: np.ndarray | None,
) -> Trial:
    change = np.abs(picture.astype(np.int16) - off).mean(2)
    mask = layout.mask(0)
    around = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    body = ((layout.regions == SKIN) | (layout.regions == HAIR)) & ~around

    def mean(where: np.ndarray) -> float:
        return round(float(change[where].mean()), 3) if where.any() else 0.0

    color = _color_distance(picture, mask, card)
    look = 0.0
    if own is not None and mask.sum() >= LEAST:
        look = round(float(1 - embed(picture, mask) @ own), 4)
    return Trial(strength, mean(mask), mean(body), mean(~around), color, look)


def _embedded(photos: Sequence[np.ndarray]) -> np.ndarray | None:
    """Unit vector of what the photos show; None where that cannot be told."""
    try:
        seen = [embed(p, mask) for p in photos if (mask := cut_out(p)).sum() >= LEAST]
    except ModelUnavailable:
        return None
    if not seen:
        return None
    middle = np.mean(seen, 0)
    return middle / max(float(np.linalg.norm(middle)), 1e-9)


def _mean(trials: Sequence[Trial]) -> Trial:
    """One strength's trials from several seeds."""
    table = np.array([list(vars(t).values()) for t in trials])
    return Trial(*(round(float(v), 3) for v in table.mean(0)))


def _color_distance(picture: np.ndarray, mask: np.ndarray, card: Garment) -> float:
    inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    inner = inner if inner.sum() > 50 else mask
    if not inner.any():
        return 0.0
    seen = srgb_to_lab(picture[inner])
    said = srgb_to_lab(np.array([hex_to_rgb(c) for c in card.cloth.colors]))
    nearest = np.min([delta_e(seen, color) for color in said], 0)
    return round(float(np.median(nearest)), 3)
