"""Networks that find what is dark, without training, and cards for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gonio.datasets import InputSettings, TargetSettings
from gonio.networks import PoseNetwork, RoleInfo
from gonio.runtime import Card, Training, card_for_network
from gonio.skeletons import Skeleton

MOUSE = Skeleton(name="mouse", keypoints=("snout", "left_ear", "right_ear", "tail_base"))


class Darkness(nn.Module):
    """One map of how dark each cell is, 0–1 for unit-normalized color."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(stride)
        self.mix = nn.Conv2d(channels, 1, 5, padding=2, padding_mode="replicate")
        nn.init.constant_(self.mix.weight, -1 / (channels * 25))
        nn.init.ones_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        dark: Tensor = self.mix(self.pool(images))
        return dark


class Spread(nn.Module):
    """Every keypoint lies where it is darkest; offsets point to the right by their number."""

    def __init__(self, keypoints: int, *, locref: bool, gain: float) -> None:
        super().__init__()
        self.heat = nn.Conv2d(1, keypoints, 1)
        nn.init.constant_(self.heat.weight, gain)
        nn.init.constant_(self.heat.bias, -gain / 2)  # type: ignore[arg-type]
        self.steps = nn.Conv2d(1, 2 * keypoints, 1) if locref else None
        if self.steps is not None:
            nn.init.zeros_(self.steps.weight)
            steps = torch.zeros(2 * keypoints)
            steps[::2] = torch.arange(keypoints)
            self.steps.bias = nn.Parameter(steps)

    def forward(self, dark: Tensor) -> dict[str, Tensor]:
        outputs = {"heatmap": self.heat(dark)}
        if self.steps is not None:
            outputs["locref"] = self.steps(dark)
        return outputs


class Axes(nn.Module):
    """SimCC: how dark each column and row is."""

    def __init__(self, keypoints: int) -> None:
        super().__init__()
        self.keypoints = keypoints

    def forward(self, dark: Tensor) -> dict[str, Tensor]:
        x, y = (dark.amax(dim=(1, axis)) * 30 for axis in (2, 3))
        return {r: v[:, None].expand(-1, self.keypoints, -1) for r, v in (("x", x), ("y", y))}


def dark_network(
    kind: str = "gaussian",
    *,
    wh: tuple[int, int] = (64, 48),
    keypoints: int = 4,
    channels: int = 3,
    stride: int = 4,
) -> PoseNetwork:
    """A network of a kind of target that finds what is dark."""
    cells = (wh[1] // stride, wh[0] // stride)
    maps = RoleInfo((keypoints, *cells), "sigmoid")
    head: nn.Module = Spread(keypoints, locref=kind == "locref", gain=8.0)
    roles = {"heatmap": maps}
    if kind == "locref":
        roles["locref"] = RoleInfo((2 * keypoints, *cells))
    if kind == "simcc":
        stride, head = 1, Axes(keypoints)
        sides = zip(("x", "y"), wh, strict=True)
        roles = {role: RoleInfo((keypoints, n), "softmax") for role, n in sides}
    return PoseNetwork(
        Darkness(channels, stride),
        nn.Identity(),
        head,
        kind="simcc" if kind == "simcc" else "heatmap",
        stride=float(stride),
        roles=roles,
        input_wh=wh,
        in_channels=channels,
    )


def dark_card(
    network: PoseNetwork,
    kind: str = "gaussian",
    *,
    skeleton: Skeleton = MOUSE,
    crop: dict[str, Any] | None = None,
) -> Card:
    """The card of such a network: whole images, unless the crop says something else."""
    width, height = network.input_wh
    return card_for_network(
        "tiny",
        skeleton,
        input=InputSettings.model_validate(
            {
                "width": width,
                "height": height,
                "channels": "rgb" if network.in_channels == 3 else "grey",
                "normalize": "unit",
                "crop": crop or {"source": "image", "fill": 255},
            }
        ),
        target=TargetSettings.model_validate(
            {"kind": kind, "stride": network.stride or 4, "ratio": 1, "simcc_sigma": 2}
        ),
        kind=network.kind,
        stride=network.stride,
        roles=network.roles,
        training=Training(command="by hand", seed=0),
    )
