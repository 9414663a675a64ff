"""The starter catalog into a store: on first use, after an update, and to mend what broke.

``starter.json`` in the catalog says what was installed. It is written last, so an interrupted
installation goes on where it stopped. A garment the person removed or changed stays that way; one
that is as it came follows the program: a new card, a new LoRA, or photos drawn differently.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from catalog.croquis import palette
from catalog.errors import Busy, Damaged, ModelUnavailable
from catalog.garment import Garment
from catalog.lora_file import check_lora_file
from catalog.photo_file import photo_pixels, pixels_png
from catalog.starter import (
    starter_garments,
    starter_lora_file,
    starter_loras,
    starter_photos,
    starter_seasons,
)
from catalog.store import Store

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, how many there are."""

_NOTE = "starter.json"
_WAIT = 120.0
"""Seconds a second process waits while a first one installs."""


def install_starter(store: Store, progress: Progress | None = None) -> int:
    """Bring the starter garments and seasons into ``store``; returns how many were written.

    A few stat calls when everything is there already; an update of an installed catalog is put off
    while somebody else writes. Raises ``Busy`` when another process holds a catalog that was never
    installed for longer than two minutes, ``CannotNow`` when the disk is full.
    """
    before = _note(store)
    if before.get("stamp") == (stamp := _stamp()):
        return 0
    if not before:
        return _install(store, stamp, _WAIT, progress)
    try:
        return _install(store, stamp, 0.0, progress)
    except Busy:
        return 0  # the update waits for the next opening; what is installed works meanwhile


def _install(store: Store, stamp: str, wait: float, progress: Progress | None) -> int:
    with store.writing("installing the starter catalog", wait=wait):
        note = _note(store)
        if note.get("stamp") == stamp:
            return 0
        before, garments, written = note.get("cards", {}), starter_garments(), 0
        present = set(store.ids())
        after: dict[str, str] = {}
        for done, garment in enumerate(garments):
            if progress:
                progress(f"installing {garment.name}", done, len(garments))
            after[garment.id] = f"{_digest(garment)}:{_first_photo(garment)}"
            installed = before.get(garment.id)
            if installed != after[garment.id] and _wants(store, garment, installed, present):
                _write(store, garment)
                written += 1
        for season, sha in starter_seasons().items():
            if note.get("seasons", {}).get(season) != sha:
                store.replace_season_lora(
                    season, starter_lora_file(f"season-{season}").read_bytes()
                )
                written += 1
        full = {"stamp": stamp, "cards": before | after, "seasons": starter_seasons()}
        store.write_note(_NOTE, json.dumps(full, indent=1).encode())
        if progress:
            progress("the starter catalog is installed", len(garments), len(garments))
    return written


def mend(store: Store, progress: Progress | None = None) -> dict[str, Damaged]:
    """Check every folder and put broken starter garments and seasons back as they came.

    Returns what is still damaged, by id.
    """
    still: dict[str, Damaged] = {}
    with store.writing("rebuilding", wait=0.0):
        ours = {garment.id: garment for garment in starter_garments()}
        ids = store.ids()
        for done, id in enumerate(ids):
            if progress:
                progress(f"checking {id}", done, len(ids))
            problem = _problem(store, id)
            if problem and id in ours:
                _write(store, ours[id])
            elif problem:
                still[id] = problem
        for season in starter_seasons():
            try:
                store.season_lora(season)
            except (Damaged, ModelUnavailable):
                store.replace_season_lora(
                    season, starter_lora_file(f"season-{season}").read_bytes()
                )
    return still


def _wants(store: Store, garment: Garment, installed: str | None, present: set[str]) -> bool:
    """Whether ``garment`` must be written: new, or changed in the program but not by the person."""
    if garment.id not in present:
        return installed is None
    if installed is None:
        return False  # an interrupted installation had come this far, or it is the person's own
    try:
        return _digest(store.card(garment.id)) == installed.split(":")[0]
    except Damaged:
        return True


def _write(store: Store, garment: Garment) -> None:
    files = {
        f"photos/{i:02}.png": pixels_png(picture)
        for i, picture in enumerate(starter_photos(garment))
    }
    if garment.lora_sha256:
        data = starter_lora_file(garment.id).read_bytes()
        check_lora_file(data, sha256=garment.lora_sha256, base=garment.base)
        files[f"lora-{garment.lora_sha256[:12]}.safetensors"] = data
    store.put(garment, files, over=True)


def _problem(store: Store, id: str) -> Damaged | None:
    try:
        card = store.card(id)
        for photo in store.photos(id):
            try:
                photo_pixels(photo.read_bytes())
            except (OSError, ValueError, SyntaxError) as error:
                raise Damaged(
                    f"A photo of “{id}” cannot be read ({photo}).", "Add the garment again."
                ) from error
        if card.lora_sha256:
            store.lora(id)
    except Damaged as problem:
        return problem
    return None


def _digest(garment: Garment) -> str:
    # flags tell of the LoRA, whose hash is on the card too; cards of before had none, nor shades
    without = {"flags"} if garment.shades else {"flags", "shades"}
    return hashlib.sha256(garment.model_dump_json(exclude=without).encode()).hexdigest()


def _first_photo(garment: Garment) -> str:
    """Content hash of the first photo: changes when the wardrobe draws the garment differently."""
    return hashlib.sha256(starter_photos(garment, 1)[0].tobytes()).hexdigest()[:16]


def _note(store: Store) -> dict:
    try:
        note = json.loads((store.root / _NOTE).read_bytes())
        return note if isinstance(note, dict) else {}
    except (OSError, ValueError):
        return {}


def _stamp() -> str:
    """Changes when a starter file or the drawing code does: names, sizes, times, nothing read."""
    folder = starter_loras()
    code = Path(palette.__file__).parent.glob("*.py")
    files = [folder.parent / "garments.json", *sorted(folder.glob("*.safetensors")), *sorted(code)]
    facts = [(f.name, s.st_size, s.st_mtime_ns) for f in files if (s := Path(f).stat())]
    return hashlib.sha256(repr(facts).encode()).hexdigest()
