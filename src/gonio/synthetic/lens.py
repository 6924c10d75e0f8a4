"""The camera's projection: the sagittal plane of each side has a scale of its own.

A camera one metre above the floor looks straight at the person. The near side's plane is larger
and its foot stands lower in the picture, as in a photograph. Every plane is parallel to the
picture, so that angles within a side, and against the trunk, are kept exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gonio.synthetic.body import SIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_EYE_M = 1.0
_DISTANCE_M = 4.0
_HALF_WIDTH_M = 0.12


class Lens(NamedTuple):
    """A camera in front of the person's middle plane.

    Attributes
    ----------
    px_per_m
        Scale of the middle plane.
    center_px, floor_px
        Column that the camera looks at, and row of the floor in the middle plane.
    near
        Index of the side near the camera (0 left, 1 right).
    """

    px_per_m: float
    center_px: float
    floor_px: float
    near: int

    def scale(self, side: int | None) -> float:
        """Return a side's magnification against the middle plane; 1 for the middle."""
        if side is None:
            return 1.0
        return _DISTANCE_M / (_DISTANCE_M + (-1 if side == self.near else 1) * _HALF_WIDTH_M)

    def pixels(self, xy_m: Array, side: int | None = None) -> Array:
        """Project points of one plane.

        Parameters
        ----------
        xy_m
            ``(..., 2)``, metres: x forward of the camera's axis, y above the floor.
        side
            The plane; None for the middle one.
        """
        k = self.px_per_m * self.scale(side)
        x = self.center_px + k * xy_m[..., 0]
        y = self.floor_px - self.px_per_m * _EYE_M - k * (xy_m[..., 1] - _EYE_M)
        return np.stack([x, y], axis=-1)

    def project(self, points_m: dict[str, Array], camera_m: Array) -> dict[str, Array]:
        """Project a person's points, each ``(time, 2)``, seen from ``camera_m (time,)``.

        ``neck`` and ``mid_hip`` become the middle of the two shoulders' and hips' pixels.
        """
        away = np.stack([camera_m, np.zeros_like(camera_m)], axis=-1)
        pixels = {}
        for name, xy in points_m.items():
            side = next((i for i, s in enumerate(SIDES) if name.startswith(s)), None)
            pixels[name] = self.pixels(xy - away, side)
        for name, part in (("neck", "shoulder"), ("mid_hip", "hip")):
            pixels[name] = (pixels[f"left_{part}"] + pixels[f"right_{part}"]) / 2
        return pixels
