"""MCP over HTTP: the door that lets callers in, and the app behind it.

On this machine's own address whoever comes without a token is the person here. As soon as anybody
else can reach the server, nobody comes in without one. A wrong token is never let in anywhere.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import socket
from collections.abc import Callable, Sequence

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import INVALID_REQUEST
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.errors import BadValue, Busy, StylistError, clip
from tools.callers import LOCAL, Caller
from tools.mcp_arguments import MAX_PHOTO_MB
from tools.mcp_call import GONE
from tools.mcp_server import CALLER, ToolServer
from tools.mcp_sessions import Sessions
from tools.tokens import Tokens

PATH = "/mcp"
MAX_BODY = MAX_PHOTO_MB * (1 << 20) * 4 // 3 + (64 << 10)
MAX_SESSIONS = 1000
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Door:
    """ASGI middleware: finds out who calls, or answers 401; notes when a client hangs up."""

    def __init__(self, app: ASGIApp, tokens: Tokens, *, open_to_local: bool) -> None:
        self.app, self.tokens, self._sessions = app, tokens, Sessions(app)
        self.open_to_local = open_to_local
        """Who brings no token is the person at this machine."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            caller = self._caller(Headers(scope=scope))
        except StylistError as error:
            await _refuse(send, error)
            return
        gone = anyio.Event()

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            return message

        scope = {**scope, CALLER: caller, GONE: gone}
        if caller.token is not None:  # the SDK lets nobody but its opener use a session
            access = AccessToken(
                token="", client_id=caller.token.name, scopes=list(caller.token.may)
            )
            scope["user"] = AuthenticatedUser(access)
        await self._sessions(scope, watched, send, caller.name)

    def _caller(self, headers: Headers) -> Caller:
        given = headers.getlist("authorization")
        if not given:
            if self.open_to_local:
                return LOCAL
            raise BadValue("This server asks for a token.", _HOW)
        kind, _, secret = given[0].partition(" ")
        token = None
        if len(given) == 1 and kind.lower() == "bearer":
            token = self.tokens.verify(secret.strip())
        if token is None:
            raise BadValue("This token is not valid here: wrong, expired or revoked.", _HOW)
        return Caller.of(token, self.tokens)


_HOW = "Send “Authorization: Bearer …” with a token made by `stylist token create`."


async def _refuse(send: Send, error: StylistError) -> None:
    # as the protocol has errors: its clients show the words of no other body
    told = {"code": INVALID_REQUEST, "message": str(error), "data": {"error": error.as_dict()}}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": told}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"www-authenticate", b'Bearer error="invalid_token"'),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def build_app(
    tools: ToolServer, tokens: Tokens, *, host: str = "127.0.0.1", names: Sequence[str] = ()
) -> tuple[Starlette, Door]:
    """The MCP app, and the same behind its door: serve the second, run the first's lifespan.

    ``names``: host names by which others reach this server, beside ``host`` itself.

    Raises:
        BadValue: others can reach it and there is no token, or no name they may use; or a name
            that is none.
    """
    names = [_host_name(name) for name in names]
    alone = is_loopback(host) and not names
    if not alone:
        _check_open(host, names, tokens)
    known = [*LOOPBACK, *(() if _is_any(host) else (_bracketed(host),)), *names]
    hosts = [h for name in known for h in (name, f"{name}:*")]
    app = tools.server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MAX_BODY,
        max_sessions=MAX_SESSIONS,
        transport_security=TransportSecuritySettings(
            allowed_hosts=hosts,
            allowed_origins=[f"{scheme}://{h}" for scheme in ("http", "https") for h in hosts],
        ),
    )
    return app, Door(app, tokens, open_to_local=alone)


def _check_open(host: str, names: Sequence[str], tokens: Tokens) -> None:
    if not any(token.state() == "valid" for token in tokens.all()):
        raise BadValue(
            f"On {clip(names[0] if names else host)} others could reach this server, and there is "
            f"no token.",
            "Make one first: stylist token create NAME --may look",
        )
    if _is_any(host) and not names:
        raise BadValue(
            f"{host} is every address of this machine, and none of its names was given.",
            "Say by which one callers reach it: --name stylist.example.com",
        )


def _host_name(name: str) -> str:
    """``name`` as clients send it. Raises BadValue for an address, a port or a half name."""
    if not _NAME.fullmatch(name):
        raise BadValue(
            f"“{clip(name)}” is no host name.",
            "Give the name alone, without https:// and port: --name stylist.example.com",
        )
    return name.lower()


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def serve_http(app: ASGIApp, host: str, port: int, announce: Callable[[str], None] = print) -> None:
    """Serve ``app`` until interrupted. Raises Busy when the port is taken."""
    import uvicorn

    from tools.connections import bounded

    logging.getLogger("mcp").setLevel(logging.ERROR)
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=bounded(),
        lifespan="on",
        log_level="error",
        access_log=False,
        h11_max_incomplete_event_size=32 << 10,
        timeout_graceful_shutdown=3,
    )
    announce(f"MCP is at http://{_bracketed(host)}:{port}{PATH} (Ctrl-C ends it)")
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # one that is bound already but not listening yet would let us bind too
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise Busy(
            f"Port {port} on {host} cannot be listened on ({error.strerror}).",
            f"Close what uses it, or choose another: --port {port + 1}",
        ) from None
    return listener
