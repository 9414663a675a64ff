"""Figures of the way from photos to a garment: what the pixels tell, LoRA files, the job itself."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from bench import measure
from bench.figures import Measured, NotYet, figure, once
from catalog.croquis.palette import color_word, delta_e, hex_to_rgb, srgb_to_lab
from catalog.garment import CATEGORIES
from catalog.photo_file import photo_pixels, photo_png, pixels_png
from catalog.photos import cut_out
from catalog.starter import starter_garments, starter_lora_file, starter_photos

REAL = Path(__file__).parents[2] / "shared" / "data" / "garments"
"""Real photos that are no part of the project."""
COLORS = Path(__file__).with_name("photo_colors.csv")
"""Colour words that a person, looking at 28 of them, would call the garment; written down before
anything was measured. Hyphens stand for blanks."""


@once
def _measured() -> list[tuple]:
    """Every starter garment with what six of its photos say."""
    from catalog.attributes import measure

    found = []
    for card in starter_garments():
        photos = [np.asarray(p) for p in starter_photos(card, 6)]
        found.append((card, measure(photos, [cut_out(p) for p in photos])))
    return found


@figure("photo-kind", better="higher", issue=6, target=80, unit="%", minutes=4)
def photo_kind() -> Measured:
    """Starter garments whose kind is told from the silhouette of their photos, of 46 kinds."""
    right = [a.category == card.category for card, a in _measured()]
    believed = [a.category_confidence > 0.5 for _, a in _measured()]
    sure = np.array(right)[believed]
    shaped = [
        (a.shape.length, a.shape.sleeves) == (card.shape.length, card.shape.sleeves)
        for card, a in _measured()
        if a.category == card.category
    ]
    note = (
        f"believed {100 * np.mean(believed):.0f} %, of those right {100 * np.mean(sure):.0f} %; "
        f"length and sleeves {100 * np.mean(shaped):.0f} %"
    )
    return Measured(100 * float(np.mean(right)), note=note)


@figure("photo-color", better="lower", issue=6, target=6, unit="ΔE", minutes=0.1)
def photo_color() -> Measured:
    """Main colour measured from starter photos to the card's colour, median CIEDE2000."""
    far = [
        delta_e(srgb_to_lab(hex_to_rgb(a.colors[0])), srgb_to_lab(hex_to_rgb(card.cloth.colors[0])))
        for card, a in _measured()
    ]
    words = [color_word(a.colors[0]) == card.color for card, a in _measured()]
    return Measured(float(np.median(far)), note=f"colour word right {100 * np.mean(words):.0f} %")


@figure("photo-pattern", better="higher", issue=6, unit="%", minutes=0.1)
def photo_pattern() -> Measured:
    """Patterned starter garments whose pattern is named right from their photos."""
    patterned = [(card, a) for card, a in _measured() if card.pattern != "plain"]
    right = [a.pattern == card.pattern for card, a in patterned]
    told = [(a.pattern == "plain") == (card.pattern == "plain") for card, a in _measured()]
    note = f"{len(right)} garments; plain or patterned right {100 * np.mean(told):.0f} %"
    return Measured(100 * float(np.mean(right)), note=note)


@figure("photo-material", better="higher", issue=6, unit="%", minutes=4)
def photo_material() -> Measured:
    """Starter garments whose material is told from their photos, of all materials of their kind."""
    right = [a.material == card.material for card, a in _measured()]
    known = [
        r
        for r, (card, a) in zip(right, _measured(), strict=True)
        if a.category == card.category and len(CATEGORIES[card.category].materials) > 1
    ]
    note = f"of {len(known)} whose kind was told and has several {100 * np.mean(known):.0f} %"
    return Measured(100 * float(np.mean(right)), note=note)


def _unread() -> list[tuple[str, str]]:
    """Name and label of the real photos that the classifier was not trained on."""
    from catalog.train_photo_kind import TRAINED

    if not REAL.is_dir():
        raise NotYet("the real photos are not here")
    with open(REAL / "labels.csv", newline="") as file:
        rows = [(row["file"], row["label"]) for row in csv.DictReader(file)]
    return [row for row in rows if int(Path(row[0]).stem[-2:]) not in TRAINED]


