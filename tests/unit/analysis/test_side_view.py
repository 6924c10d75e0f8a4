"""Whether a person is seen from the side."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gonio.analysis.side_view import turned_share
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton

COCO = load_skeleton("coco17")


def standing(shoulders_apart_px: list[float]) -> xr.Dataset:
    """A trunk of 100 px, and shoulders so far apart in each frame."""
    position = np.full((len(shoulders_apart_px), 2, 17, 1), np.nan)
    for i, apart in enumerate(shoulders_apart_px):
        for side, sign in (("left", 1), ("right", -1)):
            position[i, :, COCO.index(f"{side}_shoulder"), 0] = (50 + sign * apart / 2, 100)
            position[i, :, COCO.index(f"{side}_hip"), 0] = (50, 200)
    time_s = np.arange(len(shoulders_apart_px))
    return make_poses(position, np.ones((len(time_s), 17, 1)), time_s=time_s, skeleton=COCO)


def test_the_share_counts_the_frames_in_which_the_shoulders_lie_apart() -> None:
    assert turned_share(standing([5, 10, 39, 41]), COCO).tolist() == [0.25]


def test_frames_without_shoulders_do_not_count() -> None:
    poses = standing([5, 90, 90])
    poses["position"][2] = np.nan
    assert turned_share(poses, COCO).tolist() == [0.5]


def test_who_is_never_seen_or_has_no_shoulders_is_not_judged() -> None:
    poses = standing([5])
    poses["position"][:] = np.nan
    assert np.isnan(turned_share(poses, COCO)).all()
    legs = load_skeleton("lower6")
    only = make_poses(np.ones((1, 2, 6, 1)), np.ones((1, 6, 1)), time_s=[0.0], skeleton=legs)
    assert np.isnan(turned_share(only, legs)).all()
