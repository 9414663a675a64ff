"""Footwear, headwear, eyewear, neckwear and bags."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import (
    Frame,
    brush,
    contour_color,
    detail_color,
    inside,
    lightness,
    mix,
    pattern_colors,
    pen,
    stitches,
    trim,
)
from catalog.croquis.tailor import Job, blob, line, polygon, smooth, unit

_SOLE = "#efece6"


# --- footwear ---------------------------------------------------------------------------------


class _Foot:
    """Shoe coordinates: ``a`` along the foot from the ankle (1 is the toe tip), ``b`` outward."""

    def __init__(self, job: Job, s: int) -> None:
        body, fig = job.body, job.body.fig
        leg = body.leg(s)
        self.s, self.leg = s, leg
        self.ankle = leg[2]
        shin = unit(leg[2] - leg[1])
        ahead = unit(0.25 * shin + np.array([s * 0.30 + 0.35 * fig.pose.turn, 0.80]))
        size = 0.048 * fig.height
        self.low = fig.pose.name != "flat" or job.shape.category in ("boots", "rain boots")
        if self.low:
            reach = size
        else:
            # product photos look at low shoes from above, along the whole foot
            ahead, reach = unit(np.array([s * 0.10, 1.0])), size * 1.75
        self.ahead, self.out = ahead * reach, np.array([ahead[1], -ahead[0]]) * s * size
        self.half = fig.half["ankle"] / size
        self.size = size
        side = np.array([-shin[1], shin[0]])
        self.side = side * (1 if side[0] * s > 0 else -1)
        self.shin = shin

    def __call__(self, a: float, b: float) -> np.ndarray:
        return self.ankle + self.ahead * a + self.out * b

    def up(self, share: float, half: float) -> np.ndarray:
        """On the shin: ``share`` of it above the ankle, ``half`` shoe units outward."""
        spot = self.leg[2] + (self.leg[1] - self.leg[2]) * share
        return spot + self.side * half * self.size

    def frame(self, job: Job) -> Frame:
        c = self(0.5, 0)
        angle = float(np.degrees(np.arctan2(-self.ahead[0], self.ahead[1])))
        return Frame(float(c[0]), float(c[1]), angle, job.body.u**0.5, 0.42 * self.size)


def shoe(job: Job, s: int) -> None:
    """One shoe on the foot of side ``s``; sandals, heels and flats leave skin to be seen."""
    foot = _Foot(job, s)
    {
        "sneakers": _sneaker,
        "boots": _boot,
        "rain boots": _rain_boot,
        "heels": _heel,
        "loafers": _loafer,
        "sandals": _sandal,
        "ballet flats": _flat_shoe,
    }[job.shape.category](job, foot)


def _sole(job: Job, foot: _Foot, points, tone: str) -> None:
    """A sole or heel of its own colour that still belongs to the shoe."""
    path = blob(*[foot(a, b) for a, b in points])
    cloth = job.cloth.model_copy(
        update={"colors": (tone,), "pattern": "plain", "material": "cotton"}
    )
    job.fill(path, cloth=cloth, frame=foot.frame(job), shade=0.6)


def _dark_sole(job: Job) -> str:
    ground = job.cloth.colors[0]
    return mix(ground, "#17120f", 0.72) if lightness(ground) > 25 else "#4a4448"


def _sneaker(job: Job, foot: _Foot) -> None:
    _sole(job, foot, [(0.42, -0.52), (0.80, -0.52), (1.10, -0.34), (1.19, 0.0), (1.06, 0.38),
                      (0.78, 0.56), (0.40, 0.54), (0.28, 0.0)], _SOLE)  # fmt: skip
    h = foot.half
    upper = blob(*[foot(a, b) for a, b in (
        (-0.24, -h - 0.12), (0.10, -h - 0.14), (0.40, -0.47), (0.72, -0.46), (0.94, -0.30),
        (1.00, 0.0), (0.90, 0.32), (0.68, 0.48), (0.38, 0.47), (0.08, h + 0.17),
        (-0.24, h + 0.14), (-0.15, 0.0))])  # fmt: skip
    job.fill(upper, frame=foot.frame(job))
    with job.sheet.clipped(upper):
        toe = line(foot(0.70, -0.6), foot(0.60, 0.0), foot(0.70, 0.6), curved=True)
        job.mark(toe, 0.9)
        ground = job.cloth.colors[0]
        lace = "#fbfaf6" if lightness(ground) < 82 else "#8d8a93"
        w = max(1.0, 0.075 * foot.size)

        def draw(canvas: skia.Canvas) -> None:
            for a in (0.05, 0.22, 0.39):
                canvas.drawPath(line(foot(a, -0.20), foot(a + 0.07, 0.22)),
                                pen(contour_color(ground), w + 0.9, 0.8))  # fmt: skip
                canvas.drawPath(line(foot(a, -0.20), foot(a + 0.07, 0.22)), pen(lace, w))

        job.sheet.paint(draw)
        if job.cloth.colors[1:]:
            accent = pattern_colors(job.cloth.colors)[1]
            side = line(foot(0.12, 0.62), foot(0.52, 0.30))
            job.sheet.paint(lambda c: c.drawPath(side, pen(accent, 0.12 * foot.size)))
    collar = line(foot(-0.19, -h - 0.1), foot(-0.06, 0.0), foot(-0.19, h + 0.12), curved=True)
    job.seam(collar, 0.9)


def _boot(job: Job, foot: _Foot) -> None:
    h = foot.half
    tone = _dark_sole(job)
    _sole(job, foot, [(0.30, -0.46), (0.80, -0.46), (1.14, -0.2), (1.16, 0.12), (0.9, 0.46),
                      (0.5, 0.52), (0.36, 0.1)], tone)  # fmt: skip
    tall = job.shape.length == "calf"
    if tall:
        shaft = [foot.up(0.78, -h - 0.27), foot.up(0.5, -h - 0.27), foot.up(0.2, -h - 0.12)]
        back = [foot.up(0.2, h + 0.14), foot.up(0.5, h + 0.33), foot.up(0.78, h + 0.30)]
    else:
        shaft = [foot.up(0.22, -h - 0.20), foot.up(0.1, -h - 0.13)]
        back = [foot.up(0.1, h + 0.15), foot.up(0.22, h + 0.22)]
    front = [(0.14, -h - 0.10), (0.45, -0.40), (0.76, -0.41), (1.0, -0.24), (1.06, 0.0),
             (0.95, 0.26), (0.70, 0.42), (0.40, 0.42), (0.10, h + 0.14)]  # fmt: skip
    path = line(shaft[0])
    smooth(path, [*shaft, *(foot(a, b) for a, b in front), *back])
    rim = (shaft[0] + back[-1]) / 2 + foot.shin * 0.10 * foot.size
    path.quadTo(*map(float, (*rim, *shaft[0])))
    path.close()
    frame = foot.frame(job)
    job.fill(path, frame=Frame(frame.x, frame.y, 0, frame.scale, 0.5 * foot.size), folds=1)
    lift = foot.shin * 0.16 * foot.size
    with job.sheet.clipped(path):
        job.mark(line(shaft[0] + lift, rim + lift, back[-1] + lift, curved=True), 0.8)
        job.mark(line(foot(0.06, -0.5), foot(0.16, 0.0), foot(0.06, 0.5), curved=True), 0.8, 0.6)
        if not tall:
            p = foot.up(0.22, h + 0.02), foot.up(0.02, h - 0.05)
            job.mark(line(*p), 0.9, 0.7)
        else:
            job.mark(line(foot.up(0.74, h * 0.5 + 0.25), foot.up(0.1, h * 0.6)), 0.8, 0.5)


def _rain_boot(job: Job, foot: _Foot) -> None:
    h = foot.half
    _sole(job, foot, [(0.30, -0.56), (0.85, -0.56), (1.20, -0.28), (1.24, 0.1), (1.0, 0.52),
                      (0.6, 0.60), (0.3, 0.1)], _dark_sole(job))  # fmt: skip
    shaft = [foot.up(0.70, -h - 0.50), foot.up(0.4, -h - 0.42), foot.up(0.12, -h - 0.24)]
    back = [foot.up(0.12, h + 0.26), foot.up(0.4, h + 0.46), foot.up(0.70, h + 0.54)]
    front = [(0.16, -h - 0.2), (0.45, -0.50), (0.80, -0.50), (1.04, -0.3), (1.10, 0.0),
             (0.98, 0.34), (0.72, 0.52), (0.40, 0.50), (0.10, h + 0.22)]  # fmt: skip
    path = line(shaft[0])
    smooth(path, [*shaft, *(foot(a, b) for a, b in front), *back])
    rim = (shaft[0] + back[-1]) / 2 + foot.shin * 0.14 * foot.size
    path.quadTo(*map(float, (*rim, *shaft[0])))
    path.close()
    frame = foot.frame(job)
    job.fill(path, frame=Frame(frame.x, frame.y, 0, frame.scale, 0.62 * foot.size))
    lift = foot.shin * 0.24 * foot.size
    with job.sheet.clipped(path):
        job.mark(line(shaft[0] + lift, rim + lift, back[-1] + lift, curved=True), 1.3, 0.9)
        job.mark(line(foot(0.78, -0.7), foot(0.66, 0.0), foot(0.78, 0.7), curved=True), 1.0, 0.8)


def _pump(job: Job, foot: _Foot, points, vamp) -> skia.Path:
    path = line(foot(*points[0]))
    smooth(path, [foot(a, b) for a, b in points])
    smooth(path, [foot(*points[-1]), *(foot(a, b) for a, b in vamp), foot(*points[0])])
    path.close()
    job.fill(path, frame=foot.frame(job))
    return path


def _heel(job: Job, foot: _Foot) -> None:
    # a slim heel stands inside the foot, behind the toe
    spike = polygon(foot(0.28, 0.30), foot(0.36, 0.52), foot(1.02, 0.62), foot(1.02, 0.53))
    job.fill(spike, frame=foot.frame(job))
    h = foot.half
    job.fill(blob(*[foot(a, b) for a, b in ((-0.02, h), (0.0, h + 0.14), (0.3, 0.54), (0.62, 0.46),
                                            (0.6, 0.34), (0.34, 0.32))]),
             frame=foot.frame(job))  # fmt: skip
    _pump(job, foot, [(0.30, -h - 0.12), (0.58, -0.43), (0.82, -0.36), (1.08, -0.14), (1.22, 0.04),
                      (1.04, 0.20), (0.82, 0.40), (0.56, 0.46)],
          [(0.66, 0.26), (0.72, -0.05), (0.62, -0.28)])  # fmt: skip


def _flat_shoe(job: Job, foot: _Foot) -> None:
    h = foot.half
    path = _pump(job, foot, [(0.16, -h - 0.10), (0.50, -0.46), (0.80, -0.45), (1.04, -0.28),
                             (1.12, 0.0), (1.0, 0.30), (0.76, 0.47), (0.50, 0.48),
                             (0.12, h + 0.12)],
                 [(0.34, 0.30), (0.60, 0.24), (0.68, 0.0), (0.58, -0.27), (0.38, -0.32)])  # fmt: skip
    knot = foot(0.70, -0.02)
    w = 0.15 * foot.size
    for s in (-1, 1):
        x = unit(foot.out) * w * s
        y = unit(foot.ahead) * w * 0.7
        bow = polygon(knot, knot + x * 1.3 - y, knot + x * 1.3 + y)
        job.sheet.paint(lambda c, bow=bow: c.drawPath(bow, brush(job.cloth.colors[0])))
        job.mark(bow, 0.8)
    del path


def _loafer(job: Job, foot: _Foot) -> None:
    h = foot.half
    _sole(job, foot, [(0.35, -0.5), (0.82, -0.51), (1.12, -0.3), (1.19, 0.0), (1.06, 0.34),
                      (0.8, 0.52), (0.4, 0.52), (0.3, 0.0)], _dark_sole(job))  # fmt: skip
    path = _pump(job, foot, [(-0.02, -h - 0.10), (0.40, -0.46), (0.76, -0.46), (1.00, -0.30),
                             (1.07, 0.0), (0.96, 0.32), (0.72, 0.48), (0.40, 0.48),
                             (0.02, h + 0.14)],
                 [(0.22, 0.22), (0.34, 0.0), (0.22, -0.22)])  # fmt: skip
    with job.sheet.clipped(path):
        apron = line(foot(0.30, -0.36), foot(0.70, -0.30), foot(0.86, 0.0), foot(0.70, 0.30),
                     foot(0.30, 0.36), curved=True)  # fmt: skip
        job.mark(apron, 0.9)
        strap = line(foot(0.48, -0.6), foot(0.50, 0.6))
        job.mark(line(foot(0.42, -0.6), foot(0.44, 0.6)), 0.8)
        job.mark(line(foot(0.58, -0.6), foot(0.60, 0.6)), 0.8)
        bit = line(foot(0.50, -0.18), foot(0.52, 0.18))
        job.sheet.paint(lambda c: c.drawPath(bit, pen("#c9a24a", 0.10 * foot.size)))
        del strap


def _sandal(job: Job, foot: _Foot) -> None:
    h = foot.half
    straps = (
        ((0.62, -0.46), (0.50, -0.42), (0.60, 0.0), (0.52, 0.46), (0.68, 0.48), (0.78, 0.02)),
        ((-0.02, -h - 0.10), (-0.12, -h - 0.08), (-0.05, 0.0), (-0.12, h + 0.1), (0.0, h + 0.12),
         (0.09, 0.0)),
    )  # fmt: skip
    for strap in straps:
        job.fill(blob(*[foot(a, b) for a, b in strap]), frame=foot.frame(job), shade=0.6)
    job.fill(polygon(foot(0.06, -0.07), foot(0.06, 0.07), foot(0.64, 0.08), foot(0.64, -0.05)),
             frame=foot.frame(job), shade=0.5)  # fmt: skip


def sandal_sole(job: Job, s: int) -> None:
    """The sole below a bare foot; drawn before the foot."""
    foot = _Foot(job, s)
    if job.shape.category == "sandals":
        points = [(0.40, -0.46), (0.80, -0.50), (1.08, -0.34), (1.15, -0.04), (1.04, 0.32),
                  (0.78, 0.50), (0.4, 0.50), (0.2, 0.0)]  # fmt: skip
        _sole(job, foot, points, mix(job.cloth.colors[0], "#2a1c14", 0.35))


def shoe_lining(job: Job, s: int) -> None:
    """What an empty shoe shows where the foot would be (product photos)."""
    foot, cat, h = _Foot(job, s), job.shape.category, 0.0
    h = foot.half
    if cat in ("heels", "ballet flats", "loafers"):
        points = [(0.0, -h - 0.06), (0.4, -0.36), (0.66, -0.3), (0.74, 0.0), (0.66, 0.3),
                  (0.4, 0.36), (0.0, h + 0.08), (-0.06, 0.0)]  # fmt: skip
        if cat == "loafers":
            points = [(-0.06, -h), (0.2, -h), (0.4, 0.0), (0.2, h), (-0.06, h), (-0.12, 0.0)]
        job.fill(blob(*[foot(a, b) for a, b in points]), cloth=inside(job.cloth),
                 frame=foot.frame(job))  # fmt: skip
    elif cat == "sandals":
        sandal_sole(job, s)
        points = [(0.0, -h), (0.4, -0.38), (0.8, -0.42), (1.04, -0.2), (1.06, 0.1), (0.8, 0.42),
                  (0.4, 0.4), (0.0, h), (-0.1, 0.0)]  # fmt: skip
        job.fill(blob(*[foot(a, b) for a, b in points]), frame=foot.frame(job),
                 cloth=job.cloth.model_copy(
                     update={"colors": ("#d3b48c",), "pattern": "plain"}))  # fmt: skip


# --- head -------------------------------------------------------------------------------------


class _Head:
    """Head coordinates: ``x`` in half-widths to the viewer's right, ``y`` in half-heights down."""

    def __init__(self, job: Job) -> None:
        fig = job.body.fig
        rad = np.radians(fig.head_tilt)
        hw, hh = fig.head_size
        self.center = fig.head
        self.x = np.array([np.cos(rad), np.sin(rad)]) * hw
        self.y = np.array([-np.sin(rad), np.cos(rad)]) * hh
        self.turn = fig.pose.turn
        self.frame = Frame(float(self.center[0]), float(self.center[1]), fig.head_tilt,
                           job.body.u**0.5 * 0.8, hw * 1.3)  # fmt: skip
        self.tilt, self.size = fig.head_tilt, hw

    def __call__(self, x: float, y: float) -> np.ndarray:
        return self.center + self.x * x + self.y * y


