"""The cheapest sequence of swap patterns: a Viterbi search whose survivors predict the tracks.

Each survivor (one a pattern) carries its own Kalman filter of constant velocity over the
left/right differences as it has untangled them (per-survivor processing: Raheli, Polydoros &
Tzou 1995, IEEE Transactions on Communications 43:354). Whatever its filter does not expect
costs; so do bones of a wrong length, every change of pattern, and every frame that is not as the
model said. A sudden turn, after which the filter's velocity means nothing, has a price too:
people bounce, clap and stamp.

The search runs forward and backward in time, and only what both find is taken. Where they
differ, the tracks do not say when, or whether, left and right were exchanged. A search that
begins in, or just before, an exchange may take the wrong legs for right, and then finds all
frames exchanged but the wrong ones: such a path is turned round first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.tracking.limbs import Limb
    from gonio.tracking.swap_evidence import Evidence

    Floats = NDArray[np.float32]

_CAP: Final = 20.0
_TURN_PRICE: Final = 3.0
_TURN_SPEED_PER_S: Final = 4.0
_CHANGE_PRICE: Final = 3.0
_SWAPPED_PRICE_PER_S: Final = 9.0
_PARTIAL_PRICE: Final = 0.3
_START_SPREAD: Final = 1.0
_START_SPEED_PER_S: Final = 6.0

# A fixed chunking, whatever the machine: blocks are searched side by side, each with a margin on
# both sides.
_BLOCK, _LEAST_MARGIN, _BATCH = 2400, 300, 256


@dataclass(frozen=True)
class Prices:
    """What a path pays, in units of a log-likelihood.

    Attributes
    ----------
    change
        A change of pattern.
    frame
        Each frame whose pattern is not *as is*.
    partial
        Each frame in which some of a limb's units are exchanged and others are not.
    """

    change: float
    frame: float
    partial: float

    @classmethod
    def of(cls, frame_s: float, caution: float) -> Prices:
        """Return the prices at a frame's duration; ``caution`` multiplies them."""
        return cls(
            caution * _CHANGE_PRICE,
            caution * _SWAPPED_PRICE_PER_S * frame_s,
            caution * _PARTIAL_PRICE,
        )


def find_swaps(
    limb: Limb,
    evidence: Evidence,
    time_s: NDArray[np.float64],
    *,
    frame_s: float,
    longest_s: float,
    caution: float,
) -> NDArray[np.int8]:
    """Find the frames in which the model confused left and right of a limb.

    Parameters
    ----------
    limb
        The limb.
    evidence
        What was measured.
    time_s
        Shape ``(time,)``, seconds, increasing, at least two.
    frame_s
        Time between frames, seconds.
    longest_s
        The longest stretch that can be an exchange, seconds.
    caution
        Multiplies the prices: above 1 less is found, below 1 more.

    Returns
    -------
    NDArray
        Shape ``(time,)``: the pattern of each frame, 0 = as is.
    """
    frames = len(time_s)
    prices = Prices.of(frame_s, caution)
    tick = time_s / frame_s
    block = min(_BLOCK, frames)
    margin = 0 if block == frames else max(_LEAST_MARGIN, round(2 * longest_s / frame_s))
    found = np.zeros((2, frames), np.int8)
    for batch in range(0, frames, block * _BATCH):
        starts = np.arange(batch, min(batch + block * _BATCH, frames), block)
        windows = _cut(evidence, tick, starts, block, margin)
        paths = _search(limb, windows, evidence.acceleration, prices, frame_s)
        forward, backward = paths[:, : len(starts)], paths[::-1, len(starts) :]
        for path, ways in zip(found, (forward, backward), strict=True):
            core = ways[margin : margin + block].T.ravel()
            path[batch : batch + core.size] = core[: frames - batch]
    longest = max(round(longest_s / frame_s), 1)
    a, b = (_as_mostly(np.array(limb.patterns)[path], 2 * longest) for path in found)
    return limb.nearest(a & b)


