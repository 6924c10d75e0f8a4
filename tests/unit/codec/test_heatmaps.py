"""Gaussian targets and the three ways to read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import decode_argmax, decode_dark, decode_quarter, encode_gaussian

WH = (48, 64)
DECODERS = [decode_argmax, decode_quarter, decode_dark]
sigmas = st.floats(1.0, 3.0)


def inner(margin: float) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(*(st.floats(margin, n - 1 - margin) for n in WH))


@given(inner(20), sigmas)
def test_dark_finds_the_centre_of_an_encoded_gaussian(
    point: tuple[float, float], sigma: float
) -> None:
    found, scores = decode_dark(encode_gaussian([point], [True], WH, sigma), sigma=sigma)
    np.testing.assert_allclose(found, [point], atol=0.01)
    assert 0.7 < scores[0] <= 1


@given(inner(1), sigmas)
def test_dark_without_smoothing_is_exact_up_to_the_border(
    point: tuple[float, float], sigma: float
) -> None:
    found, _ = decode_dark(encode_gaussian([point], [True], WH, sigma), sigma=0)
    np.testing.assert_allclose(found, [point], atol=0.01)


@given(inner(0), sigmas)
def test_argmax_is_off_by_half_a_pixel_at_most_and_quarter_by_a_quarter_inside(
    point: tuple[float, float], sigma: float
) -> None:
    maps = encode_gaussian([point], [True], WH, sigma)
    assert np.abs(decode_argmax(maps)[0] - point).max() <= 0.501
    if min(*point, *(n - 1 - p for n, p in zip(WH, point, strict=True))) > 1:
        assert np.abs(decode_quarter(maps)[0] - point).max() <= 0.251


def test_quarter_offset_goes_toward_the_higher_neighbour_and_not_at_the_border() -> None:
    maps = np.zeros((3, 5, 5))
    maps[0, 2, 2], maps[0, 2, 3], maps[0, 1, 2] = 1.0, 0.5, 0.2
    maps[1, 2, 2] = 1.0
    maps[2, 0, 2], maps[2, 0, 3] = 1.0, 0.5
    found, scores = decode_quarter(maps)
    np.testing.assert_allclose(found, [[2.25, 1.75], [2, 2], [2, 0]])
    np.testing.assert_allclose(scores, 1)


def test_dark_follows_a_tilted_elliptic_gaussian() -> None:
    rows, cols = np.indices((40, 40))
    d = np.stack([cols - 19.7, rows - 20.4], axis=-1)
    precision = np.linalg.inv([[6.0, 3.0], [3.0, 4.0]])
    maps = np.exp(-0.5 * np.einsum("...i,ij,...j", d, precision, d))[None]
    np.testing.assert_allclose(decode_dark(maps, sigma=0)[0], [[19.7, 20.4]], atol=1e-6)
    np.testing.assert_allclose(decode_dark(maps)[0], [[19.7, 20.4]], atol=0.01)


def test_dark_resists_noise_better_than_the_quarter_offset() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(15, 33, (200, 2))
    maps = encode_gaussian(points, np.ones(200), (48, 48), 2.0)
    maps += rng.normal(0, 0.03, maps.shape).astype(np.float32)
    dark, quarter = (
        np.abs(decode(maps)[0] - points).mean() for decode in (decode_dark, decode_quarter)
    )
    assert dark < 0.6 * quarter


def test_dark_keeps_a_plateau_and_a_maximum_on_the_border() -> None:
    maps = np.zeros((2, 20, 20))
    maps[0] = 0.5
    maps[1, 7, 19] = 1.0
    np.testing.assert_array_equal(decode_dark(maps)[0], [[0, 0], [19, 7]])


def test_a_hidden_or_missing_point_draws_nothing() -> None:
    maps = encode_gaussian([[5, 5], [np.nan, 5], [5, 5]], [False, True, True], (11, 9), 1.5)
    assert maps.shape == (3, 9, 11)
    assert maps.dtype == np.float32
    assert maps.max(axis=(1, 2)).tolist() == [0, 0, 1]


@pytest.mark.parametrize("decode", DECODERS)
def test_an_empty_map_gives_nan_and_score_zero(decode: Callable[..., Any]) -> None:
    points, scores = decode(np.zeros((2, 8, 8), np.float32))
    assert np.isnan(points).all()
    assert scores.tolist() == [0, 0]


@pytest.mark.parametrize("decode", DECODERS)
def test_a_batch_is_decoded_as_its_maps_one_by_one(decode: Callable[..., Any]) -> None:
    maps = np.random.default_rng(1).random((2, 3, 16, 12))
    points, scores = decode(maps)
    assert points.shape == (2, 3, 2)
    assert scores.shape == (2, 3)
    np.testing.assert_array_equal(points[1, 2], decode(maps[1, 2][None])[0][0])
