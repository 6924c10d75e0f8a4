"""Boxes through maps, and the regions that are cut out around them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gonio.codec.affine import Region, transform

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def region_of_box(box: ArrayLike, *, padding: float, aspect: float) -> Region | None:
    """Return the upright region of a given aspect around a box.

    Parameters
    ----------
    box
        Shape ``(4,)``: left, top, right, bottom, pixels.
    padding
        Factor on the box's sides.
    aspect
        The region's width / height; the side that is too short for it grows.

    Returns
    -------
    Region or None
        None where the box is empty or not finite.
    """
    left, top, right, bottom = (float(n) for n in np.asarray(box, dtype=np.float64))
    width, height = (right - left) * padding, (bottom - top) * padding
    if not (width > 0 and height > 0 and math.isfinite(width + height + left + top)):
        return None
    size = (max(width, height * aspect), max(height, width / aspect))
    return Region(((left + right) / 2, (top + bottom) / 2), size)


def box_around(points: NDArray[np.floating], *, margin: float) -> NDArray[np.float64] | None:
    """Return the box around points.

    Parameters
    ----------
    points
        Shape ``(K, 2)``, pixels; points that are NaN are left out.
    margin
        Factor on the sides.

    Returns
    -------
    ndarray or None
        Shape ``(4,)``: left, top, right, bottom; None where fewer than two points are left or
        all lie in one place. The shorter side is at least a quarter of the longer one.
    """
    seen = points[np.isfinite(points).all(axis=1)].astype(np.float64)
    if len(seen) < 2:
        return None
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2 * margin
    if not half.max() > 0:
        return None
    # A straight line of points still needs a box of some width.
    half = np.maximum(half, half.max() / 4)
    return np.concatenate([middle - half, middle + half])


def transform_boxes(boxes: ArrayLike, matrix: ArrayLike) -> NDArray[np.float64]:
    """Return the upright boxes around mapped boxes.

    Parameters
    ----------
    boxes
        Shape ``(..., 4)``: left and top edge, width, height, pixels.
    matrix
        Shape ``(2, 3)`` or ``(3, 3)``.

    Returns
    -------
    ndarray
        Shape ``(..., 4)``, likewise: around the four mapped corners, hence larger than the
        person where the map turns. NaN stays NaN; a box that reaches a homography's horizon is
        NaN.
    """
    given = np.asarray(boxes, dtype=np.float64)
    start, size = given[..., None, :2], given[..., None, 2:]
    corners = transform(start + size * ((0, 0), (1, 0), (0, 1), (1, 1)), matrix)
    low, high = corners.min(axis=-2), corners.max(axis=-2)
    return np.concatenate([low, high - low], axis=-1)
