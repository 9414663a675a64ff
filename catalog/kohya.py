"""LoRA files of other tools: kohya, diffusers and peft formats in, kohya and diffusers out.

Kohya's names (A1111, ComfyUI, Civitai) are module paths with underscores, so they can only be read
beside the modules of the base. Every key is accounted for: one that is unknown, missing or of
another base's shape is listed in the error, never skipped. Tensors keep their bits and their type.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from catalog.errors import BadValue, clip
from catalog.lora_file import check_lora_file

if TYPE_CHECKING:
    from torch import Tensor, nn

PARTS = ("unet", "text_encoder")
ADAPTER_METADATA = "lora_adapter_metadata"
"""Where diffusers keeps rank and alpha."""
_ALPHA_KIND = "kohya_alpha_kind"
"""Where a diffusers file of ours remembers how kohya's file stored its alphas."""
_KOHYA = re.compile(
    r"(lora_unet|lora_te1?)_([A-Za-z0-9_]+)\.(lora_down\.weight|lora_up\.weight|alpha)"
)
_DOTTED = re.compile(
    r"(?:base_model\.model\.)?(?:(unet|text_encoder)\.)?(.+?)\."
    r"(?:(lora_A(?:\.[A-Za-z0-9_-]+)?|lora_down|lora\.down)\.weight"
    r"|(lora_B(?:\.[A-Za-z0-9_-]+)?|lora_up|lora\.up)\.weight|(alpha))"
)


@dataclass(frozen=True)
class Pair:
    """One module's update: ``alpha / rank * up @ down``."""

    down: Tensor
    """``(rank, in …)``"""
    up: Tensor
    """``(out, rank, …)``"""
    alpha: Tensor | None
    """One number; None means the rank."""

    @property
    def rank(self) -> int:
        return int(self.down.shape[0])

    @property
    def strength(self) -> float:
        """Alpha as a number, exactly."""
        return float(self.rank if self.alpha is None else self.alpha)


@dataclass(frozen=True)
class Lora:
    """A LoRA, whatever file it came from. Modules by their path: ``unet.…``, ``text_encoder.…``."""

    pairs: dict[str, Pair]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """The largest."""
        return max(p.rank for p in self.pairs.values())

    def without_text(self) -> Lora:
        """Only what works on the UNet."""
        return replace(self, pairs={n: p for n, p in self.pairs.items() if n.startswith("unet.")})


@dataclass(frozen=True)
class About:
    """What a file says of itself to other tools."""

    title: str
    trigger: str
    base: str
    resolution: tuple[int, int]
    """Rows and columns of the training pictures."""
    tags: Mapping[str, int] = field(default_factory=dict)
    """Tag → on how many training pictures."""
    pictures: int = 0


def layers_of(unet: nn.Module, text_encoder: nn.Module | None = None) -> dict[str, tuple[int, ...]]:
    """Every module of a base that a LoRA may change → shape of its weight."""
    from torch import nn

    found: dict[str, tuple[int, ...]] = {}
    for part, model in zip(PARTS, (unet, text_encoder), strict=True):
        for name, module in model.named_modules() if model is not None else ():
            name = name.removesuffix(".base_layer")
            if isinstance(module, nn.Linear | nn.Conv2d) and ".lora_" not in name:
                if part == "text_encoder" and not name.startswith("text_model."):
                    name = f"text_model.{name}"  # newer transformers leave it out, files do not
                found[f"{part}.{name}"] = tuple(module.weight.shape)
    return found


# --- in --------------------------------------------------------------------------------------


