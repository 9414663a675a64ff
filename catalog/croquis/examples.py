"""What training reads: drawings as tensors, drawn when asked for, from seeds never repeated."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from catalog import regions
from catalog.base import mixed_precision
from catalog.croquis import drawing, maps, tokens
from catalog.croquis.autoencoder import PATCH, CroquisAutoencoder
from catalog.croquis.pair import garment_crop
from catalog.croquis.sheet import WHOLE, View

PHRASES = 10
"""Scene, person, and up to eight garments."""
HELD_OUT_SEEDS = 2**40
"""Drawings from this seed on are never trained on."""
ZOOMED = 0.12
"""Share of the worn drawings of which the UNet sees a part, at one to three times the size: so that
a touch-up can work on a crop."""
SHELF = 16
"""Drawings that ``shown_again`` keeps at hand."""


def token_ids(tokenizer, phrases, device: str) -> dict[str, Tensor]:
    out = tokenizer(
        list(phrases),
        padding="max_length",
        truncation=True,
        max_length=regions.TOKENS,
        return_tensors="pt",
    )
    return {"input_ids": out.input_ids.to(device)}


def encoder_input(picture: np.ndarray | None, device: str) -> Tensor:
    assert picture is not None
    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return (x.to(device).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def example(
    drawn: drawing.Drawing, tokenizer, rng: np.random.Generator | None
) -> dict[str, Tensor]:
    """One drawing as tensors; with ``rng`` words of its phrases are dropped as training does."""
    assert drawn.picture is not None
    layout, skeleton, share = drawing.model_maps(drawn)
    padded = np.zeros((PHRASES, *maps.LATENT_SIZE), np.float32)
    count = min(len(share), PHRASES)
    padded[:count] = share[:count]
    phrases = list(drawn.phrases[:PHRASES])
    if rng is not None:
        phrases = [*phrases[:2], *(tokens.thinned(p, {}, rng)[0] for p in phrases[2:])]
    phrases += [""] * (PHRASES - len(phrases))
    ids = token_ids(tokenizer, phrases, "cpu")["input_ids"]
    return {
        "picture": torch.from_numpy(np.ascontiguousarray(drawn.picture)),
        "layout": torch.from_numpy(layout),
        "skeleton": torch.from_numpy(skeleton),
        "canny": torch.from_numpy(maps.canny_map(drawn.picture)),
        "shares": torch.from_numpy(padded),
        "ids": ids.to(torch.int16),
    }


def shown_again(
    first: int, views: int, flats: float = 0.0
) -> Iterator[tuple[drawing.Drawing, np.random.Generator]]:
    """Drawings without end, each about ``views`` times and among others, and chance to spoil them.

    For one worker of a ``DataLoader``, which it keeps to one thread, behind the training.
    """
    info = get_worker_info()
    workers, me = (info.num_workers, info.id) if info else (1, 0)
    if info is not None:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        os.nice(5)
    seed, rng = first + me, np.random.default_rng((first + me, 31))
    shelf: list[drawing.Drawing] = []
    while True:
        if len(shelf) < SHELF or rng.random() < 1 / views:
            sample = drawing.sample_flat if rng.random() < flats else drawing.sample_worn
            shelf = [drawing.draw(sample(seed)), *shelf[: SHELF - 1]]
            seed += workers
            yield shelf[0], rng
        else:
            yield shelf[rng.integers(SHELF)], rng


class Crops(IterableDataset):
    """Crops of single garments ``uint8 (3, 96, 64)``, others blanked, with their phrase."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __iter__(self) -> Iterator[tuple[Tensor, str]]:
        info = get_worker_info()
        seed = 1_000_003 * (self.start + 1) + (info.id if info else 0)
        torch.set_num_threads(1)
        while True:
            seed += info.num_workers if info else 1
            truth = drawing.sample_flat(seed) if seed % 2 else drawing.sample_worn(seed)
            drawn = drawing.draw(truth, scale=0.5)
            for i, phrase in enumerate(drawn.phrases[2:]):
                assert drawn.picture is not None
                crop = garment_crop(drawn.picture, drawn.regions == maps.FIRST_GARMENT + i)
                if crop is not None:
                    yield torch.from_numpy(crop), phrase


