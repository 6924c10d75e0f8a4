"""Left/right swaps: what is put right, what is left alone, what is marked and logged."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gonio.errors import ConfigError, UnknownNameError
from gonio.poses import load_poses, make_poses, operation_log, save_poses, validate_poses
from gonio.skeletons import load_skeleton
from gonio.synthetic import PersonSettings, truth
from gonio.tracking import repair_swaps, swaps
from gonio.tracking.limbs import find_limb

RATE = 30.0
LEG = ("hip", "knee", "ankle", "heel", "foot_index")
ARM = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")


def walk(
    *, seed: int = 0, seconds: float = 4.0, fps: float = RATE, noise: float = 0.0
) -> xr.Dataset:
    """Return a walker's true points; ``noise`` in pixels (a leg is about 250 long)."""
    poses = truth(PersonSettings(seed=seed, seconds=seconds, fps=fps)).poses
    rng = np.random.default_rng(seed)
    position = poses["position"].values
    noisy = (position + rng.normal(0, 1, position.shape) * noise).astype(np.float32)
    confidence = np.full(poses["confidence"].shape, 0.9, np.float32)
    return poses.assign(
        position=poses["position"].copy(data=noisy),
        confidence=poses["confidence"].copy(data=confidence),
    )


def swap(poses: xr.Dataset, parts: tuple[str, ...], frames: Any, person: int = 0) -> xr.Dataset:
    """Exchange left and right of some points, with their confidence."""
    swapped = poses.copy(deep=True)
    names = [str(k) for k in poses["keypoints"].values]
    for part in parts:
        left, right = names.index(f"left_{part}"), names.index(f"right_{part}")
        for name in ("position", "confidence"):
            values, was = swapped[name].values, poses[name].values
            values[frames, ..., left, person] = was[frames, ..., right, person]
            values[frames, ..., right, person] = was[frames, ..., left, person]
    return swapped


def apart(poses: xr.Dataset, part: str) -> NDArray[np.float64]:
    side = [
        poses["position"].sel(keypoints=f"{s}_{part}").values[..., 0] for s in ("left", "right")
    ]
    distance: NDArray[np.float64] = np.linalg.norm(side[0] - side[1], axis=1)
    return distance


def stretches(poses: xr.Dataset) -> dict[str, dict[str, list[list[float]]]]:
    found: dict[str, dict[str, list[list[float]]]] = operation_log(poses)[-1]["stretches"]
    return found


WALK = walk(noise=2.0)
WIDE = int(np.argmax(apart(WALK, "knee")[30:90])) + 30


@pytest.mark.parametrize(
    ("parts", "word"),
    [(LEG, "legs"), (LEG[1:], "lower_legs"), (LEG[2:], "feet"), (("knee",), "knees")],
)
@pytest.mark.parametrize("length", [1, 4])
def test_a_swapped_leg_or_a_part_of_it_is_put_right(
    parts: tuple[str, ...], word: str, length: int
) -> None:
    frames = np.arange(WIDE, WIDE + length)
    repaired = repair_swaps(swap(WALK, parts, frames))
    validate_poses(repaired)
    below = [f"{side}_{part}" for side in ("left", "right") for part in LEG[1:]]
    np.testing.assert_array_equal(
        repaired["position"].sel(keypoints=below), WALK["position"].sel(keypoints=below)
    )
    np.testing.assert_array_equal(
        repaired["confidence"].sel(keypoints=below), WALK["confidence"].sel(keypoints=below)
    )
    # Hips lie over each other in a side view: whether they go along cannot be seen.
    alike = [{"legs", "lower_legs"}, {"knees", "thighs"}, {"feet"}]
    words = next(group for group in alike if word in group)
    (found,) = stretches(repaired)["person_0"].items()
    assert found[0] in words
    assert found[1] == [[round(WIDE / RATE, 3), round((WIDE + length - 1) / RATE, 3)]]


def test_what_was_exchanged_is_marked_and_nothing_else() -> None:
    repaired = repair_swaps(swap(WALK, LEG[2:], [WIDE]))
    marked = repaired["filled"].values[..., 0]
    names = [str(k) for k in WALK["keypoints"].values]
    expected = np.zeros_like(marked)
    for side, part in itertools.product(("left", "right"), LEG[2:]):
        expected[WIDE, names.index(f"{side}_{part}")] = True
    np.testing.assert_array_equal(marked, expected)
    assert operation_log(repaired)[-1] == {
        "operation": "repair_swaps",
        "limbs": ["leg", "arm"],
        "max_stretch_s": 2.0,
        "caution": 1.0,
        "repaired": 1,
        "stretches": {"person_0": {"feet": [[round(WIDE / RATE, 3)] * 2]}},
    }


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_walk_without_swaps_passes_unchanged(seed: int, fps: float) -> None:
    poses = walk(seed=seed, fps=fps, noise=3.0)
    repaired = repair_swaps(poses)
    np.testing.assert_array_equal(repaired["position"], poses["position"])
    assert not repaired["filled"].any()
    assert stretches(repaired) == {}


