"""Studio over MCP: the same tools for other agents, over stdio or HTTP.

Whoever calls is known before anything else is looked at: over stdio it is the person at this
machine, over HTTP whom ``mcp_http`` let in. What they may do comes from that, never from words.
"""

from __future__ import annotations

import asyncio
import base64
import difflib
import inspect
import json
import operator
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import anyio
import anyio.to_thread
import mcp_types as mcp
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from catalog.errors import (
    BadValue,
    Cancelled,
    NotAllowed,
    StylistError,
    UnknownName,
    clip,
)
from tools import mcp_resources, mcp_tools
from tools.callers import LOCAL, Caller, Limits, Queue
from tools.mcp_resources import Drawings
from tools.mcp_tools import NOTICE, TOOLS, Answer, Tool
from tools.requests import Requests
from tools.studio import Progress, Studio

INSTRUCTIONS = (
    "A clothes shop's stylist. find_garments searches the catalog, plan_outfit chooses a whole "
    "outfit for a wish without drawing, render_look draws a person wearing it. Name only garments "
    "that these tools returned. " + NOTICE
)
CALLER = "stylist.caller"
"""Where the HTTP door leaves who is calling, in the request's scope."""
GONE = "stylist.gone"
"""Where it leaves an event that is set when the client has hung up."""
THREADS = 8
"""Tools at work at once, drawings aside: these go one by one."""
SHARE = 4
"""Of these, one caller's: the others find a free one whatever it sends."""
LAST_WORDS_S = 1.0
"""How long an answer waits for its last progress messages to leave."""

Context = ServerRequestContext[Any, Any]


class ToolServer:
    """The tools, resources and prompts of one Studio, for any number of callers at once.

    ``open_studio`` is called on first need: a client is told the tools before anything is loaded.
    """

    def __init__(
        self,
        open_studio: Callable[[], Studio],
        limits: Limits | None = None,
        local: Caller | None = LOCAL,
    ) -> None:
        self._open_studio = open_studio
        self.local = local
        """Who it is that calls over a pipe, without an HTTP request; None = nobody."""
        self._opening = threading.Lock()
        self._studio: Studio | None = None
        self.queue = Queue(limits or Limits())
        self.drawings = Drawings()
        self._engine_free = anyio.Lock()
        self._threads = anyio.CapacityLimiter(THREADS)
        self._shares: dict[str | None, anyio.CapacityLimiter] = {}
        self._drawing_threads = anyio.CapacityLimiter(self.queue.limits.all_drawings)
        self.server: Server[Any] = Server(
            "stylist",
            version=version("stylist"),
            title="Stylist",
            instructions=INSTRUCTIONS,
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_list_resources=self.list_resources,
            on_list_resource_templates=self.list_templates,
            on_read_resource=self.read_resource,
            on_list_prompts=self.list_prompts,
            on_get_prompt=self.get_prompt,
        )

    @property
    def studio(self) -> Studio:
        """The studio, opened on first need."""
        with self._opening:
            if self._studio is None:
                self._studio = self._open_studio()
            return self._studio

    def caller(self, ctx: Context) -> Caller:
        """Who sent this request: over a pipe ``local``, over HTTP whom the door let in."""
        caller = self.local if ctx.request is None else _scope(ctx).get(CALLER)
        if not isinstance(caller, Caller):
            raise NotAllowed("Nobody let this request in.", "Ask at the address of `stylist mcp`.")
        return caller

    # --- tools ------------------------------------------------------------------------------

    async def list_tools(self, ctx: Context, _: Any) -> mcp.ListToolsResult:
        caller = self.caller(ctx)
        return mcp.ListToolsResult(tools=[_described(t) for t in TOOLS if t.right in caller.may])

    async def call_tool(self, ctx: Context, params: mcp.CallToolRequestParams) -> Any:
        """Answer one call. Whatever goes wrong is said in the result, for the model to read."""
        try:
            # 1. who asks for what, and whether they may
            caller = self.caller(ctx)
            tool = _tool(params.name, caller)
            caller.require(tool.right, tool.name)
            # 2. what they ask, checked
            given = params.arguments or {}
            args, takes = _checked(tool, given)
            # 3. do it, in its turn
            with self.queue.place(caller, drawing=tool.draws):
                work = _Work(self, ctx, caller, tool, args, takes, given)
                answer = await work.done()
            # 4. say it
            return await self._in_thread(_result, answer)
        except StylistError as error:
            return self._failure(error.as_dict())
        except Exception as error:
            return self._failure(_unexpected(error))

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        # waited for even when nobody wants the answer any more: threads that go on unseen would
        # let one caller, by asking and leaving, put any number of them to work
        return await anyio.to_thread.run_sync(function, *args, limiter=self._threads)

    def share_of(self, caller: Caller) -> anyio.CapacityLimiter:
        """What one caller holds while a thread works for it, drawings aside."""
        return self._shares.setdefault(caller.name, anyio.CapacityLimiter(SHARE))

    def _failure(self, error: dict[str, str]) -> mcp.CallToolResult:
        error = mcp_tools.clean(self._without_paths(error))
        text = f"{error['message']} {error['hint']}".strip()
        return mcp.CallToolResult(
            is_error=True,
            content=[mcp.TextContent(type="text", text=text)],
            structured_content={"error": error},
        )

    def _without_paths(self, error: dict[str, str]) -> dict[str, str]:
        home = str(self._studio.home) if self._studio else None
        return {k: v.replace(home, "…") if home else v for k, v in error.items()}

    # --- resources and prompts --------------------------------------------------------------

    async def list_resources(
        self, ctx: Context, params: mcp.PaginatedRequestParams | None
    ) -> mcp.ListResourcesResult:
        cursor = params.cursor if params else None
        with self._asking(ctx) as caller:
            async with self.share_of(caller):
                found = await self._in_thread(
                    lambda: mcp_resources.listed(self.studio, caller, cursor)
                )
        assert isinstance(found, mcp.ListResourcesResult)
        return found

    async def list_templates(self, ctx: Context, _: Any) -> mcp.ListResourceTemplatesResult:
        with self._asking(ctx):
            return mcp.ListResourceTemplatesResult(resource_templates=mcp_resources.templates())

    async def read_resource(
        self, ctx: Context, params: mcp.ReadResourceRequestParams
    ) -> mcp.ReadResourceResult:
        with self._asking(ctx) as caller:
            async with self.share_of(caller):
                found = await self._in_thread(
                    lambda: mcp_resources.read(self.studio, self.drawings, caller, str(params.uri))
                )
        return mcp.ReadResourceResult(contents=[found])

    async def list_prompts(self, ctx: Context, _: Any) -> mcp.ListPromptsResult:
        with self._asking(ctx):
            return mcp.ListPromptsResult(prompts=mcp_resources.prompts())

    async def get_prompt(
        self, ctx: Context, params: mcp.GetPromptRequestParams
    ) -> mcp.GetPromptResult:
        with self._asking(ctx):
            return mcp_resources.prompt(params.name, dict(params.arguments or {}))

    def _asking(self, ctx: Context) -> _Asking:
        return _Asking(self, ctx)


