"""ResNet with a feature pyramid: three laterals summed, one deconvolution, one map a keypoint.

The lower-body document's second network; the pyramid is that of Lin et al. (2017), Feature
pyramid networks for object detection, CVPR. With ``attention``, the document's next step: the
coarsest map's cells see each other before they are summed.
"""

from __future__ import annotations

from pydantic import Field

from gonio.networks.attention import SelfAttention
from gonio.networks.backbones import timm_backbone
from gonio.networks.heads import MapHead
from gonio.networks.layers import Pyramid
from gonio.networks.network import PoseNetwork
from gonio.networks.spec import HeatmapSettings, Task


class ResnetFpnSettings(HeatmapSettings):
    """Options of ``resnet_fpn``.

    Attributes
    ----------
    backbone
        Any of timm's with maps at strides 8, 16 and 32.
    width
        Channels of the laterals and of the deconvolution.
    attention
        Whether the cells of the coarsest map attend to each other.
    heads
        Of the attention; they share ``width``.
    """

    backbone: str = "resnet18"
    width: int = Field(default=256, gt=0)
    attention: bool = False
    heads: int = Field(default=8, gt=0)


def build_resnet_fpn(settings: ResnetFpnSettings, task: Task) -> PoseNetwork:
    """Build it; heatmaps at half the stride of the finest lateral: 4 for a ResNet."""
    backbone, levels = timm_backbone(settings.backbone, task, levels=(-3, -2, -1))
    attention = None
    if settings.attention:
        cells = task.cells(levels[-1].stride)
        attention = SelfAttention(settings.width, settings.heads, cells, where=task.where)
    neck = Pyramid([level.channels for level in levels], settings.width, attention)
    stride = levels[0].stride // 2
    visibility, told = task.visibility(settings, settings.width)
    return PoseNetwork(
        backbone,
        neck,
        MapHead(settings.width, task.keypoints, settings.activation),
        visibility=visibility,
        kind="heatmap",
        stride=float(stride),
        roles=task.heatmaps(stride, settings.activation) | told,
        input_wh=task.input_wh,
        in_channels=task.in_channels,
    )
