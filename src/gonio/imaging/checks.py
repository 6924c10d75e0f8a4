"""What counts as an image here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gonio.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Image: TypeAlias = "NDArray[np.uint8]"
"""Shape ``(H, W, 3)``, RGB, or ``(H, W, 1)``, grey."""


def check_image(image: Image) -> None:
    """Refuse what is no image.

    Parameters
    ----------
    image
        Should be of type uint8 and of shape ``(H, W, 3)`` or ``(H, W, 1)``, not empty.

    Raises
    ------
    InputError
        If it is not.
    """
    if image.dtype != np.uint8:
        raise InputError(f"image: type {image.dtype}, expected uint8 (0 to 255)")
    if image.ndim != 3 or image.shape[2] not in {1, 3}:
        raise InputError(f"image: shape {image.shape}, expected (H, W, 3) or (H, W, 1)")
    if not image.size:
        raise InputError(f"image: of shape {image.shape}, has no pixels")


def refuse_outside(name: str, value: float, least: float, most: float = np.inf) -> None:
    """Refuse a number that is not between two others (ends included).

    Raises
    ------
    InputError
        If it is NaN or outside.
    """
    if not least <= value <= most:
        limit = f"at least {least:g}" if most == np.inf else f"from {least:g} to {most:g}"
        raise InputError(f"{name}: {value:g}, expected {limit}")


def as_image(result: NDArray[Any], like: Image) -> Image:
    """Give back the axis of one channel that OpenCV drops."""
    return np.asarray(result, dtype=np.uint8).reshape(like.shape)
