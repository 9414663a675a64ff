"""Trains the croquis base: words, autoencoder, UNet with its ControlNets. Top to bottom.

    python -m catalog.croquis.train_base words --minutes 15
    python -m catalog.croquis.train_base basis
    python -m catalog.croquis.train_base decoder --minutes 60
    python -m catalog.croquis.train_base unet --minutes 70
    python -m catalog.croquis.train_base export

``decoder`` and ``unet`` need ``words`` and ``basis``, and not each other.

Each stage goes on from its last checkpoint in ``--run``, else from the committed weights, else
from nothing. The same command runs on a CPU (bf16 where the processor has it) and on CUDA.
Loss curve (``loss.csv``), sample sheets and figures on held-out drawings land in ``--run``.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from catalog import base as bases
from catalog import regions
from catalog.croquis import cloth, drawing, maps, palette, tokens
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.garment import CATEGORIES

# --- options ---------------------------------------------------------------------------------

PHRASES = 10
"""Scene, person, and up to eight garments."""
HELD_OUT_SEEDS = 2**40
"""Drawings from this seed on are never trained on."""
UNET = dict(
    sample_size=maps.LATENT_SIZE,
    in_channels=64,
    out_channels=64,
    down_block_types=("CrossAttnDownBlock2D",) * 3,
    up_block_types=("CrossAttnUpBlock2D",) * 3,
    block_out_channels=(128, 160, 192),
    layers_per_block=1,
    cross_attention_dim=192,
    attention_head_dim=(4, 5, 6),
    # the finest level reads words (sharp regions) but does not look at itself: cheap
    only_cross_attention=(True, False, False),
    use_linear_projection=True,
)
CONTROLNET = dict(
    in_channels=64,
    down_block_types=("DownBlock2D",) * 3,
    mid_block_type="UNetMidBlock2D",
    block_out_channels=UNET["block_out_channels"],
    layers_per_block=1,
    cross_attention_dim=192,
    # two halvings: a 96 x 64 map meets 24 x 16 latents
    conditioning_embedding_out_channels=(32, 64, 96),
)
CONTROL_CHANNELS = {"openpose": 3, "layout": len(maps.CHANNELS)}
TEXT = dict(
    hidden_size=192,
    intermediate_size=512,
    num_hidden_layers=4,
    num_attention_heads=6,
    max_position_embeddings=32,
)


@dataclass
class Options:
    stage: str
    run: Path
    minutes: float
    batch: int
    rate: float
    workers: int
    threads: int
    device: str
    compile: bool
    seed: int
    fresh: bool
    checkpoint_seconds: float = 180.0


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("stage", choices=tuple(STAGES))
    parser.add_argument("--run", type=Path, default=bases.training_folder())
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after this long")
    parser.add_argument("--batch", type=int, default=0, help="0: the stage's own")
    parser.add_argument("--rate", type=float, default=0.0, help="peak learning rate; 0: own")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fresh", action="store_true", help="ignore checkpoint and weights")
    parser.add_argument("--checkpoint-seconds", type=float, default=180.0)
    o = Options(**vars(parser.parse_args(argv)))
    o.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    STAGES[o.stage](o)


# --- words: colours, patterns and kinds mean something before any picture is drawn --------------


class Reader(nn.Module):
    """Reads the drawn truth back out of a phrase, and matches phrases with pictures."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({k: nn.Linear(width, len(v)) for k, v in _truths().items()})
        self.to_pair = nn.Linear(width, 128)
        self.eye = nn.Sequential(
            nn.Conv2d(3, 32, 4, 4),
            nn.SiLU(),
            nn.Conv2d(32, 96, 3, 2, 1),
            nn.SiLU(),
            nn.GroupNorm(8, 96),
            nn.Conv2d(96, 192, 3, 2, 1),
            nn.SiLU(),
            nn.GroupNorm(8, 192),
            nn.Conv2d(192, 192, 3, 1, 1),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(192, 128),
        )
        self.scale = nn.Parameter(torch.tensor(2.3))


