"""DeepLabCut's network: a dilated ResNet, score maps and location refinement.

Mathis et al. (2018), DeepLabCut, Nature Neuroscience 21:1281; from Insafutdinov et al. (2016),
DeeperCut, ECCV: the ResNet's last stage keeps stride 16 and is dilated instead, and one
deconvolution 3×3 brings scores and offsets to stride 8.
"""

from __future__ import annotations

from typing import Any, Literal

from gonio.networks.backbones import timm_backbone
from gonio.networks.heads import ScoreHead
from gonio.networks.layers import Coarsest
from gonio.networks.network import PoseNetwork, RoleInfo
from gonio.networks.spec import NetworkSettings, Task


class DeeplabcutSettings(NetworkSettings):
    """Options of ``deeplabcut``.

    Attributes
    ----------
    backbone
        Any of timm's that can be dilated: ``resnet18``, ``resnet50``, ``resnet50_gn`` (group
        norm, for small batches), ``mobilenetv2_100``.
    output_stride
        Of the backbone; the maps have half of it.
    """

    backbone: str = "resnet50"
    output_stride: Literal[8, 16, 32] = 16


def build_deeplabcut(settings: DeeplabcutSettings, task: Task) -> PoseNetwork:
    """Build it; score maps and offsets at half the backbone's stride."""
    options: dict[str, Any] = {}
    if settings.output_stride < 32:
        options["output_stride"] = settings.output_stride
    backbone, levels = timm_backbone(settings.backbone, task, levels=(-1,), **options)
    channels, stride = levels[-1].channels, levels[-1].stride // 2
    roles = task.heatmaps(stride, "sigmoid")
    roles["locref"] = RoleInfo((2 * task.keypoints, *task.cells(stride)))
    visibility, told = task.visibility(settings, channels)
    return PoseNetwork(
        backbone,
        Coarsest(),
        ScoreHead(channels, task.keypoints),
        visibility=visibility,
        kind="heatmap",
        stride=float(stride),
        roles=roles | told,
        input_wh=task.input_wh,
        in_channels=task.in_channels,
    )
