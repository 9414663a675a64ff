"""A season's LoRA from a folder of outfit photos, as a job: photos → frames → training → published.

Who stands in a photo is cut out and left alone: the LoRA learns scene, light and palette.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict

from catalog.base import load_base
from catalog.checkpoint import Checkpoint
from catalog.errors import BadValue, UnknownName
from catalog.garment import SEASONS, Season
from catalog.grab_cut import cut
from catalog.index import Catalog
from catalog.lora_file import check_lora_file
from catalog.photo_file import photo_pixels, pixels_png
from catalog.photo_frame import SIZES, contact_sheet
from catalog.photo_intake import read_photos
from catalog.train_lora import SEASON, Options, season_file, with_dials
from tools.jobs import Jobs, Run

KIND = "season"
LEAST_PHOTOS = 4


class Order(BaseModel):
    """Which season is to be trained, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    season: Season
    base: str = "croquis"
    training: dict[str, float] = {}
    """Dials of the training, by name: see ``train_lora.Options``."""

    @property
    def options(self) -> Options:
        return with_dials(SEASON, self.training)


def start(
    jobs: Jobs,
    name: str,
    photos: Path | Sequence[tuple[str, bytes]],
    *,
    base: str = "croquis",
    training: Mapping[str, float] | None = None,
) -> str:
    """Check everything and queue the job; returns its id.

    Raises ``UnknownName`` (season, a dial), ``BadValue`` (base, photos), ``Busy``.
    """
    if name not in SEASONS:
        raise UnknownName.among("season", name, SEASONS)
    if base != "croquis":
        raise BadValue(f"Seasons are not trained for {base} here yet.", "Train for croquis.")
    order = Order(season=name, base=base, training=dict(training or {}))  # type: ignore[arg-type]
    order.options  # noqa: B018  says which dial is none
    intake = read_photos(photos)
    if len(intake.distinct) < LEAST_PHOTOS:
        raise BadValue(
            f"There are {len(intake.distinct)} different usable photos, and a season needs at "
            f"least {LEAST_PHOTOS}.",
            "Twenty or more outfits, outdoors in that season, are best.",
        )
    names = [f"{i:02}.png" for i in range(len(intake.distinct))]
    files = {
        f"photos/{n}": pixels_png(p.pixels) for n, p in zip(names, intake.distinct, strict=True)
    }
    notes = {"files": names, "refused": intake.refused}
    files["photos.json"] = json.dumps(notes).encode()
    return jobs.add(KIND, order.model_dump(mode="json"), files=files)


class NewSeason:
    """The work of the job, over one catalog."""

    def __init__(self, catalog: Catalog, threads: int | None = None) -> None:
        self._catalog = catalog
        self._threads = threads

    def __call__(self, run: Run) -> dict[str, Any]:
        order = Order.model_validate(run.arguments)
        notes = json.loads((run.folder / "photos.json").read_bytes())
        run.once("frames", lambda: self._frames(run, order, notes["files"]))
        trained = run.once("training", lambda: self._train(run, order, notes["files"]))
        run.once("published", lambda: self._publish(run, order))
        warnings = [f"{n}: {why}" for n, why in notes["refused"]]
        return {"id": order.season, "flags": [], "warnings": warnings, **trained}

    def _frames(self, run: Run, order: Order, files: Sequence[str]) -> dict[str, Any]:
        """Each photo cropped to the base's picture, and who stands in it."""
        rows = []
        for i, file in enumerate(files):
            run.tell("cutting out", i, len(files))
            picture = _cropped(
                photo_pixels((run.folder / "photos" / file).read_bytes()), SIZES[order.base]
            )
            mask = cut(picture).mask
            run.keep(f"frames/{file}", pixels_png(picture))
            run.keep(f"masks/{file}", pixels_png(np.repeat(mask[..., None] * np.uint8(255), 3, 2)))
            rows.append((file, picture, mask, picture))
        run.keep("cut-outs.png", pixels_png(contact_sheet(rows)))
        return {"files": list(files)}

    def _train(self, run: Run, order: Order, files: Sequence[str]) -> dict[str, Any]:
        """The LoRA, from its last checkpoint when it was interrupted."""
        import torch

        if self._threads:
            torch.set_num_threads(self._threads)
        photos = [
            (
                photo_pixels((run.folder / "frames" / file).read_bytes()),
                photo_pixels((run.folder / "masks" / file).read_bytes())[..., 0] > 127,
            )
            for file in files
        ]
        run.tell("loading the base")
        base, options = load_base(order.base), order.options
        facts = (order.season, options, base.denoiser_sha256, [p.tobytes() for p, _ in photos])
        key = hashlib.sha256(repr(facts).encode()).hexdigest()

        def stepped(step: int, steps: int, loss: float) -> None:
            run.tell(f"training, loss {loss:.3f}", step, steps)

        data = season_file(
            order.season, base, options, progress=stepped, cancel=run.cancel, photos=photos,
            checkpoint=Checkpoint(run.folder / "training.safetensors", key),
        )  # fmt: skip
        run.keep("lora.safetensors", data)
        about = check_lora_file(data, base=order.base)
        return {"lora_sha256": about.sha256, "loss": float(about.metadata["loss"])}

    def _publish(self, run: Run, order: Order) -> dict[str, Any]:
        run.tell("publishing")
        data = (run.folder / "lora.safetensors").read_bytes()
        return {"lora_sha256": self._catalog.replace_season_lora(order.season, data)}


def _cropped(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle of ``picture`` that has the form of ``size`` (rows, columns), in that size."""
    rows, columns = size
    scale = max(rows / picture.shape[0], columns / picture.shape[1])
    to = max(columns, round(picture.shape[1] * scale)), max(rows, round(picture.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    whole = cv2.resize(picture, to, interpolation=way)
    top, left = (to[1] - rows) // 2, (to[0] - columns) // 2
    return np.ascontiguousarray(whole[top : top + rows, left : left + columns])
