"""What every builder is told, and the options every builder has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gonio.configs import Settings
from gonio.errors import ConfigError
from gonio.networks.heads import VisibilityHead
from gonio.networks.network import RoleInfo

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.networks.network import Activation


class NetworkSettings(Settings):
    """Options of every builder.

    Attributes
    ----------
    visibility
        Whether the network also tells, for each keypoint, whether it is seen (role
        ``visibility``).
    """

    visibility: bool = False


class HeatmapSettings(NetworkSettings):
    """Options of every builder that gives heatmaps.

    Attributes
    ----------
    activation
        ``"none"`` for maps trained on squared error, ``"sigmoid"`` for maps trained on binary
        cross-entropy.
    """

    activation: Literal["none", "sigmoid"] = "none"


@dataclass(frozen=True)
class Task:
    """What a network is built for.

    Attributes
    ----------
    builder
        The builder's name, for messages.
    keypoints
        How many are found.
    input_wh
        Width and height of the image, pixels.
    in_channels
        Channels of the image: 3 for color, 1 for grey.
    pretrained
        Whether the backbone starts from timm's weights, or the file of weights it starts from.
    """

    builder: str
    keypoints: int
    input_wh: tuple[int, int]
    in_channels: int = 3
    pretrained: bool | Path = False

    @property
    def where(self) -> str:
        """Begins messages."""
        return f"network '{self.builder}'"

    def cells(self, stride: int) -> tuple[int, int]:
        """Return height and width of a map at a stride.

        Raises
        ------
        ConfigError
            If the input is not a multiple of the stride.
        """
        self.require_multiple(stride)
        width, height = self.input_wh
        return height // stride, width // stride

    def require_multiple(self, stride: int) -> None:
        """Refuse an input whose sides the coarsest map's stride does not divide.

        Raises
        ------
        ConfigError
            If it is not a multiple.
        """
        width, height = self.input_wh
        if width % stride or height % stride:
            fit = " × ".join(str(max(stride, round(n / stride) * stride)) for n in (width, height))
            raise ConfigError(
                f"{self.where}: the input is {width} × {height} px (width × height), "
                f"its sides must be multiples of {stride}. Use {fit}."
            )

    def heatmaps(self, stride: int, activation: Activation) -> dict[str, RoleInfo]:
        """Describe one heatmap a keypoint at a stride."""
        return {"heatmap": RoleInfo((self.keypoints, *self.cells(stride)), activation)}

    def visibility(
        self, settings: NetworkSettings, channels: int
    ) -> tuple[VisibilityHead | None, dict[str, RoleInfo]]:
        """Build the head that tells visibility, where it is asked for, and describe it."""
        if not settings.visibility:
            return None, {}
        role = RoleInfo((self.keypoints,), "sigmoid")
        return VisibilityHead(channels, self.keypoints), {"visibility": role}
