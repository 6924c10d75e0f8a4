"""How a recording is turned upright: the container's display matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from gonio.video.frames import Image


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways a picture can lie: transposed first, then mirrored.

    Attributes
    ----------
    transpose
        Rows and columns are exchanged.
    flip_x, flip_y
        The result is mirrored left–right, top–bottom.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_display_matrix(cls, data: bytes) -> Orientation:
        """Read the orientation nearest to a display matrix.

        Parameters
        ----------
        data
            Nine native 32-bit integers a, b, u, c, d, v, x, y, w as FFmpeg's
            ``libavutil/display.h`` defines them: a stored pixel (x, y) is shown at
            (ax + cy, bx + dy), up to translation. Angles between quarter turns are rounded.

        Returns
        -------
        Orientation
        """
        a, b, _, c, d = np.frombuffer(data, dtype=np.int32)[:5].tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)
        return cls(flip_x=a < 0, flip_y=d < 0)

    def apply(self, image: Image) -> Image:
        """Return the upright picture (the same array where nothing is to be done)."""
        turned = cv2.transpose(image) if self.transpose else image
        if self.flip_x or self.flip_y:
            code = -1 if self.flip_x and self.flip_y else int(self.flip_x)
            turned = cv2.flip(turned, code)
        return np.asarray(turned, dtype=np.uint8)
