"""Angles as continuous series: the cut of the circle is moved to where nobody goes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TURN_DEG = 360.0
_BACK_DEG = 90.0


def wrap(angle_deg: ArrayLike) -> NDArray[np.float64]:
    """Wrap angles to [−180, 180) degrees; NaN stays NaN."""
    return _near(np.asarray(angle_deg, dtype=np.float64), 0.0)


def unwrap(angle_deg: ArrayLike, *, can_turn: bool = True) -> NDArray[np.float64]:
    """Take the jumps of whole turns out of a series.

    The series is first put within half a turn of its own circular mean, which lies in
    [−180, 180); so values far from the cut come back as they were, and stretches between gaps
    stay on one branch. Then each stretch of frames without NaN is made continuous: neighbours
    differ by less than 180°, and most of the stretch stays within half a turn of the mean.

    Parameters
    ----------
    angle_deg
        Shape ``(time,)``, degrees, any branch. NaN = not measured; it breaks the series.
    can_turn
        True for segments, which may turn round and round. False for joints, which cannot: where
        noise carried one round and it is back within 90° of the mean, it is put back on the
        mean's branch, so that its values lie within one and a half turns of it.

    Returns
    -------
    np.ndarray
        Shape ``(time,)``; differs from the input by whole turns.
    """
    angle = np.asarray(angle_deg, dtype=np.float64)
    seen = np.isfinite(angle)
    if not seen.any():
        return angle.copy()
    radians = np.deg2rad(angle[seen])
    mean = float(wrap(np.rad2deg(np.arctan2(np.sin(radians).mean(), np.cos(radians).mean()))))
    near = _near(angle, mean)
    step = np.diff(near)
    jump = np.where(np.abs(step) > _TURN_DEG / 2, -np.sign(step), 0.0)
    if not jump.any():
        return near
    turns = np.concatenate([[0.0], np.cumsum(jump)])
    settled = np.zeros_like(turns)
    for stretch in _stretches_of(np.flatnonzero(jump), seen):
        own = turns[stretch] - np.round(np.median(turns[stretch]))
        settled[stretch] = own if can_turn else _without_spins(own, near[stretch] - mean)
    return near + _TURN_DEG * settled


def _stretches_of(frames: NDArray[np.intp], seen: NDArray[np.bool_]) -> list[slice]:
    """Return the stretches of seen frames in which some frames lie."""
    edges = np.flatnonzero(np.diff(seen, prepend=False, append=False))
    start, stop = edges[::2], edges[1::2]
    which = np.unique(np.searchsorted(start, frames, side="right") - 1)
    return [slice(a, b) for a, b in zip(start[which].tolist(), stop[which].tolist(), strict=True)]


def _without_spins(
    turns: NDArray[np.float64], from_mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Count turns from the last time the joint was near its mean, where it can have made none."""
    runs = _runs(turns)
    home = [bool((np.abs(from_mean[run]) < _BACK_DEG).any()) for run in runs]
    settled = turns.copy()
    if any(home):
        last = turns[runs[home.index(True)]][0]
        for run, is_home in zip(runs, home, strict=True):
            last = turns[run][0] if is_home else last
            settled[run] -= last
    return settled


def _near(angle: NDArray[np.float64], middle: float) -> NDArray[np.float64]:
    # Subtracting whole turns, rather than adding a remainder to the middle, leaves angles that
    # are already there bit for bit.
    turned: NDArray[np.float64] = angle - _TURN_DEG * np.floor(
        (angle - middle + _TURN_DEG / 2) / _TURN_DEG
    )
    return turned


def _runs(values: NDArray[np.float64]) -> list[slice]:
    """Return the runs of equal values."""
    change = np.flatnonzero(values[1:] != values[:-1]) + 1
    return [slice(a, b) for a, b in pairwise([0, *change.tolist(), len(values)])]
