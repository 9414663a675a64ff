"""Trains the judges on drawings of their own, and scores them on others."""

from __future__ import annotations

import math
import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench import judges
from bench.judge_pictures import HELD_OUT, PIECE, Pieces, as_it_is, autoencoder, sample, spoil
from catalog.base import mixed_precision
from catalog.croquis.examples import Pool
from catalog.garment import SEASONS

SHARES = {"segmenter": 0.56, "pattern": 0.22, "category": 0.15, "season": 0.07}
"""How the minutes are divided."""
ROWS = {"segmenter": PIECE, "pattern": 3 * PIECE, "category": 3 * PIECE, "season": PIECE}
"""What there is to learn from in one piece, about: pictures, or the garments in them."""
WEIGHTS = {"eyewear": 4.0, "neckwear": 3.0, "bag": 2.0, "headwear": 2.0}
"""Of small classes in the segmenter's loss; others weigh 1."""


@dataclass(frozen=True)
class Pace:
    """How much a step takes in. A GPU learns faster than workers can draw and spoil."""

    pieces: int
    """New ones for each step."""
    reuse: int
    """Times each row is learned from, among ever different others."""
    fresh: int
    """Drawings new to each piece."""


PACES = {"cpu": Pace(1, 2, 2), "cuda": Pace(2, 4, 1)}
KEPT = 2048
"""Rows at hand where rows are reused: up to 1.7 GB."""


@dataclass(frozen=True)
class Options:
    minutes: float
    """For all judges together."""
    drawings: int
    """At hand, in all workers together."""
    only: Sequence[str]
    fresh: bool
    """Do not start from kept weights."""
    rate: float
    """The highest learning rate."""
    device: str
    workers: int
    """Processes that draw and spoil."""