def test_a_swap_through_a_crossing_ends_where_it_should() -> None:
    knees = apart(WALK, "foot_index")
    crossing = int(np.argmin(knees[30:80])) + 30
    frames = np.arange(crossing, crossing + 12)
    repaired = repair_swaps(swap(WALK, LEG, frames))
    wrong = np.abs(repaired["position"] - WALK["position"]).max("space")
    # Only where the feet cannot be told apart may the exchange begin early or late.
    for part in LEG[2:]:
        clear = apart(WALK, part) > 25
        assert wrong.sel(keypoints=f"left_{part}").values[clear].max() == 0


def test_the_input_is_left_alone_and_repairing_twice_changes_nothing_more() -> None:
    poses = swap(WALK, LEG, [WIDE])
    before = poses.copy(deep=True)
    once = repair_swaps(poses)
    xr.testing.assert_identical(poses, before)
    twice = repair_swaps(once)
    np.testing.assert_array_equal(twice["position"], once["position"])
    np.testing.assert_array_equal(twice["filled"], once["filled"])
    assert stretches(twice) == {}


def test_arms_and_people_are_judged_each_for_themselves() -> None:
    apart_s = int(np.argmax(apart(WALK, "wrist")[30:90])) + 30
    other = walk(seed=3, noise=2.0).assign_coords(individuals=["person_1"])
    both = xr.concat(
        [WALK, other], dim="individuals", data_vars="minimal", combine_attrs="override"
    )
    both["position"] = both["position"].transpose("time", "space", "keypoints", "individuals")
    both["confidence"] = both["confidence"].transpose("time", "keypoints", "individuals")
    wrong = swap(both, ARM, np.arange(apart_s, apart_s + 3))
    repaired = repair_swaps(wrong)
    hands = [f"{side}_{part}" for side in ("left", "right") for part in ("elbow", "wrist")]
    np.testing.assert_array_equal(
        repaired["position"].sel(keypoints=hands), both["position"].sel(keypoints=hands)
    )
    assert set(stretches(repaired)) == {"person_0"}
    untouched = repair_swaps(wrong, limbs=["leg"])
    np.testing.assert_array_equal(untouched["position"], wrong["position"])
    assert operation_log(untouched)[-1]["limbs"] == ["leg"]


