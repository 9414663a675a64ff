"""A network that says which part of the figure each pixel is: skin, hair, or a garment's slot."""

from __future__ import annotations

from torch import Tensor, nn

from catalog.croquis.keypoints import Block, double
from catalog.garment import SLOTS

PARTS = ("background", "skin", "hair", *SLOTS)


class PartsNet(nn.Module):
    """Pictures ``(B, 3, H, W)`` in -1…1 → logits of ``PARTS`` ``(B, 12, H, W)``; sides are
    multiples of 16.

    Inside it works on half the rows and columns; the head puts four answers into each pixel there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 16, 3, padding=1), Block(16))
        self.down1 = nn.Sequential(nn.Conv2d(16, 48, 3, 2, 1), Block(48))
        self.down2 = nn.Sequential(nn.Conv2d(48, 80, 3, 2, 1), Block(80))
        # a dress or a top and a skirt: told from the whole figure, so most layers are here
        self.down3 = nn.Sequential(
            nn.Conv2d(80, 144, 3, 2, 1), Block(144), Block(144, 2), Block(144, 4), Block(144)
        )
        self.whole = nn.Sequential(Whole(144), Block(144), Whole(144))
        self.narrow2, self.up2 = nn.Conv2d(144, 80, 1), Block(80)
        self.narrow1, self.up1 = nn.Conv2d(80, 48, 1), Block(48)
        self.narrow0, self.up0 = nn.Conv2d(48, 16, 1), Block(16)
        self.head = nn.Sequential(
            nn.GroupNorm(1, 16), nn.SiLU(), nn.Conv2d(16, 4 * len(PARTS), 1), nn.PixelShuffle(2)
        )

    def features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the parts are told from: ``(B, 16, H/2, W/2)``, ``(B, 48, H/4, W/4)`` and
        ``(B, 80, H/8, W/8)``."""
        a = self.stem(x)
        b = self.down1(a)
        c = self.down2(b)
        c = self.up2(c + double(self.narrow2(self.whole(self.down3(c)))))
        b = self.up1(b + double(self.narrow1(c)))
        return self.up0(a + double(self.narrow0(b))), b, c

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x)[0])


class Whole(nn.Module):
    """Every cell asks all others: what a coat leaves of a top is told by the rest of the figure."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(width // 16, width)
        self.read = nn.Conv2d(width, 3 * width, 1)
        self.write = nn.Conv2d(width, width, 1)
        self.heads = heads
        nn.init.zeros_(self.write.weight)

    def forward(self, x: Tensor) -> Tensor:
        batch, width, rows, columns = x.shape
        parts = self.read(self.norm(x)).reshape(batch, 3, self.heads, -1, rows * columns)
        q, k, v = parts.transpose(-1, -2).unbind(1)
        weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)
        out = (weights @ v).transpose(-1, -2).reshape(batch, width, rows, columns)
        return x + self.write(out)
