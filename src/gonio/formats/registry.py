"""Every format of tracks: how it is told, read and written, and what it can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from gonio.errors import FormatError, UnknownNameError
from gonio.formats.c3d import read_c3d, write_c3d
from gonio.formats.deeplabcut import read_deeplabcut, write_deeplabcut
from gonio.formats.mot import coordinates_of, read_mot_angles, write_mot
from gonio.formats.netcdf import read_netcdf, write_netcdf
from gonio.formats.nwb import read_nwb, write_nwb
from gonio.formats.openpose import keeps_names, keeps_people, read_openpose, write_openpose
from gonio.formats.sleap import read_sleap, write_sleap
from gonio.formats.tidy import read_csv, write_csv
from gonio.formats.tracks import Tracks, match_skeleton
from gonio.formats.trc import read_trc, write_trc
from gonio.poses import KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonio.skeletons import Skeleton


class Reader(Protocol):
    """Reads a file of one format; ``fps`` counts where the file holds no rate."""

    def __call__(
        self, path: Path, *, skeleton: Skeleton | str | Path | None, fps: float | None
    ) -> Tracks:
        """Read the file."""
        ...


class Writer(Protocol):
    """Writes a file of one format, whole or not at all."""

    def __call__(self, path: Path, tracks: Tracks, *, px_per_m: float | None) -> None:
        """Write the file."""
        ...


@dataclass(frozen=True)
class TrackFormat:
    """One format of tracks.

    Attributes
    ----------
    name
        As ``--from`` and ``--to`` take it.
    title
        In words.
    suffixes
        Of its files; empty for a folder.
    holds
        What it can hold, of :data:`HOLDABLE`.
    read, write
        Its reader and its writer.
    loses
        Further things that it cannot hold of these tracks, in words.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    holds: frozenset[str]
    read: Reader
    write: Writer
    loses: Callable[[Tracks], list[str]] = field(default=lambda _: [])


HOLDABLE: Final = (
    "2D", "3D", "angles", "events", "confidence", "people", "rate", "times", "filled", "covariance",
)  # fmt: skip
"""``2D`` and ``3D`` keypoints; several ``people``; the frame ``rate``; ``times`` of any spacing."""


def _timed(read: Callable[[Path, Skeleton | str | Path | None], Tracks]) -> Reader:
    """Make a reader of a format that holds its own times."""

    def reader(
        path: Path,
        *,
        skeleton: Skeleton | str | Path | None,
        fps: float | None,  # noqa: ARG001
    ) -> Tracks:
        return read(path, skeleton)

    return reader


def _read_trc(path: Path, skeleton: Skeleton | str | Path | None) -> Tracks:
    poses = read_trc(path)
    names = [str(n) for n in poses[KEYPOINTS].values]
    chosen, order = match_skeleton(names, skeleton, where=f"'{path}'")
    poses = poses.isel({KEYPOINTS: order}).assign_attrs(skeleton=chosen.name)
    return Tracks(poses=poses, skeleton=chosen)


def _write_trc(path: Path, tracks: Tracks, *, px_per_m: float | None) -> None:
    if tracks.poses is not None:
        write_trc(path, tracks.poses, px_per_m=px_per_m)


def _write_mot(path: Path, tracks: Tracks, *, px_per_m: float | None) -> None:  # noqa: ARG001
    if tracks.angles is not None:
        write_mot(path, tracks.angles)


def _unscaled(write: Callable[[Path, Tracks], None]) -> Writer:
    def writer(path: Path, tracks: Tracks, *, px_per_m: float | None) -> None:  # noqa: ARG001
        write(path, tracks)

    return writer


def _lost_in_mot(tracks: Tracks) -> list[str]:
    if tracks.angles is None:
        return []
    held = coordinates_of(tracks.angles)
    others = [str(n) for n in tracks.angles["angle"].values if str(n) not in held]
    return [f"angles that are no OpenSim coordinate ({', '.join(others)})"] if others else []


def _lost_in_openpose(tracks: Tracks) -> list[str]:
    lost = [] if keeps_names(tracks) else ["names of the keypoints"]
    return lost if keeps_people(tracks) else [*lost, "names of the people"]


def _lost_in_csv(tracks: Tracks) -> list[str]:
    return ["angles"] if tracks.poses is not None and tracks.angles is not None else []


