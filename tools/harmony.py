"""Colour harmony and pattern mixing, as small pure functions over numpy arrays."""

from __future__ import annotations

import numpy as np

QUIET = frozenset(("plain", "pinstripes"))
"""Patterns that go with anything."""
BUSY = frozenset(("leopard", "camouflage", "floral", "plaid"))
"""Patterns of which one is enough."""


def harmony(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How well two colours go together, 0–1, for CIELAB arrays ``(..., 3)`` that broadcast.

    Two-colour harmony of Ou and Luo (Color Research and Application 31, 2006: 191–204), without
    its preference for light pairs (clothes of a dark season are dark), rescaled; near-neutral
    colours go with everything.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    ca, cb = np.hypot(a[..., 1], a[..., 2]), np.hypot(b[..., 1], b[..., 2])
    ha, hb = np.arctan2(a[..., 2], a[..., 1]), np.arctan2(b[..., 2], b[..., 1])
    d_hue = 2 * np.sqrt(ca * cb) * np.sin((ha - hb) / 2)
    chromatic = np.hypot(d_hue, (ca - cb) / 1.46)
    h_c = 0.04 + 0.53 * np.tanh(0.8 - 0.045 * chromatic)
    h_dl = 0.14 + 0.15 * np.tanh(-2 + 0.2 * np.abs(a[..., 0] - b[..., 0]))
    raw = h_c + h_dl + _hue_effect(a[..., 0], ca, ha) + _hue_effect(b[..., 0], cb, hb)
    score = np.clip((raw + 0.9) / 1.8, 0, 1)
    neutral = 1 / (1 + np.exp((np.minimum(ca, cb) - 14) / 3))
    # nearly the same but not quite looks like a mistake, unless neutral
    distance = np.sqrt(((a - b) ** 2).sum(-1))
    miss = np.exp(-(((distance - 12) / 5) ** 2)) * (1 - neutral) * 0.25
    return np.clip(score * (1 - neutral) + 0.82 * neutral - miss, 0, 1)


def _hue_effect(light: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    degrees = np.degrees(hue) % 360
    e_c = 0.5 + 0.5 * np.tanh(-2 + 0.5 * chroma)
    h_s = (
        -0.08
        - 0.14 * np.sin(np.radians(degrees + 50))
        - 0.07 * np.sin(np.radians(2 * degrees + 90))
    )
    x = np.clip((90 - degrees) / 10, -20, 5)
    e_y = (0.22 * light - 12.8) / 10 * np.exp(x - np.exp(x))
    return e_c * (h_s + e_y)


def loudness(pattern: str) -> float:
    """0 plain … 1 a print that wants to be the only one."""
    if pattern in QUIET:
        return 0.0 if pattern == "plain" else 0.3
    return 1.0 if pattern in BUSY else 0.7
