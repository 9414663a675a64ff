"""Score a stylist on conversations whose constraints a program checks.

    python bench/stylist/run.py [--cases FILE] [--cards FILE] [--verbose]

Answers come from ``stylist look --jsonl`` (one process, nothing drawn). Plans are judged by the
cards of the catalog, looked up by id: a garment that has no card is an invented one. A case is
``{"id", "turns": [{"say", "check": {...}}]}``; the keys of ``check`` are the methods of ``Judge``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Judge:
    """One turn's answer against its constraints; each method names one constraint."""

    def __init__(self, answer: dict[str, Any], before: list[dict[str, Any]], cards: dict) -> None:
        self.answer, self.before, self.cards = answer, before, cards
        self.plan = answer.get("plan") or {}
        self.worn = [cards[g["id"]] for g in self.plan.get("garments", []) if g["id"] in cards]
        self.words = {g["shape"]["category"] for g in self.worn}
        self.slots = {g["slot"]: g["id"] for g in self.worn}

    @property
    def last(self) -> dict[str, Any]:
        return self.before[-1].get("plan") or {}

    def _ids(self, plan: dict[str, Any]) -> list[str]:
        return [g["id"] for g in plan.get("garments", [])]

    def declined(self, _: bool) -> bool:
        return not self.answer.get("tool_calls") and not self.answer.get("plan")

    def season(self, word: str) -> bool:
        weights = self.plan.get("season", {})
        return bool(weights) and max(weights, key=weights.get) == word

    def weights(self, wanted: dict[str, float]) -> bool:
        have = self.plan.get("season", {})
        return all(abs(have.get(s, 0) - w) < 0.06 for s, w in wanted.items())

    def occasion(self, word: str) -> bool:
        return self.plan.get("occasion") == word

    def temperature(self, span: list[float]) -> bool:
        t = self.plan.get("temperature_c")
        return t is not None and span[0] <= t <= span[1]

    def pose(self, word: str) -> bool:
        return self.plan.get("pose") == word

    def scene(self, word: str) -> bool:
        return self.plan.get("scene") == word

    def person(self, wanted: dict[str, str]) -> bool:
        return all(self.plan.get("person", {}).get(k) == v for k, v in wanted.items())

    def wearer(self, who: str) -> bool:
        return bool(self.worn) and all(who in g["wearers"] for g in self.worn)

    def slots_(self, wanted: list[str]) -> bool:
        return set(wanted) <= set(self.slots)

    def no_slots(self, banned: list[str]) -> bool:
        return not set(banned) & set(self.slots)

    def categories(self, wanted: list[str]) -> bool:
        return set(wanted) <= self.words

    def categories_any(self, wanted: list[str]) -> bool:
        return bool(set(wanted) & self.words)

    def no_categories(self, banned: list[str]) -> bool:
        return not set(banned) & self.words

    def no_colors(self, banned: list[str]) -> bool:
        return not set(banned) & {g["color"] for g in self.worn}

    def patterns(self, allowed: list[str]) -> bool:
        return {g["cloth"]["pattern"] for g in self.worn} <= set(allowed)

    def price_max(self, limit: float) -> bool:
        return sum(g["price"] for g in self.worn) <= limit + 0.01

    def clo_min(self, limit: float) -> bool:
        return 0.161 + 0.835 * sum(g["clo"] for g in self.worn) >= limit

    def clo_max(self, limit: float) -> bool:
        return 0.161 + 0.835 * sum(g["clo"] for g in self.worn) <= limit

    def formality_min(self, limit: float) -> bool:
        return statistics.mean(g["formality"] for g in self.worn) >= limit

    def formality_max(self, limit: float) -> bool:
        return statistics.mean(g["formality"] for g in self.worn) <= limit

    def waterproof(self, _: bool) -> bool:
        return any(g.get("waterproof") for g in self.worn)

    def unmet(self, _: bool) -> bool:
        return bool(self.plan.get("unmet"))

    def reply_any(self, words: list[str]) -> bool:
        return any(w.lower() in self.answer["reply"].lower() for w in words)

    def warmer(self, _: bool) -> bool:
        return self.plan["clo_total"] > self.last["clo_total"]

    def cheaper(self, _: bool) -> bool:
        return self.plan["price_total"] < self.last["price_total"]

    def dressier(self, _: bool) -> bool:
        before = [self.cards[i]["formality"] for i in self._ids(self.last)]
        return statistics.mean(g["formality"] for g in self.worn) > statistics.mean(before)

    def differs(self, _: bool) -> bool:
        return set(self._ids(self.plan)) != set(self._ids(self.last))

    def same_as(self, turn: int) -> bool:
        return self._ids(self.plan) == self._ids(self.before[turn].get("plan") or {})

    def keeps(self, slots: list[str]) -> bool:
        old = {self.cards[i]["slot"]: i for i in self._ids(self.last)}
        return all(self.slots.get(s) == old[s] for s in slots if s in old)

    def changes(self, slots: list[str]) -> bool:
        old = {self.cards[i]["slot"]: i for i in self._ids(self.last)}
        return all(self.slots.get(s) not in (None, old.get(s)) for s in slots)

    def always(self) -> list[str]:
        """What holds for every answer, whatever was asked."""
        wrong = []
        if self.answer.get("error"):
            wrong.append(f"error: {self.answer['error']['message']}")
        ids = self._ids(self.plan)
        if any(i not in self.cards for i in ids):
            wrong.append("invented garment")
        if self.plan:
            dressed = "onepiece" in self.slots or {"top", "bottom"} <= set(self.slots)
            if not dressed or "footwear" not in self.slots:
                wrong.append("incomplete")
            if abs(sum(self.plan["season"].values()) - 1) > 0.01:
                wrong.append("season does not sum to 1")
        return wrong

    def failed(self, check: dict[str, Any]) -> list[str]:
        wrong = self.always()
        for name, value in check.items():
            method = getattr(self, "slots_" if name == "slots" else name)
            try:
                ok = method(value)
            except (KeyError, IndexError, statistics.StatisticsError):
                ok = False
            if not ok:
                wrong.append(f"{name}={value}")
        if not self.plan and "declined" not in check and "reply_any" not in check:
            wrong.append("no plan")
        return wrong


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=Path, default=HERE / "cases.jsonl")
    options.add_argument("--cards", type=Path, default=ROOT / "catalog/starter/garments.json")
    options.add_argument("--verbose", action="store_true", help="print what failed and why")
    args = options.parse_args()
    raw = json.loads(args.cards.read_text(encoding="utf-8"))
    cards = {g["id"]: g for g in (raw if isinstance(raw, list) else raw["garments"])}
    cases = [json.loads(line) for line in args.cases.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ui.cli", "look", "--jsonl"]
        environment = {**__import__("os").environ, "STYLIST_HOME": folder}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin and process.stdout
        seconds, turns, right, whole, calls, bad_calls, invented = [], 0, 0, 0, 0, 0, 0
        for case in cases:
            before: list[dict[str, Any]] = []
            good = True
            for turn in case["turns"]:
                asked = {"thread": f"bench-{case['id']}", "message": turn["say"], "render": False}
                began = time.perf_counter()
                process.stdin.write(json.dumps(asked, ensure_ascii=False) + "\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
                seconds.append(time.perf_counter() - began)
                wrong = Judge(answer, before, cards).failed(turn["check"])
                before.append(answer)
                turns, right = turns + 1, right + (not wrong)
                invented += "invented garment" in wrong
                calls += len(answer.get("tool_calls", []))
                bad_calls += sum(not c["ok"] for c in answer.get("tool_calls", []))
                good = good and not wrong
                if wrong and args.verbose:
                    print(f"{case['id']}: “{turn['say']}” → {', '.join(wrong)}", file=sys.stderr)
            whole += good
        process.stdin.close()
        process.wait(timeout=30)
    print(f"cases with all constraints met   {whole} of {len(cases)} ({whole / len(cases):.0%})")
    print(f"turns with all constraints met   {right} of {turns} ({right / turns:.0%})")
    print(f"invented garments                {invented}")
    print(f"tool calls that failed           {bad_calls} of {calls}")
    print(f"seconds a turn, median / worst   {statistics.median(seconds[1:]):.3f} / "
          f"{max(seconds[1:]):.3f}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
