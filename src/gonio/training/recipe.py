"""A recipe: all that a training follows, from data to optimizer; read from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from gonio.configs import ConfigKind, Settings, check_config, dump_config, load_config
from gonio.datasets import AugmentationSettings, DataSettings, InputSettings, TargetSettings
from gonio.training.losses import LossSettings
from gonio.training.settings import (
    NetworkSettings,
    OptimizerSettings,
    SchedulerSettings,
    StageSettings,
    TrainerSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_SKELETON_FILE: Final = ".toml"
RECIPES: Final = ConfigKind("recipe", Path(__file__).parents[1] / "recipes")


class Recipe(Settings):
    """A training, everything it extends resolved.

    Attributes
    ----------
    name
        Of the recipe; its runs are named after it.
    skeleton
        Name or TOML file of the keypoints to learn; labels of another skeleton are mapped by
        their names. None: the labels' own.
    data, input, target, augmentation, network, loss, optimizer, scheduler, trainer
        See their classes. ``loss`` names a loss for each output to be trained; an output set
        to null is left out.
    stages
        Stretches with frozen parts; empty: one in which everything learns.
    seed
        Of weights, order, augmentation and dropout.
    """

    schema_: Literal["gonio.recipe/1"] = Field(default="gonio.recipe/1", alias="schema")
    extends: None = None
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str = ""
    skeleton: str | None = None
    data: DataSettings = DataSettings()
    input: InputSettings
    target: TargetSettings = TargetSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    network: NetworkSettings
    stages: tuple[StageSettings, ...] = ()
    loss: dict[str, LossSettings | None]
    optimizer: OptimizerSettings = OptimizerSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    trainer: TrainerSettings = TrainerSettings()
    seed: int = Field(default=0, ge=0)

    @field_validator("loss")
    @classmethod
    def _left_out(cls, loss: dict[str, LossSettings | None]) -> dict[str, LossSettings | None]:
        kept = {role: settings for role, settings in loss.items() if settings is not None}
        if not kept:
            raise ValueError("no output has a loss; name one (heatmap: {name: mse})")
        return dict(kept)

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not self.stages and self.trainer.epochs is None:
            raise ValueError("trainer.epochs is missing, and no stages say how long they last")
        if self.trainer.validate_every > self.epochs:
            raise ValueError(
                f"trainer.validate_every: with {self.epochs} epochs nothing would be validated"
            )
        return self

    def anchored(self, folder: Path) -> Self:
        """Return the same with paths that hold from everywhere: relative ones begin in a folder."""
        changes: dict[str, Any] = {"data": self.data.anchored(folder)}
        if self.skeleton is not None and is_skeleton_path(self.skeleton):
            changes["skeleton"] = str(folder.resolve() / Path(self.skeleton).expanduser())
        if isinstance(self.network.pretrained, Path):
            file = folder.resolve() / self.network.pretrained.expanduser()
            changes["network"] = self.network.model_copy(update={"pretrained": file})
        return self.model_copy(update=changes)

    @property
    def losses(self) -> dict[str, LossSettings]:
        """The loss of each trained output."""
        return {role: settings for role, settings in self.loss.items() if settings is not None}

    @property
    def epochs(self) -> int:
        """How many epochs there are in all."""
        of_stages = sum(stage.epochs for stage in self.stages)
        cap = self.trainer.epochs
        if not of_stages:
            return cap or 1
        return of_stages if cap is None else min(cap, of_stages)


def is_skeleton_path(text: str) -> bool:
    """Say whether a recipe's ``skeleton`` is a file and not the name of a built-in one."""
    return text.endswith(_SKELETON_FILE) or "/" in text or "\\" in text


def recipe_names() -> list[str]:
    """Return the names of the built-in recipes, sorted."""
    return RECIPES.names()


def load_recipe(name_or_path: str | Path, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Load a built-in recipe by name, or a user's YAML file by path.

    Parameters
    ----------
    name_or_path
        A built-in name, or a path. How ``extends`` works: :func:`gonio.configs.load_config`.
    overrides
        Nested values that replace the file's; see :func:`gonio.configs.parse_overrides`.

    Returns
    -------
    Recipe
        Resolved. A recipe that names nothing is named after its file.

    Raises
    ------
    UnknownNameError
        If no built-in recipe has the name.
    ConfigError
        If a file is missing, is no YAML, says an unknown key or a wrong value, or extends
        itself.
    """
    named = {"name": RECIPES.find(name_or_path).stem.lower()}
    return load_config(name_or_path, Recipe, RECIPES, overrides=overrides, defaults=named)


def make_recipe(values: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """Build a recipe from values; ``where`` begins messages.

    Raises
    ------
    ConfigError
        If a key is unknown or a value does not fit.
    """
    return check_config(values, Recipe, where)


def dump_recipe(recipe: Recipe) -> str:
    """Return a recipe as YAML text that loads to the same recipe."""
    return dump_config(recipe)
