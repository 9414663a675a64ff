"""The WD14 tagger runs a real ONNX file of its signature: colours in, tags out."""

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import Damaged, ModelUnavailable
from catalog.tags import Choice, choose
from catalog.wd14 import MODEL, TAGS, Wd14

SIDE = 32


# --- an ONNX file, byte by byte: sigmoid(mean over the picture @ weights + bias) --------------


def varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(number(1, n) for n in values.shape)
    return dims + number(2, 1) + block(8, name) + block(9, values.astype("<f4").tobytes())


def value(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(block(1, number(1, n)) for n in shape)
    return block(1, name) + block(2, block(1, number(1, 1) + block(2, dims)))


def node(kind: str, inputs: list[str], output: str, attributes: bytes = b"") -> bytes:
    return b"".join(block(1, i) for i in inputs) + block(2, output) + block(4, kind) + attributes


def onnx_file(weights: np.ndarray, bias: np.ndarray) -> bytes:
    axes = block(1, "axes") + number(20, 7) + number(8, 1) + number(8, 2)
    keep = block(1, "keepdims") + number(20, 2) + number(3, 0)
    graph = (
        block(1, node("ReduceMean", ["x"], "mean", block(5, axes) + block(5, keep)))
        + block(1, node("MatMul", ["mean", "w"], "lin"))
        + block(1, node("Add", ["lin", "b"], "sum"))
        + block(1, node("Sigmoid", ["sum"], "y"))
        + block(2, "tagger")
        + block(5, tensor("w", weights))
        + block(5, tensor("b", bias))
        + block(11, value("x", (1, SIDE, SIDE, 3)))
        + block(12, value("y", (1, weights.shape[1])))
    )
    return number(1, 8) + block(8, block(1, "") + number(2, 13)) + block(7, graph)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # columns: a rating, blue clothes, red clothes, a face; rows: blue, green, red
    weights = np.array([[0, 0.1, -0.1, 0], [0, -0.1, -0.1, 0], [0, -0.1, 0.1, 0]])
    (tmp_path / MODEL).write_bytes(onnx_file(weights, np.array([9.0, 0.0, 0.0, 3.0])))
    (tmp_path / TAGS).write_text(
        "tag_id,name,category,count\n1,general,9,10\n2,blue_clothes_(knit),0,9\n"
        "3,red_clothes,0,8\n4,^_^,0,7\n"
    )
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
