"""A SAM of the croquis world's size: segment-anything's own classes, small; saved and loaded.

Its picture encoder is built of convolutions, as MobileSAM's is small: they learn from far fewer
pictures than a transformer does. Pictures are read at 384 pixels along their longer side. The
embedding has a cell for each 8 x 8 pixels of that. A mask is as fine as the picture: beside the
cells the embedding carries what was seen at half the picture's size, folded into them, and the
decoder draws a mask's border by it, as HQ-SAM (arXiv 2306.01567) and SAM 2 (arXiv 2408.00714) do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from torch import Tensor, nn

from catalog.croquis.keypoints import Block
from catalog.croquis.parts import PartsNet

SIZE: dict[str, Any] = {"image": 384, "inner": 128, "prompt_width": 64}
"""How large it is: the picture's longer side, the width the embedding is mixed in, and its own."""
CELL = 8
"""Pixels a side of one cell of the embedding."""
DETAIL = 24
"""Channels of what is seen at half the picture's size."""
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""By which SAM normalises pictures before they are encoded."""


class PictureEncoder(nn.Module):
    """Pictures as SAM normalises them ``(B, 3, S, S)`` → embeddings ``(B, C + 16 D, S/8, S/8)``:
    what each cell is, then ``D`` channels of detail for each 2 x 2 pixels, folded into the cells.

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
        self.detail = nn.Conv2d(16 + 12, DETAIL, 3, padding=1)
        self.register_buffer("mean", torch.tensor(MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(-1, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        x = (pictures * self.deviation + self.mean) / 127.5 - 1
        fine, middle, coarse = self.parts.features(x)
        folded = [F.pixel_unshuffle(fine, 4), F.pixel_unshuffle(middle, 2), coarse]
        detail = self.detail(torch.cat([fine, F.pixel_unshuffle(x, 2)], 1))
        return torch.cat([self.mix(torch.cat(folded, 1)), F.pixel_unshuffle(detail, 4)], 1)


class FinePromptEncoder(PromptEncoder):
    """Takes a mask so far that is as fine as the picture."""

    def __init__(self, **size: Any) -> None:
        super().__init__(**size)
        rows, columns = size["image_embedding_size"]
        self.mask_input_size = CELL * rows, CELL * columns

    def _embed_masks(self, masks: Tensor) -> Tensor:
        return super()._embed_masks(F.avg_pool2d(masks, 2))


class FineMaskDecoder(MaskDecoder):
    """Draws masks as fine as the picture, of one picture or of a picture for each prompt."""

    def __init__(self, **size: Any) -> None:
        super().__init__(**size)
        width = self.transformer_dim // 8
        self.told_fine = nn.Conv2d(width, DETAIL, 3, padding=1)
        self.fine = nn.Conv2d(DETAIL, 4 * width, 3, padding=1)
        nn.init.zeros_(self.fine.weight)  # what is not yet learned leaves the coarse mask as it is
        nn.init.zeros_(self.fine.bias)

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
    ) -> tuple[Tensor, Tensor]:
        """Logits ``(N, candidates, S, S)`` and qualities ``(N, candidates)`` of embeddings
        ``(1 or N, …, S/8, S/8)`` for prompts ``(N, k, C)``; three candidates or the one answer."""
        # 1. one picture for each prompt
        prompts = sparse_prompt_embeddings
        pictures = image_embeddings.expand(len(prompts), -1, -1, -1)
        cells, folded = pictures[:, : self.transformer_dim], pictures[:, self.transformer_dim :]
        source = cells + dense_prompt_embeddings
        # 2. what is asked, told to the cells, and they to it
        asked = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([asked.expand(len(prompts), -1, -1), prompts], 1)
        told, known = self.transformer(source, image_pe.expand_as(source), tokens)
        # 3. cells to half the picture's size, where its detail draws the border
        half = self.output_upscaling(known.transpose(1, 2).reshape(source.shape))
        fine = self.fine(F.relu(self.told_fine(half) + F.pixel_shuffle(folded, 4)))
        # 4. each candidate's mask, four pixels from each place, and how good it is thought to be
        candidates = range(1, self.num_mask_tokens) if multimask_output else range(1)
        nets = self.output_hypernetworks_mlps
        weights = torch.stack([nets[i](told[:, 1 + i]) for i in candidates], 1)
        coarse = torch.einsum("nmc,nchw->nmhw", weights, half)
        four = torch.einsum("nmc,ncphw->nmphw", weights, fine.unflatten(1, (-1, 4)))
        masks = F.interpolate(coarse, scale_factor=2.0, mode="bilinear")
        masks = masks + F.pixel_shuffle(four.flatten(1, 2), 2)
        return masks, self.iou_prediction_head(told[:, 0])[:, candidates.start : candidates.stop]


def new_sam(size: dict[str, Any] = SIZE) -> Sam:
    """An untrained SAM, three candidate masks for each prompt."""
    cells, width = size["image"] // CELL, size["prompt_width"]
    return Sam(
        image_encoder=PictureEncoder(size),
        prompt_encoder=FinePromptEncoder(
            embed_dim=width,
            image_embedding_size=(cells, cells),
            input_image_size=(size["image"], size["image"]),
            mask_in_chans=16,
        ),
        mask_decoder=FineMaskDecoder(
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
