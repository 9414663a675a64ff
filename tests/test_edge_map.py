"""The canny ControlNet's map: made of a picture, carried by a plan, followed by the drawing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from catalog.croquis import drawing, maps
from catalog.errors import BadValue
from tools.control_pictures import kind_of
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


@pytest.mark.parametrize("times", [1, 4, 12])
def test_thin_lines_of_a_large_edge_picture_stay_lines(times):
    lines = np.zeros((384 * times, 256 * times, 3), np.uint8)
    lines[40 * times : 340 * times, 100 * times + times // 2] = 255  # one pixel wide
    far = unpacked(edge_map(lines))[0]
    assert far[12:84, 25].min() >= 50 and not far[:, :24].any() and not far[:, 27:].any()


def test_an_edge_picture_that_was_resized_or_kept_as_jpeg_is_one_still():
    edges = cv2.Canny(cv2.resize(drawn(), (512, 768)), 100, 200)
    again = {
        "smaller": cv2.resize(edges, None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA),
        "jpeg": cv2.imdecode(cv2.imencode(".jpg", edges, [1, 92])[1], cv2.IMREAD_GRAYSCALE),
    }
    for how, picture in again.items():
        assert kind_of(np.repeat(picture[..., None], 3, 2)) == "edges", how
    assert kind_of(drawn()) == "picture"


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
