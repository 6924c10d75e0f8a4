"""Filters that show a network less, or something else, than the camera saw.

Functions of one image. What a recipe and a model's card say about them, and how they follow each
other, is ``chain``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from gonio.imaging.checks import Image, as_image, check_image, refuse_outside

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WHITE = 255


def grey(image: Image) -> Image:
    """Take the colors away: ITU-R BT.601 luma in every channel.

    Raises
    ------
    InputError
        If it is no image.
    """
    check_image(image)
    return _in_every_channel(_luma(image), image)


def edges(image: Image, *, low: float = 100.0, high: float = 200.0) -> Image:
    """Keep the edges only: white lines, one pixel wide, on black (Canny).

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``; its luma is looked at.
    low, high
        Length of the 3×3 Sobel gradient, grey levels (a step of n levels has 4 n): above ``high``
        there is an edge, and above ``low`` one goes on.

    Raises
    ------
    InputError
        If it is no image, or ``low`` is negative or above ``high``.

    References
    ----------
    Canny (1986), IEEE Trans. Pattern Anal. Mach. Intell. 8(6):679-698.
    """
    return _in_every_channel(_edge_map(image, low, high), image)


def edge_overlay(
    image: Image, *, low: float = 100.0, high: float = 200.0, strength: float = 1.0
) -> Image:
    """Draw the edges in white over the image, whose colors stay.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``.
    low, high
        See :func:`edges`.
    strength
        How much of white an edge takes, 0–1.

    Raises
    ------
    InputError
        If it is no image, or a number is out of range.
    """
    lines = _edge_map(image, low, high) > 0
    refuse_outside("strength", strength, 0, 1)
    lighter = np.rint(np.arange(256) * (1 - strength) + WHITE * strength).astype(np.uint8)
    drawn = image.copy()
    drawn[lines] = lighter[image[lines]]
    return drawn


def equalize(image: Image) -> Image:
    """Spread the luma evenly over all grey levels; differences between channels stay.

    Raises
    ------
    InputError
        If it is no image.

    Notes
    -----
    An image of one luma stays as it is.
    """
    check_image(image)
    return _change_luma(image, cv2.equalizeHist)


def clahe(image: Image, *, clip: float = 2.0, tiles: int = 8) -> Image:
    """Spread the luma evenly tile by tile, with a limit (contrast limited, adaptive).

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``; differences between channels stay.
    clip
        Most pixels of one grey level that count, in units of the mean over all levels; the rest
        is shared out among all levels. Small numbers amplify noise little.
    tiles
        How many there are along each side; between their middles the changes are blended.

    Raises
    ------
    InputError
        If it is no image, or a number is not positive.

    References
    ----------
    Zuiderveld (1994), Graphics Gems IV, 474-485.
    """
    check_image(image)
    refuse_outside("clip", clip, np.nextafter(0, 1))
    refuse_outside("tiles", tiles, 1)
    # Whole tiles, mirrored as often as a tiny image needs: OpenCV's own padding may not do it.
    height, width = image.shape[:2]
    more = (-height % tiles, -width % tiles)

    def change(luma: NDArray[Any]) -> NDArray[Any]:
        padded = np.pad(
            luma, ((0, more[0]), (0, more[1])), mode="reflect" if luma.size > 1 else "edge"
        )
        done = cv2.createCLAHE(clip, (tiles, tiles)).apply(padded)
        return np.asarray(done)[:height, :width]

    return _change_luma(image, change)


def color_equalize(image: Image) -> Image:
    """Spread each channel's values evenly over all levels, so that casts of color go too.

    Raises
    ------
    InputError
        If it is no image.
    """
    check_image(image)
    done = [cv2.equalizeHist(image[..., channel]) for channel in range(image.shape[2])]
    return as_image(np.stack(done, axis=2), image)


def edge_enhance(image: Image, *, amount: float = 0.5) -> Image:
    """Make edges steeper: add each pixel's difference from its eight neighbors.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``; beyond its edge it is mirrored.
    amount
        Factor on the sum of the eight differences; 0 changes nothing.

    Raises
    ------
    InputError
        If it is no image, or ``amount`` is negative.
    """
    check_image(image)
    refuse_outside("amount", amount, 0)
    kernel = np.full((3, 3), -amount)
    kernel[1, 1] = 1 + 8 * amount
    return as_image(cv2.filter2D(image, -1, kernel), image)


def bilateral(image: Image, *, sigma_px: float = 3.0, sigma_levels: float = 30.0) -> Image:
    """Blur, but not across edges: neighbors of another color count less.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``; beyond its edge it is mirrored.
    sigma_px
        Standard deviation of the weight by distance, pixels; it reaches 1.5 of them.
    sigma_levels
        Standard deviation of the weight by color: the absolute differences of all channels
        added, grey levels.

    Raises
    ------
    InputError
        If it is no image, or a number is not positive.

    References
    ----------
    Tomasi & Manduchi (1998), ICCV, 839-846.
    """
    check_image(image)
    for name, sigma in (("sigma_px", sigma_px), ("sigma_levels", sigma_levels)):
        refuse_outside(name, sigma, np.nextafter(0, 1))
    reach = max(round(1.5 * sigma_px), 1)
    return as_image(cv2.bilateralFilter(image, 2 * reach + 1, sigma_levels, sigma_px), image)


def _luma(image: Image) -> NDArray[Any]:
    return image[..., 0] if image.shape[2] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def _in_every_channel(values: NDArray[Any], like: Image) -> Image:
    return as_image(np.repeat(values[..., None], like.shape[2], axis=2), like)


def _edge_map(image: Image, low: float, high: float) -> NDArray[Any]:
    check_image(image)
    refuse_outside("low", low, 0)
    refuse_outside("high", high, low)
    # Without a copy OpenCV would not take a channel that is a view.
    return cv2.Canny(np.ascontiguousarray(_luma(image)), low, high, L2gradient=True)


def _change_luma(image: Image, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Image:
    """Add to every channel what is added to the luma."""
    before = np.ascontiguousarray(_luma(image))
    after = change(before)
    if image.shape[2] == 1:
        return as_image(after, image)
    added = cv2.subtract(after, before, dtype=cv2.CV_16S)
    return as_image(cv2.add(image, cv2.merge([added] * 3), dtype=cv2.CV_8U), image)
