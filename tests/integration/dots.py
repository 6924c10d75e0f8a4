"""Pictures of dots, the smallest thing that keypoints can be learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from gonio.formats.labels import write_labels
from gonio.labels import LabelledImage, make_labels
from gonio.skeletons import Skeleton

if TYPE_CHECKING:
    from pathlib import Path


def draw_dots(folder: Path, names: tuple[str, ...] = ("white", "grey"), count: int = 8) -> Path:
    """Draw a dot for each keypoint on pictures of 32 × 32 px; return their labels."""
    rng = np.random.default_rng(0)
    images, points = [], rng.integers(6, 26, (count, len(names), 2))
    for i, places in enumerate(points.tolist()):
        picture = np.zeros((32, 32, 3), np.uint8)
        for k, (x, y) in enumerate(places):
            cv2.circle(picture, (x, y), 3, (255 - 90 * k,) * 3, -1)
        cv2.imwrite(str(folder / f"{i}.png"), picture)
        images.append(LabelledImage(folder / f"{i}.png", 32, 32))
    seen = np.full((count, len(names)), 2)
    labels = make_labels(Skeleton(name="dots", keypoints=names), images, range(count), points, seen)
    write_labels(folder / "labels.json", labels)
    return folder / "labels.json"
