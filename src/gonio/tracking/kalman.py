"""Kalman smoother: each position from all others, by a model of how points move.

The model: the acceleration (``"velocity"``) or the jerk (``"acceleration"``) of a point is white
noise, and so is what is added when it is measured. Two numbers alone decide what the smoother
does: the ratio of both noises, set by a cutoff frequency, and where asked for the confidence
of each measurement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from gonio.errors import UnknownNameError
from gonio.poses import log_operation
from gonio.tracking.series import frame_rate, positive, seen_points
from gonio.tracking.stretches import (
    batches,
    check_cutoff,
    count_changed,
    gather,
    scatter,
    straight_line,
)

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

Motion = Literal["velocity", "acceleration"]
Weights = Literal["equal", "confidence"]

LEAST_CONFIDENCE: Final = 0.05
"""A measurement's variance is one over its squared confidence, which counts as this at least."""

_STATES: Final = {"velocity": 2, "acceleration": 3}
_NOISE: Final = {
    2: np.array([[1 / 3, 1 / 2], [1 / 2, 1]]),
    3: np.array([[1 / 20, 1 / 8, 1 / 6], [1 / 8, 1 / 3, 1 / 2], [1 / 6, 1 / 2, 1]]),
}

_POWERS: Final = {states: states - 0.5 - np.arange(states) for states in _NOISE}


class Model(NamedTuple):
    """How a point moves; time in frames, variances in units of a measurement's.

    Attributes
    ----------
    states
        Position, velocity, and for three acceleration.
    noise
        Spectral density of the white acceleration (two states) or jerk (three).
    """

    states: int
    noise: float

    def transition(self, frames: Rows) -> Rows:
        """Return how the state goes on over a time, shape ``(…, states, states)``."""
        result: Rows = np.zeros((*np.shape(frames), self.states, self.states))
        for i in range(self.states):
            result[..., i, i] = 1.0
        result[..., 0, 1] = frames
        if self.states > 2:
            result[..., 1, 2] = frames
            result[..., 0, 2] = frames * frames / 2
        return result

    def covariance(self, frames: Rows) -> Rows:
        """Return the noise gathered over a time, shape ``(…, states, states)``."""
        scale = self._scale(frames)
        result: Rows = self.noise * _NOISE[self.states] * scale[..., :, None] * scale[..., None, :]
        return result

    def precision(self, frames: Rows) -> Rows:
        """Return the inverse of :meth:`covariance`."""
        scale = self._scale(frames)
        inverse = np.linalg.inv(_NOISE[self.states]) / self.noise
        result: Rows = inverse / scale[..., :, None] / scale[..., None, :]
        return result

    def _scale(self, frames: Rows) -> Rows:
        result: Rows = frames[..., None] ** _POWERS[self.states]
        return result


def model_of(operation: str, motion: str, weights: str, cutoff: float) -> Model:
    """Return the model whose smoother has a gain of −3 dB at a frequency.

    Measured once a frame, the positions have the spectrum q·b(ω)/t^m, where q is the noise's
    density, m the number of states, t = 2 − 2cos ω, and b the transform of the samples of the
    B-spline of degree 2m − 1; the smoother's gain is the spectrum's share in spectrum + 1.

    Parameters
    ----------
    operation
        Whose settings these are, for messages.
    motion, weights
        Settings, checked here.
    cutoff
        Cycles a frame.

    Raises
    ------
    UnknownNameError
        If the motion or the weights are unknown.
    """
    for kind, name, known in (("motion", motion, Motion), ("weights", weights, Weights)):
        if name not in get_args(known):
            raise UnknownNameError(kind, str(name), get_args(known), where=operation)
    c1, c2 = np.cos(2 * np.pi * cutoff * np.array([1, 2]))
    states = _STATES[motion]
    spline = (2 + c1) / 3 if states == 2 else (33 + 26 * c1 + c2) / 60
    return Model(states, float((2 - 2 * c1) ** states / spline / (np.sqrt(2) - 1)))


