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

from gonio.tracking.swap_filters import AHEAD, SurvivorFilters, Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gonio.tracking.limbs import Limb
    from gonio.tracking.swap_evidence import Evidence

    Floats = NDArray[np.float32]

_CHANGE_PRICE: Final = 3.0
_SWAPPED_PRICE_PER_S: Final = 9.0
_PARTIAL_PRICE: Final = 0.3

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
    evidence: Sequence[Evidence],
    time_s: NDArray[np.float64],
    *,
    frame_s: float,
    longest_s: float,
    caution: float,
) -> list[NDArray[np.int8]]:
    """Find the frames in which the model confused left and right of limbs that are alike.

    Parameters
    ----------
    limb
        One of the limbs; the others have the same ``structure``.
    evidence
        What was measured of each. They are searched side by side, which changes nothing in what
        is found.
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
    list of NDArray
        For each limb, shape ``(time,)``: the pattern of each frame, 0 = as is.
    """
    frames = len(time_s)
    prices = Prices.of(frame_s, caution)
    tick = time_s / frame_s
    block = min(_BLOCK, frames)
    margin = 0 if block == frames else max(_LEAST_MARGIN, round(2 * longest_s / frame_s))
    found = np.zeros((len(evidence), 2, frames), np.int8)
    for batch in range(0, frames, block * _BATCH):
        starts = np.arange(batch, min(batch + block * _BATCH, frames), block)
        paths = _search(
            limb, [_cut(own, tick, starts, block, margin) for own in evidence], prices, frame_s
        )
        for own, both_ways in zip(found, np.split(paths, len(evidence), axis=1), strict=True):
            ways = both_ways[:, : len(starts)], both_ways[::-1, len(starts) :]
            for path, way in zip(own, ways, strict=True):
                core = way[margin : margin + block].T.ravel()
                path[batch : batch + core.size] = core[: frames - batch]
    longest = max(round(longest_s / frame_s), 1)
    units = np.array(limb.patterns)
    agreed = []
    for own in found:
        forward, backward = (_as_mostly(units[path], 2 * longest) for path in own)
        agreed.append(limb.nearest(forward & backward))
    return agreed


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


class _Cut(NamedTuple):
    """Windows of the evidence, forward and then backward in time, time first, window last."""

    difference: Floats
    noise: Floats
    bones: Floats
    trust: Floats
    step: Floats
    acceleration: Floats


def _cut(
    evidence: Evidence,
    tick: NDArray[np.float64],
    starts: NDArray[np.intp],
    block: int,
    margin: int,
) -> _Cut:
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
    return _Cut(
        difference=windows(evidence.difference, np.nan),
        noise=windows(evidence.noise, 1.0),
        bones=windows(evidence.bones, 0.0),
        trust=windows(evidence.trust, 0.0),
        step=np.abs(np.diff(times, axis=0, prepend=times[:1])).astype(np.float32),
        acceleration=np.repeat(evidence.acceleration[:, None], 2 * len(starts), axis=1),
    )


def _search(limb: Limb, cuts: Sequence[_Cut], prices: Prices, frame_s: float) -> NDArray[np.int8]:
    """Return the cheapest pattern of each frame, ``(time, window)``, the cuts side by side."""
    whole = cuts[0]
    if len(cuts) > 1:
        whole = _Cut(*(np.concatenate(parts, axis=-1) for parts in zip(*cuts, strict=True)))
    length, _, _, columns = whole.difference.shape
    patterns = len(limb.patterns)
    seen = Windows(whole.difference, whole.noise, whole.step, whole.acceleration)
    filters = SurvivorFilters(limb, seen, frame_s)
    change = np.float32(prices.change) * (1 - np.eye(patterns, dtype=np.float32))[:, :, None]
    fixed = _fixed_prices(limb, prices)[:, None]
    cost = np.zeros((patterns, columns), np.float32)
    cost[1:] = prices.change
    origin = np.empty((length, patterns, columns), np.int8)
    for first in range(0, length, AHEAD):
        frames = slice(first, first + AHEAD)
        filters.look_ahead(frames)
        own = whole.bones[frames] + fixed * whole.trust[frames, None]
        for i, price in enumerate(own):
            total = filters.surprise(i)
            total += change
            total += cost[:, None]
            best = total.argmin(axis=0)
            origin[first + i] = best
            np.minimum.reduce(total, axis=0, out=cost)
            cost += price
            cost -= np.minimum.reduce(cost, axis=0)
            filters.update(i, best)
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
