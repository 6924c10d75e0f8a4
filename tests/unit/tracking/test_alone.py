"""Where there is one animal only, every sighting is of it."""

from __future__ import annotations

import numpy as np

from gonio.codec import Region
from gonio.runtime import FramePeople, Person
from gonio.skeletons import Skeleton
from gonio.tracking import assign_identities

MOUSE = Skeleton(name="mouse", keypoints=("snout", "tail"))


def seen(x: float, score: float = 0.9) -> Person:
    points = np.array([[x, 50.0], [x + 4, 50.0]], np.float32)
    sure = np.full(2, score, np.float32)
    return Person(points, sure, score, Region((0, 0), (1, 1)))


def frames(*people: tuple[Person, ...]) -> list[FramePeople]:
    return [FramePeople(i, i / 10, found) for i, found in enumerate(people)]


def test_jumps_and_long_absences_change_nothing() -> None:
    given = frames((seen(0),), (seen(500),), *[()] * 40, (seen(3),), (seen(900),), (seen(901),))
    together = assign_identities(given, MOUSE, fps=10, alone=True)
    assert together.sizes["individuals"] == 1
    found = together["position"].sel(space="x", keypoints="snout").values[:, 0]
    np.testing.assert_array_equal(found[[0, 1, 42, 43, 44]], [0, 500, 3, 900, 901])
    assert np.isnan(found[2:42]).all()
    apart = assign_identities(given, MOUSE, fps=10, min_track_s=0)
    assert apart.sizes["individuals"] > 1


def test_of_two_in_a_frame_the_surer_counts() -> None:
    given = frames((seen(10, 0.5), seen(80, 0.8)), (seen(81),))
    found = assign_identities(given, MOUSE, fps=10, alone=True)
    assert found["position"].sel(space="x", keypoints="snout").values[:, 0].tolist() == [80, 81]


def test_nobody_is_nobody() -> None:
    assert assign_identities(frames((), ()), MOUSE, fps=10, alone=True).sizes["individuals"] == 0
