"""Angles: neutral poses, signs, both sides, both facings, views, missing points, invariances."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gonio.analysis.angles import ANGLES, compute_angles, unwrap, wrap
from gonio.errors import GonioWarning, PosesError, UnknownNameError
from gonio.metrics import angle_errors
from gonio.poses import make_poses, operation_log
from gonio.skeletons import Skeleton, load_skeleton
from gonio.synthetic import PersonSettings, truth
from unit.analysis.angles.stick_figure import (
    BLAZEPOSE,
    JOINTS,
    NEUTRAL,
    SEGMENTS,
    at,
    person,
    segments,
)

SIDES = ("left", "right")
FACINGS = (1, -1)


def value(poses: xr.Dataset, name: str, **options: object) -> float:
    angles = compute_angles(poses, BLAZEPOSE, names=[name], **options)  # type: ignore[arg-type]
    return float(angles["angle_deg"].values[0, 0, 0])


def frontal(**moved: tuple[float, float]) -> xr.Dataset:
    """A person seen from the front: the left half of the body is at the image's right."""
    position = np.zeros((1, 2, 33, 1))
    height = {"shoulder": 100, "hip": 200, "knee": 300, "ankle": 400, "heel": 405, "ear": 60}
    for name, y in height.items():
        for side, x in (("left", 230), ("right", 170)):
            position[0, :, BLAZEPOSE.index(f"{side}_{name}"), 0] = (x, y)
    for name, (dx, dy) in moved.items():
        position[0, :, BLAZEPOSE.index(name), 0] += (dx, dy)
    return at(position)


def from_behind(poses: xr.Dataset) -> xr.Dataset:
    position = poses["position"].values.copy()
    position[:, 0] = 400 - position[:, 0]
    return at(position)


@pytest.mark.parametrize("faces", FACINGS)
@pytest.mark.parametrize("side", SIDES)
def test_every_joint_reads_zero_when_standing_and_every_segment_its_neutral(faces, side) -> None:
    poses = person(faces=faces)
    for joint in JOINTS:
        assert value(poses, f"{joint}_{side}") == pytest.approx(0, abs=1e-4), joint
    for segment in SEGMENTS:
        expected = NEUTRAL[segment]
        assert value(poses, f"{segment}_{side}") == pytest.approx(expected, abs=1e-4), segment
    assert value(poses, "trunk") == pytest.approx(90, abs=1e-4)
    assert value(poses, "head") == pytest.approx(90, abs=1e-4)


