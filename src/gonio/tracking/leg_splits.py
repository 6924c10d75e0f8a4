"""Which markers belong to one leg: every way to part them, and what each way costs.

Seen from behind, a leg carries n markers in a line (three or four). Plain K-means on positions
(k = 2) parts upper from lower markers where the legs are close. Under the constraint of n markers
a leg there are only 10 ways (35 with four markers) to part 2n points, so that the best one is
found by trying all, and K-means' own cost is taken across the axis that both legs share.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

CLEAR: Final = 0.6
"""The best way must cost at most this share of the second best to count as clear."""


class Parting(NamedTuple):
    """Points parted into two groups.

    Attributes
    ----------
    first
        Shape ``(..., points)``: which points are in the group of the first point.
    clear
        Shape ``(...)``: whether nothing else comes near. Where it is False the legs cross, lie
        upon each other, or are no legs.
    """

    first: Bools
    clear: Bools


def constrained_partition(points_px: Floats) -> Parting:
    """Part points into two legs of equally many markers: K-means' cost, solved exactly.

    Parameters
    ----------
    points_px
        Shape ``(..., 2n, 2)``, in any order; no NaN.

    Returns
    -------
    Parting
        The way of least scatter across the axis that the legs share, turned, moved or scaled as
        the picture may be. It is clear where the second best costs much more, and where it is
        also the way in which the two groups are straightest, each along its own axis: legs that
        cross are straight only in the way that K-means does not choose.
    """
    ways = equal_ways(points_px.shape[-2] // 2)
    across, bends = way_costs(points_px)
    best = across.argmin(axis=-1)
    ordered = np.sort(across, axis=-1)
    clear = (ordered[..., 0] <= CLEAR * ordered[..., 1]) & (ordered[..., 1] > 0)
    clear &= bends.argmin(axis=-1) == best
    return Parting(ways[best], clear)


def reference_partition(points_px: Floats) -> Parting:
    """Part points by plain K-means (k = 2) on positions, as the rearfoot document does.

    The cost's global minimum over all ways to part the points, which is what K-means with enough
    restarts finds.

    Parameters
    ----------
    points_px
        Shape ``(..., 2n, 2)``, in any order; no NaN.

    Returns
    -------
    Parting
        Clear where both groups have n points; they may be no legs even then.
    """
    count = points_px.shape[-2]
    ways = _all_ways(count)
    a, c = (_scatters(points_px, ways)[..., i] for i in (0, 2))
    first = ways[(a + c).sum(axis=0).argmin(axis=-1)]
    return Parting(first, 2 * first.sum(axis=-1) == count)


def way_costs(points_px: Floats) -> tuple[Floats, Floats]:
    """Cost every way of :func:`equal_ways`.

    Parameters
    ----------
    points_px
        Shape ``(..., 2n, 2)``; no NaN.

    Returns
    -------
    across, bends
        Shape ``(..., ways)``, px²: scatter within the groups across the axis they share, and
        across each group's own axis.
    """
    scatters = _scatters(points_px, equal_ways(points_px.shape[-2] // 2))
    return _least(scatters.sum(axis=0)), _least(scatters).sum(axis=0)


@cache
def equal_ways(markers: int) -> Bools:
    """Return the ways to part 2n points into n and n, ``(ways, 2n)``: the first point's group.

    The first way is that of the first n points.
    """
    chosen = [(0, *rest) for rest in combinations(range(1, 2 * markers), markers - 1)]
    return _as_masks(chosen, 2 * markers)


@cache
def _all_ways(count: int) -> Bools:
    sizes = range(count - 1)
    chosen = [(0, *rest) for size in sizes for rest in combinations(range(1, count), size)]
    return _as_masks(chosen, count)


def _as_masks(chosen: list[tuple[int, ...]], count: int) -> Bools:
    masks = np.zeros((len(chosen), count), bool)
    for row, members in zip(masks, chosen, strict=True):
        row[list(members)] = True
    return masks


def _scatters(points: Floats, ways: Bools) -> Floats:
    """Return both groups' scatter: xx, xy, yy; shape ``(2, ..., ways, 3)``."""
    centered = points - points.mean(axis=-2, keepdims=True)
    x, y = centered[..., 0], centered[..., 1]
    products = np.stack([x, y, x * x, x * y, y * y], axis=-1)
    both = []
    for group in (ways, ~ways):
        sums = np.einsum("wp,...pq->...wq", group.astype(np.float64), products)
        size = group.sum(axis=1)
        mean_x, mean_y = sums[..., 0] / size, sums[..., 1] / size
        within = np.stack([mean_x * mean_x, mean_x * mean_y, mean_y * mean_y], axis=-1)
        both.append(sums[..., 2:] - size[:, None] * within)
    return np.stack(both)


def _least(scatter: Floats) -> Floats:
    """Return the smaller eigenvalue of a symmetric matrix given as xx, xy, yy."""
    xx, xy, yy = np.moveaxis(scatter, -1, 0)
    least: Floats = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    return np.maximum(least, 0.0)
