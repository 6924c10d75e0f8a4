"""The network of a run, built from its recipe and filled with its best weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from gonio.errors import ConfigError, InputError, ModelError
from gonio.formats.whole import whole_file
from gonio.networks import build_network
from gonio.runtime.cards import Card, card_path, dump_card, load_card
from gonio.training.recipe import Recipe, load_recipe
from gonio.training.run_folder import RECIPE_YAML, is_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from gonio.networks import PoseNetwork

WEIGHTS: Final = "model.safetensors"


class TrainedModel(NamedTuple):
    """A network with its best weights, ready to be asked.

    Attributes
    ----------
    network
        On the CPU, for inference.
    card
        What it takes and gives.
    recipe
        What it was trained by.
    """

    network: PoseNetwork
    card: Card
    recipe: Recipe


def make_network(recipe: Recipe, keypoints: int, *, pretrained: bool = True) -> PoseNetwork:
    """Build a recipe's network; its seed gives the weights.

    Parameters
    ----------
    recipe
        The recipe.
    keypoints
        How many keypoints it finds.
    pretrained
        Whether the backbone's published weights are fetched where the recipe asks for them.

    Raises
    ------
    ConfigError
        If an option is unknown or wrong, or the input's size does not suit the network.
    ModelError
        If a file of weights does not fit.
    """
    torch.manual_seed(recipe.seed)
    network = build_network(
        recipe.network.builder,
        keypoints=keypoints,
        input_wh=recipe.input.wh,
        in_channels=recipe.input.channel_count,
        pretrained=recipe.network.pretrained if pretrained else False,
        **recipe.network.options,
    )
    if recipe.augmentation.window is not None and not network.takes_any_size:
        raise ConfigError(
            "augmentation.window: this network takes images of one size only. Leave the window "
            "out, or choose a network of maps without attention."
        )
    return network


def write_model(folder: Path, weights: Mapping[str, Tensor], card: Card) -> None:
    """Write a run's best weights and its card.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    with whole_file(folder / WEIGHTS) as part:
        save_file({name: value.contiguous() for name, value in weights.items()}, part)
    with whole_file(card_path(folder / WEIGHTS)) as part:
        part.write_text(dump_card(card), encoding="utf-8")


def load_run(folder: Path) -> TrainedModel:
    """Load the network of a run, with the weights of its best epoch.

    Parameters
    ----------
    folder
        The run's.

    Returns
    -------
    TrainedModel

    Raises
    ------
    InputError
        If the folder is no run's, or its training has not completed an epoch.
    ModelError
        If the weights are damaged or do not fit the recipe.
    """
    if not is_run(folder):
        raise InputError(f"'{folder}': not the folder of a run (gonio train makes one)")
    file = folder / WEIGHTS
    if not file.is_file():
        raise InputError(f"'{folder}': holds no trained network yet. Go on with --resume.")
    recipe, card = load_recipe(folder / RECIPE_YAML), load_card(card_path(file))
    network = make_network(recipe, len(card.load_skeleton().keypoints), pretrained=False)
    try:
        network.load_state_dict(load_file(file))
    except (SafetensorError, OSError, RuntimeError) as error:
        told = str(error).strip().splitlines()[0]
        raise ModelError(f"'{file}': does not hold the recipe's network ({told})") from error
    return TrainedModel(network.eval(), card, recipe)
