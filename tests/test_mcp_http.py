"""The HTTP door: who is let in, what each sees, and what a crowd or a stranger cannot do."""

from __future__ import annotations

import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx2
import pytest
from fakes import WINTER, QuickEngine, png, refused, said
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from bench.mcp import serving
from catalog.errors import BadValue, Busy
from tools.mcp_call import SHARE
from tools.mcp_http import build_app, is_loopback, serve_http
from tools.mcp_server import ToolServer
from tools.mcp_tools import TOOLS
from tools.studio import Studio
from tools.tokens import Tokens


@contextmanager
def public(studio: Studio) -> Iterator[str]:
    """A server that others can reach too: everybody needs a token."""
    tokens = Tokens(studio.home)
    if not tokens.all():
        tokens.create("keeper", ["look"])
    with serving(studio, names=("stylist.example.com",)) as url:
        yield url


def talk(url: str, say, token: str | None = None, mode: str = "auto"):
    async def run():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=mode) as client:
                return await say(client)

    return anyio.run(run)


def post(url: str, method: str = "tools/list", params: dict | None = None, **headers: str):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    sent = {"Accept": BOTH, "Content-Type": "application/json"}
    sent |= {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx2.post(url, json=body, headers=sent, timeout=30)


def call(url: str, tool: str, args: dict, token: str | None):
    return talk(url, lambda client: client.call_tool(tool, args), token)


def made(studio: Studio, name: str, may: str = "look", **more) -> str:
    return Tokens(studio.home).create(name, may.split(","), **more)[1]


def expired(studio: Studio, name: str) -> str:
    tokens = Tokens(studio.home)
    secret = tokens.create(name, ["look", "touch", "train"])[1]
    past = datetime.now(UTC) - timedelta(seconds=1)
    tokens._write(tuple(
        t.model_copy(update={"expires": past}) if t.name == name else t for t in tokens.all()
    ))  # fmt: skip
    return secret


BOTH = "application/json, text/event-stream"
ARGS = {
    "find_garments": {"slot": "bag"},
    "catalog_card": {"id": WINTER[0]},
    "upload_photo": {"data": png()},
    "plan_outfit": {"season": {"winter": 1}},
    "render_look": {"garments": WINTER, "steps": 1},
    "list_looks": {},
}


# --- who is let in ------------------------------------------------------------------------------


def test_on_this_machine_nobody_needs_a_token_and_a_wrong_one_is_refused(room: Studio):
    with serving(room) as url:
        tools = talk(url, lambda client: client.list_tools()).tools
        assert len(tools) == len(TOOLS)
        assert post(url, authorization="Bearer stylist_wrong").status_code == 401
        assert post(url, authorization="Basic c3R5bGlzdDo=").status_code == 401


def test_each_tool_lets_nobody_in_without_a_valid_token(room: Studio):
    made(room, "good")
    gone = made(room, "gone", "look,touch,train")
    Tokens(room.home).revoke("gone")
    refusals = {
        "none": {},
        "wrong": {"authorization": "Bearer stylist_" + "A" * 43},
        "empty": {"authorization": "Bearer"},
        "hash": {"authorization": f"Bearer {Tokens(room.home).all()[0].sha256}"},
        "expired": {"authorization": f"Bearer {expired(room, 'late')}"},
        "revoked": {"authorization": f"Bearer {gone}"},
    }
    let_in = []
    with public(room) as url:
        for tool in TOOLS:
            params = {
                "name": tool.name,
                "arguments": ARGS.get(tool.name, {"id": "look-" + "0" * 16}),
            }
            for kind, headers in refusals.items():
                for more in ({}, {"mcp_protocol_version": "2026-07-28", "mcp_method": "tools/call",
                                  "mcp_name": tool.name}):  # fmt: skip
                    answer = post(url, "tools/call", params, **headers, **more)
                    if answer.status_code != 401:
                        let_in.append((tool.name, kind, answer.status_code))
        for method in ("initialize", "resources/list", "prompts/list", "server/discover"):
            assert post(url, method).status_code == 401
    assert let_in == []
    assert not list(room.home.glob("looks/*")) and not list(room.home.glob("photos/*"))


def test_each_tool_asks_for_its_right(room: Studio):
    secret = made(room, "hands", "touch,train")
    with public(room) as url:

        async def say(client: Client):
            offered = [t.name for t in (await client.list_tools()).tools]
            errors = []
            for tool in TOOLS:
                result = await client.call_tool(tool.name, ARGS.get(tool.name, {}))
                errors.append((tool.right, refused(result)["type"]))
            with pytest.raises(MCPError, match="--may look"):
                await client.list_resources()
            with pytest.raises(MCPError, match="--may look"):
                await client.read_resource(f"garment://{WINTER[0]}")
            return offered, errors

        offered, errors = talk(url, say, secret)
    assert offered == [t.name for t in TOOLS if t.right != "look"]
    assert all(type == "NotAllowed" for right, type in errors if right == "look")


def test_each_caller_sees_only_its_own_looks_photos_and_threads(room: Studio):
    one, two = made(room, "one"), made(room, "two")
    with public(room) as url:
        args = {**ARGS["render_look"], "thread": "t", "request_key": "k"}
        look = said(call(url, "render_look", args, one))["look"]
        photo = said(call(url, "upload_photo", {"data": png()}, one))["photo"]["id"]

        async def other(client: Client):
            for name, given in (
                ("get_look", {"id": look}),
                ("replay_look", {"id": look}),
                ("render_look", {**ARGS["render_look"], "parent": look}),
                ("find_garments", {"photo": photo}),
            ):
                error = refused(await client.call_tool(name, given))
                assert error["type"] == "UnknownName", name
                assert look not in error["hint"] and photo not in error["hint"]
            before = refused(await client.call_tool("list_looks", {"before": look}))
            assert before["type"] == "BadValue"
            assert said(await client.call_tool("list_looks", {"thread": "t"}))["looks"] == []
            for uri in (f"look://{look}", f"look://{look}/preview", f"look://{look}/receipt"):
                with pytest.raises(MCPError, match="no look"):
                    await client.read_resource(uri)
            resources, cursor = [], None
            while not resources or cursor:
                page = await client.list_resources(cursor=cursor)
                resources += page.resources
                cursor = page.next_cursor
            assert not [r for r in resources if r.uri.startswith("look://")]
            # the same key and the same plan of another caller are another look
            return said(await client.call_tool("render_look", args))["look"]

        assert talk(url, other, two) != look
        assert said(call(url, "get_look", {"id": look}, one))["look"] == look
    assert {x.id for x in room.looks(owner="one")} == {look}
    assert len(room.looks()) == 2


def test_the_preview_of_a_drawing_is_its_callers_alone(room: Studio):
    room._engine.step_s = 0.05  # type: ignore[union-attr]
    one, two = made(room, "one"), made(room, "two")
    seen: list[str] = []
    with public(room) as url:

        async def draw(client: Client):
            async def progress(done, total, message):
                uri = message[message.index("look://") :]
                if done == 8:
                    seen.append((await client.read_resource(uri)).contents[0].mime_type)
                    error = await anyio.to_thread.run_sync(lambda: other(uri))
                    seen.append(error)

            args = {"garments": WINTER, "steps": 20}
            return await client.call_tool("render_look", args, progress_callback=progress)

        def other(uri: str) -> str:
            async def say(client: Client):
                with pytest.raises(MCPError) as error:
                    await client.read_resource(uri)
                return error.value.error.data["error"]["type"]

            return talk(url, say, two)

        said(talk(url, draw, one))
    assert seen == ["image/jpeg", "UnknownName"]


def test_a_session_serves_nobody_but_its_opener(room: Studio):
    one, two = made(room, "one"), made(room, "two")
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    with public(room) as url:
        opened = post(url, "initialize", hello, authorization=f"Bearer {one}")
        session = {"mcp_session_id": opened.headers["mcp-session-id"]}
        assert opened.status_code == 200
        assert post(url, authorization=f"Bearer {two}", **session).status_code == 404
        assert post(url, **session).status_code == 401
        Tokens(room.home).revoke("one")
        assert post(url, authorization=f"Bearer {one}", **session).status_code == 401


def test_foreign_hosts_and_origins_are_refused(room: Studio):
    with serving(room) as url:
        assert post(url, host="evil.example").status_code == 421
        assert post(url, origin="https://evil.example").status_code == 403
        assert post(url, origin="null").status_code == 403
        port = url.split(":")[2].split("/")[0]
        assert post(url, host=f"127.0.0.1.evil.example:{port}").status_code == 421
    with public(room) as url:
        bearer = f"Bearer {made(room, 'web')}"
        allowed = post(url, host="stylist.example.com", authorization=bearer)
        assert allowed.status_code not in (401, 403, 421)
        assert post(url, host="evil.example", authorization=bearer).status_code == 421


def test_other_addresses_are_refused_without_a_token(room: Studio):
    tools, tokens = ToolServer(lambda: room, local=None), Tokens(room.home)
    for host, names in (("0.0.0.0", ()), ("192.168.1.5", ()), ("127.0.0.1", ("x.example",))):
        with pytest.raises(BadValue, match="stylist token create"):
            build_app(tools, tokens, host=host, names=names)
    tokens.create("bot", ["look"])
    with pytest.raises(BadValue, match="--name"):
        build_app(tools, tokens, host="0.0.0.0")
    _, door = build_app(tools, tokens, host="192.168.1.5")
    assert not door.open_to_local
    assert is_loopback("127.8.8.8") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("10.0.0.1") and not is_loopback("localhost.example")


def test_a_request_that_no_door_let_in_is_refused(room: Studio):
    tools = ToolServer(lambda: room, local=None)

    async def run():
        async with Client(tools.server) as client:
            return await client.call_tool("find_garments", {})

    assert refused(anyio.run(run))["type"] == "NotAllowed"


def test_a_call_makes_no_schemas_of_the_tools_anew(room: Studio, monkeypatch):
    """The SDK lists the tools before each call: made anew each time they cost more than it."""
    made_now: list[str] = []
    make = BaseModel.model_json_schema.__func__  # type: ignore[attr-defined]

    def counted(cls, *args, **more):
        made_now.append(cls.__name__)
        return make(cls, *args, **more)

    with serving(room) as url:
        talk(url, lambda client: client.list_tools())
        monkeypatch.setattr(BaseModel, "model_json_schema", classmethod(counted))
        assert said(call(url, "catalog_card", {"id": WINTER[0]}, None))
        assert {t.args.__name__ for t in TOOLS} & set(made_now) == set()


def test_a_taken_port_is_said(room: Studio):
    tools, tokens = ToolServer(lambda: room, local=None), Tokens(room.home)
    _, door = build_app(tools, tokens)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Busy, match="--port"):
            serve_http(door, "127.0.0.1", taken.getsockname()[1])


