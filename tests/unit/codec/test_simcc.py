"""SimCC distributions, both ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import Alignment, decode_simcc, encode_simcc

WH = (48, 64)


@given(
    st.tuples(st.floats(1, 46), st.floats(1, 62)),
    st.sampled_from([1.0, 2.0, 3.0]),
    st.floats(1.5, 8),
    st.sampled_from(["edges", "origins", "corners"]),
)
def test_simcc_encoded_and_decoded_returns_the_point(
    point: tuple[float, float], ratio: float, sigma: float, alignment: Alignment
) -> None:
    x, y = encode_simcc([point], [True], WH, ratio=ratio, sigma=sigma, alignment=alignment)
    found, _ = decode_simcc(x, y, ratio=ratio, alignment=alignment)
    np.testing.assert_allclose(found, [point], atol=0.01)


def test_the_middle_of_the_highest_bin_is_the_point_without_refinement() -> None:
    x, y = np.zeros((1, 96)), np.zeros((1, 128))
    x[0, 0], y[0, 127] = 0.4, 0.7
    points, scores = decode_simcc(x, y, refine=False)
    np.testing.assert_allclose(points, [[-0.25, 63.25]])
    assert scores.tolist() == [0.4]


def test_a_peak_at_the_end_is_not_refined_and_no_peak_is_nan() -> None:
    x, y = np.zeros((2, 96)), np.zeros((2, 128))
    x[0, :2], y[0, 126:] = [0.5, 0.4], [0.4, 0.5]
    points, scores = decode_simcc(x, y)
    np.testing.assert_allclose(points, [[-0.25, 63.25], [np.nan, np.nan]])
    assert scores.tolist() == [0.5, 0]


def test_each_distribution_sums_to_one_even_off_the_grid_and_hidden_ones_to_zero() -> None:
    x, y = encode_simcc(
        [[10, 10], [9000, -9000], [np.nan, 1], [5, 5]], [True, True, True, False], WH
    )
    assert x.shape == (4, 96)
    assert y.shape == (4, 128)
    for axis in (x, y):
        np.testing.assert_allclose(axis.sum(axis=1), [1, 1, 0, 0], rtol=1e-5)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_leading_dimensions_are_kept(batch: tuple[int, ...]) -> None:
    x, y = encode_simcc(np.full((*batch, 5, 2), 20.0), np.ones((*batch, 5)), WH)
    points, scores = decode_simcc(x, y)
    assert points.shape == (*batch, 5, 2)
    assert scores.shape == (*batch, 5)


def test_bins_of_mmpose_start_at_the_first_pixels_centre() -> None:
    x, y = np.zeros((1, 96)), np.zeros((1, 128))
    x[0, 40], y[0, 61] = 0.9, 0.8  # its labels: bin = round(pixel * 2)
    points, _ = decode_simcc(x, y, refine=False, alignment="origins")
    np.testing.assert_allclose(points, [[20, 30.5]])
