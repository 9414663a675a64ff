"""The tools of a turn that touch the drawn look, segment and touch_up, and what the plan then says.

The plan says what the shop sells; a touched look may show it in another colour or shape. Both are
kept, and the difference is said aloud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from catalog.errors import BadValue, StylistError
from catalog.garment import Garment
from tools.arguments import ChangeArgs, PartArgs
from tools.look import Look, Plan
from tools.outfit import check, describe
from tools.pose import name_of

if TYPE_CHECKING:
    from agent.turn import TurnTools

Drawn = dict[str, dict[str, str]]
"""Garment id → the color, sleeves or length it is drawn with, where they are not its card's."""


@dataclass(frozen=True)
class Mark:
    """What a person points at in the picture of a look."""

    look: str
    garment: str
    """Id of the garment that is meant."""
    mask: np.ndarray | None = None
    """bool ``(H, W)``; None = the garment's own region."""
    change: Mapping[str, Any] | None = None
    """What was picked to change, as ``touch_up`` takes it; None = the message says it."""
    way: Mapping[str, Any] = field(default_factory=dict)
    """How it is drawn, as ``Studio.touch_up`` takes it: strength, content, padding, feather."""

    def facts(self) -> dict[str, Any]:
        """What a model is told of it."""
        change = {"change": dict(self.change)} if self.change else {}
        return {"garment": self.garment, **change}


class TouchTools:
    """``segment`` and ``touch_up`` for one turn."""

    def __init__(self, turn: TurnTools) -> None:
        self.turn = turn

    def offered(self) -> list[tuple[Callable[..., str], type[BaseModel]]]:
        return [(self.segment, PartArgs), (self.touch_up, ChangeArgs)]

    def segment(self, **kwargs: Any) -> str:
        """Find a part of the look that was drawn last; nothing changes. Returns JSON.

        Name a garment, or give points (x, y in pixels of the 512 x 768 picture, keep false takes
        away) or a box. The answer says which garment lies there, and for each candidate its score,
        its share of the picture and its box. Pass the same points to touch_up.
        """
        asked = PartArgs.model_validate(kwargs)
        found = self.turn.studio.segment(self._look(), **asked.where)
        return self.turn._json(found.facts())

    def touch_up(self, **kwargs: Any) -> str:
        """Draw one garment of the last look again; every pixel outside it stays as it is.

        Use it instead of render_look when one garment only changes and pose, scene, season and
        person stay: color (a word), sleeves or length (a word, or shorter, longer), swap (the id of
        a garment of the same slot). Without any of these it is drawn anew as it was. Say which
        garment; when the person has marked a part of the picture, leave it out. A colour or shape
        that the shop does not sell is named in `unmet`: tell the person.
        """
        asked = ChangeArgs.model_validate(kwargs)
        change = asked.change
        mark = self.turn.mark
        clicked = bool(asked.points) or asked.box is not None
        if mark is not None and asked.garment in (None, mark.garment) and not clicked:
            change |= {"garment": mark.garment, **mark.way}
            # another shape needs room beyond what is marked
            if mark.mask is not None and not (asked.swap or asked.sleeves or asked.length):
                change["mask"] = mark.mask
        before_id = self._look()
        before = self.turn.studio.look(before_id).receipt.plan
        look = self.touched(before_id, **change)
        touched = _differing(before, look.receipt.plan) or change["garment"]
        plan = self.turn.moments[-1].plan if self.turn.moments else None
        return self.turn._json(
            {"touched": touched, "look": look.id, "before": before_id, "plan": plan}
        )

    def touched(self, look: str, **change: Any) -> Look:
        """``Studio.touch_up`` of the present look, and the thread's next moment.

        Raises what the studio raises, and BadValue for a garment that cannot be worn here.
        """
        turn = self.turn
        now = turn.thread.now
        assert now is not None
        self._same_stage(now)
        if change.get("swap"):
            self._wearable(look, change)

        def progress(step: Any) -> None:
            turn.emit({"type": "progress", "stage": step.stage, "step": step.step,
                       "steps": step.steps, "preview": step.preview})  # fmt: skip

        made: Look = turn.timed(
            lambda: turn.studio.touch_up(
                look, **change, thread=turn.thread.id, progress=progress, cancel=turn.cancel
            )
        )
        plan = made.receipt.plan
        turn.look, turn.look_id, turn.seed = made, made.id, plan.seed
        turn.drawn = drawn_of(plan)
        ids = [w.id for w in plan.garments]
        if turn.outfit is None or set(turn.outfit.ids) != set(ids):
            if {g["id"] for g in now.plan["garments"]} == set(ids):
                turn.settle_as(now.plan, made.id)
                return made
            turn.outfit = describe([turn.studio.catalog.get(i) for i in ids], turn.wish)
        turn._settle(made.id)
        return made

    def _look(self) -> str:
        """The look that is there to be touched."""
        turn = self.turn
        if turn.look_id is None and turn.thread.now is not None:
            turn.look_id = turn.thread.now.look_id
        if turn.look_id is None:
            raise BadValue("Nothing is drawn yet.", "Draw a look first, with render_look.")
        if turn.mark is not None and turn.mark.look != turn.look_id:
            raise BadValue("What was marked is in another picture.", "Click in this one.")
        return turn.look_id

    def _same_stage(self, now: Any) -> None:
        """A touch-up keeps person, pose, scene and season; when they change, all is drawn."""
        turn = self.turn
        same = turn.person == now.person
        same &= (turn.pose, turn.scene) == (turn.thread.pose, turn.thread.scene)
        if turn.outfit is not None:
            planned = (name_of(turn._pose()), turn._scene(), turn.outfit.facts()["season"])
            same &= planned == tuple(now.plan[k] for k in ("pose", "scene", "season"))
        if not same:
            raise BadValue("More than one garment changes.", "Draw the whole look: render_look.")

    def _wearable(self, look: str, change: dict[str, Any]) -> None:
        """An exchange is held against the wish before it is drawn, as a whole outfit is."""
        from tools.touch_up import index_of

        turn = self.turn
        swap = turn._garment(change["swap"])
        ids = [w.id for w in turn.studio.look(look).receipt.plan.garments]
        garments = [turn.studio.catalog.get(i) for i in ids]
        if change.get("garment") is not None:
            garments[index_of(garments, change["garment"])] = swap
        else:
            garments = [swap if g.slot == swap.slot else g for g in garments]
        wrong = [v for v in check(garments, turn.wish) if v.hard and swap.id in v.ids]
        if wrong:
            said = "; ".join(dict.fromkeys(v.message for v in wrong))
            raise BadValue(f"This cannot be worn here: {said}.", "Choose another garment.")


