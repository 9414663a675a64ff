"""One tool call: its turn, the method in a thread, progress and previews on their way out."""

from __future__ import annotations

import asyncio
import inspect
import operator
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
from mcp.server.context import ServerRequestContext

from catalog.errors import Cancelled, Damaged, StylistError, UnknownName
from tools.callers import Caller, Limits, Queue
from tools.mcp_answers import Answer
from tools.mcp_resources import Drawings
from tools.mcp_tools import Tool
from tools.requests import Requests
from tools.studio import Progress, Studio

GONE = "stylist.gone"
"""Where the HTTP door leaves an event that is set when the client has hung up."""
THREADS = 8
"""Tools at work at once, drawings aside: these go one by one."""
SHARE = 4
"""Of these, one caller's: the others find a free one whatever it sends."""
LOOKS_EVERY_S = 0.1
"""How often it is looked whether who waits for a drawing is still let in."""
LAST_WORDS_S = 1.0
"""How long an answer waits for its last progress messages to leave."""

Context = ServerRequestContext[Any, Any]


def scope_of(ctx: Context) -> Any:
    """The HTTP request's scope; empty over a pipe."""
    return ctx.request.scope if ctx.request is not None else {}


class Workplace:
    """What all calls share: the studio, the queue, the threads, and the turn at the engine.

    ``open_studio`` is called on first need: a client is told the tools before anything is loaded.
    """

    def __init__(self, open_studio: Callable[[], Studio], limits: Limits) -> None:
        self._open_studio = open_studio
        self._opening = threading.Lock()
        self._studio: Studio | None = None
        self.queue = Queue(limits)
        self.drawings = Drawings()
        self.engine_free = anyio.Lock()
        self.threads = anyio.CapacityLimiter(THREADS)
        self.drawing_threads = anyio.CapacityLimiter(limits.all_drawings)
        self._shares: dict[str | None, anyio.CapacityLimiter] = {}

    @property
    def studio(self) -> Studio:
        """The studio, opened on first need."""
        with self._opening:
            if self._studio is None:
                self._studio = self._open_studio()
            return self._studio

    @property
    def home(self) -> str | None:
        """The studio's folder, which nobody is told; None before there is a studio."""
        return str(self._studio.home) if self._studio else None

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        # waited for even when nobody wants the answer any more: threads that go on unseen would
        # let one caller, by asking and leaving, put any number of them to work
        return await anyio.to_thread.run_sync(function, *args, limiter=self.threads)

    @asynccontextmanager
    async def share_of(self, caller: Caller) -> AsyncIterator[None]:
        """What one caller holds while a thread works for it, drawings aside.

        Raises NotAllowed when its token was revoked or expired while it waited.
        """
        async with self._shares.setdefault(caller.name, anyio.CapacityLimiter(SHARE)):
            caller.require_still()
            yield


