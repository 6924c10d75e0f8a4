"""The two doors: any file of tracks in, any file of tracks out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gonio.errors import InputError, OutputError, UnknownNameError
from gonio.formats.registry import TrackFormat, detect_format, find_format, track_formats
from gonio.formats.tracks import IMAGE, Tracks, no_events, off_grid_s, rate_of, warn

if TYPE_CHECKING:
    import xarray as xr

    from gonio.skeletons import Skeleton


_KEEP_ORDER = ("movement", "openpose", "sleap")


def read_tracks(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002
    skeleton: Skeleton | str | Path | None = None,
    fps: float | None = None,
) -> Tracks:
    """Read tracks from a file of any known format.

    Parameters
    ----------
    path
        The file, or the folder of OpenPose's JSON files.
    format
        A format's name; None: told by suffix and content.
    skeleton
        What the keypoints follow: a built-in name, a TOML file, or the skeleton itself. None:
        found by the points' names (OpenPose: by their number), else made of the file's names.
    fps
        Frames per second of the recording, for formats that hold none. Where the file says
        another rate, that counts, with a warning.

    Returns
    -------
    Tracks
        Poses, or angles, and events.

    Raises
    ------
    UnknownNameError
        If the format or the skeleton is unknown.
    FormatError, PosesError
        If the file is missing, broken, or does not follow the skeleton.
    MissingExtraError
        If the format needs a package that is not installed.
    InputError
        If ``fps`` is not positive.
    """
    path = Path(path)
    if fps is not None and not (np.isfinite(fps) and fps > 0):
        raise InputError(f"fps must be a positive number, not {fps!r}")
    chosen = detect_format(path) if format is None else find_format(format)
    tracks = chosen.read(path, skeleton=skeleton, fps=fps)
    data = tracks.poses if tracks.poses is not None else tracks.angles
    rate = None if data is None else rate_of(data)
    if fps is not None and rate is not None and abs(rate - fps) > 1e-3 * fps:
        warn(f"'{path}': says {rate:g} frames/s itself, the {fps:g} asked for do not count")
    return tracks


def write_tracks(
    path: str | Path,
    tracks: Tracks,
    *,
    format: str | None = None,  # noqa: A002
    person: str | None = None,
    px_per_m: float | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write tracks to a file of any known format, whole or not at all.

    Parameters
    ----------
    path
        The file; for OpenPose a folder.
    tracks
        What to write. What the format cannot hold is left out with a warning.
    format
        A format's name; None: told by the suffix (``.csv`` is Gonio's own).
    person
        Whom to write; None: everybody. Needed where the format holds one person.
    px_per_m
        Scale of 2D poses for formats in metres, pixels per metre.
    overwrite
        Replace a file that exists.

    Returns
    -------
    list of str
        What was left out, in words.

    Raises
    ------
    UnknownNameError
        If the format is unknown, or the suffix tells none.
    InputError
        If the format can hold nothing of the tracks, or needs a frame rate, a scale, or the
        name of one person.
    OutputError
        If the file exists or cannot be written.
    MissingExtraError
        If the format needs a package that is not installed.
    """
    path = Path(path)
    chosen = _format_to_write(path, format)
    if not overwrite and path.exists():
        raise OutputError(f"'{path}': exists already. Replace it with --overwrite, or rename it.")
    if person is not None:
        tracks = tracks.of(person)
    if "people" not in chosen.holds and len(tracks.people) > 1:
        raise InputError(
            f"'{path}': the format {chosen.name} holds one person: name one with --person "
            f"({', '.join(tracks.people)})"
        )
    fitting = _fit(path, tracks, chosen)
    lost = [*_lost(tracks, chosen), *chosen.loses(fitting)]
    chosen.write(path, fitting, px_per_m=px_per_m)
    if lost:
        warn(
            f"'{path}': left out, since the format {chosen.name} cannot hold it: {', '.join(lost)}"
        )
    return lost


def _format_to_write(path: Path, name: str | None) -> TrackFormat:
    if name is not None:
        chosen = find_format(name)
        suffix = path.suffix.lower()
        if chosen.name != "openpose" and suffix not in chosen.suffixes:
            raise InputError(
                f"'{path}': a file of the format {chosen.name} ends in "
                f"{' or '.join(chosen.suffixes)}"
            )
        return chosen
    if not path.suffix:
        raise InputError(f"'{path}': no suffix tells the format. Name it: --to openpose, or .nc …")
    by_suffix = [
        f for f in track_formats() if path.suffix.lower() in f.suffixes and f.name != "openpose"
    ]
    if not by_suffix:
        known = {s for f in track_formats() for s in f.suffixes} - {".json"}
        raise UnknownNameError("suffix", path.suffix, known, where=f"'{path}'")
    return by_suffix[0]


