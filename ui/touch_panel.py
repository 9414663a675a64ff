"""The touch-up panel: click a garment of the picture, see what is marked, pick what changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from agent.touching import Mark
from catalog.croquis.palette import COLORS
from catalog.errors import BadValue, ModelUnavailable, StylistError
from catalog.garment import Garment
from tools.outfit import check
from tools.wish import Wish
from ui import lookbook
from ui.pictures import picture_address

if TYPE_CHECKING:
    from agent.stylist import Stylist

CLICK = """
const told = (event, keep) => {
  const img = event.target.closest('.mount')?.querySelector('img[data-look]');
  if (!img) return;
  event.preventDefault();
  const box = img.getBoundingClientRect();
  const scale = Math.min(box.width / img.naturalWidth, box.height / img.naturalHeight);
  const x = (event.clientX - box.left - (box.width - img.naturalWidth * scale) / 2) / scale;
  const y = (event.clientY - box.top - (box.height - img.naturalHeight * scale) / 2) / scale;
  if (x < 0 || y < 0 || x >= img.naturalWidth || y >= img.naturalHeight) return;
  trigger('select', {x: x, y: y, keep: keep, look: img.dataset.look});
};
element.addEventListener('click', (event) => told(event, true));
element.addEventListener('contextmenu', (event) => told(event, false));
"""
"""Left click adds, right click takes away, in the picture's own pixels however it is shown."""
Turn = dict[str, Any]
"""A turn of the page's book, with its ``look`` and ``plan``."""
OFFERED = 6
"""Garments of the same slot that are shown to exchange one for."""
_SLEEVED = ("top", "onepiece", "outerwear")
_LONG = ("top", "bottom", "onepiece", "outerwear")


@dataclass(frozen=True)
class Part:
    """What is marked in a look."""

    look: str
    garment: str
    masks: tuple[np.ndarray, ...]
    """Candidates, bool ``(H, W)``."""
    own: bool
    """Whether the first candidate is the garment's own mask, known without a model."""
    points: tuple[tuple[float, float, bool], ...] = ()
    number: int = 0
    """Which candidate counts."""
    removing: bool = False
    """Whether a plain click takes away."""

    @property
    def mask(self) -> np.ndarray:
        return self.masks[self.number]

    def mark(self, change: dict[str, Any] | None = None) -> Mark:
        """As a turn of the talk takes it."""
        mask = None if self.own and self.number == 0 else self.mask
        return Mark(self.look, self.garment, mask, change)


def marked(
    studio: Any, look: str, before: Part | None, x: float, y: float, keep: bool
) -> Part | None:
    """What is marked after a click at (x, y) of a look; None = nothing any more.

    The look knows its garments' masks, so the first click means the garment under it, and a model
    adds candidates. Further clicks refine with the model; without one they choose another garment,
    or let go of this one.

    Raises:
        BadValue: no garment is there, or it lies outside the picture.
    """
    masks = studio.garment_masks(look)
    rows, columns = next(iter(masks.values())).shape
    if not (0 <= x < columns and 0 <= y < rows):
        raise BadValue("That is outside the picture.", "Click on a garment.")
    under = next((id for id, mask in masks.items() if mask[int(y), int(x)]), None)
    before = before if before is not None and before.look == look else None
    points = (*(before.points if before else ()), (x, y, keep))
    try:
        found = studio.segment(look, points=points) if before or keep else None
    except ModelUnavailable:
        found = None
    if before is None:
        if under is None or not keep:
            raise BadValue("There is no garment just there.", "Click on one, or pick its name.")
        seen = tuple(c.mask for c in found.candidates if c.mask.any()) if found else ()
        return Part(look, under, seen or (masks[under],), own=True, points=points)
    if found is not None:
        seen = tuple(c.mask for c in found.candidates if c.mask.any())
        if not seen:
            return None
        return Part(look, found.garment or before.garment, seen, own=False, points=points)
    if not keep:
        return None if under == before.garment else before
    if under is None:
        return before
    return Part(look, under, (masks[under],), own=True, points=((x, y, True),))


def named(studio: Any, look: str, garment: str) -> Part:
    """The part that naming a garment marks. Raises UnknownName, and BadValue when it is hidden."""
    found = studio.segment(look, garment=garment)
    return Part(look, str(found.garment), (found.mask,), own=True)