def train(o: Options) -> None:
    """Train the judges named in ``only``; the segmenter comes first, others look through it."""
    # a judge that is not trained now is still looked through, and scored
    committed = Path(judges.__file__).with_suffix("")
    judges.FOLDER.mkdir(parents=True, exist_ok=True)
    for name in judges.NETWORKS:
        kept = committed / judges.weights_file(name).name
        if kept.exists() and not judges.weights_file(name).exists():
            shutil.copy(kept, judges.weights_file(name))
    # workers are started before anything is on a GPU: they must not inherit it
    pace, wanted = PACES[torch.device(o.device).type], multiprocessing.RawValue("i", 0)
    wanted.value = min(tuple(judges.NETWORKS).index(name) for name in o.only)
    pieces = Pieces(wanted, max(1, o.drawings // o.workers), pace.fresh, judges.FOLDER)
    loader = torch.utils.data.DataLoader(
        pieces, batch_size=None, num_workers=o.workers, prefetch_factor=4, collate_fn=as_it_is
    )
    stream = iter(loader)
    total = sum(SHARES[name] for name in o.only)
    for number, name in enumerate(judges.NETWORKS):
        if name in o.only:
            wanted.value = number
            minutes = o.minutes * SHARES[name] / total
            _fit(name, _pieces(stream, name), pace, minutes, o)


def _pieces(stream: Iterator, name: str) -> Iterator[dict[str, np.ndarray]]:
    """Pieces for the judge ``name``; those made for the one before it are left."""
    return (piece for made_for, piece in stream if made_for == name)


def _fit(
    name: str,
    pieces: Iterator[dict[str, np.ndarray]],
    pace: Pace,
    minutes: float,
    o: Options,
) -> None:
    network = judges.NETWORKS[name]()
    if not o.fresh and judges.weights_file(name).exists():
        network.load_state_dict(judges.judge(name).state_dict())
    network.to(o.device, memory_format=torch.channels_last).train()
    loss_of = _LOSSES[name]
    optimizer = torch.optim.AdamW(
        network.parameters(), o.rate, betas=(0.9, 0.99), weight_decay=0.02
    )
    batches, progress = _batches(name, pieces, pace, o.device), _Progress(name, network)
    spent, before = 0.0, time.monotonic()
    while True:
        asked = time.monotonic()
        batch = next(batches)
        # a pause of the whole process is not training time
        now = time.monotonic()
        spent, before = spent + min(now - before, 10.0), now
        share = spent / (minutes * 60)
        if share >= 1:
            break
        late = max(0.0, (share - 0.3) / 0.7)
        slope = 0.02 + 0.49 * (1 + math.cos(math.pi * late))
        for group in optimizer.param_groups:
            group["lr"] = o.rate * min(1.0, (progress.step + 1) / 50) * slope
        with mixed_precision(torch.device(o.device).type):
            loss = loss_of(network, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        progress.add(loss.detach(), len(next(iter(batch.values()))), now - asked, share)
    judges.save(name, network)


class _Progress:
    """Says every ten seconds how it goes, and keeps the weights every minute."""

    def __init__(self, name: str, network: nn.Module) -> None:
        self.name, self.network, self.step = name, network, 0
        self.saved = time.monotonic()
        self._begin()

    def _begin(self) -> None:
        self.losses: list[Tensor] = []
        self.rows, self.waited, self.began = 0, 0.0, time.monotonic()

    def add(self, loss: Tensor, rows: int, waited: float, share: float) -> None:
        """One more step; ``loss`` is not read before it is told, since that waits for a GPU."""
        self.step += 1
        self.losses.append(loss)
        self.rows, self.waited = self.rows + rows, self.waited + waited
        seconds = time.monotonic() - self.began
        if seconds >= 10:
            mean = float(torch.stack(self.losses).mean())
            print(
                f"{self.name} {self.step}  {share:.0%}  loss {mean:.4f}  "
                f"{len(self.losses) / seconds:.1f} steps and {self.rows / seconds:.0f} rows a "
                f"second, {self.waited / seconds:.0%} of it waiting",
                flush=True,
            )
            self._begin()
        if time.monotonic() - self.saved >= 60:
            judges.save(self.name, self.network)
            self.saved = time.monotonic()


def _batches(
    name: str, pieces: Iterator[dict[str, np.ndarray]], pace: Pace, device: str
) -> Iterator[dict[str, Tensor]]:
    """What each step learns from: the new pieces, or rows that are kept on the device for reuse."""
    pool, rng = Pool(KEPT), np.random.default_rng()
    while True:
        for _ in range(pace.pieces):
            piece = {k: torch.from_numpy(v).to(device) for k, v in next(pieces).items()}
            if pace.reuse == 1:
                yield piece
            else:
                pool.add(piece)
        if pace.reuse > 1:
            # as many each time, since a GPU is slow to begin with shapes it has not seen
            yield pool.draw(ROWS[name] * pace.pieces * pace.reuse, rng)


# --- losses: of a network and a batch, whose names and shapes are those of a piece ----------------


def _segment_loss(network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    x, classes = _varied(batch["picture"].permute(0, 3, 1, 2).float(), batch["classes"].long())
    x = (x / 127.5 - 1).contiguous(memory_format=torch.channels_last)
    weight = torch.tensor([WEIGHTS.get(c, 1.0) for c in judges.CLASSES], device=x.device)
    logits = network(x).float()
    return F.cross_entropy(logits, classes, weight) + 0.5 * _overlap_loss(logits, classes)


def _varied(x: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Flipped and tinted at random, so that a picture learned from again is another one."""
    flip = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    x = torch.where(flip, x.flip(3), x)
    classes = torch.where(flip[:, 0], classes.flip(2), classes)
    tint = 4 * torch.randn(len(x), 3, 1, 1, device=x.device)
    return (x + tint).clamp(0, 255), classes


def _overlap_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """1 - Dice of each class that a picture shows: a sliver of a top counts as much as a coat."""
    likely = logits.softmax(1).flatten(2)
    truth = F.one_hot(classes.flatten(1), logits.shape[1]).transpose(1, 2).float()
    both, seen = 2 * (likely * truth).sum(2), likely.sum(2) + truth.sum(2)
    shown = truth.sum(2) >= 30
    return ((1 - both / seen.clamp_min(1.0)) * shown).sum() / shown.sum().clamp_min(1)


def _pattern_loss(network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(network(batch["window"].float()).float(), batch["answer"])


def _category_loss(network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    logits = network(batch["near"].float(), batch["far"].float(), batch["box"])
    return F.cross_entropy(logits.float(), batch["answer"])


def _season_loss(network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(network(batch["scene"].float()).float(), batch["answer"])


_LOSSES: dict[str, Callable[..., Tensor]] = {
    "segmenter": _segment_loss,
    "pattern": _pattern_loss,
    "category": _category_loss,
    "season": _season_loss,
}


# --- score ---------------------------------------------------------------------------------------


def score(count: int = 120) -> dict[str, float]:
    """How well the judges read drawings they have not learned from.

    As drawn, as ``spoil`` leaves them, and as they come out of the autoencoder.
    """
    figures: dict[str, float] = {}
    rng, vae = np.random.default_rng(0), autoencoder()
    for how in ("drawn", "spoilt", "decoded"):
        both, either = np.zeros(len(judges.CLASSES)), np.zeros(len(judges.CLASSES))
        shape, right = [], {"pattern": [], "category": [], "season": []}  # type: ignore[var-annotated]
        for i in range(count):
            one = sample(HELD_OUT + i, vae if how == "decoded" else None, decoded=1.0)
            if not any(one.season):
                continue
            one = spoil(one, rng) if how == "spoilt" else one
            seen = judges.segment(one.picture)
            for k in range(len(judges.CLASSES)):
                a, b = seen == k, one.classes == k
                both[k] += (a & b).sum()
                either[k] += (a | b).sum()
            a, b = seen > 0, one.classes > 0
            shape.append((a & b).sum() / (a | b).sum())
            for number, pattern, category in one.garments:
                mask = seen == number
                if (one.classes == number).sum() >= 150:
                    read = (judge(one.picture, mask) for judge in (judges.pattern, judges.category))
                    told = [judges.likeliest(shares) for shares in read]
                    right["pattern"].append(told[0] == pattern)
                    right["category"].append(told[1] == category)
            if max(one.season) == 1.0:
                likely = judges.season(one.picture, seen)
                season = SEASONS[one.season.index(1.0)]
                right["season"].append(judges.likeliest(likely) == season)
        figures[f"{how} silhouette IoU"] = float(np.mean(shape))
        figures[f"{how} classes IoU"] = float(np.mean(both / np.maximum(either, 1)))
        for name, share in zip(judges.CLASSES, both / np.maximum(either, 1), strict=True):
            figures[f"{how} {name} IoU"] = float(share)
        figures |= {f"{how} {k} right": float(np.mean(v)) for k, v in right.items()}
    for name, value in figures.items():
        print(f"{name:32} {value:.3f}")
    return figures
