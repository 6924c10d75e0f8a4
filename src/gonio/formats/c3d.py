"""C3D: markers in space and events, as motion capture systems write them.

Time origin: (raw frame number − 1) / rate, raw frame numbers counting from 1, which is the origin
of the file's own EVENT times. Source: The C3D File Format, c3d.org (POINT, TRIAL and EVENT groups).
"""

from __future__ import annotations

import errno
import platform
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from gonio.errors import FormatError, InputError, MissingExtraError
from gonio.formats.text import one_person
from gonio.formats.tracks import (
    EVENT_COLUMNS,
    Found,
    Tracks,
    frame_numbers,
    make_tracks,
    no_events,
    rate_of,
    unique_names,
    warn,
)
from gonio.formats.trc import to_meters
from gonio.formats.whole import whole_file
from gonio.poses import KEYPOINTS, make_angles

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

    Doubles = NDArray[np.float64]

_PER_METER: Final = {"m": 1.0, "dm": 10.0, "cm": 100.0, "mm": 1000.0}
_AXES: Final = {f"{sign}{axis}": (i, s) for sign, s in (("+", 1.0), ("-", -1.0), ("", 1.0))
                for i, axis in enumerate("XYZ")}  # fmt: skip
_TYPES: Final = {"foot strike": "heel_strike", "foot off": "toe_off"}
_SIDES: Final = {"left": "left", "right": "right"}
_MOST_FRAMES: Final = 65535
_GROUPS: Final = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")


def read_c3d(path: Path, *, skeleton: Skeleton | str | Path | None = None) -> Tracks:
    """Read markers, computed angles and events.

    Parameters
    ----------
    path
        The file.
    skeleton
        What the markers must follow; None: found by their names, as a rule foreign.

    Returns
    -------
    Tracks
        ``poses``: the markers, metres, y up: the file's X_SCREEN becomes x, its Y_SCREEN y (where
        it names none, its Z is taken to be up, with a warning). NaN where a marker is marked
        invalid; no confidence. ``angles``: points listed in POINT:ANGLES, three numbers each
        (``LKneeAngles_x``…), in degrees; None where there are none. ``events``: Foot Strike and
        Foot Off are ``heel_strike`` and ``toe_off``; other labels stay as they are. Forces,
        moments, powers and analog channels are not read, with a warning.

    Raises
    ------
    MissingExtraError
        If ezc3d is not installed.
    InputError
        On arm64 Linux, for which there is no ezc3d.
    FormatError
        If the file is no C3D file or cannot be understood.
    """
    _check_first_bytes(path)
    try:
        file = _ezc3d().c3d(str(path))
    except (OSError, RuntimeError, ValueError, IndexError, KeyError) as error:
        raise FormatError(f"'{path}': cannot be read as C3D ({error})") from error
    parameters = file["parameters"]
    point = parameters["POINT"]
    points = np.asarray(file["data"]["points"], np.float64)[:3]
    labels = _labels(point, points.shape[1], path)
    rate = float(file["header"]["points"]["frame_rate"])
    if not rate > 0:
        raise FormatError(f"'{path}': its frame rate is {rate:g}")
    first = _first_raw_frame(file)
    frames = np.arange(points.shape[2], dtype=np.int64) + first - 1
    computed = {g: set(_words(point, g)) & set(labels) for g in _computed_groups(point)}
    markers = [i for i, n in enumerate(labels) if not any(n in g for g in computed.values())]
    _warn_of_rest(path, computed, file["data"]["analogs"].shape[1])
    xyz = _turn(points[:, markers], point, path) / _per_meter(point, path)
    found = Found(
        position=xyz.transpose(2, 0, 1)[..., None],
        confidence=None,
        keypoints=[labels[i] for i in markers],
        individuals=["person_0"],
        time_s=frames / rate,
        fps=rate,
    )
    tracks = Tracks()
    if markers:
        tracks = make_tracks(path, found, skeleton=skeleton, software="C3D")
    angles = [i for i, n in enumerate(labels) if n in computed.get("ANGLES", set())]
    return Tracks(
        poses=tracks.poses,
        skeleton=tracks.skeleton,
        angles=_angles(point, points[:, angles], [labels[i] for i in angles], frames / rate, rate),
        events=_read_events(parameters, path),
    )


