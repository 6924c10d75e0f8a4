"""The weights' moving average: what is validated and exported, where a recipe asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


class MovingAverage:
    """Exponential moving average of a network's weights and running statistics.

    In the beginning the decay is (1 + n) / (10 + n) after n updates where that is less, so that
    the weights of the first steps are soon forgotten. Whole numbers (counts of batches) are
    copied.

    Parameters
    ----------
    network
        The average begins with its weights.
    decay
        Weight of the past in each update.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay, self._updates = decay, 0
        self._average = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take a step's weights into the average."""
        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        current = network.state_dict()
        floats = [k for k, v in current.items() if v.is_floating_point()]
        averages = [self._average[k] for k in floats]
        torch._foreach_lerp_(averages, [current[k] for k in floats], 1 - decay)
        for key in current.keys() - set(floats):
            self._average[key].copy_(current[key])

    @torch.no_grad()
    def swap(self, network: nn.Module) -> None:
        """Exchange the network's weights with the average."""
        for key, value in network.state_dict().items():
            kept = value.clone()
            value.copy_(self._average[key])
            self._average[key].copy_(kept)

    def to(self, device: torch.device) -> None:
        """Move the average to the network's device."""
        self._average = {k: v.to(device) for k, v in self._average.items()}

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights by name."""
        return dict(self._average)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training takes up."""
        return {"updates": self._updates, "average": self._average}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what was kept."""
        self._updates = state["updates"]
        for key, value in state["average"].items():
            self._average[key].copy_(value)
