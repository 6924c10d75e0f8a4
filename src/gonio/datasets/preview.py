"""A contact sheet: people as they are labelled, to be looked at before anything is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from gonio.codec import Region, crop_matrix, letterbox_matrix, transform, warp
from gonio.datasets.boxes import boxes_from_keypoints
from gonio.errors import InputError
from gonio.labels import HIDDEN, VISIBLE
from gonio.skeletons import side_of
from gonio.video import read_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gonio.codec import Matrix
    from gonio.labels import Labels

    Image = NDArray[np.uint8]

_COLORS: Final = {"left": (77, 175, 255), "right": (255, 170, 30), "middle": (255, 255, 255)}
_BOX: Final = (120, 220, 120)
_NAME_PX: Final = 18
_MARGIN: Final = 1.15


def contact_sheet(
    labels: Labels,
    *,
    count: int = 24,
    columns: int = 6,
    tile_px: int = 256,
    whole: bool = False,
    seed: int = 0,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Image:
    """Draw some of the people with their labels, a tile each.

    Left keypoints are blue, right ones orange, the others white; hidden ones are rings.

    Parameters
    ----------
    labels
        The set.
    count
        How many people at most, drawn at random and shown in the set's order.
    columns
        Tiles in a row.
    tile_px
        Side of a tile, pixels.
    whole
        Show whole images instead of what is around a person.
    seed
        Of the draw.
    progress
        Called with "drawing", tiles drawn, and tiles in all.

    Returns
    -------
    ndarray
        Shape ``(H, W, 3)``, uint8, RGB.

    Raises
    ------
    InputError
        If nobody is labelled, a number is less than 1, or an image cannot be read.
    """
    for name, number in (("count", count), ("columns", columns), ("tile_px", tile_px)):
        if number < 1:
            raise InputError(f"{name}: {number} given, at least 1 is needed")
    shown = np.flatnonzero(labels.labelled.any(axis=1))
    if not len(shown):
        raise InputError("nobody is labelled: there is nothing to draw")
    chosen = np.sort(np.random.default_rng(seed).permutation(shown)[:count])
    known = boxes_from_keypoints(labels, buffer=0.25, buffer_px=8).boxes_px
    columns = min(columns, len(chosen))
    rows = -(-len(chosen) // columns)
    height = tile_px + _NAME_PX
    sheet = np.full((rows * height, columns * tile_px, 3), 24, np.uint8)
    for place, person in enumerate(chosen):
        top, left = place // columns * height, place % columns * tile_px
        tile = _tile(labels, int(person), known[person], tile_px, whole=whole)
        sheet[top : top + height, left : left + tile_px] = tile
        if progress is not None:
            progress("drawing", place + 1, len(chosen))
    return sheet


def _tile(labels: Labels, person: int, around: Any, side: int, *, whole: bool) -> Image:
    record = labels.images[labels.image_index[person]]
    image = read_image(record.path)
    matrix = _view(labels, person, around, image.shape[1::-1], side, whole=whole)
    tile = np.full((side + _NAME_PX, side, 3), 24, np.uint8)
    tile[:side] = warp(image, matrix, (side, side))
    _draw_box(tile[:side], labels.boxes_px[person], matrix)
    _draw_points(tile[:side], labels, person, matrix)
    text = record.path.name if len(record.path.name) < 34 else f"…{record.path.name[-33:]}"
    cv2.putText(
        tile, text, (4, side + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (220, 220, 220), 1, cv2.LINE_AA
    )
    return tile


def _view(
    labels: Labels, person: int, around: Any, wh: tuple[int, int], side: int, *, whole: bool
) -> Matrix:
    if whole:
        return letterbox_matrix((wh[0], wh[1]), (side, side))
    box = labels.boxes_px[person]
    left, top, width, height = box if np.isfinite(box).all() else around
    size = float(max(width, height)) * _MARGIN
    middle = (float(left + width / 2), float(top + height / 2))
    return crop_matrix(Region(middle, (size, size)), (side, side))


def _draw_box(tile: Image, box: Any, matrix: Matrix) -> None:
    if not np.isfinite(box).all():
        return
    left, top, width, height = box
    ends = np.array([[left, top], [left + width, top + height]])
    (x0, y0), (x1, y1) = np.rint(transform(ends, matrix)).astype(int).tolist()
    cv2.rectangle(tile, (x0, y0), (x1, y1), _BOX, 1)


def _draw_points(tile: Image, labels: Labels, person: int, matrix: Matrix) -> None:
    skeleton = labels.skeleton
    places = transform(labels.keypoints_px[person], matrix)
    at = {
        name: (round(float(x)), round(float(y)))
        for name, (x, y) in zip(skeleton.keypoints, places, strict=True)
        if np.isfinite(x) and abs(x) < 1e4 and abs(y) < 1e4
    }
    for one, two in skeleton.edges:
        if one in at and two in at:
            sides = {side_of(one), side_of(two)} - {"middle"}
            color = _COLORS[sides.pop() if len(sides) == 1 else "middle"]
            cv2.line(tile, at[one], at[two], color, 1, cv2.LINE_AA)
    for i, name in enumerate(skeleton.keypoints):
        seen = labels.visibility[person, i]
        if name in at and seen in {HIDDEN, VISIBLE}:
            cv2.circle(tile, at[name], 4, (20, 20, 20), -1, cv2.LINE_AA)
            fill = -1 if seen == VISIBLE else 1
            cv2.circle(tile, at[name], 3, _COLORS[side_of(name)], fill, cv2.LINE_AA)
