"""Segment: a picture is embedded once, then every click is answered at the cost of the decoder.

segment-anything's own predictor. The croquis SAM is the default; an official checkpoint (ViT-B, L
or H) is used when one is given. Coordinates are x, y in the picture's own pixels, however large it
is shown.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from catalog.errors import BadValue, Damaged, ModelUnavailable

EMBEDDED = "croquis SAM"
"""Name of the model that ships with the program; it learned from the drawn world."""
MOST_POINTS = 64
LOOSE = 8
"""Pixels by which an answer may reach out of a box: people draw boxes in a hurry."""
EMBEDDING_BYTES = 256 * 2**20
"""Embeddings kept in memory; the least recently used ones go first."""


@dataclass(frozen=True)
class Candidate:
    """One answer. ``logits`` can be handed back with the next click to refine it."""

    mask: np.ndarray
    """bool ``(H, W)``, the picture's own size."""
    score: float
    """How good the model thinks it is: its guess of the overlap with what was meant, 0–1."""
    logits: np.ndarray
    """float32 ``(n, n)``: as fine as the picture that was read, a quarter as fine for SAM's own."""


@dataclass(frozen=True)
class Prompt:
    """What was clicked.

    Points are ``(x, y, keep)``: keep True adds what is there, False takes it away. ``box`` is
    ``(x0, y0, x1, y1)``. ``refine`` is the logits of an earlier answer.
    """

    points: tuple[tuple[float, float, bool], ...] = ()
    box: tuple[float, float, float, float] | None = None
    refine: np.ndarray | None = None


class Segmenter:
    """One SAM. Thread-safe; an embedding belongs to a picture's pixels and to nothing else."""

    def __init__(self, sam: Any, name: str) -> None:
        self.name = name
        """Which model answers, for whoever asks."""
        self._sam = sam
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()

    @classmethod
    def load(cls, checkpoint: Path | None = None, device: str = "cpu") -> Segmenter:
        """The croquis SAM, or the official checkpoint in the file ``checkpoint``.

        Raises:
            ModelUnavailable: there is no such file, or it is none of the official models.
        """
        from catalog.base import weights_folder
        from catalog.croquis.sam import load_sam

        if checkpoint is None:
            folder = weights_folder() / "sam"
            if not (folder / "config.json").exists():
                raise ModelUnavailable(
                    "Clicks need a SAM, and the croquis SAM is missing from this installation.",
                    "Name the garment instead, or an official checkpoint in STYLIST_SAM; "
                    "to train ours: python -m catalog.croquis.train_sam.",
                )
            return cls(load_sam(folder).to(device), EMBEDDED)
        kind = next((k for k in ("vit_b", "vit_l", "vit_h") if k in checkpoint.name), None)
        if kind is None or not checkpoint.is_file():
            raise ModelUnavailable(
                f"{checkpoint.name} is not a SAM checkpoint on this machine.",
                "Name a file such as sam_vit_b_01ec64.pth in STYLIST_SAM.",
            )
        return cls(_official(kind, checkpoint).to(device), f"SAM {kind}")

    def embed(self, picture: np.ndarray) -> str:
        """Embed a picture, uint8 ``(H, W, 3)``, unless it is known; returns its key."""
        _check_picture(picture)
        key = hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()
        with self._lock:
            self._embedded(key, picture)
        return key

    def segment(self, picture: np.ndarray, prompt: Prompt) -> list[Candidate]:
        """Three candidates, the most likely first; one after several clicks or when one is refined.

        None reaches out of the box by more than ``LOOSE``, nor keeps a part that was clicked away.

        Raises:
            BadValue: nothing was clicked, too much was, or outside the picture.
        """
        _check_picture(picture)
        rows, columns = picture.shape[:2]
        points, box = check_prompt(prompt, rows, columns)
        key = hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()
        with self._lock:
            predictor = self._embedded(key, picture)
            refine = None
            if prompt.refine is not None:
                refine = _check_logits(prompt.refine, predictor)
            masks, scores, logits = predictor.predict(
                point_coords=points[:, :2] if len(points) else None,
                point_labels=points[:, 2].astype(int) if len(points) else None,
                box=box,
                mask_input=refine,
                multimask_output=refine is None and len(points) < 2,
            )
        order = np.argsort(-scores)
        return [
            Candidate(
                _within(masks[i], points, box),
                float(np.clip(scores[i], 0, 1)),
                logits[i].astype(np.float32),
            )
            for i in order
        ]

    def _embedded(self, key: str, picture: np.ndarray) -> Any:
        """A predictor that holds this picture's embedding."""
        from segment_anything import SamPredictor

        predictor = SamPredictor(self._sam)
        if key not in self._kept:
            import torch

            with torch.inference_mode():
                predictor.set_image(picture)
            self._kept[key] = {n: getattr(predictor, n) for n in _STATE}
            while len(self._kept) > 1 and self._bytes() > EMBEDDING_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        for name, value in self._kept[key].items():
            setattr(predictor, name, value)
        return predictor

    def _bytes(self) -> int:
        return sum(k["features"].nbytes for k in self._kept.values())