def headwear(job: Job) -> None:
    """A hat on the head."""
    {"beanie": _beanie, "cap": _cap, "sun hat": _sun_hat, "fedora": _fedora}[job.shape.category](
        job, _Head(job)
    )


def _beanie(job: Job, at: _Head) -> None:
    pom = blob(*[at(0.36 * np.cos(a) * (1 + 0.1 * (k % 2)), -1.62 + 0.27 * np.sin(a))
                 for k, a in enumerate(np.linspace(0, 2 * np.pi, 13)[:-1])])  # fmt: skip
    job.fill(pom, frame=at.frame, shade=0.7)
    crown = blob(*[at(x, y) for x, y in ((-1.16, -0.40), (-1.14, -0.86), (-0.78, -1.30), (0, -1.46),
                                         (0.78, -1.30), (1.14, -0.86), (1.16, -0.40), (0, -0.3))])  # fmt: skip
    job.fill(crown, frame=at.frame)
    band = line(at(-1.20, -0.30))
    band.quadTo(*map(float, (*at(-1.26, -0.52), *at(-1.20, -0.74))))
    band.quadTo(*map(float, (*at(0, -0.92), *at(1.20, -0.74))))
    band.quadTo(*map(float, (*at(1.26, -0.52), *at(1.20, -0.30))))
    band.quadTo(*map(float, (*at(0, -0.46), *at(-1.20, -0.30))))
    band.close()
    job.fill(band, frame=at.frame)
    with job.sheet.clipped(band):
        for x in np.linspace(-1.0, 1.0, 11):
            job.mark(line(at(float(x), -0.30), at(float(x) * 0.98, -0.9)), 0.7, 0.6)


