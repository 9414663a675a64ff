"""What the pixels of drawn garments say is what their cards say."""

import numpy as np
import pytest

from catalog import attributes
from catalog.attributes import cloth, measure, silhouette
from catalog.croquis.palette import color_word, delta_e, hex_to_rgb, srgb_to_lab
from catalog.croquis.sheet import FIRST_GARMENT, Sheet
from catalog.croquis.wardrobe import flat
from catalog.errors import BadValue, ModelUnavailable, UnknownName
from catalog.garment import CATEGORIES, Cloth, Shape
from catalog.material import distances, likeliest
from catalog.photo_kind import DRAWN
from catalog.photos import cut_out
from catalog.starter import starter_garments, starter_photos

GARMENTS = starter_garments()


@pytest.fixture(scope="module")
def measured():
    """Every fifth starter garment, with what its photos say."""
    found = []
    for garment in GARMENTS[::5]:
        photos = [np.asarray(p) for p in starter_photos(garment, 5)]
        found.append((garment, measure(photos, [cut_out(p) for p in photos])))
    return found


def test_kind_and_shape_are_told_by_the_silhouette(measured):
    right = [a.category == g.category for g, a in measured]
    assert np.mean(right) >= 0.8
    for garment, found in measured:
        if found.category == garment.category:
            assert found.shape.length == garment.shape.length
            assert found.shape.sleeves == garment.shape.sleeves


def test_the_ground_colour_is_measured(measured):
    plain = [(g, a) for g, a in measured if g.pattern == "plain"]
    labs = [srgb_to_lab(hex_to_rgb(c)) for g, a in plain for c in (a.colors[0], g.cloth.colors[0])]
    far = delta_e(np.array(labs[::2]), np.array(labs[1::2]))
    assert np.median(far) < 4
    assert np.mean([color_word(a.colors[0]) == g.color for g, a in plain]) >= 0.85
    assert all(sum(a.shares) <= 1.001 and min(a.shares) > 0.05 for _, a in measured)


def test_plain_and_patterned_garments_are_told_apart(measured):
    right = [(a.pattern == "plain") == (g.pattern == "plain") for g, a in measured]
    assert np.mean(right) >= 0.85


@pytest.mark.parametrize("pattern", ["stripes", "plaid", "stars"])
def test_a_pattern_is_found_by_its_spectrum(pattern):
    garment = next(g for g in GARMENTS if g.pattern == pattern and g.category != "tie")
    photos = [np.asarray(p) for p in starter_photos(garment, 4)]
    found = measure(photos, [cut_out(p) for p in photos], garment.category)
    if len(found.colors) > 1:
        assert found.pattern == pattern
    assert cloth(found).pattern == found.pattern


def test_the_material_of_drawings_is_measured(measured):
    several = [g for g in GARMENTS if len(CATEGORIES[g.category].materials) > 1][::4]
    right, trust = [], []
    for garment in several:
        photos = [np.asarray(p) for p in starter_photos(garment, 3)]
        masks = [cut_out(p) for p in photos]
        shape, colors = garment.shape, garment.cloth.colors
        name, sure = likeliest(distances(photos, masks, [shape], colors, garment.pattern)[shape])
        right.append(name == garment.material)
        trust.append(sure)
    assert len(right) >= 10 and np.mean(right) >= 0.8
    assert all(0.2 < sure <= 1 for sure in trust)
    assert any(a.material_confidence for _, a in measured)
    assert all(cloth(a).material == a.material for _, a in measured)


@pytest.mark.parametrize("id", ["brown-leather-jacket", "indigo-straight-jeans"])
def test_kinds_of_one_outline_are_told_apart_by_their_cloth(id, monkeypatch):
    garment = next(g for g in GARMENTS if g.id == id)
    photos = [np.asarray(p) for p in starter_photos(garment, 4)]
    masks = [cut_out(p) for p in photos]
    found = measure(photos, masks)
    assert (found.category, found.material) == (garment.category, garment.material)
    monkeypatch.setattr(attributes, "_CLOTH", 0.0)
    assert measure(photos, masks).category != garment.category, "its outline says something else"


@pytest.mark.parametrize("material", ["wool", "linen", "cotton"])
def test_a_materials_marks_are_read_whatever_the_colour(material):
    shape = Shape(category="trousers", length="ankle")
    for color in ("#202a44", "#c8b48c"):
        sheets = [Sheet(1.0) for _ in range(4)]
        for seed, sheet in enumerate(sheets):
            flat(sheet, shape, Cloth(colors=(color,), material=material), seed=seed)
        photos = [s.pixels() for s in sheets]
        masks = [s.regions() >= FIRST_GARMENT for s in sheets]
        far = distances(photos, masks, [shape], (color,), "plain")[shape]
        assert likeliest(far)[0] == material


@pytest.mark.parametrize("classifier", ["says that it is real", "is missing"])
def test_the_material_of_a_real_photo_is_not_guessed_from_drawings(classifier, monkeypatch):
    def chances(*_):
        if classifier == "is missing":
            raise ModelUnavailable("It is not here.", "Bring it back.")
        return {"Pants": 0.9, DRAWN: 0.1}

    monkeypatch.setattr(attributes, "label_chances", chances)
    garment = next(g for g in GARMENTS if g.category == "trousers")
    photos = [np.asarray(p) for p in starter_photos(garment, 2)]
    found = measure(photos, [cut_out(p) for p in photos], "trousers")
    assert found.material_confidence == 0 and found.material == CATEGORIES["trousers"].materials[0]


def test_attributes_read_as_a_taggers_scores(measured):
    garment, found = measured[0]
    assert found.scores[found.category] == pytest.approx(found.category_confidence)
    assert all(0 <= score <= 1 for score in found.scores.values())


def test_a_known_category_is_believed_and_an_unknown_one_named():
    garment = next(g for g in GARMENTS if g.category == "coat")
    photos = [np.asarray(p) for p in starter_photos(garment, 2)]
    masks = [cut_out(p) for p in photos]
    assert measure(photos, masks, "trench coat").shape.category == "trench coat"
    with pytest.raises(UnknownName, match="category"):
        measure(photos, masks, "coatt")
    with pytest.raises(BadValue, match="No garment"):
        measure(photos, [np.zeros_like(m) for m in masks])


def test_a_silhouette_has_neither_place_nor_size():
    small, large = np.zeros((100, 100), bool), np.zeros((300, 200), bool)
    small[10:40, 5:25] = True
    large[100:280, 60:180] = True
    assert np.abs(silhouette(small) - silhouette(large)).max() < 0.1
