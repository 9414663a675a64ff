"""The base models by name: build, load, save and check their components."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import Damaged, ModelUnavailable, UnknownName

if TYPE_CHECKING:
    import torch
    from torch import Tensor

BASES = ("croquis", "sd15")
STEPS = {"croquis": 8, "sd15": 25}
GUIDANCE = {"croquis": 3.0, "sd15": 7.0}
"""What each base draws well with, where a plan leaves it open."""
DRAFT_STEPS = 2
SHARD = "14MB"
"""Largest weight file in the repository."""


@dataclass
class Base:
    """One base, loaded. Weights float32 on the CPU, half precision on a GPU."""

    name: str
    tokenizer: Any
    text_encoder: Any
    vae: Any
    unet: Any
    controlnets: dict[str, Any]
    """By what they read: ``layout`` or ``lineart``, and ``openpose``."""
    scheduler: Any
    sha256: str
    """Of all weight files together."""
    denoiser_sha256: str
    """Of the parts a LoRA is trained against."""
    latent_size: tuple[int, int]
    """Rows and columns of the latents of one picture."""
    fresh_unet: Callable[[], Any]
    """Loads the UNet once more, frozen, float32: for training beside the one that renders."""
    device: str = "cpu"

    def decode(
        self, latents: Tensor, layout: Tensor | None = None, edges: Tensor | None = None
    ) -> Tensor:
        """Latents to pictures ``(B, 3, 768, 512)``; the croquis decoder hears of the layout too."""
        if self.name == "croquis":
            return self.vae.decode(latents, layout=layout, edges=edges).sample
        return self.vae.decode(latents / self.vae.config.scaling_factor).sample

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures ``(B, 3, 8h, 8w)`` in -1…1 to latents ``(B, C, h, w)``, without chance."""
        return self.vae.encode(pictures).latent_dist.mode() * self.vae.config.scaling_factor

    @property
    def predicts_noise(self) -> bool:
        """Whether the UNet's answer is the noise; else it is the velocity."""
        return bool(self.scheduler.config.prediction_type == "epsilon")

    def error(self, output: Tensor, noisy: Tensor, clean: Tensor, noise: Tensor, t: Tensor):
        """What the UNet's ``output`` for ``noisy`` is off, ``(B, C, h, w)`` float32.

        ``noisy`` is ``clean`` with ``noise`` as much as the timesteps ``t (B,)`` say.
        """
        if self.predicts_noise:
            return output.float() - noise
        velocity = getattr(self.scheduler, "velocity", lambda output, *_: output)
        alpha = self.scheduler.alphas_cumprod.float().to(clean.device)[t][:, None, None, None]
        wanted = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
        return velocity(output.float(), noisy, t) - wanted

    def glance(self) -> Tensor | None:
        """A small picture of what the sampler has so far, ``(1, 3, 384, 256)``, where it is cheap.

        For croquis the linear part of the decoder, which costs next to nothing.
        """
        clean = getattr(self.scheduler, "clean", None)
        return None if clean is None else self.vae.linear(clean)


def device_for(name: str) -> str:
    """Where a base is drawn and trained: croquis needs no graphics card, the others need one."""
    import torch

    return "cuda" if name != "croquis" and torch.cuda.is_available() else "cpu"


@cache
def computes_bf16(device: str) -> bool:
    """Whether bf16 is worth training in. Some processors emulate it, hundreds of times slower."""
    import torch

    if device != "cpu":
        return True

    def seconds(dtype: torch.dtype) -> float:
        a = torch.ones(256, 256, dtype=dtype)
        best = math.inf  # the first product also sets things up, others may be interrupted
        for _ in range(6):
            start = time.perf_counter()
            a @ a
            best = min(best, time.perf_counter() - start)
        return best

    return seconds(torch.bfloat16) < seconds(torch.float32)


def usual_threads() -> int:
    """As many as OMP_NUM_THREADS says, else as there are cores that this process may use."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isascii() and said.isdigit() and 1 <= int(said) <= 256:
        return int(said)
    allowed = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def machine(device: str) -> str:
    """What computes there, in words: a card's name, or the processor's and its cores."""
    import torch

    if device != "cpu":
        return torch.cuda.get_device_name()
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    name = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "CPU")
    return f"{os.cpu_count()} cores of {name}"


def mixed_precision(device: str):
    """Autocast to bf16 where the device computes in it, else nothing; for training."""
    import torch

    return torch.autocast(device, torch.bfloat16, enabled=computes_bf16(device))


def weights_folder() -> Path:
    """Where the committed croquis weights are."""
    return Path(__file__).parent / "croquis" / "weights"


def few_steps_lora(name: str, quality: str) -> Path | None:
    """The LoRA with which a base draws in fewer evaluations; None where it has none.

    For ``quality`` draft it draws in ``DRAFT_STEPS``; for final it answers at once what guidance
    needs two evaluations for.
    """
    file = "draft.safetensors" if quality == "draft" else "guided.safetensors"
    path = weights_folder() / "few-steps" / file
    return path if name == "croquis" and path.exists() else None


def training_folder() -> Path:
    """Where checkpoints are kept: outside the checkout, and found again by the next run."""
    cache = Path(os.path.expanduser("~")) / ".cache"
    return cache / "stylist" / "train-base"


def noise_scheduler(vae):
    """The sampler for an autoencoder's latents."""
    from catalog.croquis.schedule import ChannelScheduler, deviations

    return ChannelScheduler(deviations=deviations(vae.synthesis))


