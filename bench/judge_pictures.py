"""Pictures for the judges: drawings of their own with their truth, spoilt, packed for training."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from bench import judges
from catalog.base import mixed_precision, weights_folder
from catalog.croquis import cloth as cloths
from catalog.croquis import drawing, palette
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import encoder_input
from catalog.croquis.schedule import deviations
from catalog.croquis.sheet import FIRST_GARMENT
from catalog.garment import CATEGORIES, SEASONS, SLOTS, Cloth, Shape

FIRST_SEED = 5_000_000_000
"""Drawings from this seed on belong to the judges."""
HELD_OUT = FIRST_SEED + 500_000_000
"""From here on they are only scored."""
FLATS = 0.15
"""Share of product photos among the drawings (for the garment judges)."""
DECODED = 0.3
"""Share of the worn drawings that have been through the autoencoder, as every render has."""
PIECE = 8
"""Pictures a worker hands over at a time."""


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
    patterned: bool = True
    """Whether patterns are as clear as they were drawn."""


def sample(seed: int, vae: CroquisAutoencoder | None = None, decoded: float = DECODED) -> Sample:
    """One drawing with its truth; half of its garments in cloth the base has never seen.

    Args:
        vae: with it, ``decoded`` of the worn drawings are seen through the autoencoder.
    """
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
    if vae is not None and season and rng.random() < decoded:
        run = rng.uniform(0, 0.8) if rng.random() < 0.6 else 0.0
        drawn = _decoded(drawing.draw(truth, scale=2.0), vae, run, rng)
    else:
        run, drawn = 0.0, drawing.draw(truth)
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
        patterned=run < 0.1,
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


# --- as a render is made: latents that are not quite right, decoded under a layout that is --------


def autoencoder() -> CroquisAutoencoder:
    return CroquisAutoencoder.from_pretrained(weights_folder() / "vae").float().eval()


@torch.no_grad()
def _decoded(
    large: drawing.Drawing, vae: CroquisAutoencoder, run: float, rng: np.random.Generator
) -> drawing.Drawing:
    """A drawing at twice the size, halved, with the picture its disturbed latents decode to."""
    small = drawing.halved(large)
    z = _disturbed(vae.encode(encoder_input(small.picture, "cpu")).latent_dist.mean, vae, run, rng)
    layout = torch.from_numpy(drawing.model_maps(small)[0])[None].float() / 255
    edges = torch.from_numpy(large.edges)[None, None].float() / 255
    with mixed_precision("cpu"):
        out = vae.decode(z, layout=layout, edges=edges).sample
    half = F.avg_pool2d(out.float(), 2)[0].clamp(-1, 1)
    picture = ((half + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0)
    return replace(small, picture=picture.contiguous().numpy())


def _disturbed(
    z: torch.Tensor, vae: CroquisAutoencoder, run: float, rng: np.random.Generator
) -> torch.Tensor:
    """Latents ``(1, 24, 48, 32)`` as a sampler may leave them, wrong in one and in many cells.

    Args:
        run: how far what lies side by side runs together in places, as an open coat and the top
            under it do; patterns are lost with it.
    """
    size = torch.tensor(deviations(vae.synthesis))[:, None, None]
    rows, columns = z.shape[2:]

    def field(channels: int, side: int) -> torch.Tensor:
        coarse = rng.standard_normal((1, channels, rows // side, columns // side), np.float32)
        return F.interpolate(torch.from_numpy(coarse), (rows, columns), mode="bilinear")

    around = F.avg_pool2d(z, 5, 1, 2, count_include_pad=False)
    z = torch.lerp(z, around, (field(1, 8) * run).clamp(0, 0.9))
    for side in (1, 4):
        z = z + size * field(z.shape[1], side) * rng.uniform(0, 0.3)
    return z


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


# --- workers: they draw, spoil and pack, so that the training process only trains -----------------


class Pieces(torch.utils.data.IterableDataset):
    """``(name of a judge, arrays it learns from)`` without end, for the judge wanted now.

    Each worker keeps drawings of its own: every piece adds some (the oldest are given up), and
    shows a choice of them, each spoilt anew. Seeds are such that no other training has had (as
    good as surely). What it yields is numpy: arrays go through a pipe, and no shared memory, of
    which a container may have little, is needed. Nothing here touches a GPU.

    Args:
        wanted: number into ``judges.NETWORKS`` of the judge in training, shared with its process.
        stock: drawings kept at hand.
        fresh: drawn anew for each piece.
        folder: where the segmenter is.
    """

    def __init__(self, wanted: Any, stock: int, fresh: int, folder: Path) -> None:
        self.wanted, self.stock, self.fresh, self.folder = wanted, stock, fresh, folder

    def __iter__(self) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        # processes side by side leave no cores for threads
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        judges.FOLDER = self.folder
        rng, vae = np.random.default_rng(), autoencoder()
        seed = FIRST_SEED + random.SystemRandom().randrange(HELD_OUT - FIRST_SEED - 2_000_000)
        # training begins with few drawings, so that it need not wait
        stock, drawn, name = [sample(seed + i, vae) for i in range(min(24, self.stock))], 24, ""
        while True:
            for _ in range(self.fresh):
                one = sample(seed + drawn, vae)
                if len(stock) < self.stock:
                    stock.append(one)
                else:
                    stock[drawn % self.stock] = one
                drawn += 1
            before, name = name, tuple(judges.NETWORKS)[self.wanted.value]
            if name != before:
                judges.judge.cache_clear()  # the segmenter may have been trained since
            piece = _PACKED[name](_chosen(stock, name, rng), rng)
            if piece is not None:
                yield name, piece


def as_it_is(piece: Any) -> Any:
    """Keeps a loader from turning arrays into tensors in shared memory."""
    return piece


def _chosen(stock: list[Sample], name: str, rng: np.random.Generator) -> list[Sample]:
    """Drawings that the judge ``name`` can learn from, spoilt."""
    able = stock
    if name in ("segmenter", "season"):
        able = [one for one in stock if any(one.season)]
    elif name == "pattern":
        able = [one for one in stock if one.patterned]
    return [spoil(able[int(rng.integers(len(able)))], rng) for _ in range(PIECE)]


def _for_segmenter(chosen: list[Sample], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """``picture`` uint8 ``(8, 384, 176, 3)``, ``classes`` uint8 ``(8, 384, 176)``."""
    narrow = [_around_figure(one, rng) for one in chosen]
    return {
        "picture": np.stack([s.picture for s in narrow]),
        "classes": np.stack([s.classes for s in narrow]),
    }


def _around_figure(one: Sample, rng: np.random.Generator, width: int = 176) -> Sample:
    """A strip of the picture with the figure in it: what lies beside it is soon learned."""
    columns = np.flatnonzero((one.classes > 0).any(0))
    middle = int(columns[0] + columns[-1]) // 2 + int(rng.integers(-24, 25))
    left = max(0, min(middle - width // 2, one.classes.shape[1] - width))
    part = slice(left, left + width)
    return replace(one, picture=one.picture[:, part], classes=one.classes[:, part])


def _seen(one: Sample, rng: np.random.Generator) -> np.ndarray:
    """Whose pixels are whose, as the segmenter sees it at a glance in half of the worn pictures."""
    if any(one.season) and rng.random() < 0.5:
        return judges.segment(one.picture, sizes=(1.0,))
    return one.classes


def _garments(
    chosen: list[Sample], rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray, str, str]]:
    """Picture, mask, pattern class and category of every garment that is seen."""
    for one in chosen:
        classes = _seen(one, rng)
        for number, pattern, category in one.garments:
            mask = classes == number
            if mask.sum() >= 60:
                yield one.picture, mask, pattern, category


def _for_pattern(chosen: list[Sample], rng: np.random.Generator) -> dict[str, np.ndarray] | None:
    """``window`` half ``(n, 4, 160, 112)``, ``answer`` ``(n,)``; None without a garment."""
    found = list(_garments(chosen, rng))
    if not found:
        return None
    return {
        "window": np.stack([judges.pattern_input(p, m).half().numpy() for p, m, _, _ in found]),
        "answer": np.array([judges.PATTERN_CLASSES.index(name) for _, _, name, _ in found]),
    }


def _for_category(chosen: list[Sample], rng: np.random.Generator) -> dict[str, np.ndarray] | None:
    """``near`` half ``(n, 4, 160, 112)``, ``far`` half ``(n, 4, 192, 128)``, ``box`` ``(n, 4)``,
    ``answer`` ``(n,)``; None without a garment."""
    found = list(_garments(chosen, rng))
    if not found:
        return None
    near, far, box = zip(*(judges.category_input(p, m) for p, m, _, _ in found), strict=True)
    return {
        "near": torch.stack(near).half().numpy(),
        "far": torch.stack(far).half().numpy(),
        "box": torch.stack(box).numpy(),
        "answer": np.array([tuple(CATEGORIES).index(name) for _, _, _, name in found]),
    }


def _for_season(chosen: list[Sample], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """``scene`` half ``(8, 4, 384, 256)``, ``answer`` ``(8, seasons)``."""
    scenes = [judges.season_input(s.picture, s.classes).half().numpy() for s in chosen]
    return {
        "scene": np.stack(scenes),
        "answer": np.array([s.season for s in chosen], np.float32),
    }


_PACKED: dict[str, Callable[..., dict[str, np.ndarray] | None]] = {
    "segmenter": _for_segmenter,
    "pattern": _for_pattern,
    "category": _for_category,
    "season": _for_season,
}
