"""stylist mcp and stylist token as a person starts them; other agents as callers."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import pytest
from fakes import WINTER, refused, said
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from tools.jobs import Jobs
from tools.mcp_http import build_app
from tools.mcp_server import ToolServer
from tools.tokens import Tokens
from ui import agents
from ui.cli import main
from ui.settings import Settings

ROOT = Path(__file__).parents[1]


@pytest.fixture
def home(installed_home: Path, tmp_path: Path, monkeypatch) -> Path:
    """A person's STYLIST_HOME with the starter catalog in it."""
    (tmp_path / "catalog").symlink_to(installed_home / "catalog")
    monkeypatch.setenv("STYLIST_HOME", str(tmp_path))
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "STYLIST_HOME": str(home), "PYTHONPATH": str(ROOT)}


# --- stdio --------------------------------------------------------------------------------------


def test_over_stdio_an_outfit_is_planned_drawn_and_shown(home: Path):
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "ui.cli", "mcp"], env=environment(home), cwd=str(ROOT)
    )
    steps: list[float] = []

    async def say():
        async with Client(server) as client:
            wish = {"season": {"winter": 1}, "occasion": "commute"}
            plan = said(await client.call_tool("plan_outfit", wish))

            async def progress(done, total, message):
                steps.append(done)

            args = {**plan["arguments"], "steps": 2}
            result = await client.call_tool("render_look", args, progress_callback=progress)
            look = said(result)
            receipt = (await client.read_resource(look["receipt"])).contents[0].text
            wrong = refused(await client.call_tool("catalog_card", {"id": "black-long-pufer"}))
            return result, json.loads(receipt), wrong

    result, receipt, wrong = anyio.run(say)
    assert [p.type for p in result.content][:2] == ["text", "image"]
    assert receipt["plan"]["garments"] and receipt["owner"] is None
    assert "black-long-puffer" in wrong["hint"]
    assert steps == [1, 2, 3, 4, 5]


def test_standard_output_carries_protocol_only_whatever_comes_in(home: Path):
    hello = {"protocolVersion": "2025-06-18", "capabilities": {},
             "clientInfo": {"name": "t", "version": "1"}}  # fmt: skip

    def request(id: int, method: str, **params) -> bytes:
        body = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        return json.dumps(body).encode() + b"\n"

    def tool(number: int, name: str, **arguments) -> bytes:
        return request(number, "tools/call", name=name, arguments=arguments)

    lines = [
        b"hello\n",
        b"{\n",
        b"\xff\xfe\x00\n",
        b"[" * 100_000 + b"\n",
        b'{"jsonrpc": "2.0", "id": 9, "method": 7}\n',
        request(1, "initialize", **hello),
        b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n',
        tool(2, "find_garments", text="x" * (1 << 20)),
        tool(3, "render_look", garments=WINTER, steps=float("nan")),
        tool(4, "catalog_card", id="../../etc/passwd"),
        tool(5, "find_garments", slot="bag"),
        request(6, "no/such/method"),
        request(7, "tools/call", name="x" * (1 << 20)),
        tool(10, "find_garments", text="half a character \ud800"),
        b'{"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"name": "find_ga',
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "mcp"], cwd=ROOT, env=environment(home),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stdout
    for line in lines[:-1]:
        process.stdin.write(line)
    process.stdin.flush()
    answers: dict[int, dict] = {}
    # a line that gets no answer ends the test, and not the patience of whoever runs it
    deadline = threading.Timer(90, process.kill)
    deadline.start()
    while not {1, 2, 3, 4, 5, 6, 7, 9, 10} <= answers.keys():
        message = json.loads(process.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        if message.get("id") is not None:
            answers[message["id"]] = message
    deadline.cancel()
    process.stdin.write(lines[-1])  # and the client dies in the middle of a request
    process.stdin.close()
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
    for id in (2, 3, 4, 7):
        result = answers[id]["result"]
        assert result["isError"] and result["structuredContent"]["error"]["hint"], id
        assert len(json.dumps(result)) < 4000
    assert not answers[5]["result"].get("isError")
    assert answers[6]["error"]["code"] == -32601
    assert [answers[id]["error"]["code"] for id in (9, 10)] == [-32600, -32600]
    assert not list(home.glob("looks/*"))


def test_a_client_that_dies_in_a_render_ends_the_server_quietly_and_nothing_is_kept(home: Path):
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "mcp"], cwd=ROOT, env=environment(home),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stderr
    hello = {"protocolVersion": "2025-06-18", "capabilities": {},
             "clientInfo": {"name": "t", "version": "1"}}  # fmt: skip
    asked = {"name": "render_look", "arguments": {"garments": WINTER, "steps": 50},
             "_meta": {"progressToken": "p"}}  # fmt: skip
    for message in (
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": asked},
    ):
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    process.stdin.flush()
    deadline = threading.Timer(300, process.kill)
    deadline.start()
    while b'"draw, ' not in process.stdout.readline():
        assert process.poll() is None
    process.stdout.close()
    process.stdin.close()
    said = process.stderr.read().decode()
    assert (process.wait(), said) == (0, "")
    deadline.cancel()
    assert not list(home.glob("looks/*"))


