"""Sessions: each caller may keep some open; one more closes the one it opened first.

Clients of the protocol before 2026 open a session and often leave without closing it. The server
keeps a limited number of all together, and without this one caller could take them all.
"""

from __future__ import annotations

from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EACH = 32
"""Sessions that one caller may have open."""
HEADER = "mcp-session-id"


class Sessions:
    """ASGI middleware behind the door: counts the sessions that callers open.

    ``owner`` is who calls, as the door found out; None is the person at this machine.
    """

    def __init__(self, app: ASGIApp, each: int = EACH) -> None:
        self._app, self._each = app, each
        self._open: dict[str | None, OrderedDict[str, None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send, owner: str | None) -> None:
        mine = self._open.setdefault(owner, OrderedDict())
        asked = Headers(scope=scope).get(HEADER)

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start" and asked is None:
                opened = Headers(raw=message.get("headers", [])).get(HEADER)
                if opened is not None:
                    mine[opened] = None
            await send(message)

        await self._app(scope, receive, heard)
        if scope["method"] == "DELETE" and asked is not None:
            mine.pop(asked, None)
        while len(mine) > self._each:
            await self._close(scope, mine.popitem(last=False)[0])

    async def _close(self, scope: Scope, session: str) -> None:
        """End a session by the protocol's own request; one that ended before is none any more."""
        headers = [(k, v) for k, v in scope["headers"] if k in (b"host", b"origin")]
        headers += [(HEADER.encode(), session.encode()), (b"accept", b"*/*")]

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def unheard(_: Message) -> None: ...

        await self._app({**scope, "method": "DELETE", "headers": headers}, nothing, unheard)
