"""The croquis autoencoder: 256 x 384 pictures in, 32 x 48 latents, 512 x 768 out.

It keeps the contract of diffusers' ``AutoencoderKL`` (``encode``, ``decode``, ``config``).

The encoder is linear: the principal components of 8 x 8 patches, measured once. Patches are
smaller than the repeat of most prints, so a pattern goes on from cell to cell. Latents are known
before anything is trained, are as easy to denoise as patches can be, and never change while the
decoder, where all the learning is, goes on improving. The decoder adds what it has learned to the
linear reconstruction. It may be given the layout the latents were drawn under, as the decoder of
an inpainting autoencoder may be given the mask: then lines are sharper than latents can say.
Colour, pattern, light and all else come from the latents alone, since a layout has none of it.
It has no full-resolution layers, so it is fast without a GPU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

PATCH = 8
_EDGE_CHANNELS = 64
"""Edges at twice the encoded size, 8 x 8 pixels in each of the finest level's cells."""


class CroquisAutoencoder(ModelMixin, ConfigMixin):
    """Encodes ``(B, 3, H, W)`` in -1…1 to ``(B, 24, H/8, W/8)``; decodes to twice the size.

    ``decode`` returns the picture at twice the encoded size by default (the drawings it learned
    from are vectors); ``config.output_scale`` 1 gives the encoded size instead. H and W are
    multiples of 8. The distribution is a point: sampling returns its mean.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 24,
        widths: tuple[int, int] = (64, 128),
        blocks: tuple[int, int] = (4, 4),
        layout_channels: int = 12,
        output_scale: int = 2,
        scaling_factor: float = 1.0,
        shift_factor: float = 0.0,
        # what pipelines read to learn that a latent cell is 2**3 pixels wide
        block_out_channels: tuple[int, ...] = (64, 64, 64, 128),
        force_upcast: bool = False,
    ) -> None:
        super().__init__()
        patch = 3 * PATCH * PATCH
        self.register_buffer("mean", torch.zeros(patch))
        self.register_buffer("analysis", torch.zeros(latent_channels, patch))
        self.register_buffer("synthesis", torch.zeros(patch, latent_channels))
        self.decoder = _Decoder(latent_channels, widths, blocks, layout_channels)

    def set_basis(self, mean: Tensor, vectors: Tensor, deviation: Tensor) -> None:
        """Principal components: mean ``(192,)``, vectors ``(192, C)``, deviations ``(C,)``.

        Each latent is divided by the square root of its deviation: full whitening would give the
        noise-like detail channels as much weight as colour. The whole has variance 1, which is
        what the noise schedule expects.
        """
        scale = deviation.clamp_min(1e-6).rsqrt()
        scale = scale / (deviation * scale).square().mean().sqrt()
        self.mean.copy_(mean)
        self.analysis.copy_((vectors * scale).T)
        self.synthesis.copy_(vectors / scale)

    def encode(self, x: Tensor, return_dict: bool = True):
        patches = F.pixel_unshuffle(x, PATCH) - self.mean[:, None, None]
        z = torch.einsum("ij,bjhw->bihw", self.analysis, patches)
        # a log-variance this low makes the distribution a point
        point = DiagonalGaussianDistribution(torch.cat([z, torch.full_like(z, -30.0)], 1), True)
        return AutoencoderKLOutput(latent_dist=point) if return_dict else (point,)

    def change(self, x: Tensor) -> Tensor:
        """How much latents change where a picture does by ``x`` ``(B, 3, H, W)``, whatever it is:
        the encoder is linear."""
        return torch.einsum("ij,bjhw->bihw", self.analysis, F.pixel_unshuffle(x, PATCH))

    def linear(self, z: Tensor) -> Tensor:
        """The linear reconstruction at the encoded size."""
        patches = torch.einsum("ij,bjhw->bihw", self.synthesis, z) + self.mean[:, None, None]
        return F.pixel_shuffle(patches, PATCH)

    def decode(
        self,
        z: Tensor,
        return_dict: bool = True,
        generator=None,
        *,
        layout: Tensor | None = None,
        edges: Tensor | None = None,
    ):
        """Latents to a picture ``(B, 3, 2H, 2W)``.

        Args:
            layout: the ControlNet's layout map ``(B, 12, H/4, W/4)`` in 0…1, if there was one.
            edges: its edge channel drawn at the size of the result, ``(B, 1, 2H, 2W)`` in 0…1.
        """
        x = F.interpolate(self.linear(z), scale_factor=2, mode="bilinear")
        x = x + self.decoder(z, layout, edges)
        if self.config.output_scale == 1:
            x = F.avg_pool2d(x, 2)
        return DecoderOutput(sample=x) if return_dict else (x,)


class _Decoder(nn.Module):
    """What is added to the linear reconstruction: two levels, of one and of two cells a latent.

    Each level is told the layout at its own size; the last one the edges, and its output layer
    reads them once more, so that a line need not pass through the blocks to be inked.
    """

    def __init__(
        self,
        latent_channels: int,
        widths: tuple[int, int],
        blocks: tuple[int, int],
        layout_channels: int,
    ) -> None:
        super().__init__()
        top, low = widths
        self.layout_channels = layout_channels
        self.enter = nn.Conv2d(latent_channels, low, 3, padding=1)
        self.low = nn.Sequential(*(_Block(low) for _ in range(blocks[1])))
        self.to_top = nn.Sequential(nn.Conv2d(low, 4 * top, 1), nn.PixelShuffle(2))
        self.top = nn.Sequential(*(_Block(top) for _ in range(blocks[0])))
        self.leave = nn.Conv2d(top + _EDGE_CHANNELS, 3 * 64, 3, padding=1)
        self.told_low = nn.Conv2d(4 * layout_channels, low, 1)
        self.told_top = nn.Conv2d(layout_channels + _EDGE_CHANNELS, top, 3, padding=1)
        nn.init.normal_(self.leave.weight, std=1e-3)

    def forward(self, z: Tensor, layout: Tensor | None, edges: Tensor | None) -> Tensor:
        batch, _, rows, columns = z.shape
        if layout is None:
            layout = z.new_zeros(batch, self.layout_channels, 2 * rows, 2 * columns)
        if edges is None:
            edges = z.new_zeros(batch, 1, 16 * rows, 16 * columns)
        lines = F.pixel_unshuffle(edges, 8)
        x = self.low(self.enter(z) + self.told_low(F.pixel_unshuffle(layout, 2)))
        x = self.top(self.to_top(x) + self.told_top(torch.cat([layout, lines], 1)))
        return F.pixel_shuffle(self.leave(torch.cat([x, lines], 1)), 8)


class _Block(nn.Module):
    """Two convolutions with a shortcut.

    The norm is over the channels of each place: a crop is decoded as the whole picture is.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        nn.init.normal_(self.conv2.weight, std=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return x + self.conv2(F.silu(self.conv1(normed)))
