"""A part drawn alone: enlarged while it is drawn, put back at its size; nothing else changes."""

import numpy as np
import pytest
from fakes import WINTER
from PIL import Image

from catalog.croquis.figure import Person
from catalog.errors import BadValue
from tools import touch_up
from tools.layout import lay_out
from tools.look import Plan, Touch, Worn
from tools.mask import feathered, grow

PLAN = Plan(garments=tuple(Worn(id=i) for i in WINTER), season={"winter": 1.0}, steps=2)
ALONE = Touch(mask_sha256="", padding=16)


def marked(top: int, left: int, high: int, wide: int) -> np.ndarray:
    mask = np.zeros((768, 512), bool)
    mask[top : top + high, left : left + wide] = True
    return mask


@pytest.mark.parametrize(
    "mask",
    [
        marked(300, 200, 90, 60),
        marked(0, 0, 40, 40),
        marked(700, 440, 68, 72),
        marked(0, 0, 700, 9),
    ],
    ids=["middle", "upper corner", "lower corner", "tall"],
)
def test_a_window_shows_the_part_and_its_padding_and_lies_inside(mask):
    left, top, width = touch_up.window(mask, ALONE)
    height = width * 3 // 2
    assert width % 2 == 0 and 0 <= left <= 512 - width and 0 <= top <= 768 - height
    shown = np.zeros_like(mask)
    shown[top : top + height, left : left + width] = True
    assert not (grow(mask, 6 + 16) & ~shown).any()
    assert touch_up.window(mask, Touch(mask_sha256="")) is None


def test_the_layout_of_a_window_is_that_part_of_the_whole_one(studio):
    garments = [studio.catalog.get(i) for i in WINTER]
    whole, part = (
        lay_out(garments, Person(), "standing", {"winter": 1.0}, w) for w in (None, (128, 96, 256))
    )
    assert part.regions.shape == whole.regions.shape and part.edges.shape == whole.edges.shape
    cut = whole.regions[48:240, 64:192]
    assert (part.regions[::2, ::2] == cut).mean() > 0.97
    assert np.allclose(part.points, (whole.points - (64, 48)) * 2)
    assert np.allclose(part.shares.sum(0), 1, atol=1e-4)


def test_a_part_drawn_alone_changes_nothing_outside_its_band_and_replays(room, monkeypatch):
    look, seen = room.render_look(PLAN), []
    draw = room._engine.repaint

    def repaint(job, picture, mask, strength, **more):
        seen.append((job.layout.sha256, picture.shape, mask.mean()))
        return draw(job, picture, mask, strength, **more)

    monkeypatch.setattr(room._engine, "repaint", repaint)
    mask = marked(300, 200, 60, 40)
    made = [
        room.touch_up(look.id, garment="outerwear", color="red", mask=mask, padding=p)
        for p in (None, 16)
    ]
    (whole, _, little), (near, shape, much) = seen
    assert shape == (768, 512, 3) and whole != near and much > 4 * little
    before, after = (np.asarray(Image.open(x.image).convert("RGB")) for x in (look, made[1]))
    stays = feathered(mask, 6) == 0
    assert np.array_equal(before[stays], after[stays]) and (before[mask] != after[mask]).any()
    told = made[1].receipt
    assert told.touch.padding == 16 and made[0].receipt.touch.padding is None
    assert told.control_sha256 == made[0].receipt.control_sha256
    assert room.replay(made[1].receipt_file).same
    assert seen[-1] == seen[1]


def test_the_content_of_a_mask_is_what_the_drawing_begins_from(room, monkeypatch):
    look, began = room.render_look(PLAN), []
    draw = room._engine.repaint

    def repaint(job, picture, mask, strength, **more):
        began.append((picture, strength))
        return draw(job, picture, mask, strength, **more)

    monkeypatch.setattr(room._engine, "repaint", repaint)
    stripes = np.zeros((768, 512, 3), np.uint8)
    stripes[::2] = 200
    monkeypatch.setattr(room._looks, "picture", lambda _: stripes)
    mask = marked(300, 200, 60, 40)
    for way in ({}, {"strength": 0.5}, {"content": "noise"}, {"content": "fill"},
                {"content": "fill", "strength": 0.5}):  # fmt: skip
        room.touch_up(look.id, garment="outerwear", color="red", mask=mask, **way)
    room.touch_up(look.id, garment="outerwear", color="red", length="shorter", mask=mask)
    strengths = [strength for _, strength in began]
    assert strengths == [touch_up.RECOLORED, 0.5, 1, 0.75, 0.5, 1]
    same = [np.array_equal(picture, stripes) for picture, _ in began]
    assert same == [True, True, True, False, False, True]
    assert np.array_equal(began[3][0][~mask], stripes[~mask])
    with pytest.raises(BadValue, match="Noise"):
        room.touch_up(look.id, garment="outerwear", mask=mask, content="noise", strength=0.5)
