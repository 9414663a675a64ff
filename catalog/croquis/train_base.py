"""Trains the croquis base: words, autoencoder, UNet with its ControlNets. Top to bottom.

    python -m catalog.croquis.train_base words --minutes 15
    python -m catalog.croquis.train_base pair --minutes 10
    python -m catalog.croquis.train_base basis
    python -m catalog.croquis.train_base decoder --minutes 60
    torchrun --nproc-per-node 2 -m catalog.croquis.train_base unet --minutes 70
    python -m catalog.croquis.train_base export

``decoder`` and ``unet`` need ``words`` and ``basis``, and not each other. ``pair`` goes on with
what ``words`` began, the text encoder kept as it is.

Each stage goes on from its last checkpoint in ``--run``, else from the committed weights, else
from nothing. The same command runs on a CPU (bf16 where the processor has it) and on CUDA.
Loss curves (``loss-STAGE.csv``), figures on held-out drawings (``figures.csv``) and sample sheets,
the drawn truth above what the network draws, land in ``--run``.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from catalog import base as bases
from catalog import regions
from catalog.croquis import cloth, drawing, maps, palette, tokens
from catalog.croquis.autoencoder import PATCH, CroquisAutoencoder
from catalog.croquis.examples import (
    PHRASES,
    Ahead,
    Crops,
    Encoded,
    Pages,
    Pool,
    Samples,
    encoder_input,
    token_ids,
)
from catalog.croquis.held_out import HeldOut, empty_ids, held_out, psnr, report
from catalog.croquis.pair import PicturePair
from catalog.croquis.working_copy import WorkingCopy
from catalog.garment import CATEGORIES

# --- options ---------------------------------------------------------------------------------

LATENT_CHANNELS = 24
UNET = dict(
    sample_size=maps.LATENT_SIZE,
    in_channels=LATENT_CHANNELS,
    out_channels=LATENT_CHANNELS,
    # the finest level reads words on its way up only
    down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * 3,
    up_block_types=("CrossAttnUpBlock2D",) * 4,
    block_out_channels=(64, 128, 160, 192),
    layers_per_block=1,
    cross_attention_dim=192,
    attention_head_dim=(2, 4, 5, 6),
    # the finer levels read words (sharp regions) but do not look at themselves: cheap
    only_cross_attention=(True, True, False, False),
    use_linear_projection=True,
    time_embedding_dim=512,
)
CONTROLNET = dict(
    in_channels=LATENT_CHANNELS,
    down_block_types=("DownBlock2D",) * 4,
    mid_block_type="UNetMidBlock2D",
    block_out_channels=UNET["block_out_channels"],
    layers_per_block=1,
    cross_attention_dim=192,
    # one halving: a 96 x 64 map meets 48 x 32 latents
    conditioning_embedding_out_channels=(32, 64),
)
RUN_SEEDS = 3_000_000
"""Drawings a worker makes in one run at most: the next run begins beyond them, and none repeats."""
EDGES_ONLY = 0.12
"""Share of rows whose layout is a picture's bare edges."""
COLOR = 5.0
"""How much the mean error of person and garments, each over its region, counts beside the error of
every cell: what a shade is off by is the same everywhere, and small beside the noise."""
CONTROL_CHANNELS = {"openpose": 3, "layout": len(maps.CHANNELS)}
ASKED = ("layout",), ("layout", "openpose")
"""The ControlNets that a batch asks: the skeleton's in half of the batches."""
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
    held_out: int = 32
    """Held-out drawings that figures are measured on; a quarter of them are drawn as samples."""
    report_steps: int = 500
    """Steps between two reports of them."""


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
    parser.add_argument("--held-out", type=int, default=32, help="drawings measured on")
    parser.add_argument("--report-steps", type=int, default=500, help="steps between figures")
    o = Options(**vars(parser.parse_args(argv)))
    o.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    torch.set_float32_matmul_precision("high")  # CUDA's shorter products, where nothing is bf16
    torch.backends.cudnn.benchmark = True
    STAGES[o.stage](o)


# --- words: colours, patterns and kinds mean something before any picture is drawn --------------


