"""Self-attention over the cells of a map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gonio.errors import ConfigError


class SelfAttention(nn.Module):
    """Let every cell of a map look at all others: attention and a small network, both residual.

    Parameters
    ----------
    channels
        Of the map.
    heads
        They share the channels.
    cells
        Height and width of the map; each cell has a learned embedding of its place.
    where
        Begins messages.

    Raises
    ------
    ConfigError
        If the heads do not divide the channels.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, NeurIPS; normalized before each step, as in
    Dosovitskiy et al. (2021), An image is worth 16×16 words, ICLR.
    """

    fixed_size = True  # a place has an embedding

    def __init__(self, channels: int, heads: int, cells: tuple[int, int], *, where: str) -> None:
        super().__init__()
        if channels % heads:
            raise ConfigError(
                f"{where}: heads: {heads} do not divide the width of {channels} channels"
            )
        self.heads = heads
        self.place = nn.Parameter(torch.zeros(1, cells[0] * cells[1], channels))
        nn.init.trunc_normal_(self.place, std=0.02)
        self.norm_attention = nn.LayerNorm(channels)
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)
        self.norm_mlp = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return a map of the same shape, ``(N, C, h, w)``."""
        tokens = features.flatten(2).transpose(1, 2) + self.place
        tokens = tokens + self.project(self._attend(self.norm_attention(tokens)))
        tokens = tokens + self.mlp(self.norm_mlp(tokens))
        mixed: Tensor = tokens.transpose(1, 2).reshape(features.shape)
        return mixed

    def _attend(self, tokens: Tensor) -> Tensor:
        count, channels = tokens.shape[1:]
        split = self.query_key_value(tokens).reshape(
            -1, count, 3, self.heads, channels // self.heads
        )
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value)
        return seen.transpose(1, 2).reshape(-1, count, channels)
