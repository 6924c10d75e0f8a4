"""A small network whose dilated convolutions see the whole leg without making the map coarse.

The lower-body document's third network (64 channels at 64×48 for an input of 256×192); dilated
convolutions: Yu & Koltun (2016), Multi-scale context aggregation by dilated convolutions, ICLR.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gonio.errors import ConfigError
from gonio.networks.heads import MapHead
from gonio.networks.layers import DilatedTrunk, Finest, conv_norm_act, init_kaiming
from gonio.networks.network import PoseNetwork
from gonio.networks.spec import HeatmapSettings, Task

_STRIDE = 4


class DilatedCnnSettings(HeatmapSettings):
    """Options of ``dilated_cnn``.

    Attributes
    ----------
    width
        Channels throughout.
    dilations
        One residual block each.
    """

    width: int = Field(default=64, gt=0)
    dilations: tuple[Annotated[int, Field(gt=0)], ...] = (1, 2, 4, 1)


def build_dilated_cnn(settings: DilatedCnnSettings, task: Task) -> PoseNetwork:
    """Build it; heatmaps at stride 4.

    Raises
    ------
    ConfigError
        If it shall start pretrained: there are no weights for it.
    """
    if task.pretrained is not False:
        raise ConfigError(f"{task.where}: has no pretrained weights; set pretrained=false")
    roles = task.heatmaps(_STRIDE, settings.activation)
    backbone = DilatedTrunk(task.in_channels, settings.width, settings.dilations)
    neck = Finest(conv_norm_act(settings.width, settings.width, 3))
    init_kaiming(backbone)
    init_kaiming(neck)
    visibility, told = task.visibility(settings, settings.width)
    return PoseNetwork(
        backbone,
        neck,
        MapHead(settings.width, task.keypoints, settings.activation),
        visibility=visibility,
        kind="heatmap",
        stride=float(_STRIDE),
        roles=roles | told,
        input_wh=task.input_wh,
        in_channels=task.in_channels,
    )
