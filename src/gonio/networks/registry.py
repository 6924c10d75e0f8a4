"""Networks by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gonio.configs import check_config
from gonio.errors import ConfigError, UnknownNameError
from gonio.networks.builders.deeplabcut import DeeplabcutSettings, build_deeplabcut
from gonio.networks.builders.dilated_cnn import DilatedCnnSettings, build_dilated_cnn
from gonio.networks.builders.hrnet import HrnetSettings, build_hrnet
from gonio.networks.builders.resnet_fpn import ResnetFpnSettings, build_resnet_fpn
from gonio.networks.builders.simcc import SimccSettings, build_simcc
from gonio.networks.builders.simple_baseline import SimpleBaselineSettings, build_simple_baseline
from gonio.networks.spec import NetworkSettings, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonio.networks.network import PoseNetwork


@dataclass(frozen=True)
class Builder:
    """A network's options, and the function that builds it from them."""

    settings: type[NetworkSettings]
    build: Callable[[Any, Task], PoseNetwork]


_BUILDERS: Final = {
    "deeplabcut": Builder(DeeplabcutSettings, build_deeplabcut),
    "dilated_cnn": Builder(DilatedCnnSettings, build_dilated_cnn),
    "hrnet": Builder(HrnetSettings, build_hrnet),
    "resnet_fpn": Builder(ResnetFpnSettings, build_resnet_fpn),
    "simcc": Builder(SimccSettings, build_simcc),
    "simple_baseline": Builder(SimpleBaselineSettings, build_simple_baseline),
}


def network_names() -> list[str]:
    """Return the builders' names, sorted."""
    return sorted(_BUILDERS)


def builder_options(name: str) -> type[NetworkSettings]:
    """Return the class of a builder's options.

    Raises
    ------
    UnknownNameError
        If no builder has the name.
    """
    return _builder(name).settings


def build_network(
    builder: str,
    *,
    keypoints: int,
    input_wh: tuple[int, int],
    in_channels: int = 3,
    pretrained: bool | str | Path = False,
    **options: Any,
) -> PoseNetwork:
    """Build a network by its builder's name.

    Parameters
    ----------
    builder
        One of :func:`network_names`.
    keypoints
        How many keypoints it finds.
    input_wh
        Width and height of the image it takes, pixels.
    in_channels
        Channels of that image: 3 for color, 1 for grey.
    pretrained
        True: the backbone starts from timm's weights, or from scratch with a warning where they
        cannot be fetched. A path: it starts from that file (``.safetensors``, ``.pth``). Weights
        for color are summed for grey.
    **options
        The builder's own; see :func:`builder_options`.

    Returns
    -------
    PoseNetwork
        On the CPU, in training mode. The same seed of torch gives the same weights.

    Raises
    ------
    UnknownNameError
        If no builder has the name, or no backbone.
    ConfigError
        If an option is unknown or wrong, or the input's size does not suit the network.
    ModelError
        If the file of weights cannot be read or does not fit.
    """
    entry = _builder(builder)
    where = f"network '{builder}'"
    settings = check_config(options, entry.settings, where)
    for value, what in ((keypoints, "keypoints"), (in_channels, "channels"), *_sides(input_wh)):
        if value < 1:
            raise ConfigError(f"{where}: {what}: must be at least 1, not {value}")
    weights = Path(pretrained) if isinstance(pretrained, str) else pretrained
    return entry.build(settings, Task(builder, keypoints, input_wh, in_channels, weights))


def _sides(input_wh: tuple[int, int]) -> list[tuple[int, str]]:
    return [(input_wh[0], "input width"), (input_wh[1], "input height")]


def _builder(name: str) -> Builder:
    if name not in _BUILDERS:
        raise UnknownNameError("network", name, _BUILDERS)
    return _BUILDERS[name]
