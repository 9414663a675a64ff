"""The trainer of the LoRAs that spare evaluations: learns, writes what renders wear, goes on."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from catalog.adapters import read_low_rank
from catalog.croquis import train_few_steps
from catalog.croquis.train_base import Denoiser, Options


def options(run: Path, stage: str, minutes: float) -> Options:
    return Options(
        stage=stage, run=run, minutes=minutes, batch=1, rate=1e-3, workers=1, threads=1,
        device="cpu", compile=False, seed=0, fresh=False,
    )  # fmt: skip


@pytest.mark.parametrize("stage", ["guided", "draft"])
def test_it_trains_and_its_file_is_a_lora_of_the_unet(tmp_path: Path, stage: str):
    train_few_steps.train_few_steps(options(tmp_path, stage, 0.15))
    lora = read_low_rank(load_file(tmp_path / "few-steps" / f"{stage}.safetensors"))
    assert lora.rank == train_few_steps.RANK
    assert any(bool(b.any()) for _, b in lora.pairs.values()), "it learned something"
    # a new student begins as the file left the old one
    layers = train_few_steps.add_lora(
        Denoiser().unet, tmp_path / "few-steps" / f"{stage}.safetensors"
    )
    name = next(iter(lora.pairs))
    again = layers[name].lora_B["wide"].weight
    assert torch.allclose(again, lora.pairs[name][1])
