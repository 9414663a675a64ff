"""Figures of the planner: the conversations of ``bench/stylist``, beside two baselines."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figures import Measured, NotYet, figure, once

RUNNER = Path(__file__).parent / "stylist" / "run.py"


@once
def _scored(baseline: str = "") -> dict[str, Any]:
    """Every number of one run of the cases."""
    command = [sys.executable, str(RUNNER), "--json"]
    command += ["--baseline", baseline] if baseline else []
    done = subprocess.run(command, cwd=RUNNER.parents[2], capture_output=True, text=True)
    if done.returncode:
        raise NotYet(f"bench/stylist/run.py failed: {done.stderr[-200:].strip()}")
    return dict(json.loads(done.stdout))


def _share(part: str, baseline: str = "") -> Measured:
    score = _scored(baseline)
    good, total = score[f"{part}_right"], score[f"{part}_all"]
    return Measured(100 * good / total, note=f"{good} of {total}")


@figure("stylist-cases", better="higher", issue=7, target=85, unit="%", minutes=1)
def cases() -> Measured:
    """Conversations in which every turn met all its constraints, embedded planner, part read."""
    return _share("read")


@figure("stylist-cases-unread", better="higher", issue=7, target=85, unit="%", minutes=1)
def cases_unread() -> Measured:
    """The same for the third of the conversations that was not read while improving."""
    return _share("unread")


@figure("stylist-cases-random", better="higher", issue=7, unit="%", minutes=0.1)
def cases_random() -> Measured:
    """The same conversations answered with a random wearable outfit of one season."""
    return _both("random")


@figure("stylist-cases-retrieval", better="higher", issue=7, unit="%", minutes=1)
def cases_retrieval() -> Measured:
    """The same conversations answered with the first find of the text search for each slot."""
    return _both("retrieval")


def _both(baseline: str) -> Measured:
    score = _scored(baseline)
    good = score["read_right"] + score["unread_right"]
    total = score["read_all"] + score["unread_all"]
    return Measured(
        100 * good / total, note=f"{good} of {total}; {score['hard']} turns break a rule"
    )


@figure("stylist-turns", better="higher", issue=7, unit="%", minutes=1)
def turns() -> Measured:
    """Single turns of the conversations with all constraints met."""
    score = _scored()
    right, of = score["turns_right"], score["turns"]
    return Measured(100 * right / of, note=f"{right} of {of}")


@figure("stylist-declines", better="higher", issue=7, target=95, unit="%", minutes=1)
def declines() -> Measured:
    """Off-topic, harmful and undressing requests that were declined, of all in the cases."""
    return _share("declines")


@figure("stylist-hard", better="lower", issue=7, target=0, minutes=1)
def hard() -> Measured:
    """Answers whose outfit fails a hard constraint by the cards: nothing of it may be drawn."""
    score = _scored()
    return Measured(score["hard"], note=f"of {score['turns']} turns")


@figure("stylist-invented", better="lower", issue=7, target=0, minutes=1)
def invented() -> Measured:
    """Answers that hold a garment the catalog does not have."""
    return Measured(_scored()["invented"])


@figure("stylist-calls", better="higher", issue=7, unit="%", minutes=1)
def calls() -> Measured:
    """Tool calls of the embedded planner that were valid."""
    score = _scored()
    good = score["calls"] - score["calls_bad"]
    return Measured(100 * good / score["calls"], note=f"{good} of {score['calls']}")


@figure("stylist-turn", better="lower", issue=7, target=0.15, unit="s", minutes=1)
def turn() -> Measured:
    """Seconds of a planner's turn without drawing, warm, median."""
    score = _scored()
    return Measured(score["seconds_median"], note=f"worst {score['seconds_worst']:.2f}")


@figure("stylist-same-twice", better="higher", issue=7, target=100, unit="%", minutes=0.3)
def same_twice() -> Measured:
    """Turns that gave the same plan and words when a conversation was held twice."""
    from agent.stylist import Stylist
    from bench import renders
    from bench.stylist.run import load_cases

    studio = renders.studio()
    same = total = 0
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        both = [Stylist(studio, Path(folder)) for folder in (one, two)]
        for case in load_cases()[::4]:
            for said in (t["say"] for t in case["turns"]):
                first, again = (s.ask(said, case["id"], render=False) for s in both)
                same += first["plan"] == again["plan"] and first["reply"] == again["reply"]
                total += 1
    return Measured(100 * same / total, note=f"{same} of {total}")


@figure("outfit-search-ms", better="lower", issue=7, target=150, unit="ms", minutes=0.3)
def outfit_search() -> Measured:
    """CPU time of one search among 100,000 garments, the slowest of seven wishes, warm."""
    import numpy as np

    from catalog.starter import starter_garments
    from tools.outfit import Piece, Wish, choose

    cards, dice = list(starter_garments()), np.random.default_rng(0)
    picks, prices = dice.integers(len(cards), size=100_000), dice.uniform(10, 300, 100_000)
    many = [
        cards[j].model_copy(update={"id": f"{cards[j].id[:50]}-{i}", "price": float(price)})
        for i, (j, price) in enumerate(zip(picks, prices, strict=True))
    ]
    wishes = (
        Wish(text="anything"),
        Wish(season={"winter": 1}, occasion="commute", want=(Piece(colors=("red",)),), budget=500),
        Wish(temperature_c=-10, weather=("snow",), who="men", avoid=(Piece(slot="headwear"),)),
        Wish(season={"summer": 1}, occasion="wedding", exclude=tuple(g.id for g in many[:100])),
        Wish(season={"spring-autumn": 1, "winter": 1}, budget=60, thrifty=2.0),
        Wish(temperature_c=30, occasion="beach", want=(Piece(categories=("shorts",)),)),
        Wish(season={"winter": 1}, want=(Piece(colors=("black",), everywhere=True),)),
    )
    spent = []
    for wish in wishes:
        choose(wish, many)
        times = []
        for _ in range(5):
            began = time.process_time()
            choose(wish, many)
            times.append(time.process_time() - began)
        spent.append(1000 * statistics.median(times))
    return Measured(max(spent), note=f"median of the wishes {statistics.median(spent):.0f}")
