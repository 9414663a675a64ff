"""A thread's state: what was said, what was worn, who wears it. One JSON file a thread.

The file is written once, at the end of a turn, to a temporary name and renamed: a turn killed in
the middle leaves the thread as it was before.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import BadValue, Busy, Damaged, UnknownName, clip
from tools.wish import Wish

MAX_MESSAGE = 8000
_MOMENTS, _TURNS = 40, 200
_SAID, _SAID_BEFORE = 300, 6
"""Characters of so many earlier messages: what “it” and “the red one” may point at."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Moment(_Saved):
    """A look as it stood after one turn."""

    plan: dict[str, Any]
    """The ``plan`` of the answer."""
    wish: Wish
    person: dict[str, Any]
    look_id: str | None = None
    seed: int = 0
    drawn: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Garment id → the color, sleeves or length it is drawn with, where a touch-up changed them."""
    pose: str | tuple[tuple[float, float] | None, ...] | None = None
    """``Thread.pose`` as it was then, so that who comes back to this look goes on from its pose."""
    scene: str | None = None
    person_chosen: bool = False


class Turn(_Saved):
    """What was said in one turn."""

    user: str
    reply: str
    look_id: str | None = None


class Thread(_Saved):
    """One conversation."""

    version: int = 1
    id: str
    owner: str = ""
    """Who began it; “” = nobody yet, and who goes on with it has it."""
    person: dict[str, Any]
    """Fields of ``PersonSpec``."""
    person_chosen: bool = False
    """True once somebody said who wears it."""
    language: str = "en"
    pose: str | tuple[tuple[float, float] | None, ...] | None = None
    """The pose asked for, or measured on a picture; None = what suits the occasion."""
    scene: str | None = None
    moments: list[Moment] = Field(default_factory=list)
    undone: list[Moment] = Field(default_factory=list)
    """What was taken back, the first to come again last."""
    turns: list[Turn] = Field(default_factory=list)

    @property
    def now(self) -> Moment | None:
        return self.moments[-1] if self.moments else None

    @property
    def plan(self) -> dict[str, Any] | None:
        return self.now.plan if self.now else None

    @property
    def seed(self) -> int:
        """Where this thread's drawings start from."""
        return _number(self.id, "seed")

    def remember(self, moment: Moment) -> None:
        """Make ``moment`` the present look; earlier ones stay for undo."""
        self.moments, self.undone = [*self.moments, moment][-_MOMENTS:], []

    def went(self, steps: int) -> tuple[list[Moment], list[Moment]]:
        """Moments and undone ones after going ``steps`` back, 0 = to the first, -1 = forward again.

        Raises BadValue when there is nothing in that direction.
        """
        if steps < 0:
            if not self.undone:
                raise BadValue("Nothing was undone.", "Undo something, and it can come back.")
            again = list(reversed(self.undone[steps:]))
            return [*self.moments, *again], self.undone[:steps]
        if len(self.moments) < 2:
            raise BadValue(
                "There is no earlier look to go back to.", "Ask for a change and it can be undone."
            )
        left = 1 if steps == 0 else max(1, len(self.moments) - steps)
        gone = self.moments[left:]
        return self.moments[:left], [*self.undone, *reversed(gone)][-_MOMENTS:]

    def say(self, user: str, reply: str, look_id: str | None) -> None:
        self.turns = [*self.turns, Turn(user=user, reply=reply, look_id=look_id)][-_TURNS:]


def check_message(message: object) -> str:
    """``message`` if it is text a person can have typed; BadValue otherwise."""
    if not isinstance(message, str):
        raise BadValue("The message is not text.", "Send it as a string.")
    if not message.strip():
        raise BadValue("The message is empty.", "Say what you would like to wear, and where to.")
    if len(message) > MAX_MESSAGE:
        raise BadValue(
            f"The message has {len(message)} characters, at most {MAX_MESSAGE} are read.",
            "Say it in fewer words.",
        )
    if "\x00" in message:
        raise BadValue("The message contains a NUL character.", "Remove it and send it again.")
    try:
        message.encode("utf-8")
    except UnicodeEncodeError:
        raise BadValue(
            "The message contains half a character (a lone surrogate).",
            "Send it as proper UTF-8 text.",
        ) from None
    return message


