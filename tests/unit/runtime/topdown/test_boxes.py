"""Boxes and the regions made from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import Region
from gonio.runtime.topdown.boxes import (
    box_around,
    covered,
    match_boxes,
    overlaps,
    region_of_box,
    suppress,
    with_least_size,
)

sides = st.floats(1, 500)


def test_the_side_that_is_too_short_for_the_aspect_grows_about_the_middle() -> None:
    tall = region_of_box(np.array([10.0, 20, 30, 100]), padding=1.25, aspect=0.75)
    assert tall == Region((20, 60), (75, 100))
    wide = region_of_box(np.array([0.0, 0, 120, 40]), padding=1.0, aspect=0.75)
    assert wide == Region((60, 20), (120, 160))


@given(sides, sides, st.floats(0.3, 3), st.floats(1, 2))
def test_a_region_has_its_aspect_and_holds_the_padded_box(
    width: float, height: float, aspect: float, padding: float
) -> None:
    region = region_of_box(np.array([5, 7, 5 + width, 7 + height]), padding=padding, aspect=aspect)
    assert region is not None
    got_w, got_h = region.size_px
    assert got_w / got_h == pytest.approx(aspect)
    assert got_w >= width * padding * (1 - 1e-9)
    assert got_h >= height * padding * (1 - 1e-9)


@pytest.mark.parametrize("box", [[0, 0, 0, 9], [5, 5, 1, 9], [0, 0, np.nan, 9], [0, 0, np.inf, 1]])
def test_an_empty_or_infinite_box_has_no_region(box: list[float]) -> None:
    assert region_of_box(np.array(box), padding=1.25, aspect=1) is None


def test_a_box_goes_around_the_points_that_are_there() -> None:
    points = np.array([[10, 20], [30, 60], [np.nan, 0], [20, 40]])
    np.testing.assert_allclose(box_around(points, margin=1.5), [5, 10, 35, 70])
    upright = np.array([[10.0, 0], [10, 80]])
    np.testing.assert_allclose(box_around(upright, margin=1), [0, 0, 20, 80])  # a quarter as wide
    for too_few in (points[2:], points[:1], np.array([[1.0, 1], [1, 1]])):
        assert box_around(too_few, margin=1.5) is None


def test_a_box_grows_to_a_least_size_but_never_shrinks() -> None:
    box = np.array([10.0, 10, 20, 40])
    np.testing.assert_allclose(with_least_size(box, np.array([20.0, 20])), [5, 10, 25, 40])


def test_overlap_is_intersection_over_union_and_0_without_area() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [5, 5, 5, 5]])
    others = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    np.testing.assert_allclose(overlaps(boxes, others), [[1, 1 / 3, 0], [0, 0, 0]])


def test_the_share_of_a_box_inside_a_region() -> None:
    region = Region((5, 5), (10, 10))
    assert covered(np.array([0.0, 0, 10, 10]), region) == 1
    assert covered(np.array([5.0, 0, 15, 20]), region) == 0.25
    assert covered(np.array([20.0, 0, 30, 10]), region) == 0


def test_boxes_are_paired_one_to_one_the_best_pair_first() -> None:
    tracks = np.array([[0.0, 0, 10, 10], [6, 0, 16, 10]])
    found = np.array([[5.0, 0, 15, 10], [40, 0, 50, 10]])
    assert match_boxes(tracks, found, least=0.3) == [(1, 0)]
    assert match_boxes(tracks, tracks, least=0.3) == [(0, 0), (1, 1)]
    assert match_boxes(tracks[:0], found, least=0.3) == []


def test_of_boxes_that_overlap_much_the_surest_stays() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [8, 0, 18, 10]])
    assert suppress(boxes, np.array([0.5, 0.9, 0.7]), most=0.7) == [1, 2]
    assert suppress(boxes[:0], np.zeros(0), most=0.7) == []
