"""The decoder: told lines it draws them, told nothing it still decodes, a crop as the whole."""

import numpy as np
import pytest
import torch

from catalog.base import load_base
from catalog.croquis import drawing
from catalog.croquis.autoencoder import CroquisAutoencoder


@pytest.fixture(scope="module")
def vae() -> CroquisAutoencoder:
    return load_base().vae


@pytest.fixture(scope="module")
def scene():
    return scene_of(21)


def scene_of(number: int):
    """A held-out drawing at twice the size, its latents, layout map and edges."""
    large = drawing.draw(drawing.sample_worn(2**40 + number), scale=2.0)
    small = drawing.halved(large)
    x = torch.from_numpy(small.picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    layout = torch.from_numpy(drawing.model_maps(small)[0])[None].float() / 255
    edges = torch.from_numpy(large.edges)[None, None].float() / 255
    return large, load_base().vae.encode(x).latent_dist.mean, layout, edges


def error(decoded: torch.Tensor, large: drawing.Drawing, where: np.ndarray) -> float:
    picture = ((decoded[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).numpy()
    return float(np.abs(picture - large.picture)[where].mean())


@torch.no_grad()
def test_lines_are_sharper_with_the_layout_than_without(vae):
    errors = []
    for number in range(21, 25):
        large, z, layout, edges = scene_of(number)
        told, untold = vae.decode(z, layout=layout, edges=edges).sample, vae.decode(z).sample
        assert told.shape == untold.shape == (1, 3, 768, 512)
        near_lines = large.edges > 60
        errors.append([error(told, large, near_lines), error(untold, large, near_lines)])
    with_layout, without = np.mean(errors, 0)
    assert with_layout < 0.85 * without
    assert all(told < untold for told, untold in errors)


@torch.no_grad()
def test_the_layout_alone_has_no_colour(vae, scene):
    """Two pictures that differ in colour only, decoded under one layout, keep their colours."""
    _, z, layout, edges = scene
    other = z.clone()
    other[:, :3] = -other[:, :3]
    one, two = (vae.decode(x, layout=layout, edges=edges).sample for x in (z, other))
    pool = torch.nn.functional.avg_pool2d
    change = pool(one - two, 32).flatten()
    linear = pool(vae.linear(z) - vae.linear(other), 16).flatten()
    assert np.corrcoef(change, linear)[0, 1] > 0.9


@torch.no_grad()
def test_the_inside_of_a_crop_is_decoded_as_in_the_whole(vae, scene):
    _, z, layout, edges = scene
    whole = vae.decode(z, layout=layout, edges=edges).sample
    crop = vae.decode(
        z[..., :32, :], layout=layout[..., :64, :], edges=edges[..., : 32 * 16, :]
    ).sample
    rows = slice(0, 6 * 32)  # beyond the reach of the lower border
    assert (crop[..., rows, :] - whole[..., rows, :]).abs().mean() < 0.01


@torch.no_grad()
def test_the_contract_of_an_autoencoder_is_kept(vae, scene):
    _, z, *_ = scene
    assert torch.equal(vae.decode(z, return_dict=False)[0], vae.decode(z).sample)
    one, two = (vae.encode(torch.zeros(1, 3, 64, 32)).latent_dist.sample() for _ in range(2))
    assert torch.allclose(one, two, atol=1e-4) and one.shape == (1, 24, 8, 4)
