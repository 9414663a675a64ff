"""Figures of poses: whether renders stand as they were asked to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench import measure, renders
from bench.figures import Measured, NotYet, figure, once
from bench.outfits import outfits
from bench.pictures import MINUTES, drawn, rendered, see
from catalog.base import weights_folder
from catalog.croquis.figure import Person
from catalog.croquis.keypoints import KeypointNet, read_keypoints
from catalog.croquis.train_keypoints import near_enough
from tools import pose
from tools.look import Control

ALONE_EVERY = 3
"""Outfits drawn with one ControlNet: every third is enough to know the mean."""
BODY = slice(0, 14)
"""Keypoints below the neck, and nose and neck: what a garment hangs on."""


@once
def detector() -> KeypointNet:
    """Trained on drawings from seeds of its own; it sees pixels only."""
    folder = weights_folder() / "keypoints"
    if not (folder / "config.json").exists():
        raise NotYet("train the detector: python -m catalog.croquis.train_keypoints")
    return KeypointNet.from_pretrained(folder).float().eval()


def found_right(number: int, picture: np.ndarray) -> np.ndarray:
    """bool ``(18,)``: keypoints of outfit ``number`` found in a picture within a tenth of the
    torso of where its pose has them."""
    plan = outfits()[number].plan
    truth = pose.fitted(plan.pose, Person(**plan.person.model_dump())).array()
    return near_enough(read_keypoints(detector(), picture).points, truth)


def pck(picture: Callable[[int], np.ndarray], numbers: Sequence[int]) -> np.ndarray:
    """Share of outfits whose keypoint is found right, ``(18,)``."""
    return np.array([found_right(n, picture(n)) for n in numbers]).mean(0)


@figure("keypoints-pck", better="higher", issue=4, target=0.9, minutes=MINUTES)
def keypoints() -> Measured:
    """Keypoints re-detected in renders within a tenth of the torso (PCK@0.1), by a detector
    trained on other drawings; all 18. Ceiling: the same on drawn truth."""
    every = range(len(outfits()))
    detector()
    here = pck(lambda n: rendered(n).picture, every)
    ceiling = pck(lambda n: outfits()[n].picture, every)
    note = f"body alone {here[BODY].mean():.3f} (drawn {ceiling[BODY].mean():.3f})"
    return Measured(float(here.mean()), float(ceiling.mean()), note)


@once
def openpose_alone(number: int) -> np.ndarray:
    """The outfit drawn with the layout ControlNet switched off, ``(384, 256, 3)``."""
    plan = outfits()[number].plan
    alone = {"layout": Control(weight=0.0)}
    return renders.render(plan.model_copy(update={"controls": alone}))


@figure("openpose-alone-iou", better="higher", issue=4, minutes=1.5)
def silhouette_by_openpose() -> Measured:
    """Silhouette IoU against the drawn truth with the openpose ControlNet alone, both as the
    segmenter sees them; mean. Regions still tell each cell whose it is."""
    numbers = range(0, len(outfits()), ALONE_EVERY)
    value = [measure.iou(see(openpose_alone(n)).classes > 0, drawn(n).classes > 0) for n in numbers]
    return Measured(float(np.mean(value)), note=f"{len(value)} outfits")
