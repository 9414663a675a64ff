"""Keypoints of drawn figures: a small network that says where the 18 joints of a picture are.

A photo pose model sees drawn people but misplaces their hips and feet, so drawings and renders
have a detector of their own. It reads pixels only: nothing of a render's pose or layout.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from catalog.croquis.figure import KEYPOINTS
from catalog.croquis.posture import Keypoints
from catalog.croquis.sheet import HEIGHT, WIDTH

CELL = 4
"""Pixels a side, of 256 x 384, of one cell of a heat map."""
REACH = 2
"""Cells around the warmest one that a joint's place and confidence are taken from."""


class Block(nn.Module):
    """Convolution with a shortcut."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(width // 16, width)
        self.conv = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(F.silu(self.norm(x)))


class KeypointNet(ModelMixin, ConfigMixin):
    """Pictures ``(B, 3, 384, 256)`` in -1…1 → heat maps' logits ``(B, 18, 96, 64)``."""

    @register_to_config
    def __init__(self, widths: tuple[int, int, int] = (48, 80, 128)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(CELL), nn.Conv2d(3 * CELL**2, fine, 3, padding=1), Block(fine)
        )
        self.down1 = nn.Sequential(nn.Conv2d(fine, middle, 3, 2, 1), Block(middle))
        # left from right, knee from elbow: told from the whole figure, so most layers are here
        self.down2 = nn.Sequential(
            nn.Conv2d(middle, coarse, 3, 2, 1), Block(coarse), Block(coarse, 2),
            Block(coarse, 4), Block(coarse),
        )  # fmt: skip
        self.narrow1, self.up1 = nn.Conv2d(coarse, middle, 1), Block(middle)
        self.narrow0, self.up0 = nn.Conv2d(middle, fine, 1), Block(fine)
        self.head = nn.Sequential(
            nn.GroupNorm(1, fine), nn.SiLU(), nn.Conv2d(fine, len(KEYPOINTS), 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        a = self.stem(x)
        b = self.down1(a)
        b = self.up1(b + double(self.narrow1(self.down2(b))))
        return self.head(self.up0(a + double(self.narrow0(b))))


def double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


@torch.no_grad()
def read_keypoints(network: KeypointNet, picture: np.ndarray) -> Keypoints:
    """Where the joints of the figure in a picture are.

    Args:
        picture: uint8 ``(H, W, 3)``, RGB, of any size: it is fitted into 256 x 384.
    """
    small, scale, place = _fitted(picture)
    x = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 127.5 - 1
    points, confidence = places(network(x))
    return Keypoints((points[0].numpy() - place) / scale, confidence[0].numpy())


def places(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Heat maps' logits ``(B, 18, 96, 64)`` → points ``(B, 18, 2)`` in pixels of 256 x 384, and
    confidences ``(B, 18)``: the share of each map's heat that lies around its warmest cell."""
    count, joints, rows, columns = logits.shape
    heat = logits.double().flatten(2).softmax(2).view(count, joints, rows, columns)
    side = 2 * REACH + 1
    around = F.avg_pool2d(heat, side, 1, REACH) * side**2
    best = around.flatten(2).argmax(2)
    y = torch.arange(rows).view(1, 1, -1, 1)
    x = torch.arange(columns).view(1, 1, 1, -1)
    row, column = (best // columns)[..., None, None], (best % columns)[..., None, None]
    near = heat * ((y - row).abs() <= REACH) * ((x - column).abs() <= REACH)
    total = near.sum((2, 3))
    found = torch.stack([(near * x).sum((2, 3)), (near * y).sum((2, 3))], 2)
    # places are pixel edges, as keypoints are: the middle of cell 0 is half a cell in
    return (found / total.clamp_min(1e-12)[..., None] + 0.5) * CELL, total.clamp(0, 1)


def _fitted(picture: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """The picture in the middle of 384 rows by 256 columns, its scale and its corner there."""
    height, width = picture.shape[:2]
    scale = min(HEIGHT / height, WIDTH / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    small = cv2.copyMakeBorder(
        cv2.resize(picture, size, interpolation=how),
        top, HEIGHT - size[1] - top, left, WIDTH - size[0] - left, cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return small, scale, np.array([left, top])
