"""The WD14 tagger: an ONNX model of SmilingWolf's family with its ``selected_tags.csv``.

Input ``(1, S, S, 3)`` float32, BGR, 0–255, squared on white; output one probability a tag. Category
9 are ratings, 4 characters, 0 the rest.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from catalog.errors import Damaged, ModelUnavailable

NAME = "SmilingWolf/wd-v1-4-moat-tagger-v2"
"""The model by the hub's name; a folder holds it under the last part."""
MODEL, TAGS = "model.onnx", "selected_tags.csv"
_RATING = "9"


def load_tagger(models: Path | None = None) -> Wd14:
    """The tagger out of folder ``models``, or without one out of the hub's cache or the hub.

    Raises ``ModelUnavailable``, ``Damaged``.
    """
    if models is not None:
        return Wd14(models / NAME.rsplit("/", 1)[-1])
    from huggingface_hub import hf_hub_download

    try:
        files = [hf_hub_download(NAME, name) for name in (MODEL, TAGS)]
    except Exception as error:  # the hub's client raises those of its HTTP library too
        raise ModelUnavailable(
            f"The tagger {NAME} is not to be had.",
            "Start once with a network, or put it into the folder of STYLIST_MODELS.",
        ) from error
    return Wd14(Path(files[0]).parent)


class Wd14:
    """A tagger, loaded once. ``folder`` holds ``model.onnx`` and ``selected_tags.csv``.

    Raises ``ModelUnavailable`` when they are not there, ``Damaged`` when they do not fit together.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        for name in (MODEL, TAGS):
            if not (folder / name).is_file():
                raise ModelUnavailable(
                    f"The tagger lacks {name} ({folder}).",
                    "Put the files of a WD14 tagger in ONNX format there.",
                )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / MODEL), options, providers=["CPUExecutionProvider"]
            )
            with open(folder / TAGS, encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            self._names = [row["name"] for row in rows]
            self._ratings = {row["name"] for row in rows if row["category"] == _RATING}
            (self._input,) = self._session.get_inputs()
            shape = self._input.shape
            if len(shape) != 4 or shape[3] != 3 or not isinstance(shape[1], int):
                raise ValueError(f"its input is {shape}")
            self._side = int(shape[1])
        except Exception as error:  # onnxruntime raises classes of its own for every fault
            raise Damaged(
                f"The tagger in {folder} cannot be used ({str(error)[:120]}).", "Fetch it again."
            ) from error

    def scores(self, photo: np.ndarray) -> dict[str, float]:
        """Tag → confidence 0–1 of a photo, uint8 ``(H, W, 3)`` RGB; ratings are left out."""
        import cv2

        # 1. square on white, to the model's size, blue first
        high, wide = photo.shape[:2]
        side = max(high, wide)
        square = np.full((side, side, 3), 255, np.uint8)
        top, left = (side - high) // 2, (side - wide) // 2
        square[top : top + high, left : left + wide] = photo
        way = cv2.INTER_AREA if side > self._side else cv2.INTER_CUBIC
        pixels = cv2.resize(square, (self._side, self._side), interpolation=way)[..., ::-1]
        # 2. one number a tag
        (found,) = self._session.run(None, {self._input.name: pixels[None].astype(np.float32)})[:1]
        if found.shape != (1, len(self._names)):
            raise Damaged(
                f"The tagger gives {found.shape[-1]} numbers for {len(self._names)} tags.",
                "Fetch the model and its tags again, both of one version.",
            )
        pairs = zip(self._names, found[0], strict=True)
        return {name: float(p) for name, p in pairs if name not in self._ratings}