def _taken_in(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A real photo as a job takes it in: as it came, its frame, and the mask found in that."""
    from catalog.grab_cut import cut
    from catalog.photo_frame import frame

    photo = photo_pixels(photo_png((REAL / name).read_bytes()))
    found = cut(photo)
    if not found.usable:
        return None
    framed = frame(photo, found.mask)
    mask = cut(framed).mask
    return (photo, framed, mask) if mask.any() else None


@figure("real-kind", better="higher", issue=6, target=70, unit="%", minutes=4)
def real_kind() -> Measured:
    """Real photos, of the half that trained nothing, whose kind is one that their label means."""
    from catalog.attributes import outline
    from catalog.photo_kind import KINDS

    rows = []
    for name, label in _unread():
        taken = _taken_in(name)
        kind, sure = "", 0.0
        if taken:
            photo, framed, mask = taken
            kind, sure = outline([(framed, mask)], whole=[photo]).kinds[0]
        slot = CATEGORIES[kind].slot if kind else ""
        rows.append((kind in KINDS[label], slot == CATEGORIES[KINDS[label][0]].slot, sure > 0.5))
    right, slot, believed = np.array(rows).T
    sure_right = right[believed].mean() if believed.any() else 0
    note = (
        f"{len(rows)} photos, one at a time; slot right {100 * slot.mean():.0f} %; "
        f"believed {100 * believed.mean():.0f} %, of those right {100 * sure_right:.0f} %"
    )
    return Measured(100 * float(right.mean()), note=note)


@figure("real-color", better="higher", issue=6, target=80, unit="%", minutes=1)
def real_color() -> Measured:
    """Real photos whose measured main colour is one that a person called it, 28 photos."""
    from catalog.attributes import measure
    from catalog.photo_kind import KINDS

    labels, right, wrong = dict(_unread()), [], []
    with open(COLORS, newline="") as file:
        truth = {row["file"]: row["words"].split() for row in csv.DictReader(file)}
    for name, words in truth.items():
        taken = _taken_in(name)
        seen = measure([taken[1]], [taken[2]], KINDS[labels[name]][0]) if taken else None
        said = color_word(seen.colors[0]).replace(" ", "-") if seen else "nothing"
        right.append(said in words)
        if said not in words:
            wrong.append(f"{Path(name).stem} {said}")
    return Measured(100 * float(np.mean(right)), note=f"wrong: {', '.join(wrong) or 'none'}")


WORN = {
    "top": "blouse bodysuit hoodie jumper shirt sweater sweatshirt t-shirt top vest",
    "outerwear": "blazer cape cardigan coat jacket suit",
    "onepiece": "dress romper",
    "bottom": "jeans leggings pants shorts skirt",
    "footwear": "boots clogs flats heels loafers pumps sandals shoes sneakers wedges",
}
"""Labels of the street photos, by slot."""


@figure("worn-cut-iou", better="higher", issue=6, minutes=1)
def worn_cut_iou() -> Measured:
    """Garments cut out of street photos of people who wear them: IoU with the labelled region,
    mean over those that are the only one of their slot."""
    from tools.blaze_pose import blaze_pose
    from tools.worn_photo import cut_worn

    folder = REAL.with_name("people")
    if not folder.is_dir():
        raise NotYet("the real photos are not here")
    lines = (folder / "labels.txt").read_text().splitlines()
    names = {name: int(number) for number, name in (line.split(None, 1) for line in lines)}
    found: dict[str, list[float]] = {slot: [] for slot in WORN}
    for path in sorted(folder.glob("*.jpg")):
        photo = np.array(Image.open(path).convert("RGB"))
        labels = np.asarray(Image.open(path.with_name(f"{path.stem}_labels.png")))
        seen = blaze_pose()(photo)
        for slot, words in WORN.items():
            own = [n for w in words.split() if (n := names[w]) in np.unique(labels)]
            if len(own) != 1 or (labels == own[0]).mean() < 0.004:
                continue
            mask = cut_worn(photo, seen, slot).mask if seen else np.zeros(labels.shape, bool)
            found[slot].append(measure.iou(mask, labels == own[0]))
    every = [iou for ious in found.values() for iou in ious]
    note = ", ".join(f"{slot} {np.mean(ious):.2f}" for slot, ious in found.items())
    return Measured(float(np.mean(every)), note=f"{len(every)} garments: {note}")


@figure("kohya-round-trip", better="higher", issue=6, target=100, unit="%", minutes=0.5)
def kohya_round_trip() -> Measured:
    """Tensors of all starter LoRAs that come back bit-identical: kohya → diffusers → kohya."""
    from safetensors.torch import load

    from catalog.base import load_unet
    from catalog.kohya import About, diffusers_file, kohya_file, layers_of, read

    layers, same = layers_of(load_unet()), []
    for card in starter_garments():
        if not starter_lora_file(card.id).exists():
            raise NotYet("the starter LoRAs are not here")
        about = About(card.name, card.trigger, card.base, (384, 256))
        out = kohya_file(read(starter_lora_file(card.id).read_bytes(), layers), about)
        back = kohya_file(read(diffusers_file(read(out, layers)), layers))
        before, after = load(out), load(back)
        same += [
            k in after and before[k].dtype == after[k].dtype and bool((before[k] == after[k]).all())
            for k in before
        ]
        same += [False] * len(after.keys() - before.keys())
    return Measured(100 * float(np.mean(same)), note=f"{len(same)} tensors")


def _job(home: Path, steps: int | None = None) -> str:
    """A queued job for a starter garment's ten photos; its id."""
    from catalog.index import Catalog
    from tools.garment_order import KIND, start
    from tools.jobs import Jobs
    from tools.new_garment import NewGarment

    catalog = Catalog(home, starter=False)
    card = next(g for g in starter_garments() if g.id == "camel-long-coat")
    photos = [(f"{i}.png", pixels_png(p)) for i, p in enumerate(starter_photos(card, 10))]
    jobs = Jobs(home, {KIND: NewGarment(catalog)})
    return start(jobs, catalog, "Bench coat", photos, steps=steps)


_RUN = """
import sys
from pathlib import Path
from catalog.index import Catalog
from tools.jobs import Jobs
from tools.garment_order import KIND
from tools.new_garment import NewGarment
home = Path(sys.argv[1])
status = Jobs(home, {KIND: NewGarment(Catalog(home, starter=False))}).run(sys.argv[2])
print(status.state)
"""


def _worker(home: Path, id: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RUN, str(home), id]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)


