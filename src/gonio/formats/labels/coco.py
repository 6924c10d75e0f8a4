"""COCO keypoint JSON: read by arrays, written as COCO's own tools read it.

Keypoints are 0-based pixels whose centres have whole coordinates, as ours. Boxes are left edge,
top edge, width, height, measured from the corner of the top-left pixel: they are moved by half a
pixel on reading and back on writing. Flags: 0 not labelled, 1 labelled but hidden, 2 visible.
Source: cocodataset.org, "Data format", 2. Keypoint detection.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import ValidationError

from gonio.errors import FormatError
from gonio.formats.labels.common import (
    chosen_skeleton,
    fit_skeleton,
    nowhere,
    picture_folder,
    read_bytes,
    refuse_twice,
)
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE, LabelledImage, Labels, make_labels
from gonio.skeletons import Skeleton

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Items = list[dict[str, Any]]

CORNER_PX: Final = 0.5
"""How far the corner that COCO measures boxes from lies before the first pixel's centre."""

_IDS: Final = ("id", "image_id", "category_id")

SKELETON: Final = "gonio_skeleton"
"""Key of a category that holds a skeleton that is not built in, as in its own file."""

EXTRAS: Final = ("video", "frame", "subject", "copy_of")
"""What our images know and COCO's do not; written beside COCO's keys where there is something."""


def read_coco(
    path: Path,
    *,
    skeleton: Skeleton | str | Path | None = None,
    images: Path | None = None,
) -> Labels:
    """Read a file of COCO keypoints.

    Parameters
    ----------
    path
        The ``.json`` file.
    skeleton
        What the keypoints must follow; None: found by their names in the category. Needed where
        no category names keypoints.
    images
        Folder of the images; None: beside the file, or where COCO's archives put them.

    Returns
    -------
    Labels
        Everybody in the category ``person``, or in all categories with keypoints where there is
        no such one; also people without any keypoint, and crowds. Segmentations are not kept,
        their areas are. A box or an area that is absent is NaN.

    Raises
    ------
    FormatError
        If the file is empty or broken, ids are missing, stand twice or point to no image,
        keypoints do not fit the skeleton, or a number is NaN or a box has no area.
    PosesError
        If the keypoints' names are not those of the skeleton asked for.
    """
    with _no_collection():
        content = _parse(path)
        pictures, annotations = _items(path, content, "images"), _items(path, content, None)
        chosen, order, categories = _skeleton(path, content, annotations, skeleton)
        people = [a for a in annotations if a.get("category_id") in categories]
        found = _images(path, pictures, images)
        where = {item["id"]: i for i, item in enumerate(pictures)}
        keys = _keys(path, people)
        keypoints_px, visibility = _keypoints(path, people, len(order))
        return make_labels(
            chosen,
            found,
            _image_index(path, people, where),
            keypoints_px[:, order],
            visibility[:, order],
            boxes_px=_boxes(path, people),
            areas_px2=_areas(path, people),
            crowd=np.array([bool(a.get("iscrowd")) for a in people], bool),
            keys=keys,
        )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the collection of garbage: millions of new objects, none of them garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parse(path: Path) -> dict[str, Any]:
    from pydantic_core import from_json

    try:
        content = from_json(read_bytes(path))
    except ValueError as error:
        raise FormatError(f"'{path}': not valid JSON ({error})") from error
    if isinstance(content, list):
        raise FormatError(
            f"'{path}': a list and not labels: COCO's files of results name no images. "
            "Give the file of annotations."
        )
    if not isinstance(content, dict):
        raise FormatError(f"'{path}': not a COCO file (no object with 'images')")
    return content


def _items(path: Path, content: dict[str, Any], name: str | None) -> Items:
    """Return one list of the file; annotations may be absent, as in files of test images."""
    values = content.get("annotations", []) if name is None else content.get(name)
    name = name or "annotations"
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise FormatError(f"'{path}': not a COCO file ('{name}' is no list of objects)")
    for i, item in enumerate(values):
        # What is no number or word cannot be looked up.
        for key in _IDS:
            if not isinstance(item.get(key, 0), int | str | float | None):
                raise FormatError(f"'{path}': {name}, number {i + 1}: '{key}' is {item[key]!r}")
    return values