def test_limbs_searched_side_by_side_are_repaired_as_each_would_be_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three people, one unseen for a while, one never seen; legs and arms."""
    people = [walk(seed=seed, noise=2.0) for seed in range(3)]
    position = np.concatenate([p["position"].values for p in people], axis=3)
    position[50:60, :, :, 1] = np.nan
    position[..., 2] = np.nan
    poses = make_poses(
        position,
        np.full((len(position), 33, 3), 0.9),
        time_s=WALK["time"].values,
        skeleton=load_skeleton("blazepose33"),
    )
    for person, (parts, frames) in enumerate([(LEG, [20, 70]), (ARM, [30, 31, 90])]):
        poses = swap(poses, parts, frames, person)
    together = repair_swaps(poses)
    assert stretches(together).keys() == {"person_0", "person_1"}
    monkeypatch.setattr(swaps, "_FRAMES_TOGETHER", 1)
    xr.testing.assert_identical(repair_swaps(poses), together)


def test_points_that_cross_are_not_taken_for_a_swap_and_points_that_seem_to_bounce_are() -> None:
    """Knees and ankles pass each other at 6 and 12 % of the leg a frame; hips stand still."""
    poses = scissors(120.0 - 12.0 * np.arange(21))
    assert stretches(repair_swaps(poses)) == {}
    repaired = repair_swaps(swap(poses, ("knee", "ankle"), np.arange(11, 15)))
    np.testing.assert_array_equal(repaired["position"], poses["position"])


def test_points_that_cannot_be_told_apart_stay_as_they_are() -> None:
    poses = scissors(np.full(40, 0.5))
    poses = swap(poses, ("hip", "knee", "ankle"), np.arange(10, 14))
    np.testing.assert_array_equal(repair_swaps(poses)["position"], poses["position"])


def test_a_jump_of_one_foot_is_no_swap() -> None:
    """The left foot is seen on the right one for a frame: the middle of the two moves too."""
    poses = WALK.copy(deep=True)
    names = [str(k) for k in poses["keypoints"].values]
    for part in LEG[1:]:
        left, right = names.index(f"left_{part}"), names.index(f"right_{part}")
        poses["position"].values[WIDE, :, left] = poses["position"].values[WIDE, :, right]
    np.testing.assert_array_equal(repair_swaps(poses)["position"], poses["position"])


def test_a_stretch_that_is_too_long_stays_as_it_is() -> None:
    long = walk(seconds=10, noise=2.0)
    poses = swap(long, LEG, np.arange(100, 140))
    assert stretches(repair_swaps(poses))
    assert stretches(repair_swaps(poses, max_stretch_s=1.0)) == {}


def test_a_search_that_began_with_the_wrong_arms_finds_the_later_swaps_all_the_same() -> None:
    """Seen forward, five frames are right and 36 exchanged: the latter seem to be the rule."""
    long = walk(seed=2, seconds=10, noise=1.0)
    wide = np.flatnonzero(apart(long, "elbow") > 60)
    single = [int(wide[np.argmin(np.abs(wide - near))]) for near in (100, 200)]
    repaired = repair_swaps(swap(long, ARM[1:], [*range(5, 41), *single]))
    for part in ("elbow", "wrist"):
        names = [f"left_{part}", f"right_{part}"]
        wrong = np.abs(repaired["position"] - long["position"]).sel(keypoints=names)
        assert wrong.values[apart(long, part) > 25].max() == 0


def test_evidence_lapses_over_a_gap() -> None:
    """After a second unseen nobody can say which leg is which: nothing is touched."""
    poses = swap(WALK, LEG, np.arange(75, 120))
    poses["position"].values[45:75] = np.nan
    repaired = repair_swaps(poses)
    np.testing.assert_array_equal(repaired["position"], poses["position"])
    assert not repaired["filled"].any()


def test_a_swap_beside_a_short_gap_is_found_and_missing_points_go_along() -> None:
    poses = swap(WALK, LEG, [WIDE])
    names = [str(k) for k in poses["keypoints"].values]
    poses["position"].values[WIDE - 2, :, names.index("left_ankle")] = np.nan
    poses["position"].values[WIDE, :, names.index("left_heel")] = np.nan
    repaired = repair_swaps(poses)
    assert np.isnan(repaired["position"].sel(keypoints="right_heel").values[WIDE]).all()
    assert np.isfinite(repaired["position"].sel(keypoints="left_heel").values[WIDE]).all()
    assert not repaired["filled"].sel(keypoints="right_heel").values[WIDE].any()
    assert repaired["filled"].sel(keypoints="left_heel").values[WIDE].all()


def test_covariance_and_earlier_marks_are_exchanged_along() -> None:
    poses = swap(WALK, LEG, [WIDE])
    names = [str(k) for k in poses["keypoints"].values]
    left, right = names.index("left_knee"), names.index("right_knee")
    shape = (poses.sizes["time"], 2, 2, len(names), 1)
    covariance = np.ones(shape, np.float32)
    covariance[WIDE, :, :, left] = 4
    poses["covariance"] = (("time", "space", "space_b", "keypoints", "individuals"), covariance)
    poses = poses.assign_coords(space_b=["x", "y"])
    marks = np.zeros((shape[0], len(names), 1), bool)
    marks[5, left] = True
    poses["filled"] = (("time", "keypoints", "individuals"), marks)
    repaired = repair_swaps(poses)
    assert (repaired["covariance"].values[WIDE, :, :, right] == 4).all()
    assert (repaired["covariance"].values[WIDE, :, :, left] == 1).all()
    assert repaired["filled"].values[5, left, 0]


def test_the_search_in_blocks_finds_what_one_block_would() -> None:
    """A recording longer than a block, swaps before, at and after the block's end."""
    one = walk(seconds=6, noise=2.0)
    again = [one, one.isel(time=slice(None, None, -1))] * 8
    position = np.concatenate([p["position"].values for p in again])
    poses = make_poses(
        position,
        np.ones((len(position), 33, 1)),
        time_s=np.arange(len(position)) / RATE,
        skeleton=load_skeleton("blazepose33"),
    )
    wide = np.flatnonzero(apart(poses, "knee") > 60)
    chosen = [wide[np.argmin(np.abs(wide - near))] for near in (40, 2396, 2400, 2404, 2700)]
    repaired = repair_swaps(swap(poses, LEG, chosen))
    knees = ["left_knee", "right_knee", "left_ankle", "right_ankle"]
    np.testing.assert_array_equal(
        repaired["position"].sel(keypoints=knees), poses["position"].sel(keypoints=knees)
    )
    touched = np.flatnonzero(repaired["filled"].any(["keypoints", "individuals"]).values)
    assert touched.tolist() == sorted(set(chosen))


