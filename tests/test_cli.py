import io
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from catalog.starter import starter_garments
from ui.cli import main
from ui.terminal import Progress, stoppable

HEAVY = {"numpy", "pydantic", "torch", "gradio", "chromadb", "langchain", "diffusers", "skia"}


@pytest.fixture
def at_home(monkeypatch, installed_home):
    for name in [n for n in os.environ if n.startswith(("STYLIST_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STYLIST_HOME", str(installed_home))
    return installed_home


def _json(capsys) -> dict:
    out = capsys.readouterr().out
    assert out.count("\n") == 1, "one JSON value and nothing else"
    return json.loads(out)


def test_help_imports_nothing_heavy():
    asked = [sys.executable, "-X", "importtime", "-m", "ui.cli", "--help"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "usage: stylist" in done.stdout
    assert not loaded & HEAVY


def test_look_without_a_request_says_what_to_do(at_home, capsys):
    assert main(["look"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and "stylist look" in said.err


def test_an_error_is_json_where_json_is_asked_for(at_home, capsys):
    assert main(["look", "--json"]) == 1
    assert _json(capsys)["error"]["type"] == "BadValue"


def test_a_bad_setting_is_said_by_name(at_home, capsys, monkeypatch):
    monkeypatch.setenv("STYLIST_PORT", "none")
    assert main(["catalog", "list", "--json"]) == 1
    assert "STYLIST_PORT" in _json(capsys)["error"]["message"]


def test_words_lists_everything_a_wish_can_use(at_home, capsys):
    assert main(["catalog", "words", "--json"]) == 0
    words = _json(capsys)
    assert {"color", "pattern", "category", "slot", "season", "pose", "scene"} <= set(words)
    assert {"body", "skin", "hair", "hair_color", "presentation"} <= set(words)
    assert "navy" in words["color"] and "midi skirt" in words["category"]
    assert words["season"] == ["spring-autumn", "summer", "winter"]
    assert all(len(set(kind)) == len(kind) > 1 for kind in words.values())


def test_list_and_show_agree(at_home, capsys):
    assert main(["catalog", "list", "--json"]) == 0
    cards = _json(capsys)
    assert len(cards) >= 60
    assert main(["catalog", "show", cards[0]["id"], "--json"]) == 0
    assert _json(capsys) == cards[0]


def test_the_list_tells_what_is_sold_out_from_what_failed_its_test(at_home, capsys, monkeypatch):
    card = starter_garments()[0].model_copy(update={"available": False})
    flagged = card.model_copy(update={"flags": ("overcooked", "leaks")})
    monkeypatch.setattr("catalog.index.Catalog.all", lambda self: [card, flagged])
    assert main(["catalog", "list"]) == 0
    sold, failed = capsys.readouterr().out.splitlines()[:2]
    assert sold.endswith("sold out") and failed.endswith("not offered: leaks")


def test_an_unknown_garment_names_the_nearest(at_home, capsys):
    assert main(["catalog", "list", "--json"]) == 0
    known = _json(capsys)[0]["id"]
    assert main(["catalog", "show", known + "x"]) == 1
    assert known in capsys.readouterr().err


def test_a_planned_look_is_one_json_answer(at_home, capsys):
    assert main(["look", "winter outfit for a commute", "--no-render", "--json"]) == 0
    answer = _json(capsys)
    assert answer["look"] is None and answer["reply"] and not answer.get("error")
    slots = {g["slot"] for g in answer["plan"]["garments"]}
    assert "footwear" in slots and ("onepiece" in slots or {"top", "bottom"} <= slots)
    assert sum(answer["plan"]["season"].values()) == pytest.approx(1)


def test_a_planned_look_can_be_read_and_gone_on_with(at_home, capsys):
    assert main(["look", "a summer dress", "--no-render", "--thread", "cli-test"]) == 0
    said = capsys.readouterr()
    assert "look --thread cli-test" in said.out and "{" not in said.out
    assert main(["look", "in blue", "--no-render", "--thread", "cli-test", "--json"]) == 0
    assert _json(capsys)["thread"] == "cli-test"


def test_each_line_gets_one_answer_and_bad_lines_get_errors(at_home, capsys, monkeypatch):
    lines = [
        b'{"thread": "l", "message": "office outfit", "render": false}',
        b"not json",
        b"[1, 2]",
        b'{"message": 3}',
        b'{"message": "x", "render": "no"}',
        b'{"message": "x", "thread": 7}',
        b'{"message": "x", "shell": "rm"}',
        b'{"thread": "l", "message": "nul \\u0000 here", "render": false}',
        b'{"thread": "l", "message": "half \\ud800 pair", "render": false}',
        b'{"message": "' + b"x" * (5 << 20) + b'"}',
        b"\xff\xfe",
        b'{"thread": "l", "message": "make it warmer", "render": false}',
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n\n".join(lines))))
    assert main(["look", "--jsonl"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == len(lines)
    for answer in answers:
        assert {"thread", "reply", "plan", "look", "tool_calls", "seconds"} <= set(answer)
    assert [bool(a.get("error")) for a in answers] == [False, *[True] * 10, False]
    assert all(a["error"]["message"] and a["error"]["hint"] for a in answers[1:-1])
    assert answers[-1]["plan"] and answers[-1]["thread"] == "l"


def test_jsonl_takes_no_request_besides(at_home, capsys):
    for more in ("hello", "--draft"):
        assert main(["look", "--jsonl", more, "--json"]) == 1
        assert _json(capsys)["error"]["type"] == "BadValue"


def test_lines_that_do_not_say_it_are_drawn_as_the_command_says(at_home, capsys, monkeypatch):
    line = b'{"message": "winter outfit for a commute"}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
    assert main(["look", "--jsonl", "--no-render"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["plan"] and answer["look"] is None and "error" not in answer


def test_a_receipt_that_is_not_there_is_an_error(at_home, capsys, tmp_path):
    assert main(["replay", str(tmp_path / "none.json"), "--json"]) == 1
    assert _json(capsys)["error"]["message"]


def test_the_doctor_reports_every_check_and_a_fix_for_each_failure(at_home, capsys):
    code = main(["doctor", "--json"])
    report = _json(capsys)
    assert code == (0 if report["ok"] else 1)
    names = {check["name"] for check in report["checks"]}
    assert {"python", "packages", "home", "disk", "croquis base", "catalog", "sd15 base"} <= names
    assert all(check["ok"] or check["fix"] for check in report["checks"])
    sd15 = next(c for c in report["checks"] if c["name"] == "sd15 base")
    assert "stable-diffusion-v1-5" in sd15["found"] or "has" in sd15["found"]


def test_the_doctor_finds_a_home_it_cannot_write(at_home, capsys, monkeypatch):
    monkeypatch.setenv("STYLIST_HOME", "/proc/stylist")
    assert main(["doctor", "--json"]) == 1
    home = next(c for c in _json(capsys)["checks"] if c["name"] == "home")
    assert not home["ok"] and "STYLIST_HOME" in home["fix"]


def test_ctrl_c_asks_first_and_interrupts_the_second_time():
    with stoppable() as cancel:
        signal.raise_signal(signal.SIGINT)
        assert cancel.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_progress_is_plain_lines_away_from_a_terminal():
    out = io.StringIO()
    with Progress(out) as progress:
        progress.event({"type": "status", "text": "Choosing"})
        for step in range(1, 4):
            progress.event({"type": "progress", "stage": "draw", "step": step, "steps": 3})
    assert out.getvalue() == "Choosing\ndraw 3/3\n"


def test_a_garment_is_taken_out_by_command(installed_home, tmp_path, monkeypatch, capsys):
    shutil.copytree(installed_home / "catalog", tmp_path / "catalog")
    monkeypatch.setenv("STYLIST_HOME", str(tmp_path))
    assert main(["catalog", "remove", "red-toggle-coat", "--json"]) == 0
    assert _json(capsys) == {"id": "red-toggle-coat"}
    assert main(["catalog", "show", "red-toggle-coat", "--json"]) == 1
    assert _json(capsys)["error"]["type"] == "UnknownName"
    assert main(["catalog", "remove", "red-toggle-coat", "--json"]) == 1
