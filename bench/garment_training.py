"""Figures of garments the base has never seen, photos to worn; and of the training itself."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import judges, measure
from bench.figures import Measured, NotYet, figure, once
from bench.garments import REAL
from catalog.croquis.palette import delta_e, hex_to_rgb, srgb_to_lab
from catalog.garment import Cloth, Garment, Shape
from catalog.photo_file import photo_pixels, photo_png, pixels_png
from catalog.photos import cut_out
from tools.look import Plan, Worn

UNSEEN = 20
AMONG = 50
"""Garments a render is to be told from: the unseen ones and some of the starter catalog."""
PHOTOS = 10
KINDS = ("sweater", "coat", "midi dress", "trousers", "blouse", "blazer", "midi skirt", "hoodie",
         "t-shirt", "cardigan")  # fmt: skip
APART = 25.0
"""CIEDE2000 between the colours of a print, at least."""
MULTIVIEW = REAL.parent / "multiview"


# --- garments never seen -------------------------------------------------------------------------


@dataclass(frozen=True)
class Unseen:
    """A garment in shades, or with a print, that base training never draws."""

    name: str
    shape: Shape
    cloth: Cloth

    def photos(self, count: int = PHOTOS) -> list[np.ndarray]:
        """Product photos, uint8 ``(384, 256, 3)``."""
        from catalog.croquis.sheet import Sheet
        from catalog.croquis.wardrobe import flat

        found = []
        for i in range(count):
            sheet = Sheet(1.0)
            flat(sheet, self.shape, self.cloth, seed=7_000_000 + 1000 * int(self.name[-2:]) + i)
            found.append(sheet.pixels().copy())
        return found


@dataclass(frozen=True)
class Try:
    """An unseen garment after its job, as looks have it; and by its LoRA alone, on and off, nothing
    held to the colours of its card; and where it is in the picture.

    Pictures are uint8 ``(384, 256, 3)``.
    """

    garment: Unseen
    truth: np.ndarray
    """The same picture as drawn."""
    on: np.ndarray
    alone: np.ndarray
    off: np.ndarray
    mask: np.ndarray
    kind_right: bool


def unseen(count: int) -> list[Unseen]:
    """``count`` garments, every other one with a held-out print."""
    from catalog.croquis.cloth import PRINTS_HELD
    from catalog.croquis.drawing import sample_cloth, sample_shape
    from catalog.croquis.palette import nearest_held_out

    found = []
    for i in range(count):
        rng = np.random.default_rng((6, i))
        category = KINDS[i % len(KINDS)]
        shape, cloth = sample_shape(category, rng), sample_cloth(category, rng)
        shape = shape.model_copy(update={"open": False})
        colors = []
        for color in cloth.colors:
            try:
                colors.append(nearest_held_out(color))
            except ValueError:
                colors.append(color)
        if i % 2:
            while len(colors) < 3:  # a print in one colour is none
                color = nearest_held_out(sample_cloth(category, rng).colors[0])
                if min(_apart(color, other) for other in colors) > APART:
                    colors.append(color)
            cloth = cloth.model_copy(update={"pattern": PRINTS_HELD[i // 2 % len(PRINTS_HELD)]})
        else:
            cloth, colors = cloth.model_copy(update={"pattern": "plain"}), colors[:1]
        found.append(Unseen(f"Unseen {i:02}", shape, cloth.model_copy(
            update={"colors": tuple(colors)})))  # fmt: skip
    return found


def _apart(one: str, other: str) -> float:
    labs = srgb_to_lab(np.array([hex_to_rgb(one), hex_to_rgb(other)]))
    return float(delta_e(labs[0], labs[1]))


@once
def tries(count: int = UNSEEN, steps: int | None = None) -> tuple[Try, ...]:
    """Each unseen garment through the job, then worn with its LoRA on and off."""
    return tuple(_tried(garment, steps) for garment in unseen(count))


def _tried(garment: Unseen, steps: int | None) -> Try:
    files = [(f"{i:02}.png", pixels_png(p)) for i, p in enumerate(garment.photos())]
    card, (on, alone, off), mask = _worn(garment.name, files, garment.shape.category, steps)
    truth = _drawn(card.model_copy(update={"cloth": garment.cloth}))
    return Try(garment, truth, on, alone, off, mask, card.category == garment.shape.category)


def _drawn(card: Garment) -> np.ndarray:
    """The garment of ``card`` worn as the admission test has it, drawn."""
    from bench.outfits import draw_truth
    from tools import admission

    garments = admission.outfit(card)
    plan = Plan(garments=tuple(Worn(id=g.id) for g in garments), season=admission.SEASON,
                pose=admission.POSE, scene=admission.SCENE)  # fmt: skip
    picture = draw_truth(plan, garments).picture
    assert picture is not None
    return np.ascontiguousarray(picture)


def _worn(
    name: str, files: Sequence[tuple[str, bytes]], category: str, steps: int | None
) -> tuple[Any, list[np.ndarray], np.ndarray]:
    """Photos → garment → card; worn as looks have it, by its LoRA alone, and without; and its mask;
    384 x 256."""
    from catalog.index import Catalog
    from tools.admission import fitting, worn
    from tools.garment_order import KIND, start
    from tools.jobs import Jobs
    from tools.new_garment import NewGarment

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        catalog = Catalog(home, starter=False)
        work = NewGarment(catalog)
        jobs = Jobs(home, {KIND: work})
        id = start(jobs, catalog, name, files, category=category, steps=steps)
        done = jobs.run(id)
        if done.state != "done":
            raise NotYet(f"{name}: {done.error or done.state}")
        card = catalog.all()[0]
        layout, _ = fitting(card)
        lora, engine = catalog.lora(card.id), work._engine(card.base)
        pictures = []
        for weight, guided in ((card.strength, True), (card.strength, False), (0.0, False)):
            big = worn(card, lora, card.lora_sha256, weight, engine, card.phrase, guided=guided)
            pictures.append(measure.shrunk(big, 2))
    return card, pictures, layout.mask(0)


def _pixels(one: Try) -> np.ndarray:
    return measure.labs(one.on, measure.eroded(one.mask))


@figure("unseen-delta-e", better="lower", issue=6, target=6, unit="ΔE", minutes=60)
def unseen_delta_e() -> Measured:
    """Garments the base never saw, ten photos to worn: ΔE2000 of the garment's region to the true
    cloth, median of 20. Runs 20 whole jobs; the other unseen figures share them."""
    far = [
        measure.card_delta_e(_pixels(t), t.garment.cloth.colors, t.garment.cloth.pattern == "plain")
        for t in tries()
    ]
    return Measured(float(np.median(far)), note=f"{len(far)} garments, worst {max(far):.1f}")


@figure("unseen-pattern", better="higher", issue=6, target=90, unit="%", minutes=60)
def unseen_pattern() -> Measured:
    """The same garments, worn: pattern class read right by the pattern judge."""
    from catalog.croquis.cloth import pattern_class

    read = [(judges.likeliest(judges.pattern(t.on, t.mask)), t.garment) for t in tries()]
    right = [seen == pattern_class(garment.cloth.pattern) for seen, garment in read]
    return Measured(100 * float(np.mean(right)), note=f"{len(right)} garments")


@figure("unseen-rank-1", better="higher", issue=6, target=90, unit="%", minutes=60)
def unseen_rank() -> Measured:
    """The same garments, worn: least unlike their own photos, among those of 50 garments, in
    colour, pattern and shape. Ceiling: drawn truth in the render's place."""
    from bench.cloths import cloth, photographed, unlike
    from catalog.starter import starter_garments

    own = [[cloth(p, cut_out(p)) for p in t.garment.photos(4)] for t in tries()]
    others = [photographed(g.id) for g in starter_garments()[: AMONG - len(own)]]

    def found(pictures: Sequence[np.ndarray]) -> float:
        far = [
            [unlike(cloth(picture, t.mask), photos) for photos in [*own, *others]]
            for picture, t in zip(pictures, tries(), strict=True)
        ]
        return 100 * float(np.mean(np.argmin(far, 1) == np.arange(len(far))))

    ceiling = found([t.truth for t in tries()])
    note = f"{len(own)} among {len(own) + len(others)}"
    return Measured(found([t.on for t in tries()]), ceiling, note)


