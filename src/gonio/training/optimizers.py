"""Optimizers by name, with a learning rate of its own for each part that has a factor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

from gonio.training.stages import named_part

if TYPE_CHECKING:
    from gonio.training.settings import OptimizerSettings

_CLASSES: Final[dict[str, type[torch.optim.Optimizer]]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
}
_OPTIONS: Final = ("betas", "eps", "momentum", "nesterov", "alpha")


def make_optimizer(network: nn.Module, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """Build an optimizer of all weights; those that are frozen have no gradient and stand still.

    Parameters
    ----------
    network
        Whose weights.
    settings
        Which optimizer. Each of its groups keeps its factor as ``lr_factor``.

    Returns
    -------
    Optimizer

    Raises
    ------
    UnknownNameError
        If ``lr_factors`` names a part the network does not have.
    """
    options: dict[str, Any] = {
        option: getattr(settings, option)
        for option in _OPTIONS
        if getattr(settings, option) is not None
    }
    make: Any = _CLASSES[settings.name]
    return make(  # type: ignore[no-any-return] # one of torch's own
        _groups(network, settings), lr=settings.lr, weight_decay=settings.weight_decay, **options
    )


def _groups(network: nn.Module, settings: OptimizerSettings) -> list[dict[str, Any]]:
    # The most exact name wins: 'backbone.layer1' before 'backbone'.
    names = sorted(settings.lr_factors, key=len, reverse=True)
    parts = {
        name: set(named_part(network, name, "optimizer.lr_factors").parameters()) for name in names
    }
    groups: dict[str | None, list[nn.Parameter]] = {name: [] for name in (*names, None)}
    for parameter in network.parameters():
        home = next((name for name in names if parameter in parts[name]), None)
        groups[home].append(parameter)
    return [
        {"params": members, "lr_factor": settings.lr_factors[name] if name is not None else 1.0}
        for name, members in groups.items()
        if members
    ]


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give every group the learning rate times its factor."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_factor"]
