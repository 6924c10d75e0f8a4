"""Heatmap, input and normalized grids share their edges."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import (
    decode_coords,
    encode_coords,
    heatmap_to_input,
    input_to_heatmap,
    input_to_normalized,
    normalized_to_input,
)

pixels = st.floats(-2000, 2000)
points = st.tuples(pixels, pixels)
whole = st.integers(1, 2000)


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
