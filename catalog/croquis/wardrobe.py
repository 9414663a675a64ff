"""Dressing a figure, and the shop's photograph of one garment. One cloth code for both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import skia

from catalog.croquis import (
    bags,
    bottoms,
    collars,
    footwear,
    headgear,
    neckwear,
    onepieces,
    outerwear,
    portrait,
    sleeves,
    tops,
)
from catalog.croquis.cloth import (
    PATTERNS,
    PATTERNS_BASE,
    PRINTS_HELD,
    TRIMS_BASE,
    TRIMS_HELD,
    inside,
    pattern_class,
)
from catalog.croquis.cuts import ease_of, upper_path
from catalog.croquis.figure import KEYPOINTS, Figure, Person, Pose, pose
from catalog.croquis.sheet import FIRST_GARMENT, HEIGHT, WIDTH, Sheet
from catalog.croquis.tailor import Body, Job
from catalog.garment import CATEGORIES, Cloth, Shape

__all__ = [
    "PATTERNS",
    "PATTERNS_BASE",
    "PRINTS_HELD",
    "TRIMS_BASE",
    "TRIMS_HELD",
    "dress",
    "flat",
    "pattern_class",
]

_POCKETS = ("jeans", "trousers", "shorts", "jumpsuit", "coat", "trench coat", "raincoat",
            "puffer jacket")  # fmt: skip
_REACH = {"none": 0, "short": 1, "elbow": 2, "long": 3}
_OPEN_SHOES = ("sandals", "heels", "ballet flats", "loafers")


def dress(
    sheet: Sheet,
    fig: Figure,
    outfit: Sequence[tuple[Shape, Cloth]],
    *,
    seed: int = 0,
    sleeves_rolled: bool = False,
    sleeves_down: Sequence[int] = (),
) -> None:
    """Draw ``fig`` wearing ``outfit``; garment ``i`` gets region ``FIRST_GARMENT + i``.

    The ground of the sheet is left alone. Layers follow from the garments' slots, not from their
    order; of two garments in one slot the later lies on top.
    """
    body = Body(fig)
    jobs: dict[str, list[Job]] = {slot: [] for slot in _SLOTS}
    for i, (shape, cloth) in enumerate(outfit):
        rolled = sleeves_rolled and i not in sleeves_down
        job = Job(sheet, body, shape, cloth, FIRST_GARMENT + i, seed * 31 + i, rolled)
        jobs[CATEGORIES[shape.category].slot].append(job)
    shirts = sorted(jobs["top"], key=lambda job: job.shape.open)
    covered = bool(jobs["headwear"])
    behind = fig.pose.behind
    packs = [job for job in jobs["bag"] if job.shape.category == "backpack"]

    portrait.hair_behind(sheet, fig, covered=covered)
    for job in packs:
        bags.backpack_behind(job)
    sleeved = [*shirts, *jobs["onepiece"], *jobs["outerwear"]]
    for job in sleeved[:-1]:
        job.rolled = False  # only the outermost sleeve is rolled, over the one below
    if jobs["outerwear"]:
        for job in shirts:
            job.under = True
    for s, tag in ((-1, "r"), (1, "l")):
        if f"{tag}_arm" in behind:
            _arm(sheet, fig, s, tag, sleeved, jobs)
    for job in jobs["outerwear"]:
        outerwear.outer_back(job)
    _legs(sheet, fig, jobs)
    portrait.torso(sheet, fig)
    for job in sleeved:
        collars.behind_head(job)
    portrait.head(sheet, fig)
    lower = jobs["bottom"]
    for shoe in jobs["footwear"]:
        if _over_trousers(shoe, jobs):
            lower[0].tucked_f = footwear.boot_top(shoe)
    tucked = [job for job in shirts if _tucks(job, lower)]
    for job in tucked:
        job.tucked = job.under = True
        tops.top(job)
    for job in lower:
        bottoms.bottom(job)
    if lower or jobs["onepiece"]:
        _boots(jobs, over=True)
    for job in shirts:
        if job not in tucked and not job.shape.open:
            tops.top(job)
    for job in jobs["onepiece"]:
        onepieces.onepiece(job)
    if not lower and jobs["onepiece"]:
        _boots(jobs, over=True)
    ties = [job for job in jobs["neckwear"] if job.shape.category == "tie"]
    if not any(job.shape.open for job in shirts):
        for job in ties:
            neckwear.tie(job)
    for job in shirts:
        if job.shape.open:
            for knot in ties:
                neckwear.tie(knot)
            tops.top(job)
    for job in jobs["outerwear"]:
        outerwear.outer(job)
    for job in packs:
        bags.backpack_straps(job)
    for job in jobs["bag"]:
        if job.shape.category == "crossbody bag":
            bags.crossbody_strap(job)
    for job in jobs["neckwear"]:
        if job.shape.category == "scarf":
            neckwear.scarf(job)
    for s, tag in ((-1, "r"), (1, "l")):
        if f"{tag}_arm" not in behind:
            _arm(sheet, fig, s, tag, sleeved, jobs)
    portrait.hair_front(sheet, fig, covered=covered)
    for job in jobs["eyewear"]:
        headgear.eyewear(job)
    for job in jobs["headwear"]:
        headgear.headwear(job)
    for job in jobs["bag"]:
        if job.shape.category in ("tote bag", "handbag"):
            bags.carried(job)


_SLOTS = ("top", "bottom", "onepiece", "outerwear", "footwear", "headwear", "eyewear",
          "neckwear", "bag")  # fmt: skip


def _tucks(job: Job, lower: Sequence[Job]) -> bool:
    """Whether a top goes inside the bottom's waistband."""
    if not lower or job.shape.open:
        return False
    cat, fit = job.shape.category, job.shape.fit
    skirt = "skirt" in lower[0].shape.category
    if cat in ("blouse", "tank top"):
        return True
    return skirt and (cat in ("shirt", "turtleneck", "polo shirt") or fit == "slim")


