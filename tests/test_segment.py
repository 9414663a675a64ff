"""Clicks are answered from one embedding a picture, in the picture's own pixels, and checked."""

import threading

import numpy as np
import pytest
import torch

from catalog.croquis.sam import SIZE, load_sam, new_sam, save_sam
from catalog.errors import BadValue, ModelUnavailable
from tools import segment as segments
from tools.segment import LOOSE, Prompt, Segmenter, check_prompt

SMALL = SIZE | {"image": 128}


@pytest.fixture
def segmenter() -> Segmenter:
    torch.manual_seed(0)
    return Segmenter(new_sam(SMALL).eval().requires_grad_(False), "toy")


def picture(seed: int, rows: int = 192, columns: int = 128) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)


def embeddings(segmenter: Segmenter) -> list[int]:
    """A list that grows by one with each embedding made."""
    made: list[int] = []
    segmenter._sam.image_encoder.register_forward_hook(lambda *_: made.append(1))
    return made


def test_three_candidates_come_at_the_pictures_own_size_best_first(segmenter):
    found = segmenter.segment(picture(1), Prompt(points=((60.0, 90.0, True),)))
    assert len(found) == 3 and all(c.mask.shape == (192, 128) for c in found)
    assert all(c.mask.dtype == bool for c in found)
    scores = [c.score for c in found]
    assert scores == sorted(scores, reverse=True) and 0 <= scores[-1] <= scores[0] <= 1


def test_a_picture_is_embedded_once_however_often_it_is_clicked(segmenter):
    made = embeddings(segmenter)
    one, two = picture(1), picture(2)
    segmenter.embed(one)
    for x in (10.0, 50.0, 90.0):
        segmenter.segment(one, Prompt(points=((x, 90.0, True),)))
    assert len(made) == 1
    segmenter.segment(two, Prompt(box=(10, 10, 80, 120)))
    segmenter.segment(one, Prompt(box=(10, 10, 80, 120)))
    assert len(made) == 2


def test_the_least_used_embedding_goes_when_the_budget_is_full(segmenter, monkeypatch):
    made = embeddings(segmenter)
    key = segmenter.embed(picture(0))
    monkeypatch.setattr(segments, "EMBEDDING_BYTES", 2 * segmenter._kept[key]["features"].nbytes)
    for seed in (1, 2):
        segmenter.embed(picture(seed))
    assert len(segmenter._kept) == 2
    segmenter.embed(picture(2))
    assert len(made) == 3
    segmenter.embed(picture(0))
    assert len(made) == 4


def test_twenty_people_clicking_at_once_get_their_own_answers(segmenter):
    pictures = [picture(n, 96 + 8 * (n % 3), 96) for n in range(5)]
    prompt = Prompt(points=((40.0, 50.0, True), (80.0, 20.0, False)))
    alone = [segmenter.segment(p, prompt)[0].logits for p in pictures]
    wrong: list[int] = []

    def click(n: int) -> None:
        for k in range(3):
            got = segmenter.segment(pictures[(n + k) % 5], prompt)[0].logits
            if not np.array_equal(got, alone[(n + k) % 5]):
                wrong.append(n)

    people = [threading.Thread(target=click, args=(n,)) for n in range(20)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert not wrong


def test_an_answer_can_be_refined_by_another_click(segmenter):
    first = segmenter.segment(picture(1), Prompt(points=((60.0, 90.0, True),)))[0]
    points = ((60.0, 90.0, True), (20.0, 20.0, False))
    again = segmenter.segment(picture(1), Prompt(points=points, refine=first.logits))
    plain = segmenter.segment(picture(1), Prompt(points=points))
    assert len(again) == 1 and not np.array_equal(again[0].logits, plain[0].logits)


def test_points_count_in_the_pictures_pixels_not_in_the_models(segmenter):
    """The same place of the same picture at twice the size gives nearly the same answer."""
    small = np.kron(picture(3, 12, 8), np.ones((8, 8, 1), np.uint8))
    large = small.repeat(2, 0).repeat(2, 1)
    a = segmenter.segment(small, Prompt(points=((30.0, 40.0, True), (50.0, 80.0, False))))[0]
    b = segmenter.segment(large, Prompt(points=((60.5, 80.5, True), (100.5, 160.5, False))))[0]
    off = segmenter.segment(large, Prompt(points=((30.0, 40.0, True), (50.0, 80.0, False))))[0]
    gap = np.abs(a.logits - b.logits).mean()
    assert gap < 0.2 * np.abs(off.logits - b.logits).mean()


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(),
        Prompt(points=((500.0, 10.0, True),)),
        Prompt(points=((-1.0, 10.0, True),)),
        Prompt(points=((float("nan"), 10.0, True),)),
        Prompt(points=((1.0, 1.0, True),) * 10_000),
        Prompt(box=(10, 10, 10, 50)),
        Prompt(box=(10, 10, 9999, 50)),
        Prompt(points=((1.0, 1.0, True),), refine=np.zeros((3, 3))),
        Prompt(points=((9.0, 9.0, False),)),
        Prompt(points=((9.0, 9.0, True), (9.0, 9.0, False))),
    ],
    ids=["nothing", "outside", "negative", "no number", "too many", "empty box", "huge box",
         "not an answer", "nothing meant", "contradiction"],
)  # fmt: skip
def test_what_cannot_be_clicked_is_refused(segmenter, prompt):
    with pytest.raises(BadValue):
        segmenter.segment(picture(1), prompt)
    assert segmenter.segment(picture(1), Prompt(points=((1.0, 1.0, True),)))


