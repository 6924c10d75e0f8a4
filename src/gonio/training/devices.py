"""Where a training runs: checked before anything is read, in words a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from gonio.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonio.training.recipe import Recipe
    from gonio.training.stages import Stage

_ACCELERATORS: Final = {"auto": "auto", "cpu": "cpu", "cuda": "cuda", "coreml": "mps"}


def trainer_devices(recipe: Recipe, device: str) -> dict[str, Any]:
    """Return what Lightning's trainer is told about devices.

    Parameters
    ----------
    recipe
        How many devices and machines, and the precision.
    device
        ``auto``, ``cpu``, ``cuda``, ``coreml``.

    Raises
    ------
    ConfigError
        If the machine has no such device, or not so many, or it cannot compute that precisely.
    """
    asked = recipe.trainer
    accelerator = _accelerator(device)
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(accelerator)
    if there is not None and asked.devices != "auto" and asked.devices > there:
        raise ConfigError(
            f"trainer.devices: {asked.devices} asked for, {there} of '{device}' are there"
        )
    if asked.precision == "16-mixed" and accelerator == "cpu":
        raise ConfigError("trainer.precision: '16-mixed' needs a GPU. On a CPU: bf16-mixed, or 32.")
    devices = "auto" if accelerator == "mps" else asked.devices
    if accelerator == "cpu" and devices == "auto":
        devices = 1
    return {
        "accelerator": accelerator,
        "devices": devices,
        "num_nodes": asked.nodes,
        "precision": "32-true" if asked.precision == "32" else asked.precision,
    }


def strategy(
    recipe: Recipe, stages: Sequence[Stage], roles: Sequence[str], devices: int | str
) -> str:
    """Return how several processes work together.

    Parameters
    ----------
    recipe
        Its number of machines and its losses.
    stages
        The stretches of the training.
    roles
        The network's outputs.
    devices
        How many devices a machine.

    Returns
    -------
    str
        Lightning's name: alone where there is one process; otherwise distributed data, with a
        look for weights without a gradient where some parts stand still or have no loss.
    """
    if devices == 1 and recipe.trainer.nodes == 1:
        return "auto"
    still = len(stages) > 1 or any(s.train or s.freeze or s.roles for s in stages)
    idle = bool(set(roles) - set(recipe.losses))
    return "ddp_find_unused_parameters_true" if still or idle else "ddp"


def _accelerator(device: str) -> str:
    if device not in _ACCELERATORS:
        raise ConfigError(
            f"unknown device '{device}' for training (known: {', '.join(_ACCELERATORS)})"
        )
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    if (device == "cuda" and not cuda) or (device == "coreml" and not mps):
        raise ConfigError(
            f"--device {device}: PyTorch finds no such device here. Leave it out for what there is."
        )
    return _ACCELERATORS[device]