def check_thread(name: str | None) -> str:
    """A valid thread id: ``name``, or a new one when it is None."""
    if name is None:
        return secrets.token_hex(6)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadValue(
            f"“{clip(name)}” cannot name a thread.",
            "Use 1 to 64 letters, digits, dots, dashes or underscores.",
        )
    return name


def _number(thread: str, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}:{thread}".encode()).digest()[:4]) % 2**31


def person_of(thread: str) -> dict[str, Any]:
    """The person a thread starts with: always the same for a thread, different between them."""
    from catalog.croquis.figure import BODIES, HAIR, HAIR_COLORS, PRESENTATIONS, SKINS

    def pick(words, salt: str) -> str:
        names = list(words)
        return names[_number(thread, salt) % len(names)]

    shown = pick(PRESENTATIONS, "presentation")
    hair = {"woman": [h for h in HAIR if h not in ("buzz",)],
            "man": [h for h in HAIR if h in ("short", "curly", "afro", "buzz")]}  # fmt: skip
    skin = pick(SKINS, "skin")
    colors = [c for c in HAIR_COLORS if c != "grey" and (skin not in ("brown", "dark") or c in (
        "black", "brown"))]  # fmt: skip
    return {
        "body": pick(BODIES, "body"),
        "skin": skin,
        "hair": pick(hair.get(shown) or list(HAIR), "hair"),
        "hair_color": pick(colors, "hair color"),
        "presentation": shown,
        "age": "young",
        "seed": _number(thread, "person"),
    }


