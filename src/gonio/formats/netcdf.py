"""The ``movement`` package's netCDF, which is Gonio's own too (:mod:`gonio.poses`).

The root group is read and written: of an evaluation's ``poses.nc`` that is what the angles were
computed from. Events stand in the attribute ``events``, as JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gonio.errors import FormatError, InputError
from gonio.formats.tracks import (
    EVENT_COLUMNS,
    FOREIGN,
    IMAGE,
    Tracks,
    match_skeleton,
    no_events,
)
from gonio.poses import KEYPOINTS, POSES_SCHEMA, load_poses, save_poses
from gonio.skeletons import Skeleton, skeleton_names

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr


def read_netcdf(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, fps: float | None = None
) -> Tracks:
    """Read poses, and events where they stand beside them.

    Parameters
    ----------
    path
        A file of Gonio or of the ``movement`` package.
    skeleton
        What the keypoints must follow; None: found by their names, else by the attribute
        ``skeleton``.
    fps
        Frames per second, where the file's times only count frames.

    Returns
    -------
    Tracks

    Raises
    ------
    PosesError
        If the file is no poses file.
    FormatError
        If its events cannot be read.
    """
    poses = load_poses(path, allow_frames=True)
    events = _events(path, poses.attrs.pop("events", None))
    names = [str(n) for n in poses[KEYPOINTS].values]
    chosen, order = match_skeleton(names, skeleton, where=f"'{path}'")
    poses = poses.isel({KEYPOINTS: order})
    named = poses.attrs.get("skeleton")
    if chosen.name == FOREIGN and isinstance(named, str) and named not in skeleton_names():
        chosen = chosen.model_copy(update={"name": named})
    if poses.attrs.get("time_unit") == "frames" and fps:
        poses = poses.assign_coords(time=poses["time"].astype(np.float64) / fps)
        poses = poses.assign_attrs(time_unit="seconds", fps=float(fps))
    poses = poses.assign_attrs(schema=POSES_SCHEMA, skeleton=chosen.name)
    return Tracks(poses=poses, skeleton=chosen, events=events)


def write_netcdf(path: Path, tracks: Tracks) -> None:
    """Write poses and events.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    tracks
        Poses, 2D or 3D.

    Raises
    ------
    InputError
        If there are no poses.
    OutputError
        If the file cannot be written.
    """
    poses: xr.Dataset | None = tracks.poses
    if poses is None:
        raise InputError("a netCDF file of poses holds keypoints, and there are none")
    if len(tracks.events):
        rows = tracks.events[list(EVENT_COLUMNS)].to_dict(orient="records")
        poses = poses.assign_attrs(events=json.dumps(rows))
    if IMAGE in poses.coords:
        poses = poses.assign_coords({IMAGE: poses[IMAGE].astype(str)})
    save_poses(path, poses)


def _events(path: Path, text: Any) -> pd.DataFrame:
    if text is None:
        return no_events()
    try:
        return pd.DataFrame(json.loads(text), columns=list(EVENT_COLUMNS)).astype(
            {"type": str, "side": str, "time_s": float}
        )
    except (ValueError, TypeError) as error:
        raise FormatError(f"'{path}': its attribute 'events' cannot be read ({error})") from error
