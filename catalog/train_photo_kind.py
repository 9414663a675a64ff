"""Trains the head that tells what real photos show (``photo_kind.py``): seven minutes on one core.

    python -m catalog.train_photo_kind FOLDER

``FOLDER`` is the extract of clothing-dataset (CC0 1.0): ``label-NN.jpg`` and ``labels.csv``.
Photos 00–09 of each label train; 10–19 are never read here: ``python -m bench real-kind`` scores
on them. Ten photos a label are few, so drawings of each kind are learned from beside them, without
their ink lines and moved to where real photos lie (``aligned``). What is drawn is told apart from
them by a drawn photo, as it is, of every second starter garment. Top to bottom.
"""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from catalog.croquis import drawing
from catalog.croquis.sheet import FIRST_GARMENT
from catalog.errors import BadValue, StylistError
from catalog.grab_cut import cut
from catalog.photo_embedding import photo_embedding
from catalog.photo_file import photo_pixels, photo_png
from catalog.photo_kind import DRAWN, HEAD, KINDS, Head, looks
from catalog.photos import cut_out
from catalog.starter import starter_garments, starter_photos

TRAINED = range(10)
"""Numbers of the photos that train; the rest are for the test."""
CREDIT = (
    "Trained on photos 00-09 of each of 14 labels of clothing-dataset by Alexey Grigorev and "
    "contributors (CC0 1.0), and on drawings of this repository."
)
"""Also in the file's metadata and the model card."""
RIDGE = 2e-5
"""Weight decay of the logistic regression, chosen by the likelihood in cross-validation within the
trained half: its chances are as sure as they are right then."""
DRAWINGS = 60
"""Of each label, to learn from beside its ten photos."""
DRAWING = 0.1
"""What a look at a drawing counts beside one at a photo, chosen in the same way."""
_FIRST_SEED = 9_000_000_000
"""Of those drawings; none that the base, its judges or its tests have seen."""
LABELS = (*KINDS, DRAWN)
_INK = 7
"""Side of the median's window, in pixels of a drawing at twice the size."""
_LEAST_SPREAD = 1e-3
"""Of a number of the embedding among drawings: what never changes is not stretched to noise."""


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        real, drawn = list(real_examples(Path(argv[0]))), list(drawn_examples())
    except StylistError as error:
        print(error, file=sys.stderr)
        return 1
    # 1. photos, drawings of each kind, and drawings that are told from photos
    photos, flats = embedded(real, views), embedded(drawings(), both_looks)
    others, _ = embedded(drawn, views)
    # 2. the head
    head = learned(photos, flats, others)
    save(head, HEAD)
    print(f"{HEAD}: {len(real)} photos, {len(photos[0])} views, {HEAD.stat().st_size} bytes")
    return 0


# --- examples: label, photo uint8 (H, W, 3), mask bool (H, W) ---------------------------------

_Example = tuple[str, np.ndarray, np.ndarray]
_Rows = tuple[np.ndarray, np.ndarray]
"""Embeddings float32 ``(n, 3840)``, and the label of each, int ``(n,)``: index into ``LABELS``."""
_See = Callable[[np.ndarray, np.ndarray], list[np.ndarray]]


def real_examples(folder: Path, numbers: range = TRAINED) -> Iterator[_Example]:
    """Photos of one half, cut out as the intake does; where nothing is found, the whole photo.

    Raises:
        BadValue: there is no such data set in ``folder``.
    """
    try:
        with open(folder / "labels.csv", newline="") as file:
            names = {row["file"]: row["label"] for row in csv.DictReader(file)}
    except (OSError, KeyError) as error:
        raise BadValue(f"There is no labels.csv in {folder}.", "Give the data's folder.") from error
    for name, label in names.items():
        if int(Path(name).stem[-2:]) in numbers:
            photo = photo_pixels(photo_png((folder / name).read_bytes()))
            mask = cut(photo).mask
            yield label, photo, mask if mask.any() else np.ones_like(mask)


def drawn_examples() -> Iterator[_Example]:
    """A drawn photo of every second starter garment; the other garments are for the test."""
    for card in starter_garments()[::2]:
        photo = starter_photos(card, 1)[0]
        yield DRAWN, photo, cut_out(photo)


def drawings() -> Iterator[_Example]:
    """Garments laid flat, as many of each label, drawn at twice the size; a median takes their ink
    lines away, which no photo has."""
    label_of = {kind: label for label, kinds in KINDS.items() for kind in kinds}
    missing = dict.fromkeys(KINDS, DRAWINGS)
    for seed in itertools.count(_FIRST_SEED):
        if not any(missing.values()):
            return
        flat = drawing.sample_flat(seed)
        label = label_of.get(flat.shape.category, "")
        if not missing.get(label):
            continue
        drawn = drawing.draw(flat, scale=2.0)
        mask = drawn.regions >= FIRST_GARMENT
        if drawn.picture is not None and mask.any():
            missing[label] -= 1
            yield label, cv2.medianBlur(np.ascontiguousarray(drawn.picture), _INK), mask


