"""Judge: one answer against the constraints of its turn, by the cards of the catalog alone.

Nothing of the program is imported: what a plan says about itself is believed only where nothing
else can know it (season, occasion, pose, scene, person). A case is ``{"id", "turns": [{"say",
"check": {...}}]}``; the keys of ``check`` are methods of ``Judge``.
"""

from __future__ import annotations

import hashlib
import re
import statistics
from collections.abc import Callable
from typing import Any

CLOTHES = ("top", "bottom", "onepiece", "outerwear", "footwear")
_FUNCTION = {
    "fr": {"le", "la", "les", "un", "une", "de", "pour", "et", "je", "en", "vous", "votre"},
    "de": {"der", "die", "das", "ein", "eine", "und", "ich", "für", "mit", "bei", "in", "zu"},
    "es": {"el", "la", "los", "un", "una", "de", "para", "y", "en", "tu", "con", "te"},
}
_ENGLISH = {"the", "and", "for", "you", "with", "it", "is", "are", "of", "to", "your", "that",
            "goes", "adds", "against", "asked", "made", "about", "outside", "too",
            "not", "there", "picks", "from", "was", "stays", "this", "costs"}  # fmt: skip


def is_unread(case: dict[str, Any]) -> bool:
    """Whether a case belongs to the third that is scored but not read while improving.

    Chosen by a hash of its id; cases marked ``seen`` were worked with before there was a split.
    """
    return not case.get("seen") and hashlib.sha256(case["id"].encode()).digest()[0] % 3 == 0


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
        return (self.before[-1].get("plan") or {}) if self.before else {}

    def _ids(self, plan: dict[str, Any]) -> list[str]:
        return [g["id"] for g in plan.get("garments", [])]

    def _clo(self, plan: dict[str, Any]) -> float:
        return 0.161 + 0.835 * sum(self.cards[i]["clo"] for i in self._ids(plan))

    def _price(self, plan: dict[str, Any]) -> float:
        return sum(self.cards[i]["price"] for i in self._ids(plan))

    def _dressy(self, plan: dict[str, Any]) -> float:
        return statistics.mean(self.cards[i]["formality"] for i in self._ids(plan))

    # ---- what kind of answer -----------------------------------------------------------------

    def declined(self, _: bool) -> bool:
        return not self.answer.get("tool_calls") and self._ids(self.plan) == self._ids(self.last)

    def unmet(self, _: bool) -> bool:
        return bool(self.plan.get("unmet"))

    def reply_any(self, words: list[str]) -> bool:
        return any(w.lower() in self.answer["reply"].lower() for w in words)

    def says_or_asks(self, _: bool) -> bool:
        """A short question, or an assumption said aloud."""
        said = [a for a in self.plan.get("assumptions", []) if a in self.answer["reply"]]
        return "?" in self.answer["reply"] or bool(said)

    def language(self, code: str) -> bool:
        """The whole reply is in that language; names, currency codes and units are not words."""
        reply = re.sub(
            r"(?<![A-Za-z])(?:EUR|clo|USD|GBP)(?![A-Za-z])|°C", " ", self.answer["reply"]
        )
        if code in ("zh", "ja"):
            kana = bool(re.search("[\u3040-\u30ff]", reply))
            return not re.search(r"[A-Za-z]{3,}", reply) and kana == (code == "ja")
        words = re.findall(r"[^\W\d_]+", reply.lower())
        return bool(set(words) & _FUNCTION[code]) and not set(words) & _ENGLISH

    # ---- when, where, who --------------------------------------------------------------------

    def season(self, word: str) -> bool:
        weights = self.plan.get("season", {})
        return bool(weights) and max(weights, key=weights.get) == word

    def weights(self, wanted: dict[str, float]) -> bool:
        have = self.plan.get("season", {})
        return all(abs(have.get(s, 0) - w) < 0.06 for s, w in wanted.items())

    def occasion(self, word: str) -> bool:
        return self.plan.get("occasion") == word

    def occasion_any(self, words: list[str]) -> bool:
        return self.plan.get("occasion") in words

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

    # ---- which garments ----------------------------------------------------------------------

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

    def colors_any(self, wanted: list[str]) -> bool:
        return bool(set(wanted) & {g["color"] for g in self.worn})

    def only_colors(self, allowed: list[str]) -> bool:
        return {g["color"] for g in self.worn if g["slot"] in CLOTHES} <= set(allowed)

    def colors_most_not(self, colors: list[str]) -> bool:
        """At most a third of the clothes have one of the colours."""
        clothes = [g for g in self.worn if g["slot"] in CLOTHES]
        return 3 * sum(g["color"] in colors for g in clothes) <= len(clothes)

    def _of(self, wanted: dict[str, list[str]], value: Callable[[dict], str]) -> bool:
        by_slot = {g["slot"]: value(g) for g in self.worn}
        return all(by_slot.get(slot) in words for slot, words in wanted.items())

    def color_of(self, wanted: dict[str, list[str]]) -> bool:
        return self._of(wanted, lambda g: g["color"])

    def pattern_of(self, wanted: dict[str, list[str]]) -> bool:
        return self._of(wanted, lambda g: g["cloth"]["pattern"])

    def material_of(self, wanted: dict[str, list[str]]) -> bool:
        return self._of(wanted, lambda g: g["cloth"]["material"])

    def fit_of(self, wanted: dict[str, list[str]]) -> bool:
        return self._of(wanted, lambda g: g["shape"].get("fit", "regular"))

    def sleeves_of(self, wanted: dict[str, list[str]]) -> bool:
        return self._of(wanted, lambda g: g["shape"]["sleeves"])

    def length_of(self, wanted: dict[str, list[str]]) -> bool:
        return self._of(wanted, lambda g: g["shape"]["length"])

    def patterns(self, allowed: list[str]) -> bool:
        return {g["cloth"]["pattern"] for g in self.worn} <= set(allowed)

    def no_patterns(self, banned: list[str]) -> bool:
        return not set(banned) & {g["cloth"]["pattern"] for g in self.worn}

    def loud_any(self, _: bool) -> bool:
        return any(
            g["cloth"]["pattern"] != "plain" for g in self.worn if g["slot"] in ("top", "onepiece")
        )

    def no_materials(self, banned: list[str]) -> bool:
        return not set(banned) & {g["cloth"]["material"] for g in self.worn}

    def waterproof(self, _: bool) -> bool:
        return any(g.get("waterproof") for g in self.worn)

    def price_max(self, limit: float) -> bool:
        return self._price(self.plan) <= limit + 0.01

    def clo_min(self, limit: float) -> bool:
        return self._clo(self.plan) >= limit

    def clo_max(self, limit: float) -> bool:
        return self._clo(self.plan) <= limit

    def formality_min(self, limit: float) -> bool:
        return self._dressy(self.plan) >= limit

    def formality_max(self, limit: float) -> bool:
        return self._dressy(self.plan) <= limit

    # ---- against the turn before -------------------------------------------------------------

    def warmer(self, _: bool) -> bool:
        return self._clo(self.plan) > self._clo(self.last)

    def cooler(self, _: bool) -> bool:
        return self._clo(self.plan) < self._clo(self.last)

    def cheaper(self, _: bool) -> bool:
        return self._price(self.plan) < self._price(self.last)

    def dressier(self, _: bool) -> bool:
        return self._dressy(self.plan) > self._dressy(self.last)

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

    def changes_any(self, slots: list[str]) -> bool:
        """What was worn in one of the slots is gone."""
        old = {self.cards[i]["slot"]: i for i in self._ids(self.last)}
        return any(s in old and self.slots.get(s) != old[s] for s in slots)

    # ---- always ------------------------------------------------------------------------------

    def hard(self) -> list[str]:
        """What no answer may do, whatever was asked: hard constraints by the cards."""
        wrong = []
        ids = self._ids(self.plan)
        if any(i not in self.cards for i in ids):
            wrong.append("invented garment")
        if not self.plan:
            return wrong
        dressed = "onepiece" in self.slots or {"top", "bottom"} <= set(self.slots)
        if not dressed or "footwear" not in self.slots:
            wrong.append("incomplete")
        if len(self.slots) != len(ids):
            wrong.append("two pieces for one slot")
        if "onepiece" in self.slots and {"top", "bottom"} & set(self.slots):
            wrong.append("one-piece with separates")
        if any(not g.get("available", True) for g in self.worn):
            wrong.append("sold out")
        t = self.plan.get("temperature_c", 15)
        if t < 3 and self.words & {"sandals", "shorts", "tank top", "sun hat"}:
            wrong.append("summer clothes in frost")
        if t > 27 and self.words & {"coat", "puffer jacket", "beanie", "boots"}:
            wrong.append("winter clothes in heat")
        if abs(sum(self.plan["season"].values()) - 1) > 0.01:
            wrong.append("season does not sum to 1")
        return wrong

    def failed(self, check: dict[str, Any]) -> list[str]:
        """Every constraint that is not met; empty when the turn is right."""
        wrong = self.hard()
        if self.answer.get("error"):
            wrong.append(f"error: {self.answer['error']['message']}")
        for name, value in check.items():
            method = getattr(self, "slots_" if name == "slots" else name)
            try:
                ok = method(value)
            except (KeyError, IndexError, statistics.StatisticsError):
                ok = False
            if not ok:
                wrong.append(f"{name}={value}")
        if not self.plan and not {"declined", "reply_any", "says_or_asks"} & set(check):
            wrong.append("no plan")
        return wrong
