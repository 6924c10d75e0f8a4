"""Every built-in recipe loads, and its network learns for two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from gonio.configs import parse_overrides
from gonio.datasets import sample_people
from gonio.labels import LabelledImage, make_labels
from gonio.skeletons import load_skeleton
from gonio.training import load_recipe, recipe_names
from gonio.training.data import Key, PoseDataset, collate
from gonio.training.losses import build_losses
from gonio.training.models import make_network
from gonio.training.module import Normalize

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.labels import Labels

SMALL = ("input.width=64", "input.height=64", "network.pretrained=false")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Labels:
    """Two pictures of noise with somebody's keypoints strewn over each."""
    folder: Path = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    skeleton = load_skeleton("coco17")
    images = []
    for i in range(2):
        path = folder / f"{i}.png"
        cv2.imwrite(str(path), rng.integers(0, 255, (96, 96, 3), dtype=np.uint8))
        images.append(LabelledImage(path, 96, 96))
    points = rng.uniform(20, 76, (2, 17, 2))
    boxes = [[10, 10, 76, 76]] * 2
    return make_labels(skeleton, images, [0, 1], points, np.full((2, 17), 2), boxes_px=boxes)


def test_there_is_a_recipe_for_every_network_and_row() -> None:
    assert set(recipe_names()) == {
        "deeplabcut", "dilated-cnn", "dlc-openfield", "hrnet-w18", "hrnet-w32", "hrnet-w48",
        "lower-body", "posture-discs", "resnet-fpn", "resnet-fpn-attention", "simcc",
        "simple-baseline", "simple-baseline-r50",
    }  # fmt: skip


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_learns_for_two_steps(name: str, people: Labels) -> None:
    recipe = load_recipe(name, parse_overrides(SMALL))
    dataset = PoseDataset(people, recipe, augment=True)
    assert len(sample_people(people, recipe.input.crop)) == 2
    network = make_network(recipe, 17)
    losses = build_losses(recipe.losses, network.roles)
    spec = recipe.input
    normalize = Normalize(spec.mean, spec.std, spec.scale, channels_last=False)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    before = {n: p.detach().clone() for n, p in network.named_parameters()}
    for epoch in range(2):
        batch = collate([dataset[Key(epoch, i)] for i in range(2)])
        outputs = network(normalize(batch["image"]))
        total, parts = losses(outputs, batch["targets"], batch["weights"])
        assert set(parts) == set(recipe.losses)
        assert torch.isfinite(total)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    changed = [n for n, p in network.named_parameters() if not torch.equal(p, before[n])]
    assert len(changed) > 0.9 * len(before)
