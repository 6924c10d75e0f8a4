"""The interface every network has: named outputs, named parts, and one way to read both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["heatmap", "simcc", "coords"]
Activation = Literal["none", "sigmoid", "softmax"]


@dataclass(frozen=True)
class RoleInfo:
    """What one output of a network is.

    Attributes
    ----------
    shape
        Its shape without the batch.
    activation
        What turns the network's raw value into the value that is decoded: ``"softmax"`` runs
        over the last axis.
    """

    shape: tuple[int, ...]
    activation: Activation = "none"


class PoseNetwork(nn.Module):
    """A trunk of features, a neck that joins them, and heads that give the outputs by role.

    Parameters
    ----------
    backbone
        Image ``(N, C, H, W)`` → list of maps, fine to coarse.
    neck
        That list → one map ``(N, F, h, w)``.
    head
        That map → role → raw output.
    visibility
        That map → the role ``visibility``; None: the network does not tell it.
    kind
        Says how the outputs are decoded, as on a model's card.
    stride
        Input pixels per cell of the heatmap; for SimCC, input pixels per bin; None without
        either.
    roles
        What the network gives, in the order it gives it.
    input_wh
        Width and height of the image it takes, pixels.
    in_channels
        Channels of that image.

    Attributes
    ----------
    parts
        Name → module: what a stage of training can freeze or train.
    """

    def __init__(
        self,
        backbone: nn.Module,
        neck: nn.Module,
        head: nn.Module,
        *,
        kind: Kind,
        stride: float | None,
        roles: Mapping[str, RoleInfo],
        input_wh: tuple[int, int],
        in_channels: int,
        visibility: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.head = head
        self.visibility = visibility
        self.kind: Kind = kind
        self.stride = stride
        self.roles = dict(roles)
        self.input_wh = input_wh
        self.in_channels = in_channels

    @property
    def parts(self) -> dict[str, nn.Module]:
        """Name → module: what a stage of training can freeze or train."""
        return dict(self.named_children())

    @property
    def takes_any_size(self) -> bool:
        """Whether its weights serve images of other sizes than ``input_wh`` as well."""
        fixed = any(getattr(module, "fixed_size", False) for module in self.modules())
        return self.kind == "heatmap" and not fixed

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Give the raw outputs: logits where a role has an activation.

        Parameters
        ----------
        images
            Shape ``(N, C, H, W)``, normalized.

        Returns
        -------
        dict
            Role → shape ``(N, *roles[role].shape)``.
        """
        features = self.neck(self.backbone(images))
        outputs: dict[str, Tensor] = self.head(features)
        if self.visibility is not None:
            outputs["visibility"] = self.visibility(features)
        return outputs

    def activate(self, outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Turn raw outputs into what is decoded: scores, probabilities, positions."""
        return activate(outputs, self.roles)


def activate(outputs: Mapping[str, Tensor], roles: Mapping[str, RoleInfo]) -> dict[str, Tensor]:
    """Apply each role's activation.

    Parameters
    ----------
    outputs
        Role → raw output.
    roles
        What each is.
    """
    return {role: activated(value, roles[role].activation) for role, value in outputs.items()}


def activated(values: Tensor, activation: Activation) -> Tensor:
    """Apply one activation to raw values."""
    if activation == "sigmoid":
        return torch.sigmoid(values)
    if activation == "softmax":
        return torch.softmax(values, dim=-1)
    return values