class _Asking:
    """Who asks for a resource or a prompt; what goes wrong becomes a protocol error."""

    def __init__(self, server: ToolServer, ctx: Context) -> None:
        self._server, self._ctx = server, ctx

    def __enter__(self) -> Caller:
        try:
            caller = self._server.caller(self._ctx)
            caller.require("look", "reading the catalog and looks")
            self._place = self._server.queue.place(caller, drawing=False)
            self._place.__enter__()
        except StylistError as error:
            raise self._told(error.as_dict()) from error
        return caller

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._place.__exit__(kind, error, trace)
        if isinstance(error, StylistError):
            raise self._told(error.as_dict()) from error
        if isinstance(error, Exception) and not isinstance(error, MCPError):
            raise self._told(_unexpected(error), mcp.INTERNAL_ERROR) from error

    def _told(self, error: dict[str, str], code: int = mcp.INVALID_PARAMS) -> MCPError:
        error = self._server._without_paths(error)
        text = f"{error['message']} {error['hint']}".strip()
        return MCPError(code=code, message=text, data={"error": error})


# --- one call -----------------------------------------------------------------------------------


@dataclass
class _Work:
    """One tool call: the method in a thread, its progress and previews on their way out.

    When the request is cancelled, or its client hangs up, ``cancel`` is set; the engine stops at
    its next step, and only then is the caller's place in the queue free again.
    """

    server: ToolServer
    ctx: Context
    caller: Caller
    tool: Tool
    args: Any
    takes: dict[str, Any]
    given: dict[str, Any]

    async def done(self) -> Answer:
        """Do it. Raises what the method raises, and Cancelled when the client hung up."""
        self.cancel = threading.Event()
        if not self.tool.draws:
            async with self.server.share_of(self.caller):
                return await self._run(self.server._threads)
        self.drawing = self.server.drawings.begin(self.caller.name)
        gone = _scope(self.ctx).get(GONE)
        outcome: list[Any] = []
        async with anyio.create_task_group() as group:

            async def leave() -> None:
                await gone.wait()
                group.cancel_scope.cancel()

            if gone is not None:
                group.start_soon(leave)
            try:
                outcome.append(await self._in_turn())
            except Exception as error:  # raised again below: a task group would wrap it
                outcome.append(error)
            group.cancel_scope.cancel()
        if not outcome:
            raise Cancelled("The client hung up.", "Ask again any time.")
        return _opened(outcome[0])

    async def _in_turn(self) -> Answer:
        ahead = self.server.queue.drawings - 1
        if ahead:
            await self.ctx.session.report_progress(0, None, f"waiting, {ahead} ahead")
        # first come, first served; who waits holds no thread and can leave at once
        async with self.server._engine_free:
            return await self._run(self.server._drawing_threads)

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

    def _answer(self) -> Answer:
        studio = self.server.studio
        key = getattr(self.args, "request_key", None)
        if key is None:
            return self.tool.show(self._call(studio), self.args)
        with Requests(studio.home).under(self.caller.name, key, _body(self.args)) as request:
            if request.look is not None:
                with suppress(UnknownName):  # removed since: drawn again
                    look = studio.look(request.look, owner=self.caller.name)
                    return self.tool.show(look, self.args)
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
            async for p in coming:
                # each number is larger than the one before it, as the protocol has it
                done = {"layout": 1, "adapters": 2, "save": p.steps + 3}.get(p.stage, p.step + 2)
                total = p.steps + 3
                words = f"{p.stage}, preview at look://{self.drawing.id}/preview"
                await self.ctx.session.report_progress(done, total, words)


