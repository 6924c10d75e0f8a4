"""Hampel: which points are replaced, by what, and what is marked."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from gonio.errors import ConfigError, UnknownNameError
from gonio.poses import operation_log, validate_poses
from gonio.tracking import hampel
from unit.tracking.series_on_keypoints import NAN, noisy, track, x_of


def test_an_outlier_becomes_the_median_of_its_window_and_is_marked() -> None:
    # Window of 50: 2 3 4 50 6 7 8 -> median 6; distances 4 3 2 44 0 1 2 -> MAD 2; 0.6745·44/2 = 15.
    poses = track([1, 2, 3, 4, 50, 6, 7, 8, 9, 10])
    repaired = hampel(poses)
    validate_poses(repaired)
    np.testing.assert_array_equal(x_of(repaired), [1, 2, 3, 4, 6, 6, 7, 8, 9, 10])
    assert repaired["filled"].values[4].all()
    assert repaired["filled"].values.sum() == 12
    assert operation_log(repaired)[-1] == {
        "operation": "hampel",
        "window": 7,
        "n_sigma": 2.0,
        "replace_by": "median",
        "replaced": 12,
    }
    np.testing.assert_array_equal(x_of(poses)[4], 50)


def test_the_limit_is_n_sigma_of_0_6745_distances_over_mad() -> None:
    # Window of x: 0 1 2 x 4 5 6 with x > 6 -> median 4, MAD of 4 3 2 (x-4) 0 1 2 is 2.
    limit = 4 + 2 * 2 / 0.6745
    for x, replaced in ((limit - 0.01, False), (limit + 0.01, True)):
        assert bool(hampel(track([0, 1, 2, x, 4, 5, 6]))["filled"].values[3].all()) is replaced
    assert not hampel(track([0, 1, 2, limit + 0.01, 4, 5, 6]), n_sigma=2.1)["filled"].values.any()


def test_every_sample_agrees_with_a_loop_over_windows() -> None:
    poses = noisy(90)
    values = poses["position"].values
    outliers = np.random.default_rng(3).random(values.shape) < 0.03
    values[outliers] += 40
    seen = np.isfinite(values).all(axis=1)
    expected, wrong = values.copy(), np.zeros_like(seen)
    for t, k, i in np.argwhere(seen):
        around = [s for s in range(t - 2, t + 3) if 0 <= s < 90 and seen[s, k, i]]
        if len(around) < 3:
            continue
        window = values[around][:, :, k, i]
        center = np.median(window, axis=0)
        spread = np.median(np.abs(window - center), axis=0)
        wrong[t, k, i] = (0.6745 * np.abs(values[t, :, k, i] - center) > 2.5 * spread).any()
        if wrong[t, k, i]:
            expected[t, :, k, i] = center
    repaired = hampel(poses, window=5, n_sigma=2.5)
    np.testing.assert_array_equal(repaired["filled"].values, wrong)
    np.testing.assert_allclose(repaired["position"].values, expected)
    assert 20 < wrong.sum() < 300


def test_outliers_beside_gaps_and_at_the_ends_are_found_and_gaps_stay() -> None:
    series = [90, 2, 3, 4, 5, NAN, NAN, 80, NAN, 10, 11, 12]
    repaired = x_of(hampel(track(series)))
    np.testing.assert_array_equal(np.isnan(repaired), np.isnan(series))
    assert repaired[0] == 3.5  # of 90 2 3 4
    assert repaired[7] == 10.5  # of 5 80 10 11
    np.testing.assert_array_equal(repaired[[1, 2, 3, 4, 9, 10, 11]], [2, 3, 4, 5, 10, 11, 12])


def test_where_all_neighbors_agree_any_other_value_is_wrong() -> None:
    repaired = hampel(track([5, 5, 5, 5.001, 5, 5, 5]))
    np.testing.assert_array_equal(x_of(repaired), [5] * 7)
    still = hampel(track([5.0] * 7))
    assert not still["filled"].any()


def test_two_samples_say_nothing() -> None:
    series = [1, 100, NAN, NAN, NAN, NAN, 7]
    np.testing.assert_array_equal(x_of(hampel(track(series), window=3)), series)


def outlier_in_y() -> xr.Dataset:
    poses = track(np.arange(9.0))
    poses["position"][4, 1, 2, 1] += 70
    return poses


def test_a_point_wrong_in_one_coordinate_is_replaced_as_a_whole() -> None:
    repaired = hampel(outlier_in_y())
    assert np.argwhere(repaired["filled"].values).tolist() == [[4, 2, 1]]
    assert repaired["position"].values[4, :, 2, 1].tolist() == [4, -3]


def test_replaced_by_nan_a_point_counts_as_not_seen() -> None:
    poses = outlier_in_y()
    poses["filled"] = xr.ones_like(poses["confidence"], dtype=bool)
    shape: NDArray[np.float64] = np.ones((9, 2, 2, 6, 2))
    poses["covariance"] = (("time", "space", "space_b", "keypoints", "individuals"), shape)
    hidden = hampel(poses, replace_by="nan")
    validate_poses(hidden)
    assert np.isnan(hidden["position"].values[4, :, 2, 1]).all()
    assert np.isnan(hidden["covariance"].values[4, :, :, 2, 1]).all()
    assert np.isfinite(hidden["covariance"].values).sum() == shape.size - 4
    assert np.argwhere(~hidden["filled"].values).tolist() == [[4, 2, 1]]
    assert "filled" not in hampel(outlier_in_y(), replace_by="nan")


def test_single_precision_stays() -> None:
    poses = noisy(60).astype(np.float32)
    assert hampel(poses)["position"].dtype == np.float32


@pytest.mark.parametrize("frames", [0, 1])
def test_an_image_passes_unchanged(frames: int) -> None:
    poses = track(np.arange(frames) + 3.0)
    xr.testing.assert_equal(hampel(poses).drop_vars("filled"), poses)


def test_settings_that_make_no_sense_are_named() -> None:
    with pytest.raises(ConfigError, match="window must be an odd number of frames"):
        hampel(track([1.0]), window=4)
    with pytest.raises(ConfigError, match="n_sigma must be a positive number"):
        hampel(track([1.0]), n_sigma=0)
    with pytest.raises(UnknownNameError, match="did you mean 'median'"):
        hampel(track([1.0]), replace_by="medin")  # type: ignore[arg-type]
