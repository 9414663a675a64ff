"""A brief: what a plan comes to for the engine: cards, layout, strengths, LoRA files and words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from catalog.croquis.drawing import person_phrase
from catalog.croquis.figure import Person
from catalog.errors import BadValue
from catalog.garment import Garment
from catalog.index import Catalog
from tools import blend, few_steps, touch_up
from tools.color_guidance import colors_of
from tools.edge_map import unpacked
from tools.layout import Layout, Window, lay_out
from tools.look import AdapterUse, Plan, Touch
from tools.outfit import Wish, check

if TYPE_CHECKING:
    from tools.engine import Job


class Briefs:
    """Makes plans ready for the engine, from one catalog and for one base."""

    def __init__(self, catalog: Catalog, base: str) -> None:
        self.catalog, self.base = catalog, base

    def garments(self, plan: Plan) -> list[Garment]:
        """The cards of a plan's garments, as they are worn in it. Raises UnknownName."""
        return [worn.of(self.catalog.get(worn.id)) for worn in plan.garments]

    def layout(self, plan: Plan, window: Window | None = None) -> Layout:
        """Where each garment is on this person; ``window``: of that part of the picture."""
        person = Person(**plan.person.model_dump())
        down = [i for i, worn in enumerate(plan.garments) if worn.sleeves == "long"]
        return lay_out(self.garments(plan), person, plan.pose, plan.season, window, down)

    def colors_sha256(self, plan: Plan) -> str:
        """Of what the garments of ``plan`` are held to."""
        held = [colors_of(garment) for garment in self.garments(plan)]
        return hashlib.sha256(repr((held, plan.color_weight)).encode()).hexdigest()

    def adapters(self, plan: Plan, layout: Layout) -> tuple[AdapterUse, ...]:
        """The LoRAs at work: a garment's, in order, then the seasons', then the sampler's.

        Raises BadValue for a garment whose LoRA is not trained, or was for another base.
        """
        # the cards, not the garments as they are worn: a LoRA knows the colour of its card
        cards = [self.catalog.get(worn.id) for worn in plan.garments]
        coverage = [float(layout.mask(i).mean()) for i in range(len(cards))]
        strengths = blend.garment_strengths(cards, plan.garments, coverage)
        uses = [
            AdapterUse(name=card.id, kind="garment", sha256=self._trained(card), weight=strength,
                       region=i)
            for i, (card, strength) in enumerate(zip(cards, strengths, strict=True))
        ]  # fmt: skip
        seasons = blend.season_strengths(plan.season, plan.season_strength)
        for season, weight in seasons.items() if self.base == "croquis" else ():
            sha = self.catalog.season_sha256(season)
            uses.append(
                AdapterUse(name=season, kind="season", sha256=sha, weight=weight, region=None)
            )
        sampler = few_steps.adapter(plan, self.base)
        return tuple(uses) if sampler is None else (*uses, sampler)

    def job(self, plan: Plan, layout: Layout, adapters: Sequence[AdapterUse]) -> Job:
        """What the engine draws of a settled plan. Raises Damaged for a LoRA that changed."""
        from tools.engine import Job, LoraUse

        loras = []
        for use in adapters:
            if use.kind == "garment":
                path = self.catalog.lora(use.name, use.sha256)
                region = 2 + (use.region or 0)
            elif use.kind == "sampler":
                path, region = few_steps.checked_file(use, self.base), -1
            else:
                # a season works where no garment is: scene, light and palette, never the clothes
                path, region = self.catalog.season_lora(use.name, use.sha256), 0
            loras.append(LoraUse(path, use.sha256, use.weight, region))
        return Job(
            layout=layout,
            phrases=self._phrases(plan),
            loras=tuple(loras),
            seed=plan.seed,
            steps=plan.steps or 0,
            guidance=plan.guidance or 1.0,
            control=plan.control,
            controls=plan.controls,
            edges=None if plan.edges is None else unpacked(plan.edges),
            colors=tuple(colors_of(garment) for garment in self.garments(plan)),
            color_weight=plan.color_weight,
        )

    def touched(self, job: Job, plan: Plan, mask: np.ndarray, touch: Touch) -> Job:
        """``job`` as a touch-up draws it: from noise of its own, of the masked part alone, where
        that is asked for."""
        if touch.seed is not None:
            job = replace(job, seed=touch.seed)
        # a touch that keeps half of what was there keeps half of its colour
        usual = min(touch_up.STRENGTHS[touch.content], touch_up.RECOLORED)
        job = replace(job, color_weight=job.color_weight * min(1.0, touch.strength / usual))
        window = touch_up.window(mask, touch)
        return job if window is None else touch_up.closer(job, self.layout(plan, window), window)

    def _trained(self, garment: Garment) -> str:
        """The hash of its LoRA."""
        if not garment.lora_sha256:
            raise BadValue(
                f"{garment.name} has no trained LoRA yet.",
                f"Train it: stylist catalog train {garment.id}.",
            )
        if garment.base != self.base:
            raise BadValue(
                f"{garment.name} was trained for the base {garment.base}.",
                f"A LoRA works only on its own base; set STYLIST_BASE={garment.base}.",
            )
        return garment.lora_sha256

    def _phrases(self, plan: Plan) -> tuple[str, ...]:
        scene = plan.scene
        if self.base != "croquis":
            # without seasonal LoRAs of its own a base is told the season in words
            scene = f"{max(plan.season, key=lambda s: plan.season[s])} {scene}"
        person = person_phrase(Person(**plan.person.model_dump()))
        return (scene, person, *(g.phrase for g in self.garments(plan)))


def check_slots(garments: Sequence[Garment]) -> None:
    """Raises BadValue for two garments in one place."""
    by_slot: dict[str, str] = {}
    for garment in garments:
        if garment.slot in by_slot:
            raise BadValue(
                f"{by_slot[garment.slot]} and {garment.name} are both {garment.slot}.",
                "Choose one of them.",
            )
        by_slot[garment.slot] = garment.name
    if "onepiece" in by_slot:
        for slot in ("top", "bottom"):
            if slot in by_slot:
                raise BadValue(
                    f"{by_slot['onepiece']} and {by_slot[slot]} cannot be worn together.",
                    "Choose the onepiece or the separate pieces.",
                )


def check_complete(garments: list[Garment]) -> None:
    """Raises BadValue for what nobody may be drawn in; the weather is the caller's to judge."""
    wrong = [v for v in check(garments, Wish()) if v.kind in ("incomplete", "unavailable")]
    if wrong:
        said = "; ".join(dict.fromkeys(v.message for v in wrong))
        raise BadValue(
            f"This outfit cannot be drawn: {said}.",
            "Add or exchange garments; plan_outfit finds whole outfits.",
        )
