"""Tracks that somebody else found, as the analysis takes them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.codec import Region
from gonio.errors import ConfigError, InputError, PosesError
from gonio.formats import detect_format, read_tracks
from gonio.poses import INDIVIDUALS, KEYPOINTS, RAW_GROUP, load_poses, operation_log
from gonio.runtime import FramePeople, Person
from gonio.skeletons import Skeleton, load_skeleton, skeleton_names
from gonio.tracking import assign_identities

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import xarray as xr

    from gonio.formats import Tracks

_DEFINITION = "skeleton_definition"
_KEPT = ("source", "source_sha256", "source_software", "model", "model_sha256")


def describe_skeleton(skeleton: Skeleton) -> dict[str, str]:
    """Return the attribute with which poses hold a skeleton that is not built in."""
    if skeleton.name in skeleton_names() and load_skeleton(skeleton.name) == skeleton:
        return {}
    return {_DEFINITION: skeleton.model_dump_json(by_alias=True)}


def load_given_tracks(path: Path, *, fps: float | None) -> tuple[xr.Dataset, Skeleton]:
    """Load 2D tracks of a known skeleton from a file of any format.

    Parameters
    ----------
    path
        An evaluation's ``poses.nc`` (its raw tracks are used), or any file that
        :func:`gonio.formats.read_tracks` reads. People without identities are given some.
    fps
        Frames per second, for formats that hold none.

    Returns
    -------
    tuple
        Poses with times in seconds, and their skeleton.

    Raises
    ------
    FormatError, PosesError
        If the file cannot be read, or its skeleton is unknown.
    InputError
        If it holds no 2D keypoints, or nothing tells the frame rate.
    """
    if not path.exists():
        raise PosesError(f"'{path}': no such file. Check the name and the folder.")
    if detect_format(path).name == "movement":
        try:
            return _evaluated(path)
        except PosesError:
            if fps is None:  # which may be all that is missing
                raise
    tracks = read_tracks(path, fps=fps)
    poses = tracks.poses
    if poses is None or poses.sizes["space"] != 2 or tracks.skeleton is None:
        what = "joint angles" if poses is None else "markers in space"
        raise InputError(
            f"'{path}': holds {what}, and this measures 2D keypoints as a camera sees them. "
            "gonio convert takes such files."
        )
    skeleton = _known_skeleton(poses, tracks.skeleton, path)
    if poses.sizes["time"] == 1:  # a picture
        poses = poses.assign_coords(time=[0.0]).assign_attrs(time_unit="seconds")
    if poses.attrs.get("time_unit") == "frames":
        raise InputError(
            f"'{path}': holds no frame rate: give --fps, the recording's frames per second"
        )
    narrow = {n: poses[n].astype(np.float32) for n in ("position", "confidence")}
    poses = poses.assign(narrow)
    return (poses if tracks.identified else _identify(poses, skeleton, tracks)), skeleton


def _evaluated(path: Path) -> tuple[xr.Dataset, Skeleton]:
    raw = load_poses(path)
    with contextlib.suppress(PosesError):  # tracks of movement have no group of raw ones
        raw = load_poses(path, group=RAW_GROUP)
    _check_log(raw, path)
    skeleton = _skeleton_of(raw, path)
    return raw.sel({KEYPOINTS: list(skeleton.keypoints)}), skeleton


def _check_log(raw: xr.Dataset, path: Path) -> None:
    try:
        operation_log(raw)
    except ValueError as error:
        raise PosesError(f"'{path}': its attribute 'log' is no JSON ({error})") from error


def _skeleton_of(raw: xr.Dataset, path: Path) -> Skeleton:
    """Return the skeleton a file names or, where it names none, the one with its keypoints."""
    given = {str(name) for name in raw[KEYPOINTS].values}
    name = raw.attrs.get("skeleton")
    known = [name] if name else skeleton_names()
    try:
        if _DEFINITION in raw.attrs:
            skeletons = [Skeleton.model_validate_json(raw.attrs[_DEFINITION])]
        else:
            skeletons = [load_skeleton(str(one)) for one in known]
    except (ConfigError, ValueError) as error:
        raise PosesError(f"'{path}': {error}") from error
    fitting = [one for one in skeletons if set(one.keypoints) == given]
    if fitting:
        return fitting[0]
    whose = f"the skeleton '{name}'" if name else f"any skeleton ({', '.join(known)})"
    raise PosesError(f"'{path}': its keypoints are not those of {whose}")


def _known_skeleton(poses: xr.Dataset, skeleton: Skeleton, path: Path) -> Skeleton:
    if skeleton.name not in skeleton_names():
        names = ", ".join(str(n) for n in poses[KEYPOINTS].values[:4])
        raise PosesError(
            f"'{path}': its keypoints ({names}…) are not those of a known skeleton "
            f"({', '.join(skeleton_names())}). Name them as one of these does."
        )
    return skeleton


def _identify(poses: xr.Dataset, skeleton: Skeleton, tracks: Tracks) -> xr.Dataset:
    """Give people who are merely ordered in each frame identities."""
    attrs: dict[str, Any] = {k: poses.attrs[k] for k in _KEPT if k in poses.attrs}
    fps = poses.attrs.get("fps")
    return assign_identities(_frames(poses, len(tracks.people)), skeleton, fps=fps, attrs=attrs)


def _frames(poses: xr.Dataset, people: int) -> Iterator[FramePeople]:
    order = ("time", INDIVIDUALS, KEYPOINTS)
    position = poses["position"].transpose(*order, "space").values
    confidence = poses["confidence"].transpose(*order).values
    for index, time_s in enumerate(poses["time"].values):
        seen = [i for i in range(people) if np.isfinite(position[index, i]).any()]
        yield FramePeople(
            index,
            float(time_s),
            tuple(_person(position[index, i], confidence[index, i]) for i in seen),
        )


def _person(xy: Any, confidence: Any) -> Person:
    low, high = np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)
    center, size = (low + high) / 2, high - low
    region = Region((float(center[0]), float(center[1])), (float(size[0]), float(size[1])))
    known = confidence[np.isfinite(confidence)]
    return Person(xy, confidence, float(known.mean()) if known.size else 0.0, region)