@figure("garment-job", better="lower", issue=6, target=180, unit="s", minutes=3)
def garment_job() -> Measured:
    """One garment, ten drawn photos to published, in a process of its own, imports included."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        id = _job(Path(folder))
        said = _worker(Path(folder), id).communicate()[0].strip()
        if said != "done":
            raise NotYet(f"the job ended as {said or 'nothing'}")
        return Measured(time.perf_counter() - began)


@figure("job-kills", better="lower", issue=6, target=0, minutes=40)
def job_kills() -> Measured:
    """Half-written garments seen, and finished stages done twice, over 50 kills of the job."""
    return kills(50)


GROWING = ("curve.json", "captions.json", "tag-book.json")
"""Files of a job that are no finished stage: they are written again as it goes on."""


def kills(count: int) -> Measured:
    """``count`` kills at random moments; a job goes on until it is done, then the next begins."""
    from catalog.index import Catalog
    from tools.jobs import Jobs

    chance, bad, killed, finished = random.Random(0), 0, 0, 0
    while killed < count:
        with tempfile.TemporaryDirectory() as folder:
            home, kept = Path(folder), {}
            id = _job(home, steps=8)
            stages = home / "jobs" / id / "kept"
            while True:
                worker = _worker(home, id)
                try:
                    worker.wait(chance.uniform(2, 60))
                except subprocess.TimeoutExpired:
                    worker.send_signal(signal.SIGKILL)
                    worker.wait()
                    killed += 1
                now = {p.name: p.stat().st_mtime_ns for p in stages.glob("*.json")
                       if p.name not in GROWING}  # fmt: skip
                bad += sum(now.get(name) != written for name, written in kept.items())
                kept = now
                catalog = Catalog(home, starter=False)
                for card in catalog.all():
                    catalog.lora(card.id)  # raises when it is not whole
                    bad += not catalog.photos(card.id)
                bad += len(catalog.problems)
                if Jobs(home, {}).status(id).state == "done":
                    finished += 1
                    break
    return Measured(float(bad), note=f"{killed} kills, {finished} jobs finished all the same")
