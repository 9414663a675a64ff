"""Score a stylist on conversations whose constraints a program checks.

    python bench/stylist/run.py [--cases FILE] [--cards FILE] [--verbose] [--json]
    python bench/stylist/run.py --baseline random|retrieval
    python bench/stylist/run.py --command "my-stylist --jsonl"

Answers come from ``stylist look --jsonl`` (one process, nothing drawn) or from any program that
speaks the same lines. A third of the cases (``judge.is_unread``) is scored, but ``--verbose`` says
nothing about it: it is kept unread while the stylist is being improved.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT)]

from bench.stylist.baselines import BASELINES  # noqa: E402
from bench.stylist.judge import Judge, is_unread  # noqa: E402

Ask = Callable[[dict[str, Any]], dict[str, Any]]


def load_cases(path: Path = HERE / "cases.jsonl") -> list[dict[str, Any]]:
    """The cases of a file, one JSON object a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def load_cards(path: Path = ROOT / "catalog/starter/garments.json") -> dict[str, dict[str, Any]]:
    """Cards by id."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return {g["id"]: g for g in (raw if isinstance(raw, list) else raw["garments"])}


def score(cases: list[dict[str, Any]], cards: dict, ask: Ask, verbose: bool) -> dict[str, Any]:
    """Every figure of the table, as plain numbers."""
    seconds: list[float] = []
    total = dict.fromkeys(
        ("turns", "turns_right", "invented", "hard", "calls", "calls_bad", "errors"), 0
    )
    parts = {"read": [0, 0], "unread": [0, 0], "declines": [0, 0]}
    for case in cases:
        before: list[dict[str, Any]] = []
        good = True
        for turn in case["turns"]:
            began = time.perf_counter()
            answer = ask({"thread": f"bench-{case['id']}", "message": turn["say"],
                          "render": False})  # fmt: skip
            seconds.append(time.perf_counter() - began)
            judge = Judge(answer, before, cards)
            wrong = judge.failed(turn["check"])
            hard, declined = judge.hard(), judge.declined(True)
            before.append(answer)
            total["turns"] += 1
            total["turns_right"] += not wrong
            total["invented"] += "invented garment" in hard
            total["hard"] += bool(hard)
            total["errors"] += bool(answer.get("error"))
            total["calls"] += len(answer.get("tool_calls") or [])
            total["calls_bad"] += sum(not c["ok"] for c in answer.get("tool_calls") or [])
            if "declined" in turn["check"]:
                parts["declines"][0] += declined
                parts["declines"][1] += 1
            good = good and not wrong
            if wrong and verbose and not is_unread(case):
                print(f"{case['id']}: “{turn['say']}” → {', '.join(wrong)}", file=sys.stderr)
        part = parts["unread" if is_unread(case) else "read"]
        part[0] += good
        part[1] += 1
    return {
        **total,
        **{f"{name}_right": p[0] for name, p in parts.items()},
        **{f"{name}_all": p[1] for name, p in parts.items()},
        "seconds_median": statistics.median(seconds[1:] or seconds),
        "seconds_worst": max(seconds[1:] or seconds),
    }


def over_lines(command: list[str], home: str) -> tuple[Ask, subprocess.Popen]:
    """Ask a program that reads a request a line and writes an answer a line."""
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "STYLIST_HOME": home}, text=True, encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stdout
    stdin, stdout = process.stdin, process.stdout

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        stdin.write(json.dumps(request, ensure_ascii=False) + "\n")
        stdin.flush()
        return dict(json.loads(stdout.readline()))

    return ask, process


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=Path, default=HERE / "cases.jsonl")
    options.add_argument("--cards", type=Path, default=ROOT / "catalog/starter/garments.json")
    options.add_argument("--baseline", choices=sorted(BASELINES), help="score this one instead")
    options.add_argument("--command", help="a program to ask instead of `stylist look --jsonl`")
    options.add_argument("--verbose", action="store_true", help="print what failed and why")
    options.add_argument("--json", action="store_true", help="print the figures as JSON")
    args = options.parse_args()
    cases, cards = load_cases(args.cases), load_cards(args.cards)
    with tempfile.TemporaryDirectory() as folder:
        if args.baseline:
            ask = BASELINES[args.baseline](cards, Path(folder))
            result = score(cases, cards, ask, args.verbose)
        else:
            own = [sys.executable, "-m", "ui.cli", "look", "--jsonl"]
            ask, process = over_lines(shlex.split(args.command) if args.command else own, folder)
            result = score(cases, cards, ask, args.verbose)
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=30)
    if args.json:
        print(json.dumps(result))
        return 0

    def share(name: str, good: int, of: int) -> None:
        print(f"{name:<34}{good} of {of} ({good / max(of, 1):.0%})")

    share("cases right, the part read", result["read_right"], result["read_all"])
    share("cases right, the unread third", result["unread_right"], result["unread_all"])
    share("turns right", result["turns_right"], result["turns"])
    share("declined, of what must be", result["declines_right"], result["declines_all"])
    share("tool calls that failed", result["calls_bad"], result["calls"])
    print(f"{'invented garments':<34}{result['invented']}")
    print(f"{'turns against a hard constraint':<34}{result['hard']}")
    print(f"{'seconds a turn, median / worst':<34}{result['seconds_median']:.3f} / "
          f"{result['seconds_worst']:.3f}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
