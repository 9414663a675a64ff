"""The committed base: whole, in the diffusers layout, small enough, and refused when damaged."""

import shutil

import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextModel

from catalog import base as bases
from catalog.errors import Damaged, ModelUnavailable, UnknownName


def test_the_committed_weights_are_whole():
    status = bases.base_status()
    assert status["present"] and not status["damaged"]
    files = [p for p in bases.weights_folder().rglob("*") if p.is_file()]
    assert max(p.stat().st_size for p in files) <= 15_000_000


def test_components_load_as_stock_classes_and_the_autoencoder_keeps_the_contract():
    base = bases.load_base()
    assert type(base.unet) is UNet2DConditionModel
    assert type(base.text_encoder) is CLIPTextModel
    assert all(type(net) is ControlNetModel for net in base.controlnets.values())
    x = torch.rand(1, 3, 384, 256) * 2 - 1
    z = base.vae.encode(x).latent_dist.sample()
    assert z.shape == (1, base.unet.config.in_channels, 48, 32)
    assert base.vae.decode(z).sample.shape == (1, 3, 768, 512)


def test_a_changed_weight_file_is_refused_with_its_name(tmp_path, monkeypatch):
    copy = tmp_path / "weights"
    shutil.copytree(bases.weights_folder(), copy)
    monkeypatch.setattr(bases, "weights_folder", lambda: copy)
    shard = next(copy.glob("unet/*.safetensors"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    with pytest.raises(Damaged, match=shard.name):
        bases.load_base()
    shutil.rmtree(copy)
    with pytest.raises(ModelUnavailable, match="missing"):
        bases.load_base()


def test_an_unknown_base_names_the_known_and_sd15_says_what_it_needs(tmp_path):
    with pytest.raises(UnknownName, match="croquis"):
        bases.load_base("croquiss")
    with pytest.raises(ModelUnavailable, match="doctor"):
        bases.load_base("sd15", folder=tmp_path)