class TouchPanel:
    """The panel's components and what clicks and buttons mean."""

    def __init__(
        self,
        stylist: Stylist,
        newest: Callable[[Any, gr.Request], Turn | None],
        begin: Callable[[str, gr.Request], str],
    ) -> None:
        """``newest``: the visitor's own turn whose look is the present one, None when there is
        none or it is being changed. ``begin`` begins a turn and returns its message.
        """
        self.stylist, self.studio = stylist, stylist.studio
        self._newest, self._begin = newest, begin
        self.part: Any = None
        self.controls: Any = None
        self.compare: Any = None

    def place(self, pick: str) -> None:
        """Put the components here; ``pick`` is the script that tells which button was pressed."""
        self.part = gr.State(None)
        self.controls = gr.HTML("", elem_id="touch", js_on_load=pick)
        self.compare = gr.ImageSlider(
            elem_id="compare", show_label=False, label="Before and after", container=False,
            interactive=False, buttons=[], visible=False, max_height=640, slider_position=50,
        )  # fmt: skip

    def outputs(self) -> list[Any]:
        return [self.part, self.controls, self.compare]

    def wire(self, easel: Any, memory: Any, pending: Any, private: dict[str, Any]) -> Any:
        """Listen to clicks into the ``easel`` and to the buttons; returns what may begin a turn."""

        def point(
            event: gr.EventData, book: Any, part: Part | None, request: gr.Request
        ) -> dict[Any, Any]:
            turn = self._newest(book, request)
            if turn is None:
                return {self.part: part}
            try:
                part = self.clicked(event._data, turn["look"], part)
            except StylistError as error:
                gr.Info(str(error))
                return {self.part: part}
            return shown(turn, part)

        def choose(
            event: gr.EventData, book: Any, part: Part | None, request: gr.Request
        ) -> dict[Any, Any]:
            turn, word = self._newest(book, request), str(event._data.get("word"))
            if turn is None:
                return {pending: ""}
            if word == "compare":
                return {pending: "", self.compare: self.pair(turn["look"])}
            if word == "undo":
                return {pending: self._begin("Undo", request), self.part: None}
            try:
                part, change, said = self.chosen(word, turn, part)
            except StylistError as error:
                gr.Info(str(error))
                return {pending: ""}
            if change is not None and part is not None:
                return {pending: self._begin(said, request), self.part: part.mark(change)}
            return {pending: "", **shown(turn, part)}

        def shown(turn: Turn, part: Part | None) -> dict[Any, Any]:
            return {
                easel: self.mounted(turn, part),
                self.part: part,
                self.controls: self.html(turn, part),
            }

        outputs, asked = [easel, *self.outputs()], [memory, self.part]
        easel.select(point, asked, outputs, queue=False, **private)
        return self.controls.select(choose, asked, [pending, *outputs], queue=False, **private)

    def mounted(self, turn: Turn, part: Part | None = None) -> str:
        """The picture of a turn in its mount, with what is marked in it, as HTML text."""
        try:
            address = picture_address(self.studio.look(turn["look"]).image)
        except StylistError:
            return lookbook.easel()
        marks = lookbook.marks_address(part.mask) if part is not None else ""
        return lookbook.easel(address, turn["user"], look=turn["look"], marks=marks)

    def at_rest(self, turn: Turn | None, newest: bool = True) -> dict[Any, Any]:
        """The panel with nothing marked, for the look of ``turn``."""
        shown = self.html(turn, None) if turn and newest else ""
        return {self.part: None, self.controls: shown, self.compare: gr.update(visible=False)}

    def clicked(self, told: dict[str, Any], look: str, part: Part | None) -> Part | None:
        """What is marked after a click that the page told of. Raises BadValue."""
        if told.get("look") != look:
            raise BadValue("This is an earlier look.", "The newest one can be touched up.")
        try:
            x, y = float(told["x"]), float(told["y"])
        except (KeyError, TypeError, ValueError):
            raise BadValue("That was no click.", "Click on a garment.") from None
        removing = part is not None and part.removing
        keep = bool(told.get("keep", True)) and not removing
        now = marked(self.studio, look, part, x, y, keep)
        return now and replace(now, removing=removing)

    def chosen(
        self, word: str, turn: Turn, part: Part | None
    ) -> tuple[Part | None, dict[str, Any] | None, str]:
        """What a button does: the part after it, a change to make, and what is said with it.

        Raises BadValue, UnknownName for what the page cannot have offered.
        """
        kind, _, value = word.partition(":")
        if kind == "garment":
            return named(self.studio, turn["look"], value), None, ""
        if kind == "clear" or part is None or part.look != turn["look"]:
            return None, None, ""
        if kind == "mode":
            return replace(part, removing=value == "remove"), None, ""
        if kind == "next":
            return replace(part, number=(part.number + 1) % len(part.masks)), None, ""
        name = self._name(turn, part.garment)
        if kind == "color" and value in COLORS:
            return part, {"color": value}, f"{name}: in {value}"
        if kind in ("sleeves", "length") and value in ("shorter", "longer"):
            said = f"{value} sleeves" if kind == "sleeves" else value
            return part, {kind: value}, f"{name}: {said}"
        if kind == "swap":
            return part, {"swap": value}, f"{self.studio.garment(value).name} instead of {name}"
        if kind == "again":
            return part, {"garment": part.garment}, f"{name}: draw it again"
        raise BadValue("There is no such change.", "Pick one that is shown.")

    def pair(self, look: str) -> Any:
        """The slider with the look and the one it came from; hidden when there is none."""
        try:
            after = self.studio.look(look)
            before = self.studio.look(after.receipt.parent or "")
        except StylistError:
            return gr.update(visible=False)
        return gr.update(value=(before.image, after.image), visible=True)

    def html(self, turn: Turn, part: Part | None) -> str:
        """The panel as HTML text."""
        plan = turn["plan"] or {"garments": []}
        try:
            seen = {id for id, m in self.studio.garment_masks(turn["look"]).items() if m.any()}
            parent = self.studio.look(turn["look"]).receipt.parent
        except StylistError:
            return ""
        garment = part.garment if part else None
        names = "".join(
            _button(f"garment:{g['id']}", escape(str(g["name"])), pressed=g["id"] == garment)
            for g in plan["garments"]
            if g["id"] in seen
        )
        tools = _button("undo", "Undo") + _button("compare", "Before | after") if parent else ""
        head = f'<div class="head"><h3>Touch up</h3><div class="tools">{tools}</div></div>'
        if part is None:
            hint = "Click a garment in the picture, or pick one; everything else stays as it is."
            return f'<div class="picker touch">{head}<p>{hint}</p><div>{names}</div></div>'
        rows = [f"<div>{names}</div>", _marking(part), _colors(plan, part.garment)]
        card = self.studio.garment(part.garment)
        shape = [(k, v) for k, slots in (("sleeves", _SLEEVED), ("length", _LONG))
                 if card.slot in slots for v in ("shorter", "longer")]  # fmt: skip
        words = {"sleeves": "{} sleeves", "length": "{}"}
        buttons = "".join(_button(f"{k}:{v}", words[k].format(v).capitalize()) for k, v in shape)
        buttons += _button("again", "Draw it again")
        rows.append(f'<div class="row">{buttons}</div>')
        if others := self._others(turn, card):
            shown = "".join(_button(f"swap:{g.id}", escape(g.name)) for g in others)
            rows.append(f'<div class="row"><span>Instead</span>{shown}</div>')
        hint = "Pick a change, or say it below: “in red”, “shorter sleeves” …"
        return f'<div class="picker touch">{head}<p>{hint}</p>{"".join(rows)}</div>'

    def _others(self, turn: Turn, now: Garment) -> list[Garment]:
        """What may be worn instead of ``now``, the same kind first."""
        worn = [g["id"] for g in (turn["plan"] or {}).get("garments", [])]
        try:
            rest = [self.studio.garment(id) for id in worn if id != now.id]
        except StylistError:
            return []
        wish = self._wish(turn["look"])
        fit = [
            g for g in self.studio.catalog.all()
            if g.slot == now.slot and g.id != now.id and g.available and g.lora_sha256
            and not any(v.hard and g.id in v.ids for v in check([*rest, g], wish))
        ]  # fmt: skip
        return sorted(fit, key=lambda g: (g.category != now.category, g.name))[:OFFERED]

    def _wish(self, look: str) -> Wish:
        """What the look was chosen for, as far as its thread still says it."""
        thread = self.studio.look(look).receipt.thread
        path = self.stylist.conversations.path(thread) if thread else None
        if path is None or not path.exists():
            return Wish()
        from agent.conversation import Thread

        try:
            now = Thread.model_validate_json(path.read_bytes()).now
        except ValueError:
            return Wish()
        return now.wish if now else Wish()

    def _name(self, turn: Turn, id: str) -> str:
        garments = (turn["plan"] or {}).get("garments", [])
        return next((str(g["name"]) for g in garments if g["id"] == id), id)


