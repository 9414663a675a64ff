"""Any picture can give its pose: a photo, a drawn figure or a skeleton."""

import json

import numpy as np
import pytest
from PIL import Image

from catalog.croquis import drawing, figure, maps
from catalog.croquis.figure import KEYPOINTS
from catalog.croquis.posture import Keypoints
from catalog.errors import BadValue, ModelUnavailable
from tools.blaze_pose import Sighting
from tools.pose_from_picture import PoseReader, pose_points
from ui.cli import main

ARMS = [KEYPOINTS.index(n) for n in ("nose", "r_shoulder", "l_shoulder", "r_elbow", "l_elbow")]


@pytest.fixture(scope="module")
def reader() -> PoseReader:
    """The photo model alone, as set-up installed it."""
    found = PoseReader()
    found._drawn = None
    return found


def drawn(seed: int) -> drawing.Drawing:
    return drawing.draw(drawing.sample_worn(seed), scale=2.0)


def test_the_photo_model_sees_people_where_they_are(reader):
    off = []
    for seed in (6_400_000_000, 6_400_000_001):
        one = drawn(seed)
        truth = one.points * 2
        torso = np.linalg.norm(truth[1] - (truth[8] + truth[11]) / 2)
        seen = reader.read(np.ascontiguousarray(one.picture))
        off.append(np.linalg.norm(seen.points - truth, axis=1)[ARMS] / torso)
        assert seen.points.shape == (18, 2) and (seen.confidence <= 1).all()
    assert np.median(off) < 0.1
    assert len(pose_points(seen)) == 18


def test_points_are_in_the_pictures_own_pixels(reader):
    one = np.ascontiguousarray(drawn(6_400_000_000).picture)
    there = reader.read(one).points
    moved = np.full((900, 1100, 3), 230, np.uint8)
    moved[60 : 60 + 768, 400 : 400 + 512] = one
    assert np.abs(reader.read(moved).points[ARMS] - there[ARMS] - (400, 60)).max() < 20


def test_nobody_in_the_picture_is_said(reader):
    with pytest.raises(BadValue, match="Nobody"):
        reader.read(np.full((300, 200, 3), 128, np.uint8))


def test_without_the_model_the_next_step_is_said(tmp_path):
    bare = PoseReader(models=tmp_path, weights=tmp_path)
    with pytest.raises(ModelUnavailable, match="make setup"):
        bare.read(np.full((300, 200, 3), 128, np.uint8))


def test_a_skeleton_is_read_without_any_model(tmp_path):
    bare = PoseReader(models=tmp_path, weights=tmp_path)
    points = figure.pose("waving").array() * 2
    seen = bare.read(maps.skeleton_picture(points, 768, 512))
    wrist = KEYPOINTS.index("l_wrist")
    assert np.linalg.norm(seen.points[wrist] - points[wrist]) < 2
    edges = np.zeros((300, 200, 3), np.uint8)
    edges[100:102, 20:180] = 255
    with pytest.raises(BadValue, match="edge picture"):
        bare.read(edges)


def test_the_drawn_detector_is_believed_where_both_agree(reader, monkeypatch):
    truth = figure.pose("standing").array()
    sure = np.ones(18)
    picture = np.full((384, 256, 3), 128, np.uint8)
    seen = Sighting(truth + (3, 0), sure, np.ones((384, 256), np.float32))
    monkeypatch.setattr(reader, "_photo", lambda _: seen)
    near, far = Keypoints(truth, sure), Keypoints(truth[::-1].copy(), sure)
    monkeypatch.setattr(reader, "_read_drawn", lambda _: near)
    assert reader.read(picture) is near
    monkeypatch.setattr(reader, "_read_drawn", lambda _: far)
    assert np.array_equal(reader.read(picture).points, truth + (3, 0))
    monkeypatch.setattr(reader, "_photo", None)
    assert reader.read(picture) is far


def test_a_pose_without_hips_is_no_pose():
    sure = np.ones(18)
    sure[8] = 0.0
    with pytest.raises(BadValue, match="hips"):
        pose_points(Keypoints(figure.pose("standing").array(), sure))


def test_the_command_prints_the_keypoints_and_writes_the_skeleton(tmp_path, capsys):
    given, out = tmp_path / "given.png", tmp_path / "out.png"
    points = figure.pose("walking").array() * 2
    Image.fromarray(maps.skeleton_picture(points, 768, 512)).save(given)
    assert main(["pose", str(given), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["width"], told["height"]) == (512, 768) and list(told["keypoints"]) == KEYPOINTS
    assert abs(told["keypoints"]["l_knee"]["x"] - points[12][0]) < 2
    a, b = (np.asarray(Image.open(p).convert("RGB")).astype(int) for p in (given, out))
    assert a.shape == b.shape and np.abs(a - b).mean() < 1.5


def test_the_command_says_what_it_cannot_do(tmp_path, capsys):
    assert main(["pose", str(tmp_path / "none.png"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "BadValue"
    given = tmp_path / "given.png"
    Image.fromarray(maps.skeleton(figure.pose("walking").array(), 2.0)).save(given)
    kept = tmp_path / "notes.txt"
    kept.write_text("mine")
    assert main(["pose", str(given), "--out", str(kept)]) == 1
    assert kept.read_text() == "mine"
