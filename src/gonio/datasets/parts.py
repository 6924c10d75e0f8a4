"""Which labelled people a network learns from, and which are kept back to judge it.

A recipe's words about data, and the steps they ask for. Training and evaluation take the same
ones, so that a run is judged by people it has never seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from gonio.configs import Settings
from gonio.datasets.boxes import boxes_from_keypoints
from gonio.datasets.faults import drop_faults, mask_faults
from gonio.datasets.splits import load_split, split_labels
from gonio.datasets.subsets import restrict_skeleton, subset_people
from gonio.formats.labels import read_labels, with_sizes

if TYPE_CHECKING:
    from gonio.labels import Labels
    from gonio.skeletons import Skeleton

Part = Literal["train", "validation", "test"]
_SHARES: Final[dict[Part, float]] = {"train": 0.8, "validation": 0.2}


class SplitSettings(Settings):
    """How labels are shared out, so that no copy of an image is on two sides.

    Attributes
    ----------
    fractions
        Part → share of it: ``train`` and ``validation``, ``test`` where some are kept back. A
        part that a recipe inherits and does not want is set to null.
    file
        A split that was written down, instead of drawn: part → names of images.
    by
        What stays together: an image, a recording, or a person.
    seed
        Of the draw. It is not the recipe's, so that several seeds train on the same images.
    """

    fractions: dict[Part, float] = _SHARES
    file: Path | None = None
    by: Literal["image", "video", "subject"] = "image"
    seed: int = 0

    @field_validator("fractions", mode="before")
    @classmethod
    def _without_null(cls, shares: Any) -> Any:
        return (
            {k: v for k, v in shares.items() if v is not None}
            if isinstance(shares, dict)
            else shares
        )

    @model_validator(mode="after")
    def _shares_make_a_whole(self) -> Self:
        if "train" not in self.fractions:
            raise ValueError("fractions: nothing is left to train on; give 'train' a share")
        if not all(0 < share <= 1 for share in self.fractions.values()):
            raise ValueError("fractions: each must lie above 0 and at most at 1")
        if sum(self.fractions.values()) > 1 + 1e-9:
            raise ValueError("fractions: together they exceed 1")
        return self


class BoxSettings(Settings):
    """Boxes made anew from the keypoints: their extent and a buffer.

    Attributes
    ----------
    buffer_px
        Added on each side, pixels.
    buffer
        Added on each side, as a fraction of the box's side.
    """

    buffer_px: float = Field(default=0.0, ge=0)
    buffer: float = Field(default=0.0, ge=0)


class SubsetSettings(Settings):
    """Which people take part; all where nothing is said.

    Attributes
    ----------
    people
        At most so many, drawn by ``seed``.
    visible, labelled
        Keypoints that must be visible or labelled.
    min_area_px2, max_area_px2
        Bounds of a person's area.
    seed
        Of the draw.
    """

    people: int | None = Field(default=None, gt=0)
    visible: tuple[str, ...] = ()
    labelled: tuple[str, ...] = ()
    min_area_px2: float | None = None
    max_area_px2: float | None = None
    seed: int = 0


class DataSettings(Settings):
    """Where labels come from.

    Attributes
    ----------
    path
        File or folder of the labels; ``data=PATH`` on the command line.
    format
        Its format; None: found out.
    images
        Folder of the images where they do not lie beside the labels.
    validation
        Labels of their own for validation; then nothing is split off.
    validation_images
        Folder of their images.
    split
        How labels are shared out; None: all are trained on.
    boxes
        Boxes made from the keypoints; None: the labels' own, made only where one is missing.
    subset
        Which people take part.
    faults
        What becomes of labels that cannot be right: kept, masked (the keypoint does not count),
        or dropped with their person.
    """

    path: Path | None = None
    format: str | None = None
    images: Path | None = None
    validation: Path | None = None
    validation_images: Path | None = None
    split: SplitSettings | None = SplitSettings()
    boxes: BoxSettings | None = None
    subset: SubsetSettings | None = None
    faults: Literal["keep", "mask", "drop"] = "keep"

    def anchored(self, folder: Path) -> Self:
        """Return the same with paths that hold from everywhere: relative ones begin in a folder."""
        names = ("path", "images", "validation", "validation_images")
        paths = {n: _from(folder, getattr(self, n)) for n in names}
        split = self.split
        if split is not None and split.file is not None:
            split = split.model_copy(update={"file": _from(folder, split.file)})
        return self.model_copy(update={**paths, "split": split})


def _from(folder: Path, path: Path | None) -> Path | None:
    return None if path is None else folder.resolve() / path.expanduser()


def read_set(
    data: DataSettings, path: Path, *, images: Path | None = None, skeleton: Skeleton | None = None
) -> Labels:
    """Read labels, mapped to a skeleton, with the images' sizes.

    Parameters
    ----------
    data
        Names the format.
    path, images
        The labels, and the folder of their images where they do not lie beside.
    skeleton
        What their keypoints are mapped to by name; None: they stay as they are.

    Raises
    ------
    InputError
        If labels are missing or broken.
    """
    labels = read_labels(path, format=data.format, images=images)
    if skeleton is not None and labels.skeleton != skeleton:
        labels = restrict_skeleton(labels, skeleton)
    return with_sizes(labels)


def choose_people(data: DataSettings, labels: Labels) -> Labels:
    """Return the people who take part, faults and boxes seen to; images without any go.

    Parameters
    ----------
    data
        Says who takes part.
    labels
        As read.

    Raises
    ------
    UnknownNameError
        If ``subset`` names a keypoint that does not exist.
    InputError
        If nobody takes part.
    """
    if data.faults != "keep":
        labels = mask_faults(labels) if data.faults == "mask" else drop_faults(labels)
    if data.subset is not None:
        labels = subset_people(labels, **data.subset.model_dump())
    if data.boxes is not None:
        labels = boxes_from_keypoints(labels, **data.boxes.model_dump())
    return labels.take(np.arange(len(labels)))


def share_out(data: DataSettings, labels: Labels) -> dict[str, Labels]:
    """Choose people and share them out.

    Parameters
    ----------
    data
        Says how; where it names labels for validation of their own, these are read.
    labels
        As read.

    Returns
    -------
    dict
        ``train``, and what there is of ``validation`` and ``test``.

    Raises
    ------
    InputError
        If a part would be empty, or labels for validation are missing or broken.
    """
    chosen = choose_people(data, labels)
    if data.validation is not None:
        own = read_set(
            data, data.validation, images=data.validation_images, skeleton=labels.skeleton
        )
        return {"train": chosen, "validation": choose_people(data, own)}
    split = data.split
    if split is None:
        return {"train": chosen}
    if split.file is not None:
        return load_split(split.file, chosen)
    shares = {str(part): share for part, share in split.fractions.items()}
    return split_labels(chosen, shares, by=split.by, seed=split.seed)