_STATE = ("features", "original_size", "input_size", "is_image_set")


def _official(kind: str, checkpoint: Path) -> Any:
    import torch
    from segment_anything import sam_model_registry

    # the published names end in the first digits of the file's hash
    said = checkpoint.stem.rsplit("_", 1)[-1]
    with checkpoint.open("rb") as file:
        if not hashlib.file_digest(file, "sha256").hexdigest().startswith(said):
            raise Damaged(
                f"{checkpoint.name} is not the published file of that name.", "Fetch it again."
            )
    sam = sam_model_registry[kind]()
    sam.load_state_dict(torch.load(checkpoint, weights_only=True, map_location="cpu"))
    return sam.eval()


def _check_picture(picture: np.ndarray) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise BadValue("A picture must be RGB, eight bits a channel.", "Convert it first.")


def check_prompt(prompt: Prompt, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray | None]:
    """A prompt's points ``(n, 3)`` and box ``(4,)``, in a picture of that size.

    Raises:
        BadValue: nothing was clicked, too much was, or outside the picture.
    """
    if not prompt.points and prompt.box is None:
        raise BadValue("Nothing was clicked.", "Give a point or a box, or name a garment.")
    if len(prompt.points) > MOST_POINTS:
        raise BadValue(f"{len(prompt.points)} points are too many.", f"At most {MOST_POINTS}.")
    if prompt.box is None and prompt.refine is None and not any(k for *_, k in prompt.points):
        raise BadValue(
            "The clicks only say what is not meant.", "Click on what is meant first: x,y,+."
        )
    places: dict[tuple[float, float], bool] = {}
    for x, y, keep in prompt.points:
        if places.setdefault((x, y), keep) != keep:
            raise BadValue(
                f"{x:g}, {y:g} is both added and taken away.", "Leave one of the two clicks out."
            )
    points = np.array([(x, y, float(keep)) for x, y, keep in prompt.points], float).reshape(-1, 3)
    _check_inside(points[:, 0], points[:, 1], rows, columns, "point")
    if prompt.box is None:
        return points, None
    box = np.array(prompt.box, float)
    _check_inside(box[::2], box[1::2], rows, columns, "box")
    if box[2] <= box[0] or box[3] <= box[1]:
        raise BadValue("The box is empty.", "It is x0, y0, x1, y1: left, top, right, bottom.")
    return points, box


def _within(mask: np.ndarray, points: np.ndarray, box: np.ndarray | None) -> np.ndarray:
    """``mask`` without what lies outside a box, and without parts that only a taking click is in.

    A model answers with what it takes for one thing: for both shoes, where one was meant.
    """
    if box is not None:
        rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
        x0, y0, x1, y1 = box + (-LOOSE, -LOOSE, LOOSE, LOOSE)
        mask = mask & (columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)
    if len(points) and not points[:, 2].all():
        import cv2

        _, parts = cv2.connectedComponents(mask.astype(np.uint8))
        under = parts[points[:, 1].astype(int), points[:, 0].astype(int)]
        kept, away = set(under[points[:, 2] > 0]), set(under[points[:, 2] == 0])
        mask = mask & ~np.isin(parts, list(away - kept - {0}))
    return mask


def _check_inside(
    x: np.ndarray, y: np.ndarray, rows: int, columns: int, what: Literal["point", "box"]
) -> None:
    """A point lies in a pixel; a box may end where the picture does."""
    right, low = (columns, rows) if what == "point" else (columns + 1, rows + 1)
    ok = np.isfinite(x) & np.isfinite(y) & (x >= 0) & (y >= 0) & (x < right) & (y < low)
    if not np.all(ok):
        raise BadValue(
            f"A {what} lies outside the picture.",
            f"It is {columns} wide and {rows} high, from 0, 0.",
        )


def _check_logits(refine: np.ndarray, predictor: Any) -> np.ndarray:
    side = tuple(predictor.model.prompt_encoder.mask_input_size)
    logits = np.asarray(refine, np.float32)
    if logits.shape != side or not np.isfinite(logits).all():
        raise BadValue("What was to be refined is not an answer of this model.", "Click again.")
    return logits[None]
