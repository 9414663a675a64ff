"""One folder per garment: card, photos, LoRA; written once, swapped in by one rename.

    <home>/catalog/
        garments/<id>/card.json, photos/NN.png, lora-<sha12>.safetensors
        seasons/<season>/card.json, lora-<sha12>.safetensors
        generation      a number that grows with every change
        lock            held by the one writer; lock.json says who

LoRA files are immutable: a new training adds a file and the card moves on to it, so that old looks
can still be replayed. Names beginning with a dot are unfinished or discarded and are swept away by
the next writer.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock
from pydantic import ValidationError

from catalog.errors import BadValue, Busy, CannotNow, Damaged, ModelUnavailable, UnknownName, clip
from catalog.garment import SEASONS, Garment
from catalog.lora_file import LoraFile, check_lora_file, read_lora, sha256_of
from catalog.photo_file import photo_png

__all__ = ["Store", "check_lora_file", "LoraFile"]

MAX_PHOTOS = 64
MAX_CARD_BYTES = 64 << 10
DISK_RESERVE = 32 << 20
"""Bytes that stay free on the disk whatever is added."""

PATIENCE = 60.0
"""Seconds that a trained LoRA waits for the catalog: it must not be lost to somebody's rebuild."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,63}")
_SHA = re.compile(r"[0-9a-f]{64}")
REBUILD = "Run `stylist catalog rebuild`."


