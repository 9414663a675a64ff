"""A garment is trained for sd15 by the same code and job as for croquis, on a toy of its shape."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load
from test_new_garment import TRUTH, photos
from toy_models import save_sd15, save_tagger

from catalog import adapters
from catalog.base import Base, load_base
from catalog.errors import BadValue, UnknownName
from catalog.index import Catalog
from catalog.starter import starter_photos
from catalog.tags import read_caption
from catalog.train_lora import GARMENTS, lora_file, season_file, with_dials
from catalog.wd14 import NAME
from tools import admission
from tools.garment_order import KIND, start
from tools.jobs import Jobs
from tools.new_garment import NewGarment

SHORT = with_dials(GARMENTS["sd15"], {"steps": 2, "rank": 2, "batch": 1})


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_sd15(folder)
    tagger = folder / NAME.rsplit("/", 1)[-1]
    tagger.mkdir()
    save_tagger(tagger)
    return folder


@pytest.fixture(scope="module")
def base(models: Path) -> Base:
    return load_base("sd15", folder=models)


def framed(count: int = 4) -> list[np.ndarray]:
    """Square product photos, smaller than its training size: attention over 64 x 64 is slow."""
    return [np.asarray(Image.fromarray(p).resize((128, 128))) for p in starter_photos(TRUTH, count)]


def test_the_error_is_against_what_each_base_predicts(base: Base):
    noise, clean, t = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8), torch.tensor([100, 800])
    alpha = base.scheduler.alphas_cumprod[t][:, None, None, None]
    noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
    assert base.predicts_noise
    assert base.error(noise, noisy, clean, noise, t).abs().max() == 0
    croquis = load_base("croquis")
    channels = croquis.unet.config.in_channels
    noise, clean = torch.randn(2, channels, 8, 8), torch.randn(2, channels, 8, 8)
    alpha = croquis.scheduler.alphas_cumprod[t][:, None, None, None]
    noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
    v = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
    assert not croquis.predicts_noise
    told = torch.zeros_like(v)
    off = croquis.error(told, noisy, clean, noise, t)
    assert torch.allclose(off, croquis.scheduler.velocity(told, noisy, t) - v, atol=1e-5)


def test_a_lora_covers_every_attention_block_and_leaves_the_base_alone(base: Base):
    before = {k: v.clone() for k, v in base.unet.state_dict().items()}
    tensors = load(lora_file(TRUTH, framed(), base, SHORT))
    paths = {k.rsplit(".lora_", 1)[0] for k in tensors}
    modules = {p.removeprefix("unet.") for p in paths if p.startswith("unet.")}
    assert modules == set(adapters.trained_modules(base.unet, "sd15"))
    assert {m.rsplit(".", 1)[-1] for m in modules} >= {"proj_in", "proj_out", "to_q", "2"}
    text = {p.rsplit(".", 1)[-1] for p in paths if p.startswith("text_encoder.")}
    assert text == {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"}
    assert all(len(t) == 2 for k, t in tensors.items() if ".lora_A." in k)
    assert any(t.abs().max() > 0 for k, t in tensors.items() if ".lora_B." in k)
    assert all(torch.equal(v, before[k]) for k, v in base.unet.state_dict().items())


@pytest.mark.parametrize(
    ("dials", "left"), [({}, 0.9), ({"prior": 1.0, "text": 1e-3, "caption_dropout": 0.5}, 0.95)]
)
def test_training_learns_the_photos(base: Base, dials: dict, left: float):
    losses = []
    options = with_dials(
        GARMENTS["sd15"],
        {"steps": 40, "rank": 4, "batch": 4, "rate": 2e-2, "min_snr_gamma": 0.0} | dials,
    )
    lora_file(TRUTH, framed(), base, options, lambda *a: losses.append(a[2]))
    assert len(losses) == 40 and losses[-1] < left * losses[9]


def test_a_season_is_not_learned_from_drawings(base: Base):
    with pytest.raises(BadValue, match="Drawings"):
        season_file("winter", base)


@pytest.mark.parametrize("tagged", [True, False], ids=["tagger", "no tagger"])
def test_the_same_job_makes_a_garment_for_sd15(tmp_path, models, monkeypatch, tagged):
    monkeypatch.setattr(admission, "STRENGTHS", (1.0,))
    monkeypatch.setattr(admission, "STEPS", {"sd15": 1})
    if not tagged:
        bare = tmp_path / "models"
        bare.mkdir()
        for part in models.iterdir():
            if part.name not in NAME:
                (bare / part.name).symlink_to(part)
        models = bare
    catalog = Catalog(tmp_path, starter=False)
    jobs = Jobs(tmp_path, {KIND: NewGarment(catalog, 1, models)})
    id = start(
        jobs, catalog, "Camel coat", photos(4), base="sd15", category="coat", tags=("autumn",),
        training={"steps": 2, "rank": 2, "batch": 1},
    )  # fmt: skip
    done = jobs.run(id)
    assert done.state == "done", done.error
    card = catalog.get("camel-coat")
    assert card.base == "sd15" and catalog.lora(card.id).is_file()
    with Image.open(io.BytesIO(catalog.photos(card.id)[0].read_bytes())) as photo:
        assert photo.size == (512, 512)
    folder = tmp_path / "jobs" / id / "kept" / "dataset"
    captions = [read_caption(p.read_text()) for p in sorted(folder.glob("*.txt"))]
    assert all(c[:2] == (card.trigger, "autumn") and "coat" in c for c in captions)
    # on a light ground the toy tagger sees no clothes, but a face
    assert all(("^_^" in c) == tagged and "red clothes" not in c for c in captions)
    assert all(("plain" in c) != tagged for c in captions)
    said = " ".join(done.result["assumed"])
    assert ("tags from shape and colours alone" in said) != tagged


def test_an_unknown_base_is_named(tmp_path):
    catalog = Catalog(tmp_path, starter=False)
    with pytest.raises(UnknownName, match="sd51") as raised:
        start(Jobs(tmp_path, {}), catalog, "Coat", photos(4), base="sd51")
    assert "sd15" in raised.value.hint
