"""Shoes and boots, on a foot or as a pair alone."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import Frame, pattern_colors
from catalog.croquis.paints import brush, contour_color, lightness, mix, pen
from catalog.croquis.tailor import Job, blob, line, polygon, smooth, unit

_SOLE = "#efece6"


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


def boot_top(job: Job) -> float:
    """Leg level just below the upper edge of a boot."""
    if job.shape.category == "rain boots":
        return 1.38
    return 1.30 if job.shape.length == "calf" else 1.84


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
    _pump(
        job,
        foot,
        [
            (0.16, -h - 0.10),
            (0.50, -0.46),
            (0.80, -0.45),
            (1.04, -0.28),
            (1.12, 0.0),
            (1.0, 0.30),
            (0.76, 0.47),
            (0.50, 0.48),
            (0.12, h + 0.12),
        ],
        [(0.34, 0.30), (0.60, 0.24), (0.68, 0.0), (0.58, -0.27), (0.38, -0.32)],
    )
    knot = foot(0.70, -0.02)
    w = 0.15 * foot.size
    for s in (-1, 1):
        x = unit(foot.out) * w * s
        y = unit(foot.ahead) * w * 0.7
        bow = polygon(knot, knot + x * 1.3 - y, knot + x * 1.3 + y)
        job.sheet.paint(lambda c, bow=bow: c.drawPath(bow, brush(job.cloth.colors[0])))
        job.mark(bow, 0.8)


def _loafer(job: Job, foot: _Foot) -> None:
    h = foot.half
    _sole(job, foot, [(0.35, -0.5), (0.82, -0.51), (1.12, -0.3), (1.19, 0.0), (1.06, 0.34),
                      (0.8, 0.52), (0.4, 0.52), (0.3, 0.0)], _dark_sole(job))  # fmt: skip
    path = _pump(job, foot, [(-0.02, -h - 0.10), (0.40, -0.46), (0.76, -0.46), (1.00, -0.30),
                             (1.07, 0.0), (0.96, 0.32), (0.72, 0.48), (0.40, 0.48),
                             (0.02, h + 0.14)],
                 [(0.10, h), (0.28, 0.20), (0.34, 0.0), (0.28, -0.20), (0.10, -h)])  # fmt: skip
    with job.sheet.clipped(path):
        apron = line(foot(0.30, -0.36), foot(0.70, -0.30), foot(0.86, 0.0), foot(0.70, 0.30),
                     foot(0.30, 0.36), curved=True)  # fmt: skip
        job.mark(apron, 0.9)
        job.mark(line(foot(0.42, -0.6), foot(0.44, 0.6)), 0.8)
        job.mark(line(foot(0.58, -0.6), foot(0.60, 0.6)), 0.8)
        bit = line(foot(0.50, -0.18), foot(0.52, 0.18))
        job.sheet.paint(lambda c: c.drawPath(bit, pen("#c9a24a", 0.10 * foot.size)))


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
    foot, cat = _Foot(job, s), job.shape.category
    h = foot.half
    ground = job.cloth.colors[0]
    tone = mix(ground, "#1a1424" if lightness(ground) > 22 else "#ffffff", 0.10)
    lining = job.cloth.model_copy(
        update={"colors": (tone,), "pattern": "plain", "material": "cotton"}
    )
    if cat in ("heels", "ballet flats", "loafers"):
        points = [(0.0, -h - 0.06), (0.4, -0.36), (0.66, -0.3), (0.74, 0.0), (0.66, 0.3),
                  (0.4, 0.36), (0.0, h + 0.08), (-0.06, 0.0)]  # fmt: skip
        if cat == "loafers":
            points = [(-0.06, -h), (0.2, -h), (0.4, 0.0), (0.2, h), (-0.06, h), (-0.12, 0.0)]
        job.fill(blob(*[foot(a, b) for a, b in points]), cloth=lining,
                 frame=foot.frame(job))  # fmt: skip
    elif cat == "sandals":
        sandal_sole(job, s)
        points = [(0.0, -h), (0.4, -0.38), (0.8, -0.42), (1.04, -0.2), (1.06, 0.1), (0.8, 0.42),
                  (0.4, 0.4), (0.0, h), (-0.1, 0.0)]  # fmt: skip
        job.fill(blob(*[foot(a, b) for a, b in points]), frame=foot.frame(job),
                 cloth=lining)  # fmt: skip
