"""A request key: the same look without drawing twice, whatever happened in between."""

from pathlib import Path

import anyio
import pytest
from fakes import WINTER, QuickEngine, refused, said
from mcp.client.client import Client
from test_mcp_server import ask, served, talk

from tools.studio import Studio


def test_one_key_draws_once_also_after_a_restart(room: Studio):
    args = {"garments": WINTER, "steps": 1, "request_key": "order-7"}
    first = said(ask(served(room), "render_look", args))["look"]
    reborn = Studio(room.home)
    reborn._engine = QuickEngine()  # type: ignore[assignment]
    assert said(ask(served(reborn), "render_look", args))["look"] == first
    assert reborn._engine.drawn == 0  # type: ignore[union-attr]
    error = refused(ask(served(reborn), "render_look", {**args, "seed": 1}))
    assert "another request" in error["message"]


def test_one_key_sent_twice_at_once_draws_once(room: Studio):
    room._engine.step_s = 0.02  # type: ignore[union-attr]
    args = {"garments": WINTER, "steps": 4, "request_key": "k"}

    async def say(client: Client):
        looks = []

        async def one():
            looks.append(said(await client.call_tool("render_look", args))["look"])

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one)
        return looks

    assert len(set(talk(served(room), say))) == 1
    assert room._engine.drawn == 1  # type: ignore[union-attr]


def test_a_repeat_waits_for_nobodys_drawing(room: Studio):
    engine: QuickEngine = room._engine  # type: ignore[assignment]
    args = {"garments": WINTER, "steps": 1, "request_key": "k"}

    async def say(client: Client):
        first = said(await client.call_tool("render_look", args))["look"]
        engine.step_s = 0.05
        engine.started.clear()
        other = {"garments": WINTER, "steps": 40, "seed": 1}
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "render_look", other)
            await anyio.to_thread.run_sync(engine.started.wait)
            again = said(await client.call_tool("render_look", args))["look"]
            still = engine.drawn
            refused(await client.call_tool("render_look", {**args, "seed": 2}))
            group.cancel_scope.cancel()
        return first == again, still

    assert talk(served(room), say) == (True, 1)


@pytest.mark.parametrize("broken", ["look.png", "receipt.json", "garments.png"])
def test_a_look_that_broke_is_whole_again_once_it_is_drawn_again(room: Studio, broken: str):
    args = {"garments": WINTER, "steps": 1, "request_key": "k"}
    look = room.look(said(ask(served(room), "render_look", args))["look"])
    file = Path(look.folder) / broken
    before = file.read_bytes()
    file.write_bytes(before[: len(before) // 2])
    reborn = Studio(room.home)
    reborn._engine = QuickEngine()  # type: ignore[assignment]
    assert said(ask(served(reborn), "render_look", {**args, "request_key": "l"}))["look"] == look.id
    assert not list(Path(look.folder).parent.glob(".*"))
    assert broken == "receipt.json" or file.read_bytes() == before
    assert reborn.look(look.id).receipt.picture_sha256 == look.receipt.picture_sha256
    # drawn once more it is the look that is there, of the day when it was first drawn
    created = reborn.look(look.id).receipt.created
    again = said(ask(served(reborn), "render_look", {**args, "request_key": "m"}))["look"]
    assert reborn.look(again).receipt.created == created


def test_a_request_that_failed_may_be_sent_again_with_its_key(room: Studio):
    args = {"garments": WINTER, "steps": 1, "request_key": "k"}
    engine, room._engine = room._engine, None
    room.base = "nowhere"  # no base of that name: nothing can be drawn
    assert ask(served(room), "render_look", args).is_error
    room.base, room._engine = "croquis", engine
    assert said(ask(served(room), "render_look", args))["look"]


def test_a_refused_request_leaves_nothing_of_its_key(room: Studio):
    tools = served(room)
    said(ask(tools, "render_look", {"garments": WINTER, "steps": 1, "request_key": "good"}))
    before = sorted(room.home.rglob("*"))
    bare = {"garments": [WINTER[0]], "request_key": "bad"}
    assert "torso" in refused(ask(tools, "render_look", bare))["message"]
    assert sorted(room.home.rglob("*")) == before
    assert said(ask(tools, "render_look", {**bare, "garments": WINTER, "steps": 1}))["look"]
