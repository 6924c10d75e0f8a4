"""Layers that several networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence


class Finest(nn.Module):
    """Take the finest of the backbone's maps."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the first of maps that run from fine to coarse."""
        return maps[0]


class Deconvolutions(nn.Module):
    """Double the coarsest map's size some times: deconvolution 4×4, batch norm, ReLU.

    Parameters
    ----------
    channels
        Of the map that comes in.
    width
        Of each deconvolution.
    count
        How many.

    References
    ----------
    Xiao, Wu & Wei (2018), Simple baselines for human pose estimation and tracking, ECCV,
    section 2; weights are normal with a standard deviation of 0.001, as in its code.
    """

    def __init__(self, channels: int, width: int, count: int) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for _ in range(count):
            deconvolution = nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1, bias=False)
            nn.init.normal_(deconvolution.weight, std=0.001)
            steps += [deconvolution, nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.steps = nn.Sequential(*steps)
        self.channels = channels

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return ``(N, width, h · 2^count, w · 2^count)`` from the last of the maps."""
        grown: Tensor = self.steps(maps[-1])
        return grown


class MapHead(nn.Module):
    """One map a keypoint: a 1×1 convolution.

    Parameters
    ----------
    channels
        Of the features.
    keypoints
        Number of maps.
    """

    def __init__(self, channels: int, keypoints: int) -> None:
        super().__init__()
        self.heatmap = nn.Conv2d(channels, keypoints, 1)
        nn.init.normal_(self.heatmap.weight, std=0.001)
        nn.init.zeros_(self.heatmap.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Return role ``heatmap``, shape ``(N, K, h, w)``."""
        return {"heatmap": self.heatmap(features)}


class VisibilityHead(nn.Module):
    """Tell whether each keypoint is seen: the features' mean over the image, one linear layer.

    Parameters
    ----------
    channels
        Of the features.
    keypoints
        How many are told.
    """

    def __init__(self, channels: int, keypoints: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, keypoints)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits ``(N, K)``."""
        seen: Tensor = self.linear(features.mean(dim=(2, 3)))
        return seen


def conv_norm_act(
    channels: int, width: int, kernel: int, *, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Build convolution (size kept but for the stride), batch norm, ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(
            channels, width, kernel, stride=stride, padding=padding, dilation=dilation, bias=False
        ),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


def resize_to(values: Tensor, like: Tensor) -> Tensor:
    """Resize a map to another's size, bilinearly, edges on edges (as the codec places cells)."""
    return functional.interpolate(values, size=like.shape[-2:], mode="bilinear")


def init_kaiming(module: nn.Module) -> None:
    """Initialize convolutions for ReLU (He et al. 2015, ICCV), fan out."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def first_convolution(module: nn.Module) -> tuple[str, nn.Conv2d]:
    """Return the name and module of the first convolution, in the order of definition.

    Raises
    ------
    LookupError
        If there is none.
    """
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            return name, part
    raise LookupError("no convolution")


def adapt_first_weight(weight: Tensor, channels: int) -> Tensor | None:
    """Fit the weights of a first convolution to another number of image channels.

    Grey from color: the weights' sum, since a grey image is one with three equal channels. Color
    from grey: a third each. None where neither is the case.
    """
    have = weight.shape[1]
    if have == channels:
        return weight
    if (have, channels) == (3, 1):
        return weight.sum(dim=1, keepdim=True)
    if (have, channels) == (1, 3):
        return torch.cat([weight / 3] * 3, dim=1)
    return None
