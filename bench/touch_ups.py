"""Figures of touch-ups: what stays, what changes, and who gets whose answer.

Every edit is made by ``Studio.touch_up`` on looks of the bench's outfits. Looks and edits are made
once a run; how many there are is kept small enough for each figure to take under five minutes.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from bench import judges, measure, renders, swaps
from bench.cloths import photographed, unlike
from bench.figures import Measured, NotYet, figure, once
from bench.outfits import outfits
from bench.pictures import see
from catalog.croquis import palette
from catalog.croquis.sam import new_sam
from catalog.errors import BadValue, ModelUnavailable, UnknownName
from catalog.garment import Garment
from catalog.starter import starter_garments
from tools import selection
from tools.look import Look
from tools.looks import read_mask
from tools.mask import feathered, grow, interior, require_some
from tools.segment import Prompt, Segmenter

if TYPE_CHECKING:
    from tools.studio import Studio

CHAINS, LINKS = 10, 10
"""Chains of edits for what must stay."""
FEW_STEPS = 3
"""Steps of those edits: what stays does not depend on how well the rest is drawn."""
RECOLOURS, SWAPS, SEAMS, LOOKED_AT = 32, 14, 10, 12
PEOPLE, CLICKS, PICTURES = 20, 3, 5
TARGETS = ("red", "blue", "dark green", "mustard", "grey", "burgundy", "teal", "pink")
"""Colours that garments are touched up to, in turn."""


@dataclass(frozen=True)
class Edit:
    """One touch-up: the look before and after it, as pixels ``(768, 512, 3)``, and its mask."""

    before: np.ndarray
    after: np.ndarray
    mask: np.ndarray
    look: Look
    garment: Garment
    """The garment that was changed, as the look wears it now."""
    was: Garment


@once
def _look(number: int, steps: int | None = None) -> Look:
    """Outfit ``number``, drawn whole."""
    plan = outfits()[number].plan.model_copy(update={"steps": steps})
    return renders.studio().render_look(plan)


def _edited(look: Look, id: str, **change: object) -> Edit:
    """``look`` with its garment ``id`` touched up."""
    room = renders.studio()
    made = room.touch_up(look.id, garment=id, **change)  # type: ignore[arg-type]
    assert made.receipt.touch is not None
    mask = read_mask(Path(made.folder) / "mask.png", made.receipt.touch.mask_sha256)
    before, after = (room.briefs.garments(x.receipt.plan) for x in (look, made))
    index = [g.id for g in before].index(id)
    return Edit(_pixels(look), _pixels(made), mask, made, after[index], before[index])


def _pixels(look: Look) -> np.ndarray:
    return np.asarray(Image.open(look.image).convert("RGB"))


def _shown(number: int) -> list[Garment]:
    """The garments of an outfit that can be measured, largest first."""
    outfit = outfits()[number]
    areas = {i: int((outfit.classes == judges.CLASSES.index(outfit.garments[i].slot)).sum())
             for i in outfit.visible}  # fmt: skip
    return [outfit.garments[i] for i in sorted(areas, key=lambda i: -areas[i])]


def _color_for(garment: Garment, turn: int) -> str:
    """A colour of another family than the garment's."""
    far = [c for c in TARGETS if measure.family_of(c) != measure.family_of(garment.color)]
    return far[turn % len(far)]


# --- what stays ----------------------------------------------------------------------------------


def _random_change(look: Look, rng: np.random.Generator) -> dict[str, Any]:
    """Another colour, shape or garment, or the same anew; meant by name, click or box; however
    it is drawn."""
    room = renders.studio()
    worn = room.briefs.garments(look.receipt.plan)
    garment = worn[int(rng.integers(len(worn)))]
    mask = room.garment_masks(look.id)[garment.id]
    y, x = np.nonzero(require_some(mask))
    where: dict[str, Any] = {
        "name": {"garment": garment.id},
        "click": {"points": [(*interior(mask), True)]},
        "box": {"box": (float(x.min()), float(y.min()), float(x.max()) + 1, float(y.max()) + 1)},
    }[str(rng.choice(["name", "click", "box"]))]
    what: dict[str, Any] = {
        "color": {"color": str(rng.choice(TARGETS))},
        "sleeves": {"sleeves": str(rng.choice(["shorter", "longer"]))},
        "length": {"length": str(rng.choice(["shorter", "longer"]))},
        "swap": {"swap": _other(garment, int(rng.integers(99))).id},
        "again": {},
    }[str(rng.choice(["color", "sleeves", "length", "swap", "again"]))]
    content = str(rng.choice(["original", "noise", "fill"]))
    padding = int(rng.integers(257)) if rng.random() < 0.3 else None
    how = {"content": content, "feather": int(rng.integers(65)), "padding": padding}
    return where | what | how


