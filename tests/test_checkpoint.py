"""A training that was interrupted ends where it would have ended."""

import dataclasses
import threading

import pytest
import torch
from safetensors.torch import load

from catalog.base import load_base
from catalog.checkpoint import Checkpoint
from catalog.errors import Cancelled
from catalog.starter import starter_garments, starter_photos
from catalog.train_lora import GARMENT, lora_file

FEW = dataclasses.replace(GARMENT, steps=4)


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path):
    base = load_base("croquis")
    garment = next(g for g in starter_garments() if g.category == "sweater")
    photos = starter_photos(garment, 4)
    whole = load(lora_file(garment, photos, base, FEW))
    kept, stop = Checkpoint(tmp_path / "c.safetensors", "these photos", every=2), threading.Event()
    steps = []

    def seen(step, of, loss):
        steps.append(step)
        if step == 3:
            stop.set()

    with pytest.raises(Cancelled):
        lora_file(garment, photos, base, FEW, seen, stop, kept)
    other = Checkpoint(kept.path, "other photos", every=100)
    lora_file(garment, photos, base, dataclasses.replace(FEW, steps=1), seen, None, other)
    resumed = load(lora_file(garment, photos, base, FEW, seen, None, kept))
    assert steps == [1, 2, 3, 1, 3, 4], "another training's file is not gone on with"
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    kept.path.write_bytes(kept.path.read_bytes()[:100])
    steps.clear()
    lora_file(garment, photos, base, dataclasses.replace(FEW, steps=1), seen, None, kept)
    assert steps == [1], "a broken file starts it anew"