class Conversations:
    """The threads of one home folder: ``<home>/threads/<id>.json``.

    A thread belongs to its owner: for anybody else it is not there.
    """

    def __init__(self, home: Path) -> None:
        self.folder = Path(home) / "threads"

    def path(self, thread: str) -> Path:
        return self.folder / f"{thread}.json"

    def fresh(self, thread: str, owner: str = "") -> Thread:
        return Thread(id=thread, owner=owner, person=person_of(thread))

    def load(self, thread: str, owner: str = "") -> Thread:
        """The saved thread, a fresh one when there is none.

        Raises UnknownName for a thread of somebody else, and Damaged for a file that cannot be
        read; it is kept aside as ``<id>.json.damaged``, so that the next turn starts afresh.
        """
        path = self.path(thread)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return self.fresh(thread, owner)
        try:
            loaded = Thread.model_validate_json(data)
            if loaded.id != thread:
                raise ValueError("another thread's file")
        except (ValidationError, ValueError) as error:
            path.replace(path.with_suffix(".json.damaged"))
            raise Damaged(
                f"The saved conversation “{clip(thread)}” could not be read.",
                "It was kept aside as a .damaged file; this conversation starts afresh.",
            ) from error
        if not loaded.owner:
            return loaded.model_copy(update={"owner": owner})
        if loaded.owner != owner:
            raise UnknownName(
                f"There is no conversation “{clip(thread)}” of yours.",
                "Start a new one, or use another name.",
            )
        return loaded

    def is_of(self, thread: str, owner: str) -> bool:
        """Whether a saved thread is ``owner``'s."""
        with suppress(OSError, ValueError):  # a ValidationError is one too
            saved = Thread.model_validate_json(self.path(check_thread(thread)).read_bytes())
            return saved.id == thread and saved.owner == owner
        return False

    def mine(self, owner: str = "") -> list[Thread]:
        """Every readable thread of ``owner``, the one used last first."""
        found = []
        files = self.folder.glob("*.json") if self.folder.exists() else ()
        for path in sorted(files, key=lambda p: -p.stat().st_mtime):
            with suppress(OSError, ValidationError, ValueError):
                thread = Thread.model_validate_json(path.read_bytes())
                if thread.owner == owner and thread.id == path.stem:
                    found.append(thread)
        return found

    def existing(self, thread: str, owner: str = "") -> Thread:
        """A saved thread of ``owner``; raises UnknownName naming the nearest ones."""
        if self.path(check_thread(thread)).exists():
            return self.load(thread, owner)
        raise UnknownName.among("conversation", thread, [t.id for t in self.mine(owner)])

    def export(self, thread: str, owner: str = "") -> dict[str, Any]:
        """Everything kept about a thread, as plain JSON. Raises UnknownName."""
        return self.existing(thread, owner).model_dump(mode="json")

    def save(self, thread: Thread) -> None:
        """Write the thread whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(thread.id)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        try:
            with open(fresh, "w", encoding="utf-8") as file:
                file.write(thread.model_dump_json())
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)

    def delete(self, thread: str, owner: str = "") -> bool:
        """Forget a thread, with whatever damaged copy there is; whether there was one.

        Raises UnknownName for a thread of somebody else, Busy while it is being answered.
        """
        path = self.path(check_thread(thread))
        with self.turn(thread):
            aside = path.with_suffix(".json.damaged")
            existed = path.exists()
            if existed:
                with suppress(Damaged):
                    self.load(thread, owner)
            path.unlink(missing_ok=True)
            if existed:
                aside.unlink(missing_ok=True)
        return existed

    @contextmanager
    def turn(self, thread: str) -> Iterator[None]:
        """Hold the thread for one turn; Busy when another message is being answered."""
        from filelock import FileLock, Timeout

        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / f"{thread}.lock", timeout=2.0)
        try:
            lock.acquire()
        except Timeout:
            raise Busy(
                "This conversation is still answering another message.",
                "Wait for it to finish, or use another thread.",
            ) from None
        try:
            yield
        finally:
            lock.release()


def note(
    thread: Thread, drawing: bool, marked: dict[str, Any] | None = None, number: int | None = None
) -> dict[str, Any]:
    """What a model is told about the conversation so far: plain JSON, data only.

    ``marked``: what the person points at in the picture; ``number``: the look they name.
    """
    from catalog.croquis.figure import POSES
    from catalog.croquis.scene import SCENES
    from tools.wish import OCCASIONS

    now = thread.now
    named: dict[str, Any] = {}
    if number is not None:
        looks = [*thread.moments, *reversed(thread.undone)][number - 1 : number]
        if looks:
            plan = looks[0].plan
            named = {"named": {"number": number, "plan": plan, **_pieces_of(plan)}}
    return {
        "drawing": drawing,
        "language": thread.language,
        "person": thread.person,
        "person_chosen": thread.person_chosen,
        "wish": now.wish.model_dump(mode="json", exclude_defaults=True) if now else None,
        "plan": now.plan if now else None,
        "first": _pieces_of(thread.moments[0].plan) if len(thread.moments) > 1 else None,
        "before": thread.moments[-2].plan if len(thread.moments) > 1 else None,
        "left": thread.undone[-1].plan if thread.undone else None,
        "said": [clip(t.user, _SAID) for t in thread.turns[-_SAID_BEFORE:]],
        "look": now.look_id if now else None,
        **({"marked": marked} if marked else {}),
        **named,
        "earlier_looks": max(len(thread.moments) - 1, 0),
        "undone": len(thread.undone),
        "words": {"poses": list(POSES), "scenes": list(SCENES), "occasions": list(OCCASIONS)},
    }


def _pieces_of(plan: dict[str, Any]) -> dict[str, Any]:
    return {"garments": [{"id": g["id"], "slot": g["slot"]} for g in plan["garments"]]}


def note_text(state: dict[str, Any]) -> str:
    return f"## The conversation so far\n\n```json\n{json.dumps(state, ensure_ascii=False)}\n```"


def note_of(text: str) -> dict[str, Any]:
    """The note inside a system message; {} when there is none."""
    found = re.search(r"```json\n(\{.*\})\n```\s*$", text, re.S)
    try:
        state = json.loads(found.group(1)) if found else {}
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}