class Reader(nn.Module):
    """Reads the drawn truth back out of a phrase."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({k: nn.Linear(width, len(v)) for k, v in _truths().items()})

    def loss(self, pooled: Tensor, truths: Sequence[dict[str, int]]) -> Tensor:
        losses = []
        for name, head in self.heads.items():
            answer = torch.tensor([t[name] for t in truths], device=pooled.device)
            known = answer >= 0
            if known.any():
                losses.append(F.cross_entropy(head(pooled)[known], answer[known]))
        return torch.stack(losses).mean()


def train_words(o: Options) -> None:
    """CLIPTextModel: reads kind, colours, pattern, material, and pairs phrases with crops.

    As the stage ``pair``: the text encoder is kept, and only the pair learns.
    """
    pair_only = o.stage == "pair"
    if pair_only:
        source = holder(o, "text_encoder")
        tokenizer = tokens.load_tokenizer(source / "tokenizer")
        text = bases.load_text_encoder(source).float().requires_grad_(False)
    else:
        tokenizer = tokens.build_tokenizer(o.run / "tokenizer")
        text = bases.new_text_encoder(TEXT, len(tokenizer))
        if not o.fresh:
            carry_words(text, tokenizer, bases.weights_folder())
    parts = {"text": text, "reader": Reader(TEXT["hidden_size"]), "pair": PicturePair()}
    both = nn.ModuleDict(parts).to(o.device)
    reader, pair = parts["reader"], parts["pair"]
    optimizer = torch.optim.AdamW(
        [p for p in both.parameters() if p.requires_grad], o.rate or 1e-3, weight_decay=0.01
    )
    batch, log, state = o.batch or 64, Log(o, o.stage), Checkpoint(o, o.stage)
    step = state.load(both, optimizer)
    crops: list[tuple[Tensor, str]] = []
    stream = iter(DataLoader(Crops(step), batch_size=None, num_workers=o.workers))
    rng = np.random.default_rng(step)
    clock = state.clock
    while not clock.over():
        figures: dict[str, Tensor] = {}
        # 1. phrases with their truth, read back
        if not pair_only:
            phrases, truths = zip(*(_phrase_with_truth(rng) for _ in range(batch)), strict=True)
            pooled = text(**token_ids(tokenizer, phrases, o.device)).pooler_output
            figures["read"] = reader.loss(pooled, truths)
        # 2. phrases paired with crops of garments, worn and flat
        for _ in range(4 if len(crops) >= 4 * batch else 4 * batch):
            crops.append(next(stream))
        crops = crops[-8192:]
        chosen = [crops[i] for i in rng.integers(len(crops), size=batch)]
        pictures = torch.stack([c for c, _ in chosen]).to(o.device).float() / 127.5 - 1
        a = pair.pictures(pictures)
        b = pair.words(text(**token_ids(tokenizer, [p for _, p in chosen], o.device)).pooler_output)
        logits = a @ b.T * pair.scale.exp().clamp(max=50)
        # the same phrase twice in a batch is not a wrong answer
        same = torch.tensor([[p == q for _, q in chosen] for _, p in chosen], device=o.device)
        target = same.float() / same.sum(1, keepdim=True)
        figures["pair"] = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        loss = figures["pair"] if pair_only else figures["read"] + 0.3 * figures["pair"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = (o.rate or 1e-3) * clock.cosine()
        optimizer.step()
        step += 1
        if step % 50 == 0:
            log.row(step, **{k: float(v.detach()) for k, v in figures.items()})
        state.save(both, optimizer, step)
    state.save(both, optimizer, step, now=True)
    whole(pair.save_pretrained, o.run / "pair")
    if pair_only:
        return
    whole(text.save_pretrained, o.run / "text_encoder")
    with torch.no_grad():
        phrases, truths = zip(*(_phrase_with_truth(rng) for _ in range(500)), strict=True)
        pooled = text(**token_ids(tokenizer, phrases, o.device)).pooler_output
        for name, head in reader.heads.items():
            answer = torch.tensor([t[name] for t in truths], device=o.device)
            right = (head(pooled).argmax(1) == answer)[answer >= 0].float().mean()
            print(f"words: {name} read back {100 * float(right):.1f} %")


@torch.no_grad()
def carry_words(text, tokenizer, folder: Path) -> bool:
    """Begin with the weights in ``folder``, whose vocabulary may be another.

    Words are matched by their letters; a new one begins as the mean of the pieces it was read as.
    So a UNet that has learned to read the old encoder has little to learn again.
    """
    if not (folder / "text_encoder" / "config.json").exists():
        return False
    old, reader = (
        bases.load_text_encoder(folder).float(),
        tokens.load_tokenizer(folder / "tokenizer"),
    )
    before = old.get_input_embeddings().weight
    rows = []
    for word, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        pieces = [reader.get_vocab().get(word)]
        if pieces[0] is None:
            pieces = reader(word.removesuffix("</w>"), add_special_tokens=False).input_ids
        rows.append(before[pieces].mean(0))
    theirs = text.state_dict()
    missing = text.load_state_dict(
        {k: v for k, v in old.state_dict().items() if v.shape == theirs[k].shape}, strict=False
    )
    text.get_input_embeddings().weight.copy_(torch.stack(rows))
    left = [k for k in missing.missing_keys if "token_embedding" not in k]
    assert not left and not missing.unexpected_keys, (left, missing.unexpected_keys)
    return True


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


# --- pictures: the autoencoder --------------------------------------------------------------------


@torch.no_grad()
def fit_basis(o: Options) -> None:
    """The linear encoder: principal components of the patches of 400 drawings."""
    total, outer, count = torch.zeros(192).double(), torch.zeros(192, 192).double(), 0.0
    for seed in range(400):
        truth = drawing.sample_flat(seed) if seed % 4 == 0 else drawing.sample_worn(seed)
        drawn = drawing.draw(truth)
        patches = F.pixel_unshuffle(encoder_input(drawn.picture, "cpu"), PATCH)[0].flatten(1).T
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
    whole(model.save_pretrained, o.run / "vae")
    print(f"basis: {psnr(model, o.device):.2f} dB on held-out drawings before any training")


CROP = 16
"""Latent cells on a side of what the decoder trains on."""
CLEAN, GUESSED = 0.25, (20, 900)
"""Share of drawings whose latents are as they were, and noise levels that the others are guessed
from."""
BLIND = 0.1
"""Share of crops decoded without their layout, as pictures from elsewhere are."""


def train_decoder(o: Options) -> None:
    """The decoder, on crops at twice the size, from latents as the UNet hands them over."""
    # 1. what is trained, and the UNet whose mistakes it is to mend
    model = CroquisAutoencoder.from_pretrained(holder(o, "vae") / "vae")
    model = model.to(o.device, memory_format=torch.channels_last)
    ema = copy.deepcopy(model).requires_grad_(False)
    rate, batch = o.rate or 7e-4, o.batch or 12
    optimizer = torch.optim.AdamW(model.decoder.parameters(), rate, betas=(0.9, 0.99))
    both = nn.ModuleDict({"model": model, "ema": ema})
    log, state = Log(o, "decoder"), Checkpoint(o, "decoder")
    step = state.load(both, optimizer)
    draft, rng = Draft(model, o), np.random.default_rng(step + 1)
    decode = torch.compile(model.decoder) if o.compile else model.decoder

    # 2. pages are drawn beside the training and cut from about fifteen times each
    pages = Pages(step)
    pages.tokenizer = draft.tokenizer
    ahead = Ahead(
        DataLoader(pages, 4, num_workers=o.workers, prefetch_factor=3 if o.workers else None)
    )
    pool, taken, used = Pool(900), 0, 0

    # 3. the loop
    clock = state.clock
    while not clock.over():
        used += batch
        while taken * 15 < used:
            fresh = ahead.take(wait=taken < 72 or taken * 60 < used)
            if fresh is None:
                break
            latents, shift = draft({k: v.to(o.device) for k, v in fresh.items()}, rng)
            kept = {k: fresh[k] for k in ("big", "edges", "layout", "middle")}
            # pages stay with the processor, which cuts; only what is cut travels
            pool.add(kept | {k: v.to("cpu", torch.float16)
                             for k, v in (("z", latents), ("shift", shift))})  # fmt: skip
            taken += len(latents)
        cut = _crops(pool.draw(batch, rng), rng)
        z, shift, layout, edges, big = (part.to(o.device) for part in cut)
        layout, edges, big = layout / 255, edges / 255, big / 127.5 - 1
        big = big + F.interpolate(shift, scale_factor=2 * PATCH, mode="bilinear")
        blind = torch.from_numpy(rng.random(batch) < BLIND).to(o.device)
        layout[blind], edges[blind] = 0, 0
        with torch.no_grad():
            plain = F.interpolate(model.linear(z), scale_factor=2, mode="bilinear")
        with bases.mixed_precision(o.device):
            learned = decode(z.contiguous(memory_format=torch.channels_last), layout, edges)
        error = (plain + learned.float() - big).contiguous()
        # lines are thin: their gradient counts on its own
        edge = torch.diff(error, dim=2).abs().mean() + torch.diff(error, dim=3).abs().mean()
        # and so does the colour of a cell, however small the garment
        shade = F.avg_pool2d(error, 2 * PATCH).abs().mean()
        loss = error.abs().mean() + 0.5 * edge + shade
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * clock.cosine()
        optimizer.step()
        update_ema(ema, model, min(0.998, (step + 1) / (step + 10)))
        step += 1
        if step % 25 == 0:
            square = error.detach().square().mean()
            figures = {
                "loss": loss,
                "edge": edge,
                "shade": shade,
                "db": -10 * torch.log10(square / 4),
            }
            log.row(step, **{k: float(v.detach()) for k, v in figures.items()})
            state.save(both, optimizer, step)
        if step % 500 == 0:
            whole(ema.save_pretrained, o.run / "vae")
    state.save(both, optimizer, step, now=True)
    whole(ema.save_pretrained, o.run / "vae")
    print(f"decoder: {psnr(ema, o.device):.2f} dB on held-out drawings", flush=True)


class Draft:
    """Latents of a drawing as a sampler leaves them: brought back by the UNet from a noisy start.

    What the network could not know of a drawing is missing or wrong in them; the decoder learns to
    draw from that. But a colour guessed wrong is the picture's colour now: what the guess is off by
    over a few cells goes with the latents, and is added to the drawing that the decoder is to
    make. Else it learns to draw what is usual in place of what the latents say. ``CLEAN`` of them
    are as they were. Without a UNet yet, the latents with a little noise on them.
    """

    def __init__(self, vae: CroquisAutoencoder, o: Options) -> None:
        self.vae, self.device = vae, o.device
        self.tokenizer = holder(o, "text_encoder") / "tokenizer"
        self.scheduler = bases.noise_scheduler(vae)
        self.alpha = self.scheduler.alphas_cumprod.to(o.device).float()
        self.model: Denoiser | None = Denoiser()
        if bases.fill_from(self.model, holder(o, "unet")):
            self.model = self.model.to(o.device, memory_format=torch.channels_last)
            self.model.requires_grad_(False)
            text = bases.load_text_encoder(holder(o, "text_encoder"))
            self.text = text.float().to(o.device)
        else:
            self.model = None

    @torch.no_grad()
    def __call__(self, row: dict[str, Tensor], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """The latents, and what their cells are off by in colour, ``(B, 3, h, w)``."""
        x = row["picture"].permute(0, 3, 1, 2).float() / 127.5 - 1
        z = self.vae.encode(x).latent_dist.mean
        count, noise = len(z), torch.randn_like(z)
        grain = 0.05 * torch.rand(count, 1, 1, 1, device=z.device) * torch.randn_like(z)
        if self.model is None or rng.random() < CLEAN:
            return z + grain, torch.zeros_like(z[:, :3])
        said = self.text(input_ids=row["ids"].long().flatten(0, 1)).last_hidden_state
        said = said.reshape(count, -1, TEXT["hidden_size"])
        conditions = {
            "layout": row["layout"].float() / 255,
            "openpose": row["skeleton"].float() / 255,
        }
        bias = regions.attention_bias(row["shares"].float())
        ones = {name: torch.ones(count, device=self.device) for name in conditions}
        t = rng.integers(*GUESSED, size=count)
        a, s = self._levels(t)
        x = (a * z + s * noise).contiguous(memory_format=torch.channels_last)
        t = torch.from_numpy(t).to(self.device)
        with bases.mixed_precision(self.device):
            output = self.model(x, t, said, bias, conditions, ones).float()
        guess = a * x - s * self.scheduler.velocity(output, x, t)
        off = F.avg_pool2d(self.vae.linear(guess) - self.vae.linear(z), PATCH)
        off = F.avg_pool2d(F.pad(off, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        return guess + grain, off

    def _levels(self, t: np.ndarray) -> tuple[Tensor, Tensor]:
        alpha = self.alpha[torch.from_numpy(t).to(self.device)][:, None, None, None]
        return alpha.sqrt(), (1 - alpha).sqrt()


def _crops(row: dict[str, Tensor], rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Squares of ``CROP`` cells, one from each page: z, shift, layout, edges, big.

    All but the latents as bytes.
    """
    rows, columns = maps.LATENT_SIZE
    cut: list[tuple[Tensor, ...]] = []
    for i in range(len(row["z"])):
        y, x = row["middle"][i].tolist()
        if rng.random() > 0.25:  # else around the face, where people look first
            # a shoe as often as a coat
            worn = F.avg_pool2d(row["layout"][i, :-1].float(), 2) > 60
            there = worn.flatten(1).any(1).nonzero().flatten()
            if len(there):
                cells = worn[int(there[rng.integers(len(there))])].nonzero()
                y, x = cells[int(rng.integers(len(cells)))].tolist()
        y = int(np.clip(y - rng.integers(CROP), 0, rows - CROP))
        x = int(np.clip(x - rng.integers(CROP), 0, columns - CROP))
        cut.append(tuple(
            row[name][i, ..., y * k : (y + CROP) * k, x * k : (x + CROP) * k]
            for name, k in (("z", 1), ("shift", 1), ("layout", 2), ("edges", 16), ("big", 16))
        ))  # fmt: skip
    z, shift, layout, edges, big = (torch.stack(parts) for parts in zip(*cut, strict=True))
    return z.float(), shift.float(), layout, edges, big


