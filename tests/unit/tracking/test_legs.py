"""Left and right leg of markers: parted exactly, checked by their places, never guessed."""

from __future__ import annotations

import json
import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gonio.errors import ConfigError, GonioWarning, InputError
from gonio.poses import make_poses, operation_log
from gonio.skeletons import load_skeleton
from gonio.tracking import (
    check_steps,
    constrained_partition,
    process,
    reference_partition,
    tell_legs_apart,
)
from gonio.tracking.leg_splits import equal_ways

Points = NDArray[np.float64]
REAR6 = load_skeleton("rearfoot6")


def legs(apart: float = 120, *, eversion_px: float = 6, top: float = 300) -> Points:
    """Six points: left calf, achilles, heel at x = top; right ones further right."""
    leg = np.array([[0, 0], [0, 170], [-eversion_px, 250]], float)
    move, mirror = np.array([top, 50]), np.array([-1, 1])
    return np.concatenate([leg + move, leg * mirror + move + np.array([apart, 0])])


def crossed() -> Points:
    """Straight legs in an X: the left heel stands right of the right one."""
    left = np.array([[300, 50], [330, 150], [360, 250]], float)
    return np.concatenate([left, left * [-1, 1] + [680, 0]])


def poses(*frames: Points, **attrs: Any) -> xr.Dataset:
    xy = np.stack(frames).transpose(0, 2, 1)[..., None]
    return make_poses(
        xy, np.ones((len(frames), 6, 1)), time_s=np.arange(len(frames)) / 10, skeleton=REAR6,
        attrs={"view": "rear", **attrs},
    )  # fmt: skip


def told(*frames: Points, method: str = "labels", **attrs: Any) -> tuple[Points, dict[str, Any]]:
    """Return positions (T, 6, 2) and the log's entry."""
    result = process(poses(*frames, **attrs), [{"op": "tell_legs_apart", "method": method}])
    return result["position"].values[..., 0].transpose(0, 2, 1), operation_log(result)[-1]


TRUE = [True] * 3 + [False] * 3


def test_there_are_ten_ways_and_the_first_is_the_order_given() -> None:
    ways = equal_ways(3)
    assert ways.shape == (10, 6)
    assert ways[0].tolist() == TRUE
    assert (ways.sum(axis=1) == 3).all()
    assert len(equal_ways(4)) == 35


@pytest.mark.parametrize("apart", [80, 120, 180])
def test_plain_k_means_parts_upper_from_lower_where_legs_are_close(apart: float) -> None:
    reference = reference_partition(legs(apart))
    assert reference.first.tolist() != TRUE
    constrained = constrained_partition(legs(apart))
    assert constrained.first.tolist() == TRUE
    assert constrained.clear


def test_far_apart_both_find_the_legs() -> None:
    for part in (reference_partition, constrained_partition):
        assert part(legs(260)).first.tolist() == TRUE
        assert part(legs(260)).clear


def test_the_reference_finds_the_least_cost_of_all_31_ways() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (6, 2))

    def cost(mask: NDArray[np.bool_]) -> float:
        return sum(float(((g - g.mean(axis=0)) ** 2).sum()) for g in (points[mask], points[~mask]))

    masks = [np.array([True, *(bool(i >> k & 1) for k in range(5))]) for i in range(31)]
    best = min(masks, key=cost)
    np.testing.assert_array_equal(reference_partition(points).first, best)


def test_the_order_of_the_points_does_not_matter() -> None:
    points = legs(90)
    for order in list(permutations(range(6)))[::37]:
        first = constrained_partition(points[list(order)]).first
        left = {i for i, mine in zip(order, first, strict=True) if mine == first[order.index(0)]}
        assert left == {0, 1, 2}


@given(
    st.floats(-180, 180), st.floats(0.3, 10), st.floats(60, 300), st.floats(-12, 12),
    st.booleans(),
)  # fmt: skip
def test_turning_scaling_and_mirroring_do_not_change_the_parting(
    turn_deg: float, scale: float, apart: float, eversion_px: float, mirror: bool
) -> None:
    turn = math.radians(turn_deg)
    matrix = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    points = legs(apart, eversion_px=eversion_px) @ matrix.T * [-1 if mirror else 1, 1]
    parting = constrained_partition(points)
    assert parting.first.tolist() == TRUE
    assert parting.clear


def test_crossing_legs_and_legs_upon_each_other_are_not_clear() -> None:
    assert not constrained_partition(crossed()).clear
    assert not constrained_partition(legs(0, eversion_px=0)).clear
    assert not constrained_partition(np.zeros((6, 2))).clear


def test_touching_feet_are_clear() -> None:
    # Inverted heels 4 px apart, calves 60 px apart.
    assert constrained_partition(legs(60, eversion_px=-28)).first.tolist() == TRUE


def test_names_that_fit_their_places_stay() -> None:
    points, log = told(legs())
    np.testing.assert_allclose(points[0], legs())
    assert {k: log[k] for k in ("mixed", "unclear", "misshapen", "crossed")} == dict.fromkeys(
        ("mixed", "unclear", "misshapen", "crossed"), 0
    )
    assert log["sides"] == {"person_0": "agree"}


def test_markers_whose_names_lie_on_different_legs_are_not_measured() -> None:
    mixed = legs()[[0, 1, 5, 3, 4, 2]]  # the heels exchanged
    with pytest.warns(GonioWarning, match="sides disagree in 1 of 2 frames"):
        points, log = told(legs(), mixed)
    assert np.isfinite(points[0]).all()
    assert np.isnan(points[1]).all()
    assert log["mixed"] == 1


