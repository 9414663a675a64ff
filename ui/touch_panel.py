"""The touch-up panel: click a garment of the picture, see what is marked, pick what changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from catalog.croquis.palette import COLORS
from catalog.errors import BadValue, StylistError
from catalog.garment import Garment
from tools.look import Touch
from tools.outfit import check
from tools.wish import Wish
from ui import lookbook, marking
from ui.marking import Part
from ui.pictures import picture_address

if TYPE_CHECKING:
    from agent.conversation import Thread
    from agent.stylist import Stylist

POINTING = Path(__file__).with_name("pointing.js").read_text()
"""The script of the picture: clicks and strokes, in the picture's own pixels."""
Turn = dict[str, Any]
"""A turn of the page's book, with its ``look`` and ``plan``."""
OFFERED = 6
"""Garments of the same slot that are shown to exchange one for."""
_SLEEVED = ("top", "onepiece", "outerwear")
_LONG = ("top", "bottom", "onepiece", "outerwear")


_STRENGTHS = {"as usual": None, "all of it": 1.0, "most of it": 0.75, "half of it": 0.5}
_CONTENTS = {"what is there": "original", "noise": "noise", "its surroundings": "fill"}
_PADDING = 32
"""Pixels around a part that is drawn alone."""
_EDGES = {"sharp": 0, "soft": Touch.model_fields["feather"].default, "softer": 20}
"""Pixels over which new and old are blended outside the mark."""
_RESHAPES = {"Grow": "grow:4", "Shrink": "shrink:4", "Fill holes": "fill",
             "Largest part": "largest", "All but this": "invert"}  # fmt: skip


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
        self.upload: Any = None
        self.compare: Any = None

    def place(self, pick: str) -> None:
        """Put the components here; ``pick`` is the script that tells which button was pressed."""
        self.part = gr.State(None)
        self.controls = gr.HTML("", elem_id="touch", js_on_load=pick)
        self.upload = gr.UploadButton(
            "Upload a mask", elem_id="mask", type="binary", file_types=["image"], size="sm",
            visible=False,
        )  # fmt: skip
        self.compare = gr.ImageSlider(
            elem_id="compare", show_label=False, label="Before and after", container=False,
            interactive=False, buttons=[], visible=False, max_height=640, slider_position=50,
        )  # fmt: skip

    def outputs(self) -> list[Any]:
        return [self.part, self.controls, self.upload, self.compare]

    def wire(self, easel: Any, memory: Any, private: dict[str, Any]) -> Any:
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

        def upload(
            data: bytes | None, book: Any, part: Part | None, request: gr.Request
        ) -> dict[Any, Any]:
            turn = self._newest(book, request)
            if turn is None or data is None:
                return {self.part: part}
            try:
                part = marking.uploaded(self.studio, turn["look"], part, data)
            except StylistError as error:
                gr.Info(str(error))
                return {self.part: part}
            return shown(turn, part)

        def choose(
            event: gr.EventData, book: Any, part: Part | None, request: gr.Request
        ) -> dict[Any, Any]:
            turn, word = self._newest(book, request), str(event._data.get("word"))
            if turn is None:
                return {self.compare: gr.skip()}
            if word == "compare":
                return {self.compare: self.pair(turn["look"])}
            if word in ("undo", "redo"):
                self._begin(word.capitalize(), request)
                return {self.part: None}
            try:
                part, change, said = self.chosen(word, turn, part)
            except StylistError as error:
                gr.Info(str(error))
                return {self.compare: gr.skip()}
            if change is not None and part is not None:
                self._begin(said, request)
                return {self.part: part.mark(change)}
            return shown(turn, part)

        def shown(turn: Turn, part: Part | None) -> dict[Any, Any]:
            return {
                easel: self.mounted(turn, part),
                self.part: part,
                self.controls: self.html(turn, part),
            }

        outputs, asked = [easel, *self.outputs()], [memory, self.part]
        # through the queue: only there an error is shown. No click, stroke or button is dropped
        # while another is answered, and each sees what the one before it marked
        one_by_one = {"concurrency_id": "mark", "concurrency_limit": 1, **private}
        easel.select(point, asked, outputs, trigger_mode="multiple", **one_by_one)
        self.upload.upload(upload, [self.upload, *asked], outputs, **one_by_one)
        return self.controls.select(choose, asked, outputs, trigger_mode="multiple", **one_by_one)

    def mounted(self, turn: Turn, part: Part | None = None) -> str:
        """The picture of a turn in its mount, with what is marked in it, as HTML text."""
        try:
            address = picture_address(self.studio.look(turn["look"]).image)
        except StylistError:
            return lookbook.easel()
        if part is None:
            return lookbook.easel(address, turn["user"], look=turn["look"])
        marks = lookbook.marks_address(part.mask) if part.masks else ""
        return lookbook.easel(address, turn["user"], look=turn["look"], marks=marks,
                              brush=part.brush, erase=part.removing)  # fmt: skip

    def at_rest(self, turn: Turn | None, newest: bool = True) -> dict[Any, Any]:
        """The panel with nothing marked, for the look of ``turn``."""
        shown = self.html(turn, None) if turn and newest else ""
        return {
            self.part: None,
            self.controls: shown,
            self.upload: gr.update(visible=bool(shown)),
            self.compare: gr.update(visible=False),
        }

    def clicked(self, told: dict[str, Any], look: str, part: Part | None) -> Part | None:
        """What is marked after a click or stroke that the page told of. Raises BadValue."""
        if told.get("look") != look:
            raise BadValue("This is an earlier look.", "The newest one can be touched up.")
        part = part if part is not None and part.look == look else None
        keep = bool(told.get("keep", True))
        try:
            if "stroke" in told:
                width = float(told.get("width", 0))
                return marking.painted(self.studio, look, part, told["stroke"], width, keep)
            x, y = float(told["x"]), float(told["y"])
        except (KeyError, TypeError, ValueError):
            raise BadValue("That was no click.", "Click on a garment.") from None
        removing = part is not None and part.removing
        now = marking.marked(self.studio, look, part, x, y, keep and not removing)
        if now is part:
            return part
        return (now or marking.nothing(look)).after(part)

    def chosen(
        self, word: str, turn: Turn, part: Part | None
    ) -> tuple[Part | None, dict[str, Any] | None, str]:
        """What a button does: the part after it, a change to make, and what is said with it.

        Raises BadValue, UnknownName for what the page cannot have offered.
        """
        kind, _, value = word.partition(":")
        part = part if part is not None and part.look == turn["look"] else None
        if kind == "garment":
            return marking.named(self.studio, turn["look"], value).after(part), None, ""
        if kind == "brush":
            width = int(value) if value in {str(w) for w in marking.BRUSHES.values()} else 0
            return replace(part or marking.nothing(turn["look"]), brush=width), None, ""
        if kind == "clear" or part is None:
            return None, None, ""
        if kind == "mode":
            return replace(part, removing=value == "remove"), None, ""
        if kind == "back" and part.past:
            before = replace(part.past[-1], past=part.past[:-1])
            return replace(before, brush=part.brush, removing=part.removing), None, ""
        if not part.masks:
            raise BadValue("Nothing is marked.", "Click on a garment, or paint over one.")
        if kind == "next":
            return replace(part, number=(part.number + 1) % len(part.masks)), None, ""
        if kind == "reshape":
            return marking.reshaped(self.studio, part, value), None, ""
        if kind in _USUAL:
            return replace(part, way=_way(part, kind, value)), None, ""
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
        thread = self._thread(turn["look"])
        tools = _button("undo", "Undo") if parent else ""
        tools += _button("redo", "Redo") if thread and thread.undone else ""
        tools += _button("compare", "Before | after") if parent else ""
        head = f'<div class="head"><h3>Touch up</h3><div class="tools">{tools}</div></div>'
        if part is None or not part.masks:
            hint = "Click a garment in the picture, paint over it, or pick one; everything else "
            hint += "stays as it is."
            offered = f"<div>{names}</div>{_marking(part)}"
            return f'<div class="picker touch">{head}<p>{hint}</p>{offered}</div>'
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
        rows.append(_how(part))
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
        thread = self._thread(look)
        return thread.now.wish if thread and thread.now else Wish()

    def _thread(self, look: str) -> Thread | None:
        """The conversation in which a look was drawn, if it can still be read."""
        id = self.studio.look(look).receipt.thread
        path = self.stylist.conversations.path(id) if id else None
        if path is None or not path.exists():
            return None
        from agent.conversation import Thread

        try:
            return Thread.model_validate_json(path.read_bytes())
        except ValueError:
            return None

    def _name(self, turn: Turn, id: str) -> str:
        garments = (turn["plan"] or {}).get("garments", [])
        return next((str(g["name"]) for g in garments if g["id"] == id), id)