def _as_mostly(swapped: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Turn a path round where it is exchanged most of the time.

    A search that once took the wrong legs for right goes on so, and then exchanges all but the
    frames that are wrong. What is so most of the time is as the model said.

    Parameters
    ----------
    swapped
        Shape ``(time, unit)``.
    reach
        Frames; the majority is that of as many to both sides, and is turned round where it
        lasts longer than that.
    """
    turned = swapped.copy()
    for unit in range(swapped.shape[1]):
        own = swapped[:, unit]
        share = uniform_filter1d(own.astype(np.float64), 2 * reach + 1, mode="reflect")
        edges = np.flatnonzero(np.diff((share > 0.5).astype(np.int8), prepend=0, append=0))
        for first, stop in edges.reshape(-1, 2):
            if stop - first > reach:
                ends = (_change_near(own, int(edge), reach // 2) for edge in (first, stop))
                turned[slice(*ends), unit] ^= True
    return turned


def _change_near(own: NDArray[np.bool_], edge: int, reach: int) -> int:
    """Return the nearest frame where the path changes; the edge itself where none is near."""
    if edge in (0, len(own)):
        return edge
    low = max(edge - reach, 1)
    changes = low + np.flatnonzero(own[low : edge + reach] != own[low - 1 : edge + reach - 1])
    return int(changes[np.abs(changes - edge).argmin()]) if changes.size else edge


class _Windows(NamedTuple):
    """Windows of the evidence, forward and then backward in time, time first, window last."""

    difference: Floats
    noise: Floats
    bones: Floats
    trust: Floats
    step: Floats


def _cut(
    evidence: Evidence,
    tick: NDArray[np.float64],
    starts: NDArray[np.intp],
    block: int,
    margin: int,
) -> _Windows:
    """Cut windows with margins; ``tick`` is time in frames.

    Beyond the recording nothing is seen, no time passes, and nothing costs.
    """
    at = starts + np.arange(-margin, block + margin)[:, None]
    outside = (at < 0) | (at >= len(tick))
    at = np.clip(at, 0, len(tick) - 1)

    def windows(values: Floats, beyond: float) -> Floats:
        chosen = np.moveaxis(values[at], 1, -1)
        mask = outside.reshape(len(at), *(1,) * (chosen.ndim - 2), -1)
        chosen = np.where(mask, np.float32(beyond), chosen)
        return np.concatenate([chosen, chosen[::-1]], axis=-1)

    times = np.concatenate([tick[at], tick[at][::-1]], axis=-1)
    return _Windows(
        difference=windows(evidence.difference, np.nan),
        noise=windows(evidence.noise, 1.0),
        bones=windows(evidence.bones, 0.0),
        trust=windows(evidence.trust, 0.0),
        step=np.abs(np.diff(times, axis=0, prepend=times[:1])).astype(np.float32),
    )


def _search(
    limb: Limb, windows: _Windows, acceleration: Floats, prices: Prices, frame_s: float
) -> NDArray[np.int8]:
    """Return the cheapest pattern of each frame, ``(time, window)``."""
    length, _, _, columns = windows.difference.shape
    patterns = len(limb.patterns)
    filters = _Filters(limb, windows, acceleration, frame_s)
    change = np.float32(prices.change) * (1 - np.eye(patterns, dtype=np.float32))[:, :, None]
    fixed = _fixed_prices(limb, prices)[:, None]
    cost = np.zeros((patterns, columns), np.float32)
    cost[1:] = prices.change
    origin = np.empty((length, patterns, columns), np.int8)
    for i in range(length):
        total = filters.surprise(i)
        total += change
        total += cost[:, None]
        best = total.argmin(axis=0)
        origin[i] = best
        cost = np.take_along_axis(total, best[None], axis=0)[0]
        cost += windows.bones[i] + fixed * windows.trust[i]
        cost -= cost.min(axis=0)
        filters.update(best)
    cost[1:] += prices.change
    return _trace(origin, cost)


def _fixed_prices(limb: Limb, prices: Prices) -> Floats:
    """Return what a frame of each pattern costs whatever is seen, shape ``(pattern,)``."""
    swapped = np.array([any(p) for p in limb.patterns])
    partial = swapped & ~np.array([all(p) for p in limb.patterns])
    total: Floats = (prices.frame * swapped + prices.partial * partial).astype(np.float32)
    return total


def _trace(origin: NDArray[np.int8], cost: Floats) -> NDArray[np.int8]:
    """Follow the cheapest survivor back through where each came from."""
    length, _, columns = origin.shape
    path = np.empty((length, columns), np.int8)
    state = cost.argmin(axis=0)
    every = np.arange(columns)
    for i in range(length - 1, -1, -1):
        path[i] = state
        state = origin[i, state, every]
    return path


class _Filters:
    """The survivors' Kalman filters of constant velocity, side by side.

    Means have the shape ``(pattern, space, pair, window)``; the covariance depends on what is
    seen only, not on the signs, and is shared: ``(pair, window)``.
    """

    def __init__(self, limb: Limb, windows: _Windows, acceleration: Floats, frame_s: float) -> None:
        _, space, pairs, columns = windows.difference.shape
        patterns = len(limb.patterns)
        swapped = limb.swapped[:, limb.watched]
        self._unit = limb.unit[limb.watched]
        self._sign = np.where(swapped, np.float32(-1), np.float32(1))[:, None, :, None]
        self._chosen = np.concatenate([~swapped, swapped], axis=1).astype(np.float32)
        self._windows = windows
        self._bend = (acceleration**2)[:, None]
        self._turn = np.float32((_TURN_SPEED_PER_S * frame_s) ** 2)
        self._speed = np.float32((_START_SPEED_PER_S * frame_s) ** 2)
        self._p = np.zeros((3, pairs, columns), np.float32)
        self._p[0], self._p[2] = _START_SPREAD**2, self._speed
        # Position and velocity, before and after the frame; the rest is scratch.
        self._x = np.zeros((2, patterns, space, pairs, columns), np.float32)
        self._expected = np.zeros_like(self._x)
        self._scratch = np.empty_like(self._x[0])
        self._prices = np.empty((2, patterns, 2, pairs, columns), np.float32)
        self._divisor = np.empty_like(self._prices[0])

    def surprise(self, i: int) -> Floats:
        """Go on to the next frame and price it, ``(from pattern, to pattern, window)``."""
        step = self._windows.step[i]
        self._expect(step)
        difference = self._windows.difference[i]
        self._seen = np.isfinite(difference).all(axis=0)
        self._d = np.where(self._seen, difference, 0)
        self._total = self._p[0] + self._windows.noise[i]
        steady, turned = self._prices
        self._price(self._expected[0], self._total, steady)
        self._price(self._x[0], self._total + self._turn * step**2, turned)
        turned += _TURN_PRICE
        np.minimum(steady, turned, out=steady)
        steady *= self._weights()
        patterns, _, pairs, columns = steady.shape
        total: Floats = np.matmul(self._chosen, steady.reshape(patterns, 2 * pairs, columns))
        return total

    def _expect(self, step: Floats) -> None:
        position, both, speed = self._p
        position += step * (2 * both + step * speed) + self._bend * (step**4 / 4)
        both += step * speed + self._bend * (step**3 / 2)
        speed += self._bend * step**2
        lapsed = position > _START_SPREAD**2
        if lapsed.any():
            position[lapsed], both[lapsed], speed[lapsed] = _START_SPREAD**2, 0, self._speed
            self._x *= ~lapsed
        np.multiply(self._x[1], step, out=self._expected[0])
        self._expected[0] += self._x[0]
        self._expected[1] = self._x[1]

    def _price(self, expected: Floats, variance: Floats, out: Floats) -> None:
        """Price the difference as it is and turned round, ``(pattern, 2, pair, window)``.

        Half the squared distance in standard deviations, leveling off at ``_CAP``.
        """
        np.multiply(expected, expected, out=self._scratch)
        far = self._scratch.sum(axis=1) + (self._d * self._d).sum(axis=0)
        np.multiply(expected, 2 * self._d, out=self._scratch)
        along = self._scratch.sum(axis=1)
        np.subtract(far, along, out=out[:, 0])
        np.add(far, along, out=out[:, 1])
        np.multiply(out, 1 / _CAP, out=self._divisor)
        self._divisor += 2 * variance
        out /= self._divisor

    def _weights(self) -> Floats:
        """Return each pair's weight: points of one unit err together, and count as their root."""
        seen = self._seen.astype(np.float32)
        same = (self._unit[:, None] == self._unit).astype(np.float32)
        weights: Floats = seen / np.sqrt(np.maximum(same @ seen, 1))
        return weights

    def update(self, best: NDArray[np.intp]) -> None:
        """Take the frame in: each pattern from its best predecessor, turned as it says."""
        for pattern, origin in enumerate(best):
            for source in np.unique(origin):
                np.copyto(self._x[:, pattern], self._expected[:, source], where=origin == source)
        position, both, speed = self._p
        gain = np.where(self._seen, position / self._total, 0)
        gain_speed = np.where(self._seen, both / self._total, 0)
        position -= gain * position
        speed -= gain_speed * both
        both -= gain * both
        off = np.multiply(self._sign, self._d, out=self._scratch)
        off -= self._x[0]
        self._x[0] += gain * off
        self._x[1] += gain_speed * off
