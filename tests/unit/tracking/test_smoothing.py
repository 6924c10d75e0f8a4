"""Filters: gain, phase, what they leave alone, gaps, uneven frame rates."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from gonio.errors import ConfigError, InputError
from gonio.poses import make_poses, operation_log, validate_poses
from gonio.skeletons import load_skeleton
from gonio.tracking import butterworth, median
from gonio.tracking.series import unbroken

SKELETON = load_skeleton("lower6")
NAN = np.nan


def track(values: object, *, rate_hz: float = 30.0, time_s: object = None) -> xr.Dataset:
    """Give every keypoint of two people the same series in x, and its negative in y."""
    series = np.asarray(values, np.float64)
    times = np.arange(len(series)) / rate_hz if time_s is None else np.asarray(time_s)
    position = np.zeros((len(series), 2, 6, 2))
    position[:, 0] = series[:, None, None]
    position[:, 1] = -series[:, None, None]
    poses = make_poses(
        position, np.ones((len(series), 6, 2)), time_s=times, skeleton=SKELETON, fps=rate_hz
    )
    poses["position"] = poses["position"].astype(np.float64)  # single precision hides small faults
    return poses


def x_of(poses: xr.Dataset) -> NDArray[np.float64]:
    x = poses["position"].values[:, 0]
    np.testing.assert_array_equal(x, x[:, :1, :1].repeat(6, 1).repeat(2, 2))
    np.testing.assert_array_equal(poses["position"].values[:, 1], -x)
    result: NDArray[np.float64] = x[:, 0, 0]
    return result


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 60.0, 240.0])
@pytest.mark.parametrize("order", [2, 4, 8])
def test_gain_is_minus_3_db_at_the_cutoff_and_phase_is_zero(rate_hz: float, order: int) -> None:
    t = np.arange(0, 40, 1 / rate_hz)
    wave = np.exp(2j * np.pi * 6.0 * t)
    smooth = [
        x_of(butterworth(track(part, rate_hz=rate_hz), cutoff_hz=6.0, order=order))
        for part in (wave.real, wave.imag)
    ]
    middle = slice(len(t) // 4, -len(t) // 4)
    gain = ((smooth[0] + 1j * smooth[1]) / wave)[middle]
    assert abs(20 * np.log10(np.abs(gain).mean()) - 20 * np.log10(np.sqrt(0.5))) < 0.1
    assert np.abs(np.angle(gain)).max() < 1e-3


def test_order_4_falls_off_as_winters_filter_does() -> None:
    # Twice a 2nd-order Butterworth: gain 1 / (1 + (√2 − 1)·(f/fc)⁴) at low f/rate.
    rate_hz, f = 1000.0, 12.0
    t = np.arange(0, 10, 1 / rate_hz)
    smooth = x_of(butterworth(track(np.sin(2 * np.pi * f * t), rate_hz=rate_hz)))
    assert np.abs(smooth[2000:-2000]).max() == pytest.approx(1 / (1 + 0.41421 * 16), rel=5e-3)


def test_it_is_scipys_filter_with_the_corrected_cutoff() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, 600).cumsum()
    warped = np.arctan(np.tan(np.pi * 6 / 30) / 0.8022) / np.pi * 30
    b, a = signal.butter(2, warped, fs=30)
    theirs = signal.filtfilt(b, a, noise, padlen=60)
    np.testing.assert_allclose(x_of(butterworth(track(noise)))[40:-40], theirs[40:-40], atol=2e-3)


@given(
    start=st.floats(-2000, 2000),
    slope=st.floats(-50, 50),
    frames=st.integers(1, 40),
    cutoff_hz=st.floats(0.5, 14),
)
def test_lines_and_constants_pass_however_short(
    start: float, slope: float, frames: int, cutoff_hz: float
) -> None:
    line = start + slope * np.arange(frames)
    tolerance = 1e-7 * (1 + np.abs(line).max())
    filtered = butterworth(track(line), cutoff_hz=cutoff_hz)
    np.testing.assert_allclose(x_of(filtered), line, atol=tolerance)
    np.testing.assert_allclose(x_of(median(track(line), window=7)), line, atol=tolerance)


def test_stretches_between_gaps_are_filtered_each_by_itself_and_nan_stays() -> None:
    rng = np.random.default_rng(2)
    series = rng.normal(0, 5, 120)
    series[[0, 50, 51, 60, 62, 119]] = NAN
    smooth = x_of(butterworth(track(series)))
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(series))
    for start, stop in ((1, 50), (52, 60), (61, 62), (63, 119)):
        alone = x_of(butterworth(track(series[start:stop])))
        np.testing.assert_allclose(smooth[start:stop], alone, atol=1e-9)
    assert smooth[61] == pytest.approx(series[61])


def test_keypoints_with_different_gaps_do_not_disturb_each_other() -> None:
    rng = np.random.default_rng(3)
    poses = track(np.zeros(90))
    poses["position"][:] = rng.normal(0, 5, poses["position"].shape)
    whole = butterworth(poses)["position"].values
    poses["position"][40:44, :, 2, 1] = NAN
    holed = butterworth(poses)["position"].values
    same = np.ones((6, 2), bool)
    same[2, 1] = False
    np.testing.assert_array_equal(holed[:, :, same], whole[:, :, same])
    assert np.isnan(holed[40:44, :, 2, 1]).all()


def test_an_uneven_frame_rate_gives_what_an_even_one_would() -> None:
    def movement(t: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(
            300 * t + 40 * np.sin(2 * np.pi * 1.1 * t) + 5 * np.sin(2 * np.pi * 3 * t)
        )

    rng = np.random.default_rng(4)
    even_s = np.arange(0, 6, 1 / 30)
    uneven_s = np.sort(even_s + rng.uniform(-0.012, 0.012, len(even_s)))
    uneven_s = np.delete(uneven_s, [40, 41, 90])
    smooth = butterworth(track(movement(uneven_s), time_s=uneven_s))
    np.testing.assert_array_equal(smooth["time"], uneven_s)
    entry = operation_log(smooth)[-1]
    assert entry["resampled"]
    assert entry["rate_hz"] == pytest.approx(30, abs=0.7)
    ideal = np.interp(uneven_s, even_s, x_of(butterworth(track(movement(even_s)))))
    middle = slice(10, -10)
    assert np.abs(x_of(smooth) - ideal)[middle].max() < 0.6


def test_seconds_without_frames_are_not_filtered_across() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 5, 80)
    noise[50:] += 300
    time_s = np.arange(80) / 30 + np.where(np.arange(80) >= 50, 2.0, 0.0)
    for smooth in (butterworth, median):
        whole = x_of(smooth(track(noise, time_s=time_s)))
        for part in (slice(0, 50), slice(50, 80)):
            alone = x_of(smooth(track(noise[part], time_s=time_s[part])))
            # The rate's last digit decides whether 10 or 11 frames continue a stretch's ends.
            np.testing.assert_allclose(whole[part], alone, atol=1e-3)


def test_years_without_frames_cost_nothing() -> None:
    time_s = [0.0, 0.033, 0.067, 0.1, 1e9, 1e9 + 0.033, 1e9 + 0.067]
    smooth = butterworth(track(np.arange(7.0), time_s=time_s))
    np.testing.assert_allclose(x_of(smooth)[4:], [4, 5, 6], atol=0.1)


def test_a_few_dropped_frames_are_no_hole_and_slow_cameras_have_none() -> None:
    assert unbroken(np.array([0, 1, 2, 7, 8]) / 30) == [slice(0, 5)]
    assert unbroken(np.array([0, 1, 2, 10, 11]) / 30) == [slice(0, 3), slice(3, 5)]
    assert unbroken(np.arange(4) * 10.0) == [slice(0, 4)]
    assert unbroken(np.empty(0)) == [slice(0, 0)]


def test_timestamps_rounded_to_milliseconds_are_an_even_rate() -> None:
    rounded = np.round(np.arange(300) / 120, 3)
    entry = operation_log(butterworth(track(np.zeros(300), time_s=rounded)))[-1]
    assert entry["rate_hz"] == pytest.approx(120, abs=0.1)
    assert not entry["resampled"]


def test_a_cutoff_above_half_the_frame_rate_is_refused_with_the_numbers() -> None:
    with pytest.raises(InputError, match=r"6 Hz needs more than 12 frames/s.*has 10.*below 5"):
        butterworth(track(np.zeros(50), rate_hz=10))
    butterworth(track(np.zeros(50), rate_hz=25))


@pytest.mark.parametrize("frames", [0, 1])
def test_an_image_passes_unchanged(frames: int) -> None:
    poses = track(np.arange(frames) + 3.0)
    for smooth in (butterworth(poses), median(poses, window=5)):
        xr.testing.assert_equal(smooth, poses)
        assert operation_log(smooth)[-1]["changed"] == 0


def test_median_removes_an_outlier_and_counts_it() -> None:
    smooth = median(track([1, 2, 90, 4, 5, 6]))
    np.testing.assert_array_equal(x_of(smooth), [1, 2, 4, 5, 5, 6])
    assert operation_log(smooth)[-1] == {"operation": "median", "window": 3, "changed": 24}
    validate_poses(smooth)


def test_median_window_shrinks_toward_gaps_and_ends() -> None:
    smooth = x_of(median(track([5, 1, 9, NAN, 3, 50, 4, 2, 1]), window=5))
    np.testing.assert_array_equal(smooth, [5, 5, 9, NAN, 3, 4, 3, 2, 1])


def test_filters_keep_single_precision_and_do_not_touch_their_input() -> None:
    poses = track(np.random.default_rng(5).normal(0, 1, 40)).astype(np.float32)
    before = poses.copy(deep=True)
    for smooth in (butterworth(poses), median(poses)):
        assert smooth["position"].dtype == np.float32
        assert "filled" not in smooth
    xr.testing.assert_identical(poses, before)


@pytest.mark.parametrize("bad", [0, -1, "six", None, True, NAN])
def test_settings_that_make_no_sense_are_named(bad: object) -> None:
    with pytest.raises(ConfigError, match="cutoff_hz must be a positive number"):
        butterworth(track(np.zeros(9)), cutoff_hz=bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="window must be a positive number"):
        median(track(np.zeros(9)), window=bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="odd"):
        median(track(np.zeros(9)), window=4)
    with pytest.raises(ConfigError, match="even"):
        butterworth(track(np.zeros(9)), order=3)
