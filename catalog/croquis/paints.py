"""Paints of a piece of clothing: colours in between, pens and brushes."""

from __future__ import annotations

from functools import lru_cache

import skia

from catalog.croquis.palette import hex_to_rgb, rgb_to_hex, srgb_to_lab

INK = "#241c28"


@lru_cache(4096)
def mix(a: str, b: str, share: float) -> str:
    """``share`` of ``b`` in ``a``, sRGB."""
    return rgb_to_hex(hex_to_rgb(a) * (1.0 - share) + hex_to_rgb(b) * share)


@lru_cache(4096)
def lightness(color: str) -> float:
    """CIELAB lightness of ``#rrggbb``, 0–100."""
    return float(srgb_to_lab(hex_to_rgb(color))[0])


@lru_cache(4096)
def color4(color: str, alpha: float = 1.0) -> int:
    """``#rrggbb`` and opacity as a skia colour."""
    r, g, b = (int(v) for v in hex_to_rgb(color))
    return skia.ColorSetARGB(round(255 * alpha), r, g, b)


@lru_cache(4096)
def pen(color: str, width: float = 1.0, alpha: float = 1.0) -> skia.Paint:
    """A round pen; paints are shared, so never change one."""
    return skia.Paint(
        Color=color4(color, alpha),
        AntiAlias=True,
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=width,
        StrokeCap=skia.Paint.kRound_Cap,
        StrokeJoin=skia.Paint.kRound_Join,
    )


@lru_cache(4096)
def brush(color: str, alpha: float = 1.0) -> skia.Paint:
    """A flat fill; paints are shared, so never change one."""
    return skia.Paint(Color=color4(color, alpha), AntiAlias=True)


@lru_cache(4096)
def contour_color(ground: str) -> str:
    """The ink around a garment: never pure black, a little of the garment's own colour."""
    return mix(INK, ground, 0.16)


@lru_cache(4096)
def detail_color(ground: str) -> str:
    """Lines inside a garment: darker than the cloth, lighter on nearly black cloth."""
    light = lightness(ground)
    if light < 34:
        return mix(ground, "#ffffff", 0.38)
    return mix(ground, INK, 0.62)
