"""The labels a run was trained on, and the part of them that it held back.

The run's own recipe says how they were chosen and split; the same steps as in training are
taken again, without torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml

from gonio.configs import check_config, load_yaml
from gonio.datasets import DataSettings, choose_people, data_sha256, read_set, share_out
from gonio.errors import ConfigError, InputError
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.labels import Labels
    from gonio.skeletons import Skeleton

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
    data
        What the recipe says about data.
    skeleton
        What the labels were mapped to; None: their own.
    sha256
        Of the labels and images as they were read; empty where the run does not say.
    """

    run: Path
    path: Path
    data: DataSettings
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
        whole = read_set(
            self.data,
            path or self.path,
            images=images or self.data.images,
            skeleton=self._skeleton(),
        )
        moved = path is not None and path.resolve() != self.path.resolve()
        if moved and self.sha256 and data_sha256(whole) != self.sha256:
            raise InputError(
                f"--split: '{path}' is not what '{self.run}' was trained on, so its parts are "
                "not the run's. Leave --split out to evaluate all of it."
            )
        parts = share_out(self.data, whole)
        if name == "all":
            chosen = choose_people(self.data, whole)
            if self.data.validation is not None:
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
            there = ", ".join(part for part in PARTS if part in parts)
            raise InputError(f"--split {name}: '{self.run}' has no such part (it has: {there})")
        return parts[name], name

    def _skeleton(self) -> Skeleton | None:
        return load_skeleton(self.skeleton) if self.skeleton else None


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
        data, skeleton = recipe["data"], recipe["skeleton"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise ConfigError(f"'{file}': not the recipe of a run ({error!r})") from error
    settings = check_config(data, DataSettings, f"recipe '{file}': data")
    if settings.path is None:
        return None
    return RunData(run, settings.path, settings, skeleton, _sha256(run))


def _sha256(run: Path) -> str:
    try:
        facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
        return str(facts.get("data_sha256") or "")
    except (OSError, ValueError, AttributeError):
        return ""
