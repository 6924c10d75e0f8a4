"""What the operations on tracks share: which samples are seen, runs of them, the frame rate."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.errors import ConfigError

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

_HOLE_S: Final = 0.2
_HOLE_FRAMES: Final = 5


def seen_points(poses: xr.Dataset) -> NDArray[np.bool_]:
    """Say where a keypoint has a whole position.

    Returns
    -------
    NDArray
        Shape ``(time, keypoints, individuals)``; false where any coordinate is NaN.
    """
    seen: NDArray[np.bool_] = np.isfinite(poses["position"].values).all(axis=1)
    return seen


def edges(
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Find the unbroken runs of true samples.

    Parameters
    ----------
    mask
        Shape ``(time, series)``.

    Returns
    -------
    tuple
        Series, first frame, and frame after the last of each run; sorted by series, then time.
    """
    frames, count = mask.shape
    padded = np.zeros((count, frames + 2), np.int8)
    padded[:, 1:-1] = mask.T
    steps = np.diff(padded, axis=1)
    series, start = np.nonzero(steps == 1)
    _, stop = np.nonzero(steps == -1)
    return series, start, stop


def unbroken(time_s: NDArray[np.float64]) -> list[slice]:
    """Return the parts of a recording between holes: where frames are missing altogether.

    A hole is a step of more than 0.2 s that is also longer than five ordinary (median) frames,
    so that a few dropped frames make none, and a slow camera none either.

    Parameters
    ----------
    time_s
        Shape ``(time,)``, seconds, increasing.

    Returns
    -------
    list of slice
        Over time, in order; together all frames.
    """
    steps = np.diff(time_s)
    longest = max(_HOLE_S, _HOLE_FRAMES * float(np.median(steps))) if len(steps) else _HOLE_S
    ends = [0, *(np.flatnonzero(steps > longest) + 1).tolist(), len(time_s)]
    return [slice(a, b) for a, b in pairwise(ends)]


def frame_rate(time_s: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the rate of a series and whether it is uniform.

    Uniform means that no frame lies more than a quarter of a frame off an even grid: rounded
    timestamps are uniform, dropped frames are not.

    Parameters
    ----------
    time_s
        Shape ``(time,)``, at least two, seconds, increasing.

    Returns
    -------
    tuple
        Frames per second (of a uniform series the mean, else the median) and uniformity.
    """
    grid = np.linspace(time_s[0], time_s[-1], len(time_s))
    step_s = float(grid[1] - grid[0])
    if np.abs(time_s - grid).max() <= 0.25 * step_s:
        return 1.0 / step_s, True
    return 1.0 / float(np.median(np.diff(time_s))), False


def positive(operation: str, name: str, value: object, *, zero: bool = False) -> float:
    """Return a setting as a positive number, or say what is wrong with it.

    Raises
    ------
    ConfigError
        If it is no number, not finite, or not above zero (``zero``: below zero).
    """
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if good and np.isfinite(number := float(value)) and (number > 0 or (zero and number == 0)):  # type: ignore[arg-type]
        return number
    kind = "a number of at least 0" if zero else "a positive number"
    raise ConfigError(f"{operation}: {name} must be {kind}, not {value!r}")