def _skeleton(
    path: Path, content: dict[str, Any], annotations: Items, skeleton: Skeleton | str | Path | None
) -> tuple[Skeleton, list[int], set[Any]]:
    """Return the skeleton, its keypoints' places in the file, and the categories' ids."""
    asked = chosen_skeleton(skeleton)
    every = [c for c in content.get("categories") or [] if isinstance(c, dict)]
    named = [c for c in every if c.get("keypoints")]
    named = [c for c in named if c.get("name") == "person"] or named
    if not named:
        used = {a.get("category_id") for a in annotations if a.get("keypoints")}
        if asked is None or not used:
            raise FormatError(
                f"'{path}': no category has keypoints. These are labels of boxes or outlines; "
                "if they do have keypoints, name their skeleton."
            )
        return asked, list(range(len(asked.keypoints))), used
    lists = {tuple(map(str, c["keypoints"])) for c in named}
    if len(lists) > 1:
        names = ", ".join(f"'{c.get('name')}'" for c in named)
        raise FormatError(
            f"'{path}': the categories {names} have different keypoints. "
            "Keep one of them in the file."
        )
    first = named[0]
    if SKELETON in first and asked is None:
        asked = _own_skeleton(path, first[SKELETON])
    edges = [
        (int(e[0]) - 1, int(e[1]) - 1)
        for e in first.get("skeleton") or []
        if isinstance(e, list) and len(e) == 2
    ]
    title = str(first.get("name") or "coco")
    chosen, order = fit_skeleton(
        list(next(iter(lists))), asked, where=f"'{path}'", name=title, edges=edges
    )
    return chosen, order, {c.get("id") for c in named}


def _own_skeleton(path: Path, values: Any) -> Skeleton:
    try:
        return Skeleton.model_validate(values)
    except ValidationError as error:
        raise FormatError(
            f"'{path}': '{SKELETON}' is no skeleton ({error.errors()[0]['msg']})"
        ) from error


def _images(path: Path, items: Items, given: Path | None) -> list[LabelledImage]:
    if not items:
        raise FormatError(f"'{path}': it names no images")
    for i, item in enumerate(items):
        if "id" not in item or not item.get("file_name"):
            raise FormatError(f"'{path}': image number {i + 1} has no 'id' or no 'file_name'")
    refuse_twice([item["id"] for item in items], "ids of images", path)
    names = [str(item["file_name"]) for item in items]
    split = path.stem.rsplit("_", 1)[-1]
    root = path.parent
    guesses = [
        root, root / "images", root / split, root.parent / "images", root.parent / split,
        root.parent / "images" / split, root.parent,
    ]  # fmt: skip
    folder = picture_folder(names, given, guesses)
    return [
        LabelledImage(
            path=folder / name,
            width=_whole(path, item, "width"),
            height=_whole(path, item, "height"),
            video=str(item.get("video") or ""),
            frame=_whole(path, item, "frame"),
            subject=str(item.get("subject") or ""),
            copy_of=str(item.get("copy_of") or ""),
            key=str(item["id"]),
        )
        for name, item in zip(names, items, strict=True)
    ]


