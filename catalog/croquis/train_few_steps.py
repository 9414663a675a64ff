"""Trains the two LoRAs that make the croquis base draw in fewer evaluations.

    python -m catalog.croquis.train_few_steps guided --minutes 30 [--run FOLDER]
    python -m catalog.croquis.train_few_steps draft --minutes 30 [--run FOLDER]

``guided`` answers at once what guidance needs two evaluations for (Meng and others, 2023): a
picture costs half. ``draft`` draws in two steps what the guided sampler draws in eight (Salimans
and Ho, 2022, in one go: each of its steps lands where four of the teacher's do). Both work on the
whole picture, beside the LoRAs of garments and seasons. Results land in ``--run``/few-steps;
``python -m catalog.croquis.train_base export`` puts them among the committed weights.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog import adapters, regions
from catalog import base as bases
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import Encoded, Pool, Samples
from catalog.croquis.held_out import empty_ids
from catalog.croquis.schedule import ChannelScheduler
from catalog.croquis.train_base import RUN_SEEDS, Checkpoint, Denoiser, Log, Options, holder

RANK = 8
TARGETS = re.compile(r".*(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.2|resnets\.\d\.conv[12])")
TEACHER_STEPS = 8
DRAFT_STEPS = 2
HALF = TEACHER_STEPS // DRAFT_STEPS
FIRST = 150_000_000
"""Drawings are other ones than the base was trained on."""
TRIPLES = 6_000
"""Drawings of the teacher that are kept."""
REUSE = 4
"""How often the student learns from each."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("stage", choices=("guided", "draft"))
    parser.add_argument("--run", type=Path, default=bases.training_folder())
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fresh", action="store_true", help="ignore what was trained before")
    train_few_steps(Options(**vars(parser.parse_args(argv)), compile=False))


def train_few_steps(o: Options) -> None:
    """AdamW on the low-rank pairs alone; the base is teacher and frozen."""
    # 1. the teacher, and the student: the same with a LoRA
    o.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    vae = CroquisAutoencoder.from_pretrained(holder(o, "vae") / "vae").to(o.device)
    words_from = holder(o, "text_encoder")
    text = bases.load_text_encoder(words_from).float().to(o.device).requires_grad_(False)
    teacher = Denoiser()
    bases.fill_from(teacher, holder(o, "unet"))
    teacher = teacher.to(o.device, memory_format=torch.channels_last).requires_grad_(False)
    student = copy.deepcopy(teacher)
    layers = add_lora(student.unet, None if o.fresh else few_steps_file(o, o.stage))
    student = student.to(o.device, memory_format=torch.channels_last)
    trained = [p for p in student.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, o.rate, betas=(0.9, 0.99), weight_decay=0.0)
    scheduler, log, state = bases.noise_scheduler(vae), Log(o, o.stage), Checkpoint(o, o.stage)
    pairs = nn.ParameterList(trained)
    step = state.load(pairs, optimizer)
    clock = state.clock

    # 2. what is to be drawn: layouts, poses and words of drawings
    data = Samples(FIRST + RUN_SEEDS * log.runs_before + step * o.batch, flats=0.1)
    data.tokenizer = words_from / "tokenizer"
    encoded = Encoded(data, vae, o.device, o.workers, first=4 * o.batch)
    asked = Asked(text, empty_ids(data.tokenizer), o.device)
    rng = np.random.default_rng((o.seed, step))
    lesson = {"guided": Guided, "draft": Draft}[o.stage](
        teacher, student, scheduler, encoded, asked
    )

    # 3. the loop
    total = torch.zeros((), device=o.device)
    while not clock.over():
        loss = lesson(o.batch, rng)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = o.rate * min(1.0, (step + 1) / 30) * clock.cosine()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        total += loss.detach()
        step += 1
        if step % 20 == 0:
            log.row(step, loss=float(total) / 20, pictures=step * o.batch)
            total.zero_()
            state.save(pairs, optimizer, step)
    state.save(pairs, optimizer, step, now=True)
    save_lora(layers, few_steps_file(o, o.stage))


# --- the student's pairs -------------------------------------------------------------------------


def few_steps_file(o: Options, stage: str) -> Path:
    """Where the LoRA is written, and read again."""
    return o.run / "few-steps" / f"{stage}.safetensors"


