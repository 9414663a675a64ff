"""Renders of the bench's outfits, drawn by the studio, made once and kept in a temporary folder.

The folder is named by all that decides a pixel: base, LoRAs, versions, threads; the files in it by
the plan. So figures, and later runs with the same weights, share them.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bench.figures import NotYet, once
from bench.measure import shrunk
from catalog.base import base_sha256, base_status, part_sha256, usual_threads
from catalog.croquis.maps import FIRST_PHRASE
from catalog.errors import StylistError
from catalog.starter import starter_garments, starter_seasons
from tools.look import Plan

if TYPE_CHECKING:
    from tools.engine import Job
    from tools.studio import Studio


@dataclass(frozen=True)
class Swap:
    """The LoRA of garment ``index`` exchanged for that of the starter garment ``other``."""

    index: int
    other: str


def render(plan: Plan, swap: Swap | None = None, called: int | None = None) -> np.ndarray:
    """The render of ``plan`` at 256 x 384, uint8 ``(384, 256, 3)``.

    Args:
        called: index of a garment that is asked for by its trigger and kind alone.

    Raises:
        NotYet: weights or LoRAs are missing.
    """
    facts = [plan.model_dump(mode="json"), [swap.index, swap.other] if swap else None, called]
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
    path = _folder() / f"{name}.png"
    if not path.exists():
        picture = shrunk(draw(plan, swap, called), 2)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        Image.fromarray(picture).save(partial, format="PNG")
        os.replace(partial, path)
    return np.asarray(Image.open(path).convert("RGB"))


def draw(plan: Plan, swap: Swap | None = None, called: int | None = None) -> np.ndarray:
    """Draw ``plan`` now, uint8 ``(768, 512, 3)``."""
    try:
        return studio().engine.draw(job(plan, swap, called)).picture
    except StylistError as error:
        raise NotYet(str(error)) from error


def job(plan: Plan, swap: Swap | None = None, called: int | None = None) -> Job:
    """What the studio would hand to its engine for ``plan``."""
    room = studio()
    plan = plan.settled(room.base)
    layout = room.briefs.layout(plan)
    # the studio's own steps: what is measured is what it does
    adapters = room.briefs.adapters(plan, layout)
    if swap is not None:
        sha = room.catalog.get(swap.other).lora_sha256
        changed: list[Any] = list(adapters)
        changed[swap.index] = adapters[swap.index].model_copy(
            update={"name": swap.other, "sha256": sha}
        )
        adapters = tuple(changed)
    made = room.briefs.job(plan, layout, adapters)
    if called is not None:
        phrases = list(made.phrases)
        phrases[FIRST_PHRASE + called] = room.briefs.garments(plan)[called].call
        made = replace(made, phrases=tuple(phrases))
    return made


def unguided(plan: Plan) -> Plan:
    """``plan`` with no garment held to its card's colours: what its words and its LoRA make of it,
    for figures of the LoRA itself."""
    return plan.model_copy(update={"color_weight": 0.0})


def without_lora(plan: Plan, index: int) -> Plan:
    """``plan`` with the LoRA of garment ``index`` switched off, all else the same."""
    worn = list(plan.garments)
    worn[index] = worn[index].model_copy(update={"strength": 0.0})
    return plan.model_copy(update={"garments": tuple(worn)})


@once
def studio() -> Studio:
    """One studio over a home of its own, with the starter catalog in it."""
    ready()
    from tools.studio import Studio

    return Studio(_folder() / "home")


def ready() -> None:
    """Raises NotYet when renders cannot be made here."""
    status = base_status()
    if not status["present"] or status["damaged"]:
        raise NotYet("the base is not trained" if not status["present"] else "the base is damaged")
    missing = [g.id for g in starter_garments() if not g.lora_sha256]
    if missing:
        raise NotYet(f"{len(missing)} of the starter garments have no LoRA")
    if len(starter_seasons()) < 3:
        raise NotYet("the seasons have no LoRA")


@once
def _folder() -> Path:
    """Named by base, LoRAs and what else decides pixels."""
    from importlib.metadata import version

    facts = {
        "base": base_sha256(),
        "garments": [g.model_dump_json() for g in starter_garments()],
        "seasons": starter_seasons(),
        "sampler": [part_sha256("few-steps")],
        "versions": [version(p) for p in ("torch", "diffusers", "numpy", "skia-python")],
        "drawing": _code_hash(),
        "threads": usual_threads(),
    }
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"stylist-bench-{name}"
    folder.mkdir(exist_ok=True)
    return folder


def _code_hash() -> str:
    """Of the code that turns a plan into pixels."""
    root = Path(__file__).parents[1]
    files = [p for p in (root / "catalog/croquis").glob("*.py") if not p.name.startswith("train_")]
    files += [root / "catalog" / f"{n}.py" for n in ("adapters", "base", "regions", "garment")]
    tools = (
        "blend", "brief", "color_guidance", "conditions", "engine", "few_steps", "layout", "look",
        "pose",
    )  # fmt: skip
    files += [root / "tools" / f"{n}.py" for n in tools]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()
