"""``gonio train``: a recipe in, a run's folder with a model file out."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gonio.configs import parse_overrides
from gonio.errors import ConfigError, InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonio.training import Moment, Recipe
    from gonio.training.run_folder import RunFolder

_SHORT: Final = {"data": "data.path"}
_SHOWN: Final = ("epoch", "loss", "val_loss")
_NOT_SHOWN: Final = ("seconds", "time", "step")


@dataclass(frozen=True)
class TrainSettings:
    """Settings of ``gonio train``.

    Attributes
    ----------
    recipe
        Name or YAML file of a recipe; with ``resume`` also the folder of a run.
    overrides
        ``key=value`` texts that replace the recipe's; ``data=PATH`` is short for
        ``data.path=PATH``.
    out
        Folder of runs.
    resume
        Go on with the recipe's newest unfinished run, or with the one that ``recipe`` names;
        where there is none, a new one begins.
    device
        ``auto``, ``cpu``, ``cuda``, ``coreml``.
    command
        How it was called, for the record.
    """

    recipe: str
    overrides: tuple[str, ...] = ()
    out: Path = Path("runs")
    resume: bool = False
    device: str = "auto"
    command: str = ""


@dataclass(frozen=True)
class TrainResult:
    """What a training left.

    Attributes
    ----------
    folder
        The run's.
    recipe
        Its name.
    status
        ``done``; ``stopped`` early for lack of improvement; ``interrupted``.
    epochs
        Epochs that are complete.
    metrics
        The best epoch's numbers, by the columns of ``metrics.csv``.
    model
        The model file; None where the training was interrupted.
    resumed
        Whether an earlier run was gone on with.
    is_first
        False in all but the first of several processes.
    wall_s
        Seconds this call took.
    """

    folder: Path
    recipe: str
    status: str
    epochs: int
    metrics: dict[str, Any]
    model: Path | None
    resumed: bool
    is_first: bool
    wall_s: float

    def title(self) -> str:
        """Say in one line what was trained and for how long."""
        best = f", best after {self.metrics['epoch'] + 1}" if self.metrics else ""
        words = {"done": "trained", "stopped": "stopped early", "interrupted": "interrupted"}
        count = f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        return f"{self.recipe}: {words[self.status]} after {count}{best} ({self.wall_s:.0f} s)"

    def rows(self) -> list[list[str]]:
        """Return the best epoch's numbers as rows of name and value."""
        return [
            [name, f"{value:.4g}" if isinstance(value, float) else str(value)]
            for name, value in self.metrics.items()
            if value is not None and not name.endswith(_NOT_SHOWN)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "run": str(self.folder),
            "recipe": self.recipe,
            "status": self.status,
            "epochs": self.epochs,
            "best": {name: _plain(value) for name, value in self.metrics.items()},
            "model": None if self.model is None else str(self.model),
            "wall_s": self.wall_s,
        }


def train(settings: TrainSettings, *, watch: Callable[[Moment], None] | None = None) -> TrainResult:
    """Train a network by a recipe, and write it as a model that needs no torch.

    Parameters
    ----------
    settings
        What and how.
    watch
        Called as the work goes on.

    Returns
    -------
    TrainResult

    Raises
    ------
    MissingExtraError
        If torch or what goes with it is not installed.
    ConfigError
        If the recipe is unknown, wrong, or not the one of the run to go on with.
    InputError, ModelError, OutputError
        See :func:`gonio.training.train`.
    """
    training = _training()
    began = time.perf_counter()
    recipe, resumed = _find(settings)
    run = training.train(
        recipe,
        out=settings.out,
        resume=resumed,
        device=settings.device,
        command=settings.command,
        watch=watch,
    )
    model = None
    if run.is_first and run.status != "interrupted" and (run.folder / "model.safetensors").exists():
        model = _export(run.folder, watch)
    return TrainResult(
        folder=run.folder,
        recipe=recipe.name,
        status=run.status,
        epochs=_epochs(run.folder),
        metrics=run.metrics,
        model=model,
        resumed=resumed is not None,
        is_first=run.is_first,
        wall_s=time.perf_counter() - began,
    )


def _find(settings: TrainSettings) -> tuple[Recipe, Path | None]:
    """Return the recipe, and the folder of the run to go on with."""
    from gonio.training import find_unfinished, is_run, load_recipe

    overrides = parse_overrides(settings.overrides, short_for=_SHORT)
    folder = Path(settings.recipe)
    if is_run(folder):
        if not settings.resume:
            raise ConfigError(f"'{folder}' is a run. To go on with it, add --resume.")
        if overrides:
            raise ConfigError(
                f"'{folder}': a run goes on by its own recipe; leave out "
                f"{' '.join(settings.overrides)}"
            )
        return _unfinished(folder), folder
    recipe = load_recipe(settings.recipe, overrides).anchored(Path())
    found = find_unfinished(settings.out, recipe.name) if settings.resume else None
    if found is None:
        return recipe, None
    theirs = _unfinished(found)
    if theirs != recipe:
        keys = ", ".join(_differences(theirs.model_dump(), recipe.model_dump()))
        raise ConfigError(
            f"--resume: '{found}' was begun by another recipe ({keys}). Give the same settings, "
            f"or name the run: gonio train {found} --resume"
        )
    return theirs, found


def _unfinished(folder: Path) -> Recipe:
    from gonio.training import load_recipe, read_run
    from gonio.training.run_folder import RECIPE_YAML, UNFINISHED

    status = read_run(folder).get("status")
    if status not in UNFINISHED:
        raise InputError(f"'{folder}': is {status}; there is nothing to go on with")
    return load_recipe(folder / RECIPE_YAML)


def _differences(one: dict[str, Any], two: dict[str, Any], path: str = "") -> Sequence[str]:
    """Return the dotted keys in which two nested mappings differ."""
    keys: list[str] = []
    for key in {**one, **two}:
        a, b = one.get(key), two.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            keys += _differences(a, b, f"{path}{key}.")
        elif a != b:
            keys.append(f"{path}{key}")
    return keys


def _plain(value: Any) -> Any:
    """Return None for a number that JSON cannot hold: a metric of nobody is NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _export(folder: Path, watch: Callable[[Moment], None] | None) -> Path:
    from gonio.training import Moment
    from gonio.workflows.model_files import export

    if watch is not None:
        watch(Moment("Writing model.onnx"))
    return export(folder).model.path


def _epochs(folder: Path) -> int:
    run: RunFolder
    from gonio.training.run_folder import RunFolder

    run = RunFolder.open(folder)
    return len(run.rows)


def _training() -> Any:
    try:
        import gonio.training as wing
    except ImportError as error:
        package = (error.name or "torch").partition(".")[0]
        if package == "gonio":
            raise
        raise MissingExtraError(package, "train") from error
    return wing
