"""Filters over time, applied to each stretch between gaps by itself.

Neither filter invents anything: NaN stays NaN, and neither a gap nor a hole in the recording
(seconds without frames) is filtered across. A series of one frame passes unchanged.

SciPy's filters are slow to import: they come when something is filtered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import ConfigError
from gonio.poses import log_operation
from gonio.tracking.series import frame_rate, positive, seen_points, unbroken
from gonio.tracking.stretches import (
    check_cutoff,
    count_changed,
    smooth_stretches,
    straight_line,
)
from gonio.tracking.windows import middle, odd_window, windows

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Rows = NDArray[np.float64]


def median(poses: xr.Dataset, *, window: int = 3) -> xr.Dataset:
    """Replace each position by the median of its neighbors: single outliers vanish.

    Parameters
    ----------
    poses
        Poses; NaN or a hole in the recording ends a stretch.
    window
        Frames, odd. Toward the ends of a stretch the window shrinks on both sides alike, so
        that straight lines stay and the first and last sample are left as they are. The window
        counts frames, also where the frame rate varies.

    Returns
    -------
    xr.Dataset

    Raises
    ------
    ConfigError
        If the window is no odd positive number of frames.
    """
    size = odd_window("median", window)
    seen = seen_points(poses)
    values = poses["position"].values
    result = values.copy()
    for part in unbroken(poses["time"].values) if size > 1 else []:
        for piece, samples in windows(values[part], seen[part], size):
            center = middle(samples)
            _shrink(center, samples)
            np.copyto(result[part][piece], center, where=np.isfinite(center))
    smooth = poses.assign(position=poses["position"].copy(data=result))
    return log_operation(smooth, "median", window=size, changed=count_changed(values, result))


def _shrink(center: Floats, samples: list[Floats]) -> None:
    """Fill in medians whose whole window holds a missing sample: from the widest that does not."""
    half = len(samples) // 2
    where = np.nonzero(np.isnan(center) & np.isfinite(samples[half]))
    for reach in range(half - 1, 0, -1):
        within = np.stack([s[where] for s in samples[half - reach : half + reach + 1]])
        narrow = np.median(within, axis=0)
        good = np.isfinite(narrow)
        center[tuple(axis[good] for axis in where)] = narrow[good]
        where = tuple(axis[~good] for axis in where)


def butterworth(poses: xr.Dataset, *, cutoff_hz: float = 6.0, order: int = 4) -> xr.Dataset:
    """Low-pass filter without delay: a Butterworth filter run forward and back.

    The two runs together have the named order and −3 dB at the named cutoff: the single filter
    is designed at cutoff / C with C = (√2 − 1)^(1/order), which is 0.802 for order 4. The
    correction is an analog filter's; it is applied to the prewarped frequency
    tan(π·cutoff/rate), where it holds exactly at every frame rate (applied to the frequency
    itself, the gain at 6 Hz would be −2.2 dB in a video of 30 frames/s).

    Parameters
    ----------
    poses
        Poses; NaN or a hole in the recording (a step of more than 0.2 s and five frames) ends a
        stretch, and each stretch is filtered by itself. Its straight-line
        trend is taken off before and put back after, and both ends are continued by point
        reflection over up to two periods of the cutoff: lines and constants pass unchanged,
        also in stretches shorter than that continuation. One or two frames pass unchanged.
    cutoff_hz
        Frequency at which the gain is −3 dB, Hz; less than half the frame rate.
    order
        Of both runs together: even.

    Returns
    -------
    xr.Dataset
        Series of variable rate are brought to their median rate by a cubic spline, filtered,
        and brought back to their own times.

    Raises
    ------
    ConfigError
        If a setting is no positive number, or the order is odd.
    InputError
        If the cutoff is not below half the frame rate.

    References
    ----------
    Winter (2009), Biomechanics and Motor Control of Human Movement, 4th ed., section 3.4.4.2.
    """
    cutoff = positive("butterworth", "cutoff_hz", cutoff_hz)
    if positive("butterworth", "order", order) % 2:
        raise ConfigError(f"butterworth: order must be even (two runs), not {order!r}")
    arguments = {"cutoff_hz": cutoff, "order": int(order)}
    time_s = poses["time"].values.astype(np.float64)
    values = poses["position"].values
    if len(time_s) < 2:
        return log_operation(poses, "butterworth", **arguments, changed=0)
    rate_hz, uniform = frame_rate(time_s)
    check_cutoff("butterworth", cutoff, rate_hz)
    sections = _design(cutoff, rate_hz, int(order))
    pad = int(np.ceil(2 * rate_hz / cutoff))
    result = smooth_stretches(
        values,
        seen_points(poses),
        lambda rows: _forward_and_back(sections, rows, pad),
        time_s=None if uniform else time_s,
        rate_hz=rate_hz,
        shortest=3,
    )
    smooth = poses.assign(position=poses["position"].copy(data=result))
    return log_operation(
        smooth,
        "butterworth",
        **arguments,
        rate_hz=round(rate_hz, 4),
        resampled=not uniform,
        changed=count_changed(values, result),
    )


def _design(cutoff_hz: float, rate_hz: float, order: int) -> Rows:
    """Return second-order sections of the filter that is run twice."""
    from scipy.signal import butter

    correction = (np.sqrt(2) - 1) ** (1 / order)
    warped = np.tan(np.pi * cutoff_hz / rate_hz) / correction
    sections: Rows = butter(order // 2, 2 / np.pi * np.arctan(warped), output="sos")
    return sections


def _forward_and_back(sections: Rows, rows: Rows, pad: int) -> Rows:
    """Filter rows of evenly spaced samples about their straight-line trends."""
    from scipy.signal import sosfiltfilt

    frames = rows.shape[1]
    line = straight_line(rows)
    rest = rows - line
    smooth: Rows = sosfiltfilt(sections, rest, axis=1, padlen=min(pad, frames - 1))
    smooth += line
    return smooth
