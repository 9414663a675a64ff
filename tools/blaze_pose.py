"""BlazePose: where a photographed person and their joints are. Slow to make, fast to call."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from catalog.errors import ModelUnavailable
from tools import pose_files

DETECT, READ, HEAT = 224, 256, 64
"""Pixels a side of what the detector and the landmark model see, and of the heat maps."""
SEEN = 0.5
"""Score from which on a person counts as seen."""
SURE = 0.8
_FACE_AND_TRUNK = (0, 14, 15, 2, 5, 8, 11)
JOINTS = (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)
"""OpenPose-18 → BlazePose's landmark; the neck is the middle of the shoulders."""
_GRIDS = ((28, 2), (14, 2), (7, 6))
"""Cells a side of the detector's grids, and answers in each of their cells."""


@dataclass(frozen=True)
class Sighting:
    """Somebody in a picture."""

    points: np.ndarray
    """OpenPose-18 ``(18, 2)``, x and y in the picture's pixels, which may lie outside of it."""
    confidence: np.ndarray
    """``(18,)``, 0–1."""
    mask: np.ndarray
    """Where the person is, float32 ``(H, W)``, 0–1."""

    @property
    def sure(self) -> bool:
        """Whether face and trunk are both seen: clothes laid out may look like a trunk alone."""
        return bool(self.confidence[list(_FACE_AND_TRUNK)].min() > SURE)


class BlazePose:
    """Detector and landmark model, on one processor thread. Safe to share between threads.

    Raises:
        ModelUnavailable: the model's files or the runtime are not installed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise ModelUnavailable(
                "ai-edge-litert, which runs the pose model, is not installed.",
                "Run `make setup` in the checkout.",
            ) from error
        self._lock = threading.Lock()
        self._detector, self._reader = (
            Interpreter(model_content=pose_files.model(name, folder), num_threads=1)
            for name in ("pose_detection.tflite", "pose_landmark_full.tflite")
        )
        for network in (self._detector, self._reader):
            network.allocate_tensors()

    def __call__(self, picture: np.ndarray) -> Sighting | None:
        """The most certain person; None when nobody is seen.

        Args:
            picture: uint8 ``(H, W, 3)``, RGB, upright.
        """
        with self._lock:
            found = self._find(picture)
            return None if found is None else self._read(picture, *found)

    def _find(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Middle of the hips, and the point above or below it that gives size and direction."""
        # 1. the whole picture in a square, grey beside it
        height, width = picture.shape[:2]
        side = max(height, width)
        place = np.array([(side - width) / 2, (side - height) / 2])
        grid = np.array([[DETECT / side, 0, place[0] * DETECT / side],
                         [0, DETECT / side, place[1] * DETECT / side]])  # fmt: skip
        smooth = _antialiased(picture, side / DETECT)
        square = cv2.warpAffine(smooth, grid, (DETECT, DETECT), borderMode=cv2.BORDER_CONSTANT)
        boxes, scores = _run(self._detector, square.astype(np.float32) / 127.5 - 1)[:2]
        # 2. the best of its answers
        best = int(scores[0, :, 0].argmax())
        if 1 / (1 + np.exp(-float(scores[0, best, 0]))) < SEEN:
            return None
        points = boxes[0, best, 4:].reshape(-1, 2) / DETECT + _anchors()[best]
        middle, edge = points[:2].astype(np.float64) * side - place
        return middle, edge

    def _read(self, picture: np.ndarray, middle: np.ndarray, edge: np.ndarray) -> Sighting | None:
        # 1. the person upright in a square
        up = edge - middle
        half = float(np.hypot(*up)) * 1.25
        if not half > 1:
            return None
        up = up / np.hypot(*up)
        right = np.array([-up[1], up[0]])
        corner = middle + (up - right) * half
        turn = np.stack([right, -up], 1) * (2 * half / READ)
        # pixel centres lie half a pixel in
        start = corner + turn @ np.array([0.5, 0.5]) - 0.5
        smooth = _antialiased(picture, 2 * half / READ)
        matrix = np.concatenate([turn, start[:, None]], 1)
        view = cv2.warpAffine(
            smooth, matrix, (READ, READ), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        # 2. its landmarks, sharpened by the heat maps
        outputs = _run(self._reader, view.astype(np.float32) / 255)
        by_size = {o.size: o for o in outputs}
        if float(by_size[1].ravel()[0]) < SEEN:
            return None
        landmarks = by_size[39 * 5].reshape(39, 5).astype(np.float64)
        seen = 1 / (1 + np.exp(-landmarks[:, 3:].min(1)))
        places = _sharpened(landmarks[:, :2], by_size[HEAT * HEAT * 39][0])
        # 3. back into the picture, as OpenPose counts them
        places = places @ turn.T + corner
        points, confidence = np.zeros((18, 2)), np.zeros(18)
        for i, k in enumerate(JOINTS):
            if k is not None:
                points[i], confidence[i] = places[k], seen[k]
        points[1], confidence[1] = (points[2] + points[5]) / 2, min(confidence[2], confidence[5])
        # 4. and where they are
        logits = by_size[READ * READ].reshape(READ, READ).clip(-50, 50).astype(np.float32)
        inside = 1 / (1 + np.exp(-logits))
        mask = cv2.warpAffine(inside, matrix, picture.shape[1::-1], flags=cv2.INTER_LINEAR)
        return Sighting(points, confidence, mask)


@lru_cache
def blaze_pose() -> BlazePose:
    """The model, loaded on first need."""
    return BlazePose()


def _run(network, x: np.ndarray) -> list[np.ndarray]:
    network.set_tensor(network.get_input_details()[0]["index"], np.ascontiguousarray(x[None]))
    network.invoke()
    return [network.get_tensor(d["index"]) for d in network.get_output_details()]


def _antialiased(picture: np.ndarray, shrinks: float) -> np.ndarray:
    """Blurred as much as shrinking by that factor needs."""
    return cv2.GaussianBlur(picture, (0, 0), 0.4 * shrinks) if shrinks > 1.5 else picture


@lru_cache
def _anchors() -> np.ndarray:
    """Middle of the cell of each of the detector's answers, ``(2254, 2)``, 0–1."""
    found = []
    for cells, answers in _GRIDS:
        line = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(line, line)
        found.append(np.stack([x, y], -1).reshape(-1, 1, 2).repeat(answers, 1).reshape(-1, 2))
    return np.concatenate(found)


def _sharpened(places: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Landmarks ``(39, 2)`` moved to the middle of the heat around them, where there is some."""
    out, reach = places.copy(), 3
    for i, (x, y) in enumerate(places * HEAT / READ):
        column, row = int(x), int(y)
        if not (0 <= column < HEAT and 0 <= row < HEAT):
            continue
        top, left = max(0, row - reach), max(0, column - reach)
        part = heat[top : row + reach + 1, left : column + reach + 1, i]
        warm = 1 / (1 + np.exp(-part.astype(np.float64)))
        if warm.max() >= SEEN:
            rows, columns = np.mgrid[top : top + warm.shape[0], left : left + warm.shape[1]]
            middle = np.array([(columns * warm).sum(), (rows * warm).sum()]) / warm.sum()
            out[i] = middle * READ / HEAT
    return out
