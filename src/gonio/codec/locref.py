"""Score maps with location refinement, as DeepLabCut's networks have them.

A coarse map says in which cells a point may lie, and a second pair of maps how far it lies from
each cell's centre. Insafutdinov et al. (2016), DeeperCut: a deeper, stronger, and faster
multi-person pose estimation model, ECCV, section 3.2; Mathis et al. (2018), DeepLabCut, Nature
Neuroscience 21:1281. The numbers 17 px and 7.2801 are DeepLabCut's ``pos_dist_thresh`` and
``locref_stdev``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.codec.grids import grid_to_input
from gonio.codec.heatmaps import decode_argmax

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

POSITIVE_PX = 17.0
STDEV_PX = 7.2801
_AROUND: Final = np.array([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)])


def encode_locref(
    points: ArrayLike,
    visible: ArrayLike,
    map_wh: tuple[int, int],
    input_wh: tuple[int, int],
    *,
    positive_px: float = POSITIVE_PX,
    stdev_px: float = STDEV_PX,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Mark the cells near each point, and say from each of them where the point lies.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, input px.
    visible
        Shape ``(...)``, whether a point is drawn; a point that is NaN never is.
    map_wh, input_wh
        Widths and heights of the maps and of the network input, pixels.
    positive_px
        A cell is positive if its centre lies no farther than this from the point, input px.
    stdev_px
        Offsets are divided by it, input px.

    Returns
    -------
    scores : ndarray
        Shape ``(..., H, W)``, float32: 1 in positive cells, 0 in all others.
    offsets : ndarray
        Shape ``(..., 2, H, W)``, float32: x and y from the cell's centre to the point, divided
        by ``stdev_px``; 0 in cells that are not positive.
    weights : ndarray
        Shape ``(..., 2, H, W)``, float32: 1 where an offset counts, in positive cells.
    """
    xy = np.asarray(points, dtype=np.float64)
    drawn = np.asarray(visible, dtype=bool) & ~np.isnan(xy).any(axis=-1)
    known = np.nan_to_num(xy)
    # Both axes of the grid at once, as many cells as its longer side has.
    centers = grid_to_input(np.arange(max(map_wh))[:, None].repeat(2, 1), map_wh, input_wh)
    dx = known[..., 0, None] - centers[: map_wh[0], 0]
    dy = known[..., 1, None] - centers[: map_wh[1], 1]
    near = dy[..., :, None] ** 2 + dx[..., None, :] ** 2 <= positive_px**2
    positive = near & drawn[..., None, None]
    offsets = np.stack(np.broadcast_arrays(dx[..., None, :], dy[..., :, None]), axis=-3)
    offsets = np.where(positive[..., None, :, :], offsets / stdev_px, 0.0)
    scores = positive.astype(np.float32)
    return scores, offsets.astype(np.float32), np.stack([scores, scores], axis=-3)


def decode_locref(
    scores: NDArray[Any],
    offsets: NDArray[Any],
    input_wh: tuple[int, int],
    *,
    stdev_px: float = STDEV_PX,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read each point off its highest cell and the eight around it.

    Each of the nine says where the point lies; they are averaged, weighted by their scores.
    DeepLabCut takes the highest cell's word alone, which is less exact by about a tenth
    (ADR 0015).

    Parameters
    ----------
    scores
        Shape ``(..., H, W)``, 0–1, positive where something was found.
    offsets
        Shape ``(..., 2, H, W)``, as from :func:`encode_locref`.
    input_wh
        Width and height of the network input, pixels.
    stdev_px
        What the offsets were divided by, input px.

    Returns
    -------
    points : ndarray
        Shape ``(..., 2)``, input px; NaN where the map has no positive score.
    best : ndarray
        Shape ``(...)``, the maps' highest scores.
    """
    best_cells, best = decode_argmax(scores)
    height, width = scores.shape[-2:]
    cells = np.nan_to_num(best_cells)[..., None, :] + _AROUND
    inside = ((cells >= 0) & (cells < (width, height))).all(axis=-1)
    place = np.clip(cells, 0, (width - 1, height - 1)).astype(np.intp)
    index = place[..., 1] * width + place[..., 0]
    voices = np.take_along_axis(_flat(scores), index, axis=-1).astype(np.float64)
    voices = np.where(inside, voices.clip(min=0), 0.0)
    step = np.take_along_axis(_flat(offsets), index[..., None, :], axis=-1)
    said = grid_to_input(cells, (width, height), input_wh)
    said = said + np.moveaxis(step, -2, -1).astype(np.float64) * stdev_px
    total = voices.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        points = (said * voices[..., None]).sum(axis=-2) / total
    return np.where(np.isnan(best_cells), np.nan, points), best


def _flat(maps: NDArray[Any]) -> NDArray[Any]:
    return maps.reshape(*maps.shape[:-2], -1)
