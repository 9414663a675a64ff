"""What a base in training can do, measured on drawings it never trains on."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor

from catalog import base as bases
from catalog import regions
from catalog.croquis import drawing, maps, palette, tokens
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import HELD_OUT_SEEDS, encoder_input, example, token_ids

if TYPE_CHECKING:
    from catalog.croquis.train_base import Denoiser


@dataclass(frozen=True)
class HeldOut:
    """Held-out drawings as the networks are given them."""

    drawings: list[drawing.Drawing]
    """At twice the size."""
    z: Tensor
    words: Tensor
    empty: Tensor
    shares: Tensor
    conditions: dict[str, Tensor]
    edges: Tensor

    def first(self, count: int) -> HeldOut:
        """The same of the first ``count`` drawings alone."""
        return HeldOut(
            self.drawings[:count],
            self.z[:count],
            self.words[:count],
            self.empty[:count],
            self.shares[:count],
            {name: t[:count] for name, t in self.conditions.items()},
            self.edges[:count],
        )


@torch.no_grad()
def held_out(
    text,
    vae: CroquisAutoencoder,
    folder: Path,
    device: str,
    count: int,
    first: int = HELD_OUT_SEEDS,
) -> HeldOut:
    """``count`` drawings from seed ``first`` on; ``folder`` is the tokenizer's."""
    tokenizer = tokens.load_tokenizer(folder)
    large = [drawing.draw(drawing.sample_worn(first + i), scale=2.0) for i in range(count)]
    rows = [example(drawing.halved(d), tokenizer, None) for d in large]
    batch = {k: torch.stack([r[k] for r in rows]).to(device) for k in rows[0]}
    z = vae.encode(batch["picture"].permute(0, 3, 1, 2).float() / 127.5 - 1).latent_dist.mean

    def read(ids: Tensor) -> Tensor:
        words = text(input_ids=ids.flatten(0, 1)).last_hidden_state
        return words.reshape(count, -1, words.shape[-1])

    ids = batch["ids"].long()
    return HeldOut(
        large,
        z,
        read(ids),
        read(ids.new_tensor(empty_ids(folder)).expand_as(ids)),
        batch["shares"].float(),
        {"layout": batch["layout"].float() / 255, "openpose": batch["skeleton"].float() / 255},
        torch.stack([torch.from_numpy(d.edges)[None] for d in large]).to(device).float() / 255,
    )


def report(model: Denoiser, vae: CroquisAutoencoder, seen: HeldOut, run: Path, step: int) -> None:
    """Figures on held-out drawings on the terminal and in ``figures.csv``, and a sample sheet."""
    figures: dict[str, float] = {f"at {t}": e for t, e in held_out_error(model, vae, seen).items()}
    few = seen.first(max(1, len(seen.drawings) // 4))
    pictures = sample(model, vae, few, steps=8)
    figures["garment ΔE"] = garment_difference(pictures, few.drawings)
    sheet = [np.concatenate([d.picture, p]) for d, p in zip(few.drawings, pictures, strict=True)]
    cv2.imwrite(str(run / f"sheet-{step:06}.png"), np.concatenate(sheet, 1)[::2, ::2, ::-1])
    path = run / "figures.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", *figures])
        writer.writerow([step, *figures.values()])
    print("unet: on held-out drawings", json.dumps(figures, ensure_ascii=False), flush=True)


@torch.no_grad()
def held_out_error(model: Denoiser, vae: CroquisAutoencoder, seen: HeldOut) -> dict[str, float]:
    """Share of latent variance the one-step prediction of the clean picture leaves unexplained,

    per noise level, over the figure's cells: what the network knows, whatever a sampler makes of
    it.
    """
    z, device = seen.z, seen.z.device
    scheduler = bases.noise_scheduler(vae)
    alpha = scheduler.alphas_cumprod.to(device).float()
    bias = regions.attention_bias(seen.shares)
    ones = {name: torch.ones(len(z), device=device) for name in seen.conditions}
    inside = (seen.shares[:, :1] < 0.5).expand_as(z)
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).to(device)
    errors = {}
    for level in (999, 800, 600, 400, 200):
        t = torch.full((len(z),), level, device=device)
        a, s = alpha[level].sqrt(), (1 - alpha[level]).sqrt()
        noisy = a * z + s * noise
        output = model(noisy, t, seen.words, bias, seen.conditions, ones)
        guess = a * noisy - s * scheduler.velocity(output, noisy, t)
        spread = (z - z[inside].mean()).square()[inside].mean()
        errors[str(level)] = round(float((guess - z).square()[inside].mean() / spread), 4)
    return errors