def read(
    data: bytes,
    layers: Mapping[str, tuple[int, ...]],
    *,
    base: str | None = None,
    base_sha256: str | None = None,
    peft_config: Mapping[str, Any] | None = None,
) -> Lora:
    """A LoRA file of any of the three formats, checked against the modules of its base.

    Args:
        data: the file's bytes; anything but sound safetensors is refused (a pickle is not opened).
        layers: as ``layers_of`` gives them.
        base, base_sha256: what its metadata must not contradict.
        peft_config: the ``adapter_config.json`` that lies beside a peft file.

    Raises ``BadValue`` listing every key that is unknown, missing or does not fit.
    """
    from safetensors.torch import load

    about = check_lora_file(data, base=base)
    made_for = about.metadata.get("base_sha256", "")
    if base_sha256 and made_for and made_for != base_sha256:
        raise BadValue(
            "The LoRA was trained on other weights of this base.", "Train it again on these."
        )
    tensors = load(data)
    # 1. which format: kohya names every key alike
    kohya = [key.startswith(("lora_unet_", "lora_te_", "lora_te1_")) for key in tensors]
    sort = _sort_kohya if any(kohya) else _sort_dotted
    halves, unknown = sort(tensors, layers)
    if unknown:
        raise _listing("parts this base does not have", unknown)
    # 2. whole pairs, of this base's shapes
    alphas = {m: h["alpha"] for m, h in halves.items() if "alpha" in h}
    missing = [f"{m}: {k}" for m, h in halves.items() for k in ("down", "up") if k not in h]
    if alphas:
        missing += [f"{m}: alpha" for m in halves if m not in alphas]
    if missing:
        raise _listing("incomplete parts", missing)
    misfits = [
        f"{m} {tuple(h['down'].shape)}, {tuple(h['up'].shape)} on {layers[m]}"
        for m, h in halves.items()
        if not _fits(h["down"].shape, h["up"].shape, layers[m])
        or ("alpha" in h and h["alpha"].numel() != 1)
    ]
    if misfits:
        raise _listing("parts that do not fit this base", misfits)
    # 3. alpha, where another place says it
    if not alphas and not any(kohya):
        alphas = _alphas_beside(halves, about.metadata, peft_config, tensors)
    pairs = {m: Pair(h["down"], h["up"], alphas.get(m)) for m, h in sorted(halves.items())}
    own = (ADAPTER_METADATA, _ALPHA_KIND)
    return Lora(pairs, {k: v for k, v in about.metadata.items() if k not in own})


_Halves = dict[str, dict[str, Any]]


def _sort_kohya(
    tensors: Mapping[str, Tensor], layers: Mapping[str, tuple[int, ...]]
) -> tuple[_Halves, list[str]]:
    path = {_kohya_name(m): m for m in layers}
    halves: _Halves = {}
    unknown = []
    for key, value in tensors.items():
        match = _KOHYA.fullmatch(key)
        prefix = match[1].replace("te1", "te") if match else ""
        module = path.get(f"{prefix}_{match[2]}") if match else None
        if match is None or module is None:
            unknown.append(key)
            continue
        kind = {"lora_down.weight": "down", "lora_up.weight": "up", "alpha": "alpha"}[match[3]]
        if kind in halves.setdefault(module, {}):
            unknown.append(key)  # the same module under lora_te and lora_te1
        halves[module][kind] = value
    return halves, unknown


def _sort_dotted(
    tensors: Mapping[str, Tensor], layers: Mapping[str, tuple[int, ...]]
) -> tuple[_Halves, list[str]]:
    halves: _Halves = {}
    unknown = []
    for key, value in tensors.items():
        match = _DOTTED.fullmatch(key)
        module = _dotted_module(match[1], match[2], layers) if match else None
        if match is None or module is None:
            unknown.append(key)
            continue
        kind = "down" if match[3] else "up" if match[4] else "alpha"
        if kind in halves.setdefault(module, {}):
            unknown.append(key)
        halves[module][kind] = value
    return halves, unknown


def _dotted_module(part: str | None, path: str, layers: Mapping[str, Any]) -> str | None:
    """The module a dotted path means; peft files name no part, newer ones no ``text_model``."""
    for name in (part,) if part else PARTS:
        for middle in ("", "text_model."):
            if f"{name}.{middle}{path}" in layers:
                return f"{name}.{middle}{path}"
    return None


def _fits(down: Iterable[int], up: Iterable[int], weight: tuple[int, ...]) -> bool:
    (rank, *before), (out, inner, *tail) = down, up
    return (out, *before) == weight and inner == rank and all(n == 1 for n in tail)


