"""What a dial of a garment's LoRA training does to the garment worn, before all are trained anew.

    python -m bench.dials color 0 5 [--garments 16]

The garments are trained again for each value and drawn in outfits that no figure is measured on;
no other LoRA works there, so the present ones may be of another base. Where the garments are is
told by the true masks, so no segmenter has a say.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench import measure, renders
from bench.outfits import Outfit, outfits
from bench.pictures import Seen, card_delta_e, color_right
from catalog.base import load_base
from catalog.lora_file import sha256_of
from catalog.starter import starter_photos
from catalog.train_lora import GARMENT, Options, lora_file, with_dials

GROUP = 1
"""Group of outfits; the figures are measured on group 0."""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dials", description=__doc__)
    parser.add_argument("dial", help="as `stylist catalog train --set` knows it")
    parser.add_argument("values", nargs="+", type=float)
    parser.add_argument("--garments", type=int, default=16)
    o = parser.parse_args(argv)
    from bench.__main__ import quiet

    quiet()
    chosen = _chosen(o.garments)
    print(f"{len(chosen)} garments\n{o.dial:>10}  ΔE median  mean  plain  patterned  family")
    for value in o.values:
        options = with_dials(GARMENT, {o.dial: value})
        print(f"{value:>10g}  {_summary(chosen, options)}", flush=True)


def _chosen(count: int) -> list[tuple[Outfit, int]]:
    """Different garments, spread over the outfits: each with the outfit it is worn in."""
    first = {o.garments[i].id: (o, i) for o in reversed(outfits(GROUP)) for i in o.visible}
    names = sorted(first)
    return [first[names[k]] for k in np.linspace(0, len(names) - 1, count).astype(int)]


def _summary(chosen: list[tuple[Outfit, int]], options: Options) -> str:
    base, rows = load_base("croquis"), []
    for outfit, index in chosen:
        garment = outfit.garments[index]
        lora = lora_file(garment, starter_photos(garment), base, options)
        seen = Seen(_worn(outfit, index, lora), outfit.classes)
        plain = garment.pattern == "plain"
        rows.append((card_delta_e(seen, garment), plain, color_right(seen, garment)))
    far, plain, right = (np.array(column) for column in zip(*rows, strict=True))
    groups = [np.median(far[part]) if part.any() else np.nan for part in (plain, ~plain)]
    return (
        f"{np.median(far):.1f}  {far.mean():.1f}  {groups[0]:.1f}  {groups[1]:.1f}  "
        f"{right.mean():.0%}"
    )


def _worn(outfit: Outfit, index: int, lora: bytes) -> np.ndarray:
    """The outfit drawn with ``lora`` alone on one garment, uint8 ``(384, 256, 3)``."""
    job = renders.job(renders.unguided(outfit.plan))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lora.safetensors"
        path.write_bytes(lora)
        use = replace(job.loras[index], path=path, sha256=sha256_of(lora))
        drawn = renders.studio().engine.draw(replace(job, loras=(use,)))
    return measure.shrunk(drawn.picture, 2)


if __name__ == "__main__":
    main()