def add_lora(unet: nn.Module, kept: Path | None) -> dict[str, nn.Module]:
    """Low-rank pairs on ``unet``, as ``kept`` left them if it is there; only they are trained."""
    from peft import LoraConfig, inject_adapter_in_model
    from safetensors.torch import load_file

    names = [n for n, _ in unet.named_modules() if TARGETS.fullmatch(n)]
    config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=names, init_lora_weights=True)
    inject_adapter_in_model(config, unet, adapter_name=adapters.NAME)
    for name, parameter in unet.named_parameters():
        parameter.requires_grad_(".lora_" in name)
    layers = {n: unet.get_submodule(n) for n in names}
    if kept is not None and kept.exists():
        found = adapters.read_low_rank(load_file(kept))
        for name, layer in layers.items():
            a, b = found.pairs[name]
            _pair(layer)[0].data.copy_(a)
            _pair(layer)[1].data.copy_(b)
    return layers


def save_lora(layers: Mapping[str, nn.Module], path: Path) -> None:
    """Diffusers' LoRA format, half precision."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, layer in layers.items():
        for part, weight in zip(("lora_A", "lora_B"), _pair(layer), strict=True):
            tensors[f"unet.{name}.{part}.weight"] = weight.detach().cpu().half().contiguous()
    partial = path.with_suffix(".partial")
    save_file(tensors, partial)
    os.replace(partial, path)


def _pair(layer: nn.Module) -> tuple[Tensor, Tensor]:
    a, b = (getattr(layer, part)[adapters.NAME].weight for part in ("lora_A", "lora_B"))
    return a, b


# --- lessons --------------------------------------------------------------------------------------


class Asked:
    """What a render is told of an example, ready for ``Denoiser``."""

    def __init__(self, text: nn.Module, empty: list, device: str) -> None:
        self.text, self.device = text, device
        self.empty = torch.tensor(empty, device=device)

    @torch.no_grad()
    def __call__(self, row: dict[str, Tensor]) -> tuple[tuple, tuple]:
        """Everything after noise and time, with the words said and unsaid."""
        ids = row["ids"].long()
        said, unsaid = (
            self.text(input_ids=i.flatten(0, 1)).last_hidden_state.reshape(
                len(ids), ids.shape[1] * regions.TOKENS, -1
            )
            for i in (ids, self.empty.expand_as(ids))
        )
        told = {
            k: row[n].float() / 255 for k, n in (("layout", "layout"), ("openpose", "skeleton"))
        }
        ones = {name: torch.ones(len(ids), device=self.device) for name in told}
        rest = regions.attention_bias(row["shares"].float()), told, ones
        return (said, *rest), (unsaid, *rest)


class Lesson:
    """What the student is to answer as, and how near it came."""

    def __init__(
        self,
        teacher: Denoiser,
        student: Denoiser,
        scheduler: ChannelScheduler,
        encoded: Encoded,
        asked: Asked,
    ) -> None:
        self.teacher, self.student, self.scheduler = teacher, student, scheduler
        self.encoded, self.asked, self.device = encoded, asked, asked.device
        self.alpha = scheduler.alphas_cumprod.to(self.device).float()

    def __call__(self, batch: int, rng: np.random.Generator) -> Tensor:
        """The loss of one step of ``batch`` examples."""
        raise NotImplementedError

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Shares of picture and noise at ``t``; a negative ``t`` is the clean picture."""
        alpha = torch.where(t < 0, torch.ones_like(self.alpha[0]), self.alpha[t.clamp_min(0)])
        alpha = alpha[:, None, None, None]
        return alpha.sqrt(), (1 - alpha).sqrt()

    def velocity(self, model: Denoiser, x: Tensor, t: Tensor, told: tuple) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        with bases.mixed_precision(self.device):
            output = model(x, t, *told)
        return self.scheduler.velocity(output.float(), x, t)

    @torch.no_grad()
    def guided(self, x: Tensor, t: Tensor, said: tuple, unsaid: tuple) -> Tensor:
        """The teacher's v as guidance makes it, after two evaluations."""
        with_words, without = (self.velocity(self.teacher, x, t, told) for told in (said, unsaid))
        return without + bases.GUIDANCE["croquis"] * (with_words - without)

    def moved(self, x: Tensor, v: Tensor, t: Tensor, to: Tensor) -> Tensor:
        """A DDIM step from ``t`` to ``to``."""
        (a, s), (a_to, s_to) = self.levels(t), self.levels(to)
        return a_to * (a * x - s * v) + s_to * (s * x + a * v)


