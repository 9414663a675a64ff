"""A SAM of the croquis world's size: segment-anything's own classes, small; saved and loaded.

Its picture encoder is built of convolutions, as MobileSAM's is small: they learn from far fewer
pictures than a transformer does. Pictures are read at 384 pixels along their longer side. The
embedding has a cell for each 8 x 8 pixels of that, a mask four times as many a side, so a croquis
render (512 x 768) is cut in steps of four of its pixels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.croquis.keypoints import Block
from catalog.croquis.parts import PartsNet

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

SIZE: dict[str, Any] = {"image": 384, "inner": 128, "prompt_width": 64}
"""How large it is: the picture's longer side, the width the embedding is mixed in, and its own."""
CELL = 8
"""Pixels a side of one cell of the embedding."""
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""By which SAM normalises pictures before they are encoded."""


class PictureEncoder(nn.Module):
    """Pictures as SAM normalises them ``(B, 3, S, S)`` → embeddings ``(B, C, S/8, S/8)``.

    What tells the parts of a figure apart tells its garments' masks too, so the encoder is the net
    that reads parts, whose fine features are folded into the cells and mixed.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: dict[str, Any]) -> None:
        super().__init__()
        self.img_size = size["image"]
        inner = size["inner"]
        self.parts = PartsNet()
        del self.parts.head  # parts are not named here
        self.mix = nn.Sequential(
            nn.Conv2d(16 * 16 + 48 * 4 + 80, inner, 1), Block(inner), Block(inner),
            nn.GroupNorm(1, inner), nn.SiLU(), nn.Conv2d(inner, size["prompt_width"], 1),
        )  # fmt: skip
        self.register_buffer("mean", torch.tensor(MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(-1, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        x = (pictures * self.deviation + self.mean) / 127.5 - 1
        fine, middle, coarse = self.parts.features(x)
        folded = [F.pixel_unshuffle(fine, 4), F.pixel_unshuffle(middle, 2), coarse]
        return self.mix(torch.cat(folded, 1))


def new_sam(size: dict[str, Any] = SIZE) -> Sam:
    """An untrained SAM, three candidate masks for each prompt."""
    from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    cells, width = size["image"] // CELL, size["prompt_width"]
    return Sam(
        image_encoder=PictureEncoder(size),
        prompt_encoder=PromptEncoder(
            embed_dim=width,
            image_embedding_size=(cells, cells),
            input_image_size=(size["image"], size["image"]),
            mask_in_chans=16,
        ),
        mask_decoder=MaskDecoder(
            transformer_dim=width,
            transformer=TwoWayTransformer(
                depth=2, embedding_dim=width, num_heads=4, mlp_dim=4 * width
            ),
            iou_head_hidden_dim=width,
        ),
        pixel_mean=list(MEAN),
        pixel_std=list(DEVIATION),
    )


def save_sam(sam: Sam, folder: Path, size: dict[str, Any] = SIZE) -> None:
    """Half-precision weights and their config into ``folder``."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().cpu().half().contiguous() for k, v in sam.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(size, indent=2) + "\n")


def load_sam(folder: Path) -> Sam:
    """A saved SAM, frozen, float32."""
    from safetensors.torch import load_file

    sam = new_sam(json.loads((folder / "config.json").read_text()))
    sam.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    return sam.eval().requires_grad_(False)
