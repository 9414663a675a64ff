"""Garments made by other agents: started, watched, mended and stopped over MCP."""

from __future__ import annotations

import base64
import io
import time

import numpy as np
import pytest
from fakes import refused, said
from PIL import Image
from test_mcp_server import ask, served

from catalog.errors import BadValue, Busy, UnknownName
from catalog.index import Catalog
from catalog.starter import starter_garments, starter_photos
from tools.garment_jobs import MAX_OPEN, GarmentJobs, work
from tools.jobs import Jobs
from tools.studio import Studio
from tools.uploads import Uploads

TRUTH = next(g for g in starter_garments() if g.id == "camel-long-coat")


def file(pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def photos() -> list[tuple[str, bytes]]:
    return [(f"{i}.png", file(p)) for i, p in enumerate(starter_photos(TRUTH, 4))]


@pytest.fixture
def jobs(tmp_path, monkeypatch) -> GarmentJobs:
    """Jobs whose process is this one, when a test runs them."""
    monkeypatch.setattr(GarmentJobs, "_launch", lambda self, id: None)
    return GarmentJobs(tmp_path, Catalog(tmp_path, starter=False), Uploads(tmp_path), 1)


def run(jobs: GarmentJobs, id: str) -> None:
    Jobs(jobs._home, work(jobs._catalog, 1)).run(id)


def test_an_agents_job_runs_in_its_own_process_and_says_why_it_failed(room: Studio):
    tools = served(room)
    sent = []
    for i in range(4):  # nothing stands out in any of them
        blank = np.full((60 + 4 * i, 60, 3), 60 + 40 * i, np.uint8)
        data = base64.b64encode(file(blank)).decode()
        sent.append(said(ask(tools, "upload_photo", {"data": data}))["photo"]["id"])
    job = said(ask(tools, "start_garment_job", {"name": "Nothing", "photos": sent}))
    assert job["state"] in ("queued", "running") and job["garment"] == "nothing"
    end = time.monotonic() + 240
    while job["state"] in ("queued", "running") and time.monotonic() < end:
        time.sleep(0.5)
        job = said(ask(tools, "job_status", {"id": job["id"]}))
    room.garment_jobs._workers[job["id"]].kill()  # it has ended, or hangs
    assert job["state"] == "failed" and "stands out" in job["error"]["message"]
    assert str(room.home) not in str(job) and "nothing" not in room.catalog.store.ids()


def test_what_cannot_be_started_is_refused_with_the_reason(room: Studio):
    tools = served(room)
    one = said(
        ask(
            tools,
            "upload_photo",
            {"data": base64.b64encode(file(np.eye(40, dtype=np.uint8) * 255)).decode()},
        )
    )
    good = {"name": "Coat", "photos": [one["photo"]["id"]]}
    for wrong, why in (
        ({"photos": ["photo-" + "0" * 16]}, "photo"),
        ({"photos": []}, "photo"),
        ({}, "at least 4"),
        ({"category": "coatt"}, "coatt"),
        ({"name": "../x"}, "name"),
        ({"name": "x" * 1000}, "name"),
        ({"price": -1}, "price"),
        ({"colour": "red"}, "colour"),
    ):
        error = refused(ask(tools, "start_garment_job", good | wrong))
        assert why in error["message"] + error["hint"], wrong
    for name in ("cancel_job", "resume_job"):
        assert refused(ask(tools, name, {"id": "job-0123456789ab"}))["type"] == "UnknownName"
    unknown = said(ask(tools, "job_status", {"id": "job-0123456789ab"}))
    assert unknown["state"] == "unknown"
    assert not (room.home / "jobs").exists()


def test_a_caller_sees_its_own_jobs_and_has_a_limit(jobs, photos):
    id = jobs.start("Coat", photos, owner="ann").id
    assert jobs.start("Coat ", photos, owner="ann").id == id
    assert jobs.status(id, owner="ben").state == "unknown"
    assert jobs.status(id).state == jobs.status(id, owner="ann").state == "queued"
    for change in (jobs.cancel, jobs.resume):
        with pytest.raises(UnknownName):
            change(id, owner="ben")
    for n in range(MAX_OPEN - 1):
        jobs.start(f"Coat {n}", photos, owner="ann")
    with pytest.raises(Busy, match="open"):
        jobs.start("One too many", photos, owner="ann")
    assert jobs.cancel(id, owner="ann").state == jobs.cancel(id, owner="ann").state == "cancelled"


def test_a_job_waits_for_a_look_at_its_tags_and_trains_with_the_mended_ones(jobs, photos):
    id = jobs.start("Coat", photos, category="coat", steps=1, review=True).id
    run(jobs, id)
    waiting = jobs.status(id)
    assert (waiting.state, waiting.stage) == ("queued", "reviewed") and waiting.tags["coat"] == 4
    assert "tags" in waiting.next and not jobs.runs(id)
    # a reload finds what was edited and what can be undone
    book = jobs.book(id)
    book.replace("coat", "overcoat")
    jobs.keep_book(id, book)
    assert jobs.status(id).tags["overcoat"] == 4
    again = jobs.book(id)
    assert again.undo() and again.counts()["coat"] == 4
    caption = (jobs.folder(id) / "dataset" / "00.txt").read_text()
    assert "overcoat" in caption
    with pytest.raises(UnknownName):
        jobs.keep_book(id, book, owner="ben")
    jobs.resume(id)
    assert (jobs.folder(id) / "reviewed.json").exists()
    jobs.jobs.keep(id, "training.json", b"{}")
    with pytest.raises(BadValue, match="trained"):
        jobs.keep_book(id, book)


def test_what_was_cancelled_while_it_waited_is_not_approved_by_going_on(jobs, photos):
    id = jobs.start("Coat", photos, category="coat", steps=1, review=True).id
    run(jobs, id)
    assert jobs.status(id).stage == "reviewed"
    assert jobs.cancel(id).state == "cancelled"
    jobs.resume(id)
    assert not (jobs.folder(id) / "reviewed.json").exists()
    run(jobs, id)
    assert (jobs.status(id).state, jobs.status(id).stage) == ("queued", "reviewed")


def test_tags_asked_for_are_also_on_photos_that_brought_captions(jobs, photos):
    files = [*photos, ("0.txt", b"long coat, sketch")]
    order = {"tags": ["camel hair"], "without": ["sketch"], "review": True, "steps": 1}
    id = jobs.start("Coat", files, category="coat", **order).id
    run(jobs, id)
    own = jobs.book(id).tags["00.png"]
    assert "long coat" in own and "camel hair" in own and "sketch" not in own


def test_a_garment_asked_for_twice_at_once_is_one_job_and_the_limit_holds(
    jobs, photos, monkeypatch
):
    from concurrent.futures import ThreadPoolExecutor

    from tools import garment_jobs

    begin = garment_jobs.start

    def slowly(*args, **more):
        time.sleep(0.1)
        return begin(*args, **more)

    monkeypatch.setattr(garment_jobs, "start", slowly)

    def ask_for(name: str):
        try:
            return jobs.start(name, photos, owner="bot").id
        except Busy:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask_for, ["Same coat"] * 4))) == 1
        more = list(pool.map(ask_for, [f"Coat {word}" for word in ("one", "two", "three", "four")]))
    assert len([id for id in more if id]) == MAX_OPEN - 1
