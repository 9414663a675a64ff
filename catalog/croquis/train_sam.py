"""Trains the croquis SAM on the drawn world's masks: clicks, boxes, and clicks that correct.

    python -m catalog.croquis.train_sam --minutes 60 [--run FOLDER]
        [--fresh --parts bench/judges/segmenter.safetensors]

Top to bottom. A prompt is answered, the worst mistake is clicked on (outside: a click that takes
away), and it is answered again with the mask so far, as a person does. All masks of all pictures
of a step are answered together. Half the pictures are renders where `catalog.croquis.rendered`
made some. Goes on from its last checkpoint; figures on held-out drawings
land in ``sam.csv``, the result in ``--run``/sam. ``python -m catalog.croquis.train_base export``
puts it among the committed weights. On a GPU: ``--batch 32``, and as many workers as cores are
free.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from torch.utils.data import DataLoader, IterableDataset

from catalog import base as bases
from catalog.croquis import drawing, rendered
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import HELD_OUT_SEEDS, encoder_input, shown_again
from catalog.croquis.sam import SIZE, load_sam, new_sam, save_sam
from catalog.croquis.sam_answers import ADD, CORNERS, NOBODY, answers, click, most_interior
from catalog.croquis.sheet import FIRST_GARMENT, HAIR, SKIN
from catalog.croquis.train_base import Checkpoint, Log, Options, holder, update_ema, whole

FIRST_SEED = 7_000_000_000
MASKS = 4
"""Masks asked for in each picture: on a CPU answering them costs more than reading the picture."""
SMALL = 0.3
"""How much small garments are preferred: the power of one over their area."""
VIEWS = 2
"""Pictures made of each drawing: spoiling costs less than drawing."""
RENDERED = 0.5
"""Share of the pictures that are renders, where there are any: people click into renders."""
LEAST = 60
"""Pixels of a mask, of 256 x 384, from which on it is asked for and measured."""
PARTS_RATE = 0.2
"""Of the rate, for the net that the encoder reads parts with: it knew them before."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, default=bases.training_folder())
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--batch", type=int, default=4, help="pictures a step")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--fresh", action="store_true", help="ignore checkpoint and weights")
    parser.add_argument(
        "--parts", type=Path, help="a trained PartsNet for a fresh one to read with"
    )
    parser.add_argument("--checkpoint-seconds", type=float, default=180.0)
    parser.add_argument("--held-out", type=int, default=24, help="drawings measured on")
    given = vars(parser.parse_args(argv))
    parts = given.pop("parts")
    train_sam(Options(**given, stage="sam", compile=False, seed=0), parts)


def train_sam(o: Options, parts: Path | None = None) -> None:
    """Encoder, prompts and masks together; AdamW, EMA, focal and dice loss as SAM's own."""
    # 1. what is trained
    o.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    kept = holder(o, "sam") / "sam"
    known = (kept / "config.json").exists() and not o.fresh
    model = load_sam(kept) if known else new_sam()
    if parts is not None and not known:
        read = {k: v for k, v in load_file(parts).items() if not k.startswith("head.")}
        model.image_encoder.parts.load_state_dict(read)
    model = model.to(o.device).train().requires_grad_(True)
    model.image_encoder.to(memory_format=torch.channels_last)
    # random directions that clicks are placed by: they stay as they were drawn
    ema = new_sam().to(o.device).eval().requires_grad_(False)
    ema.load_state_dict(model.state_dict())
    reader = list(model.image_encoder.parts.parameters())
    known_before = {id(p) for p in reader}
    rest = [p for p in model.parameters() if id(p) not in known_before]
    groups = [{"params": rest, "share": 1.0}, {"params": reader, "share": PARTS_RATE}]
    optimizer = torch.optim.AdamW(groups, o.rate, betas=(0.9, 0.99), weight_decay=0.02, fused=True)
    both = torch.nn.ModuleDict({"model": model, "ema": ema})
    log, state = Log(o, "sam"), Checkpoint(o, "sam")
    step = state.load(both, optimizer)
    clock = state.clock
    rng = np.random.default_rng(step)

    # 2. pictures with the masks to find in them, drawn beside the training
    vae = CroquisAutoencoder.from_pretrained(holder(o, "vae") / "vae").float()
    scenes = Scenes(step, vae, sorted(rendered.folder(o.run).glob("[0-9]*[0-9].png")))
    ahead = 2 if o.workers else None
    stream = iter(
        DataLoader(
            scenes, o.batch, num_workers=o.workers, prefetch_factor=ahead, collate_fn=together
        )
    )

    # 3. the loop
    began = time.monotonic()
    while not clock.over():
        batch = {k: torch.from_numpy(v).to(o.device) for k, v in next(stream).items()}
        loss, overlaps = answers(model, batch, rng, o.device)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = group["share"] * o.rate * min(1.0, (step + 1) / 200) * clock.cosine()
        optimizer.step()
        update_ema(ema, model, min(0.999, (step + 1) / (step + 20)))
        step += 1
        if step % 20 == 0:
            figures = {"loss": loss.detach(), "first": overlaps[0], "last": overlaps[-1]}
            log.row(
                step,
                **{k: float(v) for k, v in figures.items()},
                speed=20 * o.batch / (time.monotonic() - began),
            )
            began = time.monotonic()
            state.save(both, optimizer, step)
        if step % 200 == 0:  # whoever is stopped leaves a result
            whole(lambda folder: save_sam(ema, folder), o.run / "sam")
        if step % 2000 == 0:
            report(ema, o, step)
    state.save(both, optimizer, step, now=True)
    whole(lambda folder: save_sam(ema, folder), o.run / "sam")
    report(ema, o, step)


