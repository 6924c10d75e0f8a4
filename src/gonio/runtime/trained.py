"""The card of a network that Gonio trained: it follows from what the recipe says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from gonio.errors import ConfigError, UnknownNameError
from gonio.runtime.cards import (
    Card,
    CropSpec,
    InputSpec,
    OutputKind,
    OutputSpec,
    Training,
    card_path,
    load_card,
)
from gonio.runtime.sources import sha256_of
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gonio.datasets.sampling import InputSettings
    from gonio.datasets.targets import TargetSettings
    from gonio.skeletons import Skeleton

_KINDS: Final[dict[str, OutputKind]] = {
    "gaussian": "heatmap",
    "disc": "heatmap",
    "locref": "heatmap",
    "simcc": "simcc",
    "coords": "coords",
}


def card_for_network(
    name: str,
    skeleton: Skeleton,
    *,
    input: InputSettings,  # noqa: A002 (the recipe's word)
    target: TargetSettings,
    kind: str,
    stride: float | None,
    roles: Iterable[str],
    training: Training | None = None,
    version: str = "",
) -> Card:
    """Write the card of a network trained by a recipe.

    Parameters
    ----------
    name
        The model's: lower-case letters, digits, ``. _ -``.
    skeleton
        What it finds. One that is not built in is written whole into the card.
    input, target
        The recipe's: what the network takes and what it learned.
    kind, stride, roles
        The network's: kind of output; input pixels per cell (SimCC: per bin), None without
        cells; its outputs, which have the roles' names in the exported file.
    training
        Command, seed and hash of the data.
    version
        The model's.

    Returns
    -------
    Card
        Of an exported file, activations applied; its hash is not yet known.

    Raises
    ------
    ConfigError
        If the network's outputs are not what the recipe trains.
    """
    given = list(roles)
    needed = {"simcc": ("x", "y"), "coords": ("coords",)}.get(target.kind, ("heatmap",))
    needed = (*needed, "locref") if target.kind == "locref" else needed
    lacking = [role for role in needed if role not in given]
    if _KINDS[target.kind] != kind or lacking:
        raise ConfigError(
            f"target.kind: '{target.kind}' needs a network with the outputs {', '.join(needed)}; "
            f"this one has {', '.join(given)}"
        )
    expected = {"heatmap": target.stride, "simcc": 1 / target.ratio}.get(kind)
    if expected is not None and (stride is None or not math.isclose(stride, expected)):
        key, value = (
            ("target.ratio", target.ratio) if kind == "simcc" else ("target.stride", expected)
        )
        raise ConfigError(
            f"{key}: {value:g} does not fit the network, whose cells are {stride} input pixels wide"
        )
    return Card(
        name=name,
        version=version,
        task="pose",
        skeleton=skeleton.name if _is_built_in(skeleton) else skeleton,
        input=_input_spec(input),
        filters=input.filters,
        output=_output_spec(target, _KINDS[target.kind], stride, given),
        training=training,
    )


def needs_export(folder: Path) -> bool:
    """Say whether a folder is a run's whose ``model.onnx`` is missing or not that of its weights.

    Times of files do not tell: a copied folder's are those of copying.

    Raises
    ------
    ConfigError
        If the card cannot be read.
    OSError
        If the weights cannot be read.
    """
    weights, file = folder / "model.safetensors", folder / "model.onnx"
    if not weights.is_file():
        return False
    if not file.is_file() or not card_path(file).is_file():
        return True
    training = load_card(card_path(file)).training
    return training is None or training.weights_sha256 != sha256_of(weights)


def _input_spec(settings: InputSettings) -> InputSpec:
    crop = settings.crop
    return InputSpec(
        width=settings.width,
        height=settings.height,
        channels=settings.channels,
        mean=settings.mean,
        std=settings.std,
        scale=settings.scale,
        crop=CropSpec(source=crop.source, padding=crop.padding, fill=crop.fill),
    )


def _output_spec(
    target: TargetSettings, kind: OutputKind, stride: float | None, roles: Iterable[str]
) -> OutputSpec:
    unlike_others: dict[str, Any] = {
        "gaussian": {"sigma": target.sigma},
        "disc": {"radius": target.radius},
        "locref": {"locref_stdev_px": target.stdev_px},
        "simcc": {"peak": _simcc_peak(target.simcc_sigma)},
    }.get(target.kind, {})
    names = {role: role for role in roles}
    return OutputSpec(kind=kind, stride=stride, names=names, **unlike_others)


def _simcc_peak(sigma: float) -> float:
    """Return the highest bin of a Gaussian of sum 1: what a sure network gives."""
    return min(1.0, 1 / (math.sqrt(2 * math.pi) * sigma))


def _is_built_in(skeleton: Skeleton) -> bool:
    try:
        return load_skeleton(skeleton.name) == skeleton
    except (UnknownNameError, ConfigError):
        return False