class Pages(IterableDataset):
    """Whole drawings at twice the size, with what the UNet is told about them."""

    tokenizer: Path

    def __init__(self, start: int) -> None:
        self.start = start

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        info = get_worker_info()
        torch.set_num_threads(1)
        os.nice(5)
        tokenizer = tokens.load_tokenizer(self.tokenizer)
        seed = 2_000_000_003 + 1_000_003 * (self.start % 2_900) + (info.id if info else 0)
        while True:
            seed += info.num_workers if info else 1
            rng = np.random.default_rng(seed)
            truth = drawing.sample_flat(seed) if rng.random() < 0.2 else drawing.sample_worn(seed)
            drawn = drawing.draw(truth, scale=2.0)
            assert drawn.picture is not None
            face = (192.0, 128.0) if drawn.points is None else drawn.points[0][::-1]
            big = np.ascontiguousarray(drawn.picture.transpose(2, 0, 1))
            yield example(drawing.halved(drawn), tokenizer, rng) | {
                "big": torch.from_numpy(big),
                "edges": torch.from_numpy(drawing.known_edges(drawn))[None],
                "middle": torch.tensor([int(v) // PATCH for v in face], dtype=torch.int16),
            }


SEEDS = 4_900_000_000
"""Seeds of pictures to train on, from ten million on: those of the figures' judges begin beyond."""


class Samples(IterableDataset):
    """What one training example needs, drawn as it is asked for; no seed repeats."""

    def __init__(self, start: int, flats: float, peer: int = 0, peers: int = 1) -> None:
        self.start, self.flats, self.peer, self.peers = start, flats, peer, peers

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        info = get_worker_info()
        torch.set_num_threads(1)
        os.nice(5)
        workers, me = (info.num_workers, info.id) if info else (1, 0)
        workers, me = workers * self.peers, me * self.peers + self.peer
        tokenizer = tokens.load_tokenizer(self.tokenizer)
        number = self.start * workers + me
        while True:
            seed = 10_000_000 + number % SEEDS
            number += workers
            rng = np.random.default_rng((seed, 5))
            truth = (
                drawing.sample_flat(seed)
                if rng.random() < self.flats
                else drawing.sample_worn(seed)
            )
            yield example(drawing.draw(truth, view=_view(truth, rng)), tokenizer, rng)

    tokenizer: Path


def _view(truth: drawing.Worn | drawing.Flat, rng: np.random.Generator) -> View:
    """All of a drawing, or for a few the part around a joint of the figure."""
    if isinstance(truth, drawing.Flat) or rng.random() >= ZOOMED:
        return WHOLE
    points = truth.pose.array()
    x, y = points[rng.integers(len(points))]
    return View.around(float(x), float(y), 3.0 ** float(rng.random()))


class Ahead:
    """Batches of a loader fetched by a thread, so that a training takes what is there already."""

    def __init__(self, loader: Iterable[dict[str, Tensor]]) -> None:
        self.ready: queue.Queue[dict[str, Tensor] | BaseException] = queue.Queue(4)
        # the drawing processes are forked here and not by the thread: a fork copies locks as they
        # are, and one that another thread holds at that moment is never released in the copy
        batches = iter(loader)
        threading.Thread(target=self._fetch, args=(batches,), daemon=True).start()

    def _fetch(self, batches: Iterator[dict[str, Tensor]]) -> None:
        try:
            for batch in batches:
                self.ready.put(batch)
        except BaseException as error:
            self.ready.put(error)

    def take(self, wait: bool) -> dict[str, Tensor] | None:
        """The next batch; None where there is none yet and ``wait`` is false."""
        try:
            batch = self.ready.get(block=wait)
        except queue.Empty:
            return None
        if isinstance(batch, BaseException):
            raise batch
        return batch


class Pool:
    """Encoded examples kept in memory: each is used several times, in random order."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.size, self.next = capacity, 0, 0
        self.rows: dict[str, Tensor] = {}

    def add(self, batch: dict[str, Tensor]) -> None:
        count = len(next(iter(batch.values())))
        places = (self.next + torch.arange(count)) % self.capacity
        for name, value in batch.items():
            if name not in self.rows:
                self.rows[name] = torch.empty(
                    (self.capacity, *value.shape[1:]), dtype=value.dtype, device=value.device
                )
            self.rows[name][places.to(value.device)] = value
        self.next = (self.next + count) % self.capacity
        self.size = min(self.size + count, self.capacity)

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, Tensor]:
        index = torch.from_numpy(rng.integers(self.size, size=count))
        return {name: value[index.to(value.device)] for name, value in self.rows.items()}


class Encoded:
    """Drawings drawn beside a training, encoded on its device, pooled and drawn from.

    A drawing is used ``REUSE[0]`` times if the drawing keeps up, and ``REUSE[1]`` times before the
    training waits for more: a GPU learns faster than any number of cores draws.
    """

    REUSE = 3, 24

    def __init__(
        self, samples: Samples, vae: CroquisAutoencoder, device: str, workers: int, first: int
    ) -> None:
        """``first``: how many drawings must be there before any is handed out."""
        self.vae, self.device, self.first = vae, device, first
        self.pool = Pool(12_000 if device == "cpu" else 120_000)
        self.taken = self.used = 0
        self.waited = 0.0
        """Seconds."""
        self.ahead = Ahead(
            DataLoader(
                samples,
                16,
                num_workers=workers,
                prefetch_factor=4 if workers else None,
                persistent_workers=workers > 0,
            )
        )

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """Rows of ``count`` examples: what ``example`` tells, the picture as latents ``z``."""
        self.used += count
        began = time.monotonic()
        while self.taken * self.REUSE[0] < self.used or self.taken < self.first:
            wait = self.taken * self.REUSE[1] < self.used or self.taken < self.first
            batch = self.ahead.take(wait)
            if batch is None:
                break
            self._add(batch)
        self.waited += time.monotonic() - began
        return self.pool.draw(count, rng)

    @torch.no_grad()
    def _add(self, batch: dict[str, Tensor]) -> None:
        rows = {k: v.to(self.device) for k, v in batch.items()}
        x = rows.pop("picture").permute(0, 3, 1, 2).float() / 127.5 - 1
        with mixed_precision(self.device):
            z = self.vae.encode(x.contiguous(memory_format=torch.channels_last)).latent_dist.mean
        rows["z"], rows["shares"] = z.to(torch.float16), rows["shares"].to(torch.float16)
        self.pool.add(rows)
        self.taken += len(z)