# --- crowds and broken clients ------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_that_disappears_in_a_render_stops_it_and_nothing_is_kept(room: Studio, mode):
    engine: QuickEngine = room._engine  # type: ignore[assignment]
    engine.step_s = 0.1
    args = {"garments": WINTER, "steps": 50}
    with serving(room) as url:
        headers = {"Accept": BOTH}
        with httpx2.Client(timeout=30, headers=headers) as http:
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                    "params": {"name": "render_look", "arguments": args}}  # fmt: skip
            if mode == "legacy":
                hello = {"protocolVersion": "2025-06-18", "capabilities": {},
                         "clientInfo": {"name": "t", "version": "1"}}  # fmt: skip
                opened = post(url, "initialize", hello)
                http.headers["mcp-session-id"] = opened.headers["mcp-session-id"]
                http.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
            else:
                http.headers["mcp-protocol-version"] = "2026-07-28"
                http.headers["mcp-method"], http.headers["mcp-name"] = "tools/call", "render_look"
                body["params"]["_meta"] = {  # type: ignore[index]
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
                    "io.modelcontextprotocol/clientCapabilities": {},
                }
            with pytest.raises(httpx2.ReadTimeout):
                http.post(url, json=body, timeout=1.0)
        assert engine.started.is_set()
        began = time.monotonic()
        look = said(call(url, "render_look", {"garments": WINTER, "steps": 1}, None))["look"]
        assert time.monotonic() - began < 3 and engine.steps_done < 30
    assert [p.name for p in room.home.glob("looks/*")] == [look]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_who_asks_and_leaves_puts_no_further_threads_to_work(room: Studio, monkeypatch, mode):
    at_work, most, may_end = [0], [0], threading.Event()
    card = room.garment

    def slow(id: str):
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        may_end.wait(30)
        at_work[0] -= 1
        return card(id)

    monkeypatch.setattr(room, "garment", slow)
    other = made(room, "other")

    async def asks_and_leaves(client: Client):
        for _ in range(6):
            with anyio.move_on_after(0.2):
                async with anyio.create_task_group() as group:
                    for _ in range(3):
                        group.start_soon(client.call_tool, "catalog_card", {"id": WINTER[0]})

    with serving(room) as url:
        try:
            talk(url, asks_and_leaves, mode=mode)
            assert said(call(url, "find_garments", {"slot": "bag"}, other))["garments"]
            assert 0 < most[0] <= SHARE and at_work[0] > 0  # those are still not through
        finally:
            may_end.set()