def embedded(examples: Iterable[_Example], see: _See) -> _Rows:
    """All that ``see`` shows of every example, with its label."""
    embed = photo_embedding()
    rows, truth = [], []
    for label, photo, mask in examples:
        seen = see(photo, mask)
        rows.append(embed(seen))
        truth += [LABELS.index(label)] * len(seen)
    return np.concatenate(rows), np.array(truth)


def aligned(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Embedded drawings, moved and stretched to the mean and deviation of real photos.

    Both float32 ``(n, 3840)``, about as many of each label; what tells a hoodie from a shirt then
    points the same way. Drawings alone tell 50 % of the trained photos, with their ink lines 44 %
    (by hand).
    """
    spread = real.std(0) / np.maximum(drawn.std(0), _LEAST_SPREAD)
    return ((drawn - drawn.mean(0)) * spread + real.mean(0)).astype(np.float32)


def both_looks(photo: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """The garment alone and the photo as it is: enough of a drawing, whose halves are alike."""
    return looks(photo, mask, photo)


def views(photo: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """Both looks at a photo, and their mirror images.

    What else was tried, in cross-validation within the trained half, by hand (60 % right, give or
    take 4, and no better): turning, zooming and relighting them, closer looks at collar, middle and
    hem, other sizes, several together, the cut-out's shape, layers before the last, what the
    network takes them for among ImageNet's classes, the larger Lite1 and Lite2, alone and all three
    together, discriminant analysis, the network's last blocks trained too, its normalisation fitted
    to drawings, masks found again in the training frame. Fifteen places instead of three bands are
    surer, not oftener right, and five times as large. Of the drawings, three times as many, worn
    ones or ones relit did not help more. More photos a label is what would help.
    """
    seen = both_looks(photo, mask)
    return seen + [np.ascontiguousarray(picture[:, ::-1]) for picture in seen]


# --- the head --------------------------------------------------------------------------------


def learned(photos: _Rows, flats: _Rows, others: np.ndarray) -> Head:
    """The head: what real ``photos`` show, and what tells them from drawings.

    Args:
        flats: drawings without ink, which show more of each kind.
        others: embeddings ``(m, 3840)`` of drawings as they are.
    """
    (real, named), (inkless, told) = photos, flats
    # 1. what is it
    rows, truth = np.concatenate([real, aligned(inkless, real)]), np.concatenate([named, told])
    weight = np.repeat(np.array([1, DRAWING], np.float32), [len(real), len(inkless)])
    kind, kind_bias = fit(rows, truth, len(KINDS), weight)
    # 2. is it drawn, asked apart: beside fourteen others a drawing would seldom be the likeliest
    rows, truth = np.concatenate([real, others]), np.repeat([0, 1], [len(real), len(others)])
    drawn, drawn_bias = fit(rows, truth, 2)
    more, more_bias = drawn[1:] - drawn[:1], drawn_bias[1:] - drawn_bias[:1]
    return Head(LABELS, np.concatenate([kind, more]), np.concatenate([kind_bias, more_bias]))


def fit(
    rows: np.ndarray, truth: np.ndarray, count: int, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression with weight decay, every label weighing the same.

    Args:
        rows: float32 ``(n, 3840)``, of length about 1.
        truth: int ``(n,)``: which of ``count`` labels each has.
        weight: float32 ``(n,)``: what each row counts beside others of its label; all the same
            without.

    Returns:
        Slopes float32 ``(count, 3840)`` and biases ``(count,)``.
    """
    import torch

    x = torch.from_numpy(rows)
    y = torch.from_numpy(truth.astype(np.int64))
    counts = torch.ones(len(y)) if weight is None else torch.from_numpy(weight)
    of_label = torch.zeros(count).index_add(0, y, counts)
    share = counts / of_label[y] / (of_label > 0).sum()
    slope = torch.zeros(count, x.shape[1], requires_grad=True)
    bias = torch.zeros(count, requires_grad=True)
    steps = torch.optim.LBFGS([slope, bias], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        steps.zero_grad()
        each = torch.nn.functional.cross_entropy(x @ slope.T + bias, y, reduction="none")
        total = each @ share + RIDGE * slope.square().sum()
        total.backward()
        return total

    steps.step(loss)
    return slope.detach().numpy(), bias.detach().numpy()


def save(head: Head, path: Path) -> None:
    """The head as safetensors in half precision, with its labels and its credit."""
    from safetensors import numpy as safetensors

    tensors = {"weight": head.weight.astype(np.float16), "bias": head.bias.astype(np.float16)}
    about = {"labels": json.dumps(head.labels), "credit": CREDIT}
    path.write_bytes(safetensors.save(tensors, about))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