# --- unet: denoising, with regions and ControlNets ------------------------------------------------


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
    vae = CroquisAutoencoder.from_pretrained(holder(o, "vae") / "vae")
    vae = vae.to(o.device).requires_grad_(False)
    words_from = holder(o, "text_encoder")
    text = bases.load_text_encoder(words_from).float().to(o.device).requires_grad_(False)
    model = Denoiser()
    if not o.fresh:
        bases.fill_from(model, holder(o, "unet"))
    model = model.to(o.device, memory_format=torch.channels_last)
    ema = copy.deepcopy(model).requires_grad_(False)
    peers = Peers(o.device)
    rate, batch = o.rate or 8e-4, o.batch or 16 // peers.count
    optimizer = torch.optim.AdamW(
        model.parameters(), rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    both = nn.ModuleDict({"model": model, "ema": ema})
    log, state = Log(o, "unet"), Checkpoint(o, "unet")
    step = state.load(both, optimizer)
    clock = state.clock
    scheduler = bases.noise_scheduler(vae)
    alpha = scheduler.alphas_cumprod.to(o.device).float()
    working = WorkingCopy(model, ASKED, recorded=True) if o.device == "cuda" else None
    run_step = working or (torch.compile(model) if o.compile else model)

    # 2. pictures are drawn and encoded beside the training
    began = RUN_SEEDS * log.runs_before + step * batch
    data = Samples(began, flats=0.28, peer=peers.rank, peers=peers.count)
    data.tokenizer = words_from / "tokenizer"
    encoded = Encoded(data, vae, o.device, o.workers, first=min(24 * batch, 1500))
    nothing = torch.tensor(empty_ids(data.tokenizer), device=o.device)
    rng = np.random.default_rng((step + 1, peers.rank))
    torch.manual_seed(int(rng.integers(2**31)))

    # 3. the loop; several processes average their gradients and go by one clock
    seen: HeldOut | None = None
    total = torch.zeros((), device=o.device)
    share_of_time = peers.mean(clock.share())
    while share_of_time < 1.0:
        row = encoded.draw(batch, rng)
        z, share = row["z"].float(), row["shares"].float()
        # empty words in a tenth of the rows: what guidance is measured against
        empty = torch.from_numpy(rng.random(batch) < 0.1).to(o.device)
        ids = torch.where(empty[:, None, None], nothing, row["ids"].long())
        with torch.no_grad(), bases.mixed_precision(o.device):
            words = text(input_ids=ids.flatten(0, 1)).last_hidden_state
        words = words.reshape(batch, -1, words.shape[-1])
        # control is dropped at random so that each net, both, or none can be used; the skeleton
        # from whole batches, because a net that is not asked costs nothing
        no_layout = torch.from_numpy(rng.random(batch) >= 0.85).to(o.device)
        layout = row["layout"].float() / 255
        # the layout's net reads a picture's bare edges too, and is the canny net then
        bare = torch.from_numpy(rng.random(batch) < EDGES_ONLY).to(o.device)
        edges = F.pad(row["canny"].float() / 255, (0, 0, 0, 0, layout.shape[1] - 1, 0))
        weights = {"layout": (~no_layout).float()}
        conditions = {"layout": torch.where(bare[:, None, None, None], edges, layout)}
        if rng.random() < 0.5:
            weights["openpose"] = (row["skeleton"].flatten(1).amax(1) > 0).float()
            conditions["openpose"] = row["skeleton"].float() / 255
        # without a layout regions may be unknown too: every cell then reads every phrase
        blind = (no_layout | bare) & torch.from_numpy(rng.random(batch) < 0.5).to(o.device)
        share = torch.where(blind[:, None, None, None], 1.0 / PHRASES, share)
        t = torch.from_numpy(rng.integers(1000, size=batch)).to(o.device)
        noise = torch.randn_like(z)
        a, s = alpha[t].sqrt()[:, None, None, None], (1 - alpha[t]).sqrt()[:, None, None, None]
        target = a * noise - s * z
        with bases.mixed_precision(o.device):
            bias = regions.attention_bias(share)
            noisy = (a * z + s * noise).contiguous(memory_format=torch.channels_last)
            output = run_step(noisy, t, words, bias, conditions, weights)
        predicted = scheduler.velocity(output.float(), noisy, t)
        # the figure is what people look at, and a fifth of the picture
        known = row["shares"].float()
        figure = 1 + 4 * (1 - known[:, :1])
        error = predicted - target
        loss = (error.square() * figure).mean() / figure.mean()
        loss = loss + COLOR * regions.means(error, known[:, 1:]).square().mean()
        loss.backward()
        if working is not None:
            working.hand_over()
        share_of_time = peers.average(model, clock.share())
        total += loss.detach()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * cosine(share_of_time, 0.05)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if working is not None:
            working.renew()
        step += 1
        if peers.rank > 0:
            continue
        update_ema(ema, model, min(0.998, step / (step + 20)))
        if step % 20 == 0:
            log.row(
                step,
                loss=float(total) / 20,
                norm=float(norm),
                pictures=step * batch * peers.count,
                drawn=encoded.taken,
                waited=encoded.waited,
            )
            total.zero_()
            state.save(both, optimizer, step)
        if step % o.report_steps == 0:
            save_denoiser(ema, o.run)
            seen = seen or held_out(text, vae, data.tokenizer, o.device, o.held_out)
            report(ema, vae, seen, o.run, step)
    if peers.rank > 0:
        return
    save_denoiser(ema, o.run)
    state.save(both, optimizer, step, now=True)
    seen = seen or held_out(text, vae, data.tokenizer, o.device, o.held_out)
    report(ema, vae, seen, o.run, step)


def save_denoiser(model: Denoiser, folder: Path) -> None:
    whole(model.unet.save_pretrained, folder / "unet")
    for name, net in model.control.items():
        whole(net.save_pretrained, folder / f"controlnet-{name}")


def whole(save: Callable[[Path], Any], folder: Path) -> None:
    """What ``save`` writes, in ``folder`` all at once: a run killed meanwhile leaves what was."""
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    save(new)
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def holder(o: Options, part: str) -> Path:
    """The folder a component is in: the run's own, or else the committed weights."""
    return o.run if (o.run / part / "config.json").exists() else bases.weights_folder()


def export(o: Options) -> None:
    """Write the run's result as the committed weights: fp16, shards of at most 15 MB."""
    bases.export(o.run, bases.weights_folder())


# --- what every stage needs ---------------------------------------------------------------------


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    theirs, ours = list(model.parameters()), list(ema.parameters())
    torch._foreach_lerp_(ours, theirs, 1 - decay)


def _read_json(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text()) if path.exists() else []


class Clock:
    """How much of a run's time is over, 0–1; ``already``: when it went on from its checkpoint."""

    def __init__(self, minutes: float, already: float = 0.0) -> None:
        self.length = minutes * 60
        self.start = time.monotonic() - already * self.length

    def share(self) -> float:
        return min(1.0, (time.monotonic() - self.start) / self.length)

    def over(self) -> bool:
        return self.share() >= 1.0

    def cosine(self) -> float:
        return cosine(self.share())


def cosine(share: float, floor: float = 0.02) -> float:
    """Learning-rate factor: flat, then a cosine to ``floor`` over the last two fifths."""
    late = max(0.0, (share - 0.6) / 0.4)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * late))


