"""The page's own drawings, as HTML text: the easel, the list of garments, the pose figures.

Every text from outside is escaped here; nothing below knows about Gradio.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from catalog.croquis.figure import KEYPOINTS, POSES, pose
from catalog.croquis.palette import COLORS
from catalog.croquis.scene import SCENES
from catalog.errors import StylistError

STAGES = {
    "layout": "Laying out the outfit",
    "adapters": "Fetching the garments",
    "draw": "Drawing",
    "decode": "Developing the picture",
    "save": "Pinning it to the lookbook",
}
TIPS = (
    "swap the boots",
    "make it warmer",
    "same, but nothing black",
    "half autumn, half winter",
    "hands on hips, in a park",
)
LIMBS = (
    ("neck", "r_shoulder", "r_elbow", "r_wrist"),
    ("neck", "l_shoulder", "l_elbow", "l_wrist"),
    ("r_hip", "r_knee", "r_ankle"),
    ("l_hip", "l_knee", "l_ankle"),
)


def easel(
    picture: str = "",
    caption: str = "",
    step: int = 0,
    steps: int = 0,
    look: str = "",
    marks: str = "",
    brush: int = 0,
    erase: bool = False,
) -> str:
    """The picture in its mount, by its address; with ``steps`` it is still being drawn.

    ``look``: its id, so that clicks on it can be told. ``marks``: address of what is marked in it.
    ``brush``: width of the brush that paints there, and whether it takes away.
    """
    if not picture and not steps:
        return (
            f'<figure class="easel empty"><div class="mount">{figure("contrapposto")}</div>'
            "<figcaption>Your look is drawn here.</figcaption></figure>"
        )
    inside = figure("standing")
    if picture:
        id = f' data-look="{escape(look)}"' if look else ""
        if brush:
            id += f' data-brush="{brush}"' + (' data-erase="yes"' if erase else "")
        inside = f'<img src="{picture}" alt="{escape(caption)}"{id}>'
    if marks:
        inside += f'<img class="marks" src="{marks}" alt="">'
    bar = ""
    if steps:
        share = round(100 * step / steps)
        bar = f'<div class="bar"><i style="width:{share}%"></i></div>'
    state = " drawing" if steps else ""
    return (
        f'<figure class="easel{state}"><div class="mount">{inside}</div>{bar}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def sketch(picture: str) -> str:
    """The unfinished picture inside the conversation, for narrow screens."""
    return f'<img class="sketch" src="{picture}" alt="The look, half drawn">'


def print_(picture: str, plan: Mapping[str, Any] | None) -> str:
    """The finished picture inside the conversation."""
    return f'<img class="print" src="{picture}" alt="{escape(alt_text(plan))}">'


def details(plan: Mapping[str, Any] | None, shades: Mapping[str, Sequence[str]]) -> str:
    """What is worn and why. ``shades``: garment id → its colours ``#rrggbb``, ground first."""
    if not plan:
        tips = "".join(f"<li>{tip}</li>" for tip in TIPS)
        return f'<section class="tips"><h3>And then go on</h3><ul>{tips}</ul></section>'
    rows = "".join(
        f'<li><span class="swatch" style="background:{swatch(shades.get(g["id"]), g["color"])}" '
        f'title="{escape(described(g))}"></span>'
        f'<span class="what"><b>{escape(str(g["name"]))}</b><em>{escape(str(g["why"]))}</em></span>'
        f'<span class="price">{money(g["price"])}</span></li>'
        for g in plan["garments"]
    )
    return (
        f'<section class="details"><ul>{rows}</ul>'
        f'<div class="total"><span>Together</span><span>{money(plan["price_total"])}</span></div>'
        "</section>"
    )


def notes(plan: Mapping[str, Any] | None) -> str:
    """Warmth, weather, season, and what was assumed or could not be met."""
    if not plan:
        return ""
    facts = []
    if plan.get("temperature_c") is not None:
        facts.append(f"{plan['temperature_c']:g} °C")
    facts.append(f"{plan['clo_total']:.1f} clo")
    season = plan.get("season") or {}
    facts += [f"{share:.0%} {name}" if share < 1 else name for name, share in season.items()]
    said = "".join(
        f"<p><span>{label}</span> {escape('; '.join(map(str, plan[key])))}</p>"
        for key, label in (("assumptions", "I assumed"), ("unmet", "I could not"))
        if plan.get(key)
    )
    return f'<div class="notes"><p>{escape(" · ".join(facts))}</p>{said}</div>'


def poses(current: str | None) -> str:
    """A row of small figures to pick a pose from; without ``current`` they cannot be picked."""
    return _picker("Pose", POSES, current, figure)


def scenes(current: str | None) -> str:
    return _picker("Scene", SCENES, current, lambda name: "")


def strip(pictures: Sequence[str], said: Sequence[str], shown: int) -> str:
    """The looks of a conversation with what was asked for each, to turn back to."""
    if len(pictures) < 2:
        return ""
    buttons = "".join(
        f'<button type="button" data-word="{i}" aria-pressed="{str(i == shown).lower()}" '
        f'title="{escape(words)}"><img src="{picture}" alt="{escape(words)}"></button>'
        for i, (picture, words) in enumerate(zip(pictures, said, strict=True))
    )
    return f'<div class="strip">{buttons}</div>'


