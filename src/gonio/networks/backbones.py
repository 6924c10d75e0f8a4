"""Backbones: any of timm's that give feature maps, from scratch or from pretrained weights."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import timm
import torch
from torch import nn

from gonio.errors import ConfigError, GonioWarning, OfflineError, UnknownNameError
from gonio.networks.hub import fetch_weights
from gonio.networks.weights import load_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonio.networks.spec import Task


class Level(NamedTuple):
    """One of a backbone's maps: its channels, and the input pixels a cell of it covers."""

    channels: int
    stride: int


def timm_backbone(
    name: str,
    task: Task,
    *,
    levels: tuple[int, ...],
    trim: Callable[[nn.Module], None] | None = None,
    **options: Any,
) -> tuple[nn.Module, list[Level]]:
    """Build one of timm's backbones that gives some of its feature maps.

    Parameters
    ----------
    name
        timm's, with or without the tag of its weights: ``resnet18``, ``resnet18.a1_in1k``.
    task
        What it is for: size and channels of the image, and whether it starts pretrained.
    levels
        Which maps, by timm's numbers, fine to coarse; −1 is the coarsest.
    trim
        Called with the backbone to take away what the network does not use.
    **options
        timm's own for this backbone, such as ``output_stride``.

    Returns
    -------
    backbone : nn.Module
        Image ``(N, C, H, W)`` → list of maps ``(N, F, h, w)``.
    levels : list of Level
        What it gives.

    Raises
    ------
    UnknownNameError
        If timm has no such backbone.
    ConfigError
        If it gives no maps of that kind, or cannot take images of that size.
    ModelError
        If the file of weights cannot be read or does not fit.
    """
    where = task.where
    _require_known(name, where)
    options |= {"out_indices": levels, "in_chans": task.in_channels}
    backbone = _pretrained(name, options, where) if task.pretrained is True else None
    if backbone is None:
        backbone = _create(name, options, where)
    known = set(backbone.state_dict())
    if trim is not None:
        trim(backbone)
    if isinstance(task.pretrained, Path):
        load_weights(backbone, task.pretrained, known=known)
    info: Any = backbone.feature_info
    given = [Level(*pair) for pair in zip(info.channels(), info.reduction(), strict=True)]
    task.require_multiple(given[-1].stride)
    _check_maps(backbone, name, task, given)
    return backbone, given


def _require_known(name: str, where: str) -> None:
    if not timm.is_model(name):
        raise UnknownNameError("backbone", name, timm.list_models(), where=where)
    architecture, _, tag = name.partition(".")
    tags = [n.partition(".")[2] for n in timm.list_models(f"{architecture}.*", pretrained=True)]
    if tag and tag not in tags:
        told = f"{where}: backbone '{architecture}'"
        raise UnknownNameError("weights", tag, tags, where=told)


def _create(name: str, options: dict[str, Any], where: str, **pretrained: Any) -> nn.Module:
    try:
        backbone: nn.Module = timm.create_model(name, features_only=True, **pretrained, **options)
    # timm says in many ways that a backbone lacks an option; all of them mean the same here.
    except (AssertionError, AttributeError, IndexError, TypeError, ValueError) as error:
        told = ", ".join(f"{key}={value}" for key, value in options.items())
        reason = f": {error}" if str(error) else ""
        raise ConfigError(
            f"{where}: backbone '{name}' cannot be built with {told}{reason}. "
            "Choose another, such as resnet18."
        ) from error
    return backbone


def _pretrained(name: str, options: dict[str, Any], where: str) -> nn.Module | None:
    """Return the backbone with timm's weights; None, with a warning, where out of reach."""
    try:
        weights = fetch_weights(name)
    except OfflineError as error:
        message = f"{where}: backbone '{name}' starts from scratch: {error}"
        warnings.warn(message, GonioWarning, stacklevel=5)
        return None
    overlay = {"state_dict": weights}
    return _create(name, options, where, pretrained=True, pretrained_cfg_overlay=overlay)


def _check_maps(backbone: nn.Module, name: str, task: Task, levels: list[Level]) -> None:
    """Send an image through a copy without memory, and see whether the maps are as declared."""
    width, height = task.input_wh
    ghost = copy.deepcopy(backbone).to("meta").eval()
    try:
        with torch.no_grad():
            maps = ghost(torch.empty(1, task.in_channels, height, width, device="meta"))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"{task.where}: backbone '{name}' cannot take images of "
            f"{width} × {height} px ({error}). Choose another, such as resnet18."
        ) from error
    expected = [(1, c, height // stride, width // stride) for c, stride in levels]
    found = [tuple(m.shape) for m in maps]
    if found != expected:
        raise ConfigError(
            f"{task.where}: backbone '{name}' gives maps of shape {found} where "
            f"{expected} were expected (batch, channels, height, width). "
            "Choose another, such as resnet18."
        )
