"""Names and points of angles, for tables and for drawn arcs."""

from __future__ import annotations

import pytest

from gonio.analysis.angles import ANGLES, angle_names, angle_points, arc_points, find_angle
from gonio.errors import UnknownNameError
from gonio.skeletons import Skeleton, load_skeleton, skeleton_names

BLAZEPOSE = load_skeleton("blazepose33")
GAIT = load_skeleton("gait6")


def test_points_take_the_side_and_the_middle_has_none() -> None:
    assert angle_points("knee_left", BLAZEPOSE) == ("left_ankle", "left_knee", "left_hip")
    assert angle_points("hip_right", BLAZEPOSE) == ("right_knee", "right_hip", "mid_hip", "neck")
    assert angle_points("pelvis", BLAZEPOSE) == ("left_hip", "right_hip")
    assert angle_points("ankle", GAIT) == ("knee", "ankle", "big_toe", "heel")
    assert angle_points("ankle_left", GAIT) is None
    assert angle_points("ankle", BLAZEPOSE) is None
    assert angle_points("knee_valgus", GAIT) is None
    assert angle_points("ankle_left", load_skeleton("coco17")) is None


def test_arcs_have_their_vertex_at_the_joint_and_segments_have_none() -> None:
    assert arc_points("knee_left", BLAZEPOSE) == ("left_knee", "left_hip", "left_ankle")
    assert arc_points("ankle_right", BLAZEPOSE) == ("right_ankle", "right_knee", "right_big_toe")
    assert arc_points("hip_left", BLAZEPOSE) == ("left_hip", "neck", "left_knee")
    assert arc_points("knee", GAIT) == ("knee", "hip", "ankle")
    assert arc_points("trunk", BLAZEPOSE) is None
    assert arc_points("pelvis", BLAZEPOSE) is None
    assert arc_points("wrist_left", load_skeleton("coco17")) is None


def test_names_are_split_at_their_side() -> None:
    assert find_angle("knee_valgus_left") == (ANGLES["knee_valgus"], "left")
    assert find_angle("shoulders") == (ANGLES["shoulders"], "")
    for wrong in ("left_knee", "pelvis_right", "knee_middle", ""):
        with pytest.raises(UnknownNameError, match="unknown angle"):
            find_angle(wrong)


def test_a_skeleton_of_one_leg_gives_that_side_only() -> None:
    leg = Skeleton(name="leg", keypoints=("left_hip", "left_knee", "left_ankle"))
    present, absent = angle_names(leg)
    assert present == ["knee_left", "shank_left", "thigh_left"]
    assert "ankle_left" in absent
    assert not any(name.endswith("_right") for name in absent)


@pytest.mark.parametrize("name", skeleton_names())
def test_every_skeleton_has_each_angle_present_or_absent(name) -> None:
    skeleton = load_skeleton(name)
    for view in ("sagittal", "frontal"):
        present, absent = angle_names(skeleton, view=view)
        assert not set(present) & set(absent)
        assert all(angle_points(a, skeleton) for a in present)
