"""Garments are cut out of studio photos and of photos on busy grounds."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from catalog.croquis import drawing
from catalog.grab_cut import cut
from catalog.photo_file import photo_pixels, photo_png
from catalog.photo_frame import agreement

REAL = Path(__file__).parents[2] / "shared" / "data" / "garments"


def drawn(category: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A drawn product photo, and the garment's true pixels."""
    rng = np.random.default_rng((seed, 5))
    shape, cloth = drawing.sample_shape(category, rng), drawing.sample_cloth(category, rng)
    picture = drawing.draw(drawing.Flat(shape, cloth, seed))
    return picture.picture, picture.regions > 2


def on_a_busy_ground(picture: np.ndarray, mask: np.ndarray, seed: int) -> np.ndarray:
    """The garment on planks or tiles with noise, as people photograph it at home."""
    rng = np.random.default_rng(seed)
    tint = rng.integers(90, 200, 3)
    ground = np.full(picture.shape, tint, np.float32)
    ground[:: int(rng.integers(24, 48))] -= 40
    ground += cv2.GaussianBlur(rng.normal(0, 30, picture.shape).astype(np.float32), (0, 0), 2)
    cover = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)[..., None]
    return np.clip(picture * cover + ground * (1 - cover), 0, 255).astype(np.uint8)


def test_a_studio_photo_is_cut_by_its_even_ground():
    picture, truth = drawn("sweater", 3)
    found = cut(picture)
    assert found.way == "even ground" and not found.warnings
    assert agreement(found.mask, truth) > 0.95


def test_garments_on_busy_grounds_are_found():
    scores = []
    for seed, category in enumerate(("sweater", "jeans", "midi dress", "coat", "boots", "cap")):
        picture, truth = drawn(category, seed)
        found = cut(on_a_busy_ground(picture, truth, seed))
        assert found.way == "grab cut" and found.usable
        scores.append(agreement(found.mask, truth))
    print(np.round(scores, 3))
    assert np.median(scores) > 0.85 and min(scores) > 0.5


def test_the_same_photo_is_cut_the_same_way_twice():
    picture, truth = drawn("shirt", 4)
    busy = on_a_busy_ground(picture, truth, 4)
    assert (cut(busy).mask == cut(busy).mask).all()


def test_a_photo_of_nothing_is_not_usable_or_says_so():
    even = cut(np.full((384, 256, 3), 240, np.uint8))
    assert not even.usable or even.warnings


def floor(garment: np.ndarray, print_: np.ndarray) -> np.ndarray:
    """A grey floor with a garment on it that is hardly darker, and something bright on that."""
    rng = np.random.default_rng(0)
    photo = np.full((384, 256, 3), 120, np.float32)
    photo[garment] = (90, 98, 108)
    photo += cv2.GaussianBlur(rng.normal(0, 30, photo.shape).astype(np.float32), (0, 0), 2)
    photo[print_] = (210, 60, 40)
    return photo.clip(0, 255).astype(np.uint8)


def test_a_bright_print_is_not_taken_for_the_garment_it_is_on():
    garment = drawn("sweater", 3)[1]
    print_ = np.zeros_like(garment)
    print_[140:210, 92:164] = True
    found = cut(floor(garment, print_))
    assert found.usable and not found.warnings
    assert agreement(found.mask, garment) > 0.8


def test_a_small_thing_on_a_bare_floor_stays_small():
    small = np.zeros((384, 256), bool)
    small[60:100, 60:100] = True
    found = cut(floor(np.zeros_like(small), small))
    assert agreement(found.mask, small) > 0.8 and "small" in found.warnings[0]


def test_light_on_a_bare_floor_is_no_garment_or_is_doubted():
    none = np.zeros((384, 256), bool)
    y, x = np.mgrid[-1:1:384j, -1:1:256j]
    bare = floor(none, none)
    vignette = bare * (1 - 0.35 * (x**2 + y**2) / 2)[..., None]
    sun = bare + 45 * np.exp(-2 * (((x - 0.2) / 0.4) ** 2 + ((y + 0.1) / 0.3) ** 2))[..., None]
    for light in (bare, vignette, sun):
        found = cut(light.clip(0, 255).astype(np.uint8))
        assert any("stands out" in w or "edge is seen" in w for w in found.warnings)


@pytest.mark.parametrize("level", [0, 60, 255])
def test_a_photo_of_one_colour_shows_nothing_and_grab_cut_is_not_asked(level, monkeypatch):
    monkeypatch.setattr(cv2, "grabCut", lambda *_: pytest.fail("it takes minutes on such a photo"))
    found = cut(np.full((64, 60, 3), level, np.uint8))
    assert not found.usable and "stands out" in found.warnings[0]


@pytest.mark.skipif(not REAL.is_dir(), reason="the real photos are not here")
def test_real_photos_leave_their_background_behind():
    coverage = [
        cut(photo_pixels(photo_png(path.read_bytes()))).mask.mean()
        for path in sorted(REAL.glob("*-1[05].jpg"))[:8]
    ]
    assert all(0.05 < share < 0.9 for share in coverage)
