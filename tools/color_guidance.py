"""Colour guidance: each garment is held to the colours of its card while it is drawn.

In the last steps the guess of the clean picture is read through the linear part of the decoder.
What it shows of each garment is moved to the garment's colours, and the step goes on from there,
as DDNM (arXiv 2212.00490) puts back what is known of a picture. Only colours are moved: where
which colour lies, light and folds stay the diffusion model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from catalog.croquis.palette import hex_to_rgb, srgb_to_lab
from catalog.garment import Garment

if TYPE_CHECKING:
    from torch import Tensor

LAST = 3
"""Steps that are guided, from the end: earlier guesses show no cloth yet."""
LEAST, LEAST_PATTERN = 24, 200
"""Pixels of a plain and of a patterned garment, of 256 x 384, below which it is left alone: too few
to tell its colours by, or to show as much of each as the whole does."""
_NEAR = 5.0
"""Distance in CIELAB over which a pixel is shared between two colours of a pattern."""
_ASKED = 2000
"""Pixels from which it is learned how far each colour of a pattern reaches."""
_TURNS = 12


@dataclass(frozen=True)
class Colors:
    """Colours of one garment: sRGB 0–255, one and all of it where it is plain."""

    rgb: tuple[tuple[float, ...], ...]
    shares: tuple[float, ...]
    """How much of the garment each covers; sums to 1."""


def colors_of(garment: Garment) -> Colors | None:
    """What a garment is held to; None where its card does not say it: a pattern of which nobody
    measured how much of it each colour covers."""
    if garment.pattern == "plain":
        return Colors((_rgb(garment.cloth.colors[0]),), (1.0,))
    if not garment.shades:
        return None
    whole = sum(s.share for s in garment.shades)
    return Colors(
        tuple(_rgb(s.color) for s in garment.shades), tuple(s.share / whole for s in garment.shades)
    )


class Guide:
    """Called with a guess of clean latents and how many steps are left; gives a truer guess."""

    def __init__(
        self,
        vae: Any,
        masks: Sequence[np.ndarray],
        colors: Sequence[Colors | None],
        weight: float,
    ) -> None:
        """
        Args:
            vae: the croquis autoencoder.
            masks: bool ``(384, 256)``, where each garment is drawn now.
            weight: 0–1, how much of the way to its colours each goes.
        """
        self._vae = vae
        # what is left to go after LAST steps is what one step leaves, so often multiplied
        self._weight = 1 - (1 - weight) ** (1 / LAST)
        self._held = [
            (mask, _inner(mask), own)
            for mask, own in zip(masks, colors, strict=True)
            if own is not None and mask.sum() >= (LEAST if len(own.rgb) == 1 else LEAST_PATTERN)
        ]

    def __call__(self, clean: Tensor, left: int) -> Tensor:
        """``clean`` ``(1, C, 48, 32)``; the same object where nothing is to be changed."""
        import torch

        if left >= LAST or not self._held:
            return clean
        linear = self._vae.linear(clean.float())[0]
        picture = (linear.permute(1, 2, 0).cpu().numpy() + 1) * 127.5
        change = np.zeros_like(picture)
        for mask, inner, own in self._held:
            change[mask] = _moved(picture[mask], inner[mask], own)
        moved = torch.from_numpy(change).permute(2, 0, 1)[None] * (self._weight / 127.5)
        return clean + self._vae.change(moved.to(linear)).to(clean)


def _moved(pixels: np.ndarray, inner: np.ndarray, own: Colors) -> np.ndarray:
    """By how much each of a garment's pixels ``(n, 3)``, sRGB, is moved; ``inner`` ``(n,)`` are
    those away from its outline, from which it is measured."""
    target = np.array(own.rgb)
    if len(target) == 1:
        return np.broadcast_to(target[0] - np.median(pixels[inner], 0), pixels.shape)
    # 1. how like each colour of the pattern each pixel is
    far = srgb_to_lab(pixels.clip(0, 255))[:, None] - srgb_to_lab(target)[None]
    unlike = (far**2).sum(2) / (2 * _NEAR**2)
    # 2. pixels shared out so that each colour covers what it shall: Sinkhorn's iteration, which
    #    needs a few of them to know how far each colour reaches
    few = unlike[inner]
    few = few[:: -(-len(few) // _ASKED)]
    reach = np.zeros(len(target))
    for _ in range(_TURNS):
        reach = np.log(own.shares) - _log_sum(-few - _log_sum(reach - few, 1)[:, None], 0)
    part = np.exp(reach - unlike - _log_sum(reach - unlike, 1)[:, None])
    # 3. each colour's pixels moved together, so that what differs among them goes on to
    found = part.T @ pixels / part.sum(0)[:, None].clip(1e-6)
    return part @ (target - found)


def _log_sum(x: np.ndarray, axis: int) -> np.ndarray:
    """log Σ exp along an axis."""
    top = x.max(axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis)) + top.squeeze(axis)


def _inner(mask: np.ndarray) -> np.ndarray:
    """``mask`` without its rim of ink and neighbours; less of it where the mask is thin."""
    for rim in (2, 1):
        kernel = np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)
        inner = cv2.erode(mask.astype(np.uint8), kernel, borderValue=0) > 0
        if inner.sum() >= max(LEAST / 2, 0.1 * mask.sum()):
            return inner
    return mask


def _rgb(color: str) -> tuple[float, ...]:
    return tuple(float(c) for c in hex_to_rgb(color))
