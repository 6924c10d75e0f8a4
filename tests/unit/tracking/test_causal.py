"""Causal filters: blind to the future, the same live and over a series, true to their papers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy import signal

from gonio.errors import ConfigError, InputError, UnknownNameError
from gonio.poses import operation_log, validate_poses
from gonio.tracking import (
    CausalButterworth,
    CausalFilter,
    CausalKalman,
    CausalMedian,
    OneEuro,
    causal_butterworth,
    causal_kalman,
    causal_median,
    one_euro,
)
from gonio.tracking.kalman import Motion, model_of, smooth_rows
from gonio.tracking.series import frame_rate
from unit.tracking.series_on_keypoints import NAN, gain_db, noisy, track, waves, x_of

Floats = NDArray[np.float64]
Operation = Callable[[xr.Dataset], xr.Dataset]

PAIRS: dict[str, tuple[Operation, Callable[[float], CausalFilter]]] = {
    "median": (lambda p: causal_median(p, window=5), lambda rate_hz: CausalMedian(window=5)),
    "butterworth": (causal_butterworth, lambda rate_hz: CausalButterworth()),
    "butterworth of order 4": (
        lambda p: causal_butterworth(p, order=4, cutoff_hz=3),
        lambda rate_hz: CausalButterworth(order=4, cutoff_hz=3),
    ),
    "one euro": (one_euro, lambda rate_hz: OneEuro()),
    "kalman": (causal_kalman, lambda rate_hz: CausalKalman(rate_hz=rate_hz)),
    "kalman, acceleration, confidence": (
        lambda p: causal_kalman(p, motion="acceleration", weights="confidence"),
        lambda rate_hz: CausalKalman(rate_hz=rate_hz, motion="acceleration", weights="confidence"),
    ),
}
every_filter = pytest.mark.parametrize(("operation", "make"), PAIRS.values(), ids=PAIRS.keys())


def uneven(frames: int = 120) -> xr.Dataset:
    """Let keypoints wander with gaps, at frame times that jitter and leave frames out."""
    poses = noisy(frames)
    time_s = poses["time"].values + np.random.default_rng(1).uniform(-0.01, 0.01, frames)
    time_s[60:] += 0.3
    return poses.assign_coords(time=time_s)


def live(causal: CausalFilter, poses: xr.Dataset) -> Floats:
    frames = zip(
        poses["position"].values, poses["confidence"].values, poses["time"].values, strict=True
    )
    return np.stack([causal.update(p, c, float(t)) for p, c, t in frames])


@every_filter
@pytest.mark.parametrize("poses", [noisy(120), uneven()], ids=["even", "uneven"])
def test_frame_by_frame_gives_the_same_numbers_as_the_whole_series(
    operation: Operation, make: Callable[[float], CausalFilter], poses: xr.Dataset
) -> None:
    whole = operation(poses)
    causal = make(frame_rate(poses["time"].values)[0])
    np.testing.assert_allclose(live(causal, poses), whole["position"].values, rtol=1e-9, atol=1e-9)
    validate_poses(whole)
    before, after = poses["position"].values, whole["position"].values
    moved = (np.isfinite(before) & (before != after)).any(axis=1)
    assert operation_log(whole)[-1]["changed"] == moved.sum() > 900


@every_filter
def test_the_future_changes_nothing_before(
    operation: Operation, make: Callable[[float], CausalFilter]
) -> None:
    poses = noisy(120)
    other = poses.copy(deep=True)
    other["position"][70:] = 1e4 * np.random.default_rng(2).normal(size=(50, 2, 6, 2))
    other["confidence"][70:] = 0.3
    before, after = (operation(p)["position"].values for p in (poses, other))
    np.testing.assert_array_equal(before[:70], after[:70])
    assert not np.allclose(before[70:], after[70:], equal_nan=True)


@every_filter
def test_nan_stays_and_nothing_else_becomes_nan_and_the_input_is_not_touched(
    operation: Operation, make: Callable[[float], CausalFilter]
) -> None:
    poses = noisy(90).astype(np.float32)
    before = poses.copy(deep=True)
    filtered = operation(poses)
    np.testing.assert_array_equal(np.isnan(filtered["position"]), np.isnan(before["position"]))
    assert filtered["position"].dtype == np.float32
    xr.testing.assert_identical(poses, before)


@every_filter
def test_what_stands_still_stays(
    operation: Operation, make: Callable[[float], CausalFilter]
) -> None:
    series = np.full(60, 321.5)
    series[[7, 20, 21, 22, 30]] = NAN
    np.testing.assert_allclose(x_of(operation(track(series))), series, atol=1e-9)


@every_filter
@pytest.mark.parametrize("frames", [0, 1])
def test_an_image_passes_unchanged(
    operation: Operation, make: Callable[[float], CausalFilter], frames: int
) -> None:
    poses = track(np.arange(frames) + 3.0)
    filtered = operation(poses)
    xr.testing.assert_equal(filtered, poses)
    assert operation_log(filtered)[-1]["changed"] == 0


@every_filter
def test_keypoints_do_not_disturb_each_other(
    operation: Operation, make: Callable[[float], CausalFilter]
) -> None:
    poses = noisy(90)
    together = operation(poses)["position"].values
    alone = operation(poses.isel(keypoints=[2], individuals=[1]))["position"].values
    np.testing.assert_allclose(together[:, :, [2], [1]], alone[:, :, :, 0], atol=1e-9)


@every_filter
def test_after_a_long_gap_a_keypoint_begins_anew_after_a_short_one_it_goes_on(
    operation: Operation, make: Callable[[float], CausalFilter]
) -> None:
    values = np.random.default_rng(7).normal(0, 5, 60)
    values[20:23] = NAN  # 0.133 s from sighting to sighting
    values[40:46] = NAN  # 0.233 s
    filtered = x_of(operation(track(values)))
    assert filtered[46] == pytest.approx(values[46], abs=1e-9)
    np.testing.assert_allclose(filtered[46:], x_of(operation(track(values[46:]))), atol=1e-6)
    assert filtered[23] != pytest.approx(values[23], abs=1e-6)


# --- each by itself ----------------------------------------------------------------------------


def test_the_median_is_that_of_the_last_frames() -> None:
    series = [1, 9, 2, NAN, 4, 100, 3, *[NAN] * 6, 50, 60]
    filtered = causal_median(track(series))
    expected = [1, 5, 2, NAN, 3, 52, 4, *[NAN] * 6, 50, 55]
    np.testing.assert_array_equal(x_of(filtered), expected)


def test_the_one_euro_filter_is_the_papers() -> None:
    values = [10.0, 12.0, 11.0, NAN, 30.0, 31.0]
    time_s = [0.0, 0.03, 0.07, 0.10, 0.14, 0.17]
    min_cutoff, beta, derivative_cutoff = 1.5, 0.03, 2.0

    def alpha(rate: float, cutoff: float) -> float:
        tau = 1 / (2 * np.pi * cutoff)
        return float(1 / (1 + tau * rate))

    expected, smooth, speed, last = [], values[0], 0.0, time_s[0]
    for x, t in zip(values, time_s, strict=True):
        if t == 0 or np.isnan(x):
            expected.append(x)
            continue
        rate = 1 / (t - last)
        a = alpha(rate, derivative_cutoff)
        speed = a * (x - smooth) * rate + (1 - a) * speed
        a = alpha(rate, min_cutoff + beta * abs(speed))
        smooth = a * x + (1 - a) * smooth
        last = t
        expected.append(smooth)
    causal = OneEuro(min_cutoff_hz=1.5, beta=0.03, derivative_cutoff_hz=2.0)
    filtered = live(causal, track(values, time_s=time_s))
    np.testing.assert_allclose(filtered[:, 0, 0, 0], expected, rtol=1e-6)


def test_at_rest_the_one_euro_filter_is_an_exponential_average_of_its_least_cutoff() -> None:
    noise = np.random.default_rng(3).normal(0, 1, 200)
    ratio = 2 * np.pi * 2.0 / 30
    a = ratio / (1 + ratio)
    expected, _ = signal.lfilter([a], [1, a - 1], noise, zi=[noise[0] * (1 - a)])
    filtered = x_of(one_euro(track(noise), min_cutoff_hz=2, beta=0))
    np.testing.assert_allclose(filtered, expected, atol=1e-4)


@pytest.mark.parametrize("order", [2, 4, 6])
def test_the_butterworth_filter_is_scipys_at_an_even_rate(order: int) -> None:
    noise = np.random.default_rng(4).normal(0, 1, 300)
    sections = signal.butter(order, 5.0, fs=30, output="sos")
    expected, _ = signal.sosfilt(sections, noise, zi=signal.sosfilt_zi(sections) * noise[0])
    filtered = x_of(causal_butterworth(track(noise), cutoff_hz=5, order=order))
    np.testing.assert_allclose(filtered, expected, atol=1e-4)


@pytest.mark.parametrize(("cutoff_hz", "rate_hz"), [(6.0, 25.0), (6.0, 240.0), (10.0, 30.0)])
@pytest.mark.parametrize("order", [2, 4])
def test_its_gain_is_minus_3_db_at_the_cutoff(cutoff_hz: float, rate_hz: float, order: int) -> None:
    answers = [
        x_of(causal_butterworth(w, cutoff_hz=cutoff_hz, order=order))
        for w in waves(cutoff_hz, rate_hz)
    ]
    gain = gain_db((answers[0], answers[1]), cutoff_hz, rate_hz)
    assert gain == pytest.approx(20 * np.log10(np.sqrt(0.5)), abs=0.01)


def test_the_butterworth_filter_follows_uneven_times() -> None:
    def movement(t: Floats) -> Floats:
        return np.asarray(50 * np.sin(2 * np.pi * 1.2 * t))

    rng = np.random.default_rng(5)
    even_s = np.arange(0, 4, 1 / 60)
    uneven_s = np.sort(even_s + rng.uniform(-0.006, 0.006, len(even_s)))
    even = x_of(causal_butterworth(track(movement(even_s), time_s=even_s)))
    filtered = x_of(causal_butterworth(track(movement(uneven_s), time_s=uneven_s)))
    assert np.abs(filtered - np.interp(uneven_s, even_s, even))[20:-1].max() < 1


@pytest.mark.parametrize("motion", ["velocity", "acceleration"])
@pytest.mark.parametrize("jitter_s", [0.0, 0.01])
def test_the_kalman_filters_last_word_is_the_smoothers(motion: Motion, jitter_s: float) -> None:
    rng = np.random.default_rng(8)
    time_s = np.round(np.arange(40) / 30 + rng.uniform(-jitter_s, jitter_s, 40), 6)
    series = rng.normal(0, 3, 40).cumsum()
    causal = CausalKalman(rate_hz=30, motion=motion)
    filtered = live(causal, track(series, time_s=time_s))[:, 0, 0, 0]
    model, gaps = model_of("kalman", motion, "equal", 4 / 30), np.diff(time_s) * 30
    for last in range(5, 40):
        past = series[None, : last + 1]
        smoothed = smooth_rows(past, np.ones(last + 1), gaps[:last], model)
        assert filtered[last] == pytest.approx(smoothed[0, -1], abs=1e-3)


def test_an_uncertain_point_moves_the_kalman_filter_less() -> None:
    poses = track([0.0] * 20 + [9.0])
    sure = x_of(causal_kalman(poses, weights="confidence"))[-1]
    poses["confidence"][20] = 0.2
    unsure = x_of(causal_kalman(poses, weights="confidence"))[-1]
    assert 0 < unsure < 0.3 * sure
    assert x_of(causal_kalman(poses))[-1] == pytest.approx(sure, rel=1e-3)


# --- what is refused ---------------------------------------------------------------------------


def test_time_must_increase_and_shapes_stay_until_reset() -> None:
    causal = OneEuro()
    frame, sure = np.zeros((2, 6, 1)), np.ones((6, 1))
    causal.update(frame, sure, 1.0)
    for time_s in (1.0, 0.5, NAN):
        with pytest.raises(InputError, match=r"one_euro: time does not increase \(1 s"):
            causal.update(frame, sure, time_s)
    causal.update(frame, sure, 1.1)
    with pytest.raises(InputError, match=r"shape \(2, 6, 2\).*Reset it"):
        causal.update(np.zeros((2, 6, 2)), np.ones((6, 2)), 1.2)
    causal.reset()
    causal.update(np.zeros((2, 6, 2)), np.ones((6, 2)), 0.0)


def test_frames_further_apart_than_the_longest_gap_are_refused() -> None:
    with pytest.raises(InputError, match=r"max_gap_s = 0\.2 each frame begins anew at 4.*0\.25"):
        one_euro(track(np.zeros(9), rate_hz=4))
    one_euro(track(np.zeros(9), rate_hz=4), max_gap_s=0.3)


def test_settings_that_make_no_sense_are_named() -> None:
    zeros = track(np.zeros(9))
    with pytest.raises(ConfigError, match="one_euro: min_cutoff_hz must be a positive number"):
        one_euro(zeros, min_cutoff_hz=0)
    with pytest.raises(ConfigError, match="one_euro: beta must be a number of at least 0"):
        one_euro(zeros, beta=-1)
    with pytest.raises(ConfigError, match="causal_median: window must be an odd number"):
        causal_median(zeros, window=2)
    with pytest.raises(ConfigError, match="order must be even"):
        causal_butterworth(zeros, order=3)
    with pytest.raises(InputError, match="causal_butterworth: a cutoff of 15 Hz needs more than"):
        causal_butterworth(zeros, cutoff_hz=15)
    with pytest.raises(InputError, match="causal_kalman: a cutoff of 15 Hz needs more than"):
        causal_kalman(zeros, cutoff_hz=15)
    with pytest.raises(UnknownNameError, match="did you mean 'velocity'"):
        causal_kalman(zeros, motion="veloctiy")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="max_gap_s must be a positive number"):
        OneEuro(max_gap_s=0)