@given(st.integers(0, 119), st.sampled_from([LEG[1:], LEG[2:]]), st.floats(0.01, 100))
def test_scale_does_not_matter(frame: int, parts: tuple[str, ...], scale: float) -> None:
    poses = swap(WALK, parts, [frame])
    larger = poses.assign(position=poses["position"] * np.float32(scale))
    assert stretches(repair_swaps(larger)) == stretches(repair_swaps(poses))


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_very_short_recordings_pass(frames: int) -> None:
    poses = WALK.isel(time=slice(frames))
    np.testing.assert_array_equal(repair_swaps(poses)["position"], poses["position"])


@pytest.mark.parametrize("skeleton", ["gait6", "rearfoot6"])
def test_a_skeleton_without_a_whole_limb_passes_unchanged(skeleton: str) -> None:
    points = load_skeleton(skeleton)
    position = np.random.default_rng(0).normal(size=(20, 2, 6, 1))
    poses = make_poses(position, np.ones((20, 6, 1)), time_s=np.arange(20) / 30, skeleton=points)
    repaired = repair_swaps(poses)
    np.testing.assert_array_equal(repaired["position"], poses["position"])
    assert operation_log(repaired)[-1]["limbs"] == []


def test_nobody_and_people_who_were_never_seen_pass() -> None:
    assert repair_swaps(WALK.isel(individuals=[])).sizes["individuals"] == 0
    unseen = WALK.assign(position=WALK["position"] * np.nan)
    assert not repair_swaps(unseen)["filled"].any()


def test_the_repaired_tracks_are_saved_and_read(tmp_path: Any) -> None:
    repaired = repair_swaps(swap(WALK, LEG, [WIDE]))
    save_poses(tmp_path / "poses.nc", repaired)
    assert stretches(load_poses(tmp_path / "poses.nc")) == stretches(repaired)


@pytest.mark.parametrize(
    ("setting", "error", "message"),
    [
        ({"caution": 0}, ConfigError, "caution must be a positive number"),
        ({"max_stretch_s": "long"}, ConfigError, "max_stretch_s must be"),
        ({"limbs": ["legs"]}, UnknownNameError, "limb.*'leg'"),
    ],
)
def test_a_wrong_setting_is_named(
    setting: dict[str, Any], error: type[ConfigError], message: str
) -> None:
    with pytest.raises(error, match=message):
        repair_swaps(WALK, **setting)


def test_limbs_are_found_by_the_names_of_their_points() -> None:
    leg = find_limb("leg", load_skeleton("lower6").keypoints)
    assert leg is not None
    assert leg.parts == ("", "legs", "lower_legs", "feet", "knees", "thighs")
    body = find_limb("leg", load_skeleton("body25b").keypoints)
    assert body is not None
    names = load_skeleton("body25b").keypoints
    assert [names[i] for i in body.left[body.watched]] == [
        "left_hip", "left_knee", "left_ankle", "left_big_toe"
    ]  # fmt: skip
    without_hip = find_limb("leg", ["left_knee", "left_ankle", "right_knee", "right_ankle"])
    assert without_hip is not None
    assert without_hip.parts == ("", "legs", "feet", "knees")
    assert find_limb("arm", load_skeleton("lower6").keypoints) is None


def test_units_that_no_pattern_exchanges_alone_are_exchanged_as_far_as_there_is_one() -> None:
    leg = find_limb("leg", load_skeleton("lower6").keypoints)
    assert leg is not None
    wanted = [[False] * 3, [True] * 3, [True, False, True], [True, False, False]]
    words = [leg.parts[pattern] for pattern in leg.nearest(np.array(wanted))]
    assert words == ["", "legs", "feet", ""]


def scissors(x: NDArray[np.float64]) -> xr.Dataset:
    """Knees and ankles at ±x around the middle, hips one above the other; a leg is 200 long."""
    position = np.zeros((len(x), 2, 6, 1))
    position[:, 1, 2:4] = 100
    position[:, 1, 4:] = 200
    for joint, share in ((2, 0.5), (4, 1.0)):
        position[:, 0, joint, 0] = share * x
        position[:, 0, joint + 1, 0] = -share * x
    return make_poses(
        position,
        np.ones((len(x), 6, 1)),
        time_s=np.arange(len(x)) / RATE,
        skeleton=load_skeleton("lower6"),
    )
