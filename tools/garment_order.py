"""What a new garment is to be: checked, with its photos, before there is a job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.base import BASES
from catalog.errors import BadValue, UnknownName, clip
from catalog.garment import CATEGORIES
from catalog.index import Catalog
from catalog.photo_file import pixels_png
from catalog.photo_intake import read_photos
from catalog.rembg_cut import check_rembg
from catalog.tags import Choice
from catalog.train_lora import GARMENTS, Options, with_dials
from tools.jobs import Jobs

KIND = "new garment"
LEAST_PHOTOS = 4
_NAME = re.compile(r"[^\W_][\w '’&.,()+-]{0,119}")


class Order(BaseModel):
    """What a new garment is to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,63}$")
    name: str
    category: str | None = None
    """One of ``CATEGORIES``; None: told by the silhouette."""
    tags: tuple[str, ...] = ()
    """Tags every photo gets."""
    without: tuple[str, ...] = ()
    """Tags no photo gets."""
    threshold: float = 0.35
    """Confidence, 0–1, from which a tagger's word becomes a tag."""
    price: float = Field(default=0.0, ge=0, le=1e6)
    steps: int | None = Field(default=None, ge=1, le=5000)
    """Training steps; None: as the base trains well."""
    training: dict[str, float] = {}
    """Other dials of the training, by name: see ``train_lora.Options``."""
    base: str = "croquis"
    rembg: bool = False
    """Cut out by rembg, where it is installed."""
    review: bool = False
    """Wait for somebody's word before training (tags can be mended) and before publishing."""
    sample_every: int = Field(default=0, ge=0, le=5000)
    """Training steps between two sample pictures; 0: none."""
    prompts: tuple[str, ...] = Field(default=(), max_length=4)
    """What the samples show, in words; none: what the card says."""

    @property
    def options(self) -> Options:
        """Every dial of the training. Raises ``UnknownName``, ``BadValue``."""
        steps = {"steps": self.steps} if self.steps else {}
        return with_dials(GARMENTS[self.base], self.training | steps)


def start(
    jobs: Jobs,
    catalog: Catalog,
    name: str,
    photos: Path | Sequence[tuple[str, bytes]],
    *,
    category: str | None = None,
    tags: Sequence[str] = (),
    without: Sequence[str] = (),
    price: float = 0.0,
    steps: int | None = None,
    base: str = "croquis",
    threshold: float = 0.35,
    rembg: bool = False,
    review: bool = False,
    sample_every: int = 0,
    prompts: Sequence[str] = (),
    training: Mapping[str, float] | None = None,
    owner: str | None = None,
) -> str:
    """Check everything and queue the job; returns its id. ``Jobs.run`` does the work.

    ``photos``: a folder, a zip file, or files as names and bytes; they are copied. The other
    arguments are fields of ``Order``.

    Raises ``BadValue`` (name, photos, a number), ``UnknownName`` (category, base), ``Busy``,
    ``ModelUnavailable`` (rembg).
    """
    if base not in BASES:
        raise UnknownName.among("base", base, BASES)
    if category is not None and category not in CATEGORIES:
        raise UnknownName.among("category", category, CATEGORIES)
    try:
        order = Order(
            id=_id_of(name), name=name.strip(), category=category, tags=tuple(tags),
            without=tuple(without), price=price, steps=steps, base=base, review=review,
            sample_every=sample_every, prompts=tuple(prompts), threshold=threshold, rembg=rembg,
            training=dict(training or {}),
        )  # fmt: skip
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        raise BadValue(
            f"{wrong['loc'][0]}: {clip(wrong['msg'], 160)}.", "Give another value."
        ) from error
    Choice(order.threshold, order.tags, order.without)  # says which tag is none
    order.options  # noqa: B018  and which dial
    if rembg:
        check_rembg()
    if order.id in catalog.store.ids():
        raise BadValue(f"There is already a garment “{order.id}”.", "Give yours another name.")
    intake = read_photos(photos)
    if len(intake.distinct) < LEAST_PHOTOS:
        found = f"{len(intake.distinct)} different usable photos"
        bad = "; ".join(f"{n}: {why}" for n, why in intake.refused[:5])
        raise BadValue(
            f"There are {found}, and a garment needs at least {LEAST_PHOTOS}."
            + (f" Refused: {bad}" if bad else ""),
            "About ten of one garment, from several sides, are best.",
        )
    notes: dict[str, Any] = {"refused": intake.refused, "duplicates": [], "photos": []}
    files: dict[str, bytes] = {}
    for photo in intake.photos:
        if photo.duplicate_of:
            notes["duplicates"].append((photo.name, photo.duplicate_of))
            continue
        file = f"{len(files):02}.png"
        files[f"photos/{file}"] = pixels_png(photo.pixels)
        notes["photos"].append(
            {"file": file, "name": photo.name, "blurred": photo.blurred, "caption": photo.caption}
        )
    files["photos.json"] = json.dumps(notes).encode()
    return jobs.add(KIND, order.model_dump(mode="json"), files=files, owner=owner)


def _id_of(name: str) -> str:
    """A garment's id from its name. Raises ``BadValue`` when nothing can be made of it."""
    if not isinstance(name, str) or not _NAME.fullmatch(name.strip()):
        raise BadValue(
            f"“{clip(name)}” is no name for a garment.",
            "A name has 1 to 120 letters, digits, spaces and - ' & . , ( ) +.",
        )
    words = re.findall(r"[a-z0-9]+", name.lower())
    id = "-".join(words)[:60].strip("-")
    if len(id) < 2:
        raise BadValue(
            f"“{clip(name)}” has too few Latin letters to make an id of.", "Add an English word."
        )
    return id