def test_crossing_legs_keep_their_names() -> None:
    points, log = told(legs(), crossed())
    np.testing.assert_allclose(points[1], crossed())
    assert (log["mixed"], log["crossed"]) == (0, 0)  # the calves are on their sides
    with pytest.warns(GonioWarning, match="legs cross in 1 of 3 frames"):
        points, log = told(legs(), legs(), legs(-60))
    np.testing.assert_allclose(points[2], legs(-60))
    assert log["crossed"] == 1


def test_missing_markers_cannot_exchange_the_sides() -> None:
    hidden = legs()
    hidden[[0, 4]] = np.nan
    points, log = told(hidden)
    np.testing.assert_allclose(points[0], hidden)
    assert log["sides"] == {"person_0": "agree"}


def test_three_markers_on_one_leg_and_none_on_the_other_are_kept_with_a_word() -> None:
    alone = legs()
    alone[:3] = np.nan
    with pytest.warns(GonioWarning, match="only the right leg was seen"):
        points, log = told(alone)
    np.testing.assert_allclose(points[0], alone)
    assert log["sides"] == {"person_0": "unknown"}


def test_a_mirrored_picture_is_not_measured_unless_it_is_said_to_be_mirrored() -> None:
    # The names are the person's own, the picture shows them on exchanged sides.
    mirror = legs() * [-1, 1] + [700, 0]
    with pytest.warns(GonioWarning, match="sides disagree: the leg named left"):
        points, log = told(mirror)
    assert np.isnan(points).all()
    assert log["sides"] == {"person_0": "disagree"}
    points, log = told(mirror, mirrored=1)
    np.testing.assert_allclose(points[0], mirror)
    assert log["sides"] == {"person_0": "agree"}
    # From the front they stand like that, too.
    assert told(mirror, view="frontal")[1]["sides"] == {"person_0": "agree"}


def test_in_a_picture_said_to_be_mirrored_names_by_place_are_exchanged() -> None:
    by_place = legs()
    points, log = told(by_place, mirrored=1)
    np.testing.assert_allclose(points[0], by_place[[3, 4, 5, 0, 1, 2]])
    assert log["sides"] == {"person_0": "exchanged"}


def test_what_is_bent_as_no_leg_is_or_upside_down_is_not_measured() -> None:
    bent = legs()
    bent[2] = bent[1] + [-80, 10]  # the left heel beside the ankle
    with pytest.warns(GonioWarning, match="make no leg"):
        points, log = told(bent)
    assert np.isnan(points[0, :3]).all()
    assert np.isfinite(points[0, 3:]).all()
    assert log["misshapen"] == 1
    with pytest.warns(GonioWarning, match="the picture make no leg.*upside down"):
        points, _ = told(legs() * [-1, -1] + [900, 900])
    assert np.isnan(points).all()


@pytest.mark.parametrize("method", ["constrained", "reference"])
def test_points_without_names_are_named_by_place_and_height(method: str) -> None:
    points = legs(260)
    found, log = told(points[[4, 2, 0, 5, 1, 3]], method=method)
    np.testing.assert_allclose(found[0], points)
    assert log["unclear"] == 0
    found, _ = told(points[[4, 2, 0, 5, 1, 3]], method=method, view="frontal")
    np.testing.assert_allclose(found[0], points[[3, 4, 5, 0, 1, 2]])


def test_points_without_names_are_hidden_where_the_legs_cannot_be_told_apart() -> None:
    missing = legs()
    missing[1] = np.nan
    with pytest.warns(GonioWarning, match="could not be told apart in 2 of 3 frames"):
        found, log = told(legs(), crossed(), missing, method="constrained")
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()
    assert log["unclear"] == 2


def test_the_reference_makes_wrong_legs_of_close_ones_where_the_constraint_does_not() -> None:
    shuffled = legs(120)[[4, 2, 0, 5, 1, 3]]
    found, _ = told(shuffled, method="constrained")
    np.testing.assert_allclose(found[0], legs(120))
    with pytest.warns(GonioWarning, match="told apart"):
        found, _ = told(shuffled, method="reference")
    assert np.isnan(found).all()


def test_confidence_goes_with_the_marker_and_nothing_given_is_changed() -> None:
    data = poses(legs(260)[::-1])
    data["confidence"].values[0, :, 0] = np.arange(6) / 10
    before = data.copy(deep=True)
    result = tell_legs_apart(data, method="constrained")
    assert result["confidence"].values[0, :, 0].tolist() == pytest.approx(
        [0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    )
    assert data.equals(before)


def test_a_person_without_markers_and_a_recording_without_people_pass() -> None:
    points, log = told(np.full((6, 2), np.nan))
    assert np.isnan(points).all()
    assert log["sides"] == {"person_0": "unknown"}
    nobody = make_poses(
        np.empty((3, 2, 6, 0)), np.empty((3, 6, 0)), time_s=[0, 1, 2], skeleton=REAR6
    )
    assert "sides" not in json.loads(tell_legs_apart(nobody).attrs["log"])[0]


def test_settings_and_skeletons_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="method must be one of labels, constrained, reference"):
        check_steps([{"op": "tell_legs_apart", "method": "kmeans"}])
    with pytest.raises(ConfigError, match="max_bend_deg"):
        check_steps([{"op": "tell_legs_apart", "max_bend_deg": 0}])
    skeleton = load_skeleton("coco17")
    body = make_poses(np.zeros((1, 2, 17, 1)), np.ones((1, 17, 1)), time_s=[0.0], skeleton=skeleton)
    with pytest.raises(InputError, match=r"markers of rearfoot6 or rearfoot8.*'coco17'"):
        tell_legs_apart(body)