class Peers:
    """The processes that train one model together, started by ``torchrun``; else this one alone.

    On a CPU a process a core, each with one thread, is faster than one process with threads.
    """

    def __init__(self, device: str) -> None:
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = device
        if self.count == 1:
            return
        torch.distributed.init_process_group("gloo" if device == "cpu" else "nccl")
        if device == "cpu":
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {cores[self.rank % len(cores)]})

    def mean(self, value: float) -> float:
        """Mean of everybody's ``value``, the same number for all."""
        if self.count == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(total)
        return float(total) / self.count

    def average(self, model: nn.Module, value: float) -> float:
        """Everybody's gradients become their mean; returns the mean of ``value``."""
        if self.count > 1:
            for parameter in model.parameters():  # a net this batch did not ask has none
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            grads = [p.grad for p in model.parameters()]
            flat = torch.cat([g.flatten() for g in grads])
            torch.distributed.all_reduce(flat)
            flat /= self.count
            for grad, mean in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
                grad.copy_(mean.view_as(grad))
        return self.mean(value)


class Log:
    """Progress on the terminal, the loss curve in ``loss-STAGE.csv``, and ``training.json``: how
    long each stage was trained on what, which the model card tells.
    """

    def __init__(self, o: Options, stage: str) -> None:
        self.path, self.stage, self.start = o.run / f"loss-{stage}.csv", stage, time.monotonic()
        self.minutes, self.record = o.minutes, o.run / "training.json"
        self.smooth: dict[str, float] = {}
        self.told: dict[str, Any] = {
            "stage": stage,
            "began": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
            "on": bases.machine(o.device),
        }
        known = [_read_json(f) for f in (self.record, bases.weights_folder() / "training.json")]
        runs = {(t["stage"], t["began"]) for told in known for t in told}
        self.runs_before = sum(name == stage for name, _ in runs)
        """Of this stage, in this folder and in the committed weights' history."""

    def row(self, step: int, **figures: float) -> None:
        seconds = time.monotonic() - self.start
        self.told |= {"step": step, "minutes": round(seconds / 60, 1)}
        mine = (self.stage, self.told["began"])
        kept = [k for k in _read_json(self.record) if (k["stage"], k["began"]) != mine]
        # whole at any moment: several stages may be trained beside each other
        partial = self.record.with_suffix(f".{self.stage}")
        partial.write_text(json.dumps([*kept, self.told], indent=1) + "\n")
        os.replace(partial, self.record)
        for name, value in figures.items():
            old = value if name in ("pictures", "drawn", "waited") else self.smooth.get(name, value)
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
        self.every, self.minutes = o.checkpoint_seconds, o.minutes
        self.clock = Clock(o.minutes)

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        """The step it goes on from; 0 without a checkpoint."""
        if self.fresh or not self.path.exists():
            return 0
        # our own file, tensors only
        saved = torch.load(self.path, weights_only=True, map_location="cpu")
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        share = float(saved.get("share", 1.0))
        if share < 1.0:  # a run that was stopped: its rate goes on falling where it had come to
            self.clock = Clock(self.minutes, share)
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
            {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "share": self.clock.share(),
            },
            partial,
        )
        os.replace(partial, self.path)


STAGES = {
    "words": train_words,
    "pair": train_words,
    "basis": fit_basis,
    "decoder": train_decoder,
    "unet": train_unet,
    "export": export,
}

if __name__ == "__main__":
    main()
