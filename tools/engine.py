"""Engine: draw, repaint. The diffusers pipelines over a base, with layout, regions and LoRAs.

Every render carries its own frozen set of adapters. They are put on inside one lock and taken off
whatever happens, so two people drawing at once get what each would get alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import StableDiffusionControlNetInpaintPipeline, StableDiffusionControlNetPipeline
from safetensors.torch import load as load_safetensors
from torch import Tensor

from catalog import regions
from catalog.adapters import LowRank, WideAdapter, read_low_rank, reading
from catalog.base import Base, load_base
from catalog.errors import BadValue, Cancelled
from catalog.lora_file import check_lora_file, read_lora
from tools import conditions
from tools.color_guidance import Colors, Guide
from tools.layout import Layout
from tools.look import Control

CACHED_LORAS = 64
STOPPED = ("Drawing was stopped.", "Nothing was saved; ask again any time.")
_CELL = 8
"""Pixels a side, of the encoded size, that one latent cell stands for; on every base."""


@dataclass(frozen=True)
class LoraUse:
    """One LoRA at work: its file, its weight, and the phrase whose region it works in (-1: all)."""

    path: Path
    sha256: str
    weight: float
    region: int


@dataclass(frozen=True)
class Job:
    """All the numbers of one render."""

    layout: Layout
    phrases: tuple[str, ...]
    loras: tuple[LoraUse, ...]
    seed: int
    steps: int
    guidance: float
    control: Control = Control()
    """How every ControlNet is heard that ``controls`` does not name."""
    controls: Mapping[str, Control] = field(default_factory=dict)
    edges: np.ndarray | None = None
    """A picture's edges to follow, uint8 ``(1, 96, 64)``."""
    colors: tuple[Colors | None, ...] = ()
    """What each garment of the layout is held to, None: nothing."""
    color_weight: float = 1.0


@dataclass(frozen=True)
class Render:
    picture: np.ndarray
    """uint8 ``(768, 512, 3)``"""
    seconds: dict[str, float]


Step = Callable[[int, int, np.ndarray | None], None]


class _Pipeline(StableDiffusionControlNetPipeline):
    """The stock pipeline; only control maps keep their own channels and size."""

    def prepare_image(  # type: ignore[override]
        self,
        image: Tensor,
        *_: Any,
        device: Any,
        dtype: torch.dtype,
        do_classifier_free_guidance: bool = False,
        **__: Any,
    ) -> Tensor:
        image = image.to(device=device, dtype=dtype)
        return torch.cat([image] * 2) if do_classifier_free_guidance else image


class _InpaintPipeline(StableDiffusionControlNetInpaintPipeline):
    """The stock inpaint pipeline; control maps as above, and the start is given.

    ``begin`` holds the clean latents and the noise, so that what lies outside the mask can be put
    back after each step with the very noise the start was made with.
    """

    begin: tuple[Tensor, Tensor]
    prepare_control_image = _Pipeline.prepare_image  # type: ignore[assignment]

    def prepare_latents(self, *_: Any, timestep: Any, **more: Any):  # type: ignore[override]
        clean, noise = self.begin
        start = noise
        if not more["is_strength_max"]:
            start = self.scheduler.add_noise(clean, noise, timestep)
        return (start, noise, clean) if more["return_image_latents"] else (start, noise)


