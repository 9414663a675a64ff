"""Jobs: long work with an id, progress, cancel and resume; each job one folder, one process at it.

    <home>/jobs/<id>/job.json      what is to be done: written once
                    state.json     how far it is: swapped by one rename
                    lock           held by the operating system for the process that runs it
                    cancel         somebody asked it to stop
                    kept/          what its finished stages came to

A process that dies lets go of its lock, so a job that says it runs and that nobody holds was
interrupted: it is queued again, and goes on after its last finished stage.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import filelock
from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.errors import BadValue, Busy, Cancelled, CannotNow, Damaged, StylistError, UnknownName
from catalog.store import sync_folder

State = Literal["queued", "running", "done", "failed", "cancelled", "unknown"]
FINISHED = ("done", "failed", "cancelled")
MAX_WAITING = 32
"""Jobs that may wait in one queue."""
MAX_ARGUMENTS = 64 << 10
"""Bytes of a job's arguments as JSON."""
DISK_RESERVE = 64 << 20
"""Bytes that stay free on the disk whatever a job keeps."""

_ID = re.compile(r"job-[0-9a-f]{12}")
_QUEUE = re.compile(r"[a-z]{1,20}")
_STAGE = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_EVERY = 0.25
"""Seconds between two notes of progress, and between two looks at the queue."""


class Status(BaseModel):
    """What is known of a job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    state: State
    kind: str = ""
    queue: str = ""
    owner: str | None = None
    """Who started it; None = the person at this machine."""
    created: float = 0.0
    """Seconds since 1970."""
    seconds: float = 0.0
    """How long it has worked, all tries together."""
    stage: str = ""
    step: int = 0
    steps: int = 0
    message: str = ""
    """What to do next, where there is something to do."""
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None


class Paused(Exception):
    """The job waits for somebody's word: it is queued again, and nobody runs it."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage, self.message = stage, message


class Run:
    """A job at work: what its kind's function is given."""

    def __init__(
        self, folder: Path, arguments: dict[str, Any], note: Callable[..., None], cancel: _Asked
    ) -> None:
        self.folder = folder / "kept"
        """Where the job may keep files; what is there is there again after a resume."""
        self.arguments = arguments
        self.cancel: threading.Event = cancel
        """Set when somebody asked the job to stop."""
        self._note = note

    def tell(self, stage: str, step: int = 0, steps: int = 0) -> None:
        """Say how far the job is. Raises ``Cancelled`` when it was asked to stop."""
        if self.cancel.is_set():
            raise Cancelled("The job was stopped.", "What it finished is kept: resume it any time.")
        self._note(stage=stage, step=step, steps=steps)

    def once(self, stage: str, work: Callable[[], Any]) -> Any:
        """What ``work`` returns (JSON), from the last try when that finished the stage.

        ``stage``: lower-case letters, digits and hyphens.
        """
        if not _STAGE.fullmatch(stage):
            raise ValueError(f"{stage} is no name for a stage")
        path = self.folder / f"{stage}.json"
        if path.exists():
            return json.loads(path.read_bytes())
        self.tell(stage)
        found = work()
        self.keep(path.name, json.dumps(found).encode())
        return json.loads(path.read_bytes())

    def wait_for(self, stage: str, message: str) -> None:
        """Go no further until ``Jobs.keep`` has written ``<stage>.json``; ``message`` says why."""
        if not (self.folder / f"{stage}.json").exists():
            raise Paused(stage, message)

    def keep(self, name: str, data: bytes) -> Path:
        """Write a file of the job whole or not at all. Raises ``CannotNow`` on a full disk."""
        return _keep(self.folder, name, data)


Work = Callable[[Run], dict[str, Any]]


