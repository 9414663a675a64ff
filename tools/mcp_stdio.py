"""The stdio door: the tools for the person at this machine, over standard input and output."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import mcp_types as mcp
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from tools.mcp_server import ToolServer
from tools.studio import Studio


def serve_stdio(open_studio: Callable[[], Studio]) -> None:
    """Serve until input ends. Standard output carries the protocol and nothing else."""
    logging.getLogger("mcp").setLevel(logging.ERROR)
    tools = ToolServer(open_studio)

    async def serve() -> None:
        async with stdio_server() as (read, write):
            options = tools.server.create_initialization_options()
            await tools.server.run(Understood(read, write), write, options)  # type: ignore[arg-type]

    try:
        anyio.run(serve)
    except* BrokenPipeError:
        pass  # the client died with words to it on their way: what it asked for was stopped


class Understood:
    """The messages of a stream; a line that is none is answered here, so that nobody waits for it.

    The SDK passes such a line on as the error it met, and drops it.
    """

    def __init__(self, read: Any, write: Any) -> None:
        self.read, self.write = read, write

    @property
    def last_context(self) -> Any:
        return self.read.last_context

    async def receive(self) -> SessionMessage:
        while True:
            item = await self.read.receive()
            if not isinstance(item, Exception):
                return item
            if (answer := refused(item)) is not None:
                await self.write.send(SessionMessage(answer))

    def __aiter__(self) -> Understood:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        await self.read.aclose()

    async def __aenter__(self) -> Understood:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.aclose()


def refused(error: Exception) -> mcp.JSONRPCError | None:
    """The answer to a line that is no message; None for one that expects none."""
    inputs = [e["input"] for e in error.errors()] if isinstance(error, ValidationError) else []
    if inputs and isinstance(inputs[0], str) and not inputs[0].strip():
        return None
    message = next((i for i in inputs if isinstance(i, dict) and "method" in i), None)
    if message is None and inputs and isinstance(inputs[0], str):
        with suppress(ValueError, RecursionError):
            message = json.loads(inputs[0])
    number = message.get("id") if isinstance(message, dict) else None
    if isinstance(message, dict) and "method" in message and number is None:
        return None  # a notification
    told = mcp.ErrorData(
        code=mcp.INVALID_REQUEST if isinstance(message, dict) else mcp.PARSE_ERROR,
        message=(
            "This line is no JSON-RPC message. Send each on a line of its own, as JSON in UTF-8 "
            "without half characters (lone surrogates)."
        ),
    )
    known = number if isinstance(number, int | str) and not isinstance(number, bool) else None
    return mcp.JSONRPCError(jsonrpc="2.0", id=known, error=told)