def _cap(job: Job, at: _Head) -> None:
    t = 0.25 * at.turn
    crown = line(at(-1.13, -0.36))
    smooth(crown, [at(-1.13, -0.36), at(-1.12, -0.80), at(-0.80, -1.20), at(0, -1.36),
                   at(0.80, -1.20), at(1.12, -0.80), at(1.13, -0.36)])  # fmt: skip
    crown.quadTo(*map(float, (*at(0, -0.62), *at(-1.13, -0.36))))
    crown.close()
    job.fill(crown, frame=at.frame)
    with job.sheet.clipped(crown):
        for x in (-0.55, 0.55):
            job.mark(line(at(x + t, -0.4), at(x * 0.9 + t, -0.9), at(t, -1.36), curved=True),
                     0.8, 0.7)  # fmt: skip
    job.sheet.paint(lambda c: c.drawCircle(*map(float, at(t, -1.36)), 0.09 * at.size,
                                           brush(detail_color(job.cloth.colors[0]))))  # fmt: skip
    peak = line(at(-1.0 + t, -0.46))
    peak.cubicTo(*map(float, (*at(-0.85 + t, -0.82), *at(0.85 + t, -0.82), *at(1.0 + t, -0.46))))
    peak.cubicTo(*map(float, (*at(1.15 + t * 2, -0.18), *at(0.7 + t * 2.4, -0.12),
                              *at(0.55 + t * 2.2, -0.16))))  # fmt: skip
    peak.quadTo(*map(float, (*at(t * 2, -0.30), *at(-0.55 + t * 1.8, -0.16))))
    peak.cubicTo(*map(float, (*at(-0.7 + t * 1.6, -0.12), *at(-1.15 + t, -0.18),
                              *at(-1.0 + t, -0.46))))  # fmt: skip
    peak.close()
    job.fill(peak, frame=at.frame, shade=0.7)
    edge = line(at(-0.9 + t, -0.42))
    edge.cubicTo(*map(float, (*at(-0.5 + t, -0.5), *at(0.5 + t, -0.5), *at(0.9 + t, -0.42))))
    with job.sheet.clipped(peak):
        stitches(job.sheet, edge, job.cloth, 0.6)
    trim(job.sheet, crown, job.cloth, at(t, -1.3), at(t, -0.2), at.size)


