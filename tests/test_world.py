"""The drawn world: the same from the same seed, and the truth about a drawing is the truth."""

import dataclasses

import numpy as np
import pytest
import skia

from catalog.croquis import cloth as cloths
from catalog.croquis import drawing, figure, palette, pen
from catalog.croquis.figure import Person
from catalog.croquis.sheet import FIRST_GARMENT, Sheet, View
from catalog.garment import CATEGORIES, Cloth

POSES = ("standing", "walking", "arms crossed", "sitting", "hands in pockets")


def worn(*outfit, pose="standing", person=None, **more) -> drawing.Worn:
    person = person or Person()
    fields = dict(scene="studio", season=(("summer", 1.0),), seed=7) | more
    return drawing.Worn(person, figure.pose(pose, person), tuple(outfit), **fields)


def reclothed(outfit, rng):
    """The same shapes in other cloth, prints and trims that only LoRAs know among them."""
    return tuple(
        (
            shape,
            Cloth(
                colors=tuple(palette.rgb_to_hex(rng.integers(0, 256, 3)) for _ in range(3)),
                pattern=cloths.PATTERNS[rng.integers(len(cloths.PATTERNS))],
                material=CATEGORIES[shape.category].materials[0],
                trim=cloths.TRIMS[rng.integers(len(cloths.TRIMS))],
            ),
        )
        for shape, _ in outfit
    )


def same_layout(a: drawing.Drawing, b: drawing.Drawing) -> bool:
    pairs = zip(drawing.model_maps(a), drawing.model_maps(b), strict=True)
    return (
        np.array_equal(a.regions, b.regions)
        and np.array_equal(a.edges, b.edges)
        and all(np.array_equal(x, y) for x, y in pairs)
    )


def test_a_drawing_is_the_same_from_the_same_seed_and_another_from_another():
    for seed in range(4):
        one, two = (drawing.draw(drawing.sample_worn(seed)) for _ in range(2))
        assert np.array_equal(one.picture, two.picture) and one.phrases == two.phrases
        assert same_layout(one, two)
        flat, again = (drawing.draw(drawing.sample_flat(seed)) for _ in range(2))
        assert np.array_equal(flat.picture, again.picture)
    assert not np.array_equal(
        drawing.draw(drawing.sample_worn(1)).picture, drawing.draw(drawing.sample_worn(2)).picture
    )


def test_every_phrase_has_its_region_and_every_region_its_phrase():
    for seed in range(60):
        drawn = drawing.draw(drawing.sample_worn(seed), picture=False)
        count = len(drawn.truth.outfit)
        assert len(drawn.phrases) == 2 + count and len(drawn.slots) == count
        assert drawn.regions.max() < FIRST_GARMENT + count
        for i, (shape, fabric) in enumerate(drawn.truth.outfit):
            phrase = drawn.phrases[2 + i]
            assert phrase.endswith(f"{fabric.material} {shape.category}")
            assert phrase.startswith(palette.color_word(fabric.colors[0]))
            assert (fabric.pattern in phrase.split()) == (fabric.pattern != "plain")
            assert drawn.slots[i] == CATEGORIES[shape.category].slot


def test_a_region_wears_the_colour_its_phrase_says():
    for category in ("t-shirt", "jeans", "midi dress", "coat", "boots", "tote bag", "beanie"):
        shape = drawing.sample_shape(category, np.random.default_rng(1))
        for color in ("#c8242c", "#2f8a4a", "#2f5fb3"):
            drawn = drawing.draw(worn((shape, Cloth(colors=(color,)))))
            seen = np.median(drawn.picture[drawn.regions == FIRST_GARMENT], axis=0)
            labs = palette.srgb_to_lab(np.array([seen, palette.hex_to_rgb(color)]))
            assert palette.delta_e(labs[0], labs[1]) < 12, (category, color)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_draws_flat_and_worn_with_its_own_region(category):
    rng = np.random.default_rng(3)
    kind = CATEGORIES[category]
    for length in kind.lengths:
        for sleeves in kind.sleeves:
            shape = drawing.sample_shape(category, rng).model_copy(
                update={"length": length, "sleeves": sleeves}
            )
            fabric = drawing.sample_cloth(category, rng)
            flat = drawing.draw(drawing.Flat(shape, fabric, 4), picture=False).regions
            assert set(np.unique(flat)) <= {0, FIRST_GARMENT}
            assert (flat == FIRST_GARMENT).mean() > 0.03
            on = drawing.draw(worn((shape, fabric)), picture=False).regions
            assert (on == FIRST_GARMENT).sum() > 50
            assert set(np.unique(on)) <= {0, 1, 2, FIRST_GARMENT}


@pytest.mark.parametrize("pose", POSES)
def test_cloth_never_shows_in_a_layout(pose):
    rng = np.random.default_rng(len(pose))
    for seed in range(6):
        truth = drawing.sample_worn(1000 + seed)
        truth = dataclasses.replace(truth, pose=figure.pose(pose, truth.person))
        other = dataclasses.replace(truth, outfit=reclothed(truth.outfit, rng))
        one, two = drawing.draw(truth), drawing.draw(other)
        assert same_layout(one, two)
        assert not np.array_equal(one.picture, two.picture)