def test_ten_thousand_silent_and_half_sent_connections_keep_nobody_waiting(room: Studio):
    spare = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1000
    with serving(room, max_waiting=200, wait_s=3.0) as url:
        port = int(url.split(":")[2].split("/")[0])
        head = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        crowd = []
        for i in range(min(10_000, spare)):
            one = socket.create_connection(("127.0.0.1", port))
            if i % 2:
                with suppress(OSError):  # dropped already
                    one.sendall(head + b'Content-Length: 1000\r\n\r\n{"half"')
            crowd.append(one)
        began = time.monotonic()
        assert said(call(url, "find_garments", {"slot": "bag"}, None))["garments"]
        assert time.monotonic() - began < 15  # both ends of ten thousand, in this one process
        time.sleep(4)
        kept = [one for one in crowd if not _closed(one)]
        for one in crowd:
            one.close()
        assert kept == []


def _closed(one: socket.socket) -> bool:
    one.settimeout(0.1)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_body_over_the_limit_is_refused_before_it_is_read(room: Studio):
    with serving(room) as url:
        answer = httpx2.post(
            url, content=b"x" * (20 << 20), headers={"Content-Type": "application/json"}, timeout=30
        )
        assert answer.status_code == 413
        broken = httpx2.post(
            url, content=b"{\"jsonrpc\": ", timeout=30,
            headers={"Content-Type": "application/json", "Accept": BOTH},
        )  # fmt: skip
        assert broken.status_code == 400
        assert said(call(url, "find_garments", {"slot": "bag"}, None))["garments"]


