"""From a recipe's words about data to labels that can be trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gonio.datasets import (
    boxes_from_keypoints,
    data_sha256,
    drop_faults,
    load_split,
    mask_faults,
    restrict_skeleton,
    sample_people,
    split_labels,
    subset_people,
)
from gonio.errors import ConfigError, InputError
from gonio.formats.labels import check_images, read_labels, with_sizes
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.labels import Labels
    from gonio.skeletons import Skeleton
    from gonio.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a recipe trains on.

    Attributes
    ----------
    train, validation, test
        Labelled people; None where the recipe keeps none for it.
    skeleton
        The keypoints to be learned.
    sha256
        Of all that was read: labels and images.
    """

    train: Labels
    validation: Labels | None
    test: Labels | None
    skeleton: Skeleton
    sha256: str

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many images and people each part has."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {
            name: {"images": len(labels.images), "people": len(labels)}
            for name, labels in parts.items()
            if labels is not None
        }


def prepare_data(recipe: Recipe) -> TrainingData:
    """Read, check, choose and split what a recipe trains on.

    Parameters
    ----------
    recipe
        The recipe.

    Returns
    -------
    TrainingData

    Raises
    ------
    ConfigError
        If the recipe names no data, or a keypoint that does not exist.
    InputError
        If labels or images are missing or broken, or a part is left with nobody.
    """
    data = recipe.data
    if data.path is None:
        raise ConfigError(f"recipe '{recipe.name}': names no data; give data=PATH")
    skeleton = load_skeleton(recipe.skeleton) if recipe.skeleton else None
    whole = _read(recipe, data.path, data.images, skeleton)
    sha256 = data_sha256(whole)
    train: Labels | None
    validation: Labels | None
    test: Labels | None
    if data.validation is not None:
        train, test = _chosen(recipe, whole), None
        validation = _read(recipe, data.validation, data.validation_images, whole.skeleton)
        validation = _chosen(recipe, validation)
    elif data.split is None:
        train, validation, test = _chosen(recipe, whole), None, None
    else:
        parts = _split(recipe, _chosen(recipe, whole))
        train, validation, test = (parts.get(part) for part in ("train", "validation", "test"))
    for name, labels in (("train", train), ("validation", validation), ("test", test)):
        if labels is not None and not len(sample_people(labels, recipe.input.crop)):
            raise InputError(f"'{data.path}': nobody to {_VERBS[name]} is left. {_EMPTY}")
    if train is None:
        raise InputError(f"'{data.path}': nobody to train on is left. {_EMPTY}")
    return TrainingData(train, validation, test, train.skeleton, sha256)


_VERBS = {"train": "train on", "validation": "validate with", "test": "test with"}
_EMPTY = (
    "Look at data.subset and data.split, and at what is labelled (gonio data info): a sample "
    "needs a labelled keypoint and a box or two keypoints."
)


def _read(recipe: Recipe, path: Path, images: Path | None, skeleton: Skeleton | None) -> Labels:
    labels = read_labels(path, format=recipe.data.format, images=images)
    if skeleton is not None and labels.skeleton != skeleton:
        labels = restrict_skeleton(labels, skeleton)
    return with_sizes(labels)


def _chosen(recipe: Recipe, labels: Labels) -> Labels:
    """Return the people of the recipe's choice, faults and boxes seen to."""
    data = recipe.data
    if data.faults != "keep":
        labels = mask_faults(labels) if data.faults == "mask" else drop_faults(labels)
    if data.subset is not None:
        labels = subset_people(labels, **data.subset.model_dump())
    if data.boxes is not None:
        labels = boxes_from_keypoints(labels, **data.boxes.model_dump())
    labels = labels.take(np.arange(len(labels)))
    check_images(labels)
    return labels


def _split(recipe: Recipe, labels: Labels) -> dict[str, Labels]:
    split = recipe.data.split
    assert split is not None
    if split.file is not None:
        return load_split(split.file, labels)
    fractions = {str(part): share for part, share in split.fractions.items()}
    return split_labels(labels, fractions, by=split.by, seed=split.seed)
