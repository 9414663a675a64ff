"""The drawn person: skin, head, face, hands and feet, in ink and flat wash (hair: ``hair.py``).

Every function draws on a ``Sheet`` from ``(person, pose)`` alone. Outlines are dense polylines in
world units; the ink along them swells on the lower right, because light falls from upper left.
"""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.figure import Figure
from catalog.croquis.hair import hair_behind, hair_front
from catalog.croquis.pen import (
    INK,
    HeadFrame,
    curve,
    ink,
    inks,
    lerp,
    mix,
    polygon,
    swell,
    traits,
    unit,
    wash,
)
from catalog.croquis.sheet import SKIN, Sheet

__all__ = [
    "arm", "foot", "foot_outline", "hair_behind", "hair_front", "hand", "head", "leg", "neck",
    "torso", "torso_outline",
]  # fmt: skip


def _sign(side: str) -> float:
    return -1.0 if side == "r" else 1.0


def _limb(spine: np.ndarray, one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both edges of a limb: ``spine`` offset to one hand by ``one``, to the other by ``two``."""
    tangent = np.gradient(spine, axis=0)
    tangent /= np.hypot(tangent[:, 0], tangent[:, 1])[:, None] + 1e-9
    normal = tangent[:, ::-1] * (1, -1)  # seen going down: to the viewer's right
    return spine - normal * two[:, None], spine + normal * one[:, None]


def _band(left: np.ndarray, right: np.ndarray, share: float) -> skia.Path:
    """The strip of shadow along the right edge, swelling in the middle of its length."""
    depth = share * swell(len(right))
    return polygon(np.vstack([right, (right * (1 - depth) + left * depth)[::-1]]))


# --- body --------------------------------------------------------------------------------------


def _leg_edges(fig: Figure, side: str) -> tuple[np.ndarray, np.ndarray]:
    (hip, knee, _, ankle), (thigh, knee_half, calf, ankle_half) = fig.leg(side)
    s = _sign(side)
    t = np.array([0, 0.18, 0.5, 0.82, 1.0])
    spine = np.vstack(
        [
            hip + (knee - hip) * t[:, None],
            knee + (ankle - knee) * np.array([[0.12], [0.32], [0.62], [0.88], [1.03]]),
        ]
    )
    spine[1:-1] = (spine[:-2] + 6 * spine[1:-1] + spine[2:]) / 8
    # muscles lie higher outside than inside: outline leans, which keeps legs from being tubes
    reach = max(fig.half["hip"] - abs(float(np.dot(hip - fig.mid_hip, (1, 0)))), thigh * 0.75)
    outer = np.array(
        [
            reach,
            min(max(thigh * 0.88, reach), reach * 1.08),
            thigh * 0.85,
            knee_half * 1.14,
            knee_half * 0.98,
            knee_half * 0.98,
            calf * 1.06,
            calf * 0.80,
            ankle_half * 1.05,
            ankle_half,
        ]
    )
    inner = np.array(
        [
            thigh * 0.98,
            thigh * 0.96,
            thigh * 0.80,
            knee_half * 1.12,
            knee_half * 1.02,
            knee_half * 0.94,
            calf * 0.98,
            calf * 0.74,
            ankle_half * 1.05,
            ankle_half,
        ]
    )
    one, two = (outer, inner) if s > 0 else (inner, outer)
    left, right = _limb(spine, one, two)
    return curve(left), curve(right)


def leg(sheet: Sheet, fig: Figure, side: str) -> None:
    """A bare leg, hip to ankle."""
    look = traits(fig.person)
    left, right = _leg_edges(fig, side)
    sheet.fill(polygon(np.vstack([left, right[::-1]])), SKIN, wash(look["skin"]))
    if not sheet.draws_picture:
        return
    shadow = _band(left, right, 0.34 if side == "l" else 0.42)
    sheet.paint(lambda c: c.drawPath(shadow, wash(look["shadow"], 0.75)))
    knee = fig.joint[f"{side}_knee"]
    w = fig.half["knee"]
    cap = curve([knee + (-w * 0.45, w * 0.25), knee + (0, w * 0.55), knee + (w * 0.5, w * 0.1)])
    ink(sheet, cap, 0.8, rgb=look["line"], alpha=0.5)
    ink(sheet, left, 1.0, outside=1, taper=0.3)
    ink(sheet, right, 1.2, outside=-1, taper=0.3)


def _foot_frame(fig: Figure, side: str):
    """Origin at the ankle, the way the foot points, and the way its outside lies."""
    s, h = _sign(side), fig.height
    ankle = fig.joint[f"{side}_ankle"]
    shin = unit(ankle - fig.joint[f"{side}_knee"])
    ahead = unit(0.25 * shin + (s * 0.30 + 0.35 * fig.pose.turn, 0.80))
    out = np.array([ahead[1], -ahead[0]]) * s
    return ankle, ahead * 0.052 * h, out * 0.045 * h


def foot_outline(fig: Figure, side: str) -> np.ndarray:
    """Closed outline ``(n, 2)`` of the bare foot from just above the ankle to the toes."""
    at, ahead, out = _foot_frame(fig, side)
    a = fig.half["ankle"] / (0.045 * fig.height)
    shape = np.array([
        (-0.16, -a), (0.08, -a * 1.04), (0.32, -a * 0.96), (0.58, -0.33), (0.78, -0.37),
        (0.95, -0.28), (1.02, -0.13), (0.99, 0.05), (0.90, 0.24), (0.76, 0.37), (0.58, 0.37),
        (0.34, a * 1.06), (0.12, a * 1.04), (-0.16, a),
    ])  # fmt: skip
    return curve(at + shape[:, :1] * ahead + shape[:, 1:] * out)


def foot(sheet: Sheet, fig: Figure, side: str) -> None:
    """A bare foot, toes hinted."""
    look = traits(fig.person)
    outline = foot_outline(fig, side)
    sheet.fill(polygon(outline), SKIN, wash(look["skin"]))
    if not sheet.draws_picture:
        return
    at, ahead, out = _foot_frame(fig, side)

    def spot(u: float, v: float) -> np.ndarray:
        return at + u * ahead + v * out

    n = len(outline)
    edge = outline[: n // 2 + 3] if side == "r" else outline[n // 2 - 3 :]
    inner = edge * 0.62 + spot(0.45, 0.0) * 0.38
    shade = polygon(np.vstack([edge, inner[::-1]]))
    sheet.paint(lambda c: c.drawPath(shade, wash(look["shadow"], 0.6)))
    toes = [
        [spot(u, v), spot(u + 0.07, v), spot(u + 0.13, v * 1.02)]
        for v, u in ((-0.08, 0.84), (0.06, 0.82), (0.17, 0.78), (0.27, 0.72))
    ]
    inks(sheet, np.array(toes), 0.7, rgb=look["line"], alpha=0.8, taper=0.2)
    ink(sheet, outline[4:-4], 1.1, outside=1 if side == "l" else -1, taper=0.3)


def _slope(fig: Figure, s: float, grow: float) -> np.ndarray:
    """Neck side → trapezius → shoulder top, for one side."""
    j, h = fig.joint, fig.height
    tag = "l" if s > 0 else "r"
    tip = j[f"{tag}_shoulder"]
    level = unit(j["l_shoulder"] - j["r_shoulder"])
    up = np.array([level[1], -level[0]])
    arm_half = fig.half["arm"]
    top = tip + up * (arm_half * 0.78 + grow)
    base = j["neck"] + s * level * (fig.half["neck"] * 1.02 + grow * 0.3) + up * 0.030 * h
    mid = base * 0.60 + top * 0.40 - up * 0.0070 * h
    near = tip + up * (arm_half * 0.25 + grow * 0.7) + s * level * (arm_half * 0.55 + grow * 0.8)
    return np.array([base, mid, top, near])


def torso_outline(fig: Figure, grow: float = 0.0, t0: float = 0.0, t1: float = 1.2) -> np.ndarray:
    """Closed outline ``(n, 2)`` of the torso: down the viewer's right, up the viewer's left.

    ``t`` as in ``Figure.torso``; ``t0=0`` starts at the neck, with the slope of the shoulders.
    """
    left, right = _torso_edges(fig, grow, t0, t1)
    return np.vstack([right, left[::-1]])


def _torso_edges(fig, grow, t0, t1):
    start = t0 if t0 > 0 else 0.20
    left, right = fig.torso_sides(np.linspace(start, t1, max(4, round((t1 - start) * 10))), grow)
    if t0 <= 0:
        left = np.vstack([_slope(fig, -1.0, grow), left])
        right = np.vstack([_slope(fig, 1.0, grow), right])
    return curve(left), curve(right)


def torso(sheet: Sheet, fig: Figure) -> None:
    """Shoulders to crotch in skin; clothes always cover it, only collarbones are hinted."""
    look = traits(fig.person)
    left, right = _torso_edges(fig, 0.0, 0.0, 1.2)
    sheet.fill(polygon(np.vstack([right, left[::-1]])), SKIN, wash(look["skin"]))
    if not sheet.draws_picture:
        return
    shadow = _band(left[16:], right[16:], 0.24)
    sheet.paint(lambda c: c.drawPath(shadow, wash(look["shadow"], 0.7)))
    # shoulders, then flanks: the armpit between them is the arm's to draw
    for part, taper in ((slice(0, 12), 0.3), (slice(16, None), 0.5)):
        ink(sheet, left[part], 1.0, outside=1, taper=taper)
        ink(sheet, right[part], 1.2, outside=-1, taper=taper)
    neck, h = fig.joint["neck"], fig.height
    level = unit(fig.joint["l_shoulder"] - fig.joint["r_shoulder"])
    down = np.array([-level[1], level[0]])
    bones = [
        curve(
            [
                neck + s * level * h * a + down * h * b
                for a, b in ((0.010, 0.020), (0.026, 0.012), (0.052, 0.012))
            ]
        )
        for s in (-1.0, 1.0)
    ]
    inks(sheet, np.array(bones), 0.9, rgb=look["line"], alpha=0.6)


def _arm_edges(fig: Figure, side: str) -> tuple[np.ndarray, np.ndarray]:
    (shoulder, elbow, wrist), (upper, joint, thin) = fig.arm(side)
    t = np.array([[0.0], [0.16], [0.36], [0.62], [0.86], [1.0]])
    spine = np.vstack(
        [
            shoulder + (elbow - shoulder) * t,
            elbow + (wrist - elbow) * np.array([[0.16], [0.36], [0.66], [1.0]]),
        ]
    )
    spine[1:-1] = (spine[:-2] + 4 * spine[1:-1] + spine[2:]) / 6
    outer = np.array(
        [
            upper * 0.80,
            upper * 1.00,
            upper * 0.98,
            upper * 0.88,
            joint * 1.0,
            joint * 1.0,
            joint * 1.10,
            joint * 1.02,
            lerp(joint, thin, 0.6),
            thin,
        ]
    )
    inner = np.array(
        [
            upper * 0.78,
            upper * 0.90,
            upper * 0.92,
            upper * 0.86,
            joint * 0.98,
            joint * 0.98,
            joint * 1.02,
            joint * 0.94,
            lerp(joint, thin, 0.6),
            thin,
        ]
    )
    one, two = (outer, inner) if side == "l" else (inner, outer)
    left, right = _limb(spine, one, two)
    first, second = unit(elbow - shoulder), unit(wrist - elbow)
    bend = float(first[0] * second[1] - first[1] * second[0])
    if abs(bend) > 0.5:  # the crook of a bent elbow would fold over itself
        crook = right if bend < 0 else left
        crook[4], crook[6] = (crook[3] + crook[5]) / 2, (crook[5] + crook[7]) / 2
    return left, right


def arm(sheet: Sheet, fig: Figure, side: str) -> None:
    """A bare arm with a round shoulder, down to the wrist."""
    look = traits(fig.person)
    left, right = _arm_edges(fig, side)
    line, halves = fig.arm(side)
    back = unit(line[0] - line[1]) * halves[0]
    middle, side_ = (left[0] + right[0]) / 2, (right[0] - left[0]) / 2
    crown = [
        middle - side_ * 0.75 + back * 0.48,
        middle + back * 0.74,
        middle + side_ * 0.75 + back * 0.48,
    ]
    outline = curve(np.vstack([left[::-1], crown, right]))
    sheet.fill(polygon(outline), SKIN, wash(look["skin"]))
    if not sheet.draws_picture:
        return
    left, right = curve(left), curve(right)
    low_left = left[:, 1].mean() > right[:, 1].mean() + 2 * halves[1]
    first, second = (right, left) if low_left else (left, right)
    shadow = _band(first, second, 0.40)
    sheet.paint(lambda c: c.drawPath(shadow, wash(look["shadow"], 0.7)))
    # the ink starts where the arm leaves the body: outside on top, inside at the armpit
    half_way = len(outline) // 2
    if side == "l":
        ink(sheet, outline[half_way + 2 :], 1.2, outside=-1, taper=0.25)
        ink(sheet, left[5:], 1.0, outside=1, taper=0.45)
    else:
        ink(sheet, outline[: half_way - 1][::-1], 1.0, outside=1, taper=0.25)
        ink(sheet, right[5:], 1.2, outside=-1, taper=0.45)


def hand(sheet: Sheet, fig: Figure, side: str) -> None:
    """A simplified hand that follows the forearm; resting hands bend at the wrist."""
    look = traits(fig.person)
    s, h = _sign(side), fig.height
    line, halves = fig.arm(side)
    wrist = line[2]
    ahead = unit(wrist - line[1])
    raised = ahead[1] < -0.3
    if not raised:
        # a hanging or resting hand falls a little with its weight
        ahead = unit(ahead + np.array([0.0, 0.28 if abs(ahead[0]) > 0.55 else 0.12]))
    size = 0.064 * h * (1.06 if fig.person.presentation == "man" else 1.0)
    thumb = np.array([ahead[1], -ahead[0]]) * -s  # towards the body's middle when hanging
    if raised:
        thumb = -thumb
    if not raised and ahead[0] * -s > 0.55 and thumb[1] > 0:
        thumb = -thumb  # resting on hip or arm: thumb on the upper edge
    w = halves[2] / size
    shape = np.array([
        (-0.06, -w), (0.14, -w * 1.05), (0.36, -0.20), (0.55, -0.19), (0.74, -0.15),
        (0.86, -0.11), (0.88, -0.05), (0.96, -0.04), (1.0, 0.02), (0.97, 0.07), (0.90, 0.09),
        (0.80, 0.13), (0.64, 0.16), (0.48, 0.18), (0.52, 0.24), (0.60, 0.28), (0.60, 0.33),
        (0.50, 0.34), (0.32, 0.27), (0.14, w * 1.15), (-0.06, w),
    ])  # fmt: skip
    outline = curve(wrist + shape[:, :1] * ahead * size + shape[:, 1:] * thumb * size)
    sheet.fill(polygon(outline), SKIN, wash(look["skin"]))
    fingers = np.array([
        ((0.56, -0.08), (0.72, -0.06), (0.88, -0.05)), ((0.54, 0.01), (0.73, 0.02), (0.92, 0.02)),
        ((0.56, 0.09), (0.70, 0.09), (0.84, 0.08)),
    ]) * size  # fmt: skip
    fingers = wrist + fingers[..., :1] * ahead + fingers[..., 1:] * thumb
    for finger in fingers:
        sheet.trace(polygon(finger, closed=False))
    if not sheet.draws_picture:
        return
    inks(
        sheet,
        fingers,
        0.7,
        rgb=look["line"],
        alpha=0.75,
        taper=0.2,
    )
    turn = np.sign(ahead[0] * thumb[1] - ahead[1] * thumb[0])
    ink(sheet, outline, 1.0, outside=-turn, taper=0.25)


# --- head --------------------------------------------------------------------------------------


def _face_points(fig: Figure) -> np.ndarray:
    """Face outline in head units, clockwise from the crown; the jaw turns with the head."""
    m = traits(fig.person)["manly"]
    plump = {"slim": -0.04, "plus": 0.07, "curvy": 0.02}.get(fig.person.body, 0.0)
    half = np.array([
        (0.0, -1.0), (0.56, -0.88), (0.90, -0.46), (0.95, -0.02),
        (0.90 + 0.02 * m + plump * 0.6, 0.34), (0.70 + 0.11 * m + plump, 0.68),
        (0.34 + 0.13 * m + plump, 0.93),
    ])  # fmt: skip
    turn = float(np.clip(fig.pose.turn, -0.8, 0.8))
    right = half.copy()
    left = half[:0:-1] * (-1, 1)
    points = np.vstack([right, [(0.0, 1.01)], left])
    points[:, 0] += turn * 0.16 * np.clip(points[:, 1] + 0.2, 0, 1)
    return points


def head(sheet: Sheet, fig: Figure, *, with_neck: bool = True) -> None:
    """Neck, ears, face. ``with_neck=False`` leaves out the neck (drawn before by ``neck``)."""
    if with_neck:
        neck(sheet, fig)
    look, at = traits(fig.person), HeadFrame(fig)
    for s in (-1.0, 1.0):
        shift = -at.turn * 0.10
        if s * at.turn > 0.45:
            continue  # the far ear is hidden
        ear = at.curve(
            [
                (s * 0.90 + shift, -0.10),
                (s * 1.06 + shift, -0.14),
                (s * 1.10 + shift, 0.04),
                (s * 1.03 + shift, 0.24),
                (s * 0.90, 0.28),
            ]
        )
        sheet.fill(polygon(ear), SKIN, wash(look["skin"] if s < 0 else look["shadow"]))
        ink(sheet, ear, 0.9, outside=-s, taper=0.4)
    outline = at.curve(_face_points(fig), closed=True)
    sheet.fill(polygon(outline), SKIN, wash(look["skin"]))
    _trace_face(sheet, at, look)
    if not sheet.draws_picture:
        return
    _face(sheet, fig, at, look, outline)
    n = len(outline)
    ink(sheet, outline[n // 5 : n - n // 5 + 1], 1.15, outside=-1, taper=0.35)


def neck(sheet: Sheet, fig: Figure) -> None:
    """The bare neck, from under the jaw into the slope of the shoulders."""
    look, at = traits(fig.person), HeadFrame(fig)
    base, half, h = fig.joint["neck"], fig.half["neck"], fig.height
    level = unit(fig.joint["l_shoulder"] - fig.joint["r_shoulder"])
    down = np.array([-level[1], level[0]])
    jaw = at([(0.10 * at.turn, 0.50)])[0]
    side = unit(at.rows[0])
    left = curve(
        [
            jaw - side * half * 0.98,
            (jaw + base) / 2 - level * half * 0.92 - down * 2,
            base - level * half * 1.02 - down * 0.032 * h,
            base - level * half * 1.5 - down * 0.018 * h,
        ]
    )
    right = curve(
        [
            jaw + side * half * 0.98,
            (jaw + base) / 2 + level * half * 0.92 - down * 2,
            base + level * half * 1.02 - down * 0.032 * h,
            base + level * half * 1.5 - down * 0.018 * h,
        ]
    )
    pit = base + down * 0.012 * h
    outline = np.vstack([left, [pit - level * half * 0.5, pit + level * half * 0.5], right[::-1]])
    sheet.fill(polygon(outline), SKIN, wash(look["skin"]))
    if not sheet.draws_picture:
        return
    # the jaw's cast shadow, running down the right side
    shade = curve(
        [
            jaw - side * half,
            base - level * half * 0.5 - down * 0.040 * h,
            base + level * half * 0.15 - down * 0.022 * h,
            base + level * half * 0.55 + down * 0.004 * h,
            base + level * half * 1.02 - down * 0.030 * h,
            jaw + side * half,
        ]
    )
    with sheet.clipped(polygon(outline)):
        sheet.paint(lambda c: c.drawPath(polygon(shade), wash(look["shadow"], 0.85)))
    ink(sheet, left[2:], 0.95, outside=1, taper=0.4)
    ink(sheet, right[2:], 1.15, outside=-1, taper=0.4)


def _spot(at: HeadFrame, x: float, y: float) -> tuple[float, float]:
    """A place on the face, moved as the head turns: features on the far side draw together."""
    near = 1 - 0.30 * max(0.0, float(np.sign(x)) * at.turn)
    return x * near * (1 - 0.10 * abs(at.turn)) + at.turn * 0.30, y


def _features(look: dict) -> dict[str, list[tuple[float, float]]]:
    """The lines a face is recognised by, in head units; lid, eye and brow are the right one's."""
    m, smile = look["manly"], look["smile"]
    up, wide = 0.02 + 0.035 * smile, 0.25 + 0.05 * smile
    lid = [(0.18, 0.08), (0.30, -0.005), (0.44, -0.015), (0.58, 0.055)]
    return {
        "lid": lid if m >= 1 else [*lid, (0.66, 0.015)],
        "eye": [(0.26, 0.13), (0.40, 0.155), (0.54, 0.10)],
        "brow": [(0.15, -0.135 + 0.03 * m), (0.42, -0.235 + 0.04 * m), (0.68, -0.175 + 0.03 * m)],
        "nose": [(0.10, 0.28), (0.14, 0.40), (0.05, 0.455)],
        "nostril": [(-0.11, 0.42), (-0.06, 0.455)],
        "mouth": [(-wide, 0.655 - up), (0, 0.675), (wide, 0.655 - up)],
    }


def _trace_face(sheet: Sheet, at: HeadFrame, look: dict) -> None:
    """Where eyes, brows, nose and mouth run, into the layout's edges."""
    for name, points in _features(look).items():
        for s in (-1, 1) if name in ("lid", "eye", "brow") else (1,):
            line = at.curve([_spot(at, s * x, y) for x, y in points], steps=3)
            sheet.trace(polygon(line, closed=False))


def _face(sheet: Sheet, fig: Figure, at: HeadFrame, look: dict, outline: np.ndarray) -> None:
    person, m, lines = fig.person, look["manly"], _features(look)

    def spot(x: float, y: float) -> tuple[float, float]:
        return _spot(at, x, y)

    def stroke(points, width, rgb, alpha=1.0, taper=0.7) -> None:
        line = at.curve([spot(*p) for p in points], steps=3)
        ink(sheet, line, width, rgb=rgb, alpha=alpha, taper=taper)

    def pair(points, width, rgb, alpha=1.0, taper=0.7) -> None:
        """The same stroke on both sides of the face."""
        lines = [at.curve([spot(s * x, y) for x, y in points], steps=3) for s in (-1, 1)]
        inks(sheet, np.array(lines), width, rgb=rgb, alpha=alpha, taper=taper)

    def blot(points, rgb, alpha=1.0) -> None:
        path = polygon(at.curve([spot(*p) for p in points], closed=True))
        sheet.paint(lambda c: c.drawPath(path, wash(rgb, alpha)))

    with sheet.clipped(polygon(outline)):
        blot(
            [
                (0.62, -0.7),
                (0.80, -0.1),
                (0.74, 0.35),
                (0.50, 0.72),
                (0.15, 1.1),
                (1.3, 1.2),
                (1.4, -0.6),
            ],
            look["shadow"],
            0.6,
        )
        blush = 0.42 if person.presentation == "woman" else 0.2
        for s in (-1, 1):
            x, y = at([spot(s * 0.52, 0.36)])[0]
            r = fig.head_size[0] * 0.24
            for k, share in ((1.25, 0.4), (0.85, 0.6)):
                soft = wash(look["blush"], blush * share)
                sheet.paint(
                    lambda c, x=x, y=y, r=r * k, soft=soft: c.drawCircle(
                        float(x), float(y), r, soft
                    )
                )
        if look["beard"] != "none":
            full = look["beard"] == "beard"
            color = mix(look["hair"], look["skin"], 0.0 if full else 0.55)
            beard = [
                (-1.1, -0.05),
                (-0.80, 0.22),
                (-0.58, 0.46),
                (-0.30, 0.50),
                (0, 0.45),
                (0.30, 0.50),
                (0.58, 0.46),
                (0.80, 0.22),
                (1.1, -0.05),
                (1.2, 1.2),
                (-1.2, 1.2),
            ]
            blot(beard, color, 0.92 if full else 0.5)
    brow = mix(look["hair"] * 0.75, INK, 0.35)
    if person.hair_color == "grey":
        brow = look["hair"] * 0.7
    dark = mix(INK, (0, 0, 0), 0.2)
    whites = skia.Path()
    for s in (-1, 1):
        eye = [(s * 0.20, 0.08), (s * 0.36, -0.01), (s * 0.56, 0.05), (s * 0.40, 0.13)]
        whites.addPath(polygon(at.curve([spot(*p) for p in eye], closed=True)))
    white = wash(mix(look["light"], (255, 255, 255), 0.7), 0.95)
    sheet.paint(lambda c: c.drawPath(whites, white))
    for s in (-1, 1):
        x, y = at([spot(s * 0.385, 0.055)])[0]
        r = fig.head_size[0] * 0.098
        sheet.paint(
            lambda c, x=x, y=y, r=r: c.drawCircle(float(x), float(y), r, wash(look["iris"]))
        )
        sheet.paint(lambda c, x=x, y=y, r=r: c.drawCircle(float(x), float(y), r * 0.55, wash(dark)))
    pair(lines["lid"], 1.45 - 0.35 * m, dark, taper=0.45)
    pair(lines["eye"], 0.6, look["line"], 0.6)
    pair(lines["brow"], 1.35 + 0.6 * m, brow, 0.95, taper=0.6)
    blot(
        [(0.02, 0.10), (0.10, 0.30), (0.15, 0.43), (0.04, 0.46), (0.0, 0.36)], look["shadow"], 0.65
    )
    stroke(lines["nose"], 0.8, look["line"], 0.8)
    stroke(lines["nostril"], 0.7, look["line"], 0.7, taper=0.2)
    up = 0.02 + 0.035 * look["smile"]
    wide = 0.25 + 0.05 * look["smile"]
    blot(
        [
            (-wide, 0.66 - up),
            (-0.09, 0.605),
            (0, 0.62),
            (0.09, 0.605),
            (wide, 0.66 - up),
            (0.0, 0.675),
        ],
        look["lips"] * 0.88,
    )
    blot(
        [
            (-wide * 0.8, 0.665 - up * 0.5),
            (0, 0.67),
            (wide * 0.8, 0.665 - up * 0.5),
            (0.10, 0.765 - 0.02 * m),
            (-0.10, 0.765 - 0.02 * m),
        ],
        look["lips"],
    )
    stroke(lines["mouth"], 0.8, look["lips"] * 0.5, 0.9)
    if person.age != "young":
        deep = 0.5 if person.age == "older" else 0.25
        pair([(0.20, 0.46), (0.33, 0.58), (0.36, 0.68)], 0.7, look["line"], deep)
    if person.age == "older":
        pair([(0.30, 0.20), (0.44, 0.22), (0.54, 0.17)], 0.6, look["line"], 0.45)
        pair([(0.70, 0.04), (0.75, 0.02), (0.80, 0.00)], 0.6, look["line"], 0.5)
        stroke([(-0.35, -0.48), (0, -0.51), (0.35, -0.48)], 0.6, look["line"], 0.35)
