"""One turn: the tools a model may call, bound to a thread and a studio, and what they did.

Every tool takes ids and words, never paths. What a model says is checked here before anything is
drawn; the thread itself is changed only by ``Stylist``, after the turn.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated, Any

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field

from agent.conversation import Moment, Thread
from agent.grounding import Heard, known_occasions, labelled
from agent.touching import Mark, TouchTools, as_drawn
from catalog.errors import AskDifferently, BadValue, Cancelled, CannotNow, StylistError, UnknownName
from catalog.garment import CATEGORIES, SLOTS, Garment
from tools.arguments import Arguments, FindArgs, LookArgs, PlanArgs
from tools.look import STAGE, STANDING, Look, PersonSpec, Plan, Quality, Worn
from tools.outfit import Outfit, Wish, card, check, choose, describe
from tools.pose import Points, name_of

Event = dict[str, Any]


class TurnLookArgs(LookArgs):
    """What to draw; everything left out stays as planned."""

    again: bool = False
    """Draw the same outfit once more, differently."""


class UndoArgs(Arguments):
    """How far to go back."""

    steps: Annotated[int, Field(ge=-40, le=40)] = 1
    """1 = the look before, 0 = the very first one, -1 = take the last undo back."""


class TurnTools:
    """The tools of one turn. ``calls``, ``moment``, ``look`` and ``error`` tell what happened."""

    def __init__(
        self,
        studio: Any,
        thread: Thread,
        *,
        draw: bool,
        cancel: threading.Event | None = None,
        heard: Heard | None = None,
        mark: Mark | None = None,
        pose: Points | None = None,
        edges: str | None = None,
        quality: Quality = "final",
    ) -> None:
        """``heard`` is given for a foreign model: its wishes are held against what was said, and
        it sees no free text of any card. ``mark``: what the person points at. ``pose``, measured
        on a picture that came with the message, holds whatever the words say; ``edges`` of one
        are followed in what is drawn now."""
        self.studio, self.thread, self.draw, self.cancel = studio, thread, draw, cancel
        now = thread.now
        self.heard, self.mark, self.quality = heard, mark, quality
        self.wish: Wish = heard.wish if heard else now.wish if now else Wish()
        self.person: dict[str, Any] = dict(now.person if now else thread.person)
        self.person_chosen = thread.person_chosen
        self.pose, self.scene = pose or thread.pose, thread.scene
        self.pose_given, self.edges = pose is not None, edges
        self.seed = now.seed if now else thread.seed
        self.outfit: Outfit | None = None
        self.moments: list[Moment] | None = None
        """The thread's moments after this turn; None = nothing changed."""
        self.undone: list[Moment] = []
        """What can come back after this turn, when something changed."""
        self.drawn = dict(now.drawn) if now else {}
        self.look: Look | None = None
        self.look_id: str | None = None
        self.calls: list[dict[str, Any]] = []
        self.error: StylistError | None = None
        self.sent_back = self.reminded = False
        """Whether a wrong outfit, and a forgotten wish, went back to the model already."""
        self.render_seconds: dict[str, float] = {}
        self.emit: Callable[[Event], None] = lambda event: None

    def tools(self) -> list[BaseTool]:
        """The tools a model is given."""
        offered: list[tuple[Callable[..., str], type[BaseModel]]] = [
            (self.find_garments, FindArgs),
            (self.plan_outfit, PlanArgs),
            (self.undo, UndoArgs),
        ]
        if self.draw:
            offered.insert(2, (self.render_look, TurnLookArgs))
        if self.draw and self.thread.now and self.thread.now.look_id:
            offered += TouchTools(self).offered()
        return [
            StructuredTool.from_function(
                f, name=f.__name__, description=f.__doc__, args_schema=schema
            )
            for f, schema in offered
        ]

    # ---- tools -------------------------------------------------------------------------------

    def find_garments(self, **kwargs: Any) -> str:
        """Search the catalog by words and filters. Returns garments as JSON.

        color and category take single words such as “navy” or “midi dress”; slot is one of top,
        bottom, onepiece, outerwear, footwear, headwear, eyewear, neckwear, bag. order puts the
        cheapest, dearest, warmest or lightest first. Garments that are not available are left out.
        """
        asked = FindArgs.model_validate(kwargs)
        found = self.studio.find_garments(**asked.model_dump())
        return self._json([
            {**card(g), "seasons": list(g.seasons), "occasions": known_occasions(g),
             "wearers": list(g.wearers), "currency": g.currency[:3]}
            for g in found
        ], found)  # fmt: skip

    def plan_outfit(self, **kwargs: Any) -> str:
        """Choose a complete outfit from the catalog for a whole wish. Returns it as JSON.

        Pass everything known, also from earlier turns: season weights, temperature_c, weather,
        occasion, who (women, men, anyone), want and avoid (each piece: slot, categories, colors,
        patterns, materials), keep and exclude (garment ids), budget, formality 0-1, warmer (clo).
        The result names assumptions and unmet wishes: tell the person about them.
        """
        asked = {k: v for k, v in kwargs.items() if v is not None}
        shown = {k: asked.pop(k, None) for k in ("pose", "scene", "person")}
        wish = Wish.model_validate(_plain(asked))
        self._show(shown["pose"], shown["scene"], shown["person"])
        wish, reminded = self._as_said(wish)
        self.wish = wish
        self.outfit = self.studio.plan_outfit(wish)
        self._suit_the_wearer()
        if self.outfit.garments:
            self._settle()
        else:
            empty = "; ".join(self.outfit.unmet) or "no garment fits"
            raise CannotNow(f"No outfit could be put together: {empty}.", "Ask for less.")
        facts = {**self.outfit.facts(), "pose": name_of(self._pose()), "scene": self._scene()}
        return self._json(facts | ({"mended": reminded} if reminded else {}))

    def render_look(self, **kwargs: Any) -> str:
        """Draw the person wearing these garments. Give the garment ids of the outfit.

        pose, scene, season weights and changes to the person are optional; what is left out stays
        as planned. Ids that do not exist, incomplete outfits and clothes wrong for the weather are
        refused with the reason.
        """
        asked = TurnLookArgs.model_validate(kwargs)
        self._show(asked.pose, asked.scene, asked.person)
        if asked.season:
            self.wish = Wish.model_validate(
                {**self.wish.model_dump(), "season": dict(asked.season)}
            )
        ids = list(dict.fromkeys(asked.garments)) or self._worn_ids()
        if not ids:
            raise BadValue("There is no outfit to draw yet.", "Call plan_outfit first.")
        mended = self._ground([self._garment(i) for i in ids])
        if asked.again:
            self.seed = (self.seed + 1) % 2**31
        assert self.outfit is not None
        self._settle()
        look = self._draw(self.outfit)
        self.look, self.look_id = look, look.id
        self._settle(look.id)
        told: dict[str, Any] = {"drawn": True, "look": look.id, "mended": mended}
        facts = {
            **self.outfit.facts(),
            "pose": name_of(self._pose()),
            "scene": self._scene(),
        }
        told["plan"] = as_drawn(facts, self.drawn, self.studio.catalog.get)
        return self._json(told)

    def undo(self, **kwargs: Any) -> str:
        """Go back to an earlier look of this conversation: 1 step back, or 0 for the first one;
        -1 takes the last undo back."""
        steps = UndoArgs.model_validate(kwargs).steps
        self.moments, self.undone = self.thread.went(steps)
        back = self.moments[-1]
        self.wish, self.person, self.seed = back.wish, dict(back.person), back.seed
        self.look_id, self.drawn = back.look_id, dict(back.drawn)
        self.pose, self.scene, self.person_chosen = back.pose, back.scene, back.person_chosen
        if back.look_id:
            try:
                self.look = self.studio.look(back.look_id)
            except StylistError:
                self.look, self.look_id = None, None
        return self._json(back.plan)

    # ---- what they share ---------------------------------------------------------------------

    def _as_said(self, wish: Wish) -> tuple[Wish, list[str]]:
        """A foreign model's wish held against the message: sent back once, then completed."""
        lost = self.heard.forgotten(wish) if self.heard else []
        if not lost:
            return wish, []
        if not self.reminded:
            self.reminded = True
            raise BadValue(
                f"The person's own words also ask for: {'; '.join(lost)}.",
                "Call plan_outfit again with these in it.",
            )
        assert self.heard is not None
        return self.heard.bound(wish), [f"kept to what was said: {'; '.join(lost)}"]

    def shown(self, value: Any) -> Any:
        """``value`` (plain JSON) as this turn's model may see it."""
        return labelled(value, self._named()) if self.heard else value

    def _json(self, value: Any, garments: Iterable[Garment] = ()) -> str:
        """What a tool replies; a foreign model gets labels in place of garments' names."""
        return _json(labelled(value, [*garments, *self._named()]) if self.heard else value)

    def _named(self) -> list[Garment]:
        """Every garment that this turn's sentences may name."""
        chosen = [c.garment for c in self.outfit.garments] if self.outfit else []
        plans = [m.plan for m in (*self.thread.moments, *(self.moments or [])[-1:])]
        ids = {g["id"] for p in plans for g in p["garments"]}
        ids |= {*self.wish.keep, *self.wish.exclude} - {g.id for g in chosen}
        return [*chosen, *self._known(ids)]

    def _known(self, ids: Iterable[str]) -> list[Garment]:
        """The garments of ``ids`` that (still) exist."""
        known = []
        for garment_id in sorted(ids):
            with suppress(KeyError, UnknownName):
                known.append(self.studio.catalog.get(garment_id))
        return known

    def _show(self, pose: str | None, scene: str | None, person: Any) -> None:
        """Take over pose, scene and person changes, checked by the types that know the words."""
        if isinstance(person, BaseModel):
            person = person.model_dump(exclude_none=True)
        change = {k: v for k, v in (person or {}).items() if v is not None}
        spec = PersonSpec.model_validate({**self.person, **change})
        if self.pose_given or pose == name_of(self.pose or ""):
            pose = None  # it is the picture's, whatever a model calls it
        trial: dict[str, Any] = {"garments": (Worn(id="any-thing"),)}
        if pose:
            trial["pose"] = pose
        if scene:
            trial["scene"] = scene
        Plan.model_validate(trial)
        self.pose, self.scene = pose or self.pose, scene or self.scene
        if change:
            if "presentation" in change and "hair" not in change:
                spec = _suited(spec)
            self.person, self.person_chosen = spec.model_dump(), True

    def _suit_the_wearer(self) -> None:
        """Nobody said who wears it: then it is somebody whom the wanted pieces are made for."""
        assert self.outfit is not None
        here = {"women": "men", "men": "women"}.get(self.wish.who)
        if self.person_chosen or not any("not made for" in u for u in self.outfit.unmet):
            return
        wish = self.wish.model_copy(update={"who": here})
        other = self.studio.plan_outfit(wish)
        if here is None or len(other.unmet) >= len(self.outfit.unmet):
            return
        shown = "woman" if here == "women" else "man"
        spec = PersonSpec.model_validate({**self.person, "presentation": shown})
        self.wish, self.person = wish, _suited(spec).model_dump()
        said = f"I took it to be for a {shown}; say so if not"
        self.outfit = other.model_copy(update={"assumptions": (said, *other.assumptions)})

    def _pose(self) -> str | Points:
        return self.pose or STAGE.get(self._occasion(), STANDING)[0]

    def _scene(self) -> str:
        return self.scene or STAGE.get(self._occasion(), STANDING)[1]

    def _occasion(self) -> str:
        return self.outfit.occasion if self.outfit else (self.wish.occasion or "everyday")

    def _worn_ids(self) -> list[str]:
        if self.outfit is not None:
            return list(self.outfit.ids)
        plan = self.moments[-1].plan if self.moments else self.thread.plan
        return [g["id"] for g in plan["garments"]] if plan else []

    def _garment(self, garment_id: str) -> Garment:
        try:
            return self.studio.catalog.get(garment_id)
        except UnknownName:
            raise
        except KeyError:
            known = [g.id for g in self.studio.catalog.all()]
            raise UnknownName.among("garment", garment_id, known) from None

    def _ground(self, garments: list[Garment]) -> list[str]:
        """Check an outfit before it is drawn. Sent back once, then mended by the search."""
        if self.heard is not None:
            self.wish = self.heard.bound(self.wish)
        wrong = [v for v in check(garments, self.wish) if v.hard]
        if not wrong:
            if self.outfit is None or set(self.outfit.ids) != {g.id for g in garments}:
                self.outfit = describe(garments, self.wish)
            return []
        said = "; ".join(dict.fromkeys(v.message for v in wrong))
        if self.heard is not None:
            said = str(labelled(said, garments))
        if not self.sent_back:
            self.sent_back = True
            raise BadValue(f"This cannot be drawn: {said}.", "Change the outfit and try again.")
        bad = {i for v in wrong for i in v.ids}
        keep = tuple(g.id for g in garments if g.id not in bad)
        mended = choose(self.wish.model_copy(update={"keep": keep}), self.studio.catalog.all())
        left = [v for v in check([c.garment for c in mended.garments], self.wish) if v.hard]
        if left:
            mended = choose(self.wish, self.studio.catalog.all())
            left = [v for v in check([c.garment for c in mended.garments], self.wish) if v.hard]
        if left:
            reasons = "; ".join(v.message for v in left)
            raise CannotNow(f"No outfit that can be worn was found: {reasons}.", "Ask for less.")
        self.outfit = mended
        return [f"I changed the outfit, because {said}"]

    def _settle(self, look_id: str | None = None) -> None:
        """The present outfit becomes the thread's newest moment (kept in memory until saved)."""
        assert self.outfit is not None
        self.settle_as(self._plan_answer(self.outfit), look_id)

    def settle_as(self, plan: dict[str, Any], look_id: str | None) -> None:
        """``plan``, as it is drawn, becomes the thread's newest moment."""
        worn = {g["id"] for g in plan["garments"]}
        self.drawn = {id: change for id, change in self.drawn.items() if id in worn}
        moment = Moment(
            plan=as_drawn(plan, self.drawn, self.studio.catalog.get),
            wish=self.wish.model_copy(update={"keep": (), "stay": (), "bare": (), "prefer": ()}),
            person=self.person,
            look_id=look_id,
            seed=self.seed,
            drawn=self.drawn,
            pose=self.pose,
            scene=self.scene,
            person_chosen=self.person_chosen,
        )
        self.moments, self.undone = [*self.thread.moments, moment], []

    def _plan_answer(self, outfit: Outfit) -> dict[str, Any]:
        facts = outfit.facts()
        return {
            "season": facts["season"],
            "occasion": outfit.occasion,
            "temperature_c": outfit.temperature_c,
            "pose": name_of(self._pose()),
            "scene": self._scene(),
            "person": dict(self.person),
            "assumptions": facts["assumptions"],
            "unmet": facts["unmet"],
            "clo_total": outfit.clo_total,
            "clo_needed": facts["clo_needed"],
            "price_total": outfit.price_total,
            "currency": outfit.currency,
            "garments": facts["garments"],
        }

    def _draw(self, outfit: Outfit) -> Look:
        plan = Plan(
            garments=tuple(
                Worn.model_validate({"id": i, **self.drawn.get(i, {})}) for i in outfit.ids
            ),
            season=outfit.season,
            pose=self._pose(),
            scene=self._scene(),
            person=PersonSpec.model_validate(self.person),
            seed=self.seed,
            quality=self.quality,
            edges=self.edges,
        )

        def progress(step: Any) -> None:
            self.emit({"type": "progress", "stage": step.stage, "step": step.step,
                       "steps": step.steps, "preview": step.preview})  # fmt: skip

        now = self.thread.now
        return self.timed(
            lambda: self.studio.render_look(
                plan,
                thread=self.thread.id,
                parent=now.look_id if now else None,
                progress=progress,
                cancel=self.cancel,
            )
        )

    def timed(self, work: Callable[[], Look]) -> Look:
        """The look that ``work`` draws; how long it took and what went wrong is kept."""
        began = time.perf_counter()
        try:
            look = work()
        except StylistError as error:
            self.error = error
            raise
        finally:
            spent = time.perf_counter() - began
            self.render_seconds["render"] = self.render_seconds.get("render", 0.0) + spent
        self.error = None
        self.render_seconds.update({k: v for k, v in look.seconds.items() if k != "total"})
        return look


def tool_error(error: Exception) -> str | None:
    """What a model is told when a tool raised; None lets the turn end."""
    if isinstance(error, Cancelled):
        return None
    if isinstance(error, AskDifferently | CannotNow):
        return str(error)
    if isinstance(error, ValueError):
        return f"Not understood: {' '.join(str(error).split())[:400]}"
    return None


def _suited(spec: PersonSpec) -> PersonSpec:
    """Another presentation keeps skin and colours and takes hair that is usual for it."""
    if spec.presentation == "man" and spec.hair in ("long", "bob", "bun", "ponytail"):
        return spec.model_copy(update={"hair": "short"})
    if spec.presentation == "woman" and spec.hair in ("buzz", "short"):
        return spec.model_copy(update={"hair": "long"})
    return spec


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


__all__ = ["CATEGORIES", "SLOTS", "TurnTools", "tool_error"]
