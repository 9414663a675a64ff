"""Pictures of garments and their words lie near each other, and a photo finds its garment."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from catalog import likeness
from catalog.base import load_text_encoder, weights_folder
from catalog.croquis import drawing, tokens
from catalog.croquis.pair import CROP, garment_crop
from catalog.croquis.sheet import FIRST_GARMENT
from catalog.errors import BadValue, UnknownName
from catalog.index import Catalog
from catalog.photo_file import photo_pixels


@pytest.fixture(scope="module")
def catalog(installed_home) -> Catalog:
    return Catalog(installed_home)


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_a_crop_holds_the_garment_alone_and_whole():
    picture = np.full((384, 256, 3), 200, np.uint8)
    mask = np.zeros((384, 256), bool)
    mask[100:220, 60:100] = True
    picture[mask] = (250, 10, 10)
    crop = garment_crop(picture, mask)
    assert crop.shape == (3, *CROP)
    red = (crop[0] > 240) & (crop[1] < 20)
    assert red.any(1).all(), "its longer side fills the frame"
    assert (crop[:, ~red] == 128).mean() > 0.9
    assert garment_crop(picture, np.zeros_like(mask)) is None


def test_a_photo_finds_its_own_garment(catalog: Catalog):
    ids = [card.id for card in catalog.all()][::7]
    first = []
    for id in ids:
        photo = catalog.photos(id)[-1]  # not one of those that stand for it
        found = [card.id for card, _ in catalog.find_like(photo.read_bytes(), limit=5)]
        first.append(id in found)
    assert np.mean(first) >= 0.8, dict(zip(ids, first, strict=True))


def test_likeness_falls_from_best_to_worst_and_keeps_to_the_slot(catalog: Catalog):
    photo = catalog.photos("indigo-straight-jeans")[0].read_bytes()
    found = catalog.find_like(photo, slot="bottom", limit=50)
    near = [x for _, x in found]
    assert near == sorted(near, reverse=True) and near[0] <= 1.0001
    assert {card.slot for card, _ in found} == {"bottom"}


def test_what_was_seen_is_remembered(catalog: Catalog, monkeypatch):
    photo = catalog.photos("camel-long-coat")[0].read_bytes()
    before = catalog.find_like(photo)
    looked = []
    real = likeness.embed
    monkeypatch.setattr(likeness, "embed", lambda *a: looked.append(1) or real(*a))
    assert catalog.find_like(photo) == before
    assert len(looked) == 1, "the photo asked for, and no other"


def test_words_are_nearer_to_their_own_picture_than_to_most_others():
    from catalog.likeness import _pair

    text = load_text_encoder(weights_folder()).float()
    tokenizer = tokens.load_tokenizer(weights_folder() / "tokenizer")
    crops, phrases = [], []
    for seed in range(2**41, 2**41 + 40):
        drawn = drawing.draw(drawing.sample_flat(seed))
        crop = garment_crop(drawn.picture, drawn.regions == FIRST_GARMENT)
        crops.append(torch.from_numpy(crop).float() / 127.5 - 1)
        phrases.append(drawn.phrases[2])
    ids = tokenizer(phrases, padding="max_length", truncation=True, max_length=16,
                    return_tensors="pt").input_ids  # fmt: skip
    with torch.no_grad():
        near = _pair().words(text(ids).pooler_output) @ _pair().pictures(torch.stack(crops)).T
    rank = (near > near.diagonal()[:, None]).sum(1).float()
    assert rank.median() <= 2


def test_bad_photos_are_refused_and_change_nothing(catalog: Catalog):
    for data in (b"", b"GIF89a....", b"\x80\x04pickle", b"\x00" * 100):
        with pytest.raises(BadValue):
            catalog.find_like(data)
    with pytest.raises(BadValue, match="stands out"):
        catalog.find_like(png(np.full((384, 256, 3), 230, np.uint8)))
    photo = catalog.photos("camel-long-coat")[0].read_bytes()
    with pytest.raises(UnknownName, match="outerwear"):
        catalog.find_like(photo, slot="outrwear")
    for limit in (0, -1, 1.5, True, 10**9):
        with pytest.raises(BadValue):
            catalog.find_like(photo, limit=limit)
    assert photo_pixels(photo).shape == (384, 256, 3)
