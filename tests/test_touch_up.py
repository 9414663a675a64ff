"""A touch-up changes what it is asked to, and not one bit of anything else."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from catalog.base import STEPS
from catalog.croquis.figure import Person
from catalog.errors import BadValue, Damaged, UnknownName
from catalog.starter import starter_garments
from tools import touch_up
from tools.blend import RECOLORED_PLAIN, RECOLORED_PRINT
from tools.engine import Engine
from tools.layout import lay_out
from tools.look import Plan, Worn
from tools.mask import feathered, grow
from tools.studio import Studio

OUTFIT = ("navy-wool-coat", "white-cotton-tee", "indigo-straight-jeans", "white-canvas-sneakers")
PLAN = Plan(garments=tuple(Worn(id=i) for i in OUTFIT), season={"winter": 1.0}, steps=4, seed=3)


CORNER = np.zeros((768, 512), bool)
CORNER[:40, :40] = True


@pytest.fixture(scope="module")
def look(studio: Studio):
    return studio.render_look(PLAN)


def pixels(look) -> np.ndarray:
    return np.asarray(Image.open(look.image).convert("RGB"))


def kept_mask(look) -> np.ndarray:
    return np.asarray(Image.open(Path(look.folder) / "mask.png")) > 127


def outside(mask: np.ndarray, feather: int = 6) -> np.ndarray:
    return feathered(mask, feather) == 0


def test_a_recoloured_garment_changes_and_nothing_else_does(studio, look):
    red = studio.touch_up(look.id, garment="coat", color="red")
    before, after, mask = pixels(look), pixels(red), kept_mask(red)
    assert np.array_equal(before[outside(mask)], after[outside(mask)])
    inside = grow(mask, -8)
    change = after[inside].astype(int).mean(0) - before[inside].mean(0)
    assert change[0] > 20 and change[0] > change[1] + 20 and change[0] > change[2] + 20
    assert red.receipt.parent == look.id and red.receipt.plan.garments[0].color == "red"


def test_a_recoloured_garment_keeps_a_part_of_the_lora_of_its_old_colour(room):
    plaid = Worn(id="grey-plaid-coat")
    look = room.render_look(PLAN.model_copy(update={"garments": (plaid, *PLAN.garments[1:])}))
    as_sold = {a.name: a.weight for a in look.receipt.adapters}
    for name, share in (
        ("grey-plaid-coat", RECOLORED_PRINT),
        ("indigo-straight-jeans", RECOLORED_PLAIN),
    ):
        made = room.touch_up(look.id, garment=name, color="red")
        now = {a.name: a.weight for a in made.receipt.adapters}
        assert now == pytest.approx(as_sold | {name: as_sold[name] * share}, abs=1e-3)


def test_shorter_sleeves_uncover_arms_and_leave_the_legs_alone(studio, look):
    short = studio.touch_up(look.id, garment="outerwear", sleeves="short")
    mask = kept_mask(short)
    layouts = [studio.briefs.layout(p) for p in (PLAN, short.receipt.plan)]
    long, cut = (layout.mask(0).sum() for layout in layouts)
    assert cut < 0.95 * long
    assert np.array_equal(pixels(look)[outside(mask)], pixels(short)[outside(mask)])
    assert not mask[620:].any()


def test_sleeves_that_somebody_asks_to_be_long_are_not_rolled(studio):
    worn = Worn(id="yellow-lemon-midi-dress", sleeves="long")

    def sleeved(season: str) -> str:
        plan = PLAN.model_copy(update={"garments": (worn,), "season": {season: 1.0}})
        return studio.briefs.layout(plan).sha256

    assert sleeved("summer") == sleeved("winter"), "only sleeves nobody asked for are rolled"


@pytest.mark.parametrize("word", ["plaid-midi-skirt", "bottom", "midi skirt", "skirt"])
def test_a_garment_is_named_by_id_slot_kind_or_the_last_word_of_its_kind(word):
    cards = {g.id: g for g in starter_garments()}
    skirt = next(g for g in cards.values() if g.category == "midi skirt")
    worn = [cards["white-cotton-tee"], skirt.model_copy(update={"id": "plaid-midi-skirt"})]
    assert touch_up.index_of(worn, word) == 1
    with pytest.raises(UnknownName, match="dress"):
        touch_up.index_of(worn, "dress")


def test_a_garment_that_others_hide_is_said_to_be_hidden(studio):
    hidden = "mustard-wool-turtleneck"
    over = ("black-long-puffer", "burgundy-wool-scarf", "indigo-straight-jeans")
    worn = tuple(Worn(id=id) for id in (hidden, *over))
    look = studio.render_look(PLAN.model_copy(update={"garments": worn, "steps": 1}))
    assert not studio.briefs.layout(look.receipt.plan).mask(0).any()
    with pytest.raises(BadValue, match="hides it"):
        studio.touch_up(look.id, garment=hidden, color="white")
    with pytest.raises(BadValue, match="hides it"):
        studio.segment(look.id, garment=hidden)


def test_a_mask_beside_the_garment_that_is_named_is_refused(studio, look):
    with pytest.raises(BadValue, match="does not touch"):
        studio.touch_up(look.id, garment="sneakers", mask=CORNER)


def test_a_swap_dresses_only_that_slot_anew(studio, look):
    boots = studio.touch_up(look.id, garment="sneakers", swap="brown-leather-boots")
    assert [w.id for w in boots.receipt.plan.garments] == [*OUTFIT[:3], "brown-leather-boots"]
    mask = kept_mask(boots)
    assert not mask[:400].any() and mask.any()
    assert np.array_equal(pixels(look)[outside(mask)], pixels(boots)[outside(mask)])


def test_a_part_drawn_alone_has_no_rim_of_another_light(studio, look):
    layout = studio.briefs.layout(PLAN)
    scene = (layout.regions == 0).repeat(2, 0).repeat(2, 1)
    garment = layout.mask(3).repeat(2, 0).repeat(2, 1)
    around = scene & grow(garment, 10) & ~grow(garment, 4)  # beyond its outline
    alone = studio.touch_up(look.id, garment="sneakers", color="red", padding=32)
    light = [cv2.cvtColor(pixels(x), cv2.COLOR_RGB2LAB)[..., 0] for x in (look, alone)]
    change = np.abs(light[1].astype(float) - light[0])
    assert change[around].mean() < 4 and change[garment].mean() > 20


@pytest.mark.parametrize("garment", [0, 3])
def test_a_part_drawn_alone_is_as_sharp_as_one_drawn_within_the_picture(studio, look, garment):
    inside = grow(studio.briefs.layout(PLAN).mask(garment).repeat(2, 0).repeat(2, 1), 2)

    def slope(padding: int | None) -> float:
        red = studio.touch_up(look.id, garment=OUTFIT[garment], color="red", padding=padding)
        light = cv2.cvtColor(pixels(red), cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
        across, down = (cv2.Sobel(light, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
        return float(np.hypot(across, down)[inside].mean())

    assert slope(32) > 0.9 * slope(None)


def test_a_chain_of_touch_ups_never_wears_out_what_it_does_not_touch(studio, look):
    now, ever = look, np.zeros((768, 512), bool)
    for color in ("red", "green", "navy"):
        now = studio.touch_up(now.id, garment="coat", color=color)
        ever |= ~outside(kept_mask(now))
    assert np.array_equal(pixels(look)[~ever], pixels(now)[~ever])


def test_a_touched_up_look_replays_from_receipts_alone(studio, look):
    red = studio.touch_up(look.id, garment="coat", color="red")
    hidden = Path(look.image).rename(Path(look.folder) / "hidden")
    try:
        assert studio.replay(red.receipt_file).same
    finally:
        hidden.rename(look.image)
    mask = Path(red.folder) / "mask.png"
    Image.fromarray(~np.asarray(Image.open(mask))).save(mask)
    with pytest.raises(Damaged):
        studio.replay(red.receipt_file)


def test_a_mask_of_ones_own_picks_the_garment_under_it(studio, look):
    mask = np.zeros((768, 512), bool)
    mask[620:680, 150:360] = True  # shins, below the coat
    legs = studio.touch_up(look.id, mask=mask, color="red")
    assert legs.receipt.plan.garments[2].color == "red"
    assert np.array_equal(kept_mask(legs), mask)
    rest = studio.touch_up(look.id, mask=mask, garment="jeans", color="red", inverted=True)
    inside = ~grow(~mask, 8)
    assert np.array_equal(pixels(look)[inside], pixels(rest)[inside])


@pytest.mark.parametrize(
    "asked, error",
    [
        ({}, BadValue),
        ({"garment": "coat", "color": "rde"}, UnknownName),
        ({"garment": "hat", "color": "red"}, UnknownName),
        ({"garment": "coat", "sleeves": "shrt"}, UnknownName),
        ({"garment": "coat", "color": "navy", "strength": 0.0}, BadValue),
        ({"garment": "coat", "color": "red", "strength": float("nan")}, BadValue),
        ({"garment": "coat", "color": "red", "content": "paint"}, BadValue),
        ({"garment": "coat", "color": "red", "padding": 300}, BadValue),
        ({"mask": np.ones((768, 512), bool)}, BadValue),
        ({"garment": "coat", "color": "red", "strength": 0.01}, BadValue),
        ({"garment": "coat", "swap": "brown-leather-boots"}, BadValue),
        ({"garment": "coat", "swap": "no-such-coat"}, UnknownName),
        ({"garment": "sneakers", "sleeves": "short"}, BadValue),
        ({"mask": np.zeros((768, 512), bool)}, BadValue),
        ({"mask": np.ones((10, 10), bool)}, BadValue),
        ({"garment": "coat", "color": "red", "feather": 1000}, BadValue),
        ({"garment": "coat", "color": "red", "inverted": True}, BadValue),
        ({"garment": "coat", "color": "red", "mask": CORNER}, BadValue),
        ({"garment": "t-shirt", "length": "shorter"}, BadValue),  # its hem is under the coat
    ],
)
def test_what_cannot_be_touched_up_is_refused_and_nothing_is_written(studio, look, asked, error):
    before = {x.id for x in studio.looks()}
    with pytest.raises(error):
        studio.touch_up(look.id, **asked)
    assert {x.id for x in studio.looks()} == before


@pytest.mark.parametrize("steps", [3, 4, 7, 8, 12])
def test_the_least_strength_that_is_named_is_possible(steps):
    with pytest.raises(BadValue) as refused:
        Engine.repaint(None, SimpleNamespace(steps=steps), None, None, 0.01)
    least = float(refused.value.hint.split()[1])
    assert 1 <= least * steps < 1.15


def test_one_step_can_be_touched_up_as_usual():
    assert touch_up.checked("original", None, 1, recolored=True).strength == 1
    assert touch_up.checked("fill", None, 1).strength == 1
    assert touch_up.checked("original", None, 8, recolored=True).strength == touch_up.RECOLORED


@pytest.mark.parametrize(
    "id", ["yellow-lemon-midi-dress", "denim-mini-skirt", "indigo-straight-jeans",
           "white-cotton-tee", "black-pencil-skirt", "camel-long-coat"],
)  # fmt: skip
def test_every_length_that_is_offered_is_another_shape(id):
    card = next(g for g in starter_garments() if g.id == id)
    shapes = [Worn(id=id, length=length).of(card) for length in touch_up.lengths(card)]
    areas = [int(lay_out([g], Person(), "standing", {"summer": 1.0}).mask(0).sum()) for g in shapes]
    assert len(areas) > 1 and areas == sorted(set(areas))


def test_a_part_drawn_anew_leaves_the_noise_of_the_rest_to_the_plan(room):
    look = room.render_look(PLAN)
    again = room.touch_up(look.id, garment="coat")
    assert again.receipt.plan == look.receipt.plan and again.receipt.touch.seed is not None
    once_more = room.touch_up(again.id, garment="coat")
    assert once_more.receipt.touch.seed != again.receipt.touch.seed
    red = room.touch_up(again.id, garment="jeans", color="red")
    assert red.receipt.touch.seed is None and red.receipt.plan.seed == PLAN.seed
    assert all(room.replay(x.receipt_file).same for x in (again, red))


def test_an_unknown_look_and_another_persons_look_are_refused_alike(studio, look):
    for id, owner in (("look-0000000000000000", None), (look.id, "somebody else")):
        with pytest.raises(UnknownName):
            studio.touch_up(id, garment="coat", color="red", owner=owner)


def test_a_changed_picture_is_not_built_upon(studio):
    look = studio.render_look(PLAN.model_copy(update={"seed": 77, "steps": 1}))
    Image.fromarray(255 - pixels(look)).save(look.image)
    with pytest.raises(Damaged):
        studio.touch_up(look.id, garment="coat", color="red")


def test_a_change_that_changes_nothing_is_said():
    by_id = {g.id: g for g in starter_garments()}
    garments = [by_id[i] for i in OUTFIT]
    plan = touch_up.changed(PLAN, garments, 0, color="red")
    with pytest.raises(BadValue, match="Nothing would change"):
        touch_up.changed(plan, garments, 0, color="red")


def test_a_part_of_a_draft_is_drawn_as_a_final(studio):
    draft = studio.render_look(PLAN.model_copy(update={"quality": "draft", "steps": None}))
    touched = studio.touch_up(draft.id, garment="outerwear", color="red")
    told = touched.receipt.plan
    assert (told.quality, told.steps) == ("final", STEPS["croquis"])
    assert all(a.kind != "sampler" or a.name != "draft" for a in touched.receipt.adapters)
    assert draft.receipt.plan.quality == "draft" and studio.replay(touched.receipt_file).same
