"""The drawn person's truth: kinematics, angles, contact with the floor, projection."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.analysis.angles import compute_angles
from gonio.errors import ConfigError, UnknownNameError
from gonio.skeletons import load_skeleton
from gonio.synthetic import PersonSettings, truth
from gonio.synthetic.body import Body, Posture, joint_angles, leg_points, place
from gonio.synthetic.lens import Lens
from gonio.synthetic.motion import MOTIONS, walk, walking_posture

Points = dict[str, NDArray[np.float64]]

# DOMAIN.md's table, written out independently of the code under test.
FORMULAS = {
    "ankle": (("{s}_knee", "{s}_ankle", "{s}_foot_index", "{s}_heel"), 90, 1),
    "knee": (("{s}_ankle", "{s}_knee", "{s}_hip"), -180, 1),
    "hip": (("{s}_knee", "{s}_hip", "mid_hip", "neck"), 0, -1),
    "shoulder": (("{s}_elbow", "{s}_shoulder", "mid_hip", "neck"), 0, -1),
    "elbow": (("{s}_wrist", "{s}_elbow", "{s}_shoulder"), 180, -1),
    "wrist": (("{s}_elbow", "{s}_wrist", "{s}_index"), -180, 1),
    "foot": (("{s}_foot_index", "{s}_heel"), 0, -1),
    "shank": (("{s}_ankle", "{s}_knee"), 0, -1),
    "thigh": (("{s}_knee", "{s}_hip"), 0, -1),
    "arm": (("{s}_elbow", "{s}_shoulder"), 0, -1),
    "forearm": (("{s}_wrist", "{s}_elbow"), 0, -1),
    "hand": (("{s}_index", "{s}_wrist"), 0, -1),
    "trunk": (("neck", "mid_hip"), 0, -1),
}


def by_formula(points: Points, angle: str) -> NDArray[np.float64]:
    name, _, side = angle.partition("_")
    names, offset, scale = FORMULAS[name]
    p = [points[n.format(s=side)] for n in names]
    if len(p) == 2:
        u = p[0] - p[1]
        raw = np.degrees(np.arctan2(u[:, 1], u[:, 0]))
    else:
        u, v = (p[0] - p[1], p[2] - p[1]) if len(p) == 3 else (p[1] - p[0], p[3] - p[2])
        cross, dot = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0], (u * v).sum(axis=1)
        raw = -np.degrees(np.arctan2(cross, dot))
    return ((raw + offset) * scale + 180) % 360 - 180


def standing(frames: int = 3) -> Posture:
    one, two = np.zeros(frames), np.zeros((frames, 2))
    return Posture(one, one, two, two, two, two, two, two, two)


@pytest.mark.parametrize("near", [0, 1])
@pytest.mark.parametrize("motion", sorted(MOTIONS))
def test_true_angles_are_what_the_formulas_give_from_the_true_points(
    motion: str, near: int
) -> None:
    body, time_s = Body(1.7), np.arange(90) / 30
    movement = MOTIONS[motion](body, time_s, np.random.default_rng(3))
    lens = Lens(280.0, 480.0, 620.0, near)
    points = lens.project(place(body, movement.posture, movement.pelvis), 1.3 * time_s)
    angles = joint_angles(body, movement.posture)
    assert len(angles) == 25
    for name, value in angles.items():
        np.testing.assert_allclose(by_formula(points, name), value, atol=1e-6, err_msg=name)


def test_standing_upright_reads_zero_in_every_joint_and_right_angles_in_the_segments() -> None:
    angles = joint_angles(Body(), standing())
    for name, value in angles.items():
        kind = name.split("_")[0]
        expected = {"trunk": 90, "foot": 0}.get(kind, -90 if kind in FORMULAS else 0)
        if kind in ("ankle", "knee", "hip", "shoulder", "elbow", "wrist"):
            expected = 0
        np.testing.assert_allclose(value, expected, atol=1e-12, err_msg=name)


def test_a_person_standing_has_the_segment_lengths_of_the_table() -> None:
    body = Body(2.0)
    points = place(body, standing(1), np.array([[0.0, 1.0]]))
    assert points["left_knee"][0] == pytest.approx([0, 1.0 - 0.49])
    assert points["left_ankle"][0] == pytest.approx([0, 1.0 - 0.49 - 0.492])
    assert points["right_shoulder"][0] == pytest.approx([0, 1.0 + 0.576])
    assert points["right_wrist"][0] == pytest.approx([0, 1.576 - 0.372 - 0.292])
    heel, toe = points["left_heel"][0], points["left_foot_index"][0]
    assert toe - heel == pytest.approx([0.304, 0.0])


def test_walking_angles_stay_within_the_published_ranges() -> None:
    cycle = np.arange(200) / 200
    angles = joint_angles(Body(), walking_posture(cycle))
    knee, hip, ankle = (angles[f"{n}_left"] for n in ("knee", "hip", "ankle"))
    assert 12 < knee[:60].max() < 20, "loading response"
    assert 60 < knee.max() < 70, "swing"
    assert 0.66 < cycle[knee.argmax()] < 0.76
    assert -4 < knee.min() < 5
    assert 25 < hip.max() < 35
    assert -16 < hip.min() < -8
    assert 0.48 < cycle[hip.argmin()] < 0.58
    assert 8 < ankle.max() < 14
    assert -22 < ankle.min() < -7
    assert 0.58 < cycle[ankle.argmin()] < 0.72


def test_left_and_right_are_half_a_cycle_apart() -> None:
    now = joint_angles(Body(), walking_posture(np.array([0.1, 0.4])))
    later = joint_angles(Body(), walking_posture(np.array([0.6, 0.9])))
    for name in ("hip", "knee", "ankle", "shoulder", "elbow"):
        np.testing.assert_allclose(now[f"{name}_left"], later[f"{name}_right"], atol=1e-9)


def test_the_foot_on_the_floor_neither_sinks_nor_slides() -> None:
    body, time_s = Body(1.8), np.arange(0, 3, 0.005)
    movement = walk(body, time_s, np.random.default_rng(0))
    legs = leg_points(body, movement.posture)
    soles = [legs[f"sole_{n}"] + movement.pelvis[:, None] for n in ("heel", "ball", "toe")]
    lowest = np.min([s[..., 1].min(axis=1) for s in soles], axis=0)
    assert np.abs(lowest).max() < 0.006
    for sole in soles:
        down = sole[..., 1] < 0.002
        speed = np.abs(np.gradient(sole[..., 0], time_s, axis=0))
        assert np.median(speed[down]) < 0.05
        assert np.quantile(speed[down], 0.95) < 0.5
    assert 1.1 < movement.speed < 1.6


def test_feet_stand_still_in_squats_and_on_the_floor_when_sitting() -> None:
    for motion in ("squat", "sit"):
        body = Body()
        movement = MOTIONS[motion](body, np.arange(150) / 30, np.random.default_rng(1))
        points = place(body, movement.posture, movement.pelvis)
        for name in ("left_ankle", "right_heel", "left_foot_index"):
            np.testing.assert_allclose(np.ptp(points[name], axis=0), 0, atol=1e-9)
        assert joint_angles(body, movement.posture)["knee_left"].max() > 70


@pytest.mark.parametrize("facing", ["right", "left"])
def test_the_near_side_is_the_persons_own_and_larger(facing: str) -> None:
    poses = truth(PersonSettings(motion="squat", seconds=0.2, facing=facing)).poses  # type: ignore[arg-type]
    near, far = ("right", "left") if facing == "right" else ("left", "right")
    p = poses["position"].isel(time=0, individuals=0)
    assert p.sel(keypoints=f"{near}_heel", space="y") > p.sel(keypoints=f"{far}_heel", space="y")
    ahead = 1 if facing == "right" else -1
    step = p.sel(keypoints=f"{near}_foot_index") - p.sel(keypoints=f"{near}_heel")
    assert step.sel(space="x") * ahead > 20
    assert p.sel(keypoints="nose", space="x") * ahead > p.sel(keypoints="left_ear", space="x") * (
        ahead
    )


@pytest.mark.parametrize("facing", ["right", "left"])
@pytest.mark.parametrize("motion", sorted(MOTIONS))
def test_the_analysis_finds_the_true_angles_in_the_true_points(motion: str, facing: str) -> None:
    settings = PersonSettings(motion=motion, seed=2, seconds=2, facing=facing)  # type: ignore[arg-type]
    poses, angles = truth(settings)
    measured = compute_angles(poses, load_skeleton("blazepose33"))
    for name in angles["angle"].values:
        found = measured["angle_deg"].sel(angle=name)
        error = (found - angles["angle_deg"].sel(angle=name) + 180) % 360 - 180
        assert np.abs(error).max() < 0.01, name


def test_a_static_camera_lets_the_walker_cross_and_says_when_points_are_out_of_view() -> None:
    poses = truth(PersonSettings(seconds=4, camera="static")).poses
    hip = poses["position"].sel(keypoints="left_hip", space="x").values[:, 0]
    assert np.all(np.diff(hip) > 0)
    assert hip[0] < 0
    assert hip[-1] > 959
    assert hip[len(hip) // 2] == pytest.approx(480, abs=40)
    confidence = poses["confidence"].sel(keypoints="left_hip").values[:, 0]
    assert confidence[0] == 0
    assert confidence[len(hip) // 2] == 1


def test_a_following_camera_keeps_everything_in_view() -> None:
    for seed in range(3):
        poses, angles = truth(PersonSettings(seed=seed))
        assert (poses["confidence"] == 1).all()
        assert poses.sizes["time"] == angles.sizes["time"] == 180
        assert np.isfinite(poses["position"]).all()


def test_wrong_settings_are_named() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown motion 'wolk' \(did you mean 'walk'"):
        PersonSettings(motion="wolk")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="unknown facing 'up'"):
        PersonSettings(facing="up")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="size"):
        PersonSettings(size=(10, 10))
    with pytest.raises(ConfigError, match="positive"):
        PersonSettings(seconds=0)
