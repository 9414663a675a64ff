"""A garment's words and its LoRA reach the cells it covers, and no others."""

import pytest
import torch
from diffusers.models.attention_processor import Attention
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from catalog.regions import TOKENS, LoraMasks, RegionAttention, attention_bias, means

LEVELS = ((24, 16), (12, 8), (6, 4))


def halves(phrases: int, left: int, right: int) -> torch.Tensor:
    """Shares in which phrase ``left`` covers the left half and phrase ``right`` the right."""
    shares = torch.zeros(1, phrases, 24, 16)
    shares[:, left, :, :8] = 1
    shares[:, right, :, 8:] = 1
    return shares


def left_half(rows: int, columns: int) -> torch.Tensor:
    mask = torch.zeros(rows, columns, dtype=torch.bool)
    mask[:, : columns // 2] = True
    return mask


@pytest.mark.parametrize("size", LEVELS)
def test_a_fully_covered_cell_gives_other_garments_words_no_attention(size):
    torch.manual_seed(0)
    cells = size[0] * size[1]
    bias = attention_bias(halves(4, 2, 3))[cells]
    assert bias.shape == (1, cells, 4 * TOKENS)
    weights = (torch.randn(1, cells, 4 * TOKENS) * 2 + bias).softmax(-1)
    by_phrase = weights.reshape(cells, 4, TOKENS).sum(-1)
    left = left_half(*size).flatten()
    assert by_phrase[left][:, 2].min() > 0.99 and by_phrase[left][:, 3].max() < 0.01
    assert by_phrase[~left][:, 3].min() > 0.99 and by_phrase[~left][:, 2].max() < 0.01


def test_half_covered_cells_listen_to_both():
    shares = torch.full((1, 2, 24, 16), 0.5)
    weights = attention_bias(shares)[384].softmax(-1).reshape(384, 2, TOKENS).sum(-1)
    assert torch.allclose(weights, torch.full_like(weights, 0.5))


def test_the_bias_is_finite_even_where_nothing_is():
    for bias in attention_bias(torch.zeros(1, 3, 24, 16)).values():
        assert torch.isfinite(bias).all()


def test_attention_without_regions_is_stock_attention():
    torch.manual_seed(0)
    ours = Attention(32, cross_attention_dim=16, heads=4, dim_head=8, processor=RegionAttention())
    stock = Attention(32, cross_attention_dim=16, heads=4, dim_head=8)
    stock.load_state_dict(ours.state_dict())
    x, words = torch.randn(2, 24, 32), torch.randn(2, 48, 16)
    assert torch.allclose(ours(x, words), stock(x, words), atol=1e-5)
    plain = Attention(32, heads=4, dim_head=8, processor=RegionAttention())
    also = Attention(32, heads=4, dim_head=8)
    also.load_state_dict(plain.state_dict())
    bias = attention_bias(halves(3, 1, 2))
    assert torch.allclose(plain(x, regions=bias), also(x), atol=1e-5), "cells see each other freely"


def test_long_rows_are_attended_to_as_short_ones(monkeypatch):
    torch.manual_seed(0)
    attention = Attention(32, cross_attention_dim=16, heads=4, processor=RegionAttention())
    x, words = torch.randn(1, 384, 32), torch.randn(1, 4 * TOKENS, 16)
    bias = attention_bias(halves(4, 2, 3))
    with torch.no_grad():
        short = attention(x, words, regions=bias)
        monkeypatch.setattr("catalog.regions._LONG", 0)
        assert torch.allclose(attention(x, words, regions=bias), short, atol=1e-5)
        assert torch.allclose(attention(x, words), attention(x, words, regions=None), atol=1e-5)


def test_changing_one_garments_words_changes_its_own_cells_only():
    torch.manual_seed(1)
    attention = Attention(32, cross_attention_dim=16, heads=4, processor=RegionAttention())
    x, words = torch.randn(1, 384, 32), torch.randn(1, 4 * TOKENS, 16)
    bias = attention_bias(halves(4, 2, 3))
    changed = words.clone()
    changed[:, 3 * TOKENS :] = torch.randn(1, TOKENS, 16)
    with torch.no_grad():
        moved = (attention(x, changed, regions=bias) - attention(x, words, regions=bias)).abs()
    by_cell = moved[0].mean(-1)
    left = left_half(24, 16).flatten()
    assert by_cell[left].max() < 0.01 * by_cell[~left].mean()


class Tiny(nn.Module):
    """One layer of each kind that a LoRA is put on."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 12)
        self.conv = nn.Conv2d(8, 12, 3, padding=1)
        self.attn1 = Attention(8, heads=2, dim_head=4)
        self.attn2 = Attention(8, cross_attention_dim=16, heads=2, dim_head=4)


@pytest.fixture
def tiny():
    """A module with rank-2 LoRAs that do something, and the masks hooked to them."""
    torch.manual_seed(2)
    model = Tiny().requires_grad_(False)
    targets = ["linear", "conv", "attn1.to_k", "attn2.to_k", "attn2.to_q"]
    config = LoraConfig(r=2, lora_alpha=2, target_modules=targets, init_lora_weights=False)
    inject_adapter_in_model(config, model)
    masks = LoraMasks()
    masks.hook(model)
    return model, masks


def update(layer, masks: LoraMasks, x: torch.Tensor, shares: torch.Tensor, owner) -> torch.Tensor:
    """What the LoRA adds to the layer's output."""
    with torch.no_grad(), masks.at(shares, owner):
        return layer(x) - layer.base_layer(x)


@pytest.mark.parametrize("size", LEVELS)
def test_an_update_is_zero_outside_its_region(tiny, size):
    model, masks = tiny
    rows, columns = size
    left = left_half(rows, columns)
    shares = halves(4, 2, 3)
    flat = update(model.linear, masks, torch.randn(2, rows * columns, 8), shares, (2, 2))
    assert (flat[:, ~left.flatten()] == 0).all()
    assert (flat[:, left.flatten()].abs().amax(-1) > 0).all()
    wide = update(model.conv, masks, torch.randn(2, 8, rows, columns), shares, (2, 2))
    assert (wide[:, :, ~left] == 0).all() and (wide[:, :, left].abs().amax(1) > 0).all()
    both = update(model.conv, masks, torch.randn(2, 8, rows, columns), shares, (2, 3))
    assert (both.abs().amax(1) > 0).all(), "the second rank works in the other half"


def test_an_owner_of_minus_one_works_everywhere(tiny):
    model, masks = tiny
    nowhere = torch.zeros(1, 4, 24, 16)
    x = torch.randn(1, 384, 8)
    everywhere = update(model.linear, masks, x, nowhere, (-1, -1))
    with torch.no_grad():
        free = model.linear(x) - model.linear.base_layer(x)
    assert torch.equal(everywhere, free) and (free.abs().amax(-1) > 0).all()
    assert (update(model.linear, masks, x, nowhere, (2, 2)) == 0).all()
    picture = torch.randn(1, 8, 12, 8)
    assert (update(model.conv, masks, picture, nowhere, (-1, -1)).abs().amax(1) > 0).all()


def test_keys_of_words_are_changed_in_the_garments_own_phrase(tiny):
    model, masks = tiny
    words = torch.randn(1, 4 * TOKENS, 16)
    added = update(model.attn2.to_k, masks, words, halves(4, 2, 3), (3, 3)).abs().amax(-1)[0]
    own = torch.zeros(4 * TOKENS, dtype=torch.bool)
    own[3 * TOKENS :] = True
    assert (added[own] > 0).all() and (added[~own] == 0).all()


def test_as_many_words_as_cells_are_not_mistaken_for_each_other(tiny):
    """Six phrases of 16 tokens are 96, and so are the cells of the 12 x 8 level."""
    model, masks = tiny
    assert 6 * TOKENS == 12 * 8
    shares, left = halves(6, 4, 5), left_half(12, 8).flatten()
    of_cells = update(model.attn1.to_k, masks, torch.randn(1, 96, 8), shares, (4, 4))
    assert (of_cells[:, ~left] == 0).all() and (of_cells[:, left].abs().amax(-1) > 0).all()
    of_words = update(model.attn2.to_k, masks, torch.randn(1, 96, 16), shares, (4, 4))
    assert (of_words[0].abs().amax(-1) > 0).nonzero().flatten().tolist() == list(range(64, 80))


def test_masks_end_with_their_block(tiny):
    model, masks = tiny
    x = torch.randn(1, 384, 8)
    with torch.no_grad():
        before = model.linear(x)
        with pytest.raises(RuntimeError), masks.at(halves(3, 1, 2), (1, 1)):
            raise RuntimeError
        assert torch.equal(model.linear(x), before)


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_mask_leaves_pictures_in_the_order_that_the_model_is_fast_in(ranks):
    masks = LoraMasks()
    apply = masks._mask(Tiny(), "conv.lora_A.default")
    # as a convolution hands them over: channels innermost, which one rank alone does not show
    inside = (24 * 16 * ranks, 1, 16 * ranks, ranks)
    low = torch.randn(2 * 24 * 16 * ranks).as_strided((2, ranks, 24, 16), inside)
    # shares of each picture, as in a training
    with masks.at(halves(4, 2, 3).repeat(2, 1, 1, 1), (2,) * ranks):
        masked = apply(nn.Identity(), (), low)
    assert masked.stride() == low.stride()
    assert torch.equal(masked[..., :8], low[..., :8]) and not masked[..., 8:].any()


def test_a_regions_mean_is_over_its_own_cells_and_a_sliver_counts_little():
    values = torch.zeros(1, 2, 4, 4)
    values[..., :2] = torch.tensor([3.0, -1.0])[None, :, None, None]
    shares = torch.zeros(1, 3, 4, 4)
    shares[0, 0, :, :2], shares[0, 1, :, 1:3], shares[0, 2, 0, 0] = 1.0, 0.5, 0.25
    told = means(values, shares)[0]
    assert torch.allclose(told, torch.tensor([[3.0, -1.0], [1.5, -0.5], [0.75, -0.25]]))
