"""Maps between image, crop and network input, affine or projective, and the warp that follows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import numpy as np

from gonio.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Matrix: TypeAlias = "NDArray[np.float64]"
Border = Literal["zero", "replicate"]

_BORDERS = {"zero": cv2.BORDER_CONSTANT, "replicate": cv2.BORDER_REPLICATE}


@dataclass(frozen=True)
class Region:
    """A rotated rectangle in an image.

    Attributes
    ----------
    center_px
        Its centre (x, y), pixels.
    size_px
        Its width and height along its own axes, pixels from edge to edge.
    rotation_rad
        Clockwise on screen (y is down): the rectangle's right axis points along
        (cos r, sin r) in the image, its down axis along (−sin r, cos r).
    """

    center_px: tuple[float, float]
    size_px: tuple[float, float]
    rotation_rad: float = 0.0


def crop_matrix(region: Region, input_wh: tuple[int, int]) -> Matrix:
    """Return the map from image to network input that fills the input with the region.

    Parameters
    ----------
    region
        What to crop, image pixels.
    input_wh
        Width and height of the network input, pixels. Where its aspect differs from the
        region's, the crop is stretched.

    Returns
    -------
    Matrix
        Shape ``(2, 3)``, image px → input px.

    Raises
    ------
    InputError
        If the region is empty or not finite.
    """
    (cx, cy), (region_w, region_h) = region.center_px, region.size_px
    numbers = (cx, cy, region_w, region_h, region.rotation_rad)
    if not all(math.isfinite(n) for n in numbers) or region_w <= 0 or region_h <= 0:
        raise InputError(f"crop: {region} is not a region with a positive, finite size")
    width, height = input_wh
    scale = np.array([[width / region_w], [height / region_h]])
    cos, sin = math.cos(region.rotation_rad), math.sin(region.rotation_rad)
    linear = scale * np.array([[cos, sin], [-sin, cos]])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.column_stack([linear, middle - linear @ (cx, cy)])


def letterbox_matrix(image_wh: tuple[int, int], input_wh: tuple[int, int]) -> Matrix:
    """Return the map that shows the whole image in the input: aspect kept, centred.

    Parameters
    ----------
    image_wh, input_wh
        Width and height of the image and of the network input, pixels.

    Returns
    -------
    Matrix
        Shape ``(2, 3)``, image px → input px.

    Raises
    ------
    InputError
        If the image is empty.
    """
    (image_w, image_h), (width, height) = image_wh, input_wh
    if image_w < 1 or image_h < 1:
        raise InputError(f"letterbox: an image of {image_w}×{image_h} pixels is empty")
    scale = min(width / image_w, height / image_h)
    shown = Region(((image_w - 1) / 2, (image_h - 1) / 2), (width / scale, height / scale))
    return crop_matrix(shown, input_wh)


def invert(matrix: ArrayLike) -> Matrix:
    """Return the map back.

    Parameters
    ----------
    matrix
        Shape ``(2, 3)`` or ``(3, 3)``.

    Returns
    -------
    Matrix
        The same shape; ``transform(transform(p, m), invert(m))`` is ``p``.

    Raises
    ------
    InputError
        If the map has no inverse.
    """
    forward = np.asarray(matrix, dtype=np.float64)
    try:
        if len(forward) == 3:
            back: Matrix = np.linalg.inv(forward).astype(np.float64)
            return back / back[2, 2] if back[2, 2] > 0 else back
        linear = np.linalg.inv(forward[:, :2])
    except np.linalg.LinAlgError:
        raise InputError(f"map {forward.tolist()} has no inverse") from None
    return np.column_stack([linear, -linear @ forward[:, 2]])


def compose(first: ArrayLike, *then: ArrayLike) -> Matrix:
    """Return the one map that does what several do, the first one first.

    Parameters
    ----------
    first, *then
        Maps, shape ``(2, 3)`` or ``(3, 3)`` each.

    Returns
    -------
    Matrix
        Shape ``(2, 3)``, or ``(3, 3)`` where one of the maps has it.
    """
    maps = [np.asarray(m, dtype=np.float64) for m in (first, *then)]
    total = homography(maps[0])
    for step in maps[1:]:
        total = homography(step) @ total
    return total if any(len(m) == 3 for m in maps) else total[:2]


def homography(matrix: ArrayLike) -> Matrix:
    """Return a map as a homography.

    Parameters
    ----------
    matrix
        Shape ``(2, 3)`` or ``(3, 3)``.

    Returns
    -------
    Matrix
        Shape ``(3, 3)``, a copy.
    """
    full = np.eye(3)
    m = np.asarray(matrix, dtype=np.float64)
    full[: len(m)] = m
    return full


def transform(points: ArrayLike, matrix: ArrayLike) -> NDArray[np.float64]:
    """Map points.

    Parameters
    ----------
    points
        Shape ``(..., 2)``, x and y; NaN stays NaN.
    matrix
        Shape ``(2, 3)``, or ``(3, 3)``: (x, y, 1) is mapped to (u, v, w), the point is
        (u / w, v / w).

    Returns
    -------
    ndarray
        Shape ``(..., 2)``, float64. A point on or behind a homography's horizon (w ≤ 0) is
        NaN: it would lie behind the camera.
    """
    m = np.asarray(matrix, dtype=np.float64)
    xy = np.asarray(points, dtype=np.float64)
    mapped: NDArray[np.float64] = xy @ m[:2, :2].T + m[:2, 2]
    if len(m) == 3:
        depth = xy @ m[2, :2] + m[2, 2]
        mapped /= np.where(depth > 0, depth, np.nan)[..., None]
    return mapped


def is_affine(matrix: ArrayLike) -> bool:
    """Say whether a map keeps parallels parallel: ``(2, 3)``, or a last row of (0, 0, 1)."""
    m = np.asarray(matrix, dtype=np.float64)
    return len(m) == 2 or bool((m[2] == (0, 0, 1)).all())


def warp(
    image: NDArray[Any],
    matrix: ArrayLike,
    input_wh: tuple[int, int],
    *,
    border: Border = "zero",
    fill: int = 0,
) -> NDArray[Any]:
    """Resample an image by a map, bilinear.

    Parameters
    ----------
    image
        Shape ``(H, W)`` or ``(H, W, C)``.
    matrix
        Image px → input px, shape ``(2, 3)`` or ``(3, 3)``; the image must lie before a
        homography's horizon.
    input_wh
        Width and height of the result, pixels.
    border
        What lies outside the image: ``"zero"`` (black, or ``fill``) or ``"replicate"`` (its
        edge).
    fill
        Value of all channels outside the image instead of 0; no use with ``"replicate"``.

    Returns
    -------
    ndarray
        Shape ``(height, width[, C])``, the image's dtype. Samples are taken at single points:
        no low-pass filter precedes a reduction.
    """
    m = np.asarray(matrix, dtype=np.float64)
    resample, m = (cv2.warpAffine, m[:2]) if is_affine(m) else (cv2.warpPerspective, m)
    return resample(
        image,
        m,
        input_wh,
        flags=cv2.INTER_LINEAR,
        borderMode=_BORDERS[border],
        borderValue=(fill,) * 4,
    )
