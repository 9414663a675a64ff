"""LoRA files go to other tools and come back bit for bit; every key is accounted for."""

import copy
import json
import pickle
import re

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from safetensors.torch import load, save
from transformers import CLIPTextConfig, CLIPTextModel

from catalog.adapters import WideAdapter, read_low_rank
from catalog.errors import BadValue
from catalog.kohya import About, catalog_file, diffusers_file, kohya_file, layers_of, read
from catalog.lora_file import check_lora_file, sha256_of

ABOUT = About("Red boots", "zqboot", "croquis", (384, 256), {"boots": 9, "red": 7}, 9)


@pytest.fixture(scope="module")
def unet() -> UNet2DConditionModel:
    """A UNet with the blocks of Stable Diffusion 1.5, small."""
    torch.manual_seed(0)
    model = UNet2DConditionModel(
        sample_size=8, layers_per_block=1, block_out_channels=(32, 64), attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), norm_num_groups=8,
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), cross_attention_dim=16,
    )  # fmt: skip
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def text() -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32,
    )  # fmt: skip
    return CLIPTextModel(config)


@pytest.fixture(scope="module")
def layers(unet, text):
    return layers_of(unet, text)


def trained(layers, dtype=torch.float16, alpha=True, only=lambda m: True, alpha_dtype=None):
    """A kohya file's tensors on the modules kohya's scripts train."""
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for module, shape in layers.items():
        if not any(k in module for k in ("attn", "ff.net", "proj_in", "proj_out", "fc")):
            continue
        if "attentions" not in module and "layers" not in module or not only(module):
            continue
        part, path = module.split(".", 1)
        name = f"{'lora_unet' if part == 'unet' else 'lora_te'}_{path.replace('.', '_')}"
        out, *rest = shape
        tail = (1,) * (len(rest) - 1)
        rank = 3 + len(tensors) % 2
        down = torch.randn(rank, *rest, generator=generator) * 0.2
        up = torch.randn(out, rank, *tail, generator=generator) * 0.2
        tensors[f"{name}.lora_down.weight"] = down.to(dtype)
        tensors[f"{name}.lora_up.weight"] = up.to(dtype)
        if alpha:
            tensors[f"{name}.alpha"] = torch.tensor(1.7, dtype=alpha_dtype or dtype)
    return tensors


def on_unet(module: str) -> bool:
    return module.startswith("unet.")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("alpha", [True, False])
def test_kohya_to_diffusers_to_kohya_is_bit_identical(layers, dtype, alpha):
    before = trained(layers, dtype, alpha)
    data = save(before, {"ss_network_module": "networks.lora", "ss_steps": "120"})
    there = diffusers_file(read(data, layers))
    back = kohya_file(read(there, layers))
    after = load(back)
    assert set(after) == set(before) and len(after) > 40
    for key in before:
        assert after[key].dtype == before[key].dtype and after[key].shape == before[key].shape
        assert torch.equal(after[key], before[key])
    assert check_lora_file(back).metadata["ss_steps"] == "120"


def test_alphas_of_another_type_and_shape_survive_the_round_trip(layers):
    before = trained(layers, torch.bfloat16, alpha_dtype=torch.float32)
    first = next(k for k in before if k.endswith("alpha"))
    before[first] = torch.tensor([0.3])
    after = load(kohya_file(read(diffusers_file(read(save(before), layers)), layers)))
    for key in before:
        assert after[key].dtype == before[key].dtype and torch.equal(after[key], before[key]), key


@torch.no_grad()
def output(unet) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    x, words = torch.randn(1, 4, 8, 8, generator=generator), torch.randn(1, 5, 16)
    return unet(x, torch.tensor([300]), torch.ones_like(words)).sample


@torch.no_grad()
def merged(unet, lora) -> UNet2DConditionModel:
    """A copy with each update added to its weight: what alpha and rank are defined by."""
    copied = copy.deepcopy(unet)
    for name, pair in lora.pairs.items():
        if on_unet(name):
            change = torch.einsum("or,r...->o...", pair.up.float().flatten(1), pair.down.float())
            copied.get_submodule(name[5:]).weight += pair.strength / pair.rank * change
    return copied


@pytest.mark.parametrize("kind", ["kohya", "diffusers"])
def test_diffusers_draws_with_our_files_as_the_numbers_say(unet, layers, kind, tmp_path):
    lora = read(save(trained(layers, torch.float32, only=on_unet)), layers)
    write = kohya_file if kind == "kohya" else diffusers_file
    path = tmp_path / "lora.safetensors"
    path.write_bytes(write(lora))
    loader = StableDiffusionPipeline
    state, alphas, metadata = loader.lora_state_dict(
        str(path), unet_config=unet.config, return_lora_metadata=True
    )
    other = copy.deepcopy(unet)
    loader.load_lora_into_unet(
        state, network_alphas=alphas, unet=other, adapter_name="x",
        metadata=None if alphas else metadata,
    )  # fmt: skip
    assert (output(other) - output(unet)).abs().max() > 1e-2
    assert torch.allclose(output(other), output(merged(unet, lora)), atol=1e-4)