def _brim_hat(job: Job, at: _Head, wide: float, thick: float, crown_points, level: float) -> None:
    brim = blob(*[at(wide * np.cos(a), level + thick * np.sin(a) - 0.10 * np.cos(2 * a))
                  for a in np.linspace(0, 2 * np.pi, 15)[:-1]])  # fmt: skip
    job.fill(brim, frame=Frame(at.frame.x, at.frame.y, at.tilt, at.frame.scale, at.size * wide))
    if job.sheet.draws_picture:
        under = blob(*[at(wide * 0.62 * np.cos(a), level + thick * 0.30 + thick * 0.5 * np.sin(a))
                       for a in np.linspace(0, 2 * np.pi, 11)[:-1]])  # fmt: skip
        job.sheet.paint(lambda c: c.drawPath(under, brush("#1b1430", 0.16)))
    crown = line(at(*crown_points[0]))
    smooth(crown, [at(*p) for p in crown_points])
    crown.quadTo(*map(float, (*at(0, level + thick * 0.55), *at(*crown_points[0]))))
    crown.close()
    job.fill(crown, frame=at.frame)
    ground, second, _ = pattern_colors(job.cloth.colors)
    tone = second if job.cloth.colors[1:] else mix(ground, "#241a1e", 0.68)
    y = level - 0.10
    band = line(at(-1.2, y))
    band.quadTo(*map(float, (*at(0, y + thick * 0.7), *at(1.2, y))))
    with job.sheet.clipped(crown):
        wide_ = 0.24 * at.size
        shifted = skia.Path(band)
        up = -at.y * 0.10
        shifted.offset(float(up[0]), float(up[1]))
        job.sheet.paint(lambda c: c.drawPath(shifted, pen(tone, wide_)))
    job.sheet.paint(lambda c: c.drawPath(crown, pen(contour_color(ground), 0.95)))


