"""LoRAs are trained for real on the committed base, a few steps each."""

import dataclasses
import json
import shutil
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load

from catalog import train_lora
from catalog.adapters import read_low_rank
from catalog.base import load_base
from catalog.errors import BadValue, Cancelled, UnknownName
from catalog.index import Catalog
from catalog.kohya import About, catalog_file, kohya_file, layers_of, read
from catalog.lora_file import check_lora_file
from catalog.starter import starter_garments, starter_photos
from catalog.train_lora import GARMENT, lora_file, season_file, with_dials
from tools.engine import Engine
from ui.cli import main

FEW = dataclasses.replace(GARMENT, steps=3)


@pytest.fixture(scope="module")
def base():
    return load_base("croquis")


@pytest.fixture(scope="module")
def garment():
    return next(g for g in starter_garments() if g.category == "sweater")


def test_training_gives_a_small_safetensors_file_that_passes_the_door(base, garment):
    losses = []
    data = lora_file(
        garment, starter_photos(garment, 6), base, FEW, lambda n, of, loss: losses.append(loss)
    )
    assert len(data) <= 400_000
    check_lora_file(data)
    lora = read_low_rank(load(data))
    assert lora.rank == FEW.rank
    assert any(bool(b.abs().max() > 0) for _, b in lora.pairs.values())
    assert len(losses) == 3 and np.isfinite(losses).all()


def test_the_same_seed_trains_the_same_lora(base, garment):
    photos = starter_photos(garment, 4)
    one, two = (load(lora_file(garment, photos, base, FEW)) for _ in range(2))
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_the_colour_of_the_region_is_learned_on_its_own(base, garment):
    photos = starter_photos(garment, 4)
    with_it, without = (
        load(lora_file(garment, photos, base, with_dials(FEW, {"color": weight})))
        for weight in (GARMENT.color, 0)
    )
    assert GARMENT.color > 0 and any(not torch.equal(with_it[k], without[k]) for k in with_it)


def test_a_text_encoders_part_is_trained_when_asked_and_read_in_its_own_region_alone(base, garment):
    data = lora_file(garment, starter_photos(garment, 4), base, with_dials(FEW, {"text": 1e-2}))
    lora = read_low_rank(load(data))
    assert lora.text and any(bool(b.abs().max() > 0) for _, b in lora.text.values())
    assert not read_low_rank(load(lora_file(garment, starter_photos(garment, 4), base, FEW))).text
    phrases = ("street", "person", garment.phrase, "red wool scarf")
    engine = Engine(base)
    plain, _ = engine._words(phrases, [])
    own, _ = engine._words(phrases, [(lora, 1.0, 2)])
    changed = (own - plain).abs().amax(2)[0].reshape(len(phrases), -1).amax(1) > 0
    assert changed.tolist() == [False, False, True, False]
    again, _ = engine._words(phrases, [])
    assert torch.equal(plain, again), "the encoder is what it was"
    # other tools' names and back, bit for bit
    layers = layers_of(base.unet, base.text_encoder)
    out = kohya_file(
        read(data, layers), About(garment.name, garment.trigger, "croquis", (384, 256))
    )
    back = read_low_rank(load(catalog_file(read(out, layers), "croquis", "x")))
    assert back.text.keys() == lora.text.keys()
    assert all(torch.equal(back.text[n][1], lora.text[n][1]) for n in lora.text)


def test_a_season_trains_on_outfit_pictures(base):
    few = dataclasses.replace(FEW, steps=2)
    data = season_file("winter", base, few, pictures=4)
    assert read_low_rank(load(data)).pairs


