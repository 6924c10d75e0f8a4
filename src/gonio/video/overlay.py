"""People drawn over a frame: skeletons, joint angles as arcs, names, and the time.

Left is blue, right orange, the middle white: the first two from the palette of Okabe and Ito
("Color universal design", 2008), told apart with every common color vision. What the model is
less sure of is fainter.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from gonio.skeletons import side_of
from gonio.video.lettering import DARK, Color, Layout, Lettering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from gonio.skeletons import Skeleton
    from gonio.video.frames import Image

SIDE_COLORS: Final[dict[str, Color]] = {
    "left": (86, 180, 233),
    "right": (230, 159, 0),
    "middle": (245, 245, 245),
}
_SURE, _UNSURE = 0.65, 0.35
_OTHERS: Final = 0.4
_SUBPIXEL_BITS: Final = 4
_FAR_PX: Final = 30_000


@dataclass
class Arc:
    """A joint angle to draw.

    Attributes
    ----------
    vertex_px, from_px, to_px
        Points (x, y): the joint, and one on each of its two arms. The arc is drawn the short
        way between the arms. NaN in any: not drawn.
    value_deg
        The number to show; NaN: not drawn.
    name
        As measures are named, side last (``knee_left``): gives the color and the words.
    digits
        Decimals of the number.
    wide
        Few degrees, which a small arc would hide: drawn as large as the arms, with a line along
        the first one.
    """

    vertex_px: ArrayLike
    from_px: ArrayLike
    to_px: ArrayLike
    value_deg: float
    name: str
    digits: int = 0
    wide: bool = False


@dataclass
class OverlayPerson:
    """One person to draw.

    Attributes
    ----------
    keypoints_px
        Shape ``(keypoints, 2)`` in the skeleton's order; NaN = not seen, not drawn.
    confidence
        Shape ``(keypoints,)``, 0–1; NaN is drawn as unsure.
    label
        Written above the person; empty for none.
    arcs
        Joint angles.
    main
        The person that is measured: drawn strongly, the others faintly and without arcs.
    """

    keypoints_px: NDArray[np.floating]
    confidence: NDArray[np.floating]
    label: str = ""
    arcs: Sequence[Arc] = ()
    main: bool = True


@dataclass(frozen=True)
class _Limb:
    points: NDArray[np.float64]  # (2, 2), or (1, 2) for a single keypoint
    color: Color
    opacity: float


def draw_overlay(
    image: Image,
    people: Sequence[OverlayPerson],
    *,
    skeleton: Skeleton,
    time_s: float | None = None,
) -> Image:
    """Draw people over a frame.

    Parameters
    ----------
    image
        RGB, shape ``(height, width, 3)``; not changed.
    people
        Whom to draw; main persons are drawn last, over the others.
    skeleton
        Names and edges of the keypoints; edges to derived points are drawn too.
    time_s
        Shown in the corner, seconds; None for none.

    Returns
    -------
    NDArray[np.uint8]
        A new picture of the same shape.
    """
    canvas: Image = np.array(image, dtype=np.uint8, order="C")
    height, width = canvas.shape[:2]
    unit = math.sqrt(height * width) / 1000
    limbs = [(person, _limbs(person, skeleton)) for person in sorted(people, key=_is_main)]
    for person, parts in limbs:
        # Without lines between them, points alone must show where somebody is.
        thick = min(3.2 * unit, _extent(person) / 60) if skeleton.edges else 4.5 * unit
        thickness = max(1, round(thick))
        if person.main:
            _draw_sectors(canvas, person.arcs, unit)
        _draw_limbs(canvas, parts, thickness)
    layout = Layout(width, height, _ink(limbs))
    letters = Lettering(max(9.0, 18 * unit))
    if time_s is not None:
        _draw_time(canvas, time_s, letters, layout)
    for person, _ in reversed(limbs):
        _draw_label(canvas, person, letters, layout)
    for person, _ in limbs:
        for arc in person.arcs if person.main else ():
            _draw_value(canvas, arc, unit, letters, layout)
    return canvas


def _is_main(person: OverlayPerson) -> bool:
    return person.main


def _extent(person: OverlayPerson) -> float:
    """Return the longer side of the box around the person's seen keypoints, pixels."""
    seen = person.keypoints_px[np.isfinite(person.keypoints_px).all(axis=1)]
    return float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0


