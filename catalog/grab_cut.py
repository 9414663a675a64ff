"""The garment cut out of any photo: by its even ground, or by GrabCut from the border's colours.

GrabCut (Rother, Kolmogorov, Blake, 2004) is OpenCV's. It is started from colours: what looks like
the photo's border is probably ground, what does not is probably the garment, the more surely the
nearer it lies to the middle. Where that finds little, it is started from the place: the garment in
the middle, ground in the corners.
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
_LEAST = 0.01
"""Share of the photo below which nothing was found."""
_SMALL = 0.06
"""Share below which a person is asked whether that is all of it."""
_DOUBTED, _PART = 0.2, 0.6
"""Share of the photo below which what was found may be a collar or a print only, and share of what
the place says below which it is."""
_CORE = 0.08
"""Square of a place's distance from the middle, up to which it is garment if anything is."""
_UNLIKE = 8.0
"""CIELAB distance (CIE76) between the middle and the corners of a photo that shows something."""
_FAINT = 5.5
"""CIELAB distance (CIE76) across an outline, median, below which it is light and shadow on a floor:
3 to 5 there, 6 and more around garments."""
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
        return bool(self.mask.mean() >= _LEAST)


def cut(photo: np.ndarray) -> Cut:
    """The garment in ``photo``, uint8 ``(H, W, 3)`` RGB. The same photo gives the same mask."""
    if _border_evenness(photo) >= _EVEN_BORDER:
        mask = cut_out(photo)
        if _LEAST <= mask.mean() <= 0.9 and _on_border(mask) < 0.02:
            return Cut(mask, "even ground", ())
    mask = _grab(photo)
    warnings = []
    if mask.mean() < _LEAST:
        warnings.append("no garment stands out from the background")
    elif mask.mean() < _SMALL:
        warnings.append("the garment is very small in the photo")
    if mask.mean() > 0.85:
        warnings.append("hardly any background was found")
    if _on_border(mask) > 0.25:
        warnings.append("the garment runs over the photo's edge")
    if mask.mean() >= _LEAST and _edge_contrast(photo, mask) < _FAINT:
        warnings.append("hardly an edge is seen between garment and background")
    return Cut(mask, "grab cut", tuple(warnings))


def _grab(photo: np.ndarray) -> np.ndarray:
    # 1. a small picture; on one of a single colour GrabCut takes minutes to find nothing
    small = cv2.bilateralFilter(_small(photo), 5, 20, 5)
    lab = _lab(small)
    if lab.reshape(-1, 3).std(0).max() < _BLANK:
        return np.zeros(photo.shape[:2], bool)
    # 2. GrabCut from the border's colours; where little is left by them, from the place alone
    rows, columns = lab.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    inside = _from(small, _seeds_by_color(lab, x, y), _middle(x, y))
    if inside.mean() < _DOUBTED and _unlike_around(lab, x, y):
        more = _from(small, _seeds_by_place(x, y), _middle(x, y))
        inside = more if inside.mean() < _PART * more.mean() else inside
    soft = cv2.resize(inside.astype(np.float32), photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return soft > 0.5


def _small(picture: np.ndarray) -> np.ndarray:
    """A photo or a mask of it, at the size at which GrabCut works."""
    scale = SIDE / max(picture.shape[:2])
    size = max(8, round(picture.shape[1] * scale)), max(8, round(picture.shape[0] * scale))
    return cv2.resize(
        picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )


def _lab(small: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _seeds_by_color(lab: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """GrabCut's labels: garment where it is far from the border's colours and not at the very
    edge; shadows are near them. ``x`` and ``y`` go from -1 to 1."""
    rows, columns = lab.shape[:2]
    band = max(2, round(0.04 * min(rows, columns)))
    border = np.ones((rows, columns), bool)
    border[band:-band, band:-band] = False
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, labels, grounds = cv2.kmeans(
        lab[border], _GROUNDS, np.zeros(0, np.int32), stop, 2, cv2.KMEANS_PP_CENTERS
    )
    common = np.bincount(labels.ravel(), minlength=_GROUNDS) >= 0.12 * border.sum()
    far = np.linalg.norm(lab[:, :, None] - grounds[common], axis=3).min(2)
    middle = _middle(x, y)
    likely = far > _FAR * (1.6 - 0.9 * middle)
    if likely[~border].mean() < 0.04:  # the garment has the ground's colours: trust the place
        likely = (x**2 + y**2) < 0.5
    seeds = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[border & (far < _FAR)] = cv2.GC_BGD
    seeds[likely & (middle > 0.7) & (far > 2 * _FAR)] = cv2.GC_FGD
    return seeds


def _seeds_by_place(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """GrabCut's labels: garment in the middle, ground in the corners, whatever their colours."""
    out = x**2 + y**2
    seeds = np.where(out < 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[out < _CORE] = cv2.GC_FGD
    seeds[(out > 1.2) & (_middle(x, y) < 0.08)] = cv2.GC_BGD
    return seeds


def _from(small: np.ndarray, seeds: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """What GrabCut finds from its labels, bool: the large pieces of it."""
    rows, columns = seeds.shape
    ground, garment = np.zeros((1, 65)), np.zeros((1, 65))
    box = (0, 0, columns, rows)  # read by no other mode, but asked for
    cv2.setRNGSeed(0)
    cv2.grabCut(small, seeds, box, ground, garment, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = ((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    inside = cv2.morphologyEx(cv2.morphologyEx(inside, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    return _large_pieces(inside, middle) > 0


def _unlike_around(lab: np.ndarray, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the middle has another colour than what lies around it: a bare floor has not."""
    out = x**2 + y**2
    inner, outer = np.median(lab[out < _CORE], 0), np.median(lab[out > 1.2], 0)
    return bool(np.linalg.norm(inner - outer) >= _UNLIKE)


def _middle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """1 in a picture's middle, 0 at its edge."""
    return 1 - np.maximum(np.abs(x), np.abs(y))


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


def _edge_contrast(photo: np.ndarray, mask: np.ndarray) -> float:
    """Median CIELAB distance between both sides of the mask's outline, eight pixels apart."""
    lab = _lab(cv2.GaussianBlur(_small(photo), (0, 0), 1.5))
    inside = _small(mask.astype(np.float32))
    # the way into the garment, at every place of its outline
    soft = cv2.GaussianBlur(inside, (0, 0), 2)
    way = np.stack([cv2.Sobel(soft, cv2.CV_32F, 0, 1), cv2.Sobel(soft, cv2.CV_32F, 1, 0)])
    outline = cv2.morphologyEx((inside > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    places = np.stack(np.nonzero(outline))
    steps = 4 * way[:, *places] / np.linalg.norm(way[:, *places], axis=0).clip(1e-6)
    last = np.array(lab.shape[:2])[:, None] - 1
    there, back = (np.rint(places + s).astype(int).clip(0, last) for s in (steps, -steps))
    return float(np.median(np.linalg.norm(lab[*there] - lab[*back], axis=1)))


def _on_border(mask: np.ndarray) -> float:
    """Share of the photo's edge that the mask lies on."""
    line = np.concatenate([mask[1], mask[-2], mask[:, 1], mask[:, -2]])
    return float(line.mean())
