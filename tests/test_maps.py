"""What the model is told of a drawing: layout, skeleton and the share of each cell."""

import cv2
import numpy as np
import pytest

from catalog.croquis import drawing, figure, maps
from catalog.croquis.sheet import FIRST_GARMENT, HAIR, SKIN
from catalog.garment import SLOTS


@pytest.fixture(scope="module")
def drawn() -> list[drawing.Drawing]:
    return [drawing.draw(drawing.sample_worn(seed), picture=False) for seed in range(8)]


def blocks(array: np.ndarray, size: int) -> np.ndarray:
    rows, columns = array.shape
    return array.reshape(rows // size, size, columns // size, size).mean((1, 3))


def test_coverage_is_the_exact_mean_of_each_cell(drawn):
    for d in drawn:
        cover = maps.coverage(d.regions, len(d.slots))
        assert cover.shape == (FIRST_GARMENT + len(d.slots), 96, 64) and cover.dtype == np.float32
        for i, share in enumerate(cover):
            assert np.abs(share - blocks((d.regions == i).astype(float), 4)).max() < 1e-6


def test_shares_of_every_cell_sum_to_one(drawn):
    for d in drawn:
        shares = maps.shares(d.regions, len(d.slots))
        assert shares.shape == (2 + len(d.slots), 48, 32)
        assert np.abs(shares.sum(0) - 1).max() < 1e-5 and shares.min() >= 0
        person = blocks(np.isin(d.regions, (SKIN, HAIR)).astype(float), 8)
        assert np.abs(shares[maps.PERSON] - person).max() < 1e-5
        first = blocks((d.regions == FIRST_GARMENT).astype(float), 8)
        assert np.abs(shares[maps.FIRST_PHRASE] - first).max() < 1e-5


def test_the_layout_map_has_one_channel_a_slot_and_one_for_edges(drawn):
    for d in drawn:
        layout = maps.layout_map(d.regions, d.edges, d.slots)
        assert layout.shape == (12, 96, 64) and layout.dtype == np.uint8
        assert np.abs(layout[0] / 255 - blocks((d.regions == SKIN).astype(float), 4)).max() < 0.003
        assert np.abs(layout[1] / 255 - blocks((d.regions == HAIR).astype(float), 4)).max() < 0.003
        for slot in SLOTS:
            numbers = [FIRST_GARMENT + i for i, s in enumerate(d.slots) if s == slot]
            there = blocks(np.isin(d.regions, numbers).astype(float), 4)
            channel = layout[maps.CHANNELS.index(slot)] / 255
            assert np.abs(channel - there).max() < 0.004
        edges = blocks(d.edges / 255, 4)
        assert np.abs(layout[-1] / 255 - edges).max() < 0.006
        assert 0.01 < edges.mean() < 0.3


def test_a_product_photos_layout_shows_its_outline_and_no_seams():
    d = drawing.draw(drawing.sample_flat(3))
    layout, skeleton, shares = drawing.model_maps(d)
    assert not skeleton.any() and shares.shape[0] == 3 and not shares[maps.PERSON].any()
    inner = blocks((d.regions == FIRST_GARMENT).astype(float), 4) == 1
    deep = cv2.erode(inner.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert deep.any() and not layout[-1][deep].any()


def test_an_outline_runs_where_regions_change():
    regions = np.zeros((8, 8), np.uint8)
    regions[2:5, 3:6] = 3
    edge = maps.outline(regions)
    assert set(np.unique(edge)) == {0, 255}
    assert edge[2, 3] == edge[5, 3] == edge[3, 3] == edge[3, 6] == 255
    assert edge[3, 4] == edge[0, 0] == 0


def test_skeletons_have_the_published_colours_and_limbs():
    points = figure.pose("standing").array()
    picture = maps.skeleton(points, scale=4.0)
    for i, color in enumerate(maps.COLORS):
        x, y = np.round(points[i] * 4).astype(int)
        if i not in (0, 14, 15, 16, 17):  # the face's points lie on each other
            assert np.abs(picture[y, x].astype(int) - color).max() <= 2, figure.KEYPOINTS[i]
    names = figure.KEYPOINTS
    limbs = {(names[a], names[b]) for a, b in maps.LIMBS}
    assert len(maps.LIMBS) == 17
    assert {("neck", "r_shoulder"), ("r_hip", "r_knee"), ("l_elbow", "l_wrist")} <= limbs
    # a limb is drawn in its own colour at three fifths of the brightness
    wrist_limb = maps.LIMBS.index((3, 4))
    x, y = np.round((points[3] + points[4]) / 2 * 4).astype(int)
    wanted = np.array(maps.COLORS[wrist_limb]) * 0.6
    assert np.abs(picture[y, x] - wanted).max() <= 3


def test_joints_nobody_saw_are_left_out():
    points = figure.pose("standing").array()
    x, y = np.round(points[4]).astype(int)
    assert maps.skeleton(points)[y, x].any()
    points[4] = np.nan
    assert not maps.skeleton(points)[y, x].any()
    assert not maps.skeleton(np.full((18, 2), np.nan)).any()


def test_the_skeleton_map_is_the_shrunken_skeleton():
    points = figure.pose("waving").array()
    small = maps.skeleton_map(points)
    assert small.shape == (3, 96, 64) and small.dtype == np.uint8
    whole = maps.skeleton(points)
    for channel in range(3):
        exact = blocks(whole[..., channel].astype(float), 4)
        assert np.abs(small[channel] - exact).max() <= 1


def test_a_canny_map_is_the_edges_of_a_picture_and_nothing_of_its_colours():
    picture = np.full((384, 256, 3), (250, 240, 230), np.uint8)
    picture[100:200, 80:160] = (20, 40, 90)
    edges = maps.canny_map(picture)
    assert edges.shape == (1, *maps.MAP_SIZE) and edges.dtype == np.uint8
    rows, columns = np.nonzero(edges[0])
    box = [int(v) for v in (rows.min(), rows.max(), columns.min(), columns.max())]
    assert np.abs(np.array(box) - (25, 49, 20, 39)).max() <= 1, "cells of four pixels"
    assert not edges[0][30:45, 25:35].any(), "inside there is nothing to see"
    assert np.array_equal(edges, maps.canny_map(255 - picture))
