"""One garment's (or season's) LoRA, from photos to file. Top to bottom.

    stylist catalog train ID

A garment is learned from its product photos alone. The photo's cut-out is its layout: the region
in which the garment's words and its LoRA work, so neither background nor body is learned.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog import photos as photo_tools
from catalog.errors import BadValue, Cancelled
from catalog.garment import Garment, Season

if TYPE_CHECKING:
    from catalog.base import Base
    from catalog.checkpoint import Checkpoint
    from catalog.index import Catalog


@dataclass(frozen=True)
class Options:
    """Every dial of a LoRA training."""

    rank: int = 2
    alpha: float = 2.0
    rate: float = 5e-3
    steps: int = 40
    batch: int = 4
    seed: int = 0
    background: float = 0.05
    """Weight of the loss outside the cut-out."""


GARMENT = Options()
SEASON = Options(rank=3, alpha=3.0, steps=60, batch=6, rate=3e-3, background=1.0)
Progress = Callable[[int, int, float], None]
"""Called with step, steps, loss."""


def train_garment(
    catalog: Catalog,
    garment_id: str,
    *,
    base: Base,
    options: Options = GARMENT,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Garment:
    """Train the LoRA of ``garment_id`` on its photos and put it into the catalog.

    Raises:
        UnknownName: no such garment.
        BadValue: too few usable photos.
        Cancelled: ``cancel`` was set; the catalog is as it was.
    """
    from PIL import Image

    garment = catalog.get(garment_id)
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in catalog.photos(garment_id)]
    data = lora_file(garment, pictures, base, options, progress, cancel)
    return catalog.replace_lora(garment_id, data)


def lora_file(
    garment: Garment,
    pictures: Sequence[np.ndarray],
    base: Base,
    options: Options = GARMENT,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    checkpoint: Checkpoint | None = None,
) -> bytes:
    """The trained LoRA of a garment as the bytes of a safetensors file.

    Args:
        pictures: product photos, uint8 ``(384, 256, 3)``; at least 4.
        checkpoint: where to keep the state, and to go on from when it is there.
    """
    from catalog.croquis import drawing, maps

    if len(pictures) < 4:
        raise BadValue(
            f"{garment.name} has {len(pictures)} usable photos.", "A LoRA needs at least 4."
        )
    # 1. each photo, its cut-out, and the words
    examples = []
    for picture in pictures:
        regions = photo_tools.cut_out(picture).astype(np.uint8) * maps.FIRST_GARMENT
        layout = maps.layout_map(regions, maps.outline(regions), (garment.slot,))
        examples.append((picture, layout, maps.shares(regions, 1)))
    # every other photo by its trigger and kind alone, so that the LoRA brings the colours too
    said = (garment.phrase, garment.call)
    phrases = [(drawing.PRODUCT_PHOTO, "", said[i % 2]) for i in range(len(examples))]
    return _train(examples, phrases, 2, base, options, garment.trigger,
                  progress, cancel, checkpoint)  # fmt: skip


def season_file(
    season: Season,
    base: Base,
    options: Options = SEASON,
    pictures: int = 36,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> bytes:
    """The trained LoRA of a season, from drawn outfit pictures of that season.

    It works where no garment is: it carries scene, light and palette and leaves clothes alone.
    """
    from catalog.croquis import drawing

    first = 3_000_000 + 10_000 * ("spring-autumn", "summer", "winter").index(season)
    examples, phrases = [], []
    for seed in range(first, first + pictures):
        drawn = drawing.draw(drawing.sample_worn(seed, season=season))
        layout, _, shares = drawing.model_maps(drawn)
        examples.append((drawn.picture, layout, shares))
        phrases.append(drawn.phrases)
    return _train(examples, phrases, 0, base, options, season, progress, cancel)


def _train(
    examples: Sequence[tuple[Any, np.ndarray, np.ndarray]],
    phrases: Sequence[tuple[str, ...]],
    region: int,
    base: Base,
    options: Options,
    name: str,
    progress: Progress | None,
    cancel: threading.Event | None,
    checkpoint: Checkpoint | None = None,
) -> bytes:
    import torch
    from peft import LoraConfig, inject_adapter_in_model
    from safetensors.torch import save

    from catalog import adapters, regions
    from catalog.base import load_unet, mixed_precision

    # 2. latents, words, maps and masks are computed once
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    count = max(len(p) for p in phrases)
    with torch.no_grad():
        shares = torch.zeros(len(examples), count, *examples[0][2].shape[1:])
        for i, (_, _, share) in enumerate(examples):
            shares[i, : len(share)] = torch.from_numpy(share)
        pictures = torch.stack([torch.from_numpy(p.copy()) for p, _, _ in examples])
        pictures = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
        latents = base.vae.encode(pictures.to(base.device)).latent_dist.mean.float()
        layouts = torch.stack([torch.from_numpy(m) for _, m, _ in examples]).float() / 255
        words = torch.cat([
            regions.encode_phrases(base.tokenizer, base.text_encoder,
                                   [*p, *[""] * (count - len(p))])
            for p in phrases
        ]).float()  # fmt: skip
    device = base.device
    shares, layouts = shares.to(device), layouts.to(device)

    # 3. a fresh UNet of its own: the one that renders is never touched
    unet, control = load_unet(base.name, device), base.controlnets["layout"]
    names = [n for n, _ in unet.named_modules() if adapters.TARGETS.fullmatch(n)]
    config = LoraConfig(
        r=options.rank, lora_alpha=options.alpha, target_modules=names, init_lora_weights=True
    )
    inject_adapter_in_model(config, unet, adapter_name=adapters.NAME)
    masks = regions.LoraMasks()
    masks.hook(unet)
    unet.to(memory_format=torch.channels_last)
    for parameter_name, parameter in unet.named_parameters():
        parameter.requires_grad_(".lora_" in parameter_name)
    trained = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, options.rate, betas=(0.9, 0.99), weight_decay=0.0)
    alpha = base.scheduler.alphas_cumprod.float().to(device)
    owner = [region] * options.rank

    # 4. the loop: stratified noise levels, loss inside the cut-out
    started = time.monotonic()
    losses: list[float] = []
    first = 0
    if checkpoint is not None:
        first, losses = checkpoint.resume(trained, optimizer, rng)
    for step in range(first, options.steps):
        if cancel is not None and cancel.is_set():
            raise Cancelled("Training was stopped.", "The catalog is as it was.")
        pick = torch.from_numpy(rng.permutation(len(examples))[: options.batch])
        size = len(pick)
        t = (torch.arange(size) + torch.from_numpy(rng.random(size))) / size * 1000
        t = t.long().clamp(0, 999).to(device)
        z, share = latents[pick.to(device)], shares[pick]
        noise = torch.randn_like(z)
        a, s = alpha[t].sqrt()[:, None, None, None], (1 - alpha[t]).sqrt()[:, None, None, None]
        noisy = (a * z + s * noise).contiguous(memory_format=torch.channels_last)
        with mixed_precision(device), masks.at(share, owner):
            with torch.no_grad():
                down, middle = control(
                    noisy, t, encoder_hidden_states=words[pick], controlnet_cond=layouts[pick],
                    return_dict=False,
                )  # fmt: skip
            output = unet(
                noisy,
                t,
                encoder_hidden_states=words[pick],
                cross_attention_kwargs={"regions": regions.attention_bias(share)},
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
                return_dict=False,
            )[0]
        weight = options.background + (1 - options.background) * share[:, region : region + 1]
        v = base.scheduler.velocity(output.float(), noisy, t)
        loss = ((v - (a * noise - s * z)).square() * weight).sum()
        loss = loss / (weight.sum() * z.shape[1])
        loss.backward()
        for group in optimizer.param_groups:
            late = step / options.steps
            group["lr"] = options.rate * min(1.0, (step + 1) / 10) * (1 - late) ** 0.7
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        if checkpoint is not None:
            checkpoint.keep(step + 1, trained, optimizer, rng, losses)
        if progress is not None:
            progress(step + 1, options.steps, float(np.mean(losses[-10:])))

    # 5. the file: diffusers names
    tensors = {}
    for module_name, module in unet.named_modules():
        if module_name in names:
            layer: Any = module
            low = layer.lora_A[adapters.NAME].weight.detach().cpu()
            # alpha is folded in, so every reader agrees on the strength
            high = layer.lora_B[adapters.NAME].weight.detach().cpu() * layer.scaling[adapters.NAME]
            tensors[f"unet.{module_name}.lora_A.weight"] = low.half().contiguous()
            tensors[f"unet.{module_name}.lora_B.weight"] = high.half().contiguous()
    metadata = {
        "base": base.name,
        "base_sha256": base.denoiser_sha256,
        "name": name,
        "options": json.dumps(asdict(options)),
        "loss": f"{np.mean(losses[-20:]):.4f}",
        "seconds": f"{time.monotonic() - started:.1f}",
    }
    return save(tensors, metadata)
