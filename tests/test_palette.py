"""Colour arithmetic against published numbers, and the shades that training never sees."""

import numpy as np
import pytest

from catalog.croquis import palette

# Sharma, Wu, Dalal: The CIEDE2000 color-difference formula (2005), table 1
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0009, -2.4900), 4.8045),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0011, -2.4900), 4.7461),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "two", "published"), SHARMA)
def test_colour_differences_are_the_published_ones(one, two, published):
    assert palette.delta_e(one, two) == pytest.approx(published, abs=1e-4)
    assert palette.delta_e(two, one) == pytest.approx(published, abs=1e-4)


def test_colour_differences_broadcast():
    grid = palette.delta_e(np.zeros((3, 1, 3)), np.ones((1, 4, 3)))
    assert grid.shape == (3, 4) and np.allclose(grid, grid[0, 0])


@pytest.mark.parametrize(
    ("color", "lab"),
    [  # sRGB primaries under D65, as tabled by Lindbloom
        ("#ffffff", (100.0, 0.0, 0.0)),
        ("#000000", (0.0, 0.0, 0.0)),
        ("#ff0000", (53.24, 80.09, 67.20)),
        ("#00ff00", (87.73, -86.18, 83.18)),
        ("#0000ff", (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_the_primaries_is_the_published_one(color, lab):
    assert palette.srgb_to_lab(palette.hex_to_rgb(color)) == pytest.approx(lab, abs=0.06)


def test_lab_and_back_is_the_same_colour():
    rgb = np.random.default_rng(0).integers(0, 256, (500, 3))
    assert np.abs(palette.lab_to_srgb(palette.srgb_to_lab(rgb)) - rgb).max() < 0.05


def test_every_anchor_is_called_by_its_own_word():
    for word, shades in palette.COLORS.items():
        assert [palette.color_word(s) for s in shades] == [word] * len(shades)


def test_training_shades_are_of_their_word_and_never_held_out():
    rng = np.random.default_rng(0)
    for word in palette.COLORS:
        for _ in range(12):
            shade = palette.training_shade(word, rng)
            assert palette.color_word(shade) == word and not palette.held_out(shade)
    assert palette.training_shade("red", np.random.default_rng(5)) == palette.training_shade(
        "red", np.random.default_rng(5)
    )


def test_the_nearest_held_out_shade_is_held_out_near_and_of_the_same_word():
    for word, shades in palette.COLORS.items():
        for shade in shades:
            held = palette.nearest_held_out(shade)
            assert palette.held_out(held) and palette.color_word(held) == word
            labs = palette.srgb_to_lab(np.array([palette.hex_to_rgb(c) for c in (shade, held)]))
            assert palette.delta_e(labs[0], labs[1]) < 20


def test_about_one_shade_in_five_is_held_out():
    rng = np.random.default_rng(1)
    colors = [palette.rgb_to_hex(rgb) for rgb in rng.integers(0, 256, (2000, 3))]
    assert 0.15 < np.mean([palette.held_out(c) for c in colors]) < 0.25


def test_hex_and_rgb_are_each_others_inverse_and_numbers_outside_are_clipped():
    assert palette.rgb_to_hex(palette.hex_to_rgb("#0a7fff")) == "#0a7fff"
    assert palette.rgb_to_hex(np.array([-5.0, 127.6, 300.0])) == "#0080ff"
