"""A part of a picture is meant by name, by clicks or by a box, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import WINTER, QuickEngine
from PIL import Image

from catalog.croquis.sam import SIZE, new_sam
from catalog.errors import BadValue, Damaged, ModelUnavailable, UnknownName
from catalog.photo_file import photo_pixels
from tools import mask as mask_ops
from tools import selection, touch_up
from tools.edge_map import edge_map, unpacked
from tools.look import Plan, Worn
from tools.mask import grow
from tools.segment import Candidate, Segmenter
from tools.studio import Studio

PEOPLE = Path(__file__).parents[2] / "shared" / "data" / "people"
SMALL = SIZE | {"image": 128}
PLAN = Plan(garments=tuple(Worn(id=i) for i in WINTER), season={"winter": 1.0}, steps=2)


@pytest.fixture
def toy() -> Segmenter:
    torch.manual_seed(0)
    return Segmenter(new_sam(SMALL).eval().requires_grad_(False), "toy")


@pytest.fixture
def no_sam(monkeypatch, tmp_path):
    """A machine without the croquis SAM, whatever is installed here."""
    monkeypatch.setattr("catalog.base.weights_folder", lambda: tmp_path / "none")


class Agreeing:
    """A segmenter that answers with the mask it was given, moved a little."""

    name = "agreeing"

    def __init__(self, shift: int) -> None:
        self.shift = shift

    def segment(self, picture, prompt):
        x0, y0, x1, y1 = (int(v) for v in prompt.box)
        mask = np.zeros(picture.shape[:2], bool)
        mask[y0 + self.shift : y1 + self.shift, x0:x1] = True
        return [Candidate(mask, 0.9, np.zeros((8, 8), np.float32))]


def test_every_look_keeps_one_mask_per_garment_and_it_can_be_named(room: Studio, no_sam):
    look = room.render_look(PLAN)
    kept = np.asarray(Image.open(Path(look.folder) / "garments.png"))
    masks = room.garment_masks(look.id)
    assert list(masks) == WINTER and masks[WINTER[0]].any(), "a coat hides what is under it"
    for i, mask in enumerate(masks.values()):
        assert np.array_equal(mask, kept == i + 1)
    coat = room.segment(look.id, garment="outerwear")
    assert coat.garment == WINTER[0] and np.array_equal(coat.mask, masks[WINTER[0]])
    assert coat.facts()["model"] == selection.OWN


def test_a_look_kept_without_masks_gets_them_from_its_plan(room: Studio, no_sam):
    look = room.render_look(PLAN)
    before = room.garment_masks(look.id)
    (Path(look.folder) / "garments.png").unlink()
    after = room.garment_masks(look.id)
    assert all(np.array_equal(before[i], after[i]) for i in WINTER)


def test_clicks_without_a_sam_say_what_to_do_and_change_nothing(room: Studio, no_sam):
    look = room.render_look(PLAN)
    with pytest.raises(ModelUnavailable, match="train_sam"):
        room.segment(look.id, points=[(250, 300, True)])
    with pytest.raises(ModelUnavailable):
        room.touch_up(look.id, points=[(250, 300, True)], color="red")
    assert [x.id for x in room.looks()] == [look.id]


def test_clicks_are_answered_by_the_sam_that_is_there(room: Studio, toy):
    room._segmenter = toy
    look = room.render_look(PLAN)
    found = room.segment(look.id, points=[(250, 300, True)])
    assert len(found.candidates) == 3 and found.model == "toy"
    assert (found.facts()["width"], found.facts()["height"]) == (512, 768)
    for candidate in found.facts()["candidates"]:
        assert 0 <= candidate["score"] <= 1 and 0 <= candidate["share"] <= 1
    with pytest.raises(BadValue, match="candidate 3"):
        found.candidate(3)


def test_a_photo_can_be_segmented_and_has_no_garment_names(room: Studio, toy):
    room._segmenter = toy
    file = Path(__file__).parent.parent / "ui" / "pictures" / "look.png"
    photo = room.upload_photo(file.read_bytes())
    found = room.segment(photo=photo.id, box=(10, 10, 90, 90))
    assert found.mask.shape == (photo.height, photo.width) and found.garment is None
    with pytest.raises(BadValue):
        room.segment(photo=photo.id, garment="coat")


@pytest.mark.parametrize(
    "asked, error",
    [
        ({}, BadValue),
        ({"points": [(9999, 1, True)]}, BadValue),
        ({"points": [(float("nan"), 1, True)]}, BadValue),
        ({"points": [(1, 1, True)] * 10_000}, BadValue),
        ({"box": (5, 5, 5, 9)}, BadValue),
        ({"garment": "hat"}, UnknownName),
        ({"photo": "photo-0000000000000000", "points": [(1, 1, True)]}, BadValue),
    ],
)
def test_what_cannot_be_meant_is_refused(room: Studio, toy, asked, error):
    room._segmenter = toy
    look = room.render_look(PLAN)
    with pytest.raises(error):
        room.segment(look.id, **asked)
    with pytest.raises(UnknownName):
        room.segment("look-0000000000000000", points=[(1, 1, True)])


def test_anothers_look_has_no_masks(room: Studio, no_sam):
    look = room.render_look(PLAN, owner="anna")
    assert room.segment(look.id, garment=WINTER[0], owner="anna").mask.any()
    for ask in (room.garment_masks, room.segment, room.undo):
        with pytest.raises(UnknownName):
            ask(look.id, owner="ben")


def test_a_models_mask_counts_where_it_agrees_with_the_layout_and_no_further():
    labels = np.zeros((768, 512), np.uint8)
    labels[100:300, 100:300], labels[300:500, 100:300] = 1, 2
    picture = np.zeros((768, 512, 3), np.uint8)
    near = selection.refined(Agreeing(6), picture, labels)
    assert (near[100:106, 100:300] == 0).all() and (near[106:300, 100:300] == 1).all()
    assert (near[300:306] != 1).all(), "a neighbour keeps what is its own"
    assert (near[500:506, 100:300] == 2).all()
    assert np.array_equal(selection.refined(Agreeing(150), picture, labels), labels)


def test_undo_gives_the_look_before_and_deletes_nothing(room: Studio):
    first = room.render_look(PLAN)
    second = room.render_look(PLAN.model_copy(update={"seed": 1}), parent=first.id)
    assert room.undo(second.id).id == first.id
    assert {x.id for x in room.looks()} == {first.id, second.id}
    with pytest.raises(BadValue, match="first"):
        room.undo(first.id)


def test_a_sent_picture_serves_as_a_mask(room: Studio, no_sam):
    assert isinstance(room.engine, QuickEngine)
    look = room.render_look(PLAN)
    marks = np.zeros((768, 512), np.uint8)
    marks[620:700, 150:360] = 255
    file = room.home / "marks.png"
    Image.fromarray(marks).save(file)
    photo = room.upload_photo(file.read_bytes())
    child = room.touch_up(look.id, garment=WINTER[2], mask=photo.id,
                          color="red")  # fmt: skip
    kept = np.asarray(Image.open(Path(child.folder) / "mask.png")) > 127
    assert np.array_equal(kept, marks > 0)


def test_what_is_clear_in_a_sent_mask_marks_nothing(room: Studio, no_sam):
    look = room.render_look(PLAN)
    marks = np.zeros((768, 512, 4), np.uint8)
    marks[..., :3] = 255
    marks[620:700, 150:360, 3] = 255
    file = room.home / "marks.png"
    Image.fromarray(marks).save(file)
    photo = room.upload_photo(file.read_bytes())
    child = room.touch_up(look.id, garment=WINTER[2], mask=photo.id, color="red")
    kept = np.asarray(Image.open(Path(child.folder) / "mask.png")) > 127
    assert np.array_equal(kept, marks[..., 3] > 0)
    # the same picture as a photo lies on white paper
    assert photo_pixels(room.uploads.read(photo.id)).min() == 255


def test_a_click_with_another_shape_has_room_for_it(room: Studio, toy):
    room._segmenter = toy
    look = room.render_look(PLAN)
    masks = {}
    for how in ({"garment": WINTER[0]}, {"points": [(250, 300, True)]}):
        for change in ({"length": "shorter"}, {"color": "red"}):
            child = room.touch_up(look.id, **how, **change)
            mask = np.asarray(Image.open(Path(child.folder) / "mask.png"))
            masks[(*how, *change)] = mask
    assert np.array_equal(masks["garment", "length"], masks["points", "length"])
    assert np.array_equal(masks["garment", "color"], masks["points", "color"])


def test_garments_can_be_named_when_the_sam_is_damaged(room: Studio, tmp_path):
    room.sam = tmp_path / "sam_vit_b_01ec64.pth"
    room.sam.write_bytes(b"this is no checkpoint")
    look = room.render_look(PLAN)
    assert room.segment(look.id, garment=WINTER[0]).mask.any()
    with pytest.raises(Damaged, match="sam_vit_b"):
        room.segment(look.id, points=[(250, 300, True)])


def test_one_click_on_a_look_means_the_whole_garment_and_then_what_the_model_sees(room, toy):
    room._segmenter = toy
    look = room.render_look(PLAN)
    coat = room.garment_masks(look.id)[WINTER[0]]
    one = room.segment(look.id, points=[(250, 300, True)])
    assert np.array_equal(one.mask, coat) and one.garment == WINTER[0]
    prompt = selection.prompt_of([(250, 300, True)], None)
    alone = toy.segment(np.asarray(Image.open(look.image)), prompt)
    assert np.array_equal(one.candidates[1].mask, alone[0].mask)
    # more clicks, a box, or nobody there: the model's alone
    for asked in ({"points": [(250, 300, True), (260, 500, False)]}, {"box": (10, 10, 300, 400)},
                  {"points": [(5, 5, True)]}):  # fmt: skip
        assert not np.array_equal(room.segment(look.id, **asked).mask, coat)
    touched = room.touch_up(look.id, points=[(250, 300, True)], color="red")
    mask = np.asarray(Image.open(Path(touched.folder) / "mask.png").convert("L")) > 0
    assert not (coat & ~mask).any() and not (mask & ~grow(coat, touch_up.REACH)).any()


@pytest.mark.skipif(not PEOPLE.is_dir(), reason="the photos of people are not beside the project")
def test_parts_and_edges_of_real_photos_are_found_and_nobody_repaints_them(room: Studio):
    path = PEOPLE / "0016.jpg"
    found = room.upload_photo(path.read_bytes())
    labels = np.asarray(Image.open(PEOPLE / "0016_labels.png"))
    x, y = mask_ops.interior(labels > 0)
    seen = room.segment(photo=found.id, points=[(x, y, True)])
    assert seen.model == "croquis SAM" and seen.mask.shape == labels.shape
    assert seen.mask[int(y), int(x)] and not seen.mask.all() and seen.garment is None
    boxed = room.segment(photo=found.id, points=[(x, y, True)], box=(0, 0, *labels.shape[::-1]))
    for word in mask_ops.RESHAPES:
        assert mask_ops.reshaped(boxed.mask, (word,)).shape == labels.shape
    edges = unpacked(edge_map(photo_pixels(room.uploads.read(found.id))))
    assert 0.005 < (edges > 0).mean() < 0.5
    with pytest.raises(ModelUnavailable, match="sd15"):
        room.touch_up(found.id, points=[(x, y, True)], color="red")
