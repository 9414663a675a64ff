"""The sd15 base draws on the same path: real classes of its architecture, at toy size."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from toy_models import save_sd15

from catalog import adapters
from catalog.base import load_base
from catalog.croquis import maps
from catalog.croquis.figure import Person
from catalog.errors import BadValue, CannotNow, ModelUnavailable
from catalog.garment import Cloth, Garment, Shape
from tools import conditions
from tools.engine import Engine, Job
from tools.layout import Layout, lay_out
from tools.look import Control, Plan, Worn
from tools.studio import Studio


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_sd15(folder)
    return folder


@pytest.fixture(scope="module")
def engine(models: Path) -> Engine:
    return Engine(load_base("sd15", folder=models))


def garment(slot: str, category: str, color: str, **shape) -> Garment:
    return Garment(
        id=category, name=category, slot=slot, shape=Shape(category=category, **shape),
        cloth=Cloth(colors=(color,)), color="red", seasons=("winter",), formality=0.5, clo=0.3,
        trigger="abc", base="sd15",
    )  # fmt: skip


OUTFIT = (
    garment("top", "sweater", "#c8242c", sleeves="long"),
    garment("bottom", "jeans", "#2f5fb3", length="ankle"),
)


def laid() -> Layout:
    return lay_out(OUTFIT, Person(), "standing", {"winter": 1.0})


def job(**more) -> Job:
    fields = dict(
        layout=laid(), phrases=("city street", "young woman", "red wool sweater", "blue jeans"),
        loras=(), seed=3, steps=1, guidance=5.0,
    )  # fmt: skip
    return Job(**(fields | more))


def test_control_maps_are_line_art_and_the_published_skeleton(engine: Engine):
    lineart, openpose = conditions.control_maps(laid(), engine.base)
    assert lineart.shape == openpose.shape == (3, 768, 512)
    assert lineart.max() == 1.0 and 0.005 < (lineart > 0.5).mean() < 0.15
    assert np.array_equal(lineart[0] * 255, laid().edges)
    right_arm = np.array(maps.COLORS[2])
    assert (np.abs(openpose * 255 - right_arm[:, None, None]).max(0) < 2).any()


def test_regions_have_the_size_of_its_latents(engine: Engine):
    shares = conditions.shares(laid(), engine.base)
    assert shares.shape == (4, 96, 64) and np.allclose(shares.sum(0), 1, atol=1e-5)
    small = shares.reshape(4, 48, 2, 32, 2).mean((2, 4))
    assert np.allclose(small, laid().shares, atol=1e-5)


def test_it_draws_at_its_own_size_and_the_same_again(engine: Engine):
    first, second = engine.draw(job()).picture, engine.draw(job()).picture
    assert first.shape == (768, 512, 3) and np.array_equal(first, second)
    unheard = Control(weight=0.0)
    each = {"layout": unheard, "openpose": unheard}
    deaf = engine.draw(job(controls=each)).picture
    assert not np.array_equal(deaf, first)
    with pytest.raises(CannotNow, match="edges"):
        engine.draw(job(edges=np.zeros((1, 96, 64), np.uint8)))
    half = engine.draw(job(controls={"layout": unheard})).picture
    assert not np.array_equal(half, first) and not np.array_equal(half, deaf)


def test_a_garments_lora_reaches_its_own_cells_only(engine: Engine):
    """Of one pass through the UNet's finest attention: deeper layers let cells speak."""
    unet, masks = engine.base.unet, engine._adapter.masks
    layer = unet.get_submodule("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q")
    low = torch.randn(2, layer.base_layer.in_features)
    high = torch.randn(layer.base_layer.out_features, 2)
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    lora = adapters.LowRank({name: (low, high)}, 2)
    shares = torch.from_numpy(conditions.shares(laid(), engine.base))[None]
    x = torch.randn(1, 96 * 64, layer.base_layer.in_features)
    with torch.no_grad():
        bare = layer(x)
        with engine._adapter.worn([(lora, 1.0, 2)], shares):
            worn = layer(x)
    assert not masks._masks and not masks._as_needed
    moved = (worn - bare).abs().amax(-1)[0]
    covered = shares[0, 2].flatten() > 0
    assert moved[covered].min() > 0 and moved[~covered].max() == 0
    assert torch.equal(layer(x), bare)


def test_a_croquis_garment_is_refused_with_the_reason(models: Path, installed_home: Path):
    studio = Studio(installed_home, base="sd15", models=models)
    plan = Plan(garments=(Worn(id="indigo-straight-jeans"),))
    with pytest.raises(BadValue, match="trained for the base croquis"):
        studio.render_look(plan)
    studio.catalog.close()


def test_open_numbers_are_filled_in_for_the_base_and_kept_with_the_plan():
    plan = Plan(garments=(Worn(id="x"),), steps=9)
    assert (plan.settled("sd15").steps, plan.settled("sd15").guidance) == (9, 7.0)
    assert plan.settled("croquis").steps == 9
    assert plan.settled("croquis").guidance is None, "its own LoRA does without"


def test_missing_models_are_named_and_nothing_else_is_asked(models: Path, tmp_path: Path):
    with pytest.raises(ModelUnavailable, match="control_v11p_sd15_lineart"):
        load_base("sd15", folder=tmp_path)


def test_pickled_weights_are_never_opened(models: Path, tmp_path: Path):
    copy = tmp_path / "models"
    shutil.copytree(models, copy)
    part = copy / "control_v11p_sd15_lineart"
    weights = next(part.glob("*.safetensors"))
    torch.save({"x": torch.zeros(1)}, part / "diffusion_pytorch_model.bin")
    weights.unlink()
    with pytest.raises(ModelUnavailable):
        load_base("sd15", folder=copy)


def test_its_hash_follows_the_weights(models: Path, tmp_path: Path):
    before = load_base("sd15", folder=models)
    copy = tmp_path / "models"
    shutil.copytree(models, copy)
    weights = next((copy / "control_v11p_sd15_openpose").glob("*.safetensors"))
    tensors = load_file(weights)
    tensors[next(iter(tensors))].add_(1)
    save_file(tensors, weights, metadata={"format": "pt"})
    after = load_base("sd15", folder=copy)
    assert after.sha256 != before.sha256 and after.denoiser_sha256 == before.denoiser_sha256
