"""Where to look for a person: a square turned so that the body stands upright in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.codec import Region

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SMALLEST_PX: Final = 1.0
_FRAMES_PER_S: Final = 1 / 0.033333


def region_around(center_and_top: ArrayLike, padding: float) -> Region | None:
    """Return the square around the circle about a center through a top point, enlarged.

    Parameters
    ----------
    center_and_top
        Shape ``(2, 2)``, pixels. The region is turned so that the top lies straight above.
    padding
        The square's side relative to the circle's diameter.

    Returns
    -------
    Region or None
        None where the points are not finite or less than half a pixel apart.
    """
    center, top = np.asarray(center_and_top, dtype=np.float64)
    (x, y), (dx, dy) = center, top - center
    size = 2 * math.hypot(dx, dy)
    if not size >= _SMALLEST_PX or not math.isfinite(x + y + size):
        return None
    side = padding * size
    return Region((float(x), float(y)), (side, side), math.atan2(dx, -dy))


def region_overlap(a: Region, b: Region) -> float:
    """Return the intersection over union of two square regions, their rotation left aside."""
    corners = [
        np.array([[x - w / 2, y - h / 2], [x + w / 2, y + h / 2]])
        for (x, y), (w, h) in ((r.center_px, r.size_px) for r in (a, b))
    ]
    sides = np.minimum(corners[0][1], corners[1][1]) - np.maximum(corners[0][0], corners[1][0])
    shared = float(sides.clip(min=0).prod())
    return shared / (math.prod(a.size_px) + math.prod(b.size_px) - shared)


class RegionFilter:
    """Steadies the two points that the next frame's region is made from (one-euro filter).

    The landmarks that are given out are not touched. The points are filtered at a fixed 30
    frames a second, whatever the video's rate: MediaPipe's Python interface does the same, and
    at higher rates the region then follows a little later, at lower ones a little earlier.

    References
    ----------
    Casiez, Roussel & Vogel (2012), "1€ filter", CHI 2012. Parameters: the graph in
    ``mediapipe`` 0.10.21, where this filter stays on with ``smooth_landmarks=False``.
    """

    min_cutoff_hz = 0.01
    beta = 10.0
    speed_cutoff_hz = 1.0

    def __init__(self) -> None:
        self._given: NDArray[np.float64] | None = None
        self._smooth = np.zeros((2, 2))
        self._speed = np.zeros((2, 2))

    def update(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the points of the next frame and return where they are taken to be.

        Parameters
        ----------
        points
            Shape ``(2, 2)``: centre and top, pixels.

        Returns
        -------
        ndarray
            Shape ``(2, 2)``, pixels.
        """
        size = max(2 * float(np.hypot(*(points[1] - points[0]))), 1e-6)
        if self._given is None:
            self._smooth = points.copy()
        else:
            speed = (points - self._given) / size * _FRAMES_PER_S
            self._speed += _share(np.array(self.speed_cutoff_hz)) * (speed - self._speed)
            cutoff = self.min_cutoff_hz + self.beta * np.abs(self._speed)
            self._smooth += _share(cutoff) * (points - self._smooth)
        self._given = points.copy()
        return self._smooth.copy()


def _share(cutoff_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of the newest value in an exponential filter with the cutoff."""
    turn = 2 * np.pi * cutoff_hz / _FRAMES_PER_S
    share: NDArray[np.float64] = turn / (1 + turn)
    return share
