"""Real photos are judged by a trained head, drawings by the drawn silhouettes."""

import csv
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from catalog import attributes, photo_kind, train_photo_kind
from catalog.attributes import by_label, by_silhouette, measure, outline
from catalog.errors import BadValue, ModelUnavailable
from catalog.garment import CATEGORIES
from catalog.grab_cut import cut
from catalog.photo_embedding import DIM, SIDE, garment_square, photo_embedding
from catalog.photo_file import photo_pixels, photo_png
from catalog.photo_kind import DRAWN, HEAD, KINDS, Head, head, label_chances
from catalog.photos import cut_out
from catalog.starter import starter_garments, starter_photos
from catalog.train_photo_kind import (
    TRAINED,
    aligned,
    drawings,
    drawn_examples,
    fit,
    learned,
    save,
)

REAL = Path(__file__).parents[2] / "shared" / "data" / "garments"
GARMENTS = starter_garments()


def test_every_label_means_kinds_of_ours_and_no_kind_has_two():
    kinds = [kind for label in KINDS.values() for kind in label]
    assert len(kinds) == len(set(kinds)) and set(kinds) <= set(CATEGORIES)
    for label, own in KINDS.items():
        assert len({CATEGORIES[kind].slot for kind in own}) == 1, label


def test_the_head_is_small_whole_and_credited():
    assert HEAD.stat().st_size < 200_000
    assert set(head().labels) == {*KINDS, DRAWN}
    from safetensors import safe_open

    with safe_open(str(HEAD), "np") as file:
        assert "CC0" in file.metadata()["credit"] and "Grigorev" in file.metadata()["credit"]


@pytest.mark.parametrize("damage", ["missing", "cut short", "other labels", "other size"])
def test_a_damaged_head_says_how_to_mend_it(damage, tmp_path):
    path = tmp_path / "photo_kind.safetensors"
    tensors = load_file(str(HEAD))
    if damage == "cut short":
        path.write_bytes(HEAD.read_bytes()[:1000])
    elif damage == "other labels":
        save_file(tensors, str(path), {"labels": '["Cap"]'})
    elif damage == "other size":
        tensors["weight"] = tensors["weight"][:, :10].copy()
        save_file(tensors, str(path), {"labels": str([*KINDS, DRAWN]).replace("'", '"')})
    with pytest.raises(ModelUnavailable, match="classifier"):
        head(path)


