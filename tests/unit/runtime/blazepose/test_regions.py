"""Where to look for a person, and how steadily."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import Region, crop_matrix, transform
from gonio.runtime.blazepose.regions import RegionFilter, region_around, region_overlap

coordinate = st.floats(-2000, 4000)


def test_region_of_an_upright_person_is_upright_and_a_quarter_larger_than_the_circle() -> None:
    region = region_around([[100, 200], [100, 140]], 1.25)
    assert region == Region((100, 200), (150, 150), 0)


def test_region_of_a_person_lying_with_the_head_to_the_right_is_turned_clockwise() -> None:
    region = region_around([[100, 200], [160, 200]], 1.25)
    assert region is not None
    assert region.rotation_rad == pytest.approx(math.pi / 2)


@given(coordinate, coordinate, coordinate, coordinate)
def test_the_body_stands_upright_in_the_crop(
    x: float, y: float, top_x: float, top_y: float
) -> None:
    region = region_around([[x, y], [top_x, top_y]], 1.25)
    if region is None:
        assert math.hypot(top_x - x, top_y - y) < 0.5
        return
    inside = transform([[x, y], [top_x, top_y]], crop_matrix(region, (256, 256)))
    np.testing.assert_allclose(inside, [[127.5, 127.5], [127.5, 127.5 - 256 / 2.5]], atol=1e-6)


@pytest.mark.parametrize("top", [[100, 200], [100.2, 200], [np.nan, 0], [np.inf, 0]])
def test_there_is_no_region_where_the_points_give_none(top: list[float]) -> None:
    assert region_around([[100, 200], top], 1.25) is None


def test_overlap_of_regions() -> None:
    a, b = Region((0, 0), (10, 10), 1.0), Region((5, 0), (10, 10), 0.0)
    assert region_overlap(a, a) == 1
    assert region_overlap(a, b) == pytest.approx(1 / 3)
    assert region_overlap(a, Region((50, 0), (10, 10))) == 0


def test_filter_gives_the_first_points_as_they_are_and_keeps_still_ones() -> None:
    points = np.array([[10.0, 100.0], [12.0, 40.0]])
    steady = RegionFilter()
    for _ in range(5):
        np.testing.assert_allclose(steady.update(points), points)


def test_filter_follows_a_step_as_the_one_euro_formula_says() -> None:
    first, second = np.array([[0.0, 0], [0, -50]]), np.array([[10.0, 0], [10, -50]])
    steady = RegionFilter()
    steady.update(first)
    found = steady.update(second)
    rate = 1 / 0.033333
    speed = 10 / 100 * rate  # body sizes (twice the radius) a second

    def share(cutoff_hz: float) -> float:
        return 1 / (1 + rate / (2 * math.pi * cutoff_hz))

    expected = 10 * share(0.01 + 10 * share(1.0) * speed)
    np.testing.assert_allclose(found, [[expected, 0], [expected, -50]])
    assert 0 < expected < 10


def test_filter_does_not_change_the_points_it_is_given() -> None:
    steady, points = RegionFilter(), np.array([[0.0, 0], [0, -50]])
    steady.update(points)[0, 0] = 99
    np.testing.assert_allclose(steady.update(points), [[0, 0], [0, -50]])
