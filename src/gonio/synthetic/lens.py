"""The camera's projection: the sagittal plane of each side has a scale of its own.

A camera one metre above the floor looks straight at the person. The near side's plane is larger
and its foot stands lower in the picture, as in a photograph. Every plane is parallel to the
picture, so that angles within a side, and against the trunk, are kept exactly. A person turned
about the vertical axis is drawn in the same planes, made narrower and moved apart (weak
perspective): such pictures teach keypoints, and no angle is read from them.
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
_HALF_SHOULDERS_M = 0.18
_HALF_HIPS_M = 0.10
_ARM = ("shoulder", "elbow", "wrist", "index", "pinky", "thumb")
_LEG = ("hip", "knee", "ankle", "heel", "foot_index", "small_toe", "ball")
_DEPTH_SHARE = 1.6


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
    turn_deg
        How far the person is turned out of the picture's plane: towards the camera positive, away
        from it negative; 0 = seen exactly from the side.
    """

    px_per_m: float
    center_px: float
    floor_px: float
    near: int
    turn_deg: float = 0.0

    @property
    def squeeze(self) -> float:
        """How much narrower than seen from the side everything flat is."""
        return float(np.cos(np.radians(self.turn_deg)))

    @property
    def breadth(self) -> float:
        """How much broader the trunk is than seen from the side: an ellipse, 1.6 × as broad."""
        turn = np.radians(self.turn_deg)
        return float(np.hypot(np.cos(turn), _DEPTH_SHARE * np.sin(turn)))

    def scale(self, side: int | None) -> float:
        """Return a side's magnification against the middle plane; 1 for the middle."""
        if side is None:
            return 1.0
        away = _HALF_WIDTH_M * self.squeeze
        return _DISTANCE_M / (_DISTANCE_M + (-1 if side == self.near else 1) * away)

    def aside(self, name: str) -> float:
        """Return how far in the picture a point stands forward of the middle plane, metres."""
        side = _side(name)
        part = name.partition("_")[2]
        half = _HALF_SHOULDERS_M * (part in _ARM) + _HALF_HIPS_M * (part in _LEG)
        sign = 0 if side is None else (-1 if side == self.near else 1)
        return float(sign * half * np.sin(np.radians(self.turn_deg)))

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
        x = self.center_px + k * self.squeeze * xy_m[..., 0]
        y = self.floor_px - self.px_per_m * _EYE_M - k * (xy_m[..., 1] - _EYE_M)
        return np.stack([x, y], axis=-1)

    def project(self, points_m: dict[str, Array], camera_m: Array) -> dict[str, Array]:
        """Project a person's points, each ``(time, 2)``, seen from ``camera_m (time,)``.

        ``neck`` and ``mid_hip`` become the middle of the two shoulders' and hips' pixels.
        """
        away = np.stack([camera_m, np.zeros_like(camera_m)], axis=-1)
        pixels = {}
        for name, xy in points_m.items():
            pixels[name] = self.pixels(xy - away, _side(name))
            pixels[name][..., 0] += self.px_per_m * self.aside(name)
        for name, part in (("neck", "shoulder"), ("mid_hip", "hip")):
            pixels[name] = (pixels[f"left_{part}"] + pixels[f"right_{part}"]) / 2
        return pixels


def _side(name: str) -> int | None:
    return next((i for i, side in enumerate(SIDES) if name.startswith(side)), None)
