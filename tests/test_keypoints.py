"""The detector of drawn figures' keypoints, and how it is trained."""

import numpy as np
import pytest
import torch

from catalog.croquis import drawing, train_keypoints
from catalog.croquis.keypoints import CELL, KeypointNet, places, read_keypoints
from catalog.croquis.train_keypoints import heat_loss, near_enough, view

SMALL = (16, 16, 16)


@pytest.fixture(scope="module")
def drawn() -> drawing.Drawing:
    return drawing.draw(drawing.sample_worn(5))


def spots(points: torch.Tensor, height: float = 40.0) -> torch.Tensor:
    """Heat maps' logits with one sharp spot at each point."""
    y, x = torch.arange(96).view(-1, 1), torch.arange(64).view(1, -1)
    at = points / CELL - 0.5
    far = (y - at[..., 1, None, None]).square() + (x - at[..., 0, None, None]).square()
    return height - far / 2


def test_places_are_found_between_the_cells(drawn):
    points = torch.from_numpy(drawn.points).float()[None]
    found, sure = places(spots(points))
    assert (found - points).norm(dim=2).max() < 0.3 and sure.min() > 0.9
    _, unsure = places(torch.zeros(1, 18, 96, 64))
    assert unsure.max() < 0.01


def test_the_loss_is_least_at_the_truth_and_leaves_out_what_is_outside(drawn):
    points = torch.from_numpy(drawn.points).float()[None]
    there, elsewhere = heat_loss(spots(points), points), heat_loss(spots(points + 12), points)
    assert there < elsewhere
    gone = points.clone()
    gone[0, 10] = 10_000
    assert torch.isfinite(heat_loss(spots(points), gone))


def test_points_move_with_the_picture(drawn):
    rng = np.random.default_rng(1)
    moves = []
    for _ in range(12):
        picture, points = view(drawn, rng)
        assert picture.shape == (384, 256, 3) and picture.dtype == np.uint8
        # a similarity: every distance changes by one factor
        ratio = np.linalg.norm(np.diff(points, axis=0), axis=1) / np.linalg.norm(
            np.diff(drawn.points, axis=0), axis=1
        )
        assert ratio.std() < 1e-6
        moves.append(ratio.mean())
    assert min(moves) < 0.99 and max(moves) == pytest.approx(1, abs=0.3)


def test_a_tenth_of_the_torso_is_near_enough(drawn):
    truth = drawn.points
    torso = np.linalg.norm(truth[1] - (truth[8] + truth[11]) / 2)
    assert near_enough(truth + (0.09 * torso, 0), truth).all()
    assert not near_enough(truth + (0.11 * torso, 0), truth).any()


def test_any_size_is_read_in_its_own_pixels(drawn):
    network = KeypointNet(SMALL).eval()
    picture = np.ascontiguousarray(drawn.picture)
    here = read_keypoints(network, picture)
    large = read_keypoints(network, picture.repeat(3, 0).repeat(3, 1))
    assert np.allclose(large.points, here.points * 3, atol=0.2)
    wide = read_keypoints(network, np.pad(picture, ((0, 0), (40, 40), (0, 0)), mode="edge"))
    assert wide.points.shape == (18, 2) and np.isfinite(wide.points).all()


def test_training_runs_keeps_its_weights_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_keypoints, "KeypointNet", lambda: KeypointNet(SMALL))
    train_keypoints.KeypointNet.from_pretrained = KeypointNet.from_pretrained
    asked = ["--run", str(tmp_path), "--minutes", "0.01", "--batch", "2", "--workers", "0",
             "--held-out", "1", "--device", "cpu", "--fresh"]  # fmt: skip
    train_keypoints.main(asked)
    assert (tmp_path / "keypoints" / "config.json").exists()
    assert (tmp_path / "keypoints.csv").read_text().count("\n") == 2
    train_keypoints.main(asked[:-1])  # the committed one is of another size
    assert "going on from step" in capsys.readouterr().out
