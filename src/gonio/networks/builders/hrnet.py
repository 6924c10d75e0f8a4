"""HRNet: four branches that keep their resolution and exchange what they see.

Sun, Xiao, Liu & Wang (2019), Deep high-resolution representation learning for human pose
estimation, CVPR. The heatmaps come from the finest branch; the other branches' last exchange,
which only they would use, is taken away. ``multi_scale`` reads all four branches instead, as
Wang et al. (2020), Deep high-resolution representation learning for visual recognition, PAMI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from gonio.networks.backbones import timm_backbone
from gonio.networks.heads import MapHead
from gonio.networks.layers import Concatenate, Finest
from gonio.networks.network import PoseNetwork
from gonio.networks.spec import HeatmapSettings, Task

if TYPE_CHECKING:
    from torch import nn

_COARSEST = 32


class HrnetSettings(HeatmapSettings):
    """Options of ``hrnet``.

    Attributes
    ----------
    variant
        Channels of the finest branch; ``w18_small`` has a quarter of the blocks.
    multi_scale
        Whether the heatmaps are read off all four branches and not off the finest alone.
    """

    variant: Literal["w18_small", "w18", "w32", "w48"] = "w32"
    multi_scale: bool = False


def build_hrnet(settings: HrnetSettings, task: Task) -> PoseNetwork:
    """Build it; heatmaps at stride 4."""
    task.require_multiple(_COARSEST)
    backbone, levels = timm_backbone(
        f"hrnet_{settings.variant}",
        task,
        levels=(1, 2, 3, 4) if settings.multi_scale else (1,),
        trim=None if settings.multi_scale else _trim,
        feature_location="",
    )
    channels, stride = sum(level.channels for level in levels), levels[0].stride
    visibility, told = task.visibility(settings, channels)
    return PoseNetwork(
        backbone,
        Concatenate(channels) if settings.multi_scale else Finest(),
        MapHead(channels, task.keypoints, settings.activation),
        visibility=visibility,
        kind="heatmap",
        stride=float(stride),
        roles=task.heatmaps(stride, settings.activation) | told,
        input_wh=task.input_wh,
        in_channels=task.in_channels,
    )


def _trim(backbone: nn.Module) -> None:
    """Take away what only the coarser branches' final maps need."""
    stage: Any = backbone.stage4
    stage[-1].fuse_layers = stage[-1].fuse_layers[:1]
