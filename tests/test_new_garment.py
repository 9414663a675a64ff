"""From photos to a garment in the catalog, also through the death of its process."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from catalog.errors import AskDifferently, BadValue, UnknownName
from catalog.garment import Garment
from catalog.index import Catalog
from catalog.photo_intake import read_photos
from catalog.starter import starter_garments, starter_photos
from catalog.tags import read_caption
from tools import admission
from tools.garment_order import KIND, Order, start
from tools.jobs import Jobs
from tools.new_garment import NewGarment

ROOT = Path(__file__).parent.parent
TRUTH = next(g for g in starter_garments() if g.id == "camel-long-coat")
BRIEF = """
import sys
from pathlib import Path
from catalog.index import Catalog
from tools import admission
from tools.jobs import Jobs
from tools.garment_order import KIND
from tools.new_garment import NewGarment

admission.STRENGTHS, admission.STEPS = (1.0,), {"croquis": 1}
home = Path(sys.argv[1])
print(Jobs(home, {KIND: NewGarment(Catalog(home, starter=False), 1)}).run(sys.argv[2]).state)
"""


def photos(count: int = 5) -> list[tuple[str, bytes]]:
    files = []
    for i, pixels in enumerate(starter_photos(TRUTH, count)):
        out = io.BytesIO()
        Image.fromarray(np.asarray(pixels)).save(out, "PNG")
        files.append((f"shot {i}.png", out.getvalue()))
    return files


@pytest.fixture
def home(tmp_path):
    catalog = Catalog(tmp_path, starter=False)
    return tmp_path, catalog, Jobs(tmp_path, {KIND: NewGarment(catalog, 1)})


def test_photos_become_a_garment_with_card_captions_and_lora(home, monkeypatch):
    monkeypatch.setattr(admission, "STRENGTHS", (1.0,))
    monkeypatch.setattr(admission, "STEPS", {"croquis": 1})
    folder, catalog, jobs = home
    files = [*photos(), ("z again.png", photos(1)[0][1]), ("cut.jpg", b"\xff\xd8\xff")]
    id = start(
        jobs, catalog, "Camel coat, long", files, tags=("autumn",), without=("plain",), steps=1
    )
    assert jobs.status(id).state == "queued" and catalog.all() == []
    done = jobs.run(id)
    assert done.state == "done", done.error
    # 1. the card says what the pixels say
    card = catalog.get("camel-coat-long")
    assert card.category == TRUTH.category and card.shape.length == TRUTH.shape.length
    assert card.color == TRUTH.color and card.pattern == "plain"
    assert card.lora_sha256 == done.result["lora_sha256"] and catalog.lora(card.id).is_file()
    assert len(catalog.photos(card.id)) == 5
    # 2. after one step its LoRA does next to nothing, and it says so instead of being offered
    assert "weak" in done.result["flags"] and not card.available
    assert list(card.flags) == done.result["flags"]
    # 3. what was wrong with the photos is said
    said = " ".join(done.result["warnings"])
    assert "cut.jpg" in said and "z again.png: the same as" in said
    # 4. pictures and captions lie in the kohya layout
    dataset = read_photos(folder / "jobs" / id / "kept" / "dataset")
    captions = [read_caption(p.caption or "") for p in dataset.photos]
    assert len(captions) == 5 and {c[:2] for c in captions} == {(card.trigger, "autumn")}
    assert all(TRUTH.category in c and "plain" not in c for c in captions)
    # 5. the same name again is refused, and the job cannot be run twice
    with pytest.raises(BadValue, match="already a garment"):
        start(jobs, catalog, "Camel coat, long", photos())
    with pytest.raises(BadValue, match="is done"):
        jobs.run(id)


def wait_for(true, worker, seconds=240.0):
    end = time.monotonic() + seconds
    while not true():
        assert worker.poll() is None and time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_a_job_killed_while_it_works_goes_on_and_loses_nothing_finished(home):
    folder, catalog, jobs = home
    id = start(jobs, catalog, "Coat", photos(4), category="coat", steps=6)
    script = folder / "run.py"
    script.write_text(BRIEF)
    kept = folder / "jobs" / id / "kept"

    def process():
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(script), str(folder), id]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)

    stages = {}
    for mark in ("cut-outs.json", "training.safetensors"):
        worker = process()
        wait_for(lambda mark=mark: (kept / mark).exists(), worker)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert jobs.status(id).state == "queued" and catalog.store.ids() == []
        # the loss curve grows while the training goes on
        done = [p for p in kept.glob("*.json") if p.name != "curve.json"]
        stages |= {p.name: p.stat().st_mtime_ns for p in done}
    assert process().communicate()[0].strip() == "done"
    for name, written in stages.items():
        assert (kept / name).stat().st_mtime_ns == written, f"{name} was done twice"
    assert Catalog(folder, starter=False).get("coat").lora_sha256
    # and once more, killed between publishing and noting it
    (kept / "published.json").unlink()
    state = folder / "jobs" / id / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"state": "running"}))
    assert jobs.run(id).state == "done" and catalog.store.ids() == ["coat"]


@pytest.mark.parametrize(
    "name", ["", "x", "../coat", "a/b", "a\\b", "nul\0", "line\nbreak", "x" * (1 << 20), "外套"]
)
def test_a_name_that_is_none_is_refused_before_there_is_a_job(home, name):
    folder, catalog, jobs = home
    with pytest.raises(BadValue):
        start(jobs, catalog, name, photos())
    assert not (folder / "jobs").exists()


def test_too_few_photos_unknown_kinds_and_bad_tags_are_refused_before_there_is_a_job(home):
    folder, catalog, jobs = home
    for files in ([], photos(1), photos(3), [*photos(3), ("b.png", photos(1)[0][1])]):
        with pytest.raises(BadValue, match="photo"):
            start(jobs, catalog, "Coat", files)
    with pytest.raises(UnknownName, match="coatt") as raised:
        start(jobs, catalog, "Coat", photos(), category="coatt")
    assert "coat" in raised.value.hint
    with pytest.raises(BadValue, match="tag"):
        start(jobs, catalog, "Coat", photos(), tags=("a,b",))
    assert not (folder / "jobs").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"price": -1}, {"price": float("nan")}, {"steps": 0}, {"steps": 10**9}, {"sample_every": -1},
     {"training": {"rank": 0}}, {"training": {"ranc": 4}}, {"prompts": ("x",) * 9}],
)  # fmt: skip
def test_a_number_outside_its_limits_is_refused_before_there_is_a_job(home, wrong):
    folder, catalog, jobs = home
    with pytest.raises(AskDifferently):
        start(jobs, catalog, "Coat", [], **wrong)
    assert not (folder / "jobs").exists()


def test_ten_thousand_files_are_refused_without_being_read(home, tmp_path):
    folder, catalog, jobs = home
    many = [(f"{i}.png", b"") for i in range(10_000)]
    with pytest.raises(BadValue, match="more than 1000 files"):
        start(jobs, catalog, "Coat", many)
    assert not (folder / "jobs").exists()


def test_a_disk_that_fills_up_fails_the_job_and_it_goes_on_when_there_is_room(home, monkeypatch):
    folder, catalog, jobs = home
    id = start(jobs, catalog, "Coat", photos(4), category="coat", review=True)
    usage = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    failed = jobs.run(id)
    assert failed.state == "failed" and "full" in failed.error["message"]
    assert not (folder / "jobs" / id / "kept" / "dataset" / "00.png").exists()
    monkeypatch.setattr(shutil, "disk_usage", usage)
    waits = jobs.run(id)
    assert (waits.state, waits.stage) == ("queued", "reviewed") and catalog.store.ids() == []


def test_photos_of_nothing_fail_the_job_and_leave_the_catalog_alone(home):
    folder, catalog, jobs = home
    rng = np.random.default_rng(0)
    blank = []
    for i in range(4):
        out = io.BytesIO()
        tint = 60 * np.ones((80, 60, 3)) * (i + 1) * 0.9 + rng.integers(0, 1, (80, 60, 3))
        Image.fromarray(tint.astype(np.uint8)).save(out, "PNG")
        blank.append((f"{i}.png", out.getvalue()))
    id = start(jobs, catalog, "Nothing", blank)
    failed = jobs.run(id)
    assert failed.state == "failed" and failed.error["type"] == "BadValue"
    assert "cut-outs.png" in failed.error["hint"] and catalog.store.ids() == []
    assert (folder / "jobs" / id / "kept" / "cut-outs.png").is_file()


def test_the_card_of_a_pattern_says_how_much_of_it_each_colour_covers(home, tmp_path):
    dots = next(g for g in starter_garments() if g.id == "teal-dots-raincoat")
    folder = tmp_path / "job"
    files = [f"{i}.png" for i in range(4)]
    for place in ("photos", "dataset"):
        (folder / place).mkdir(parents=True)
        for name, pixels in zip(files, starter_photos(dots, 4), strict=True):
            Image.fromarray(pixels).save(folder / place / name)
    run = SimpleNamespace(folder=folder, tell=lambda *_: None, keep=lambda *_: None)
    order = Order(id="dotted-raincoat", name="Dotted raincoat", category=dots.category)
    notes = {"photos": [{"file": name, "caption": ""} for name in files]}
    work = NewGarment(home[1], 1)
    found = work._tags(run, order, notes, {"files": files})
    card = Garment.model_validate(work._card(order, found))
    assert card.pattern == "dots" and len(card.shades) == len(card.cloth.colors) == 2
    assert [s.share for s in card.shades] == pytest.approx([0.82, 0.18], abs=0.1)
