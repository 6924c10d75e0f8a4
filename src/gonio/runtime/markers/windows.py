"""Cut-outs of one size around points, made smaller by whole factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]


def cut_windows(
    image: NDArray[np.uint8], centers_px: Floats, half: int, factor: int
) -> tuple[NDArray[np.float32], Floats, NDArray[np.bool_]]:
    """Cut a square around each point and average its pixels in blocks.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)``.
    centers_px
        Shape ``(N, 2)``, finite.
    half
        Cells from the middle cell to each side.
    factor
        Source pixels along the side of a cell.

    Returns
    -------
    windows : ndarray
        Shape ``(N, 2 half + 1, 2 half + 1, 3)``; beyond the image its edge is repeated.
    origins : ndarray
        Shape ``(N, 2)``: the source's position of the first cell's center; a cell is ``factor``
        pixels wide.
    inside : ndarray
        Shape ``(N, cells, cells)``: which cells lie in the image.
    """
    cells = 2 * half + 1
    side = cells * factor
    corners = np.round(centers_px - (side - 1) / 2).astype(int)
    height, width = image.shape[:2]
    windows = np.empty((len(corners), cells, cells, 3), np.float32)
    for window, (x, y) in zip(windows, corners.tolist(), strict=True):
        part = image[max(y, 0) : max(y + side, 0), max(x, 0) : max(x + side, 0)]
        if part.shape[:2] != (side, side):
            part = _padded(image, x, y, side)
        if factor > 1:
            window[:] = cv2.resize(part, (cells, cells), interpolation=cv2.INTER_AREA)
        else:
            window[:] = part
    place = np.arange(cells) * factor + (factor - 1) / 2
    x, y = (corners[:, i, None] + place for i in (0, 1))
    inside = ((y >= 0) & (y <= height - 1))[:, :, None] & ((x >= 0) & (x <= width - 1))[:, None, :]
    return windows, corners + (factor - 1) / 2, inside


def _padded(image: NDArray[np.uint8], x: int, y: int, side: int) -> NDArray[np.uint8]:
    rows = np.clip(np.arange(y, y + side), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(x, x + side), 0, image.shape[1] - 1)
    padded: NDArray[np.uint8] = image[rows[:, None], columns[None, :]]
    return padded
