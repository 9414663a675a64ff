"""One garment's (or season's) LoRA, from photos to file. Top to bottom.

    stylist catalog add FOLDER · catalog train ID · season train NAME FOLDER

A garment is learned from its product photos alone. The photo's cut-out is its layout: the region
in which the garment's words and its LoRA work, so neither background nor body is learned.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog import photos as photo_tools
from catalog.errors import BadValue, Cancelled, UnknownName
from catalog.garment import Garment, Season, Slot

if TYPE_CHECKING:
    from torch import Tensor

    from catalog.base import Base
    from catalog.checkpoint import Checkpoint
    from catalog.index import Catalog


@dataclass(frozen=True)
class Options:
    """Every dial of a LoRA training. Raises ``BadValue`` for one outside its range."""

    rank: int = 1
    alpha: float = 2.0
    rate: float = 5e-3
    """Highest learning rate: reached after 10 steps, nothing at the end."""
    steps: int = 80
    batch: int = 4
    seed: int = 0
    color: float = 5.0
    """Weight of the loss on the mean over the region: its colour, whatever the cloth does there."""
    background: float = 0.05
    """Weight of the loss outside the cut-out, 0–1: the masked loss."""
    epochs: int = 0
    """How often every photo is seen, in place of ``steps``; 0: as many as ``steps`` gives."""
    repeats: int = 1
    """How often a photo counts in an epoch, as a folder ``10_words`` of the kohya layout has it."""
    min_snr_gamma: float = 0.0
    """Hang and others, 2023: cap on the weight of little noise; 5 is usual, 0 switches it off."""
    noise_offset: float = 0.0
    """Noise that is the same all over the picture, 0–1; for very dark or bright cloth."""
    text: float = 0.0
    """Highest learning rate of pairs on the text encoder, which then reads this garment's words
    its own way; 0 leaves it alone, 1e-3 is usual here."""
    caption_dropout: float = 0.0
    """Share of the pictures seen without words, 0–1."""
    shuffle: bool = False
    """Tags come in another order each time,"""
    keep_tokens: int = 1
    """but for the first ones: the trigger word."""
    prior: float = 0.0
    """Weight of prior preservation (Ruiz and others, 2023): the loss on pictures of the garment's
    kind that the base itself drew, so that the kind stays what it was; 1 is usual."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadValue(
                    f"{name} lies between {low:g} and {high:g}, not at {value:g}.",
                    "Leave it out: the default is what the base trains well with.",
                )

    def settled(self, pictures: int) -> Options:
        """The same with ``steps`` counted from ``epochs`` and ``repeats``."""
        if not self.epochs:
            return self
        batch = min(self.batch, pictures)
        return replace(self, steps=math.ceil(pictures * self.repeats * self.epochs / batch))


_RANGES = {
    "rank": (1, 128), "alpha": (1e-3, 1024), "rate": (0, 1), "steps": (1, 100_000),
    "batch": (1, 64), "text": (0, 1), "seed": (0, 2**31 - 1),
    "background": (0, 1), "color": (0, 1000), "epochs": (0, 1000),
    "repeats": (1, 1000), "min_snr_gamma": (0, 100), "noise_offset": (0, 1),
    "caption_dropout": (0, 1), "keep_tokens": (0, 64), "prior": (0, 10),
}  # fmt: skip


def with_dials(options: Options, dials: Mapping[str, float]) -> Options:
    """``options`` with some dials set by name. Raises ``UnknownName``, ``BadValue``."""
    known: dict[str, Callable[[float], Any]] = {n: type(v) for n, v in asdict(Options()).items()}
    for name, value in dials.items():
        if name not in known:
            raise UnknownName.among("dial of the training", name, known)
        if not math.isfinite(value) or (known[name] is not float and value != int(value)):
            raise BadValue(f"{name} cannot be {value:g}.", "Give a plain number.")
    return replace(options, **{name: known[name](value) for name, value in dials.items()})


GARMENT = Options()
GARMENTS = {
    "croquis": GARMENT,
    "sd15": Options(
        rank=32, alpha=32.0, rate=1e-4, steps=1200, batch=2, color=0.0, min_snr_gamma=5.0,
        shuffle=True, text=5e-5,
    ),
}  # fmt: skip
"""What each base is trained with; those of sd15 are usual with kohya's trainers."""
SEASON = Options(rank=3, alpha=3.0, steps=60, batch=6, rate=3e-3, background=1.0, color=0.0)
Progress = Callable[[int, int, float], None]
"""Called with step, steps, loss."""
Example = tuple[Any, np.ndarray | None, np.ndarray]
"""A picture, its layout map if the base reads one, and the share of each cell per phrase."""
Sample = tuple[int, Callable[[int, bytes], None]]
"""How many steps apart, and what is called with the step and the LoRA so far, as a file."""