def _picker(title, names, current, draw) -> str:
    off = "" if current else " disabled"
    buttons = "".join(
        f'<button type="button" data-word="{escape(name)}" '
        f'aria-pressed="{str(name == current).lower()}"{off}>{draw(name)}'
        f"<span>{escape(name)}</span></button>"
        for name in names
    )
    return f'<div class="picker {title.lower()}"><h3>{title}</h3><div>{buttons}</div></div>'


def figure(name: str) -> str:
    """The pose ``name`` as a small SVG mannequin."""
    points = pose(name).array()

    def at(*names: str) -> str:
        return " ".join("{:.0f},{:.0f}".format(*points[KEYPOINTS.index(n)]) for n in names)

    limbs = "".join(f'<polyline points="{at(*limb)}"/>' for limb in LIMBS)
    neck, nose = points[KEYPOINTS.index("neck")], points[KEYPOINTS.index("nose")]
    shoulders = [points[KEYPOINTS.index(f"{side}_shoulder")] for side in "rl"]
    hips = [points[KEYPOINTS.index(f"{side}_hip")] for side in "lr"]
    waist = [0.38 * np.mean(shoulders, 0) + 0.62 * np.mean(hips, 0)] * 2
    waist = [w + 0.82 * (h - np.mean(hips, 0)) for w, h in zip(waist, hips, strict=True)]
    outline = [*shoulders, waist[0], *hips, waist[1]]
    torso = " ".join("{:.0f},{:.0f}".format(*p) for p in outline)
    throat = "{:.0f},{:.0f} {:.0f},{:.0f}".format(*nose, *neck)
    middle = (points[:, 0].min() + points[:, 0].max()) / 2
    return (
        f'<svg viewBox="{middle - 85:.0f} 12 170 350" aria-hidden="true">'
        f'<polyline class="throat" points="{throat}"/>{limbs}<polygon points="{torso}"/>'
        f'<ellipse cx="{nose[0]:.0f}" cy="{nose[1] - 4:.0f}" rx="14" ry="19"/></svg>'
    )


def swatch(shades: Sequence[str] | None, word: str) -> str:
    """CSS background of a garment's colours; by its colour word when the shades are unknown."""
    colors = [c for c in shades or () if _is_hex(c)] or [COLORS.get(word, ("#b9b2a6",))[0]]
    if len(colors) == 1:
        return colors[0]
    stops = ["0 46%", "46% 68%", "68% 100%"] if len(colors) > 2 else ["0 56%", "56% 100%"]
    parts = ", ".join(f"{c} {s}" for c, s in zip(colors, stops, strict=False))
    return f"linear-gradient(135deg, {parts})"


def _is_hex(color: str) -> bool:
    return len(color) == 7 and color[0] == "#" and all(c in "0123456789abcdef" for c in color[1:])


def described(garment: Mapping[str, Any]) -> str:
    words = (garment[k] for k in ("color", "pattern", "material", "category"))
    return " ".join(str(w) for w in words if w not in ("plain", "none", ""))


def alt_text(plan: Mapping[str, Any] | None) -> str:
    """What a picture of ``plan`` shows, for people who do not see it."""
    if not plan:
        return "The look, drawn."
    worn = ", ".join(described(g) for g in plan["garments"])
    return f"Drawing of a figure, {plan['pose']}, {plan['scene']}, wearing {worn}."


def money(amount: float) -> str:
    return f"€ {amount:,.0f}" if float(amount).is_integer() else f"€ {amount:,.2f}"


def stage_words(stage: str, step: int, steps: int) -> str:
    words = STAGES.get(stage, stage.capitalize())
    return f"{words}, step {step} of {steps}" if stage == "draw" else words


def preview_address(picture: np.ndarray) -> str:
    """A preview ``(H, W, 3)`` (uint8, or float 0–1) as a data URI."""
    pixels = np.asarray(picture)
    if pixels.dtype != np.uint8:
        pixels = (np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def marks_address(mask: np.ndarray) -> str:
    """A mask, bool ``(H, W)``, as a tint with a rim to lay over the picture; a data URI."""
    rim = mask & ~_shrunk(mask)
    tint = np.zeros((*mask.shape, 4), np.uint8)
    tint[mask] = (*MARK, 92)
    tint[rim] = (255, 252, 244, 255)
    buffer = io.BytesIO()
    Image.fromarray(tint).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


MARK = (154, 74, 52)
"""The page's accent colour."""


def _shrunk(mask: np.ndarray) -> np.ndarray:
    inside = np.pad(mask, 3)
    for axis in (0, 1):
        inside = np.logical_and.reduce([np.roll(inside, n, axis) for n in range(-2, 3)])
    return inside[3:-3, 3:-3]


def card_shades(catalog: Any, plan: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    """Garment id → the colours on its card, as they are drawn, for those still in the catalog."""
    shades = {}
    for worn in plan["garments"] if plan else ():
        try:
            colors = tuple(catalog.get(worn["id"]).cloth.colors)
        except StylistError:
            continue
        drawn = COLORS.get(str((worn.get("drawn") or {}).get("color")))
        shades[worn["id"]] = (drawn[len(drawn) // 2], *colors[1:]) if drawn else colors
    return shades
