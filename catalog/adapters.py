"""LoRAs on a UNet: which modules they may touch, and many of them side by side in one.

The low-rank pairs of all LoRAs of a render stand next to each other in one wide pair per module,
with the regions' masks in between (``regions.LoraMasks``): k garments cost one extra product, not
k, and none reaches outside its region.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from catalog.errors import BadValue
from catalog.regions import LoraMasks

TARGETS = re.compile(
    r".*attn2\.(to_q|to_k|to_v|to_out\.0)"
    r"|(down_blocks\.[01]|up_blocks\.[23])\..*"
    r"(attn1\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.(0\.proj|2)|resnets\.\d\.conv[12])"
)
"""Modules of the croquis UNet that our own LoRAs train."""
SD15_TARGETS = re.compile(
    r".*\.attentions\..*(to_q|to_k|to_v|to_out\.0|proj_in|proj_out|ff\.net\.(0\.proj|2))"
)
"""Modules that kohya's trainers train by default: all of the attention blocks."""
TEXT_TARGETS = re.compile(r".*layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])")
"""Modules of the text encoder that our own LoRAs train, where they train any."""
NAME = "wide"
_KEY = re.compile(r"(?P<part>unet|text_encoder)\.(?P<module>.+)\.(?P<what>lora_[AB]\.weight|alpha)")


def trained_modules(unet: nn.Module, base: str) -> list[str]:
    """Names of the modules of ``unet`` that our own LoRAs for ``base`` train."""
    targets = TARGETS if base == "croquis" else SD15_TARGETS
    return [name for name, _ in unet.named_modules() if targets.fullmatch(name)]


@dataclass(frozen=True)
class LowRank:
    """One LoRA, checked: module name → (A ``(r, in…)``, B ``(out, r, …)``), scaled by alpha/r."""

    pairs: dict[str, tuple[Tensor, Tensor]]
    rank: int
    """Of the pairs on the UNet."""
    text: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    """The same for the text encoder, whose modules are named without ``text_model``."""


def read_low_rank(tensors: dict[str, Tensor]) -> LowRank:
    """Tensors of a diffusers-format file (``unet.<module>.lora_A.weight`` …) → :class:`LowRank`.

    ``text_encoder.<module>…`` are the text encoder's.

    Raises:
        BadValue: a key is not understood, a pair is incomplete or ranks differ inside a pair.
    """
    pairs: dict[tuple[str, str], list[Tensor | None]] = {}
    alphas: dict[tuple[str, str], float] = {}
    for key, value in tensors.items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise BadValue(f"The LoRA has a part this program does not know: {key[:80]}.")
        module = match["part"], match["module"]
        if match["what"] == "alpha":
            alphas[module] = float(value)
        else:
            pairs.setdefault(module, [None, None])[match["what"] == "lora_B.weight"] = value.float()
    whole: dict[str, dict[str, tuple[Tensor, Tensor]]] = {"unet": {}, "text_encoder": {}}
    for (part, name), (a, b) in pairs.items():
        if a is None or b is None or min(a.ndim, b.ndim) < 2 or a.shape[0] != b.shape[1]:
            raise BadValue(f"The LoRA's pair for {name} is incomplete.")
        rank = a.shape[0]
        own = name.removeprefix("text_model.") if part == "text_encoder" else name
        whole[part][own] = (a, b * (alphas.get((part, name), rank) / rank))
    if not pairs:
        raise BadValue("The LoRA file holds no low-rank pairs.")
    rank = max((len(a) for a, _ in whole["unet"].values()), default=0)
    return LowRank(whole["unet"], rank, whole["text_encoder"])


@contextmanager
def reading(text_encoder: nn.Module, loras: Sequence[tuple[LowRank, float]]):
    """The text encoder as LoRAs of these weights change it, for the calls inside.

    A garment's phrase is encoded alone, so what its LoRA makes of words stays with the garment.
    Afterwards the encoder is what it was, bit for bit. Raises BadValue: a module it does not have.
    """
    kept: list[tuple[Any, nn.Parameter]] = []
    try:
        for lora, weight in loras:
            for name, (a, b) in lora.text.items():
                module = text_module(text_encoder, name)
                before = getattr(module, "weight", None)
                if before is None or before.shape != (b.shape[0], a.shape[1]):
                    raise BadValue(f"The LoRA was made for another text encoder (at {name}).")
                kept.append((module, before))
                change = weight * (b @ a).to(before.device, before.dtype)
                module.weight = nn.Parameter(before + change, requires_grad=False)
        yield
    finally:
        for module, before in reversed(kept):
            module.weight = before