def test_a_peft_file_is_read_with_its_config_and_refused_without(unet, layers):
    trainee = copy.deepcopy(unet)
    config = LoraConfig(r=4, lora_alpha=6, target_modules=["to_q", "to_v"], init_lora_weights=False)
    inject_adapter_in_model(config, trainee, adapter_name="default")
    state = get_peft_model_state_dict(trainee, adapter_name="default")
    data = save({f"base_model.model.{k}": v.contiguous() for k, v in state.items()})
    lora = read(data, layers, peft_config={"r": 4, "lora_alpha": 6, "alpha_pattern": {}})
    assert torch.allclose(output(trainee), output(merged(unet, lora)), atol=1e-4)
    with pytest.raises(BadValue, match="how strong"):
        read(data, layers)
    some = {"r": 4, "lora_alpha": 6, "alpha_pattern": {"to_v": 2, "attn2.to_v": 3}}
    strengths = {m: p.strength for m, p in read(data, layers, peft_config=some).pairs.items()}
    assert {v for m, v in strengths.items() if m.endswith("attn1.to_v")} == {2.0}
    assert {v for m, v in strengths.items() if m.endswith("attn2.to_v")} == {3.0}
    assert {v for m, v in strengths.items() if m.endswith("to_q")} == {6.0}
    with pytest.raises(BadValue, match="patterns"):
        read(data, layers, peft_config={"lora_alpha": 6, "alpha_pattern": {"(a+)+$": 2}})
    with pytest.raises(BadValue, match="rsLoRA"):
        read(data, layers, peft_config={"lora_alpha": 6, "use_rslora": True})


def test_our_own_files_go_out_and_come_back(layers):
    lora = read(save(trained(layers, only=on_unet)), layers)
    kept = catalog_file(lora, "croquis", "zqboot")
    assert check_lora_file(kept, base="croquis").base == "croquis"
    low = read_low_rank(load(kept))
    name = next(iter(low.pairs))
    pair = lora.pairs[f"unet.{name}"]
    assert torch.allclose(low.pairs[name][1], pair.up.float() * pair.strength / pair.rank)
    again = read(kohya_file(read(kept, layers), ABOUT), layers, base="croquis")
    assert all(torch.equal(again.pairs[m].up, p.up) for m, p in lora.pairs.items())


def test_metadata_say_what_other_tools_ask(layers):
    lora = read(save({k: v for k, v in trained(layers, only=on_unet).items()}), layers)
    data = kohya_file(lora, ABOUT)
    metadata = check_lora_file(data).metadata
    assert metadata["ss_network_module"] == "networks.lora"
    assert metadata["modelspec.trigger_phrase"] == "zqboot"
    assert metadata["modelspec.resolution"] == "256x384"
    assert json.loads(metadata["ss_tag_frequency"]) == {"1_zqboot": {"boots": 9, "red": 7}}
    start = 8 + int.from_bytes(data[:8], "little")
    assert metadata["sshs_model_hash"] == sha256_of(data[start:])


def test_every_unknown_key_is_listed(layers):
    good = trained(layers)
    odd = {
        "lora_unet_input_blocks_1_1_proj_in.lora_down.weight": torch.ones(2, 4),
        "lora_unet_input_blocks_1_1_proj_in.lora_up.weight": torch.ones(4, 2),
        "lora_te3_encoder_q.lora_down.weight": torch.ones(2, 4),
        "lora_te3_encoder_q.lora_up.weight": torch.ones(4, 2),
    }
    with pytest.raises(BadValue) as raised:
        read(save(good | odd), layers)
    assert all(key in raised.value.message for key in odd)
    first = next(iter(good)).split(".")[0]
    for extra in ("dora_scale", "hada_w1_a"):
        with pytest.raises(BadValue, match=extra):
            read(save(good | {f"{first}.{extra}": torch.ones(1)}), layers)


def test_every_missing_half_and_alpha_is_listed(layers):
    good = trained(layers)
    up, *others = [k for k in good if k.endswith("lora_up.weight")]
    with pytest.raises(BadValue, match="one half"):
        read(save({k: v for k, v in good.items() if k != up}), layers)
    alphas = [k for k in good if k.endswith("alpha")][:2]
    with pytest.raises(BadValue, match="alpha.*alpha"):
        read(save({k: v for k, v in good.items() if k not in alphas}), layers)
    assert others


