"""Trains the croquis SAM on the drawn world's masks: clicks, boxes, and clicks that correct.

    python -m catalog.croquis.train_sam --minutes 60 [--run FOLDER]

Top to bottom. A prompt is answered, the worst mistake is clicked on (outside: a click that takes
away), and it is answered again with the mask so far, as a person does. Goes on from its last
checkpoint; figures on held-out drawings land in ``sam.csv``, the result in ``--run``/sam.
``python -m catalog.croquis.train_base export`` puts it among the committed weights.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from catalog import base as bases
from catalog.croquis import drawing
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import HELD_OUT_SEEDS, encoder_input
from catalog.croquis.sam import SIZE, load_sam, new_sam, save_sam
from catalog.croquis.sheet import FIRST_GARMENT, HAIR, SKIN
from catalog.croquis.train_base import Checkpoint, Clock, Log, Options, holder, update_ema

FIRST_SEED = 7_000_000_000
MASKS = 6
"""Masks asked for in each picture."""
ROUNDS = 3
"""Answers to each prompt: the first, and two after a correcting click."""
SIDE = SIZE["image"] // 2
"""Rows and columns of a mask as SAM gives it."""


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
    parser.add_argument("--checkpoint-seconds", type=float, default=180.0)
    parser.add_argument("--held-out", type=int, default=24, help="drawings measured on")
    given = vars(parser.parse_args(argv))
    train_sam(Options(**given, stage="sam", compile=False, seed=0))


def train_sam(o: Options) -> None:
    """Encoder, prompts and masks together; AdamW, EMA, focal and dice loss as SAM's own."""
    # 1. what is trained
    o.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    kept = holder(o, "sam") / "sam"
    known = (kept / "config.json").exists() and not o.fresh
    model = load_sam(kept) if known else new_sam()
    model = model.to(o.device).train().requires_grad_(True)
    # random directions that clicks are placed by: they stay as they were drawn
    ema = new_sam().to(o.device).eval().requires_grad_(False)
    ema.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(
        model.parameters(), o.rate, betas=(0.9, 0.99), weight_decay=0.02, fused=True
    )
    both = torch.nn.ModuleDict({"model": model, "ema": ema})
    log, state, clock = Log(o, "sam"), Checkpoint(o, "sam"), Clock(o.minutes)
    step = state.load(both, optimizer)
    rng = np.random.default_rng(step)

    # 2. pictures with the masks to find in them, drawn beside the training
    scenes_drawn = Scenes(step, holder(o, "vae") / "vae")
    stream = iter(
        DataLoader(scenes_drawn, o.batch, num_workers=o.workers, prefetch_factor=4, collate_fn=list)
    )

    # 3. the loop
    while not clock.over():
        scenes: list[Scene] = next(stream)
        with bases.mixed_precision(o.device):
            pictures = torch.stack([s.input for s in scenes]).to(o.device)
            embeddings = model.image_encoder(pictures).float()
        loss, best = torch.zeros((), device=o.device), []
        for scene, embedding in zip(scenes, embeddings, strict=True):
            found, overlap = _answers(model, embedding[None], scene, rng)
            loss = loss + found / len(scenes)
            best.append(overlap)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = o.rate * min(1.0, (step + 1) / 200) * clock.cosine()
        optimizer.step()
        update_ema(ema, model, min(0.999, (step + 1) / (step + 20)))
        step += 1
        if step % 20 == 0:
            log.row(step, loss=float(loss.detach()), first=float(np.mean([b[0] for b in best])),
                    last=float(np.mean([b[-1] for b in best])))  # fmt: skip
            state.save(both, optimizer, step)
        if step % 1000 == 0:
            save_sam(ema, o.run / "sam")
            report(ema, o, step)
    state.save(both, optimizer, step, now=True)
    save_sam(ema, o.run / "sam")
    report(ema, o, step)


# --- what is asked, and how it is answered -------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """A picture and the masks to find in it."""

    input: Tensor
    """float ``(3, 384, 384)``, normalised as SAM wants it, padded at the right and below."""
    masks: Tensor
    """bool ``(n, 384, 384)``."""


