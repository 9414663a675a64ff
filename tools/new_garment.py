"""A garment from photos to published, as one job that goes on where it stopped.

    photos → cut-outs → tags → card → training → admission → published

What each stage came to lies in the job's ``kept`` folder: ``photos`` as they came, ``cut-outs.png``
to look at, ``dataset`` in the kohya layout (pictures and captions), ``lora.safetensors``.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.attributes import Attributes, cloth, measure
from catalog.base import Base, device_for, load_base
from catalog.checkpoint import Checkpoint
from catalog.croquis.palette import color_word
from catalog.errors import AskDifferently, BadValue, Busy, ModelUnavailable
from catalog.garment import CATEGORIES, SEASONS, Garment, Shade, Shape
from catalog.grab_cut import cut
from catalog.index import Catalog
from catalog.lora_file import check_lora_file
from catalog.photo_file import photo_pixels, pixels_png
from catalog.photo_frame import contact_sheet, frame
from catalog.rembg_cut import cut_by_rembg
from catalog.shades import shades
from catalog.starter import starter_garments
from catalog.tags import Choice, TagBook, Tags, choose, read_caption, write_captions
from catalog.train_lora import lora_file
from catalog.wd14 import load_tagger
from tools.garment_order import LEAST_PHOTOS, Order
from tools.jobs import Run
from tools.worn_photo import cut_worn

if TYPE_CHECKING:
    from tools.blaze_pose import Sighting
    from tools.engine import Engine

PATIENCE = 60
"""Seconds that a finished garment waits for somebody else's change of the catalog."""
TAGGED = ("sd15",)
"""Bases that know a tagger's words; the others are told what is measured."""
CURVE = 2
"""Training steps between two notes of the loss curve."""
SURE = 0.5
"""Confidence from which a measured category is believed."""


