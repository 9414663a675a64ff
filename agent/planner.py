"""The embedded planner: a LangChain chat model that needs no key, no network and no weights.

It acts as any hosted model would: it is given messages and tools, and answers with tool calls or
text. What it knows stands in the messages: the state note in the system message, the newest human
message, and what the tools replied since. It is deterministic.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent import replies
from agent.advice import may_wear
from agent.conversation import note_of
from agent.finding import cards_in, filters, with_that
from agent.lexicon import hits, plain_words
from agent.mentioned import matches
from agent.phrasebook import say, told
from agent.request import Request
from agent.understand import understand
from tools.reading import read_wish
from tools.wish import Wish

_FINDS = 3
_MANY = 20
"""As many as one search gives: those of other kinds are left out afterwards."""
_NOTHING_CHEAPER = "nothing cheaper fits"
"""As ``tools.outfit.choose`` says it."""
_WORDS = re.compile(r"\S+\s*")


class EmbeddedPlanner(BaseChatModel):
    """Rules and a word table behind the chat-model interface."""

    @property
    def _llm_type(self) -> str:
        return "embedded-planner"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """The model with ``tools`` at hand, in the OpenAI format."""
        kwargs.pop("tool_choice", None)
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = self._decide(messages, kwargs.get("tools") or [])
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        message = self._decide(messages, kwargs.get("tools") or [])
        for index, call in enumerate(message.tool_calls):
            chunk = ToolCallChunk(
                name=call["name"],
                args=json.dumps(call["args"], ensure_ascii=False),
                id=call["id"],
                index=index,
                type="tool_call_chunk",
            )
            yield _chunk(AIMessageChunk(content="", tool_call_chunks=[chunk]), run_manager)
        for word in _WORDS.findall(str(message.content)):
            yield _chunk(AIMessageChunk(content=word), run_manager)
        yield _chunk(AIMessageChunk(content="", chunk_position="last"), run_manager)

    def _decide(self, messages: list[BaseMessage], tools: list[dict[str, Any]]) -> AIMessage:
        """The next step of the turn: tool calls, or the reply."""
        at = max(i for i, m in enumerate(messages) if isinstance(m, HumanMessage))
        system = [m for m in messages if isinstance(m, SystemMessage)]
        state = next((s for m in reversed(system) if (s := note_of(_text(m)))), {})
        request = understand(_text(messages[at]), state)
        have = {t["function"]["name"] for t in tools}
        done = _results(messages[at + 1 :])
        return _Turn(request, state, have, done, _text(messages[at])).step()


def _chunk(
    message: AIMessageChunk, run_manager: CallbackManagerForLLMRun | None
) -> ChatGenerationChunk:
    chunk = ChatGenerationChunk(message=message)
    if run_manager:
        run_manager.on_llm_new_token(str(message.content), chunk=chunk)
    return chunk


def _text(message: BaseMessage) -> str:
    return message.text if isinstance(message.text, str) else str(message.content)


def _results(messages: Sequence[BaseMessage]) -> list[tuple[str, dict[str, Any], Any, bool]]:
    """(tool, arguments, what it replied, ok) for the calls of this turn, in order."""
    calls: dict[str, tuple[str, dict[str, Any]]] = {}
    found: list[tuple[str, dict[str, Any], Any, bool]] = []
    for message in messages:
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                calls[str(call["id"])] = (call["name"], dict(call["args"]))
        elif isinstance(message, ToolMessage):
            name, args = calls.get(message.tool_call_id, (message.name or "", {}))
            text = _text(message)
            try:
                data = json.loads(text)
            except ValueError:
                data = text
            found.append((name, args, data, message.status != "error"))
    return found


class _Turn:
    """One decision: what was asked, what the tools said so far, what comes next."""

    def __init__(
        self,
        request: Request,
        state: dict[str, Any],
        tools: set[str],
        done: list[tuple[str, dict[str, Any], Any, bool]],
        message: str,
    ) -> None:
        self.request, self.state, self.tools = request, state, tools
        self.done, self.message = done, message

    def step(self) -> AIMessage:
        kind = self.request.kind
        if kind == "decline":
            return AIMessage(replies.decline(self.request))
        if kind in ("undo", "redo", "first"):
            return self._undo()
        if kind == "touch":
            return self._touch()
        if kind == "have":
            return self._have()
        if kind == "may":
            return self._may()
        if kind == "redraw":
            return self._redraw()
        if kind != "dress":
            return AIMessage(replies.small_talk(self.request, self.state))
        return self._dress()

    def _of(self, name: str) -> list[tuple[dict[str, Any], Any, bool]]:
        return [(args, data, ok) for n, args, data, ok in self.done if n == name]

    def _undo(self) -> AIMessage:
        asked = self._of("undo")
        if not asked:
            steps = {"first": 0, "redo": -1}.get(self.request.kind, self.request.steps)
            return _calls(("undo", {"steps": steps}))
        _, data, ok = asked[-1]
        if not ok or not isinstance(data, dict):
            return AIMessage(replies.nothing(str(data), self.request.language))
        return AIMessage(replies.back(data, self.request))

    def _have(self) -> AIMessage:
        asked, about = self._of("find_garments"), self.request.about
        if not self.request.find and about:  # a kind of thing that no catalog has
            return AIMessage(replies.found(about.words, [], self.request.language))
        if not asked:
            return _calls(*[("find_garments", args) for args in self._listing()])
        words = " or ".join(p.words for p in self.request.find[:_FINDS])
        cards = self._listed(asked)
        return AIMessage(replies.found(words, cards, self.request.language, self.request.order))

    def _may(self) -> AIMessage:
        """“Can I wear sneakers with it?”: told by the dress code, and nothing changes."""
        asked, piece = self._of("find_garments"), self.request.find[0]
        if not asked:
            return _calls(("find_garments", filters(piece)))
        cards = [c for _, data, ok in asked if ok for c in cards_in(data) if matches(piece, c)]
        language, plan = self.request.language, self.state.get("plan") or {}
        if not cards:
            return AIMessage(replies.found(piece.words, [], language))
        now = read_wish(self.request.wish)
        celsius = float(plan.get("temperature_c", now.temperature_c))
        if self.request.wish.temperature_c is not None:
            celsius = self.request.wish.temperature_c
        if "snow" in self.request.wish.weather:
            celsius = min(celsius, 0.0)
        event = self.request.wish.occasion or str(plan.get("occasion") or "")
        weather = self.request.wish.weather
        return AIMessage(may_wear(cards, event, celsius, weather, language))

    def _listing(self) -> list[dict[str, Any]]:
        """The searches of what is to be shown."""
        order = self.request.order
        how: dict[str, Any] = {"order": order, "limit": _MANY} if order else {}
        return [{**filters(p), **how} for p in self.request.find[:_FINDS]]

    def _listed(self, asked: list[tuple[dict[str, Any], Any, bool]]) -> list[dict[str, Any]]:
        """The garments that those searches gave, as they are shown."""
        cards = [c for _, data, ok in asked if ok for c in cards_in(data)]
        described = any(p.materials or p.patterns for p in self.request.find)
        if self.request.order or described:
            cards = [c for c in cards if any(matches(p, c) for p in self.request.find)]
        return cards

    def _redraw(self) -> AIMessage:
        drawn = self._of("render_look")
        if "render_look" not in self.tools:
            off = "Drawing is switched off for this request, but the outfit stands."
            return AIMessage(say(off, self.request.language))
        if not drawn:
            return _calls(("render_look", {"again": bool(self.state.get("look"))}))
        _, data, ok = drawn[-1]
        language = self.request.language
        if ok:
            return AIMessage(say("It is drawn for you once more.", language))
        why = told(str(data), language)
        return AIMessage(say("I could not draw it: {why}", language, why=why))

    def _none_sold(self) -> bool:
        """Whether one garment was asked for in another colour and the shop has none such."""
        finds = self._of("find_garments")
        if not (self.request.recolour and finds and "touch_up" in self.tools):
            return False
        piece = self.request.find[0]
        cards = [c for _, data, _ in finds for c in cards_in(data)]
        kinds = piece.categories
        sold = [c for c in cards if c["color"] in piece.colors
                and (not kinds or c["category"] in kinds)]  # fmt: skip
        return all(ok for _, _, ok in finds) and not sold

    def _touch(self) -> AIMessage:
        asked = self._of("touch_up")
        if not asked:
            return _calls(("touch_up", self.request.touch or self.request.recolour))
        _, data, ok = asked[-1]
        if ok and isinstance(data, dict):
            return AIMessage(replies.touched(data, self.request))
        language = self.request.language
        why = told(str(data), language)
        return AIMessage(say("I could not draw it: {why}", language, why=why))

    def _exchange(self, facts: dict[str, Any]) -> dict[str, str] | None:
        """The one garment by which the drawn look and the new outfit differ, and the new one.

        A touch-up then draws it, and every other pixel stays; None when more than that changes.
        """
        before = self.state.get("plan")
        if not (before and self.state.get("look") and "touch_up" in self.tools):
            return None
        if any(facts.get(k) != before.get(k) for k in ("pose", "scene", "season")):
            return None
        old, new = ({g["slot"]: g["id"] for g in p["garments"]} for p in (before, facts))
        differ = [slot for slot in old if old[slot] != new.get(slot)]
        if old.keys() != new.keys() or len(differ) != 1 or self.request.person:
            return None
        return {"garment": old[differ[0]], "swap": new[differ[0]]}

    def _dress(self) -> AIMessage:
        planned = self._of("plan_outfit")
        if not planned and self._none_sold():
            return self._touch()
        if not planned:
            finds = self._of("find_garments")
            wanted = self._searches() if "find_garments" in self.tools and not finds else []
            if wanted:
                return _calls(*[("find_garments", args) for args in wanted])
            return _calls(("plan_outfit", self._wish(finds)))
        _, facts, ok = planned[-1]
        if not ok or not isinstance(facts, dict):
            return AIMessage(replies.nothing(str(facts), self.request.language))
        worn = [g["id"] for g in (self.state.get("plan") or {}).get("garments", [])]
        dearer = _NOTHING_CHEAPER in facts.get("unmet", []) and len(planned) == 1
        if dearer and worn and self.request.wish.ceiling is not None:
            same = self.request.wish.model_copy(update={"ceiling": None, "keep": tuple(worn[:9])})
            return _calls(("plan_outfit", same.model_dump(mode="json", exclude_defaults=True)))
        exchange, touched = self._exchange(facts), self._of("touch_up")
        if exchange and not touched and facts.get("complete"):
            return _calls(("touch_up", exchange))
        drawn = [t for t in touched if t[2]] or self._of("render_look")
        draw = "render_look" in self.tools and facts.get("complete") and facts.get("garments")
        if draw and not drawn:
            return _calls(("render_look", self._picture(facts)))
        failed, mended = "", []
        if drawn:
            _, data, ok = drawn[-1]
            if ok and isinstance(data, dict):
                facts = {**facts, **(data.get("plan") or {})}
                mended = list(data.get("mended") or [])
            else:
                failed = str(data)
        elif not facts.get("complete") and "render_look" in self.tools:
            failed = "it is not complete."
        if len(planned) > 1:
            mended.append(_NOTHING_CHEAPER)
        mended += self._unchanged(facts)
        earlier = (self.state.get("plan") or {}).get("garments", [])
        done = bool(drawn) and not failed
        return AIMessage(replies.outfit(facts, self.request, done, failed, mended, earlier))

    def _unchanged(self, facts: dict[str, Any]) -> list[str]:
        """What was asked of the whole outfit and could not be given."""
        before, said = self.state.get("plan"), []
        if not before:
            return []
        shift = self.request.wish.warmer
        old = Wish.model_validate(self.state.get("wish") or {}).warmer
        if shift > old and facts.get("clo_total", 0) <= before["clo_total"]:
            said.append("this is already the warmest that fits")
        if shift < old and facts.get("clo_total", 0) >= before["clo_total"]:
            said.append("nothing lighter fits this weather")
        aim = self.request.wish.formality
        if aim is not None and aim != Wish.model_validate(self.state.get("wish") or {}).formality:
            now, then = replies.dressiness(facts), replies.dressiness(before)
            if abs(now - then) < 0.005:
                said.append("nothing dressier fits" if aim > then else "nothing more casual fits")
        same = {g["id"] for g in facts["garments"]} == {g["id"] for g in before["garments"]}
        best = said or facts.get("unmet") or facts.get("cheapest")
        if same and self.request.changes and not best:
            said.append("nothing in the catalog fits this better than what you have")
        return said

    def _searches(self) -> list[dict[str, Any]]:
        """What to look up first: each piece asked for, or words the tables do not know."""
        if self.request.redraw_only:
            return []
        if self.request.pick:
            return self._listing()
        wanted = [filters(p) for p in self.request.find if not p.everywhere][:_FINDS]
        if wanted:
            return wanted
        unknown = [
            h.text
            for h in hits(self.message, self.request.language)
            if not h.meanings and len(h.text) > 4 and h.text.isalpha() and h.text.isascii()
        ]
        unknown = [w for w in unknown if w not in plain_words()]
        if self.request.language == "en" and unknown:
            return [{"text": " ".join(unknown[:8]), "limit": 6}]
        return []

    def _wish(self, finds: list[tuple[dict[str, Any], Any, bool]]) -> dict[str, Any]:
        wish, at = self.request.wish, self.request.pick
        if at and (picked := self._listed(finds)[at - 1 : at]):
            wish = with_that(wish, picked[0])
        ids: list[str] = list(wish.prefer)
        for _, data, ok in finds:
            if ok:
                ids += [
                    str(c["id"]) for c in cards_in(data)[:4] if isinstance(c, dict) and "id" in c
                ]
        wish = wish.model_copy(update={"prefer": tuple(dict.fromkeys(ids))[:32]})
        args = wish.model_dump(mode="json", exclude_defaults=True)
        for name, value in (("pose", self.request.pose), ("scene", self.request.scene),
                            ("person", self.request.person)):  # fmt: skip
            if value:
                args[name] = value
        return args

    def _picture(self, facts: dict[str, Any]) -> dict[str, Any]:
        args: dict[str, Any] = {"garments": [g["id"] for g in facts["garments"]]}
        for name in ("pose", "scene", "season"):
            if facts.get(name):
                args[name] = facts[name]
        return args


def _calls(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    return AIMessage(
        "",
        tool_calls=[
            {"name": name, "args": args, "id": f"call_{uuid.uuid4().hex[:12]}"}
            for name, args in wanted
        ],
    )
