"""Hair in every style of ``HAIR``: what lies behind the shoulders and what lies over the head."""

from __future__ import annotations

import numpy as np

from catalog.croquis.figure import Figure
from catalog.croquis.pen import (
    HeadFrame,
    curve,
    ink,
    inks,
    lerp,
    mix,
    polygon,
    traits,
    wash,
)
from catalog.croquis.sheet import HAIR, Sheet


def _mass(sheet: Sheet, look: dict, outline: np.ndarray, strands=(), *, dark: bool = False,
          shade: np.ndarray | None = None, rgb=None) -> None:  # fmt: skip
    """A body of hair: flat wash, shadow side, strands, and its contour."""
    path = polygon(outline)
    base = (
        rgb
        if rgb is not None
        else (mix(look["hair"], look["hair_dark"], 0.65) if dark else look["hair"])
    )
    sheet.fill(path, HAIR, wash(base))
    if not sheet.draws_picture:
        return
    with sheet.clipped(path):
        if shade is not None:
            sheet.paint(lambda c: c.drawPath(polygon(shade), wash(look["hair_dark"], 0.6)))
        if len(strands):
            lines = np.asarray(strands)
            inks(sheet, lines[1::2], 0.9, taper=0.9, alpha=0.75, rgb=look["hair_dark"] * 0.8)
            if not dark:
                inks(sheet, lines[::2], 1.3, taper=0.9, alpha=0.75, rgb=look["hair_light"])
    closed = np.vstack([outline, outline[:1]])
    area = np.sum(closed[:-1, 0] * closed[1:, 1] - closed[1:, 0] * closed[:-1, 1])
    ink(sheet, closed, 1.1, outside=-1 if area > 0 else 1, taper=0.2)


def _bumpy(points: np.ndarray, look: dict, depth: float, count: int) -> np.ndarray:
    """A closed outline with ``count`` scallops, uneven by the seed, about its middle."""
    dense = curve(points, closed=True)
    steps = np.r_[0, np.cumsum(np.hypot(*np.diff(dense, axis=0).T))]
    at = np.linspace(0, steps[-1], count * 6, endpoint=False)
    line = np.stack([np.interp(at, steps, dense[:, k]) for k in (0, 1)], 1)
    middle = line.mean(0)
    phase = np.linspace(0, count, count * 6, endpoint=False)
    size = np.take(look["bumps"], phase.astype(int) % 24)
    bulge = depth * (0.5 + size) * np.abs(np.sin(np.pi * phase)) ** 0.7
    return line + (line - middle) / np.hypot(*(line - middle).T)[:, None] * bulge[:, None]


def hair_behind(sheet: Sheet, fig: Figure, *, covered: bool = False) -> None:
    """Hair behind neck and shoulders; ``covered``: under a hat, nothing rises over the crown."""
    look, at, style = traits(fig.person), HeadFrame(fig), fig.person.hair
    t = -at.turn * 0.15
    top = -0.2 if covered else -1.02
    if style == "long":
        low = 3.0 + 0.7 * look["length"]
        w = 0.10 * look["wave"]
        points = [
            (-0.7, top),
            (-1.12, -0.3),
            (-1.20, 0.5),
            (-1.26 - w, 1.3),
            (-1.34 + w, 2.1),
            (-1.22 - w, low - 0.25),
            (-0.7, low),
            (0.0, low - 0.12),
            (0.7, low),
            (1.22 + w, low - 0.25),
            (1.34 - w, 2.1),
            (1.26 + w, 1.3),
            (1.20, 0.5),
            (1.12, -0.3),
            (0.7, top),
        ]
        strands = [
            at.curve([(x * 0.9, 0.4), (x * 1.05, 1.4), (x, low - 0.2)])
            for x in (-1.1, -0.85, 0.85, 1.1)
        ]
        _mass(sheet, look, at.curve(np.array(points) + (t, 0), closed=True), strands, dark=True)
    elif style == "bob":
        low = 1.12 + 0.22 * look["length"]
        points = [
            (-0.7, top),
            (-1.15, -0.3),
            (-1.25, 0.5),
            (-1.24, low),
            (-0.6, low + 0.06),
            (0.6, low + 0.06),
            (1.24, low),
            (1.25, 0.5),
            (1.15, -0.3),
            (0.7, top),
        ]
        _mass(sheet, look, at.curve(np.array(points) + (t, 0), closed=True), dark=True)
    elif style == "bun":
        y, x = (0.78, 0.55 * look["fall"]) if covered else (-1.38, t * 1.5)
        r = 0.56 if covered else 0.60
        ring = np.array([(np.cos(a), np.sin(a) * 0.72) for a in np.linspace(0, 2 * np.pi, 12)[:-1]])
        strands = [
            at.curve([(x - 0.4, y + 0.1), (x - 0.1, y - 0.3), (x + 0.35, y - 0.15)]),
            at.curve([(x - 0.3, y + 0.25), (x + 0.1, y + 0.05), (x + 0.4, y + 0.15)]),
        ]
        _mass(sheet, look, at.curve(ring * r + (x, y), closed=True), strands)
    elif style == "ponytail":
        f = look["fall"]
        low = 2.1 + 0.6 * look["length"]
        y = 0.2 if covered else -0.75
        points = [
            (f * 0.5, y - 0.2),
            (f * 1.15, y - 0.15),
            (f * 1.50, y + 0.5),
            (f * 1.55, 1.0),
            (f * 1.42, 1.6),
            (f * 1.50, low),
            (f * 1.15, low - 0.25),
            (f * 1.0, 1.4),
            (f * 0.95, 0.6),
            (f * 0.6, 0.3),
        ]
        strands = [
            at.curve([(f * 0.8, y), (f * 1.3, 0.3), (f * 1.25, 1.3), (f * 1.4, low)]),
            at.curve([(f * 0.8, y), (f * 1.15, 0.5), (f * 1.12, 1.2), (f * 1.25, low)]),
        ]
        _mass(sheet, look, at.curve(np.array(points) + (t, 0), closed=True), strands)
    elif style in ("curly", "afro"):
        afro = style == "afro"
        wide, low = (1.72, 0.75) if afro else (1.48, 1.35 + 0.35 * look["length"])
        high = top if covered else (-1.62 if afro else -1.32)
        points = [
            (-0.9, high * 0.86),
            (-wide, -0.35),
            (-wide * 0.98, low * 0.6),
            (-wide * 0.75, low),
            (0, low * 0.9),
            (wide * 0.75, low),
            (wide * 0.98, low * 0.6),
            (wide, -0.35),
            (0.9, high * 0.86),
            (0, high),
        ]
        outline = at(_bumpy(np.array(points) + (t, 0), look, 0.09, 20 if afro else 17))
        _mass(sheet, look, outline, dark=True)


