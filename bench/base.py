"""Figures of the embedded base itself: its autoencoder, its speed, its size and its training."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from bench import renders
from bench.figures import Measured, NotYet, figure, once
from bench.measure import shrunk
from bench.outfits import outfits
from bench.pictures import Seen, card_delta_e
from catalog import base as bases
from catalog import regions
from catalog.croquis import drawing, maps
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import HELD_OUT_SEEDS, PHRASES, encoder_input

CLICKED = 60
"""Held-out drawings whose garments are clicked on."""
ROOT = Path(__file__).resolve().parents[1]
DRAWINGS = 32
DRAFTS = 12
BATCH = 16
STEPS = 5
"""Training steps that are timed, after one that sets things up."""


# --- the autoencoder -----------------------------------------------------------------------------


@torch.no_grad()
def psnrs(vae: CroquisAutoencoder, seeds: Sequence[int]) -> tuple[float, float, float]:
    """PSNR in dB over the figure of held-out drawings: decoded at 256 x 384, by the PCA of as many
    numbers a cell, and decoded at 512 x 768."""
    squares, pixels = np.zeros(3), np.zeros(3)
    for seed in seeds:
        large = drawing.draw(drawing.sample_worn(seed), scale=2.0)
        small = drawing.halved(large)
        x = encoder_input(small.picture, "cpu")
        z = vae.encode(x).latent_dist.mean
        layout = torch.from_numpy(drawing.model_maps(small)[0])[None].float() / 255
        edges = torch.from_numpy(large.edges)[None, None].float() / 255
        decoded = vae.decode(z, layout=layout, edges=edges).sample.clamp(-1, 1)
        halved = torch.nn.functional.avg_pool2d(decoded, 2)
        linear = vae.linear(z).clamp(-1, 1)
        truths = (x, x, encoder_input(large.picture, "cpu"))
        inside = (small.regions > 0, small.regions > 0, large.regions > 0)
        for k, out in enumerate((halved, linear, decoded)):
            error = (out - truths[k])[0][:, torch.from_numpy(inside[k])]
            squares[k] += float(error.square().sum())
            pixels[k] += error.numel()
    coded, pca, twice = -10 * np.log10(squares / pixels / 4)
    return float(coded), float(pca), float(twice)


@figure("autoencoder-psnr", better="higher", issue=4, target=32, unit="dB", minutes=0.4)
def autoencoder_psnr() -> Measured:
    """Held-out drawings encoded and decoded, layout known: PSNR over the clothed figure, at the
    encoded size. Beside it a PCA of equal size, 24 numbers for each 8 x 8 pixels."""
    vae = renders.studio().engine.base.vae
    coded, pca, twice = psnrs(vae, range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + DRAWINGS))
    return Measured(coded, note=f"PCA {pca:.1f} dB; at 512 x 768 {twice:.1f} dB")


@figure("autoencoder-delta-e", better="lower", issue=3, minutes=0.5)
def autoencoder_delta_e() -> Measured:
    """ΔE2000 between the cards of plain shoes, hats, bags and glasses and their true regions in
    drawings that were encoded and decoded, median; the note tells the same of larger garments, and
    of the drawings themselves."""
    base, found = bases.load_base(), {"small": [], "large": [], "drawn": []}
    for outfit in outfits(1)[:8]:
        layout = renders.job(outfit.plan).layout
        x = torch.from_numpy(outfit.picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        told = (torch.from_numpy(m)[None] / 255 for m in (layout.layout_map, layout.edges[None]))
        with torch.inference_mode():
            y = base.decode(base.encode(x), *told)[0].clamp(-1, 1)
        picture = ((y + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        seen = Seen(np.ascontiguousarray(shrunk(picture, 2)), outfit.classes)
        drawn = Seen(outfit.picture, outfit.classes)
        for garment in (outfit.garments[i] for i in outfit.visible):
            small = garment.slot in ("footwear", "headwear", "bag", "eyewear")
            if garment.pattern == "plain":
                found["small" if small else "large"].append(card_delta_e(seen, garment))
            if garment.pattern == "plain" and small:
                found["drawn"].append(card_delta_e(drawn, garment))
    small, large, truth = (float(np.median(far)) for far in found.values())
    return Measured(small, note=f"larger garments {large:.1f}, drawn truth {truth:.1f}")


@figure("decoder-ms", better="lower", issue=4, target=150, unit="ms", minutes=0.2)
@torch.inference_mode()
def decoder_ms() -> Measured:
    """Decoding to 512 x 768 takes longer than decoding to 256 x 384 (the linear part alone) by,
    warm, best of 10."""
    base = renders.studio().engine.base
    z = torch.randn(1, base.unet.config.in_channels, *base.latent_size)
    layout = torch.rand(1, len(maps.CHANNELS), *maps.MAP_SIZE)
    edges = torch.rand(1, 1, 768, 512)
    large = best_of(10, lambda: base.vae.decode(z, layout=layout, edges=edges))
    small = best_of(10, lambda: base.vae.linear(z))
    note = f"{large * 1000:.0f} ms against {small * 1000:.1f} ms"
    return Measured((large - small) * 1000, note=note)


# --- drawing -------------------------------------------------------------------------------------


def seconds_to_draw(quality: Literal["draft", "final"], runs: int) -> Measured:
    """One render of a warm engine, best of ``runs``."""
    plan = outfits()[0].plan.model_copy(update={"quality": quality})
    job, engine, asked = renders.job(plan), renders.studio().engine, plan.evaluations("croquis")
    engine.draw(job)
    seconds = min(sum(engine.draw(job).seconds.values()) for _ in range(runs))
    threads = torch.get_num_threads()
    return Measured(seconds, note=f"{job.steps} steps, {asked} evaluations, {threads} threads")


@figure("draft-seconds", better="lower", issue=4, target=0.6, unit="s", minutes=0.2)
def draft_seconds() -> Measured:
    """A draft: two steps, warm, all threads, best of 5."""
    return seconds_to_draw("draft", runs=5)


@figure("final-seconds", better="lower", issue=4, target=1.2, unit="s", minutes=0.5)
def final_seconds() -> Measured:
    """A final: eight steps, warm, all threads, best of 5."""
    return seconds_to_draw("final", runs=5)


@figure("draft-delta-e", better="lower", issue=4, unit="ΔE", minutes=1)
def draft_delta_e() -> Measured:
    """ΔE2000 between a garment's true region in a draft and its card, median, on outfits that no
    other figure is measured on; the note tells the same of finals, and of two steps of the base
    alone."""
    return drafts_against_cards(DRAFTS)


def drafts_against_cards(count: int) -> Measured:
    ways = ({"quality": "draft"}, {}, {"steps": bases.DRAFT_STEPS, "guidance": 1.0})
    found: list[list[float]] = [[] for _ in ways]
    for outfit in outfits(1)[:count]:
        for way, far in zip(ways, found, strict=True):
            picture = renders.render(outfit.plan.model_copy(update=way))
            seen = Seen(picture, outfit.classes)
            far += [card_delta_e(seen, outfit.garments[i]) for i in outfit.visible]
    draft, final, alone = (float(np.median(far)) for far in found)
    return Measured(draft, note=f"finals {final:.1f}, two steps of the base alone {alone:.1f}")


def best_of(runs: int, run: Callable[[], object]) -> float:
    """Seconds of the fastest of ``runs``, after one that warms up."""
    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times[1:])


# --- size ----------------------------------------------------------------------------------------


@figure("weights-mb", better="lower", issue=4, target=75, unit="MB")
def weights_mb() -> Measured:
    """Every weight file of the repository together: base, LoRAs, judges, the photos' head."""
    parts = {
        "photo head": ROOT / "catalog/photo_kind.safetensors",
        "base": bases.weights_folder(),
        "LoRAs": ROOT / "catalog/starter/loras",
        "judges": ROOT / "bench/judges",
    }
    kinds = (".safetensors", ".onnx", ".bin", ".pt", ".tflite")
    size = {
        name: sum(p.stat().st_size for p in _files(where) if p.suffix in kinds) / 1e6
        for name, where in parts.items()
    }
    note = ", ".join(f"{name} {mb:.1f}" for name, mb in size.items())
    return Measured(sum(size.values()), note=note)


