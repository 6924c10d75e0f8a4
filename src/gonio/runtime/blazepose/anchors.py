"""The fixed places in the image that the detector's boxes are relative to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Strides 8, 16, 32, 32, 32 with two anchors a cell; layers of one stride share their cells.
_LAYERS: Final = ((8, 2), (16, 2), (32, 6))


def anchor_centers(input_size: int = 224) -> NDArray[np.float64]:
    """Return the anchors' centres; all have the input's size.

    Parameters
    ----------
    input_size
        Side of the detector's square input, pixels.

    Returns
    -------
    ndarray
        Shape ``(N, 2)``, x and y relative to the input (0 = left or top edge, 1 = the opposite
        one), in the order of the detector's outputs: by layer, row, column. 2,254 for 224.
    """
    layers = []
    for stride, per_cell in _LAYERS:
        ticks = (np.arange(input_size // stride) + 0.5) * stride / input_size
        y, x = np.meshgrid(ticks, ticks, indexing="ij")
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0))
    return np.concatenate(layers)