def _sun_hat(job: Job, at: _Head) -> None:
    crown = [(-1.10, -0.56), (-1.08, -0.95), (-0.80, -1.32), (0, -1.46), (0.80, -1.32),
             (1.08, -0.95), (1.10, -0.56)]  # fmt: skip
    _brim_hat(job, at, 2.35, 0.42, crown, -0.52)


def _fedora(job: Job, at: _Head) -> None:
    crown = [(-1.12, -0.58), (-1.04, -1.0), (-0.82, -1.48), (-0.42, -1.60), (0.0, -1.46),
             (0.42, -1.60), (0.82, -1.48), (1.04, -1.0), (1.12, -0.58)]  # fmt: skip
    _brim_hat(job, at, 1.78, 0.27, crown, -0.56)
    job.mark(line(at(0, -1.44), at(-0.06, -1.2), at(0.02, -1.02), curved=True), 0.9, 0.7)


def eyewear(job: Job) -> None:
    """Glasses or sunglasses on the eyes."""
    fig, at = job.body.fig, _Head(job)
    eyes = [fig.joint["r_eye"], fig.joint["l_eye"]]
    x, y = at.x / at.size, at.y / (fig.head_size[1])
    gap = float(np.hypot(*(eyes[1] - eyes[0])))
    dark = job.shape.category == "sunglasses"
    w, h = gap * 0.49, gap * (0.42 if dark else 0.40)
    ground = job.cloth.colors[0]
    rim = max(1.3, gap * 0.12)
    for s, eye in zip((-1, 1), eyes, strict=True):
        c = eye + s * x * gap * 0.06 + y * gap * 0.03
        ear = fig.joint["r_ear" if s < 0 else "l_ear"]
        job.seam(line(c + s * x * w - y * h * 0.3, ear - y * gap * 0.02), 1.1)
        shape = [c - x * w - y * h * 0.72, c - y * h * 0.98, c + x * w - y * h * 0.72,
                 c + x * w * 1.02 + y * h * 0.1, c + x * w * 0.62 + y * h * 0.9, c + y * h,
                 c - x * w * 0.62 + y * h * 0.9, c - x * w * 1.02 + y * h * 0.1]  # fmt: skip
        lens = blob(*shape)
        if dark:
            job.fill(lens, frame=Frame(float(c[0]), float(c[1]), 0, 1, w), ink=1.0)
            glint = line(c - x * w * 0.55 + y * h * 0.35, c + x * w * 0.05 - y * h * 0.6)
            job.sheet.paint(lambda k, g=glint: k.drawPath(g, pen("#ffffff", gap * 0.09, 0.55)))
        else:
            outer_ = skia.Path(lens)
            inner = blob(*[c + (p - c) * (1 - rim / w) for p in shape])
            ring = skia.Op(outer_, inner, skia.kDifference_PathOp)
            tint = brush("#dfeaf2", 0.30)
            job.sheet.paint(lambda k, i=inner, t=tint: k.drawPath(i, t))
            job.fill(ring, frame=Frame(float(c[0]), float(c[1]), 0, 1, w), ink=0.55, shade=0.5)
    a = eyes[0] + x * (w * 0.9) - y * h * 0.2
    b = eyes[1] - x * (w * 0.9) - y * h * 0.2
    bridge = line(a, (a + b) / 2 - y * gap * 0.08, b, curved=True)
    job.sheet.seam(bridge, pen(contour_color(ground), rim) if job.sheet.draws_picture else None)
    job.sheet.paint(lambda k: k.drawPath(bridge, pen(ground, rim * 0.6)))


