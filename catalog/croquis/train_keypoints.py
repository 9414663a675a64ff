"""Trains the detector of drawn figures' keypoints.

    python -m catalog.croquis.train_keypoints --minutes 15 [--run FOLDER]

Top to bottom. Drawings, and what the autoencoder makes of some of them, are moved, zoomed and
spoilt as renders are. Goes on from its last checkpoint; figures on held-out drawings land in
``keypoints.csv``, the result in ``--run``/keypoints. ``python -m catalog.croquis.train_base
export`` puts it among the committed weights. On a GPU: ``--batch 32``, and as many workers as
cores are free, since drawing is what takes long there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from catalog import base as bases
from catalog.croquis import drawing
from catalog.croquis.examples import HELD_OUT_SEEDS, shown_again
from catalog.croquis.figure import KEYPOINTS
from catalog.croquis.keypoints import CELL, KeypointNet, places, read_keypoints
from catalog.croquis.sheet import HEIGHT, WIDTH
from catalog.croquis.train_base import Checkpoint, Log, Options, holder, update_ema, whole

FIRST_SEED = 6_000_000_000
VIEWS = 4
"""Pictures made of each drawing: moving and spoiling costs less than drawing."""
SPREAD = 1.0
"""Deviation of the heat that is aimed at, in cells."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, default=bases.training_folder())
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--batch", type=int, default=8, help="pictures a step")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--workers", type=int, default=1, help="0: drawn between the steps")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--fresh", action="store_true", help="ignore checkpoint and weights")
    parser.add_argument("--checkpoint-seconds", type=float, default=60.0)
    parser.add_argument("--held-out", type=int, default=60, help="drawings measured on")
    given = vars(parser.parse_args(argv))
    train_keypoints(Options(**given, stage="keypoints", compile=False, seed=0))


