"""Points outside the picture."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from gonio.errors import ConfigError
from gonio.poses import make_poses, operation_log
from gonio.skeletons import load_skeleton
from gonio.tracking import hide_outside


def at(x: float, y: float, **size: int) -> xr.Dataset:
    position = np.full((1, 2, 6, 1), 50.0)
    position[0, :, 2, 0] = (x, y)
    return make_poses(
        position, np.ones((1, 6, 1)), time_s=[0.0], skeleton=load_skeleton("lower6"), attrs=size
    )


@pytest.mark.parametrize(
    ("x", "y", "hidden"),
    [
        (0, 0, 0),
        (-0.4, 50, 0),
        (-0.6, 50, 1),
        (99.4, 50, 0),
        (99.6, 50, 1),
        (50, -1, 1),
        (50, 80, 1),
    ],
)
def test_a_point_is_hidden_once_it_is_beyond_the_pictures_edge(
    x: float, y: float, hidden: int
) -> None:
    shown = hide_outside(at(x, y, width_px=100, height_px=80))
    assert int(np.isnan(shown["position"].values[0, 0]).sum()) == hidden
    assert operation_log(shown)[-1]["hidden"] == hidden


def test_a_margin_hides_points_near_the_edge_too() -> None:
    assert np.isnan(
        hide_outside(at(4, 50, width_px=100, height_px=80), margin_px=5)["position"]
    ).any()
    with pytest.raises(ConfigError, match="margin_px"):
        hide_outside(at(4, 50), margin_px=-1)


def test_without_a_known_size_nothing_is_hidden_and_the_log_says_so() -> None:
    shown = hide_outside(at(-500, 50))
    assert not np.isnan(shown["position"]).any()
    assert operation_log(shown)[-1]["size"] == "unknown"
