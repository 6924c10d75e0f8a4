"""What all causal filters share: frames come one by one, and only the past is known.

A filter is an object that is fed frame by frame (live), or with a whole series (a protocol's
operation). Both run the same code, a live frame being a series of one, so that both give the
same numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gonio.errors import InputError
from gonio.poses import log_operation
from gonio.tracking.series import frame_rate, positive
from gonio.tracking.stretches import count_changed

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Doubles = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_FRAMES_AT_ONCE = 4096
_ROUNDING_S = 1e-6


class Sample(NamedTuple):
    """What a filter gets of one frame.

    Attributes
    ----------
    position
        Shape ``(space, keypoints, individuals)``; where a keypoint is not seen, its last seen
        position (0 before the first).
    confidence, seen
        Shape ``(keypoints, individuals)``.
    """

    position: Doubles
    confidence: Doubles
    seen: Mask


class _Frames(NamedTuple):
    position: Doubles
    elapsed_s: Doubles
    fresh: Mask
    same: Mask


class CausalFilter(ABC):
    """A filter that knows only the past.

    Parameters
    ----------
    operation
        The filter's name in messages.
    max_gap_s
        A keypoint that was unseen for longer, seconds, begins anew; the first position of each
        beginning passes unchanged. Over a shorter gap the filter goes on, with the time that
        has passed. Between two frames further apart than this nothing is smoothed.

    Raises
    ------
    ConfigError
        If a setting is out of range.
    """

    _last_s: float
    _seen_s: Doubles
    _held: Doubles
    _elapsed_s: Doubles

    def __init__(self, operation: str, max_gap_s: float) -> None:
        self.name = operation
        self.max_gap_s = positive(operation, "max_gap_s", max_gap_s)
        self.reset()

    def reset(self) -> None:
        """Forget all frames; the next may have other keypoints and people."""
        self._shape: tuple[int, ...] | None = None

    def update(self, position: Floats, confidence: Floats, time_s: float) -> Doubles:
        """Filter the next frame.

        Parameters
        ----------
        position
            Shape ``(space, keypoints, individuals)``, pixels or metres. NaN = not seen.
        confidence
            Shape ``(keypoints, individuals)``, 0-1; only some filters use it.
        time_s
            The frame's time, seconds, later than the last one's.

        Returns
        -------
        NDArray
            The filtered position, shaped as given; NaN where it is NaN.

        Raises
        ------
        InputError
            If time does not increase, or the shape differs from the last frame's.
        """
        frame = np.asarray(position)[None], np.asarray(confidence)[None]
        filtered: Doubles = self.run(*frame, np.array([time_s], np.float64))[0]
        return filtered

    def run(self, position: Floats, confidence: Floats, time_s: Doubles) -> Doubles:
        """Filter the next frames: the same as :meth:`update` for one after the other.

        Parameters
        ----------
        position
            Shape ``(time, space, keypoints, individuals)``.
        confidence
            Shape ``(time, keypoints, individuals)``.
        time_s
            Shape ``(time,)``, seconds.

        Returns
        -------
        NDArray
            As ``position``.

        Raises
        ------
        InputError
            If time does not increase, or a shape does not fit.
        """
        if self._shape is None:
            self._begin_all(position.shape[1:])
        if position.shape[1:] != self._shape or confidence.shape[1:] != self._shape[1:]:
            raise InputError(
                f"{self.name}: a frame has the shape {position.shape[1:]} with confidences "
                f"{confidence.shape[1:]}, the filter began with {self._shape}. Reset it when "
                "keypoints or people change."
            )
        result = np.array(position, np.float64)
        for first in range(0, len(time_s), _FRAMES_AT_ONCE):
            part = slice(first, first + _FRAMES_AT_ONCE)
            self._run(result[part], confidence[part], time_s[part])
        return result

    def _run(self, position: Doubles, confidence: Floats, time_s: Doubles) -> None:
        seen = np.asarray(np.isfinite(position).all(axis=1))
        frames = self._prepare(position, seen, time_s)
        begin = np.asarray(frames.fresh.any(axis=(1, 2))).tolist()
        filtered = np.empty_like(position)
        for i, (same, begins) in enumerate(zip(frames.same.tolist(), begin, strict=True)):
            if begins:
                self._begin(frames.position[i], frames.fresh[i])
            if not same:
                self._tune(frames.elapsed_s[i])
            sample = Sample(frames.position[i], confidence[i], seen[i])
            filtered[i] = self._step(sample, same=same)
        np.copyto(position, filtered, where=seen[:, None])

    def _prepare(self, position: Doubles, seen: Mask, time_s: Doubles) -> _Frames:
        """Work out for each frame how long each keypoint has not been seen, and hold it."""
        self._check_time(time_s)
        count = len(time_s)
        known = np.concatenate([np.ones_like(seen[:1]), seen])
        index = np.where(known, np.arange(count + 1)[:, None, None], 0)
        index = np.maximum.accumulate(index, axis=0)
        at_s = np.concatenate(
            [self._seen_s[None], np.broadcast_to(time_s[:, None, None], seen.shape)]
        )
        seen_s = np.take_along_axis(at_s, index, axis=0)
        held = np.concatenate([self._held[None], position])
        held = np.take_along_axis(held, index[:, None], axis=0)
        since_s = time_s[:, None, None] - seen_s[:-1]
        fresh: Mask = seen & (since_s > self.max_gap_s + _ROUNDING_S)
        # Times rounded to a microsecond, so that an even rate is seen to be even.
        elapsed_s = np.where(seen & ~fresh, np.round(since_s, 6), 0.0)
        before_s = np.concatenate([self._elapsed_s[None], elapsed_s[:-1]])
        same: Mask = ((elapsed_s == before_s) & ~fresh).all(axis=(1, 2))
        self._seen_s, self._held, self._elapsed_s = seen_s[-1], held[-1], elapsed_s[-1]
        return _Frames(held[1:], elapsed_s, fresh, same)

    def _check_time(self, time_s: Doubles) -> None:
        times = np.append(self._last_s, time_s)
        back = np.flatnonzero(~(np.diff(times) > 0))
        if back.size:
            i = int(back[0])
            raise InputError(
                f"{self.name}: time does not increase ({times[i]:g} s, then {times[i + 1]:g} s)"
            )
        self._last_s = float(times[-1])

    def _begin_all(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._last_s = -np.inf
        self._seen_s = np.full(shape[1:], -np.inf)
        self._held = np.zeros(shape)
        self._elapsed_s = np.full(shape[1:], -1.0)
        self._start(shape)

    @abstractmethod
    def _start(self, shape: tuple[int, ...]) -> None:
        """Make the state for positions of a shape."""

    @abstractmethod
    def _begin(self, position: Doubles, fresh: Mask) -> None:
        """Begin anew the keypoints that are true in ``fresh``."""

    @abstractmethod
    def _tune(self, elapsed_s: Doubles) -> None:
        """Set what depends on the time since each keypoint was last seen.

        Zero where it is not seen or begins: there the next step must change nothing.
        """

    @abstractmethod
    def _step(self, sample: Sample, *, same: bool) -> Doubles:
        """Return the next filtered position; ``same``: elapsed times as in the last frame."""


def filter_poses(poses: xr.Dataset, causal: CausalFilter, **settings: Any) -> xr.Dataset:
    """Run a fresh causal filter over all frames of a recording.

    Parameters
    ----------
    poses
        Poses; NaN stays NaN.
    causal
        The filter; is used up.
    **settings
        For the log.

    Raises
    ------
    InputError
        If the frames are further apart than the filter's longest gap.
    """
    time_s = poses["time"].values.astype(np.float64)
    values = poses["position"].values
    name, max_gap_s = causal.name, causal.max_gap_s
    result = values
    if len(time_s) > 1:
        rate_hz, _ = frame_rate(time_s)
        if rate_hz * max_gap_s < 1:
            raise InputError(
                f"{name}: with max_gap_s = {max_gap_s:g} each frame begins anew at "
                f"{rate_hz:.4g} frames/s. Set it to at least {1 / rate_hz:.3g}."
            )
        result = np.empty_like(values)
        confidence = poses["confidence"].values
        for first in range(0, len(time_s), _FRAMES_AT_ONCE):
            part = slice(first, first + _FRAMES_AT_ONCE)
            result[part] = causal.run(values[part], confidence[part], time_s[part])
    smooth = poses.assign(position=poses["position"].copy(data=result))
    settings |= {"max_gap_s": max_gap_s, "changed": count_changed(values, result)}
    return log_operation(smooth, name, **settings)