# --- neck -------------------------------------------------------------------------------------


def tie(job: Job) -> None:
    """A necktie; belongs between a shirt and whatever is worn over it."""
    body, u = job.body, job.body.u
    top = body.at(0.03)
    x, d = body.across * u, -body.up * u
    knot_low = top + d * 7.5
    tip = body.at(0.70)
    blade = polygon(knot_low - x * 2.3, knot_low + x * 2.3, tip - d * 7 + x * 5.4, tip,
                    tip - d * 7 - x * 5.4)  # fmt: skip
    frame = job.frame(0.8)
    frame = Frame(frame.x, frame.y, frame.angle + 32, frame.scale, 6.0 * u)
    job.fill(blade, frame=frame)
    job.fill(polygon(top - x * 3.6, top + x * 3.6, knot_low + x * 2.2, knot_low - x * 2.2),
             frame=frame)  # fmt: skip


def scarf(job: Job) -> None:
    """A scarf wound once round the neck, two ends hanging."""
    body, u = job.body, job.body.u
    x, d = body.across * u, -body.up * u
    c = body.neck - d * 4.0
    nw = body.fig.half["neck"] / u
    fringe = job.cloth.material != "silk"
    for s, long, lean in ((1, 66, 3.0), (-1, 54, 1.0)):
        a = c + x * s * 4.0 + d * 8
        end = a + d * long + x * s * lean
        w0, w1 = 5.6, 8.2
        tail = line(a - x * w0)
        smooth(tail, [a - x * w0, a + d * long * 0.5 - x * (w0 + 1.6), end - x * w1])
        tail.lineTo(*map(float, end + x * w1))
        smooth(tail, [end + x * w1, a + d * long * 0.5 + x * (w0 + 1.4), a + x * w0])
        tail.close()
        if fringe:
            tufts = skia.Path()
            for k in np.linspace(-0.9, 0.9, 8):
                tufts.moveTo(*map(float, end + x * w1 * float(k)))
                tufts.lineTo(*map(float, end + x * w1 * float(k) * 1.08 + d * 6.0))
            ground = job.cloth.colors[0]

            def draw(canvas: skia.Canvas, tufts=tufts, ground=ground) -> None:
                canvas.drawPath(tufts, pen(contour_color(ground), 2.0))
                canvas.drawPath(tufts, pen(ground, 1.1))

            job.sheet.paint(draw)
        frame = job.frame()
        job.fill(tail, frame=Frame(float(a[0]), float(a[1]), frame.angle, frame.scale, 9 * u),
                 folds=1)  # fmt: skip
    wrap = blob(c - x * (nw + 7) - d * 2, c - x * (nw + 2.5) - d * 8, c - d * 4.5,
                c + x * (nw + 2.5) - d * 8, c + x * (nw + 7) - d * 2, c + x * (nw + 5) + d * 8,
                c + d * 13, c - x * (nw + 5) + d * 8)  # fmt: skip
    job.fill(wrap, folds=1)
    with job.sheet.clipped(wrap):
        job.mark(line(c - x * (nw + 6), c - x * 3 + d * 4, c + x * (nw + 3) + d * 1.0,
                      curved=True), 1.0)  # fmt: skip
        job.mark(line(c - x * (nw + 1) + d * 7, c + x * 2 + d * 7.5, c + x * (nw + 5) - d * 1,
                      curved=True), 1.0, 0.7)  # fmt: skip


# --- bags -------------------------------------------------------------------------------------

BAG_SIZE = {"tote bag": (40, 44), "handbag": (42, 30), "backpack": (54, 70),
            "crossbody bag": (33, 24)}  # fmt: skip
