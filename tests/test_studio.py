"""The whole path below the agent: plan → layout → LoRAs → picture → receipt → replay."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from catalog.croquis import drawing, figure
from catalog.errors import BadValue, Cancelled, Damaged, UnknownName
from tools.edge_map import edge_map
from tools.look import Control, PersonSpec, Plan, Worn
from tools.looks import read_receipt
from tools.mask import grow
from tools.studio import Studio

WINTER = (
    "black-long-puffer",
    "grey-argyle-sweater",
    "indigo-straight-jeans",
    "brown-leather-boots",
)


def plan(*ids: str, **more) -> Plan:
    fields = {"season": {"winter": 1.0}, "steps": 2, "seed": 5} | more
    return Plan(garments=tuple(Worn(id=i) for i in ids or WINTER), **fields)


def pixels(look) -> np.ndarray:
    return np.asarray(Image.open(look.image).convert("RGB"))


def test_a_plan_becomes_a_picture_with_a_receipt(studio: Studio):
    seen = []
    look = studio.render_look(plan(), progress=seen.append)
    assert pixels(look).shape == (768, 512, 3)
    assert pixels(look).std() > 20
    receipt = json.loads(Path(look.receipt_file).read_text())
    assert [a["name"] for a in receipt["adapters"]] == [*WINTER, "winter", "guided"]
    assert all(len(a["sha256"]) == 64 for a in receipt["adapters"])
    assert [p.step for p in seen if p.stage == "draw"] == [1, 2]
    assert {"text", "denoise", "decode", "total"} <= look.seconds.keys()


def test_the_same_plan_gives_the_same_look_and_another_seed_another(studio: Studio):
    first, second = studio.render_look(plan()), studio.render_look(plan())
    assert first.id == second.id
    assert studio.render_look(plan(seed=6)).id != first.id


def test_two_people_drawing_at_once_get_what_each_would_get_alone(studio: Studio):
    plans = [plan(), plan("red-leather-heels", "cream-silk-blouse", "navy-linen-trousers")]
    alone = [studio.render_look(p).receipt.picture_sha256 for p in plans]
    together: dict[int, str] = {}

    def draw(i: int) -> None:
        together[i] = studio.render_look(plans[i % 2]).receipt.picture_sha256

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[i] for i in range(4)] == alone * 2


def test_a_garments_lora_works_in_its_region_and_a_season_where_no_garment_is(studio: Studio):
    look = studio.render_look(plan(steps=4))
    masks = studio.garment_masks(look.id)
    coat, clothes = masks[WINTER[0]], np.any(list(masks.values()), 0)

    def change(**other: Any) -> np.ndarray:
        changed = studio.render_look(plan(steps=4).model_copy(update=other))
        return np.abs(pixels(look).astype(int) - pixels(changed)).mean(2)

    off = tuple(Worn(id=i, strength=0.0 if i == WINTER[0] else None) for i in WINTER)
    coat_off, season_off = change(garments=off), change(season_strength=0.0)
    assert coat_off[grow(coat, -4)].mean() > 3 * coat_off[~grow(coat, 12)].mean()
    assert season_off[~grow(clothes, 12)].mean() > 2 * season_off[grow(clothes, -4)].mean()


def test_a_layout_that_is_not_heard_is_not_told_to_the_decoder_either(studio: Studio, monkeypatch):
    base, told = type(studio.engine.base), []
    decode = base.decode
    monkeypatch.setattr(base, "decode", lambda *a: told.append(a[2]) or decode(*a))
    for weight in (0.0, 1.0):
        studio.render_look(plan(steps=1, seed=91, controls={"layout": Control(weight=weight)}))
    assert told[0] is None and told[1] is not None


def test_only_a_draft_of_its_own_steps_wears_the_drafts_lora():
    assert plan(quality="draft", steps=2).few_steps_lora("croquis") is not None
    longer = plan(quality="draft", steps=12)
    assert longer.few_steps_lora("croquis") is None and longer.settled("croquis").guidance > 1


def test_seasons_blend_in_any_ratio(studio: Studio):
    looks = {
        share: studio.render_look(plan(season={"spring-autumn": 1 - share, "winter": share}))
        for share in (0.25, 0.5, 1.0)
    }
    weights = {
        share: {a.name: a.weight for a in look.receipt.adapters if a.kind == "season"}
        for share, look in looks.items()
    }
    assert weights[0.5]["winter"] == weights[0.5]["spring-autumn"] > weights[0.25]["winter"] > 0
    assert weights[0.25]["spring-autumn"] > weights[0.25]["winter"]
    assert list(weights[1.0]) == ["winter"]
    assert len({look.receipt.picture_sha256 for look in looks.values()}) == 3


def test_replay_in_a_fresh_process_gives_the_same_pixels(studio: Studio, tmp_path: Path):
    look = studio.render_look(plan())
    receipt = tmp_path / "receipt.json"
    shutil.copy(look.receipt_file, receipt)
    env = os.environ | {"STYLIST_HOME": str(studio.home)}
    asked = [sys.executable, "-m", "ui.cli", "replay", str(receipt), "--json"]
    done = subprocess.run(asked, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"] is True


def test_a_draft_is_drawn_with_its_own_lora_in_two_steps_and_replays(studio: Studio):
    seen = []
    wanted = plan(quality="draft", steps=None)
    look = studio.render_look(wanted, progress=seen.append)
    assert max(p.steps for p in seen if p.stage == "draw") == 2
    *others, sampler = look.receipt.adapters
    assert (sampler.name, sampler.kind, sampler.weight) == ("draft", "sampler", 1.0)
    assert all(a.kind != "sampler" for a in others)
    assert studio.replay(look.receipt_file).same
    # the same two steps without it are another picture; guidance that is asked for needs none
    alone = studio.render_look(plan(quality="draft", steps=2, guidance=1.0))
    assert alone.receipt.picture_sha256 != look.receipt.picture_sha256
    assert [a.kind for a in alone.receipt.adapters].count("sampler") == 0
    assert wanted.evaluations("croquis") == 2 and plan(guidance=3.0).evaluations("croquis") == 4


def test_a_receipt_whose_sampler_lora_changed_says_so(studio: Studio, tmp_path: Path):
    look = studio.render_look(plan(quality="draft", steps=None))
    told = json.loads(Path(look.receipt_file).read_text())
    told["adapters"][-1]["sha256"] = "0" * 64
    (tmp_path / "receipt.json").write_text(json.dumps(told))
    with pytest.raises(Damaged, match="draft"):
        studio.replay(tmp_path / "receipt.json")


def test_a_measured_pose_and_each_nets_weight_are_in_the_receipt_and_replay(studio: Studio):
    points = tuple((float(x), float(y)) for x, y in figure.pose("waving").array())
    controls = {"layout": Control(weight=0.5, end=0.5), "openpose": Control(weight=1.5)}
    look = studio.render_look(plan(pose=points, controls=controls))
    kept = read_receipt(Path(look.receipt_file)).plan
    assert kept.pose == points and kept.controls == controls
    assert studio.replay(look.receipt_file).same
    other = studio.render_look(plan(pose=points))
    assert other.receipt.control_sha256 == look.receipt.control_sha256
    assert other.receipt.picture_sha256 != look.receipt.picture_sha256


def test_the_edges_of_a_picture_are_followed_kept_and_replayed(studio: Studio):
    seen = drawing.draw(drawing.sample_worn(3)).picture
    assert seen is not None
    wanted = plan(edges=edge_map(seen), controls={"canny": Control(weight=0.5, end=0.8)})
    look = studio.render_look(wanted)
    assert read_receipt(Path(look.receipt_file)).plan.edges == wanted.edges
    assert studio.replay(look.receipt_file).same
    alone = studio.render_look(plan())
    assert alone.receipt.picture_sha256 != look.receipt.picture_sha256
    with pytest.raises(UnknownName, match="canny"):
        studio.render_look(plan(controls={"canny": Control()}))


def test_a_net_the_base_does_not_have_is_named(studio: Studio):
    with pytest.raises(UnknownName, match="openpose"):
        studio.render_look(plan(controls={"openpos": Control()}))


def test_receipts_of_before_can_be_read(studio: Studio, tmp_path: Path):
    look = studio.render_look(plan())
    told = json.loads(Path(look.receipt_file).read_text())
    del told["plan"]["controls"]
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(told))
    assert studio.replay(path).same


def test_replay_of_a_changed_receipt_says_how_much_differs(studio: Studio, tmp_path: Path):
    look = studio.render_look(plan())
    shutil.copytree(look.folder, tmp_path / look.id)
    path = tmp_path / look.id / "receipt.json"
    changed = json.loads(path.read_text())
    changed["plan"]["seed"] = 99
    path.write_text(json.dumps(changed))
    result = studio.replay(path)
    assert not result.same
    assert result.max_difference > 0


def test_a_changed_byte_in_a_lora_is_found(studio: Studio, tmp_path: Path):
    look = studio.render_look(plan())
    home = tmp_path / "home"
    shutil.copytree(studio.home, home)
    lora = Studio(home).catalog.lora(WINTER[0])
    data = bytearray(lora.read_bytes())
    data[-3] ^= 0xFF
    os.chmod(lora, 0o644)
    lora.write_bytes(bytes(data))
    broken = Studio(home)
    broken._engine = studio.engine  # the base is loaded once
    broken.engine._loras.clear()
    with pytest.raises(Damaged, match="stylist catalog"):
        broken.replay(look.receipt_file)
    with pytest.raises(Damaged):
        broken.render_look(plan())


def test_cancelling_keeps_nothing_and_the_next_request_is_fine(studio: Studio):
    before = {look.id for look in studio.looks()}
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        studio.render_look(
            plan(seed=77, steps=6), progress=lambda p: p.step == 1 and cancel.set(), cancel=cancel
        )
    assert {look.id for look in studio.looks()} == before
    assert studio.render_look(plan()).id


@pytest.mark.parametrize(
    "bad",
    [
        {"seed": -1},
        {"steps": 10**6},
        {"steps": 0},
        {"guidance": float("nan")},
        {"control_weight": float("inf")},
        {"season": {}},
        {"season": {"winter": 0.0}},
        {"season": {"monsoon": 1.0}},
        {"control_start": -0.1},
        {"controls": {"layout": {"weight": 2.1}}},
        {"controls": {"layout": {"start": 0.5, "begin": 0.1}}},
    ],
)
def test_values_outside_their_limits_are_refused(bad):
    with pytest.raises(ValidationError):
        plan(**bad)


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), -0.5, 1e9])
def test_strengths_outside_their_limits_are_refused(strength):
    with pytest.raises(ValidationError):
        Worn(id="x", strength=strength)


def test_unknown_words_name_the_nearest():
    with pytest.raises(UnknownName, match="walking"):
        plan(pose="walkin")
    with pytest.raises(UnknownName, match="beach"):
        plan(scene="beech")
    with pytest.raises(UnknownName, match="curly"):
        PersonSpec(hair="curlie")


def test_unknown_garment_names_the_nearest(studio: Studio):
    with pytest.raises(UnknownName, match="black-long-puffer"):
        studio.render_look(plan("black-long-pufer"))


def test_two_garments_for_one_slot_are_refused(studio: Studio):
    with pytest.raises(BadValue, match="both footwear"):
        studio.render_look(plan(*WINTER, "red-leather-heels"))


def test_unknown_looks_and_path_tricks_are_unknown(studio: Studio):
    for id in ("look-0000000000000000", "../catalog", "", "look-x/../../etc"):
        with pytest.raises(UnknownName):
            studio.look(id)
