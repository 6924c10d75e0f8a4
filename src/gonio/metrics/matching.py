"""COCO's greedy matching of detections to truth, for many images, thresholds and sizes at once.

The rule, for each image, threshold and range of areas: detections come in order of their
score; each takes, of the truths that are not taken and at least as alike as the threshold, the
one most alike, the last of equals. Truths to be ignored are taken only if no other can be, and
a crowd can be taken any number of times. A detection that took an ignored truth is ignored, and
so is one that took none and whose own area is out of the range.

Here the loop runs over the *ranks* of the detections only; everything else is one array. It was
written from the rule that pycocotools follows, and gives its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Indices = NDArray[np.intp]

THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
_RECALLS: Final = np.linspace(0, 1, 101)
_BLOCK: Final = 256  # images matched at once
_PAIRS: Final = 1 << 15  # pairs whose likeness is computed at once


@dataclass(frozen=True, eq=False)
class Side:
    """Truths or detections of all images.

    Attributes
    ----------
    image
        Shape ``(N,)``, index of the image.
    area_px2
        Shape ``(N,)``, square pixels.
    """

    image: Indices
    area_px2: Floats


@dataclass(frozen=True, eq=False)
class Curves:
    """What the matching found.

    Attributes
    ----------
    precision
        Shape ``(A, T)``: precision averaged over 101 recalls, for each range of areas and
        threshold; NaN where a range holds no truth.
    recall
        Shape ``(A, T)``, the highest reached.
    truths
        Shape ``(A,)``, how many truths count.
    """

    precision: Floats
    recall: Floats
    truths: Indices


def match_and_average(
    truth: Side,
    found: Side,
    scores: Floats,
    likeness: Callable[[Indices, Indices], Floats],
    *,
    ignore: Bools,
    crowd: Bools,
    ranges_px2: Floats,
    most: int,
) -> Curves:
    """Match, and average precision over recalls.

    Parameters
    ----------
    truth, found
        The two sides: N truths, M detections.
    scores
        Shape ``(M,)``; NaN comes last.
    likeness
        Of detections and truths of one image, given by index: 0–1.
    ignore, crowd
        Shape ``(N,)``: truths that neither count nor make a detection wrong; those that may be
        taken more than once.
    ranges_px2
        Shape ``(A, 2)``: the ranges of areas, both ends inside.
    most
        How many detections of an image count.
    """
    order, rank = _ranked(found.image, scores, most)
    ignored = ignore | _outside(truth.area_px2, ranges_px2)
    beyond = _outside(found.area_px2, ranges_px2)
    shape = (len(ranges_px2), len(THRESHOLDS), len(found.image))
    taken, void = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for dets, gts in _blocks(found.image[order], order, rank, truth.image):
        alike = _pairwise(dets, gts, likeness)
        _match(dets, gts, alike, ignored, crowd, taken, void)
    void |= ~taken & beyond[:, None]
    by_score = order[np.argsort(-_sortable(scores)[order], kind="stable")]
    return _average(taken[..., by_score], void[..., by_score], (~ignored).sum(axis=1))


def _sortable(scores: Floats) -> Floats:
    return np.where(np.isnan(scores), -np.inf, scores)


def _outside(area_px2: Floats, ranges_px2: Floats) -> Bools:
    with np.errstate(invalid="ignore"):
        low, high = ranges_px2[:, :1], ranges_px2[:, 1:]
        return np.asarray((area_px2 < low) | (area_px2 > high), dtype=bool)


def _ranked(image: Indices, scores: Floats, most: int) -> tuple[Indices, Indices]:
    """Return the detections that count, by image and falling score, and their ranks."""
    order = np.lexsort((-_sortable(scores), image))
    grouped = image[order]
    starts = np.searchsorted(grouped, grouped)
    rank = np.arange(len(order)) - starts
    kept = rank < most
    return order[kept], rank[kept]


def _blocks(
    found_image: Indices, order: Indices, rank: Indices, truth_image: Indices
) -> Iterator[tuple[Indices, Indices]]:
    """Yield padded tables of detections ``(B, D)`` and truths ``(B, G)``; −1 is padding.

    Only images with both are in them; images of like sizes stand together.
    """
    gt_order = np.argsort(truth_image, kind="stable")
    gt_image = truth_image[gt_order]
    gt_rank = np.arange(len(gt_image)) - np.searchsorted(gt_image, gt_image)
    images = max(found_image.max(initial=-1), truth_image.max(initial=-1)) + 1
    det_count = np.bincount(found_image, minlength=images)
    gt_count = np.bincount(truth_image, minlength=images)
    both = np.flatnonzero((det_count > 0) & (gt_count > 0))
    both = both[np.lexsort((det_count[both], gt_count[both]))]
    place = np.full(images, -1, dtype=np.intp)
    for start in range(0, len(both), _BLOCK):
        block = both[start : start + _BLOCK]
        block = block[np.argsort(-det_count[block], kind="stable")]
        place[block] = np.arange(len(block))
        dets = _table(place[found_image], rank, order, len(block))
        gts = _table(place[gt_image], gt_rank, gt_order, len(block))
        place[block] = -1
        yield dets, gts


def _table(row: Indices, column: Indices, value: Indices, rows: int) -> Indices:
    here = row >= 0
    table = np.full((rows, int(column[here].max()) + 1), -1, dtype=np.intp)
    table[row[here], column[here]] = value[here]
    return table


def _pairwise(
    dets: Indices, gts: Indices, likeness: Callable[[Indices, Indices], Floats]
) -> Floats:
    alike = np.full((*dets.shape, gts.shape[1]), -1.0)
    b, d, g = np.nonzero((dets >= 0)[:, :, None] & (gts >= 0)[:, None, :])
    for start in range(0, len(b), _PAIRS):
        part = slice(start, start + _PAIRS)
        pair = b[part], d[part], g[part]
        alike[pair] = likeness(dets[pair[0], pair[1]], gts[pair[0], pair[2]])
    return alike


def _match(
    dets: Indices,
    gts: Indices,
    alike: Floats,
    ignored: Bools,
    crowd: Bools,
    taken: Bools,
    void: Bools,
) -> None:
    """Fill ``taken`` and ``void (A, T, M)`` for the detections of a block."""
    ranges = len(ignored)
    out = (ignored[:, np.maximum(gts, 0)])[:, None]  # (A, 1, B, G)
    again = crowd[np.maximum(gts, 0)]
    free = np.ones((ranges, len(THRESHOLDS), *gts.shape), dtype=bool)
    limits = np.minimum(THRESHOLDS, 1 - 1e-10)[:, None, None]
    last = gts.shape[1] - 1
    for rank in range(dets.shape[1]):
        n = int((dets[:, rank] >= 0).sum())  # rows are in order of falling length
        here = alike[:n, rank]
        possible = free[:, :, :n] & (here >= limits)
        proper = possible & ~out[:, :, :n]
        possible = np.where(proper.any(axis=-1, keepdims=True), proper, possible)
        merit = np.where(possible, here, -1.0)
        best = last - merit[..., ::-1].argmax(axis=-1)  # the last of equals
        a, t, b = np.nonzero(possible.any(axis=-1))
        chosen = best[a, t, b]
        free[a, t, b, chosen] = again[b, chosen]
        index = dets[b, rank]
        taken[a, t, index] = True
        void[a, t, index] = out[a, 0, b, chosen]


def _average(taken: Bools, void: Bools, truths: Indices) -> Curves:
    right = np.cumsum(taken & ~void, axis=-1, dtype=np.float64)
    wrong = np.cumsum(~taken & ~void, axis=-1, dtype=np.float64)
    precision = np.full(taken.shape[:2], np.nan)
    recall = np.full(taken.shape[:2], np.nan)
    for a, total in enumerate(truths):
        if not total:
            continue
        reached = right[a] / total
        share = right[a] / np.maximum(wrong[a] + right[a], 1)
        share = np.maximum.accumulate(share[:, ::-1], axis=1)[:, ::-1]
        recall[a] = reached[:, -1] if reached.shape[1] else 0.0
        for t in range(len(share)):
            at = np.searchsorted(reached[t], _RECALLS, side="left")
            padded = np.append(share[t], 0.0)
            precision[a, t] = padded[at].mean()
    return Curves(precision, recall, truths)
