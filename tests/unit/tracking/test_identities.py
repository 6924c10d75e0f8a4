"""Identity: two who cross, one who is hidden, one who leaves while another comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from gonio.errors import ConfigError, PosesError
from gonio.poses import operation_log, validate_poses
from gonio.skeletons import load_skeleton
from gonio.tracking import assign_identities

SKELETON = load_skeleton("coco17")
FPS = 30.0


@dataclass(frozen=True)
class Person:
    """The runtime's person, with the same fields."""

    keypoints_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    score: float = 1.0
    region: object = None


@dataclass(frozen=True)
class FramePeople:
    """The runtime's frame of people, with the same fields."""

    index: int
    time_s: float
    people: tuple[Person, ...]


def walker(x: float, t: float, *, facing: int = 1, height: float = 400, y: float = 500) -> Person:
    """Draw a walking stick figure whose hip is at (x, y)."""
    swing = np.sin(2 * np.pi * t)
    unit = {
        "nose": (0.06, -0.42),
        "eye": (0.05, -0.44),
        "ear": (0.0, -0.44),
        "shoulder": (0.0, -0.32),
        "elbow": (-0.08 * swing, -0.15),
        "wrist": (-0.14 * swing, 0.0),
        "hip": (0.0, 0.0),
        "knee": (0.1 * swing, 0.24),
        "ankle": (0.18 * swing, 0.48),
    }
    points = []
    for name in SKELETON.keypoints:
        side = -1 if name.startswith("left_") else 1
        ux, uy = unit[name.split("_")[-1]]
        limb = name.split("_")[-1] in {"elbow", "wrist", "knee", "ankle"}
        points.append((x + facing * height * ux * (side if limb else 1), y + height * uy))
    return Person(np.array(points, np.float32), np.full(len(points), 0.9, np.float32))


def recording(
    people: Sequence[Callable[[float], Person | None]],
    seconds: float,
    *,
    noise_px: float = 0.0,
    swap: bool = True,
    fps: float = FPS,
) -> list[FramePeople]:
    """Sample walkers; the order of the people in a frame changes from frame to frame."""
    rng = np.random.default_rng(0)
    frames = []
    for i in range(round(seconds * fps)):
        seen = [p for f in people if (p := f(i / fps)) is not None]
        if noise_px:
            seen = [
                Person(
                    (p.keypoints_px + rng.normal(0, noise_px, p.keypoints_px.shape)).astype("f4"),
                    p.confidence,
                )
                for p in seen
            ]
        frames.append(FramePeople(i, i / fps, tuple(seen[::-1] if swap and i % 2 else seen)))
    return frames


def identities(frames: Iterable[FramePeople], **settings: float) -> xr.Dataset:
    poses = assign_identities(frames, SKELETON, fps=FPS, attrs={"source": "x.mp4"}, **settings)
    validate_poses(poses)
    return poses


def hip_x(poses: xr.Dataset, person: int) -> NDArray[np.float64]:
    hips = poses["position"].sel(keypoints=["left_hip", "right_hip"], space="x")
    return hips.mean("keypoints", skipna=False).isel(individuals=person).values.astype(float)


def to_right(t: float) -> Person:
    return walker(200 + 300 * t, t)


def to_left(t: float) -> Person:
    return walker(1400 - 300 * t, t + 0.3, facing=-1)


def test_two_who_cross_keep_their_identities() -> None:
    poses = identities(recording([to_right, to_left], 4, noise_px=3))
    assert poses.sizes["individuals"] == 2
    assert (np.diff(hip_x(poses, 0)[::10]) > 0).all()
    assert (np.diff(hip_x(poses, 1)[::10]) < 0).all()
    assert operation_log(poses)[0]["people"] == 2


@pytest.mark.parametrize("hidden", [0, 1])
@pytest.mark.parametrize("frames_hidden", [1, 3, 8, 20])
@pytest.mark.parametrize("look_alike", [False, True])
@pytest.mark.parametrize("speed", [300, 80])
def test_two_who_cross_while_only_one_is_seen_do_not_swap(
    hidden: int, frames_hidden: int, look_alike: bool, speed: float
) -> None:
    meeting_s, facing = 2.0, 1 if look_alike else -1

    def a(t: float) -> Person:
        return walker(800 + speed * (t - meeting_s), t)

    def b(t: float) -> Person:
        return walker(800 - speed * (t - meeting_s), t if look_alike else t + 0.3, facing=facing)

    walkers = [a, b]

    def sometimes(t: float) -> Person | None:
        gone = abs(t - meeting_s) * 2 * FPS < frames_hidden
        return None if gone else walkers[hidden](t)

    people = [sometimes, b] if hidden == 0 else [a, sometimes]
    poses = identities(recording(people, 4, noise_px=2))
    assert poses.sizes["individuals"] == 2
    time_s = poses["time"].values
    for person, way in ((0, 1), (1, -1)):
        x = hip_x(poses, person)
        off = np.abs(x - (800 + way * speed * (time_s - meeting_s)))
        # Where both bodies coincide nobody can tell; a step to the side they must be right.
        assert np.nanmax(off) < 25
        assert np.isfinite(x).sum() >= len(time_s) - frames_hidden - 1


