"""Boxes around people: (left, top, right, bottom) in image pixels, from edge to edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gonio.codec import box_around, region_of_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.codec import Region

    Box = NDArray[np.float64]

__all__ = [
    "box_around",
    "covered",
    "match_boxes",
    "overlaps",
    "region_of_box",
    "suppress",
    "with_least_size",
]


def with_least_size(box: Box, size: NDArray[np.float64]) -> Box:
    """Return the box, its sides made longer about its middle where they are below ``size``."""
    middle, half = (box[:2] + box[2:]) / 2, np.maximum(box[2:] - box[:2], size) / 2
    return np.concatenate([middle - half, middle + half])


def covered(box: Box, region: Region) -> float:
    """Return the share of a box's area that lies in an upright region, 0–1."""
    middle, half = np.array(region.center_px), np.array(region.size_px) / 2
    sides = np.minimum(box[2:], middle + half) - np.maximum(box[:2], middle - half)
    return float((sides.clip(min=0) / (box[2:] - box[:2])).prod())


def overlaps(boxes: Box, others: Box) -> NDArray[np.float64]:
    """Return the intersection over union of every box with every other.

    Parameters
    ----------
    boxes, others
        Shapes ``(N, 4)`` and ``(M, 4)``.

    Returns
    -------
    ndarray
        Shape ``(N, M)``, 0–1; 0 where the union is empty.
    """
    one, two = boxes[:, None], others[None]
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared = sides.clip(min=0).prod(axis=-1)
    areas = [(b[..., 2:] - b[..., :2]).clip(min=0).prod(axis=-1) for b in (one, two)]
    union = areas[0] + areas[1] - shared
    shares: NDArray[np.float64] = shared / np.where(union > 0, union, np.inf)
    return shares


def match_boxes(boxes: Box, others: Box, *, least: float) -> list[tuple[int, int]]:
    """Pair boxes that overlap, the best pair first, each box in one pair at most.

    Parameters
    ----------
    boxes, others
        Shapes ``(N, 4)`` and ``(M, 4)``.
    least
        Smallest intersection over union of a pair.

    Returns
    -------
    list of tuple
        ``(index in boxes, index in others)``.
    """
    shares = overlaps(boxes, others)
    pairs = []
    while shares.size and shares.max() >= least:
        i, j = np.unravel_index(int(shares.argmax()), shares.shape)
        pairs.append((int(i), int(j)))
        shares[i, :] = shares[:, j] = -1.0
    return pairs


def suppress(boxes: Box, scores: NDArray[np.floating], *, most: float) -> list[int]:
    """Return the boxes to keep, the surest first (greedy non-maximum suppression).

    Parameters
    ----------
    boxes, scores
        Shapes ``(N, 4)`` and ``(N,)``.
    most
        A box that overlaps a surer one by more than this intersection over union goes.
    """
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if not kept or overlaps(boxes[i : i + 1], boxes[kept]).max() <= most:
            kept.append(int(i))
    return kept
