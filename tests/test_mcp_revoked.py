"""A token that ends while its caller waits: what was asked with it ends too, and is told so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from fakes import WINTER, QuickEngine, refused, said
from mcp.client.client import Client
from test_mcp_http import call, made, public, talk

from tools.mcp_call import SHARE
from tools.studio import Studio
from tools.tokens import Tokens


def revoked(tokens: Tokens, name: str) -> None:
    tokens.revoke(name)


def renewed(tokens: Tokens, name: str) -> None:
    tokens.create(name, ["look", "touch", "train"], renew=True)


def expired(tokens: Tokens, name: str) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    tokens._write(tuple(
        t.model_copy(update={"expires": past}) if t.name == name else t for t in tokens.all()
    ))  # fmt: skip


ENDS = pytest.mark.parametrize("end", [revoked, renewed, expired])
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


def drawing(steps: int, seed: int, **more) -> dict:
    return {"garments": WINTER, "steps": steps, "seed": seed, **more}


@ENDS
def test_a_drawing_that_waits_leaves_the_queue_with_its_token(room: Studio, end: Callable):
    engine: QuickEngine = room._engine  # type: ignore[assignment]
    engine.step_s = 0.05
    first, second = made(room, "first"), made(room, "second")
    answers: list = []
    with public(room) as url:

        async def waits(client: Client):
            result = await client.call_tool("render_look", drawing(9, 2, request_key="k"))
            answers.append((refused(result), engine.drawn))

        async def draws(client: Client):
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.to_thread.run_sync, ends)
                answers.append(said(await client.call_tool("render_look", drawing(50, 1)))["look"])

        def ends():
            assert engine.started.wait(30)
            waiting = threading.Thread(target=lambda: talk(url, waits, second))
            waiting.start()
            waiting.join(0.7)
            assert answers == []
            end(Tokens(room.home), "second")
            waiting.join()

        talk(url, draws, first)
    (error, drawn), look = answers
    assert drawn == 0  # told while the other one was still being drawn
    assert error["type"] == "NotAllowed" and "--renew" in error["hint"]
    assert engine.drawn == 1 and [p.name for p in room.home.glob("looks/*")] == [look]
    assert not list(room.home.glob("requests/*/*"))


@MODES
@ENDS
def test_a_drawing_under_way_stops_within_a_step_of_its_tokens_end(
    room: Studio, end: Callable, mode: str
):
    engine: QuickEngine = room._engine  # type: ignore[assignment]
    engine.step_s = 0.2
    one, other = made(room, "one"), made(room, "other")
    at: list[int] = []
    with public(room) as url:

        async def say(client: Client):
            async def progress(done, total, message):
                if message.startswith("draw") and not at:
                    end(Tokens(room.home), "one")
                    at.append(engine.steps_done)

            args = drawing(50, 1)
            return await client.call_tool("render_look", args, progress_callback=progress)

        assert refused(talk(url, say, one, mode))["type"] == "NotAllowed"
        assert engine.steps_done <= at[0] + 2
        assert said(call(url, "render_look", drawing(1, 2), other))["look"]
    assert len(list(room.home.glob("looks/*"))) == 1


@pytest.mark.parametrize("what", ["catalog_card", "read_resource"])
def test_a_call_that_waits_for_others_of_its_caller_is_not_done_any_more(
    room: Studio, monkeypatch, what: str
):
    under_way, may_end, card = threading.Semaphore(0), threading.Event(), room.garment

    def slow(id: str):
        under_way.release()
        may_end.wait(30)
        return card(id)

    monkeypatch.setattr(room, "garment", slow)
    one = made(room, "one")
    errors: list[str] = []
    with public(room) as url:

        async def say(client: Client):
            async def waits():
                if what == "catalog_card":
                    result = await client.call_tool("catalog_card", {"id": WINTER[0]})
                    errors.append(refused(result)["type"])
                    return
                try:
                    await client.read_resource(f"garment://{WINTER[0]}")
                except Exception as error:
                    errors.append(error.error.data["error"]["type"])  # type: ignore[attr-defined]

            def ends():
                for _ in range(SHARE):
                    assert under_way.acquire(timeout=30)

            await client.list_tools()  # or it would after a call, and be let in no more
            async with anyio.create_task_group() as group:
                for _ in range(SHARE):
                    group.start_soon(client.call_tool, "catalog_card", {"id": WINTER[0]})
                await anyio.to_thread.run_sync(ends)
                group.start_soon(waits)
                await anyio.sleep(0.5)
                revoked(Tokens(room.home), "one")
                may_end.set()

        talk(url, say, one)
    assert errors == ["NotAllowed"]
