"""Identity among several: occlusion, edges, doubles, exchanged sides, seams."""

from __future__ import annotations

import numpy as np
import pytest

from gonio.poses import operation_log
from unit.tracking.test_identities import (
    FPS,
    SKELETON,
    FramePeople,
    Person,
    hip_x,
    identities,
    recording,
    to_left,
    to_right,
    walker,
)

MIRROR = SKELETON.flip_order()


def mirrored(person: Person, part: slice = slice(None)) -> Person:
    """Exchange left and right of some keypoints, as a model does that takes front for back."""
    points = person.keypoints_px.copy()
    points[part] = points[MIRROR][part]
    return Person(points, person.confidence)


def from_the_front(t: float) -> Person:
    """Someone who stands with the sides 120 px apart."""
    person = walker(500, t)
    side = [-1 if n.startswith("left_") else 1 for n in SKELETON.keypoints]
    points = person.keypoints_px + np.array([[60 * s, 0] for s in side], np.float32)
    return Person(points, person.confidence)


@pytest.mark.parametrize("part", [slice(None), slice(5, 11), slice(11, 17)])
def test_exchanged_sides_make_nobody_else(part: slice) -> None:
    def turns(t: float) -> Person:
        person = from_the_front(t)
        return mirrored(person, part) if round(t * FPS) % 7 > 3 else person

    assert identities(recording([turns], 2, noise_px=2)).sizes["individuals"] == 1


@pytest.mark.parametrize(("hidden_s", "people"), [(0.3, 1), (0.8, 1), (1.5, 2)])
def test_behind_a_tree_a_walker_keeps_the_identity_for_a_second(
    hidden_s: float, people: int
) -> None:
    def behind_tree(t: float) -> Person | None:
        return None if 1 < t < 1 + hidden_s else to_right(t)

    poses = identities(recording([behind_tree, to_left], 4, noise_px=2))
    assert poses.sizes["individuals"] == 1 + people


@pytest.mark.parametrize("hidden_s", [0.3, 0.8])
def test_who_comes_out_where_nobody_was_expected_is_somebody_else(hidden_s: float) -> None:
    def elsewhere(t: float) -> Person | None:
        if 1 < t < 1 + hidden_s:
            return None
        return to_right(t) if t <= 1 else walker(1200 + 300 * t, t)

    assert identities(recording([elsewhere], 3, noise_px=2)).sizes["individuals"] == 2


def test_people_enter_and_leave_at_both_edges() -> None:
    def inside(x: float, t: float, facing: int) -> Person | None:
        return walker(x, t, facing=facing) if 0 <= x <= 1000 else None

    people = [
        lambda t: inside(400 * t - 100, t, 1),
        lambda t: inside(1400 - 400 * t, t + 0.3, -1),
        lambda t: inside(400 * t - 1500, t + 0.6, 1),
    ]
    poses = identities(recording(people, 7, noise_px=2))
    assert poses.sizes["individuals"] == 3
    for person, way in enumerate((1, -1, 1)):
        x = hip_x(poses, person)
        x = x[np.isfinite(x)]
        assert len(x) >= 74
        assert way * (x[-1] - x[0]) > 950


@pytest.mark.parametrize("of_other", [0, 1])
def test_one_person_seen_twice_for_a_while_stays_one(of_other: int) -> None:
    frames = recording([to_right, to_left], 1.8, noise_px=2, swap=False)
    doubled = [
        FramePeople(f.index, f.time_s, (*f.people, f.people[of_other])) if 10 <= f.index < 35 else f
        for f in frames
    ]
    poses = identities(doubled)
    assert poses.sizes["individuals"] == 2
    assert operation_log(poses)[0]["dropped_doubles"] == 25
    assert np.isfinite(hip_x(poses, 0)).all()
    assert np.isfinite(hip_x(poses, 1)).all()


def test_whose_double_stays_when_the_first_sighting_ends_stays_the_same() -> None:
    frames = []
    for frame in recording([to_right], 3, noise_px=2):
        (person,) = frame.people
        double = Person(person.keypoints_px + np.float32(5), person.confidence)
        first, second = frame.index < 50, frame.index >= 45
        seen = (*([person] if first else []), *([double] if second else []))
        frames.append(FramePeople(frame.index, frame.time_s, seen))
    poses = identities(frames)
    assert poses.sizes["individuals"] == 1
    assert np.isfinite(hip_x(poses, 0)).all()
    assert operation_log(poses)[0]["dropped_doubles"] == 5


def test_who_steps_out_from_behind_another_is_no_double() -> None:
    def steps_out(t: float) -> Person | None:
        return walker(530 + 250 * (t - 1), t, facing=-1) if t >= 1 else None

    poses = identities(recording([lambda t: walker(500, 0), steps_out], 3, noise_px=2))
    assert poses.sizes["individuals"] == 2
    assert operation_log(poses)[0]["dropped_doubles"] == 0


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_identities_hold_over_the_seams_of_chunks(missing: int) -> None:
    """Each chunk begins with a detection: another order, a slightly other pose, a gap."""
    frames = []
    for frame in recording([to_right, to_left], 6, noise_px=2, swap=False):
        chunk, place = divmod(frame.index, 30)
        seen = frame.people[::-1] if chunk % 2 else frame.people
        if chunk and place < missing:
            seen = seen[1:]
        frames.append(FramePeople(frame.index, frame.time_s, seen))
    poses = identities(frames)
    assert poses.sizes["individuals"] == 2
    for person, way in ((0, 1), (1, -1)):
        x = hip_x(poses, person)
        x = x[np.isfinite(x)]
        assert (way * (x[5:] - x[:-5]) > 0).all()
