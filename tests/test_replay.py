"""A receipt that cannot be replayed says why, and before anything is loaded."""

import json
import shutil
from pathlib import Path

import pytest
from fakes import WINTER, QuickEngine

from catalog.errors import Damaged, UnknownName
from tools.look import Plan, Worn
from tools.replay import Replay
from ui.cli import main

PLAN = Plan(garments=tuple(Worn(id=i) for i in WINTER), season={"winter": 1.0}, steps=1)


def test_a_receipt_that_is_not_there_is_told_without_loading_a_base(room, tmp_path):
    def load():
        raise AssertionError("nothing to draw, nothing to load")

    replay = Replay(load, room.briefs, room._looks, 1)
    with pytest.raises(UnknownName):
        replay.of(tmp_path / "receipt.json", lambda *_: None)


@pytest.mark.parametrize("threads", ["0", "x", "-1", "²", "99999"])
def test_a_receipt_with_an_impossible_number_of_threads_is_damaged(room, tmp_path, threads):
    look = room.render_look(PLAN)
    told = json.loads(Path(look.receipt_file).read_text())
    told["versions"]["threads"] = threads
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(told))
    with pytest.raises(Damaged, match="threads"):
        room.replay(path)


def test_without_the_old_picture_nobody_says_how_much_differs(room, tmp_path):
    look = room.render_look(PLAN)
    told = json.loads(Path(look.receipt_file).read_text()) | {"picture_sha256": "0" * 64}
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(told))
    found = room.replay(path)
    assert not found.same and "cannot be said" in found.message
    shutil.copy(look.image, tmp_path / "look.png")
    assert room.replay(path).message == "The picture differs by up to 0 of 255."


def test_a_touched_look_whose_parent_was_deleted_names_it(room):
    look = room.render_look(PLAN, thread="a")
    red = room.touch_up(look.id, garment=WINTER[0], color="red", thread="b")
    assert room.forget_looks("a") == 1
    with pytest.raises(UnknownName):
        room.replay(red.receipt_file)


def test_the_command_ends_with_one_and_the_difference(room, monkeypatch, capsys):
    look = room.render_look(PLAN)
    told = json.loads(Path(look.receipt_file).read_text())
    told["plan"]["seed"] = 99
    Path(look.receipt_file).write_text(json.dumps(told))
    monkeypatch.setenv("STYLIST_HOME", str(room.home))
    monkeypatch.setattr("tools.engine.Engine.load", lambda *_, **__: QuickEngine())
    assert main(["replay", look.receipt_file, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["same"] is False and said["max_difference"] > 0
