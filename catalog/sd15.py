"""The sd15 base: Stable Diffusion 1.5 with its openpose and lineart ControlNets.

The weights come from a model hub, once, or from a folder that holds the same three models. They
are drawn with as the croquis base is: each garment's phrase is encoded alone and read only where
that garment is, and its LoRA works there alone. The layout reaches the model as line art.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from catalog.base import Base
from catalog.errors import ModelUnavailable

MODELS = {
    "base": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "openpose": "lllyasviel/control_v11p_sd15_openpose",
    "lineart": "lllyasviel/control_v11p_sd15_lineart",
}
"""What is loaded, by the hub's names; a folder holds each under the last part of its name."""
LATENT_SIZE = 96, 64
"""512 x 768 pictures in cells of 8 x 8 pixels."""


def load_sd15(device: str = "cpu", folder: Path | None = None) -> Base:
    """Load every component, half precision on a GPU.

    Args:
        folder: where the three models lie; without it the hub's local cache, then the hub.

    Raises:
        ModelUnavailable: a model is neither there nor to be had.
    """
    import torch
    from diffusers import (
        AutoencoderKL,
        ControlNetModel,
        DDIMScheduler,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextModel, CLIPTokenizer

    from catalog.regions import RegionAttention

    dtype = torch.float32 if device == "cpu" else torch.float16
    places = {kind: _place(name, folder) for kind, name in MODELS.items()}

    def load(kind: Any, place: str, part: str | None = None, dtype: Any = dtype) -> Any:
        try:
            # safetensors only: a pickle is never opened
            model = kind.from_pretrained(
                place, subfolder=part, dtype=dtype, use_safetensors=True, low_cpu_mem_usage=False
            )
        except (OSError, ValueError) as error:
            where = f"{place}, {part}" if part else place
            raise ModelUnavailable(
                f"The sd15 base cannot be loaded: {where} is not to be had.",
                "`stylist doctor` says what it needs; unset STYLIST_BASE to draw with croquis.",
            ) from error
        return model.to(device).eval().requires_grad_(False)

    nets = {kind: load(ControlNetModel, places[kind]) for kind in ("lineart", "openpose")}

    def load_unet(dtype: Any = dtype) -> Any:
        unet = load(UNet2DConditionModel, places["base"], "unet", dtype)
        unet.set_attn_processor(RegionAttention())
        return unet

    unet = load_unet()
    vae = load(AutoencoderKL, places["base"], "vae")
    text = load(CLIPTextModel, places["base"], "text_encoder")
    return Base(
        name="sd15",
        tokenizer=CLIPTokenizer.from_pretrained(places["base"], subfolder="tokenizer"),
        text_encoder=text,
        vae=vae,
        unet=unet,
        controlnets=nets,
        scheduler=DDIMScheduler.from_pretrained(places["base"], subfolder="scheduler"),
        sha256=_sha256(unet, vae, text, *nets.values()),
        denoiser_sha256=_sha256(unet, text),
        latent_size=LATENT_SIZE,
        fresh_unet=lambda: load_unet(torch.float32),
        device=device,
    )


def _place(name: str, folder: Path | None) -> str:
    return name if folder is None else str(folder / name.rsplit("/", 1)[-1])


def _sha256(*models: Any) -> str:
    """Of the weights as they are in memory: the same wherever the files came from."""
    digest = hashlib.sha256()
    for model in models:
        for name, tensor in sorted(model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
