"""Average precision of people by keypoints (OKS) and by boxes (IoU), with COCO's rules.

The numbers are pycocotools': the same thresholds (.50:.05:.95), areas (medium 32²–96² px²,
large above), recalls, ties and crowds. AP depends on the sigmas, which every report prints: it
is not comparable across tools that use others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.errors import InputError
from gonio.metrics.matching import Curves, Side, match_and_average
from gonio.metrics.oks import extents_px2, oks, person_areas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gonio.labels import Labels, Predictions

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

_SMALL, _MEDIUM, _MOST = 32.0**2, 96.0**2, 1e5**2
_KEYPOINT_RANGES: Final = np.array([[0, _MOST], [_SMALL, _MEDIUM], [_MEDIUM, _MOST]])
_BOX_RANGES: Final = np.array([[0, _MOST], [0, _SMALL], [_SMALL, _MEDIUM], [_MEDIUM, _MOST]])


@dataclass(frozen=True)
class AveragePrecision:
    """COCO's summary; NaN where no truth of that size counts.

    Attributes
    ----------
    ap
        Mean over the thresholds .50:.05:.95.
    ap50, ap75
        At a single threshold.
    ap_small, ap_medium, ap_large
        By the truth's area; small is NaN for keypoints, which COCO does not count there.
    ar, ar50
        Average recall, and that at .50.
    people
        How many true people count.
    """

    ap: float
    ap50: float
    ap75: float
    ap_small: float
    ap_medium: float
    ap_large: float
    ar: float
    ar50: float
    people: int


def keypoint_ap(
    labels: Labels,
    predictions: Predictions,
    *,
    sigmas: Sequence[float] | None = None,
    most: int = 20,
) -> AveragePrecision:
    """Return average precision by OKS.

    People without a labelled keypoint and crowds do not count, and a prediction that matches
    one of them is not held against the model (COCO's rule). Nor does a person whose area is not
    known. Areas are those of :func:`gonio.metrics.person_areas`. A keypoint that was not found
    adds 0 to its person's OKS; a prediction without any keypoint is none. Equal scores count in
    the order of the images, then of the predictions.

    Parameters
    ----------
    labels
        The true people.
    predictions
        The model's, of the same images and keypoints.
    sigmas
        Shape ``(K,)``; None = the skeleton's.
    most
        How many predictions of an image count, those of the highest scores.

    Returns
    -------
    AveragePrecision

    Raises
    ------
    InputError
        If sigmas or predictions do not fit the skeleton.
    """
    points = len(labels.skeleton.keypoints)
    sigma = np.asarray(labels.skeleton.sigmas if sigmas is None else sigmas, dtype=np.float64)
    if sigma.shape != (points,) or not (sigma > 0).all():
        raise InputError(f"keypoint AP: {points} positive sigmas are needed, not {sigma.size}")
    check_fit(labels, predictions)
    seen = ~np.isnan(predictions.keypoints_px.sum(axis=2))
    some = np.flatnonzero(seen.any(axis=1))
    found_px = predictions.keypoints_px[some]
    areas_px2 = person_areas(labels).px2
    blank: NDArray[np.bool_] = labels.visibility.max(axis=1, initial=0) == 0

    def likeness(found: Indices, truth: Indices) -> Floats:
        alike = oks(
            found_px[found],
            labels.keypoints_px[truth],
            labels.labelled[truth],
            areas_px2[truth],
            sigma,
        )
        near = blank[truth]
        if near.any():
            which = truth[near]
            gap = _gap_to_box(found_px[found[near]], labels.boxes_px[which], sigma)
            alike[near] = _mean_alike(gap, areas_px2[which])
        return np.nan_to_num(alike, nan=-1.0)

    curves = match_and_average(
        Side(labels.image_index, areas_px2),
        Side(predictions.image_index[some], extents_px2(found_px)),
        predictions.scores[some],
        likeness,
        ignore=labels.crowd | blank | ~np.isfinite(areas_px2),
        crowd=labels.crowd,
        ranges_px2=_KEYPOINT_RANGES,
        most=most,
    )
    return _summary(curves, sizes=(None, 1, 2))


def box_ap(labels: Labels, predictions: Predictions, *, most: int = 100) -> AveragePrecision:
    """Return average precision by the IoU of boxes.

    Parameters
    ----------
    labels
        The true people; one without a box does not count, nor do crowds.
    predictions
        The model's; one without a box is none.
    most
        How many predictions of an image count, those of the highest scores.

    Returns
    -------
    AveragePrecision

    Raises
    ------
    InputError
        If the predictions do not fit the labels, or no true person has a box.
    """
    check_fit(labels, predictions)
    boxed = np.flatnonzero(np.isfinite(labels.boxes_px).all(axis=1))
    if len(labels) and not len(boxed):
        raise InputError("box AP: nobody has a box. Make some with: gonio data boxes")
    some = np.flatnonzero(np.isfinite(predictions.boxes_px).all(axis=1))
    true_px, found_px = labels.boxes_px[boxed], predictions.boxes_px[some]
    crowd = labels.crowd[boxed]
    area = np.where(
        np.isfinite(labels.areas_px2[boxed]),
        labels.areas_px2[boxed],
        true_px[:, 2] * true_px[:, 3],
    )

    def likeness(found: Indices, truth: Indices) -> Floats:
        return _iou(found_px[found], true_px[truth], crowd[truth])

    curves = match_and_average(
        Side(labels.image_index[boxed], area),
        Side(predictions.image_index[some], found_px[:, 2] * found_px[:, 3]),
        predictions.scores[some],
        likeness,
        ignore=crowd,
        crowd=crowd,
        ranges_px2=_BOX_RANGES,
        most=most,
    )
    return _summary(curves, sizes=(1, 2, 3))


def check_fit(labels: Labels, predictions: Predictions) -> None:
    """Check that predictions are of these labels' images and skeleton.

    Raises
    ------
    InputError
        If they have another number of keypoints, or point beyond the images.
    """
    points = len(labels.skeleton.keypoints)
    if predictions.keypoints_px.shape[1:] != (points, 2):
        raise InputError(
            f"predictions of shape {predictions.keypoints_px.shape} do not fit the {points} "
            f"keypoints of '{labels.skeleton.name}'"
        )
    where = predictions.image_index
    if len(where) and not 0 <= where.min() <= where.max() < len(labels.images):
        raise InputError(f"predictions point beyond the {len(labels.images)} images")


def _gap_to_box(found_px: Floats, boxes_px: Floats, sigma: Floats) -> Floats:
    """Return squared distances in sigmas to twice the box's reach, shape ``(M, K)``."""
    # pycocotools compares keypoints and corners as they stand in a COCO file, where the corner
    # of the image is 0: half a pixel from here, where a pixel's center is.
    low = boxes_px[:, None, :2] + 0.5 - boxes_px[:, None, 2:]
    high = boxes_px[:, None, :2] + 0.5 + 2 * boxes_px[:, None, 2:]
    gap = np.maximum(0, low - found_px) + np.maximum(0, found_px - high)
    return np.asarray(np.square(gap).sum(axis=-1) / np.square(2 * sigma), dtype=np.float64)


def _mean_alike(gap: Floats, areas_px2: Floats) -> Floats:
    exponent = gap / (areas_px2[:, None] + np.spacing(1)) / 2
    alike = np.exp(-np.where(np.isnan(exponent), np.inf, exponent))
    return np.asarray(alike.mean(axis=1), dtype=np.float64)


def _iou(found_px: Floats, true_px: Floats, crowd: NDArray[np.bool_]) -> Floats:
    low = np.maximum(found_px[:, :2], true_px[:, :2])
    high = np.minimum(found_px[:, :2] + found_px[:, 2:], true_px[:, :2] + true_px[:, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    own, other = found_px[:, 2:].prod(axis=1), true_px[:, 2:].prod(axis=1)
    whole = np.where(crowd, own, own + other - common)
    iou = np.zeros(len(whole))
    iou[whole > 0] = common[whole > 0] / whole[whole > 0]
    return iou


def _summary(curves: Curves, *, sizes: tuple[int | None, int, int]) -> AveragePrecision:
    mean = curves.precision.mean(axis=1)
    small, medium, large = (np.nan if s is None else float(mean[s]) for s in sizes)
    return AveragePrecision(
        ap=float(mean[0]),
        ap50=float(curves.precision[0, 0]),
        ap75=float(curves.precision[0, 5]),
        ap_small=small,
        ap_medium=medium,
        ap_large=large,
        ar=float(curves.recall[0].mean()),
        ar50=float(curves.recall[0, 0]),
        people=int(curves.truths[0]),
    )
