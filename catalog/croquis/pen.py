"""Pen and wash: smooth outlines, ink lines that swell and taper, and the colours of a person."""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
import skia

from catalog.croquis.figure import HAIR_COLORS, SKINS, Figure, Person
from catalog.croquis.palette import hex_to_rgb
from catalog.croquis.sheet import Sheet

INK = (43, 30, 33)
_SHADE = np.array([-1.0, 1.0])
_FORMAT = 5
"""Of skia's stored paths."""


@lru_cache(maxsize=512)
def _weights(n: int, closed: bool, steps: int) -> np.ndarray:
    """The matrix that takes ``n`` control points to a dense Catmull–Rom polyline."""
    u = np.arange(steps) / steps
    basis = (
        -0.5 * u + u**2 - 0.5 * u**3, 1 - 2.5 * u**2 + 1.5 * u**3,
        0.5 * u + 2 * u**2 - 1.5 * u**3, -0.5 * u**2 + 0.5 * u**3,
    )  # fmt: skip
    spans = n if closed else n - 1
    matrix = np.zeros((spans * steps + (not closed), n))
    for span in range(spans):
        for k, column in enumerate(basis):
            i = (span + k - 1) % n if closed else min(max(span + k - 1, 0), n - 1)
            matrix[span * steps : (span + 1) * steps, i] += column
    if not closed:
        matrix[-1, -1] = 1
    return matrix


def curve(points, *, closed: bool = False, steps: int = 4) -> np.ndarray:
    """Dense smooth polyline through ``points``, ``steps`` points a span."""
    p = np.asarray(points, float)
    return _weights(len(p), closed, steps) @ p


def polygon(points: np.ndarray, *, closed: bool = True) -> skia.Path:
    """A path along dense ``points`` ``(n, 2)``."""
    return polygons(points[None], closed=closed)


def polygons(rings: np.ndarray, *, closed: bool = True) -> skia.Path:
    """One path along each of ``rings`` ``(k, n, 2)``.

    In the form in which skia stores a path, which it reads five times as fast as it takes points
    one by one.
    """
    head, verbs = _stored(*rings.shape[:2], closed)
    path = skia.Path()
    path.readFromMemory(b"".join((head, rings.astype("<f4").tobytes(), verbs)))
    return path


@lru_cache(maxsize=4096)
def _stored(count: int, length: int, closed: bool) -> tuple[bytes, bytes]:
    """What stands before and after the points of ``count`` rings of ``length`` points."""
    move, line, close = 0, 1, 5
    verbs = bytes([move] + [line] * (length - 1) + [close] * closed) * count
    head = struct.pack("<4i", _FORMAT, count * length, 0, len(verbs))
    return head, verbs + bytes(-len(verbs) % 4)


def wash(rgb, alpha: float = 1.0) -> skia.Paint:
    """A flat colour; paints are shared, so never change one."""
    r, g, b = rgb
    return _paint(int(r), int(g), int(b), int(255 * alpha))


@lru_cache(maxsize=4096)
def _paint(r: int, g: int, b: int, alpha: int) -> skia.Paint:
    r, g, b = (min(max(c, 0), 255) for c in (r, g, b))
    return skia.Paint(Color=skia.Color(r, g, b, alpha), AntiAlias=True)


@lru_cache(maxsize=512)
def _pressure(n: int, taper: float, width: float) -> np.ndarray:
    """Half of a pen's width along a stroke of ``n`` points, to its left and to its right."""
    half = 0.5 * (1 - taper + taper * np.sin(np.linspace(0, np.pi, n)) ** 0.6) * width
    return half[:, None] * _SHADE


@lru_cache(maxsize=64)
def swell(n: int) -> np.ndarray:
    """How deep a shadow band reaches along ``n`` points: thin at both ends."""
    return (0.12 + 0.88 * np.sin(np.linspace(0, np.pi, n)) ** 0.8)[:, None]


def ink(sheet: Sheet, line: np.ndarray, width: float = 1.0, *, rgb=INK, alpha: float = 0.92,
         taper: float = 0.75, outside: float = 0.0) -> None:  # fmt: skip
    """A pen line along ``line`` that thins at its ends (``taper``).

    ``outside`` +1 / -1 tells on which hand (seen along the line) the outside lies; there the
    line swells where the outside faces away from the light.
    """
    inks(sheet, line[None], width, rgb=rgb, alpha=alpha, taper=taper, outside=outside)


