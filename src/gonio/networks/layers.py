"""Layers that several networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence


class Finest(nn.Module):
    """Take the finest of the backbone's maps.

    Parameters
    ----------
    layers
        What it goes through.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the first of maps that run from fine to coarse."""
        taken: Tensor = self.layers(maps[0])
        return taken


class Coarsest(nn.Module):
    """Take the coarsest of the backbone's maps."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the last of maps that run from fine to coarse."""
        return maps[-1]


class Concatenate(nn.Module):
    """Bring all maps to the finest one's size and mix them.

    Parameters
    ----------
    channels
        Of all maps together; as many come out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = conv_norm_act(channels, channels, 1)
        init_kaiming(self.mix)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return one map of the finest one's size."""
        finest, *coarser = maps
        mixed: Tensor = self.mix(torch.cat([finest, *(resize_to(m, finest) for m in coarser)], 1))
        return mixed


class Pyramid(nn.Module):
    """Sum the maps from the coarsest down, then double the sum's size by a deconvolution.

    Parameters
    ----------
    channels
        Of each map, fine to coarse.
    width
        Of the laterals and of what comes out.
    attention
        What the coarsest lateral goes through; None: nothing.
    """

    def __init__(self, channels: Sequence[int], width: int, attention: nn.Module | None) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        init_kaiming(self.laterals)
        self.attention = attention
        self.grow = Deconvolutions(width, width, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return ``(N, width, 2 h, 2 w)``, h and w being the finest map's."""
        *finer, summed = (lateral(m) for lateral, m in zip(self.laterals, maps, strict=True))
        if self.attention is not None:
            summed = self.attention(summed)
        for lateral in reversed(finer):
            summed = lateral + resize_to(summed, lateral)
        grown: Tensor = self.grow([summed])
        return grown


class DilatedTrunk(nn.Module):
    """Quarter the image's size, then look ever farther at that size.

    Parameters
    ----------
    in_channels
        Of the image.
    width
        Channels throughout.
    dilations
        One residual block each.
    """

    def __init__(self, in_channels: int, width: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.stem = conv_norm_act(in_channels, width, 7, stride=2)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.blocks = nn.Sequential(*(DilatedBlock(width, dilation) for dilation in dilations))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return one map, ``(N, width, H / 4, W / 4)``."""
        return [self.blocks(self.pool(self.stem(images)))]


class DilatedBlock(nn.Module):
    """Two dilated 3×3 convolutions beside a shortcut (He et al. 2016, CVPR).

    Parameters
    ----------
    width
        Channels.
    dilation
        Distance of a kernel's taps, cells.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.first = conv_norm_act(width, width, 3, dilation=dilation)
        self.second = conv_norm_act(width, width, 3, dilation=dilation)[:2]

    def forward(self, features: Tensor) -> Tensor:
        """Return a map of the same shape."""
        return torch.relu(features + self.second(self.first(features)))


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
