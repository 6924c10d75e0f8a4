"""BlazePose's refinement of regressed landmarks by their heatmaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def refine_in_window(
    points: ArrayLike,
    maps: NDArray[Any],
    kernel: int = 7,
    min_score: float = 0.5,
    *,
    logits: bool = False,
) -> NDArray[np.float64]:
    """Replace each point by the score-weighted mean of the window of its map around it.

    Parameters
    ----------
    points
        Shape ``(K, 2)``, heatmap px.
    maps
        Shape ``(K, H, W)``, scores 0–1, one map a point. Any memory order will do.
    kernel
        Side of the square window, odd, heatmap px; at the map's border it is cut.
    min_score
        A point whose window nowhere reaches this score stays as it is.
    logits
        Whether ``maps`` holds logits; the sigmoid is then taken inside the windows only.

    Returns
    -------
    ndarray
        Shape ``(K, 2)``, heatmap px, float64. A point that is NaN or lies off its map stays as
        it is.

    Notes
    -----
    The rule of MediaPipe's ``RefineLandmarksFromHeatmapCalculator`` (BlazePose: kernel 7, score
    0.5, logits). MediaPipe reads the mean *index* over the map's width as the normalized
    position: half a heatmap pixel less than this package's convention. BlazePose's maps are
    trained so (on mirrored images they prove 0.44 px off in our convention), hence for it
    subtract 0.5 from the points that moved.
    """
    start = np.array(points, dtype=np.float64)
    count, height, width = maps.shape
    # Truncation, not floor: a point up to one pixel off the left or top edge counts as inside.
    with np.errstate(invalid="ignore"):
        cell = np.trunc(start + 0.5)
        inside = np.all((cell >= 0) & (cell < (width, height)), axis=1)
    middle = np.where(inside[:, None], cell, 0).astype(np.intp)
    reach = np.arange(kernel) - kernel // 2
    cols, rows = middle[:, :1] + reach, middle[:, 1:] + reach
    valid = ((rows >= 0) & (rows < height))[:, :, None] & ((cols >= 0) & (cols < width))[:, None, :]
    window = maps[
        np.arange(count)[:, None, None],
        rows.clip(0, height - 1)[:, :, None],
        cols.clip(0, width - 1)[:, None, :],
    ].astype(np.float64)
    if logits:
        window = 1 / (1 + np.exp(-window.clip(-100, 100)))
    window *= valid
    total = window.sum(axis=(1, 2))
    refine = inside & (window.max(axis=(1, 2)) >= min_score) & (total > 0)
    mean = np.stack([(window.sum(axis=1) * cols).sum(1), (window.sum(axis=2) * rows).sum(1)], 1)
    start[refine] = mean[refine] / total[refine, None]
    return start