_FORMATS: Final = (
    TrackFormat(
        "movement", "netCDF of Gonio and movement", (".nc",),
        frozenset(HOLDABLE) - {"angles"}, read_netcdf, _unscaled(write_netcdf),
    ),
    TrackFormat(
        "csv", "Gonio's tidy table", (".csv",),
        frozenset(HOLDABLE) - {"events", "covariance"}, read_csv, _unscaled(write_csv),
        _lost_in_csv,
    ),
    TrackFormat(
        "openpose", "OpenPose JSON, a folder", (".json",),
        frozenset({"2D", "confidence", "people"}), read_openpose, _unscaled(write_openpose),
        _lost_in_openpose,
    ),
    TrackFormat(
        "deeplabcut", "DeepLabCut", (".csv", ".h5"),
        frozenset({"2D", "confidence", "people"}), read_deeplabcut, _unscaled(write_deeplabcut),
    ),
    TrackFormat(
        "sleap", "SLEAP", (".slp",),
        frozenset({"2D", "confidence", "people"}), read_sleap, _unscaled(write_sleap),
    ),
    TrackFormat(
        "nwb", "Neurodata Without Borders, ndx-pose", (".nwb",),
        frozenset({"2D", "3D", "confidence", "people", "rate", "times"}),
        _timed(lambda path, skeleton: read_nwb(path, skeleton=skeleton)), _unscaled(write_nwb),
    ),
    TrackFormat(
        "trc", "OpenSim markers", (".trc",),
        frozenset({"3D", "rate", "times"}), _timed(_read_trc), _write_trc,
    ),
    TrackFormat(
        "mot", "OpenSim coordinates", (".mot",),
        frozenset({"angles", "rate", "times"}),
        _timed(lambda path, _: Tracks(angles=read_mot_angles(path))), _write_mot, _lost_in_mot,
    ),
    TrackFormat(
        "c3d", "C3D", (".c3d",),
        frozenset({"3D", "events", "rate"}),
        _timed(lambda path, skeleton: read_c3d(path, skeleton=skeleton)), write_c3d,
    ),
)  # fmt: skip
_BY_NAME: Final = {f.name: f for f in _FORMATS}


def track_formats() -> list[TrackFormat]:
    """Return every format of tracks."""
    return list(_FORMATS)


def find_format(name: str) -> TrackFormat:
    """Return a format by name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in _BY_NAME:
        raise UnknownNameError("format", name, _BY_NAME)
    return _BY_NAME[name]


def detect_format(path: str | Path) -> TrackFormat:
    """Tell a file's format by its suffix, and where that leaves a choice by its content.

    Parameters
    ----------
    path
        A file or a folder that exists.

    Returns
    -------
    TrackFormat

    Raises
    ------
    FormatError
        If it does not exist or no format is recognized.
    """
    path = Path(path)
    if path.is_dir():
        if any(p.suffix.lower() == ".json" for p in path.iterdir()):
            return _BY_NAME["openpose"]
        raise FormatError(f"'{path}': a folder without .json files. Name the file itself.")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise FormatError(f"'{path}': cannot be read ({error.strerror or error})") from error
    by_suffix = [f for f in _FORMATS if path.suffix.lower() in f.suffixes]
    if len(by_suffix) == 1 and path.suffix.lower() != ".h5":
        return by_suffix[0]
    name = _sniff(path, head)
    if name is None:
        known = ", ".join(sorted({s for f in _FORMATS for s in f.suffixes}))
        raise FormatError(
            f"'{path}': no format of tracks is recognized by its suffix or content "
            f"(known: {known}). Name it: --from {'|'.join(_BY_NAME)}"
        )
    return _BY_NAME[name]


def _sniff(path: Path, head: bytes) -> str | None:
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return _sniff_hdf5(path)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    columns = {c.strip().strip(b'"') for c in text.split(b"\n", 1)[0].split(b",")}
    signs = {
        "c3d": head[1:2] == b"\x50" and head[:1] in b"\x02\x03",
        "trc": text.startswith(b"PathFileType"),
        "mot": b"endheader" in text.lower(),
        "deeplabcut": text.startswith(b"scorer,"),
        # Of a .csv that is neither, the reader says what is missing.
        "csv": bool({b"keypoint", b"angle"} & columns) or path.suffix.lower() == ".csv",
        "openpose": text.startswith(b"{") and b'"people"' in text,
    }
    return next((name for name, there in signs.items() if there), None)


def _sniff_hdf5(path: Path) -> str | None:
    import h5py

    with h5py.File(path, "r") as file:
        names = set(file)
        if "nwb_version" in file.attrs:
            return "nwb"
        if {"position", "confidence"} <= names:
            return "movement"
        if {"frames", "instances", "points"} <= names:
            return "sleap"
        tables = [file[n] for n in names if isinstance(file[n], h5py.Group)]
        return "deeplabcut" if any("pandas_type" in t.attrs for t in tables) else None