def _fit(path: Path, tracks: Tracks, chosen: TrackFormat) -> Tracks:
    """Return what of the tracks the format can hold.

    Raises
    ------
    InputError
        If that is nothing, or a rate is needed and not known.
    """
    holds_poses = tracks.poses is not None and _kind(tracks, chosen) in chosen.holds
    fitting = replace(
        tracks,
        poses=tracks.poses if holds_poses else None,
        angles=tracks.angles if "angles" in chosen.holds else None,
        events=tracks.events if "events" in chosen.holds else no_events(),
    )
    if fitting.poses is None and fitting.angles is None:
        what = [w for w, there in _contents(tracks) if there] or ["nothing"]
        able = [f.name for f in track_formats() if _can_hold(tracks, f)]
        raise InputError(
            f"'{path}': the format {chosen.name} cannot hold {' and '.join(what)}. "
            f"Formats that can: {', '.join(able) or 'none'}"
        )
    data = fitting.poses if fitting.poses is not None else fitting.angles
    timed = {"trc", "c3d", "nwb", "mot"}
    if chosen.name in timed and data is not None and data.attrs.get("time_unit") == "frames":
        raise InputError(
            f"'{path}': the format {chosen.name} holds times, and nothing tells the frame "
            "rate of these tracks: give --fps"
        )
    return fitting


def _kind(tracks: Tracks, chosen: TrackFormat) -> str:
    """Return what the poses count as: with a scale, 2D ones can be written as 3D."""
    if tracks.poses is None:
        return ""
    flat = tracks.poses.sizes["space"] == 2
    return "2D" if flat and chosen.name not in ("trc", "c3d") else "3D"


def _contents(tracks: Tracks) -> list[tuple[str, bool]]:
    flat = tracks.poses is not None and tracks.poses.sizes["space"] == 2
    return [
        ("2D keypoints", flat),
        ("3D keypoints", tracks.poses is not None and not flat),
        ("angles", tracks.angles is not None),
        ("events", bool(len(tracks.events))),
    ]


def _can_hold(tracks: Tracks, other: TrackFormat) -> bool:
    angles = tracks.angles is not None and "angles" in other.holds
    return angles or (tracks.poses is not None and _kind(tracks, other) in other.holds)


def _lost(tracks: Tracks, chosen: TrackFormat) -> list[str]:
    """Name what the tracks have and the format cannot hold."""
    lost = [] if tracks.poses is None else _lost_of_poses(tracks, tracks.poses, chosen)
    if tracks.angles is not None and "angles" not in chosen.holds:
        lost.append("angles")
    if len(tracks.events) and "events" not in chosen.holds:
        lost.append(f"{len(tracks.events)} events")
    data = tracks.poses if tracks.poses is not None else tracks.angles
    if data is not None and "times" not in chosen.holds:
        rate = None if data.attrs.get("time_unit") == "frames" else rate_of(data)
        if "rate" not in chosen.holds and rate is not None:
            lost.append(f"frame rate ({rate:g}/s)")
        if (off_s := off_grid_s(data)) > 1e-6:
            lost.append(f"times off an even grid (up to {1000 * off_s:.3g} ms)")
    return lost


def _lost_of_poses(tracks: Tracks, poses: xr.Dataset, chosen: TrackFormat) -> list[str]:
    if not {"2D", "3D"} & chosen.holds:
        return ["keypoints"]
    lost = []
    if "confidence" not in chosen.holds and np.isfinite(poses["confidence"].values).any():
        lost.append("confidence")
    more = [n for n in ("filled", "covariance") if n in poses and bool(poses[n].any())]
    lost += [name for name in more if name not in chosen.holds]
    if not tracks.identified and len(tracks.people) > 1 and chosen.name not in _KEEP_ORDER:
        lost.append("that the people are merely ordered in each frame (no identities)")
    if IMAGE in poses.coords and chosen.name not in ("deeplabcut", "movement"):
        lost.append("names of the pictures")
    return lost
