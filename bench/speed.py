"""Figures of time and memory, measured in fresh processes where a person would start one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import renders
from bench.figures import Measured, NotYet, figure, once
from bench.outfits import outfits

ROOT = Path(__file__).resolve().parents[1]
REQUEST = "winter outfit for a commute"
TURNS = (REQUEST, "other shoes", "hands on hips", "half autumn")
QUIET_SECONDS = 10
"""An idle server is looked at this long after its page has answered."""


def _stylist(*words: str) -> list[str]:
    return [sys.executable, "-m", "ui.cli", *words]


@contextlib.contextmanager
def _home(*, installed: bool) -> Iterator[dict[str, str]]:
    """The environment of a person whose STYLIST_HOME is new, or has the starter catalog in it."""
    with tempfile.TemporaryDirectory(prefix="stylist-bench-home-") as folder:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("STYLIST_", "OPENAI_"))}
        env["STYLIST_HOME"] = str(Path(folder) / "home")
        if installed:
            shutil.copytree(_installed(), env["STYLIST_HOME"])
        yield env


@once
def _installed() -> Path:
    """A home with the starter catalog and its search index, made once a process."""
    from catalog.index import Catalog

    folder = Path(tempfile.mkdtemp(prefix="stylist-bench-installed-"))
    catalog = Catalog(folder)
    catalog.find("blue shirt")
    catalog.close()
    return folder


# --- time ----------------------------------------------------------------------------------------


@figure("matmul", better="higher", issue=3, unit="GFLOPS")
def matmul() -> Measured:
    """This machine now: float32 matrix product of 1024 by 1024, all threads, best of 20. Times
    below are to be read beside it."""
    import torch

    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    best = min(_timed(lambda: a @ b) for _ in range(20))
    note = f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}"
    return Measured(2 * 1024**3 / best / 1e9, note=note)


@figure("render-seconds", better="lower", issue=3, target=6, next=2, unit="s", minutes=0.6)
def render_seconds() -> Measured:
    """One render at the default steps by an engine that is warm, best of 5."""
    job = renders.job(outfits()[0].plan)
    engine = renders.studio().engine
    engine.draw(job)
    runs = [engine.draw(job).seconds for _ in range(5)]
    best = min(runs, key=lambda s: sum(s.values()))
    parts = ", ".join(f"{k} {v:.2f}" for k, v in best.items())
    return Measured(sum(best.values()), note=f"{job.steps} steps; {parts}")


@figure("drawing-ms", better="lower", issue=3, target=25, unit="ms", minutes=0.1)
def drawing_ms() -> Measured:
    """One drawing at training size with its maps, one thread, mean of 40, best of 5."""
    from catalog.croquis import drawing

    truths = [drawing.sample_worn(seed) for seed in range(40)]

    def forty() -> None:
        for truth in truths:
            drawing.model_maps(drawing.draw(truth))

    forty()
    return Measured(min(_timed(forty) for _ in range(5)) / 40 * 1000)


@figure("lora-seconds", better="lower", issue=3, target=60, unit="s", minutes=1.5)
def lora_seconds() -> Measured:
    """Training one garment's LoRA from its ten photos, base loaded, all threads."""
    from catalog.photo_file import photo_pixels
    from catalog.train_lora import GARMENT, lora_file

    room = renders.studio()
    card = room.catalog.get("navy-zigzag-sweater")
    photos = [photo_pixels(path.read_bytes()) for path in room.catalog.photos(card.id)]
    sizes: list[int] = []
    seconds = _timed(lambda: sizes.append(len(lora_file(card, photos, room.engine.base))))
    return Measured(seconds, note=f"{GARMENT.steps} steps, {sizes[0] / 1000:.0f} KB")