def train_garment(
    catalog: Catalog,
    garment_id: str,
    *,
    base: Base,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Garment:
    """Train the LoRA of ``garment_id`` on its photos and put it into the catalog.

    Raises:
        UnknownName: no such garment.
        BadValue: too few usable photos, or a garment of another base.
        Cancelled: ``cancel`` was set; the catalog is as it was.
    """
    from PIL import Image

    garment = catalog.get(garment_id)
    if garment.base != base.name:
        raise BadValue(
            f"{garment.name} is a garment of the base {garment.base}, not of {base.name}.",
            f"Set STYLIST_BASE={garment.base} to train it.",
        )
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in catalog.photos(garment_id)]
    options = options or GARMENTS[base.name]
    data = lora_file(garment, pictures, base, options, progress, cancel)
    return catalog.replace_lora(garment_id, data)


def lora_file(
    garment: Garment,
    pictures: Sequence[np.ndarray],
    base: Base,
    options: Options = GARMENT,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    checkpoint: Checkpoint | None = None,
    captions: Sequence[Sequence[str]] | None = None,
    sample: Sample | None = None,
) -> bytes:
    """The trained LoRA of a garment as the bytes of a safetensors file.

    Args:
        pictures: product photos, uint8 ``(H, W, 3)`` in the base's training size; at least 4.
        checkpoint: where to keep the state, and to go on from when it is there.
        captions: each photo's tags, trigger first; None: the words of the card.

    Raises:
        BadValue: too few pictures. Cancelled: ``cancel`` was set.
    """
    from catalog.croquis import drawing

    if len(pictures) < 4:
        raise BadValue(
            f"{garment.name} has {len(pictures)} usable photos.", "A LoRA needs at least 4."
        )
    # 1. each photo, its cut-out, and the words
    examples = [_example(p, photo_tools.cut_out(p), garment.slot, base) for p in pictures]
    # words of the card: every other photo by its trigger and kind alone, so that the LoRA brings
    # the colours too. Captions that somebody wrote are said of every photo
    card = (tuple(garment.phrase.split()), (garment.call,))
    said = [card[i % 2] for i in range(len(examples))]
    if captions is not None:
        said = [tuple(caption) for caption in captions]
    phrases = [(drawing.PRODUCT_PHOTO, "", " ".join(tags)) for tags in said]
    kind = (drawing.PRODUCT_PHOTO, "", garment.category)
    return _train(examples, phrases, 2, base, options, garment.trigger, progress, cancel,
                  checkpoint, said, kind, sample)  # fmt: skip


def season_file(
    season: Season,
    base: Base,
    options: Options = SEASON,
    pictures: int = 36,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    photos: Sequence[tuple[np.ndarray, np.ndarray]] | None = None,
    checkpoint: Checkpoint | None = None,
) -> bytes:
    """The trained LoRA of a season, from drawn outfit pictures of that season or from ``photos``.

    It works where no garment is: it carries scene, light and palette and leaves clothes alone.

    Args:
        photos: pictures uint8 ``(H, W, 3)`` in the base's training size and masks bool ``(H, W)``
            of who stands in them; what is inside a mask is not learned.

    Raises:
        BadValue: no photos for a base that did not learn from drawings, or too few.
    """
    from catalog.croquis import drawing

    if photos is not None:
        return _season_of(season, photos, base, options, progress, cancel, checkpoint)
    if base.name != "croquis":
        raise BadValue(
            f"Drawings say nothing about a season to {base.name}.",
            "Train it from photos: stylist season train NAME FOLDER.",
        )
    first = 3_000_000 + 10_000 * ("spring-autumn", "summer", "winter").index(season)
    examples, phrases = [], []
    for seed in range(first, first + pictures):
        drawn = drawing.draw(drawing.sample_worn(seed, season=season))
        layout, _, shares = drawing.model_maps(drawn)
        examples.append((drawn.picture, layout, shares))
        phrases.append(drawn.phrases)
    return _train(examples, phrases, 0, base, options, season, progress, cancel, checkpoint)


