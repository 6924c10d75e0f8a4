"""Binary discs, drawn and read."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import decode_disc, encode_disc

WH = (72, 96)


@given(st.tuples(st.floats(8, 63), st.floats(8, 87)), st.floats(3, 8))
def test_a_disc_encoded_and_decoded_returns_the_point(
    point: tuple[float, float], radius: float
) -> None:
    found, scores = decode_disc(encode_disc([point], [True], WH, radius), radius=radius)
    np.testing.assert_allclose(found, [point], atol=0.3)
    assert scores.tolist() == [1]


def test_a_disc_holds_the_pixels_whose_centres_are_within_the_radius() -> None:
    disc = encode_disc([[2.0, 1.0], [2.5, 1.0]], [True, True], (5, 3), 1.0)
    assert disc[0].tolist() == [[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
    assert disc[1].tolist() == [[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]]
    assert disc.dtype == np.float32


def test_hidden_and_missing_points_draw_nothing_and_read_as_nan() -> None:
    maps = encode_disc([[5, 5], [np.nan, 5], [900, 5]], [False, True, True], (11, 9), 3)
    assert maps.shape == (3, 9, 11)
    assert not maps.any()
    points, scores = decode_disc(maps, radius=3)
    assert np.isnan(points).all()
    assert scores.tolist() == [0, 0, 0]


def test_a_second_lower_disc_elsewhere_does_not_pull() -> None:
    maps = encode_disc([[20, 20]], [True], WH, 5) + 0.8 * encode_disc([[60, 80]], [True], WH, 5)
    np.testing.assert_allclose(decode_disc(maps, radius=5)[0], [[20, 20]], atol=1e-9)


def test_leading_dimensions_are_kept() -> None:
    points = np.random.default_rng(0).uniform(20, 50, (2, 3, 2))
    found, scores = decode_disc(encode_disc(points, np.ones((2, 3)), WH, 6), radius=6)
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(found, points, atol=0.3)
