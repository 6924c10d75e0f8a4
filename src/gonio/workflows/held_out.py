"""The labels a run was trained on, and the part of them that it held back.

The run's own recipe says how they were chosen and split; the same steps as in training are
taken again, without torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from gonio.configs import load_yaml
from gonio.datasets import (
    boxes_from_keypoints,
    data_sha256,
    drop_faults,
    load_split,
    mask_faults,
    restrict_skeleton,
    split_labels,
    subset_people,
)
from gonio.errors import ConfigError, InputError
from gonio.formats.labels import read_labels, with_sizes
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
    from gonio.labels import Labels

PARTS: Final = ("test", "validation", "train")
"""A run's parts; of those that are there the first is what it held back most strictly."""


@dataclass(frozen=True)
class RunData:
    """What a run's recipe says about its labels.

    Attributes
    ----------
    run
        The run's folder.
    path
        The labels.
    values
        The recipe's ``data``.
    skeleton
        What the labels were mapped to; None: their own.
    sha256
        Of the labels and images as they were read; empty where the run does not say.
    """

    run: Path
    path: Path
    values: dict[str, Any]
    skeleton: str | None
    sha256: str

    def part(
        self, name: str | None, *, path: Path | None = None, images: Path | None = None
    ) -> tuple[Labels, str]:
        """Return a part of the labels, as the training chose them.

        Parameters
        ----------
        name
            ``test``, ``validation``, ``train``, ``all``; None: the test part, else the
            validation part.
        path, images
            Where the labels and their images lie now, if not where the recipe says.

        Returns
        -------
        labels, name
            The part and which one it is.

        Raises
        ------
        InputError
            If the run has no such part, held nothing back, or the labels at ``path`` are not
            those it was trained on.
        """
        images = images or _path(self.values.get("images"))
        whole = self._read(path or self.path, images)
        moved = path is not None and path.resolve() != self.path.resolve()
        if moved and self.sha256 and data_sha256(whole) != self.sha256:
            raise InputError(
                f"--split: '{path}' is not what '{self.run}' was trained on, so its parts are "
                "not the run's. Leave --split out to evaluate all of it."
            )
        parts = self._parts(whole)
        if name == "all":
            chosen = self._choose(whole)
            if self.values.get("validation"):
                raise InputError(
                    "--split all: the run's validation labels are a file of their own. "
                    "Evaluate one part, or name a file of labels."
                )
            return chosen, "all"
        if name is None:
            name = next((part for part in PARTS if part in parts), "train")
            if name == "train":
                raise InputError(
                    f"'{self.run}': nothing of its data was held back. Evaluate other labels, or "
                    "what it was trained on: --split train"
                )
        if name not in parts:
            raise InputError(
                f"--split {name}: '{self.run}' has no such part (it has: {', '.join(parts)})"
            )
        return parts[name], name

    def _parts(self, whole: Labels) -> dict[str, Labels]:
        split, validation = self.values.get("split"), self.values.get("validation")
        chosen = self._choose(whole)
        if validation is not None:
            folder = _path(self.values.get("validation_images"))
            own = self._read(Path(validation), folder, chosen)
            return {"validation": self._choose(own), "train": chosen}
        if split is None:
            return {"train": chosen}
        if split.get("file") is not None:
            parts = load_split(Path(split["file"]), chosen)
        else:
            parts = split_labels(chosen, split["fractions"], by=split["by"], seed=split["seed"])
        return {name: parts[name] for name in PARTS if name in parts}

    def _read(self, path: Path, images: Path | None, like: Labels | None = None) -> Labels:
        labels = read_labels(path, format=self.values.get("format"), images=images)
        skeleton = like.skeleton if like is not None else None
        if skeleton is None and self.skeleton:
            skeleton = load_skeleton(self.skeleton)
        if skeleton is not None and labels.skeleton != skeleton:
            labels = restrict_skeleton(labels, skeleton)
        return with_sizes(labels)

    def _choose(self, labels: Labels) -> Labels:
        faults, values = self.values.get("faults", "keep"), self.values
        if faults != "keep":
            labels = mask_faults(labels) if faults == "mask" else drop_faults(labels)
        if values.get("subset") is not None:
            labels = subset_people(labels, **values["subset"])
        if values.get("boxes") is not None:
            labels = boxes_from_keypoints(labels, **values["boxes"])
        return labels.take(np.arange(len(labels)))


def read_run_data(run: Path) -> RunData | None:
    """Read what a run was trained on.

    Parameters
    ----------
    run
        A run's folder.

    Returns
    -------
    RunData or None
        None where the folder holds no recipe, or one that names no data.

    Raises
    ------
    ConfigError
        If the recipe cannot be read.
    """
    file = run / "recipe.yaml"
    if not file.is_file():
        return None
    try:
        recipe = load_yaml(file.read_text(encoding="utf-8"))
        data = recipe["data"]
        path = data["path"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise ConfigError(f"'{file}': not the recipe of a run ({error!r})") from error
    if path is None:
        return None
    return RunData(run, Path(path), data, recipe.get("skeleton"), _sha256(run))


def _sha256(run: Path) -> str:
    try:
        facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
        return str(facts.get("data_sha256") or "")
    except (OSError, ValueError, AttributeError):
        return ""


def _path(value: str | None) -> Path | None:
    return None if value is None else Path(value)