def _opened(outcome: Answer | Exception) -> Answer:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


# --- what they share ----------------------------------------------------------------------------


def _scope(ctx: Context) -> Any:
    return ctx.request.scope if ctx.request is not None else {}


def _tool(name: str, caller: Caller) -> Tool:
    for tool in TOOLS:
        if tool.name == name:
            return tool
    raise UnknownName.among("tool", name, [t.name for t in TOOLS if t.right in caller.may])


@cache
def _described(tool: Tool) -> mcp.Tool:
    # kept: the SDK lists the tools before each call, and making sixteen schemas takes 20 ms
    return mcp.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=tool.args.model_json_schema(),
        annotations=mcp.ToolAnnotations(
            title=tool.title,
            read_only_hint=not tool.keeps,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )


def _checked(tool: Tool, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The arguments as their schema has them, and what the method takes of them."""
    try:
        text = json.dumps(given)
    except (ValueError, TypeError, RecursionError):
        raise BadValue("The arguments are not plain JSON.", "Send one flat object.") from None
    size = len(text)
    if size > tool.max_bytes:
        raise BadValue(
            f"The arguments have {size} bytes, {tool.max_bytes} are the most.", "Send less."
        )
    try:
        args = tool.args.model_validate_json(text)
        return args, tool.call(args)
    except ValidationError as error:
        raise _misasked(tool, error) from error


def _misasked(tool: Tool, error: ValidationError) -> BadValue:
    said = []
    for one in error.errors(include_url=False, include_input=False)[:3]:
        place = clip(".".join(str(part) for part in one["loc"]) or "arguments")
        if one["type"] == "extra_forbidden":
            near = difflib.get_close_matches(place, tool.args.model_fields, n=1, cutoff=0.5)
            instead = f"did you mean {near[0]}?" if near else "there is no such argument"
            said.append(f"{place}: {instead}")
        else:
            said.append(f"{place}: {clip(one['msg'], 160)}")
    return BadValue(
        f"{tool.name} does not take this: {'; '.join(said)}.",
        f"It takes: {', '.join(tool.args.model_fields)}.",
    )


def _body(args: Any) -> dict[str, Any]:
    """What two requests under one key must agree in."""
    body: dict[str, Any] = args.model_dump(mode="json", exclude={"request_key"})
    return body


def _result(answer: Answer) -> mcp.CallToolResult:
    """Text and the same as structured content; a look also as a small picture and links."""
    facts = {"notice": NOTICE, **mcp_tools.clean(answer.facts)}
    text = json.dumps(facts, ensure_ascii=False)
    content: list[Any] = [mcp.TextContent(type="text", text=text)]
    if answer.picture is not None:
        from PIL import Image

        content.append(_image(mcp_tools.small(Image.fromarray(answer.picture))))
    if answer.look is not None:
        id = answer.look.id
        content += [
            _image(mcp_tools.preview(answer.look)),
            mcp.ResourceLink(
                type="resource_link", uri=f"look://{id}", name=id, title="Full picture",
                mime_type="image/png",
            ),
            mcp.ResourceLink(
                type="resource_link", uri=f"look://{id}/receipt", name=f"{id}-receipt",
                title="Receipt", mime_type="application/json",
            ),
        ]  # fmt: skip
    return mcp.CallToolResult(content=content, structured_content=facts)


def _image(jpeg: bytes) -> mcp.ImageContent:
    data = base64.b64encode(jpeg).decode()
    return mcp.ImageContent(type="image", data=data, mime_type="image/jpeg")


def _unexpected(error: Exception) -> dict[str, str]:
    traceback.print_exception(error)  # standard error: for whoever runs the server
    return {
        "type": "Unexpected",
        "message": "Something went wrong inside the program, and nothing was changed.",
        "hint": "Ask in another way; whoever runs this server can read what happened.",
    }
