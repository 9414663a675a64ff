"""Models of real classes and file formats at toy size: an sd15 base and a WD14 tagger."""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from catalog import sd15
from catalog.croquis import tokens
from catalog.wd14 import MODEL, TAGS

WIDTHS = (8, 16, 16, 16)
BLOCKS = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)


def save_sd15(folder: Path) -> None:
    """The three models as folders, in the layout in which a hub serves them."""
    torch.manual_seed(0)
    base, pose, lines = (folder / name.rsplit("/", 1)[-1] for name in sd15.MODELS.values())
    shared = dict(layers_per_block=1, block_out_channels=WIDTHS, norm_num_groups=4)
    unet = dict(cross_attention_dim=32, attention_head_dim=2) | shared
    UNet2DConditionModel(
        down_block_types=BLOCKS,
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        **unet,
    ).save_pretrained(base / "unet")
    for place in (pose, lines):
        net = ControlNetModel(down_block_types=BLOCKS, **unet)
        for layer in (*net.controlnet_down_blocks, net.controlnet_cond_embedding.conv_out):
            torch.nn.init.normal_(layer.weight, std=0.1)
        net.save_pretrained(place)
    AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        **(shared | {"block_out_channels": (4, 4, 4, 4)}),
    ).save_pretrained(base / "vae")
    tokenizer = tokens.build_tokenizer(base / "tokenizer")
    tokenizer.save_pretrained(base / "tokenizer")
    count = len(tokenizer)
    CLIPTextModel(
        CLIPTextConfig(
            vocab_size=count, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
            num_attention_heads=2, bos_token_id=count - 2, eos_token_id=count - 1,
        )
    ).save_pretrained(base / "text_encoder")  # fmt: skip
    DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False
    ).save_pretrained(base / "scheduler")


# --- a tagger's ONNX file, byte by byte: sigmoid(mean over the picture @ weights + bias) ------

SIDE = 32


def varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(number(1, n) for n in values.shape)
    return dims + number(2, 1) + block(8, name) + block(9, values.astype("<f4").tobytes())


def value(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(block(1, number(1, n)) for n in shape)
    return block(1, name) + block(2, block(1, number(1, 1) + block(2, dims)))


def node(kind: str, inputs: list[str], output: str, attributes: bytes = b"") -> bytes:
    return b"".join(block(1, i) for i in inputs) + block(2, output) + block(4, kind) + attributes


def onnx_file(weights: np.ndarray, bias: np.ndarray) -> bytes:
    axes = block(1, "axes") + number(20, 7) + number(8, 1) + number(8, 2)
    keep = block(1, "keepdims") + number(20, 2) + number(3, 0)
    graph = (
        block(1, node("ReduceMean", ["x"], "mean", block(5, axes) + block(5, keep)))
        + block(1, node("MatMul", ["mean", "w"], "lin"))
        + block(1, node("Add", ["lin", "b"], "sum"))
        + block(1, node("Sigmoid", ["sum"], "y"))
        + block(2, "tagger")
        + block(5, tensor("w", weights))
        + block(5, tensor("b", bias))
        + block(11, value("x", (1, SIDE, SIDE, 3)))
        + block(12, value("y", (1, weights.shape[1])))
    )
    return number(1, 8) + block(8, block(1, "") + number(2, 13)) + block(7, graph)


def save_tagger(folder: Path) -> None:
    """Columns: a rating, blue clothes, red clothes, a face; rows: blue, green, red."""
    weights = np.array([[0, 0.1, -0.1, 0], [0, -0.1, -0.1, 0], [0, -0.1, 0.1, 0]])
    (folder / MODEL).write_bytes(onnx_file(weights, np.array([9.0, 0.0, 0.0, 3.0])))
    (folder / TAGS).write_text(
        "tag_id,name,category,count\n1,general,9,10\n2,blue_clothes_(knit),0,9\n"
        "3,red_clothes,0,8\n4,^_^,0,7\n"
    )
