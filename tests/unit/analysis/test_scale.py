"""Scale from a known height."""

from __future__ import annotations

import numpy as np
import pytest

from gonio.analysis.scale import pixels_per_meter
from gonio.errors import InputError
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton

COCO = load_skeleton("coco17")
HEIGHTS = {"shoulder": 0.818, "hip": 0.530, "knee": 0.285, "ankle": 0.039}  # shares of stature


def standing(height_px: float, sides: tuple[str, ...] = ("left", "right")) -> object:
    position = np.full((3, 2, 17, 1), np.nan)
    for side in sides:
        for name, share in HEIGHTS.items():
            position[:, :, COCO.index(f"{side}_{name}"), 0] = (100.0, 900 - share * height_px)
    return make_poses(position, np.ones((3, 17, 1)), time_s=[0, 1, 2], skeleton=COCO)


def test_a_standing_person_of_known_height_gives_the_scale() -> None:
    assert pixels_per_meter(standing(850), COCO, 1.7) == pytest.approx(500, rel=1e-3)


def test_one_visible_side_is_enough() -> None:
    assert pixels_per_meter(standing(850, ("right",)), COCO, 1.7) == pytest.approx(500, rel=1e-3)


def test_nobody_in_view_is_said() -> None:
    with pytest.raises(InputError, match="never seen together"):
        pixels_per_meter(standing(850, ()), COCO, 1.7)