"""Width and height in body units."""


def _strap(job: Job, path: skia.Path, width: float) -> None:
    """A strap: filled as part of the bag."""
    outline = skia.Path()
    pen("#000000", width * job.body.u).getFillPath(path, outline)
    box = path.getBounds()
    job.fill(outline, frame=Frame(box.centerX(), box.centerY(), 0, job.body.u**0.5), shade=0.6,
             ink=0.8)  # fmt: skip


def bag_body(job: Job, top: np.ndarray, tilt: float = 0.0, handle: float = 26.0) -> None:
    """The bag itself hanging from ``top`` (the middle of its upper edge)."""
    u, cat = job.body.u, job.shape.category
    w, h = BAG_SIZE[cat]
    rad = np.radians(tilt)
    x = np.array([np.cos(rad), np.sin(rad)]) * u
    y = np.array([-np.sin(rad), np.cos(rad)]) * u

    def at(px: float, py: float) -> np.ndarray:
        return top + x * px + y * py

    frame = Frame(float(top[0]), float(top[1]), tilt, u**0.7, w / 2 * u)
    if cat == "tote bag":
        loop = line(at(-w * 0.26, 2))
        loop.cubicTo(*map(float, (*at(-w * 0.20, -handle), *at(w * 0.20, -handle),
                                  *at(w * 0.26, 2))))  # fmt: skip
        _strap(job, loop, 2.6)
        body = line(at(-w * 0.46, 0), at(w * 0.46, 0), at(w * 0.52, h * 0.94), at(w * 0.46, h),
                    at(-w * 0.46, h), at(-w * 0.52, h * 0.94))  # fmt: skip
        body.close()
        job.fill(body, frame=frame, folds=2)
        with job.sheet.clipped(body):
            stitches(job.sheet, line(at(-w, 3.4), at(w, 3.4)), job.cloth)
        for s in (-1, 1):
            job.mark(polygon(*(at(s * w * 0.26 + a, 0.5 + b)
                               for a, b in ((-2, 0), (2, 0), (2, 6), (-2, 6)))), 0.8)  # fmt: skip
        trim(job.sheet, body, job.cloth, at(0, 2), at(0, h - 4), w / 2 * u)
    elif cat == "handbag":
        loop = line(at(-w * 0.24, 3))
        loop.cubicTo(*map(float, (*at(-w * 0.26, -handle), *at(w * 0.26, -handle),
                                  *at(w * 0.24, 3))))  # fmt: skip
        _strap(job, loop, 3.0)
        body = blob(at(-w * 0.38, 0), at(0, -0.5), at(w * 0.38, 0), at(w * 0.46, h * 0.5),
                    at(w * 0.50, h * 0.92), at(w * 0.40, h), at(-w * 0.40, h),
                    at(-w * 0.50, h * 0.92), at(-w * 0.46, h * 0.5))  # fmt: skip
        job.fill(body, frame=frame)
        flap = line(at(-w * 0.42, h * 0.10))
        flap.cubicTo(*map(float, (*at(-w * 0.36, h * 0.62), *at(w * 0.36, h * 0.62),
                                  *at(w * 0.42, h * 0.10))))  # fmt: skip
        job.seam(flap, 1.0)
        _clasp(job, at(0, h * 0.47), 2.6 * u)
        trim(job.sheet, body, job.cloth, at(0, 2), at(0, h), w / 2 * u)
    elif cat == "crossbody bag":
        body = blob(at(-w * 0.46, 0.5), at(0, 0), at(w * 0.46, 0.5), at(w * 0.50, h * 0.5),
                    at(w * 0.40, h * 0.96), at(0, h), at(-w * 0.40, h * 0.96),
                    at(-w * 0.50, h * 0.5))  # fmt: skip
        job.fill(body, frame=frame)
        flap = line(at(-w * 0.48, h * 0.30))
        flap.quadTo(*map(float, (*at(0, h * 0.86), *at(w * 0.48, h * 0.30))))
        job.seam(flap, 1.0)
        _clasp(job, at(0, h * 0.58), 2.0 * u)
        trim(job.sheet, body, job.cloth, at(0, 2), at(0, h), w / 2 * u)
    else:
        _pack(job, at, w, h, frame)


def _clasp(job: Job, spot: np.ndarray, r: float) -> None:
    def draw(canvas: skia.Canvas) -> None:
        canvas.drawCircle(float(spot[0]), float(spot[1]), r, brush("#d6ae55"))
        canvas.drawCircle(float(spot[0]), float(spot[1]), r, pen("#5d431c", 0.8))

    job.sheet.paint(draw)


