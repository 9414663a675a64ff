"""stylist touch, undo and segment, as somebody types them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import WINTER
from PIL import Image

from agent.stylist import Stylist
from catalog.croquis.sam import SIZE, new_sam
from tools.look import Plan, Worn
from tools.mask import grow
from tools.segment import EMBEDDED, Segmenter
from ui import threads
from ui.cli import main

SMALL = SIZE | {"image": 128}
PLAN = Plan(garments=tuple(Worn(id=i) for i in WINTER), season={"winter": 1.0}, steps=2)


@pytest.fixture
def stylist(room, monkeypatch, tmp_path):
    """The command line over a studio that draws cards, on a machine without a SAM."""
    made = Stylist(room, room.home)
    monkeypatch.setattr("ui.cli._stylist", lambda settings: made)
    monkeypatch.setattr("catalog.base.weights_folder", lambda: tmp_path / "none")
    monkeypatch.setenv("STYLIST_HOME", str(room.home))
    return made


@pytest.fixture
def toy(stylist):
    torch.manual_seed(0)
    stylist.studio._segmenter = Segmenter(new_sam(SMALL).eval().requires_grad_(False), "toy SAM")


def run(capsys, *args) -> dict:
    code = main([*args, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert (code == 0) == ("error" not in answer)
    return answer


def test_a_garment_is_changed_in_words_and_the_thread_takes_it_back(stylist, room, capsys):
    first = stylist.ask("winter outfit for a commute", "t1", owner=threads.owner())
    coat = next(g for g in first["plan"]["garments"] if g["slot"] == "outerwear")
    red = run(capsys, "touch", first["look"]["id"], "--garment", "outerwear", "--say", "in red")
    assert red["parent"] == first["look"]["id"] and red["thread"] == "t1"
    assert {g["id"]: g.get("color") for g in red["garments"]}[coat["id"]] == "red"
    back = run(capsys, "undo", "t1")
    assert back["look"]["id"] == first["look"]["id"]
    again = run(capsys, "undo", "t1", "--redo")
    assert again["look"]["id"] == red["id"]
    assert any("drawn in red" in u for u in again["plan"]["unmet"])
    assert run(capsys, "undo", "t1", "--redo")["error"]["type"] == "BadValue"
    assert run(capsys, "undo", "no-such")["error"]["type"] == "UnknownName"


@pytest.mark.parametrize(
    "args, error",
    [
        (["--garment", "coat", "--say", ""], "BadValue"),
        (["--garment", "outerwear", "--say", "x" * 100_000], "BadValue"),
        (["--garment", "outerwear", "--say", "a beach holiday"], "BadValue"),
        (["--garment", "outerwear", "--say", "in red", "--color", "blue"], "BadValue"),
        (["--garment", "outerwear", "--points"], "BadValue"),
        (["--garment", "outerwear", "--color", ""], "UnknownName"),
        (["--garment", "outerwear", "--sleeves", ""], "UnknownName"),
        (["--garment", "outerwear", "--swap", ""], "UnknownName"),
        (["--points", "120;300", "--color", "red"], "BadValue"),
        (["--points", "120,300,*", "--color", "red"], "BadValue"),
        (["--box", "1,2,3", "--color", "red"], "BadValue"),
        (["--points", "120,300,+", "--color", "red"], "ModelUnavailable"),
        (["--mask", "no-such.png", "--color", "red"], "BadValue"),
        (["--color", "red"], "BadValue"),
    ],
)
def test_what_cannot_be_touched_is_an_error_that_says_what_to_do(
    stylist, room, capsys, args, error
):
    look = room.render_look(PLAN)
    answer = run(capsys, "touch", look.id, *args)
    if args[:2] == ["--garment", "coat"]:
        error = "UnknownName"
    assert answer["error"]["type"] == error and answer["error"]["hint"]
    assert [x.id for x in room.looks()] == [look.id]


def test_clicks_say_which_model_answered_and_the_mask_serves_a_touch_up(
    stylist, toy, room, capsys, tmp_path
):
    look, out = room.render_look(PLAN), tmp_path / "mask.png"
    found = run(capsys, "segment", look.id, "--points", "250,300,+", "--out", str(out))
    assert found["model"] == "toy SAM" and len(found["candidates"]) == 3
    mask = np.asarray(Image.open(out)) > 127
    assert mask.shape == (768, 512)
    assert round(float(mask.mean()), 5) == found["candidates"][0]["share"]
    drawn = np.zeros((768, 512), np.uint8)
    drawn[300:400, 200:300] = 255
    Image.fromarray(drawn).save(out)
    red = run(capsys, "touch", look.id, "--mask", str(out), "--say", "in red")
    kept = np.asarray(Image.open(Path(red["image"]).with_name("mask.png"))) > 127
    assert np.array_equal(kept, drawn > 0)


def test_a_mask_file_is_reshaped_and_its_clear_parts_mark_nothing(stylist, room, capsys, tmp_path):
    look, file = room.render_look(PLAN), tmp_path / "mask.png"
    drawn = np.zeros((768, 512, 4), np.uint8)
    drawn[300:400, 200:300] = 255
    Image.fromarray(drawn).save(file)
    red = run(capsys, "touch", look.id, "--garment", "outerwear", "--mask", str(file), "--color",
              "red", "--reshape", "grow:8", "--padding", "24", "--content", "fill")  # fmt: skip
    touch = json.loads(Path(red["receipt"]).read_text())["touch"]
    assert (touch["padding"], touch["content"], touch["feather"]) == (24, "fill", 6)
    kept = np.asarray(Image.open(Path(red["image"]).with_name("mask.png"))) > 127
    assert np.array_equal(kept, grow(drawn[..., 3] > 0, 8))


@pytest.mark.parametrize(
    "mask",
    [Image.new("L", (512, 768), 255), Image.new("L", (512, 768)), Image.new("L", (512, 768), 120),
     Image.new("L", (256, 384), 255), Image.new("CMYK", (512, 768)), Image.new("I;16", (1, 1)),
     Image.new("RGBA", (512, 768)), Image.new("1", (5000, 4000))],
    ids=["full", "empty", "grey", "small", "cmyk", "1x1", "clear", "20 megapixels"],
)  # fmt: skip
def test_a_mask_file_that_cannot_be_one_is_refused(stylist, room, capsys, tmp_path, mask):
    look = room.render_look(PLAN)
    file = tmp_path / ("mask.jpg" if mask.mode == "CMYK" else "mask.png")
    mask.save(file)
    answer = run(capsys, "touch", look.id, "--mask", str(file), "--garment", "outerwear")
    assert answer["error"]["type"] == "BadValue" and answer["error"]["hint"]
    assert [x.id for x in room.looks()] == [look.id]


def test_numbers_outside_their_limits_are_refused(stylist, room, capsys):
    look = room.render_look(PLAN)
    for wrong in (["--strength", "nan"], ["--strength", "7"], ["--feather", "900"],
                  ["--padding", "-1"], ["--padding", "9999"], ["--reshape", "blur"],
                  ["--reshape", "grow:9999"], ["--points", "nan,3,+"], ["--points", "1e99,3,+"],
                  ["--points", *["9,9,+"] * 10_000]):  # fmt: skip
        answer = run(capsys, "touch", look.id, "--garment", "outerwear", *wrong)
        assert answer["error"]["type"] in ("BadValue", "UnknownName"), wrong
        assert answer["error"]["hint"]
    assert [x.id for x in room.looks()] == [look.id]


def test_a_photo_is_segmented_at_its_own_size(stylist, toy, capsys, tmp_path):
    photo, out = tmp_path / "me.jpg", tmp_path / "mask.png"
    Image.effect_noise((120, 90), 60).convert("RGB").save(photo)
    found = run(capsys, "segment", str(photo), "--box", "10,10,90,80", "--out", str(out))
    assert (found["width"], found["height"]) == Image.open(out).size == (120, 90)
    assert main(["segment", str(photo), "--points", "60,40,+", "20,20,-"]) == 0
    said = capsys.readouterr().out
    assert "toy SAM" in said and "learned from drawings" not in said
    stylist.studio.segmenter.name = EMBEDDED
    assert main(["segment", str(photo), "--points", "60,40,+"]) == 0
    assert "learned from drawings" in capsys.readouterr().out
    (tmp_path / "text.png").write_text("no picture")
    for bad in ("text.png", "none.png"):
        answer = run(capsys, "segment", str(tmp_path / bad), "--points", "1,1,+")
        assert answer["error"]["type"] == "BadValue"


def test_repainting_a_photo_says_that_it_needs_the_sd15_base(stylist, toy, room, capsys, tmp_path):
    photo = tmp_path / "me.png"
    Image.effect_noise((120, 90), 60).convert("RGB").save(photo)
    sent = room.upload_photo(photo.read_bytes()).id
    for what in (str(photo), sent):
        answer = run(capsys, "touch", what, "--points", "60,40,+", "--color", "red")
        assert answer["error"]["type"] == "ModelUnavailable"
        assert "sd15" in answer["error"]["message"]
    assert main(["segment", str(photo), "--points", "60,40,+"]) == 0
    assert "sd15" in capsys.readouterr().out
    assert not room.looks()


def test_a_photo_without_a_sam_says_what_is_missing(stylist, capsys, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "me.png")
    answer = run(capsys, "segment", str(tmp_path / "me.png"), "--points", "1,1,+")
    assert answer["error"]["type"] == "ModelUnavailable"