class Engine:
    """Loads a base once, then draws many times. Thread-safe: one render at a time."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self._lock = threading.Lock()
        self._loras: OrderedDict[str, LowRank] = OrderedDict()
        self._adapter = WideAdapter(base.unet)
        self._scheduler = base.scheduler
        self._draw = self._pipeline(_Pipeline, edges=False)
        self._inpaint = self._pipeline(_InpaintPipeline, edges=False)

    def _pipeline(self, kind: Any, edges: bool) -> Any:
        """A pipeline over the base's parts; ``edges``: with the net that follows a picture's."""
        base = self.base
        pipe = kind(
            vae=base.vae,
            text_encoder=base.text_encoder,
            tokenizer=base.tokenizer,
            unet=base.unet,
            controlnet=list(conditions.nets(base, edges).values()),
            scheduler=self._scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipe.set_progress_bar_config(disable=True)
        return pipe

    @classmethod
    def load(cls, base: str = "croquis", device: str = "cpu", folder: Path | None = None) -> Engine:
        """Load a base by name. Raises what ``catalog.base.load_base`` raises."""
        return cls(load_base(base, device, folder))

    def draw(
        self, job: Job, *, on_step: Step | None = None, cancel: threading.Event | None = None
    ) -> Render:
        """Draw one picture.

        Args:
            on_step: called after each step with its number, the number of steps, and every third
                step a small preview, uint8 ``(384, 256, 3)``.

        Raises:
            Cancelled: ``cancel`` was set; nothing is left behind.
            Damaged, BadValue: a LoRA file is not what it should be.
            UnknownName: ``controls`` names a net that the base does not have.
        """
        with self._lock, torch.inference_mode():
            return self._run(self._draw, job, on_step, cancel, {})

    def repaint(
        self,
        job: Job,
        picture: np.ndarray,
        mask: np.ndarray,
        strength: float,
        *,
        on_step: Step | None = None,
        cancel: threading.Event | None = None,
    ) -> Render:
        """Draw again what lies under a mask, as ``job`` says, into a picture.

        The rest is held in place while it is drawn, but goes through the autoencoder: whoever
        calls puts it back from the picture.

        Args:
            picture: uint8 ``(768, 512, 3)``.
            mask: bool ``(768, 512)``.
            strength: 0–1: how far the part is taken back to noise; 1 forgets what was there.

        Raises:
            BadValue: a strength so small that no step would be taken. Else what ``draw`` raises.
        """
        if not job.steps * strength >= 1 or strength > 1:
            raise BadValue(
                f"A strength of {strength:g} leaves nothing to draw in {job.steps} steps.",
                f"Between {math.ceil(100 / job.steps) / 100:g} and 1 is possible.",
            )
        with self._lock, torch.inference_mode():
            # 1. the picture at the size the base encodes, and the cells the mask touches
            rows, columns = self.base.latent_size
            size = columns * _CELL, rows * _CELL
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            cells = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            inside = torch.from_numpy(cells)[None, None]
            inside = torch.nn.functional.max_pool2d(inside, _CELL).to(self.base.device) > 0
            # 2. where it begins
            x = torch.from_numpy(small).permute(2, 0, 1)[None].to(self.base.device).float()
            dtype = self.base.unet.dtype
            clean = self.base.encode((x / 127.5 - 1).to(dtype))
            noise = self._noise(job, clean)

            def hold(pipe: Any, step: int, latents: Tensor) -> Tensor:
                """What lies outside the mask is what it was, with the noise of this step."""
                left = pipe.scheduler.timesteps[-pipe.num_timesteps :][step + 1 : step + 2]
                there = self._scheduler.add_noise(clean, noise, left) if len(left) else clean
                return torch.where(inside, latents, there)

            return self._run(
                self._inpaint,
                job,
                on_step,
                cancel,
                {"image": x / 127.5 - 1, "mask_image": torch.from_numpy(cells)[None, None],
                 "height": size[1], "width": size[0], "strength": strength},
                hold,
                (clean, noise),
                inside[0, 0].cpu().numpy().repeat(_CELL, 0).repeat(_CELL, 1),
            )  # fmt: skip

    def _run(
        self,
        pipe: Any,
        job: Job,
        on_step: Step | None,
        cancel: threading.Event | None,
        more: dict[str, Any],
        hold: Callable[[Any, int, Tensor], Tensor] | None = None,
        begin: tuple[Tensor, Tensor] | None = None,
        within: np.ndarray | None = None,
    ) -> Render:
        if cancel is not None and cancel.is_set():  # stopped while somebody else was drawn
            raise Cancelled(*STOPPED)
        started = time.perf_counter()
        names = list(conditions.nets(self.base, job.edges is not None))
        heard = conditions.heard(job.control, job.controls, names)
        left = min(int(job.steps * more.get("strength", 1.0)), job.steps)
        weights, starts, ends = conditions.at_steps(heard, job.steps, left)
        if job.edges is not None:  # seldom asked for, and soon made
            pipe = self._pipeline(type(pipe), edges=True)
        # 1. LoRAs, and words as they read them
        loras = [(self._low_rank(use), use.weight, use.region) for use in job.loras]
        words, nothing = self._words(job.phrases, loras)
        text_done = time.perf_counter()
        # 2. regions
        shares = torch.from_numpy(conditions.shares(job.layout, self.base))[None]
        shares = shares.to(self.base.device)
        bias = regions.attention_bias(shares)
        controls = [
            torch.from_numpy(m)[None]
            for m in conditions.control_maps(job.layout, self.base, job.edges)
        ]
        if hasattr(self._scheduler, "clean"):
            self._scheduler.clean = None
        if begin is None:
            more = {"image": controls, "latents": self._noise(job, words)}
        else:
            pipe.begin = begin
            more = more | {"control_image": controls}

        def after_step(pipe: Any, step: int, _: int, kwargs: dict[str, Any]) -> dict[str, Any]:
            if hold is not None:
                kwargs["latents"] = hold(pipe, step, kwargs["latents"])
            if cancel is not None and cancel.is_set():
                pipe._interrupt = True
            elif on_step is not None:
                preview = self._preview() if step % 3 == 2 else None
                on_step(step + 1, pipe.num_timesteps, preview)
            return kwargs

        # 3. denoise
        with self._adapter.worn(loras, shares), self._held_to_colors(job, within):
            adapters_done = time.perf_counter()
            latents = pipe(
                prompt_embeds=words,
                negative_prompt_embeds=nothing,
                num_inference_steps=job.steps,
                guidance_scale=job.guidance,
                controlnet_conditioning_scale=weights,
                control_guidance_start=starts,
                control_guidance_end=ends,
                cross_attention_kwargs={"regions": bias},
                callback_on_step_end=after_step,
                output_type="latent",
                **more,
            ).images
        if cancel is not None and cancel.is_set():
            raise Cancelled(*STOPPED)
        denoise_done = time.perf_counter()
        # 4. decode
        layout = edges = None
        if "layout" not in names or heard[names.index("layout")].weight > 0:
            told = (job.layout.layout_map, job.layout.edges[None])
            layout, edges = (
                torch.from_numpy(m)[None].to(words.device, words.dtype) / 255 for m in told
            )
        picture = _pixels(self.base.decode(latents, layout, edges))
        return Render(
            picture,
            {
                "text": text_done - started,
                "adapters": adapters_done - text_done,
                "denoise": denoise_done - adapters_done,
                "decode": time.perf_counter() - denoise_done,
            },
        )

    @contextmanager
    def _held_to_colors(self, job: Job, within: np.ndarray | None) -> Iterator[None]:
        """The sampler guided to the garments' colours, of those ``within`` a part only."""
        if not (hasattr(self._scheduler, "guide") and job.color_weight and any(job.colors)):
            yield
            return
        masks = [job.layout.mask(i) for i in range(len(job.colors))]
        if within is not None:
            # a strip of a garment is lighter or darker than the whole, and of another part of
            # its pattern: what is mostly kept goes by what is there
            parts = [mask & within for mask in masks]
            masks = [
                p if p.sum() >= m.sum() / 2 else p & False
                for p, m in zip(parts, masks, strict=True)
            ]
        self._scheduler.guide = Guide(self.base.vae, masks, job.colors, job.color_weight)
        try:
            yield
        finally:
            self._scheduler.guide = None

    def _noise(self, job: Job, like: Tensor) -> Tensor:
        """From the processor's generator: the same picture on every device."""
        shape = (1, self.base.unet.config.in_channels, *self.base.latent_size)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(job.seed))
        return noise.to(self.base.device, like.dtype)

    def _words(
        self, phrases: Sequence[str], loras: Sequence[tuple[LowRank, float, int]]
    ) -> tuple[Tensor, Tensor]:
        encode = regions.encode_phrases
        tokenizer, text = self.base.tokenizer, self.base.text_encoder
        words = encode(tokenizer, text, phrases)
        for region, phrase in enumerate(phrases):
            own = [(lora, weight) for lora, weight, at in loras if at == region and lora.text]
            if own:
                with reading(text, own):
                    said = encode(tokenizer, text, [phrase])
                words[:, region * regions.TOKENS : (region + 1) * regions.TOKENS] = said
        return words, encode(tokenizer, text, [""]).repeat(1, len(phrases), 1)

    def _low_rank(self, use: LoraUse) -> LowRank:
        if use.sha256 not in self._loras:
            data = read_lora(use.path)
            about = check_lora_file(data, sha256=use.sha256, base=self.base.name)
            made_for = about.metadata.get("base_sha256", self.base.denoiser_sha256)
            if made_for != self.base.denoiser_sha256:
                raise BadValue(
                    f"The LoRA {use.path.name} was trained on other weights of this base.",
                    "Train it again: stylist catalog train ID.",
                )
            self._loras[use.sha256] = read_low_rank(load_safetensors(data))
            while len(self._loras) > CACHED_LORAS:
                self._loras.popitem(last=False)
        self._loras.move_to_end(use.sha256)
        return self._loras[use.sha256]

    def _preview(self) -> np.ndarray | None:
        glance = self.base.glance()
        return None if glance is None else _pixels(glance)


def _pixels(sample: Tensor) -> np.ndarray:
    picture = ((sample[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return picture.permute(1, 2, 0).cpu().numpy()
