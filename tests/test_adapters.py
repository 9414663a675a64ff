"""Many LoRAs in one wide pair: the sum of their updates, and nothing of them afterwards."""

import copy

import pytest
import torch
from diffusers import UNet2DConditionModel

from catalog.adapters import TARGETS, WideAdapter, read_low_rank
from catalog.base import new_unet
from catalog.croquis.train_base import UNET
from catalog.errors import BadValue
from catalog.regions import TOKENS, attention_bias

SMALL = UNET | dict(
    in_channels=8, out_channels=8, block_out_channels=(32,) * 4, attention_head_dim=(2,) * 4,
    cross_attention_dim=16, time_embedding_dim=128,
)  # fmt: skip
PHRASES = 6
SHARES = torch.full((1, PHRASES, 24, 16), 1.0)


@pytest.fixture(scope="module")
def bare() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return new_unet(SMALL).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def wide(bare) -> tuple[UNet2DConditionModel, WideAdapter]:
    unet = copy.deepcopy(bare)
    return unet, WideAdapter(unet)


@torch.no_grad()
def output(unet, shares: torch.Tensor = SHARES) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return unet(
        torch.randn(2, 8, 24, 16, generator=generator),
        torch.tensor([500, 20]),
        torch.randn(2, PHRASES * TOKENS, 16, generator=generator),
        cross_attention_kwargs={"regions": attention_bias(shares)},
    ).sample


