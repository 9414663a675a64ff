"""Studio: the tools as methods with typed arguments, for people, our agent and other agents."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from catalog.base import device_for, usual_threads
from catalog.errors import BadValue
from catalog.garment import Garment, Length, Sleeves, Slot
from catalog.index import MAX_LIMIT, Catalog
from tools import mask as masks
from tools import selection, touch_up
from tools.brief import Briefs, check_complete, check_slots
from tools.edge_map import edge_map
from tools.garment_jobs import GarmentJobs
from tools.layout import Layout
from tools.look import STAGE, STANDING, AdapterUse, Look, PersonSpec, Plan, Touch, Worn
from tools.looks import Looks, pixels_sha256
from tools.outfit import Outfit, Wish, choose
from tools.pace import Pace
from tools.parts import Parts
from tools.replay import Replay, ReplayResult
from tools.segment import Segmenter
from tools.selection import Selection
from tools.uploads import Photo, Uploads

if TYPE_CHECKING:
    from tools.engine import Engine
    from tools.pose import Points
    from tools.pose_from_picture import PictureOfPose

Box = tuple[float, float, float, float]
Point = tuple[float, float, bool]


@dataclass(frozen=True)
class Progress:
    """Where a render is. ``preview`` is uint8 ``(H, W, 3)`` or None."""

    stage: str
    step: int
    steps: int
    preview: np.ndarray | None = None


@dataclass(frozen=True)
class DryRun:
    """What would be drawn for a wish, before anything is."""

    outfit: Outfit
    plan: Plan | None
    """None when the catalog holds nothing that fits: ``outfit.unmet`` says what is missing."""
    seconds: float | None
    """What drawing it will take here; None before the first look was drawn on this machine."""


class Studio:
    """One catalog, one engine, one folder of looks. Safe to call from several threads.

    ``owner`` names the caller on whose behalf a method is called: a caller sees its own looks and
    photos and no other's. None is the person at this machine, who sees every look.
    """

    def __init__(
        self,
        home: Path,
        *,
        base: str = "croquis",
        threads: int | None = None,
        models: Path | None = None,
        sam: Path | None = None,
    ) -> None:
        self.home = home
        self.base = base
        self.models = models
        """Where the models of a hub base lie, if not in the hub's cache."""
        self.sam = sam
        """An official SAM checkpoint; None = the croquis SAM."""
        self.threads = threads or usual_threads()
        self.catalog = Catalog(home)
        self.uploads = Uploads(home)
        self.garment_jobs = GarmentJobs(
            home, self.catalog, self.uploads, self.threads, base, models
        )
        self.pace = Pace(home)
        self.briefs = Briefs(self.catalog, base)
        self._looks = Looks(home)
        self.parts = Parts(self._looks, self.briefs, lambda: self.segmenter)
        self._engine: Engine | None = None
        self._segmenter: Segmenter | None = None
        self._loading, self._fetching = threading.Lock(), threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine, loaded on first need."""
        with self._loading:
            if self._engine is None:
                import torch

                from tools.engine import Engine

                torch.set_num_threads(self.threads)
                self._engine = Engine.load(self.base, device_for(self.base), self.models)
            return self._engine

    @property
    def segmenter(self) -> Segmenter:
        """The model that answers clicks, loaded on first need. Raises ModelUnavailable, Damaged."""
        with self._fetching:
            if self._segmenter is None:
                self._segmenter = Segmenter.load(self.sam)
            return self._segmenter

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
        order: str = "best",
        limit: int = 8,
        photo: str | None = None,
        owner: str | None = None,
    ) -> list[Garment]:
        """Garments of the catalog that fit the words and filters, in ``order`` (``index.ORDERS``).

        ``photo``: the id of a photo that was sent; what looks like it comes first.

        Raises:
            UnknownName: a filter word that does not exist; the nearest ones are named.
            BadValue: text too long, a limit outside 1–100000, or words and a photo at once.
        """
        if photo is not None and text:
            raise BadValue("There are both words and a photo.", "Search by one of them.")
        found = self.catalog.find(
            text,
            slot=slot,
            season=season,
            color=color,
            category=category,
            min_formality=min_formality,
            max_formality=max_formality,
            max_price=max_price,
            order=order,
            limit=limit if photo is None else MAX_LIMIT,
        )
        if photo is not None:
            fitting = {garment.id for garment, _ in found}
            picture = self.uploads.read(photo, owner)
            near = self.catalog.find_like(picture, slot=slot, limit=MAX_LIMIT)
            found = [(g, likeness) for g, likeness in near if g.id in fitting][:limit]
        return [garment for garment, _ in found]

    def garment(self, id: str) -> Garment:
        """One garment's whole card. Raises UnknownName naming the nearest."""
        return self.catalog.get(id)

    def upload_photo(self, data: bytes, *, owner: str | None = None) -> Photo:
        """Keep a photo (PNG, JPEG or WebP file) for a day; its id is what other tools take.

        Raises:
            BadValue: not such a picture, or too large.
            Busy: this caller keeps as many as it may.
        """
        return self.uploads.add(data, owner)

    def photo_pose(self, photo: str, *, owner: str | None = None) -> PictureOfPose:
        """How the person in a sent photo stands; ``points`` are what a plan takes as its pose.

        Raises:
            UnknownName: no such photo of this caller's.
            BadValue: nobody is seen, or not from the shoulders to the hips.
            ModelUnavailable: the model that reads photos is not installed.
        """
        from catalog.photo_file import photo_pixels
        from tools.pose_from_picture import pose_in

        return pose_in(photo_pixels(self.uploads.read(photo, owner)))

    def plan_outfit(self, wish: Wish) -> Outfit:
        """The best outfit for a wish, with reasons, assumptions and what could not be met."""
        return choose(wish, self.catalog.all())

    def dry_run(
        self,
        wish: Wish,
        *,
        pose: str | Points | None = None,
        scene: str | None = None,
        person: PersonSpec | None = None,
    ) -> DryRun:
        """The best outfit for a wish, the plan that would draw it, and how long that takes."""
        outfit = self.plan_outfit(wish)
        if not outfit.garments:
            return DryRun(outfit, None, None)
        usual = STAGE.get(outfit.occasion, STANDING)
        plan = Plan(
            garments=tuple(Worn(id=id) for id in outfit.ids),
            season=outfit.season,
            pose=pose or usual[0],
            scene=scene or usual[1],
            person=person or PersonSpec(presentation="man" if wish.who == "men" else "woman"),
        )
        return DryRun(outfit, plan, self.seconds_for(plan))

    def usual_seconds(self) -> float | None:
        """How long a look takes here; None before the first one."""
        plan = Plan(garments=(Worn(id="any"),))
        return self.seconds_for(plan)

    def seconds_for(self, plan: Plan) -> float | None:
        """How long drawing ``plan`` will take here; None before the first look."""
        asked = plan.evaluations(self.base)
        return self.pace.expect(self.base, asked, loaded=self._engine is not None)

    def render_look(
        self,
        plan: Plan,
        *,
        thread: str | None = None,
        parent: str | None = None,
        owner: str | None = None,
        complete: bool = False,
        edges_of: str | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Look:
        """Draw the plan and keep the look with its receipt.

        ``edges_of``: a photo of this caller's, whose edges become the plan's.
        ``complete``: refuse an outfit that leaves torso, legs or feet bare, or that holds what
        cannot be bought now, and a parent that there is not.

        Raises:
            UnknownName: a garment, pose, scene or ControlNet that does not exist, or a parent
                look.
            BadValue: two garments for one slot, a garment whose LoRA is not trained yet, or an
                incomplete outfit.
            Damaged: a weight or LoRA file is not what its hash says.
            Cancelled: ``cancel`` was set; nothing was kept.
        """
        tell = progress or (lambda _: None)
        started = time.perf_counter()
        # 1. what exists, and the numbers the plan leaves open
        garments = self.briefs.garments(plan)
        check_slots(garments)
        if complete:
            check_complete(garments)
        if parent is not None and (complete or owner is not None):
            self.look(parent, owner=owner)  # our own agent goes on after looks that were deleted
        if edges_of is not None:
            from catalog.photo_file import photo_pixels

            seen = photo_pixels(self.uploads.read(edges_of, owner))
            plan = plan.model_copy(update={"edges": edge_map(seen)})
        plan = plan.settled(self.base)
        steps = plan.steps or 0
        # 2. layout
        tell(Progress("layout", 0, steps))
        layout = self.briefs.layout(plan)
        # 3. strengths, frozen
        tell(Progress("adapters", 0, steps))
        adapters = self.briefs.adapters(plan, layout)
        planned = time.perf_counter()
        job = self.briefs.job(plan, layout, adapters)
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
        look = self._keep(
            plan, layout, adapters, render.picture, thread=thread, parent=parent, owner=owner
        )
        seconds = {
            "layout": planned - started,
            "load": loaded - planned,
            **render.seconds,
            "save": time.perf_counter() - drawn,
            "total": time.perf_counter() - started,
        }
        self.pace.learn(self.base, plan.evaluations(self.base), seconds)
        return look.model_copy(update={"seconds": {k: round(v, 4) for k, v in seconds.items()}})

    def segment(
        self,
        look: str | None = None,
        *,
        photo: str | None = None,
        garment: str | None = None,
        points: Sequence[Point] = (),
        box: Box | None = None,
        refine: np.ndarray | None = None,
        owner: str | None = None,
    ) -> Selection:
        """A part of a look or of a sent photo, by name, clicks or a box; nothing is changed.

        Args:
            garment: in a look: a garment's id, slot or kind. Needs no model.
            points: ``(x, y, keep)`` in the picture's own pixels; keep False takes away. One click
                on a garment of a look means that garment first, then what the SAM sees there.
            box: ``(x0, y0, x1, y1)``, likewise.
            refine: ``logits`` of an earlier candidate, to make it better by further points.

        Raises:
            UnknownName: no such look, photo or garment.
            BadValue: nothing is marked, or it lies outside the picture.
            ModelUnavailable: clicks need a SAM, and there is none.
        """
        if (look is None) == (photo is None):
            raise BadValue("Which picture is meant?", "Name a look or a photo, one of them.")
        if photo is not None:
            from catalog.photo_file import photo_pixels

            if garment is not None:
                raise BadValue("A photo's garments have no names.", "Give points or a box.")
            picture = photo_pixels(self.uploads.read(photo, owner))
            return self.parts.seen(picture, selection.prompt_of(points, box, refine))
        seen = self.look(look or "", owner=owner)
        if garment is not None:
            return self.parts.named(seen, garment)
        return self.parts.clicked(seen, selection.prompt_of(points, box, refine))

    def garment_masks(self, id: str, *, owner: str | None = None) -> dict[str, np.ndarray]:
        """Garment id → its mask in a look, bool ``(H, W)``, refined when there is a SAM.

        Raises UnknownName, also for another caller's look.
        """
        return self.parts.masks(self.look(id, owner=owner))

    def undo(self, id: str, *, owner: str | None = None) -> Look:
        """The look that ``id`` was made from. Raises BadValue when it is the first one."""
        look = self.look(id, owner=owner)
        if look.receipt.parent is None:
            raise BadValue(f"{id} is the first of its looks.", "There is nothing to undo.")
        return self.look(look.receipt.parent, owner=owner)

    def touch_up(
        self,
        id: str,
        *,
        garment: str | None = None,
        mask: np.ndarray | str | None = None,
        points: Sequence[Point] = (),
        box: Box | None = None,
        candidate: int = 0,
        inverted: bool = False,
        swap: str | None = None,
        color: str | None = None,
        sleeves: Sleeves | touch_up.Degree | None = None,
        length: Length | touch_up.Degree | None = None,
        strength: float | None = None,
        content: Literal["original", "noise", "fill"] = "original",
        feather: int = 6,
        padding: int | None = None,
        reshape: Sequence[str] = (),
        thread: str | None = None,
        owner: str | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Look:
        """Draw one part of a look again; every other pixel stays as it is, bit for bit.

        Without ``swap``, ``color``, ``sleeves`` and ``length`` the part is drawn anew as planned.

        Args:
            garment: which one changes: its id, slot or kind. Without it the one under the mask.
            mask: bool ``(768, 512)``, such a picture, or the id of one that was sent; without it
                and without clicks the garment's own region.
            points, box, candidate: clicks in place of a mask, as ``segment`` takes them, and which
                of its answers is meant.
            inverted: repaint all but the mask.
            swap: id of the garment to wear instead, of the same slot.
            strength: 0–1, how far the part is taken back to noise; None: ``STRENGTHS``, and
                ``RECOLORED`` for a colour alone. Folds stay even at 1, since the noise is that of
                the look; at half of it a change of colour comes half.
            content: what the drawing begins from: what is there, noise, or what lies around it.
            feather: pixels, 0–64, over which new and old are blended outside the mask.
            padding: pixels, 0–256: the part is drawn alone, enlarged, with so much around it.
            reshape: changes of the mask before it is used, in order: ``masks.RESHAPES``.

        Raises:
            UnknownName: no such look, or no such garment in it.
            BadValue: nothing is marked or would change, or a number outside its limits.
            ModelUnavailable: clicks need a SAM, and there is none.
            Damaged: the look's picture is not what its receipt says. Cancelled.
        """
        tell = progress or (lambda _: None)
        started = time.perf_counter()
        # 1. the look as it is, and which garment of it is meant
        touch_up.require_look(id, self.base)
        look = self.look(id, owner=owner)
        picture, plan = self._looks.picture(look), look.receipt.plan.as_final(self.base)
        reshaped = (swap, sleeves, length) != (None, None, None)
        touch = touch_up.checked(
            content, strength, plan.steps or 0, recolored=color is not None and not reshaped,
            feather=feather, padding=padding,
        )  # fmt: skip
        garments, before = self.briefs.garments(plan), self.briefs.layout(plan)
        if isinstance(mask, str):
            from catalog.photo_file import photo_pixels

            mask = photo_pixels(self.uploads.read(mask, owner), clear="black")
        marked = None if mask is None else masks.checked(mask, picture.shape[:2])
        clicked = bool(points) or box is not None
        if clicked:
            if marked is not None:
                raise BadValue("There are both a mask and clicks.", "Give one of them.")
            prompt = selection.prompt_of(points, box)
            marked = self.parts.clicked(look, prompt).candidate(candidate)
        if garment is not None:
            index = touch_up.index_of(garments, garment)
        elif marked is not None:
            index = touch_up.garment_at(before, marked)
        else:
            raise BadValue("Nothing is marked.", "Name a garment, or give a mask.")
        # 2. the changed plan, its layout, and the part that may change
        changes = reshaped or color is not None
        if changes:
            other = None if swap is None else self.catalog.get(swap)
            plan = touch_up.changed(plan, garments, index, swap=other, color=color,
                                    sleeves=sleeves, length=length)  # fmt: skip
        else:
            touch = touch.model_copy(update={"seed": touch_up.anew(id)})
        layout = self.briefs.layout(plan)
        if swap is None and color is None and changes:
            touch_up.require_other_shape(garments[index], before, layout)
        seen = self.parts.labels(look) == index + 1
        selection.require_seen(garments[index].name, seen, before.mask(index), layout.mask(index))
        reach = touch_up.region(seen, before, layout, index, touch.padding is not None)
        if marked is None or (clicked and np.array_equal(marked, seen)):
            marked = reach  # pointing at a garment means the garment
        elif clicked and reshaped:
            marked = marked | reach  # another shape needs room beyond what was clicked
        marked = masks.reshaped(marked, reshape)
        marked = masks.require_part(masks.invert(marked) if inverted else marked)
        if changes or garment is not None:
            touch_up.require_reach(marked, reach, garments[index])
        # 3. repaint and put the rest back
        adapters = self.briefs.adapters(plan, layout)
        touch = touch.model_copy(update={"mask_sha256": touch_up.mask_sha256(marked)})
        job = self.briefs.job(plan, layout, adapters)
        job = self.briefs.touched(job, plan, marked, touch)
        after, seconds = touch_up.repainted(
            self.engine, job, picture, marked, touch,
            on_step=lambda n, of, image: tell(Progress("draw", n, of, image)), cancel=cancel,
        )  # fmt: skip
        # 4. keep, as a child of the look it came from
        tell(Progress("save", job.steps, job.steps))
        child = self._keep(plan, layout, adapters, after, thread=thread or look.receipt.thread,
                           parent=id, owner=owner, touch=touch, mask=marked)  # fmt: skip
        seconds["total"] = time.perf_counter() - started
        return child.model_copy(update={"seconds": {k: round(v, 4) for k, v in seconds.items()}})

    def look(self, id: str, *, owner: str | None = None) -> Look:
        """A look by its id. Raises UnknownName, also for another caller's look."""
        return self._looks.get(id, owner)

    def looks(self, thread: str | None = None, *, owner: str | None = None) -> list[Look]:
        """All looks, or those of one thread or of one owner, oldest first."""
        return self._looks.all(thread, owner)

    def forget_looks(self, thread: str, *, owner: str | None = None) -> int:
        """Delete the looks that ``owner`` and nobody else had drawn in a thread; how many."""
        return self._looks.forget(thread, owner)

    def replay_look(
        self,
        id: str,
        *,
        owner: str | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> ReplayResult:
        """Redraw a look by its id and compare; raises as ``look`` and ``replay`` do."""
        look = self.look(id, owner=owner)
        return self.replay(look.receipt_file, progress=progress, cancel=cancel)

    def replay(
        self,
        receipt: Path | str,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> ReplayResult:
        """Redraw a look from its receipt alone and compare hashes of the pixels.

        The old picture is not needed and not read until the new one is drawn.

        Raises:
            Damaged: the receipt, a weight file or a LoRA is not what it was.
            Cancelled: ``cancel`` was set.
        """
        tell = progress or (lambda _: None)
        again = Replay(lambda: self.engine, self.briefs, self._looks, self.threads)
        return again.of(
            Path(receipt), lambda n, of, image: tell(Progress("draw", n, of, image)), cancel
        )

    def _keep(
        self,
        plan: Plan,
        layout: Layout,
        adapters: tuple[AdapterUse, ...],
        picture: np.ndarray,
        *,
        thread: str | None,
        parent: str | None,
        owner: str | None,
        touch: Touch | None = None,
        mask: np.ndarray | None = None,
    ) -> Look:
        facts: dict[str, Any] = {
            "plan": plan.model_dump(mode="json"),
            "base": self.base,
            "base_sha256": self.engine.base.sha256,
            "adapters": [a.model_dump(mode="json") for a in adapters],
            "control_sha256": layout.sha256,
            "colors_sha256": self.briefs.colors_sha256(plan),
            "picture_sha256": pixels_sha256(picture),
            "width": picture.shape[1],
            "height": picture.shape[0],
            "versions": _versions(self.threads),
            "parent": parent,
            "thread": thread,
            # part of the id: the same plan of two callers is two looks
            "owner": owner,
            "touch": None if touch is None else touch.model_dump(mode="json", exclude_none=True),
        }
        return self._looks.keep(facts, picture, layout, mask)


def _versions(threads: int) -> dict[str, str]:
    names = ("torch", "diffusers", "peft", "transformers", "numpy", "skia-python")
    return {name: version(name) for name in names} | {"threads": str(threads)}
