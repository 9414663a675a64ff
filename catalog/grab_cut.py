"""The garment cut out of any photo: by its even ground, or by GrabCut from the border's colours.

GrabCut (Rother, Kolmogorov, Blake, 2004) is OpenCV's. It is started from colours: what looks like
the photo's border is probably ground, what does not is probably the garment, the more surely the
nearer it lies to the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from catalog.photos import cut_out

SIDE = 320
"""Longer side in pixels at which GrabCut works; the mask is smoothed up from there."""
_ROUNDS = 6
_GROUNDS = 4
"""Colours a border may have."""
_FAR = 14.0
"""CIELAB distance (CIE76) from every border colour at which a pixel may be garment."""
_BLANK = 0.5
"""Deviation of CIELAB below which a picture shows nothing."""
_EVEN_BORDER = 0.97
"""Share of the border that lies on one even surface in a studio photo."""


@dataclass(frozen=True)
class Cut:
    """A garment's mask, and how far it can be trusted."""

    mask: np.ndarray
    """bool ``(H, W)``"""
    way: Literal["even ground", "grab cut", "on a person", "rembg"]
    warnings: tuple[str, ...]
    """What speaks against it, in words for a person; empty when nothing does."""

    @property
    def usable(self) -> bool:
        """Whether anything stands out at all."""
        return bool(self.mask.mean() >= 0.01)


def cut(photo: np.ndarray) -> Cut:
    """The garment in ``photo``, uint8 ``(H, W, 3)`` RGB. The same photo gives the same mask."""
    if _border_evenness(photo) >= _EVEN_BORDER:
        mask = cut_out(photo)
        if 0.01 <= mask.mean() <= 0.9 and _on_border(mask) < 0.02:
            return Cut(mask, "even ground", ())
    mask = _grab(photo)
    warnings = []
    if mask.mean() < 0.01:
        warnings.append("no garment stands out from the background")
    elif mask.mean() < 0.06:
        warnings.append("the garment is very small in the photo")
    if mask.mean() > 0.85:
        warnings.append("hardly any background was found")
    if _on_border(mask) > 0.25:
        warnings.append("the garment runs over the photo's edge")
    return Cut(mask, "grab cut", tuple(warnings))


def _grab(photo: np.ndarray) -> np.ndarray:
    # 1. a small picture, and how far each pixel is from the border's colours
    scale = SIDE / max(photo.shape[:2])
    size = max(8, round(photo.shape[1] * scale)), max(8, round(photo.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.bilateralFilter(cv2.resize(photo, size, interpolation=way), 5, 20, 5)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    rows, columns = lab.shape[:2]
    band = max(2, round(0.04 * min(rows, columns)))
    border = np.ones((rows, columns), bool)
    border[band:-band, band:-band] = False
    # on a picture of one colour GrabCut takes minutes to find nothing
    if lab.reshape(-1, 3).std(0).max() < _BLANK:
        return np.zeros(photo.shape[:2], bool)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, labels, grounds = cv2.kmeans(
        lab[border], _GROUNDS, np.zeros(0, np.int32), stop, 2, cv2.KMEANS_PP_CENTERS
    )
    common = np.bincount(labels.ravel(), minlength=_GROUNDS) >= 0.12 * border.sum()
    far = np.linalg.norm(lab[:, :, None] - grounds[common], axis=3).min(2)
    # 2. garment where it is far from them and not at the very edge; shadows are near them
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    middle = 1 - np.maximum(np.abs(x), np.abs(y))  # 1 in the middle, 0 at the edge
    likely = far > _FAR * (1.6 - 0.9 * middle)
    if likely[~border].mean() < 0.04:  # the garment has the ground's colours: trust the place
        likely = (x**2 + y**2) < 0.5
    seeds = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[border & (far < _FAR)] = cv2.GC_BGD
    seeds[likely & (middle > 0.7) & (far > 2 * _FAR)] = cv2.GC_FGD
    # 3. GrabCut, and the large pieces of what it found
    ground, garment = np.zeros((1, 65)), np.zeros((1, 65))
    box = (0, 0, columns, rows)  # read by no other mode, but asked for
    cv2.grabCut(small, seeds, box, ground, garment, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = ((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    inside = cv2.morphologyEx(cv2.morphologyEx(inside, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    inside = _large_pieces(inside, middle)
    soft = cv2.resize(inside.astype(np.float32), photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return soft > 0.5


def _large_pieces(inside: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Without specks, and without pieces that lie along the edge; small holes are filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return inside
    weight = np.bincount(labels.ravel(), middle.ravel(), minlength=count)
    weight[0] = 0
    keep = weight >= 0.3 * weight.max()  # the other shoe, not a stone beside it
    kept = keep[labels].astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - kept, connectivity=4)
    fill = stats[:, cv2.CC_STAT_AREA] < 0.01 * max(kept.sum(), 1)
    fill[0] = False  # what was found
    return (kept > 0) | fill[labels]


def _border_evenness(photo: np.ndarray) -> float:
    """Share of the border, three pixels in, whose colours step no more than soft light does."""
    square = np.ones((3, 3), np.uint8)
    photo = np.ascontiguousarray(photo)
    steps = (cv2.dilate(photo, square) - cv2.erode(photo, square)).max(2)
    line = np.concatenate([steps[3], steps[-4], steps[:, 3], steps[:, -4]])
    return float((line <= 5).mean())


def _on_border(mask: np.ndarray) -> float:
    """Share of the photo's edge that the mask lies on."""
    line = np.concatenate([mask[1], mask[-2], mask[:, 1], mask[:, -2]])
    return float(line.mean())
