"""Drawing: shaded limbs with a rounded profile, and sprites that are turned into place.

Colours are RGB 0–255; pixels follow Gonio's convention (centre of the top-left pixel at (0, 0)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Floats = NDArray[np.float32]

_STATIONS = 64
_ACROSS = 24
_FINE = 4
Profile = list[tuple[float, float]]


class Light(NamedTuple):
    """Where the light comes from (x right, y down, z towards the viewer) and how strong it is."""

    x: float
    y: float
    z: float
    ambient: float = 0.55
    diffuse: float = 0.55


class Limb(NamedTuple):
    """A body part around an axis, in its own lengths.

    Attributes
    ----------
    radius
        Half widths in metres behind (row 0) and in front (row 1) of the axis, ``(2, stations)``.
    color
        ``(stations, 3)``.
    folds
        Relative brightness of the cloth, ``(stations, across)``.
    """

    radius: Floats
    color: Floats
    folds: Floats


def limb(
    back: Profile,
    front: Profile,
    colors: Sequence[tuple[float, tuple[float, float, float]]],
    folds: float,
    rng: np.random.Generator,
) -> Limb:
    """Build a limb from profiles.

    Parameters
    ----------
    back, front
        ``(place along the axis 0–1, half width in metres)``, interpolated smoothly.
    colors
        ``(from this place on, colour)``, ascending.
    folds
        Strength of random folds in the cloth, about 0–0.1.
    rng
        Source of the folds.
    """
    along = np.linspace(0, 1, _STATIONS)
    radius = np.stack([np.interp(along, *np.transpose(p)) for p in (back, front)])
    radius = cv2.GaussianBlur(radius, (9, 1), 2.0, borderType=cv2.BORDER_REPLICATE)
    color = np.empty((_STATIONS, 3))
    for start, rgb in colors:
        color[along >= start] = rgb
    noise = cv2.GaussianBlur(rng.standard_normal((_STATIONS, _ACROSS)), (0, 0), 3.0, sigmaY=2.0)
    cloth = 1 + folds * noise / noise.std()
    return Limb(radius.astype(np.float32), color.astype(np.float32), cloth.astype(np.float32))


def draw_limb(
    canvas: Image,
    part: Limb,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    *,
    px_per_m: float,
    light: Light,
    dim: float = 1.0,
) -> None:
    """Draw a limb from ``start`` to ``end`` (pixels), antialiased and shaded, in place.

    The side called front lies to the left of the way from end to start: forward, for a limb that
    hangs down from a person who faces right. A fourth channel of the canvas, where there is one,
    gathers what is covered: 255 = wholly.
    """
    radius = part.radius * np.float32(px_per_m)
    reach = float(radius.max()) + 1.0
    box = _clip_box(np.minimum(start, end) - reach, np.maximum(start, end) + reach, canvas)
    if box is None:
        return
    x0, y0, x1, y1 = box
    axis = end - start
    length = max(float(np.hypot(*axis)), 1e-3)
    dx, dy = (axis / length).astype(np.float32)
    px = np.arange(x0, x1, dtype=np.float32) - np.float32(start[0])
    py = (np.arange(y0, y1, dtype=np.float32) - np.float32(start[1]))[:, None]
    t = px * dx + py * dy
    v = px * dy - py * dx
    inside = np.clip(t, 0, length)
    station = (inside * np.float32((_STATIONS - 1) / length)).astype(np.int32)
    r = radius.ravel()[station + _STATIONS * (v > 0)]
    beyond = t - inside
    away = np.sqrt(v * v + beyond * beyond)
    alpha = r - away + np.float32(0.5)
    rows, cols = np.nonzero(alpha > 0)
    if not len(rows):
        return
    alpha, r, v = np.minimum(alpha[rows, cols], 1), r[rows, cols], v[rows, cols]
    beyond, station = beyond[rows, cols], station[rows, cols]
    u = np.clip(v / r, -1, 1)
    # The caps are shaded almost like the tube's end, so that a joint shows no seam.
    cap = np.float32(0.35) * beyond / r
    normal_light = (
        u * (dy * light.x - dx * light.y)
        + cap * (dx * light.x + dy * light.y)
        + np.sqrt(1 - u * u) * light.z
    )
    shade = light.ambient + light.diffuse * np.maximum(normal_light, 0)
    across = ((u + 1) * np.float32((_ACROSS - 1) / 2)).astype(np.int32)
    shade *= part.folds[station, across] * np.float32(dim)
    color = part.color[station] * shade[:, None]
    _blend(canvas[y0:y1, x0:x1], rows, cols, color, alpha)


def _blend(
    view: Image, rows: NDArray[np.intp], cols: NDArray[np.intp], color: Floats, alpha: Floats
) -> None:
    below = view[rows, cols].astype(np.float32)
    if below.shape[1] > color.shape[1]:
        color = np.column_stack([color, np.full(len(color), 255, np.float32)])
    below += (color - below) * alpha[:, None]
    view[rows, cols] = np.clip(below, 0, 255).astype(np.uint8)


def _clip_box(
    low: NDArray[np.float64], high: NDArray[np.float64], canvas: Image
) -> tuple[int, int, int, int] | None:
    h, w = canvas.shape[:2]
    x0, y0 = max(int(np.floor(low[0])), 0), max(int(np.floor(low[1])), 0)
    x1, y1 = min(int(np.ceil(high[0])) + 1, w), min(int(np.ceil(high[1])) + 1, h)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


class Sprite(NamedTuple):
    """A small picture of a rigid part.

    Attributes
    ----------
    image
        ``(h, w, 4)`` float32: RGB times alpha, and alpha 0–1.
    origin_px
        Where the part's origin lies in the image.
    px_per_m
        The image's scale.
    """

    image: Floats
    origin_px: tuple[float, float]
    px_per_m: float


class SpriteSheet:
    """Paints one sprite in metres (x forward, y up), then inflates and shades it.

    Parameters
    ----------
    low, high
        Corners of the sprite, metres.
    px_per_m
        Scale of the finished sprite.
    """

    def __init__(
        self, low: tuple[float, float], high: tuple[float, float], px_per_m: float
    ) -> None:
        self._low, self._high, self._scale = low, high, px_per_m * _FINE
        size = [int(np.ceil((b - a) * px_per_m)) * _FINE for a, b in zip(low, high, strict=True)]
        self._rgb = np.zeros((size[1], size[0], 3), np.float32)
        self._mask = np.zeros((size[1], size[0]), np.uint8)
        self._px_per_m = px_per_m

    def _pixels(self, points: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
        xy = np.asarray(points, np.float64)
        px = np.stack([xy[:, 0] - self._low[0], self._high[1] - xy[:, 1]], axis=-1)
        return np.round(px * self._scale).astype(np.int32)

    def polygon(
        self, points: Sequence[tuple[float, float]], rgb: tuple[float, float, float]
    ) -> None:
        """Fill a polygon that belongs to the part's outline."""
        smooth = self._pixels(_rounded(points))
        cv2.fillPoly(self._rgb, [smooth], rgb)
        cv2.fillPoly(self._mask, [smooth], 255)

    def paint(self, points: Sequence[tuple[float, float]], rgb: tuple[float, float, float]) -> None:
        """Fill a polygon, inside the outline only."""
        over = np.zeros_like(self._mask)
        cv2.fillPoly(over, [self._pixels(_rounded(points))], 255)
        inside = (over > 0) & (self._mask > 0)
        self._rgb[inside] = rgb

    def line(
        self,
        points: Sequence[tuple[float, float]],
        rgb: tuple[float, float, float],
        width_m: float,
    ) -> None:
        """Draw a line; it does not change the outline."""
        over = np.zeros_like(self._mask)
        width = max(round(width_m * self._scale), 1)
        cv2.polylines(over, [self._pixels(points)], False, 255, width)
        self._rgb[(over > 0) & (self._mask > 0)] = rgb

    def finish(self, light: Light, *, roundness_m: float) -> Sprite:
        """Shade the painted part as if inflated, and shrink it to its scale."""
        depth = cv2.distanceTransform(self._mask, cv2.DIST_L2, 5) / (roundness_m * self._scale)
        depth = np.minimum(depth, 1)
        height = np.sqrt(1 - (1 - depth) ** 2) * roundness_m * self._scale
        height = cv2.GaussianBlur(height, (0, 0), 0.12 * roundness_m * self._scale)
        nx, ny = -cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, -cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
        along = (nx * light.x + ny * light.y + light.z) / np.sqrt(nx * nx + ny * ny + 1)
        shade = light.ambient + light.diffuse * np.maximum(along, 0)
        alpha = (self._mask / 255.0).astype(np.float32)
        rgba = np.dstack([self._rgb * shade[..., None] * alpha[..., None], alpha])
        h, w = self._mask.shape
        small = cv2.resize(rgba, (w // _FINE, h // _FINE), interpolation=cv2.INTER_AREA)
        k = self._px_per_m
        origin = (-self._low[0] * k - 0.5, self._high[1] * k - 0.5)
        return Sprite(np.asarray(small, np.float32), origin, k)


def _rounded(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Cut the corners of a closed polygon twice (Chaikin)."""
    xy = np.asarray(points, np.float64)
    for _ in range(2):
        after = np.roll(xy, -1, axis=0)
        xy = np.stack([0.75 * xy + 0.25 * after, 0.25 * xy + 0.75 * after], axis=1).reshape(-1, 2)
    return [(float(x), float(y)) for x, y in xy]


def draw_sprite(
    canvas: Image,
    sprite: Sprite,
    place_px: NDArray[np.float64],
    pitch_deg: float,
    *,
    px_per_m: float,
    dim: float = 1.0,
    squeeze: float = 1.0,
) -> None:
    """Draw a sprite with its origin at a pixel, turned counter-clockwise by a pitch, in place.

    ``squeeze`` makes the turned sprite narrower. A fourth channel of the canvas, where there is
    one, gathers what is covered: 255 = wholly.
    """
    k = px_per_m / sprite.px_per_m
    c, s = k * np.cos(np.radians(pitch_deg)), k * np.sin(np.radians(pitch_deg))
    turn = np.array([[c * squeeze, s * squeeze], [-s, c]])
    h, w = sprite.image.shape[:2]
    shift = place_px - turn @ np.array(sprite.origin_px)
    corners = np.array([(0, 0), (w, 0), (0, h), (w, h)]) @ turn.T + shift
    box = _clip_box(corners.min(axis=0), corners.max(axis=0), canvas)
    if box is None:
        return
    x0, y0, x1, y1 = box
    matrix = np.column_stack([turn, shift - (x0, y0)])
    layer = cv2.warpAffine(sprite.image, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    view = canvas[y0:y1, x0:x1]
    color = layer[..., :3] * dim
    if view.shape[2] > color.shape[2]:
        color = np.dstack([color, 255 * layer[..., 3]])
    mixed = view * (1 - layer[..., 3:]) + color
    view[:] = np.clip(mixed, 0, 255).astype(np.uint8)
