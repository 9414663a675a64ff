"""Pose and garments become a layout: stable, and only as the clothes are worn."""

import dataclasses

import numpy as np
import pytest

from catalog.croquis import maps
from catalog.croquis.figure import POSES, Person
from catalog.errors import UnknownName
from catalog.garment import Cloth, Garment, Shape
from tools.layout import Layout, lay_out, worn_shape

SUMMER, WINTER = {"summer": 1.0}, {"winter": 1.0}


def garment(slot: str, category: str, color: str = "#c8242c", **shape) -> Garment:
    return Garment(
        id=category.replace(" ", "-"),
        name=category,
        slot=slot,
        shape=Shape(category=category, **shape),
        cloth=Cloth(colors=(color,)),
        color="red",
        seasons=("winter",),
        formality=0.5,
        clo=0.3,
        trigger="abc",
    )


SHIRT = garment("top", "t-shirt", sleeves="short")
JEANS = garment("bottom", "jeans", length="ankle")
COAT = garment("outerwear", "coat", length="knee", sleeves="long", open=True)
BOOTS = garment("footwear", "boots", length="ankle")
OUTFIT = (SHIRT, JEANS, COAT, BOOTS)


def laid(*garments: Garment, pose: str = "standing", season=SUMMER, **person) -> Layout:
    return lay_out(garments or OUTFIT, Person(**person), pose, season)


def test_the_same_outfit_gives_the_same_layout():
    assert laid().sha256 == laid().sha256
    assert len(laid().sha256) == 64


def test_cloth_is_no_part_of_the_layout_but_pose_body_and_garments_are():
    plain = laid()
    blue = tuple(
        g.model_copy(update={"cloth": Cloth(colors=("#2f5fb3", "#ffffff"), pattern="stripes")})
        for g in OUTFIT
    )
    assert laid(*blue).sha256 == plain.sha256
    others = [
        laid(pose="walking"), laid(body="plus"), laid(presentation="man"), laid(hair="bun"),
        laid(SHIRT, JEANS, BOOTS),
    ]  # fmt: skip
    assert len({plain.sha256, *(o.sha256 for o in others)}) == 6


def test_a_coat_is_open_in_summer_and_closed_in_winter():
    warm, cold = laid(season=SUMMER), laid(season=WINTER)
    assert warm.mask(0).sum() > 2 * cold.mask(0).sum(), "the t-shirt vanishes under the coat"
    assert cold.mask(2).sum() > warm.mask(2).sum()
    assert worn_shape(COAT.shape, {"winter": 0.4, "spring-autumn": 0.6}).open
    assert not worn_shape(COAT.shape, {"winter": 0.6, "spring-autumn": 0.4}).open
    assert worn_shape(SHIRT.shape, WINTER) is SHIRT.shape


@pytest.mark.parametrize(
    ("part", "words"),
    [("sleeves", ("none", "short", "long")), ("length", ("thigh", "calf", "ankle"))],
)
def test_sleeves_and_hems_change_the_layout(part, words):
    kinds = {"thigh": "mini dress", "calf": "midi dress", "ankle": "maxi dress"}
    layouts = [
        laid(garment("onepiece", kinds[w], length=w))
        if part == "length"
        else laid(garment("onepiece", "midi dress", length="calf", sleeves=w))
        for w in words
    ]
    covered = [int(x.mask(0).sum()) for x in layouts]
    assert covered == sorted(covered) and len(set(covered)) == 3
    assert len({x.sha256 for x in layouts}) == 3


def test_long_sleeves_are_rolled_when_summer_weighs_most():
    shirt = garment("top", "shirt", sleeves="long")
    warm, cold = laid(shirt, JEANS, season=SUMMER), laid(shirt, JEANS, season=WINTER)
    assert (warm.regions == 1).sum() > (cold.regions == 1).sum(), "forearms show"
    mixed = laid(shirt, JEANS, season={"summer": 0.4, "winter": 0.6})
    assert mixed.sha256 == cold.sha256
    asked = lay_out((shirt, JEANS), Person(), "standing", SUMMER, sleeves_down=(0,))
    assert asked.sha256 == cold.sha256, "who asks for long sleeves gets them in summer too"


@pytest.mark.parametrize("pose", POSES)
def test_masks_of_garments_do_not_overlap_and_agree_with_the_shares(pose):
    layout = laid(pose=pose)
    masks = np.stack([layout.mask(i) for i in range(len(OUTFIT))])
    assert masks.sum(0).max() == 1 and (masks.sum((1, 2)) > 50).all()
    assert layout.regions.shape == (384, 256) and layout.edges.shape == (768, 512)
    assert layout.shares.shape == (2 + len(OUTFIT), 48, 32)
    assert np.abs(layout.shares.sum(0) - 1).max() < 1e-5
    assert np.allclose(layout.shares[2:].mean((1, 2)), masks.mean((1, 2)), atol=1e-4)
    assert layout.layout_map.shape == (len(maps.CHANNELS), 96, 64)
    assert layout.points.shape == (18, 2) and np.isfinite(layout.points).all()


def test_the_sha_covers_everything_the_model_is_given():
    layout = laid()
    for name in ("layout_map", "skeleton_map", "shares", "edges"):
        changed = getattr(layout, name).copy()
        changed.flat[changed.size // 2] += 1
        assert dataclasses.replace(layout, **{name: changed}).sha256 != layout.sha256


def test_an_unknown_pose_names_the_nearest():
    with pytest.raises(UnknownName, match="walking"):
        laid(pose="walkng")
