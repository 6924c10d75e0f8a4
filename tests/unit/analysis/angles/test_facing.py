"""Facing: decided once a pass, by the feet, then by travel, then by the nose."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from gonio.analysis.angles import compute_angles, facing
from gonio.skeletons import load_skeleton
from unit.analysis.angles.stick_figure import BLAZEPOSE, at, person

COCO = load_skeleton("coco17")


def turned(directions: list[int], *, fps: float = 30.0) -> xr.Dataset:
    """A standing person whose points are mirrored where the direction is −1."""
    position = person(frames=len(directions))["position"].values.astype(float)
    position[:, 0] = 400 + (position[:, 0] - 400) * np.array(directions)[:, None, None]
    return at(position, fps=fps)


def decided(poses: xr.Dataset, skeleton=BLAZEPOSE, **options: float) -> list[int]:  # type: ignore[no-untyped-def]
    result: list[int] = facing(poses, skeleton, **options).values[:, 0].tolist()
    return result


def test_a_photograph_is_enough() -> None:
    assert decided(turned([1])) == [1]
    assert decided(turned([-1])) == [-1]


@pytest.mark.parametrize("noisy", [[20], [20, 21, 22], [0], [59], [0, 1, 2], [10, 20, 30, 40]])
def test_single_noisy_frames_never_flip_it(noisy) -> None:
    directions = [1] * 60
    for i in noisy:
        directions[i] = -1
    assert decided(turned(directions)) == [1] * 60


def test_a_turn_counts_from_the_very_frame_in_which_it_happens() -> None:
    directions = [1] * 40 + [-1] * 20
    assert decided(turned(directions)) == directions
    assert decided(turned(directions[::-1])) == directions[::-1]
    assert decided(turned([1] * 30 + [-1] * 30 + [1] * 30)) == [1] * 30 + [-1] * 30 + [1] * 30


def test_a_turn_is_found_among_noisy_frames() -> None:
    directions = np.repeat([1, -1], 60)
    noisy = directions.copy()
    noisy[::7] *= -1
    got = np.array(decided(turned(noisy.tolist())))
    assert (np.diff(got) != 0).sum() == 1
    assert np.abs(np.flatnonzero(np.diff(got)) - 59) <= 1


def test_a_turn_needs_its_time_and_the_time_is_a_setting() -> None:
    brief = [1] * 40 + [-1] * 6
    assert decided(turned(brief)) == [1] * 46
    assert decided(turned(brief), min_turn_s=0.15) == brief
    there_and_back = [1] * 40 + [-1] * 12 + [1] * 40
    assert decided(turned(there_and_back)) == [1] * 92


def test_at_a_low_frame_rate_a_turn_needs_three_frames() -> None:
    assert decided(turned([1] * 6 + [-1] * 2, fps=3)) == [1] * 8
    assert decided(turned([1] * 6 + [-1] * 3, fps=3)) == [1] * 6 + [-1] * 3


def test_the_decision_holds_through_gaps_and_foot_positions_never_seen() -> None:
    poses = turned([-1] * 30)
    poses["position"][10:20] = np.nan
    assert decided(poses) == [-1] * 30
    poses = turned([-1] * 30)
    feet = [BLAZEPOSE.index(f"{s}_foot_index") for s in ("left", "right")]
    poses["position"][5:25, :, feet] = np.nan
    assert decided(poses) == [-1] * 30


def test_a_long_absence_ends_a_pass_and_nobody_faces_nowhere() -> None:
    poses = turned([1] * 5 + [1] * 60 + [-1] * 5)
    poses["position"][5:65] = np.nan
    assert decided(poses) == [1] * 5 + [0] * 60 + [-1] * 5


def test_one_foot_is_enough() -> None:
    poses = turned([-1] * 5)
    poses["position"][:, :, BLAZEPOSE.index("left_heel")] = np.nan
    assert decided(poses) == [-1] * 5


def test_feet_beat_travel_so_that_one_may_walk_backwards() -> None:
    position = person(frames=60)["position"].values.astype(float)
    position[:, 0] -= np.linspace(0, 600, 60)[:, None, None]
    assert decided(at(position)) == [1] * 60


def test_without_feet_travel_decides_even_against_the_nose() -> None:
    position = person(frames=60, skeleton=COCO)["position"].values.astype(float)
    position[:, 0] -= np.linspace(0, 600, 60)[:, None, None]
    assert decided(at(position, skeleton=COCO), COCO) == [-1] * 60
    there = np.concatenate([np.linspace(0, 600, 60), np.linspace(590, 0, 60)])
    position = person(frames=120, skeleton=COCO)["position"].values + there[:, None, None, None]
    got = np.array(decided(at(position, skeleton=COCO), COCO))
    assert got[0] == 1
    assert (np.diff(got) != 0).sum() == 1
    assert abs(int(np.flatnonzero(np.diff(got))[0]) - 59) <= 1


@pytest.mark.parametrize("faces", [1, -1])
def test_without_feet_and_travel_the_nose_decides(faces) -> None:
    poses = person(faces=faces, frames=20, skeleton=COCO)
    assert decided(poses, COCO) == [faces] * 20
    poses["position"][:, :, COCO.index("left_ear")] = np.nan
    assert decided(poses, COCO) == [faces] * 20


def test_swaying_on_the_spot_is_no_travel() -> None:
    poses = person(faces=1, frames=90, skeleton=COCO)
    sway = 40 * np.sin(np.arange(90) / 8)
    poses["position"][:, 0] -= sway.astype(np.float32)[:, None, None]
    assert decided(poses, COCO) == [1] * 90


def test_feet_that_point_at_the_camera_tell_nothing() -> None:
    position = np.full((10, 2, 33, 1), np.nan)
    for side, x in (("left", 230), ("right", 170)):
        position[:, :, BLAZEPOSE.index(f"{side}_heel"), 0] = (x, 400)
        position[:, :, BLAZEPOSE.index(f"{side}_foot_index"), 0] = (x, 412)
    assert decided(at(position)) == [0] * 10


def test_turning_by_way_of_the_camera_changes_where_the_feet_cross_its_axis() -> None:
    azimuth = np.deg2rad(np.linspace(0, 180, 61))
    heel, length = np.array([400.0, 400.0]), 40.0
    position = np.full((61, 2, 33, 1), np.nan)
    toe = heel + length * np.stack([np.cos(azimuth), 0.3 * np.sin(azimuth)], axis=-1)
    for side in ("left", "right"):
        position[:, :, BLAZEPOSE.index(f"{side}_heel"), 0] = heel
        position[:, :, BLAZEPOSE.index(f"{side}_foot_index"), 0] = toe
    got = np.array(decided(at(position)))
    assert (np.diff(got) != 0).sum() == 1
    assert abs(int(np.flatnonzero(np.diff(got))[0]) - 30) <= 3


def test_people_are_decided_one_by_one() -> None:
    both = np.concatenate(
        [turned([1] * 20)["position"].values, turned([-1] * 20)["position"].values], axis=3
    )
    got = facing(at(both), BLAZEPOSE)
    assert got.dtype == np.int8
    assert got.dims == ("time", "individuals")
    assert got.values[0].tolist() == [1, -1]


def test_uneven_frame_times_do_not_matter() -> None:
    directions = [1] * 30 + [-1] * 30
    poses = turned(directions)
    rng = np.random.default_rng(0)
    uneven = np.cumsum(rng.uniform(0.01, 0.06, 60))
    assert decided(poses.assign_coords(time=uneven)) == directions


def test_angles_do_not_flip_at_a_noisy_frame_and_follow_a_turn() -> None:
    bend = {"knee_left": np.full(60, 40.0), "hip_left": np.full(60, 20.0)}
    position = person(bend)["position"].values.astype(float)
    direction = np.repeat([1, -1], 30)
    position[:, 0] = 400 + (position[:, 0] - 400) * direction[:, None, None]
    feet = [BLAZEPOSE.index(f"{s}_{p}") for s in ("left", "right") for p in ("heel", "foot_index")]
    position[10, 0][feet] = 800 - position[10, 0][feet]
    angles = compute_angles(at(position), BLAZEPOSE, names=["knee_left", "hip_left"])
    np.testing.assert_allclose(angles["angle_deg"].values[:, 0, 0], 40, atol=1e-3)
    np.testing.assert_allclose(angles["angle_deg"].values[:, 1, 0], 20, atol=1e-3)
    assert angles["facing"].values[:, 0].tolist() == direction.tolist()
