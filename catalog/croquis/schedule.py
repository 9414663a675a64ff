"""The croquis sampler: DDIM over v-prediction, with each latent channel's own size known to it.

Latents are principal components: a few large channels (colour), many small ones (detail). For a
channel of deviation σ the best linear guess of v from the noisy latents x is c·x, and what remains
has deviation d (Karras et al. 2022, written per channel). The UNet predicts only that remainder,
scaled to 1: a small channel starts from its best linear guess instead of having to pass noise on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import DDIMScheduler
from diffusers.configuration_utils import register_to_config
from torch import Tensor


class ChannelScheduler(DDIMScheduler):
    """DDIM, v-prediction, zero terminal SNR; latents are not clipped (they exceed ±1).

    ``deviations`` holds one number per latent channel. ``clean`` is the latest guess of the clean
    latents, for previews. ``guide``, where it is set, may change that guess: it is called with it
    and the number of steps still to come, and the step goes where its answer says.
    """

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 0.00085,
        beta_end: float = 0.012,
        beta_schedule: str = "scaled_linear",
        prediction_type: str = "v_prediction",
        rescale_betas_zero_snr: bool = True,
        timestep_spacing: str = "trailing",
        clip_sample: bool = False,
        set_alpha_to_one: bool = True,
        deviations: tuple[float, ...] = (),
    ) -> None:
        super().__init__(
            num_train_timesteps=num_train_timesteps,
            beta_start=beta_start,
            beta_end=beta_end,
            beta_schedule=beta_schedule,
            prediction_type=prediction_type,
            rescale_betas_zero_snr=rescale_betas_zero_snr,
            timestep_spacing=timestep_spacing,
            clip_sample=clip_sample,
            set_alpha_to_one=set_alpha_to_one,
        )
        self.clean: Tensor | None = None
        self.guide: Callable[[Tensor, int], Tensor] | None = None

    def velocity(self, output: Tensor, noisy: Tensor, t: Tensor | int) -> Tensor:
        """v from the UNet's output ``(B, C, H, W)``, the noisy latents, and timesteps."""
        alpha = self.alphas_cumprod.to(noisy.device, torch.float32)[t]
        alpha = alpha.reshape(-1, 1, 1, 1)
        var = torch.tensor(self.config.deviations, device=noisy.device).square()[:, None, None]
        total = alpha * var + (1 - alpha)
        skip = (alpha * (1 - alpha)).sqrt() * (1 - var) / total
        return skip * noisy + (var / total).sqrt() * output

    def step(self, model_output: Tensor, timestep: Any, sample: Tensor, *args: Any, **kwargs: Any):
        v = self.velocity(model_output, sample, timestep)
        if self.guide is not None:
            v = self._guided(v, sample, timestep, self.guide)
        v = v.to(sample.dtype)
        out = super().step(v, timestep, sample, *args, **kwargs)
        self.clean = out[1] if isinstance(out, tuple) else out.pred_original_sample
        return out

    def _guided(
        self, v: Tensor, noisy: Tensor, t: Any, guide: Callable[[Tensor, int], Tensor]
    ) -> Tensor:
        """The velocity that leads from the noisy latents to what ``guide`` makes of their guess."""
        alpha = self.alphas_cumprod.to(noisy.device, torch.float32)[t]
        signal, noise = alpha.sqrt(), (1 - alpha).sqrt()
        left = int((self.timesteps < t).sum())
        guess = signal * noisy.float() - noise * v.float()
        clean = guide(guess, left)
        return v if clean is guess else (signal * noisy.float() - clean) / noise


def deviations(synthesis: Tensor) -> tuple[float, ...]:
    """Deviation of each latent channel of an autoencoder, from its synthesis matrix."""
    norms = synthesis.double().norm(dim=0)
    return tuple(float(x) for x in norms / norms.square().mean().sqrt())
