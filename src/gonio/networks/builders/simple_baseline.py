"""Simple baseline: a backbone, deconvolutions, one map a keypoint.

Xiao, Wu & Wei (2018), Simple baselines for human pose estimation and tracking, ECCV.
"""

from __future__ import annotations

from pydantic import Field

from gonio.networks.backbones import timm_backbone
from gonio.networks.heads import MapHead
from gonio.networks.layers import Deconvolutions
from gonio.networks.network import PoseNetwork
from gonio.networks.spec import HeatmapSettings, Task


class SimpleBaselineSettings(HeatmapSettings):
    """Options of ``simple_baseline``.

    Attributes
    ----------
    backbone
        Any of timm's that give features: ``resnet18``, ``resnet50``, ``mobilenetv3_large_100``.
    deconvolutions
        How often the coarsest map is doubled; three bring a ResNet's stride of 32 to 4.
    width
        Channels of each deconvolution.
    """

    backbone: str = "resnet18"
    deconvolutions: int = Field(default=3, ge=0, le=5)
    width: int = Field(default=256, gt=0)


def build_simple_baseline(settings: SimpleBaselineSettings, task: Task) -> PoseNetwork:
    """Build it; heatmaps at the backbone's stride divided by 2 ** deconvolutions."""
    backbone, levels = timm_backbone(settings.backbone, task, levels=(-1,))
    stride = levels[-1].stride // 2**settings.deconvolutions
    neck = Deconvolutions(levels[-1].channels, settings.width, settings.deconvolutions)
    visibility, told = task.visibility(settings, neck.channels)
    return PoseNetwork(
        backbone,
        neck,
        MapHead(neck.channels, task.keypoints, settings.activation),
        visibility=visibility,
        kind="heatmap",
        stride=float(stride),
        roles=task.heatmaps(stride, settings.activation) | told,
        input_wh=task.input_wh,
        in_channels=task.in_channels,
    )