def _limbs(person: OverlayPerson, skeleton: Skeleton) -> list[_Limb]:
    strength = 1.0 if person.main else _OTHERS
    positions = np.asarray(person.keypoints_px, dtype=np.float64)
    confidence = np.nan_to_num(np.asarray(person.confidence, dtype=np.float64))
    limbs = []
    for names in (*skeleton.edges, *((name,) for name in skeleton.keypoints)):
        rows = [[skeleton.index(n) for n in skeleton.parents(name) or ()] for name in names]
        points = np.array(
            [positions[r].mean(axis=0) if len(r) > 1 else positions[r[0]] for r in rows]
        )
        if not np.isfinite(points).all():
            continue
        sides = {side_of(name) for name in names}
        side = sides.pop() if len(sides) == 1 else "middle"
        opacity = strength * _opacity(min(confidence[i] for r in rows for i in r))
        limbs.append(_Limb(points, SIDE_COLORS[side], opacity))
    return limbs


def _opacity(confidence: float) -> float:
    return 1.0 if confidence >= _SURE else 0.65 if confidence >= _UNSURE else 0.3


def _draw_limbs(canvas: Image, limbs: Sequence[_Limb], thickness: int) -> None:
    """Draw the faint limbs first; within one opacity, outlines lie under all colors."""
    groups: dict[float, list[_Limb]] = defaultdict(list)
    for limb in limbs:
        groups[limb.opacity].append(limb)
    for opacity in sorted(groups):
        group = groups[opacity]
        corners = np.concatenate([limb.points for limb in group])
        window, origin = _window(canvas, corners, margin=3 * thickness + 3)
        if window.size == 0:
            continue
        layer = window.copy()
        for dark in (True, False):
            for limb in group:
                _draw_limb(layer, limb, origin, thickness, dark=dark)
        cv2.addWeighted(layer, opacity, window, 1 - opacity, 0, dst=window)