def inks(sheet: Sheet, lines: np.ndarray, width: float, *, rgb=INK, alpha: float = 0.92,
          taper: float = 0.75, outside: float = 0.0) -> None:  # fmt: skip
    """``ink`` for many lines ``(k, n, 2)`` at once: one path, which is what makes it cheap."""
    if not sheet.draws_picture:
        return
    count, length, _ = lines.shape
    tangent = np.empty((count, length, 2))
    np.subtract(lines[:, 2:], lines[:, :-2], out=tangent[:, 1:-1])
    np.subtract(lines[:, 1], lines[:, 0], out=tangent[:, 0])
    np.subtract(lines[:, -1], lines[:, -2], out=tangent[:, -1])
    tangent /= np.hypot(tangent[..., 0], tangent[..., 1])[..., None] + 1e-9
    offset = tangent[..., ::-1] * _pressure(length, taper, width)
    if outside:
        normal = tangent[..., ::-1] * _SHADE
        offset *= (0.95 + 0.32 * outside * (normal[..., 0] + normal[..., 1]))[..., None]
    rings = np.empty((count, 2 * length, 2))
    np.add(lines, offset, out=rings[:, :length])
    np.subtract(lines, offset, out=rings[:, : length - 1 : -1])
    path = polygons(rings)
    sheet.paint(lambda c: c.drawPath(path, wash(rgb, alpha)))


def mix(a, b, t: float) -> np.ndarray:
    """``a`` to ``b`` by share ``t``, for colours and points."""
    return np.asarray(a, float) * (1 - t) + np.asarray(b, float) * t


def lerp(a: float, b: float, t: float) -> float:
    """``a`` to ``b`` by share ``t``, for numbers."""
    return a + (b - a) * t


def unit(v: np.ndarray) -> np.ndarray:
    """``v`` at length 1."""
    return v / (np.hypot(*v) + 1e-9)


@lru_cache(maxsize=4096)
def traits(person: Person) -> dict:
    """What the words leave open, drawn once from the seed, and the colours."""
    rng = np.random.default_rng(person.seed)
    skin = hex_to_rgb(SKINS[person.skin]) + rng.normal(0, 2.5) + rng.normal(0, 0.8, 3)
    hair = hex_to_rgb(HAIR_COLORS[person.hair_color]) + rng.normal(0, 3.0) + rng.normal(0, 1.0, 3)
    deep = float(skin.mean()) < 130
    man = person.presentation == "man"
    soft = 0.5 if person.presentation == "person" else float(man)
    return dict(
        skin=skin,
        shadow=skin * ((0.80, 0.72, 0.70) if not deep else (0.76, 0.70, 0.72)),
        light=mix(skin, (255, 244, 230), 0.38 if not deep else 0.22),
        lips=mix(skin, (176, 52, 62), (0.55 - 0.33 * soft) if not deep else 0.32),
        blush=mix(skin, (226, 92, 88), 0.55),
        hair=hair,
        hair_dark=hair * 0.66,
        hair_light=mix(hair, (255, 236, 214), 0.30)
        if person.hair_color != "black"
        else np.array([92.0, 88.0, 104.0]),
        line=mix(skin * 0.45, INK, 0.35),
        part=float(rng.choice([-1, 1])) * rng.uniform(0.12, 0.42),
        fringe=bool(rng.random() < 0.35),
        fall=float(rng.choice([-1, 1])),
        length=float(rng.uniform(-1, 1)),
        wave=float(rng.uniform(0, 1)),
        beard=("none", "none", "stubble", "beard")[int(rng.integers(4))] if man else "none",
        iris=((74, 48, 34), (52, 38, 32), (70, 92, 74), (74, 98, 122))[
            int(rng.integers(4)) if not deep else int(rng.integers(2))
        ],
        smile=float(rng.uniform(0, 1)),
        manly=soft,
        bumps=rng.uniform(0, 1, 24),
    )


class HeadFrame:
    """The head's own coordinates: x, y in half-widths and half-heights, upright."""

    def __init__(self, fig: Figure) -> None:
        angle = np.radians(fig.head_tilt)
        c, s = np.cos(angle), np.sin(angle)
        wide, tall = fig.head_size
        self.rows = np.array([[c * wide, s * wide], [-s * tall, c * tall]])
        self.at = fig.head
        self.turn = float(np.clip(fig.pose.turn, -0.8, 0.8))

    def __call__(self, points) -> np.ndarray:
        """Head units to world units."""
        return np.asarray(points, float) @ self.rows + self.at

    def curve(self, points, *, closed: bool = False, steps: int = 4) -> np.ndarray:
        """A smooth line given in head units, in world units."""
        return self(curve(points, closed=closed, steps=steps))