def new_unet(config: dict[str, Any]):
    from diffusers import UNet2DConditionModel

    from catalog.regions import RegionAttention

    unet = UNet2DConditionModel(**config)
    unet.set_attn_processor(RegionAttention())
    return unet


def new_controlnet(config: dict[str, Any], channels: int):
    import torch
    from diffusers import ControlNetModel

    net = ControlNetModel(**config, conditioning_channels=channels)
    # trained together from the start, the outputs may begin a little above zero: nothing sleeps
    for layer in (*net.controlnet_down_blocks, net.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight, std=0.02)
    torch.nn.init.kaiming_normal_(net.controlnet_cond_embedding.conv_out.weight)
    return net


def new_text_encoder(config: dict[str, Any], words: int):
    from transformers import CLIPTextConfig, CLIPTextModel

    # the last two ids of the vocabulary are begin and end (see tokens.build_tokenizer)
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=words,
            bos_token_id=words - 2,
            eos_token_id=words - 1,
            pad_token_id=words - 1,
            **config,
        )
    )


def load_text_encoder(folder: Path, dtype: Any = None):
    from transformers import CLIPTextModel

    text = CLIPTextModel.from_pretrained(
        folder / "text_encoder", local_files_only=True, use_safetensors=True, dtype=dtype
    )
    return text.eval()


def fill_from(model: torch.nn.Module, folder: Path) -> bool:
    """Load UNet and ControlNets of ``folder`` into a trainer's ``Denoiser``, where they exist."""
    from diffusers import ControlNetModel, UNet2DConditionModel

    if not (folder / "unet" / "config.json").exists():
        return False
    parts: Any = model
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    parts.unet.load_state_dict(unet.float().state_dict())
    for name, net in parts.control.items():
        saved = ControlNetModel.from_pretrained(folder / f"controlnet-{name}")
        net.load_state_dict(saved.float().state_dict())
    return True


