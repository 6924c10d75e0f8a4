"""NWB (Neurodata Without Borders) with the ``ndx-pose`` extension.

Each person is a ``PoseEstimation`` in the processing module ``behavior``, each keypoint a
``PoseEstimationSeries`` in it. Source: ndx-pose, specification 0.2 and later.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import FormatError, InputError, MissingExtraError
from gonio.formats.tracks import (
    Found,
    Tracks,
    make_tracks,
    rate_from_times,
    shortest,
    unique_names,
)
from gonio.formats.whole import whole_file
from gonio.poses import KEYPOINTS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

    Doubles = NDArray[np.float64]

_MODULE = "behavior"
_UNKNOWN_START = datetime(1970, 1, 1, tzinfo=UTC)


def write_nwb(path: Path, tracks: Tracks) -> None:
    """Write everybody's keypoints.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    tracks
        Poses, 2D in pixels or 3D in metres. Numbers are kept as float32, as the extension
        asks. NWB wants the time of the recording; it is not known, and 1970-01-01 says so.

    Raises
    ------
    MissingExtraError
        If pynwb or ndx-pose is not installed.
    InputError
        If there are no poses, or a name holds a slash or a colon (HDF5 forbids them).
    OutputError
        If the file cannot be written.
    """
    poses = tracks.poses
    if poses is None:
        raise InputError("an NWB file of poses holds keypoints, and there are none")
    names = [str(n) for n in poses[KEYPOINTS].values]
    bad = next((n for n in (*names, *tracks.people) if "/" in n or ":" in n), None)
    if bad is not None:
        raise InputError(f"an NWB file cannot hold the name '{bad}': it has a slash or a colon")
    pynwb, ndx_pose = _libraries()
    file = pynwb.NWBFile(
        session_description="Tracks converted by Gonio; the recording's start is not known.",
        identifier=str(uuid.uuid5(uuid.NAMESPACE_URL, str(poses.attrs.get("source", path.name)))),
        session_start_time=_UNKNOWN_START,
    )
    module = file.create_processing_module(_MODULE, "tracks of keypoints")
    edges = tracks.skeleton.edges if tracks.skeleton else ()
    joined = [[names.index(n) for n in e] for e in edges if set(e) <= set(names)]
    skeleton = ndx_pose.Skeleton(
        name=str(poses.attrs.get("skeleton", "skeleton")),
        nodes=names,
        edges=np.array(joined, np.uint8).reshape(-1, 2),
    )
    module.add(ndx_pose.Skeletons(skeletons=[skeleton]))
    flat = poses.sizes["space"] == 2
    for i, person in enumerate(tracks.people):
        series: list[Any] = []
        for k, name in enumerate(names):
            series.append(
                ndx_pose.PoseEstimationSeries(
                    name=name,
                    data=poses["position"].values[:, :, k, i].astype(np.float32),
                    unit="pixels" if flat else "meters",
                    reference_frame="image: (0, 0) is the center of its top-left pixel, y down"
                    if flat
                    else "y up",
                    timestamps=series[0] if series else poses["time"].values.astype(np.float64),
                    confidence=poses["confidence"].values[:, k, i].astype(np.float32),
                    confidence_definition="0-1; NaN = not known",
                )
            )
        module.add(
            ndx_pose.PoseEstimation(
                name=person,
                pose_estimation_series=series,
                description=f"Keypoints of {person}",
                source_software=str(poses.attrs.get("source_software", "gonio")),
                skeleton=skeleton,
            )
        )
    with whole_file(path) as part, pynwb.NWBHDF5IO(str(part), "w") as out:
        out.write(file)


def read_nwb(path: Path, *, skeleton: Skeleton | str | Path | None = None) -> Tracks:
    """Read all poses of a file.

    Parameters
    ----------
    path
        The file.
    skeleton
        What the keypoints must follow; None: found by their names.

    Returns
    -------
    Tracks
        Every ``PoseEstimation`` is a person, called after it. All must have the same keypoints'
        dimensions and times.

    Raises
    ------
    MissingExtraError
        If pynwb or ndx-pose is not installed.
    FormatError
        If the file cannot be read, or holds no such poses.
    """
    pynwb, ndx_pose = _libraries()
    if not path.is_file():
        raise FormatError(f"'{path}': no such file")
    try:
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            file = io.read()
            people = [
                (str(item.name), _all_series(item))
                for module in file.processing.values()
                for item in module.data_interfaces.values()
                if isinstance(item, ndx_pose.PoseEstimation)
            ]
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise FormatError(f"'{path}': cannot be read as NWB ({error})") from error
    people = sorted(((n, s) for n, s in people if s), key=lambda person: _natural(person[0]))
    if not people:
        raise FormatError(f"'{path}': holds no keypoints (PoseEstimation of ndx-pose)")
    time_s = people[0][1][0][2]
    names = list(dict.fromkeys(name for _, series in people for name, *_ in series))
    space = people[0][1][0][1].shape[1]
    position = np.full((len(time_s), space, len(names), len(people)), np.nan)
    confidence = np.full((len(time_s), len(names), len(people)), np.nan)
    for i, (person, series) in enumerate(people):
        for name, data, times, sure in series:
            if not np.array_equal(times, time_s) or data.shape[1] != space:
                raise FormatError(f"'{path}': '{name}' of '{person}' has other times or dimensions")
            position[:, :, names.index(name), i] = data
            if sure is not None:
                confidence[:, names.index(name), i] = sure
    found = Found(
        position=position,
        confidence=confidence,
        keypoints=names,
        individuals=unique_names([person for person, _ in people], path),
        time_s=time_s,
        fps=rate_from_times(time_s),
    )
    return make_tracks(path, found, skeleton=skeleton, software="NWB")


def _all_series(item: Any) -> list[tuple[str, Doubles, Doubles, Doubles | None]]:
    """Return a person's keypoints, in the skeleton's order; HDF5 keeps only the alphabet's."""
    nodes = [] if item.skeleton is None else [str(n) for n in item.skeleton.nodes[:]]
    place = {name: i for i, name in enumerate(nodes)}
    series = [_series(s) for s in item.pose_estimation_series.values()]
    return sorted(series, key=lambda s: place.get(s[0], len(place)))


def _natural(name: str) -> list[str | int]:
    """Return what sorts ``person_2`` before ``person_10``."""
    parts = re.split(r"(\d+)", name)
    return [int(p) if i % 2 else p for i, p in enumerate(parts)]


def _series(series: Any) -> tuple[str, Doubles, Doubles, Doubles | None]:
    data = shortest(np.asarray(series.data[:])) * float(series.conversion or 1.0)
    times = series.timestamps
    if times is None:
        times = float(series.starting_time or 0.0) + np.arange(len(data)) / float(series.rate)
    sure = None if series.confidence is None else shortest(np.asarray(series.confidence[:]))
    return str(series.name), data, np.asarray(times[:], np.float64), sure


def _libraries() -> tuple[Any, Any]:
    try:
        import ndx_pose
        import pynwb
    except ImportError as error:
        raise MissingExtraError("pynwb and ndx-pose", "formats") from error
    return pynwb, ndx_pose
