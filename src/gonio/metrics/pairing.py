"""Which prediction is which labelled person's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.labels import Labels, Predictions

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]


def pair_people(labels: Labels, predictions: Predictions) -> Indices:
    """Pair labelled people with predictions.

    A prediction that was asked for about a labelled person is that person's (of several the one
    of the highest score). The others are paired within their image so that the mean
    distances over the labelled keypoints add up to the least; a pair farther apart than the
    person is long (the longer side of the box, or of the labelled keypoints' extent) is none,
    unless the image holds one person and one prediction.

    Parameters
    ----------
    labels
        The true people; crowds and people without a labelled keypoint have no partner.
    predictions
        The model's.

    Returns
    -------
    ndarray
        Shape ``(P,)``: index of the prediction, −1 for a person without one.
    """
    pairs = np.full(len(labels), -1, dtype=np.intp)
    asked = np.flatnonzero(predictions.person_index >= 0)
    asked = asked[np.argsort(predictions.scores[asked], kind="stable")]
    pairs[predictions.person_index[asked]] = asked
    counts = labels.labelled.any(axis=1) & ~labels.crowd
    pairs[~counts] = -1
    found = np.isfinite(predictions.keypoints_px).all(axis=-1).sum(axis=1)
    free = np.flatnonzero((predictions.person_index < 0) & (found > 0))
    if not free.size:
        return pairs
    people = np.flatnonzero(counts & (pairs < 0))
    people = people[np.argsort(labels.image_index[people], kind="stable")]
    free = free[np.argsort(predictions.image_index[free], kind="stable")]
    where, images = predictions.image_index[free], labels.image_index[people]
    for image in np.intersect1d(where, images):
        own = people[np.searchsorted(images, image) : np.searchsorted(images, image, "right")]
        theirs = free[np.searchsorted(where, image) : np.searchsorted(where, image, "right")]
        _pair_image(labels, predictions, own, theirs, pairs)
    return pairs


def _pair_image(
    labels: Labels, predictions: Predictions, own: Indices, theirs: Indices, pairs: Indices
) -> None:
    if len(own) == len(theirs) == 1:
        pairs[own] = theirs
        return
    from scipy.optimize import linear_sum_assignment

    truth = labels.keypoints_px[own][:, None]
    offset = truth - predictions.keypoints_px[theirs][None]
    known = np.isfinite(offset).all(axis=-1)
    distance = np.where(known, np.hypot(offset[..., 0], offset[..., 1]), 0.0).sum(axis=-1)
    number = known.sum(axis=-1)
    reach = np.array([_length(labels, person) for person in own])[:, None]
    # Beyond its reach a pair costs the same as no pair.
    cost = np.minimum(distance / np.maximum(number, 1) / reach, 1.0)
    cost[number == 0] = 1.0
    rows, columns = linear_sum_assignment(cost)
    close = cost[rows, columns] < 1
    pairs[own[rows[close]]] = theirs[columns[close]]


def _length(labels: Labels, person: int) -> float:
    sides = labels.boxes_px[person, 2:]
    if not np.isfinite(sides).all():
        points = labels.keypoints_px[person][labels.labelled[person]]
        sides = np.ptp(points, axis=0)
    return max(float(sides.max()), 1.0)
