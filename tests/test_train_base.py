"""The base trainer runs, writes what it says it writes, and goes on after kill -9."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from catalog.croquis import drawing, train_base
from catalog.croquis.autoencoder import CroquisAutoencoder


def options(run: Path, stage: str, minutes: float, **more) -> train_base.Options:
    fields = dict(
        stage=stage, run=run, minutes=minutes, batch=2, rate=1e-3, workers=1, threads=1,
        device="cpu", compile=False, seed=0, fresh=False,
    )  # fmt: skip
    return train_base.Options(**(fields | more))


def test_words_train_and_go_on_after_kill(tmp_path: Path):
    asked = [sys.executable, "-m", "catalog.croquis.train_base", "words", "--run", str(tmp_path),
             "--minutes", "5", "--batch", "4", "--checkpoint-seconds", "0"]  # fmt: skip
    running = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not (tmp_path / "words.ckpt").exists():
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.2)
    running.send_signal(signal.SIGKILL)
    running.wait()
    step = torch.load(tmp_path / "words.ckpt", weights_only=True)["step"]
    train_base.train_words(options(tmp_path, "words", 0.02, batch=4))
    assert torch.load(tmp_path / "words.ckpt", weights_only=True)["step"] > step
    assert (tmp_path / "text_encoder" / "config.json").exists()


def test_the_linear_encoder_keeps_what_its_channels_can(tmp_path: Path):
    truth = drawing.draw(drawing.sample_worn(1)).picture
    x = torch.from_numpy(truth.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    from catalog.base import load_base

    vae: CroquisAutoencoder = load_base().vae
    z = vae.encode(x).latent_dist.mean
    again = vae.encode(vae.linear(z)).latent_dist.mean
    assert torch.allclose(z, again, atol=1e-3)
    assert float((vae.linear(z) - x).square().mean()) < 0.02


def test_examples_carry_maps_words_and_shares():
    from catalog.base import weights_folder
    from catalog.croquis import tokens

    drawn = drawing.draw(drawing.sample_worn(4))
    row = train_base.example(drawn, tokens.load_tokenizer(weights_folder() / "tokenizer"), None)
    assert row["layout"].shape == (12, 96, 64) and row["skeleton"].shape == (3, 96, 64)
    assert np.allclose(row["shares"].sum(0), 1, atol=1e-4)
    assert row["ids"].shape == (train_base.PHRASES, 16)
