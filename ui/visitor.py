"""Who is at the page: one signed cookie per browser, so that threads have an owner."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.conversation import Conversations

COOKIE = "stylist-visitor"
PAGES = ("/", "/garments")
"""Where a visitor may come in."""
_YEAR_S = 365 * 24 * 3600
_VALUE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")


class Visitors:
    """Gives out visitors' cookies and knows them again. The key is made once per home folder."""

    def __init__(self, home: Path) -> None:
        self._key = _key(home / "page.key")

    def new(self) -> str:
        """The value of a new visitor's cookie."""
        visitor = secrets.token_hex(16)
        return f"{visitor}.{self._sign(visitor)}"

    def owner(self, cookies: Mapping[str, str]) -> str | None:
        """Whose threads these cookies open; None without a cookie that this page signed."""
        found = _VALUE.fullmatch(cookies.get(COOKIE, ""))
        if not found or not hmac.compare_digest(found[2], self._sign(found[1])):
            return None
        return f"visitor:{found[1]}"

    def _sign(self, visitor: str) -> str:
        return hmac.new(self._key, visitor.encode(), hashlib.sha256).hexdigest()


def routes(conversations: Conversations, visitors: Visitors) -> list[Route]:
    """``/conversations.json``: everything kept about a visitor's conversations, to take away."""

    def export(request: Request) -> JSONResponse:
        owner = visitors.owner(request.cookies)
        mine = conversations.mine(owner) if owner else []
        name = {"content-disposition": 'attachment; filename="conversations.json"'}
        return JSONResponse([conversations.export(t.id, str(owner)) for t in mine], headers=name)

    return [Route("/conversations.json", export)]


class VisitorCookie:
    """ASGI middleware: whoever comes without a valid cookie is given one."""

    def __init__(self, app: Any, visitors: Visitors) -> None:
        self.app, self.visitors = app, visitors

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self.visitors.owner(_cookies(scope)) is not None:
            await self.app(scope, receive, send)
            return
        cookie = (
            f"{COOKIE}={self.visitors.new()}; Path=/; HttpOnly; SameSite=Strict; Max-Age={_YEAR_S}"
        )

        async def with_cookie(message: Any) -> None:
            if message["type"] == "http.response.start" and scope["path"] in PAGES:
                headers = [*message.get("headers", ()), (b"set-cookie", cookie.encode())]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, with_cookie)


def _cookies(scope: Any) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    for name, value in scope.get("headers", ()):
        if name == b"cookie":
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                continue
    return {name: morsel.value for name, morsel in jar.items()}


def _key(path: Path) -> bytes:
    """The signing key; made on first use, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    try:
        os.link(fresh, path)  # whoever comes first: there is one key for all processes
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes()
