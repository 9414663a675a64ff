"""Stylist: one conversation turn, from a message to an answer, streamed.

A LangChain agent over the studio's tools. The model behind it is hosted (any OpenAI-compatible
endpoint) or the embedded planner; when the hosted one fails, the embedded one takes the turn over
and says so.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.allowance import CHARACTERS_PER_TOKEN, Allowance
from agent.conversation import (
    Conversations,
    Thread,
    check_message,
    check_thread,
    note,
    note_text,
)
from agent.endpoint import hosted_model, what_happened
from catalog.errors import Cancelled, Damaged, ModelUnavailable, StylistError, clip

if TYPE_CHECKING:
    from agent.touching import Mark
    from tools.look import Look, Quality
    from tools.pose import Points

INSTRUCTIONS = Path(__file__).parent / "instructions.md"
CALLS_PER_TURN = 8
"""Model calls in one turn, and tool calls in one turn."""
_HISTORY = 10
_TIMEOUT_S = 45.0
_TIMEOUTS_A_TURN = 4
"""A whole turn of a hosted model may last as long as so many time-outs."""
_NEVER = ("undress", "child", "harm")
"""What no hosted model is even asked."""
_STATUS = {
    "find_garments": "Looking through the wardrobe …",
    "plan_outfit": "Putting an outfit together …",
    "render_look": "Drawing it …",
    "undo": "Going back …",
    "segment": "Looking closely at the picture …",
    "touch_up": "Touching it up …",
}
_CLAIMS = re.compile(
    r"\b(?:here(?:'s| is) (?:the|your) (?:picture|image|drawing|render)|i(?:'ve| have)? (?:just )?"
    r"(?:drawn|drew|rendered)|see the (?:picture|image) |^drawn\b)", re.I
)  # fmt: skip


class Stylist:
    """Answers messages. Slow set-up happens on the first turn, later ones are quick."""

    def __init__(
        self,
        studio: Any,
        home: Path,
        *,
        llm_url: str | None = None,
        llm_key: str | None = None,
        llm_model: str | None = None,
        tokens_a_day: int | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self.studio = studio
        self.conversations = Conversations(Path(home))
        self.llm_url, self.llm_key, self.llm_model = llm_url, llm_key, llm_model
        self.timeout_s = timeout_s
        self.allowance = Allowance(Path(home), tokens_a_day)
        self._instructions: str | None = None

    @property
    def hosted(self) -> bool:
        """Whether a hosted model plans."""
        return bool(self.llm_url or self.llm_key)

    def ask(
        self,
        message: str,
        thread: str | None = None,
        *,
        owner: str = "",
        render: bool = True,
        pose: Points | None = None,
        edges: str | None = None,
        cancel: threading.Event | None = None,
        quality: Quality = "final",
    ) -> dict[str, Any]:
        """The answer to ``message`` as JSON; a StylistError becomes its ``error``."""
        answer: dict[str, Any] = {}
        for event in self.reply(
            message,
            thread,
            owner=owner,
            render=render,
            pose=pose,
            edges=edges,
            cancel=cancel,
            quality=quality,
        ):
            if event["type"] == "answer":
                answer = event["answer"]
        return answer

    def reply(
        self,
        message: str,
        thread: str | None = None,
        *,
        owner: str = "",
        render: bool = True,
        pose: Points | None = None,
        edges: str | None = None,
        cancel: threading.Event | None = None,
        mark: Mark | None = None,
        quality: Quality = "final",
    ) -> Iterator[dict[str, Any]]:
        """Events of one turn of ``owner``'s thread; the last is ``answer``.

        ``mark``: what the person points at in the present look while they say it.
        ``pose`` was measured on a picture; the thread keeps it until another pose is asked for.
        ``edges`` of a picture (``tools.edge_map``) are followed in what this turn draws.

        ``thread``, ``status``, ``token``, ``progress`` (stage, step, steps, preview), ``look``
        and ``answer``. Nothing is raised for an error a person can read: it is in the answer.
        """
        began = time.perf_counter()
        saved: Thread | None = None
        name = ""
        try:
            text = check_message(message)
            name = check_thread(thread)
            yield {"type": "thread", "thread": name}
            with self.conversations.turn(name):
                aside = ""
                try:
                    saved = self.conversations.load(name, owner)
                except Damaged as damaged:
                    saved, aside = self.conversations.fresh(name, owner), str(damaged)
                yield from self._turn(
                    saved, text, render, pose, cancel, began, aside, mark, quality, edges
                )
        except StylistError as error:
            known = name or thread
            answer = self._failed(error, known, owner, saved, began)
            yield {"type": "answer", "answer": answer}

    def delete(self, thread: str, owner: str = "") -> int:
        """Forget a thread of ``owner`` and every look drawn in it; how many looks that were.

        Raises UnknownName when there is no such thread of theirs.
        """
        self.conversations.existing(thread, owner)
        self.conversations.delete(thread, owner)
        return int(self.studio.forget_looks(thread))

    def undo(self, thread: str, owner: str = "", steps: int = 1) -> dict[str, Any]:
        """Take the last change of a thread back: 1 step, 0 = to the first look, -1 = forward.

        Returns the plan and look that stand now, as an answer has them. Raises UnknownName, and
        BadValue when there is nothing in that direction.
        """
        from agent.turn import TurnTools

        self.conversations.existing(thread, owner)
        with self.conversations.turn(thread):
            saved = self.conversations.load(thread, owner)
            turn = TurnTools(self.studio, saved, draw=False)
            turn.undo(steps=steps)
            self._keep(saved, turn, "undo" if steps >= 0 else "redo")
        return {"thread": thread, "plan": _shown(saved.plan), "look": _look(turn)}

    def touch_up(
        self,
        look: str,
        owner: str = "",
        *,
        progress: Callable[[Any], None] | None = None,
        cancel: threading.Event | None = None,
        **change: Any,
    ) -> Look:
        """``Studio.touch_up``, without a word said. When the look is the present one of a thread
        of ``owner``, the thread goes on with the new one, and can take it back.
        """
        from agent.touching import TouchTools
        from agent.turn import TurnTools

        thread = self._thread_showing(look, owner)
        if thread is None:
            made: Look = self.studio.touch_up(look, **change, progress=progress, cancel=cancel)
            return made
        with self.conversations.turn(thread):
            saved = self.conversations.load(thread, owner)
            turn = TurnTools(self.studio, saved, draw=True, cancel=cancel)
            turn.emit = progress or turn.emit
            made = TouchTools(turn).touched(look, **change)
            self._keep(saved, turn, "touch-up")
        return made

    def _thread_showing(self, look: str, owner: str) -> str | None:
        """The thread of ``owner`` whose present look this is."""
        name = self.studio.look(look).receipt.thread
        if not name or not self.conversations.path(name).exists():
            return None
        try:
            now = self.conversations.load(name, owner).now
        except StylistError:
            return None
        return name if now is not None and now.look_id == look else None

    def _keep(self, thread: Thread, turn: Any, said: str) -> None:
        """Save what a turn that was not talked about did to its thread."""
        _took_over(thread, turn)
        thread.say(said, "", turn.look_id)
        self.conversations.save(thread)

    # ---- one turn ----------------------------------------------------------------------------

    def _turn(
        self,
        saved: Thread,
        text: str,
        render: bool,
        pose: Points | None,
        cancel: threading.Event | None,
        began: float,
        aside: str,
        mark: Mark | None = None,
        quality: Quality = "final",
        edges: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        from agent.grounding import Heard
        from agent.lexicon import fold, language_of
        from agent.phrasebook import told
        from agent.refusals import refusal
        from agent.turn import TurnTools

        thread = saved.model_copy(deep=True)
        language = language_of(text, thread.language)
        said = ""
        words: list[str] = [told(aside, language)] if aside else []
        with_tools = partial(
            TurnTools, self.studio, thread, draw=render, cancel=cancel, mark=mark, pose=pose,
            edges=edges, quality=quality,
        )  # fmt: skip
        turn = with_tools()
        picked = mark is not None and mark.change is not None  # nothing is left to be understood
        if self.hosted and not picked and refusal(fold(text)) not in _NEVER:
            heard = Heard.of(text, _noted(turn, text))
            trouble = None
            if not heard.fact:
                turn = with_tools(heard=heard)
                said, trouble = yield from self._foreign(turn, thread, text, render, cancel)
                said = _grounded(said, turn, language)
            if trouble:
                words.append(told(str(trouble), language))
                yield {"type": "status", "text": words[-1]}
                calls = turn.calls
                turn = with_tools()
                turn.calls = calls
                said = ""
        if not said and turn.moments is None:
            said = yield from self._run(_embedded(), turn, thread, text, render)
        if cancel is not None and cancel.is_set() and turn.look is None and render:
            raise Cancelled("Stopped.", "Nothing was changed.")
        if not said:
            said = _summary(turn)
        if turn.look is None and _CLAIMS.search(said) and render:
            said += " (Nothing was drawn in this turn.)"
        reply = " ".join([*words, said]).strip()
        if turn.error is not None and turn.look is None:
            thread = saved
        elif turn.moments is not None:
            _took_over(thread, turn)
        thread.language = language
        thread.say(text, reply, turn.look_id)
        self.conversations.save(thread)
        if turn.look is not None:
            yield {"type": "look", "look": turn.look}
        total = time.perf_counter() - began
        drawing = turn.render_seconds.get("render", 0.0)
        estimate = self.studio.usual_seconds()
        dry = {} if render or estimate is None else {"drawing_estimate": estimate}
        answer: dict[str, Any] = {
            "thread": thread.id,
            "reply": reply,
            "plan": _shown(thread.plan),
            "look": _look(turn),
            "tool_calls": turn.calls,
            "seconds": {
                k: round(v, 4)
                for k, v in {"planner": total - drawing, **turn.render_seconds, **dry,
                             "total": total}.items()
            },
        }  # fmt: skip
        if turn.error is not None and turn.look is None:
            answer["error"] = turn.error.as_dict()
        yield {"type": "answer", "answer": answer}

    def _foreign(
        self,
        turn: Any,
        thread: Thread,
        text: str,
        render: bool,
        cancel: threading.Event | None,
    ) -> Generator[dict[str, Any], None, tuple[str, ModelUnavailable | None]]:
        """Let the hosted model plan: its last text, and why the embedded planner must take over."""
        said, trouble = "", ""
        try:
            self.allowance.check()
            for slow in ("langchain.agents", "langchain_openai"):
                import_module(slow)  # once in a process, and not on the model's time
            ends = time.monotonic() + _TIMEOUTS_A_TURN * self.timeout_s
            said = yield from self._run(self._hosted_model(ends), turn, thread, text, render, ends)
            if not said and turn.moments is None:
                trouble = "gave no answer"
            elif turn.heard.dress and turn.moments is None and not said.endswith(("?", "？")):
                # a small model may only talk; a question, though, is a fair answer
                trouble = "talked and chose nothing"
        except ModelUnavailable as error:
            return "", error
        except StylistError:
            raise
        except Exception as error:  # whatever a foreign server makes its client raise
            if cancel is not None and cancel.is_set():
                raise Cancelled("Stopped.", "Nothing was changed.") from error
            trouble = what_happened(error)
        if not trouble:
            return said, None
        return "", ModelUnavailable(
            f"The language model {trouble}.", "So I planned this one myself."
        )

    def _run(
        self,
        model: Any,
        turn: Any,
        thread: Thread,
        text: str,
        render: bool,
        ends: float | None = None,
    ) -> Generator[dict[str, Any], None, str]:
        """Stream one agent run; returns its last text.

        ``ends`` is given for a hosted model: when it must be done (``time.monotonic``), and that
        its tokens count.
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
            turn.shown(_noted(turn, text)),
            turn.shown([[t.user, t.reply] for t in thread.turns[-_HISTORY:]]),
        )
        agent = create_agent(
            model,
            turn.tools(),
            system_prompt=f"{self._prompt()}\n\n{note_text(state)}",
            middleware=[
                ModelCallLimitMiddleware(run_limit=CALLS_PER_TURN, exit_behavior="end"),  # type: ignore[list-item]
                ToolCallLimitMiddleware(run_limit=CALLS_PER_TURN, exit_behavior="continue"),  # type: ignore[list-item]
                record,
                ToolErrorMiddleware(lambda error, request: tool_error(error)),
            ],
        )
        read = len(self._prompt()) + len(note_text(state)) + len(str(past)) + len(text)
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
                            if ends is not None:
                                usage: Any = message.usage_metadata or {}
                                counted = usage.get("total_tokens")
                                self.allowance.spend(counted or read // CHARACTERS_PER_TOKEN)
                            final = "" if message.tool_calls else message.text.strip()
                            for call in message.tool_calls:
                                status = _STATUS.get(call["name"])
                                takes = self.studio.usual_seconds()
                                if call["name"] in ("render_look", "touch_up") and takes:
                                    status = f"Drawing it, about {max(takes, 1):.0f} s …"
                                if status:
                                    yield {"type": "status", "text": status}
        if final.startswith("Model call limit"):
            final = ""
        return final

    def _prompt(self) -> str:
        if self._instructions is None:
            self._instructions = INSTRUCTIONS.read_text(encoding="utf-8").strip()
        return self._instructions

    def _hosted_model(self, ends: float | None = None) -> Any:
        return hosted_model(self.llm_url, self.llm_key, self.llm_model, self.timeout_s, ends)

    def _failed(
        self,
        error: StylistError,
        name: str | None,
        owner: str,
        saved: Thread | None,
        began: float,
    ) -> dict[str, Any]:
        plan, thread = None, name if isinstance(name, str) else None
        if saved is None and thread:
            try:
                check_thread(thread)
                saved = self.conversations.load(thread, owner)
            except StylistError:
                thread = clip(thread, 64)
        if saved is not None:
            plan = _shown(saved.plan)
        return {
            "thread": thread,
            "reply": str(error),
            "error": error.as_dict(),
            "plan": plan,
            "look": None,
            "tool_calls": [],
            "seconds": {"total": round(time.perf_counter() - began, 4)},
        }


def _stream(agent: Any, messages: list[Any]) -> Iterator[tuple[str, Any]]:
    for part in agent.stream(
        {"messages": messages},
        {"recursion_limit": 64},
        stream_mode=["messages", "updates", "custom"],
        version="v2",
    ):
        yield part["type"], part["data"]


def _took_over(thread: Thread, turn: Any) -> None:
    """``thread`` goes on from what ``turn`` did."""
    thread.moments, thread.undone = turn.moments[-40:], turn.undone
    thread.pose, thread.scene = turn.pose, turn.scene
    thread.person, thread.person_chosen = dict(turn.person), turn.person_chosen


def _embedded() -> Any:
    from agent.planner import EmbeddedPlanner

    return EmbeddedPlanner()


def _noted(turn: Any, text: str) -> dict[str, Any]:
    """What a model is told of a turn's thread, of what is marked in the picture, and of the look
    that ``text`` names by its number."""
    from agent.lexicon import fold
    from agent.reference import looks_number, nth

    marked = turn.mark.facts() if turn.mark else None
    number = looks_number(fold(text)) or nth(fold(text))
    return note(turn.thread, turn.draw, marked, number)


def _shown(plan: dict[str, Any] | None) -> dict[str, Any] | None:
    """The plan as the answer's contract has it, without what only the planner needs."""
    if plan is None:
        return None
    garments = [{k: v for k, v in g.items() if k != "waterproof"} for g in plan["garments"]]
    kept = {k: v for k, v in plan.items() if k not in ("clo_needed", "currency")}
    return {**kept, "garments": garments}


def _look(turn: Any) -> dict[str, Any] | None:
    if turn.look is None:
        return None
    return {"id": turn.look.id, "image": turn.look.image, "receipt": turn.look.receipt_file}


def _grounded(said: str, turn: Any, language: str) -> str:
    """A foreign model's words, and after them what it put together, as the program knows it."""
    from agent import replies

    if not said or turn.outfit is None or turn.moments is None:
        return said
    return f"{said} {replies.in_short(turn.outfit.facts(), language)}"


def _summary(turn: Any) -> str:
    """A model that stopped without a word: the outfit speaks for itself."""
    from agent import replies
    from agent.understand import Request

    if turn.outfit is not None:
        return replies.outfit(turn.outfit.facts(), Request("dress"), turn.look is not None)
    return replies.small_talk(Request("unclear"), {})
