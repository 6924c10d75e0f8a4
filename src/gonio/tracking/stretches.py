"""Filters on stretches: what lies between two gaps is filtered by itself.

Stretches of equal length are stacked and filtered in one call, so that a million frames with a
hundred thousand gaps cost little more than one unbroken series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gonio.errors import InputError
from gonio.tracking.series import edges, unbroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Rows = NDArray[np.float64]

_BATCH_SAMPLES = 1 << 21
_LONG = 512


class Batch(NamedTuple):
    """Stretches of one length.

    Attributes
    ----------
    series, start
        Shape ``(stretches,)``: which series (keypoint · people + person), first frame.
    length
        Frames.
    """

    series: NDArray[np.intp]
    start: NDArray[np.intp]
    length: int


def batches(seen: NDArray[np.bool_], *, same_start: bool = False) -> Iterator[Batch]:
    """Find the stretches of seen samples, batched by length.

    Parameters
    ----------
    seen
        Shape ``(time, keypoints, individuals)``.
    same_start
        Batch only stretches that lie at the same frames, too.

    Yields
    ------
    Batch
        Of two million samples a coordinate at most (or of one stretch).
    """
    series, start, stop = edges(seen.reshape(len(seen), -1))
    length = stop - start
    order = np.lexsort((start, length))
    series, start, length = series[order], start[order], length[order]
    differs = np.diff(length) != 0
    if same_start:
        differs |= np.diff(start) != 0
    first = np.concatenate([[0], np.flatnonzero(differs) + 1, [len(order)]])
    for a, b in zip(first[:-1].tolist(), first[1:].tolist(), strict=True):
        if a == b:
            continue
        size = int(length[a])
        at_once = max(1, _BATCH_SAMPLES // size)
        for i in range(a, b, at_once):
            j = min(i + at_once, b)
            yield Batch(series[i:j], start[i:j], size)


def gather(values: Floats, batch: Batch) -> Rows:
    """Return a batch's samples.

    Parameters
    ----------
    values
        Shape ``(time, space, keypoints, individuals)``.

    Returns
    -------
    NDArray
        Shape ``(stretches · space, length)``: one row a coordinate.
    """
    frames, space = values.shape[:2]
    flat = values.reshape(frames, space, -1)
    rows = np.empty((len(batch.series), space, batch.length))
    if batch.length >= _LONG:
        for row, c, a in zip(rows, batch.series, batch.start, strict=True):
            row[:] = flat[a : a + batch.length, :, c].T
    else:
        t = batch.start[:, None] + np.arange(batch.length)
        rows[:] = np.moveaxis(flat[t, :, batch.series[:, None]], 1, 2)
    return rows.reshape(-1, batch.length)


def scatter(values: Floats, batch: Batch, rows: Rows) -> None:
    """Write a batch's samples back; the counterpart of :func:`gather`."""
    frames, space = values.shape[:2]
    flat = values.reshape(frames, space, -1)
    rows = rows.reshape(-1, space, batch.length)
    if batch.length >= _LONG:
        for row, c, a in zip(rows, batch.series, batch.start, strict=True):
            flat[a : a + batch.length, :, c] = row.T
    else:
        t = batch.start[:, None] + np.arange(batch.length)
        flat[t, :, batch.series[:, None]] = np.moveaxis(rows, 2, 1)


def smooth_stretches(
    values: Floats,
    seen: NDArray[np.bool_],
    smooth: Callable[[Rows], Rows],
    *,
    time_s: NDArray[np.float64] | None,
    rate_hz: float,
    shortest: int,
) -> Floats:
    """Filter each stretch of each series by itself; a hole in the recording ends one, too.

    Parameters
    ----------
    values
        Shape ``(time, space, keypoints, individuals)``; not changed.
    seen
        Shape ``(time, keypoints, individuals)``.
    smooth
        Takes rows of evenly spaced samples, shape ``(rows, length)``, and returns them filtered.
    time_s
        Shape ``(time,)``, seconds, where the rate varies: each stretch is then brought to
        ``rate_hz`` by a cubic spline, filtered, and brought back. None = evenly spaced.
    rate_hz
        Frames per second.
    shortest
        Stretches of fewer frames pass unchanged.

    Returns
    -------
    NDArray
        As ``values``.
    """
    result = values.copy()
    if time_s is None:
        for batch in batches(seen):
            if batch.length >= shortest:
                scatter(result, batch, smooth(gather(values, batch)))
        return result
    for part in unbroken(time_s):
        for batch in batches(seen[part], same_start=True):
            if batch.length < shortest:
                continue
            start = part.start + int(batch.start[0])
            at_s = time_s[start : start + batch.length]
            rows = _at_an_even_rate(gather(values[part], batch), smooth, at_s, rate_hz, shortest)
            scatter(result[part], batch, rows)
    return result


def _at_an_even_rate(
    rows: Rows, smooth: Callable[[Rows], Rows], time_s: Rows, rate_hz: float, shortest: int
) -> Rows:
    from scipy.interpolate import make_interp_spline

    frames = max(shortest, round((time_s[-1] - time_s[0]) * rate_hz) + 1)
    grid_s = np.linspace(time_s[0], time_s[-1], frames)
    even = make_interp_spline(time_s, rows, k=min(3, len(time_s) - 1), axis=1)(grid_s)
    back = make_interp_spline(grid_s, smooth(even), k=min(3, frames - 1), axis=1)
    result: Rows = back(time_s)
    return result


def straight_line(rows: Rows, at: Rows | None = None) -> Rows:
    """Return the straight line of least squares through each row's samples.

    Parameters
    ----------
    rows
        Shape ``(rows, length)``.
    at
        Where the samples lie, shape ``(length,)``; None = evenly spaced.

    Returns
    -------
    NDArray
        As ``rows``.
    """
    t = np.arange(rows.shape[1], dtype=np.float64) if at is None else at
    t = t - t.mean()
    # Not a matrix product: its rounding would depend on how many rows there are.
    slope = (rows * t).sum(axis=1, keepdims=True) / (t * t).sum()
    line: Rows = slope * t
    line += rows.mean(axis=1, keepdims=True)
    return line


def check_cutoff(operation: str, cutoff_hz: float, rate_hz: float) -> None:
    """Refuse a cutoff that the frame rate cannot hold.

    Raises
    ------
    InputError
        If it is not below half the frame rate.
    """
    if cutoff_hz >= rate_hz / 2:
        raise InputError(
            f"{operation}: a cutoff of {cutoff_hz:g} Hz needs more than {2 * cutoff_hz:g} "
            f"frames/s; this recording has {rate_hz:.4g}. Give a protocol whose processing has a "
            f"cutoff_hz below {rate_hz / 2:.4g}, or leaves the filter out."
        )


def count_changed(before: Floats, after: Floats) -> int:
    """Count keypoints (not coordinates) that moved; shapes as of a position."""
    moved = before != after
    moved &= np.isfinite(before)
    return int(np.count_nonzero(moved.any(axis=1)))
