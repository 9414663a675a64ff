"""Stylist: one conversation turn, from a message to an answer, streamed.

A LangChain agent over the studio's tools. The model behind it is hosted (any OpenAI-compatible
endpoint) or the embedded planner; when the hosted one fails, the embedded one takes the turn over
and says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.allowance import Allowance
from agent.answer import claims_a_picture, grounded, look_of, shown, summary
from agent.conversation import (
    Conversations,
    Thread,
    check_message,
    check_thread,
)
from agent.endpoint import hosted_model, what_happened
from agent.model_run import noted, run
from catalog.errors import Cancelled, Damaged, ModelUnavailable, StylistError, clip

if TYPE_CHECKING:
    from agent.touching import Mark
    from tools.look import Look, Quality
    from tools.pose import Points

_TIMEOUT_S = 45.0
_TIMEOUTS_A_TURN = 4
"""A whole turn of a hosted model may last as long as so many time-outs."""
_NEVER = ("undress", "child", "harm")
"""What no hosted model is even asked."""


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
        return {"thread": thread, "plan": shown(saved.plan), "look": look_of(turn)}

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
            heard = Heard.of(text, noted(turn, text))
            trouble = None
            if not heard.fact:
                turn = with_tools(heard=heard)
                said, trouble = yield from self._foreign(turn, thread, text, cancel)
                said = grounded(said, turn, language)
            if trouble:
                words.append(told(str(trouble), language))
                yield {"type": "status", "text": words[-1]}
                calls = turn.calls
                turn = with_tools()
                turn.calls = calls
                said = ""
        if not said and turn.moments is None:
            said = yield from run(_embedded(), turn, thread, text)
        if cancel is not None and cancel.is_set() and turn.look is None and render:
            raise Cancelled("Stopped.", "Nothing was changed.")
        if not said:
            said = summary(turn)
        if turn.look is None and claims_a_picture(said) and render:
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
            "plan": shown(thread.plan),
            "look": look_of(turn),
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
        cancel: threading.Event | None,
    ) -> Generator[dict[str, Any], None, tuple[str, ModelUnavailable | None]]:
        """Let the hosted model plan: its last text, and why the embedded planner must take over."""
        said, trouble = "", ""
        try:
            self.allowance.check()
            for slow in ("langchain.agents", "langchain_openai"):
                import_module(slow)  # once in a process, and not on the model's time
            ends = time.monotonic() + _TIMEOUTS_A_TURN * self.timeout_s
            said = yield from run(
                self._hosted_model(ends), turn, thread, text, ends, self.allowance.spend
            )
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
            plan = shown(saved.plan)
        return {
            "thread": thread,
            "reply": str(error),
            "error": error.as_dict(),
            "plan": plan,
            "look": None,
            "tool_calls": [],
            "seconds": {"total": round(time.perf_counter() - began, 4)},
        }


def _took_over(thread: Thread, turn: Any) -> None:
    """``thread`` goes on from what ``turn`` did."""
    thread.moments, thread.undone = turn.moments[-40:], turn.undone
    thread.pose, thread.scene = turn.pose, turn.scene
    thread.person, thread.person_chosen = dict(turn.person), turn.person_chosen


def _embedded() -> Any:
    from agent.planner import EmbeddedPlanner

    return EmbeddedPlanner()
