"""Bearer tokens: who another agent is and what it may do; only their hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import filelock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from catalog.errors import BadValue, Busy, Damaged, NotAllowed, UnknownName, clip

Right = Literal["look", "touch", "train"]
RIGHTS: tuple[Right, ...] = ("look", "touch", "train")
"""look: search, plan, draw. touch: change a drawn look. train: make garments."""
PREFIX = "stylist_"
MAX_DAYS = 3650
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Token(BaseModel):
    """What is kept of a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The caller: looks and photos are kept under it, so a name is never given to another."""
    sha256: str
    may: tuple[Right, ...]
    created: datetime
    expires: datetime
    revoked: datetime | None = None

    def state(self, now: datetime | None = None) -> Literal["valid", "expired", "revoked"]:
        if self.revoked is not None:
            return "revoked"
        return "valid" if (now or datetime.now(UTC)) < self.expires else "expired"


_FILE = TypeAdapter(tuple[Token, ...])


class Tokens:
    """The tokens of one home folder: ``<home>/tokens.json``, readable by its owner alone.

    Every ``verify`` sees what any process created or revoked before it.
    """

    def __init__(self, home: Path) -> None:
        self._path = Path(home) / "tokens.json"
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int], tuple[Token, ...]] | None = None

    def create(
        self, name: str, may: Iterable[str], *, days: int = 90, renew: bool = False
    ) -> tuple[Token, str]:
        """A new token and its secret, which nothing keeps: show it now or never.

        ``renew``: give the caller of that name a new secret in place of its old one.

        Raises:
            BadValue: a name that is taken or cannot be one, no such right, days outside 1–3650.
            UnknownName: ``renew`` of a name that was never given.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadValue(
                f"“{clip(name)}” cannot name a caller.",
                "Use 1 to 32 small letters, digits or dashes, a letter or digit first.",
            )
        asked = list(may)
        for right in asked:
            if right not in RIGHTS:
                raise UnknownName.among("right", right, RIGHTS)
        if not asked:
            raise BadValue("A token must allow something.", f"--may takes {', '.join(RIGHTS)}.")
        if not 1 <= days <= MAX_DAYS:
            raise BadValue(
                f"A token cannot last {clip(days)} days.", f"Give a number from 1 to {MAX_DAYS}."
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        token = Token(
            name=name,
            sha256=_sha256(secret),
            may=tuple(r for r in RIGHTS if r in asked),
            created=now,
            expires=now + timedelta(days=days),
        )
        with self._writing():
            kept = {t.name: t for t in self.all()}
            if renew and name not in kept:
                raise UnknownName.among("token", name, kept)
            if not renew and name in kept:
                raise BadValue(
                    f"There is a token “{name}” already ({kept[name].state()}).",
                    "Choose another name, or give the same caller a new secret with --renew.",
                )
            self._write((*(t for t in kept.values() if t.name != name), token))
        return token, secret

    def revoke(self, name: str) -> Token:
        """Make a token worthless at once; its name stays taken. Raises UnknownName."""
        with self._writing():
            kept = {t.name: t for t in self.all()}
            if name not in kept:
                raise UnknownName.among("token", name, kept)
            token = kept[name]
            if token.revoked is None:
                token = token.model_copy(update={"revoked": datetime.now(UTC)})
                self._write(tuple(token if t.name == name else t for t in kept.values()))
        return token

    def all(self) -> tuple[Token, ...]:
        """Every token ever made, oldest first. Raises Damaged."""
        with self._lock:
            try:
                stat = self._path.stat()
            except FileNotFoundError:
                return ()
            version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if self._seen is None or self._seen[0] != version:
                try:
                    self._seen = version, _FILE.validate_json(self._path.read_bytes())
                except (OSError, ValidationError) as error:
                    raise Damaged(
                        "The file of tokens (tokens.json) cannot be read; nobody is let in by it.",
                        "Put it back from a copy, or delete it and make new tokens.",
                    ) from error
            return self._seen[1]

    def verify(self, secret: str) -> Token | None:
        """The valid token with that secret; None for any other, and for expired and revoked."""
        digest = _sha256(secret)
        found = None
        for token in self.all():
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found if found is not None and found.state() == "valid" else None

    def require_still(self, token: Token) -> None:
        """Raises NotAllowed when ``token``, which was valid once, is so no more; Damaged."""
        now = next((t for t in self.all() if t.sha256 == token.sha256), None)
        state = "replaced" if now is None else now.state()
        if state != "valid":
            raise NotAllowed(
                f"Your token is {state}, and what it asked for was stopped.",
                "Ask whoever runs this server for a new one: stylist token create NAME --renew",
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._path.with_suffix(".lock"), timeout=5.0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise Busy("The tokens are being changed by another process.", "Try again.") from None
        try:
            yield
        finally:
            lock.release()

    def _write(self, tokens: tuple[Token, ...]) -> None:
        partial = self._path.with_name(f".tokens.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(_FILE.dump_json(tokens, indent=1))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, self._path)


def _sha256(secret: str) -> str:
    # 256 random bits need no slow hash
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