@torch.no_grad()
def sample(
    model: Denoiser,
    vae: CroquisAutoencoder,
    seen: HeldOut,
    steps: int,
    guidance: float = bases.GUIDANCE["croquis"],
    seed: int = 1,
) -> list[np.ndarray]:
    """Draw the held-out drawings from noise, as the engine does; uint8 ``(768, 512, 3)`` each.

    Unguided (``guidance`` 1) a step is one evaluation: for a model that has the LoRA ``guided``.
    """
    scheduler = bases.noise_scheduler(vae)
    scheduler.set_timesteps(steps)
    count, device = len(seen.z), seen.z.device
    bias = regions.attention_bias(seen.shares)
    ones = {name: torch.ones(count, device=device) for name in seen.conditions}
    z = torch.randn(seen.z.shape, generator=torch.Generator().manual_seed(seed)).to(device)
    for t in scheduler.timesteps:
        at = torch.full((count,), int(t), device=device)
        output = model(z, at, seen.words, bias, seen.conditions, ones)
        if guidance != 1.0:
            unsaid = model(z, at, seen.empty, bias, seen.conditions, ones)
            output = unsaid + guidance * (output - unsaid)
        z = scheduler.step(output, t, z).prev_sample
    out = vae.decode(z, layout=seen.conditions["layout"], edges=seen.edges).sample
    out = ((out.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()
    return list(out.numpy())


def garment_difference(pictures: Sequence[np.ndarray], truths: Sequence[drawing.Drawing]) -> float:
    """ΔE2000 between the median colours of a garment's true region in picture and drawing, median.

    For watching a training; ``bench`` measures without knowing the regions.
    """
    found = []
    for picture, truth in zip(pictures, truths, strict=True):
        assert truth.picture is not None
        for i in range(len(truth.slots)):
            mask = truth.regions == maps.FIRST_GARMENT + i
            if mask.sum() > 400:
                pair = [np.median(p[mask], 0) for p in (picture, truth.picture)]
                labs = palette.srgb_to_lab(np.array(pair))
                found.append(float(palette.delta_e(labs[0], labs[1])))
    return round(float(np.median(found)), 2)


@torch.no_grad()
def psnr(model: CroquisAutoencoder, device: str, count: int = 32) -> float:
    """PSNR in dB over the clothed figure of held-out drawings at 512 x 768, layouts known."""
    squares, pixels = 0.0, 0
    for seed in range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + count):
        drawn = drawing.draw(drawing.sample_worn(seed), scale=2.0)
        small = drawing.halved(drawn)
        z = model.encode(encoder_input(small.picture, device)).latent_dist.mean
        layout = torch.from_numpy(drawing.model_maps(small)[0])[None].to(device).float() / 255
        edges = torch.from_numpy(drawn.edges)[None, None].to(device).float() / 255
        out = model.decode(z, layout=layout, edges=edges).sample
        error = (out - encoder_input(drawn.picture, device)).clamp(-2, 2)[0]
        error = error[:, torch.from_numpy(drawn.regions > 0)]
        squares, pixels = squares + float(error.square().sum()), pixels + error.numel()
    return -10 * math.log10(squares / pixels / 4)


@cache
def empty_ids(folder: Path) -> list:
    """Token ids of an empty phrase."""
    return token_ids(tokens.load_tokenizer(folder), [""], "cpu")["input_ids"].tolist()
