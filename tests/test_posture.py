"""Points measured on a picture become the same pose in anybody's proportions."""

import json

import numpy as np
import pytest

from catalog.croquis import figure, posture
from catalog.croquis.figure import KEYPOINTS, POSES, Person
from catalog.errors import BadValue, UnknownName
from tools import pose
from tools.layout import lay_out
from tools.look import Plan, Worn

LIMBS = [KEYPOINTS.index(n) for n in KEYPOINTS if n[0] in "rl" and n[2:] not in ("eye", "ear")]


def points(name: str, person: Person | None = None) -> pose.Points:
    return tuple((float(x), float(y)) for x, y in figure.pose(name, person).array())


@pytest.mark.parametrize("name", POSES)
def test_a_preset_measured_is_that_preset_again(name):
    truth = figure.pose(name)
    found = posture.measured(truth.array() * 3.7 + (40, -90), Person())
    torso = truth.height * 0.285
    off = np.linalg.norm(found.array() - truth.array(), axis=1)
    assert np.mean(off < 0.1 * torso) > 0.9 and off.max() < 0.2 * torso, off.round(1)
    assert found.seated == truth.seated and abs(found.turn - truth.turn) < 0.1


def test_the_pose_is_taken_over_and_the_proportions_are_not():
    tall = posture.measured(figure.pose("waving").array(), Person(presentation="man"))
    own = figure.pose("waving", Person(presentation="man"))
    assert abs(tall.height - own.height) < 1e-6
    assert np.linalg.norm(tall.array() - own.array(), axis=1).max() < 0.2 * own.height * 0.285


def test_what_is_not_seen_hangs_as_in_the_plainest_pose():
    seen = figure.pose("waving").array()
    legs = [KEYPOINTS.index(n) for n in ("r_knee", "r_ankle", "l_knee", "l_ankle", "nose")]
    seen[legs] = np.nan
    found = posture.measured(seen, Person()).array()
    assert np.isfinite(found).all()
    knee, ankle = found[KEYPOINTS.index("l_knee")], found[KEYPOINTS.index("l_ankle")]
    assert ankle[1] > knee[1] + 40 and abs(ankle[0] - knee[0]) < 12
    wrist, elbow = found[KEYPOINTS.index("l_wrist")], found[KEYPOINTS.index("l_elbow")]
    assert wrist[1] < elbow[1], "the arm still waves"


def test_who_is_seen_from_behind_is_drawn_from_the_front():
    seen = figure.pose("waving").array()
    behind = seen * (-1, 1)
    found = posture.measured(behind, Person()).array()
    right, left = (found[KEYPOINTS.index(f"{s}_shoulder")] for s in "rl")
    assert right[0] < left[0]


def test_a_plan_keeps_measured_points_and_gives_them_back():
    measured = (*points("sitting")[:14], None, None, None, None)
    plan = Plan(garments=(Worn(id="x"),), pose=measured)
    again = Plan.model_validate(json.loads(plan.model_dump_json()))
    assert again == plan and again.pose[15] is None and again.pose[3] == plan.pose[3]
    assert pose.name_of(plan.pose) == "from a picture" and pose.name_of("waving") == "waving"


@pytest.mark.parametrize("bad", [
    ((0.0, 0.0),) * 17, ((0.0, 0.0),) * 18, (None,) * 18, ((1e9, 0.0), *points("standing")[1:]),
])  # fmt: skip
def test_points_no_figure_can_be_drawn_by_are_refused(bad):
    with pytest.raises(BadValue) as error:
        Plan(garments=(Worn(id="x"),), pose=bad)
    assert error.value.hint


def test_an_unknown_pose_still_names_the_nearest():
    with pytest.raises(UnknownName, match="walking"):
        pose.fitted("walkin", Person())


def test_a_layout_of_measured_points_is_that_of_the_pose():
    preset = lay_out((), Person(), "hands on hips", {"summer": 1.0})
    found = lay_out((), Person(), points("hands on hips"), {"summer": 1.0})
    a, b = preset.regions > 0, found.regions > 0
    assert (a & b).sum() / (a | b).sum() > 0.85
    assert found.sha256 == lay_out((), Person(), points("hands on hips"), {"summer": 1.0}).sha256