def hair_front(sheet: Sheet, fig: Figure, *, covered: bool = False) -> None:
    """The hair over the head; ``covered`` leaves only what shows beneath a hat."""
    look, at, style = traits(fig.person), HeadFrame(fig), fig.person.hair
    _cap(sheet, fig, look, at, style, covered)


def _cap(sheet, fig, look, at, style, covered) -> None:
    man, older = look["manly"] >= 1, fig.person.age == "older"
    lead = float(np.sign(look["part"]))  # the side the parting lies on
    p = look["part"] * (0.6 if style in ("bun", "ponytail") else 1.0) + at.turn * 0.25
    high = -0.66 - 0.05 * man - 0.07 * (older and man)
    fringe = look["fringe"] and style in ("bob", "long", "short")
    if style == "afro":
        side, rise, wide, end = [(-1.50, 0.20), (-1.62, -0.25)], 1.62, 1.40, 0.30
    elif style == "curly":
        side, rise, wide, end = [(-1.32, 0.75), (-1.36, 0.1)], 1.34, 1.22, 1.00
    elif style == "bob":
        end = 1.0 + 0.2 * look["length"]
        side, rise, wide = [(-1.17, end * 0.72), (-1.14, 0.15)], 1.14, 1.08
    elif style == "long":
        end = 1.5
        side, rise, wide = [(-1.20, 1.0), (-1.14, 0.2)], 1.14, 1.08
    elif style == "short":
        side, rise, wide, end = [(-1.03, -0.05)], 1.24, 1.06, 0.20
    else:
        side, rise, wide, end = [(-0.99, -0.08)], 1.06, 0.985, 0.10
    long_sides = style in ("bob", "long", "curly")
    face = 0.74 if long_sides else (1.02 if style == "afro" else 0.90)
    temple = 0.82
    left = [(-lerp(face, 1.0, 0.5), end), *side, (-wide, -0.48), (-wide * 0.70, -rise * 0.83)]
    right = [(-x, y) for x, y in left[::-1]]
    if style == "long":  # one lock falls in front of a shoulder
        low = 2.35 + 0.5 * look["length"]
        lock = [(1.04, low), (1.24, low - 0.5), (1.22, 1.25)]
        k = -1 if look["fall"] < 0 else 1
        if k < 0:
            left[:2] = [(-x, y) for x, y in lock]
        else:
            right[-2:] = lock[::-1]
    tall = -rise
    outer = [*left, (-lead * 0.05, tall), *right]
    if style == "short":  # volume away from the parting
        outer[len(left)] = (-lead * 0.22, tall)
        outer[len(left) - 1 if lead > 0 else len(left) + 1] = (-lead * 0.84, -1.02)
    mid = end * 0.45 if long_sides else -0.02
    inner_r = [(face * 0.99, mid), (temple, -0.30)]
    inner_l = [(-temple, -0.30), (-face * 0.99, mid)]
    if style == "long":
        inner_r.insert(0, (face * 1.02, 1.1))
        inner_l.append((-face * 1.02, 1.1))
    if fringe:
        top = [(0.50, -0.25), (0.15, -0.29), (-0.15, -0.27), (-0.50, -0.25)]
    elif style == "short":  # swept across the forehead
        top = [
            (lead * 0.62, high + 0.10),
            (p, high - 0.10),
            (-lead * 0.10, high + 0.03),
            (-lead * 0.55, high + 0.22),
        ]
        top = top if lead > 0 else top[::-1]
    elif style in ("afro", "curly", "buzz"):
        top = [(0.58, high + 0.06), (0.0, high - 0.08), (-0.58, high + 0.06)]
    else:
        top = [
            (lerp(temple, p, 0.42), high + 0.13),
            (lerp(temple, p, 0.82), high - 0.06),
            (p, high - 0.16),
            (lerp(-temple, p, 0.82), high - 0.06),
            (lerp(-temple, p, 0.42), high + 0.13),
        ]
    line = [*inner_r, *top, *inner_l]
    if covered:
        outer = [(x, max(y, -0.40)) for x, y in outer]
        line = [(x, max(y, -0.36)) for x, y in line]
    a, b = curve(outer), curve([outer[-1], *line, outer[0]])
    strands = []
    if style in ("curly", "afro"):
        edge = _scallops(a, look, 0.075, 15)
        outline = np.vstack([edge, _scallops(b, look, 0.035, 11)])
        strands = _curls(at, look, rise, wide, covered) if sheet.draws_picture else []
    else:
        outline = np.vstack([a, b])
        if sheet.draws_picture and style != "buzz":
            strands = _strands(at, a, b, p, rise, fringe, len(left))
    rgb = mix(look["hair"], look["skin"], 0.28) if style == "buzz" else None
    shade = at(
        curve(
            [
                (0.50, -1.8),
                (0.66, -0.9),
                (0.92, -0.3),
                (1.0, 0.6),
                (1.05, 3.0),
                (2.4, 3),
                (2.4, -1.8),
            ],
            closed=True,
        )
    )
    if covered and not fringe:  # two separate locks: nothing lies across the forehead
        for s in (-1, 1):
            outer_part, inner_part = a[a[:, 0] * s > 0.66], b[b[:, 0] * s > 0.66]
            parts = [outer_part, inner_part] if s < 0 else [inner_part[::-1], outer_part[::-1]]
            part = np.vstack(parts)
            _mass(sheet, look, at(part), shade=shade if s > 0 else None, rgb=rgb)
        return
    _mass(sheet, look, at(outline), strands, shade=shade, rgb=rgb)


