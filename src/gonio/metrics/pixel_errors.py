"""Errors of keypoints in pixels, and the share of them that can be accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gonio.errors import InputError
from gonio.metrics.pck import distances_px

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class PixelErrors(NamedTuple):
    """Errors over the keypoints that are labelled and were found; NaN where there are none.

    The first four are means over coordinates, as the losses of the same names are; the last
    two are of distances.

    Attributes
    ----------
    mse_px2, rmse_px, l1_px
        Mean squared error of x and y, its root, mean absolute error.
    smooth_l1_px
        Mean of 0.5·e²/β below β and ``abs(e)`` − 0.5·β above.
    mean_px, median_px
        Of the distance between prediction and truth.
    labelled, found
        How many keypoints are labelled, and how many of these were found.
    """

    mse_px2: float
    rmse_px: float
    l1_px: float
    smooth_l1_px: float
    mean_px: float
    median_px: float
    labelled: int
    found: int


class ErrorBands(NamedTuple):
    """Labelled keypoints by the size of their error; counts of shape ``(K,)``.

    Attributes
    ----------
    acceptable, bad, completely_bad
        Distance below the first limit, up to and including the second, above it.
    missing
        Labelled but not found.
    """

    acceptable: NDArray[np.intp]
    bad: NDArray[np.intp]
    completely_bad: NDArray[np.intp]
    missing: NDArray[np.intp]


def pixel_errors(
    predicted_px: ArrayLike, truth_px: ArrayLike, labelled: ArrayLike, *, beta_px: float = 1.0
) -> PixelErrors:
    """Return errors of labelled keypoints.

    Parameters
    ----------
    predicted_px, truth_px
        Shape ``(..., 2)``, pixels of the image or of the model's input. A prediction that is NaN
        was not found and has no error; ``found`` says how many were.
    labelled
        Shape ``(...)``; a keypoint without a label never counts.
    beta_px
        Where smooth L1 turns from square to straight, pixels.

    Returns
    -------
    PixelErrors

    References
    ----------
    Smooth L1: Girshick (2015), Fast R-CNN, ICCV.
    """
    offset = np.asarray(predicted_px, dtype=np.float64) - np.asarray(truth_px, dtype=np.float64)
    counts = np.asarray(labelled, dtype=bool)
    known = counts & np.isfinite(offset).all(axis=-1)
    error = np.abs(offset[known])
    number = int(counts.sum())
    if not len(error):
        nothing = np.nan
        return PixelErrors(nothing, nothing, nothing, nothing, nothing, nothing, number, 0)
    mse = float(np.square(error).mean())
    smooth = np.where(error < beta_px, 0.5 * np.square(error) / beta_px, error - 0.5 * beta_px)
    distance = np.hypot(error[:, 0], error[:, 1])
    return PixelErrors(
        mse_px2=mse,
        rmse_px=float(np.sqrt(mse)),
        l1_px=float(error.mean()),
        smooth_l1_px=float(smooth.mean()),
        mean_px=float(distance.mean()),
        median_px=float(np.median(distance)),
        labelled=number,
        found=len(error),
    )


def error_bands(
    predicted_px: ArrayLike,
    truth_px: ArrayLike,
    labelled: ArrayLike,
    *,
    limits_px: tuple[float, float] = (10.0, 25.0),
) -> ErrorBands:
    """Count keypoints by the size of their error.

    Parameters
    ----------
    predicted_px, truth_px
        Shape ``(P, K, 2)``, image pixels. NaN in a prediction = not found.
    labelled
        Shape ``(P, K)``; a keypoint without a label never counts.
    limits_px
        Acceptable is below the first, bad from the first to the second, completely bad above.

    Returns
    -------
    ErrorBands

    Raises
    ------
    InputError
        If the limits are not in order.
    """
    first, second = limits_px
    if not 0 < first <= second:
        raise InputError(f"error bands: limits {first:g} and {second:g} px are not in order")
    counts = np.asarray(labelled, dtype=bool)
    distance = distances_px(predicted_px, truth_px)
    with np.errstate(invalid="ignore"):
        acceptable, beyond = distance < first, distance > second
    known = np.isfinite(distance)
    masks = (acceptable, known & ~acceptable & ~beyond, beyond, ~known)
    return ErrorBands(*((mask & counts).sum(axis=0) for mask in masks))
