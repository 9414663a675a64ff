"""Figures: their register. A figure is a function that measures one thing; a table row each."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Better = Literal["higher", "lower"]


class NotYet(Exception):
    """What a figure needs is not there: weights, LoRAs, a program. The message says what."""


@dataclass(frozen=True)
class Measured:
    """What a figure came to."""

    value: float
    ceiling: float | None = None
    """The same figure with drawn truth in the render's place: what the judges allow."""
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure. ``measure`` raises :class:`NotYet` when it cannot be measured here."""

    name: str
    what: str
    measure: Callable[[], Measured]
    better: Better
    issue: int
    target: float | None
    """What must hold now; None: reported only."""
    next: float | None
    """Where it must go next."""
    unit: str
    minutes: float
    """Roughly how long, on two cores."""

    def ok(self, value: float) -> bool | None:
        """Whether ``value`` meets the target; None without one."""
        if self.target is None:
            return None
        return value >= self.target if self.better == "higher" else value <= self.target


FIGURES: dict[str, Figure] = {}


def figure(
    name: str,
    *,
    better: Better,
    issue: int,
    target: float | None = None,
    next: float | None = None,
    unit: str = "",
    minutes: float = 0.1,
) -> Callable[[Callable[[], Measured]], Callable[[], Measured]]:
    """Register the function below as the figure ``name``; its docstring says what it measures."""
    if not re.fullmatch(r"[a-z0-9-]+", name) or name in FIGURES:
        raise ValueError(f"{name} is no good name for a figure, or there are two of it")

    def register(measure: Callable[[], Measured]) -> Callable[[], Measured]:
        what = " ".join((measure.__doc__ or "").split())
        if not what:
            raise ValueError(f"{name} does not say what it measures")
        FIGURES[name] = Figure(name, what, measure, better, issue, target, next, unit, minutes)
        return measure

    return register


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Figures of one process share what is expensive: each arguments' result is kept."""
    return functools.lru_cache(maxsize=None)(function)


def load_all() -> dict[str, Figure]:
    """Every figure there is, in the order of the table."""
    modules = (
        "pictures", "poses", "swaps", "together", "touch_ups", "base", "search", "garments",
        "garment_training", "speed", "stylist_cases", "hostile", "mcp",
    )  # fmt: skip
    for module in modules:
        importlib.import_module(f"bench.{module}")
    return FIGURES
