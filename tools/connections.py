"""Connections: however many are opened or half-used, the next whole request is answered at once.

A connection that has sent no whole request waits. Of those the server keeps a limited number, the
newest, for a limited time; so ten thousand silent clients cost neither memory nor the next caller.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_WAITING = 512
WAIT_S = 20.0
"""Within which a request must have arrived whole; also how long an idle connection is kept."""


def bounded(max_waiting: int = MAX_WAITING, wait_s: float = WAIT_S) -> type[H11Protocol]:
    """The HTTP/1.1 protocol for ``uvicorn.Config(http=…)``, with these limits."""
    waiting: OrderedDict[BoundedProtocol, asyncio.TimerHandle] = OrderedDict()

    class BoundedProtocol(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def handle_events(self) -> None:
            super().handle_events()
            if self.cycle is not None and not (
                self.cycle.more_body or self.cycle.response_complete
            ):
                self._forget()  # a whole request: it is being answered

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.cycle is None or self.cycle.response_complete:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._forget()
            waiting[self] = self.loop.call_later(wait_s, self._drop)
            if len(waiting) > max_waiting:
                next(iter(waiting))._drop()

        def _drop(self) -> None:
            self._forget()
            self.transport.abort()

        def _forget(self) -> None:
            if timer := waiting.pop(self, None):
                timer.cancel()

    return BoundedProtocol
