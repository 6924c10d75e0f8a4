"""SimCC: each axis of a point as a distribution over bins finer than pixels.

Li et al. (2022), SimCC: a simple coordinate classification perspective for human pose
estimation, ECCV; Gaussian labels as in Jiang et al. (2023), RTMPose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.codec.grids import grid_to_input, input_to_grid

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gonio.codec.grids import Alignment

_TINY = 1e-10


def encode_simcc(
    points: ArrayLike,
    visible: ArrayLike,
    input_wh: tuple[int, int],
    *,
    ratio: float = 2.0,
    sigma: float = 6.0,
    alignment: Alignment = "edges",
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Describe each point by one Gaussian over the x bins and one over the y bins.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, input px.
    visible
        Shape ``(...)``, whether a point is described; a point that is NaN never is.
    input_wh
        Width and height of the network input, pixels.
    ratio
        Bins a pixel.
    sigma
        Standard deviation, bins.
    alignment
        What the bins share with the input's pixels: see
        :data:`gonio.codec.Alignment`.

    Returns
    -------
    x, y : ndarray
        Shapes ``(..., round(W · ratio))`` and ``(..., round(H · ratio))``, float32; each sums to
        1, or is all 0 where the point is not described. Of a point off the input the end bins
        nearest to it hold the weight.
    """
    xy = np.asarray(points, dtype=np.float64)
    described = np.asarray(visible, dtype=bool) & ~np.isnan(xy).any(axis=-1)
    counts = (round(input_wh[0] * ratio), round(input_wh[1] * ratio))
    bins = np.nan_to_num(input_to_grid(xy, counts, input_wh, alignment=alignment))
    x, y = (
        _distribution(bins[..., axis], count, sigma, described) for axis, count in enumerate(counts)
    )
    return x, y


def decode_simcc(
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    ratio: float = 2.0,
    refine: bool = True,
    alignment: Alignment = "edges",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read each point off the highest bins of its two distributions.

    Parameters
    ----------
    x, y
        Shapes ``(..., W · ratio)`` and ``(..., H · ratio)``: scores, positive where something
        was found.
    ratio
        Bins a pixel.
    refine
        Whether to move to the peak of the parabola through the logarithms of the highest bin
        and its neighbours; exact for Gaussians. A highest bin at an end stays.
    alignment
        What the bins share with the input's pixels. RTMPose and MMPose: ``"origins"``, a
        quarter pixel from ``"edges"`` at ratio 2.

    Returns
    -------
    points : ndarray
        Shape ``(..., 2)``, input px; NaN where an axis has no positive score.
    scores : ndarray
        Shape ``(...)``, the lower of the two axes' highest values.
    """
    (best_x, score_x), (best_y, score_y) = (_peak(axis, refine=refine) for axis in (x, y))
    counts = (x.shape[-1], y.shape[-1])
    input_wh = (round(counts[0] / ratio), round(counts[1] / ratio))
    bins = np.stack([best_x, best_y], axis=-1)
    points = grid_to_input(bins, counts, input_wh, alignment=alignment)
    scores = np.minimum(score_x, score_y)
    points[~(scores > 0)] = np.nan
    return points, scores


def _distribution(
    center: NDArray[np.float64], count: int, sigma: float, described: NDArray[np.bool_]
) -> NDArray[np.float32]:
    exponent = -((np.arange(count) - center[..., None]) ** 2) / (2 * sigma**2)
    # A point far off the grid would otherwise underflow to 0/0.
    bell = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    bell *= described[..., None] / bell.sum(axis=-1, keepdims=True)
    distribution: NDArray[np.float32] = bell.astype(np.float32)
    return distribution


def _peak(values: NDArray[Any], *, refine: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    best = values.argmax(axis=-1)
    scores = np.take_along_axis(values, best[..., None], axis=-1)[..., 0].astype(np.float64)
    place = best.astype(np.float64)
    if not refine or values.shape[-1] < 3:
        return place, scores
    middle = best.clip(1, values.shape[-1] - 2)
    around = np.take_along_axis(values, middle[..., None] + np.arange(-1, 2), axis=-1)
    log = np.log(np.maximum(around.astype(np.float64), _TINY))
    bend = log[..., 0] - 2 * log[..., 1] + log[..., 2]
    peak = (bend < -_TINY) & (middle == best)
    slope = (log[..., 2] - log[..., 0]) / 2
    return place - np.where(peak, slope / np.where(peak, bend, 1.0), 0.0), scores
