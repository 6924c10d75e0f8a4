"""Readable text on any picture, placed where it covers little."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.video.frames import Image

Color = tuple[int, int, int]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

DARK: Final[Color] = (20, 20, 20)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_CAP_PX: Final = 22  # height of a capital of the font at scale 1


@dataclass(frozen=True)
class Lettering:
    """One size of text: capitals ``cap_px`` high, outlined.

    A trailing degree sign is drawn as a ring, for the font has none.
    """

    cap_px: float

    @property
    def _scale(self) -> float:
        return self.cap_px / _CAP_PX

    @property
    def _stroke(self) -> int:
        return max(1, round(self.cap_px / 9))

    def size(self, text: str) -> tuple[float, float]:
        """Return (width, height) in pixels that the text takes with its outline."""
        (width, _), _ = cv2.getTextSize(text.rstrip("°"), _FONT, self._scale, self._stroke)
        ring = 0.6 * self.cap_px if text.endswith("°") else 0.0
        return width + ring + 2 * self._stroke, 1.35 * self.cap_px + 2 * self._stroke

    def draw(self, image: Image, text: str, left: float, top: float, color: Color) -> None:
        """Draw the text into the image, its box's corner at (left, top)."""
        x, y = round(left) + self._stroke, round(top + 1.05 * self.cap_px) + self._stroke
        words = text.rstrip("°")
        (width, _), _ = cv2.getTextSize(words, _FONT, self._scale, self._stroke)
        ring = (x + width + round(0.22 * self.cap_px), y - round(0.82 * self.cap_px))
        radius = max(1, round(0.17 * self.cap_px))
        outline = self._stroke + 2 * max(1, round(self.cap_px / 8))
        for ink, stroke in ((DARK, outline), (color, self._stroke)):
            cv2.putText(image, words, (x, y), _FONT, self._scale, ink, stroke, cv2.LINE_AA)
            if text.endswith("°"):
                cv2.circle(image, ring, radius, ink, stroke, cv2.LINE_AA)


@dataclass
class Layout:
    """Where text already stands, and what it should not cover.

    Parameters
    ----------
    width, height
        Of the image, pixels.
    avoid
        Points, shape ``(n, 2)``, that text covers only when there is no better place.
    """

    width: int
    height: int
    avoid: NDArray[np.float64]
    taken: list[Box] = field(default_factory=list)

    def place(
        self, size: tuple[float, float], anchor: NDArray[np.float64], direction_rad: float,
        distance_px: float,
    ) -> tuple[float, float]:  # fmt: skip
        """Find a box of a size near an anchor, and take it.

        Parameters
        ----------
        size
            (width, height) of the text, pixels.
        anchor
            Point (x, y) the text belongs to.
        direction_rad
            Preferred direction from the anchor, clockwise on screen from +x.
        distance_px
            Preferred distance of the box's nearest edge.

        Returns
        -------
        tuple of float
            Left and top of the box.
        """
        best, least = (float(anchor[0]), float(anchor[1])), math.inf
        for ring in range(4):
            reach = distance_px * (1 + 0.6 * ring)
            for turn in (0, 1, -1, 2, -2, 3, -3, 4):
                box = _beside(anchor, size, direction_rad + turn * math.pi / 4, reach)
                cost = self._cost(box) + 0.25 * ring + 0.05 * abs(turn)
                if cost < least:
                    best, least = (box[0], box[1]), cost
        self.taken.append((*best, best[0] + size[0], best[1] + size[1]))
        return best

    def _cost(self, box: Box) -> float:
        left, top, right, bottom = box
        area = (right - left) * (bottom - top)
        inside = _overlap(box, (0.0, 0.0, float(self.width), float(self.height)))
        covered = sum(_overlap(box, other) for other in self.taken)
        x, y = self.avoid[:, 0], self.avoid[:, 1]
        hidden = np.count_nonzero((x > left) & (x < right) & (y > top) & (y < bottom))
        return 20 * (1 - inside / area) + 20 * covered / area + 0.15 * float(hidden)


def _beside(
    anchor: NDArray[np.float64], size: tuple[float, float], direction: float, reach: float
) -> Box:
    """Return the box whose nearest edge lies ``reach`` from the anchor in a direction."""
    across, down = math.cos(direction), math.sin(direction)
    width, height = size
    x = float(anchor[0]) + across * (reach + width / 2)
    y = float(anchor[1]) + down * (reach + height / 2)
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _overlap(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)