def test_cloth_never_shows_in_the_layout_of_a_product_photo():
    rng = np.random.default_rng(8)
    for i, category in enumerate(CATEGORIES):
        shape = drawing.sample_shape(category, rng)
        pair = [
            drawing.draw(drawing.Flat(shape, fabric, i), picture=False)
            for _, fabric in (*reclothed([(shape, None)], rng), *reclothed([(shape, None)], rng))
        ]
        assert same_layout(*pair), category


def test_a_layout_alone_is_the_layout_of_the_full_drawing():
    for seed in range(12):
        for truth in (drawing.sample_worn(seed), drawing.sample_flat(seed)):
            full, bare = drawing.draw(truth), drawing.draw(truth, picture=False)
            assert bare.picture is None and same_layout(full, bare)


def test_a_view_shows_a_part_as_a_larger_drawing_has_it():
    truth = drawing.sample_worn(5)
    view = View.around(120, 200, 2.0)
    part, large = drawing.draw(truth, view=view), drawing.draw(truth, scale=2.0)
    x, y = round(2 * view.left), round(2 * view.top)
    window = np.s_[y : y + 384, x : x + 256]
    assert (part.regions == large.regions[window]).mean() > 0.999
    far = np.abs(part.picture.astype(int) - large.picture[window]).mean()
    assert far < 3 and part.points == pytest.approx(large.points * 2 - (x, y))
    assert View.around(0, 384, 3.0) == View(3.0, 0.0, 256.0)


def test_base_training_never_draws_what_is_held_out():
    rng = np.random.default_rng(0)
    names = list(CATEGORIES)
    for i in range(300):
        fabric = drawing.sample_cloth(names[i % len(names)], rng)
        assert fabric.pattern not in cloths.PRINTS_HELD and fabric.trim not in cloths.TRIMS_HELD
        assert not any(palette.held_out(color) for color in fabric.colors)
        assert len(fabric.colors) == (1 if fabric.pattern == "plain" else 3)
    assert not set(cloths.PRINTS_HELD) & set(cloths.PATTERNS_BASE)


def test_figures_are_adults():
    words = " ".join(figure.AGES).lower()
    for word in ("child", "kid", "baby", "teen", "girl", "boy", "toddler", "minor", "adolescent"):
        assert word not in words
    assert set(figure.PRESENTATIONS) == {"woman", "man", "person"}
    for person in (Person(), Person(presentation="man"), Person(presentation="person")):
        fig = figure.Figure(person, figure.pose("standing", person))
        heads = fig.height / (2 * fig.head_size[1])
        assert heads > 7, "a child's head is larger beside its body"


def test_an_outfits_order_changes_nothing_but_the_numbers():
    truth = drawing.sample_worn(21)
    turned = dataclasses.replace(truth, outfit=truth.outfit[::-1])
    one, two = (drawing.draw(t, picture=False).regions.astype(int) for t in (truth, turned))
    count = len(truth.outfit)
    garments = two >= FIRST_GARMENT
    two[garments] = FIRST_GARMENT + count - 1 - (two[garments] - FIRST_GARMENT)
    assert np.array_equal(one, two)


def test_a_repeat_of_every_pattern_spans_more_than_one_of_the_bases_cells():
    """Shorter than eight units, the base draws a patch of the right colours in its place."""
    for pattern, (width, height, _) in cloths.MARKS.items():
        size = cloths._PATTERN_SIZE * cloths._ZOOM.get(pattern, 1.0)
        assert min(width, height) * size > 8, pattern


def test_dark_quilting_has_no_light_stripes():
    """What is lit is still the colour of the cloth: a stripe would be learned as a pattern."""
    sheet = Sheet(2.0)
    path = skia.Path()
    path.addRect(skia.Rect(60, 80, 200, 300))
    black = Cloth(colors=("#1d1c22",), pattern="plain", material="quilted")
    cloths.fill_cloth(sheet, path, FIRST_GARMENT, black, folds=0, ink=0)
    lightness = palette.srgb_to_lab(sheet.pixels()[240:560, 200:320])[..., 0]
    assert lightness.std() > 1  # it is quilted
    assert lightness.max() < cloths.lightness("#1d1c22") + 20


def test_outlines_in_stored_form_are_those_drawn_point_by_point():
    rings = np.random.default_rng(4).random((3, 17, 2)) * 200
    for closed in (True, False):
        slow = skia.Path()
        for ring in rings:
            slow.moveTo(*ring[0])
            for point in ring[1:]:
                slow.lineTo(*point)
            if closed:
                slow.close()
        assert pen.polygons(rings, closed=closed) == slow
    assert pen.polygon(rings[0]).countPoints() == 17
