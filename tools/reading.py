"""Reading a wish: everything it leaves open filled in, and said aloud."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from catalog.garment import Season
from tools.warmth import needed_clo, season_at, temperature_of
from tools.wish import OCCASIONS, Occasion, Wish

_COLD_WORDS = {"puffer jacket", "coat", "beanie", "turtleneck"}
_WARM_WORDS = {"sandals", "shorts", "sun hat", "tank top"}


def _warmth(category: str) -> int:
    """1 for what tells of cold, -1 for what tells of heat, 0 for the rest."""
    return (category in _COLD_WORDS) - (category in _WARM_WORDS)


@dataclass(frozen=True)
class Context:
    """A wish with everything unsaid filled in."""

    wish: Wish
    season: dict[Season, float]
    temperature_c: float
    occasion: Occasion
    formality: float
    clo: tuple[float, float]
    assumptions: tuple[str, ...]
    coatless: bool = False
    """Whether the weather may do without the coat that it calls for, where money does not reach."""

    @property
    def seasons_allowed(self) -> set[Season]:
        """Seasons a card may be for: those wished, and those the temperature means."""
        allowed: set[Season] = {s for s, w in self.season.items() if w >= 0.1}
        if self.wish.temperature_c is not None:
            allowed |= {s for s, w in season_at(self.temperature_c).items() if w >= 0.1}
        return allowed

    def easier(self, **change: Any) -> Context:
        """The same with parts of the wish changed, nothing read anew."""
        return replace(self, wish=self.wish.model_copy(update=change))


def read_wish(wish: Wish) -> Context:
    """Fill in what the wish leaves open; each guess is an assumption to be said aloud."""
    assumptions: list[str] = []
    season, temperature = dict(wish.season), wish.temperature_c
    occasion = OCCASIONS[wish.occasion or "everyday"]
    sure = [p for p in wish.want if len({_warmth(c) for c in p.categories}) == 1]
    wanted = {c for p in sure for c in p.categories}
    if not season and temperature is not None:
        season = season_at(temperature)
    elif not season:
        if "snow" in wish.weather:
            season = {"winter": 1.0}
        elif occasion.name == "beach" or "sun" in wish.weather:
            season = {"summer": 1.0}
        elif wanted & _COLD_WORDS and not wanted & _WARM_WORDS:
            season = {"winter": 1.0}
        elif wanted & _WARM_WORDS and not wanted & _COLD_WORDS:
            season = {"summer": 1.0}
        else:
            season = {"spring-autumn": 1.0}
        name = next(iter(season)).replace("-", " or ")
        assumptions.append(f"you did not say when, so I dressed for {name}")
    if temperature is None:
        temperature = temperature_of(season)
        if "snow" in wish.weather:
            temperature = min(temperature, 0.0)
        assumptions.append(f"about {temperature:g} °C outside")
    else:
        meant = season_at(temperature)
        if not set(meant) & {s for s, w in season.items() if w >= 0.1}:
            names = " and ".join(s.replace("-", " or ") for s in season)
            assumptions.append(
                f"{names} at {temperature:g} °C is unusual: I dressed for the temperature"
            )
    if not wish.occasion:
        assumptions.append("for every day")
    formality = occasion.formality if wish.formality is None else wish.formality
    return Context(
        wish=wish,
        season=season,
        temperature_c=temperature,
        occasion=occasion,
        formality=formality,
        clo=needed_clo(temperature, occasion.met, wish.warmer),
        assumptions=tuple(assumptions),
    )
