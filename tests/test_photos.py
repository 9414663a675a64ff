"""Garments are cut out of product photos: outlines, openings, white on a light ground."""

import cv2
import numpy as np
import pytest

from catalog.croquis import drawing
from catalog.garment import CATEGORIES, Cloth
from catalog.photos import cut_out

WHITE = "#f7f7f5"


def photo(category: str, seed: int, color: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A drawn product photo, and the garment's true pixels."""
    rng = np.random.default_rng((seed, 5))
    shape, cloth = drawing.sample_shape(category, rng), drawing.sample_cloth(category, rng)
    if color is not None:
        cloth = Cloth(colors=(color,), material=cloth.material)
    drawn = drawing.draw(drawing.Flat(shape, cloth, seed))
    return drawn.picture, drawn.regions > 2


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("color", [None, WHITE], ids=["any cloth", "white on light ground"])
def test_every_kind_of_garment_is_cut_out(color):
    scores = {}
    for i, category in enumerate(CATEGORIES):
        picture, truth = photo(category, 31 * i, color)
        scores[category] = iou(cut_out(picture), truth)
    worst = sorted(scores, key=lambda c: scores[c])[:5]
    print({c: round(scores[c], 3) for c in worst})
    assert np.mean(list(scores.values())) >= 0.94
    assert min(scores.values()) >= 0.75, worst[0]


@pytest.mark.parametrize("category", ["tote bag", "handbag", "crossbody bag", "glasses"])
def test_ground_seen_through_an_opening_is_ground(category):
    for seed in range(3):
        picture, truth = photo(category, seed, WHITE if seed else None)
        wrong = cut_out(picture) & ~truth
        assert wrong.sum() < 0.25 * truth.sum()
        core = cv2.erode(wrong.astype(np.uint8), np.ones((7, 7), np.uint8))
        assert not core.any(), "only a line along the outline may be wrong"


def test_the_background_never_leaks_into_a_garment():
    for category in ("tote bag", "t-shirt", "rain boots", "coat"):
        for color in (WHITE, "#e8e8ea", "#d0d2d4", "#17171a"):
            picture, truth = photo(category, 9, color)
            assert (truth & ~cut_out(picture)).sum() < 0.03 * truth.sum(), (category, color)


def test_a_photo_of_nothing_has_no_garment():
    assert not cut_out(np.full((384, 256, 3), 240, np.uint8)).any()


def test_an_even_square_on_white_is_found_to_the_pixel():
    picture = np.full((384, 256, 3), 250, np.uint8)
    picture[100:300, 60:200] = (30, 60, 120)
    mask = cut_out(picture)
    truth = np.zeros_like(mask)
    truth[100:300, 60:200] = True
    assert iou(mask, truth) > 0.97