class Guided(Lesson):
    """One evaluation says what guidance says with two, at every noise level."""

    def __call__(self, batch: int, rng: np.random.Generator) -> Tensor:
        row = self.encoded.draw(batch, rng)
        said, unsaid = self.asked(row)
        z, figure = row["z"].float(), weight_of(row["shares"])
        t = torch.from_numpy(rng.integers(1, 1000, size=batch)).to(self.device)
        a, s = self.levels(t)
        x = a * z + s * torch.randn_like(z)
        truth = self.guided(x, t, said, unsaid)
        answer = self.velocity(self.student, x, t, said)
        return ((answer - truth).square() * figure).mean() / figure.mean()


class Draft(Lesson):
    """Two steps land where the teacher's eight do, begun from the same noise."""

    def __init__(self, *parts) -> None:
        super().__init__(*parts)
        self.pool, self.used, self.drawn = Pool(TRIPLES), 0, 0

    def __call__(self, batch: int, rng: np.random.Generator) -> Tensor:
        # 1. drawings of the teacher: noise, half way, done
        self.used += batch
        while self.pool.size < batch or self.drawn * REUSE < self.used:
            self.pool.add(self._drawn_by_teacher(batch, rng))
        row = self.pool.draw(batch, rng)
        said, _ = self.asked(row)
        figure = weight_of(row["shares"])
        middle, done = row["middle"].float(), row["done"].float()
        # 2. from the noise to half way
        first, second = (self._time(i, batch) for i in (0, HALF))
        x = row["noise"].float()
        v = self.velocity(self.student, x, first, said)
        loss = self._apart(v, x, first, middle, second, figure)
        # 3. on to the end, from where either of them is
        own = torch.from_numpy(rng.random(batch) < 0.6).to(self.device)[:, None, None, None]
        x = torch.where(own, self.moved(x, v, first, second).detach(), middle)
        v = self.velocity(self.student, x, second, said)
        return loss + self._apart(v, x, second, done, torch.full_like(second, -1), figure)

    @torch.no_grad()
    def _drawn_by_teacher(self, batch: int, rng: np.random.Generator) -> dict[str, Tensor]:
        row = self.encoded.draw(batch, rng)
        said, unsaid = self.asked(row)
        noise = torch.randn(row["z"].shape, device=self.device)
        x, middle = noise, noise
        for i in range(TEACHER_STEPS):
            t = self._time(i, batch)
            x = self.moved(x, self.guided(x, t, said, unsaid), t, self._time(i + 1, batch))
            if i + 1 == HALF:
                middle = x
        self.drawn += batch
        told = {k: row[k] for k in ("ids", "layout", "skeleton", "shares")}
        kept = {"noise": noise, "middle": middle, "done": x}
        return told | {k: v.half() for k, v in kept.items()}

    def _time(self, i: int, batch: int) -> Tensor:
        """The sampler's i-th noise level; one after the last is the clean picture."""
        t = 1000 - i * 1000 // TEACHER_STEPS - 1
        return torch.full((batch,), t, device=self.device)

    def _apart(
        self, v: Tensor, x: Tensor, t: Tensor, wanted: Tensor, to: Tensor, figure: Tensor
    ) -> Tensor:
        """How far the clean picture guessed lies from the one that leads from x to ``wanted``."""
        (a, s), (a_to, s_to) = self.levels(t), self.levels(to)
        truth = (wanted - s_to / s * x) / (a_to - s_to / s * a)
        loss = F.smooth_l1_loss(a * x - s * v, truth, beta=0.1, reduction="none")
        return (loss * figure).mean() / figure.mean()


def weight_of(shares: Tensor) -> Tensor:
    """The figure counts five times, as in the base's own training."""
    return 1 + 4 * (1 - shares.float()[:, :1])


if __name__ == "__main__":
    main()
