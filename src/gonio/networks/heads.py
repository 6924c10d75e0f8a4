"""Heads: from one map of features to the outputs by role."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonio.networks.network import Activation


_RARE: Final = -math.log((1 - 0.01) / 0.01)
"""Logit with which a probability begins that is rarely one: that of 0.01, so that training does
not first have to learn how empty maps are. Lin et al. (2017), Focal loss for dense object
detection, ICCV, section 4.1."""


class MapHead(nn.Module):
    """One map a keypoint: a 1×1 convolution.

    Parameters
    ----------
    channels
        Of the features.
    keypoints
        Number of maps.
    activation
        Of the maps; with a sigmoid they begin nearly empty.
    """

    def __init__(self, channels: int, keypoints: int, activation: Activation = "none") -> None:
        super().__init__()
        self.heatmap = nn.Conv2d(channels, keypoints, 1)
        nn.init.normal_(self.heatmap.weight, std=0.001)
        nn.init.constant_(self.heatmap.bias, _RARE if activation == "sigmoid" else 0.0)  # type: ignore[arg-type]

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


class ScoreHead(nn.Module):
    """Score maps and location refinement at twice the features' size: a deconvolution 3×3 each.

    Parameters
    ----------
    channels
        Of the features.
    keypoints
        Number of score maps; there are twice as many offsets.
    """

    def __init__(self, channels: int, keypoints: int) -> None:
        super().__init__()
        self.heatmap = _doubling(channels, keypoints, bias=_RARE)
        self.locref = _doubling(channels, 2 * keypoints)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Return ``heatmap`` (N, K, 2 h, 2 w) and ``locref`` (N, 2 K, 2 h, 2 w).

        The offsets' order is x and y of the first keypoint, x and y of the second ….
        """
        return {"heatmap": self.heatmap(features), "locref": self.locref(features)}


class SimCCHead(nn.Module):
    """One map a keypoint, read as a whole into a distribution over x and one over y.

    Parameters
    ----------
    channels
        Of the features.
    keypoints
        Number of maps.
    cells
        Cells of a map.
    bins_xy
        Bins along x and along y.
    """

    def __init__(self, channels: int, keypoints: int, cells: int, bins_xy: Sequence[int]) -> None:
        super().__init__()
        self.maps = nn.Conv2d(channels, keypoints, 1)
        self.x, self.y = (nn.Linear(cells, bins) for bins in bins_xy)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Return ``x`` (N, K, bins) and ``y`` (N, K, bins)."""
        cells = self.maps(features).flatten(2)
        return {"x": self.x(cells), "y": self.y(cells)}


def _doubling(channels: int, width: int, bias: float = 0.0) -> nn.ConvTranspose2d:
    deconvolution = nn.ConvTranspose2d(channels, width, 3, stride=2, padding=1, output_padding=1)
    nn.init.normal_(deconvolution.weight, std=0.001)
    nn.init.constant_(deconvolution.bias, bias)  # type: ignore[arg-type]
    return deconvolution
