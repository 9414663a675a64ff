"""Pose from a picture: a photo, a drawn figure, or a skeleton. Slow to make, fast to call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog.base import weights_folder
from catalog.croquis.figure import KEYPOINTS
from catalog.croquis.posture import Keypoints
from catalog.errors import BadValue, ModelUnavailable
from tools.control_pictures import draw_skeleton, kind_of, read_skeleton
from tools.pose import Points, checked_points

if TYPE_CHECKING:
    from catalog.croquis.keypoints import KeypointNet
    from tools.blaze_pose import BlazePose

KNOWN = 0.3
"""Confidence from which on a joint is used."""
SURE = 0.6
"""Mean confidence in the body's joints from which on a picture may be a drawn figure."""
AGREE = 0.3
"""Shares of the torso that two detectors may be apart at a joint and still mean the same."""
_BODY = slice(0, 14)


class PoseReader:
    """Reads poses from pictures, with one model for photos and one for drawn figures.

    Each may be missing: then the other reads alone. Safe to share between threads.

    Args:
        models: where the photo model's files are; None: where set-up puts them.
        weights: where the drawn figures' detector is; None: among the committed weights.
    """

    def __init__(self, models: Path | None = None, weights: Path | None = None) -> None:
        self._missing: ModelUnavailable | None = None
        self._photo: BlazePose | None = None
        self._drawn: KeypointNet | None = None
        from tools.blaze_pose import BlazePose

        try:
            self._photo = BlazePose(models)
        except ModelUnavailable as error:
            self._missing = error
        folder = weights or weights_folder() / "keypoints"
        if (folder / "config.json").exists():
            from catalog.croquis.keypoints import KeypointNet

            self._drawn = KeypointNet.from_pretrained(folder).float().eval()

    def read(self, picture: np.ndarray) -> Keypoints:
        """The 18 keypoints of the one person in a picture, in its own pixels.

        A skeleton in the published colours is read as what it is, and nothing looks for a person
        in it.

        Args:
            picture: uint8 ``(H, W, 3)``, RGB, upright.

        Raises:
            BadValue: nobody is seen, or it is a layout or edge picture.
            ModelUnavailable: the photo model is not installed, and it is no drawn figure.
        """
        skeleton = read_skeleton(picture)
        if skeleton is not None:
            return skeleton
        kind = kind_of(picture)
        if kind != "picture":
            raise BadValue(
                f"This is {'an edge' if kind == 'edges' else 'a layout'} picture, not one of a "
                "person.",
                "Give the picture it was made from, or its skeleton.",
            )
        drawn = self._read_drawn(picture)
        if self._photo is None:
            if drawn is None:
                assert self._missing is not None
                raise self._missing
            return drawn
        seen = self._photo(picture)
        photo = None if seen is None else Keypoints(seen.points, seen.confidence)
        if photo is None and drawn is None:
            raise BadValue(
                "Nobody is seen in this picture.",
                "Give one of one person from head to foot, upright and well lit.",
            )
        # a photo can fool the detector of drawn figures, hardly so that both say the same
        if photo is None or (drawn is not None and _agree(photo, drawn)):
            assert drawn is not None
            return drawn
        return photo

    def _read_drawn(self, picture: np.ndarray) -> Keypoints | None:
        """What the drawn figures' detector is sure of; None when it is not, or not there."""
        if self._drawn is None:
            return None
        from catalog.croquis.keypoints import read_keypoints

        seen = read_keypoints(self._drawn, picture)
        return seen if seen.confidence[_BODY].mean() >= SURE else None


def pose_points(seen: Keypoints) -> Points:
    """What a plan is given: the joints that are known well enough, to a tenth of a pixel.

    Raises:
        BadValue: shoulders or hips are not known.
    """
    known = seen.known(KNOWN)
    return checked_points(tuple(
        (round(float(x), 1), round(float(y), 1)) if ok else None
        for (x, y), ok in zip(seen.points, known, strict=True)
    ))  # fmt: skip


@dataclass(frozen=True)
class PictureOfPose:
    """The pose of the person in a picture, to draw others in."""

    points: Points
    """As a plan takes them, in pixels of the picture."""
    width: int
    height: int
    skeleton: np.ndarray
    """What was seen, to look at: uint8 ``(height, width, 3)``, in the published colours."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The joints that were not seen."""
        return tuple(n for n, at in zip(KEYPOINTS, self.points, strict=True) if at is None)


def pose_in(picture: np.ndarray) -> PictureOfPose:
    """The pose of the one person in ``picture``, uint8 ``(H, W, 3)``, RGB, upright.

    Raises BadValue and ModelUnavailable, as ``PoseReader.read`` and ``pose_points`` do.
    """
    seen = pose_reader().read(picture)
    height, width = picture.shape[:2]
    skeleton = draw_skeleton(seen, picture, KNOWN)
    return PictureOfPose(pose_points(seen), width, height, skeleton)


@lru_cache
def pose_reader() -> PoseReader:
    """The reader over what this installation has, loaded on first need."""
    return PoseReader()


def _agree(a: Keypoints, b: Keypoints) -> bool:
    """Whether two thirds of the joints that both know lie at the same places, hips aside."""
    hips = [KEYPOINTS.index(n) for n in ("r_hip", "l_hip")]
    torso = np.linalg.norm(b.points[1] - b.points[hips].mean(0))
    both = a.known(KNOWN) & b.known(KNOWN)
    both[hips] = False
    if both.sum() < 6:
        return False
    apart = np.linalg.norm(a.points[both] - b.points[both], axis=1)
    return bool((apart < AGREE * torso).mean() >= 2 / 3)
