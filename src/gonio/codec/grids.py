"""Points between grids that show the same rectangle: heatmap, network input, 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def heatmap_to_input(points: ArrayLike, stride: float) -> NDArray[np.float64]:
    """Map points from a heatmap to the network input.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, heatmap px.
    stride
        Input pixels a heatmap pixel.

    Returns
    -------
    ndarray
        Shape ``(..., 2)``, input px; NaN stays NaN.
    """
    return (np.asarray(points, dtype=np.float64) + 0.5) * stride - 0.5


def input_to_heatmap(points: ArrayLike, stride: float) -> NDArray[np.float64]:
    """Map points from the network input to a heatmap; see :func:`heatmap_to_input`."""
    return (np.asarray(points, dtype=np.float64) + 0.5) / stride - 0.5


def normalized_to_input(points01: ArrayLike, input_wh: tuple[int, int]) -> NDArray[np.float64]:
    """Map normalized points to pixels.

    Parameters
    ----------
    points01
        Shape ``(..., 2)``; 0 = left or top edge, 1 = right or bottom edge.
    input_wh
        Width and height of the grid, pixels.

    Returns
    -------
    ndarray
        Shape ``(..., 2)``, pixels; NaN stays NaN.
    """
    return np.asarray(points01, dtype=np.float64) * input_wh - 0.5


def input_to_normalized(points: ArrayLike, input_wh: tuple[int, int]) -> NDArray[np.float64]:
    """Map pixels to normalized points; see :func:`normalized_to_input`."""
    return (np.asarray(points, dtype=np.float64) + 0.5) / input_wh