def _arm(sheet: Sheet, fig: Figure, s: int, tag: str, sleeved: Sequence[Job], jobs) -> None:
    """An arm, its hand, and its sleeves from the inside out."""
    # a long sleeve hides the arm altogether
    if not any(job.shape.sleeves == "long" and not job.rolled for job in sleeved):
        portrait.arm(sheet, fig, tag)
    # hands vanish in pockets only where there are some
    pockets = [*jobs["bottom"], *jobs["onepiece"], *jobs["outerwear"]]
    pocketed = fig.pose.name == "hands in pockets" and any(
        job.shape.category in _POCKETS for job in pockets
    )
    if not pocketed:
        portrait.hand(sheet, fig, tag)
    for k, job in enumerate(sleeved):
        # a longer sleeve above hides this one
        above = [j for j in sleeved[k + 1 :] if not (j.rolled and j.shape.sleeves == "long")]
        if not any(_REACH[j.shape.sleeves] >= _REACH[job.shape.sleeves] for j in above):
            sleeves.sleeve(job, s)


def _legs(sheet: Sheet, fig: Figure, jobs: dict[str, list[Job]]) -> None:
    order = ((-1, "r"), (1, "l"))
    closed = [j for j in jobs["footwear"] if j.shape.category not in _OPEN_SHOES]
    for s, tag in order:
        for job in jobs["footwear"]:
            footwear.sandal_sole(job, s)
        if not closed:
            portrait.foot(sheet, fig, tag)
        portrait.leg(sheet, fig, tag)
    _boots(jobs, over=False)


def _over_trousers(job: Job, jobs: dict[str, list[Job]]) -> bool:
    """Tall boots go over slim legs; wide legs fall over every shoe."""
    if job.shape.category not in ("boots", "rain boots"):
        return False
    if not jobs["bottom"]:
        return False
    fit = jobs["bottom"][0].shape.fit
    if job.shape.category == "rain boots":
        return fit != "loose"
    return fit == "slim" and job.shape.length in ("calf", "ankle")


def _boots(jobs: dict[str, list[Job]], *, over: bool) -> None:
    for job in jobs["footwear"]:
        if _over_trousers(job, jobs) == over:
            for s in (-1, 1):
                footwear.shoe(job, s)


# --- product photos ---------------------------------------------------------------------------


def flat(sheet: Sheet, shape: Shape, cloth: Cloth, *, seed: int = 0) -> None:
    """A web shop's photo of one garment alone, as region ``FIRST_GARMENT``.

    ``seed`` varies size, angle, place, light and background; the garment fills 60–85 % of the
    frame. Shoes come as a pair.
    """
    rng = np.random.default_rng(seed)
    fill, angle = rng.uniform(0.70, 0.86), rng.uniform(-5.0, 5.0)
    dx, dy = rng.uniform(-7, 7), rng.uniform(-9, 9)
    left, top, right, bottom = _extent(shape)
    size = min(WIDTH * fill / (right - left), HEIGHT * fill / (bottom - top))
    cx, cy = (left + right) / 2, (top + bottom) / 2
    placed = _neutral(shape).moved(size, WIDTH / 2 - cx * size, HEIGHT / 2 - cy * size)
    _backdrop(sheet, rng, (right - left) * size, (bottom - top) * size, dx, dy)
    matrix = skia.Matrix.Translate(dx, dy)
    matrix.preRotate(angle, WIDTH / 2, HEIGHT / 2)
    with sheet.transformed(matrix):
        _lay_out(sheet, Body(Figure(_NOBODY, placed)), shape, cloth, seed)


_NOBODY = Person(presentation="person")


