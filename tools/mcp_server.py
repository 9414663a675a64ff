"""Studio over MCP: the same tools for other agents, over stdio or HTTP.

Whoever calls is known before anything else is looked at: over stdio it is the person at this
machine, over HTTP whom ``mcp_http`` let in. What they may do comes from that, never from words.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import mcp_types as mcp
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from catalog.errors import NotAllowed, StylistError
from tools import mcp_resources
from tools.callers import LOCAL, Caller, Limits
from tools.mcp_answers import ERROR_NOTICE, NOTICE, clean, result
from tools.mcp_call import Call, Context, Workplace, scope_of
from tools.mcp_tools import TOOLS, checked, described, misasked, named
from tools.studio import Studio

INSTRUCTIONS = (
    "A clothes shop's stylist. find_garments searches the catalog, plan_outfit chooses a whole "
    "outfit for a wish without drawing, render_look draws a person wearing it. Name only garments "
    "that these tools returned. " + NOTICE
)
CALLER = "stylist.caller"
"""Where the HTTP door leaves who is calling, in the request's scope."""


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
        self.at = Workplace(open_studio, limits or Limits())
        self.local = local
        """Who it is that calls over a pipe, without an HTTP request; None = nobody."""
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
        self.server.middleware.append(self.say_what_is_wrong)

    def caller(self, ctx: Context) -> Caller:
        """Who sent this request: over a pipe ``local``, over HTTP whom the door let in."""
        caller = self.local if ctx.request is None else scope_of(ctx).get(CALLER)
        if not isinstance(caller, Caller):
            raise NotAllowed("Nobody let this request in.", "Ask at the address of `stylist mcp`.")
        return caller

    # --- tools ------------------------------------------------------------------------------

    async def list_tools(self, ctx: Context, _: Any) -> mcp.ListToolsResult:
        caller = self.caller(ctx)
        return mcp.ListToolsResult(tools=[described(t) for t in TOOLS if t.right in caller.may])

    async def call_tool(self, ctx: Context, params: mcp.CallToolRequestParams) -> Any:
        """Answer one call. Whatever goes wrong is said in the result, for the model to read."""
        try:
            # 1. who asks for what, and whether they may
            caller = self.caller(ctx)
            tool = named(params.name, caller)
            caller.require(tool.right, tool.name)
            # 2. what they ask, checked
            given = params.arguments or {}
            args, takes = checked(tool, given)
            # 3. do it, in its turn
            with self.at.queue.place(caller, drawing=tool.draws):
                answer = await Call(self.at, ctx, caller, tool, args, takes).done()
            # 4. say it
            return await self.at.in_thread(result, answer)
        except StylistError as error:
            return self._failure(error.as_dict())
        except Exception as error:
            return self._failure(_unexpected(error))

    def _failure(self, error: dict[str, str]) -> mcp.CallToolResult:
        text, facts = self.told(error)
        return mcp.CallToolResult(
            is_error=True,
            content=[mcp.TextContent(type="text", text=text)],
            structured_content=facts,
        )

    def told(self, error: dict[str, str]) -> tuple[str, dict[str, Any]]:
        """An error in words and as facts; no path, and marked as data like any other answer."""
        error = clean(self._without_paths(error))
        words = f"{error['message']} {error['hint']}".strip()
        return f"{words} {ERROR_NOTICE}", {"error": error, "notice": ERROR_NOTICE}

    async def say_what_is_wrong(self, ctx: Context, call_next: Any) -> Any:
        """Middleware: parameters that are none are named; the SDK says only that they are."""
        try:
            return await call_next(ctx)
        except ValidationError as error:
            wrong = misasked(ctx.method, error)
            text, facts = self.told(wrong.as_dict())
            raise MCPError(code=mcp.INVALID_PARAMS, message=text, data=facts) from error

    def _without_paths(self, error: dict[str, str]) -> dict[str, str]:
        home = self.at.home
        return {k: v.replace(home, "…") if home else v for k, v in error.items()}

    # --- resources and prompts --------------------------------------------------------------

    async def list_resources(
        self, ctx: Context, params: mcp.PaginatedRequestParams | None
    ) -> mcp.ListResourcesResult:
        cursor = params.cursor if params else None
        with self._asking(ctx) as caller:
            async with self.at.share_of(caller):
                found = await self.at.in_thread(
                    lambda: mcp_resources.listed(self.at.studio, caller, cursor)
                )
        assert isinstance(found, mcp.ListResourcesResult)
        return found

    async def list_templates(self, ctx: Context, _: Any) -> mcp.ListResourceTemplatesResult:
        with self._asking(ctx):
            return mcp.ListResourceTemplatesResult(resource_templates=mcp_resources.templates())

    async def read_resource(
        self, ctx: Context, params: mcp.ReadResourceRequestParams
    ) -> mcp.ReadResourceResult:
        at = self.at
        with self._asking(ctx) as caller:
            async with at.share_of(caller):
                found = await at.in_thread(
                    lambda: mcp_resources.read(at.studio, at.drawings, caller, str(params.uri))
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
            self._place = self._server.at.queue.place(caller, drawing=False)
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
        text, facts = self._server.told(error)
        return MCPError(code=code, message=text, data=facts)


def _unexpected(error: Exception) -> dict[str, str]:
    traceback.print_exception(error)  # standard error: for whoever runs the server
    return {
        "type": "Unexpected",
        "message": "Something went wrong inside the program, and nothing was changed.",
        "hint": "Ask in another way; whoever runs this server can read what happened.",
    }
