"""Binary discs as heatmap targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gonio.codec.heatmaps import decode_argmax

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def encode_disc(
    points: ArrayLike, visible: ArrayLike, map_wh: tuple[int, int], radius: float
) -> NDArray[np.float32]:
    """Draw each point as a filled disc about its exact, unrounded position.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, heatmap px.
    visible
        Shape ``(...)``, whether a point is drawn; a point that is NaN never is.
    map_wh
        Width and height of the maps, pixels.
    radius
        Heatmap px.

    Returns
    -------
    ndarray
        Shape ``(..., H, W)``, float32: 1 in pixels whose centre lies within ``radius``, 0 in all
        others and where a point is not drawn.
    """
    xy = np.asarray(points, dtype=np.float64)
    drawn = np.asarray(visible, dtype=bool) & ~np.isnan(xy).any(axis=-1)
    return (squared_distances(xy, map_wh) <= radius**2).astype(np.float32) * drawn[..., None, None]


def squared_distances(points: NDArray[np.float64], map_wh: tuple[int, int]) -> NDArray[np.float64]:
    """Return how far each map pixel's centre lies from each point, squared; NaN counts as 0.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, map px.
    map_wh
        Width and height of the maps, pixels.

    Returns
    -------
    ndarray
        Shape ``(..., H, W)``, map px².
    """
    known = np.nan_to_num(points)
    across, down = ((np.arange(n) - known[..., axis, None]) ** 2 for axis, n in enumerate(map_wh))
    squared: NDArray[np.float64] = down[..., :, None] + across[..., None, :]
    return squared


def decode_disc(
    maps: NDArray[np.floating], *, radius: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read each point off its map as the score-weighted middle of the disc at its highest pixel.

    A disc has no peak: where a network has learned it well, its highest pixel is any of its
    pixels, and what looks for a peak near it (:func:`decode_dark`) is off by up to half a radius.

    Parameters
    ----------
    maps
        Shape ``(..., H, W)``: scores, positive where something was found.
    radius
        That of the targets, heatmap px. Pixels count that lie within two radii of the highest
        one and reach half of its score.

    Returns
    -------
    points : ndarray
        Shape ``(..., 2)``, heatmap px; NaN where the map has no positive score. A disc that the
        map's border cuts is read toward the inside.
    scores : ndarray
        Shape ``(...)``, the maps' highest values.
    """
    peaks, scores = decode_argmax(maps)
    height, width = maps.shape[-2:]
    near = squared_distances(peaks, (width, height)) <= (2 * radius) ** 2
    weights = np.where(near & (maps >= scores[..., None, None] / 2), maps, 0).astype(np.float64)
    found = scores > 0
    total = np.where(found, weights.sum(axis=(-2, -1)), np.nan)
    x = weights.sum(axis=-2) @ np.arange(width) / total
    y = weights.sum(axis=-1) @ np.arange(height) / total
    return np.stack([x, y], axis=-1), scores
