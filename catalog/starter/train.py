"""Trains the LoRAs that come with the program: every starter garment's and every season's.

    python -m catalog.starter.train [--share 1/2] [ID ...]

Goes on where it stopped: a LoRA trained on the present base is kept. With ``--share K/N`` N
processes do the work together.
"""

from __future__ import annotations

import argparse
import os
import time

from catalog.base import load_base
from catalog.garment import SEASONS
from catalog.starter import starter_garments, starter_lora_file, starter_loras, starter_photos
from catalog.train_lora import lora_file, season_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("only", nargs="*", metavar="ID", help="garment ids or season-<season>")
    parser.add_argument("--share", default="1/1", help="the K-th of N processes")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    import torch

    torch.set_num_threads(args.threads)
    share, of = (int(n) for n in args.share.split("/"))
    garments = {g.id: g for g in starter_garments()}
    names = args.only or [*(f"season-{s}" for s in SEASONS), *garments]
    names = [n for i, n in enumerate(names) if i % of == share - 1]
    base = load_base("croquis")
    sha = base.denoiser_sha256
    starter_loras().mkdir(exist_ok=True)
    for number, name in enumerate(names, 1):
        path = starter_lora_file(name)
        if not args.only and _trained_on(path) == sha:
            continue
        started = time.monotonic()
        if name.startswith("season-"):
            data = season_file(name.removeprefix("season-"), base)  # type: ignore[arg-type]
        else:
            data = lora_file(garments[name], starter_photos(garments[name]), base)
        partial = path.with_suffix(".partial")
        partial.write_bytes(data)
        os.replace(partial, path)
        seconds = time.monotonic() - started
        print(
            f"{number}/{len(names)} {name}: {len(data) / 1000:.0f} KB, {seconds:.0f} s", flush=True
        )


def _trained_on(path) -> str:
    """Hash of the base that a LoRA file says it was trained on; empty when there is none."""
    from safetensors import safe_open

    if not path.exists():
        return ""
    with safe_open(str(path), "np") as file:
        return (file.metadata() or {}).get("base_sha256", "")


if __name__ == "__main__":
    main()
