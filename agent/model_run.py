"""One run of a model, streamed: it gets the note, the talk so far and the turn's tools."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.allowance import CHARACTERS_PER_TOKEN
from agent.conversation import Thread, note, note_text
from agent.lexicon import fold
from agent.reference import looks_number, nth
from catalog.errors import Cancelled

INSTRUCTIONS = Path(__file__).parent / "instructions.md"
CALLS_PER_TURN = 8
"""Model calls in one turn, and tool calls in one turn."""
_HISTORY = 10
_STATUS = {
    "find_garments": "Looking through the wardrobe …",
    "plan_outfit": "Putting an outfit together …",
    "render_look": "Drawing it …",
    "undo": "Going back …",
    "segment": "Looking closely at the picture …",
    "touch_up": "Touching it up …",
}


def run(
    model: Any,
    turn: Any,
    thread: Thread,
    text: str,
    ends: float | None = None,
    spend: Callable[[int], None] | None = None,
) -> Generator[dict[str, Any], None, str]:
    """Stream one agent run; returns its last text.

    ``ends`` and ``spend`` are given for a hosted model: when it must be done
    (``time.monotonic``), and who counts its tokens.
    """
    from langchain.agents import create_agent
    from langchain.agents.middleware import (
        ModelCallLimitMiddleware,
        ToolCallLimitMiddleware,
        ToolErrorMiddleware,
        wrap_tool_call,
    )
    from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

    from agent.turn import tool_error

    @wrap_tool_call
    def record(request: Any, handler: Any) -> Any:
        call = {"name": request.tool_call["name"], "args": request.tool_call["args"],
                "ok": False}  # fmt: skip
        turn.calls.append(call)
        turn.emit = request.runtime.stream_writer
        result = handler(request)
        call["ok"] = not (isinstance(result, ToolMessage) and result.status == "error")
        return result

    state, past = (
        turn.shown(noted(turn, text)),
        turn.shown([[t.user, t.reply] for t in thread.turns[-_HISTORY:]]),
    )
    agent = create_agent(
        model,
        turn.tools(),
        system_prompt=f"{instructions()}\n\n{note_text(state)}",
        middleware=[
            ModelCallLimitMiddleware(run_limit=CALLS_PER_TURN, exit_behavior="end"),  # type: ignore[list-item]
            ToolCallLimitMiddleware(run_limit=CALLS_PER_TURN, exit_behavior="continue"),  # type: ignore[list-item]
            record,
            ToolErrorMiddleware(lambda error, request: tool_error(error)),
        ],
    )
    read = len(instructions()) + len(note_text(state)) + len(str(past)) + len(text)
    messages: list[Any] = []
    for user, reply in past:
        messages += [HumanMessage(user), AIMessage(reply)]
    messages.append(HumanMessage(text))
    final = ""
    for mode, data in _stream(agent, messages):
        if turn.cancel is not None and turn.cancel.is_set() and turn.look is None:
            raise Cancelled("Stopped.", "Nothing was changed.")
        if ends is not None and time.monotonic() > ends:
            raise TimeoutError
        if mode == "custom":
            yield data
        elif mode == "messages":
            chunk, _ = data
            if isinstance(chunk, AIMessageChunk) and chunk.text:
                yield {"type": "token", "text": chunk.text}
        elif mode == "updates":
            for update in data.values():
                for message in (update or {}).get("messages", []) if update else []:
                    read += len(message.text)
                    if isinstance(message, AIMessage):
                        if spend is not None:
                            usage: Any = message.usage_metadata or {}
                            counted = usage.get("total_tokens")
                            spend(counted or read // CHARACTERS_PER_TOKEN)
                        final = "" if message.tool_calls else message.text.strip()
                        for call in message.tool_calls:
                            status = _STATUS.get(call["name"])
                            takes = turn.studio.usual_seconds()
                            if call["name"] in ("render_look", "touch_up") and takes:
                                status = f"Drawing it, about {max(takes, 1):.0f} s …"
                            if status:
                                yield {"type": "status", "text": status}
    if final.startswith("Model call limit"):
        final = ""
    return final


def _stream(agent: Any, messages: list[Any]) -> Iterator[tuple[str, Any]]:
    for part in agent.stream(
        {"messages": messages},
        {"recursion_limit": 64},
        stream_mode=["messages", "updates", "custom"],
        version="v2",
    ):
        yield part["type"], part["data"]


@lru_cache(maxsize=1)
def instructions() -> str:
    """The system prompt."""
    return INSTRUCTIONS.read_text(encoding="utf-8").strip()


def noted(turn: Any, text: str) -> dict[str, Any]:
    """What a model is told of a turn's thread, of what is marked in the picture, and of the look
    that ``text`` names by its number."""
    marked = turn.mark.facts() if turn.mark else None
    number = looks_number(fold(text)) or nth(fold(text))
    return note(turn.thread, turn.draw, marked, number)
