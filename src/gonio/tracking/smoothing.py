"""Filters over time, applied to each stretch between gaps by itself.

Neither filter invents anything: NaN stays NaN, and neither a gap nor a hole in the recording
(seconds without frames) is filtered across. A series of one frame passes unchanged.

SciPy's filters are slow to import: they come when something is filtered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import ConfigError, InputError
from gonio.poses import log_operation
from gonio.tracking.series import frame_rate, positive, runs, seen_points, unbroken

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]


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
    size = positive("median", "window", window)
    if size % 2 != 1:
        raise ConfigError(f"median: window must be an odd number of frames, not {window!r}")
    seen = seen_points(poses)
    values = poses["position"].values
    result = values.copy()
    for part in unbroken(poses["time"].values):
        result[part] = _median_of(values[part], seen[part], int(size))
    smooth = poses.assign(position=poses["position"].copy(data=result))
    return log_operation(smooth, "median", window=int(size), changed=_changed(values, result))


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
        Poses; NaN or a hole in the recording (a step of more than 0.2 s and five frames) ends
        a stretch, and each stretch is filtered by itself. Its straight-line trend is taken off
        before and put back after, and both ends are continued by point reflection over up to
        two periods of the cutoff: lines and constants pass unchanged, also in stretches shorter
        than that continuation. One or two frames pass unchanged.
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
    sections = _design(cutoff, rate_hz, int(order))
    pad = int(np.ceil(2 * rate_hz / cutoff))
    result = values.copy()
    keypoints, individuals = values.shape[2:]
    seen = seen_points(poses).reshape(len(values), -1)
    for part in unbroken(time_s):
        for (start, stop), columns in runs(seen[part]).items():
            k, i = np.unravel_index(columns, (keypoints, individuals))
            stretch = slice(part.start + start, part.start + stop)
            block = values[stretch, :, k, i].astype(np.float64)
            at_s = None if uniform else time_s[stretch]
            result[stretch, :, k, i] = _filter_stretch(sections, block, pad, at_s, rate_hz)
    smooth = poses.assign(position=poses["position"].copy(data=result))
    return log_operation(
        smooth,
        "butterworth",
        **arguments,
        rate_hz=round(rate_hz, 4),
        resampled=not uniform,
        changed=_changed(values, result),
    )


def _design(cutoff_hz: float, rate_hz: float, order: int) -> NDArray[np.float64]:
    """Return second-order sections of the filter that is run twice."""
    if cutoff_hz >= rate_hz / 2:
        raise InputError(
            f"butterworth: a cutoff of {cutoff_hz:g} Hz needs more than {2 * cutoff_hz:g} "
            f"frames/s; this recording has {rate_hz:.4g}. Give a protocol whose processing has a "
            f"cutoff_hz below {rate_hz / 2:.4g}, or leaves the filter out."
        )
    from scipy.signal import butter

    correction = (np.sqrt(2) - 1) ** (1 / order)
    warped = np.tan(np.pi * cutoff_hz / rate_hz) / correction
    sections: NDArray[np.float64] = butter(order // 2, 2 / np.pi * np.arctan(warped), output="sos")
    return sections


def _filter_stretch(
    sections: NDArray[np.float64],
    block: NDArray[np.float64],
    pad: int,
    time_s: NDArray[np.float64] | None,
    rate_hz: float,
) -> NDArray[np.float64]:
    """Filter one stretch, time first; ``time_s`` only where its rate varies."""
    if len(block) < 3:
        return block
    from scipy.interpolate import make_interp_spline
    from scipy.signal import detrend, sosfiltfilt

    if time_s is None:
        rest = detrend(block, axis=0)
        smooth = sosfiltfilt(sections, rest, axis=0, padlen=min(pad, len(block) - 1))
        return block - rest + smooth
    frames = max(3, round((time_s[-1] - time_s[0]) * rate_hz) + 1)
    grid_s = np.linspace(time_s[0], time_s[-1], frames)
    even = make_interp_spline(time_s, block, k=min(3, len(block) - 1), axis=0)(grid_s)
    smooth = _filter_stretch(sections, even, pad, None, rate_hz)
    back = make_interp_spline(grid_s, smooth, k=min(3, frames - 1), axis=0)
    result: NDArray[np.float64] = back(time_s)
    return result


def _median_of(values: Floats, seen: NDArray[np.bool_], window: int) -> Floats:
    """Return the running median over time of the stretches seen, all else as it is."""
    half = window // 2
    reach = np.minimum(_distance_to_end(seen), half)
    if not reach.any():
        return values
    from scipy.ndimage import median_filter

    zeroed = np.where(seen[:, None], values, 0)
    whole = median_filter(zeroed, size=(window, 1, 1, 1), mode="nearest")
    result = np.where((reach == half)[:, None], whole, values)
    for shorter in range(1, half):
        t, k, i = np.nonzero(reach == shorter)
        around = t[:, None] + np.arange(-shorter, shorter + 1)
        result[t, :, k, i] = np.median(values[around, :, k[:, None], i[:, None]], axis=1)
    return result


def _distance_to_end(seen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Count frames to the nearer end of the stretch; 0 at the ends and where nothing is seen."""
    frames = len(seen)
    index = np.arange(frames)[:, None, None]
    gap_before = np.maximum.accumulate(np.where(seen, -1, index), axis=0)
    gap_after = np.minimum.accumulate(np.where(seen, frames, index)[::-1], axis=0)[::-1]
    nearer = np.minimum(index - gap_before, gap_after - index) - 1
    return np.where(seen, nearer, 0)


def _changed(before: Floats, after: Floats) -> int:
    """Count keypoints (not coordinates) that moved."""
    moved = (before != after) & np.isfinite(before)
    return int(moved.any(axis=1).sum())