def _files(where: Path) -> list[Path]:
    return [where] if where.is_file() else list(where.rglob("*"))


# --- clicks on drawings --------------------------------------------------------------------------


@once
def _overlaps() -> dict[str, list[float]]:
    from catalog.croquis.sam import load_sam
    from catalog.croquis.train_sam import overlaps

    folder = bases.weights_folder() / "sam"
    if not (folder / "config.json").exists():
        raise NotYet("the croquis SAM is not trained")
    return overlaps(load_sam(folder), range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + CLICKED))


@figure("sam-click", better="higher", issue=4, target=0.85, minutes=0.6)
def sam_click() -> Measured:
    """One click deepest inside a garment of a held-out drawing: IoU of the likeliest answer with
    the garment, mean."""
    found = _overlaps()["click"]
    return Measured(float(np.mean(found)), note=f"{len(found)} garments of {CLICKED} drawings")


@figure("sam-box", better="higher", issue=4, target=0.92, minutes=0.6)
def sam_box() -> Measured:
    """The same with the garment's box."""
    return Measured(float(np.mean(_overlaps()["box"])))


# --- training ------------------------------------------------------------------------------------


@figure("training-rate", better="higher", issue=4, unit="pictures/s", minutes=0.6)
def training_rate() -> Measured:
    """Pictures a second of the UNet's and its ControlNets' training step (forward, backward,
    optimiser) as it runs on a CPU, all threads, batches of 16 made up; how long it waits for
    drawings is in its own log. The note tells the share of the matmul ceiling: 1024 x 1024
    products in the same precision."""
    return rate_of_training(BATCH, STEPS)


