"""A garment cut out of a photo of somebody who wears it: GrabCut inside the person.

The pose says where on the person a garment of its slot lies for certain and where it may lie; the
photo's own colours draw the line in between (GrabCut: Rother, Kolmogorov, Blake, 2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from catalog.garment import Slot
from catalog.grab_cut import SIDE, Cut

if TYPE_CHECKING:
    from tools.blaze_pose import Sighting

_ROUNDS = 4
_PERSON = 0.5
"""Share of the person from which a pixel belongs to them."""
_NOTHING = 255, 0, 255
"""A colour that stands for all that is not the person."""
NOSE, NECK, R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST = range(8)
R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, R_EYE, L_EYE, R_EAR, L_EAR = range(8, 18)


def cut_worn(photo: np.ndarray, seen: Sighting, slot: Slot) -> Cut:
    """The garment of ``slot`` on the person ``seen`` in ``photo``, uint8 ``(H, W, 3)`` RGB.

    What is worn over, under or beside it in the same colours comes along: every cut says so.
    """
    # 1. a small picture of the person alone
    rows, columns = photo.shape[:2]
    scale = SIDE / max(rows, columns)
    size = max(8, round(columns * scale)), max(8, round(rows * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.bilateralFilter(cv2.resize(photo, size, interpolation=way), 5, 20, 5)
    person = cv2.resize(seen.mask, size, interpolation=cv2.INTER_AREA) > _PERSON
    small[~person] = _NOTHING  # else the scene's many colours would crowd out those worn beside
    points = seen.points * scale
    # 2. where it is for certain, where most likely, where it may end, and where it never is
    zones = _Zones(points, person.shape)
    core, likely, may = zones.of(slot)
    other = zones.never(slot)
    core, likely = core & person & ~other, likely & person & ~other
    if not core.any():
        nothing = np.zeros(photo.shape[:2], bool)
        return Cut(nothing, "on a person", ("no garment of its kind is seen on the person",))
    seeds = np.full(person.shape, cv2.GC_BGD, np.uint8)
    seeds[may & person] = cv2.GC_PR_BGD
    seeds[likely] = cv2.GC_PR_FGD
    seeds[other] = cv2.GC_BGD
    seeds[core] = cv2.GC_FGD
    # 3. GrabCut, and the pieces that hang together with what is certain
    ground, garment = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(small, seeds, (0, 0, *size), ground, garment, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = ((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    inside = cv2.morphologyEx(cv2.morphologyEx(inside, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    _, labels = cv2.connectedComponents(inside, connectivity=8)
    held = np.unique(labels[core & (labels > 0)])
    inside = np.isin(labels, held).astype(np.float32)
    mask = cv2.resize(inside, (columns, rows), interpolation=cv2.INTER_CUBIC) > 0.5
    warnings = ["cut out on somebody: look whether it is the garment alone"]
    if mask.mean() < 0.02:
        warnings.append("the garment is very small in the photo")
    return Cut(mask, "on a person", tuple(warnings))


class _Zones:
    """Parts of a small picture, by the person's joints in it; every mask is bool ``(h, w)``."""

    def __init__(self, points: np.ndarray, shape: tuple[int, int]) -> None:
        self.p, self.shape = points, shape
        self.hips = (points[R_HIP] + points[L_HIP]) / 2
        self.wide = max(
            float(np.hypot(*(points[R_SHOULDER] - points[L_SHOULDER]))),
            0.55 * float(np.hypot(*(points[NECK] - self.hips))),
            4.0,
        )
        self.up = points[NOSE] - points[NECK]
        corners = points[[R_SHOULDER, L_SHOULDER, L_HIP, R_HIP]]
        middle = corners.mean(0)
        high = corners + np.array([[0], [0], [0.18], [0.18]]) * (corners[[0, 1, 1, 0]] - corners)
        self.torso = self.area(high, 0.1)
        self.chest = self.area(corners + 0.4 * (middle - corners))
        self.pelvis = self.leg_area(-0.02, 0.35, 0.55)
        self.arms = self.limbs([(R_SHOULDER, R_ELBOW, R_WRIST), (L_SHOULDER, L_ELBOW, L_WRIST)])
        self.legs = self.limbs([(R_HIP, R_KNEE, R_ANKLE), (L_HIP, L_KNEE, L_ANKLE)])

    def of(self, slot: Slot) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where a garment of ``slot`` certainly is, most likely is, and may be."""
        if slot == "top":
            return self.chest, self.torso, self.torso | self.arms | self.leg_area(0, 0.5, 1.5)
        if slot == "outerwear":
            sides = self.torso & ~self.area(self.p[[NECK, R_HIP, L_HIP]], -0.1)
            above = self.torso | self.arms
            return sides, above, above | self.leg_area(0, 1.4, 1.8)
        if slot == "onepiece":
            down = self.leg_area(0, 0.7, 1.2)
            core = self.chest | self.leg_area(0.1, 0.4, 0.5)
            return core, self.torso | down, self.torso | self.arms | self.leg_area(0, 2.0, 2.0)
        if slot == "bottom":
            may = self.legs | self.leg_area(-0.3, 2.0, 2.0)
            return self.pelvis, self.leg_area(0, 0.5, 1.0), may
        if slot == "footwear":
            feet = [self.p[i] + np.array([0, 0.25 * self.wide]) for i in (R_ANKLE, L_ANKLE)]
            return self.discs(feet, 0.12), self.discs(feet, 0.3), self.discs(feet, 0.6)
        eyes = (self.p[R_EYE] + self.p[L_EYE]) / 2
        spot, reach = {
            "headwear": (eyes + 0.7 * self.up, (0.1, 0.35, 0.8)),
            "eyewear": (eyes, (0.06, 0.15, 0.3)),
            "neckwear": (self.p[NECK] + 0.15 * self.up, (0.1, 0.3, 0.8)),
            "bag": (self.hips, (0.0, 0.0, 0.0)),  # it may hang anywhere
        }[slot]
        core, likely, may = (self.discs([spot], r) for r in reach)
        return core, likely, may

    def never(self, slot: Slot) -> np.ndarray:
        """Where somebody's skin or another garment is for certain."""
        head = self.discs([self.p[NOSE]], 0.0 if slot in ("headwear", "eyewear") else 0.28)
        lower_arms = ((R_ELBOW, R_WRIST), (L_ELBOW, L_WRIST))
        hands = self.discs([1.35 * self.p[w] - 0.35 * self.p[e] for e, w in lower_arms], 0.14)
        feet = self.discs([self.p[i] for i in (R_ANKLE, L_ANKLE)], 0.2)
        thighs = self.leg_area(0.3, 1.0, 0.6)
        if slot == "top":
            return head | hands | thighs | feet
        if slot == "outerwear":
            return head | hands | feet
        if slot == "bottom":
            return head | hands | self.chest | feet
        if slot == "footwear":
            return self.leg_area(0, 1.4, 1.5)
        if slot in ("headwear", "eyewear", "neckwear"):
            return (head if slot == "neckwear" else self.discs([self.p[NECK]], 0.3)) | self.pelvis
        return head | hands

    def area(self, corners: np.ndarray, grow: float = 0.0) -> np.ndarray:
        """Inside of ``corners``, larger by a share of the shoulders' width."""
        out = np.zeros(self.shape, np.uint8)
        hull = cv2.convexHull(np.round(corners).astype(np.int32))
        cv2.fillConvexPoly(out, hull, 1)
        if grow:
            thick = max(1, round(2 * abs(grow) * self.wide))
            cv2.polylines(out, [hull], True, int(grow > 0), thick)
        return out > 0

    def limbs(self, lines: Sequence[Sequence[int]]) -> np.ndarray:
        """Arms or legs, as thick as clothes are there."""
        out = np.zeros(self.shape, np.uint8)
        thick = max(1, round(0.42 * self.wide))
        for line in lines:
            cv2.polylines(out, [np.round(self.p[list(line)]).astype(np.int32)], False, 1, thick)
        return out > 0

    def leg_area(self, above: float, below: float, wide: float) -> np.ndarray:
        """Between two heights of the legs (0 hips, 1 knees, 2 ankles), ``wide`` times the hips."""

        def at(side: tuple[int, int, int], height: float) -> np.ndarray:
            hip, knee, ankle = self.p[list(side)]
            if height <= 1:
                return hip + height * (knee - hip)
            return knee + (height - 1) * (ankle - knee)

        sides = ((R_HIP, R_KNEE, R_ANKLE), (L_HIP, L_KNEE, L_ANKLE))
        corners = []
        for height in (above, below):
            pair = np.array([at(side, height) for side in sides])
            middle = pair.mean(0)
            out = np.array([[-0.5, 0], [0.5, 0]]) * 0.55 * self.wide
            out = out if pair[0, 0] < pair[1, 0] else out[::-1]
            corners += list(middle + wide * ((pair - middle) * 0.6 + out))
        return self.area(np.array(corners))

    def discs(self, middles: Sequence[np.ndarray], reach: float) -> np.ndarray:
        """Round spots of a share of the shoulders' width."""
        out = np.zeros(self.shape, np.uint8)
        for middle in middles if reach else ():
            at = tuple(np.round(middle).astype(int).tolist())
            cv2.circle(out, at, max(1, round(reach * self.wide)), 1, -1)
        return out > 0
