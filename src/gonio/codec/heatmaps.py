"""Heatmaps: Gaussian targets, and decoding by argmax, quarter offset and DARK."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TINY = 1e-10


def encode_gaussian(
    points: ArrayLike, visible: ArrayLike, map_wh: tuple[int, int], sigma: float
) -> NDArray[np.float32]:
    """Draw each point as a Gaussian about its exact, unrounded position.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, heatmap px.
    visible
        Shape ``(...)``, whether a point is drawn; a point that is NaN never is.
    map_wh
        Width and height of the maps, pixels.
    sigma
        Standard deviation, heatmap px.

    Returns
    -------
    ndarray
        Shape ``(..., H, W)``, float32; 1 at the point, all 0 where it is not drawn.

    References
    ----------
    Unrounded centres: Zhang, Zhu, Dai, Ye & Zhu (2020), Distribution-aware coordinate
    representation for human pose estimation, CVPR, section 3.3.
    """
    xy = np.asarray(points, dtype=np.float64)
    drawn = np.asarray(visible, dtype=bool) & ~np.isnan(xy).any(axis=-1)
    across, down = (
        _bell(np.arange(n), np.nan_to_num(xy[..., axis, None]), sigma).astype(np.float32)
        for axis, n in enumerate(map_wh)
    )
    down *= drawn[..., None]
    maps: NDArray[np.float32] = down[..., :, None] * across[..., None, :]
    return maps


def decode_argmax(maps: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read each point off its map's highest pixel.

    Parameters
    ----------
    maps
        Shape ``(..., H, W)``: scores, positive where something was found.

    Returns
    -------
    points : ndarray
        Shape ``(..., 2)``, heatmap px; NaN where the map has no positive score.
    scores : ndarray
        Shape ``(...)``, the maps' highest values; of NaN maps NaN.
    """
    height, width = maps.shape[-2:]
    flat = maps.reshape(*maps.shape[:-2], height * width)
    best = flat.argmax(axis=-1)
    scores = np.take_along_axis(flat, best[..., None], axis=-1)[..., 0].astype(np.float64)
    points = np.stack([best % width, best // width], axis=-1).astype(np.float64)
    points[~(scores > 0)] = np.nan
    return points, scores


def decode_quarter(maps: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move the highest pixel a quarter pixel toward its higher neighbour, along each axis.

    Parameters
    ----------
    maps
        Shape ``(..., H, W)``: scores, positive where something was found.

    Returns
    -------
    points : ndarray
        Shape ``(..., 2)``, heatmap px; NaN where the map has no positive score. A maximum on
        the map's border stays there.
    scores : ndarray
        Shape ``(...)``, the maps' highest values.

    References
    ----------
    Newell, Yang & Deng (2016), Stacked hourglass networks for human pose estimation, ECCV;
    Xiao, Wu & Wei (2018), Simple baselines for human pose estimation and tracking, ECCV.
    """
    points, scores = decode_argmax(maps)
    around, inner = _windows(maps, points, reach=1)
    slope = np.stack(
        [around[..., 1, 2] - around[..., 1, 0], around[..., 2, 1] - around[..., 0, 1]], axis=-1
    )
    return points + 0.25 * np.sign(slope) * inner[..., None], scores


def decode_dark(
    maps: NDArray[Any], *, sigma: float = 2.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move the highest pixel to the peak of the parabola through the logarithm around it.

    Parameters
    ----------
    maps
        Shape ``(..., H, W)``: scores, positive where something was found.
    sigma
        Standard deviation of the Gaussian that smooths the maps first, heatmap px: that of the
        training's targets. 0 leaves the maps as they are, which is exact for clean Gaussians
        up to the border.

    Returns
    -------
    points : ndarray
        Shape ``(..., 2)``, heatmap px; NaN where the map has no positive score. A maximum on
        the map's border, or around which the logarithm has no peak, stays at its pixel; no
        point moves farther than one pixel along an axis.
    scores : ndarray
        Shape ``(...)``, the highest values of the maps as given.

    References
    ----------
    Zhang, Zhu, Dai, Ye & Zhu (2020), Distribution-aware coordinate representation for human
    pose estimation, CVPR: second-order Taylor expansion of the log-likelihood, equations 4-9,
    and modulation of the distribution, equations 10-11.
    """
    points, scores = decode_argmax(maps)
    reach = math.ceil(4 * sigma)
    window, inner = _windows(maps, points, reach=reach + 1)
    if sigma > 0:
        kernel = _bell(np.arange(-reach, reach + 1), np.zeros(1), sigma)
        smooth = np.zeros((3, window.shape[-1]))
        for row in range(3):
            smooth[row, row : row + kernel.size] = kernel / kernel.sum()
        window = smooth @ window @ smooth.T
    log = np.log(np.maximum(window, _TINY))
    step, peak = _newton_step(log)
    return points + np.where((inner & peak)[..., None], step.clip(-1, 1), 0.0), scores


def _newton_step(log: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the step to the stationary point of (..., 3, 3), and whether it is a maximum."""
    dx = (log[..., 1, 2] - log[..., 1, 0]) / 2
    dy = (log[..., 2, 1] - log[..., 0, 1]) / 2
    dxx = log[..., 1, 2] - 2 * log[..., 1, 1] + log[..., 1, 0]
    dyy = log[..., 2, 1] - 2 * log[..., 1, 1] + log[..., 0, 1]
    dxy = (log[..., 2, 2] - log[..., 2, 0] - log[..., 0, 2] + log[..., 0, 0]) / 4
    determinant = dxx * dyy - dxy**2
    peak = (determinant > _TINY) & (dxx < 0)
    safe = np.where(peak, determinant, 1.0)
    step = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=-1) / safe[..., None]
    return step, peak


def _windows(
    maps: NDArray[Any], points: NDArray[np.float64], *, reach: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the squares around whole-pixel points, 0 off the map, and who is off its border."""
    height, width = maps.shape[-2:]
    flat = maps.reshape(-1, height, width)
    col, row = np.nan_to_num(points).astype(np.intp).reshape(-1, 2).T
    inner = (col > 0) & (col < width - 1) & (row > 0) & (row < height - 1)
    span = np.arange(-reach, reach + 1)
    cols, rows = col[:, None] + span, row[:, None] + span
    square = flat[
        np.arange(len(flat))[:, None, None],
        rows.clip(0, height - 1)[:, :, None],
        cols.clip(0, width - 1)[:, None, :],
    ].astype(np.float64)
    square *= ((rows >= 0) & (rows < height))[:, :, None]
    square *= ((cols >= 0) & (cols < width))[:, None, :]
    leading = maps.shape[:-2]
    return square.reshape(*leading, *square.shape[1:]), inner.reshape(leading)


def _bell(x: NDArray[Any], center: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    bell: NDArray[np.float64] = np.exp(-((x - center) ** 2) / (2 * sigma**2))
    return bell