def text_module(text_encoder: nn.Module, name: str) -> Any:
    """A text encoder's module by its name without ``text_model``; None where it has none such."""
    for middle in ("", "text_model."):
        try:
            return text_encoder.get_submodule(middle + name)
        except AttributeError:
            continue
    return None


def holds_region(module: str) -> bool:
    """Whether what a LoRA changes in this module has a place in the picture.

    What reads the time step alone acts on all of it.
    """
    return "time_emb" not in module


class WideAdapter:
    """Holds the one wide low-rank pair of every target module of a UNet."""

    def __init__(self, unet: nn.Module) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        names = [n for n, m in unet.named_modules() if TARGETS.fullmatch(n)]
        self.modules = names
        self._unet = unet
        config = LoraConfig(r=1, lora_alpha=1, target_modules=names, init_lora_weights=True)
        inject_adapter_in_model(config, unet, adapter_name=NAME)
        self._layers = {n: unet.get_submodule(n) for n in names}
        self.masks = LoraMasks()
        self.masks.hook(unet)
        self._set([], [])

    @contextmanager
    def worn(self, loras: Sequence[tuple[LowRank, float, int]], shares: Tensor):
        """Put ``(lora, weight, region)`` to work for the calls inside; region -1 is everywhere.

        Nothing is left behind, whatever happens inside.
        """
        owner = [region for lora, _, region in loras for _ in range(lora.rank)]
        try:
            self._set(loras, owner)
            if owner:
                with self.masks.at(shares, owner):
                    yield
            else:
                yield
        finally:
            self._set([], [])

    def _adopt(self, name: str) -> None:
        """Wrap a module that our own LoRAs leave alone, for one from elsewhere."""
        from peft import LoraConfig, inject_adapter_in_model

        parent, _, leaf = name.rpartition(".")
        try:
            module = self._unet.get_submodule(name)
        except AttributeError:
            module = None
        if not isinstance(module, nn.Linear | nn.Conv2d):
            raise BadValue(f"The LoRA works on {name}, which this base does not have.")
        if not holds_region(name):
            raise BadValue(
                f"The LoRA works on {name}, which cannot be kept to a garment's region.",
                "Give one without it.",
            )
        holder = nn.ModuleDict({leaf.replace(".", "_"): module})
        (key,) = holder
        config = LoraConfig(r=1, lora_alpha=1, target_modules=[key], init_lora_weights=True)
        inject_adapter_in_model(config, holder, adapter_name=NAME)
        setattr(self._unet.get_submodule(parent), leaf, holder[key])
        self.masks.hook(self._unet, under=name)
        self._layers[name] = holder[key]

    def _set(self, loras: Sequence[tuple[LowRank, float, int]], owner: Sequence[int]) -> None:
        used = {m for lora, _, _ in loras for m in lora.pairs}
        for module in sorted(used - self._layers.keys()):
            self._adopt(module)
        total = len(owner)
        for name, layer in self._layers.items():
            a_layer, b_layer = layer.lora_A[NAME], layer.lora_B[NAME]
            base = layer.base_layer.weight
            if name not in used:
                layer.enable_adapters(False)
                continue
            layer.enable_adapters(True)
            a = torch.zeros(total, *base.shape[1:], device=base.device, dtype=base.dtype)
            tail = (1,) * (base.ndim - 2)
            b = torch.zeros(base.shape[0], total, *tail, device=base.device, dtype=base.dtype)
            start = 0
            for lora, weight, _ in loras:
                if name in lora.pairs:
                    low, high = lora.pairs[name]
                    fits = low.shape[1:] == base.shape[1:]
                    if not fits or (high.shape[0], *high.shape[2:]) != (base.shape[0], *tail):
                        raise BadValue(f"The LoRA was made for another base (at {name}).")
                    a[start : start + len(low)] = low
                    b[:, start : start + high.shape[1]] = weight * high
                start += lora.rank
            a_layer.weight = nn.Parameter(a, requires_grad=False)
            b_layer.weight = nn.Parameter(b, requires_grad=False)
            layer.scaling[NAME] = 1.0