def _season_of(
    season: Season,
    photos: Sequence[tuple[np.ndarray, np.ndarray]],
    base: Base,
    options: Options,
    progress: Progress | None,
    cancel: threading.Event | None,
    checkpoint: Checkpoint | None,
) -> bytes:
    """Who stands in a photo counts as one garment: its region is left alone."""
    if len(photos) < 4:
        raise BadValue(f"There are {len(photos)} usable photos.", "A LoRA needs at least 4.")
    examples = [_example(picture, mask, "onepiece", base) for picture, mask in photos]
    phrases = [("street", "", "")] * len(photos)
    return _train(examples, phrases, 0, base, options, season, progress, cancel, checkpoint)


def _example(picture: np.ndarray, mask: np.ndarray, slot: Slot, base: Base) -> Example:
    """One garment alone: where it is, and the layout map for a base that reads such."""
    from catalog.croquis import maps

    regions = mask.astype(np.uint8) * maps.FIRST_GARMENT
    rows, columns = mask.shape
    layout = None
    if "layout" in base.controlnets:
        layout = maps.layout_map(regions, maps.outline(regions), (slot,))
    return picture, layout, maps.shares(regions, 1, (rows // 8, columns // 8))


def _train(
    examples: Sequence[Example],
    phrases: Sequence[tuple[str, ...]],
    region: int,
    base: Base,
    options: Options,
    name: str,
    progress: Progress | None,
    cancel: threading.Event | None,
    checkpoint: Checkpoint | None = None,
    tags: Sequence[tuple[str, ...]] | None = None,
    kind: tuple[str, ...] = (),
    sample: Sample | None = None,
) -> bytes:
    """``tags``: what the phrase of ``region`` is made of. ``kind``: the phrases of a picture of
    the same kind, without the trigger."""
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    from catalog import adapters, regions
    from catalog.base import mixed_precision

    # 2. latents, words, maps and masks are computed once
    options = options.settled(len(examples))
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    count = max(len(p) for p in phrases)
    with torch.no_grad():
        shares = torch.zeros(len(examples), count, *examples[0][2].shape[1:])
        for i, (_, _, share) in enumerate(examples):
            shares[i, : len(share)] = torch.from_numpy(share)
        pictures = torch.stack([torch.from_numpy(p.copy()) for p, _, _ in examples])
        pictures = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
        own = next(base.vae.parameters()).dtype
        latents = base.encode(pictures.to(base.device, own)).float()
        latents = latents.contiguous(memory_format=torch.channels_last)
        maps_ = [torch.from_numpy(m) for _, m, _ in examples if m is not None]
        layouts = torch.stack(maps_).float().to(base.device) / 255 if maps_ else None
        words = torch.cat([
            regions.encode_phrases(base.tokenizer, base.text_encoder,
                                   [*p, *[""] * (count - len(p))])
            for p in phrases
        ]).float()  # fmt: skip
    device = base.device
    shares = shares.to(device)
    told: dict[tuple[str, ...], Any] = {}

    def phrases_of(i: int) -> tuple[str, ...]:
        """What is said of example ``i`` this time: its tags shuffled, or none of them."""
        own = list((tags or [tuple(p[region].split()) for p in phrases])[i])
        kept, rest = own[: options.keep_tokens], own[options.keep_tokens :]
        if options.shuffle:
            rest = [rest[k] for k in rng.permutation(len(rest))]
        if rng.random() < options.caption_dropout:
            kept, rest = [], []
        return (*phrases[i][:region], " ".join([*kept, *rest]), *phrases[i][region + 1 :])

    def words_of(said: tuple[str, ...]) -> Any:
        if said not in told:
            padded = [*said, *[""] * (count - len(said))]
            told[said] = regions.encode_phrases(base.tokenizer, base.text_encoder, padded).float()
        return told[said]

    varied = options.shuffle or options.caption_dropout > 0
    if options.prior and kind:
        same = [*kind, *[""] * (count - len(kind))]
        class_words = regions.encode_phrases(base.tokenizer, base.text_encoder, same).float()
        class_latents = _drawn_by_the_base(base, layouts, shares, class_words, options.seed)

    # 3. a fresh UNet of its own: the one that renders is never touched
    unet, control = base.fresh_unet(), base.controlnets.get("layout")
    config = LoraConfig(
        r=options.rank, lora_alpha=options.alpha, init_lora_weights=True,
        target_modules=adapters.trained_modules(unet, base.name),
    )  # fmt: skip
    inject_adapter_in_model(config, unet, adapter_name=adapters.NAME)
    masks = regions.LoraMasks()
    masks.hook(unet)
    unet.to(memory_format=torch.channels_last)
    for parameter_name, parameter in unet.named_parameters():
        parameter.requires_grad_(".lora_" in parameter_name)
    trained = [_side_by_side(unet)]
    groups: list[dict[str, Any]] = [{"params": [trained[0]], "peak": options.rate}]
    text: Any = None
    if options.text:
        text = _reader(base, options)
        trained.append(_side_by_side(text))
        groups.append({"params": [trained[1]], "peak": options.text})
    # not fused: how that rounds depends on where memory lies, so a resumed training would differ
    optimizer = torch.optim.AdamW(groups, options.rate, betas=(0.9, 0.99), weight_decay=0.0)
    alpha = base.scheduler.alphas_cumprod.float().to(device)
    owner = [region] * options.rank

    # 4. the loop: stratified noise levels, loss inside the cut-out
    started = time.monotonic()
    losses: list[float] = []
    first = 0
    if checkpoint is not None:
        first, losses = checkpoint.resume(trained, optimizer, rng)
    for step in range(first, options.steps):
        if cancel is not None and cancel.is_set():
            raise Cancelled("Training was stopped.", "The catalog is as it was.")
        pick = torch.from_numpy(rng.permutation(len(examples))[: options.batch])
        size = len(pick)
        t = (torch.arange(size) + torch.from_numpy(rng.random(size))) / size * 1000
        t = t.long().clamp(0, 999).to(device)
        share = shares[pick]
        a, s = alpha[t].sqrt()[:, None, None, None], (1 - alpha[t]).sqrt()[:, None, None, None]
        weight = options.background + (1 - options.background) * share[:, region : region + 1]
        total = weight.sum() * latents.shape[1]
        if options.min_snr_gamma:
            snr = (a / s) ** 2
            levelled = snr if base.predicts_noise else snr + 1
            weight = weight * snr.clamp_max(options.min_snr_gamma) / levelled.clamp_min(1e-8)

        said = words[pick]
        if varied or text is not None:
            asked = [phrases_of(int(i)) if varied else phrases[i] for i in pick]
            said = torch.cat([words_of(tuple(p)) for p in asked])
        if text is not None:
            # every phrase is encoded alone, and only the region's is read the new way
            own = regions.phrase_states(base.tokenizer, text, [p[region] for p in asked]).float()
            at = region * regions.TOKENS
            said = torch.cat([said[:, :at], own, said[:, at + regions.TOKENS :]], 1)
        seen = [(latents[pick.to(device)], said, 1.0)]
        if options.prior and kind:
            known = class_words.expand(size, -1, -1)
            seen.append((class_latents[pick.to(device)], known, options.prior))
        loss = torch.zeros((), device=device)
        for z, said, part in seen:
            # in the latents' own order, where randn_like itself takes seven times as long
            noise = torch.randn_like(z.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            if options.noise_offset:
                noise = noise + options.noise_offset * torch.randn_like(z[:, :, :1, :1])
            noisy = a * z + s * noise
            with mixed_precision(device), masks.at(share, owner):
                layout = None if layouts is None else layouts[pick]
                output = _forward(unet, control, noisy, t, said, layout, share)
            error = base.error(output, noisy, z, noise, t)
            loss = loss + part * (error.square() * weight).sum() / total
            if options.color:
                mean = regions.means(error, share[:, region : region + 1])
                loss = loss + part * options.color * mean.square().mean()
        loss.backward()
        for group in optimizer.param_groups:
            late = step / options.steps
            group["lr"] = group["peak"] * min(1.0, (step + 1) / 10) * (1 - late) ** 0.7
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        losses.append(float(loss.detach()))
        if checkpoint is not None:
            checkpoint.keep(step + 1, trained, optimizer, rng, losses)
        if progress is not None:
            progress(step + 1, options.steps, float(np.mean(losses[-10:])))
        if sample is not None and (step + 1) % sample[0] == 0 and step + 1 < options.steps:
            state = torch.get_rng_state()  # drawing must not change what is trained
            sample[1](step + 1, _file(unet, text, base, options, name, losses, started))
            torch.set_rng_state(state)

    # 5. the file
    return _file(unet, text, base, options, name, losses, started)


def _side_by_side(model: Any) -> Any:
    """One parameter, and one gradient, of which all that is trained in ``model`` are views: an
    optimizer takes a thirtieth of a step for two hundred small tensors, and nothing for one."""
    import torch

    own = [p for p in model.parameters() if p.requires_grad]
    whole = torch.nn.Parameter(own[0].new_empty(sum(p.numel() for p in own)))
    whole.grad = torch.zeros_like(whole)
    start = 0
    for parameter in own:
        where = parameter.shape, parameter.stride(), start
        piece = whole.detach().as_strided(*where)
        parameter.data = piece.copy_(parameter.detach())
        parameter.grad = whole.grad.as_strided(*where)
        start += parameter.numel()
    return whole


def _forward(
    unet: Any,
    control: Any,
    noisy: Tensor,
    t: Tensor,
    words: Tensor,
    layout: Tensor | None,
    share: Tensor,
) -> Tensor:
    """What the UNet answers, told words, regions and, where there is one, layout as in a render."""
    import torch

    from catalog import regions

    down, middle = None, None
    if layout is not None:
        with torch.no_grad():
            down, middle = control(
                noisy, t, encoder_hidden_states=words, controlnet_cond=layout, return_dict=False
            )
    answer: Tensor = unet(
        noisy,
        t,
        encoder_hidden_states=words,
        cross_attention_kwargs={"regions": regions.attention_bias(share)},
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
        return_dict=False,
    )[0]
    return answer


def _drawn_by_the_base(
    base: Base, layouts: Tensor | None, shares: Tensor, words: Tensor, seed: int, steps: int = 8
) -> Tensor:
    """Latents ``(N, C, h, w)`` that the base draws for ``words`` in each region, no LoRA worn."""
    import copy

    import torch

    from catalog.base import mixed_precision

    scheduler = copy.deepcopy(base.scheduler)
    scheduler.set_timesteps(steps, device=base.device)
    start = torch.Generator().manual_seed(seed)
    count, channels = len(shares), base.unet.config.in_channels
    z = torch.randn(count, channels, *shares.shape[2:], generator=start).to(base.device)
    z = z * scheduler.init_noise_sigma
    words = words.expand(count, -1, -1)
    with torch.no_grad(), mixed_precision(base.device):
        for t in scheduler.timesteps:
            noisy = scheduler.scale_model_input(z, t)
            every = t.expand(count).to(base.device)
            control = base.controlnets.get("layout")
            v = _forward(base.unet, control, noisy, every, words, layouts, shares)
            z = scheduler.step(v.float(), t, z).prev_sample
    return z.contiguous(memory_format=torch.channels_last)


def _reader(base: Base, options: Options) -> Any:
    """A text encoder of its own with low-rank pairs, which alone are trained."""
    import copy

    from peft import LoraConfig, inject_adapter_in_model

    from catalog import adapters

    text = copy.deepcopy(base.text_encoder).float().requires_grad_(False)
    names = [n for n, _ in text.named_modules() if adapters.TEXT_TARGETS.fullmatch(n)]
    config = LoraConfig(
        r=options.rank, lora_alpha=options.alpha, target_modules=names, init_lora_weights=True
    )
    inject_adapter_in_model(config, text, adapter_name=adapters.NAME)
    for name, parameter in text.named_parameters():
        parameter.requires_grad_(".lora_" in name)
    return text


def _file(
    unet: Any,
    text: Any,
    base: Base,
    options: Options,
    name: str,
    losses: Sequence[float],
    started: float,
) -> bytes:
    """The LoRA of ``unet``, and of ``text`` if there is one, as a file with diffusers' names."""
    from safetensors.torch import save

    from catalog import adapters

    tensors = {}
    for part, model in (("unet", unet), ("text_encoder", text)):
        for module_name, module in model.named_modules() if model is not None else ():
            layer: Any = module
            if adapters.NAME not in getattr(layer, "lora_A", ()):
                continue
            path = f"{part}.{module_name}"
            if part == "text_encoder" and not module_name.startswith("text_model."):
                path = f"{part}.text_model.{module_name}"
            low = layer.lora_A[adapters.NAME].weight.detach().cpu()
            # alpha is folded in, so every reader agrees on the strength
            high = layer.lora_B[adapters.NAME].weight.detach().cpu() * layer.scaling[adapters.NAME]
            tensors[f"{path}.lora_A.weight"] = low.half().contiguous()
            tensors[f"{path}.lora_B.weight"] = high.half().contiguous()
    metadata = {
        "base": base.name,
        "base_sha256": base.denoiser_sha256,
        "name": name,
        "options": json.dumps(asdict(options)),
        "loss": f"{np.mean(losses[-20:]):.4f}",
        "seconds": f"{time.monotonic() - started:.1f}",
    }
    return save(tensors, metadata)