@figure("turn-overhead", better="lower", issue=3, target=1.3, next=1.05, minutes=1.2)
def turn_overhead() -> Measured:
    """(chat turn − planner) ÷ (text + denoise + decode), median of the warm turns of one
    conversation over `stylist look --jsonl`, timed from outside."""
    renders.ready()
    with _home(installed=True) as env:
        process = subprocess.Popen(
            _stylist("look", "--jsonl"),
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            turns = [_turn(process, message) for message in TURNS]
        finally:
            process.kill()
            process.wait()
    ratios = []
    for wall, answer in turns[1:]:
        parts = answer["seconds"]
        if "denoise" in parts:
            needed = parts["text"] + parts["denoise"] + parts["decode"]
            ratios.append((wall - parts["planner"]) / needed)
    if not ratios:
        raise NotYet(f"no turn drew anything: {turns[0][1].get('error')}")
    planner = statistics.median(answer["seconds"]["planner"] for _, answer in turns[1:])
    return Measured(statistics.median(ratios), note=f"planner {planner:.2f} s")


def _turn(process: subprocess.Popen[bytes], message: str) -> tuple[float, dict[str, Any]]:
    assert process.stdin and process.stdout
    asked = {"thread": "bench", "message": message, "render": True}
    began = time.perf_counter()
    process.stdin.write(json.dumps(asked).encode() + b"\n")
    process.stdin.flush()
    line = process.stdout.readline()
    wall = time.perf_counter() - began
    if not line:
        raise NotYet("stylist look --jsonl ended")
    return wall, json.loads(line)


@figure("first-demo", better="lower", issue=3, target=240, next=120, unit="s", minutes=1.5)
def first_demo() -> Measured:
    """`make demo` with an empty STYLIST_HOME; the packages are installed already."""
    renders.ready()
    with _home(installed=False) as env:
        began = time.perf_counter()
        done = subprocess.run(["make", "demo"], cwd=ROOT, env=env, capture_output=True)
        seconds = time.perf_counter() - began
    if done.returncode:
        raise NotYet(f"make demo failed: {done.stderr.decode()[-200:].strip()}")
    return Measured(seconds)


@figure("help-seconds", better="lower", issue=3, target=0.7, next=0.4, unit="s")
def help_seconds() -> Measured:
    """`stylist --help` in a fresh process, best of 5."""

    def run() -> None:
        subprocess.run(_stylist("--help"), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    return Measured(min(_timed(run) for _ in range(5)))


def _timed(run: Any) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


# --- memory --------------------------------------------------------------------------------------


@figure("request-memory", better="lower", issue=3, target=3, next=2, unit="GB", minutes=0.7)
def request_memory() -> Measured:
    """Peak resident memory of the process of one `stylist look REQUEST`, picture drawn."""
    renders.ready()
    with _home(installed=True) as env:
        process = subprocess.Popen(
            _stylist("look", REQUEST),
            cwd=ROOT,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise NotYet("stylist look failed")
    return Measured(usage.ru_maxrss * 1024 / 1e9)


_SERVER = """
import sys
from dataclasses import replace
from agent.stylist import Stylist
from tools.studio import Studio
from ui.chat import serve
from ui.settings import quieten, read_settings
settings = replace(read_settings(), port=int(sys.argv[1]))
quieten(settings)
stylist = Stylist(Studio(settings.home), settings.home)
if sys.argv[2:]:
    assert stylist.ask(sys.argv[2])["look"], "nothing was drawn"
serve(stylist, settings)
"""
"""`stylist chat`, after a first request when there is one."""


@figure("idle-memory", better="lower", issue=3, target=1.5, next=1, unit="GB", minutes=1.5)
def idle_memory() -> Measured:
    """Resident memory of the chat server that has drawn one look and waits."""
    renders.ready()
    fresh, seconds = _idle()
    value, _ = _idle(REQUEST)
    return Measured(value, note=f"{fresh:.2f} GB before the first look; page after {seconds:.0f} s")


def _idle(*request: str) -> tuple[float, float]:
    """Resident memory of an idle server in GB, and the seconds until its page answered."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _home(installed=True) as env:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(port), *request],
            cwd=ROOT,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            seconds = _wait_for_page(process, f"http://127.0.0.1:{port}/")
            time.sleep(QUIET_SECONDS)
            return _resident(process.pid), seconds
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_page(process: subprocess.Popen[bytes], address: str) -> float:
    began = time.perf_counter()
    while time.perf_counter() - began < 180:
        if process.poll() is not None:
            raise NotYet("stylist chat ended")
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as page:
            page.read()
            return time.perf_counter() - began
        time.sleep(0.3)
    raise NotYet("the page did not answer within three minutes")


def _resident(pid: int) -> float:
    """Resident memory of a process in GB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e9
    raise NotYet("this system does not tell a process's memory")