def train_words(o: Options) -> None:
    """CLIPTextModel: reads kind, colours, pattern, material, and pairs phrases with crops."""
    tokenizer = tokens.build_tokenizer(o.run / "tokenizer")
    text = bases.new_text_encoder(TEXT, len(tokenizer))
    reader = Reader(TEXT["hidden_size"])
    both = nn.ModuleDict({"text": text, "reader": reader}).to(o.device)
    optimizer = torch.optim.AdamW(both.parameters(), o.rate or 1e-3, weight_decay=0.01)
    batch, log, state = o.batch or 64, Log(o, "words"), Checkpoint(o, "words")
    step = state.load(both, optimizer)
    crops: list[tuple[Tensor, str]] = []
    stream = iter(DataLoader(Crops(step), batch_size=None, num_workers=o.workers))
    rng = np.random.default_rng(step)
    clock = Clock(o.minutes)
    while not clock.over():
        # 1. phrases with their truth, read back
        phrases, truths = zip(*(_phrase_with_truth(rng) for _ in range(batch)), strict=True)
        pooled = text(**_ids(tokenizer, phrases, o.device)).pooler_output
        losses = [
            F.cross_entropy(head(pooled)[known], answer[known])
            for name, head in reader.heads.items()
            for answer in [torch.tensor([t[name] for t in truths], device=o.device)]
            for known in [answer >= 0]
            if known.any()
        ]
        # 2. phrases paired with crops of garments, worn and flat
        for _ in range(4):
            crops.append(next(stream))
        crops = crops[-4096:]
        chosen = [crops[i] for i in rng.integers(len(crops), size=batch)]
        pictures = torch.stack([c for c, _ in chosen]).to(o.device).float() / 127.5 - 1
        a = F.normalize(reader.eye(pictures), dim=1)
        texts = text(**_ids(tokenizer, [p for _, p in chosen], o.device)).pooler_output
        b = F.normalize(reader.to_pair(texts), dim=1)
        logits = a @ b.T * reader.scale.exp().clamp(max=50)
        # the same phrase twice in a batch is not a wrong answer
        same = torch.tensor([[p == q for _, q in chosen] for _, p in chosen], device=o.device)
        target = same.float() / same.sum(1, keepdim=True)
        pair = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        loss = sum(losses) / len(losses) + 0.3 * pair
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = (o.rate or 1e-3) * clock.cosine()
        optimizer.step()
        step += 1
        if step % 50 == 0:
            read = float((sum(losses) / len(losses)).detach())
            log.row(step, read=read, pair=float(pair.detach()))
        state.save(both, optimizer, step)
    state.save(both, optimizer, step, now=True)
    text.save_pretrained(o.run / "text_encoder")
    with torch.no_grad():
        phrases, truths = zip(*(_phrase_with_truth(rng) for _ in range(500)), strict=True)
        pooled = text(**_ids(tokenizer, phrases, o.device)).pooler_output
        for name, head in reader.heads.items():
            answer = torch.tensor([t[name] for t in truths], device=o.device)
            right = (head(pooled).argmax(1) == answer)[answer >= 0].float().mean()
            print(f"words: {name} read back {100 * float(right):.1f} %")


def _ids(tokenizer, phrases, device: str) -> dict[str, Tensor]:
    out = tokenizer(
        list(phrases),
        padding="max_length",
        truncation=True,
        max_length=regions.TOKENS,
        return_tensors="pt",
    )
    return {"input_ids": out.input_ids.to(device)}


def _truths() -> dict[str, tuple[str, ...]]:
    """What a phrase can say, and the words it can say it with."""
    return {
        "category": tuple(CATEGORIES),
        "color": tuple(palette.COLORS),
        "second": tuple(palette.COLORS),
        "pattern": tuple(cloth.PATTERNS_BASE),
        "material": tuple(dict.fromkeys(m for c in CATEGORIES.values() for m in c.materials)),
    } | tokens.PERSON_TRUTHS


def _phrase_with_truth(rng: np.random.Generator) -> tuple[str, dict[str, int]]:
    truth = dict.fromkeys(_truths(), -1)
    if rng.random() < 0.2:
        person = drawing.sample_person(rng)
        for name in tokens.PERSON_TRUTHS:
            truth[name] = tokens.PERSON_TRUTHS[name].index(getattr(person, name))
        return drawing.person_phrase(person), truth
    category = list(CATEGORIES)[rng.integers(len(CATEGORIES))]
    fabric = drawing.sample_cloth(category, rng)
    shape = drawing.sample_shape(category, rng)
    found = {
        "category": category,
        "color": palette.color_word(fabric.colors[0]),
        "pattern": fabric.pattern,
        "material": fabric.material,
    }
    if fabric.pattern != "plain":
        found["second"] = palette.color_word(fabric.colors[1])
    phrase, kept = tokens.thinned(drawing.garment_phrase(shape, fabric), found, rng)
    for name, word in kept.items():
        truth[name] = _truths()[name].index(word)
    return phrase, truth


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
                crop = garment_crop(drawn.picture, drawn.regions, i)  # type: ignore[arg-type]
                if crop is not None:
                    yield torch.from_numpy(crop), phrase


