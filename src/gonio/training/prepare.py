"""From a recipe's words about data to labels that can be trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonio.datasets import data_sha256, read_set, sample_people, share_out
from gonio.errors import ConfigError, InputError
from gonio.formats.labels import check_images
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
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
    whole = read_set(data, data.path, images=data.images, skeleton=skeleton)
    parts = share_out(data, whole)
    for name, verb in _VERBS.items():
        labels = parts.get(name)
        if labels is None and name != "train":
            continue
        if labels is None or not len(sample_people(labels, recipe.input.crop)):
            raise InputError(f"'{data.path}': nobody to {verb} is left. {_EMPTY}")
        check_images(labels)
    train = parts["train"]
    return TrainingData(
        train, parts.get("validation"), parts.get("test"), train.skeleton, data_sha256(whole)
    )


_VERBS: Final = {"train": "train on", "validation": "validate with", "test": "test with"}
_EMPTY: Final = (
    "Look at data.subset and data.split, and at what is labelled (gonio data info): a sample "
    "needs a labelled keypoint and a box or two keypoints."
)