def export(run: Path, folder: Path) -> None:
    """Copy a training run's components to ``folder`` as fp16 shards with their hashes.

    A component the run has not trained stays as it is: a decoder, say, may go on alone.
    """
    import shutil

    import torch
    from diffusers import ControlNetModel, UNet2DConditionModel
    from transformers import CLIPTextModel

    from catalog.croquis.autoencoder import CroquisAutoencoder
    from catalog.croquis.keypoints import KeypointNet
    from catalog.croquis.pair import PicturePair

    kinds = {
        "text_encoder": CLIPTextModel,
        "pair": PicturePair,
        "keypoints": KeypointNet,
        "vae": CroquisAutoencoder,
        "unet": UNet2DConditionModel,
        "controlnet-openpose": ControlNetModel,
        "controlnet-layout": ControlNetModel,
    }
    for part, kind in kinds.items():
        if not (run / part / "config.json").exists():
            continue
        target = folder / part
        model = kind.from_pretrained(run / part, dtype=torch.float32)
        shutil.rmtree(target, ignore_errors=True)  # only once there is something in its place
        # buffers stay as they are: the basis must be undone exactly by its other half
        for weight in model.parameters():
            weight.data = weight.data.half()
        model.save_pretrained(target, max_shard_size=SHARD)
        config = json.loads((target / "config.json").read_text())
        # where it lay while it was trained is nobody's business
        config.pop("_name_or_path", None)
        (target / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if (run / "sam" / "config.json").exists():
        shutil.rmtree(folder / "sam", ignore_errors=True)
        shutil.copytree(run / "sam", folder / "sam")
    for lora in run.glob("few-steps/*.safetensors"):
        (folder / "few-steps").mkdir(exist_ok=True)
        shutil.copy(lora, folder / "few-steps" / lora.name)
    if (run / "training.json").exists():
        record = folder / "training.json"
        told = json.loads(record.read_text()) if record.exists() else []
        told += [t for t in json.loads((run / "training.json").read_text()) if t not in told]
        latest = {(t["stage"], t["began"]): t for t in told}
        record.write_text(json.dumps(list(latest.values()), indent=1) + "\n")
    if (run / "tokenizer").exists():
        shutil.rmtree(folder / "tokenizer", ignore_errors=True)
        shutil.copytree(run / "tokenizer", folder / "tokenizer")
    vae = CroquisAutoencoder.from_pretrained(folder / "vae")
    noise_scheduler(vae).save_pretrained(folder / "scheduler")
    hashes = {f: _sha256(folder / f) for f in _files(folder)}
    (folder / "hashes.json").write_text(json.dumps(hashes, indent=1) + "\n")


def base_status(name: str = "croquis") -> dict[str, Any]:
    """``{"name", "present", "sha256", "bytes", "damaged": [files]}`` without loading anything."""
    if name not in BASES:
        raise UnknownName.among("base", name, BASES)
    folder = weights_folder()
    if name != "croquis" or not (folder / "hashes.json").exists():
        return {"name": name, "present": False, "sha256": "", "bytes": 0, "damaged": []}
    hashes = json.loads((folder / "hashes.json").read_text())
    damaged = [
        f for f, h in hashes.items() if not (folder / f).exists() or _sha256(folder / f) != h
    ]
    size = sum((folder / f).stat().st_size for f in hashes if (folder / f).exists())
    return {
        "name": name,
        "present": True,
        "sha256": base_sha256(),
        "bytes": size,
        "damaged": damaged,
    }


_DENOISING = ("text_encoder/", "tokenizer/", "unet/", "controlnet-")


def base_sha256() -> str:
    """One hash for the weight files that decide a picture's pixels.

    What only reads pictures (SAM, the keypoints' detector, the pair) is not among them: it can be
    trained further and every receipt still replays.
    """
    return _sha256_of(*_DENOISING, "scheduler/", "vae/")


def denoiser_sha256() -> str:
    """One hash for the parts a LoRA is trained against: words, UNet and ControlNets.

    The decoder is not among them: it can be trained further without touching any LoRA.
    """
    return _sha256_of(*_DENOISING)


def part_sha256(part: str) -> str:
    """One hash for the weight files of one component, such as ``pair``."""
    return _sha256_of(f"{part}/")


def _sha256_of(*beginnings: str) -> str:
    """One hash for the files of the croquis base whose paths begin so."""
    hashes = json.loads((weights_folder() / "hashes.json").read_text())
    kept = {f: h for f, h in sorted(hashes.items()) if f.startswith(beginnings)}
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


def load_base(name: str = "croquis", device: str = "cpu", folder: Path | None = None) -> Base:
    """Load every component of a base; files of the repository are checked against their hashes.

    Args:
        folder: where the models of the sd15 base lie; without it they come from the hub.

    Raises:
        UnknownName: no such base.
        ModelUnavailable: its weights are not here.
        Damaged: a weight file is missing or changed.
    """
    status = base_status(name)
    if name == "sd15":
        from catalog.sd15 import load_sd15

        return load_sd15(device, folder)
    if not status["present"]:
        raise ModelUnavailable(
            "The croquis weights are missing from this installation.",
            "Install again, or train them: python -m catalog.croquis.train_base.",
        )
    if status["damaged"]:
        raise Damaged(
            f"Weight files are missing or changed: {', '.join(status['damaged'])}.",
            "Restore them from the repository: git checkout -- catalog/croquis/weights.",
        )
    import torch
    from diffusers import ControlNetModel
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    from catalog.croquis import maps, tokens
    from catalog.croquis.autoencoder import CroquisAutoencoder
    from catalog.croquis.schedule import ChannelScheduler

    # a second of loading needs no bars between our own lines
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    folder, dtype = weights_folder(), torch.float32 if device == "cpu" else torch.float16
    unet = load_unet(device, dtype)
    nets = {
        kind: ControlNetModel.from_pretrained(
            folder / f"controlnet-{kind}", use_safetensors=True, dtype=dtype
        )
        for kind in ("layout", "openpose")
    }
    vae = CroquisAutoencoder.from_pretrained(folder / "vae", use_safetensors=True, dtype=dtype)
    text = load_text_encoder(folder, dtype)
    for model in (unet, vae, text, *nets.values()):
        model.to(device=device).eval().requires_grad_(False)
    return Base(
        name=name,
        tokenizer=tokens.load_tokenizer(folder / "tokenizer"),
        text_encoder=text,
        vae=vae,
        unet=unet,
        controlnets=nets,
        scheduler=ChannelScheduler.from_pretrained(folder / "scheduler"),
        sha256=status["sha256"],
        denoiser_sha256=denoiser_sha256(),
        latent_size=maps.LATENT_SIZE,
        fresh_unet=lambda: load_unet(device),
        device=device,
    )


def load_unet(device: str = "cpu", dtype: Any = None):
    """The croquis UNet, frozen, float32 unless said."""
    import torch
    from diffusers import UNet2DConditionModel

    from catalog.regions import RegionAttention

    unet = UNet2DConditionModel.from_pretrained(
        weights_folder() / "unet", use_safetensors=True, dtype=dtype or torch.float32
    )
    unet.set_attn_processor(RegionAttention())
    return unet.to(device=device).eval().requires_grad_(False)


def _files(folder: Path) -> list[str]:
    return sorted(
        str(p.relative_to(folder))
        for p in folder.rglob("*")
        if p.is_file() and p.suffix in (".safetensors", ".json", ".txt") and p.name != "hashes.json"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
