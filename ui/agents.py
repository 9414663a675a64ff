"""stylist mcp and stylist token: the doors for other agents."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catalog.errors import BadValue
from ui.settings import Settings
from ui.terminal import print_json, say

if TYPE_CHECKING:
    from tools.studio import Studio

Run = Callable[[argparse.Namespace, Settings], int]


def add_commands(commands: Any, command: Callable[[Any, str, Run, str], Any]) -> None:
    """Add both commands to the parser's ``commands``."""
    mcp = command(commands, "mcp", _mcp, "Serve the tools to other agents (MCP over stdio).")
    mcp.add_argument(
        "--http", action="store_true", help="over HTTP, beside the chat page, in one process"
    )
    mcp.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    mcp.add_argument("--port", type=int, help="port to listen on (default 7860)")
    mcp.add_argument(
        "--name", action="append", default=[], metavar="HOST",
        help="a host name by which others reach this server; everybody then needs a token",
    )  # fmt: skip

    token = commands.add_parser("token", help="Who may call over HTTP, and what they may do.")
    parts = token.add_subparsers(metavar="COMMAND", required=True)
    create = command(parts, "create", _create, "Make a token; it is shown once.")
    create.add_argument("name", metavar="NAME", help="who gets it; looks are kept under it")
    create.add_argument(
        "--may", default="look", metavar="RIGHTS", help="look,touch,train (default: look)"
    )
    create.add_argument("--days", type=int, default=90, help="days until it expires (default 90)")
    create.add_argument(
        "--renew", action="store_true", help="a new secret for a caller that has a token already"
    )
    listed = command(parts, "list", _list, "Every token: who, what, until when.")
    revoke = command(parts, "revoke", _revoke, "Make a token worthless at once.")
    revoke.add_argument("name", metavar="NAME", help="as shown by `stylist token list`")
    for part in (create, listed, revoke):
        part.add_argument("--json", action="store_true", help="print JSON")


# --- stylist mcp --------------------------------------------------------------------------------


def _mcp(args: argparse.Namespace, settings: Settings) -> int:
    if not args.http:
        if args.host or args.port or args.name:
            raise BadValue("--host, --port and --name go with --http.", "Add --http.")
        import gc

        gc.disable()  # a client waits: collecting while so much is imported costs a sixth of it
        from tools.mcp_stdio import serve_stdio

        gc.enable()
        gc.freeze()
        serve_stdio(lambda: _studio(settings))
        return 0
    port = settings.port if args.port is None else args.port
    if not 1 <= port <= 65535:
        raise BadValue(f"There is no port {port}.", "Give a number from 1 to 65535.")
    _serve_http(settings, args.host or settings.host, port, args.name)
    return 0


def _serve_http(settings: Settings, host: str, port: int, names: list[str]) -> None:
    from tools.mcp_http import build_app, serve_http
    from tools.mcp_server import ToolServer
    from tools.tokens import Tokens

    studio = _studio(settings)
    tools = ToolServer(lambda: studio, local=None)
    app, door = build_app(tools, Tokens(settings.home), host=host, names=names)
    if not door.open_to_local:
        say("Callers need a token; the chat page has no accounts and is not served here.")
        serve_http(door, host, port, say)
        return
    say("Opening the page …")
    serve_http(_beside_the_page(app, door, studio, settings, host), host, port, say)


def _beside_the_page(app: Any, door: Any, studio: Studio, settings: Settings, host: str) -> Any:
    """One app with both doors: the chat page at its root, MCP behind its own.

    Both answer only to this machine's own names: a page of a stranger that has its name point
    here would else be let in by the browser as if it were ours.
    """
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.routing import Route

    from agent.stylist import Stylist
    from tools.mcp_http import LOOPBACK, PATH
    from ui.chat import mount

    stylist = Stylist(
        studio,
        settings.home,
        llm_url=settings.llm_url,
        llm_key=settings.llm_key,
        llm_model=settings.llm_model,
        tokens_a_day=settings.llm_tokens,
    )
    both = FastAPI(lifespan=app.router.lifespan_context, openapi_url=None)
    both.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "::1", host])
    both.router.routes.append(Route(PATH, endpoint=door))
    mount(stylist, settings, both)
    return both


def _studio(settings: Settings) -> Studio:
    from tools.studio import Studio

    return Studio(
        settings.home,
        base=settings.base,
        threads=settings.threads,
        models=settings.models,
        sam=settings.sam,
    )


# --- stylist token ------------------------------------------------------------------------------


def _create(args: argparse.Namespace, settings: Settings) -> int:
    from tools.tokens import Tokens

    rights = [right.strip() for right in args.may.split(",") if right.strip()]
    token, secret = Tokens(settings.home).create(
        args.name, rights, days=args.days, renew=args.renew
    )
    if args.json:
        print_json({**_facts(token), "token": secret})
    else:
        print(secret)
        say(
            f"{token.name} may {', '.join(token.may)} until {token.expires:%Y-%m-%d}. "
            "The token is not kept: copy it now."
        )
    return 0


def _list(args: argparse.Namespace, settings: Settings) -> int:
    from tools.tokens import Tokens

    tokens = Tokens(settings.home).all()
    if args.json:
        print_json([_facts(token) for token in tokens])
        return 0
    for token in tokens:
        until = f"until {token.expires:%Y-%m-%d}"
        print(f"{token.name:<32} {','.join(token.may):<16} {until}  {token.state()}")
    say(f"{len(tokens)} tokens. A new one: stylist token create NAME --may look")
    return 0


def _revoke(args: argparse.Namespace, settings: Settings) -> int:
    from tools.jobs import FINISHED, Jobs
    from tools.tokens import Tokens

    token = Tokens(settings.home).revoke(args.name)
    jobs = Jobs(settings.home, {}).list()
    open_jobs = [j.id for j in jobs if j.owner == token.name and j.state not in FINISHED]
    if args.json:
        print_json({**_facts(token), "open_jobs": open_jobs})
        return 0
    print(f"The token of {token.name} is worthless now.")
    for id in open_jobs:  # what they make would be everybody's: whoever revokes decides
        say(f"A garment job of theirs goes on; to stop it: stylist job cancel {id}")
    return 0


def _facts(token: Any) -> dict[str, Any]:
    facts: dict[str, Any] = token.model_dump(mode="json", exclude={"sha256"})
    return {**facts, "state": token.state()}
