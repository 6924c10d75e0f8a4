"""What an unsharp lens and a moving camera do."""

from __future__ import annotations

import math

import cv2
import numpy as np

from gonio.imaging.checks import Image, as_image, check_image, refuse_outside


def gaussian_blur(image: Image, sigma_px: float) -> Image:
    """Blur as an unsharp lens does; the image's edge is mirrored.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``.
    sigma_px
        Standard deviation of the Gaussian, pixels; 0 changes nothing.

    Raises
    ------
    InputError
        If it is no image, or ``sigma_px`` is negative.
    """
    check_image(image)
    refuse_outside("sigma_px", sigma_px, 0)
    if sigma_px == 0:
        return image.copy()
    return as_image(cv2.GaussianBlur(image, (0, 0), sigma_px), image)


def motion_blur(image: Image, length_px: float, angle_deg: float) -> Image:
    """Smear along a straight line that is centred on each pixel, so that nothing moves.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``.
    length_px
        The line's length, pixels; up to 1 changes next to nothing.
    angle_deg
        Its direction, clockwise on screen from +x.

    Raises
    ------
    InputError
        If it is no image, or ``length_px`` is negative.
    """
    check_image(image)
    refuse_outside("length_px", length_px, 0)
    reach = math.ceil(length_px / 2)
    # Points along the line share their weight among the four pixels around each.
    steps = np.linspace(-length_px / 2, length_px / 2, 8 * reach + 1)
    angle = math.radians(angle_deg)
    rows, cols = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    across = 1 - np.abs(cols[..., None] - steps * math.cos(angle))
    down = 1 - np.abs(rows[..., None] - steps * math.sin(angle))
    kernel = (across.clip(min=0) * down.clip(min=0)).sum(axis=-1)
    return as_image(cv2.filter2D(image, -1, kernel / kernel.sum()), image)
