"""Score maps with location refinement, both ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import decode_locref, encode_locref

WH = (320, 240)
MAP = (40, 30)


@given(st.tuples(st.floats(-5, 324), st.floats(-5, 244)), st.floats(6, 30), st.floats(1, 20))
def test_locref_encoded_and_decoded_returns_the_point(
    point: tuple[float, float], positive_px: float, stdev_px: float
) -> None:
    scores, offsets, _ = encode_locref(
        [point], [True], MAP, WH, positive_px=max(positive_px, 8), stdev_px=stdev_px
    )
    if scores.any():
        found, best = decode_locref(scores, offsets, WH, stdev_px=stdev_px)
        np.testing.assert_allclose(found, [point], atol=0.01)
        assert best.tolist() == [1]


def test_a_cell_is_positive_within_the_distance_and_its_offset_leads_to_the_point() -> None:
    # Cells of 8 px have their centres at 3.5, 11.5, 19.5 …
    scores, offsets, weights = encode_locref([[20.5, 11.5]], [True], MAP, WH, positive_px=9.0)
    assert np.argwhere(scores[0]).tolist() == [[0, 2], [1, 1], [1, 2], [1, 3], [2, 2]]
    np.testing.assert_allclose(offsets[0, :, 1, 1], np.array([9.0, 0]) / 7.2801, rtol=1e-6)
    np.testing.assert_allclose(offsets[0, :, 0, 2], np.array([1.0, 8]) / 7.2801, rtol=1e-6)
    assert np.array_equal(weights[0, 0], scores[0])
    assert np.array_equal(weights[0, 1], scores[0])
    assert not offsets[weights == 0].any()


def test_the_nine_cells_speak_by_their_scores() -> None:
    scores, offsets = np.zeros((1, 30, 40)), np.zeros((1, 2, 30, 40))
    scores[0, 10, 20], scores[0, 10, 21], scores[0, 11, 20] = 0.8, 0.4, 0.4
    scores[0, 10, 23] = 0.7  # not beside it: not heard
    offsets[0, 0, 10, 20] = 1
    found, best = decode_locref(scores, offsets, WH, stdev_px=2.0)
    # Centres (163.5, 83.5), (171.5, 83.5), (163.5, 91.5); the first says 2 px to the right.
    np.testing.assert_allclose(found, [[(165.5 + 171.5 / 2 + 163.5 / 2) / 2, 85.5]])
    assert best.tolist() == [0.8]


def test_at_the_edge_only_cells_of_the_map_speak() -> None:
    scores, offsets = np.zeros((1, 30, 40)), np.full((1, 2, 30, 40), 50.0)
    scores[0, 0, 0] = 1
    offsets[0, :, 0, 0] = 0
    scores[0, 0, 39] = 0.5
    np.testing.assert_allclose(decode_locref(scores, offsets, WH)[0], [[3.5, 3.5]])


def test_hidden_and_missing_points_mark_nothing_and_read_as_nan() -> None:
    scores, offsets, weights = encode_locref([[5, 5], [np.nan, 5]], [False, True], MAP, WH)
    assert not scores.any()
    assert not offsets.any()
    assert not weights.any()
    assert np.isnan(decode_locref(scores, offsets, WH)[0]).all()


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_leading_dimensions_are_kept(batch: tuple[int, ...]) -> None:
    points = np.random.default_rng(0).uniform(0, 230, (*batch, 5, 2))
    scores, offsets, weights = encode_locref(points, np.ones((*batch, 5)), MAP, WH)
    assert scores.shape == (*batch, 5, 30, 40)
    assert offsets.shape == weights.shape == (*batch, 5, 2, 30, 40)
    np.testing.assert_allclose(decode_locref(scores, offsets, WH)[0], points, atol=1e-4)
