"""Skeletons, layouts and edges are recognised, and never preprocessed twice."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from catalog.croquis import drawing, figure, maps
from catalog.croquis.figure import POSES
from catalog.croquis.posture import Keypoints
from catalog.errors import BadValue, UnknownName
from tools.control_pictures import canny, draw_skeleton, kind_of, preprocess, read_skeleton
from tools.looks import _layout_picture

FACE = (0, 14, 15, 16, 17)


def packed(picture: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("name", POSES)
def test_a_skeleton_is_read_back_to_the_pixel(name):
    points = figure.pose(name).array() * 2
    picture = maps.skeleton_picture(points, 768, 512)
    assert kind_of(picture) == "skeleton"
    seen = read_skeleton(picture)
    known = seen.known(0.5)
    assert known.sum() >= 16
    for i in np.flatnonzero(known):
        if i not in FACE:  # the face's points lie on each other
            assert np.linalg.norm(seen.points[i] - points[i]) < 2, figure.KEYPOINTS[i]


def test_a_skeleton_kept_as_jpeg_is_still_one():
    points = figure.pose("waving").array() * 2
    seen = read_skeleton(packed(maps.skeleton_picture(points, 768, 512), 90))
    body = [i for i in range(18) if i not in FACE]
    assert seen is not None and seen.known(0.5)[body].all()
    assert np.linalg.norm(seen.points[body] - points[body], axis=1).max() < 3


def test_drawings_photos_and_blank_pictures_are_no_control_pictures():
    drawn = drawing.draw(drawing.sample_worn(3)).picture
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (200, 150, 3), np.uint8)
    neon = np.zeros((200, 150, 3), np.uint8)
    neon[20:60, 20:60] = (255, 0, 0)
    for picture in (drawn, noise, np.zeros_like(noise), np.full_like(noise, 255), neon):
        assert kind_of(np.ascontiguousarray(picture)) == "picture"


@pytest.mark.parametrize("seed", range(4))
def test_a_layout_picture_is_recognised(seed):
    drawn = drawing.draw(drawing.sample_worn(seed), scale=2.0, picture=False)
    layout = SimpleNamespace(
        regions=np.ascontiguousarray(drawn.regions[::2, ::2]), edges=drawn.edges
    )
    grey = _layout_picture(layout)
    assert kind_of(grey[..., None].repeat(3, 2)) == "layout"


def test_edges_are_found_where_they_are_and_edge_pictures_left_alone(monkeypatch):
    asked = []

    class Detector:
        def __call__(self, picture, low, high, *, detect_resolution, image_resolution, output_type):
            import cv2

            asked.append((picture.shape, detect_resolution, image_resolution, output_type))
            return cv2.Canny(picture, low, high)[..., None].repeat(3, 2)

    stub = SimpleNamespace(CannyDetector=Detector)
    monkeypatch.setitem(sys.modules, "controlnet_aux", SimpleNamespace(canny=stub))
    monkeypatch.setitem(sys.modules, "controlnet_aux.canny", stub)
    picture = np.zeros((150, 100, 3), np.uint8)
    picture[:, 60:] = 200
    edges = canny(picture)
    assert edges.shape == picture.shape and set(np.flatnonzero(edges[75, :, 0])) <= {59, 60}
    assert asked == [((192, 128, 3), 128, 128, "np")], "sizes at which it bends nothing"
    assert kind_of(edges) == "edges"
    assert canny(edges) is edges and len(asked) == 1
    skeleton = maps.skeleton(figure.pose("standing").array())
    assert canny(skeleton) is skeleton and len(asked) == 1
    with pytest.raises(BadValue):
        canny(picture, 200, 100)


def test_an_unknown_preprocessor_names_the_nearest():
    with pytest.raises(UnknownName, match="canny"):
        preprocess("cany", np.zeros((64, 64, 3), np.uint8))


def test_a_joint_that_is_not_sure_is_not_drawn():
    points = figure.pose("standing").array()
    sure = np.ones(18)
    sure[4] = 0.1
    picture = draw_skeleton(Keypoints(points, sure), np.zeros((384, 256, 3), np.uint8), least=0.3)
    x, y = np.round(points[4]).astype(int)
    assert picture.shape == (384, 256, 3) and not picture[y, x].any()