# --- what is asked -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """A picture, the masks to find in it, and what is first said about each."""

    picture: np.ndarray
    """uint8 ``(384, 256, 3)``."""
    regions: np.ndarray
    """uint8 ``(384, 256)``."""
    wanted: np.ndarray
    """uint8 ``(n, 2)``: each mask's lowest and highest region."""
    points: np.ndarray
    """float32 ``(n, 2, 2)``: a click and nothing, or a box's corners."""
    kinds: np.ndarray
    """int64 ``(n, 2)``."""


def together(scenes: list[Scene]) -> dict[str, np.ndarray]:
    """A batch; ``of`` ``(N,)`` says which picture each of its masks is in.

    Arrays go from process to process through a pipe. Tensors would lie in shared memory, of which
    a container may have little.
    """
    counts = [len(s.wanted) for s in scenes]
    return {
        "pictures": np.stack([s.picture for s in scenes]),
        "regions": np.stack([s.regions for s in scenes]),
        "of": np.repeat(np.arange(len(scenes)), counts),
        "wanted": np.concatenate([s.wanted for s in scenes]),
        "points": np.concatenate([s.points for s in scenes]),
        "kinds": np.concatenate([s.kinds for s in scenes]),
    }


class Scenes(IterableDataset):
    """Drawings, worn and flat, and renders, softened and spoilt a little; drawings never repeat."""

    def __init__(self, start: int, vae: CroquisAutoencoder, renders: Sequence[Path] = ()) -> None:
        self.start, self.vae = start, vae  # on the CPU: workers may not touch a GPU
        self.renders = renders

    def __iter__(self) -> Iterator[Scene]:
        for drawn, rng in shown_again(FIRST_SEED + 1_000_003 * self.start, VIEWS, flats=0.12):
            scene = _scene(_spoilt(drawn, self.vae, rng), drawn.regions, rng)
            if scene is not None:
                yield scene
            while self.renders and rng.random() < RENDERED:
                picture, regions = rendered.read(self.renders[int(rng.integers(len(self.renders)))])
                if rng.random() < 0.5:
                    picture, regions = picture[:, ::-1], regions[:, ::-1]
                scene = _scene(_lit(picture.astype(np.float32), rng), regions, rng)
                if scene is not None:
                    yield scene


def _scene(picture: np.ndarray, regions: np.ndarray, rng: np.random.Generator) -> Scene | None:
    wanted = _wanted(regions, rng)
    if not wanted:
        return None
    said = [_first(_mask(regions, *w), rng) for w in wanted]
    return Scene(
        picture,
        regions.astype(np.uint8),
        np.array(wanted, np.uint8),
        np.stack([points for points, _ in said]).astype(np.float32),
        np.array([kinds for _, kinds in said]),
    )


