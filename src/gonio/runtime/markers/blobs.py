"""Where blobs may be: peaks of differences of Gaussians at all sizes (Lindeberg 1998)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from gonio.runtime.markers.windows import cut_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

# Standard deviations of the Gaussians whose difference answers most to a disc of a radius, cells.
_WIDTHS: Final = (1.05, 1.6, 2.4)
_RADII: Final = (1.9, 2.75)
_PEAKS: Final = 2
_CANDIDATES: Final = 7
_SUM: Final = np.ones((1, 3), np.float32)
_AROUND: Final = np.ones((3, 3), np.uint8)
_MARGIN: Final = 8
# Luma and two differences of color, in which a blue dot on skin of the same luma stands out.
_CHANNELS: Final = np.array(
    [[0.299, 0.587, 0.114], [0.7, -0.7, 0.0], [-0.3, -0.3, 0.6]], np.float32
)


def find_blobs(
    image: NDArray[np.uint8], points_px: Floats, search_px: float, radius_px: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Find places near each point where there may be a blob.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)``, RGB.
    points_px
        Shape ``(N, 2)``, finite.
    search_px
        How far from the point.
    radius_px
        Least and greatest radius.

    Returns
    -------
    centers : ndarray
        Shape ``(N, C, 2)``, pixels, good to a fifth of the radius; the same place may come at
        several sizes.
    radii : ndarray
        Shape ``(N, C)``, good to a factor of 1.5; NaN where there are fewer candidates.
    """
    least, most = radius_px
    centers, radii, strengths = [], [], []
    factor = 1
    while factor == 1 or _RADII[0] * factor <= 0.85 * most:
        half = int(np.ceil(search_px / factor)) + _MARGIN
        windows, origins, _ = cut_windows(image, points_px, half, factor)
        tall = _mixed(windows.reshape(-1, *windows.shape[2:]), _CHANNELS)
        blurred = [_blurred(tall, width) for width in _WIDTHS]
        for (fine, coarse), nominal in zip(pairwise(blurred), _RADII, strict=True):
            radius = nominal * factor
            if not least / 1.5 <= radius <= most * 1.5:
                continue
            answer = coarse - fine
            strength = _mixed(answer * answer, _SUM)
            peaks: NDArray[np.float32] = strength * (strength >= cv2.dilate(strength, _AROUND))
            places, values = _highest(peaks.reshape(windows.shape[:3]), points_px, origins, factor,
                                      search_px)  # fmt: skip
            centers.append(places)
            strengths.append(values)
            radii.append(np.where(values > 0, radius, np.nan))
        factor *= 2
    every = [np.concatenate(part, axis=1) for part in (strengths, centers, radii)]
    order = np.argsort(-every[0], axis=1)[:, :_CANDIDATES]
    rows = np.arange(len(order))[:, None]
    return every[1][rows, order], every[2][rows, order]


def _mixed(image: NDArray[np.float32], channels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.transform(image, channels), np.float32)


def _blurred(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    size = 2 * int(np.ceil(3 * sigma)) + 1
    return np.asarray(cv2.GaussianBlur(image, (size, size), sigma), np.float32)


def _highest(
    peaks: NDArray[np.float32], points: Floats, origins: Floats, factor: int, search_px: float
) -> tuple[Floats, NDArray[np.float32]]:
    count, cells = peaks.shape[:2]
    place = np.arange(cells) * factor
    dx, dy = (origins[:, i, None] + place - points[:, i, None] for i in (0, 1))
    near = dx[:, None, :] ** 2 + dy[:, :, None] ** 2 <= (search_px + factor) ** 2
    flat = (peaks * near).reshape(count, -1)
    rows = np.arange(count)
    found, values = [], []
    for _ in range(_PEAKS):
        at = flat.argmax(axis=1)
        found.append(at)
        values.append(flat[rows, at].copy())
        flat[rows, at] = 0
    y, x = np.divmod(np.stack(found, axis=1), cells)
    centers = np.stack([origins[:, :1] + x * factor, origins[:, 1:] + y * factor], axis=-1)
    return centers, np.stack(values, axis=1)