class NewGarment:
    """The work of the job, over one catalog. Stages are methods, in order."""

    def __init__(
        self, catalog: Catalog, threads: int | None = None, models: Path | None = None
    ) -> None:
        """``models``: the folder of a hub base's models; None: the hub's cache, then the hub."""
        self._catalog = catalog
        self._threads = threads
        self._models = models
        self._loaded: Base | None = None
        self._drawing: Engine | None = None

    def __call__(self, run: Run) -> dict[str, Any]:
        order = Order.model_validate(run.arguments)
        notes = json.loads((run.folder / "photos.json").read_bytes())
        cuts = run.once("cut-outs", lambda: self._cut_outs(run, order, notes))
        found = run.once("tags", lambda: self._tags(run, order, notes, cuts))
        card = Garment.model_validate(run.once("card", lambda: self._card(order, found)))
        if order.review:
            run.wait_for("reviewed", "Look at the cut-outs and tags, then say that it may train.")
        trained = run.once("training", lambda: self._train(run, order, card))
        admitted = run.once("admission", lambda: self._admit(run, card))
        if order.review:
            run.wait_for("approved", "Look at the admission sheet, then say that it is published.")
        run.once("published", lambda: self._publish(run, card, trained, admitted))
        warnings = [f"{n}: {why}" for n, why in notes["refused"]]
        warnings += [f"{n}: the same as {twin}, left out" for n, twin in notes["duplicates"]]
        warnings += [f"{p['name']}: blurred" for p in notes["photos"] if p["blurred"]]
        warnings += cuts["warnings"]
        return {
            "id": card.id,
            "state": "published" if admitted["wearable"] else "not offered",
            "flags": admitted["flags"],
            "strength": admitted["strength"],
            "warnings": warnings,
            "assumed": found["assumed"],
            "loss": trained["loss"],
            "lora_sha256": trained["sha256"],
            "sheet": str(run.folder / "cut-outs.png"),
        }

    # ---------------------------------------------------------------- the stages

    def _cut_outs(self, run: Run, order: Order, notes: dict[str, Any]) -> dict[str, Any]:
        """Each photo cut out and framed; those with nothing in them are left out, and said."""
        rows, kept, warnings, worn = [], [], [], 0
        photos, sees = notes["photos"], _person_finder()
        for i, photo in enumerate(photos):
            run.tell("cutting out", i, len(photos))
            pixels = photo_pixels((run.folder / "photos" / photo["file"]).read_bytes())
            person = sees(pixels)
            if person is None:
                found = cut_by_rembg(pixels) if order.rembg else cut(pixels)
            elif order.category is not None:
                found = cut_worn(pixels, person, CATEGORIES[order.category].slot)
            else:
                worn += 1
                warnings.append(f"{photo['name']}: somebody wears it, left out")
                continue
            warnings += [f"{photo['name']}: {w}" for w in found.warnings]
            framed = frame(pixels, found.mask, order.base) if found.usable else None
            if framed is not None:
                run.keep(f"dataset/{photo['file']}", pixels_png(framed))
                kept.append(photo["file"])
            shown = np.full((384, 256, 3), 255, np.uint8) if framed is None else framed
            note = f"{photo['name']}  {found.way}  {', '.join(found.warnings)}"
            rows.append((note, pixels, found.mask, shown))
        run.keep("cut-outs.png", pixels_png(contact_sheet(rows)))
        if len(kept) < LEAST_PHOTOS <= len(kept) + worn:
            raise AskDifferently(
                f"Somebody wears it in {worn} of the photos; which of their clothes is meant?",
                "Start it again and name its category.",
            )
        if len(kept) < LEAST_PHOTOS:
            raise BadValue(
                f"A garment stands out in only {len(kept)} of the photos.",
                "Look at cut-outs.png in the job's folder; take photos before an even background.",
            )
        return {"files": kept, "warnings": warnings}

    def _tags(
        self, run: Run, order: Order, notes: dict[str, Any], cuts: dict[str, Any]
    ) -> dict[str, Any]:
        """What the garment is, from its pixels; and captions beside the pictures."""
        run.tell("measuring")
        pictures = self._dataset(run, cuts["files"])
        masks = [cut(p).mask for p in pictures]
        came = [photo_pixels((run.folder / "photos" / f).read_bytes()) for f in cuts["files"]]
        seen = measure(pictures, masks, order.category, came)
        if seen.category_confidence < SURE:
            likely = ", ".join(f"{name} ({sure:.0%})" for name, sure in seen.categories[:3])
            raise AskDifferently(
                f"What kind of garment it is cannot be told from its photos: {likely}.",
                "Start it again and name its category.",
            )
        trigger = _trigger(order.id, {card.trigger for card in self._catalog.all()})
        choice = Choice(order.threshold, (trigger, *order.tags), order.without)
        assumed = ["no trim"]
        if not seen.material_confidence:
            assumed.insert(0, f"material {seen.material}")
        scores: list[dict[str, float]] = [seen.scores] * len(pictures)
        tagger = None
        if order.base in TAGGED:
            run.tell("tagging")
            try:
                tagger = load_tagger(self._models)
                scores = [tagger.scores(p) for p in pictures]
            except ModelUnavailable as error:
                assumed.append(f"tags from shape and colours alone: {error}")
        tags = [choose({**s, seen.category: 1.0}, choice) for s in scores]
        given = {p["file"]: p["caption"] for p in notes["photos"]}
        book = TagBook({
            f: read_caption(given[f]) if given[f] else own
            for f, own in zip(cuts["files"], tags, strict=True)
        })  # fmt: skip
        book.add(order.tags)
        book.remove(order.without)
        book.add([trigger], first=True)
        book.keep_first([trigger])
        book.dedupe()
        write_captions(run.folder / "dataset", book.tags)
        run.keep("captions.json", json.dumps(book.tags).encode())
        if order.category is None:
            assumed.insert(0, f"{seen.category}, {seen.category_confidence:.0%} sure")
        return {
            "category": seen.category,
            "confidence": seen.category_confidence,
            "shape": seen.shape.model_dump(),
            "colors": seen.colors,
            "shares": seen.shares,
            "shades": [s.model_dump() for s in shades(pictures, masks, cloth(seen).colors)],
            "pattern": seen.pattern,
            "pattern_confidence": seen.pattern_confidence,
            "material": seen.material,
            "material_confidence": seen.material_confidence,
            "trigger": trigger,
            "tags": book.counts(),
            "automatic": [] if tagger else list(dict.fromkeys(tags[0])),
            "assumed": assumed,
        }

    def _card(self, order: Order, found: dict[str, Any]) -> dict[str, Any]:
        """The card: what was measured, and what such garments usually are."""
        # a job of before this was measured assumed what its kind is mostly made of
        usual = CATEGORIES[found["category"]].materials[0]
        seen = Attributes(
            found["category"], found["confidence"], (), Shape(**found["shape"]),
            tuple(found["colors"]), tuple(found["shares"]), found["pattern"],
            found["pattern_confidence"], found.get("material", usual),
            found.get("material_confidence", 0.0),
        )  # fmt: skip
        worn = cloth(seen)
        slot = CATEGORIES[seen.category].slot
        peers = [g for g in starter_garments() if g.category == seen.category]
        peers = peers or [g for g in starter_garments() if g.slot == slot]
        half = len(peers) / 2
        seasons = [s for s in SEASONS if sum(s in g.seasons for g in peers) >= half]
        occasions = sorted({o for g in peers for o in g.occasions})
        card = Garment(
            id=order.id, name=order.name, slot=slot, shape=seen.shape, cloth=worn,
            shades=tuple(Shade.model_validate(s) for s in found.get("shades", ())),
            color=color_word(worn.colors[0]), seasons=tuple(seasons or SEASONS),
            occasions=tuple(o for o in occasions if sum(o in g.occasions for g in peers) >= half),
            formality=statistics.median(g.formality for g in peers),
            clo=statistics.median(g.clo for g in peers),
            clo_source=f"median of the starter catalog's {seen.category}: {peers[0].clo_source}",
            waterproof=all(g.waterproof for g in peers), trigger=found["trigger"],
            base=order.base, price=order.price,
        )  # fmt: skip
        return card.model_dump(mode="json")

    def _train(self, run: Run, order: Order, card: Garment) -> dict[str, Any]:
        """The LoRA, from its last checkpoint when it was interrupted."""
        import torch

        from tools.admission import sample

        if self._threads:
            torch.set_num_threads(self._threads)
        files = json.loads((run.folder / "cut-outs.json").read_bytes())["files"]
        pictures = self._dataset(run, files)
        run.tell("loading the base")
        base, options = self._base(order.base), order.options
        captions = self._captions(run, files)
        facts = (card.phrase, options, captions, base.denoiser_sha256,
                 [p.tobytes() for p in pictures])  # fmt: skip
        key = hashlib.sha256(repr(facts).encode()).hexdigest()
        before = run.folder / "curve.json"
        curve: list[float] = json.loads(before.read_bytes())["loss"] if before.exists() else []

        def stepped(step: int, steps: int, loss: float) -> None:
            del curve[step - 1 :]  # what was learned after the last checkpoint is learned again
            curve.append(round(loss, 4))
            if step % CURVE == 0 or step == steps:
                run.keep("curve.json", json.dumps({"last": step, "loss": curve}).encode())
            run.tell(f"training, loss {loss:.3f}", step, steps)

        def drawn(step: int, lora: bytes) -> None:
            run.tell("drawing a sample", step, options.steps)
            partial = run.keep("sample.safetensors", lora)
            for n, prompt in enumerate(order.prompts or (card.phrase,)):
                picture = sample(card, partial, self._engine(order.base), prompt)
                run.keep(f"samples/{step:05}-{n}.png", pixels_png(picture))

        checkpoint = Checkpoint(run.folder / "training.safetensors", key)
        data = lora_file(
            card, pictures, base, options, stepped, run.cancel, checkpoint, captions,
            (order.sample_every, drawn) if order.sample_every else None,
        )  # fmt: skip
        run.keep("lora.safetensors", data)
        about = check_lora_file(data, base=order.base)
        return {"sha256": about.sha256, "loss": float(about.metadata["loss"])}

    def _captions(self, run: Run, files: Sequence[str]) -> list[Tags] | None:
        """The captions as they lie beside the pictures; None while they are as they were measured.

        What the program measured by itself says no more than the card does; a tagger says more.
        """
        folder = run.folder / "dataset"
        captions = [
            read_caption((folder / f).with_suffix(".txt").read_text("utf-8")) for f in files
        ]
        found = json.loads((run.folder / "tags.json").read_bytes())
        own = found.get("automatic")
        if own is None:  # a job of before
            return None
        return None if own and all(set(c) == set(own) for c in captions) else captions

    def _admit(self, run: Run, card: Garment) -> dict[str, Any]:
        """Does it work, how strongly should it, and does it leave the rest alone."""
        from tools.admission import examine

        run.tell("trying it on")
        files = json.loads((run.folder / "cut-outs.json").read_bytes())["files"]
        report = examine(
            card,
            run.folder / "lora.safetensors",
            self._base(card.base),
            engine=self._engine(card.base),
            photos=self._dataset(run, files),
            progress=lambda n, of: run.tell("trying it on", n, of),
        )
        run.keep("admission.png", pixels_png(report.sheet))
        return report.facts()

    def _publish(
        self, run: Run, card: Garment, trained: dict[str, Any], admitted: dict[str, Any]
    ) -> dict[str, Any]:
        """Into the catalog in one swap; a garment that failed is kept there but not offered."""
        run.tell("publishing")
        there = self._catalog.store.ids()
        if card.id in there and self._catalog.get(card.id).lora_sha256 == trained["sha256"]:
            return {"id": card.id}  # killed between publishing and noting it
        files = json.loads((run.folder / "cut-outs.json").read_bytes())["files"]
        photos = [(run.folder / "dataset" / f).read_bytes() for f in files]
        card = card.model_copy(
            update={
                "strength": admitted["strength"],
                "available": admitted["wearable"],
                "flags": tuple(admitted["flags"]),
            }
        )
        lora = (run.folder / "lora.safetensors").read_bytes()
        for left in range(PATIENCE, -1, -1):
            try:
                self._catalog.add(card, photos, lora)
                break
            except Busy:  # minutes of work do not fail for a lock that is held for a moment
                if not left:
                    raise
                run.tell("waiting for the catalog")
                time.sleep(1.0)
        return {"id": card.id}

    def _dataset(self, run: Run, files: Sequence[str]) -> list[np.ndarray]:
        return [photo_pixels((run.folder / "dataset" / f).read_bytes()) for f in files]

    def _base(self, name: str) -> Base:
        if self._loaded is None:
            self._loaded = load_base(name, device_for(name), self._models)
        return self._loaded

    def _engine(self, name: str) -> Engine:
        """One for samples and admission: each engine puts its adapter into the base's UNet."""
        from tools.engine import Engine

        if self._drawing is None:
            self._drawing = Engine(self._base(name))
        return self._drawing


def _person_finder() -> Callable[[np.ndarray], Sighting | None]:
    """What finds the person in a photo; where the pose model is missing, nobody is seen."""
    from tools.blaze_pose import blaze_pose

    try:
        model = blaze_pose()
    except ModelUnavailable:
        return lambda _: None

    def person(photo: np.ndarray) -> Sighting | None:
        seen = model(photo)
        return seen if seen is not None and seen.sure else None

    return person


def _trigger(id: str, taken: set[str]) -> str:
    """An invented word for a garment that no other garment has."""
    for salt in range(1000):
        digest = hashlib.sha256(f"{id}/{salt}".encode()).digest()
        parts = zip(digest[:6:2], digest[1:6:2], strict=True)
        word = "".join("bdfgklmnprstvz"[a % 14] + "aeiou"[b % 5] for a, b in parts)
        if word not in taken:
            return word
    raise AssertionError("343,000 invented words cannot all be taken")
