"""Hats, glasses and sunglasses."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import Frame, pattern_colors
from catalog.croquis.paints import brush, contour_color, detail_color, mix, pen
from catalog.croquis.tailor import Job, blob, line, smooth
from catalog.croquis.trims import stitches, trim


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
    crown = blob(
        *[
            at(x, y)
            for x, y in (
                (-1.16, -0.40),
                (-1.14, -0.86),
                (-0.78, -1.30),
                (0, -1.46),
                (0.78, -1.30),
                (1.14, -0.86),
                (1.16, -0.40),
                (0, -0.3),
            )
        ]
    )
    job.fill(crown, frame=at.frame)
    band = line(at(-1.20, -0.30))
    band.quadTo(*map(float, (*at(-1.26, -0.52), *at(-1.20, -0.74))))
    band.quadTo(*map(float, (*at(0, -0.92), *at(1.20, -0.74))))
    band.quadTo(*map(float, (*at(1.26, -0.52), *at(1.20, -0.30))))
    band.quadTo(*map(float, (*at(0, -0.46), *at(-1.20, -0.30))))
    band.close()
    job.fill(band, frame=at.frame)
    with job.sheet.clipped(band):
        ribs = skia.Path()
        for x in np.linspace(-1.05, 1.05, 12):
            ribs.moveTo(*map(float, at(x, -0.28)))
            ribs.lineTo(*map(float, at(x * 0.98, -0.92)))
        job.mark(ribs, 0.8, 0.75)


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
    crown = [(-1.10, -0.62), (-1.08, -0.95), (-0.80, -1.32), (0, -1.46), (0.80, -1.32),
             (1.08, -0.95), (1.10, -0.62)]  # fmt: skip
    _brim_hat(job, at, 2.35, 0.34, crown, -0.62)


def _fedora(job: Job, at: _Head) -> None:
    crown = [(-1.12, -0.64), (-1.04, -1.0), (-0.82, -1.48), (-0.42, -1.60), (0.0, -1.46),
             (0.42, -1.60), (0.82, -1.48), (1.04, -1.0), (1.12, -0.64)]  # fmt: skip
    _brim_hat(job, at, 1.78, 0.23, crown, -0.64)
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
