"""Regions: each garment's words and each garment's LoRA work only where that garment is.

A prompt is a row of phrases (scene, person, one per garment), each encoded alone. The logits of
cross-attention get ``log(share of the cell that the phrase covers)``, and the low-rank update of a
garment's LoRA is multiplied by that share. Both read the same shares, set once per call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TOKENS = 16
"""Tokens per phrase, begin and end included."""
LEVELS = (1, 2, 4, 8)
"""How much coarser than the latents the levels of a UNet are."""
_LONG = 1 << 18
"""Cells times tokens above which attention never holds the whole table of weights."""
_FLOOR = 1e-4
"""Smallest share: the log of it keeps a phrase out of a cell without making infinities."""


_Of = tuple[int, ...]
"""What a mask is of: a picture ``(h, w)``, its cells in a row ``(h * w,)``, or the words ``()``."""
_WORDS: _Of = ()


class RegionAttention:
    """Attention processor: stock attention, plus the region bias on cross-attention.

    ``regions`` maps the number of cells of a level to a bias ``(B or 1, cells, tokens)``.
    Short rows are written with plain matrix products: they train several times faster on a CPU
    than the fused kernel, whose backward pass is slow there. Long ones would not fit in memory.
    """

    def __call__(
        self,
        attn,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        regions: dict[int, Tensor] | None = None,
    ) -> Tensor:
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        batch, cells, _ = hidden_states.shape
        tokens, heads = source.shape[1], attn.heads

        def split(x: Tensor, length: int) -> Tensor:
            return x.view(batch, length, heads, -1).transpose(1, 2)

        q = split(attn.to_q(hidden_states), cells) * attn.scale
        k, v = split(attn.to_k(source), tokens), split(attn.to_v(source), tokens)
        bias = None
        if regions is not None and encoder_hidden_states is not None:
            bias = regions[cells][:, None].to(q.dtype)
        if cells * tokens > _LONG:
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
        else:
            logits = q @ k.transpose(-1, -2)
            out = (logits if bias is None else logits + bias).softmax(-1) @ v
        out = out.transpose(1, 2).reshape(batch, cells, -1)
        return attn.to_out[1](attn.to_out[0](out))


def attention_bias(shares: Tensor) -> dict[int, Tensor]:
    """Shares ``(B, phrases, h, w)`` → bias ``(B, cells, phrases * TOKENS)`` for each level."""
    bias = {}
    for factor in LEVELS:
        level = F.avg_pool2d(shares, factor) if factor > 1 else shares
        logs = torch.log(level.clamp_min(_FLOOR)).flatten(2).transpose(1, 2)
        bias[logs.shape[1]] = logs.repeat_interleave(TOKENS, 2)
    return bias


def means(values: Tensor, shares: Tensor) -> Tensor:
    """Mean of ``values (B, C, h, w)`` over each region of ``shares (B, R, h, w)`` → ``(B, R, C)``.

    A region of less than a cell counts as one cell.
    """
    inside = shares.flatten(2)
    total = inside.sum(2, keepdim=True).clamp_min(1)
    return inside @ values.flatten(2).transpose(1, 2) / total


class LoraMasks:
    """Where each rank of the LoRA layers of one model works.

    ``hook(model)`` once; inside ``with masks.at(weights):`` the output of every ``lora_A`` is
    multiplied by the share of the cell that its garment covers. Rank ``r`` belongs to region
    ``owner[r]``; an owner of -1 works everywhere.
    """

    def __init__(self) -> None:
        self._masks: dict[_Of, Tensor] = {}
        self._as_needed: dict[tuple[_Of, torch.dtype], Tensor] = {}
        """The same in the precisions that layers asked for."""

    def hook(self, model: nn.Module, under: str = "") -> list[torch.utils.hooks.RemovableHandle]:
        """Attach to every peft LoRA layer of ``model``, or of its module ``under``."""
        handles = []
        for name, module in model.named_modules():
            if under and not name.startswith(f"{under}."):
                continue
            if ".lora_A." in name and not list(module.children()):
                handles.append(module.register_forward_hook(self._mask(model, name)))
        return handles

    def _mask(self, model: nn.Module, name: str):
        attention = re.split(r"\.to_[kv]\.", name)[0]
        reads_words = attention != name and model.get_submodule(attention).is_cross_attention
        reads_time = "time_emb" in name

        def apply(module: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:
            if not self._masks or reads_time:
                return out
            size = out.shape[2:] if out.ndim == 4 else out.shape[1:2]
            of = _WORDS if reads_words else tuple(size)
            mask = self._as_needed.get((of, out.dtype))
            if mask is None:
                mask = self._as_needed[(of, out.dtype)] = self._masks[of].to(out.dtype)
            # in place: of a product with one channel torch forgets that the channel lies
            # innermost, and the layers after it become slow
            return out.mul_(mask)

        return apply

    @contextmanager
    def at(self, shares: Tensor, owner: Sequence[int]):
        """Set the masks for the calls inside.

        Args:
            shares: ``(B or 1, phrases, h, w)``, h and w those of the latents.
            owner: for each rank, the phrase whose region it works in, or -1 for everywhere.
        """
        _, phrases, rows, columns = shares.shape
        index = torch.tensor([max(o, 0) for o in owner])
        everywhere = torch.tensor([o < 0 for o in owner])
        for factor in LEVELS:
            level = F.avg_pool2d(shares, factor) if factor > 1 else shares
            mask = level[:, index]
            mask[:, everywhere] = 1.0
            self._masks[tuple(mask.shape[2:])] = mask
            self._masks[(mask[0, 0].numel(),)] = mask.flatten(2).transpose(1, 2)
        tokens = torch.zeros(1, phrases * TOKENS, len(owner), device=shares.device)
        for rank, phrase in enumerate(owner):
            if phrase < 0:
                tokens[0, :, rank] = 1.0
            else:
                tokens[0, phrase * TOKENS : (phrase + 1) * TOKENS, rank] = 1.0
        self._masks[_WORDS] = tokens
        try:
            yield
        finally:
            self._masks.clear()
            self._as_needed.clear()


def encode_phrases(tokenizer, text_encoder, phrases: Sequence[str]) -> Tensor:
    """Phrases encoded one by one, side by side: ``(1, len(phrases) * TOKENS, width)``."""
    with torch.no_grad():
        states = phrase_states(tokenizer, text_encoder, phrases)
    return states.reshape(1, len(phrases) * TOKENS, -1)


def phrase_states(tokenizer, text_encoder, phrases: Sequence[str]) -> Tensor:
    """What the encoder makes of each phrase, ``(len(phrases), TOKENS, width)``, with gradients."""
    ids = tokenizer(
        list(phrases),
        padding="max_length",
        truncation=True,
        max_length=TOKENS,
        return_tensors="pt",
    ).input_ids
    device = next(text_encoder.parameters()).device
    states: Tensor = text_encoder(ids.to(device)).last_hidden_state
    return states
