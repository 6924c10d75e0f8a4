"""The filters with which the survivors of the search for swaps predict the tracks.

One Kalman filter of constant velocity a survivor and window, all side by side. The loop over
time is Python's, so it holds only what needs the frame before: everything else is computed for
some frames at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.tracking.limbs import Limb

    Floats = NDArray[np.float32]

AHEAD: Final = 32
"""Frames that are made ready at once."""

_CAP: Final = 20.0
_TURN_PRICE: Final = 3.0
_TURN_SPEED_PER_S: Final = 4.0
_START_SPREAD: Final = 1.0
_START_SPEED_PER_S: Final = 6.0


class Windows(NamedTuple):
    """What the filters see, time first, window last.

    Attributes
    ----------
    difference
        Left minus right of the watched pairs, shape ``(time, space, pair, window)``, limb
        lengths; NaN where a side is not seen.
    noise
        Variance of the difference's coordinates, shape ``(time, pair, window)``.
    step
        Time since the frame before, in frames, shape ``(time, window)``.
    acceleration
        Standard deviation of the change of velocity, shape ``(pair, window)``, limb lengths a
        frame.
    """

    difference: Floats
    noise: Floats
    step: Floats
    acceleration: Floats


class _Ahead(NamedTuple):
    """Some frames made ready, time first.

    ``variance`` is twice that of what is seen, after a sudden turn and without; ``lapsed`` is
    None where no filter begins anew.
    """

    step: Floats
    difference: Floats
    twice: Floats
    square: Floats
    weights: Floats
    variance: Floats
    gain: Floats
    lapsed: list[NDArray[np.bool_] | None]


class SurvivorFilters:
    """Price and take in frame after frame: :meth:`surprise`, then :meth:`update`.

    Means have the shape ``(pattern, space, pair, window)``; the covariance depends on what is
    seen only, not on the signs, and is shared: ``(pair, window)``.
    """

    def __init__(self, limb: Limb, windows: Windows, frame_s: float) -> None:
        _, space, pairs, columns = windows.difference.shape
        patterns = len(limb.patterns)
        swapped = limb.swapped[:, limb.watched]
        unit = limb.unit[limb.watched]
        self._windows = windows
        self._same = (unit[:, None] == unit).astype(np.float32)
        self._sign = np.where(swapped, np.float32(-1), np.float32(1))[:, None, :, None]
        self._chosen = np.concatenate([~swapped, swapped], axis=1).astype(np.float32)
        self._bend = windows.acceleration**2
        self._turn = np.float32((_TURN_SPEED_PER_S * frame_s) ** 2)
        self._speed = np.float32((_START_SPEED_PER_S * frame_s) ** 2)
        # Variance of the position, covariance, variance of the velocity.
        self._p = np.zeros((3, pairs, columns), np.float32)
        self._p[0], self._p[2] = _START_SPREAD**2, self._speed
        # The position of the frame before, that expected, and the velocity.
        self._x = np.zeros((3, patterns, space, pairs, columns), np.float32)
        # Where pattern 0's values lie in one of them; the others' follow.
        self._block = space * pairs * columns
        self._place = np.arange(self._block).reshape(space * pairs, columns)
        self._make_scratch(patterns, space, pairs, columns)

    def _make_scratch(self, patterns: int, space: int, pairs: int, columns: int) -> None:
        self._products = np.empty((2, patterns, space, pairs, columns), np.float32)
        self._chosen_x = np.empty_like(self._products)
        self._far = np.empty((2, patterns, pairs, columns), np.float32)
        self._along = np.empty_like(self._far)
        self._prices = np.empty((2, patterns, 2, pairs, columns), np.float32)
        self._divisor = np.empty_like(self._prices)
        self._totals = np.empty((patterns, patterns, columns), np.float32)
        self._index = np.empty((patterns, space * pairs, columns), np.intp)

    def look_ahead(self, frames: slice) -> None:
        """Make the next frames ready: all that does not depend on which patterns win."""
        difference = self._windows.difference[frames]
        step = self._windows.step[frames]
        seen = np.logical_and.reduce(np.isfinite(difference), axis=1)
        known = np.where(seen[:, None], difference, 0)
        count: Floats = seen.astype(np.float32)
        # Points of one unit err together, and count as their root.
        weights = count / np.sqrt(np.maximum(self._same @ count, 1))
        gain, total, lapsed = self._covariances(frames, count)
        turned = total + (self._turn * step**2)[:, None]
        self._ahead = _Ahead(
            step=step,
            difference=known,
            twice=2 * known,
            square=(known * known).sum(axis=1),
            weights=weights,
            variance=2 * np.stack([turned, total], axis=1)[:, :, None, None],
            gain=gain,
            lapsed=lapsed,
        )

    def _covariances(
        self, frames: slice, seen: Floats
    ) -> tuple[Floats, Floats, list[NDArray[np.bool_] | None]]:
        """Return gains of position and velocity, variances of what is seen, and new beginnings."""
        step, noise = self._windows.step[frames], self._windows.noise[frames]
        drift = [self._bend * power[:, None] for power in (step**4 / 4, step**3 / 2, step**2)]
        gain = np.empty((len(step), 2, *noise.shape[1:]), np.float32)
        total = np.empty_like(noise)
        lapsed: list[NDArray[np.bool_] | None] = []
        p = self._p
        position, both, speed = p
        further, travel = np.empty_like(position), np.empty_like(position)
        shift = np.empty_like(p[:2])
        for i, passed in enumerate(step):
            np.multiply(passed, speed, out=travel)
            np.multiply(both, 2, out=further)
            further += travel
            further *= passed
            further += drift[0][i]
            position += further
            travel += drift[1][i]
            both += travel
            speed += drift[2][i]
            begun = position > _START_SPREAD**2
            lapsed.append(begun if begun.any() else None)
            if lapsed[-1] is not None:
                position[begun], both[begun], speed[begun] = _START_SPREAD**2, 0, self._speed
            np.add(position, noise[i], out=total[i])
            share = gain[i]
            np.divide(p[:2], total[i], out=share)
            share *= seen[i]
            np.multiply(share, both, out=shift)
            np.multiply(share[0], position, out=further)
            position -= further
            p[1:] -= shift
        return gain, total, lapsed

    def surprise(self, i: int) -> Floats:
        """Go on to the ``i``-th frame ahead and price it, ``(from pattern, to pattern, window)``.

        Half the squared distance in standard deviations, leveling off at a cap, of the difference
        as it is and turned round; from what the filter expects, or at a price from where it was.
        The array is used again for the next frame.
        """
        ahead, prices, divisor = self._ahead, self._prices, self._divisor
        before, expected, velocity = self._x
        lapsed = ahead.lapsed[i]
        if lapsed is not None:
            before *= ~lapsed
            velocity *= ~lapsed
        np.multiply(velocity, ahead.step[i], out=expected)
        expected += before
        from_where = self._x[:2]
        np.multiply(from_where, from_where, out=self._products)
        np.add.reduce(self._products, axis=2, out=self._far)
        self._far += ahead.square[i]
        np.multiply(from_where, ahead.twice[i], out=self._products)
        np.add.reduce(self._products, axis=2, out=self._along)
        np.subtract(self._far, self._along, out=prices[:, :, 0])
        np.add(self._far, self._along, out=prices[:, :, 1])
        np.multiply(prices, 1 / _CAP, out=divisor)
        divisor += ahead.variance[i]
        prices /= divisor
        turned, steady = prices
        turned += _TURN_PRICE
        np.minimum(steady, turned, out=steady)
        steady *= ahead.weights[i]
        patterns, _, pairs, columns = steady.shape
        np.matmul(self._chosen, steady.reshape(patterns, 2 * pairs, columns), out=self._totals)
        return self._totals

    def update(self, i: int, best: NDArray[np.intp]) -> None:
        """Take the frame in: each pattern from its best predecessor, turned as it says.

        Parameters
        ----------
        i
            The frame's number ahead.
        best
            Shape ``(pattern, window)``: the predecessors.
        """
        chosen, change = self._chosen_x, self._products
        np.multiply(best[:, None], self._block, out=self._index)
        self._index += self._place
        np.take(
            self._x[1:].reshape(2, -1),
            self._index,
            axis=1,
            out=chosen.reshape(2, *self._index.shape),
            mode="clip",
        )
        off = self._x[1]
        np.multiply(self._sign, self._ahead.difference[i], out=off)
        off -= chosen[0]
        np.multiply(self._ahead.gain[i][:, None, None], off, out=change)
        np.add(chosen, change, out=self._x[::2])
