"""Small tracks that tests of formats share."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gonio.formats import Tracks
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton


def two_people(fps: float | None = 50.0, skeleton: str = "lower6", frames: int = 4) -> Tracks:
    """Numbers with many digits; the first person's last point is hidden in frame 1, the second
    person comes in frame 2; the first point's confidence is exactly 0, yet it is seen.
    """
    chosen = load_skeleton(skeleton)
    rng = np.random.default_rng(3)
    position = rng.uniform(1, 1900, (frames, 2, len(chosen.keypoints), 2))
    confidence = rng.uniform(0.1, 1, (frames, len(chosen.keypoints), 2))
    position[1, :, -1, 0] = np.nan
    confidence[1, -1, 0] = 0
    confidence[:, 0, 0] = 0
    position[:2, ..., 1] = np.nan
    confidence[:2, :, 1] = np.nan
    time_s = np.arange(frames) / (fps or 1.0)
    poses = make_poses(position, confidence, time_s=time_s, skeleton=chosen, fps=fps)
    poses["position"] = poses["position"].astype(np.float64).copy(data=position)
    poses["confidence"] = poses["confidence"].astype(np.float64).copy(data=confidence)
    if fps is None:
        poses = poses.assign_attrs(time_unit="frames")
    return Tracks(poses=poses, skeleton=chosen)


def poses_of(tracks: Tracks) -> xr.Dataset:
    assert tracks.poses is not None
    return tracks.poses


def assert_same_poses(ours: Tracks, theirs: Tracks) -> None:
    """Every number alike to the last digit, NaN where NaN was, names and times too."""
    a, b = poses_of(ours), poses_of(theirs)
    for name in ("keypoints", "individuals", "time"):
        np.testing.assert_array_equal(a[name].values, b[name].values)
    for name in ("position", "confidence"):
        np.testing.assert_array_equal(a[name].values, b[name].values)
    assert ours.skeleton is not None
    assert theirs.skeleton is not None
    assert ours.skeleton.name == theirs.skeleton.name
