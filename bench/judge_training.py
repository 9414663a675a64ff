"""Trains the judges on drawings of their own, and scores them on others."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench import judges
from catalog.base import mixed_precision
from catalog.croquis import cloth as cloths
from catalog.croquis import drawing, palette
from catalog.croquis.sheet import FIRST_GARMENT
from catalog.garment import CATEGORIES, SEASONS, SLOTS, Cloth, Shape

FIRST_SEED = 5_000_000_000
"""Drawings from this seed on belong to the judges."""
HELD_OUT = FIRST_SEED + 500_000_000
"""From here on they are only scored."""
FLATS = 0.15
"""Share of product photos among the drawings (for the garment judges)."""
SHARES = {"segmenter": 0.56, "pattern": 0.22, "category": 0.15, "season": 0.07}
"""How the minutes are divided."""


@dataclass(frozen=True)
class Sample:
    picture: np.ndarray
    """uint8 ``(384, 256, 3)``"""
    classes: np.ndarray
    """uint8 ``(384, 256)``, numbers into ``judges.CLASSES``."""
    garments: tuple[tuple[int, str, str], ...]
    """Class number, pattern class, category of every garment."""
    season: tuple[float, ...]
    """Weights of ``SEASONS``; all zero for a product photo."""


def sample(seed: int) -> Sample:
    """One drawing with its truth; half of its garments in cloth the base has never seen."""
    rng = np.random.default_rng((seed, 21))
    outfit: tuple[tuple[Shape, Cloth], ...]
    if rng.random() < FLATS:
        flat = drawing.sample_flat(seed)
        cloth = any_cloth(flat.cloth, rng)
        outfit, season = ((flat.shape, cloth),), {}
        truth: drawing.Flat | drawing.Worn = replace(flat, cloth=cloth)
    else:
        worn = drawing.sample_worn(seed)
        outfit = tuple((shape, any_cloth(c, rng)) for shape, c in worn.outfit)
        truth, season = replace(worn, outfit=outfit), dict(worn.season)
    drawn = drawing.draw(truth)
    assert drawn.picture is not None
    garments = tuple(
        (
            FIRST_GARMENT + SLOTS.index(CATEGORIES[shape.category].slot),
            cloths.pattern_class(cloth.pattern),
            shape.category,
        )
        for shape, cloth in outfit
    )
    return Sample(
        np.ascontiguousarray(drawn.picture),
        classes_of(drawn),
        garments,
        tuple(season.get(s, 0.0) for s in SEASONS),
    )


def classes_of(drawn: drawing.Drawing) -> np.ndarray:
    """Region numbers of a drawing → class numbers, uint8."""
    table = np.arange(256, dtype=np.uint8)
    for i, slot in enumerate(drawn.slots):
        table[FIRST_GARMENT + i] = FIRST_GARMENT + SLOTS.index(slot)
    return table[drawn.regions]


def any_cloth(cloth: Cloth, rng: np.random.Generator) -> Cloth:
    if rng.random() < 0.5:
        return cloth
    pattern = "plain"
    if rng.random() < 0.6:
        pattern = cloths.PATTERNS[rng.integers(1, len(cloths.PATTERNS))]
    colors: list[str] = []
    while len(colors) < (1 if pattern == "plain" else 3):
        words = list(palette.COLORS)
        anchors = palette.COLORS[words[rng.integers(len(words))]]
        lab = palette.srgb_to_lab(palette.hex_to_rgb(anchors[rng.integers(len(anchors))]))
        shade = palette.rgb_to_hex(palette.lab_to_srgb(lab + rng.normal(0, 6, 3)))
        if colors:
            pair = palette.srgb_to_lab(
                np.array([palette.hex_to_rgb(c) for c in (colors[0], shade)])
            )
            if palette.delta_e(pair[0], pair[1]) < 15:
                continue
        colors.append(shade)
    trim = cloths.TRIMS[rng.integers(len(cloths.TRIMS))]
    return cloth.model_copy(update={"colors": tuple(colors), "pattern": pattern, "trim": trim})


# --- spoiling: a render is softer, noisier and less straight than a drawing ----------------------


def spoil(one: Sample, rng: np.random.Generator) -> Sample:
    """The drawing as a render might show it: bent, blurred, rescaled, compressed, noisy."""
    picture, classes = one.picture, one.classes
    if rng.random() < 0.5:
        picture, classes = picture[:, ::-1], classes[:, ::-1]
    if rng.random() < 0.5:
        picture, classes = _bend(picture, classes, rng)
    picture = np.ascontiguousarray(picture)
    height, width = picture.shape[:2]
    if rng.random() < 0.35:
        share = rng.uniform(0.45, 1.0)
        size = round(width * share), round(height * share)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.65:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.3))
    if rng.random() < 0.4:
        picture = _grain(picture, rng)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(10, 85))]
        packed = cv2.imencode(".jpg", picture, quality)[1]
        picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    if rng.random() < 0.5:
        gain, shift = rng.uniform(0.94, 1.06, 3), rng.uniform(-6, 6, 3)
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(0, 8)
        picture = np.clip(picture * gain + shift + noise, 0, 255).astype(np.uint8)
    return replace(one, picture=picture, classes=np.ascontiguousarray(classes))


def _grain(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blotches of many sizes, as a sampler leaves them where it is not sure."""
    height, width = picture.shape[:2]
    spoilt = picture.astype(np.float32)
    most = rng.uniform(2, 10)
    for size in (2, 4, 8, 16):
        coarse = rng.standard_normal((height // size, width // size, 3), np.float32)
        coarse += rng.standard_normal((height // size, width // size, 1), np.float32)
        how = cv2.INTER_NEAREST if rng.random() < 0.25 else cv2.INTER_LINEAR
        blotches = cv2.resize(coarse, (width, height), interpolation=how)
        spoilt += blotches * rng.uniform(0, most)
    return np.clip(spoilt, 0, 255).astype(np.uint8)


def _bend(
    picture: np.ndarray, classes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    height, width = classes.shape
    coarse = rng.normal(0, rng.uniform(0.3, 1.8), (12, 8, 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    x = np.arange(width, dtype=np.float32)[None] + field[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + field[..., 1]
    bent = cv2.remap(
        np.ascontiguousarray(picture), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    moved = cv2.remap(
        np.ascontiguousarray(classes), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    return bent, moved


# --- training ------------------------------------------------------------------------------------


class Drawings(torch.utils.data.IterableDataset):
    """Samples without end, from seeds that no other training has had (as good as surely)."""

    def __iter__(self) -> Iterator[Sample]:
        worker = torch.utils.data.get_worker_info()
        seed = FIRST_SEED + random.SystemRandom().randrange(HELD_OUT - FIRST_SEED - 2_000_000)
        for i in itertools.count(worker.id if worker else 0, worker.num_workers if worker else 1):
            yield sample(seed + i)


class Stock:
    """The drawings at hand: drawn beside the training, the oldest ones given up for new ones."""

    def __init__(self, count: int) -> None:
        loader = torch.utils.data.DataLoader(
            Drawings(), batch_size=None, num_workers=1, prefetch_factor=64
        )
        self._fresh = iter(loader)
        self._oldest = 0
        self.samples = [next(self._fresh) for _ in range(count)]

    def renew(self, count: int) -> None:
        for _ in range(count):
            self.samples[self._oldest] = next(self._fresh)
            self._oldest = (self._oldest + 1) % len(self.samples)

    def spoilt(self, rng: np.random.Generator, count: int, worn: bool = False) -> Iterator:
        """Batches without end of ``count`` samples, spoilt; a quarter as many are drawn anew."""
        while True:
            self.renew(count // 4)
            chosen: list[Sample] = []
            while len(chosen) < count:
                one = self.samples[int(rng.integers(len(self.samples)))]
                if not worn or any(one.season):
                    chosen.append(spoil(one, rng))
            yield chosen


def train(minutes: float, count: int, only: Sequence[str], fresh: bool = False) -> None:
    """Train the judges named in ``only`` for ``minutes`` together, ``count`` drawings at hand."""
    began = time.monotonic()
    samples = Stock(count)
    print(f"{count} drawings in {time.monotonic() - began:.0f} s", flush=True)
    total = sum(SHARES[name] for name in only)
    for name in (n for n in judges.NETWORKS if n in only):
        network = judges.NETWORKS[name]()
        if not fresh and judges.weights_file(name).exists():
            network = judges.judge(name).requires_grad_(True)
        _fit(name, network.train(), samples, minutes * SHARES[name] / total)


def _fit(name: str, network: nn.Module, samples: Stock, minutes: float) -> None:
    batches, loss_of = _BATCHES[name], _LOSSES[name]
    rate, seconds, before, spent = 3e-3, minutes * 60, time.monotonic(), 0.0
    optimizer = torch.optim.AdamW(network.parameters(), rate, betas=(0.9, 0.99), weight_decay=0.02)
    rng = np.random.default_rng(int(time.time()))
    smooth = math.nan
    network.to(memory_format=torch.channels_last)
    for step, batch in enumerate(batches(samples, rng), 1):
        # a pause of the whole process is not training time
        now = time.monotonic()
        spent, before = spent + min(now - before, 10.0), now
        share = spent / seconds
        if share >= 1:
            break
        late = max(0.0, (share - 0.3) / 0.7)
        slope = 0.02 + 0.49 * (1 + math.cos(math.pi * late))
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, step / 50) * slope
        with mixed_precision("cpu"):
            loss = loss_of(network, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        value = float(loss.detach())
        smooth = value if math.isnan(smooth) else 0.95 * smooth + 0.05 * value
        if step % 50 == 0:
            print(f"{name} {step}  {share:.0%}  loss {smooth:.4f}", flush=True)
        if step % 100 == 0:
            judges.save(name, network)
    judges.save(name, network)


def _pictures(samples: Iterable[Sample]) -> Tensor:
    pictures = torch.stack([torch.from_numpy(np.ascontiguousarray(s.picture)) for s in samples])
    x = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    return x.contiguous(memory_format=torch.channels_last)


def _segment_batches(stock: Stock, rng: np.random.Generator) -> Iterator:
    for chosen in stock.spoilt(rng, 8, worn=True):
        narrow = [_around_figure(one, rng) for one in chosen]
        yield _pictures(narrow), torch.stack([torch.from_numpy(s.classes) for s in narrow]).long()


def _around_figure(one: Sample, rng: np.random.Generator, width: int = 176) -> Sample:
    """A strip of the picture with the figure in it: what lies beside it is soon learned."""
    columns = np.flatnonzero((one.classes > 0).any(0))
    middle = int(columns[0] + columns[-1]) // 2 + int(rng.integers(-24, 25))
    left = max(0, min(middle - width // 2, one.classes.shape[1] - width))
    part = slice(left, left + width)
    return replace(one, picture=one.picture[:, part], classes=one.classes[:, part])


def _segment_loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    weight = torch.ones(len(judges.CLASSES))
    for slot, more in (("eyewear", 4.0), ("neckwear", 3.0), ("bag", 2.0), ("headwear", 2.0)):
        weight[judges.CLASSES.index(slot)] = more
    logits = network(batch[0]).float()
    return F.cross_entropy(logits, batch[1], weight) + 0.5 * _overlap_loss(logits, batch[1])


def _overlap_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """1 - Dice of each class that a picture shows: a sliver of a top counts as much as a coat."""
    likely = logits.softmax(1).flatten(2)
    truth = F.one_hot(classes.flatten(1), logits.shape[1]).transpose(1, 2).float()
    both, seen = 2 * (likely * truth).sum(2), likely.sum(2) + truth.sum(2)
    shown = truth.sum(2) >= 30
    return (1 - both / seen.clamp_min(1.0))[shown].mean()


def _seen(one: Sample, rng: np.random.Generator) -> np.ndarray:
    """Whose pixels are whose, as the segmenter sees it in half of the worn pictures."""
    if any(one.season) and rng.random() < 0.5:
        return judges.segment(one.picture)
    return one.classes


def _garment_batches(stock: Stock, rng: np.random.Generator) -> Iterator:
    """Garments with their masks: ``[(picture, mask, pattern class, category)]`` of 8 drawings."""
    for chosen in stock.spoilt(rng, 8):
        found = []
        for one in chosen:
            classes = _seen(one, rng)
            for number, pattern, category in one.garments:
                mask = classes == number
                if mask.sum() >= 60:
                    found.append((one.picture, mask, pattern, category))
        if found:
            yield found


def _pattern_loss(network: nn.Module, batch: list) -> Tensor:
    x = torch.stack([judges.pattern_input(picture, mask) for picture, mask, _, _ in batch])
    answer = torch.tensor([judges.PATTERN_CLASSES.index(p) for _, _, p, _ in batch])
    return F.cross_entropy(network(x).float(), answer)


def _category_loss(network: nn.Module, batch: list) -> Tensor:
    crops, boxes = zip(*(judges.category_input(p, m) for p, m, _, _ in batch), strict=True)
    answer = torch.tensor([tuple(CATEGORIES).index(c) for _, _, _, c in batch])
    return F.cross_entropy(network(torch.stack(crops), torch.stack(boxes)).float(), answer)


def _season_batches(stock: Stock, rng: np.random.Generator) -> Iterator:
    for chosen in stock.spoilt(rng, 12, worn=True):
        x = torch.stack([judges.season_input(s.picture, s.classes) for s in chosen])
        yield x, torch.tensor([s.season for s in chosen])


def _season_loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(network(batch[0]).float(), batch[1])


_BATCHES: dict[str, Callable[..., Iterator]] = {
    "segmenter": _segment_batches,
    "pattern": _garment_batches,
    "category": _garment_batches,
    "season": _season_batches,
}
_LOSSES: dict[str, Callable[..., Tensor]] = {
    "segmenter": _segment_loss,
    "pattern": _pattern_loss,
    "category": _category_loss,
    "season": _season_loss,
}


# --- score ---------------------------------------------------------------------------------------


def score(count: int = 120) -> dict[str, float]:
    """How well the judges read drawings they have not learned from, plain and spoilt."""
    figures: dict[str, float] = {}
    rng = np.random.default_rng(0)
    for how in ("drawn", "spoilt"):
        both, either = np.zeros(len(judges.CLASSES)), np.zeros(len(judges.CLASSES))
        shape, right = [], {"pattern": [], "category": [], "season": []}  # type: ignore[var-annotated]
        for i in range(count):
            one = sample(HELD_OUT + i)
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
                    right["pattern"].append(judges.pattern(one.picture, mask)[0] == pattern)
                    right["category"].append(judges.category(one.picture, mask) == category)
            if max(one.season) == 1.0:
                likely = judges.season(one.picture, seen)
                right["season"].append(max(likely, key=likely.__getitem__) ==
                                       SEASONS[one.season.index(1.0)])  # fmt: skip
        figures[f"{how} silhouette IoU"] = float(np.mean(shape))
        figures[f"{how} classes IoU"] = float(np.mean(both / np.maximum(either, 1)))
        for name, share in zip(judges.CLASSES, both / np.maximum(either, 1), strict=True):
            figures[f"{how} {name} IoU"] = float(share)
        figures |= {f"{how} {k} right": float(np.mean(v)) for k, v in right.items()}
    for name, value in figures.items():
        print(f"{name:32} {value:.3f}")
    return figures