class Jobs:
    """The jobs of a home. ``kinds``: what can be done, by name."""

    def __init__(self, home: Path, kinds: Mapping[str, Work]) -> None:
        self.folder = Path(home) / "jobs"
        self._kinds = kinds

    # ---------------------------------------------------------------- asking

    def status(self, id: str) -> Status:
        """What is known of job ``id``; an id that does not exist is ``unknown``.

        Raises ``Damaged`` when its files cannot be read.
        """
        if not isinstance(id, str) or not _ID.fullmatch(id):
            return Status(id=str(id)[:60], state="unknown")
        return self._read(id)[0]

    def list(self) -> list[Status]:
        """All jobs that can be read, oldest first."""
        found = []
        for folder in self.folder.glob("job-*") if self.folder.exists() else ():
            try:
                found.append(self.status(folder.name))
            except Damaged as error:
                found.append(Status(id=folder.name, state="failed", error=error.as_dict()))
        return sorted((s for s in found if s.state != "unknown"), key=lambda s: (s.created, s.id))

    # ---------------------------------------------------------------- changing

    def add(
        self,
        kind: str,
        arguments: dict[str, Any],
        *,
        queue: str = "train",
        files: Mapping[str, bytes] | None = None,
        owner: str | None = None,
    ) -> str:
        """A new queued job; returns its id.

        ``arguments``: JSON values. ``owner``: who starts it. ``files``: what lies in its ``kept``
        folder from the start, by relative name. Raises ``UnknownName`` for a kind that does not
        exist, ``Busy`` when the queue is full, ``CannotNow`` when the folder cannot be written.
        """
        if kind not in self._kinds:
            raise UnknownName.among("kind of job", kind, self._kinds)
        if not _QUEUE.fullmatch(queue):
            raise ValueError(f"{queue} is no name for a queue")
        waiting = [s for s in self.list() if s.queue == queue and s.state == "queued"]
        if len(waiting) >= MAX_WAITING:
            raise Busy(
                f"{len(waiting)} jobs wait already.",
                "Resume or cancel some of them: `stylist job list`.",
            )
        id = f"job-{secrets.token_hex(6)}"
        facts = {
            "kind": kind, "queue": queue, "owner": owner, "created": time.time(),
            "arguments": arguments,
        }  # fmt: skip
        data = json.dumps(facts).encode()
        if len(data) > MAX_ARGUMENTS:
            raise BadValue("A job is described in at most 64 KB.", "Say less.")
        partial = self.folder / f".{id}"
        try:
            (partial / "kept").mkdir(parents=True)
            if (
                shutil.disk_usage(partial).free
                < sum(map(len, (files or {}).values())) + DISK_RESERVE
            ):
                raise CannotNow("The disk is full.", "Free some space and start it again.")
            for name, content in (files or {}).items():
                (partial / "kept" / name).parent.mkdir(exist_ok=True)
                _swap(partial / "kept" / name, content)
            _swap(partial / "job.json", data)
            os.rename(partial, self.folder / id)
        except OSError as error:
            raise _unwritable(error) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)  # nothing is there when all went well
        return id

    def arguments(self, id: str) -> dict[str, Any]:
        """What job ``id`` was started with. Raises ``UnknownName``, ``Damaged``."""
        return self._known(id)[1]

    def keep(self, id: str, name: str, data: bytes) -> None:
        """Write a file into the ``kept`` folder of a job that nobody runs.

        Raises ``UnknownName``, ``Busy`` (it is being run), ``CannotNow``.
        """
        with self._held(id):
            try:
                _keep(self.folder / id / "kept", name, data)
            except OSError as error:
                raise _unwritable(error) from error

    def cancel(self, id: str) -> Status:
        """Ask job ``id`` to stop: at once when nobody runs it, else at its next step.

        Raises ``UnknownName``, ``BadValue`` when it has finished.
        """
        status, _ = self._known(id)
        if status.state in FINISHED:
            raise BadValue(f"The job {id} is {status.state} already.", "There is nothing to stop.")
        (self.folder / id / "cancel").touch()
        try:
            with self._held(id):
                self._write(id, self.status(id), state="cancelled", message=_RESUME.format(id))
        except Busy:
            pass  # the process that runs it sees the file
        return self.status(id)

    def resume(self, id: str) -> None:
        """Take back that job ``id`` was asked to stop; running it is the caller's."""
        (self.folder / id / "cancel").unlink(missing_ok=True)

    def run(
        self,
        id: str,
        *,
        cancel: threading.Event | None = None,
        on_change: Callable[[Status], None] | None = None,
        again: bool = True,
    ) -> Status:
        """Run job ``id`` in this process, from its start or from where it stopped, to its end.

        Waits while another job of its queue runs. ``cancel``: stops it, as ``Jobs.cancel`` does.
        ``again``: what was cancelled before goes on; without it, it stays cancelled.
        How it ended is in the status that comes back; only what nobody foresaw is raised.

        Raises ``UnknownName``, ``BadValue`` (it is done), ``Busy`` (another process runs it).
        """
        tell = on_change or (lambda _: None)
        with self._held(id):
            status, arguments = self._known(id)
            if status.state == "done":
                raise BadValue(f"The job {id} is done.", "Start a new one.")
            if status.kind not in self._kinds:
                raise UnknownName.among("kind of job", status.kind, self._kinds)
            folder = self.folder / id
            if again:
                self.resume(id)
            asked = _Asked(folder / "cancel", cancel)
            began, before, noted = time.monotonic(), status.seconds, 0.0

            def note(*, durable: bool = False, **changes: Any) -> None:
                nonlocal status, noted
                now = time.monotonic()
                same = status.stage == changes.get("stage", status.stage)
                if not durable and same and now - noted < _EVERY:
                    return
                noted = now
                changes.setdefault("seconds", round(before + now - began, 2))
                status = self._write(id, status, **changes)
                tell(status)

            try:
                # 1. its turn
                note(state="queued", message="", error=None, stage="waiting", durable=True)
                with self._turn(status, asked):
                    # 2. the work
                    note(state="running", stage="starting", durable=True)
                    result = self._kinds[status.kind](Run(folder, arguments, note, asked))
                # 3. how it ended
                note(state="done", result=result, stage="done", message="", durable=True)
            except Paused as asked_for:
                waits = {"stage": asked_for.stage, "message": asked_for.message}
                note(state="queued", step=0, steps=0, **waits, durable=True)
            except Cancelled:
                note(state="cancelled", message=_RESUME.format(id), durable=True)
            except StylistError as error:
                note(state="failed", error=error.as_dict(), durable=True)
            except FileNotFoundError as error:
                note(state="failed", error=_gone(error).as_dict(), durable=True)
            except OSError as error:
                note(state="failed", error=_unwritable(error).as_dict(), durable=True)
            except Exception:
                unforeseen = {
                    "type": "Unexpected",
                    "message": "Something went wrong inside the program.",
                    "hint": f"What it finished is kept. Report it; try `stylist job resume {id}`.",
                }
                note(state="failed", error=unforeseen, durable=True)
                raise
            return status

    # ---------------------------------------------------------------- locks and files

    @contextmanager
    def _held(self, id: str) -> Iterator[None]:
        """This process alone works on job ``id``. Raises ``UnknownName``, ``Busy``."""
        self._known(id)
        lock = _lock(self.folder / id / "lock")
        try:
            # somebody who only looks whether it is held holds it for a moment
            lock.acquire(timeout=1.0)
        except filelock.Timeout as error:
            raise Busy(
                f"Another process runs the job {id}.", f"Watch it: `stylist job watch {id}`."
            ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _turn(self, status: Status, asked: _Asked) -> Iterator[None]:
        """Hold the queue: one job of it runs at a time, the oldest that is waited for first."""
        lock = _lock(self.folder / f"{status.queue}.lock")
        while True:
            if asked.is_set():
                raise Cancelled("The job was stopped.", "Resume it any time.")
            if not self._older(status):
                try:
                    lock.acquire(timeout=0.05)
                    break
                except filelock.Timeout:
                    pass
            time.sleep(_EVERY)
        try:
            yield
        finally:
            lock.release()

    def _older(self, ours: Status) -> bool:
        """Whether somebody waits with an older job of the same queue."""
        return any(
            s.queue == ours.queue
            and s.state in ("queued", "running")
            and (s.created, s.id) < (ours.created, ours.id)
            and self._alive(s.id)
            for s in self.list()
        )

    def _alive(self, id: str) -> bool:
        """Whether a process holds job ``id``."""
        lock = _lock(self.folder / id / "lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return True
        lock.release()
        return False

    def _known(self, id: str) -> tuple[Status, dict[str, Any]]:
        if isinstance(id, str) and _ID.fullmatch(id) and (self.folder / id).is_dir():
            return self._read(id)
        raise UnknownName.among("job", id, [s.id for s in self.list()][-40:])

    def _read(self, id: str) -> tuple[Status, dict[str, Any]]:
        folder = self.folder / id
        try:
            facts = json.loads((folder / "job.json").read_bytes())
            arguments = facts.pop("arguments")
            status = Status(id=id, state="queued", **facts)
            if (folder / "state.json").exists():
                status = Status.model_validate_json((folder / "state.json").read_bytes())
        except FileNotFoundError:
            return Status(id=id, state="unknown"), {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
            raise Damaged(
                f"The files of the job {id} cannot be read ({folder}).", "Start it anew."
            ) from error
        if status.state in ("queued", "running") and not self._alive(id):
            # its process may have come to its end between the two looks
            if (folder / "state.json").exists():
                status = Status.model_validate_json((folder / "state.json").read_bytes())
            if status.state in ("queued", "running") and not status.message:
                how = "It was interrupted. Go on" if status.stage else "Nobody runs it yet. Do"
                message = f"{how}: `stylist job resume {id}`."
                status = status.model_copy(update={"state": "queued", "message": message})
        return status, arguments

    def _write(self, id: str, status: Status, **changes: Any) -> Status:
        status = Status.model_validate(status.model_dump() | changes)
        _swap(self.folder / id / "state.json", status.model_dump_json().encode())
        return status


_RESUME = "What it finished is kept. Go on: `stylist job resume {}`."


class _Asked(threading.Event):
    """Set when the job's ``cancel`` file is there or the caller's own event is set."""

    def __init__(self, file: Path, also: threading.Event | None) -> None:
        super().__init__()
        self._file, self._also = file, also

    def is_set(self) -> bool:
        if not super().is_set() and (
            (self._also is not None and self._also.is_set()) or self._file.exists()
        ):
            self.set()
        return super().is_set()


def _keep(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < len(data) + DISK_RESERVE:
        raise CannotNow("The disk is full.", "Free some space and resume the job.")
    _swap(path, data)
    return path


def _lock(path: Path) -> filelock.FileLock:
    return filelock.FileLock(path, preserve_lock_file=True)


def _swap(path: Path, data: bytes) -> None:
    """Write ``path`` whole: flushed under another name, one rename, the folder flushed."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(partial, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _gone(error: FileNotFoundError) -> Damaged:
    name = Path(str(error.filename or "")).name
    return Damaged(f"A file of the job is gone: {name or 'its name is unknown'}.", "Start it anew.")


def _unwritable(error: OSError) -> CannotNow:
    return CannotNow(
        f"The job's folder cannot be written ({error.strerror or type(error).__name__}).",
        "Free some space, or point STYLIST_HOME at a folder you may write to; then resume it.",
    )
