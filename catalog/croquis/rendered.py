"""Renders with known masks: drawings that the base draws anew where their layout puts things.

    python -m catalog.croquis.rendered --count 2000 [--run FOLDER] [--share 1/12]

A render is softer than a drawing and its ink wanders: a model that shall read renders must have
seen some. Each lands in ``--run``/rendered as ``SEED.png``, its regions in the fourth channel; the
run goes on where it was stopped, and several processes may each make their share of one set.
`train_sam` takes what is there.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
import torch

from catalog import base as bases
from catalog.croquis import drawing
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.held_out import held_out, sample
from catalog.croquis.train_base import Denoiser
from catalog.croquis.train_few_steps import add_lora

FIRST_SEED = 7_500_000_000
STEPS = 6
"""Each one evaluation, by the LoRA `guided`; two fewer than a final look has, to have more."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, default=bases.training_folder())
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--share", default="1/1", metavar="K/N", help="the K-th of N parts only")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    o = parser.parse_args(argv)
    torch.set_num_threads(o.threads)
    mine, shares = (int(number) for number in o.share.split("/"))
    render(folder(o.run), range((mine - 1) * o.batch, o.count, shares * o.batch), o.batch, o.device)


def folder(run: Path) -> Path:
    """Where a run's renders are kept."""
    return run / "rendered"


@torch.no_grad()
def render(into: Path, starts: range, batch: int, device: str) -> None:
    """Add ``batch`` renders to ``into`` from each of ``starts`` on; what is there is kept."""
    into.mkdir(parents=True, exist_ok=True)
    kept = bases.weights_folder()
    vae = CroquisAutoencoder.from_pretrained(kept / "vae").float().to(device)
    text = bases.load_text_encoder(kept).float().to(device)
    model = Denoiser()
    bases.fill_from(model, kept)
    add_lora(model.unet, bases.few_steps_lora("croquis", "final"))
    model = model.eval().to(device, memory_format=torch.channels_last)
    for at in starts:
        paths = [into / f"{FIRST_SEED + at + i}.png" for i in range(batch)]
        if all(p.exists() for p in paths):
            continue
        seen = held_out(text, vae, kept / "tokenizer", device, batch, first=FIRST_SEED + at)
        with bases.mixed_precision(device):
            pictures = sample(model, vae, seen, STEPS, guidance=1.0, seed=at)
        for path, picture, drawn in zip(paths, pictures, seen.drawings, strict=True):
            small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            regions = drawing.halved(drawn).regions.astype(np.uint8)
            part = path.with_suffix(".part.png")
            cv2.imwrite(str(part), np.dstack([small[..., ::-1], regions]))
            os.replace(part, path)
        print(f"{at + batch} of {starts.stop}", end="\r", flush=True)


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A render, uint8 ``(384, 256, 3)`` RGB, and its regions, uint8 ``(384, 256)``."""
    both = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert both is not None
    return np.ascontiguousarray(both[..., 2::-1]), both[..., 3].copy()


if __name__ == "__main__":
    main()