def _pack(job: Job, at, w: float, h: float, frame: Frame) -> None:
    loop = line(at(-5, 2))
    loop.cubicTo(*map(float, (*at(-5, -9), *at(5, -9), *at(5, 2))))
    _strap(job, loop, 2.4)
    for s in (-1, 1):
        side = line(at(s * w * 0.42, 12))
        side.cubicTo(*map(float, (*at(s * w * 0.66, 24), *at(s * w * 0.64, h * 0.8),
                                  *at(s * w * 0.44, h * 0.92))))  # fmt: skip
        _strap(job, side, 3.2)
    body = blob(at(-w * 0.30, 0.5), at(0, -1), at(w * 0.30, 0.5), at(w * 0.46, h * 0.22),
                at(w * 0.50, h * 0.60), at(w * 0.46, h * 0.95), at(w * 0.2, h), at(-w * 0.2, h),
                at(-w * 0.46, h * 0.95), at(-w * 0.50, h * 0.60), at(-w * 0.46, h * 0.22))  # fmt: skip
    job.fill(body, frame=frame, folds=0)
    job.seam(line(at(-w * 0.40, h * 0.40), at(-w * 0.36, h * 0.13), at(0, h * 0.08),
                  at(w * 0.36, h * 0.13), at(w * 0.40, h * 0.40), curved=True), 0.9)  # fmt: skip
    pocket = blob(at(-w * 0.32, h * 0.54), at(0, h * 0.51), at(w * 0.32, h * 0.54),
                  at(w * 0.35, h * 0.74), at(w * 0.30, h * 0.92), at(0, h * 0.94),
                  at(-w * 0.30, h * 0.92), at(-w * 0.35, h * 0.74))  # fmt: skip
    job.fill(pocket, frame=frame, shade=0.7)
    job.seam(line(at(-w * 0.33, h * 0.63), at(w * 0.33, h * 0.63)), 0.9)
    trim(job.sheet, body, job.cloth, at(0, 4), at(0, h * 0.5), w / 2 * job.body.u)


def backpack_behind(job: Job) -> None:
    """The pack's edge behind shoulders and sides."""
    body, u = job.body, job.body.u
    c0, c1 = body.at(0.06), body.at(0.88)
    w0, w1 = body.fig.half["chest"] + 3 * u, body.fig.half["chest"] + 9 * u
    x = body.across
    path = blob(c0 - x * w0 * 0.6 + body.up * 13 * u, c0 + x * w0 * 0.6 + body.up * 13 * u,
                c0 + x * w0, body.at(0.5) + x * w1, c1 + x * w1 * 0.95, c1 - x * w1 * 0.95,
                body.at(0.5) - x * w1, c0 - x * w0)  # fmt: skip
    job.fill(path)


def backpack_straps(job: Job) -> None:
    """Both shoulder straps in front."""
    body = job.body
    for s in (-1, 1):
        a = body.neck_side(s, 9, 2.5)
        strap = line(a)
        strap.cubicTo(*map(float, (*body.at(0.16, 0.52 * s), *body.at(0.30, 0.62 * s),
                                   *body.edge(s, 0.50, 3.0))))  # fmt: skip
        _strap(job, strap, 5.0)


def crossbody_strap(job: Job) -> None:
    """The strap over the chest and the bag on the hip."""
    body, u = job.body, job.body.u
    a = body.neck_side(-1, 6, 2.0)
    end = body.edge(1, 0.96, -3.0)
    strap = line(a)
    strap.quadTo(*map(float, (*(body.at(0.45, 0.16)), *end)))
    _strap(job, strap, 2.8)
    bag_body(job, end + body.across * 4 * u - body.up * 0.5 * u, tilt=4.0)


def carried(job: Job) -> None:
    """Tote or handbag: from a hanging hand, in the crook of a bent arm, or on the shoulder."""
    body, u = job.body, job.body.u
    best, side = -1e9, 1
    for s in (1, -1):
        arm = body.arm(s)[0]
        score = float(arm[2][1] - arm[1][1]) + abs(float(arm[2][0] - body.neck[0])) * 0.3
        if score > best + 3:
            best, side = score, s
    arm = body.arm(side)[0]
    hangs = arm[2][1] - arm[1][1] > 0.10 * body.fig.height and not body.fig.pose.seated
    hangs = hangs and abs(arm[2][0] - body.neck[0]) > body.fig.half["hip"]
    if hangs:
        hand = arm[2] + unit(arm[2] - arm[1]) * 0.032 * body.fig.height
        gap = 17.0 if job.shape.category == "tote bag" else 14.0
        bag_body(job, hand + np.array([side * 2.0, gap]) * u, handle=gap * 1.32)
    elif job.shape.category == "handbag":
        crook = arm[1] + unit(arm[2] - arm[1]) * 9 * u
        bag_body(job, crook + np.array([side * 5.0, 12.0]) * u, handle=18.0)
    else:
        shoulder = body.tip(side, 3)
        top = body.edge(side, 0.52, 10.0)
        for k in (-1, 1):
            loop = line(shoulder + body.across * k * 2.5 * u * side)
            loop.quadTo(*map(float, (*(shoulder * 0.5 + top * 0.5 + side * body.across * 7 * u),
                                     *(top + np.array([k * 9.0 * u, 2.0])))))  # fmt: skip
            _strap(job, loop, 2.4)
        bag_body(job, top, tilt=-4.0 * side, handle=3.0)
