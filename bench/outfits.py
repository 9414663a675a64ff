"""The outfits that are drawn for measuring, and the drawn truth of each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from bench.figures import once
from bench.judge_pictures import classes_of
from bench.measure import eroded
from catalog.croquis import drawing, scene
from catalog.croquis.figure import POSES, Person
from catalog.garment import SEASONS, Garment
from catalog.starter import starter_garments
from tools import pose
from tools.layout import worn_shape
from tools.look import PersonSpec, Plan, Worn

COUNT = 40
HELD_OUT = 2**40 + 1_000_000
"""Persons and pictures of these outfits are drawn from seeds that no training uses."""
VISIBLE = 40
"""Pixels of a garment's eroded region, of 256 x 384, from which on the garment is measured."""


@dataclass(frozen=True)
class Outfit:
    """One outfit to draw: the plan, its garments in order, and its drawn truth."""

    plan: Plan
    garments: tuple[Garment, ...]
    picture: np.ndarray
    """Drawn truth, uint8 ``(384, 256, 3)``."""
    classes: np.ndarray
    """Its classes, uint8 ``(384, 256)``, numbers into ``judges.CLASSES``."""

    @property
    def visible(self) -> tuple[int, ...]:
        """Indices of the garments that can be measured."""
        return tuple(
            i
            for i, g in enumerate(self.garments)
            if eroded(self.classes == class_of(g)).sum() >= VISIBLE
        )


def class_of(garment: Garment) -> int:
    """The judges' class number of a garment."""
    from bench.judges import CLASSES

    return CLASSES.index(garment.slot)


@once
def outfits(group: int = 0) -> tuple[Outfit, ...]:
    """The outfits every figure is measured on: each starter garment is in one at least.

    Groups from 1 on have other persons and other combinations: to choose numbers on.
    """
    rng = np.random.default_rng(HELD_OUT if group == 0 else (HELD_OUT, group))
    closet: dict[str, deque[Garment]] = {}
    for garment in starter_garments():
        closet.setdefault(garment.slot, deque()).append(garment)
    for slot in closet:
        pieces = list(closet[slot])
        closet[slot] = deque(pieces[i] for i in rng.permutation(len(pieces)))
    return tuple(_outfit(i, closet, rng) for i in range(COUNT))


def _outfit(number: int, closet: dict[str, deque[Garment]], rng: np.random.Generator) -> Outfit:
    slots = ["onepiece"] if number % 5 == 4 else ["bottom", "top"]
    slots += ["footwear"]
    slots += ["outerwear"] if number % 5 < 3 else []
    slots += [s for k, s in enumerate(("headwear", "eyewear", "neckwear", "bag"))
              if (number + k) % 3 == 0]  # fmt: skip
    garments = []
    for slot in slots:
        garments.append(closet[slot][0])
        closet[slot].rotate(-1)
    for_men = all("men" in g.wearers for g in garments)
    for_women = all("women" in g.wearers for g in garments)
    person = drawing.sample_person(rng)
    words = {k: getattr(person, k) for k in ("body", "skin", "hair", "hair_color", "age", "seed")}
    words["presentation"] = "woman"
    if for_men:
        words["presentation"] = ("man", "person", "woman")[number % (3 if for_women else 1)]
    plan = Plan(
        garments=tuple(Worn(id=g.id) for g in garments),
        season={SEASONS[number % 3]: 1.0},
        pose=POSES[number % len(POSES)],
        scene=scene.SCENES[(number * 7 + number // 10) % len(scene.SCENES)],
        person=PersonSpec(**words),
        seed=int(rng.integers(2**31)),
    )
    drawn = draw_truth(plan, tuple(garments))
    assert drawn.picture is not None
    picture = np.ascontiguousarray(drawn.picture)
    return Outfit(plan, tuple(garments), picture, classes_of(drawn))


def draw_truth(plan: Plan, garments: tuple[Garment, ...]) -> drawing.Drawing:
    """What the render of ``plan`` should look like, drawn from the garments' cards."""
    person = Person(**plan.person.model_dump())
    return drawing.draw(
        drawing.Worn(
            person=person,
            pose=pose.fitted(plan.pose, person),
            outfit=tuple((worn_shape(g.shape, plan.season), g.cloth) for g in garments),
            scene=plan.scene,
            season=tuple(plan.season.items()),
            seed=person.seed,
            sleeves_rolled=plan.season.get("summer", 0.0) > 0.5,
        )
    )
