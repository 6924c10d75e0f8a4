"""SimCC: each keypoint's x and y as classes, bins finer than pixels.

Li et al. (2022), SimCC: a simple coordinate classification perspective for human pose estimation,
ECCV. Without deconvolutions it is the paper's smaller form, which has few cells to read from when
the input is small.
"""

from __future__ import annotations

from pydantic import Field

from gonio.networks.backbones import timm_backbone
from gonio.networks.heads import SimCCHead
from gonio.networks.layers import Deconvolutions
from gonio.networks.network import PoseNetwork, RoleInfo
from gonio.networks.spec import NetworkSettings, Task


class SimccSettings(NetworkSettings):
    """Options of ``simcc``.

    Attributes
    ----------
    backbone
        Any of timm's that give features.
    deconvolutions
        How often the coarsest map is doubled before it is read.
    width
        Channels of each deconvolution.
    ratio
        Bins an input pixel.
    """

    backbone: str = "resnet18"
    deconvolutions: int = Field(default=3, ge=0, le=5)
    width: int = Field(default=256, gt=0)
    ratio: float = Field(default=2.0, gt=0, allow_inf_nan=False)


def build_simcc(settings: SimccSettings, task: Task) -> PoseNetwork:
    """Build it; one distribution over x and one over y for each keypoint."""
    backbone, levels = timm_backbone(settings.backbone, task, levels=(-1,))
    neck = Deconvolutions(levels[-1].channels, settings.width, settings.deconvolutions)
    rows, columns = task.cells(levels[-1].stride)
    cells = rows * columns * 4**settings.deconvolutions
    bins_xy = [round(side * settings.ratio) for side in task.input_wh]
    roles = {
        role: RoleInfo((task.keypoints, bins), "softmax")
        for role, bins in zip(("x", "y"), bins_xy, strict=True)
    }
    visibility, told = task.visibility(settings, neck.channels)
    return PoseNetwork(
        backbone,
        neck,
        SimCCHead(neck.channels, task.keypoints, cells, bins_xy),
        visibility=visibility,
        kind="simcc",
        stride=1 / settings.ratio,
        roles=roles | told,
        input_wh=task.input_wh,
        in_channels=task.in_channels,
    )
