"""Warmth: what an outfit insulates, what the weather asks for, and what it forbids.

Figures come from pythermalcomfort 4.8.1 (a test recomputes them); they are kept here as a table
because importing that library costs seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from catalog.garment import Season

DEFAULT_TEMPERATURE: dict[Season, float] = {"winter": 2.0, "spring-autumn": 14.0, "summer": 26.0}
"""°C taken when only the season was said: mid-latitude daytime."""

_T = np.arange(-20.0, 41.0, 5.0)
_COMFORT: dict[float, tuple[tuple[float, ...], tuple[float, ...]]] = {
    2.6: (
        (3.29, 2.87, 2.47, 2.07, 1.67, 1.29, 0.92, 0.56, 0.19, 0, 0, 0, 0),
        (4.0, 4.0, 4.0, 3.59, 2.94, 2.3, 1.7, 1.12, 0.58, 0.04, 0, 0, 0),
    ),
    3.4: (
        (2.49, 2.15, 1.82, 1.49, 1.18, 0.87, 0.57, 0.27, 0, 0, 0, 0, 0),
        (3.95, 3.42, 2.91, 2.41, 1.94, 1.47, 1.03, 0.61, 0.19, 0, 0, 0, 0),
    ),
}
"""met → clo at PMV -0.5 and +0.5 (ISO 7730; air = radiant temperature _T, 0.4 m/s, 50 % rh)."""
_USUAL = (1.0, 1.0, 1.0, 1.0, 0.82, 0.64, 0.59, 0.55, 0.51, 0.47, 0.46, 0.46, 0.46)
"""clo people wear at _T °C outside (ASHRAE 55 figure 5-1, ``clo_tout``)."""
_LEAST = 0.45
"""clo of light summer clothes: nobody is asked to wear less."""
_MOST = 1.55
"""clo that everyday clothes can reach; colder weather asks for as much as there is."""


def ensemble_clo(pieces: Iterable[float]) -> float:
    """Insulation of garments worn together, clo: 0.161 + 0.835 Σ (ISO 9920, section 4.3)."""
    values = list(pieces)
    return round(0.161 + 0.835 * sum(values), 3) if values else 0.0


def needed_clo(temperature_c: float, met: float = 2.6, shift: float = 0.0) -> tuple[float, float]:
    """The comfortable range of clo at ``temperature_c`` outside and activity ``met``.

    ``shift`` clo is added for somebody who wants it warmer or cooler.
    """
    low, high = _COMFORT[3.4 if met >= 3.0 else 2.6]
    lo = min(max(float(np.interp(temperature_c, _T, low)), _LEAST - 0.2), _MOST) + shift
    hi = max(float(np.interp(temperature_c, _T, high)), _LEAST) + shift
    return max(lo, 0.0), max(hi, lo + 0.1, 0.1)


def least_clo(temperature_c: float) -> float:
    """Below this an outfit is too cold to be sent out in, clo; 0 when it is warm outside."""
    if temperature_c >= 15:
        return 0.0
    return float(np.interp(temperature_c, _T, _USUAL)) - 0.15


def most_clo(temperature_c: float) -> float:
    """Above this an outfit is too hot, clo: the comfortable upper end plus half a clo."""
    high = float(np.interp(temperature_c, _T, _COMFORT[2.6][1]))
    return max(high + 0.5, 0.95)


def temperature_of(season: Mapping[Any, float]) -> float:
    """The temperature taken for season weights that sum to 1, °C."""
    return round(sum(DEFAULT_TEMPERATURE[s] * w for s, w in season.items()), 1)


def season_at(temperature_c: float) -> dict[Season, float]:
    """Season weights for a temperature: pure up to 5 °C, at 14 °C and from 24 °C, mixed between."""
    knots = (5.0, 11.0, 17.0, 23.0)
    winter = float(np.interp(temperature_c, knots[:2], (1, 0)))
    summer = float(np.interp(temperature_c, knots[2:], (0, 1)))
    weights: dict[Season, float] = {
        "spring-autumn": 1 - winter - summer,
        "summer": summer,
        "winter": winter,
    }
    return {s: round(w, 3) for s, w in weights.items() if w > 0.001}


_NEVER_BELOW: dict[str, float] = {
    "sandals": 15, "shorts": 14, "tank top": 10, "mini skirt": 0, "ballet flats": 4,
    "sun hat": 14, "mini dress": 0, "heels": -3, "maxi dress": -5,
}  # fmt: skip
_NEVER_ABOVE: dict[str, float] = {
    "puffer jacket": 15, "coat": 19, "beanie": 17, "boots": 29, "sweater": 25, "turtleneck": 22,
    "hoodie": 26, "leather jacket": 23, "trench coat": 23, "scarf": 22, "cardigan": 26,
    "denim jacket": 27, "leggings": 32, "raincoat": 27, "rain boots": 27,
}  # fmt: skip
_WET = {"sandals", "ballet flats", "sun hat"}
_SNOW = {"sandals", "ballet flats", "heels", "sun hat", "shorts", "tank top"}
_WET_MATERIALS = {"suede", "canvas"}


def veto(
    category: str, material: str, temperature_c: float, weather: Iterable[str], met: float = 2.6
) -> str:
    """Why a piece must not be worn in this weather, or ``""``.

    The limits are this house's own; sport shifts the cold ones by 8 °C, silk scarves are for any
    weather.
    """
    sky = set(weather)
    t = round(temperature_c)
    slack = 8 if met >= 3.0 else 0
    if category == "scarf" and material == "silk":
        return ""
    if temperature_c < _NEVER_BELOW.get(category, -99) - slack:
        return f"{category}: too cold for that at {t} °C"
    if temperature_c > _NEVER_ABOVE.get(category, 99):
        return f"{category}: too warm for that at {t} °C"
    if "snow" in sky and category in _SNOW:
        return f"{category}: not in snow"
    if "rain" in sky and category in _WET:
        return f"{category}: not in the rain"
    shoes = category in ("sneakers", "boots", "heels", "loafers")
    if "rain" in sky and shoes and material in _WET_MATERIALS:
        return f"{material} {category}: not in the rain"
    return ""
