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
# Penalty, step outward and eighth of a turn of the places tried for a text, best first.
_PLACES: Final = sorted(
    (0.2 * ring + 0.12 * abs(turn), ring, turn)
    for ring in range(4)
    for turn in (0, 1, -1, 2, -2, 3, -3, 4)
)


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
        return max(1, round(self.cap_px / 7))

    def size(self, text: str) -> tuple[float, float]:
        """Return (width, height) in pixels that the text takes with its outline."""
        (width, _), _ = cv2.getTextSize(text.rstrip("°"), _FONT, self._scale, self._stroke)
        ring = 0.6 * self.cap_px if text.endswith("°") else 0.0
        return width + ring + 2 * self._stroke, 1.35 * self.cap_px + 2 * self._stroke

    def draw(self, image: Image, text: str, left: float, top: float, color: Color) -> None:
        """Draw the text into the image, its box's corner at (left, top)."""
        width, height = (math.ceil(side) for side in self.size(text))
        x0, y0 = round(left), round(top)
        seen_x = slice(max(0, x0), min(image.shape[1], x0 + width))
        seen_y = slice(max(0, y0), min(image.shape[0], y0 + height))
        window = image[seen_y, seen_x]
        if window.size == 0:
            return
        ink = self._ink(text, width, height)
        # OpenCV 5 draws outline fonts whose stroke does not grow with the thickness, so the
        # dark rim is grown from the letters' mask.
        reach = 2 * self._stroke + 1
        rim = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
        cut = (
            slice(seen_y.start - y0, seen_y.stop - y0),
            slice(seen_x.start - x0, seen_x.stop - x0),
        )
        for mask, tint in ((rim[cut], DARK), (ink[cut], color)):
            share = mask[..., None].astype(np.float32) / 255
            window[:] = np.rint(window * (1 - share) + np.array(tint, np.float32) * share)

    def _ink(self, text: str, width: int, height: int) -> NDArray[np.uint8]:
        """Return the letters as a mask 0–255 of the box's shape."""
        mask = np.zeros((height, width), np.uint8)
        x, y = self._stroke, round(1.05 * self.cap_px) + self._stroke
        words = text.rstrip("°")
        cv2.putText(mask, words, (x, y), _FONT, self._scale, 255, self._stroke, cv2.LINE_AA)
        if text.endswith("°"):
            (length, _), _ = cv2.getTextSize(words, _FONT, self._scale, self._stroke)
            ring = (x + length + round(0.22 * self.cap_px), y - round(0.82 * self.cap_px))
            radius = max(1, round(0.17 * self.cap_px))
            cv2.circle(mask, ring, radius, 255, max(1, round(0.6 * self._stroke)), cv2.LINE_AA)
        return mask


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
        for penalty, ring, turn in _PLACES:
            if penalty >= least:
                break
            reach = distance_px * (1 + 0.6 * ring)
            box = _beside(anchor, size, direction_rad + turn * math.pi / 4, reach)
            cost = self._cost(box) + penalty
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
        return (
            20 * (1 - inside / area)
            + 2 * (covered > 0)
            + 20 * covered / area
            + 0.15 * float(hidden)
        )


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
