"""Every network learns: four small pictures by heart."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest
import torch
from torch import Tensor

from gonio.codec import decode_dark, decode_locref, decode_simcc, heatmap_to_input
from gonio.datasets.targets import TargetSettings, encode_targets
from gonio.networks import PoseNetwork, build_network
from gonio.training.losses import LossSettings, build_losses

WH: Final = (64, 64)
POINTS: Final = np.random.default_rng(4).uniform(12, 52, (4, 3, 2))
BATCHES: Final = 15

LOSSES: Final = {
    "gaussian": {"heatmap": LossSettings(name="joints_mse", weight=100)},
    "locref": {
        "heatmap": LossSettings(name="bce"),
        "locref": LossSettings(name="huber", weight=0.5),
    },
    "simcc": {"x": LossSettings(name="kl"), "y": LossSettings(name="kl")},
}
NETWORKS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "simple_baseline": ("simple_baseline", "gaussian", {}),
    "simple_baseline-resnet50": ("simple_baseline", "gaussian", {"backbone": "resnet50"}),
    "resnet_fpn": ("resnet_fpn", "gaussian", {}),
    "resnet_fpn-attention": ("resnet_fpn", "gaussian", {"attention": True}),
    "dilated_cnn": ("dilated_cnn", "gaussian", {}),
    "hrnet-w18_small": ("hrnet", "gaussian", {"variant": "w18_small"}),
    "hrnet-multi_scale": ("hrnet", "gaussian", {"variant": "w18_small", "multi_scale": True}),
    "hrnet-w18": ("hrnet", "gaussian", {"variant": "w18"}),
    "hrnet-w32": ("hrnet", "gaussian", {"variant": "w32"}),
    "deeplabcut": ("deeplabcut", "locref", {}),
    "deeplabcut-resnet18": ("deeplabcut", "locref", {"backbone": "resnet18"}),
    "simcc": ("simcc", "simcc", {}),
}


def pictures() -> Tensor:
    """Draw each point as a bright disc of its keypoint's color, before noise."""
    rng = np.random.default_rng(5)
    grid = np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1)
    far = ((grid[None, None] - POINTS[:, :, None, None]) ** 2).sum(axis=-1)
    drawn = np.exp(-far / 18) + rng.normal(0, 0.1, far.shape)
    return torch.from_numpy(drawn.astype(np.float32))


def found_by(network: PoseNetwork, images: Tensor, target: TargetSettings) -> np.ndarray:
    network.eval()
    with torch.no_grad():
        raw = network.activate(network(images))
    network.train()
    outputs = {role: values.numpy() for role, values in raw.items()}
    if target.kind == "simcc":
        return decode_simcc(outputs["x"], outputs["y"], ratio=target.ratio)[0]
    if target.kind == "locref":
        maps = outputs["heatmap"]
        offsets = outputs["locref"].reshape(*maps.shape[:2], 2, *maps.shape[2:])
        return decode_locref(maps, offsets, WH, stdev_px=target.stdev_px)[0]
    return heatmap_to_input(decode_dark(outputs["heatmap"], sigma=target.sigma)[0], target.stride)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_four_pictures_are_learned_to_pck_1_at_0_05(name: str) -> None:
    builder, kind, options = NETWORKS[name]
    torch.manual_seed(0)
    network = build_network(builder, keypoints=3, input_wh=WH, **options)
    stride = network.stride if kind != "simcc" else 4
    target = TargetSettings(kind=kind, stride=stride, sigma=1.5, simcc_sigma=4)
    seen, visibility = np.ones(3, dtype=bool), np.full(3, 2, np.int8)
    made = [encode_targets(points, seen, visibility, WH, target) for points in POINTS]
    targets = {role: torch.from_numpy(np.stack([m[role] for m in made])) for role in made[0]}
    losses, images = build_losses(LOSSES[kind], network.roles), pictures()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(BATCHES):
        for _ in range(20):
            optimizer.zero_grad()
            losses(network(images), targets, torch.ones(4, 3))[0].backward()
            optimizer.step()
        away = np.linalg.norm(found_by(network, images, target) - POINTS, axis=-1)
        if (away <= 0.05 * max(WH)).all():
            return
    pytest.fail(f"after {20 * BATCHES} steps still {np.nanmax(away):.1f} px away")
