"""Control pictures: made of a picture by a preprocessor, and recognised when one is given as such.

A skeleton, a layout or an edge picture is what a preprocessor makes. Given as a picture it is
taken as it is: preprocessed again, it would say nothing of the person it was made from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np

from catalog.croquis import maps
from catalog.croquis.posture import Keypoints
from catalog.errors import BadValue, ModelUnavailable, UnknownName

Kind = Literal["skeleton", "layout", "edges", "picture"]
BLACK = 30
"""Brightest channel of a pixel that counts as the black around a skeleton."""
NEAR = 40
"""How far a channel may lie from a published colour: JPEG files are a little off."""
LEAST_JOINTS = 6
FAINT = 40
"""Grey from which on a pixel is part of a line: JPEG files and resized ones are a little off."""
LEVELS = 18
"""Grey levels between two classes of a layout picture."""


def kind_of(picture: np.ndarray) -> Kind:
    """What a picture is, told from its pixels, uint8 ``(H, W, 3)``."""
    if read_skeleton(picture) is not None:
        return "skeleton"
    spread = int((picture.max(2).astype(int) - picture.min(2)).max())
    if spread > 6:
        return "picture"
    grey = picture[..., 1]
    if _all_lines(grey):
        return "edges"
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    steps = shares[: 12 * LEVELS + 1 : LEVELS]
    if steps.sum() > 0.6 and (steps > 0.002).sum() >= 4:
        return "layout"
    return "picture"


def _all_lines(grey: np.ndarray) -> bool:
    """Whether a grey picture is thin bright lines on black and nothing else."""
    lines = (grey >= FAINT).astype(np.uint8)
    if grey.max() < 128 or lines.sum() < 20 or lines.mean() > 0.4:
        return False
    wide = max(5, min(grey.shape) // 40)
    left = cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8))
    return bool(left.sum() < 0.1 * lines.sum())


def read_skeleton(picture: np.ndarray) -> Keypoints | None:
    """The joints of a skeleton drawn in OpenPose's published colours on black; None if it is none.

    Args:
        picture: uint8 ``(H, W, 3)``, RGB. Joints are found where their own colour is; one that
            lies under another is unknown.
    """
    bright = picture.max(2)
    lit = bright >= BLACK
    if not 0.0005 < lit.mean() < 0.25:
        return None
    colors = np.array(maps.COLORS)
    # 1. every lit pixel is some published colour, darkened: on a limb, or at an edge
    hues = picture[lit].astype(np.float32) / bright[lit][:, None] * 255
    nearest = np.full(len(hues), np.inf)
    for color in colors:
        np.minimum(nearest, np.abs(hues - color).max(1), out=nearest)
    if (nearest < NEAR).mean() < 0.85:
        return None
    # 2. a joint is the largest spot of its colour at full brightness
    points, confidence = np.full((18, 2), np.nan), np.zeros(18)
    rows, columns = np.nonzero(lit)
    top, left = rows.min(), columns.min()
    part = picture[top : rows.max() + 1, left : columns.max() + 1].astype(np.int16)
    away = np.stack([np.abs(part - color).max(2) for color in colors])
    own = away.argmin(0)
    for i in range(len(colors)):
        spot = ((own == i) & (away[i] < NEAR)).astype(np.uint8)
        count, _, about, middles = cv2.connectedComponentsWithStats(spot, connectivity=8)
        if count > 1:
            best = 1 + int(about[1:, cv2.CC_STAT_AREA].argmax())
            if about[best, cv2.CC_STAT_AREA] >= 3:
                points[i] = middles[best] + (left + 0.5, top + 0.5)
                confidence[i] = 1.0
    if (confidence > 0).sum() < LEAST_JOINTS:
        return None
    return Keypoints(points, confidence)


def draw_skeleton(seen: Keypoints, picture: np.ndarray, least: float) -> np.ndarray:
    """The skeleton in the published colours, uint8 ``(H, W, 3)``, as large as the picture.

    ``least``: confidence below which a joint is left out.
    """
    points = np.where(seen.known(least)[:, None], seen.points, np.nan)
    return maps.skeleton_picture(points, *picture.shape[:2])


def canny(picture: np.ndarray, low: int = 100, high: int = 200) -> np.ndarray:
    """Canny edges, white on black, uint8 ``(H, W, 3)`` as large as the picture.

    What a preprocessor made already is given back as it is.

    Raises:
        BadValue: thresholds that are not 0 ≤ low < high ≤ 1000.
        ModelUnavailable: controlnet-aux is not installed.
    """
    if not 0 <= low < high <= 1000:
        raise BadValue(
            f"Canny thresholds {low} and {high} cannot be used.", "Give 0 ≤ low < high ≤ 1000."
        )
    if kind_of(picture) != "picture":
        return picture
    try:
        from controlnet_aux.canny import CannyDetector
    except ImportError as error:
        raise ModelUnavailable(
            "controlnet-aux, which finds the edges, cannot be loaded.",
            "Run `make setup` in the checkout.",
        ) from error
    # it works in multiples of 64 pixels: so large already, the picture is not bent by it
    height, width = picture.shape[:2]
    whole = cv2.copyMakeBorder(picture, 0, -height % 64, 0, -width % 64, cv2.BORDER_REPLICATE)
    side = min(whole.shape[:2])
    edges = CannyDetector()(
        whole, low, high, detect_resolution=side, image_resolution=side, output_type="np"
    )
    return np.ascontiguousarray(edges[:height, :width])


PREPROCESSORS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"canny": canny}
"""By the name of the ControlNet they make pictures for, besides the pose reader's ``openpose``."""


def preprocess(net: str, picture: np.ndarray) -> np.ndarray:
    """What a preprocessor makes of a picture, to look at: uint8 ``(H, W, 3)``.

    Raises:
        UnknownName: no preprocessor of that name. Else what it raises itself.
    """
    if net == "openpose":
        from tools.pose_from_picture import KNOWN, pose_reader

        seen = pose_reader().read(picture)
        return draw_skeleton(seen, picture, KNOWN)
    if net not in PREPROCESSORS:
        raise UnknownName.among("preprocessor", net, ["openpose", *PREPROCESSORS])
    return PREPROCESSORS[net](picture)
