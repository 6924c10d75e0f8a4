"""Draws one person, facing right, into a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from gonio.synthetic.body import SIDES
from gonio.synthetic.shapes import draw_limb, draw_sprite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gonio.synthetic.body import Posture
    from gonio.synthetic.lens import Lens
    from gonio.synthetic.look import Look
    from gonio.synthetic.shapes import Image, Light

    Pixel = NDArray[np.float64]
    Points = Mapping[str, Pixel]

_FAR_DIM = 0.55
PARTS: Final = ("far_arm", "far_leg", "head", "trunk", "near_leg", "near_arm")
"""In the order in which they are drawn."""


def draw_person(
    canvas: Image,
    look: Look,
    points: Points,
    posture: Posture,
    *,
    lens: Lens,
    light: Light,
    on_part: Callable[[str], None] | None = None,
) -> None:
    """Draw a person in place: far limbs first and darker, near limbs over the trunk.

    Parameters
    ----------
    canvas
        RGB image.
    look
        Clothes and shapes.
    points
        Pixel positions ``(2,)`` of the person's points in this frame.
    posture
        Attitudes in this frame (sides have shape ``(2,)``).
    lens
        Says which side is near, and the scales.
    light
        The light.
    on_part
        Called with each of :data:`PARTS` once it is drawn.
    """
    pen = _Pen(canvas, look, points, posture, lens, light)
    pen.shadows()
    for part in PARTS:
        pen.part(part)
        if on_part is not None:
            on_part(part)


class _Pen(NamedTuple):
    canvas: Image
    look: Look
    points: Points
    posture: Posture
    lens: Lens
    light: Light

    def part(self, name: str) -> None:
        side = 1 - self.lens.near if name.startswith("far") else self.lens.near
        dim = _FAR_DIM if name.startswith("far") else 1.0
        if name == "head":
            self.head_and_neck()
        elif name == "trunk":
            self.trunk()
        elif name.endswith("leg"):
            self.leg(side, dim)
        else:
            self.arm(side, dim)

    def shadows(self) -> None:
        k = self.lens.px_per_m
        floor = self.lens.pixels(np.zeros(2))[1]
        _shadow(self.canvas, self.points["mid_hip"][0], floor, 0.5 * k, 0.35)
        for i, side in enumerate(SIDES):
            foot = (self.points[f"{side}_heel"] + self.points[f"{side}_foot_index"]) / 2
            row = self.lens.pixels(np.zeros(2), i)[1]
            closeness = 1 - (row - foot[1]) / (0.3 * k)
            _shadow(self.canvas, foot[0], row, 0.2 * k, 0.5 * float(np.clip(closeness, 0, 1)))

    def leg(self, i: int, dim: float) -> None:
        side, foot = SIDES[i], float(self.posture.foot[i])
        self._sprite("toe_cap", f"{side}_ball", foot + float(self.posture.toes[i]), i, dim)
        self._sprite("shoe", f"{side}_ankle", foot, i, dim)
        self._limb("shank", f"{side}_knee", f"{side}_ankle", i, dim)
        self._limb("thigh", f"{side}_hip", f"{side}_knee", i, dim)

    def arm(self, i: int, dim: float) -> None:
        side, p = SIDES[i], self.posture
        hand = float(p.upper_arm[i] + p.elbow[i] + p.wrist[i])
        self._sprite("hand", f"{side}_wrist", hand, i, dim)
        self._limb("forearm", f"{side}_elbow", f"{side}_wrist", i, dim)
        self._limb("upper_arm", f"{side}_shoulder", f"{side}_elbow", i, dim)

    def trunk(self) -> None:
        hip, neck = self.points["mid_hip"], self.points["neck"]
        broad = self.lens.breadth
        self._axis("pelvis", hip + 0.16 * (neck - hip), hip - 0.02 * (neck - hip), broad=broad)
        self._axis("trunk", hip + 0.97 * (neck - hip), hip + 0.12 * (neck - hip), broad=broad)

    def head_and_neck(self) -> None:
        neck = self.points["neck"]
        ear = (self.points["left_ear"] + self.points["right_ear"]) / 2
        self._axis("neck", neck + 0.9 * (ear - neck), neck, dim=0.85)
        self._sprite("head", "neck", -float(self.posture.head))

    def _limb(self, name: str, start: str, end: str, side: int, dim: float) -> None:
        self._axis(name, self.points[start], self.points[end], side, dim=dim)

    def _axis(
        self,
        name: str,
        start: Pixel,
        end: Pixel,
        side: int | None = None,
        *,
        dim: float = 1.0,
        broad: float = 1.0,
    ) -> None:
        draw_limb(
            self.canvas,
            getattr(self.look, name),
            start,
            end,
            px_per_m=self.lens.px_per_m * self.lens.scale(side) * broad,
            light=self.light,
            dim=dim,
        )

    def _sprite(
        self, name: str, at: str, pitch_deg: float, side: int | None = None, dim: float = 1.0
    ) -> None:
        draw_sprite(
            self.canvas,
            getattr(self.look, name),
            self.points[at],
            pitch_deg,
            px_per_m=self.lens.px_per_m * self.lens.scale(side),
            dim=dim,
            squeeze=self.lens.squeeze,
        )


def _shadow(canvas: Image, x_px: float, y_px: float, radius_px: float, strength: float) -> None:
    """Darken the floor softly, in place."""
    rx, ry = max(int(radius_px), 1), max(int(radius_px * 0.14), 3)
    h, w = canvas.shape[:2]
    cx, cy = int(x_px), int(y_px)
    x0, x1, y0, y1 = max(cx - rx, 0), min(cx + rx, w), max(cy - ry, 0), min(cy + ry, h)
    if x0 >= x1 or y0 >= y1:
        return
    dx = (np.arange(x0, x1, dtype=np.float32) - cx) / rx
    dy = (np.arange(y0, y1, dtype=np.float32) - cy) / ry
    weight = np.clip(1 - dx[None] ** 2 - dy[:, None] ** 2, 0, 1)
    view = canvas[y0:y1, x0:x1]
    view[:] = (view * (1 - strength * weight[..., None])).astype(np.uint8)


def draw_stool(canvas: Image, seat_px: NDArray[np.float64], floor_px: float) -> None:
    """Draw a stool: its seat from the front to the rear corner, and legs down to the floor."""
    (front, top), (rear, _) = np.round(seat_px).astype(int).tolist()
    thick, leg = max(round(abs(front - rear) * 0.12), 4), max(round(abs(front - rear) * 0.05), 2)
    for x in (rear + 3 * leg, front - 3 * leg):
        low = round(floor_px)
        cv2.rectangle(canvas, (x - leg, top), (x + leg, low), (106, 81, 53), -1, cv2.LINE_AA)
    cv2.rectangle(canvas, (rear, top), (front, top + thick), (151, 115, 76), -1, cv2.LINE_AA)