def lora_tensors(unet, rank: int, seed: int, every: int = 1, alpha: float | None = None):
    """A LoRA as a file holds it, on every ``every``-th module that LoRAs may touch."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    modules = [(n, m) for n, m in unet.named_modules() if TARGETS.fullmatch(n)]
    for name, module in modules[seed % every :: every]:
        out, *rest = module.weight.shape
        tail = (1,) * (len(rest) - 1)
        low = torch.randn(rank, *rest, generator=generator) * 0.05
        high = torch.randn(out, rank, *tail, generator=generator) * 0.05
        tensors[f"unet.{name}.lora_A.weight"] = low
        tensors[f"unet.{name}.lora_B.weight"] = high
        if alpha is not None:
            tensors[f"unet.{name}.alpha"] = torch.tensor(alpha)
    return tensors


@torch.no_grad()
def merged(bare, loras) -> UNet2DConditionModel:
    """A copy of the bare model with each update added to its weights, one by one."""
    unet = copy.deepcopy(bare)
    for lora, weight, _ in loras:
        for name, (low, high) in lora.pairs.items():
            module = unet.get_submodule(name)
            change = torch.einsum("or,r...->o...", high.flatten(1), low)
            module.weight += weight * change
    return unet


def test_the_targets_are_linear_and_conv_layers_of_several_levels(bare):
    names = [n for n, _ in bare.named_modules() if TARGETS.fullmatch(n)]
    assert len(names) > 40 and any("conv" in n for n in names)
    assert {n.split(".")[0] for n in names} == {"down_blocks", "mid_block", "up_blocks"}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_loras_side_by_side_equal_the_sum_of_their_updates(bare, wide, count):
    unet, adapter = wide
    loras = [
        (read_low_rank(lora_tensors(bare, 1 + i, i, every=1 + i % 3)), 0.4 + 0.3 * i, -1)
        for i in range(count)
    ]
    with adapter.worn(loras, SHARES):
        seen = output(unet)
    wanted = output(merged(bare, loras))
    assert (wanted - output(bare)).abs().max() > 1e-3
    assert (seen - wanted).abs().max() < 1e-5


def test_alpha_over_rank_scales_an_update(bare, wide):
    unet, adapter = wide
    plain = read_low_rank(lora_tensors(bare, 4, 3))
    scaled = read_low_rank(lora_tensors(bare, 4, 3, alpha=2.0))
    with adapter.worn([(plain, 0.5, -1)], SHARES):
        half = output(unet)
    with adapter.worn([(scaled, 1.0, -1)], SHARES):
        assert torch.allclose(output(unet), half, atol=1e-6)


def test_each_lora_alone_in_its_region_is_what_both_give_together(bare, wide):
    unet, adapter = wide
    modules = [n for n, _ in bare.named_modules() if TARGETS.fullmatch(n)]
    last = [n for n in modules if n.startswith("up_blocks.3") and n.endswith("conv2")][-1]
    shares = torch.zeros(1, PHRASES, 24, 16)
    shares[:, 2, :, :8], shares[:, 3, :, 8:] = 1, 1
    one, two = (
        read_low_rank({k: v for k, v in lora_tensors(bare, 2, s).items() if last in k})
        for s in (1, 2)
    )
    layer, x = unet.get_submodule(last), torch.randn(1, 32, 24, 16)
    with torch.no_grad():
        base = layer(x)
        alone = []
        for lora, region in ((one, 2), (two, 3)):
            with adapter.worn([(lora, 1.0, region)], shares):
                alone.append(layer(x) - base)
        with adapter.worn([(one, 1.0, 2), (two, 1.0, 3)], shares):
            both = layer(x) - base
    assert (alone[0][..., 8:] == 0).all() and (alone[1][..., :8] == 0).all()
    assert (both - alone[0] - alone[1]).abs().max() < 1e-5


def test_nothing_is_left_behind_not_even_after_an_exception(bare, wide):
    unet, adapter = wide
    before = output(bare)
    assert torch.equal(output(unet), before)
    loras = [(read_low_rank(lora_tensors(bare, 3, 4)), 1.0, -1)]
    with adapter.worn(loras, SHARES):
        assert not torch.equal(output(unet), before)
    assert torch.equal(output(unet), before)
    with pytest.raises(KeyboardInterrupt), adapter.worn(loras, SHARES):
        raise KeyboardInterrupt
    assert torch.equal(output(unet), before)
    with adapter.worn([], SHARES):
        assert torch.equal(output(unet), before)


def test_a_lora_for_another_base_is_refused_and_leaves_nothing(bare, wide):
    unet, adapter = wide
    before = output(bare)
    good = lora_tensors(bare, 2, 5)
    other = new_unet(SMALL | dict(block_out_channels=(32, 64, 64, 64), cross_attention_dim=24))
    strange = read_low_rank(lora_tensors(other, 2, 5))
    with (
        pytest.raises(BadValue, match="another base"),
        adapter.worn([(read_low_rank(good), 1.0, -1), (strange, 1.0, -1)], SHARES),
    ):
        raise AssertionError("must not get here")
    nowhere = {k.replace("down_blocks.0", "down_blocks.7"): v for k, v in good.items()}
    with (
        pytest.raises(BadValue, match="does not have"),
        adapter.worn([(read_low_rank(nowhere), 1.0, -1)], SHARES),
    ):
        raise AssertionError("must not get here")
    assert torch.equal(output(unet), before)


def test_keys_that_are_not_understood_are_refused_by_name(bare):
    good = lora_tensors(bare, 2, 6)
    for key in ("vae.q.lora_A.weight", "unet.conv_in.weight", "unet.x.dora_scale"):
        with pytest.raises(BadValue, match="does not know"):
            read_low_rank(good | {key: torch.zeros(1)})
    with pytest.raises(BadValue, match="no low-rank pairs"):
        read_low_rank({})


def test_a_missing_or_unequal_half_is_refused(bare):
    good = lora_tensors(bare, 2, 7)
    half = next(k for k in good if k.endswith("lora_B.weight"))
    with pytest.raises(BadValue, match="incomplete"):
        read_low_rank({k: v for k, v in good.items() if k != half})
    for wrong in (good[half][:, :1], good[half].flatten()[:2]):
        with pytest.raises(BadValue, match="incomplete"):
            read_low_rank(good | {half: wrong})