def garment_crop(picture: np.ndarray, region: np.ndarray, index: int) -> np.ndarray | None:
    """Garment ``index`` alone on grey, squared into ``uint8 (3, 96, 64)``; None if not visible."""
    mask = region == drawing.maps.FIRST_GARMENT + index
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if mask.sum() < 40:
        return None
    box = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    alone = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1, None]
    box = np.where(alone, box, 128.0)
    height, width = box.shape[:2]
    side = max(height / 96, width / 64)
    canvas = torch.full((1, 3, 96, 64), 128.0)
    size = max(1, round(height / side)), max(1, round(width / side))
    small = F.interpolate(torch.from_numpy(box).permute(2, 0, 1)[None], size, mode="area")
    top, left = (96 - size[0]) // 2, (64 - size[1]) // 2
    canvas[:, :, top : top + size[0], left : left + size[1]] = small
    return canvas[0].round().to(torch.uint8).numpy()


# --- pictures: the autoencoder --------------------------------------------------------------------


@torch.no_grad()
def fit_basis(o: Options) -> None:
    """The linear encoder: principal components of the patches of 400 drawings."""
    total, outer, count = torch.zeros(768).double(), torch.zeros(768, 768).double(), 0.0
    for seed in range(400):
        truth = drawing.sample_flat(seed) if seed % 4 == 0 else drawing.sample_worn(seed)
        drawn = drawing.draw(truth)
        patches = F.pixel_unshuffle(_encoder_input(drawn.picture, "cpu"), 16)[0].flatten(1).T
        # cells of the figure count four times: clothes and faces are what must survive
        inside = torch.from_numpy(1 - maps.shares(drawn.regions, len(drawn.slots))[0]).flatten()
        weight = (1 + 3 * inside)[:, None].double()
        patches = patches.double()
        total += (weight * patches).sum(0)
        outer += (weight * patches).T @ patches
        count += float(weight.sum())
    mean = total / count
    values, vectors = torch.linalg.eigh(outer / count - torch.outer(mean, mean))
    model = CroquisAutoencoder()
    best = slice(-model.config.latent_channels, None)
    model.set_basis(mean, vectors[:, best].flip(1), values[best].flip(0).clamp_min(0).sqrt())
    model.save_pretrained(o.run / "vae")
    print(f"basis: {psnr(model, o):.2f} dB on held-out drawings before any training")


def train_decoder(o: Options) -> None:
    """The decoder, on crops at twice the size, from latents with a little noise on them."""
    model = CroquisAutoencoder.from_pretrained(o.run / "vae")
    model = model.to(o.device, memory_format=torch.channels_last)
    ema = copy.deepcopy(model).requires_grad_(False)
    rate, batch = o.rate or 1e-3, o.batch or 12
    optimizer = torch.optim.AdamW(model.decoder.parameters(), rate, betas=(0.9, 0.99))
    both = nn.ModuleDict({"model": model, "ema": ema})
    log, state, clock = Log(o, "decoder"), Checkpoint(o, "decoder"), Clock(o.minutes)
    step = state.load(both, optimizer)
    decode = torch.compile(model.decoder) if o.compile else model.decoder
    loader = DataLoader(
        BigCrops(step), batch, num_workers=o.workers, drop_last=True, prefetch_factor=4
    )
    for big in loader:
        big = big.to(o.device).float() / 127.5 - 1
        with torch.no_grad():
            z = model.encode(F.avg_pool2d(big, 2)).latent_dist.mean
            # what the UNet will hand over is never quite clean
            z = z + torch.rand(len(z), 1, 1, 1, device=z.device) * 0.12 * torch.randn_like(z)
            plain = F.interpolate(model.linear(z), scale_factor=2, mode="bilinear")
        with torch.autocast(o.device, torch.bfloat16):
            learned = decode(z.contiguous(memory_format=torch.channels_last))
        error = (plain + learned.float() - big).contiguous()
        # lines are thin: their gradient counts on its own
        edge = torch.diff(error, dim=2).abs().mean() + torch.diff(error, dim=3).abs().mean()
        square = error.square().mean()
        loss = square + 0.2 * error.abs().mean() + 0.3 * edge
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * clock.cosine()
        optimizer.step()
        update_ema(ema, model, min(0.998, step / (step + 10)))
        step += 1
        if step % 25 == 0:
            figures = {"loss": loss, "edge": edge, "db": -10 * torch.log10(square / 4)}
            log.row(step, **{k: float(v.detach()) for k, v in figures.items()})
            state.save(both, optimizer, step)
        if clock.over():
            break
    state.save(both, optimizer, step, now=True)
    ema.save_pretrained(o.run / "vae")
    print(f"decoder: {psnr(ema, o):.2f} dB on held-out drawings")