def _noisy(rng: np.random.Generator, truth: np.ndarray, noise: float) -> np.ndarray:
    """Embeddings of length 1 around a middle for each label."""
    middles = np.random.default_rng(0).normal(0, 1, (truth.max() + 1, DIM))
    rows = middles[truth] + rng.normal(0, noise, (len(truth), DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_head_learns_what_can_be_learned_and_survives_its_file(tmp_path):
    rng, labels = np.random.default_rng(1), (*KINDS, DRAWN)
    truth = np.repeat(np.arange(len(labels)), 6)
    rows, known = _noisy(rng, truth, 0.7), truth < len(KINDS)
    photos = rows[known][::2], truth[known][::2]
    save(learned(photos, photos, rows[~known][::2]), tmp_path / "head.safetensors")
    chances = head(tmp_path / "head.safetensors")(rows[1::2])
    assert (chances.argmax(1) == truth[1::2]).all()
    assert np.allclose(chances.sum(1), 1, atol=1e-4)


def test_what_a_row_counts_is_what_is_learned_from_it():
    truth = np.repeat([0, 1], 20)
    rows = np.tile(_noisy(np.random.default_rng(1), truth, 0.3), (2, 1))
    both = np.concatenate([truth, 1 - truth])  # every row again, with the other label
    weight = np.repeat(np.array([1.0, 0.01], np.float32), 40)
    for counts, told in ((weight, truth), (weight[::-1].copy(), 1 - truth)):
        slope, bias = fit(rows, both, 2, counts)
        assert ((rows[:40] @ slope.T + bias).argmax(1) == told).all()


def test_drawings_are_learned_from_as_many_of_each_label_without_their_ink(monkeypatch):
    monkeypatch.setattr(train_photo_kind, "DRAWINGS", 1)
    examples = list(drawings())
    assert sorted(label for label, *_ in examples) == sorted(KINDS)
    for label, picture, mask in examples:
        assert picture.shape == (*mask.shape, 3) and mask.any(), label
    sharp = [
        np.mean(np.abs(np.diff(picture.astype(int), axis=1)).max(2)[mask[:, 1:]] > 40)
        for _, picture, mask in examples
    ]
    assert np.median(sharp) < 0.035, "with their lines it is 0.053"


def test_aligned_drawings_lie_where_real_photos_lie():
    rng = np.random.default_rng(0)
    real = rng.normal(0.3, 0.2, (50, DIM)).astype(np.float32)
    drawn = rng.normal(-1, 2, (80, DIM)).astype(np.float32)
    drawn[:, 0] = 5
    moved = aligned(drawn, real)
    assert moved.dtype == np.float32 and np.allclose(moved.mean(0), real.mean(0), atol=1e-4)
    assert np.allclose(moved.std(0)[1:], real.std(0)[1:], rtol=1e-3)
    assert np.allclose(moved[:, 0], real[:, 0].mean()), "what never changes stays where it is"


def test_a_square_shows_the_garment_alone_whatever_lies_around_it():
    photo = np.full((300, 200, 3), (200, 30, 30), np.uint8)
    mask = np.zeros((300, 200), bool)
    mask[100:200, 50:110] = True
    photo[mask] = (20, 40, 160)
    other = photo.copy()
    other[~mask] = 90
    square = garment_square(photo, mask)
    assert square.shape == (SIDE, SIDE, 3)
    assert np.abs(square.astype(int) - garment_square(other, mask)).max() == 0
    assert np.abs(square[SIDE // 2, SIDE // 2].astype(int) - (20, 40, 160)).max() <= 1
    assert (square[0] == 255).all()
    with pytest.raises(BadValue, match="No garment"):
        garment_square(photo, np.zeros_like(mask))


def test_the_embedding_is_one_row_of_length_1_a_picture_the_same_each_time():
    picture = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    rows = photo_embedding()([picture, 255 - picture])
    assert rows.shape == (2, DIM) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(rows[:1], photo_embedding()([picture]))
    assert photo_embedding() is photo_embedding()


def test_drawings_are_known_as_drawn_also_those_that_trained_nothing():
    drawn = []
    for card in GARMENTS[1::8]:
        photo = starter_photos(card, 1)[0]
        drawn.append(label_chances([photo], [cut_out(photo)])[DRAWN])
    assert np.mean(np.array(drawn) > 0.5) >= 0.9
    assert next(drawn_examples())[0] == DRAWN


def test_a_look_that_is_sure_counts_for_more(monkeypatch):
    chances = np.full((2, len(KINDS) + 1), 1e-4, np.float32)
    chances[0, :2], chances[1, :2] = (0.98, 0.01), (0.3, 0.69)
    monkeypatch.setattr(photo_kind, "photo_embedding", lambda: lambda pictures: pictures)
    likely = Head((*KINDS, DRAWN), np.zeros((15, DIM)), np.zeros(15))
    monkeypatch.setattr(Head, "__call__", lambda self, _: chances)
    monkeypatch.setattr(photo_kind, "head", lambda: likely)
    photo = np.full((8, 8, 3), 90, np.uint8)
    told = list(label_chances([photo], [np.ones((8, 8), bool)]).values())
    assert told[0] / told[1] == pytest.approx((98 * 0.3 / 0.69) ** 0.5, rel=1e-3)
    assert sum(told) == pytest.approx(1)


def test_a_label_limits_the_kinds_and_the_silhouette_chooses_among_them():
    nearest = dict.fromkeys(CATEGORIES, 9.0) | {"tie": 2.0, "midi skirt": 8.0, "sneakers": 8.5}
    chances = dict.fromkeys(KINDS, 0.0) | {"Skirt": 0.6, "Shorts": 0.3, DRAWN: 0.1}
    kinds = by_label(chances, nearest)
    assert kinds[0][0] == "midi skirt" and "tie" not in dict(kinds)
    assert 0.2 < kinds[0][1] < 0.6, "three skirts share their label's chance"
    assert dict(kinds)["shorts"] == pytest.approx(0.3)
    assert sum(sure for _, sure in kinds) == pytest.approx(0.9)
    assert by_silhouette(nearest)[0][0] == "tie"


def test_a_photo_taken_for_real_follows_the_head_and_a_drawn_one_the_silhouette(monkeypatch):
    card = next(g for g in GARMENTS if g.category == "jeans")
    photo = starter_photos(card, 1)[0]
    seen = [(photo, cut_out(photo))]

    def says(**chances: float) -> None:
        told = dict.fromkeys([*KINDS, DRAWN], 0.0) | chances
        monkeypatch.setattr(attributes, "label_chances", lambda *_: told)

    says(drawn=0.9, Hoodie=0.1)
    told = outline(seen)
    kinds, shape = told.kinds, told.shapes[told.kinds[0][0]]
    assert kinds[0][0] == shape.category and shape.category in KINDS["Pants"]
    says(Hoodie=0.7, Shirt=0.3)
    told = outline(seen)
    kinds, shape = told.kinds, told.shapes[told.kinds[0][0]]
    assert kinds[0] == ("hoodie", pytest.approx(0.7)) and shape.category == "hoodie"


def test_a_category_that_is_given_asks_no_model(monkeypatch):
    monkeypatch.setattr(photo_kind, "photo_embedding", lambda: pytest.fail("not needed"))
    photo = starter_photos(GARMENTS[0], 1)[0]
    assert measure([photo], [cut_out(photo)], "coat").category_confidence == 1


def test_real_photos_of_the_unread_half_are_told_better_than_by_their_silhouettes():
    if not REAL.is_dir():
        pytest.skip("the real photos are not here")
    with open(REAL / "labels.csv", newline="") as file:
        labels = {row["file"]: row["label"] for row in csv.DictReader(file)}
    right = []
    for name in [n for n in labels if n.endswith("-12.jpg")]:
        assert int(name[-6:-4]) not in TRAINED
        photo = photo_pixels(photo_png((REAL / name).read_bytes()))
        kinds = outline([(photo, cut(photo).mask)]).kinds
        right.append(kinds[0][0] in KINDS[labels[name]])
    assert np.mean(right) >= 0.4, "by silhouettes alone it is about one in ten"


def test_a_head_gives_chances_that_sum_to_1():
    model = Head(("a", "b", DRAWN), np.zeros((3, DIM), np.float32), np.zeros(3, np.float32))
    assert np.allclose(model(np.zeros((3, DIM), np.float32)), [0.25, 0.25, 0.5])
