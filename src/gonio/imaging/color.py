"""Brightness, contrast, saturation and hue as one matrix; the negative."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from gonio.imaging.checks import Image, as_image, check_image, refuse_outside

_YIQ: Final = np.array(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]]
)
_RGB: Final = np.linalg.inv(_YIQ)


def adjust_color(
    image: Image,
    *,
    brightness: float = 1.0,
    contrast: float = 1.0,
    saturation: float = 1.0,
    hue_deg: float = 0.0,
) -> Image:
    """Change brightness, contrast, saturation and hue, in this order, rounding once.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``; of grey, only brightness and contrast change.
    brightness
        Factor on all values, 0 = black.
    contrast
        Factor on the distance from the image's mean luma, 0 = that grey everywhere.
    saturation
        Factor on the distance from a pixel's own luma, 0 = no color.
    hue_deg
        Turns all colors about the grey axis, luma kept.

    Returns
    -------
    ndarray
        The same shape; values are cut at 0 and 255.

    Raises
    ------
    InputError
        If it is no image, or a factor is negative.

    Notes
    -----
    Luma and the plane in which hue turns are those of YIQ (ITU-R BT.601 luma). The hue of HSV,
    which other libraries turn, does not keep luma.
    """
    check_image(image)
    factors = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
    for name, factor in factors.items():
        refuse_outside(name, factor, 0)
    means = np.array(cv2.mean(image)[: image.shape[2]])
    luma = float(means @ _YIQ[0]) if len(means) == 3 else float(means[0])
    gain, offset = brightness * contrast, brightness * (1 - contrast) * luma
    if len(means) == 1:
        table = np.rint(np.arange(256) * gain + offset).clip(0, 255).astype(np.uint8)
        return as_image(cv2.LUT(image, table), image)
    cos, sin = (saturation * f(math.radians(hue_deg)) for f in (math.cos, math.sin))
    chroma = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    # Grey goes through saturation and hue unchanged, and so does the offset.
    matrix = np.column_stack([gain * (_RGB @ chroma @ _YIQ), np.full(3, offset)])
    return as_image(cv2.transform(image, matrix.astype(np.float32)), image)


def negative(image: Image) -> Image:
    """Return 255 minus the image.

    Raises
    ------
    InputError
        If it is no image.
    """
    check_image(image)
    return as_image(cv2.bitwise_not(image), image)
