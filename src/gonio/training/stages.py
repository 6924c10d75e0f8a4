"""Stretches of a training in which some parts of the network stand still.

Epochs are numbered through; a stage begins with a fresh optimizer and a fresh schedule, as if it
were a training of its own, and with the weights of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonio.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from gonio.training.recipe import Recipe


@dataclass(frozen=True)
class Stage:
    """One stretch.

    Attributes
    ----------
    index
        Its place among the stages.
    start, end
        First epoch, and the one after the last.
    train
        Names of the parts that learn; empty: all but ``freeze``.
    freeze
        Names of the parts that do not.
    roles
        Outputs whose loss counts; empty: all.
    lr
        Learning rate before the schedule's factor.
    """

    index: int
    start: int
    end: int
    train: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    lr: float = 1e-3


def plan_stages(recipe: Recipe) -> list[Stage]:
    """Lay the recipe's stages out over the epochs; one that learns everything where it has none.

    Parameters
    ----------
    recipe
        The recipe. Stages beyond ``trainer.epochs`` are left out.
    """
    lr, total = recipe.optimizer.lr, recipe.epochs
    if not recipe.stages:
        return [Stage(0, 0, total, lr=lr)]
    stages, start = [], 0
    for i, asked in enumerate(recipe.stages):
        end = min(start + asked.epochs, total)
        if start < end:
            rate = lr if asked.lr is None else asked.lr
            stages.append(Stage(i, start, end, asked.train, asked.freeze, asked.roles, rate))
        start = end
    return stages


def stage_of(stages: Sequence[Stage], epoch: int) -> Stage:
    """Return the stage an epoch belongs to; the last one's beyond the end."""
    return next((stage for stage in stages if stage.start <= epoch < stage.end), stages[-1])


def apply_stage(network: nn.Module, stage: Stage) -> None:
    """Freeze what the stage freezes, and let all else learn.

    A frozen part's batch normalization keeps its means and variances, and its dropout rests.

    Parameters
    ----------
    network
        Its weights' ``requires_grad`` and its modules' modes are changed.
    stage
        What learns.

    Raises
    ------
    UnknownNameError
        If the network has no part of a name.
    ConfigError
        If nothing is left to learn.
    """
    where = f"stages.{stage.index}"
    network.train()
    network.requires_grad_(requires_grad=True)
    if stage.train:
        network.eval()
        network.requires_grad_(requires_grad=False)
        for name in stage.train:
            part = named_part(network, name, f"{where}.train")
            part.train()
            part.requires_grad_(requires_grad=True)
    for name in stage.freeze:
        part = named_part(network, name, f"{where}.freeze")
        part.eval()
        part.requires_grad_(requires_grad=False)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError(f"{where}: freezes everything; leave something to train")


def named_part(network: nn.Module, name: str, where: str) -> nn.Module:
    """Return a part of the network: one of its ``parts``, or a module within (``backbone.layer1``).

    Raises
    ------
    UnknownNameError
        Naming the part that was probably meant.
    """
    known = [path for path, _ in network.named_modules() if path]
    if name not in known:
        near = [path for path in known if path.count(".") <= name.count(".")]
        raise UnknownNameError("part", name, near, where=where)
    return network.get_submodule(name)
