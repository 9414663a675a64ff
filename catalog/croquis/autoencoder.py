"""The croquis autoencoder: 256 x 384 pictures in, 16 x 24 latents of 32 channels, 512 x 768 out.

It keeps the contract of diffusers' ``AutoencoderKL`` (``encode``, ``decode``, ``config``). There
are no full-resolution layers: space-to-depth does the work, so it is fast without a GPU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


class CroquisAutoencoder(ModelMixin, ConfigMixin):
    """Encodes ``(B, 3, H, W)`` in -1…1 to ``(B, 32, H/16, W/16)``; decodes to twice the size.

    ``decode`` returns the picture at twice the encoded size by default (the drawings it learned
    from are vectors); ``config.output_scale`` 1 gives the encoded size instead. H and W are
    multiples of 16. The distribution is a point: sampling returns its mean.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 32,
        widths: tuple[int, int, int] = (64, 128, 192),
        blocks: tuple[int, int, int] = (1, 2, 2),
        output_scale: int = 2,
        scaling_factor: float = 1.0,
        shift_factor: float = 0.0,
        # what pipelines read to learn that a latent cell is 2**4 pixels wide
        block_out_channels: tuple[int, ...] = (64, 64, 64, 128, 192),
        force_upcast: bool = False,
    ) -> None:
        super().__init__()
        top, middle, low = widths
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, top, 3, padding=1),
            *(_Block(top) for _ in range(blocks[0])),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * top, middle, 1),
            *(_Block(middle) for _ in range(blocks[1])),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * middle, low, 1),
            *(_Block(low) for _ in range(blocks[2])),
            nn.Conv2d(low, latent_channels, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, low, 3, padding=1),
            *(_Block(low) for _ in range(blocks[2] + 1)),
            nn.Conv2d(low, 4 * middle, 1),
            nn.PixelShuffle(2),
            *(_Block(middle) for _ in range(blocks[1] + 1)),
            nn.Conv2d(middle, 4 * top, 1),
            nn.PixelShuffle(2),
            *(_Block(top) for _ in range(blocks[0] + 1)),
            nn.Conv2d(top, 3 * 64, 3, padding=1),
            nn.PixelShuffle(8),
        )
        # latents as the UNet sees them: rotation @ (encoder's channels - mean), set after training
        self.register_buffer("rotation", torch.eye(latent_channels))
        self.register_buffer("inverse", torch.eye(latent_channels))
        self.register_buffer("mean", torch.zeros(latent_channels))

    def encode(self, x: Tensor, return_dict: bool = True):
        raw = self.encoder(x)
        z = torch.einsum("ij,bjhw->bihw", self.rotation, raw - self.mean[:, None, None])
        # a log-variance this low makes the distribution a point
        point = DiagonalGaussianDistribution(torch.cat([z, torch.full_like(z, -30.0)], 1), True)
        return AutoencoderKLOutput(latent_dist=point) if return_dict else (point,)

    def decode(self, z: Tensor, return_dict: bool = True, generator=None):
        raw = torch.einsum("ij,bjhw->bihw", self.inverse, z) + self.mean[:, None, None]
        x = self.decoder(raw.to(z.dtype))
        if self.config.output_scale == 1:
            x = F.avg_pool2d(x, 2)
        return DecoderOutput(sample=x) if return_dict else (x,)

    def forward(self, x: Tensor, noise: float = 0.0) -> Tensor:
        """Picture → latents (with Gaussian ``noise`` added) → picture at twice the size."""
        z = self.encoder(x)
        if noise:
            z = z + noise * torch.randn_like(z)
        return self.decoder(z)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(width // 16, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        nn.init.normal_(self.conv2.weight, std=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(self.norm(x))))