def outside(chains: int, links: int) -> Measured:
    """The largest change that ``chains`` chains of ``links`` edits made where none may be."""
    room, rng = renders.studio(), np.random.default_rng(5)
    largest, refused = 0, 0
    for chain in range(chains):
        look = _look(chain, FEW_STEPS)
        before = first = _pixels(look)
        untouched = np.ones(first.shape[:2], bool)
        link = 0
        while link < links:
            try:
                look = room.touch_up(look.id, **_random_change(look, rng))
            except (BadValue, UnknownName):
                refused += 1  # such as longer sleeves of trousers
                continue
            touch = look.receipt.touch
            assert touch is not None
            mask = read_mask(Path(look.folder) / "mask.png", touch.mask_sha256)
            stays = feathered(mask, touch.feather) == 0
            after, link = _pixels(look), link + 1
            change = np.abs(after.astype(np.int16) - before).max(2)
            largest = max(largest, int(change[stays].max(initial=0)))
            untouched, before = untouched & stays, after
        whole = np.abs(before.astype(np.int16) - first).max(2)
        largest = max(largest, int(whole[untouched].max(initial=0)))
    note = f"{chains * links} edits in chains of {links}; {refused} others were refused"
    return Measured(largest, note=note)


@figure("touch-outside", better="lower", issue=5, target=0, unit="of 255", minutes=4.5)
def touch_outside() -> Measured:
    """Largest change of any pixel outside the feathered masks of random edits in chains of ten:
    after each edit, and from a chain's first picture to its last."""
    return outside(CHAINS, LINKS)


def seams(count: int) -> Measured:
    """``count`` recolourings beside the whole redraw of the changed plan."""
    ratios = []
    for number in range(count):
        edit = _recoloured(number)
        job = renders.job(edit.look.receipt.plan)
        whole = renders.studio().engine.draw(job).picture
        share = feathered(edit.mask, 6)
        band = (share > 0) & grow(share < 1, 1)
        ratios.append(_gradient(edit.after, band) / max(_gradient(whole, band), 1e-6))
    return Measured(float(np.median(ratios)), note=f"{count} edits, worst {max(ratios):.2f}")


def _gradient(picture: np.ndarray, band: np.ndarray) -> float:
    """Mean slope of the lightness inside ``band``."""
    light = palette.srgb_to_lab(picture)[..., 0].astype(np.float32)
    slope = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1))
    return float(slope[band].mean())


@figure("touch-seam", better="lower", issue=5, target=1.1, minutes=4.5)
def touch_seam() -> Measured:
    """Slope of the lightness across the blended band of a recolouring ÷ that of a whole redraw of
    the changed plan at the same place; median."""
    return seams(SEAMS)


# --- what changes --------------------------------------------------------------------------------