def test_a_garment_is_trained_again_by_command(installed_home, tmp_path, monkeypatch, capsys):
    shutil.copytree(installed_home / "catalog", tmp_path / "catalog")
    monkeypatch.setenv("STYLIST_HOME", str(tmp_path))
    monkeypatch.setitem(train_lora.GARMENTS, "croquis", FEW)
    before = Catalog(tmp_path).get("red-toggle-coat").lora_sha256
    assert main(["catalog", "train", "red-toggle-coat", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    now = Catalog(tmp_path)
    assert told["lora_sha256"] == now.get("red-toggle-coat").lora_sha256 != before
    assert now.lora("red-toggle-coat").exists() and now.lora("red-toggle-coat", before).exists()


def test_a_garment_of_another_base_is_refused_before_it_is_trained(base, garment):
    other = garment.model_copy(update={"base": "sd15"})
    with pytest.raises(BadValue, match="sd15"):  # no photo is asked for
        train_lora.train_garment(SimpleNamespace(get=lambda _: other), "x", base=base)


def test_too_few_photos_are_refused(base, garment):
    with pytest.raises(BadValue, match="at least 4"):
        lora_file(garment, starter_photos(garment, 2), base, FEW)


def test_training_stops_when_asked(base, garment):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        lora_file(garment, starter_photos(garment, 4), base, FEW, cancel=cancel)


def test_epochs_and_repeats_count_the_steps():
    options = with_dials(GARMENT, {"epochs": 3, "repeats": 2, "batch": 4})
    assert options.settled(10).steps == 15
    assert options.settled(2).steps == 6, "a batch is no larger than what there is"
    assert GARMENT.settled(10) == GARMENT


@pytest.mark.parametrize(
    "dials",
    [{"rank": 0}, {"rank": 1e9}, {"rate": -1}, {"rate": float("nan")}, {"steps": 0},
     {"caption_dropout": 1.5}, {"prior": -1}, {"batch": 1e6}, {"seed": -1}],
)  # fmt: skip
def test_a_dial_outside_its_range_is_refused(dials):
    with pytest.raises(BadValue, match=next(iter(dials))):
        with_dials(GARMENT, dials)


def test_an_unknown_dial_names_the_nearest():
    with pytest.raises(UnknownName) as raised:
        with_dials(GARMENT, {"rnk": 4})
    assert "rank" in raised.value.hint


def test_samples_on_the_way_change_nothing_of_the_training(base, garment):
    photos, seen = starter_photos(garment, 4), []

    def sample(step: int, data: bytes) -> None:
        seen.append((step, check_lora_file(data, base="croquis").rank))
        torch.rand(5)  # drawing takes random numbers too

    plain = load(lora_file(garment, photos, base, FEW))
    sampled = load(lora_file(garment, photos, base, FEW, sample=(1, sample)))
    assert seen == [(1, FEW.rank), (2, FEW.rank)]
    assert all(torch.equal(plain[k], sampled[k]) for k in plain)


def test_captions_that_were_written_are_said_of_every_photo(base, garment, monkeypatch):
    said = []
    real = train_lora._train

    def listen(examples, phrases, *rest, **more):
        said.append([p[2] for p in phrases])
        return real(examples, phrases, *rest, **more)

    monkeypatch.setattr(train_lora, "_train", listen)
    one = dataclasses.replace(FEW, steps=1)
    photos = starter_photos(garment, 4)
    lora_file(garment, photos, base, one)
    lora_file(garment, photos, base, one, captions=[("zq", f"view {i}") for i in range(4)])
    assert said[0] == [garment.phrase, garment.call] * 2
    assert said[1] == [f"zq view {i}" for i in range(4)]


def test_every_dial_turned_trains_another_lora_and_the_same_one_twice(base, garment):
    dials = {"min_snr_gamma": 5, "noise_offset": 0.1, "caption_dropout": 0.5, "shuffle": 1,
             "prior": 1, "steps": 2}  # fmt: skip
    photos, losses = starter_photos(garment, 4), []
    captions = [(garment.trigger, "knitted", garment.category)] * 4
    one, two = (
        load(lora_file(garment, photos, base, with_dials(GARMENT, dials),
                       lambda n, of, loss: losses.append(loss), captions=captions))
        for _ in range(2)
    )  # fmt: skip
    plain = load(lora_file(garment, photos, base, with_dials(GARMENT, {"steps": 2})))
    assert np.isfinite(losses).all()
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert any(not torch.equal(one[k], plain[k]) for k in one)


def test_a_season_trains_on_photos_and_leaves_who_stands_in_them_alone(base):
    rng = np.random.default_rng(0)
    mask = np.zeros((384, 256), bool)
    mask[90:330, 80:170] = True
    photos = [(rng.integers(0, 255, (384, 256, 3), dtype=np.uint8), mask)] * 4
    one = dataclasses.replace(FEW, steps=1)
    assert read_low_rank(load(season_file("winter", base, one, photos=photos))).pairs
    with pytest.raises(BadValue, match="at least 4"):
        season_file("winter", base, one, photos=photos[:3])