def _differing(before: Plan, after: Plan) -> str | None:
    """The id of the first garment that is another or worn otherwise; None: all are the same."""
    pairs = zip(before.garments, after.garments, strict=True)
    return next((b.id for a, b in pairs if a != b), None)


def drawn_of(plan: Plan) -> Drawn:
    """What a plan draws otherwise than the cards say."""
    said = {w.id: w.model_dump(include={"color", "sleeves", "length"}, exclude_none=True)
            for w in plan.garments}  # fmt: skip
    return {id: change for id, change in said.items() if change}


def as_drawn(plan: dict[str, Any], drawn: Drawn, cards: Callable[[str], Garment]) -> dict[str, Any]:
    """The plan of an answer with what is drawn otherwise: marked on the garment, and said aloud.

    ``cards``: a garment by its id.
    """
    garments, said = [], []
    for g in plan["garments"]:
        g = {k: v for k, v in g.items() if k != "drawn"}
        try:
            card = cards(g["id"])
        except (KeyError, StylistError):
            garments.append(g)
            continue
        change = {
            k: v for k, v in drawn.get(g["id"], {}).items()
            if v != (card.color if k == "color" else getattr(card.shape, k))
        }  # fmt: skip
        said += _sentences(card, change)
        garments.append({**g, "drawn": change} if change else g)
    unmet = [u for u in plan["unmet"] if f" {_IS} " not in u and not u.endswith(_SHAPE)]
    return {**plan, "garments": garments, "unmet": [*unmet, *said]}


_IS = "is drawn in"
_SHAPE = "has another shape in the drawing than in the shop"


def _sentences(card: Garment, change: dict[str, str]) -> list[str]:
    said = []
    if "color" in change:
        said.append(f"{card.name} {_IS} {change['color']}, the shop sells it in {card.color}")
    if change.keys() & {"sleeves", "length"}:
        said.append(f"{card.name} {_SHAPE}")
    return said
