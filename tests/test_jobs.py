"""Jobs survive the death of their process, run one at a time, and never claim what is not so."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from catalog.errors import BadValue, Busy, CannotNow, Damaged, UnknownName
from tools.jobs import MAX_WAITING, Jobs

ROOT = Path(__file__).parent.parent
COUNTER = """
import sys, time
from pathlib import Path
from tools.jobs import Jobs

def count(run):
    for i in range(run.arguments["to"]):
        def work():
            with open(run.arguments["log"], "a") as log:
                log.write(f"{i}\\n")
            time.sleep(run.arguments["pause"])
            return i
        run.once(f"stage-{i}", work)
    return {"counted": run.arguments["to"]}

jobs = Jobs(Path(sys.argv[1]), {"count": count})
if __name__ == "__main__":
    print(jobs.run(sys.argv[2]).state)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "counter.py"
    path.write_text(COUNTER)
    return path


def process(script: Path, id: str) -> subprocess.Popen:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), str(script.parent), id]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def nothing(run):
    return {}


def wait_for(true, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_an_unknown_id_is_unknown_and_cannot_be_run_or_cancelled(tmp_path):
    jobs = Jobs(tmp_path, {"x": nothing})
    for id in ("job-000000000000", "../../etc", "", "job-" + "0" * 10_000, "job-0\n"):
        assert jobs.status(id).state == "unknown"
        for call in (jobs.cancel, jobs.run):
            with pytest.raises(UnknownName):
                call(id)


def test_a_job_goes_from_queued_through_running_to_done_with_its_result(tmp_path):
    seen = []

    def work(run):
        seen.append(jobs.status(id).state)
        run.tell("sewing", 2, 5)
        return {"seams": 7}

    jobs = Jobs(tmp_path, {"sew": work})
    id = jobs.add("sew", {})
    assert jobs.status(id).state == "queued" and "job resume" in jobs.status(id).message
    changes = []
    done = jobs.run(id, on_change=changes.append)
    assert seen == ["running"] and done.state == "done" and done.result == {"seams": 7}
    assert ("sewing", 2, 5) in [(s.stage, s.step, s.steps) for s in changes]
    assert Jobs(tmp_path, {}).status(id) == done, "another process reads the same"
    with pytest.raises(BadValue, match="is done"):
        jobs.run(id)


def test_a_stage_that_finished_is_not_done_again(tmp_path):
    calls = []

    def work(run):
        run.once("first", lambda: calls.append("first") or 3)
        kept = run.once("first", lambda: 4)
        if len(calls) == 1:
            calls.append("stumble")
            raise CannotNow("The needle broke.", "Take another.")
        return {"kept": kept}

    jobs = Jobs(tmp_path, {"sew": work})
    id = jobs.add("sew", {})
    failed = jobs.run(id)
    assert failed.state == "failed" and failed.error["message"] == "The needle broke."
    assert jobs.run(id).result == {"kept": 3} and calls == ["first", "stumble"]


def test_a_killed_job_is_queued_again_and_goes_on_where_it_stopped(tmp_path, script):
    jobs = Jobs(tmp_path, {"count": nothing})
    log = tmp_path / "log"
    id = jobs.add("count", {"to": 40, "pause": 0.05, "log": str(log)})
    kills = 0
    for size in (3, 8, 15):
        worker = process(script, id)
        wait_for(lambda size=size: log.exists() and len(log.read_text().split()) >= size)
        assert jobs.status(id).state == "running"
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        kills += 1
        status = jobs.status(id)
        assert status.state == "queued" and "resume" in status.message
    assert process(script, id).communicate()[0].strip() == "done"
    done = [int(n) for n in log.read_text().split()]
    assert sorted(set(done)) == list(range(40))
    assert len(done) <= 40 + kills, "only the stage at work when it was killed is done twice"
    assert not list((tmp_path / "jobs" / id / "kept").glob("stage-*.json.*"))


def test_one_process_runs_a_job_and_the_second_is_told(tmp_path, script):
    jobs = Jobs(tmp_path, {"count": nothing})
    id = jobs.add("count", {"to": 100, "pause": 0.05, "log": str(tmp_path / "log")})
    worker = process(script, id)
    try:
        wait_for(lambda: jobs.status(id).stage.startswith("stage"))
        with pytest.raises(Busy, match="Another process"):
            jobs.run(id)
        # 2. and it stops when it is told to from here
        assert jobs.cancel(id).state in ("running", "cancelled")
        assert worker.communicate(timeout=20)[0].strip() == "cancelled"
    finally:
        worker.kill()
    assert jobs.status(id).state == "cancelled"
    with pytest.raises(BadValue, match="cancelled already"):
        jobs.cancel(id)


def test_a_job_nobody_runs_is_cancelled_at_once_and_can_be_resumed(tmp_path):
    jobs = Jobs(tmp_path, {"x": lambda run: {"ran": True}})
    id = jobs.add("x", {})
    assert jobs.cancel(id).state == "cancelled"
    assert jobs.run(id).state == "done"


def test_a_word_to_stop_is_heard_by_a_process_that_was_still_starting(tmp_path):
    ran = []
    jobs = Jobs(tmp_path, {"x": lambda run: ran.append(1) or {}})
    id = jobs.add("x", {})
    jobs.cancel(id)
    assert jobs.run(id, again=False).state == "cancelled" and not ran
    jobs.resume(id)
    assert jobs.run(id, again=False).state == "done" and ran


def test_a_file_that_was_taken_away_is_named(tmp_path):
    jobs = Jobs(tmp_path, {"x": lambda run: {"n": len((run.folder / "03.png").read_bytes())}})
    failed = jobs.run(jobs.add("x", {}))
    assert failed.error["type"] == "Damaged" and "03.png" in failed.error["message"]


def test_one_job_of_a_queue_runs_at_a_time_and_the_oldest_comes_first(tmp_path):
    running, order, together = [], [], []

    def work(run):
        running.append(run)
        together.append(len(running))
        order.append(run.arguments["n"])
        time.sleep(0.3)
        running.pop()
        return {}

    jobs = Jobs(tmp_path, {"x": work})
    ids = [jobs.add("x", {"n": n}) for n in range(3)]
    threads = [threading.Thread(target=jobs.run, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert together == [1, 1, 1] and order == [0, 1, 2]
    assert {s.state for s in jobs.list()} == {"done"}


def test_a_job_that_waits_its_turn_can_be_cancelled(tmp_path):
    hold = threading.Event()
    jobs = Jobs(tmp_path, {"x": lambda run: hold.wait(20) and {}})
    first, second = jobs.add("x", {}), jobs.add("x", {})
    threads = [threading.Thread(target=jobs.run, args=(id,)) for id in (first, second)]
    threads[0].start()
    wait_for(lambda: jobs.status(first).state == "running")
    threads[1].start()
    wait_for(lambda: jobs.status(second).stage == "waiting")
    jobs.cancel(second)
    threads[1].join(10)
    assert jobs.status(second).state == "cancelled" and jobs.status(first).state == "running"
    hold.set()
    threads[0].join()
    assert jobs.status(first).state == "done"


def test_a_full_queue_and_an_unknown_kind_are_refused(tmp_path):
    jobs = Jobs(tmp_path, {"x": nothing})
    with pytest.raises(UnknownName, match="kind of job"):
        jobs.add("y", {})
    for _ in range(MAX_WAITING):
        jobs.add("x", {})
    with pytest.raises(Busy, match="wait already"):
        jobs.add("x", {})
    with pytest.raises(BadValue, match="64 KB"):
        Jobs(tmp_path / "other", {"x": nothing}).add("x", {"text": "x" * 70_000})


def test_what_nobody_foresaw_is_failed_and_not_running(tmp_path):
    jobs = Jobs(tmp_path, {"x": lambda run: {}["lost"]})
    id = jobs.add("x", {})
    with pytest.raises(KeyError):
        jobs.run(id)
    assert jobs.status(id).state == "failed" and jobs.status(id).error["type"] == "Unexpected"


def test_damaged_job_files_are_said_and_do_not_hide_the_others(tmp_path):
    jobs = Jobs(tmp_path, {"x": nothing})
    good, bad, odd = (jobs.add("x", {}) for _ in range(3))
    (tmp_path / "jobs" / bad / "job.json").write_text("{")
    (tmp_path / "jobs" / odd / "state.json").write_text(json.dumps({"state": "flying"}))
    for id in (bad, odd):
        with pytest.raises(Damaged):
            jobs.status(id)
    assert {s.id: s.state for s in jobs.list()} == {good: "queued", bad: "failed", odd: "failed"}


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "jobs").write_text("in the way")
    with pytest.raises(CannotNow, match="cannot be written"):
        Jobs(tmp_path, {"x": nothing}).add("x", {})


def test_a_full_disk_starts_no_job_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.jobs.DISK_RESERVE", 1 << 62)
    jobs = Jobs(tmp_path, {"x": nothing})
    with pytest.raises(CannotNow, match="disk is full"):
        jobs.add("x", {}, files={"a/b.png": b"1"})
    assert list((tmp_path / "jobs").iterdir()) == [] and jobs.list() == []


def test_files_given_to_a_job_are_there_when_it_runs(tmp_path):
    jobs = Jobs(tmp_path, {"x": lambda run: {"read": (run.folder / "a/b").read_text()}})
    id = jobs.add("x", {}, files={"a/b": b"here"})
    assert jobs.run(id).result == {"read": "here"}
