"""Ties and scarves."""

from __future__ import annotations

import numpy as np
import skia

from catalog.croquis.cloth import Frame
from catalog.croquis.paints import contour_color, pen
from catalog.croquis.tailor import Job, blob, line, polygon, smooth


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
    frame = Frame(frame.x, frame.y, frame.angle + 32, frame.scale, 6.5 * u,
                  lie=frame.angle)  # fmt: skip
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
        job.fill(tail, frame=Frame(float(a[0]), float(a[1]), frame.angle, frame.scale, 12 * u),
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