def write_c3d(path: Path, tracks: Tracks, *, px_per_m: float | None = None) -> None:
    """Write one person's keypoints as markers, with events.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    tracks
        Poses of one person: 3D in metres, or 2D with a scale (see
        :func:`gonio.formats.write_trc` for where they come to lie). Frames stand at time × rate;
        frames that are missing in between are invalid ones. Millimetres as 32-bit floats, x as
        X_SCREEN, y as Y_SCREEN.
    px_per_m
        Scale of 2D poses, pixels per metre.

    Raises
    ------
    MissingExtraError, InputError
        As in :func:`read_c3d`; also if 2D poses come without a scale, there are several people,
        or the frames are too many for the format.
    OutputError
        If the file cannot be written.
    """
    if tracks.poses is None:
        raise InputError("a .c3d file holds markers, and there are none")
    ezc3d = _ezc3d()
    person = one_person(tracks.poses, None, ".c3d")
    xyz = person["position"].transpose("time", KEYPOINTS, "space").values.astype(np.float64)
    if xyz.shape[2] == 2:
        xyz = to_meters(xyz, px_per_m, None)
    numbers = frame_numbers(tracks.poses)
    first = int(numbers[0]) if len(numbers) else 0
    count = int(numbers[-1]) - first + 1 if len(numbers) else 0
    if first + count > _MOST_FRAMES:
        raise InputError(
            f"a .c3d file numbers its frames up to {_MOST_FRAMES}, these end at {first + count}. "
            "Write .trc or .nc instead, or a part."
        )
    points = np.full((4, xyz.shape[1], count), np.nan)
    points[:3, :, numbers - first] = xyz.transpose(2, 1, 0) * 1000
    points[3] = 1
    file = ezc3d.c3d()
    _fill_header(file, person, first, rate_of(tracks.poses) or 1.0)
    file["data"]["points"] = points
    unseen = np.isnan(points[:3]).any(axis=0)
    file["data"]["meta_points"]["residuals"] = np.where(unseen, -1.0, 0.0)[None]
    file["data"]["meta_points"]["camera_masks"] = np.zeros((7, *unseen.shape), dtype=bool)
    labels = {ours: theirs.title() for theirs, ours in _TYPES.items()}
    for kind, side, time_s in tracks.events[list(EVENT_COLUMNS)].to_numpy(dtype=object):
        minutes = float(time_s // 60)
        file.add_event(
            time=[minutes, float(time_s) - 60 * minutes],
            context=side.capitalize() or "General",
            label=labels.get(kind, kind),
        )
    with whole_file(path) as part:
        file.write(str(part))
        _check_complete(part, points.shape[1] * count)


def _check_complete(path: Path, samples: int) -> None:
    """Check that all samples were written: ezc3d does not notice a full disk.

    Raises
    ------
    OSError
        If the file ends before its data do. (A sample is four 32-bit numbers; the header's ninth
        word numbers the first data block of 512 bytes, from 1.)
    """
    with path.open("rb") as file:
        head = file.read(18)
    first_block = int.from_bytes(head[16:18], "little")
    if first_block < 2 or path.stat().st_size < 512 * (first_block - 1) + 16 * samples:
        raise OSError(errno.ENOSPC, "No space left on device")


def _fill_header(file: Any, person: xr.Dataset, first: int, rate: float) -> None:
    file["header"]["points"]["first_frame"] = first
    point = file["parameters"]["POINT"]
    point["RATE"]["value"] = [rate]
    point["LABELS"]["value"] = [str(n) for n in person[KEYPOINTS].values]
    point["UNITS"]["value"] = ["mm"]
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Y"])


def _ezc3d() -> Any:
    try:
        import ezc3d
    except ImportError as error:
        if sys.platform == "linux" and platform.machine().lower() in ("aarch64", "arm64"):
            raise InputError(
                "C3D files need ezc3d, which does not exist for arm64 Linux. Convert the file to "
                ".trc or .nc on another machine: gonio convert FILE.c3d FILE.nc"
            ) from error
        raise MissingExtraError("ezc3d", "formats") from error
    return ezc3d


def _check_first_bytes(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(2)
    except OSError as error:
        raise FormatError(f"'{path}': cannot be read ({error.strerror or error})") from error
    if len(head) < 2 or head[1] != 0x50:
        raise FormatError(f"'{path}': not a C3D file (its second byte must be 50 hex)")


def _words(group: Any, name: str) -> list[str]:
    """Return a parameter's texts; long lists go on under ``NAME2``, ``NAME3``."""
    words: list[str] = []
    for key in (name, *(f"{name}{i}" for i in range(2, 20))):
        if key not in group:
            break
        words += [str(w).strip() for w in group[key]["value"]]
    return words


def _labels(point: Any, count: int, path: Path) -> list[str]:
    labels = _words(point, "LABELS")[:count]
    labels += [""] * (count - len(labels))
    named = [label or f"point_{i + 1}" for i, label in enumerate(labels)]
    return unique_names(named, path)


def _computed_groups(point: Any) -> list[str]:
    return sorted({*_GROUPS, *_words(point, "TYPE_GROUPS")[::2]} & set(point))


def _first_raw_frame(file: Any) -> int:
    """Return the number of the first frame, from 1: the 32-bit TRIAL entry, else the header's."""
    trial = file["parameters"].get("TRIAL", {})
    if "ACTUAL_START_FIELD" in trial:
        words = [int(v) & 0xFFFF for v in trial["ACTUAL_START_FIELD"]["value"]]
        number = words[0] + (words[1] << 16 if len(words) > 1 else 0)
        if number > 0:
            return number
    return int(file["header"]["points"]["first_frame"]) + 1


def _per_meter(point: Any, path: Path) -> float:
    unit = (_words(point, "UNITS") or [""])[0].lower()
    if unit in _PER_METER:
        return _PER_METER[unit]
    if unit:
        raise FormatError(f"'{path}': unknown unit '{unit}' (known: {', '.join(_PER_METER)})")
    warn(f"'{path}': does not say its unit: millimeters are assumed")
    return _PER_METER["mm"]


def _turn(points: Doubles, point: Any, path: Path) -> Doubles:
    """Return points, shape ``(3, …)``, with x and y along the file's X_SCREEN and Y_SCREEN."""
    names = [(_words(point, key) or [""])[0].upper() for key in ("X_SCREEN", "Y_SCREEN")]
    axes = [_AXES.get(name) for name in names]
    if axes[0] is None or axes[1] is None or axes[0][0] == axes[1][0]:
        warn(f"'{path}': does not say which way is up: its Z is taken to be")
        axes = [_AXES["+X"], _AXES["+Z"]]
    turn = np.zeros((3, 3))
    for row, axis in enumerate(axes):
        if axis is not None:
            turn[row, axis[0]] = axis[1]
    turn[2] = np.cross(turn[0], turn[1])
    source = np.abs(turn).argmax(axis=1)
    sign = turn[np.arange(3), source]
    turned: Doubles = points[source] * sign[:, None, None]
    return turned


def _angles(
    point: Any, values: Doubles, names: list[str], time_s: Doubles, rate: float
) -> xr.Dataset | None:
    if not names:
        return None
    if (_words(point, "ANGLE_UNITS") or ["deg"])[0].lower().startswith("rad"):
        values = np.degrees(values)
    return make_angles(
        values.transpose(2, 1, 0).reshape(len(time_s), -1, 1),
        time_s=time_s,
        names=[f"{name}_{axis}" for name in names for axis in "xyz"],
        individuals=["person_0"],
        attrs={"fps": rate, "time_unit": "seconds"},
    )


def _read_events(parameters: Any, path: Path) -> pd.DataFrame:
    group = parameters.get("EVENT", {})
    used = int(group["USED"]["value"][0]) if "USED" in group else 0
    if not used:
        return no_events()
    times = np.asarray(group["TIMES"]["value"] if "TIMES" in group else [], np.float64)
    labels, contexts = _words(group, "LABELS"), _words(group, "CONTEXTS")
    if times.ndim != 2 or times.shape[0] != 2 or min(times.shape[1], len(labels)) < used:
        raise FormatError(f"'{path}': EVENT:USED is {used}, but its times or labels are fewer")
    contexts += [""] * (used - len(contexts))
    events = pd.DataFrame(
        {
            "type": [_TYPES.get(n.lower(), n) for n in labels[:used]],
            "side": [_SIDES.get(c.lower(), "") for c in contexts[:used]],
            "time_s": 60 * times[0, :used] + times[1, :used],
        }
    )
    return events.sort_values("time_s", ignore_index=True)


def _warn_of_rest(path: Path, computed: dict[str, set[str]], channels: int) -> None:
    rest = [f"{len(n)} {g.lower()}" for g, n in computed.items() if n and g != "ANGLES"]
    rest += [f"{channels} analog channels"] if channels else []
    if rest:
        warn(f"'{path}': not read: {', '.join(rest)}")