def test_http_options_without_http_are_refused(home: Path, capsys):
    assert main(["mcp", "--port", "7999"]) == 1
    assert "--http" in capsys.readouterr().err


def test_other_agents_are_served_with_every_setting_of_the_person(home: Path):
    settings = Settings(home, threads=1, models=home / "models", sam=home / "sam.pth")
    studio = agents._studio(settings)
    assert (studio.threads, studio.models) == (1, settings.models)
    assert studio.sam == settings.sam


def test_page_and_tools_answer_to_no_strangers_name(home: Path, monkeypatch):
    monkeypatch.setattr("ui.chat.mount", lambda stylist, settings, app: None)
    studio = agents._studio(Settings(home, threads=1))
    app, door = build_app(ToolServer(lambda: studio, local=None), Tokens(home))
    both = agents._beside_the_page(app, door, studio, Settings(home), "127.8.8.8")

    def status(host: str, path: str) -> int:
        answers: list[int] = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                answers.append(message["status"])

        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
                 "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
                 "headers": [(b"host", host.encode())], "app": both}  # fmt: skip
        anyio.run(both, scope, receive, send)
        return answers[0]

    for path in ("/", "/mcp", "/config"):
        for host in ("evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""):
            assert status(host, path) == 400, (host, path)
    for host in ("127.0.0.1:7860", "localhost:7860", "[::1]:7860", "127.8.8.8"):
        assert status(host, "/") == 404  # let in; there is no page in this test


def test_other_addresses_need_a_token_first(home: Path, capsys):
    assert main(["mcp", "--http", "--host", "0.0.0.0"]) == 1
    assert "stylist token create" in capsys.readouterr().err


# --- stylist token ------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_only_its_hash_is_kept(home: Path, capsys):
    assert main(["token", "create", "shop", "--may", "look,train", "--days", "3"]) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("stylist_") and len(secret) > 40
    file = home / "tokens.json"
    assert secret not in file.read_text() and secret[8:] not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert main(["token", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["may"] == ["look", "train"] and listed["state"] == "valid"
    assert "sha256" not in listed and secret not in json.dumps(listed)


def test_revoked_tokens_open_nothing_and_keep_their_name(home: Path, capsys):
    main(["token", "create", "shop"])
    secret = capsys.readouterr().out.strip()
    tokens = Tokens(home)
    assert tokens.verify(secret) is not None
    jobs = Jobs(home, {"new garment": lambda run: {}})
    theirs, other = (jobs.add("new garment", {}, owner=name) for name in ("shop", "bot"))
    capsys.readouterr()
    assert main(["token", "revoke", "shop"]) == 0
    told = capsys.readouterr().err
    assert f"stylist job cancel {theirs}" in told and other not in told
    assert tokens.verify(secret) is None
    assert main(["token", "create", "shop"]) == 1
    assert "--renew" in capsys.readouterr().err
    assert main(["token", "create", "shop", "--renew"]) == 0
    renewed = capsys.readouterr().out.strip()
    assert tokens.verify(renewed) is not None and tokens.verify(secret) is None


@pytest.mark.parametrize(
    "words",
    [
        ["create", "Shop"],
        ["create", "../shop"],
        ["create", "@local"],
        ["create", "x" * 33],
        ["create", "shop", "--may", "everything"],
        ["create", "shop", "--may", ","],
        ["create", "shop", "--days", "0"],
        ["create", "shop", "--days", "1000000"],
        ["create", "shop", "--renew"],
        ["revoke", "nobody"],
    ],
)
def test_tokens_that_cannot_be_are_refused(home: Path, capsys, words: list[str]):
    assert main(["token", *words]) == 1
    assert capsys.readouterr().err.strip()
    assert not (home / "tokens.json").exists()


def test_a_damaged_file_of_tokens_lets_nobody_in(home: Path, capsys):
    main(["token", "create", "shop"])
    (home / "tokens.json").write_text('[{"name": "shop"')
    assert main(["token", "list"]) == 1
    assert "tokens.json" in capsys.readouterr().err
