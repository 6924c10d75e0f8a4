"""Training: recipes, samples for torch, losses, stages, the fit, and the folder of a run (torch).

:func:`train` goes the whole way. What is random follows from seed, epoch and index alone: a
training that was interrupted and resumed gives the same numbers as one that was not, whatever
the number of workers.
"""

from __future__ import annotations

from gonio.training.failures import NonFiniteError
from gonio.training.fit import TrainingRun, train
from gonio.training.models import TrainedModel, load_run
from gonio.training.recipe import Recipe, dump_recipe, load_recipe, make_recipe, recipe_names
from gonio.training.run_folder import find_unfinished, is_run, read_metrics, read_run
from gonio.training.watching import Moment

__all__ = [
    "Moment",
    "NonFiniteError",
    "Recipe",
    "TrainedModel",
    "TrainingRun",
    "dump_recipe",
    "find_unfinished",
    "is_run",
    "load_recipe",
    "load_run",
    "make_recipe",
    "read_metrics",
    "read_run",
    "recipe_names",
    "train",
]
