"""``make bench``: every figure that is quick to measure, and the last run of the others.

    python -m bench               all figures under five minutes, measured now
    python -m bench NAME ...      these alone, however long they take
    python -m bench --all         all of them
    python -m bench --list        what there is

One table on standard output; ``bench/results.json`` keeps the last value of every figure.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure, NotYet, load_all
from catalog.croquis.drawing import WORLD
from ui.settings import QUIET

RESULTS = Path(__file__).parent / "results.json"
LONG = 5.0
"""Minutes from which on a figure runs only when it is asked for."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="measure these figures only")
    parser.add_argument("--all", action="store_true", help="the long ones too")
    parser.add_argument("--list", action="store_true", help="say what there is")
    o = parser.parse_args(argv)
    quiet()
    figures = load_all()
    if o.list:
        for f in figures.values():
            print(f"{f.name:20} {f.minutes:4.1f} min  {f.what}")
        return 0
    unknown = [n for n in o.names if n not in figures]
    if unknown:
        parser.error(f"no figure {', '.join(unknown)}; --list says what there is")
    chosen = o.names or [f.name for f in figures.values() if o.all or f.minutes < LONG]
    return run(figures, chosen, o.names or list(figures))


def run(figures: dict[str, Figure], chosen: Sequence[str], shown: Sequence[str]) -> int:
    """Measure ``chosen``, keep what they came to, print ``shown``. 1 when one misses its target."""
    rows = read_results()
    today: set[str] = set()
    problems: dict[str, str] = {}
    for name in chosen:
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        began = time.perf_counter()
        try:
            row = _row(figures[name], began)
            rows = read_results()  # another run may have written beside this one
            rows[name] = row | {"previous": _previous(rows.get(name), row)}
            write_results(rows, figures)
            today.add(name)
        except NotYet as reason:
            problems[name] = str(reason)
        except Exception as error:  # one figure that fails must not hide the others
            problems[name] = f"{type(error).__name__}: {error}"
        print(problems.get(name, f"{time.perf_counter() - began:.0f} s"), file=sys.stderr)
    print(table([figures[n] for n in shown], rows, today, problems))
    missed = [n for n in chosen if n in problems or figures[n].ok(rows[n]["value"]) is False]
    return 1 if missed else 0


def _previous(old: dict[str, Any] | None, row: dict[str, Any]) -> float | None:
    """What the figure was before the commit that was measured; None when it never was."""
    if old is None:
        return None
    return old.get("previous") if old["commit"] == row["commit"] else old["value"]


def _row(figure: Figure, began: float) -> dict[str, Any]:
    found = figure.measure()
    return {
        "figure": figure.name,
        "value": round(float(found.value), 4),
        "target": figure.target,
        "better": figure.better,
        "issue": figure.issue,
        "command": f"python -m bench {figure.name}",
        "world": WORLD,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit(),
        "seconds": round(time.perf_counter() - began, 1),
        "unit": figure.unit,
        "next": figure.next,
        "ceiling": None if found.ceiling is None else round(float(found.ceiling), 4),
        "note": found.note,
    }


def quiet() -> None:
    """Nothing from the libraries between the figures."""
    os.environ.update(QUIET, HF_HUB_OFFLINE="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)


def commit() -> str:
    """The commit that was measured, ``+`` when files differ from it; "" outside a repository."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=RESULTS.parent, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    # what is measured, not the notes about it
    changed = git("status", "--porcelain", "--", ":/", ":(exclude,top)bench/results.json")
    head = git("rev-parse", "--short", "HEAD")
    return head + ("+" if head and changed else "")


def read_results() -> dict[str, dict[str, Any]]:
    """Figure name → its row of the last run."""
    if not RESULTS.exists():
        return {}
    return {row["figure"]: row for row in json.loads(RESULTS.read_text(encoding="utf-8"))}


def write_results(rows: dict[str, dict[str, Any]], figures: dict[str, Figure]) -> None:
    kept = [rows[name] for name in figures if name in rows]
    partial = RESULTS.with_suffix(".partial")
    partial.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, RESULTS)


def table(
    figures: Sequence[Figure],
    rows: dict[str, dict[str, Any]],
    today: set[str],
    problems: dict[str, str],
) -> str:
    """The figures as aligned text."""
    lines = [
        ("figure", "value", "before", "target", "next", "better", "ok?", "ceiling", "measured", "")
    ]
    for f in figures:
        row = rows.get(f.name)
        if row is None:
            value, when, before, ceiling, note, ok = "–", "never", "", "", "", ""
        else:
            value = f"{_number(row['value'])} {f.unit}".strip()
            when = "now" if f.name in today else f"{row['date']} {row['commit']}".strip()
            when += "" if row.get("world") in (None, WORLD) else f" of world {row['world']}"
            before, ceiling = _number(row.get("previous")), _number(row.get("ceiling"))
            note = row.get("note", "")
            ok = {True: "yes", False: "NO", None: "–"}[f.ok(row["value"])]
        note = problems.get(f.name, note)
        target, later = _number(f.target), _number(f.next)
        sign = "≥" if f.better == "higher" else "≤"
        lines.append((f.name, value, before, f"{sign} {target}" if target else "report",
                      later, f.better, ok, ceiling, when, note))  # fmt: skip
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[-1]])
        for line in lines
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main())
