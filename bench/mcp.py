"""Figures of the doors for other agents: MCP over stdio and over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import renders
from bench.figures import Measured, NotYet, figure
from bench.speed import ROOT, _home

INSPECTOR = ("-p", "node@22", "-p", "@modelcontextprotocol/inspector@2.12.0")
"""The protocol's own client, from npm; it wants this node or a newer one."""
CALLERS, REQUESTS = 16, 20
OUTFIT = ["black-long-puffer", "grey-argyle-sweater", "indigo-straight-jeans",
          "brown-leather-boots"]  # fmt: skip


@contextlib.contextmanager
def serving(studio: Any, names: tuple[str, ...] = (), **bounds: Any) -> Iterator[str]:
    """The tools of ``studio`` over HTTP on a free port, in a thread; the address.

    With ``names`` everybody needs a token.
    """
    import uvicorn

    from tools import connections
    from tools.mcp_http import build_app
    from tools.mcp_server import ToolServer
    from tools.tokens import Tokens

    tools = ToolServer(lambda: studio, local=None)
    _, door = build_app(tools, Tokens(studio.home), names=names)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    protocol = connections.bounded(**bounds)
    config = uvicorn.Config(
        door, http=protocol, lifespan="on", log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join()


def talk(url: str, say: Callable[[Any], Awaitable[Any]], token: str | None = None) -> Any:
    """What ``say`` returns, given the SDK's own client of the server at ``url``."""
    import anyio

    async def run() -> Any:
        async with connected(url, token) as asking:
            return await say(asking)

    return anyio.run(run)


@contextlib.asynccontextmanager
async def connected(url: str, token: str | None = None) -> Any:
    import httpx2
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=300) as http,
        Client(streamable_http_client(url, http_client=http)) as asking,
    ):
        yield asking


@contextlib.contextmanager
def _room() -> Iterator[Any]:
    """A studio with its own looks and tokens, over the bench's catalog and warm engine."""
    from tools.studio import Studio

    shared = renders.studio()
    with tempfile.TemporaryDirectory(prefix="stylist-bench-mcp-") as folder:
        (Path(folder) / "catalog").symlink_to(shared.home / "catalog")
        room = Studio(Path(folder), threads=shared.threads)
        room._engine = shared.engine
        yield room


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _wrong(result: Any) -> bool:
    return bool(result.is_error)


# --- figures ------------------------------------------------------------------------------------


@figure("mcp-inspector", better="lower", issue=8, target=0, minutes=2)
def mcp_inspector() -> Measured:
    """Problems npm's MCP inspector reports: tools, resources, templates, prompts, one render, one
    error."""
    if shutil.which("npx") is None:
        raise NotYet("there is no node on this machine: the inspector is an npm package")
    calls: list[tuple[str, list[str], bool]] = [
        ("tools/list", ["--strict"], False),  # schemas that other models may stumble over, too
        ("resources/list", [], False),
        ("resources/templates/list", [], False),
        ("resources/read", ["--uri", f"garment://{OUTFIT[0]}"], False),
        ("prompts/list", [], False),
        ("prompts/get", ["--prompt-name", "dress_me_for", "--prompt-args", "occasion=work"], False),
        ("tools/call", ["--tool-name", "render_look", "--tool-arg",
                        f"garments={json.dumps(OUTFIT)}", "steps=2"], False),
        ("tools/call", ["--tool-name", "catalog_card", "--tool-arg", "id=no-such-thing"], True),
    ]  # fmt: skip
    problems = []
    with _room() as room, serving(room) as url:
        for method, more, wrong in calls:
            asked = ["npx", "-y", *INSPECTOR, "mcp-inspector", "--cli", url,
                     "--transport", "http", "--method", method, *more]  # fmt: skip
            done = subprocess.run(asked, capture_output=True, text=True, timeout=300)
            try:
                answer = json.loads(done.stdout)
            except ValueError:
                if "npm error" in done.stderr:
                    raise NotYet(f"npm cannot bring it: {done.stderr.strip()[-120:]}") from None
                problems.append(f"{method}: {(done.stderr or done.stdout).strip()[-120:]}")
                continue
            if bool(answer.get("isError")) != wrong or (done.returncode and not wrong):
                problems.append(f"{method}: {(done.stderr or str(answer))[-200:]}")
    return Measured(len(problems), note="; ".join(problems) or f"{len(calls)} calls over HTTP")