def _strands(at, a, b, p, rise, fringe, crown) -> list[np.ndarray]:
    """Combed lines from the parting, following the head's roundness down to the tips."""
    lines = []
    n = len(a) - 1
    root = np.array([p, -rise * 0.86])
    for f in (0.06, 0.12, 0.20, 0.29, 0.71, 0.80, 0.88, 0.94):
        tip = a[int(f * n)]
        other = b[int((1 - f) * (len(b) - 1))]
        tip = tip * 0.62 + other * 0.38
        reach = tip - root
        lines.append(
            at.curve(
                [
                    root + reach * (0.10, 0.02),
                    root + reach * (0.62, 0.22),
                    root + reach * (0.93, 0.58),
                    tip,
                ],
                steps=3,
            )
        )
    if fringe:
        for x in (-0.42, -0.14, 0.16, 0.44):
            lines.append(
                at.curve(
                    [
                        (p + (x - p) * 0.35, -rise * 0.80),
                        (x * 0.7, -0.74),
                        (x * 0.92, -0.52),
                        (x, -0.33),
                    ],
                    steps=3,
                )
            )
    return lines


def _curls(at, look, rise, wide, covered) -> list[np.ndarray]:
    """Little arcs over curly hair, placed by the seed."""
    arcs = []
    bumps = look["bumps"]
    for i in range(14):
        angle = np.pi * (i + 0.5) / 14 + 0.15 * (bumps[i] - 0.5)
        r = lerp(0.80, 0.98, float(bumps[(i + 5) % 24])) if i % 2 else 0.74
        x, y = -np.cos(angle) * wide * r, -np.sin(angle) * (rise - 0.1) * r - 0.05
        if covered and y < -0.3:
            continue
        q = 0.13
        arcs.append(
            at.curve(
                [
                    (x - q, y + q * 0.5),
                    (x - q * 0.3, y - q * 0.5),
                    (x + q * 0.7, y - q * 0.3),
                    (x + q * 0.8, y + q * 0.5),
                ],
                steps=3,
            )
        )
    return arcs


def _scallops(line: np.ndarray, look: dict, depth: float, count: int) -> np.ndarray:
    """``line`` (open) with ``count`` uneven bumps to its left hand, evenly spaced by length."""
    steps = np.r_[0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))]
    phase = np.linspace(0, count, count * 5 + 1)
    spot = phase / count * steps[-1]
    even = np.stack([np.interp(spot, steps, line[:, k]) for k in (0, 1)], 1)
    tangent = np.gradient(even, axis=0)
    tangent /= np.hypot(tangent[:, 0], tangent[:, 1])[:, None] + 1e-9
    size = np.take(look["bumps"], phase.astype(int) % 24)
    bulge = depth * (0.6 + 0.8 * size) * np.abs(np.sin(np.pi * phase)) ** 0.7
    return even + tangent[:, ::-1] * (1, -1) * bulge[:, None]