@pytest.mark.parametrize("bend", [25.0, -25.0])
@pytest.mark.parametrize("faces", FACINGS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("joint", JOINTS)
def test_flexion_is_positive_and_extension_negative_in_that_joint_alone(
    joint, side, faces, bend
) -> None:
    poses = person({f"{joint}_{side}": bend}, faces=faces)
    angles = compute_angles(poses, BLAZEPOSE)["angle_deg"].isel(time=0, individuals=0)
    for other in JOINTS:
        for where in SIDES:
            expected = bend if (other, where) == (joint, side) else 0
            got = float(angles.sel(angle=f"{other}_{where}"))
            assert got == pytest.approx(expected, abs=1e-3), (other, where)
    for segment, expected in segments({f"{joint}_{side}": bend}, side).items():
        got = float(angles.sel(angle=f"{segment}_{side}"))
        assert got == pytest.approx(expected, abs=1e-3), segment


@pytest.mark.parametrize("faces", FACINGS)
def test_leaning_forward_turns_trunk_and_head_clockwise_when_seen_facing_right(faces) -> None:
    assert value(person(trunk=70.0, faces=faces), "trunk") == pytest.approx(70, abs=1e-4)
    assert value(person(head=60.0, faces=faces), "head") == pytest.approx(60, abs=1e-4)
    assert value(person(trunk=70.0, faces=faces), "hip_left") == pytest.approx(0, abs=1e-4)


def test_a_squat_by_hand() -> None:
    # thigh level, shank upright, trunk upright, facing right
    points = {
        "left_knee": (140, 200),
        "left_hip": (100, 200),
        "right_hip": (100, 200),
        "left_ankle": (140, 240),
        "left_heel": (132, 248),
        "left_foot_index": (156, 248),
        "left_shoulder": (100, 140),
        "right_shoulder": (100, 140),
    }
    position = np.full((1, 2, 33, 1), np.nan)
    for name, xy in points.items():
        position[0, :, BLAZEPOSE.index(name), 0] = xy
    poses = at(position)
    assert value(poses, "knee_left") == pytest.approx(90)
    assert value(poses, "hip_left") == pytest.approx(90)
    assert value(poses, "ankle_left") == pytest.approx(0)
    assert value(poses, "thigh_left") == pytest.approx(0)
    assert np.isnan(value(poses, "knee_right"))


@pytest.mark.parametrize(("name", "part"), [("pelvis", "hip"), ("shoulders", "shoulder")])
def test_obliquity_is_positive_when_the_persons_left_is_lower_from_front_and_rear(
    name, part
) -> None:
    lower = frontal(**{f"left_{part}": (0, 6)})
    expected = np.degrees(np.arctan2(6, 60))
    assert value(lower, name, view="frontal") == pytest.approx(expected, abs=1e-4)
    assert value(from_behind(lower), name, view="rear") == pytest.approx(expected, abs=1e-4)
    higher = frontal(**{f"left_{part}": (0, -6)})
    assert value(higher, name, view="frontal") == pytest.approx(-expected, abs=1e-4)
    assert value(from_behind(higher), name, view="rear") == pytest.approx(-expected, abs=1e-4)
    assert value(frontal(), name, view="frontal") == pytest.approx(0)
    assert np.isnan(value(person(), name, view="sagittal"))


@pytest.mark.parametrize(("side", "inward"), [("left", -8), ("right", 8)])
def test_knee_valgus_is_positive_when_the_knee_is_medial_on_either_side(side, inward) -> None:
    expected = 2 * np.degrees(np.arctan2(8, 100))
    name = f"knee_valgus_{side}"
    valgus, varus = (frontal(**{f"{side}_knee": (dx, 0)}) for dx in (inward, -inward))
    for poses, view in ((valgus, "frontal"), (from_behind(valgus), "rear")):
        assert value(poses, name, view=view) == pytest.approx(expected, abs=1e-4)
    for poses, view in ((varus, "frontal"), (from_behind(varus), "rear")):
        assert value(poses, name, view=view) == pytest.approx(-expected, abs=1e-4)
    assert value(frontal(), name, view="frontal") == pytest.approx(0)
    assert np.isnan(value(valgus, name, view="sagittal"))


def test_a_view_that_cannot_give_an_angle_gives_nan_only_where_it_was_asked_for() -> None:
    assert np.isnan(value(frontal(), "knee_left", view="frontal"))
    assert np.isnan(value(frontal(), "trunk", view="rear"))
    from_front = compute_angles(frontal(), BLAZEPOSE, view="frontal")
    assert list(from_front["angle"].values) == [
        "pelvis", "shoulders", "knee_valgus_left", "knee_valgus_right",
    ]  # fmt: skip
    assert (from_front["facing"].values == 0).all()
    from_side = compute_angles(person(), BLAZEPOSE)
    assert from_side.sizes["angle"] == 26
    assert not from_side["angle_deg"].isnull().any()
    xr.testing.assert_equal(compute_angles(person(), BLAZEPOSE, view="any"), from_side)


def test_one_warning_names_all_absent_angles() -> None:
    coco = load_skeleton("coco17")
    poses = person({"knee_left": [20.0] * 5}, skeleton=coco)
    with pytest.warns(GonioWarning) as caught:
        angles = compute_angles(poses, coco)
    assert len(caught) == 1
    for name in ("ankle_left", "ankle_right", "wrist_left", "foot_right", "hand_left"):
        assert name in str(caught[0].message)
        assert name not in angles["angle"].values
    assert float(angles["angle_deg"].sel(angle="knee_left")[0, 0]) == pytest.approx(20, abs=1e-4)


def test_lower_body_has_no_hip_angle_and_a_standing_one_no_facing() -> None:
    lower = load_skeleton("lower6")
    with pytest.warns(GonioWarning, match=r"hip_left.*facing is unknown, of: person_0"):
        angles = compute_angles(person(skeleton=lower), lower)
    assert "hip_left" not in angles["angle"].values
    assert angles["angle_deg"].isnull().all()


@pytest.mark.parametrize("faces", FACINGS)
def test_a_skeleton_of_one_side_gives_unsided_names(faces) -> None:
    gait = load_skeleton("gait6")
    xy = {
        "neck": (0, -90),
        "hip": (0, 0),
        "knee": (40, 70),
        "ankle": (0, 140),
        "heel": (-10, 148),
        "toes": (25, 148),
    }
    position = np.array([xy[k] for k in gait.keypoints], dtype=float).T[None, :, :, None]
    position[:, 0] *= faces
    with pytest.warns(GonioWarning, match=r"shoulder, elbow, wrist, head, arm, forearm, hand$"):
        angles = compute_angles(at(position, skeleton=gait), gait)
    assert list(angles["angle"].values) == [
        "ankle", "knee", "hip", "foot", "shank", "thigh", "trunk",
    ]  # fmt: skip
    bend = np.degrees(np.arctan2(40, 70))
    got = dict(zip(angles["angle"].values, angles["angle_deg"].values[0, :, 0], strict=True))
    assert got["knee"] == pytest.approx(2 * bend, abs=1e-4)
    assert got["hip"] == pytest.approx(bend, abs=1e-4)
    assert got["ankle"] == pytest.approx(bend, abs=1e-4)


def test_names_are_kept_in_order_and_expanded_once_and_unknown_ones_are_refused() -> None:
    angles = compute_angles(person(), BLAZEPOSE, names=["trunk", "knee_right", "knee"])
    assert list(angles["angle"].values) == ["trunk", "knee_right", "knee_left"]
    with pytest.raises(UnknownNameError, match=r"'kne_left' \(did you mean 'knee_left'"):
        compute_angles(person(), BLAZEPOSE, names=["kne_left"])
    with pytest.raises(UnknownNameError, match="unknown angle 'trunk_left'"):
        compute_angles(person(), BLAZEPOSE, names=["trunk_left"])
    with pytest.raises(UnknownNameError, match=r"unknown view 'saggital'.*'sagittal'"):
        compute_angles(person(), BLAZEPOSE, view="saggital")  # type: ignore[arg-type]


def test_poses_of_another_skeleton_or_in_3d_are_refused() -> None:
    with pytest.raises(PosesError, match="do not follow skeleton 'gait6': no ankle, heel"):
        compute_angles(person(), load_skeleton("gait6"))
    flat = Skeleton(name="one", keypoints=("hip",))
    poses = make_poses(np.zeros((1, 3, 1, 1)), np.ones((1, 1, 1)), time_s=[0], skeleton=flat)
    with pytest.raises(PosesError, match="2D"):
        compute_angles(poses, flat)


def test_missing_and_coinciding_points_give_nan_in_their_frame_only() -> None:
    poses = person({"knee_left": [10.0, 20.0, 30.0, 40.0]})
    poses["position"][1, :, BLAZEPOSE.index("left_ankle"), 0] = np.nan
    poses["position"][2, :, BLAZEPOSE.index("left_ankle"), 0] = poses["position"][
        2, :, BLAZEPOSE.index("left_knee"), 0
    ]
    knee = compute_angles(poses, BLAZEPOSE, names=["knee"])["angle_deg"]
    left = knee.sel(angle="knee_left").values[:, 0]
    assert np.isnan(left[[1, 2]]).all()
    np.testing.assert_allclose(left[[0, 3]], [10, 40], atol=1e-3)
    assert not knee.sel(angle="knee_right").isnull().any()


def test_nobody_seen_gives_nan_without_a_warning_and_no_frames_gives_no_frames() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nobody = compute_angles(at(np.full((4, 2, 33, 2), np.nan)), BLAZEPOSE)
        assert nobody["angle_deg"].isnull().all()
        assert (nobody["facing"] == 0).all()
        assert compute_angles(at(np.zeros((0, 2, 33, 1))), BLAZEPOSE).sizes["time"] == 0
        assert compute_angles(at(np.zeros((3, 2, 33, 0))), BLAZEPOSE).sizes["individuals"] == 0


def test_provenance_goes_on_and_facing_stands_beside_the_angles() -> None:
    angles = compute_angles(person(faces=-1), BLAZEPOSE)
    assert operation_log(angles)[-1]["operation"] == "compute_angles"
    assert angles.attrs["fps"] == 30.0
    assert angles["facing"].dims == ("time", "individuals")
    assert angles["facing"].dtype == np.int8
    assert angles["facing"].values.tolist() == [[-1]]


def walk(frames: int = 120) -> dict[str, np.ndarray]:
    t = np.linspace(0, 4 * np.pi, frames)
    return {
        f"{joint}_{side}": middle + swing * np.sin(t + phase + lag)
        for side, phase in (("left", 0.0), ("right", np.pi))
        for joint, middle, swing, lag in (
            ("hip", 10, 20, 0.0), ("knee", 30, 28, 1.0), ("ankle", 0, 12, 2.0),
            ("shoulder", 0, 20, 3.1), ("elbow", 30, 15, 3.0), ("wrist", 5, 10, 0.5),
        )
    }  # fmt: skip


@pytest.mark.parametrize("faces", FACINGS)
def test_a_walker_built_from_known_angles_gives_them_back(faces) -> None:
    known = walk()
    trunk = 85 + 3 * np.sin(np.linspace(0, 8 * np.pi, 120))
    angles = compute_angles(person(known, trunk=trunk, faces=faces), BLAZEPOSE)["angle_deg"]
    for name, expected in known.items():
        np.testing.assert_allclose(angles.sel(angle=name).values[:, 0], expected, atol=1e-3)
    for side in SIDES:
        for segment, expected in segments(known, side, trunk).items():
            got = angles.sel(angle=f"{segment}_{side}").values[:, 0]
            np.testing.assert_allclose(got, expected, atol=1e-3)
    np.testing.assert_allclose(angles.sel(angle="trunk").values[:, 0], trunk, atol=1e-3)


@pytest.mark.parametrize("motion", ["walk", "squat", "sit"])
@pytest.mark.parametrize("faces", ["right", "left"])
def test_the_drawn_persons_true_angles_are_measured(motion, faces) -> None:
    drawn = truth(PersonSettings(motion=motion, facing=faces, seconds=2.0))
    errors = angle_errors(compute_angles(drawn.poses, BLAZEPOSE), drawn.angles)
    assert (errors["n"] > 0).all()
    assert errors["mae_deg"].max() < 0.01


def test_an_arm_swung_past_overhead_stays_continuous() -> None:
    flexion = np.linspace(0, 230, 60)
    angles = compute_angles(person({"shoulder_left": flexion}), BLAZEPOSE)["angle_deg"]
    got = angles.sel(angle="shoulder_left").values[:, 0]
    np.testing.assert_allclose(got, flexion, atol=1e-3)


bends = st.fixed_dictionaries(
    {f"{j}_{s}": st.floats(-80, 80) for j in JOINTS for s in SIDES}, optional={}
)


def joint_values(poses: xr.Dataset) -> np.ndarray:
    names = [f"{j}_{s}" for j in JOINTS for s in SIDES]
    values: np.ndarray = compute_angles(poses, BLAZEPOSE, names=names)["angle_deg"].values
    return values


def all_values(poses: xr.Dataset) -> np.ndarray:
    values: np.ndarray = compute_angles(poses, BLAZEPOSE)["angle_deg"].values
    return values


def same(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_allclose(wrap(a - b), 0, atol=0.02)


def close_legs(bend: dict[str, float]) -> dict[str, float]:
    # feet within 60° of the walking direction, so that the facing is beyond doubt
    legs = ("hip", "knee", "ankle")
    return {n: b / 4 if n.split("_")[0] in legs else b for n, b in bend.items()}


@settings(max_examples=12, deadline=None)
@given(bends, st.floats(-2000, 2000), st.floats(-2000, 2000), st.floats(0.3, 5))
def test_moving_and_scaling_the_picture_changes_no_angle(bend, dx, dy, scale) -> None:
    poses = person(close_legs(bend))
    xy = poses["position"].values.astype(float)
    same(all_values(at(xy * scale + np.array([dx, dy])[None, :, None, None])), all_values(poses))


@settings(max_examples=12, deadline=None)
@given(bends)
def test_a_mirrored_picture_gives_the_same_angles_and_the_other_facing(bend) -> None:
    poses = person(close_legs(bend))
    xy = poses["position"].values.astype(float)
    xy[:, 0] = 1000 - xy[:, 0]
    same(all_values(at(xy)), all_values(poses))
    assert compute_angles(at(xy), BLAZEPOSE)["facing"].values.item() == -1


@settings(max_examples=12, deadline=None)
@given(bends, st.floats(-25, 25))
def test_turning_the_picture_turns_segments_but_no_joint(bend, turn) -> None:
    poses = person(close_legs(bend))
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    xy = np.einsum("ab,tbki->taki", [[c, s], [-s, c]], poses["position"].values.astype(float))
    same(joint_values(at(xy)), joint_values(poses))
    assert value(at(xy), "trunk") - value(poses, "trunk") == pytest.approx(turn, abs=0.02)


def test_wrap_is_half_open() -> None:
    got = wrap([180.0, -180.0, 190.0, -190.0, 0.0, 540.0, np.nan])
    np.testing.assert_array_equal(got, [-180, -180, -170, 170, 0, -180, np.nan])


def test_unwrap_leaves_ordinary_series_bit_for_bit() -> None:
    series = np.array([0.1, 60.3, np.nan, -20.7, 130.0])
    np.testing.assert_array_equal(unwrap(series), series)
    np.testing.assert_array_equal(unwrap([np.nan, np.nan]), [np.nan, np.nan])
    np.testing.assert_array_equal(unwrap([170.0]), [170.0])


def test_unwrap_keeps_one_branch_across_gaps() -> None:
    hanging_by_the_hands = [170.0, 175.0, -179.0, np.nan, np.nan, -170.0, -175.0, np.nan, 178.0]
    got = unwrap(hanging_by_the_hands, can_turn=False)
    expected = [170, 175, 181, np.nan, np.nan, 190, 185, np.nan, 178]
    np.testing.assert_allclose(wrap(got - expected), [0, 0, 0, np.nan, np.nan, 0, 0, np.nan, 0])
    assert np.nanmax(got) - np.nanmin(got) == pytest.approx(20)


def test_a_segment_may_turn_round_but_a_joint_comes_back_after_a_noisy_frame() -> None:
    somersaults = np.linspace(0, 1080, 100)
    np.testing.assert_allclose(np.diff(unwrap(wrap(somersaults))), np.diff(somersaults))
    knee = [5.0, 10.0, 120.0, -120.0, -5.0, *[10.0] * 20]
    np.testing.assert_allclose(
        unwrap(knee, can_turn=False)[[0, 1, *range(4, 25)]], [5, 10, -5, *[10] * 20]
    )
    assert unwrap(knee)[0] == pytest.approx(-355)


def test_a_leap_of_noise_does_not_carry_a_segment_round() -> None:
    # a hand's two points change places for some frames, as seen in a real walk
    hand = [-111.0, -117.0, -120.0, 68.0, 66.0, 48.0, -3.0, -36.0, *[-60.0] * 20]
    np.testing.assert_array_equal(unwrap(hand), hand)
    np.testing.assert_array_equal(unwrap([np.nan, *hand, np.nan]), [np.nan, *hand, np.nan])


def test_after_a_gap_a_segment_goes_on_nearest_to_its_mean() -> None:
    turned = [-60.0, -100.0, -140.0, -180.0, 140.0, np.nan, 175.0, 178.0, -178.0]
    got = unwrap([*turned, *[-60.0] * 30])
    np.testing.assert_allclose(got[:5], [-60, -100, -140, -180, -220])
    np.testing.assert_allclose(got[6:9], [-185, -182, -178])
    np.testing.assert_allclose(got[9:], -60)


@given(st.lists(st.floats(-180, 180), min_size=1, max_size=60))
def test_a_joint_never_runs_away_whatever_the_noise(series) -> None:
    assert np.abs(unwrap(series, can_turn=False)).max() <= 180 + 540


@given(st.lists(st.one_of(st.floats(-720, 720), st.just(np.nan)), max_size=40), st.booleans())
def test_unwrap_changes_by_whole_turns_only(series, can_turn) -> None:
    got = unwrap(series, can_turn=can_turn)
    turns = (got - np.asarray(series, dtype=float)) / 360
    seen = np.isfinite(turns)
    np.testing.assert_allclose(turns[seen], np.round(turns[seen]), atol=1e-9)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(np.asarray(series, dtype=float)))


def test_every_definition_has_two_three_or_four_points() -> None:
    assert {len(a.points) for a in ANGLES.values()} == {2, 3, 4}
    of_bodies = [a for a in ANGLES.values() if not a.markers]
    assert all((a.arc is not None) == (a.kind == "joint") for a in of_bodies)
