"""Points between grids that show the same rectangle: heatmap, network input, 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Alignment = Literal["edges", "origins", "corners"]
"""What an output grid and the network input share, by the model's training.

``"edges"``: their outer edges, as everywhere in Gonio. ``"origins"``: the centres of their first
pixels, x_in = x · W / w: so ``SimCCLabel``, ``MSRAHeatmap`` and ``RegressionLabel`` of MMPose 1.x.
``"corners"``: the centres of their first and of their last pixels, x_in = x · (W − 1) / (w − 1):
unbiased data processing (Huang, Zhu, Guo & Huang 2020, "The devil is in the details", CVPR).
"""


def grid_to_input(
    points: ArrayLike,
    grid_wh: tuple[int, int],
    input_wh: tuple[int, int],
    *,
    alignment: Alignment = "edges",
) -> NDArray[np.float64]:
    """Map points from an output grid (heatmap, SimCC bins) to the network input.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, pixels (or bins) of the grid.
    grid_wh, input_wh
        Widths and heights of the grid and of the network input, pixels.
    alignment
        What the two share.

    Returns
    -------
    ndarray
        Shape ``(..., 2)``, input px; NaN stays NaN.
    """
    factor, offset = _alignment(grid_wh, input_wh, alignment)
    mapped: NDArray[np.float64] = np.asarray(points, dtype=np.float64) * factor + offset
    return mapped


def input_to_grid(
    points: ArrayLike,
    grid_wh: tuple[int, int],
    input_wh: tuple[int, int],
    *,
    alignment: Alignment = "edges",
) -> NDArray[np.float64]:
    """Map points from the network input to an output grid; see :func:`grid_to_input`."""
    factor, offset = _alignment(grid_wh, input_wh, alignment)
    mapped: NDArray[np.float64] = (np.asarray(points, dtype=np.float64) - offset) / factor
    return mapped


def _alignment(
    grid_wh: tuple[int, int], input_wh: tuple[int, int], alignment: Alignment
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return factor and offset, shape ``(2,)`` each, from the grid to the input."""
    grid, size = np.array(grid_wh, dtype=np.float64), np.array(input_wh, dtype=np.float64)
    if alignment == "corners":
        return (size - 1) / np.maximum(grid - 1, 1), np.zeros(2)
    factor = size / grid
    return factor, np.zeros(2) if alignment == "origins" else (factor - 1) / 2


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
