"""Gaps: what is filled, what stays open, what is marked."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from gonio.errors import ConfigError, UnknownNameError
from gonio.poses import make_poses, operation_log, validate_poses
from gonio.skeletons import load_skeleton
from gonio.tracking import fill_gaps, hide_uncertain

SKELETON = load_skeleton("lower6")
NAN = np.nan


def track(values: object, *, time_s: object = None) -> xr.Dataset:
    """Put a series (x, and 10 − x in y) on the left knee; all else stands still at 10 frames/s."""
    series = np.asarray(values, np.float64)
    times = np.arange(len(series)) / 10 if time_s is None else np.asarray(time_s)
    position = np.ones((len(series), 2, 6, 1))
    position[:, 0, 2, 0] = series
    position[:, 1, 2, 0] = 10 - series
    return make_poses(position, np.ones((len(series), 6, 1)), time_s=times, skeleton=SKELETON)


def knee(poses: xr.Dataset) -> NDArray[np.float64]:
    return poses["position"].values[:, 0, 2, 0].astype(float)


@pytest.mark.parametrize("method", ["linear", "pchip"])
def test_a_short_gap_is_filled_and_marked_a_long_one_stays_whole(method: str) -> None:
    poses = track([NAN, 1, NAN, NAN, 4, NAN, NAN, NAN, 8, NAN])
    filled = fill_gaps(poses, max_gap_s=0.2, method=method)  # type: ignore[arg-type]
    validate_poses(filled)
    np.testing.assert_allclose(knee(filled), [NAN, 1, 2, 3, 4, NAN, NAN, NAN, 8, NAN])
    np.testing.assert_allclose(filled["position"].values[2:4, 1, 2, 0], [8, 7])
    marked = filled["filled"].values
    assert np.argwhere(marked).tolist() == [[2, 2, 0], [3, 2, 0]]
    assert operation_log(filled)[-1] == {
        "operation": "fill_gaps",
        "max_gap_s": 0.2,
        "method": method,
        "filled": 2,
        "gaps_filled": 1,
        "gaps_left": 1,
    }
    np.testing.assert_array_equal(
        knee(poses), knee(track([NAN, 1, NAN, NAN, 4, *[NAN] * 3, 8, NAN]))
    )


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_point_on_its_way_out_of_the_picture_is_not_bridged(*, mirrored: bool) -> None:
    x = np.array([9, 5, 1, NAN, NAN, 4, 5, NAN, 7])
    poses = track(99 - x if mirrored else x)
    poses.attrs |= {"width_px": 100, "height_px": 100}
    poses["position"].loc[{"space": "y"}] = 50.0 + 0 * poses["position"].sel(space="y")
    away = np.isnan(knee(fill_gaps(poses, max_gap_s=0.3)))
    assert np.flatnonzero(away).tolist() == [3, 4]
    back = fill_gaps(poses.isel(time=slice(None, None, -1)).assign_coords(time=poses["time"]))
    assert np.flatnonzero(np.isnan(knee(back))).tolist() == [4, 5]
    del poses.attrs["width_px"]
    assert not np.isnan(knee(fill_gaps(poses, max_gap_s=0.3))).any()


def test_a_gap_as_long_as_the_limit_is_filled() -> None:
    assert not np.isnan(knee(fill_gaps(track([0, NAN, NAN, NAN, 4]), max_gap_s=0.3))).any()
    assert np.isnan(knee(fill_gaps(track([0, NAN, NAN, NAN, 4]), max_gap_s=0.29))).sum() == 3
    assert np.isnan(knee(fill_gaps(track([0, NAN, 4]), max_gap_s=0))).sum() == 1


def test_interpolation_follows_time_not_frames() -> None:
    filled = fill_gaps(track([0, NAN, 4, 5], time_s=[0.0, 0.1, 0.4, 0.5]), max_gap_s=1)
    assert knee(filled)[1] == pytest.approx(1.0)


def test_pchip_does_not_overshoot() -> None:
    series = [0, 0, 0, NAN, NAN, 3, 3, 3]
    values = knee(fill_gaps(track(series), max_gap_s=1, method="pchip"))
    assert (np.diff(values) >= 0).all()
    assert values[3] < 1
    assert values[4] > 2


@given(
    series=st.lists(st.sampled_from([NAN, NAN, 0.0, 1.0, 1.5, -7.25]), min_size=2, max_size=20),
    steps_s=st.lists(st.floats(0.02, 0.3), min_size=20, max_size=20),
)
def test_pchip_is_scipys_through_all_sightings(series: list[float], steps_s: list[float]) -> None:
    time_s = np.cumsum(steps_s)[: len(series)]
    poses = track(series, time_s=time_s)
    poses["position"] = poses["position"].astype(np.float64)
    known = np.isfinite(series)
    if known.sum() < 2:
        return
    theirs = PchipInterpolator(time_s[known], np.array(series)[known], extrapolate=False)
    ours = knee(fill_gaps(poses, max_gap_s=1e6))
    np.testing.assert_allclose(ours, np.where(known, series, theirs(time_s)), atol=1e-9)


def test_who_was_never_seen_stays_unseen_and_marks_add_up() -> None:
    never = fill_gaps(track([NAN] * 4), max_gap_s=1)
    assert np.isnan(knee(never)).all()
    assert not never["filled"].any()
    once = fill_gaps(track([0, NAN, 2, 3, 4]), max_gap_s=1)
    hidden = once.copy(deep=True)
    hidden["position"][3, :, 2] = NAN
    assert fill_gaps(hidden, max_gap_s=1)["filled"].values[:, 2, 0].tolist() == [
        *(False, True, False, True, False)
    ]


@pytest.mark.parametrize("frames", [0, 1])
def test_an_image_passes_unchanged(frames: int) -> None:
    poses = track([NAN] * frames)
    filled = fill_gaps(poses)
    xr.testing.assert_equal(filled.drop_vars("filled"), poses)
    assert not filled["filled"].any()


def test_a_point_of_which_half_is_missing_is_missing() -> None:
    poses = track([0.0, 1, 2])
    poses["position"][1, 1, 2] = NAN
    filled = fill_gaps(poses)
    np.testing.assert_allclose(filled["position"].values[1, :, 2, 0], [1, 9])


def test_uncertain_points_are_hidden_and_counted_and_their_confidence_stays() -> None:
    poses = track([1, 2, 3])
    poses["confidence"][1, 2] = 0.29
    poses["confidence"][2, 2] = NAN
    poses["filled"] = xr.ones_like(poses["confidence"], dtype=bool)
    hidden = hide_uncertain(poses, min_confidence=0.3)
    np.testing.assert_array_equal(knee(hidden), [1, NAN, 3])
    assert np.isnan(hidden["position"].values[1, 1, 2, 0])
    assert np.isfinite(poses["position"].values).all()
    assert hidden["confidence"].values[1, 2, 0] == np.float32(0.29)
    assert np.argwhere(~hidden["filled"].values).tolist() == [[1, 2, 0]]
    assert operation_log(hidden)[-1]["hidden"] == 1
    assert hidden["position"].dims == poses["position"].dims
    assert hidden["position"].dtype == np.float32
    validate_poses(hidden)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ConfigError, match="max_gap_s must be a number of at least 0, not 'x'"):
        fill_gaps(track([1]), max_gap_s="x")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="did you mean 'linear'"):
        fill_gaps(track([1]), method="lineal")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="min_confidence"):
        hide_uncertain(track([1]), min_confidence=-0.1)
    with pytest.raises(ConfigError, match="min_confidence lies between 0 and 1, not 30"):
        hide_uncertain(track([1]), min_confidence=30)