@dataclass
class Call:
    """One tool call: the method in a thread, its progress and previews on their way out.

    When the request is cancelled, its client hangs up, or its token is revoked or expires,
    ``cancel`` is set; the engine stops at its next step, and only then is the caller's place in
    the queue free again. Who still waits for its turn leaves the queue at once.
    """

    at: Workplace
    ctx: Context
    caller: Caller
    tool: Tool
    args: Any
    takes: dict[str, Any]

    async def done(self) -> Answer:
        """Do it. Raises what the method raises, Cancelled when the client hung up, and NotAllowed
        when the caller is let in no more."""
        self.cancel = threading.Event()
        if not self.tool.draws:
            async with self.at.share_of(self.caller):
                return await self._run(self.at.threads)
        kept = await self.at.in_thread(self._kept)
        if kept is not None:  # a repeat waits for nobody's drawing
            return kept
        self.drawing = self.at.drawings.begin(self.caller.name)
        gone = scope_of(self.ctx).get(GONE)
        outcome: list[Any] = []
        async with anyio.create_task_group() as group:

            async def leave() -> None:
                await gone.wait()
                group.cancel_scope.cancel()

            async def be_sent_away() -> None:
                while True:
                    await anyio.sleep(LOOKS_EVERY_S)
                    try:
                        self.caller.require_still()
                    except StylistError as error:
                        outcome.append(error)
                        group.cancel_scope.cancel()

            if gone is not None:
                group.start_soon(leave)
            if self.caller.token is not None:
                group.start_soon(be_sent_away)
            try:
                outcome.append(await self._in_turn())
            except Exception as error:  # raised again below: a task group would wrap it
                outcome.append(error)
            group.cancel_scope.cancel()
        if not outcome:
            raise Cancelled("The client hung up.", "Ask again any time.")
        return _opened(outcome[0])

    async def _in_turn(self) -> Answer:
        ahead = self.at.queue.drawings - 1
        if ahead:
            await self.ctx.session.report_progress(0, None, f"waiting, {ahead} ahead")
        # first come, first served; who waits holds no thread and can leave at once
        async with self.at.engine_free:
            self.caller.require_still()
            return await self._run(self.at.drawing_threads)

    async def _run(self, limiter: anyio.CapacityLimiter) -> Answer:
        steps, coming = anyio.create_memory_object_stream[Progress](100)
        self._steps, self._loop = steps, asyncio.get_running_loop()
        outcome: list[Any] = []

        def work() -> None:
            try:
                outcome.append(self._answer())
            except Exception as error:  # raised again by whoever waits
                outcome.append(error)

        async with coming, anyio.create_task_group() as group:
            group.start_soon(self._report, coming)
            ended = anyio.Event()

            async def at_work() -> None:
                await anyio.to_thread.run_sync(work, limiter=limiter)
                ended.set()

            group.start_soon(at_work)
            try:
                await ended.wait()
            except anyio.get_cancelled_exc_class():
                self.cancel.set()
                raise
            steps.close()
            group.cancel_scope.deadline = anyio.current_time() + LAST_WORDS_S
        return _opened(outcome[0])

    def _kept(self) -> Answer | None:
        """What the request was answered with before, if it has a key and was."""
        key = getattr(self.args, "request_key", None)
        if key is None:
            return None
        studio = self.at.studio
        look = Requests(studio.home).answer(self.caller.name, key, _body(self.args))
        with suppress(UnknownName, Damaged):  # removed or broken since: drawn again
            if look is not None:
                return self.tool.show(studio.look(look, owner=self.caller.name), self.args)
        return None

    def _answer(self) -> Answer:
        studio = self.at.studio
        key = getattr(self.args, "request_key", None)
        if key is None:
            return self.tool.show(self._call(studio), self.args)
        with Requests(studio.home).under(self.caller.name, key, _body(self.args)) as request:
            if (kept := self._kept()) is not None:  # answered while this waited for its turn
                return kept
            look = self._call(studio)
            request.answered(look.id)
            return self.tool.show(look, self.args)

    def _call(self, studio: Studio) -> Any:
        method = operator.attrgetter(self.tool.method or self.tool.name)(studio)
        offered = {"owner": self.caller.name, "progress": self._tell, "cancel": self.cancel}
        wanted = inspect.signature(method).parameters
        more = {k: v for k, v in offered.items() if k in wanted}
        result = method(**self.takes, **more)
        if self.tool.draws:
            self.drawing.look = getattr(result, "id", None)
        return result

    def _tell(self, progress: Progress) -> None:
        """Called in the drawing thread; what cannot be told is dropped, drawing never waits."""
        if progress.preview is not None:
            self.drawing.picture = progress.preview
        with suppress(RuntimeError):  # nobody waits any more: the loop has ended
            self._loop.call_soon_threadsafe(self._pass_on, progress)

    def _pass_on(self, progress: Progress) -> None:
        with suppress(anyio.WouldBlock, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._steps.send_nowait(progress)

    async def _report(self, coming: Any) -> None:
        # a client that does not listen any more is no reason to stop here
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            told = before = 0
            async for p in coming:
                # each number is larger than the one before it, as the protocol has it, also where
                # a replay draws what a look was made from first
                done = {"layout": 1, "adapters": 2, "save": p.steps + 3}.get(p.stage, p.step + 2)
                if before + done <= told:
                    before = told
                told = done = before + done
                total = before + p.steps + 3
                words = f"{p.stage}, preview at look://{self.drawing.id}/preview"
                await self.ctx.session.report_progress(done, total, words)


def _opened(outcome: Answer | Exception) -> Answer:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _body(args: Any) -> dict[str, Any]:
    """What two requests under one key must agree in."""
    body: dict[str, Any] = args.model_dump(mode="json", exclude={"request_key"})
    return body
