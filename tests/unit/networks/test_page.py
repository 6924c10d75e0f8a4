"""The documentation's page says what the networks are."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import yaml

from gonio.networks import build_network, builder_options, complexity, network_names
from gonio.networks.spec import NetworkSettings
from gonio.training.losses import LossSettings, loss_names

PAGE = (Path(__file__).resolve().parents[3] / "docs/networks.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    """Return the cells of the table that begins so; an empty first cell repeats the one above."""
    table = PAGE.split(header, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    for above, row in pairwise(found):
        row[0] = row[0] or above[0]
    return found


SIZES = rows("| builder | options | million")


def test_every_network_and_every_loss_stands_on_the_page() -> None:
    assert {row[0].strip("`") for row in SIZES} == set(network_names())
    told = {name for row in rows("| name | |") for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(loss_names())


@pytest.mark.parametrize("row", SIZES, ids=lambda row: f"{row[0]} {row[1]}")
def test_sizes_are_what_is_counted(row: list[str]) -> None:
    options = {}
    for text in re.findall(r"(\w+=[\w.]+)", row[1]):
        key, value = text.split("=")
        options[key] = yaml.safe_load(value)
    with torch.device("meta"):
        network = build_network(row[0].strip("`"), keypoints=17, input_wh=(192, 256), **options)
    found = complexity(network, (3, 256, 192))
    numbers = [f"{found.parameters / 1e6:.2f}", f"{found.flops / 1e9:.1f}", f"{network.stride:g}"]
    assert row[2:5] == numbers


def test_every_option_stands_on_the_page() -> None:
    told = {name for row in rows("| option | builders") for name in re.findall(r"`(\w+)`", row[0])}
    real = {key for name in network_names() for key in builder_options(name).model_fields}
    assert told == real >= set(NetworkSettings.model_fields)


def test_the_examples_can_be_used() -> None:
    first, second = (
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    )
    options = first["network"] | {"pretrained": False}
    assert build_network(keypoints=1, input_wh=(64, 64), **options).stride == 4
    assert [LossSettings(**loss).name for loss in second["loss"].values()] == ["bce", "huber"]
