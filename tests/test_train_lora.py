"""LoRAs are trained for real on the committed base, a few steps each."""

import dataclasses
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load

from catalog.adapters import read_low_rank
from catalog.base import load_base
from catalog.errors import BadValue, Cancelled
from catalog.lora_file import check_lora_file
from catalog.starter import starter_garments, starter_photos
from catalog.train_lora import GARMENT, lora_file, season_file

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


def test_a_season_trains_on_outfit_pictures(base):
    few = dataclasses.replace(FEW, steps=2)
    data = season_file("winter", base, few, pictures=4)
    assert read_low_rank(load(data)).pairs


def test_too_few_photos_are_refused(base, garment):
    with pytest.raises(BadValue, match="at least 4"):
        lora_file(garment, starter_photos(garment, 2), base, FEW)


def test_training_stops_when_asked(base, garment):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        lora_file(garment, starter_photos(garment, 4), base, FEW, cancel=cancel)
