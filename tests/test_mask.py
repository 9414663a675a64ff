"""Mask operations do what their names say and touch nothing else."""

import numpy as np
import pytest

from catalog.errors import BadValue, UnknownName
from tools import mask as masks

SIZE = 60, 40


def square(top=20, left=10, side=12) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_growing_and_shrinking_move_the_border_by_that_many_pixels():
    grown, shrunk = masks.grow(square(), 3), masks.grow(square(), -3)
    assert grown[26, 7] and not grown[26, 6] and grown[26, 24] and not grown[26, 25]
    assert shrunk.sum() == 36 and shrunk[23:29, 13:19].all()
    assert not masks.grow(square(), -8).any()
    assert np.array_equal(masks.grow(square(), 0), square())


def test_holes_are_filled_and_bays_are_not():
    ring = square(side=20) & ~square(24, 14, 6)
    assert np.array_equal(masks.fill_holes(ring), square(side=20))
    bay = square(side=20) & ~square(24, 10, 6)
    assert np.array_equal(masks.fill_holes(bay), bay)
    assert masks.fill_holes(np.ones(SIZE, bool)).all()


def test_the_largest_part_is_kept():
    small = square(2, 2, 4)
    assert np.array_equal(masks.keep_largest(square() | small), square())
    assert not masks.keep_largest(np.zeros(SIZE, bool)).any()


def test_masks_are_added_subtracted_and_inverted():
    other = square(26, 16, 12)
    assert (masks.add(square(), other) == (square() | other)).all()
    assert not (masks.subtract(square(), other) & other).any()
    assert np.array_equal(masks.invert(masks.invert(square())), square())


def test_a_brush_paints_its_width_and_erases_it_again():
    stroke = [(5, 30), (35, 30)]
    painted = masks.brush(np.zeros(SIZE, bool), stroke, 5)
    assert painted[28:33, 6:34].all() and not painted[36].any() and not painted[24].any()
    assert not masks.brush(painted, stroke, 9, erase=True).any()
    for wrong in ([], [(np.nan, 1)], [(1e9, 3)]):
        with pytest.raises(BadValue):
            masks.brush(painted, wrong, 5)
    with pytest.raises(BadValue):
        masks.brush(painted, stroke, 0)


def test_the_feather_is_one_inside_and_exactly_zero_beyond_its_reach():
    share = masks.feathered(square(), 6)
    assert (share[square()] == 1).all()
    assert (share[~masks.grow(square(), 8)] == 0).all()
    band = masks.grow(square(), 5) & ~square()
    assert ((share[band] > 0) & (share[band] < 1)).all()
    assert set(np.unique(masks.feathered(square(), 0))) == {0.0, 1.0}


def test_a_composite_changes_no_bit_where_the_share_is_zero():
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 256, (2, *SIZE, 3), np.uint8)
    share = masks.feathered(square(), 4)
    out = masks.composite(before, after, share)
    assert np.array_equal(out[share == 0], before[share == 0])
    assert np.array_equal(out[share == 1], after[share == 1])
    between = (share > 0) & (share < 1)
    low, high = np.minimum(before, after)[between], np.maximum(before, after)[between]
    assert ((out[between] >= low) & (out[between] <= high)).all()


def test_an_uploaded_picture_is_a_mask_where_it_is_bright():
    white = np.zeros((*SIZE, 3), np.uint8)
    white[square()] = 255
    assert np.array_equal(masks.checked(white, SIZE), square())
    clear = np.dstack([white, np.zeros(SIZE, np.uint8)])
    assert not masks.checked(clear, SIZE).any(), "transparent is not marked"
    assert np.array_equal(masks.checked(square().astype(np.uint8), SIZE), square())


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((10, 10), bool), np.zeros(5), np.full(SIZE, np.nan), np.zeros((*SIZE, 7))],
    ids=["another size", "a line", "not numbers", "seven channels"],
)
def test_what_is_no_mask_of_this_picture_is_refused(wrong):
    with pytest.raises(BadValue):
        masks.checked(wrong, SIZE)


def test_an_empty_mask_is_refused_with_what_to_do():
    with pytest.raises(BadValue, match="Click"):
        masks.require_some(np.zeros(SIZE, bool))
    with pytest.raises(BadValue):
        masks.grow(square(), 100_000)


def test_a_full_mask_is_refused_since_nothing_would_stay():
    with pytest.raises(BadValue, match="Mark what should change"):
        masks.require_part(np.ones(SIZE, bool))


def test_a_grey_mask_is_refused_and_a_soft_edged_one_is_not():
    import cv2

    for grey in (np.full(SIZE, 128, np.uint8), np.full((*SIZE, 3), 90, np.uint8)):
        with pytest.raises(BadValue, match="black"):
            masks.checked(grey, SIZE)
    soft = cv2.GaussianBlur(square().astype(np.uint8) * 255, (5, 5), 0)
    assert np.array_equal(masks.checked(soft, SIZE), soft > 127)
    assert np.array_equal(masks.checked(soft / 255.0, SIZE), soft > 127)


def test_words_change_a_mask_in_their_order():
    ring = square(side=20) & ~square(24, 14, 6)
    filled = masks.reshaped(ring | square(2, 2, 3), ("largest", "fill"))
    assert np.array_equal(filled, square(side=20))
    assert np.array_equal(masks.reshaped(square(), ("grow:3",)), masks.grow(square(), 3))
    assert np.array_equal(masks.reshaped(square(), ("invert", "shrink")),
                          masks.grow(~square(), -4))  # fmt: skip
    assert np.array_equal(masks.reshaped(square(), ()), square())
    with pytest.raises(UnknownName, match="grow"):
        masks.reshaped(square(), ("grwo:3",))
    for wrong in ("grow:x", "grow:-3", "grow:9999", "grow:100000", "fill:3"):
        with pytest.raises(BadValue):
            masks.reshaped(square(), (wrong,))


def test_the_interior_lies_deepest_and_an_edge_of_the_picture_is_an_edge():
    mask = np.zeros((40, 60), bool)
    mask[:, :21] = True
    x, y = masks.interior(mask)
    assert x == 10 and 9 <= y <= 30
    with pytest.raises(BadValue):
        masks.interior(np.zeros((4, 4), bool))


def test_a_mask_of_fractions_with_a_clear_part_marks_only_what_is_opaque():
    picture = np.ones((4, 6, 4))
    picture[:, :3, 3] = 0
    assert masks.checked(picture, (4, 6)).sum() == 12