def test_another_bases_lora_is_refused_by_shape_and_by_hash(layers, unet):
    wide = UNet2DConditionModel.from_config({**unet.config, "cross_attention_dim": 24})
    foreign = save(trained(layers_of(wide)))
    with pytest.raises(BadValue, match="do not fit this base.*attn2"):
        read(foreign, layers)
    data = save(trained(layers), {"base": "croquis", "base_sha256": "a" * 64})
    assert read(data, layers, base="croquis", base_sha256="a" * 64)
    with pytest.raises(BadValue, match="other weights"):
        read(data, layers, base="croquis", base_sha256="b" * 64)
    with pytest.raises(BadValue, match="for the base"):
        read(data, layers, base="sd15")


def test_pickles_cut_files_and_lying_headers_are_refused(layers):
    good = save(trained(layers))
    bad = save(trained(layers) | {"lora_unet_conv_in.alpha": torch.tensor(float("nan"))})
    many = {f"lora_unet_x{i}.alpha": torch.zeros(()) for i in range(9000)}
    for data in (
        pickle.dumps({"a": 1}), b"", good[: len(good) // 2], good + b"x", bad, save(many),
        (2**63).to_bytes(8, "little") + good[8:],
    ):  # fmt: skip
        with pytest.raises(BadValue):
            read(data, layers)


def test_a_header_whose_length_looks_like_a_pickle_is_read_all_the_same(layers):
    good = save(trained(layers))
    length = int.from_bytes(good[:8], "little")
    for low in (0x280, 0x380, 0x480, 0x580):
        longer = (length & ~0xFFFF) + (0x10000 if length & 0xFFFF > low else 0) + low
        header = good[8 : 8 + length].ljust(longer)
        data = longer.to_bytes(8, "little") + header + good[8 + length :]
        assert data[0] == 0x80 and read(data, layers).pairs


def test_odd_headers_are_refused_and_not_stumbled_over(layers):
    good = save(trained(layers))
    length = int.from_bytes(good[:8], "little")
    header = re.sub(rb'"(B?F\d+)"', rb'["\1"]', good[8 : 8 + length], count=1)
    data = len(header).to_bytes(8, "little") + header + good[8 + length :]
    with pytest.raises(BadValue):
        read(data, layers)


def test_the_text_encoders_part_is_kept_unless_it_is_to_be_left_out(layers):
    lora = read(save(trained(layers)), layers)
    whole = read_low_rank(load(catalog_file(lora, "sd15", "x")))
    assert whole.text and len(whole.text) + len(whole.pairs) == len(lora.pairs)
    assert all(map(on_unet, lora.without_text().pairs))
    assert not read_low_rank(load(catalog_file(lora.without_text(), "sd15", "x"))).text


@torch.no_grad()
def test_a_lora_on_modules_ours_never_touch_works_and_stays_in_its_region():
    from test_adapters import SMALL, output

    from catalog.base import new_unet

    torch.manual_seed(0)
    bare = new_unet(SMALL).eval().requires_grad_(False)
    layers = layers_of(bare)
    data = save(trained(layers, torch.float32))
    lora = read(data, layers)
    low = read_low_rank(load(catalog_file(lora, "croquis", "x")))
    assert {"mid_block.attentions.0.proj_in"} <= set(low.pairs)
    wide = copy.deepcopy(bare)
    adapter = WideAdapter(wide)
    before = output(wide)
    everywhere = torch.full((1, 6, 24, 16), 1.0)
    with adapter.worn([(low, 1.0, -1)], everywhere):
        seen = output(wide)
    assert torch.allclose(seen, output(merged(bare, lora)), atol=1e-4)
    nowhere = everywhere.clone()
    nowhere[:, 2] = 0
    with adapter.worn([(low, 1.0, 2)], nowhere):
        hidden = output(wide)
    # where its garment is not, only its own words may still speak of it
    assert (hidden - before).abs().max() < 0.5 * (seen - before).abs().max()
    assert torch.equal(output(wide), before)


def test_what_has_no_place_in_the_picture_is_refused():
    from test_adapters import SHARES, SMALL

    from catalog.base import new_unet

    bare = new_unet(SMALL).eval()
    name = "mid_block.resnets.0.time_emb_proj"
    out, inner = layers_of(bare)[f"unet.{name}"]
    low = read_low_rank(
        {f"unet.{name}.lora_A.weight": torch.ones(1, inner),
         f"unet.{name}.lora_B.weight": torch.ones(out, 1)}
    )  # fmt: skip
    adapter = WideAdapter(bare)
    with pytest.raises(BadValue, match="cannot be kept"), adapter.worn([(low, 1.0, 2)], SHARES):
        raise AssertionError("must not get here")
