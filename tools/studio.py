"""Studio: the tools as methods with typed arguments, for people, our agent and other agents."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.croquis.drawing import person_phrase
from catalog.croquis.figure import Person
from catalog.errors import BadValue, Damaged, StylistError, UnknownName
from catalog.garment import Garment, Slot
from catalog.index import Catalog
from tools import blend
from tools.layout import Layout, lay_out
from tools.look import AdapterUse, Look, PersonSpec, Plan, Receipt
from tools.outfit import Outfit, Wish, choose

if TYPE_CHECKING:
    from tools.engine import Engine, Job

LOOK_ID = re.compile(r"look-[0-9a-f]{16}")


@dataclass(frozen=True)
class Progress:
    """Where a render is. ``preview`` is uint8 ``(H, W, 3)`` or None."""

    stage: str
    step: int
    steps: int
    preview: np.ndarray | None = None


@dataclass(frozen=True)
class ReplayResult:
    same: bool
    max_difference: int
    """Largest difference of any pixel channel, 0–255."""
    message: str
    image: str
    """Where the redrawn picture was written."""


class Studio:
    """One catalog, one engine, one folder of looks. Safe to call from several threads."""

    def __init__(
        self,
        home: Path,
        *,
        base: str = "croquis",
        threads: int | None = None,
        models: Path | None = None,
    ) -> None:
        self.home = home
        self.base = base
        self.models = models
        """Where the models of a hub base lie, if not in the hub's cache."""
        self.threads = threads or os.cpu_count() or 1
        self.catalog = Catalog(home)
        self._engine: Engine | None = None
        self._loading = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine, loaded on first need."""
        with self._loading:
            if self._engine is None:
                import torch

                from tools.engine import Engine

                torch.set_num_threads(self.threads)
                device = "cuda" if self.base != "croquis" and torch.cuda.is_available() else "cpu"
                self._engine = Engine.load(self.base, device, self.models)
            return self._engine

    def find_garments(
        self,
        text: str = "",
        slot: Slot | None = None,
        season: str | None = None,
        color: str | None = None,
        category: str | None = None,
        min_formality: float = 0.0,
        max_formality: float = 1.0,
        max_price: float | None = None,
        limit: int = 8,
    ) -> list[Garment]:
        """Garments of the catalog that fit the words and filters, best first.

        Raises:
            UnknownName: a filter word that does not exist; the nearest ones are named.
            BadValue: text too long, or a limit outside 1–50.
        """
        found = self.catalog.find(
            text,
            slot=slot,
            season=season,
            color=color,
            category=category,
            min_formality=min_formality,
            max_formality=max_formality,
            max_price=max_price,
            limit=limit,
        )
        return [garment for garment, _ in found]

    def plan_outfit(self, wish: Wish) -> Outfit:
        """The best outfit for a wish, with reasons, assumptions and what could not be met."""
        return choose(wish, self.catalog.all())

    def render_look(
        self,
        plan: Plan,
        *,
        thread: str | None = None,
        parent: str | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Look:
        """Draw the plan and keep the look with its receipt.

        Raises:
            UnknownName: a garment, pose or scene that does not exist.
            BadValue: two garments for one slot, or a garment whose LoRA is not trained yet.
            Damaged: a weight or LoRA file is not what its hash says.
            Cancelled: ``cancel`` was set; nothing was kept.
        """
        tell = progress or (lambda _: None)
        started = time.perf_counter()
        # 1. what exists, and the numbers the plan leaves open
        garments = [self.catalog.get(worn.id) for worn in plan.garments]
        _check_slots(garments)
        plan = plan.settled(self.base)
        steps = plan.steps or 0
        # 2. layout
        tell(Progress("layout", 0, steps))
        layout = lay_out(garments, _person(plan.person), plan.pose, plan.season)
        # 3. strengths, frozen
        tell(Progress("adapters", 0, steps))
        adapters = self._adapters(plan, garments, layout)
        planned = time.perf_counter()
        job = self._job(plan, garments, layout, adapters)
        engine = self.engine
        loaded = time.perf_counter()
        # 4. draw
        render = engine.draw(
            job,
            on_step=(lambda n, of, image: tell(Progress("draw", n, of, image)))
            if progress
            else None,
            cancel=cancel,
        )
        # 5. keep
        tell(Progress("save", steps, steps))
        drawn = time.perf_counter()
        look = self._keep(plan, layout, adapters, engine, render.picture, thread, parent)
        seconds = {
            "layout": planned - started,
            "load": loaded - planned,
            **render.seconds,
            "save": time.perf_counter() - drawn,
            "total": time.perf_counter() - started,
        }
        return look.model_copy(update={"seconds": {k: round(v, 4) for k, v in seconds.items()}})

    def look(self, id: str) -> Look:
        """A look by its id. Raises UnknownName."""
        folder = self.home / "looks" / str(id)
        if not LOOK_ID.fullmatch(str(id)) or not (folder / "receipt.json").exists():
            raise UnknownName.among("look", id, [p.name for p in self._look_folders()][-40:])
        return Look(id=id, folder=str(folder), receipt=read_receipt(folder / "receipt.json"))

    def looks(self, thread: str | None = None) -> list[Look]:
        """All looks, or those of one thread, oldest first."""
        found = [self.look(p.name) for p in self._look_folders()]
        found = [x for x in found if thread is None or x.receipt.thread == thread]
        return sorted(found, key=lambda x: x.receipt.created)

    def replay(self, receipt: Path | str) -> ReplayResult:
        """Redraw a look from its receipt alone and compare hashes of the pixels.

        The old picture is not needed and not read until the new one is drawn.

        Raises:
            Damaged: the receipt, a weight file or a LoRA is not what it was.
        """
        path = Path(receipt)
        old = read_receipt(path)
        if old.base_sha256 != self.engine.base.sha256:
            raise Damaged(
                "The base's weights are not those of the receipt.",
                "Install the version named in the receipt's `versions`.",
            )
        import torch

        torch.set_num_threads(int(old.versions.get("threads", self.threads)))
        garments = [self.catalog.get(worn.id) for worn in old.plan.garments]
        layout = lay_out(garments, _person(old.plan.person), old.plan.pose, old.plan.season)
        if layout.sha256 != old.control_sha256:
            return ReplayResult(
                False, 255, "The layout differs: the garments' cards or the wardrobe changed.", ""
            )
        job = self._job(old.plan, garments, layout, old.adapters)
        picture = self.engine.draw(job).picture
        torch.set_num_threads(self.threads)
        out = path.with_name("replay.png")
        _write_png(out, picture)
        if _pixels_sha256(picture) == old.picture_sha256:
            return ReplayResult(True, 0, "The same picture, to the pixel.", str(out))
        largest = 255
        if (path.parent / "look.png").exists():
            from PIL import Image

            before = np.asarray(Image.open(path.parent / "look.png").convert("RGB"), np.int16)
            largest = int(np.abs(before - picture.astype(np.int16)).max())
        message = f"The picture differs by up to {largest} of 255."
        return ReplayResult(False, largest, message, str(out))

    # --- the steps of render_look -------------------------------------------------------------

    def _adapters(
        self, plan: Plan, garments: list[Garment], layout: Layout
    ) -> tuple[AdapterUse, ...]:
        coverage = [float(layout.mask(i).mean()) for i in range(len(garments))]
        strengths = blend.garment_strengths(garments, plan.garments, coverage)
        uses = []
        for i, (garment, strength) in enumerate(zip(garments, strengths, strict=True)):
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
            uses.append(
                AdapterUse(
                    name=garment.id,
                    kind="garment",
                    sha256=garment.lora_sha256,
                    weight=strength,
                    region=i,
                )
            )
        seasons = blend.season_strengths(plan.season, plan.season_strength)
        for season, weight in seasons.items() if self.base == "croquis" else ():
            sha = self.catalog.season_sha256(season)
            uses.append(
                AdapterUse(name=season, kind="season", sha256=sha, weight=weight, region=None)
            )
        return tuple(uses)

    def _job(
        self,
        plan: Plan,
        garments: list[Garment],
        layout: Layout,
        adapters: tuple[AdapterUse, ...],
    ) -> Job:
        from tools.engine import Job, LoraUse

        plan = plan.settled(self.base)
        loras = []
        for use in adapters:
            if use.kind == "garment":
                path = self.catalog.lora(use.name, use.sha256)
                region = 2 + (use.region or 0)
            else:
                # a season works where no garment is: scene, light and palette, never the clothes
                path, region = self.catalog.season_lora(use.name, use.sha256), 0
            loras.append(LoraUse(path, use.sha256, use.weight, region))
        scene = plan.scene
        if self.base != "croquis":
            # without seasonal LoRAs of its own a base is told the season in words
            scene = f"{max(plan.season, key=lambda s: plan.season[s])} {scene}"
        phrases = (scene, person_phrase(_person(plan.person)), *(g.phrase for g in garments))
        return Job(
            layout=layout,
            phrases=phrases,
            loras=tuple(loras),
            seed=plan.seed,
            steps=plan.steps or 0,
            guidance=plan.guidance or 0.0,
            control_weight=plan.control_weight,
            control_start=plan.control_start,
            control_end=plan.control_end,
        )

    def _keep(
        self,
        plan: Plan,
        layout: Layout,
        adapters: tuple[AdapterUse, ...],
        engine: Engine,
        picture: np.ndarray,
        thread: str | None,
        parent: str | None,
    ) -> Look:
        facts: dict[str, Any] = {
            "plan": plan.model_dump(mode="json"),
            "base": self.base,
            "base_sha256": engine.base.sha256,
            "adapters": [a.model_dump(mode="json") for a in adapters],
            "control_sha256": layout.sha256,
            "picture_sha256": _pixels_sha256(picture),
            "width": picture.shape[1],
            "height": picture.shape[0],
            "versions": _versions(self.threads),
            "parent": parent,
            "thread": thread,
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        id = f"look-{digest[:16]}"
        receipt = Receipt(
            look_id=id, created=datetime.now(UTC).isoformat(timespec="milliseconds"), **facts
        )
        folder = self.home / "looks" / id
        if not (folder / "receipt.json").exists():
            partial = folder.with_name(f".{id}.{os.getpid()}.{threading.get_ident()}")
            partial.mkdir(parents=True, exist_ok=True)
            _write_png(partial / "look.png", picture)
            _write_png(partial / "layout.png", _layout_picture(layout))
            (partial / "receipt.json").write_text(receipt.model_dump_json(indent=1))
            try:
                os.rename(partial, folder)
            except OSError:
                # somebody drew the very same look in the same moment: theirs is ours
                import shutil

                shutil.rmtree(partial, ignore_errors=True)
                if not (folder / "receipt.json").exists():
                    raise
        return Look(id=id, folder=str(folder), receipt=receipt)

    def _look_folders(self) -> list[Path]:
        folder = self.home / "looks"
        return sorted(folder.glob("look-*")) if folder.exists() else []


def read_receipt(path: Path) -> Receipt:
    """A receipt file. Raises UnknownName when it is not there, Damaged when it cannot be read."""
    if not path.is_file():
        raise UnknownName(f"There is no receipt at {path}.", "Each look's folder holds one.")
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except StylistError:
        raise
    except ValueError as error:
        raise Damaged(f"The receipt {path.name} cannot be read.", "Draw the look again.") from error


def _check_slots(garments: list[Garment]) -> None:
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


def _person(spec: PersonSpec) -> Person:
    return Person(**spec.model_dump())


def _pixels_sha256(picture: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()


def _write_png(path: Path, picture: np.ndarray) -> None:
    from PIL import Image

    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        Image.fromarray(picture).save(file, format="PNG", compress_level=3)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _layout_picture(layout: Layout) -> np.ndarray:
    """Region numbers as greys, edges white: what the ControlNet was told, to look at."""
    grey = (layout.regions.astype(np.uint16) * 18).clip(0, 220).astype(np.uint8)
    return np.maximum(grey.repeat(2, 0).repeat(2, 1), layout.edges)


def _versions(threads: int) -> dict[str, str]:
    names = ("torch", "diffusers", "peft", "transformers", "numpy", "skia-python")
    return {name: version(name) for name in names} | {"threads": str(threads)}