class Scenes(IterableDataset):
    """Drawings, worn and flat, softened and spoilt a little; seeds never repeat."""

    def __init__(self, start: int, vae: Path) -> None:
        self.start, self.vae = start, vae

    def __iter__(self) -> Iterator[Scene]:
        info = get_worker_info()
        torch.set_num_threads(1)
        os.nice(5)
        vae = CroquisAutoencoder.from_pretrained(self.vae).float()
        seed = FIRST_SEED + 1_000_003 * self.start + (info.id if info else 0)
        while True:
            seed += info.num_workers if info else 1
            rng = np.random.default_rng((seed, 31))
            truth = drawing.sample_flat(seed) if rng.random() < 0.12 else drawing.sample_worn(seed)
            drawn = drawing.draw(truth)
            masks = _wanted(drawn.regions, rng)
            if masks:
                yield Scene(prepared(_spoilt(drawn, vae, rng)), torch.from_numpy(np.stack(masks)))


def _wanted(regions: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Up to ``MASKS`` masks bool ``(384, 384)``: garments most of all, skin, hair, the person."""
    garments = [i for i in range(FIRST_GARMENT, int(regions.max()) + 1)]
    masks = []
    for _ in range(4 * MASKS):
        chance = rng.random()
        if chance < 0.8 and garments:
            mask = regions == garments[rng.integers(len(garments))]
        elif chance < 0.94:
            mask = regions == (SKIN if rng.random() < 0.5 else HAIR)
        else:
            mask = regions > 0
        if mask.sum() >= 60:
            masks.append(_square(mask))
        if len(masks) == MASKS:
            break
    return masks


def _square(array: np.ndarray) -> np.ndarray:
    side = SIZE["image"]
    out = np.zeros((side, side, *array.shape[2:]), array.dtype)
    out[: array.shape[0], : array.shape[1]] = array
    return out


@torch.no_grad()
def _spoilt(
    drawn: drawing.Drawing, vae: CroquisAutoencoder, rng: np.random.Generator
) -> np.ndarray:
    """The picture as drawn, or as the autoencoder gives it back, blurred and grainy at random."""
    picture: np.ndarray = np.ascontiguousarray(drawn.picture).astype(np.float32)
    if rng.random() < 0.35:
        z = vae.encode(encoder_input(drawn.picture, "cpu")).latent_dist.mean
        z = z + rng.uniform(0, 0.25) * torch.randn(z.shape)
        small = vae.linear(z)[0].permute(1, 2, 0).clamp(-1, 1).numpy()
        picture = (small + 1) * 127.5
        ink = drawn.edges.astype(np.float32)[..., None] / 255 * rng.uniform(0, 0.8)
        picture = picture * (1 - ink)
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.3)))
    picture = picture * rng.uniform(0.85, 1.12) + rng.normal(0, 8, 3)
    picture = picture + rng.normal(0, rng.uniform(0, 9), picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def prepared(picture: np.ndarray) -> Tensor:
    """uint8 ``(384, 256, 3)`` → what SAM's image encoder reads, float ``(3, 384, 384)``."""
    mean, deviation = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    normal = (picture - mean) / deviation
    return torch.from_numpy(_square(normal.astype(np.float32))).permute(2, 0, 1)


def _answers(
    model, embedding: Tensor, scene: Scene, rng: np.random.Generator
) -> tuple[Tensor, list[float]]:
    """Loss of all rounds for one picture, and the mean overlap after each round."""
    device = embedding.device
    truth = scene.masks.to(device).float()[:, None]
    small = F.interpolate(truth, (SIDE, SIDE), mode="area")
    index, masks = torch.arange(len(truth), device=device), scene.masks.numpy()
    boxes, clicks = None, None
    if rng.random() < 0.3:
        boxes = torch.from_numpy(np.stack([_box(m, rng) for m in masks])).float().to(device)
    else:
        first = torch.tensor([_click(m, rng) for m in masks], device=device).float()
        clicks = first[:, None], torch.ones(len(truth), 1, device=device)
    loss, overlaps, logits = torch.zeros((), device=device), [], None
    for turn in range(ROUNDS):
        sparse, dense = model.prompt_encoder(points=clicks, boxes=boxes, masks=logits)
        low, quality = model.mask_decoder(
            image_embeddings=embedding,
            image_pe=model.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=turn == 0,
        )
        each, overlap = _mask_loss(low, small), _overlap(low, small)
        chosen = each.argmin(1)
        loss = loss + each[index, chosen].mean() + F.mse_loss(quality, overlap)
        overlaps.append(float(overlap[index, quality.argmax(1)].mean()))
        if turn + 1 == ROUNDS:
            break
        logits = low[index, chosen].detach()[:, None]
        found = F.interpolate(logits, truth.shape[2:], mode="bilinear")[:, 0] > 0
        fixes = [_correction(f, m, rng) for f, m in zip(found.cpu().numpy(), masks, strict=True)]
        where = torch.tensor([[at] for at, _ in fixes], device=device).float()
        sign = torch.tensor([[s] for _, s in fixes], device=device).float()
        clicks = (where, sign) if clicks is None else (
            torch.cat([clicks[0], where], 1), torch.cat([clicks[1], sign], 1)
        )  # fmt: skip
    return loss / ROUNDS, overlaps


def _mask_loss(low: Tensor, small: Tensor) -> Tensor:
    """Focal (times 20) and dice loss of each candidate, ``(n, candidates)``."""
    target = small.expand_as(low)
    entropy = F.binary_cross_entropy_with_logits(low, target, reduction="none")
    p = low.sigmoid()
    focal = (entropy * (p - target).square()).mean((2, 3))
    dice = 1 - (2 * (p * target).sum((2, 3)) + 1) / ((p + target).sum((2, 3)) + 1)
    return 20 * focal + dice


@torch.no_grad()
def _overlap(low: Tensor, small: Tensor) -> Tensor:
    """Intersection over union of each candidate with the truth."""
    a, b = low > 0, small > 0.5
    return (a & b).sum((2, 3)) / (a | b).sum((2, 3)).clamp_min(1)


def most_interior(mask: np.ndarray) -> tuple[int, int]:
    """x, y of the point of ``mask`` that is farthest from its border."""
    inside = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(x), int(y)


def _click(mask: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    if rng.random() < 0.5:
        return most_interior(mask)
    rows, columns = np.nonzero(mask)
    i = rng.integers(len(rows))
    return int(columns[i]), int(rows[i])


def _box(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """x0, y0, x1, y1, as loosely drawn as a hand does."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    size = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    return (box + rng.normal(0, 0.04, 4) * size).clip(0, SIZE["image"] - 1)


def _correction(
    found: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[int, int], int]:
    """A click on a mistake: 1 where something is missing, 0 where there is too much."""
    missing, extra = mask & ~found, found & ~mask
    worse = (missing, 1) if missing.sum() >= extra.sum() else (extra, 0)
    if not worse[0].any():
        return _click(mask, rng), 1
    return _click(worse[0], rng), worse[1]


# --- figures -------------------------------------------------------------------------------------


@torch.no_grad()
def report(model, o: Options, step: int) -> None:
    """Mean overlap with held-out garments, by one click and by one box, into ``sam.csv``."""
    from segment_anything import SamPredictor

    predictor = SamPredictor(model)
    by: dict[str, list[float]] = {"click": [], "box": []}
    for seed in range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + o.held_out):
        drawn = drawing.draw(drawing.sample_worn(seed))
        predictor.set_image(np.ascontiguousarray(drawn.picture))
        for i in range(len(drawn.slots)):
            mask = drawn.regions == FIRST_GARMENT + i
            if mask.sum() < 60:
                continue
            point, ones = np.array([most_interior(mask)]), np.array([1])
            masks, scores, _ = predictor.predict(point, ones)
            by["click"].append(_iou(masks[scores.argmax()], mask))
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
            masks, scores, _ = predictor.predict(box=box)
            by["box"].append(_iou(masks[scores.argmax()], mask))
    figures = {k: round(float(np.mean(v)), 4) for k, v in by.items()}
    path = o.run / "sam.csv"
    if not path.exists():
        path.write_text("step,click,box\n")
    with path.open("a") as file:
        file.write(f"{step},{figures['click']},{figures['box']}\n")
    print("sam: overlap with held-out garments", figures, flush=True)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


if __name__ == "__main__":
    main()