def _alphas_beside(
    halves: _Halves,
    metadata: Mapping[str, str],
    config: Mapping[str, Any] | None,
    tensors: Mapping[str, Tensor],
) -> dict[str, Any]:
    """Alphas that a diffusers file's metadata or a peft file's ``adapter_config.json`` gives."""
    if ADAPTER_METADATA in metadata:
        try:
            said = json.loads(metadata[ADAPTER_METADATA])
            kinds = json.loads(metadata.get(_ALPHA_KIND, "{}"))
        except (ValueError, RecursionError) as error:
            raise BadValue("The LoRA's metadata cannot be read.", "Save it again.") from error
        if not isinstance(said, dict) or not isinstance(kinds, dict):
            raise BadValue("The LoRA's metadata cannot be read.", "Save it again.")
        parts = {
            part: {k.removeprefix(f"{part}."): v for k, v in said.items() if k.startswith(part)}
            for part in PARTS
        }
    elif config is not None:
        parts, kinds = {part: dict(config) for part in PARTS}, {}
    elif any(key.startswith("base_model.model.") for key in tensors):
        raise BadValue(
            "A peft file does not say how strong it is.",
            "Give the folder with its adapter_config.json, or save it in diffusers format.",
        )
    else:
        return {}
    return {
        module: alpha
        for module, pair in halves.items()
        if (alpha := _alpha_of(module, pair, parts, kinds)) is not None
    }


def _alpha_of(
    module: str, pair: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], kinds: Any
) -> Any:
    import torch

    part, path = module.split(".", 1)
    said = parts[part]
    if said.get("use_rslora") or said.get("use_dora"):
        raise BadValue("rsLoRA and DoRA files are not read.", "Save it as a plain LoRA.")
    patterns = said.get("alpha_pattern") or {}
    if not isinstance(patterns, dict) or not all(map(_PATH.fullmatch, patterns)):
        # peft would take them for regular expressions, and run whatever a file says
        raise BadValue("The LoRA names its alphas by patterns.", "Save it with plain names.")
    ends = [path, *(path[i + 1 :] for i, c in enumerate(path) if c == ".")]
    value = next((patterns[end] for end in ends if end in patterns), said.get("lora_alpha"))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue("The LoRA's alpha is no number.", "Save it again.")
    kind = kinds.get(module)
    if kind == "none":
        return None
    dtype, shape = pair["down"].dtype, []
    if isinstance(kind, list) and len(kind) == 2 and kind[0] in _DTYPES:
        if not isinstance(kind[1], list) or len(kind[1]) > 4:
            raise BadValue("The LoRA's alpha has an impossible shape.", "Save it again.")
        dtype, shape = getattr(torch, kind[0]), [1] * len(kind[1])
    try:
        return torch.tensor(float(value), dtype=dtype).reshape(shape)
    except OverflowError:
        raise BadValue("The LoRA's alpha is beyond all numbers.", "Save it again.") from None


_PATH = re.compile(r"[A-Za-z0-9_.]+")
_DTYPES = ("float16", "bfloat16", "float32", "float64")


def _listing(what: str, names: list[str]) -> BadValue:
    shown = "; ".join(clip(n, 160) for n in names[:20])
    more = f"; and {len(names) - 20} more" if len(names) > 20 else ""
    return BadValue(
        f"The LoRA file has {what}: {shown}{more}.",
        "It was made for another base or by another method (LoHa, DoRA …). Nothing was taken.",
    )


# --- out -------------------------------------------------------------------------------------


def kohya_file(lora: Lora, about: About | None = None) -> bytes:
    """The LoRA as kohya's scripts save it, with ``ss_*`` and ``modelspec`` metadata.

    Without ``about`` the metadata stay as they were.
    """
    import torch
    from safetensors.torch import save

    tensors = {}
    for module, pair in lora.pairs.items():
        name = _kohya_name(module)
        tensors[f"{name}.lora_down.weight"] = pair.down.contiguous()
        tensors[f"{name}.lora_up.weight"] = pair.up.contiguous()
        if pair.alpha is not None:
            tensors[f"{name}.alpha"] = pair.alpha
        elif about is not None:  # a file for others says it rather than leaving it open
            tensors[f"{name}.alpha"] = torch.tensor(float(pair.rank), dtype=pair.down.dtype)
    metadata = dict(lora.metadata)
    if about is not None:
        metadata |= _metadata(lora, about)
        metadata["sshs_model_hash"] = _content_sha256(save(tensors))
    return save(tensors, metadata or None)


