"""Figures of the planner on the conversations of ``bench/stylist``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from bench.figures import Measured, NotYet, figure, once

RUNNER = Path(__file__).parent / "stylist" / "run.py"


@once
def _report() -> str:
    done = subprocess.run(
        [sys.executable, str(RUNNER)], cwd=RUNNER.parents[2], capture_output=True, text=True
    )
    if done.returncode:
        raise NotYet(f"bench/stylist/run.py failed: {done.stderr[-200:].strip()}")
    return done.stdout


def _read(pattern: str) -> list[float]:
    found = re.search(pattern, _report())
    if found is None:
        raise NotYet(f"bench/stylist/run.py said nothing about {pattern.split()[0]}")
    return [float(number) for number in found.groups()]


@figure("stylist-cases", better="higher", issue=7, target=85, unit="%", minutes=0.5)
def cases() -> Measured:
    """Conversations in which every turn met all its constraints, embedded planner."""
    good, total = _read(r"cases with all constraints met\s+(\d+) of (\d+)")
    return Measured(100 * good / total, note=f"{good:.0f} of {total:.0f}")


@figure("stylist-invented", better="lower", issue=7, target=0, minutes=0.5)
def invented() -> Measured:
    """Garments in plans that the catalog does not have."""
    return Measured(_read(r"invented garments\s+(\d+)")[0])


@figure("stylist-turn", better="lower", issue=7, target=0.15, unit="s", minutes=0.5)
def turn() -> Measured:
    """Seconds of a planner's turn without drawing, warm, median."""
    median, worst = _read(r"median / worst\s+([\d.]+) / ([\d.]+)")
    return Measured(median, note=f"worst {worst:.2f}")
