"""How well a seen person fits where a known person is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

LEAST_COMMON: Final = 3
_AREA_OF_BOX = 0.53
_LEAST_WIDTH = 0.3
_UNCERTAIN = 0.2
_LEAST_SPREAD_PX = 1e-6


@dataclass(frozen=True)
class Likeness:
    """Comparison of P expected with D seen people; every array has shape ``(P, D)``.

    Attributes
    ----------
    distance
        Mean distance of the common keypoints, in sizes of the person expected. Where fewer than
        three are common: that of the box centers.
    size_ratio
        How many times larger the larger of the two is, over the common keypoints; at least 1.
    overlap
        Intersection over union of the boxes.
    cost
        ``distance + 1 − OKS`` (with box overlap in place of OKS where few are common).
    """

    distance: Doubles
    size_ratio: Doubles
    overlap: Doubles
    cost: Doubles


def usable(keypoints_px: NDArray[np.floating], confidence: NDArray[np.floating]) -> Doubles:
    """Return keypoints ``(K, 2)``, px, the uncertain ones as NaN if enough others are left."""
    points = np.asarray(keypoints_px, np.float64)
    certain = np.where((np.asarray(confidence) >= _UNCERTAIN)[:, None], points, np.nan)
    return certain if np.isfinite(certain).all(axis=1).sum() >= LEAST_COMMON else points


def size_px(points: Doubles) -> float:
    """Return the longer side of the box around a person's keypoints ``(K, 2)``; NaN if none."""
    known = points[np.isfinite(points).all(axis=1)]
    return float(np.ptp(known, axis=0).max()) if len(known) else float("nan")


def settle_sides(points: Doubles, last: Doubles, mirror: NDArray[np.intp]) -> Doubles:
    """Return keypoints ``(K, 2)``, left and right exchanged wherever that is nearer to the last.

    Parameters
    ----------
    points, last
        Keypoints in px, NaN = not seen; a pair of which one is missing stays as it is.
    mirror
        The keypoints' order after left and right are exchanged, ``(K,)``.
    """
    same, crossed = _squares(points - last), _squares(points[mirror] - last)
    exchanged = crossed + crossed[mirror] < same + same[mirror]
    return np.where(exchanged[:, None], points[mirror], points)


def compare(
    expected: Doubles, seen: Doubles, sigmas: Doubles, mirror: NDArray[np.intp]
) -> Likeness:
    """Compare expected with seen people.

    Which limb is the left one is the model's guess, and it changes from frame to frame where a
    body is seen from the front or from the back: left and right of each pair are compared the
    way they fit better. Identity does not hang on them.

    Parameters
    ----------
    expected, seen
        Keypoints in px, shapes ``(P, K, 2)`` and ``(D, K, 2)``, NaN = not seen. Everybody has at
        least one keypoint.
    sigmas
        The skeleton's OKS sigmas, ``(K,)``. The area is 0.53 × that of the expected person's box
        (whose shorter side is taken as at least 0.3 of the longer).
    mirror
        The keypoints' order after left and right are exchanged, ``(K,)``.

    Returns
    -------
    Likeness
    """
    low, high = np.fmin.reduce(expected, axis=1), np.fmax.reduce(expected, axis=1)
    low_seen, high_seen = np.fmin.reduce(seen, axis=1), np.fmax.reduce(seen, axis=1)
    longer = np.maximum((high - low).max(axis=1), 1.0)
    area = _AREA_OF_BOX * longer * np.maximum((high - low).min(axis=1), _LEAST_WIDTH * longer)

    squared = _squares(seen[None] - expected[:, None])
    crossed = _squares(seen[None, :, mirror] - expected[:, None])
    exchanged = crossed + crossed[..., mirror] < squared + squared[..., mirror]
    squared = np.where(exchanged, crossed, squared)
    common = np.isfinite(squared)
    count = common.sum(axis=2)
    few = count < LEAST_COMMON
    divisor = np.maximum(count, 1)
    squared = np.where(common, squared, 0.0)
    variance = 2 * area[:, None, None] * (2 * sigmas) ** 2
    oks = (np.exp(-squared / variance) * common).sum(axis=2) / divisor
    distance = np.sqrt(squared).sum(axis=2) / divisor

    center = (low_seen + high_seen)[None] / 2 - (low + high)[:, None] / 2
    distance = np.where(few, np.hypot(center[..., 0], center[..., 1]), distance)
    overlap = _overlap(low, high, low_seen, high_seen)
    shares = common / divisor[..., None]
    spread = _spread(expected, low, shares), _spread(seen, low_seen, shares.transpose(1, 0, 2)).T
    ratio = np.maximum(*spread) / np.maximum(np.minimum(*spread), 1e-9)
    relative = distance / longer[:, None]
    return Likeness(
        distance=relative,
        size_ratio=np.where(few, 1.0, ratio),
        overlap=overlap,
        cost=relative + 1 - np.where(few, overlap, oks),
    )


def _squares(difference: Doubles) -> Doubles:
    """Return squared lengths of vectors ``(…, 2)``."""
    squares: Doubles = difference[..., 0] ** 2 + difference[..., 1] ** 2
    return squares


def _spread(points: Doubles, origin: Doubles, shares: Doubles) -> Doubles:
    """Return the root mean squared distance of common keypoints from their middle, ``(N, M)``.

    ``points`` are those of N people, ``(N, K, 2)``, each near their ``origin``, ``(N, 2)``;
    ``shares``, ``(N, M, K)``, is 1 / count for those that each has in common with M others.
    """
    near = points - origin[:, None]
    moments = np.empty((*points.shape[:2], 3))
    moments[..., :2] = np.where(np.isnan(near), 0.0, near)
    moments[..., 2] = _squares(moments)
    mean = np.einsum("nmk,nki->nmi", shares, moments)
    spread: Doubles = np.sqrt(np.maximum(mean[..., 2] - _squares(mean), _LEAST_SPREAD_PX**2))
    return spread


def _overlap(low: Doubles, high: Doubles, low_seen: Doubles, high_seen: Doubles) -> Doubles:
    """Return intersection over union of boxes given by their corners."""
    sides = np.minimum(high[:, None], high_seen[None]) - np.maximum(low[:, None], low_seen[None])
    shared = _area(np.maximum(sides, 0.0))
    union = _area(high - low)[:, None] + _area(high_seen - low_seen)[None] - shared
    overlap: Doubles = shared / np.maximum(union, 1e-9)
    return overlap


def _area(sides: Doubles) -> Doubles:
    area: Doubles = sides[..., 0] * sides[..., 1]
    return area
