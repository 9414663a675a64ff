"""Garment jobs: started, watched, mended and stopped by people and agents, beside the drawing.

Each runs in a process of its own (``garment_worker``), so that training and drawing share neither
random numbers nor memory, and a job goes on when the server that started it ends. One trains at a
time; the others wait their turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from catalog.errors import BadValue, Busy, CannotNow, UnknownName
from catalog.tags import TagBook, write_captions
from tools.garment_order import KIND, start
from tools.jobs import FINISHED, Jobs, State, Status, Work

if TYPE_CHECKING:
    from catalog.index import Catalog
    from tools.uploads import Uploads

STOPPING = 20.0
"""Seconds that a cancelled job's process is waited for before it is started again."""
MAX_OPEN = 4
"""Jobs that one caller may have queued or running."""
WAITS = ("reviewed", "approved")
"""Stages at which a job may wait: before its training and before it is published."""
ROOT = Path(__file__).parents[1]
_BOOK = "tag-book.json"


class GarmentJob(BaseModel):
    """How far a garment is, in ids and words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    state: State
    stage: str = ""
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    garment: str | None = None
    """Its id in the catalog; wearable once ``state`` is done and ``offered`` is true."""
    offered: bool | None = None
    flags: tuple[str, ...] = ()
    """What the admission test found: weak, overcooked, leaks …"""
    strength: float | None = None
    warnings: tuple[str, ...] = ()
    """What was wrong with the photos."""
    tags: dict[str, int] = {}
    """Tag → on how many photos."""
    assumed: tuple[str, ...] = ()
    error: dict[str, str] | None = None
    next: str = ""
    """What to do now."""


class GarmentJobs:
    """The garment jobs of a home. ``owner``: a caller sees its own jobs, None sees all."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        uploads: Uploads,
        threads: int,
        base: str = "croquis",
        models: Path | None = None,
    ) -> None:
        """``base``: what garments are made for; ``models``: the folder of a hub base's models."""
        self._home, self._catalog, self._uploads = home, catalog, uploads
        self._threads, self._base, self._models = threads, base, models
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._starting: defaultdict[str | None, threading.Lock] = defaultdict(threading.Lock)
        self.jobs = Jobs(home, {KIND: _elsewhere})

    # ---------------------------------------------------------------- start, watch, stop

    def start(
        self,
        name: str,
        photos: Path | Sequence[str | tuple[str, bytes]],
        *,
        category: str | None = None,
        tags: Sequence[str] = (),
        without: Sequence[str] = (),
        price: float = 0.0,
        steps: int | None = None,
        review: bool = False,
        sample_every: int = 0,
        owner: str | None = None,
    ) -> GarmentJob:
        """Make a garment of photos: ids of ``upload_photo``, names and bytes, or a zip.

        Asked for the same garment again while its job is not finished, the answer is that job.

        Raises ``UnknownName`` (a photo, the category), ``BadValue`` (name, photos, a number),
        ``Busy`` (this caller has ``MAX_OPEN`` jobs).
        """
        with self._starting[owner]:  # asked twice at once, the second sees the first's job
            mine = [s for s in self.jobs.list() if s.owner == owner and s.state not in FINISHED]
            for status in mine:
                if self.jobs.arguments(status.id).get("name") == name.strip():
                    return self.status(status.id, owner=owner)
            if len(mine) >= MAX_OPEN:
                raise Busy(f"You have {len(mine)} jobs open.", "Wait for one to end, or cancel it.")
            files: Path | list[tuple[str, bytes]]
            if isinstance(photos, Path):
                files = photos
            else:
                files = [
                    (f"{i:02} {p}.png", self._uploads.read(p, owner)) if isinstance(p, str) else p
                    for i, p in enumerate(photos)
                ]
            id = start(
                self.jobs, self._catalog, name, files, category=category, tags=tags,
                without=without, price=price, steps=steps, base=self._base, review=review,
                sample_every=sample_every, owner=owner,
            )  # fmt: skip
            self._launch(id)
            return self.status(id, owner=owner)

    def status(self, id: str, *, owner: str | None = None) -> GarmentJob:
        """How far job ``id`` is; one that does not exist, or is another caller's, is unknown."""
        status = self._own(id, owner)
        if status is None:
            return GarmentJob(id=str(id)[:60], state="unknown", next="Check the id.")
        kept = self.folder(id)
        found, cuts = _kept(kept / "tags.json"), _kept(kept / "cut-outs.json")
        result = _kept(kept / "admission.json") | (status.result or {})
        facts = status.model_dump(include={"id", "state", "stage", "step", "steps", "seconds"})
        if status.stage in WAITS and not self.waits(id):
            facts["stage"] = ""  # the word was said, its process is on the way
        return GarmentJob(
            **facts,
            error=status.error,
            garment=self.jobs.arguments(id).get("id"),
            offered=result["state"] == "published" if "state" in result else None,
            flags=tuple(result.get("flags", ())),
            strength=result.get("strength"),
            warnings=tuple(result.get("warnings", cuts.get("warnings", ()))),
            tags=self.book(id).counts() if found else {},
            assumed=tuple(found.get("assumed", ())),
            next=self._next(status),
        )

    def cancel(self, id: str, *, owner: str | None = None) -> GarmentJob:
        """Stop a job at its next step; what it finished is kept. Stopping it twice is one.

        Raises ``UnknownName``, ``BadValue`` (it is done or failed).
        """
        status = self._mine(id, owner)
        if status.state != "cancelled":
            status = self.jobs.cancel(id)
            worker = self._workers.get(id)
            if status.state == "cancelled" and worker is not None:
                worker.terminate()  # it had not begun, and would not have seen the word
        return self.status(id, owner=owner)

    def resume(self, id: str, *, owner: str | None = None) -> GarmentJob:
        """Run a job on from where it stopped; what it waits for may be done now.

        Raises ``UnknownName``, ``BadValue`` (it is done).
        """
        status = self._mine(id, owner)
        if status.state == "done":
            raise BadValue(f"The job {id} is done.", "Start a new one.")
        if status.state == "cancelled" and (worker := self._workers.get(id)) is not None:
            try:
                worker.wait(STOPPING)  # it has said its last word, and is on its way out
            except subprocess.TimeoutExpired:
                raise Busy(f"The job {id} is still stopping.", "Try again in a moment.") from None
        if not self.runs(id):
            say_the_word(self.jobs, id)
            self._launch(id)
        return self.status(id, owner=owner)

    def latest(self, owner: str | None) -> str | None:
        """The newest job that ``owner`` started."""
        mine = [s.id for s in self.jobs.list() if s.owner == owner]
        return mine[-1] if mine else None

    # ---------------------------------------------------------------- tags

    def book(self, id: str) -> TagBook:
        """The tags of the job's photos, with what can be undone."""
        kept = self.folder(id)
        book = _kept(kept / _BOOK)
        return TagBook.restored(book) if book else TagBook(_kept(kept / "captions.json"))

    def keep_book(self, id: str, book: TagBook, *, owner: str | None = None) -> None:
        """Keep edited tags; training reads them as captions.

        Raises ``UnknownName``, ``Busy`` (the job is at work), ``BadValue`` (it has trained).
        """
        self._mine(id, owner)
        if (self.folder(id) / "training.json").exists():
            raise BadValue("The garment is trained already.", "Start another job for other tags.")
        self.jobs.keep(id, _BOOK, json.dumps(book.record()).encode())
        write_captions(self.folder(id) / "dataset", book.tags)

    # ---------------------------------------------------------------- what lies behind

    def folder(self, id: str) -> Path:
        """Where the job keeps its files."""
        return self.jobs.folder / id / "kept"

    def runs(self, id: str) -> bool:
        """Whether a process of ours or another works at the job, or is about to."""
        if self.waits(id):
            return False
        worker = self._workers.get(id)
        if worker is not None and worker.poll() is None:
            return True
        status = self.jobs.status(id)
        return status.state in ("queued", "running") and not status.message

    def waits(self, id: str) -> bool:
        """Whether the job waits for somebody's word."""
        status = self.jobs.status(id)
        said = self.folder(id) / f"{status.stage}.json"
        return status.stage in WAITS and bool(status.message) and not said.exists()

    def _own(self, id: str, owner: str | None) -> Status | None:
        status = self.jobs.status(id)
        hidden = owner is not None and status.owner != owner
        return None if hidden or status.state == "unknown" else status

    def _mine(self, id: str, owner: str | None) -> Status:
        status = self._own(id, owner)
        if status is None:
            mine = [s.id for s in self.jobs.list() if owner in (None, s.owner)]
            raise UnknownName.among("job", id, mine[-40:])
        return status

    def _next(self, status: Status) -> str:
        if status.state == "done":
            return "It is in the catalog." if status.result else ""
        if self.waits(status.id):
            return status.message
        if self.runs(status.id):
            return "It is at work; ask again in some seconds."
        return "It stands still; what it finished is kept. It can be resumed."

    def _launch(self, id: str) -> None:
        """A process that runs the job to its end, whatever becomes of this one."""
        self.jobs.resume(id)  # a word said from now on counts, also while the process still starts
        command = [sys.executable, "-m", "tools.garment_worker", str(self._home), id,
                   str(self._threads), str(self._models or "")]  # fmt: skip
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            with open(self.jobs.folder / id / "log", "ab") as log:
                self._workers[id] = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                    start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise CannotNow(
                f"The job {id} could not be started ({error.strerror}).", "Resume it later."
            ) from error


def work(catalog: Catalog, threads: int | None, models: Path | None = None) -> dict[str, Work]:
    """What can be done as a job, by kind. ``models``: the folder of a hub base's models."""
    from tools import new_garment, new_season

    return {
        KIND: new_garment.NewGarment(catalog, threads, models),
        new_season.KIND: new_season.NewSeason(catalog, threads),
    }


def say_the_word(jobs: Jobs, id: str) -> None:
    """Let job ``id`` train or be published, if it waits for that."""
    status = jobs.status(id)
    if status.state == "queued" and status.stage in WAITS and status.message:
        jobs.keep(id, f"{status.stage}.json", b"{}")


def _elsewhere(run: Any) -> dict[str, Any]:
    raise AssertionError("garments are made in processes of their own")


def _kept(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