def _whole(path: Path, item: dict[str, Any], name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    least = 0 if name == "frame" else 1
    if isinstance(value, int | float) and value == value // 1 and value >= least:
        return int(value)
    raise FormatError(f"'{path}': image {item['id']}: '{name}' is {value!r}, no whole number")


def _keys(path: Path, people: Items) -> tuple[str, ...]:
    ids = [a["id"] for a in people if a.get("id") is not None]
    if not ids:
        return ()
    if len(ids) != len(people):
        raise FormatError(f"'{path}': {len(people) - len(ids)} annotations have no 'id'")
    refuse_twice(ids, "ids of annotations", path)
    return tuple(map(str, ids))


def _image_index(path: Path, people: Items, where: dict[Any, int]) -> NDArray[np.intp]:
    try:
        return np.array([where[a["image_id"]] for a in people], np.intp)
    except KeyError:
        lost = [a for a in people if a.get("image_id") not in where]
        raise FormatError(
            f"'{path}': {len(lost)} annotations point to no image of the file; the first is "
            f"{_name(lost[0])}, image_id {lost[0].get('image_id')}. Remove them, or add the images."
        ) from None


def _keypoints(path: Path, people: Items, points: int) -> tuple[Doubles, NDArray[np.int8]]:
    """Return positions ``(P, K, 2)`` and flags ``(P, K)``."""
    nothing = [0] * (3 * points)
    rows = [a.get("keypoints") or nothing for a in people]
    for a, row in zip(people, rows, strict=True):
        if not isinstance(row, list) or len(row) != 3 * points:
            what = f"{len(row)} numbers" if isinstance(row, list) else "no list"
            raise FormatError(
                f"'{path}': {_name(a)}: its keypoints are {what}; {points} keypoints need "
                f"{3 * points} (x, y and the flag of each)"
            )
    values = _numbers(path, people, rows, "keypoints").reshape(len(people), points, 3)
    flags = values[..., 2]
    wrong = ~np.isin(flags, (UNLABELLED, HIDDEN, VISIBLE))
    broken = ~np.isfinite(values[..., :2]).all(axis=-1) & (flags != UNLABELLED)
    for mask, what in ((wrong, "a flag that is not 0, 1 or 2"), (broken, "null, NaN or infinity")):
        if mask.any():
            first = people[int(mask.any(axis=1).argmax())]
            count = int(mask.any(axis=1).sum())
            raise FormatError(
                f"'{path}': {_name(first)}: a keypoint has {what} (in {count} annotations). "
                "A keypoint that is not labelled is 0, 0, 0."
            )
    return values[..., :2], flags.astype(np.int8)


def _boxes(path: Path, people: Items) -> Doubles:
    boxes = nowhere(len(people))
    there = [i for i, a in enumerate(people) if a.get("bbox")]
    owners = [people[i] for i in there]
    rows = [a["bbox"] for a in owners]
    for a, row in zip(owners, rows, strict=True):
        if not isinstance(row, list) or len(row) != 4:
            raise FormatError(f"'{path}': {_name(a)}: 'bbox' is not x, y, width, height")
    values = _numbers(path, owners, rows, "bbox").reshape(len(owners), 4)
    broken, flat = ~np.isfinite(values).all(axis=1), ~(values[:, 2:] > 0).all(axis=1)
    for mask, what in ((broken, "has NaN or infinity"), (flat, "has no area")):
        if mask.any():
            first = int(mask.argmax())
            raise FormatError(
                f"'{path}': {_name(owners[first])}: the box {rows[first]} {what} "
                f"({int(mask.sum())} such boxes). Mend them, or take 'bbox' out of these "
                "annotations: a box may be absent."
            )
    boxes[there] = values
    boxes[:, :2] -= CORNER_PX
    return boxes


def _areas(path: Path, people: Items) -> Doubles:
    rows = [[0 if (area := a.get("area")) is None else area] for a in people]
    areas = _numbers(path, people, rows, "area")
    wrong = ~np.isfinite(areas) | (areas < 0)
    if wrong.any():
        first = people[int(wrong.argmax())]
        raise FormatError(
            f"'{path}': {_name(first)}: the area is {first['area']} "
            f"({int(wrong.sum())} such areas). It may be absent."
        )
    for i in np.flatnonzero(areas == 0):  # absent, or from a tool that knows none
        areas[i] = _outline_px2(people[i].get("segmentation"))
    return areas


def _outline_px2(polygons: Any) -> float:
    """Return the area of polygons ``[[x, y, x, y, …], …]``; NaN where there is none."""
    if not isinstance(polygons, list):
        return np.nan
    try:
        parts = [np.asarray(p, np.float64).reshape(-1, 2) for p in polygons]
    except (TypeError, ValueError):
        return np.nan
    area = sum(
        abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2 for x, y in (p.T for p in parts)
    )
    return area if area > 0 else np.nan


def _numbers(path: Path, people: Items, rows: Sequence[list[Any]], what: str) -> Doubles:
    """Return all rows' numbers in one array; of what is no number, say whose it is."""
    try:
        return np.fromiter(chain.from_iterable(rows), np.float64)
    except (TypeError, ValueError):
        number = (int, float)
        for a, row in zip(people, rows, strict=True):
            other = next((v for v in row if not isinstance(v, number)), None)
            if other is not None or None in row:
                raise FormatError(
                    f"'{path}': {_name(a)}: '{what}' holds {other!r}, no number"
                ) from None
        raise


def _name(annotation: dict[str, Any]) -> str:
    key = annotation.get("id")
    return f"annotation {key}" if key is not None else "an annotation without id"
