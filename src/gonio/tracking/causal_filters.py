"""Causal forms of median, Butterworth low-pass and Kalman filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gonio.errors import ConfigError
from gonio.tracking.causal import CausalFilter, Sample, filter_poses
from gonio.tracking.kalman import Motion, Weights, measurement_weights, model_of
from gonio.tracking.series import frame_rate, positive
from gonio.tracking.stretches import check_cutoff
from gonio.tracking.windows import odd_window

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_STEEPEST = 1.4
_UNKNOWN = 1e6
_SETTLED = 1e-12


class CausalMedian(CausalFilter):
    """The median of the last frames.

    Parameters
    ----------
    window
        Frames, odd, the newest included. Missing samples and those before a beginning are left
        out; of an even number of samples the middle two are averaged.
    max_gap_s
        See :class:`CausalFilter`.

    Raises
    ------
    ConfigError
        If a setting is out of range.
    """

    def __init__(self, *, window: int = 3, max_gap_s: float = 0.2) -> None:
        self._window = odd_window("causal_median", window)
        super().__init__("causal_median", max_gap_s)

    def _start(self, shape: tuple[int, ...]) -> None:
        self._last: Doubles = np.full((self._window, *shape), np.nan)
        self._next = 0

    def _begin(self, position: Doubles, fresh: Mask) -> None:  # noqa: ARG002
        np.copyto(self._last, np.nan, where=fresh)

    def _tune(self, elapsed_s: Doubles) -> None:
        """Nothing depends on the time: the window counts frames."""

    def _step(self, sample: Sample, *, same: bool) -> Doubles:  # noqa: ARG002
        newest = self._last[self._next]
        newest[:] = sample.position
        if not sample.seen.all():
            np.copyto(newest, np.nan, where=~sample.seen)
        self._next = (self._next + 1) % self._window
        ordered = np.sort(self._last, axis=0)  # NaN last
        half = self._window // 2
        if not np.isnan(ordered[-1]).any():
            whole: Doubles = ordered[half]
            return whole
        count = np.maximum(np.isfinite(ordered).sum(axis=0), 1)
        low, high = (
            np.take_along_axis(ordered, at[None], 0)[0] for at in ((count - 1) // 2, count // 2)
        )
        middle: Doubles = (low + high) / 2
        return middle


class CausalButterworth(CausalFilter):
    """A Butterworth low-pass filter in sections of order two.

    Each section y″ = ω²·(x − y) − ω/Q·y′ is carried on by the trapezoidal rule with ω·dt/2 = tan(π·
    cutoff·dt): at an even rate this is the digital Butterworth filter of the bilinear
    transform, with −3 dB at the cutoff; where the rate varies each step has its own length.

    Parameters
    ----------
    cutoff_hz
        Frequency at which the gain is −3 dB, Hz. The delay of slow movement is about
        0.22 / cutoff_hz for order 2. A step of the cutoff times the frame's duration of more
        than 0.446 (1 Hz at 2 frames/s) counts as that.
    order
        Even.
    max_gap_s
        See :class:`CausalFilter`.

    Raises
    ------
    ConfigError
        If a setting is out of range.

    References
    ----------
    Oppenheim & Schafer (2010), Discrete-Time Signal Processing, 3rd ed., sections 7.2 and B.1.
    """

    def __init__(self, *, cutoff_hz: float = 6.0, order: int = 2, max_gap_s: float = 0.2) -> None:
        self._cutoff_hz = positive("causal_butterworth", "cutoff_hz", cutoff_hz)
        if positive("causal_butterworth", "order", order) % 2:
            raise ConfigError(
                f"causal_butterworth: order must be even (sections of two), not {order!r}"
            )
        angle = np.pi * (2 * np.arange(int(order) // 2) + 1) / (2 * int(order))
        self._damping = (2 * np.sin(angle)).tolist()
        super().__init__("causal_butterworth", max_gap_s)

    def _start(self, shape: tuple[int, ...]) -> None:
        sections = len(self._damping)
        self._input: Doubles = np.zeros((sections, *shape))
        self._smooth: Doubles = np.zeros((sections, *shape))
        self._slope: Doubles = np.zeros((sections, *shape))

    def _begin(self, position: Doubles, fresh: Mask) -> None:
        np.copyto(self._input, position, where=fresh)
        np.copyto(self._smooth, position, where=fresh)
        np.copyto(self._slope, 0.0, where=fresh)

    def _tune(self, elapsed_s: Doubles) -> None:
        k = np.tan(np.minimum(np.pi * self._cutoff_hz * elapsed_s, _STEEPEST))
        self._step_size: Doubles = k
        self._factors = [
            ((1 - d * k - k * k) / (1 + d * k + k * k), k / (1 + d * k + k * k))
            for d in self._damping
        ]

    def _step(self, sample: Sample, *, same: bool) -> Doubles:  # noqa: ARG002
        value = sample.position
        for i, (keep, push) in enumerate(self._factors):
            smooth, slope, before = self._smooth[i], self._slope[i], self._input[i]
            force = before + value
            force -= smooth
            force -= smooth
            force *= push
            force += slope * keep
            slope += force
            smooth += self._step_size * slope
            slope[:] = force
            before[:] = value
            value = smooth
        return value


class CausalKalman(CausalFilter):
    """The Kalman filter: the forward half of :func:`kalman`.

    Parameters
    ----------
    rate_hz
        The camera's frames per second: with the cutoff it sets the ratio of the noises. Each
        step uses the time that has passed.
    cutoff_hz
        Frequency at which the gain of the *smoother* of this model is −3 dB, Hz. The filter
        alone follows faster movement, too.
    motion, weights
        See :func:`kalman`.
    max_gap_s
        See :class:`CausalFilter`.

    Raises
    ------
    ConfigError
        If a setting is out of range or unknown.
    InputError
        If the cutoff is not below half the rate.

    References
    ----------
    Kalman (1960), Journal of Basic Engineering 82(1):35-45.
    """

    def __init__(
        self,
        *,
        rate_hz: float,
        cutoff_hz: float = 4.0,
        motion: Motion = "velocity",
        weights: Weights = "equal",
        max_gap_s: float = 0.2,
    ) -> None:
        name = "causal_kalman"
        self._rate_hz = positive(name, "rate_hz", rate_hz)
        cutoff = positive(name, "cutoff_hz", cutoff_hz)
        check_cutoff(name, cutoff, self._rate_hz)
        self._model = model_of(name, motion, weights, cutoff / self._rate_hz)
        self._weighted = weights == "confidence"
        super().__init__(name, max_gap_s)

    def _start(self, shape: tuple[int, ...]) -> None:
        states = self._model.states
        self._state: Doubles = np.zeros((states, *shape))
        self._spread: Doubles = np.zeros((*shape[1:], states, states))
        self._gain: Doubles = np.zeros((states, *shape[1:]))
        self._settled = False

    def _begin(self, position: Doubles, fresh: Mask) -> None:
        np.copyto(self._state, 0.0, where=fresh)
        np.copyto(self._state[0], position, where=fresh)
        self._spread[fresh] = np.eye(self._model.states) * _UNKNOWN

    def _tune(self, elapsed_s: Doubles) -> None:
        frames = elapsed_s * self._rate_hz
        self._frames: Doubles = frames
        self._half_square: Doubles = frames * frames / 2
        self._onward: Doubles = self._model.transition(frames)
        self._noise: Doubles = self._model.covariance(frames)
        self._settled = False

    def _step(self, sample: Sample, *, same: bool) -> Doubles:  # noqa: ARG002
        state = self._state
        state[0] += self._frames * state[1]
        if len(state) > 2:
            state[0] += self._half_square * state[2]
            state[1] += self._frames * state[2]
        if not self._settled:
            self._measure(sample)
        away = sample.position - state[0]
        state += self._gain[:, None] * away
        result: Doubles = state[0]
        return result

    def _measure(self, sample: Sample) -> None:
        """Carry the covariance on, and weigh the measurement against it."""
        onward = self._onward
        ahead = onward @ self._spread @ onward.swapaxes(-1, -2) + self._noise
        variance = 1 / measurement_weights(sample.confidence) if self._weighted else 1.0
        gain = ahead[..., 0] * (sample.seen / (ahead[..., 0, 0] + variance))[..., None]
        spread = ahead - gain[..., :, None] * ahead[..., :1, :]
        change = np.abs(spread - self._spread).max(initial=0.0)
        self._settled = not self._weighted and change <= _SETTLED * spread.max(initial=0.0)
        self._spread, self._gain = spread, gain.transpose(2, 0, 1).copy()


def causal_median(poses: xr.Dataset, *, window: int = 3, max_gap_s: float = 0.2) -> xr.Dataset:
    """Replace each position by the median of the last frames.

    Parameters
    ----------
    poses
        Poses; NaN stays NaN.
    window, max_gap_s
        See :class:`CausalMedian`. The delay is half a window.

    Returns
    -------
    xr.Dataset

    Raises
    ------
    ConfigError
        If a setting is out of range.
    InputError
        If frames are further apart than ``max_gap_s``.
    """
    causal = CausalMedian(window=window, max_gap_s=max_gap_s)
    return filter_poses(poses, causal, window=int(window))


def causal_butterworth(
    poses: xr.Dataset, *, cutoff_hz: float = 6.0, order: int = 2, max_gap_s: float = 0.2
) -> xr.Dataset:
    """Low-pass filter as a live view does: only from the past, with a delay.

    Parameters
    ----------
    poses
        Poses; NaN stays NaN. Uneven times are followed as they are.
    cutoff_hz, order, max_gap_s
        See :class:`CausalButterworth`.

    Returns
    -------
    xr.Dataset

    Raises
    ------
    ConfigError
        If a setting is out of range.
    InputError
        If the cutoff is not below half the frame rate, or frames are further apart than
        ``max_gap_s``.
    """
    causal = CausalButterworth(cutoff_hz=cutoff_hz, order=order, max_gap_s=max_gap_s)
    time_s = poses["time"].values.astype(np.float64)
    if len(time_s) > 1:
        check_cutoff("causal_butterworth", float(cutoff_hz), frame_rate(time_s)[0])
    return filter_poses(poses, causal, cutoff_hz=float(cutoff_hz), order=int(order))


def causal_kalman(
    poses: xr.Dataset,
    *,
    cutoff_hz: float = 4.0,
    motion: Motion = "velocity",
    weights: Weights = "equal",
    max_gap_s: float = 0.2,
) -> xr.Dataset:
    """Smooth as a live view does, with the Kalman filter: only from the past.

    Parameters
    ----------
    poses
        Poses; NaN stays NaN. Uneven times are followed as they are.
    cutoff_hz, motion, weights, max_gap_s
        See :class:`CausalKalman`.

    Returns
    -------
    xr.Dataset

    Raises
    ------
    ConfigError
        If a setting is out of range or unknown.
    InputError
        If the cutoff is not below half the frame rate, or frames are further apart than
        ``max_gap_s``.
    """
    settings = {"cutoff_hz": cutoff_hz, "motion": motion, "weights": weights}
    time_s = poses["time"].values.astype(np.float64)
    # One frame passes unchanged, whatever the rate.
    rate_hz = (
        frame_rate(time_s)[0]
        if len(time_s) > 1
        else 4 * positive("causal_kalman", "cutoff_hz", cutoff_hz)
    )
    causal = CausalKalman(
        rate_hz=rate_hz, cutoff_hz=cutoff_hz, motion=motion, weights=weights, max_gap_s=max_gap_s
    )
    return filter_poses(poses, causal, **settings)
