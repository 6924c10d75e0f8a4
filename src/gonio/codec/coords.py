"""Coordinates as direct regression targets: 0 to 1 across the network input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gonio.codec.grids import input_to_normalized, normalized_to_input

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gonio.codec.grids import Alignment


def encode_coords(
    points: ArrayLike, visible: ArrayLike, input_wh: tuple[int, int]
) -> NDArray[np.float32]:
    """Turn points into regression targets.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, input px.
    visible
        Shape ``(...)``; a point that is NaN counts as not visible.
    input_wh
        Width and height of the network input, pixels.

    Returns
    -------
    ndarray
        Shape ``(..., 2)``, float32: 0 = left or top edge, 1 = right or bottom edge, beyond them
        outside the input. A point that is not visible is (0, 0), which a loss must mask.
    """
    targets = input_to_normalized(points, input_wh)
    hidden = ~np.asarray(visible, dtype=bool) | np.isnan(targets).any(axis=-1)
    return np.where(hidden[..., None], 0.0, targets).astype(np.float32)


def decode_coords(
    values: ArrayLike, input_wh: tuple[int, int], *, alignment: Alignment = "edges"
) -> NDArray[np.float64]:
    """Turn a network's regressed values into points.

    Parameters
    ----------
    values
        Shape ``(..., 2)``, as from :func:`encode_coords`.
    input_wh
        Width and height of the network input, pixels.
    alignment
        Where 0 and 1 lie: on the input's ``"edges"``; on the centre of its first pixel and a
        pixel beyond that of its last (``"origins"``); on those two centres (``"corners"``).

    Returns
    -------
    ndarray
        Shape ``(..., 2)``, input px.
    """
    if alignment == "edges":
        return normalized_to_input(values, input_wh)
    span = np.array(input_wh, dtype=np.float64) - (alignment == "corners")
    points: NDArray[np.float64] = np.asarray(values, dtype=np.float64) * span
    return points
