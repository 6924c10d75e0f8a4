"""One picture of drawn people, from (seed, index) alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from gonio.codec import transform, warp
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE
from gonio.synthetic.people.backgrounds import paint_background, paint_occluder
from gonio.synthetic.people.person import Drawn, choose_figure, draw_figure
from gonio.synthetic.shapes import Light

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton
    from gonio.synthetic.shapes import Image

    Floats = NDArray[np.float64]

_SIZES_PX: Final = ((256, 640), (256, 640))
_MARGIN: Final = 0.12
_ROLL_DEG: Final = 8.0
_BEND: Final = 0.035
_HEIGHT: Final = (0.4, 0.95)
_OCCLUDED: Final = 0.3
_COVERED: Final = 128
_SUBPIXEL: Final = 4  # bits behind the point in OpenCV's polygons


class DrawnPeople(NamedTuple):
    """A picture and who is in it.

    Attributes
    ----------
    image
        Shape ``(height, width, 3)``, uint8 RGB.
    keypoints_px
        Shape ``(P, K, 2)``, pixels; NaN outside the picture.
    visibility
        Shape ``(P, K)``, int8: 0 outside the picture, 1 behind a limb, a person or a thing,
        2 visible.
    boxes_px
        Shape ``(P, 4)``: left and top edge, width, height of the outline within the picture,
        whatever stands before it.
    areas_px2
        Shape ``(P,)``: area of that outline.
    """

    image: Image
    keypoints_px: Floats
    visibility: NDArray[np.int8]
    boxes_px: Floats
    areas_px2: Floats


def people_in_picture(seed: int, index: int) -> int:
    """Return how many people a picture shows: one (60 %), two or three."""
    return 1 + int(np.searchsorted((0.6, 0.88), np.random.default_rng((seed, index, 0)).random()))


def draw_people(
    skeleton: Skeleton,
    seed: int,
    index: int,
    *,
    size: tuple[int, int] | None = None,
    people: int | None = None,
) -> DrawnPeople:
    """Draw a picture.

    Parameters
    ----------
    skeleton
        The keypoints wanted; see :func:`gonio.synthetic.people.people_labels`.
    seed, index
        Decide everything.
    size
        Width and height, pixels; None: by chance, each 256–640.
    people
        How many; None: by chance.

    Returns
    -------
    DrawnPeople
        Farther people first. Everybody has a part in the picture.
    """
    rng = np.random.default_rng((seed, index, 1))
    if size is None:
        low, high = np.transpose(_SIZES_PX)
        size = tuple(int(n) for n in rng.integers(low, high + 1))  # type: ignore[assignment]
    assert size is not None  # noqa: S101 - mypy
    count = people_in_picture(seed, index) if people is None else people
    margin = round(_MARGIN * max(size))
    wide = (size[0] + 2 * margin, size[1] + 2 * margin)
    canvas, drawn = _scene(rng, skeleton, size, wide, margin, count)
    hidden = [person.hidden for person in drawn]
    _hide_behind_others(drawn, hidden)
    if rng.random() < _OCCLUDED:
        target = drawn[int(rng.integers(len(drawn)))]
        thing = paint_occluder(canvas, rng, _extent(target.points_px))
        for i, person in enumerate(drawn):
            hidden[i] |= _covered(thing, person.points_px)
    matrix = _camera(rng, size, margin)
    image = _photograph(warp(np.ascontiguousarray(canvas[..., :3]), matrix, size), rng)
    return _labelled(image, drawn, hidden, matrix)


def _scene(
    rng: np.random.Generator,
    skeleton: Skeleton,
    size: tuple[int, int],
    wide: tuple[int, int],
    margin: int,
    count: int,
) -> tuple[Image, list[Drawn]]:
    """Paint the background and the people, the farthest first."""
    side, rise = rng.uniform(-0.9, 0.9), rng.uniform(0.3, 0.9)
    norm = float(np.sqrt(1 + side**2 + rise**2))
    ambient = float(rng.uniform(0.4, 0.7))
    light = Light(side / norm, -rise / norm, 1 / norm, ambient, 1.12 - ambient)
    heights = np.sort(rng.uniform(*_HEIGHT, count)) * size[1]
    if rng.random() < 0.12:
        heights[-1] *= rng.uniform(1.2, 1.6)  # too near to be seen whole
    level = rng.uniform(0.45, 0.62)  # the middle of a person's height, in the picture
    floors = margin + size[1] * level + heights / 2 + rng.uniform(-0.08, 0.12, count) * size[1]
    slots = (rng.permutation(count) + rng.uniform(0.2, 0.8, count)) / count
    canvas = np.zeros((wide[1], wide[0], 4), np.uint8)
    horizon = float(floors.min() - rng.uniform(0.05, 0.5) * heights.min())
    canvas[..., :3] = paint_background(rng, wide, horizon)
    drawn = []
    for height, floor, slot in zip(heights, floors, slots, strict=True):
        figure = choose_figure(
            rng, center_px=margin + slot * size[0], floor_px=float(floor), height_px=float(height),
            width=wide[0],
        )  # fmt: skip
        drawn.append(draw_figure(canvas, figure, skeleton.keypoints, light))
    return canvas, drawn


def _hide_behind_others(drawn: list[Drawn], hidden: list[NDArray[np.bool_]]) -> None:
    for i, person in enumerate(drawn):
        for nearer in drawn[i + 1 :]:
            hidden[i] |= _covered(nearer.coverage, person.points_px)


def _covered(mask: Image, points_px: Floats) -> NDArray[np.bool_]:
    cells = np.round(points_px).astype(int)
    inside = ((cells >= 0) & (cells < mask.shape[::-1])).all(axis=1)
    covered = np.zeros(len(points_px), bool)
    covered[inside] = mask[cells[inside, 1], cells[inside, 0]] >= _COVERED
    return covered


def _extent(points_px: Floats) -> Floats:
    return np.concatenate([points_px.min(axis=0), points_px.max(axis=0)])


def _camera(rng: np.random.Generator, size: tuple[int, int], margin: int) -> Floats:
    """Return the map canvas → picture of a camera that is rolled and tilted a little."""
    middle = np.array([size[0], size[1]]) / 2
    corners = np.array([(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])]) - middle
    a = np.radians(np.clip(rng.normal(0, _ROLL_DEG / 2), -_ROLL_DEG, _ROLL_DEG))
    turned = corners @ np.array([(np.cos(a), np.sin(a)), (-np.sin(a), np.cos(a))])
    turned *= 1 + rng.uniform(-_BEND, _BEND, (4, 1))
    room = (middle + margin) / np.abs(turned).max(axis=0)
    turned *= min(1.0, float(room.min()))
    edge = np.full(2, 0.5)  # pictures begin half a pixel before the first pixel's centre
    source = (turned + middle + margin - edge).astype(np.float32)
    target = (corners + middle - edge).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, target), np.float64)


def _photograph(image: Image, rng: np.random.Generator) -> Image:
    """Return the image as a camera takes it: exposure, white balance, gamma, blur, noise."""
    gain = rng.uniform(0.65, 1.2) * rng.uniform(0.92, 1.08, 3)
    gamma = rng.uniform(0.8, 1.25)
    levels = 255 * np.clip(gain[:, None] * np.arange(256) / 255, 0, 1) ** gamma
    table = np.ascontiguousarray(levels.T.astype(np.uint8))[None]
    toned = cv2.LUT(image, table)
    if rng.random() < 0.6:
        toned = cv2.GaussianBlur(toned, (0, 0), rng.uniform(0.3, 1.2))
    tile = rng.normal(0, rng.uniform(0.5, 7), (96, 96, 3)).astype(np.int16)
    rows, columns = (n // 96 + 1 for n in image.shape[:2])
    noise = np.tile(tile, (rows, columns, 1))[: image.shape[0], : image.shape[1]]
    return np.asarray(np.clip(toned + noise, 0, 255), np.uint8)


def _labelled(
    image: Image, drawn: list[Drawn], hidden: list[NDArray[np.bool_]], matrix: Floats
) -> DrawnPeople:
    wh = np.array([image.shape[1], image.shape[0]])
    points = transform(np.stack([person.points_px for person in drawn]), matrix)
    visibility = np.where(np.stack(hidden), HIDDEN, VISIBLE).astype(np.int8)
    outside = ((points < -0.5) | (points > wh - 0.5)).any(axis=-1)
    visibility[outside] = UNLABELLED
    points[outside] = np.nan
    outlines = [_outline(person.coverage, matrix, image.shape[:2]) for person in drawn]
    boxes = np.array([box for box, _ in outlines])
    return DrawnPeople(image, points, visibility, boxes, np.array([area for _, area in outlines]))


def _outline(coverage: Image, matrix: Floats, hw: tuple[int, ...]) -> tuple[Floats, float]:
    """Return box and area of what a person covers of the picture; NaN and 0 where nothing."""
    solid = (coverage >= _COVERED).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    moved = [transform(c[:, 0].astype(np.float64), matrix) for c in contours]
    mask = np.zeros(hw, np.uint8)
    polygons = [np.round(xy * 2**_SUBPIXEL).astype(np.int32) for xy in moved]
    cv2.fillPoly(mask, polygons, 1, shift=_SUBPIXEL)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return np.full(4, np.nan), 0.0
    box = (columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
    return np.array(box) - (0.5, 0.5, 0, 0), float(np.count_nonzero(mask))