def _lay_out(sheet: Sheet, body: Body, shape: Shape, cloth: Cloth, seed: int) -> None:
    """The garment on nobody."""
    job = Job(sheet, body, shape, cloth, FIRST_GARMENT, seed)
    slot = CATEGORIES[shape.category].slot
    if slot in ("top", "outerwear", "onepiece"):
        if slot == "outerwear":
            outerwear.outer_back(job)
        collars.behind_head(job)
        if shape.open:
            _lining(job)
        elif shape.category != "turtleneck":
            collars.neck_back(job)
        draw = {"top": tops.top, "outerwear": outerwear.outer, "onepiece": onepieces.onepiece}[slot]
        draw(job)
        for s in (-1, 1):
            sleeves.sleeve(job, s)
    elif slot == "bottom":
        bottoms.bottom(job)
    elif slot == "footwear":
        for s in (-1, 1):
            footwear.shoe_lining(job, s)
            footwear.shoe(job, s)
    elif slot == "headwear":
        headgear.headwear(job)
    elif slot == "eyewear":
        headgear.eyewear(job)
    elif shape.category == "tie":
        neckwear.tie(job)
    elif shape.category == "scarf":
        neckwear.scarf(job)
    else:
        crossbody = shape.category == "crossbody bag"
        bags.bag_body(job, body.at(0.3), handle=44.0 if crossbody else 26.0)


def _lining(job: Job) -> None:
    """The inside of the back, seen in an empty neckline or between two open fronts."""
    body = job.body
    t_end, skirt, grow, flare = outerwear.coat_cut(job)
    if not job.shape.open:
        skirt, t_end = (), 0.9
    path = upper_path(
        body,
        job.shape,
        wide=2.0,
        deep=-5.0,
        t_end=t_end - 0.01,
        ease=ease_of(job) - 1.0,
        skirt=skirt,
        grow=grow,
        flare=flare,
        hem=1.0,
    )
    job.fill(path, cloth=inside(job.cloth))


@lru_cache(64)
def _neutral(shape: Shape) -> Pose:
    """Standing, arms slightly away, feet together for shoes."""
    preset = pose("standing", _NOBODY)
    points = preset.array()
    names = {name: i for i, name in enumerate(KEYPOINTS)}
    if CATEGORIES[shape.category].slot == "footwear":
        middle = points[[names["r_hip"], names["l_hip"]], 0].mean()
        apart = 0.033 * preset.height
        for s, tag in ((-1, "r"), (1, "l")):
            for joint in ("hip", "knee", "ankle"):
                points[names[f"{tag}_{joint}"], 0] = middle + s * apart
    else:
        middle = points[names["neck"], 0]
        for joint in ("shoulder", "hip", "knee", "ankle", "eye", "ear"):
            r, l_ = points[names[f"r_{joint}"]].copy(), points[names[f"l_{joint}"]].copy()
            half, level = (l_[0] - r[0]) / 2, (l_[1] + r[1]) / 2
            points[names[f"r_{joint}"]] = middle - half, level
            points[names[f"l_{joint}"]] = middle + half, level
        for s, tag in ((-1, "r"), (1, "l")):
            shoulder = points[names[f"{tag}_shoulder"]]
            for joint, reach in (("elbow", 0.160), ("wrist", 0.302)):
                rad = np.radians(10)
                way = np.array([s * np.sin(rad), np.cos(rad)])
                points[names[f"{tag}_{joint}"]] = shoulder + way * reach * preset.height
    flat_points = tuple((float(x), float(y)) for x, y in points)
    return Pose("flat", flat_points, preset.height)


@lru_cache(256)
def _extent(shape: Shape) -> tuple[float, float, float, float]:
    """Bounds of the garment on the neutral figure."""
    sheet = Sheet(1.0, picture=False)
    _lay_out(sheet, Body(Figure(_NOBODY, _neutral(shape))), shape, Cloth(colors=("#888888",)), 0)
    ys, xs = np.nonzero(sheet.regions() == FIRST_GARMENT)
    return float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)


def _backdrop(sheet: Sheet, rng, width: float, height: float, dx: float, dy: float) -> None:
    """A light studio ground with a gradient and the garment's soft shadow."""
    tint = np.array([240, 239, 237]) + rng.normal(0, 4, 3) + rng.uniform(-8, 10)
    light = [int(v) for v in np.clip(tint + 7, 0, 255)]
    dark = [int(v) for v in np.clip(tint - rng.uniform(6, 16), 0, 255)]
    way = rng.uniform(0, WIDTH)
    if not sheet.draws_picture:
        return
    ground = skia.Paint(
        Shader=skia.GradientShader.MakeLinear(
            [skia.Point(way, 0), skia.Point(WIDTH - way, HEIGHT)],
            [skia.Color(*light), skia.Color(*dark)],
        )
    )
    cx, cy = WIDTH / 2 + dx + 4, HEIGHT / 2 + dy + 6
    shadow = skia.Paint(
        AntiAlias=True,
        Color=skia.ColorSetARGB(52, 40, 34, 52),
        MaskFilter=skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 14),
    )
    oval = skia.Rect.MakeLTRB(
        cx - width * 0.40, cy - height * 0.40, cx + width * 0.40, cy + height * 0.44
    )

    def draw(canvas: skia.Canvas) -> None:
        canvas.drawPaint(ground)
        canvas.drawRoundRect(oval, 30, 30, shadow)

    sheet.paint(draw)