def test_an_answer_stays_in_its_box_and_leaves_out_what_was_clicked_away(segmenter):
    for found in segmenter.segment(picture(1), Prompt(box=(30, 40, 60, 90))):
        y, x = np.nonzero(found.mask)
        near = (x >= 30 - LOOSE) & (x < 60 + LOOSE) & (y >= 40 - LOOSE) & (y < 90 + LOOSE)
        assert near.all()
    shoes = np.zeros((100, 100), bool)
    shoes[80:95, 10:40] = shoes[80:95, 60:90] = True
    left = shoes.copy()
    left[:, 50:] = False
    points = np.array([[20.0, 85.0, 1.0], [70.0, 85.0, 0.0]])
    assert np.array_equal(segments._within(shoes, points, None), left)
    # within one part the model has already taken both clicks in
    points[1, 0] = 30.0
    assert np.array_equal(segments._within(shoes, points, None), shoes)
    assert np.array_equal(segments._within(shoes, points[:1], None), shoes)


def test_a_box_may_end_where_the_picture_does_and_not_beyond():
    assert check_prompt(Prompt(box=(0, 0, 512, 768)), 768, 512)
    with pytest.raises(BadValue, match="A box lies outside.* 512 wide and 768 high"):
        check_prompt(Prompt(box=(0, 0, 513, 768)), 768, 512)


@pytest.mark.parametrize("shape, dtype", [((20, 20, 4), np.uint8), ((20, 20), np.uint8),
                                          ((20, 20, 3), np.uint16)])  # fmt: skip
def test_pictures_that_are_not_rgb_are_refused(segmenter, shape, dtype):
    with pytest.raises(BadValue):
        segmenter.segment(np.zeros(shape, dtype), Prompt(points=((1.0, 1.0, True),)))


def test_a_saved_sam_answers_as_before(tmp_path, segmenter):
    save_sam(segmenter._sam.half().float(), tmp_path, SMALL)
    again = Segmenter(load_sam(tmp_path), "again")
    prompt = Prompt(box=(10, 10, 80, 120))
    a, b = (s.segment(picture(1), prompt)[0].logits for s in (segmenter, again))
    assert np.allclose(a, b, atol=1e-4)


def test_a_checkpoint_that_is_none_says_what_to_name(tmp_path):
    (tmp_path / "mine.pth").write_bytes(b"nothing")
    for name in ("mine.pth", "sam_vit_b_01ec64.pth"):
        with pytest.raises(ModelUnavailable, match="STYLIST_SAM"):
            Segmenter.load(tmp_path / name)
