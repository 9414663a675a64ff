"""A SAM of the croquis world's size: segment-anything's own classes, small; saved and loaded.

Pictures are read at 384 pixels along their longer side. The embedding has a cell for each 8 x 8
pixels of that, a mask four times as many a side, so a croquis render (512 x 768) is cut in steps
of four of its pixels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

SIZE: dict[str, Any] = {
    "image": 384,
    "patch": 8,
    "width": 96,
    "depth": 4,
    "heads": 3,
    "window": 8,
    "looks_everywhere": [1, 3],
    "prompt_width": 64,
}
"""How large it is. Layers not in ``looks_everywhere`` look around in windows of 8 x 8 cells."""


def new_sam(size: dict[str, Any] = SIZE) -> Sam:
    """An untrained SAM, three candidate masks for each prompt."""
    from segment_anything.modeling import (
        ImageEncoderViT,
        MaskDecoder,
        PromptEncoder,
        Sam,
        TwoWayTransformer,
    )

    cells, width = size["image"] // size["patch"], size["prompt_width"]
    return Sam(
        image_encoder=ImageEncoderViT(
            img_size=size["image"],
            patch_size=size["patch"],
            embed_dim=size["width"],
            depth=size["depth"],
            num_heads=size["heads"],
            out_chans=width,
            use_rel_pos=True,
            window_size=size["window"],
            global_attn_indexes=tuple(size["looks_everywhere"]),
        ),
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
