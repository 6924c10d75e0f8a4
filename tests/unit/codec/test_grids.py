"""Heatmap, input and normalized grids share their edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gonio.codec import (
    Alignment,
    decode_coords,
    encode_coords,
    grid_to_input,
    heatmap_to_input,
    input_to_grid,
    input_to_heatmap,
    input_to_normalized,
    normalized_to_input,
)

pixels = st.floats(-2000, 2000)
points = st.tuples(pixels, pixels)
whole = st.integers(1, 2000)
alignments = st.sampled_from(["edges", "origins", "corners"])


@given(points, st.floats(0.25, 64))
def test_input_to_heatmap_and_back_returns_the_point(
    point: tuple[float, float], stride: float
) -> None:
    np.testing.assert_allclose(
        heatmap_to_input(input_to_heatmap(point, stride), stride), point, atol=0.01
    )


@given(points, st.tuples(whole, whole))
def test_input_to_normalized_and_back_returns_the_point(
    point: tuple[float, float], wh: tuple[int, int]
) -> None:
    np.testing.assert_allclose(
        normalized_to_input(input_to_normalized(point, wh), wh), point, atol=0.01
    )


@given(points, st.tuples(whole, whole))
def test_coordinates_encoded_and_decoded_return_the_point(
    point: tuple[float, float], wh: tuple[int, int]
) -> None:
    np.testing.assert_allclose(decode_coords(encode_coords(point, True, wh), wh), point, atol=0.01)


def test_a_heatmap_pixels_centre_is_the_centre_of_the_input_pixels_it_covers() -> None:
    np.testing.assert_allclose(heatmap_to_input([[0, 1]], 4), [[1.5, 5.5]])


def test_the_edges_are_zero_and_one() -> None:
    np.testing.assert_allclose(
        input_to_normalized([[-0.5, -0.5], [63.5, 47.5]], (64, 48)), [[0, 0], [1, 1]]
    )


def test_hidden_coordinates_are_zero() -> None:
    encoded = encode_coords([[5, 5], [np.nan, 5], [3.5, 3.5]], [False, True, True], (8, 8))
    np.testing.assert_allclose(encoded, [[0, 0], [0, 0], [0.5, 0.5]])


@given(points, st.tuples(whole, whole), st.tuples(whole, whole), alignments)
def test_input_to_grid_and_back_returns_the_point_in_every_convention(
    point: tuple[float, float],
    grid_wh: tuple[int, int],
    wh: tuple[int, int],
    alignment: Alignment,
) -> None:
    assume(alignment != "corners" or 1 not in wh)  # one pixel: its first is its last
    on_grid = input_to_grid(point, grid_wh, wh, alignment=alignment)
    back = grid_to_input(on_grid, grid_wh, wh, alignment=alignment)
    np.testing.assert_allclose(back, point, atol=0.01)


@pytest.mark.parametrize(
    ("alignment", "first", "last"),
    [("edges", 1.5, 13.5), ("origins", 0, 12), ("corners", 0, 15)],
)
def test_a_model_may_share_edges_first_centres_or_corner_centres_with_its_input(
    alignment: Alignment, first: float, last: float
) -> None:
    ends = grid_to_input([[0, 0], [3, 1]], (4, 2), (16, 8), alignment=alignment)
    np.testing.assert_allclose(ends[:, 0], [first, last])
    again = heatmap_to_input([[0, 0], [3, 1]], 4)
    assert np.array_equal(ends, again) == (alignment == "edges")


@pytest.mark.parametrize(
    ("alignment", "left", "right"), [("edges", -0.5, 63.5), ("origins", 0, 64), ("corners", 0, 63)]
)
def test_zero_and_one_lie_where_the_model_was_trained_to_put_them(
    alignment: Alignment, left: float, right: float
) -> None:
    found = decode_coords([[0, 0], [1, 1]], (64, 48), alignment=alignment)
    np.testing.assert_allclose(found[:, 0], [left, right])