def rate_of_training(batch: int, steps: int) -> Measured:
    from torch.utils.flop_counter import FlopCounterMode

    from catalog.croquis.train_base import CONTROL_CHANNELS, Denoiser

    torch.manual_seed(0)
    model = Denoiser().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)
    z = torch.randn(batch, model.unet.config.in_channels, *maps.LATENT_SIZE)
    z = z.contiguous(memory_format=torch.channels_last)
    words = torch.randn(batch, PHRASES * regions.TOKENS, model.unet.config.cross_attention_dim)
    share = torch.rand(batch, PHRASES, *maps.LATENT_SIZE).softmax(1)
    told = {k: torch.rand(batch, n, *maps.MAP_SIZE) for k, n in CONTROL_CHANNELS.items()}
    ones = {k: torch.ones(batch) for k in told}
    t = torch.full((batch,), 500)

    def step() -> None:
        with bases.mixed_precision("cpu"):
            output = model(z, t, words, regions.attention_bias(share), told, ones)
        output.float().square().mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    with FlopCounterMode(display=False) as counted:
        step()
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    seconds = statistics.median(times)
    narrow = bases.computes_bf16("cpu")
    a = torch.randn(1024, 1024, dtype=torch.bfloat16 if narrow else torch.float32)
    ceiling = 2 * 1024**3 / best_of(10, lambda: a @ a)
    work = counted.get_total_flops() / seconds
    note = (
        f"{work / 1e9:.0f} of {ceiling / 1e9:.0f} GFLOPS, {work / ceiling:.0%} of the matmul "
        f"ceiling in {'bf16' if narrow else 'float32'}"
    )
    return Measured(batch / seconds, note=note)