def kalman(
    poses: xr.Dataset,
    *,
    cutoff_hz: float = 6.0,
    motion: Motion = "velocity",
    weights: Weights = "equal",
) -> xr.Dataset:
    """Smooth without delay by a Kalman filter and its way back (Rauch-Tung-Striebel smoother).

    The most likely positions are found directly, as the solution of the banded equations that
    filter and smoother solve in two passes. Nothing is assumed about the state at the start.
    With equal weights the ``"velocity"`` model's result is a cubic smoothing spline, the
    ``"acceleration"`` model's a quintic one.

    Parameters
    ----------
    poses
        Poses; NaN ends a stretch, and each stretch is smoothed by itself. Stretches of fewer
        frames than the model has states, plus one, pass unchanged. Lines pass unchanged.
    cutoff_hz
        Frequency at which the gain is −3 dB, Hz; less than half the frame rate.
    motion
        What is nearly constant: ``"velocity"``, or ``"acceleration"``: less damping below the
        cutoff, more above, and parabolas pass unchanged.
    weights
        ``"equal"``, or ``"confidence"``: a measurement's variance is one over its squared
        confidence, so that a point of 0.5 counts a quarter of one of 1 (below 0.05 as 0.05, NaN
        as 1). The cutoff is then that of points of confidence 1.

    Returns
    -------
    xr.Dataset
        Frames of variable rate are smoothed at their own times.

    Raises
    ------
    ConfigError
        If a setting is out of range or unknown.
    InputError
        If the cutoff is not below half the frame rate.

    References
    ----------
    Rauch, Tung & Striebel (1965), AIAA Journal 3(8):1445-1450; as splines: Wahba (1978), Journal
    of the Royal Statistical Society B 40:364-372.
    """
    cutoff = positive("kalman", "cutoff_hz", cutoff_hz)
    arguments = {"cutoff_hz": cutoff, "motion": motion, "weights": weights}
    time_s = poses["time"].values.astype(np.float64)
    values = poses["position"].values
    if len(time_s) < 2:
        model_of("kalman", motion, weights, 0.25)
        return log_operation(poses, "kalman", **arguments, changed=0)
    rate_hz, uniform = frame_rate(time_s)
    check_cutoff("kalman", cutoff, rate_hz)
    model = model_of("kalman", motion, weights, cutoff / rate_hz)
    frames = np.arange(len(time_s), dtype=np.float64) if uniform else time_s * rate_hz
    weight = None
    if weights == "confidence":
        weight = measurement_weights(poses["confidence"].values).reshape(len(time_s), -1)
    result = _smooth_stretches(values, seen_points(poses), frames, weight, model, uniform=uniform)
    smooth = poses.assign(position=poses["position"].copy(data=result))
    return log_operation(
        smooth,
        "kalman",
        **arguments,
        rate_hz=round(rate_hz, 4),
        changed=count_changed(values, result),
    )


def _smooth_stretches(
    values: NDArray[np.floating[Any]],
    seen: NDArray[np.bool_],
    frames: Rows,
    weight: Rows | None,
    model: Model,
    *,
    uniform: bool,
) -> NDArray[np.floating[Any]]:
    """Smooth each stretch; ``frames``: each frame's time in frames, ``weight``: (time, series)."""
    result = values.copy()
    space = values.shape[1]
    for batch in batches(seen, same_start=not uniform):
        if batch.length <= model.states:
            continue
        rows = gather(values, batch)
        gaps = np.diff(frames[batch.start[0] : batch.start[0] + batch.length])
        if weight is None:
            rows = smooth_rows(rows, np.ones(batch.length), gaps, model)
        else:
            for j, (series, start) in enumerate(zip(batch.series, batch.start, strict=True)):
                own = slice(j * space, (j + 1) * space)
                known = weight[start : start + batch.length, series]
                rows[own] = smooth_rows(rows[own], known, gaps, model)
        scatter(result, batch, rows)
    return result


def measurement_weights(confidence: NDArray[np.floating[Any]]) -> Rows:
    """Return one over a measurement's variance; shape as the confidence."""
    known = np.where(np.isfinite(confidence), confidence, 1.0).astype(np.float64)
    return np.maximum(known, LEAST_CONFIDENCE) ** 2


def smooth_rows(rows: Rows, weight: Rows, gaps: Rows, model: Model) -> Rows:
    """Return the most likely positions.

    Minimizes Σ w·(z − position)² + Σ eᵀ·covariance⁻¹·e over all states, where e is what a state
    differs by from the one before it carried on.

    Parameters
    ----------
    rows
        Measurements z, shape ``(rows, length)``.
    weight
        One over their variances, shape ``(length,)``.
    gaps
        Time from each to the next, frames, shape ``(length − 1,)``.
    model
        How points move.
    """
    states, length = model.states, rows.shape[1]
    line = straight_line(rows, np.append(0.0, np.cumsum(gaps)))
    right = np.zeros((len(rows), length * states))
    right[:, ::states] = weight * (rows - line)
    bands = _equations(weight, gaps, model)
    factor = cholesky_banded(bands, overwrite_ab=True, lower=True, check_finite=False)
    found = cho_solve_banded((factor, True), right.T, overwrite_b=True, check_finite=False)
    smooth: Rows = found.T[:, ::states] + line
    return smooth


def _equations(weight: Rows, gaps: Rows, model: Model) -> Rows:
    """Return the normal equations' lower bands: [i − j, j] holds row i of column j."""
    states = model.states
    uniform = bool((gaps == gaps[0]).all())
    steps = gaps[:1] if uniform else gaps
    precision, transition = model.precision(steps), model.transition(steps)
    onward = precision @ transition
    diagonal = np.zeros((len(weight), states, states))
    diagonal[:-1] += np.swapaxes(transition, 1, 2) @ onward
    diagonal[1:] += precision
    diagonal[:, 0, 0] += weight
    bands = np.zeros((2 * states, len(weight), states))
    for column in range(states):
        for row in range(column, states):
            bands[row - column, :, column] = diagonal[:, row, column]
        for row in range(states):
            bands[states + row - column, :-1, column] = -onward[:, row, column]
    result: Rows = bands.reshape(2 * states, -1)
    return result
