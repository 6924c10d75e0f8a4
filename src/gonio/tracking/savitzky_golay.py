"""Savitzky-Golay: a polynomial through each sample's neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.signal import savgol_coeffs, savgol_filter

from gonio.errors import ConfigError, InputError
from gonio.poses import log_operation
from gonio.tracking.series import frame_rate, positive, seen_points
from gonio.tracking.stretches import count_changed, smooth_stretches

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]


def savitzky_golay(poses: xr.Dataset, *, window_s: float = 0.3, order: int = 3) -> xr.Dataset:
    """Replace each position by the value there of a polynomial through its neighbors.

    No delay; peaks keep their height better than in other filters of the same strength, and
    high frequencies come through in ripples.

    Parameters
    ----------
    poses
        Poses; NaN ends a stretch, and each stretch is filtered by itself. Near its ends the
        polynomial of the outermost window is used. A stretch shorter than the window has the
        longest window that fits; one of up to ``order + 1`` frames passes unchanged.
    window_s
        Length of the window, seconds; the nearest odd number of frames is taken.
    order
        Degree of the polynomial. An odd degree gives the same as the even one below it, but
        near the ends.

    Returns
    -------
    xr.Dataset
        The log tells the window in frames and ``cutoff_hz``, the frequency at which the gain is
        −3 dB. Series of variable rate are brought to their median rate by a cubic spline,
        filtered, and brought back to their own times.

    Raises
    ------
    ConfigError
        If the window is no positive number or the order no whole number of at least 0.
    InputError
        If the window has too few frames for the order: it would change nothing.

    References
    ----------
    Savitzky & Golay (1964), Analytical Chemistry 36(8):1627-1639.
    """
    length_s = positive("savitzky_golay", "window_s", window_s)
    degree = positive("savitzky_golay", "order", order, zero=True)
    if degree != int(degree):
        raise ConfigError(f"savitzky_golay: order must be a whole number, not {order!r}")
    degree = int(degree)
    arguments = {"window_s": length_s, "order": degree}
    time_s = poses["time"].values.astype(np.float64)
    values = poses["position"].values
    if len(time_s) < 2:
        return log_operation(poses, "savitzky_golay", **arguments, changed=0)
    rate_hz, uniform = frame_rate(time_s)
    frames = 2 * round((length_s * rate_hz - 1) / 2) + 1
    if frames < degree + 2:
        least_s = (degree + 2 + degree % 2) / rate_hz
        raise InputError(
            f"savitzky_golay: {length_s:g} s are {max(frames, 1)} frames at {rate_hz:.4g} frames/s,"
            f" too few for a polynomial of order {degree}. Set window_s to at least "
            f"{least_s:.3g}, or a lower order."
        )
    result = smooth_stretches(
        values,
        seen_points(poses),
        lambda rows: _fit(rows, frames, degree),
        time_s=None if uniform else time_s,
        rate_hz=rate_hz,
        shortest=degree + 2,
    )
    smooth = poses.assign(position=poses["position"].copy(data=result))
    return log_operation(
        smooth,
        "savitzky_golay",
        **arguments,
        window_frames=frames,
        cutoff_hz=round(_cutoff(frames, degree) * rate_hz, 4),
        rate_hz=round(rate_hz, 4),
        resampled=not uniform,
        changed=count_changed(values, result),
    )


def _fit(rows: Rows, frames: int, degree: int) -> Rows:
    length = rows.shape[1]
    frames = min(frames, length - 1 + length % 2)
    if frames <= degree:
        return rows
    smooth: Rows = savgol_filter(rows, frames, degree, axis=1, mode="interp")
    return smooth


def _cutoff(frames: int, degree: int) -> float:
    """Return the lowest frequency at which the gain is −3 dB, cycles a frame."""
    weights = savgol_coeffs(frames, degree)
    offset = np.arange(frames) - frames // 2

    def above(frequency: float) -> float:
        return float(np.cos(2 * np.pi * frequency * offset) @ weights - np.sqrt(0.5))

    grid = np.linspace(0, 0.5, 40 * frames)
    below = np.flatnonzero([above(f) < 0 for f in grid])
    return float(brentq(above, grid[below[0] - 1], grid[below[0]])) if below.size else 0.5
