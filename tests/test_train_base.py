"""The base trainer runs, writes what it says it writes, and goes on after kill -9."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catalog.base import load_text_encoder, new_text_encoder, weights_folder
from catalog.croquis import drawing, tokens, train_base
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import PHRASES, example, token_ids


def options(run: Path, stage: str, minutes: float, **more) -> train_base.Options:
    fields = dict(
        stage=stage, run=run, minutes=minutes, batch=2, rate=1e-3, workers=1, threads=1,
        device="cpu", compile=False, seed=0, fresh=False, held_out=2,
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


def test_a_stopped_run_goes_on_where_its_rate_had_come_to(tmp_path: Path):
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    o = options(tmp_path, "unet", 60)
    running = train_base.Checkpoint(o, "unet")
    running.clock = train_base.Clock(60, already=0.9)
    running.save(model, optimizer, 7, now=True)
    again = train_base.Checkpoint(o, "unet")
    assert again.load(model, optimizer) == 7 and 0.9 <= again.clock.share() < 0.91
    assert again.clock.cosine() < 0.2
    again.clock = train_base.Clock(60, already=1.0)  # a run that came to its end
    again.save(model, optimizer, 9, now=True)
    fresh = train_base.Checkpoint(o, "unet")
    assert fresh.load(model, optimizer) == 9 and fresh.clock.share() < 0.01


def test_a_result_is_written_whole_or_not_at_all(tmp_path: Path):
    def save(folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("new")

    def broken(folder: Path) -> None:
        save(folder)
        raise KeyboardInterrupt

    train_base.whole(save, tmp_path / "unet")
    (tmp_path / "unet" / "config.json").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        train_base.whole(broken, tmp_path / "unet")
    assert (tmp_path / "unet" / "config.json").read_text() == "old"
    train_base.whole(save, tmp_path / "unet")
    assert (tmp_path / "unet" / "config.json").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["unet"]


def test_no_run_sees_the_drawings_of_one_before(tmp_path: Path):
    first = train_base.Log(options(tmp_path, "unet", 1), "unet")
    first.told["began"] = "2000-01-01 00:00"
    first.row(20, loss=1.0)
    second = train_base.Log(options(tmp_path, "unet", 1), "unet")
    assert second.runs_before == first.runs_before + 1
    assert train_base.Log(options(tmp_path, "words", 1), "words").runs_before >= 1


def test_the_linear_encoder_keeps_what_its_channels_can(tmp_path: Path):
    truth = drawing.draw(drawing.sample_worn(1)).picture
    x = torch.from_numpy(truth.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    from catalog.base import load_base

    vae: CroquisAutoencoder = load_base().vae
    z = vae.encode(x).latent_dist.mean
    again = vae.encode(vae.linear(z)).latent_dist.mean
    assert torch.allclose(z, again, atol=1e-3)
    assert float((vae.linear(z) - x).square().mean()) < 0.02


def test_a_text_encoder_carried_to_a_new_vocabulary_reads_old_words_as_before(tmp_path: Path):
    committed = weights_folder()
    old = load_text_encoder(committed).float()
    before = tokens.load_tokenizer(committed / "tokenizer")
    tokenizer = tokens.build_tokenizer(tmp_path / "tokenizer")
    text = new_text_encoder(train_base.TEXT, len(tokenizer)).eval()
    assert train_base.carry_words(text, tokenizer, committed)
    for phrase in ("navy wool coat", "red and white wool coat"):
        a, b = (
            model(**token_ids(t, [phrase], "cpu")).last_hidden_state
            for model, t in ((text, tokenizer), (old, before))
        )
        assert torch.allclose(a, b, atol=1e-5)
    assert not train_base.carry_words(text, tokenizer, tmp_path), "nothing to carry"


def test_examples_carry_maps_words_and_shares():
    drawn = drawing.draw(drawing.sample_worn(4))
    row = example(drawn, tokens.load_tokenizer(weights_folder() / "tokenizer"), None)
    assert row["layout"].shape == (12, 96, 64) and row["skeleton"].shape == (3, 96, 64)
    assert np.allclose(row["shares"].sum(0), 1, atol=1e-4)
    assert row["ids"].shape == (PHRASES, 16)


def test_the_unet_trains_further_and_says_what_it_can(tmp_path: Path):
    train_base.train_unet(options(tmp_path, "unet", 0.2))
    saved = torch.load(tmp_path / "unet.ckpt", weights_only=True)
    figures = (tmp_path / "figures.csv").read_text().splitlines()
    assert figures[0].startswith("step,at 999,") and figures[1].startswith(f"{saved['step']},")
    unexplained = [float(x) for x in figures[1].split(",")[1:-1]]
    assert unexplained == sorted(unexplained, reverse=True) and 0 < unexplained[-1] < 0.5
    sheet = Image.open(next(tmp_path.glob("sheet-*.png")))
    assert sheet.size == (256, 768) and np.asarray(sheet).std() > 20
    assert (tmp_path / "unet" / "config.json").exists()


def test_the_decoder_trains_on_what_the_unet_hands_over(tmp_path: Path):
    shutil.copytree(weights_folder() / "vae", tmp_path / "vae")
    before = CroquisAutoencoder.from_pretrained(tmp_path / "vae")
    train_base.train_decoder(options(tmp_path, "decoder", 0.2))
    after = CroquisAutoencoder.from_pretrained(tmp_path / "vae")
    assert torch.equal(before.analysis, after.analysis), "latents never move under the UNet"
    changed = [not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(),
                                                     strict=True)]  # fmt: skip
    assert all(changed)


def test_a_colour_guessed_wrong_goes_with_the_latents(tmp_path: Path):
    vae = CroquisAutoencoder.from_pretrained(weights_folder() / "vae")
    draft = train_base.Draft(vae, options(tmp_path, "decoder", 0.1))
    drawn = example(drawing.draw(drawing.sample_worn(3)), tokens.load_tokenizer(draft.tokenizer),
                    None)  # fmt: skip
    row = {k: v[None] for k, v in drawn.items()}
    x = row["picture"].permute(0, 3, 1, 2).float() / 127.5 - 1
    z, lighter = vae.encode(x).latent_dist.mean, vae.encode(x + 0.2).latent_dist.mean

    class Guesses:
        """A UNet that takes the picture for a lighter one."""

        def velocity(self, output, noisy, t):
            a, s = draft._levels(t.numpy())
            return (a * noisy - lighter) / s

    draft.scheduler = Guesses()

    class Always:
        """Chance that never leaves the latents as they are."""

        def random(self):
            return 1.0

        def integers(self, low, high, size):
            return np.full(size, (low + high) // 2)

    latents, shift = draft(row, Always())
    grain = (latents - lighter).abs().mean()
    assert grain < 0.05 and (latents - z).abs().mean() > grain
    assert torch.allclose(shift, torch.full_like(shift, 0.2), atol=0.02)


def test_a_drawing_at_half_its_scale_is_the_drawing_at_that_scale():
    for truth in (drawing.sample_worn(3), drawing.sample_flat(3)):
        small, half = drawing.draw(truth), drawing.halved(drawing.draw(truth, scale=2.0))
        assert half.regions.shape == (384, 256) and (half.regions == small.regions).mean() > 0.99
        assert np.abs(half.edges.astype(int) - small.edges).mean() < 2
        assert np.abs(half.picture.astype(int) - small.picture).mean() < 2