class BigCrops(IterableDataset):
    """Crops ``uint8 (3, 256, 256)`` of drawings at twice the size, three from each."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __iter__(self) -> Iterator[Tensor]:
        info = get_worker_info()
        torch.set_num_threads(1)
        seed = 2_000_003 * (self.start + 1) + (info.id if info else 0)
        while True:
            seed += info.num_workers if info else 1
            rng = np.random.default_rng(seed)
            truth = drawing.sample_flat(seed) if rng.random() < 0.3 else drawing.sample_worn(seed)
            drawn = drawing.draw(truth, scale=2.0)
            assert drawn.picture is not None
            inside = np.argwhere(drawn.regions > 0)
            for _ in range(3):
                # crops are cut where somebody is, most of the time
                y, x = inside[rng.integers(len(inside))] if len(inside) else (384, 256)
                # on the grid of cells, as whole pictures are
                y = int(np.clip(y - rng.integers(256), 0, 512)) // 32 * 32
                x = int(np.clip(x - rng.integers(256), 0, 256)) // 32 * 32
                crop = drawn.picture[y : y + 256, x : x + 256]
                yield torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))


@torch.no_grad()
def psnr(model: CroquisAutoencoder, o: Options, count: int = 48) -> float:
    """PSNR in dB over the clothed figure of held-out drawings at 256 x 384."""
    squares, pixels = 0.0, 0
    for seed in range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + count):
        drawn = drawing.draw(drawing.sample_worn(seed))
        x = _encoder_input(drawn.picture, o.device)
        out = model.decode(model.encode(x).latent_dist.mean).sample
        error = (F.avg_pool2d(out, 2) - x).clamp(-2, 2)[0][:, drawn.regions > 0]
        squares, pixels = squares + float(error.square().sum()), pixels + error.numel()
    return -10 * math.log10(squares / pixels / 4)


def _encoder_input(picture: np.ndarray | None, device: str) -> Tensor:
    assert picture is not None
    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return (x.to(device).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


# --- unet: denoising, with regions and ControlNets ------------------------------------------------


class Samples(IterableDataset):
    """What one training example needs, drawn as it is asked for; no seed repeats."""

    def __init__(self, start: int, flats: float) -> None:
        self.start, self.flats = start, flats

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        info = get_worker_info()
        torch.set_num_threads(1)
        os.nice(5)
        workers, me = (info.num_workers, info.id) if info else (1, 0)
        tokenizer = tokens.load_tokenizer(self.tokenizer)
        number = self.start * workers + me
        while True:
            seed = 10_000_000 + number
            number += workers
            rng = np.random.default_rng((seed, 5))
            truth = (
                drawing.sample_flat(seed)
                if rng.random() < self.flats
                else drawing.sample_worn(seed)
            )
            yield example(drawing.draw(truth), tokenizer, rng)

    tokenizer: Path


def example(
    drawn: drawing.Drawing, tokenizer, rng: np.random.Generator | None
) -> dict[str, Tensor]:
    """One drawing as tensors; with ``rng`` words of its phrases are dropped as training does."""
    layout, skeleton, share = drawing.model_maps(drawn)
    padded = np.zeros((PHRASES, *maps.LATENT_SIZE), np.float32)
    count = min(len(share), PHRASES)
    padded[:count] = share[:count]
    phrases = list(drawn.phrases[:PHRASES])
    if rng is not None:
        phrases = [*phrases[:2], *(tokens.thinned(p, {}, rng)[0] for p in phrases[2:])]
    phrases += [""] * (PHRASES - len(phrases))
    ids = _ids(tokenizer, phrases, "cpu")["input_ids"]
    assert drawn.picture is not None
    return {
        "picture": torch.from_numpy(np.ascontiguousarray(drawn.picture)),
        "layout": torch.from_numpy(layout),
        "skeleton": torch.from_numpy(skeleton),
        "shares": torch.from_numpy(padded),
        "ids": ids.to(torch.int16),
    }


class Pool:
    """Encoded examples kept in memory: each is used about ``reuse`` times, in random order."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.size, self.next = capacity, 0, 0
        self.rows: dict[str, Tensor] = {}

    def add(self, batch: dict[str, Tensor]) -> None:
        count = len(next(iter(batch.values())))
        for name, value in batch.items():
            if name not in self.rows:
                self.rows[name] = torch.empty(
                    (self.capacity, *value.shape[1:]), dtype=value.dtype, device=value.device
                )
        for i in range(count):
            for name, value in batch.items():
                self.rows[name][self.next] = value[i]
            self.next = (self.next + 1) % self.capacity
            self.size = min(self.size + 1, self.capacity)

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, Tensor]:
        index = torch.from_numpy(rng.integers(self.size, size=count))
        return {name: value[index.to(value.device)] for name, value in self.rows.items()}


