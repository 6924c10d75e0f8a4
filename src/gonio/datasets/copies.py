"""Augmented copies of labelled images on disk, for tools that augment nothing themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.codec import homography, transform, transform_boxes, warp
from gonio.datasets.augmentation import AugmentationSettings, random_map
from gonio.datasets.sampling import behind, sample_rng, within
from gonio.errors import ConfigError, OutputError
from gonio.imaging import random_photometry
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE, Labels
from gonio.video import read_image, write_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.codec import Matrix

_LOSSY: Final = (".jpg", ".jpeg")


def augment_labels(
    labels: Labels,
    folder: Path,
    settings: AugmentationSettings,
    *,
    copies: int = 1,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Labels:
    """Write augmented copies of all images, and return the originals' and the copies' labels.

    Parameters
    ----------
    labels
        Labelled images.
    folder
        Where the copies go; it must not exist yet, and does once all are written. Copies of JPEG
        files are JPEG, all others PNG.
    settings
        What happens by chance, to the whole image, which keeps its size. Shares and pixels are
        those of the image.
    copies
        How many of each image.
    seed
        With the image's place and the copy's number, where chance comes from.
    progress
        Called with "augmenting", images written, and images in all.

    Returns
    -------
    Labels
        The originals, then the copies, whose ``copy_of`` names the original's file. In a copy, a
        keypoint outside the image is not labelled, one behind an occluding rectangle is hidden;
        boxes are around the moved box, cut at the image; areas grow as the map does at the
        person's middle, and shrink as the box is cut. Who is no longer in a copy is left out.

    Raises
    ------
    ConfigError
        If half bodies are asked for (they are cut out of persons, not of images), or fewer than
        one copy.
    OutputError
        If the folder exists or cannot be written.
    InputError
        If an image cannot be read.
    """
    from gonio.formats.whole import whole_folder  # brings all readers along

    if settings.half_body is not None:
        raise ConfigError("augmentation.half_body: copies are whole images; leave it out")
    if settings.window is not None:
        raise ConfigError("augmentation.window: copies are whole images; leave it out")
    if copies < 1:
        raise ConfigError(f"copies: {copies}, expected at least 1")
    if folder.exists():
        raise OutputError(f"'{folder}': exists already. Give the copies a new folder.")
    parts = [labels]
    names: set[str] = set()
    total = copies * len(labels.images)
    with whole_folder(folder, ".png") as part:
        for place, original in enumerate(labels.images):
            image = read_image(original.path)
            own = labels.take_images([place])
            for number in range(copies):
                chance = sample_rng(seed, number, place)
                pixels, moved = _copy(image, own, settings, chance)
                name = _free_name(original.path, number, names)
                write_image(part / name, pixels)
                moved_image = replace(
                    original,
                    path=folder / name,
                    height=image.shape[0],
                    width=image.shape[1],
                    copy_of=original.copy_of or original.path.name,
                    key="",
                )
                parts.append(replace(moved, images=(moved_image,)))
                if progress is not None:
                    progress("augmenting", place * copies + number + 1, total)
    return _joined(parts)


def _copy(
    image: NDArray[np.uint8],
    labels: Labels,
    settings: AugmentationSettings,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], Labels]:
    """Change one image and the labels of everybody in it."""
    wh = (image.shape[1], image.shape[0])
    matrix, flipped = random_map(settings, wh, rng)
    pixels, covered = random_photometry(warp(image, matrix, wh), settings, rng)
    points = transform(labels.keypoints_px, matrix)
    visibility = labels.visibility.copy()
    if flipped:
        order = labels.skeleton.flip_order()
        points, visibility = points[:, order], visibility[:, order]
    visibility[~within(points, wh, 0.0)] = UNLABELLED
    visibility[behind(points, covered) & (visibility == VISIBLE)] = HIDDEN
    points[visibility == UNLABELLED] = np.nan
    boxes, kept = _cut(transform_boxes(labels.boxes_px, matrix), wh)
    areas = labels.areas_px2 * _growth(labels, matrix) * np.where(np.isnan(kept), 1.0, kept)
    moved = replace(
        labels,
        keypoints_px=points,
        visibility=visibility,
        boxes_px=boxes,
        areas_px2=areas,
        keys=(),
    )
    still_there = moved.labelled.any(axis=1) | (kept > 0)
    return pixels, moved.take(still_there, keep_images=True)


def _cut(
    boxes: NDArray[np.float64], wh: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cut boxes at the image; return them, and the share of each that is left (NaN: no box)."""
    low = boxes[:, :2].clip(-0.5, np.array(wh) - 0.5)
    high = (boxes[:, :2] + boxes[:, 2:]).clip(-0.5, np.array(wh) - 0.5)
    area = boxes[:, 2] * boxes[:, 3]
    kept = (high - low).prod(axis=1) / np.where(area > 0, area, np.nan)
    cut = np.concatenate([low, high - low], axis=1)
    cut[~(kept > 0)] = np.nan
    return cut, kept


def _growth(labels: Labels, matrix: Matrix) -> NDArray[np.float64]:
    """Return by how much the map enlarges areas at each person's middle.

    The determinant of a homography's derivative is det(H) / w³.
    """
    full = homography(matrix)
    middles = labels.boxes_px[:, :2] + labels.boxes_px[:, 2:] / 2
    for person in np.flatnonzero(np.isnan(middles).any(axis=1) & labels.labelled.any(axis=1)):
        middles[person] = np.nanmean(labels.keypoints_px[person], axis=0)
    depth = middles @ full[2, :2] + full[2, 2]
    growth: NDArray[np.float64] = (
        np.abs(np.linalg.det(full)) / np.where(depth > 0, depth, np.nan) ** 3
    )
    return growth


def _free_name(original: Path, number: int, taken: set[str]) -> str:
    """Return a name for a copy that no other copy has; images of two folders may share names."""
    suffix = original.suffix.lower() if original.suffix.lower() in _LOSSY else ".png"
    stem, again = f"{original.stem}-copy{number + 1}", 1
    name = f"{stem}{suffix}"
    while name in taken:
        again += 1
        name = f"{stem}-{again}{suffix}"
    taken.add(name)
    return name


def _joined(parts: list[Labels]) -> Labels:
    """Put labels of one skeleton one after the other; keys are kept for the first."""
    starts = np.cumsum([0, *(len(part.images) for part in parts[:-1])])
    keys = parts[0].keys
    return Labels(
        skeleton=parts[0].skeleton,
        images=tuple(image for part in parts for image in part.images),
        image_index=np.concatenate(
            [part.image_index + start for part, start in zip(parts, starts, strict=True)]
        ).astype(np.intp),
        keypoints_px=np.concatenate([part.keypoints_px for part in parts]),
        visibility=np.concatenate([part.visibility for part in parts]),
        boxes_px=np.concatenate([part.boxes_px for part in parts]),
        areas_px2=np.concatenate([part.areas_px2 for part in parts]),
        crowd=np.concatenate([part.crowd for part in parts]),
        keys=keys + ("",) * sum(len(part) for part in parts[1:]) if keys else (),
    )