@figure("mcp-render", better="lower", issue=8, target=1.05, minutes=1)
def mcp_render() -> Measured:
    """A render through MCP over HTTP ÷ the same in process, both warm, medians of five pairs."""
    from tools.look import Plan, Worn

    with _room() as room, serving(room) as url:
        worn = tuple(Worn(id=id) for id in OUTFIT)

        async def pairs(asking: Any) -> list[tuple[float, float]]:
            import anyio

            async def progress(*_: Any) -> None: ...

            found = []
            for seed in range(6):
                plan = Plan(garments=worn, seed=2 * seed)
                began = time.perf_counter()
                await anyio.to_thread.run_sync(
                    lambda plan=plan: room.render_look(plan, progress=lambda _: None)
                )
                inside = time.perf_counter() - began
                args = {"garments": OUTFIT, "seed": 2 * seed + 1}
                began = time.perf_counter()
                result = await asking.call_tool("render_look", args, progress_callback=progress)
                found.append((time.perf_counter() - began, inside))
                if _wrong(result):
                    raise NotYet(result.content[0].text)
            return found[1:]  # the first pair warms up

        seen = talk(url, pairs)
    outside, inside = (statistics.median(times) for times in zip(*seen, strict=True))
    return Measured(outside / inside, note=f"{outside:.2f} s ÷ {inside:.2f} s")


@figure("mcp-crowd", better="lower", issue=8, target=0, minutes=2)
def mcp_crowd() -> Measured:
    """Lost, doubled or misrouted answers when 16 callers send 20 requests each at once, one of
    each caller's a drawing."""
    import anyio

    from tools.tokens import Tokens

    wrong: list[str] = []
    with _room() as room:
        secrets = [Tokens(room.home).create(f"c{i}", ["look"])[1] for i in range(CALLERS)]
        with serving(room, names=("bench.example",)) as url:

            async def one(i: int) -> None:
                async with connected(url, secrets[i]) as asking, anyio.create_task_group() as all:
                    for n in range(REQUESTS):
                        all.start_soon(request, asking, i, n)

            async def request(asking: Any, i: int, n: int) -> None:
                if n == 7:
                    args = {"garments": OUTFIT, "steps": 1, "seed": 1000 + i, "thread": f"t{i}"}
                    result = await asking.call_tool("render_look", args)
                    facts = result.structured_content
                    good = not _wrong(result) and facts["arguments"]["seed"] == 1000 + i
                elif n % 2:
                    result = await asking.call_tool("find_garments", {"limit": n})
                    good = not _wrong(result) and len(result.structured_content["garments"]) == n
                else:
                    result = await asking.call_tool("catalog_card", {"id": OUTFIT[n % 4]})
                    facts = result.structured_content
                    good = not _wrong(result) and facts["garment"]["id"] == OUTFIT[n % 4]
                answered.append((i, n))
                if not good:
                    wrong.append(f"{i}.{n}")

            answered: list[tuple[int, int]] = []

            async def everybody() -> None:
                async with anyio.create_task_group() as group:
                    for i in range(CALLERS):
                        group.start_soon(one, i)

            began = time.perf_counter()
            anyio.run(everybody)
            seconds = time.perf_counter() - began
        lost = CALLERS * REQUESTS - len(set(answered))
        doubled = len(answered) - len(set(answered))
        owners = sorted(str(look.receipt.owner) for look in room.looks())
        astray = len(set(range(CALLERS)) ^ {int(o[1:]) for o in owners}) + len(owners) - CALLERS
    note = f"{CALLERS * REQUESTS} answers in {seconds:.0f} s"
    return Measured(len(wrong) + lost + doubled + abs(astray), note=note)


@figure("mcp-cancel", better="lower", issue=8, target=100, unit="ms", minutes=1)
def mcp_cancel() -> Measured:
    """From cancelling a render over HTTP until the engine is free again, less one model step (the
    slowest of all seen); the worst of five."""
    import anyio

    waits: list[float] = []
    steps: list[float] = []
    with _room() as room, serving(room) as url:
        engine = room.engine

        async def say(asking: Any) -> None:
            for seed in range(6):
                marks: list[float] = []
                with anyio.CancelScope() as scope:

                    async def progress(
                        done: float, _: Any, message: str | None, marks=marks, scope=scope
                    ) -> None:
                        if message and message.startswith("draw"):
                            marks.append(time.perf_counter())
                            if len(marks) == 10:
                                scope.cancel()

                    args = {"garments": OUTFIT, "seed": seed, "steps": 30}
                    await asking.call_tool("render_look", args, progress_callback=progress)
                if len(marks) < 10:
                    raise NotYet("the render told no steps")
                await anyio.to_thread.run_sync(engine._lock.acquire)
                waits.append(time.perf_counter() - marks[9])
                engine._lock.release()
                steps.extend(b - a for a, b in zip(marks, marks[1:], strict=False))

        talk(url, say)
        kept = len(room.looks())
    step = statistics.median(steps)
    note = f"a step {step * 1000:.0f} ms, slowest {max(steps) * 1000:.0f} ms; {kept} looks kept"
    return Measured((max(waits[1:]) - max(steps)) * 1000, note=note)