class Denoiser(nn.Module):
    """UNet and its ControlNets as one module, so that they train, compile and average together."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = bases.new_unet(UNET)
        self.control = nn.ModuleDict(
            {name: bases.new_controlnet(CONTROLNET, n) for name, n in CONTROL_CHANNELS.items()}
        )

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        words: Tensor,
        bias: dict[int, Tensor],
        maps_: dict[str, Tensor],
        weights: dict[str, Tensor],
    ) -> Tensor:
        """The UNet's output, of which ``ChannelScheduler.velocity`` makes v.

        ``maps_[name]`` is in 0…1, ``weights[name]`` ``(B,)`` switches it row by row.
        """
        down, middle = None, None
        for name, condition in maps_.items():
            residuals, mid = self.control[name](
                x, t, encoder_hidden_states=words, controlnet_cond=condition, return_dict=False
            )
            w = weights[name][:, None, None, None]
            residuals, mid = [r * w for r in residuals], mid * w
            down = (
                residuals if down is None else [a + b for a, b in zip(down, residuals, strict=True)]
            )
            middle = mid if middle is None else middle + mid
        return self.unet(
            x,
            t,
            encoder_hidden_states=words,
            cross_attention_kwargs={"regions": bias},
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
            return_dict=False,
        )[0]


def train_unet(o: Options) -> None:
    """v-prediction with zero terminal SNR, regions in the attention, ControlNets together."""
    # 1. what is trained, and what it is trained on
    source = o.run if (o.run / "vae").exists() else bases.weights_folder()
    vae = CroquisAutoencoder.from_pretrained(source / "vae").to(o.device).requires_grad_(False)
    text = bases.load_text_encoder(source).to(o.device).requires_grad_(False)
    model = Denoiser()
    if not o.fresh:
        bases.fill_from_committed(model)
    model = model.to(o.device, memory_format=torch.channels_last)
    ema = copy.deepcopy(model).requires_grad_(False)
    rate, batch = o.rate or 8e-4, o.batch or 16
    optimizer = torch.optim.AdamW(
        model.parameters(), rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    both = nn.ModuleDict({"model": model, "ema": ema})
    log, state, clock = Log(o, "unet"), Checkpoint(o, "unet"), Clock(o.minutes)
    step = state.load(both, optimizer)
    scheduler = bases.noise_scheduler(vae)
    alpha = scheduler.alphas_cumprod.to(o.device).float()
    run_step = torch.compile(model) if o.compile else model

    # 2. pictures are drawn beside the training, encoded, and used about twice each
    data = Samples(step * batch, flats=0.28)
    data.tokenizer = source / "tokenizer"
    stream = iter(
        DataLoader(data, batch, num_workers=o.workers, prefetch_factor=4, persistent_workers=True)
    )
    pool, rng = Pool(24_000 if o.device == "cpu" else 60_000), np.random.default_rng(step + 1)

    def take_in() -> None:
        fresh = {k: v.to(o.device) for k, v in next(stream).items()}
        x = fresh.pop("picture").permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad(), torch.autocast(o.device, torch.bfloat16):
            fresh["z"] = vae.encode(
                x.contiguous(memory_format=torch.channels_last)
            ).latent_dist.mean.to(torch.float16)
        fresh["shares"] = fresh["shares"].to(torch.float16)
        pool.add(fresh)

    while pool.size < (24 if o.device == "cpu" else 40) * batch:
        take_in()

    # 3. the loop
    seen_time = 0.0
    while not clock.over():
        if step % 2 == 0 or o.device != "cpu":
            waiting = time.monotonic()
            take_in()
            seen_time += time.monotonic() - waiting
        row = pool.draw(batch, rng)
        z, share = row["z"].float(), row["shares"].float()
        # empty words in a tenth of the rows: what guidance is measured against
        ids = row["ids"].long()
        empty = torch.from_numpy(rng.random(batch) < 0.1).to(o.device)
        ids[empty] = ids[empty][:, :1].new_tensor(data_empty_ids(data.tokenizer))
        with torch.no_grad():
            words = text(input_ids=ids.flatten(0, 1)).last_hidden_state
        words = words.reshape(batch, -1, words.shape[-1])
        # control is dropped at random so that each net, both, or none can be used
        has_pose = (row["skeleton"].flatten(1).amax(1) > 0).float()
        dice = torch.from_numpy(rng.random(batch)).to(o.device)
        weights = {
            "layout": (dice < 0.85).float(),
            "openpose": (((dice < 0.45) | ((dice >= 0.85) & (dice < 0.95))).float() * has_pose),
        }
        # without a layout regions may be unknown too: every cell then reads every phrase
        blind = (dice >= 0.85) & torch.from_numpy(rng.random(batch) < 0.5).to(o.device)
        share[blind] = 1.0 / PHRASES
        conditions = {
            "layout": row["layout"].float() / 255,
            "openpose": row["skeleton"].float() / 255,
        }
        t = torch.from_numpy(rng.integers(1000, size=batch)).to(o.device)
        noise = torch.randn_like(z)
        a, s = alpha[t].sqrt()[:, None, None, None], (1 - alpha[t]).sqrt()[:, None, None, None]
        target = a * noise - s * z
        with torch.autocast(o.device, torch.bfloat16):
            bias = regions.attention_bias(share)
            noisy = (a * z + s * noise).contiguous(memory_format=torch.channels_last)
            output = run_step(noisy, t, words, bias, conditions, weights)
        predicted = scheduler.velocity(output.float(), noisy, t)
        # the figure is what people look at: its cells count double
        figure = 1 + (1 - row["shares"].float()[:, :1])
        loss = ((predicted - target).square() * figure).mean() / figure.mean()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 300) * clock.cosine(0.05)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        update_ema(ema, model, min(0.999, (step + 1) / (step + 20)))
        step += 1
        if step % 20 == 0:
            log.row(
                step,
                loss=float(loss.detach()),
                norm=float(norm),
                pictures=step * batch,
                waited=seen_time,
            )
            state.save(both, optimizer, step)
        if step % 1500 == 0:
            save_denoiser(ema, o.run)
            figures = held_out_error(ema, text, vae, data.tokenizer, o)
            print("unet: one-step error by noise level", json.dumps(figures), flush=True)
    state.save(both, optimizer, step, now=True)
    save_denoiser(ema, o.run)
    print("unet:", json.dumps(held_out_error(ema, text, vae, data.tokenizer, o)))


_EMPTY: dict[Path, list] = {}


def data_empty_ids(folder: Path) -> list:
    """Token ids of an empty phrase."""
    if folder not in _EMPTY:
        _EMPTY[folder] = _ids(tokens.load_tokenizer(folder), [""], "cpu")["input_ids"].tolist()
    return _EMPTY[folder]


@torch.no_grad()
def held_out_error(
    model: Denoiser, text, vae: CroquisAutoencoder, tokenizer_folder: Path, o: Options
) -> dict[str, float]:
    """Share of latent variance the one-step prediction of the clean picture leaves unexplained,

    per noise level, over the figure's cells of 32 held-out drawings: what the network knows,
    whatever a sampler makes of it.
    """
    tokenizer = tokens.load_tokenizer(tokenizer_folder)
    scheduler = bases.noise_scheduler(vae)
    alpha = scheduler.alphas_cumprod.to(o.device).float()
    rows = [
        example(drawing.draw(drawing.sample_worn(HELD_OUT_SEEDS + i)), tokenizer, None)
        for i in range(32)
    ]
    batch = {k: torch.stack([r[k] for r in rows]).to(o.device) for k in rows[0]}
    z = vae.encode(batch["picture"].permute(0, 3, 1, 2).float() / 127.5 - 1).latent_dist.mean
    words = text(input_ids=batch["ids"].long().flatten(0, 1)).last_hidden_state
    words = words.reshape(32, -1, words.shape[-1])
    bias = regions.attention_bias(batch["shares"].float())
    conditions = {
        "layout": batch["layout"].float() / 255, "openpose": batch["skeleton"].float() / 255,
    }  # fmt: skip
    ones = {name: torch.ones(32, device=o.device) for name in conditions}
    inside = (batch["shares"][:, :1].float() < 0.5).expand_as(z)
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).to(o.device)
    errors = {}
    for level in (999, 800, 600, 400, 200):
        t = torch.full((32,), level, device=o.device)
        a, s = alpha[level].sqrt(), (1 - alpha[level]).sqrt()
        noisy = a * z + s * noise
        v = scheduler.velocity(model(noisy, t, words, bias, conditions, ones), noisy, t)
        guess = a * noisy - s * v
        spread = (z - z[inside].mean()).square()[inside].mean()
        errors[str(level)] = round(float((guess - z).square()[inside].mean() / spread), 4)
    return errors


def save_denoiser(model: Denoiser, folder: Path) -> None:
    model.unet.save_pretrained(folder / "unet")
    for name, net in model.control.items():
        net.save_pretrained(folder / f"controlnet-{name}")


def export(o: Options) -> None:
    """Write the run's result as the committed weights: fp16, shards of at most 15 MB."""
    bases.export(o.run, bases.weights_folder())