def _wanted(regions: np.ndarray, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Up to ``MASKS`` masks: garments most of all, skin, hair, the person with all that is worn.

    Small garments are asked for more often (`SMALL`): what is left of a top under a coat is harder
    to find than the coat.
    """
    areas = np.bincount(regions.ravel())[FIRST_GARMENT:].astype(float)
    chances = np.where(areas > 0, np.maximum(areas, 1.0) ** -SMALL, 0.0)
    garments = np.arange(FIRST_GARMENT, FIRST_GARMENT + len(areas))
    wanted = []
    for _ in range(4 * MASKS):
        chance = rng.random()
        if chance < 0.8 and len(garments):
            low = high = int(rng.choice(garments, p=chances / chances.sum()))
        elif chance < 0.94:
            low = high = SKIN if rng.random() < 0.5 else HAIR
        else:
            low, high = 1, 255
        if _mask(regions, low, high).sum() >= LEAST:
            wanted.append((low, high))
        if len(wanted) == MASKS:
            break
    return wanted


def _mask(regions: np.ndarray, low: int, high: int) -> np.ndarray:
    return (regions >= low) & (regions <= high)


@torch.no_grad()
def _spoilt(
    drawn: drawing.Drawing, vae: CroquisAutoencoder, rng: np.random.Generator
) -> np.ndarray:
    """The picture as drawn, or as the autoencoder gives it back, and lit."""
    picture: np.ndarray = np.ascontiguousarray(drawn.picture).astype(np.float32)
    if rng.random() < 0.35:
        z = vae.encode(encoder_input(drawn.picture, "cpu")).latent_dist.mean
        z = z + rng.uniform(0, 0.25) * torch.randn(z.shape)
        small = vae.linear(z)[0].permute(1, 2, 0).clamp(-1, 1).numpy()
        picture = (small + 1) * 127.5
        ink = drawn.edges.astype(np.float32)[..., None] / 255 * np.float32(rng.uniform(0, 0.8))
        picture = picture * (1 - ink)
    return _lit(picture, rng)


def _lit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Float RGB in 0…255, blurred, in another light and grainy at random, as uint8."""
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.3)))
    light = rng.uniform(0.85, 1.12), rng.normal(0, 8, 3).astype(np.float32)
    picture = picture * np.float32(light[0]) + light[1]
    grain = rng.standard_normal(picture.shape, np.float32)
    picture = picture + grain * np.float32(rng.uniform(0, 9))
    return picture.clip(0, 255).astype(np.uint8)


def _first(mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, tuple[int, int]]:
    """A box or a click: points ``(2, 2)`` and their kinds."""
    if rng.random() < 0.3:
        return _box(mask, rng).reshape(2, 2), CORNERS
    return np.array([click(mask, rng), (0, 0)]), (ADD, NOBODY)


def _box(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """x0, y0, x1, y1, as loosely drawn as a hand does."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    size = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    return (box + rng.normal(0, 0.04, 4) * size).clip(0, SIZE["image"] - 1)


# --- figures -------------------------------------------------------------------------------------


def report(model, o: Options, step: int) -> None:
    """Mean overlap with held-out garments, by one click and by one box, into ``sam.csv``."""
    by = overlaps(model, range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + o.held_out))
    figures = {k: round(float(np.mean(by[k])), 4) for k in ("click", "box")}
    path = o.run / "sam.csv"
    if not path.exists():
        path.write_text("step,click,box\n")
    with path.open("a") as file:
        file.write(f"{step},{figures['click']},{figures['box']}\n")
    print("sam: overlap with held-out garments", figures, flush=True)


@torch.no_grad()
def overlaps(model: Any, seeds: Sequence[int]) -> dict[str, list[float]]:
    """IoU of the likeliest answer with each garment of the drawings ``seeds``: to one ``click``
    deepest inside it, and to its ``box``."""
    from segment_anything import SamPredictor

    predictor = SamPredictor(model)
    by: dict[str, list[float]] = {"click": [], "box": []}
    for seed in seeds:
        drawn = drawing.draw(drawing.sample_worn(seed))
        predictor.set_image(np.ascontiguousarray(drawn.picture))
        for i in range(len(drawn.slots)):
            mask = drawn.regions == FIRST_GARMENT + i
            if mask.sum() < LEAST:
                continue
            point, ones = np.array([most_interior(mask)]), np.array([1])
            masks, scores, _ = predictor.predict(point, ones)
            by["click"].append(_iou(masks[scores.argmax()], mask))
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
            masks, scores, _ = predictor.predict(box=box)
            by["box"].append(_iou(masks[scores.argmax()], mask))
    return by


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


if __name__ == "__main__":
    main()