def test_who_is_hidden_by_a_tree_comes_back_as_the_same_person() -> None:
    def behind_tree(t: float) -> Person | None:
        return None if 1.5 < t < 2.4 else to_right(t)

    poses = identities(recording([behind_tree], 4, noise_px=2))
    assert list(poses["individuals"].values) == ["person_0"]
    assert np.isnan(hip_x(poses, 0)).sum() == 26
    shorter = identities(recording([behind_tree], 4, noise_px=2), max_gap_s=0.5)
    assert shorter.sizes["individuals"] == 2


def test_who_turns_at_the_bottom_of_a_squat_unseen_is_the_same_person() -> None:
    def squat(t: float) -> Person | None:
        return None if 0.85 < t < 1.15 else walker(500, 0, y=500 - 100 * np.cos(np.pi * t))

    assert identities(recording([squat], 2, noise_px=1)).sizes["individuals"] == 1


@pytest.mark.parametrize("gap_s", [0.2, 0.4, 0.8])
def test_one_leaves_and_another_enters_at_the_same_edge(gap_s: float) -> None:
    def leaves(t: float) -> Person | None:
        return walker(600 - 300 * t, t, facing=-1) if t < 2 else None

    def enters(t: float) -> Person | None:
        return walker(300 * (t - 2 - gap_s), t) if t >= 2 + gap_s else None

    poses = identities(recording([leaves, enters], 5, noise_px=2))
    assert poses.sizes["individuals"] == 2
    assert np.nanargmax(np.isfinite(hip_x(poses, 1))) == round((2 + gap_s) * FPS)


def test_a_much_smaller_person_at_the_same_place_is_somebody_else() -> None:
    def large(t: float) -> Person | None:
        return walker(500, t) if t < 1 else None

    def small(t: float) -> Person | None:
        return walker(500, t, height=200, y=600) if t >= 1.2 else None

    assert identities(recording([large, small], 3)).sizes["individuals"] == 2


def test_a_jump_across_the_image_is_somebody_else() -> None:
    def far(t: float) -> Person:
        return to_right(t) if t < 2 else walker(1500, t)

    assert identities(recording([far], 4)).sizes["individuals"] == 2


def test_a_flicker_is_dropped_and_counted() -> None:
    def flicker(t: float) -> Person | None:
        return walker(1500, t) if 1 < t < 1.1 else None

    poses = identities(recording([to_right, flicker], 3))
    assert poses.sizes["individuals"] == 1
    entry = operation_log(poses)[0]
    assert (entry["dropped_tracks"], entry["dropped_sightings"]) == (1, 2)
    kept = identities(recording([to_right, flicker], 3), min_track_s=0)
    assert kept.sizes["individuals"] == 2


def test_a_recording_shorter_than_the_shortest_track_drops_nobody() -> None:
    def late(t: float) -> Person | None:
        return walker(1500, t) if t > 0 else None

    assert identities(recording([to_right, late], 3 / FPS)).sizes["individuals"] == 2


def test_poses_hold_exactly_what_the_model_gave() -> None:
    frames = recording([to_right], 1, noise_px=3)
    poses = identities(frames)
    given = np.stack([f.people[0].keypoints_px for f in frames])
    np.testing.assert_array_equal(
        poses["position"].values[..., 0].transpose(0, 2, 1), given.astype(np.float32)
    )
    assert poses["position"].dtype == np.float32
    assert poses.attrs["fps"] == FPS
    assert poses.attrs["source"] == "x.mp4"


def test_an_image_keeps_everybody_and_a_slow_series_follows() -> None:
    image = identities(recording([to_right, to_left], 1 / FPS))
    assert image.sizes["individuals"] == 2
    assert hip_x(image, 0)[0] == 200
    slow = identities(recording([to_right, to_left], 4, fps=5))
    assert slow.sizes["individuals"] == 2


def test_nobody_gives_an_empty_dimension() -> None:
    poses = identities([FramePeople(i, i / FPS, ()) for i in range(5)])
    assert dict(poses.sizes) == {"time": 5, "space": 2, "keypoints": 17, "individuals": 0}
    blind = Person(np.full((17, 2), np.nan, np.float32), np.zeros(17, np.float32))
    assert identities([FramePeople(0, 0.0, (blind,))]).sizes["individuals"] == 0


def test_a_person_seen_in_part_stays_the_same_person() -> None:
    def legs_or_head_hidden(t: float) -> Person:
        person = to_right(t)
        points = person.keypoints_px.copy()
        part = slice(0, 5) if int(t * 4) % 2 else slice(13, 17)
        points[part] = np.nan
        return Person(points, person.confidence)

    assert identities(recording([legs_or_head_hidden], 2)).sizes["individuals"] == 1


def test_wrong_settings_and_times_are_named() -> None:
    with pytest.raises(ConfigError, match="max_gap_s must be a number of at least 0"):
        identities([], max_gap_s=-1)
    with pytest.raises(PosesError, match="time does not increase"):
        identities([FramePeople(i, 0.0, ()) for i in range(2)])
