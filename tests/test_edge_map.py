"""The canny ControlNet's map: made of a picture, carried by a plan, followed by the drawing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from catalog.croquis import drawing, maps
from catalog.errors import BadValue
from tools.edge_map import LONGEST, edge_map, packed, unpacked
from tools.look import Plan, Worn


def drawn() -> np.ndarray:
    picture = drawing.draw(drawing.sample_worn(3)).picture
    assert picture is not None
    return picture


def test_a_drawing_gives_the_map_that_the_net_was_trained_with():
    picture = drawn()
    assert (unpacked(edge_map(picture)) == maps.canny_map(picture)).all()


def test_a_picture_of_another_shape_is_fitted_in_whole():
    wide = np.zeros((200, 400, 3), np.uint8)
    cv2.circle(wide, (200, 100), 60, (255, 255, 255), -1)
    edges = unpacked(edge_map(wide))[0]
    rows, columns = np.nonzero(edges)
    assert (rows.mean(), columns.mean()) == pytest.approx((47.5, 31.5), abs=1)
    assert np.ptp(rows) == np.ptp(columns) == pytest.approx(19, abs=2)


def test_edges_are_taken_as_they_are():
    lines = np.zeros((384, 256, 3), np.uint8)
    lines[40:340, 100:104] = 255
    again = unpacked(edge_map(lines))[0]
    assert again[10:85, 25].min() == 255 and again[:, 27:].max() == 0


def test_a_skeleton_and_an_empty_picture_are_refused():
    from catalog.croquis import figure

    skeleton = maps.skeleton(figure.pose("standing").array())
    with pytest.raises(BadValue, match="skeleton"):
        edge_map(skeleton)
    with pytest.raises(BadValue, match="edge"):
        edge_map(np.full((300, 200, 3), 90, np.uint8))


@pytest.mark.parametrize(
    "wrong", ["", "no base64!", "aGVsbG8=", packed(np.zeros((1, 64, 96), np.uint8))]
)
def test_a_plan_takes_no_other_picture_for_a_map(wrong):
    with pytest.raises(BadValue, match="edge map"):
        Plan(garments=(Worn(id="any-thing"),), edges=wrong)


def test_the_fullest_map_fits_into_a_plan():
    noise = np.random.default_rng(0).integers(0, 256, (1, 96, 64), np.uint8)
    assert len(packed(noise)) < LONGEST