def train_keypoints(o: Options) -> None:
    """Cross-entropy between the heat maps and a spot at each joint; AdamW, EMA."""
    # 1. what is trained
    o.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    kept = holder(o, "keypoints") / "keypoints"
    known = (kept / "config.json").exists() and not o.fresh
    model = KeypointNet.from_pretrained(kept) if known else KeypointNet()
    model = model.float().to(o.device, memory_format=torch.channels_last).train()
    ema = KeypointNet().to(o.device).eval().requires_grad_(False)
    ema.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(
        model.parameters(), o.rate, betas=(0.9, 0.99), weight_decay=0.02, fused=True
    )
    both = torch.nn.ModuleDict({"model": model, "ema": ema})
    log, state = Log(o, "keypoints"), Checkpoint(o, "keypoints")
    step = state.load(both, optimizer)
    clock = state.clock
    stream = iter(DataLoader(Views(step), o.batch, num_workers=o.workers, collate_fn=together))

    # 2. the loop
    began = time.monotonic()
    while not clock.over():
        pictures, points = (torch.from_numpy(x).to(o.device) for x in next(stream))
        pictures = pictures.permute(0, 3, 1, 2)
        x = (pictures.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        with bases.mixed_precision(o.device):
            logits = model(x)
        loss = heat_loss(logits.float(), points)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = o.rate * min(1.0, (step + 1) / 100) * clock.cosine()
        optimizer.step()
        update_ema(ema, model, min(0.998, (step + 1) / (step + 20)))
        step += 1
        if step % 20 == 0:
            with torch.no_grad():
                off = (places(logits.float().cpu())[0] - points.cpu()).norm(dim=2)
            inside = _inside(points.cpu())
            log.row(
                step,
                loss=float(loss.detach()),
                pixels=float(off[inside].median()),
                speed=20 * o.batch / (time.monotonic() - began),
            )
            began = time.monotonic()
            state.save(both, optimizer, step)
        if step % 500 == 0:  # whoever is stopped leaves a result
            whole(ema.save_pretrained, o.run / "keypoints")
    state.save(both, optimizer, step, now=True)
    whole(ema.save_pretrained, o.run / "keypoints")
    report(ema.cpu(), o, step)


def heat_loss(logits: Tensor, points: Tensor) -> Tensor:
    """Mean cross-entropy of the heat maps ``(B, 18, 96, 64)`` with a spot around each joint.

    A joint outside the picture has no spot and does not count.
    """
    rows, columns = logits.shape[2:]
    at = points / CELL - 0.5
    y = torch.arange(rows, device=logits.device) - at[..., 1:]
    x = torch.arange(columns, device=logits.device) - at[..., :1]
    far = y.square()[..., :, None] + x.square()[..., None, :]
    target = (-far / (2 * SPREAD**2)).flatten(2).softmax(2)
    each = -(target * logits.flatten(2).log_softmax(2)).sum(2)
    return each[_inside(points)].mean()


def _inside(points: Tensor) -> Tensor:
    x, y = points[..., 0], points[..., 1]
    return (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT)


# --- what it is shown ----------------------------------------------------------------------------


class Views(IterableDataset):
    """Pictures uint8 ``(384, 256, 3)`` with their points ``(18, 2)``; seeds never repeat."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for drawn, rng in shown_again(FIRST_SEED + 1_000_003 * self.start, VIEWS):
            yield view(drawn, rng)


def together(views: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """A batch, as arrays: they take a pipe, and tensors would need shared memory."""
    pictures, points = zip(*views, strict=True)
    return np.stack(pictures), np.stack(points)


def view(drawn: drawing.Drawing, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A drawing moved, zoomed and softened as a render or somebody's picture might be.

    Returns:
        uint8 ``(384, 256, 3)`` and points ``(18, 2)`` in its pixels.
    """
    assert drawn.picture is not None and drawn.points is not None
    # 1. elsewhere in the picture; renders stand where drawings do, so half of them stay
    turn: np.ndarray = np.eye(2, 3)
    if rng.random() < 0.5:
        middle = (WIDTH / 2, HEIGHT / 2)
        there = cv2.getRotationMatrix2D(middle, rng.normal(0, 4), float(rng.uniform(0.6, 1.25)))
        turn = there + np.array([[0, 0, 1]]) * rng.normal(0, 14, (2, 1))
    still = np.ascontiguousarray(drawn.picture)
    picture: np.ndarray = cv2.warpAffine(
        still, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    points = drawn.points @ turn[:, :2].T + turn[:, 2]
    # 2. softer, blotched, in other light
    if rng.random() < 0.35:
        share = rng.uniform(0.4, 1.0)
        size = round(WIDTH * share), round(HEIGHT * share)
        picture = cv2.resize(cv2.resize(picture, size), (WIDTH, HEIGHT))
    if rng.random() < 0.6:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.5)))
    if rng.random() < 0.5:
        for cells in (4, 8, 16):
            coarse = rng.standard_normal((HEIGHT // cells, WIDTH // cells, 3), np.float32)
            picture = picture + cv2.resize(coarse, (WIDTH, HEIGHT)) * rng.uniform(0, 8)
    light, tint = rng.uniform(0.85, 1.12, 3), rng.normal(0, 8, 3)
    picture = picture * light.astype(np.float32) + tint.astype(np.float32)
    grain = rng.standard_normal(picture.shape, np.float32)
    picture = picture + grain * np.float32(rng.uniform(0, 8))
    return picture.clip(0, 255).astype(np.uint8), points.astype(np.float32)


# --- figures -------------------------------------------------------------------------------------


def near_enough(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """bool ``(18,)``: joints within a tenth of the torso of where they are, PCK@0.1.

    Both ``(18, 2)`` in the same pixels; the torso runs from the neck to the middle of the hips.
    """
    neck, hips = truth[KEYPOINTS.index("neck")], (truth[8] + truth[11]) / 2
    return np.linalg.norm(found - truth, axis=1) < 0.1 * np.linalg.norm(neck - hips)


def report(model: KeypointNet, o: Options, step: int) -> None:
    """PCK@0.1 on held-out drawings, plain and spoilt, into ``keypoints.csv``."""
    figures = {}
    for how in ("drawn", "spoilt"):
        right = []
        for seed in range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + o.held_out):
            drawn = drawing.draw(drawing.sample_worn(seed))
            picture, points = drawn.picture, drawn.points
            if how == "spoilt":
                picture, points = view(drawn, np.random.default_rng(seed))
            assert picture is not None and points is not None
            found = read_keypoints(model, np.ascontiguousarray(picture)).points
            right.append(near_enough(found, points)[_inside(torch.from_numpy(points)).numpy()])
        figures[how] = round(float(np.concatenate(right).mean()), 4)
    path = o.run / "keypoints.csv"
    if not path.exists():
        path.write_text("step,drawn,spoilt\n")
    with path.open("a") as file:
        file.write(f"{step},{figures['drawn']},{figures['spoilt']}\n")
    print("keypoints: PCK@0.1 on held-out drawings", figures, flush=True)


if __name__ == "__main__":
    main()