def _marking(part: Part) -> str:
    """How the mark itself can be changed."""
    buttons = _button("mode:add", "Add", pressed=not part.removing)
    buttons += _button("mode:remove", "Take away", pressed=part.removing)
    if len(part.masks) > 1:
        buttons += _button("next", f"Another outline ({part.number + 1} of {len(part.masks)})")
    buttons += _button("clear", "Clear")
    share = f"{part.mask.mean():.0%} of the picture"
    return f'<div class="row"><span>{share}</span>{buttons}</div>'


def _colors(plan: dict[str, Any], garment: str) -> str:
    worn: dict[str, Any] = next((g for g in plan["garments"] if g["id"] == garment), {})
    now = (worn.get("drawn") or {}).get("color") or worn.get("color")
    dots = "".join(
        f'<button type="button" class="dot" data-word="color:{escape(word)}" '
        f'title="{escape(word)}" aria-label="{escape(word)}" '
        f'aria-pressed="{str(word == now).lower()}" '
        f'style="background:{shades[len(shades) // 2]}"></button>'
        for word, shades in COLORS.items()
    )
    return f'<div class="row dots">{dots}</div>'


def _button(word: str, label: str, pressed: bool | None = None) -> str:
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return f'<button type="button" data-word="{escape(word)}"{state}>{label}</button>'
