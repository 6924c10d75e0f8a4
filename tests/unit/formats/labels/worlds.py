"""Small labelled sets that tests of formats of labels share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gonio.labels import LabelledImage, Labels, make_labels
from gonio.skeletons import Skeleton, load_skeleton


def picture(path: Path, width: int = 64, height: int = 48, shade: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (shade, shade, shade)).save(path)
    return path


def mouse() -> Skeleton:
    return Skeleton.model_validate(
        {
            "name": "mouse",
            "keypoints": ["snout", "left_ear", "right_ear", "tailbase"],
            "edges": [("snout", "left_ear"), ("snout", "right_ear"), ("snout", "tailbase")],
            "sigmas": [0.03, 0.04, 0.04, 0.06],
        }
    )


def three_people(folder: Path, skeleton: Skeleton | None = None) -> Labels:
    """Three images; two people in the first, one in the second, nobody in the last.

    Numbers with many digits, a hidden point, unlabelled points, one box and one area missing.
    """
    chosen = skeleton or load_skeleton("lower6")
    points = len(chosen.keypoints)
    rng = np.random.default_rng(5)
    images = [
        LabelledImage(
            path=picture(folder / name, shade=30 * i), width=64, height=48, video=video, frame=frame
        )
        for i, (name, video, frame) in enumerate(
            [("img0003.png", "walk", 3), ("img0010.png", "walk", 10), ("img0003b.png", "", None)]
        )
    ]
    visibility = np.full((3, points), 2)
    visibility[0, 1], visibility[1, 2], visibility[2, 0] = 1, 0, 0
    boxes = rng.uniform(1, 30, (3, 4))
    boxes[1] = np.nan
    areas = rng.uniform(100, 900, 3)
    areas[1] = np.nan
    return make_labels(
        chosen,
        images,
        [0, 0, 1],
        rng.uniform(0, 47, (3, points, 2)),
        visibility,
        boxes_px=boxes,
        areas_px2=areas,
        crowd=[False, True, False],
        keys=["11", "7", "902"],
    )


def assert_same_people(ours: Labels, theirs: Labels, *, boxes: bool = True) -> None:
    """Every coordinate alike to the last digit; boxes within their rounding."""
    assert ours.skeleton == theirs.skeleton
    np.testing.assert_array_equal(ours.image_index, theirs.image_index)
    np.testing.assert_array_equal(ours.keypoints_px, theirs.keypoints_px)
    if boxes:
        np.testing.assert_array_equal(ours.visibility, theirs.visibility)
        np.testing.assert_allclose(ours.boxes_px, theirs.boxes_px, atol=1e-9)
        np.testing.assert_allclose(ours.areas_px2, theirs.areas_px2, atol=1e-9)
        np.testing.assert_array_equal(ours.crowd, theirs.crowd)


def coco_file(**changes: Any) -> dict[str, Any]:
    """One person with two keypoints in one image of two."""
    content: dict[str, Any] = {
        "images": [
            {"id": 5, "file_name": "a.png", "width": 64, "height": 48},
            {"id": 9, "file_name": "b.png", "width": 64, "height": 48},
        ],
        "annotations": [
            {
                "id": 31, "image_id": 9, "category_id": 1, "iscrowd": 0, "area": 50.0,
                "bbox": [10, 20, 5, 10], "keypoints": [10, 20, 2, 12.5, 25, 1],
            }
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": ["head", "foot"]}],
    }  # fmt: skip
    return {**content, **changes}