def diffusers_file(lora: Lora) -> bytes:
    """The LoRA as diffusers saves it: rank and alpha in its metadata, loadable by a pipeline."""
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    said: dict[str, Any] = {}
    kinds: dict[str, Any] = {}
    for part in PARTS:
        own = {m: p for m, p in lora.pairs.items() if m.startswith(f"{part}.")}
        if not own:
            continue
        ranks = {m.split(".", 1)[1]: p.rank for m, p in own.items()}
        strengths = {m.split(".", 1)[1]: p.strength for m, p in own.items()}
        rank, alpha = _commonest(ranks.values()), _commonest(strengths.values())
        said |= {
            f"{part}.r": rank,
            f"{part}.lora_alpha": alpha,
            f"{part}.rank_pattern": {m: r for m, r in ranks.items() if r != rank},
            f"{part}.alpha_pattern": {m: a for m, a in strengths.items() if a != alpha},
            f"{part}.target_modules": sorted(ranks),
            f"{part}.peft_type": "LORA",
        }
        for module, pair in own.items():
            tensors[f"{module}.lora_A.weight"] = pair.down.contiguous()
            tensors[f"{module}.lora_B.weight"] = pair.up.contiguous()
            if pair.alpha is None:
                kinds[module] = "none"
            elif pair.alpha.dtype != pair.down.dtype or pair.alpha.shape:
                dtype = str(pair.alpha.dtype).removeprefix("torch.")
                kinds[module] = [dtype, list(pair.alpha.shape)]
    metadata = {**lora.metadata, ADAPTER_METADATA: json.dumps(said, sort_keys=True)}
    if kinds:
        metadata[_ALPHA_KIND] = json.dumps(kinds, sort_keys=True)
    return save(tensors, {"format": "pt", **metadata})


def catalog_file(lora: Lora, base: str, name: str) -> bytes:
    """The LoRA as the catalog keeps it: diffusers' names, alpha beside each pair."""
    from safetensors.torch import save

    tensors = {}
    for module, pair in lora.pairs.items():
        tensors[f"{module}.lora_A.weight"] = pair.down.contiguous()
        tensors[f"{module}.lora_B.weight"] = pair.up.contiguous()
        if pair.alpha is not None:
            tensors[f"{module}.alpha"] = pair.alpha.reshape(())
    return save(tensors, {**lora.metadata, "base": base, "name": name})


def _kohya_name(module: str) -> str:
    part, path = module.split(".", 1)
    return f"{'lora_unet' if part == 'unet' else 'lora_te'}_{path.replace('.', '_')}"


def _commonest(values: Iterable[Any]) -> Any:
    listed = list(values)
    return max(sorted(set(listed)), key=listed.count)


def _metadata(lora: Lora, about: About) -> dict[str, str]:
    """``ss_*`` as kohya's scripts write them, and the ModelSpec 1.0.1 of Stability AI."""
    ranks = [p.rank for p in lora.pairs.values()]
    rows, columns = about.resolution
    scale = {round(p.strength / p.rank, 6) for p in lora.pairs.values()}
    alpha = lora.rank * (scale.pop() if len(scale) == 1 else 1.0)
    kind = "stable-diffusion-v1" if about.base == "sd15" else f"stylist-{about.base}"
    return {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(_commonest(ranks)) if len(set(ranks)) == 1 else "Dynamic",
        "ss_network_alpha": f"{alpha:g}" if len(set(ranks)) == 1 else "Dynamic",
        "ss_base_model_version": "sd_v1" if about.base == "sd15" else about.base,
        "ss_output_name": about.title,
        "ss_num_train_images": str(about.pictures),
        "ss_resolution": f"({columns}, {rows})",
        "ss_tag_frequency": json.dumps({f"1_{about.trigger}": dict(about.tags)}),
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{kind}/lora",
        "modelspec.implementation": "diffusers",
        "modelspec.title": about.title,
        "modelspec.trigger_phrase": about.trigger,
        "modelspec.resolution": f"{columns}x{rows}",
        "modelspec.date": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }


def _content_sha256(data: bytes) -> str:
    """Hash of a file's tensors without its header, as kohya's scripts take it."""
    return hashlib.sha256(data[8 + int.from_bytes(data[:8], "little") :]).hexdigest()
