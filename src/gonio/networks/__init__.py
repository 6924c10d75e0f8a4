"""Networks that find keypoints: backbones of timm, necks, heads, and builders by name (torch).

A network takes normalized images and gives a dictionary from role to tensor; its ``roles`` say
each one's shape and activation, ``kind`` and ``stride`` how they are decoded, and ``parts`` what a
stage of training can freeze.
"""

from __future__ import annotations

from gonio.networks.complexity import Complexity, complexity
from gonio.networks.network import PoseNetwork, RoleInfo, activate, activated
from gonio.networks.registry import build_network, builder_options, network_names

__all__ = [
    "Complexity",
    "PoseNetwork",
    "RoleInfo",
    "activate",
    "activated",
    "build_network",
    "builder_options",
    "complexity",
    "network_names",
]