def _draw_limb(
    layer: Image, limb: _Limb, origin: NDArray[np.float64], thickness: int, *, dark: bool
) -> None:
    color = DARK if dark else limb.color
    grow = max(1, thickness // 2) if dark else 0
    places = [_fixed(p - origin) for p in limb.points]
    if len(places) == 2:
        cv2.line(
            layer, places[0], places[1], color, thickness + 2 * grow, cv2.LINE_AA, _SUBPIXEL_BITS
        )
    else:
        radius = round((1.1 * thickness + grow) * 2**_SUBPIXEL_BITS)
        cv2.circle(layer, places[0], radius, color, -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _window(
    canvas: Image, points: NDArray[np.float64], *, margin: int
) -> tuple[Image, NDArray[np.float64]]:
    """Return the part of the canvas around points (a view), and its corner."""
    height, width = canvas.shape[:2]
    near = np.clip(points, -_FAR_PX, _FAR_PX)
    low = np.floor(near.min(axis=0) - margin).clip(0, (width, height)).astype(int)
    high = np.ceil(near.max(axis=0) + margin + 1).clip(0, (width, height)).astype(int)
    return canvas[low[1] : high[1], low[0] : high[0]], low.astype(np.float64)


def _fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    """Return OpenCV's fixed-point form of a position."""
    x, y = (min(max(v, -_FAR_PX), _FAR_PX) * 2**_SUBPIXEL_BITS for v in point.tolist())
    return round(x), round(y)


@dataclass(frozen=True)
class _Sector:
    vertex: NDArray[np.float64]
    radius: float
    start_rad: float
    sweep_rad: float
    color: Color

    @property
    def middle_rad(self) -> float:
        return self.start_rad + self.sweep_rad / 2

    def rim(self) -> NDArray[np.float64]:
        """Return points along the arc, shape (n, 2)."""
        n = 2 + int(abs(self.sweep_rad) / 0.1)
        at = self.start_rad + np.linspace(0, self.sweep_rad, n)
        return self.vertex + self.radius * np.stack([np.cos(at), np.sin(at)], axis=1)


def _sector(arc: Arc, unit: float) -> _Sector | None:
    vertex = np.asarray(arc.vertex_px, dtype=np.float64)
    arms = np.asarray([arc.from_px, arc.to_px], dtype=np.float64) - vertex
    lengths = np.hypot(arms[:, 0], arms[:, 1])
    if not (np.isfinite(arms).all() and math.isfinite(arc.value_deg) and lengths.min() > 0):
        return None
    start, end = np.arctan2(arms[:, 1], arms[:, 0])
    sweep = (end - start + math.pi) % (2 * math.pi) - math.pi
    radius = min(max(0.4 * float(lengths.min()), 10 * unit), 34 * unit)
    radius = float(lengths.min()) if arc.wide else radius
    side = arc.name.rpartition("_")[2]
    color = SIDE_COLORS.get(side, SIDE_COLORS["middle"])
    return _Sector(vertex, radius, float(start), float(sweep), color)


def _draw_sectors(canvas: Image, arcs: Sequence[Arc], unit: float) -> None:
    thickness = max(1, round(1.6 * unit))
    for arc in arcs:
        sector = _sector(arc, unit)
        if sector is None:
            continue
        rim = sector.rim()
        outline = np.concatenate([sector.vertex[None], rim])
        window, origin = _window(canvas, outline, margin=2 * thickness + 2)
        if window.size == 0:
            continue
        layer = window.copy()
        wedge = np.array([_fixed(p - origin) for p in outline], dtype=np.int32)
        cv2.fillPoly(layer, [wedge], sector.color, cv2.LINE_AA, _SUBPIXEL_BITS)
        cv2.addWeighted(layer, 0.45, window, 0.55, 0, dst=window)
        for color, stroke in ((DARK, 3 * thickness), (sector.color, thickness)):
            line = wedge[:2] if arc.wide else wedge[1:]
            cv2.polylines(window, [line], False, color, stroke, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_value(canvas: Image, arc: Arc, unit: float, letters: Lettering, layout: Layout) -> None:
    sector = _sector(arc, unit)
    if sector is None:
        return
    joint, _, side = arc.name.rpartition("_")
    words = f"{joint} {side[0].upper()}" if side in {"left", "right"} else arc.name
    value = f"{arc.value_deg:.{arc.digits}f}"
    value = value.lstrip("-") if float(value) == 0 else value
    text = f"{words.replace('_', ' ')} {value}°"
    size = letters.size(text)
    left, top = layout.place(size, sector.vertex, sector.middle_rad, sector.radius + 4 * unit)
    middle = np.array([left + size[0] / 2, top + size[1] / 2])
    nearest = np.clip(sector.vertex, [left, top], [left + size[0], top + size[1]])
    if float(np.hypot(*(nearest - sector.vertex))) > 2 * sector.radius:
        for color, stroke in ((DARK, 3), (sector.color, 1)):
            cv2.line(
                canvas, _fixed(sector.vertex), _fixed((nearest + middle) / 2), color,
                max(1, round(stroke * unit)), cv2.LINE_AA, _SUBPIXEL_BITS,
            )  # fmt: skip
    letters.draw(canvas, text, left, top, sector.color)


def _draw_label(canvas: Image, person: OverlayPerson, letters: Lettering, layout: Layout) -> None:
    seen = person.keypoints_px[np.isfinite(person.keypoints_px).all(axis=1)]
    if not person.label or not len(seen):
        return
    size = letters.size(person.label)
    top_of_head = np.array([(seen[:, 0].min() + seen[:, 0].max()) / 2, seen[:, 1].min()])
    left, top = layout.place(size, top_of_head, -math.pi / 2, 1.2 * letters.cap_px)
    color = SIDE_COLORS["middle"] if person.main else (170, 170, 170)
    letters.draw(canvas, person.label, left, top, color)


def _draw_time(canvas: Image, time_s: float, letters: Lettering, layout: Layout) -> None:
    text = f"{time_s:.2f} s"
    width, height = letters.size(text)
    margin = 0.6 * letters.cap_px
    layout.taken.append((margin, margin, margin + width, margin + height))
    letters.draw(canvas, text, margin, margin, SIDE_COLORS["middle"])


def _ink(limbs: Sequence[tuple[OverlayPerson, list[_Limb]]]) -> NDArray[np.float64]:
    """Return points along the limbs of main persons, which text should not cover."""
    along = np.linspace(0, 1, 9)[:, None]
    lines = [
        limb.points[0] + along * (limb.points[1] - limb.points[0])
        for person, parts in limbs
        for limb in parts
        if person.main and len(limb.points) == 2
    ]
    return np.concatenate(lines) if lines else np.empty((0, 2))
