"""COCO keypoint JSON written, so that COCO's own tools and ours read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import UnknownNameError
from gonio.formats.labels.coco import CORNER_PX, EXTRAS, SKELETON
from gonio.formats.labels.common import with_sizes
from gonio.formats.text import write_atomically
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.labels import LabelledImage, Labels
    from gonio.skeletons import Skeleton

BOX_PART: Final = 0.53
"""Share of a box that a person's outline fills: the area where labels have none."""

_DECIMALS: Final = 9


def write_coco(path: Path, labels: Labels) -> None:
    """Write labels as COCO keypoints.

    Parameters
    ----------
    path
        The ``.json`` file; replaced if it exists. Images under its folder or the folder above are
        named relative to it, others by their whole path.
    labels
        Ids are kept where all of them are whole numbers, otherwise counted from 1. Sizes of
        images that the labels do not give are looked up. What is NaN (a box, an area) is left
        out; an area that is not known is 0.53 of the box, as OKS takes it. A skeleton that is
        not built in stands whole beside COCO's keys, as do an image's video, frame, subject and
        the original it was made from.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    labels = with_sizes(labels)
    image_ids = _ids([image.key for image in labels.images])
    content = {
        "info": {"description": f"Keypoints of {labels.skeleton.name}, written by Gonio"},
        "images": [
            _image(path, number, image)
            for number, image in zip(image_ids, labels.images, strict=True)
        ],
        "annotations": _annotations(labels, image_ids),
        "categories": [_category(labels.skeleton)],
    }
    text = json.dumps(content, separators=(",", ":"))
    with write_atomically(path) as file:
        file.write(text)


def is_built_in(skeleton: Skeleton) -> bool:
    """Tell whether a skeleton is one of Gonio's own."""
    try:
        return load_skeleton(skeleton.name) == skeleton
    except UnknownNameError:
        return False


def _ids(keys: list[str]) -> list[int]:
    whole = [int(key) for key in keys if key.isascii() and key.isdigit()]
    if len(whole) == len(keys) and len(set(whole)) == len(keys):
        return whole
    return list(range(1, len(keys) + 1))


def _image(path: Path, number: int, image: LabelledImage) -> dict[str, Any]:
    size = {"width": image.width, "height": image.height}
    extras = {name: getattr(image, name) for name in EXTRAS}
    return {
        "id": number,
        "file_name": _file_name(path, image.path),
        **{name: value for name, value in size.items() if value is not None},
        **{name: value for name, value in extras.items() if value not in {None, ""}},
    }


def _file_name(path: Path, image: Path) -> str:
    folder, file = path.absolute().parent, image.absolute()
    for base, front in ((folder, ""), (folder.parent, "../")):
        if file.is_relative_to(base):
            return front + file.relative_to(base).as_posix()
    return file.as_posix()


def _annotations(labels: Labels, image_ids: list[int]) -> list[dict[str, Any]]:
    people = len(labels)
    xy = np.where(labels.labelled[..., None], labels.keypoints_px, 0.0)
    values = np.concatenate([xy, labels.visibility[..., None]], axis=2)
    values = values.reshape(people, 3 * len(labels.skeleton.keypoints))
    boxes = labels.boxes_px.copy()
    boxes[:, :2] = np.round(boxes[:, :2] + CORNER_PX, _DECIMALS)
    known = np.isfinite(labels.areas_px2)
    filled = np.round(BOX_PART * boxes[:, 2] * boxes[:, 3], _DECIMALS)
    areas = np.where(known, labels.areas_px2, filled)
    columns = zip(
        _ids(list(labels.keys)) if labels.keys else range(1, people + 1),
        labels.image_index.tolist(),
        labels.labelled.sum(axis=1).tolist(),
        labels.crowd.astype(int).tolist(),
        _whole(values).tolist(),
        np.isfinite(boxes.sum(axis=1)).tolist(),
        boxes.tolist(),
        np.isfinite(areas).tolist(),
        areas.tolist(),
        strict=True,
    )
    return [
        {
            "id": number,
            "image_id": image_ids[image],
            "category_id": 1,
            "iscrowd": crowd,
            "num_keypoints": count,
            "keypoints": keypoints,
            **({"bbox": box} if has_box else {}),
            **({"area": area} if has_area else {}),
        }
        for number, image, count, crowd, keypoints, has_box, box, has_area, area in columns
    ]


def _whole(values: NDArray[np.float64]) -> NDArray[np.float64] | NDArray[np.int64]:
    """Return whole numbers as such, as COCO has them, where all of them are."""
    return values.astype(np.int64) if (values == np.floor(values)).all() else values


def _category(skeleton: Skeleton) -> dict[str, Any]:
    built_in = is_built_in(skeleton)
    name = "person" if built_in else skeleton.name
    edges = [e for e in skeleton.edges if set(e) <= set(skeleton.keypoints)]
    category = {
        "id": 1,
        "name": name,
        "supercategory": name,
        "keypoints": list(skeleton.keypoints),
        "skeleton": [[skeleton.index(a) + 1, skeleton.index(b) + 1] for a, b in edges],
    }
    if not built_in:
        category[SKELETON] = skeleton.model_dump(mode="json", by_alias=True)
    return category