def test_sixteen_callers_at_once_get_their_own_answers(room: Studio):
    secrets = [made(room, f"c{i}") for i in range(16)]
    with public(room) as url:

        async def one(i: int, wrong: list[str]):
            async with (
                httpx2.AsyncClient(
                    headers={"Authorization": f"Bearer {secrets[i]}"}, timeout=60
                ) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):

                async def ask(n: int):
                    if n % 4 == 0:
                        args = {"garments": WINTER, "steps": 1, "seed": 100 * i + n}
                        look = said(await client.call_tool("render_look", args))
                        if look["arguments"]["seed"] != 100 * i + n:
                            wrong.append(f"{i}.{n}")
                    else:
                        found = await client.call_tool("find_garments", {"limit": n % 20 + 1})
                        if len(said(found)["garments"]) != n % 20 + 1:
                            wrong.append(f"{i}.{n}")

                async with anyio.create_task_group() as group:
                    for n in range(12):
                        group.start_soon(ask, n)

        async def everybody() -> list[str]:
            wrong: list[str] = []
            async with anyio.create_task_group() as group:
                for i in range(16):
                    group.start_soon(one, i, wrong)
            return wrong

        assert anyio.run(everybody) == []
    owners = [json.loads(p.read_text())["owner"] for p in room.home.glob("looks/*/receipt.json")]
    assert sorted(owners) == sorted(f"c{i}" for i in range(16) for _ in range(3))


# --- a LangChain agent as a caller --------------------------------------------------------------


def test_the_readmes_langchain_agent_dresses_somebody_over_http(room: Studio):
    from agent.planner import EmbeddedPlanner

    readme = (Path(__file__).parents[1] / "README.md").read_text()
    example = (
        readme.split("A LangChain agent as a caller:")[1].split("```python")[1].split("```")[0]
    )
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 10 and max(map(len, lines)) <= 100
    names: dict = {}
    exec(example, names)
    with serving(room) as url:
        reply = anyio.run(names["dress"], "winter outfit for a commute", url, EmbeddedPlanner())
    (look,) = room.looks()
    for worn in look.receipt.plan.garments:
        assert room.catalog.get(worn.id).name.lower() in reply.lower()
