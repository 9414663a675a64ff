"""The picture–words pair: one space in which a garment's picture lies near its phrase.

Trained beside the text encoder with the contrastive loss of CLIP (Radford et al., 2021), on single
garments worn and flat. A garment alone on grey is 96 x 64 pixels here, whatever it was cut from.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

CROP = 96, 64
GROUND = 128.0
"""Grey level of what is not the garment."""
LEAST = 40
"""Pixels of a garment below which there is nothing to look at."""


class PicturePair(ModelMixin, ConfigMixin):
    """Embeds pictures of garments and pooled phrases into one space of ``dim`` numbers."""

    @register_to_config
    def __init__(self, text_width: int = 192, dim: int = 128) -> None:
        super().__init__()
        self.eye = nn.Sequential(
            nn.Conv2d(3, 32, 4, 4),
            nn.SiLU(),
            nn.Conv2d(32, 96, 3, 2, 1),
            nn.SiLU(),
            nn.GroupNorm(8, 96),
            nn.Conv2d(96, 192, 3, 2, 1),
            nn.SiLU(),
            nn.GroupNorm(8, 192),
            nn.Conv2d(192, 192, 3, 1, 1),
            nn.SiLU(),
        )
        # what it is made of, and the boldest thing about it
        self.to_picture = nn.Linear(2 * 192, dim)
        self.to_words = nn.Linear(text_width, dim)
        self.scale = nn.Parameter(torch.tensor(2.3))

    def pictures(self, crops: Tensor) -> Tensor:
        """Crops ``(B, 3, 96, 64)`` in -1…1 → unit vectors ``(B, dim)``."""
        seen = self.eye(crops)
        return F.normalize(
            self.to_picture(torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1)), dim=1
        )

    def words(self, pooled: Tensor) -> Tensor:
        """The text encoder's ``pooler_output`` ``(B, width)`` → unit vectors ``(B, dim)``."""
        return F.normalize(self.to_words(pooled), dim=1)


def garment_crop(picture: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """The garment under ``mask`` alone on grey, fitted into uint8 ``(3, 96, 64)``.

    Args:
        picture: uint8 ``(H, W, 3)``.
        mask: bool ``(H, W)``.

    Returns:
        None when hardly anything of it can be seen.
    """
    if mask.sum() < LEAST:
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    box = np.where(mask[part][..., None], picture[part].astype(np.float32), GROUND)
    height, width = box.shape[:2]
    side = max(height / CROP[0], width / CROP[1])
    size = max(1, round(height / side)), max(1, round(width / side))
    small = F.interpolate(torch.from_numpy(box).permute(2, 0, 1)[None], size, mode="area")
    canvas = torch.full((3, *CROP), GROUND)
    top, left = (CROP[0] - size[0]) // 2, (CROP[1] - size[1]) // 2
    canvas[:, top : top + size[0], left : left + size[1]] = small[0]
    return canvas.round().to(torch.uint8).numpy()
