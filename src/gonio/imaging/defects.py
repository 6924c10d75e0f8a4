"""Sensor noise, compression, and things that stand in the way."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import cv2
import numpy as np

from gonio.errors import InputError
from gonio.imaging.checks import Image, as_image, check_image, refuse_outside

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def add_noise(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Add independent noise to every value.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``.
    sigma
        Standard deviation, grey levels (of 255), up to 40.
    rng
        Where the noise comes from.

    Returns
    -------
    ndarray
        The same shape; values are cut at 0 and 255.

    Raises
    ------
    InputError
        If it is no image, or ``sigma`` is not from 0 to 40.

    Notes
    -----
    A Gaussian in 256 equally likely steps, so that one random byte a value is enough: several
    times as fast as normal numbers. It reaches 2.9 sigma.
    """
    check_image(image)
    refuse_outside("sigma", sigma, 0, 40)
    steps = np.rint(_normal_steps() * sigma).astype(np.int8)
    chance = np.frombuffer(rng.bytes(image.size), np.uint8).reshape(image.shape)
    return as_image(cv2.add(image, cv2.LUT(chance, steps), dtype=cv2.CV_8U), image)


@cache
def _normal_steps() -> NDArray[np.float64]:
    """Return the middle quantiles of 256 equal parts of a normal distribution, variance 1."""
    steps = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
    unit: NDArray[np.float64] = steps / steps.std()
    return unit


def compress_jpeg(image: Image, quality: int) -> Image:
    """Write the image as JPEG and read it back.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``.
    quality
        1 (worst) to 100.

    Raises
    ------
    InputError
        If it is no image, or the quality is not from 1 to 100.
    """
    check_image(image)
    refuse_outside("quality", quality, 1, 100)
    # Red and blue are exchanged for OpenCV, which takes BGR, and back.
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    mode = cv2.IMREAD_GRAYSCALE if image.shape[2] == 1 else cv2.IMREAD_COLOR_RGB
    return as_image(np.asarray(cv2.imdecode(data, mode)), image)


def cover(image: Image, rectangles_px: ArrayLike, colors: ArrayLike) -> Image:
    """Paint rectangles over the image.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``.
    rectangles_px
        Shape ``(N, 4)``: left and top edge, width, height, pixels (the image begins at −0.5). A
        pixel is covered if its centre lies in one.
    colors
        Shape ``(N, C)``, 0–255, C as the image has channels.

    Raises
    ------
    InputError
        If it is no image, or there is not one color of its channels for each rectangle.
    """
    check_image(image)
    covered = image.copy()
    rectangles, paint = np.asarray(rectangles_px, dtype=np.float64), np.asarray(colors)
    if rectangles.shape != (len(paint), 4) or paint.shape != (len(rectangles), image.shape[2]):
        raise InputError(
            f"cover: rectangles of shape {rectangles.shape} and colors of shape {paint.shape}; "
            f"an image of {image.shape[2]} channels needs (N, 4) and (N, {image.shape[2]})"
        )
    for (left, top, width, height), color in zip(rectangles, paint, strict=True):
        first = np.ceil([top, left]).clip(min=0).astype(int)
        last = np.floor([top + height, left + width]).astype(int) + 1
        covered[first[0] : max(last[0], 0), first[1] : max(last[1], 0)] = color
    return covered