def _marking(part: Part | None) -> str:
    """How the mark itself can be changed."""
    brush = part.brush if part else 0
    tools = _button("brush:0", "Click", pressed=not brush)
    for name, width in marking.BRUSHES.items():
        tools += _button(f"brush:{width}", name, pressed=brush == width)
    if part is None:
        return f'<div class="row"><span>With a</span>{tools}</div>'
    tools += _button("mode:add", "Add", pressed=not part.removing)
    tools += _button("mode:remove", "Take away", pressed=part.removing)
    share = f"{part.mask.mean():.0%} of the picture" if part.masks else "Nothing yet"
    buttons = ""
    if len(part.masks) > 1:
        buttons += _button("next", f"Another outline ({part.number + 1} of {len(part.masks)})")
    if part.masks:
        buttons += "".join(_button(f"reshape:{w}", label) for label, w in _RESHAPES.items())
    if part.past:
        buttons += _button("back", f"Step back ({len(part.past)})")
    buttons += _button("clear", "Clear")
    return f'<div class="row">{tools}</div><div class="row"><span>{share}</span>{buttons}</div>'


def _way(part: Part, kind: str, value: str) -> tuple[tuple[str, Any], ...]:
    """How ``part`` is drawn after a button; what is as usual is left out."""
    choices: dict[str, dict[str, Any]] = {
        "strength": {_word(v): v for v in _STRENGTHS.values()},
        "content": {v: v for v in _CONTENTS.values()},
        "padding": {_word(v): v for v in (None, _PADDING)},
        "feather": {_word(v): v for v in _EDGES.values()},
    }
    known = choices[kind]
    if value not in known:
        raise BadValue("There is no such way to draw.", "Pick one that is shown.")
    way = {**dict(part.way), kind: known[value]}
    if kind == "content":
        way["strength"] = None  # as suits what it begins from
    elif kind == "strength" and way.get("content") == "noise":
        way["content"] = "original"  # noise keeps nothing
    return tuple((k, v) for k, v in way.items() if v != _USUAL[k])


_USUAL = {"strength": None, "content": "original", "padding": None, "feather": _EDGES["soft"]}


def _word(choice: Any) -> str:
    return "usual" if choice is None else str(choice)


def _how(part: Part) -> str:
    """How the marked part is drawn: folded away unless something was picked."""
    way = {**_USUAL, **dict(part.way)}
    rows = (
        ("It forgets", "strength", _STRENGTHS),
        ("It begins from", "content", _CONTENTS),
        ("It is seen", "padding", {"within the picture": None, "alone, enlarged": _PADDING}),
        ("Its edge is", "feather", _EDGES),
    )
    inside = ""
    for label, kind, choices in rows:
        buttons = "".join(
            _button(f"{kind}:{_word(v)}", name, pressed=way[kind] == v)
            for name, v in choices.items()
        )
        inside += f'<div class="row"><span>{label}</span>{buttons}</div>'
    state = " open" if part.way else ""
    return f"<details{state}><summary>How it is drawn</summary>{inside}</details>"


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