@figure("mcp-start", better="lower", issue=8, target=1.5, unit="s", minutes=0.3)
def mcp_start() -> Measured:
    """`stylist mcp` in a fresh process until its list of tools has been read, best of 6."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {},
             "clientInfo": {"name": "bench", "version": "1"}}  # fmt: skip
    messages = (
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    )

    def start(env: dict[str, str]) -> tuple[float, float]:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", "mcp"], cwd=ROOT, env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdin and process.stdout
            for message in messages:
                process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            while line := process.stdout.readline():
                if json.loads(line).get("id") == 2:
                    process.stdin.close()
                    seconds = time.perf_counter() - began
                    _, _, usage = os.wait4(process.pid, 0)
                    return seconds, usage.ru_utime + usage.ru_stime
            raise NotYet("stylist mcp ended")
        finally:
            process.kill()

    with _home(installed=True) as env:
        best = min(start(env) for _ in range(6))
    return Measured(best[0], note=f"{best[1]:.2f} s of processor time, {_load()}")


@figure("mcp-let-in", better="lower", issue=8, target=0, minutes=1)
def mcp_let_in() -> Measured:
    """Tool calls answered that should not have been: each tool × no token, wrong, expired and
    revoked token, missing right, and another caller's look or photo wherever an id is taken."""
    from tools.look import Plan, Worn
    from tools.mcp_tools import TOOLS
    from tools.tokens import Tokens

    let_in: list[str] = []
    with _room() as room:
        plan = Plan(garments=tuple(Worn(id=id) for id in OUTFIT), steps=1)
        look = room.render_look(plan, owner="owner").id
        photo = room.upload_photo(room.catalog.photos(OUTFIT[3])[0].read_bytes(), owner="owner").id
        job = room.garment_jobs.jobs.add("new garment", {}, owner="owner")
        tokens = Tokens(room.home)
        right = tokens.create("stranger", ["look", "touch", "train"])[1]
        bad: dict[str, str | None] = {"none": None, "wrong": "stylist_" + "A" * 43}
        bad["revoked"] = tokens.create("revoked", ["look", "touch", "train"])[1]
        tokens.revoke("revoked")
        bad["expired"] = tokens.create("expired", ["look", "touch", "train"])[1]
        past = datetime.now(UTC) - timedelta(seconds=1)
        tokens._write(tuple(
            t.model_copy(update={"expires": past}) if t.name == "expired" else t
            for t in tokens.all()
        ))  # fmt: skip
        args: dict[str, dict[str, Any]] = {
            "find_garments": {"slot": "bag"}, "catalog_card": {"id": OUTFIT[0]},
            "upload_photo": {"data": ""}, "photo_pose": {"photo": photo},
            "plan_outfit": {}, "list_looks": {},
            "render_look": {"garments": OUTFIT, "steps": 1},
            "get_look": {"id": look}, "replay_look": {"id": look}, "undo": {"id": look},
            "segment": {"look": look, "garment": "footwear"},
            "touch_up": {"id": look, "garment": "footwear", "color": "red"},
            "start_garment_job": {"name": "Bench coat", "photos": [photo]},
            "job_status": {"id": job}, "cancel_job": {"id": job}, "resume_job": {"id": job},
        }  # fmt: skip
        others: dict[str, dict[str, Any]] = {
            "find_garments": {"photo": photo}, "photo_pose": {"photo": photo},
            "get_look": {"id": look},
            "replay_look": {"id": look}, "list_looks": {"before": look},
            "render_look": {**args["render_look"], "parent": look}, "undo": args["undo"],
            "segment": args["segment"], "touch_up": args["touch_up"],
            "start_garment_job": {"name": "Bench coat", "photos": [photo]},
            "cancel_job": {"id": job}, "resume_job": {"id": job},
        }  # fmt: skip
        tried = 0
        with serving(room, names=("bench.example",)) as url:
            for tool in TOOLS:
                for kind, secret in bad.items():
                    tried += 1
                    if _status(url, tool.name, args[tool.name], secret) != 401:
                        let_in.append(f"{tool.name}: {kind}")
            for tool in TOOLS:
                rest = [r for r in ("look", "touch", "train") if r != tool.right]
                name = f"without-{tool.name.replace('_', '-')}"
                secret = tokens.create(name[:32], rest)[1]
                tried += 1
                if not _refused(url, tool.name, args[tool.name], secret):
                    let_in.append(f"{tool.name}: missing right")
            for name, given in others.items():
                tried += 1
                if not _refused(url, name, given, right):
                    let_in.append(f"{name}: another caller's id")
    return Measured(len(let_in), note="; ".join(let_in) or f"{tried} calls")


def _status(url: str, tool: str, args: dict[str, Any], secret: str | None) -> int:
    import httpx2

    headers = {"Accept": "application/json, text/event-stream"}
    if secret is not None:
        headers["Authorization"] = f"Bearer {secret}"
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": args}}  # fmt: skip
    return int(httpx2.post(url, json=body, headers=headers, timeout=60).status_code)


def _refused(url: str, tool: str, args: dict[str, Any], secret: str) -> bool:
    result = talk(url, lambda asking: asking.call_tool(tool, args), secret)
    return bool(result.is_error)
