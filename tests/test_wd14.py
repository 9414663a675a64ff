"""The WD14 tagger runs a real ONNX file of its signature: colours in, tags out."""

from pathlib import Path

import numpy as np
import pytest
from toy_models import save_tagger

from catalog.errors import Damaged, ModelUnavailable
from catalog.tags import Choice, choose
from catalog.wd14 import MODEL, TAGS, Wd14


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_tagger(tmp_path)
    return tmp_path


def flat(*color: int) -> np.ndarray:
    return np.full((60, 60, 3), color, np.uint8)


def test_a_photo_is_read_blue_first_and_ratings_are_left_out(folder):
    tagger = Wd14(folder)
    blue, red = tagger.scores(flat(0, 0, 255)), tagger.scores(flat(255, 0, 0))
    assert set(blue) == {"blue_clothes_(knit)", "red_clothes", "^_^"}
    assert blue["blue_clothes_(knit)"] > 0.99 and blue["red_clothes"] < 0.01
    assert red["red_clothes"] > 0.99 and red["blue_clothes_(knit)"] < 0.01


def test_a_tall_photo_is_squared_on_white(folder):
    tall = np.full((100, 50, 3), (255, 255, 255), np.uint8)
    square = np.full((100, 100, 3), 255, np.uint8)
    assert Wd14(folder).scores(tall) == pytest.approx(Wd14(folder).scores(square), abs=1e-5)


def test_scores_become_tags_by_the_taggers_conventions(folder):
    scores = Wd14(folder).scores(flat(0, 0, 255))
    assert choose(scores) == ("blue clothes (knit)", "^_^")
    assert choose(scores, Choice(escape=True))[0] == "blue clothes \\(knit\\)"
    assert choose(scores, Choice(spaces=False))[0] == "blue_clothes_(knit)"


def test_missing_broken_and_unequal_files_are_said(folder, tmp_path):
    with pytest.raises(ModelUnavailable, match=MODEL):
        Wd14(tmp_path / "none")
    (folder / TAGS).write_text("tag_id,name,category,count\n1,general,9,10\n")
    with pytest.raises(Damaged, match="4 numbers for 1"):
        Wd14(folder).scores(flat(1, 2, 3))
    (folder / TAGS).write_text("nothing\n1\n")
    with pytest.raises(Damaged, match="cannot be used"):
        Wd14(folder)
    (folder / MODEL).write_bytes(b"not a model")
    with pytest.raises(Damaged, match="cannot be used"):
        Wd14(folder)
