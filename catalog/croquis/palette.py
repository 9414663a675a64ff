"""Colour words, the shades each covers, and the shades base training never draws."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

COLORS: dict[str, tuple[str, ...]] = {
    "white": ("#f7f7f5", "#fbfbfd"),
    "cream": ("#f1e7cf", "#ece0c4"),
    "beige": ("#d8c3a0", "#cdb592"),
    "camel": ("#b98a55", "#c2955f"),
    "brown": ("#6f4528", "#5a3a25", "#7d5433"),
    "black": ("#17171a", "#222226"),
    "charcoal": ("#3f4247", "#4a4b50"),
    "grey": ("#8e9196", "#a9abaf"),
    "navy": ("#1c2a4d", "#24335c"),
    "blue": ("#2f5fb3", "#3b74c9"),
    "light blue": ("#9cc3e6", "#85b4dd"),
    "teal": ("#1f7a78", "#14686b"),
    "turquoise": ("#3fc1bd", "#55cfc4"),
    "green": ("#2f8a4a", "#3b9c57"),
    "dark green": ("#1f4a33", "#27543a"),
    "olive": ("#6d6b35", "#7c7a42"),
    "mint": ("#abdcc0", "#bfe6cf"),
    "yellow": ("#f2d23c", "#f6dc5f"),
    "mustard": ("#c9982a", "#d0a238"),
    "orange": ("#e6772a", "#ec8636"),
    "coral": ("#ee7b66", "#f18d78"),
    "red": ("#c8242c", "#d63a3a"),
    "burgundy": ("#6d1a2d", "#7a2337"),
    "pink": ("#f0a3b7", "#e98aa5"),
    "magenta": ("#c22c7c", "#d14490"),
    "purple": ("#6b3d92", "#7a4aa5"),
    "lavender": ("#b9a4dc", "#c6b3e6"),
}
"""Colour word → anchor shades, sRGB. A word covers what lies nearest to its anchors."""

CELL = 10.0
"""Edge of the CIELAB lattice cell by which shades are held out."""


def srgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB 0–255 ``(..., 3)`` → CIELAB (D65) ``(..., 3)``, float64."""
    c = np.asarray(rgb, dtype=np.float64) / 255.0
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _RGB_TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1
    )


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """CIELAB ``(..., 3)`` → sRGB 0–255 float, not clipped."""
    lab = np.asarray(lab, dtype=np.float64)
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], -1)
    xyz = np.where(f > 0.206893, f**3, (f - 16 / 116) / 7.787) * _WHITE
    linear = xyz @ _XYZ_TO_RGB.T
    c = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    )
    return c * 255.0


def hex_to_rgb(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)


def rgb_to_hex(rgb: np.ndarray) -> str:
    r, g, b = np.clip(np.round(np.asarray(rgb, dtype=np.float64)), 0, 255).astype(int)
    return f"#{r:02x}{g:02x}{b:02x}"


@lru_cache(65536)
def color_word(color: str) -> str:
    """The word whose anchor lies nearest to ``#rrggbb`` (CIEDE2000)."""
    lab = srgb_to_lab(hex_to_rgb(color))
    return _WORDS[int(np.argmin(delta_e(lab[None], _ANCHORS)))]


def held_out(color: str) -> bool:
    """Whether base training must never draw ``#rrggbb``: one lattice cell in five."""
    return bool(_cell_held_out(np.floor(srgb_to_lab(hex_to_rgb(color)) / CELL).astype(int)))


def nearest_held_out(color: str) -> str:
    """The held-out shade closest to ``#rrggbb`` that is still of the same colour word."""
    lab, word = srgb_to_lab(hex_to_rgb(color)), color_word(color)
    home = np.floor(lab / CELL).astype(int)
    reach = np.arange(-3, 4)
    cells = home + np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), -1).reshape(-1, 3)
    cells = cells[_cell_held_out(cells)]
    # a point well inside each cell, as near to the wanted shade as the margin allows
    shades = np.clip(lab, (cells + 0.25) * CELL, (cells + 0.75) * CELL)
    rgb = lab_to_srgb(shades)
    real = np.asarray(((rgb >= 0) & (rgb <= 255)).all(-1))
    for i in np.argsort(delta_e(lab[None], shades) + 1e6 * ~real):
        shade = rgb_to_hex(rgb[i])
        if real[i] and held_out(shade) and color_word(shade) == word:
            return shade
    raise ValueError(f"no held-out shade of {word} near {color}")


def training_shade(word: str, rng: np.random.Generator) -> str:
    """A shade of ``word`` that base training may draw, deterministic in ``rng``."""
    while True:
        anchor = srgb_to_lab(hex_to_rgb(COLORS[word][rng.integers(len(COLORS[word]))]))
        rgb = lab_to_srgb(anchor + rng.normal(0, (4.0, 3.5, 3.5)))
        if not ((rgb >= 0) & (rgb <= 255)).all():
            continue
        shade = rgb_to_hex(rgb)
        if not held_out(shade) and color_word(shade) == word:
            return shade


def delta_e(lab1: np.ndarray, lab2: np.ndarray) -> np.ndarray:
    """CIEDE2000 between Lab arrays that broadcast. Source: CIE 142:2001 (Sharma et al. 2005)."""
    l1, a1, b1 = np.moveaxis(np.asarray(lab1, dtype=np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(lab2, dtype=np.float64), -1, 0)
    cm = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(cm**7 / (cm**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    dl, dc = l2 - l1, c2 - c1
    dh = h2 - h1
    dh = np.where(dh > np.pi, dh - 2 * np.pi, np.where(dh < -np.pi, dh + 2 * np.pi, dh))
    dh = np.where(c1 * c2 == 0, 0, dh)
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(dh / 2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = np.where(np.abs(h1 - h2) > np.pi, (h1 + h2 + 2 * np.pi) / 2, (h1 + h2) / 2)
    hm = np.where(c1 * c2 == 0, h1 + h2, hm)
    t = (
        1
        - 0.17 * np.cos(hm - np.pi / 6)
        + 0.24 * np.cos(2 * hm)
        + 0.32 * np.cos(3 * hm + np.pi / 30)
        - 0.20 * np.cos(4 * hm - np.radians(63))
    )
    rt = -np.sin(2 * np.radians(30) * np.exp(-(((np.degrees(hm) - 275) / 25) ** 2)))
    rt = rt * 2 * np.sqrt(cm**7 / (cm**7 + 25.0**7))
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    return np.sqrt(
        (dl / sl) ** 2 + (dc / sc) ** 2 + (d_hue / sh) ** 2 + rt * (dc / sc) * (d_hue / sh)
    )


def _cell_held_out(cells: np.ndarray) -> np.ndarray:
    return (cells[..., 0] + 2 * cells[..., 1] + 3 * cells[..., 2]) % 5 == 0


_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_WORDS = [word for word, shades in COLORS.items() for _ in shades]
_ANCHORS = srgb_to_lab(np.array([hex_to_rgb(s) for shades in COLORS.values() for s in shades]))
