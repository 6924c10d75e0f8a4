"""OKS: how alike a predicted and a true person are, relative to the person's size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from gonio.labels import Labels

    Floats = NDArray[np.float64]

AREA_OF_BOX: Final = 0.53
"""Area of a person's outline as a share of the box's, where no outline was drawn."""

_TINY: Final = float(np.spacing(1))


class PersonAreas(NamedTuple):
    """Areas that OKS divides by.

    Attributes
    ----------
    px2
        Shape ``(P,)``, square pixels; NaN where nothing gives one.
    from_boxes, from_keypoints
        How many came from the box (× 0.53), and from the extent of the labelled keypoints
        (× 0.53) where there was no box either.
    """

    px2: Floats
    from_boxes: int
    from_keypoints: int


def oks(
    predicted_px: ArrayLike,
    truth_px: ArrayLike,
    labelled: ArrayLike,
    areas_px2: ArrayLike,
    sigmas: Sequence[float] | ArrayLike,
) -> Floats:
    """Return object keypoint similarity: the mean of exp(−d² / (2·area·(2σ)²)).

    Parameters
    ----------
    predicted_px, truth_px
        Shape ``(P, K, 2)``, pixels. A prediction that is NaN was not found and adds 0.
    labelled
        Shape ``(P, K)``, over which keypoints the mean is taken.
    areas_px2
        Shape ``(P,)``, square pixels.
    sigmas
        Shape ``(K,)``, the skeleton's.

    Returns
    -------
    ndarray
        Shape ``(P,)``, 0–1; NaN for a person without a labelled keypoint or without an area.

    References
    ----------
    https://cocodataset.org/#keypoints-eval
    """
    counts = np.asarray(labelled, dtype=bool)
    offset = np.asarray(predicted_px, dtype=np.float64) - np.asarray(truth_px, dtype=np.float64)
    variance = np.square(2 * np.asarray(sigmas, dtype=np.float64))
    area = np.asarray(areas_px2, dtype=np.float64)[:, None] + _TINY
    exponent = np.square(offset).sum(axis=-1) / variance / area / 2
    alike = np.where(counts, np.exp(-np.where(np.isnan(exponent), np.inf, exponent)), 0.0)
    number = counts.sum(axis=1)
    known = (number > 0) & np.isfinite(area[:, 0])
    result = np.full(len(counts), np.nan)
    result[known] = alike.sum(axis=1)[known] / number[known]
    return result


def person_areas(labels: Labels) -> PersonAreas:
    """Return each person's area: the outline's, 0.53 × the box's, 0.53 × the keypoints' extent.

    The last is no part of COCO's definition. It lets labels without boxes (a DeepLabCut
    project's) have an AP at all, which is comparable among such labels only; a person with a
    single labelled keypoint has no extent, hence NaN.

    Parameters
    ----------
    labels
        The true people.
    """
    area = labels.areas_px2.copy()
    box = AREA_OF_BOX * labels.boxes_px[:, 2] * labels.boxes_px[:, 3]
    missing = ~np.isfinite(area)
    by_box = missing & np.isfinite(box)
    area[by_box] = box[by_box]
    extent = AREA_OF_BOX * extents_px2(labels.keypoints_px)
    with np.errstate(invalid="ignore"):
        by_points = missing & ~by_box & (extent > 0)
    area[by_points] = extent[by_points]
    return PersonAreas(area, int(by_box.sum()), int(by_points.sum()))


def extents_px2(keypoints_px: Floats) -> Floats:
    """Return the areas of the upright boxes around keypoints ``(P, K, 2)``; NaN where none is."""
    known = np.isfinite(keypoints_px).all(axis=-1, keepdims=True)
    low = np.where(known, keypoints_px, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, keypoints_px, -np.inf).max(axis=1, initial=-np.inf)
    size = np.where(high >= low, high - low, np.nan)
    return np.asarray(size[:, 0] * size[:, 1], dtype=np.float64)
