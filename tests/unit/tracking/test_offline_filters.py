"""Savitzky-Golay, cross-validated splines and the Kalman smoother, against scipy and textbooks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.interpolate import make_smoothing_spline
from scipy.signal import savgol_filter

from gonio.errors import ConfigError, InputError, UnknownNameError
from gonio.poses import operation_log, validate_poses
from gonio.tracking import gcv_spline, kalman, savitzky_golay
from gonio.tracking.kalman import model_of, smooth_rows
from gonio.tracking.splines import cross_validated, cutoff_of, smoothing_spline, smoothness_of
from unit.tracking.series_on_keypoints import NAN, gain_db, noisy, track, waves, x_of

Filter = Callable[..., xr.Dataset]
FILTERS: list[Filter] = [savitzky_golay, gcv_spline, kalman]
MINUS_3_DB = 20 * np.log10(np.sqrt(0.5))


def wander(rows: int, frames: int, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (rows, frames)).cumsum(axis=1)


# --- what all of them keep ---------------------------------------------------------------------


@pytest.mark.parametrize("smooth", FILTERS)
@given(
    start=st.floats(-2000, 2000),
    slope=st.floats(-50, 50),
    frames=st.integers(1, 30),
    uneven=st.booleans(),
)
def test_lines_pass_however_short(
    smooth: Filter, start: float, slope: float, frames: int, uneven: bool
) -> None:
    time_s = np.arange(frames) / 30
    if uneven:
        time_s = time_s + 0.01 * (np.arange(frames) % 3)
    line = start + 30 * slope * time_s
    filtered = x_of(smooth(track(line, time_s=time_s)))
    np.testing.assert_allclose(filtered, line, atol=1e-7 * (1 + np.abs(line).max()))


@pytest.mark.parametrize("smooth", FILTERS)
def test_stretches_between_gaps_are_smoothed_each_by_itself_and_nan_stays(smooth: Filter) -> None:
    series = wander(1, 140)[0]
    series[[0, 50, 51, 60, 62, 139]] = NAN
    smoothed = x_of(smooth(track(series)))
    np.testing.assert_array_equal(np.isnan(smoothed), np.isnan(series))
    for start, stop in ((1, 50), (52, 60), (61, 62), (63, 139)):
        alone = x_of(smooth(track(series[start:stop])))
        np.testing.assert_allclose(smoothed[start:stop], alone, atol=1e-9)
    assert smoothed[61] == series[61]
    assert not np.allclose(smoothed[1:50], series[1:50])


@pytest.mark.parametrize("smooth", FILTERS)
def test_keypoints_do_not_disturb_each_other(smooth: Filter) -> None:
    poses = noisy(90)
    together = smooth(poses)["position"].values
    for k, i in ((0, 0), (2, 0), (4, 1)):
        alone = smooth(poses.isel(keypoints=[k], individuals=[i]))["position"].values
        np.testing.assert_allclose(together[:, :, [k], [i]], alone[:, :, :, 0], atol=1e-9)


@pytest.mark.parametrize("smooth", FILTERS)
def test_an_uneven_frame_rate_gives_what_an_even_one_would(smooth: Filter) -> None:
    def movement(t: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(300 * t + 40 * np.sin(2 * np.pi * 1.1 * t))

    rng = np.random.default_rng(4)
    even_s = np.arange(0, 6, 1 / 60)
    uneven_s = np.sort(even_s + rng.uniform(-0.006, 0.006, len(even_s)))
    uneven_s = np.delete(uneven_s, [40, 41, 90])
    smoothed = smooth(track(movement(uneven_s), time_s=uneven_s))
    np.testing.assert_array_equal(smoothed["time"], uneven_s)
    assert np.abs(x_of(smoothed) - movement(uneven_s))[10:-10].max() < 0.3


@pytest.mark.parametrize("smooth", FILTERS)
def test_single_precision_stays_and_the_input_is_not_touched(smooth: Filter) -> None:
    poses = noisy(60).astype(np.float32)
    before = poses.copy(deep=True)
    smoothed = smooth(poses)
    validate_poses(smoothed)
    assert smoothed["position"].dtype == np.float32
    assert "filled" not in smoothed
    assert operation_log(smoothed)[-1]["changed"] > 300
    xr.testing.assert_identical(poses, before)


@pytest.mark.parametrize("smooth", FILTERS)
@pytest.mark.parametrize("frames", [0, 1])
def test_an_image_passes_unchanged(smooth: Filter, frames: int) -> None:
    poses = track(np.arange(frames) + 3.0)
    smoothed = smooth(poses)
    xr.testing.assert_equal(smoothed, poses)
    assert operation_log(smoothed)[-1]["changed"] == 0


@pytest.mark.parametrize("smooth", FILTERS)
def test_nobody_passes(smooth: Filter) -> None:
    nobody = noisy(60).isel(individuals=[])
    assert smooth(nobody).sizes == nobody.sizes
    unseen = noisy(60).map(lambda a: a * NAN)
    assert smooth(unseen)["position"].isnull().all()


# --- Savitzky-Golay ----------------------------------------------------------------------------


@pytest.mark.parametrize(("window_s", "frames"), [(0.3, 9), (0.5, 15), (0.25, 7)])
@pytest.mark.parametrize("order", [2, 3])
def test_savitzky_golay_is_scipys(window_s: float, frames: int, order: int) -> None:
    series = wander(1, 80)[0]
    smoothed = savitzky_golay(track(series), window_s=window_s, order=order)
    np.testing.assert_allclose(x_of(smoothed), savgol_filter(series, frames, order), atol=1e-12)
    assert operation_log(smoothed)[-1]["window_frames"] == frames


def test_savitzky_golay_has_minus_3_db_where_its_log_says() -> None:
    for rate_hz, window_s, order in ((30, 0.3, 3), (60, 0.3, 2), (240, 0.2, 4)):
        settings = {"window_s": window_s, "order": order}
        noise = savitzky_golay(track(wander(1, 90)[0], rate_hz=rate_hz), **settings)
        cutoff_hz = operation_log(noise)[-1]["cutoff_hz"]
        answers = [x_of(savitzky_golay(w, **settings)) for w in waves(cutoff_hz, rate_hz)]
        assert gain_db((answers[0], answers[1]), cutoff_hz, rate_hz) == pytest.approx(
            MINUS_3_DB, abs=0.01
        )


def test_savitzky_golay_keeps_cubics_and_shrinks_its_window_in_short_stretches() -> None:
    t = np.arange(7.0)
    cubic = t**3 - 5 * t**2 + t
    np.testing.assert_allclose(x_of(savitzky_golay(track(cubic))), cubic, atol=1e-9)
    series = wander(1, 8)[0]
    expected = savgol_filter(series, 7, 3)
    np.testing.assert_allclose(x_of(savitzky_golay(track(series))), expected, atol=1e-9)
    four = wander(1, 4)[0]
    np.testing.assert_array_equal(x_of(savitzky_golay(track(four))), four)


def test_a_window_too_short_for_the_order_is_refused_with_the_numbers() -> None:
    with pytest.raises(InputError, match=r"0\.1 s are 3 frames at 30.*order 3.*at least 0\.2"):
        savitzky_golay(track(np.zeros(50)), window_s=0.1)
    savitzky_golay(track(np.zeros(50)), window_s=0.2)
    with pytest.raises(ConfigError, match=r"order must be a whole number, not 2\.5"):
        savitzky_golay(track(np.zeros(9)), order=2.5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="window_s must be a positive number"):
        savitzky_golay(track(np.zeros(9)), window_s=-1)


# --- smoothing splines -------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [5, 6, 7, 20, 333])
@pytest.mark.parametrize("smoothness", [1e-6, 0.1, 30.0, 1e5])
def test_the_spline_is_scipys_for_a_given_smoothness(frames: int, smoothness: float) -> None:
    rows = wander(2, frames)
    t = np.arange(frames, dtype=float)
    theirs = [make_smoothing_spline(t, row, lam=smoothness)(t) for row in rows]
    np.testing.assert_allclose(smoothing_spline(rows, smoothness), theirs, atol=1e-7)


@pytest.mark.parametrize("frames", [12, 60, 150])
def test_cross_validation_chooses_what_scipys_does(frames: int) -> None:
    t = np.arange(frames, dtype=float)
    noise = np.random.default_rng(1).normal(0, 1, (3, frames))
    rows = 10 * np.sin(2 * np.pi * t / 25 + np.array([[0], [1], [2]])) + noise
    smooth, smoothness = cross_validated(rows)
    assert (smoothness < frames).all()  # scipy looks no further
    theirs = [make_smoothing_spline(t, row)(t) for row in rows]
    np.testing.assert_allclose(smooth, theirs, atol=2e-3)


def test_cross_validation_finds_the_least_score_of_the_definition() -> None:
    frames = 40
    row = np.sin(np.arange(frames) / 4) + np.random.default_rng(2).normal(0, 0.3, frames)

    def score(smoothness: float) -> float:
        # The smoother's matrix is what it makes of unit vectors.
        matrix = smoothing_spline(np.eye(frames), smoothness)
        residual = row - matrix @ row
        return float(residual @ residual / (frames - np.trace(matrix)) ** 2)

    _, smoothness = cross_validated(row[None])
    scores = [score(x) for x in np.geomspace(1e-4, 1e4, 200)]
    assert score(float(smoothness[0])) <= min(scores) * (1 + 1e-6)


def test_a_long_series_is_searched_in_bands_of_frequency_with_the_same_result() -> None:
    from gonio.tracking.splines import _least, _search_range, _Spectrum

    rng = np.random.default_rng(3)
    t = np.arange(70_000)
    rows = 10 * np.sin(2 * np.pi * t / np.array([[30], [300]])) + rng.normal(0, 1, (2, len(t)))
    spectrum, bounds = _Spectrum.of(rows), _search_range(len(t))
    assert spectrum.in_bands() is not spectrum
    exact, banded = (cutoff_of(np.exp(_least(s, bounds))) for s in (spectrum, spectrum.in_bands()))
    np.testing.assert_allclose(banded, exact, rtol=0.01)


@pytest.mark.parametrize("cutoff_hz", [0.5, 3.0, 12.0])
def test_a_splines_cutoff_is_where_its_gain_is_minus_3_db(cutoff_hz: float) -> None:
    smoothness = smoothness_of(cutoff_hz / 30)
    assert cutoff_of(np.array([smoothness]))[0] * 30 == pytest.approx(cutoff_hz)
    answers = smoothing_spline(np.stack([x_of(w) for w in waves(cutoff_hz, 30)]), smoothness)
    assert gain_db((answers[0], answers[1]), cutoff_hz, 30) == pytest.approx(MINUS_3_DB, abs=1e-3)


def test_the_spline_takes_white_noise_away_and_tells_its_cutoffs() -> None:
    t = np.arange(600) / 30
    true = 100 * np.sin(2 * np.pi * t)
    smoothed = gcv_spline(track(true + np.random.default_rng(5).normal(0, 3, 600)))
    assert np.sqrt(np.mean((x_of(smoothed) - true) ** 2)) < 1.5
    least, median, most = operation_log(smoothed)[-1]["cutoffs_hz"]
    assert 1 < least < 6
    assert [median, most] == pytest.approx([least, least])


# --- Kalman smoother ---------------------------------------------------------------------------


def textbook_smoother(
    z: NDArray[np.float64],
    variance: NDArray[np.float64],
    gaps: NDArray[np.float64],
    q: float,
    m: int,
) -> NDArray[np.float64]:
    """Filter forward, then smooth backward, matrix by matrix (Rauch, Tung & Striebel 1965)."""
    powers = {2: (3, 2, 1), 3: (20, 8, 6, 3, 2, 1)}[m]

    def step(d: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if m == 2:
            a, b, c = (d**n / p for n, p in zip((3, 2, 1), powers, strict=True))
            return np.array([[1, d], [0, 1]]), q * np.array([[a, b], [b, c]])
        a, b, c, e, f, g = (d**n / p for n, p in zip((5, 4, 3, 3, 2, 1), powers, strict=True))
        noise = q * np.array([[a, b, c], [b, e, f], [c, f, g]])
        return np.array([[1, d, d * d / 2], [0, 1, d], [0, 0, 1]]), noise

    x, p = np.zeros(m), np.eye(m) * 1e7
    ahead, behind = [], []
    for t, measured in enumerate(z):
        if t:
            f, noise = step(gaps[t - 1])
            x, p = f @ x, f @ p @ f.T + noise
        ahead.append((x, p))
        k = p[:, 0] / (p[0, 0] + variance[t])
        keep = np.eye(m)
        keep[:, 0] -= k
        x, p = x + k * (measured - x[0]), keep @ p @ keep.T + variance[t] * np.outer(k, k)
        behind.append((x, p))
    smooth = [behind[-1][0]]
    for t in range(len(z) - 2, -1, -1):
        x, p = behind[t]
        back = p @ step(gaps[t])[0].T @ np.linalg.inv(ahead[t + 1][1])
        smooth.append(x + back @ (smooth[-1] - ahead[t + 1][0]))
    return np.array([s[0] for s in smooth[::-1]])


@pytest.mark.parametrize("motion", ["velocity", "acceleration"])
def test_the_kalman_smoother_is_the_textbooks(motion: str) -> None:
    rng = np.random.default_rng(6)
    for frames in (5, 70):
        z, gaps = wander(1, frames)[0], rng.uniform(0.5, 2, frames - 1)
        variance = rng.uniform(0.5, 9, frames)
        model = model_of("kalman", motion, "equal", 0.1)
        ours = smooth_rows(z[None], 1 / variance, gaps, model)[0]
        theirs = textbook_smoother(z, variance, gaps, model.noise, model.states)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("motion", ["velocity", "acceleration"])
@pytest.mark.parametrize(("cutoff_hz", "rate_hz"), [(6.0, 25.0), (6.0, 240.0), (11.0, 30.0)])
def test_its_gain_is_minus_3_db_at_the_cutoff(
    motion: str, cutoff_hz: float, rate_hz: float
) -> None:
    settings = {"cutoff_hz": cutoff_hz, "motion": motion}
    answers = [x_of(kalman(w, **settings)) for w in waves(cutoff_hz, rate_hz)]  # type: ignore[arg-type]
    assert gain_db((answers[0], answers[1]), cutoff_hz, rate_hz) == pytest.approx(
        MINUS_3_DB, abs=0.001
    )


def test_with_nearly_constant_velocity_it_is_a_cubic_smoothing_spline() -> None:
    series = wander(1, 200)[0]
    spline = smoothing_spline(series[None], smoothness_of(4 / 30))[0]
    np.testing.assert_allclose(x_of(kalman(track(series), cutoff_hz=4)), spline, atol=1e-9)


def test_with_nearly_constant_acceleration_parabolas_pass() -> None:
    parabola = 0.3 * np.arange(50.0) ** 2
    smoothed = kalman(track(parabola), motion="acceleration", cutoff_hz=2)
    np.testing.assert_allclose(x_of(smoothed), parabola, atol=1e-6)


def test_uncertain_points_count_less_and_cutoff_is_that_of_certain_ones() -> None:
    poses = track([0.0] * 10 + [8.0] + [0.0] * 10)
    equal = x_of(kalman(poses, weights="confidence"))
    np.testing.assert_allclose(equal, x_of(kalman(poses)), atol=1e-12)
    poses["confidence"][10] = 0.1
    poses["confidence"][3] = NAN
    trusting = x_of(kalman(poses, weights="confidence"))
    assert np.abs(trusting).max() < 0.05 * np.abs(equal).max()
    np.testing.assert_allclose(x_of(kalman(poses)), equal, atol=1e-12)


def test_weights_belong_to_their_keypoint_and_stretch() -> None:
    poses = noisy(90)
    smoothed = kalman(poses, weights="confidence")["position"].values
    alone = poses.isel(time=slice(9, 90), keypoints=[2], individuals=[0])
    expected = kalman(alone, weights="confidence")["position"].values
    np.testing.assert_allclose(smoothed[9:, :, [2], 0], expected[..., 0], atol=1e-9)


def test_wrong_kalman_settings_are_named() -> None:
    with pytest.raises(InputError, match="kalman: a cutoff of 6 Hz needs more than 12 frames/s"):
        kalman(track(np.zeros(50), rate_hz=10))
    with pytest.raises(UnknownNameError, match="did you mean 'velocity'"):
        kalman(track(np.zeros(9)), motion="velocty")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="did you mean 'confidence'"):
        kalman(track(np.zeros(1)), weights="confidences")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="cutoff_hz must be a positive number"):
        kalman(track(np.zeros(9)), cutoff_hz=0)