class Store:
    """The folders of ``<home>/catalog``: reading needs no lock, every change takes the one lock."""

    def __init__(self, home: Path) -> None:
        self.root = Path(home) / "catalog"
        self.garments = self.root / "garments"
        self.seasons = self.root / "seasons"
        self._held = threading.local()

    # ---------------------------------------------------------------- reading

    @property
    def generation(self) -> int:
        """Grows with every change; 0 for a catalog nothing was ever written to."""
        try:
            return int((self.root / "generation").read_text("ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError):
            return -1  # unreadable: equal to no generation a writer ever gave

    def ids(self) -> list[str]:
        """Ids of all garment folders, sorted; nothing is read in them."""
        try:
            with os.scandir(self.garments) as entries:
                return sorted(
                    e.name
                    for e in entries
                    if _ID.fullmatch(e.name) and e.is_dir(follow_symlinks=False)
                )
        except FileNotFoundError:
            return []

    def folder(self, id: str) -> Path:
        """The folder of garment ``id``. Raises ``UnknownName`` naming the nearest ids."""
        if isinstance(id, str) and _ID.fullmatch(id):
            path = self.garments / id
            if path.is_dir() and not path.is_symlink():
                return path
        raise UnknownName.among("garment", id, self.ids())

    def card(self, id: str) -> Garment:
        """The card of garment ``id``. Raises ``UnknownName``, ``Damaged``."""
        path = self.folder(id) / "card.json"
        try:
            if path.stat().st_size > MAX_CARD_BYTES:
                raise ValueError("too large")
            card = Garment.model_validate_json(path.read_bytes())
            if card.id != id:
                raise ValueError("of another garment")
        except (OSError, ValueError, ValidationError) as error:
            raise Damaged(f"The card of “{id}” cannot be read ({path}).", REBUILD) from error
        return card

    def photos(self, id: str) -> list[Path]:
        """Photo files of garment ``id``, in order. Raises ``UnknownName``, ``Damaged``."""
        found = sorted((self.folder(id) / "photos").glob("[0-9][0-9].png"))
        if not found:
            raise Damaged(f"The photos of “{id}” are missing.", REBUILD)
        return found

    def lora(self, id: str, sha256: str | None = None) -> Path:
        """The LoRA of garment ``id``, its content checked against the card.

        ``sha256``: an earlier version's hash (a receipt's), instead of the card's.
        Raises ``UnknownName``, ``ModelUnavailable`` (not trained yet), ``Damaged``.
        """
        wanted = sha256 or self.card(id).lora_sha256
        return self._lora_in(self.folder(id), wanted, id, id)

    def season_lora(self, season: str, sha256: str | None = None) -> Path:
        """The LoRA of a season, checked like a garment's."""
        self._known_season(season)
        wanted = sha256 or self.season_sha256(season)
        return self._lora_in(self.seasons / season, wanted, season, season)

    def season_sha256(self, season: str) -> str:
        """Content hash of a season's LoRA; "" when it has none. Raises ``Damaged``."""
        self._known_season(season)
        path = self.seasons / season / "card.json"
        try:
            sha = json.loads(path.read_bytes())["lora_sha256"]
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(f"The card of season {season} cannot be read ({path}).", REBUILD) from (
                error
            )
        return str(sha)

    def _known_season(self, season: str) -> None:
        if season not in SEASONS:
            raise UnknownName.among("season", season, SEASONS)

    def _lora_in(self, folder: Path, sha: str, name: str, train: str) -> Path:
        mend = f"Run `stylist catalog rebuild`, or train it again: `stylist catalog train {train}`."
        if not sha:
            raise ModelUnavailable(
                f"“{name}” has no LoRA yet.", f"Train it: `stylist catalog train {train}`."
            )
        if not _SHA.fullmatch(sha):
            raise BadValue("A LoRA hash is 64 hexadecimal digits.", "Take it from the card.")
        path = folder / f"lora-{sha[:12]}.safetensors"
        if not path.is_file():
            raise Damaged(f"The LoRA of “{name}” is missing ({path}).", mend)
        if sha256_of(read_lora(path)) != sha:
            raise Damaged(f"The LoRA of “{name}” was changed or cut short ({path}).", mend)
        return path

    # ---------------------------------------------------------------- writing

    @contextmanager
    def writing(self, what: str, *, wait: float = 0.0) -> Iterator[None]:
        """Hold the catalog's lock while ``what`` is done (shown to whoever comes second).

        Raises ``Busy`` naming the holder if it is not free within ``wait`` seconds. May be nested
        within one thread.
        """
        if getattr(self._held, "depth", 0):
            yield
            return
        try:
            self.garments.mkdir(parents=True, exist_ok=True)
            self.seasons.mkdir(exist_ok=True)
            lock = filelock.FileLock(self.root / "lock", timeout=wait, preserve_lock_file=True)
            lock.acquire()
        except filelock.Timeout as error:
            raise self._busy() from error
        except OSError as error:
            raise _unwritable(error) from error
        self._held.depth = 1
        holder = self.root / "lock.json"
        try:
            died = holder.exists()  # the last writer did not come to its end
            note = {"pid": os.getpid(), "what": what, "since": time.strftime("%H:%M:%S")}
            holder.write_text(json.dumps(note), "utf-8")
            self._sweep()
            if died:
                self._next_generation()
            yield
        except OSError as error:
            raise _unwritable(error) from error
        finally:
            holder.unlink(missing_ok=True)
            self._held.depth = 0
            lock.release()

    def add(
        self, card: Garment, photos: Sequence[bytes], lora: bytes | None = None, *, over=False
    ) -> Garment:
        """Write a garment's folder; the card comes back with its LoRA's hash.

        ``photos``: 1–64 picture files (PNG, JPEG, WebP) as bytes; they are turned upright,
        stripped of metadata and kept as PNG. ``over``: replace a folder that is there.
        Raises ``BadValue`` (photo, LoRA, or the id is taken), ``Busy``, ``CannotNow``.
        """
        if not 1 <= len(photos) <= MAX_PHOTOS:
            raise BadValue(f"A garment needs 1 to {MAX_PHOTOS} photos, not {len(photos)}.")
        pictures = [photo_png(data) for data in photos]
        sha = check_lora_file(lora, base=card.base).sha256 if lora is not None else ""
        card = card.model_copy(update={"lora_sha256": sha})
        files = {f"photos/{i:02}.png": data for i, data in enumerate(pictures)}
        if lora is not None:
            files[f"lora-{sha[:12]}.safetensors"] = lora
        return self.put(card, files, over=over)

    def put(self, card: Garment, files: dict[str, bytes], *, over: bool) -> Garment:
        """Swap in the folder of ``card`` made of checked ``files`` (relative name → content)."""
        with self.writing(f"adding {card.id}"):
            place = self.garments / card.id
            if place.exists() and not over:
                raise BadValue(
                    f"There is already a garment “{card.id}”.",
                    f"Take it out first (`stylist catalog remove {card.id}`), or rename yours.",
                )
            files = {**files, "card.json": _card_json(card)}
            self._room(sum(map(len, files.values())))
            fresh = self.garments / f".new-{card.id}-{secrets.token_hex(4)}"
            (fresh / "photos").mkdir(parents=True)
            _write_all(fresh, files)
            if place.exists():
                for old in place.glob("lora-*.safetensors"):
                    if old.name not in files:  # earlier versions stay for replays
                        shutil.copyfile(old, fresh / old.name)
                os.rename(place, self.garments / f".old-{card.id}-{secrets.token_hex(4)}")
            os.rename(fresh, place)
            sync_folder(self.garments)
            self._next_generation()
            self._sweep()
        return card

    def replace_lora(
        self, id: str, data: bytes, *, strength: float | None = None, flags: Sequence[str] = ()
    ) -> Garment:
        """Give garment ``id`` a newly trained LoRA; the old file stays for replays.

        ``flags``: what its admission test found; those of the old one go with it.

        Raises ``UnknownName``, ``BadValue`` (not a sound LoRA, wrong base, strength), ``Busy``.
        """
        with self.writing(f"replacing the LoRA of {id}", wait=PATIENCE):
            card = self.card(id)
            sha = check_lora_file(data, base=card.base).sha256
            changes: dict[str, object] = {"lora_sha256": sha, "flags": tuple(flags)}
            changes |= {} if strength is None else {"strength": strength}
            try:
                card = Garment.model_validate(card.model_dump() | changes)
            except ValidationError as error:
                raise BadValue(
                    f"A LoRA strength lies above 0 and at most at 2, not at {clip(strength)}."
                ) from error
            self._swap_file(self.folder(id) / f"lora-{sha[:12]}.safetensors", data)
            self._swap_file(self.folder(id) / "card.json", _card_json(card))
            self._next_generation()
        return card

    def replace_season_lora(self, season: str, data: bytes) -> str:
        """Give a season a newly trained LoRA; returns its content hash."""
        self._known_season(season)
        with self.writing(f"replacing the LoRA of {season}", wait=PATIENCE):
            sha = check_lora_file(data).sha256
            folder = self.seasons / season
            folder.mkdir(exist_ok=True)
            self._swap_file(folder / f"lora-{sha[:12]}.safetensors", data)
            card = json.dumps({"season": season, "lora_sha256": sha}).encode()
            self._swap_file(folder / "card.json", card)
            self._next_generation()
        return sha

    def remove(self, id: str) -> None:
        """Take garment ``id`` out of the catalog. Raises ``UnknownName``, ``Busy``."""
        with self.writing(f"removing {id}"):
            os.rename(self.folder(id), self.garments / f".gone-{id}-{secrets.token_hex(4)}")
            sync_folder(self.garments)
            self._next_generation()
            self._sweep()

    def _swap_file(self, path: Path, data: bytes) -> None:
        """Write ``path`` whole: temporary beside the folders, verified, one rename."""
        self._room(len(data))
        fresh = self.garments / f".new-{secrets.token_hex(8)}"
        _write_all(self.garments, {fresh.name: data})
        os.replace(fresh, path)
        sync_folder(path.parent)

    def write_note(self, name: str, data: bytes) -> None:
        """Write a small file at the catalog's root (under the lock)."""
        with self.writing(f"writing {name}"):
            self._swap_file(self.root / name, data)

    def _next_generation(self) -> None:
        old = self.generation
        new = old + 1 if old >= 0 else time.time_ns() // 1_000_000  # unreadable: above any count
        self._swap_file(self.root / "generation", str(new).encode())

    def _sweep(self) -> None:
        """Delete what killed or finished writes left behind (names beginning with a dot)."""
        for path in self.garments.glob(".*-*"):
            replaced = re.fullmatch(r"\.old-(.+)-[0-9a-f]{8}", path.name)
            if replaced and not (self.garments / replaced[1]).exists():
                os.rename(path, self.garments / replaced[1])  # killed between its two renames
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _room(self, size: int) -> None:
        if shutil.disk_usage(self.root).free < size + DISK_RESERVE:
            raise CannotNow("The disk is full.", f"Free at least {(size + DISK_RESERVE) >> 20} MB.")

    def _busy(self) -> Busy:
        try:
            note = json.loads((self.root / "lock.json").read_text("utf-8"))
            who = f"process {int(note['pid'])} ({clip(note['what'])}, since {clip(note['since'])})"
        except (OSError, ValueError, KeyError, TypeError):
            who = "another process"
        return Busy(
            f"The catalog is being changed by {who}.", "Wait until it has finished and try again."
        )


def _card_json(card: Garment) -> bytes:
    return (card.model_dump_json(indent=1) + "\n").encode("utf-8")


def _write_all(folder: Path, files: dict[str, bytes]) -> None:
    """Write, flush to disk and read back ``files``; fsync every folder touched."""
    for name, data in files.items():
        with open(folder / name, "xb") as file:
            file.write(data)
    for name in files:  # all written before the first flush: one journal commit serves them all
        with open(folder / name, "rb") as file:
            os.fsync(file.fileno())
            if file.read() != files[name]:
                raise CannotNow(f"The disk did not keep {name} as it was written.", "Check it.")
    for parent in {(folder / name).parent for name in files}:
        sync_folder(parent)


def sync_folder(folder: Path) -> None:
    """What was renamed in ``folder`` survives a power cut from here on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(error: OSError) -> CannotNow:
    return CannotNow(
        f"The catalog folder cannot be written ({error.strerror or type(error).__name__}).",
        "Free some space, or point STYLIST_HOME at a folder you may write to.",
    )
