"""How large a network is and how much it computes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from torch import nn


class Complexity(NamedTuple):
    """A network's size and work.

    Attributes
    ----------
    parameters
        Numbers that training can change.
    flops
        Additions and multiplications in convolutions, linear layers and attention for one
        image. Most papers' "GFLOPs" count a multiplication and its addition as one: half of it.
    """

    parameters: int
    flops: int


def complexity(network: nn.Module, input_shape: tuple[int, int, int]) -> Complexity:
    """Count a network's parameters and operations, without computing anything.

    Parameters
    ----------
    network
        Left as it is.
    input_shape
        Channels, height, width of the image.
    """
    parameters = sum(p.numel() for p in network.parameters())
    ghost = copy.deepcopy(network).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        ghost(torch.empty(1, *input_shape, device="meta"))
    return Complexity(parameters, int(counter.get_total_flops()))