@once
def _recoloured(number: int) -> Edit:
    """The largest or second largest garment of an outfit in another colour."""
    outfit = number % len(outfits())
    worn = _shown(outfit)
    garment = worn[(number // 2) % min(2, len(worn))]
    return _edited(_look(outfit), garment.id, color=_color_for(garment, number))


def _inside(edit: Edit) -> np.ndarray:
    """The garment itself, without its rim, at half size."""
    masks = renders.studio().garment_masks(edit.look.id)
    return measure.eroded(masks[edit.garment.id][::2, ::2])


def shading(count: int) -> Measured:
    kept = []
    for number in range(count):
        edit = _recoloured(number)
        inside = _inside(edit)
        a, b = (
            palette.srgb_to_lab(measure.shrunk(x, 2)[inside])[:, 0]
            for x in (edit.before, edit.after)
        )
        kept.append(float(np.corrcoef(a, b)[0, 1]))
    low = float(np.mean(np.array(kept) < 0.8))
    return Measured(float(np.median(kept)), note=f"{count} edits, {low:.0%} below 0.8")


@figure("touch-shading", better="higher", issue=5, target=0.8, minutes=4.5)
def touch_shading() -> Measured:
    """A recoloured garment keeps folds and pattern: correlation of its lightness before and after,
    pixel by pixel at half size, median."""
    return shading(RECOLOURS)


def reached(count: int) -> Measured:
    good = []
    for number in range(count):
        edit = _recoloured(number)
        pixels = measure.labs(measure.shrunk(edit.after, 2), _inside(edit))
        colors = 1 if edit.garment.pattern == "plain" else len(edit.garment.cloth.colors)
        good.append(measure.in_family(pixels, colors, edit.garment.color))
    missed = [_recoloured(n).garment.color for n, ok in enumerate(good) if not ok]
    note = f"{count} edits" + (f", missed {', '.join(missed)}" if missed else "")
    return Measured(100 * float(np.mean(good)), note=note)


@figure("touch-color", better="higher", issue=5, target=90, unit="%", minutes=4.5)
def touch_color() -> Measured:
    """Recolourings after which the garment shows the family of the colour asked for."""
    return reached(RECOLOURS)


def swapped(count: int) -> Measured:
    good = []
    for number in range(count):
        worn = _shown(number)
        old = worn[number % min(3, len(worn))]
        new = _other(old, number)
        edit = _edited(_look(number), old.id, swap=new.id)
        seen = see(np.ascontiguousarray(measure.shrunk(edit.after, 2)))
        cloth = swaps.worn(seen, new)
        far = [unlike(cloth, photographed(id)) for id in (new.id, old.id)]
        good.append(far[0] < far[1])
    return Measured(100 * float(np.mean(good)), note=f"{count} edits")


def _other(old: Garment, turn: int) -> Garment:
    """Another starter garment of the slot, in another colour family."""
    mine = measure.family_of(old.color)
    peers = [g for g in starter_garments()
             if g.slot == old.slot and measure.family_of(g.color) != mine]  # fmt: skip
    return peers[turn % len(peers)]


@figure("touch-swap", better="higher", issue=5, target=85, unit="%", minutes=4.5)
def touch_swap() -> Measured:
    """Garment exchanges after which the garment is less unlike the photos of the new one than those
    of the old one, in colour, pattern and shape, where the segmenter sees it."""
    return swapped(SWAPS)


# --- clicks --------------------------------------------------------------------------------------


def click_iou(count: int) -> Measured:
    room = renders.studio()
    try:
        segmenter = room.segmenter
    except ModelUnavailable as error:
        raise NotYet(str(error)) from error
    found = []
    for number in range(count):
        look = _look(number)
        # where the layout put it: what the model sees must not be its own measure
        masks = labels_of(room, look)
        for garment in _shown(number):
            mask = masks[garment.id]
            prompt = Prompt(points=((*interior(mask), True),))
            found.append(measure.iou(segmenter.segment(_pixels(look), prompt)[0].mask, mask))
    return Measured(float(np.mean(found)), note=f"{len(found)} garments, {segmenter.name}")


def labels_of(room: Studio, look: Look) -> dict[str, np.ndarray]:
    """Garment id → where its layout put it, bool ``(768, 512)``."""
    plan = look.receipt.plan
    labels = selection.labels_of(room.briefs.layout(plan))
    return {w.id: labels == i + 1 for i, w in enumerate(plan.garments)}


@figure("touch-click-iou", better="higher", issue=5, target=0.8, minutes=2)
def touch_click_iou() -> Measured:
    """One click into the middle of a garment of a render: IoU of the likeliest answer with the
    garment's true mask, mean."""
    return click_iou(LOOKED_AT)


def click_cost(count: int) -> Measured:
    segmenter = _segmenter()
    picture = np.ascontiguousarray(outfits()[0].picture)
    prompt = Prompt(points=((128.0, 150.0, True),))
    key = segmenter.embed(picture)
    predictor = segmenter._embedded(key, picture)
    points, labels = np.array([[128.0, 150.0]]), np.array([1])
    whole, decoder = [], []
    for _ in range(count):
        began = time.perf_counter()
        segmenter.segment(picture, prompt)
        between = time.perf_counter()
        predictor.predict(points, labels)
        whole.append(between - began)
        decoder.append(time.perf_counter() - between)
    cost = float(np.median(whole) / np.median(decoder))
    return Measured(cost, note=f"{1000 * np.median(whole):.0f} ms a click, {segmenter.name}")


@figure("touch-click-cost", better="lower", issue=5, target=1.1, minutes=0.3)
def touch_click_cost() -> Measured:
    """Time from a click to its masks in an embedded picture ÷ the decoder's own; medians."""
    return click_cost(40)


def mixed_up(people: int, clicks: int) -> Measured:
    segmenter = _segmenter()
    shown = [np.ascontiguousarray(outfits()[n].picture) for n in range(PICTURES)]
    prompt = Prompt(points=((128.0, 150.0, True), (20.0, 20.0, False)))
    alone = [segmenter.segment(picture, prompt)[0].logits for picture in shown]
    wrong: list[int] = []

    def click(person: int) -> None:
        for turn in range(clicks):
            n = (person + turn) % PICTURES
            if not np.array_equal(segmenter.segment(shown[n], prompt)[0].logits, alone[n]):
                wrong.append(n)

    crowd = [threading.Thread(target=click, args=(n,)) for n in range(people)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    return Measured(len(wrong), note=f"{people * clicks} clicks, {segmenter.name}")


@figure("touch-mixed-up", better="lower", issue=5, target=0, minutes=0.5)
def touch_mixed_up() -> Measured:
    """Twenty people clicking into five pictures at once: answers that differ from those each would
    get alone. It does not depend on training; the note says which model answered."""
    return mixed_up(PEOPLE, CLICKS)


@once
def _segmenter() -> Segmenter:
    """The croquis SAM; where it is not installed, an untrained one of its size."""
    try:
        return Segmenter.load()
    except ModelUnavailable:
        import torch

        torch.manual_seed(0)
        return Segmenter(new_sam().eval().requires_grad_(False), "an untrained SAM")
