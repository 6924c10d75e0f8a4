"""Frames as small pictures inside the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

LONGEST_PX: Final = 720
_JPEG_QUALITY: Final = 78


@dataclass(frozen=True)
class Picture:
    """A frame as a data address.

    Attributes
    ----------
    time_s
        The frame's time, seconds.
    address
        ``data:image/jpeg;base64,…``.
    """

    time_s: float
    address: str


def encode_stills(stills: Sequence[tuple[float, NDArray[np.uint8]]]) -> list[Picture]:
    """Shrink frames to at most 720 px and encode them as JPEG.

    Parameters
    ----------
    stills
        ``(time_s, image)``, image (H, W, 3) uint8 RGB.

    Returns
    -------
    list of Picture
        In order of time.
    """
    return [Picture(time_s, _encode(image)) for time_s, image in sorted(stills, key=lambda s: s[0])]


def _encode(image: NDArray[np.uint8]) -> str:
    height, width = image.shape[:2]
    scale = min(LONGEST_PX / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")