@figure("unseen-leak", better="lower", issue=6, target=6, unit="of 255", minutes=60)
def unseen_leak() -> Measured:
    """The same garments, LoRA on against off: mean change of all pixels outside their region."""
    changes = []
    for t in tries():
        change = np.abs(t.alone.astype(np.int16) - t.off).mean(2)
        changes.append(float(change[~measure.dilated(t.mask)].mean()))
    return Measured(float(np.mean(changes)), note=f"worst {max(changes):.1f}")


# --- real photos ---------------------------------------------------------------------------------


@figure("multiview-color", better="lower", issue=6, unit="ΔE", minutes=8)
def multiview_color() -> Measured:
    """Boot and sneaker from five or six real photos each, worn: main colour against the photos',
    the worse of both."""
    if not MULTIVIEW.is_dir():
        raise NotYet("the real photos are not here")
    return multiview(None)


def multiview(steps: int | None) -> Measured:
    """The figure, trained for ``steps``."""
    from catalog.grab_cut import cut

    far = {}
    for folder, category in (("fancy_boot", "boots"), ("shiny_sneaker", "sneakers")):
        files = [(p.name, p.read_bytes()) for p in sorted((MULTIVIEW / folder).glob("*.jpg"))]
        _, (on, *_), mask = _worn(folder.replace("_", " "), files, category, steps)
        seen = []
        for _, data in files:
            picture = photo_pixels(photo_png(data))
            inside = measure.eroded(cut(picture).mask)
            seen.append(measure.labs(picture, inside)[:: max(1, int(inside.sum()) // 2000)])
        photo = measure.color_groups(np.concatenate(seen), 3)[0][0]
        worn = measure.color_groups(measure.labs(on, measure.eroded(mask)), 3)[0][0]
        far[category] = float(delta_e(photo, worn))
    return Measured(max(far.values()), note=", ".join(f"{k} {v:.1f}" for k, v in far.items()))


@figure("real-cut-outs", better="higher", issue=6, unit="%", minutes=1)
def real_cut_outs() -> Measured:
    """Real photos, two of each of 14 kinds, cut out without a warning; the sheet is for the eye."""
    from catalog.grab_cut import cut
    from catalog.photo_frame import contact_sheet, frame

    if not REAL.is_dir():
        raise NotYet("the real photos are not here")
    rows, clean = [], []
    for path in sorted(REAL.glob("*-1[05].jpg")):
        picture = photo_pixels(photo_png(path.read_bytes()))
        found = cut(picture)
        clean.append(found.usable and not found.warnings)
        framed = frame(picture, found.mask) if found.usable else picture
        rows.append((f"{path.stem}  {', '.join(found.warnings)}", picture, found.mask, framed))
    sheet = Path(tempfile.gettempdir()) / "stylist-real-cut-outs.png"
    sheet.write_bytes(pixels_png(contact_sheet(rows)))
    print(f"look at {sheet}", file=sys.stderr)
    return Measured(100 * float(np.mean(clean)), note=f"{len(clean)} photos")


# --- the training itself -------------------------------------------------------------------------


@figure("training-overhead", better="lower", issue=6, target=1.05, minutes=1)
def training_overhead() -> Measured:
    """A training step ÷ the bare forward and backward of the same UNet, LoRA and control net."""
    return overhead(30)


def overhead(steps: int) -> Measured:
    """The figure, medians over ``steps`` of each, one after the other in turn: the machine is as
    busy for the one as for the other."""
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    from catalog import adapters
    from catalog.base import load_base, mixed_precision
    from catalog.starter import starter_garments, starter_photos
    from catalog.train_lora import GARMENT, _forward, lora_file, with_dials

    base, card = load_base("croquis"), starter_garments()[0]
    options = with_dials(GARMENT, {"steps": steps + 3})
    unet, control, size = base.fresh_unet(), base.controlnets["layout"], options.batch
    names = adapters.trained_modules(unet, "croquis")
    config = LoraConfig(r=options.rank, lora_alpha=options.alpha, target_modules=names)
    inject_adapter_in_model(config, unet, adapter_name=adapters.NAME)
    unet.to(memory_format=torch.channels_last)
    for name, parameter in unet.named_parameters():
        parameter.requires_grad_(".lora_" in name)
    rows, columns = base.latent_size
    noisy = torch.randn(size, unet.config.in_channels, rows, columns)
    noisy = noisy.contiguous(memory_format=torch.channels_last)
    share = torch.rand(size, 3, rows, columns)
    words = torch.randn(size, 48, unet.config.cross_attention_dim)
    layout, t = torch.rand(size, 12, 2 * rows, 2 * columns), torch.full((size,), 500)
    trained: list[float] = []
    bare: list[float] = []
    began = time.perf_counter()

    def after_a_step(*_: object) -> None:
        nonlocal began
        ended = time.perf_counter()
        trained.append(ended - began)
        with mixed_precision("cpu"):
            out = _forward(unet, control, noisy, t, words, layout, share)
        out.float().square().mean().backward()
        del out  # the step lets go of its graph too: either does it on its own time
        began = time.perf_counter()
        bare.append(began - ended)

    lora_file(card, starter_photos(card, 8), base, options, after_a_step)
    # the first steps prepare things, the very first all of the training
    step, pure = float(np.median(trained[3:])), float(np.median(bare[3:]))
    return Measured(step / pure, note=f"{step * 1000:.0f} ms ÷ {pure * 1000:.0f} ms")


_SD15 = """
import json, resource, sys, time
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load
from transformers import CLIPTextConfig, CLIPTextModel
from catalog.base import Base, weights_folder
from catalog.croquis.tokens import load_tokenizer
from catalog.kohya import About, kohya_file, layers_of, read
from catalog.photo_frame import SIZES, frame
from catalog.photos import cut_out
from tools.look import Plan, Worn
from catalog.regions import RegionAttention
from catalog.starter import starter_garments, starter_photos
from catalog.train_lora import GARMENTS, lora_file, with_dials

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
unet = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8).requires_grad_(False)
unet.set_attn_processor(RegionAttention())
vae = AutoencoderKL(
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    block_out_channels=(32,) * 4, latent_channels=4, layers_per_block=1,
)
words = load_tokenizer(weights_folder() / "tokenizer")
text = CLIPTextModel(CLIPTextConfig(
    vocab_size=len(words), hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
    num_attention_heads=12, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
))
models = [m.to(device).eval().requires_grad_(False) for m in (text, vae, unet)]
base = Base("sd15", words, *models, {}, DDIMScheduler(), "", "", (96, 64), lambda: unet, device)
card = starter_garments()[0]
photos = [frame(p, cut_out(p), "sd15") for p in starter_photos(card, 4)]
marks = [time.perf_counter()]
options = with_dials(GARMENTS["sd15"], {"steps": int(sys.argv[1]), "batch": 1})
data = lora_file(card, photos, base, options, lambda *_: marks.append(time.perf_counter()))
if device == "cuda":
    memory = torch.cuda.max_memory_allocated()
else:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
bare = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)
lora = read(data, layers_of(bare, text))
kohya = kohya_file(lora, About("x", "x", "sd15", SIZES["sd15"]))
print(json.dumps({"mb": len(kohya) / 1e6, "modules": len(load(data)) // 2, "gb": memory / 1e9,
                  "step": min(b - a for a, b in zip(marks, marks[1:])), "device": device,
                  "named": all(k.startswith(("lora_unet_", "lora_te_")) for k in load(kohya))}))
"""


@figure("sd15-lora-size", better="lower", issue=6, unit="MB", minutes=4)
def sd15_lora() -> Measured:
    """A garment trained at rank 32, as sd15's are, on a UNet in the shape of Stable Diffusion 1.5
    (random weights), as a kohya file; the note has seconds a step at 512 pixels and memory."""
    return sd15(2)


def sd15(steps: int) -> Measured:
    """The figure, in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-c", _SD15, str(steps)]
    root = Path(__file__).parents[1]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=root)
    if ended.returncode:
        raise NotYet(ended.stderr.strip().splitlines()[-1] if ended.stderr.strip() else "it died")
    found = json.loads(ended.stdout.splitlines()[-1])
    if not found["named"]:
        raise AssertionError("a key does not have kohya's name")
    note = (
        f"{found['modules']} modules, {found['step']:.1f} s a step and {found['gb']:.1f} GB on "
        f"{found['device']}"
    )
    return Measured(found["mb"], note=note)