# --- what every stage needs ---------------------------------------------------------------------


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    theirs, ours = list(model.parameters()), list(ema.parameters())
    torch._foreach_lerp_(ours, theirs, 1 - decay)


class Clock:
    def __init__(self, minutes: float) -> None:
        self.start, self.length = time.monotonic(), minutes * 60

    def share(self) -> float:
        return min(1.0, (time.monotonic() - self.start) / self.length)

    def over(self) -> bool:
        return self.share() >= 1.0

    def cosine(self, floor: float = 0.02) -> float:
        """Learning-rate factor: flat, then a cosine to ``floor`` over the last two fifths."""
        late = max(0.0, (self.share() - 0.6) / 0.4)
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * late))


class Log:
    """Progress on the terminal and the loss curve in ``loss.csv``."""

    def __init__(self, o: Options, stage: str) -> None:
        self.path, self.stage, self.start = o.run / f"loss-{stage}.csv", stage, time.monotonic()
        self.minutes = o.minutes
        self.smooth: dict[str, float] = {}

    def row(self, step: int, **figures: float) -> None:
        seconds = time.monotonic() - self.start
        for name, value in figures.items():
            old = value if name in ("pictures", "waited") else self.smooth.get(name, value)
            self.smooth[name] = 0.8 * old + 0.2 * value
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["step", "seconds", *figures])
            writer.writerow([step, round(seconds, 1), *(round(v, 5) for v in figures.values())])
        words = "  ".join(f"{k} {v:.4g}" for k, v in self.smooth.items())
        print(f"{self.stage} {step}  {seconds / 60:.1f}/{self.minutes:g} min  {words}", flush=True)


class Checkpoint:
    """Model, averages and optimiser, written whole every few minutes and swapped in by rename."""

    def __init__(self, o: Options, stage: str) -> None:
        self.path, self.fresh, self.last = o.run / f"{stage}.ckpt", o.fresh, time.monotonic()
        self.every = o.checkpoint_seconds

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        if self.fresh or not self.path.exists():
            return 0
        # our own file, tensors only
        saved = torch.load(self.path, weights_only=True, map_location="cpu")
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        print(f"going on from step {saved['step']} of {self.path}", flush=True)
        return saved["step"]

    def save(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, now: bool = False
    ) -> None:
        if not now and time.monotonic() - self.last < self.every:
            return
        self.last = time.monotonic()
        partial = self.path.with_suffix(".partial")
        torch.save(
            {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step},
            partial,
        )
        os.replace(partial, self.path)


STAGES = {
    "words": train_words,
    "basis": fit_basis,
    "decoder": train_decoder,
    "unet": train_unet,
    "export": export,
}

if __name__ == "__main__":
    main()
