"""OpenSim's marker files, ``.trc`` (track, row, column).

Tab-separated; five header rows and a blank one, then a row a frame: number, time in seconds, and
x, y, z of each marker. Metres, y **up**. One file holds one person.
Source: OpenSim documentation, "Marker (.trc) Files".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from gonio.errors import FormatError, InputError
from gonio.formats.text import check_times, number, one_person, read_lines, table, write_lines
from gonio.poses import INDIVIDUALS, KEYPOINTS, POSES_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_KEYS = (
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\t"
    "OrigNumFrames"
)
_PER_METER: Final = {"m": 1.0, "dm": 10.0, "cm": 100.0, "mm": 1000.0}
_HEADER = 5


def write_trc(
    path: Path,
    poses: xr.Dataset,
    *,
    individual: str | None = None,
    px_per_m: float | None = None,
    origin_px: tuple[float, float] | None = None,
) -> None:
    """Write one person's keypoints as markers.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    poses
        Poses, 2D in pixels (y down) or 3D in metres (y up).
    individual
        Whose; may be left out where there is only one person.
    px_per_m
        Scale of 2D poses, pixels per metre. 3D poses need none.
    origin_px
        The image point that becomes (0, 0) of 2D poses. By default the image's left edge
        (x = 0) at the height of the floor, taken as the median over time of the person's lowest
        keypoint: in walking and squatting a foot is on the ground most of the time. The floor is
        assumed level in the image.

    Notes
    -----
    2D poses lie in the plane z = 0 with x to the right **of the image**: a person who walks to
    the left moves along −x. Positions have 8 decimals; what was not seen is an empty cell. The
    data rate is the attribute ``fps``, else the mean one, else (a single frame) 1.

    Raises
    ------
    InputError
        If 2D poses come without a scale, or the person is not clear.
    OutputError
        If the file cannot be written.
    """
    person = one_person(poses, individual, ".trc")
    xyz = person["position"].transpose("time", KEYPOINTS, "space").values.astype(np.float64)
    if xyz.shape[2] == 2:
        xyz = to_meters(xyz, px_per_m, origin_px)
    time_s = poses["time"].values.astype(np.float64)
    names = [str(n) for n in poses[KEYPOINTS].values]
    mean = (len(time_s) - 1) / (time_s[-1] - time_s[0]) if len(time_s) > 1 else 1.0
    rate = float(poses.attrs.get("fps", mean))
    lines = _header(path.name, names, len(time_s), rate)
    for i, (t, row) in enumerate(zip(time_s, xyz.reshape(len(time_s), -1), strict=True)):
        cells = ("" if math.isnan(v) else f"{v:.8f}" for v in row)
        lines.append("\t".join([str(i + 1), f"{t:.8f}", *cells]))
    write_lines(path, lines)


def to_meters(
    xy_px: NDArray[np.float64], px_per_m: float | None, origin_px: tuple[float, float] | None
) -> NDArray[np.float64]:
    """Return ``(time, keypoints, 3)`` in metres, y up, from ``(time, keypoints, 2)`` in pixels.

    For the arguments see :func:`write_trc`.

    Raises
    ------
    InputError
        If there is no scale, or it is no positive number.
    """
    if px_per_m is None:
        raise InputError(
            "these files are in metres and the poses in pixels: give a scale "
            "(px_per_m; on the command line --height-m, the person's height, or --px-per-m)"
        )
    if not (math.isfinite(px_per_m) and px_per_m > 0):
        raise InputError(f"px_per_m must be a positive number, not {px_per_m!r}")
    if origin_px is None:
        lowest = np.where(np.isnan(xy_px[..., 1]), -np.inf, xy_px[..., 1]).max(axis=1)
        seen = lowest[np.isfinite(lowest)]
        origin_px = (0.0, float(np.median(seen)) if seen.size else 0.0)
    xyz = np.where(np.isnan(xy_px).any(axis=2, keepdims=True), np.nan, 0.0).repeat(3, axis=2)
    xyz[..., 0] += (xy_px[..., 0] - origin_px[0]) / px_per_m
    xyz[..., 1] += (origin_px[1] - xy_px[..., 1]) / px_per_m
    return xyz + 0.0


def _header(name: str, markers: list[str], frames: int, rate: float) -> list[str]:
    axes = [f"{axis}{i + 1}" for i in range(len(markers)) for axis in "XYZ"]
    values = [f"{rate:.2f}", f"{rate:.2f}", frames, len(markers), "m", f"{rate:.2f}", 1, frames]
    return [
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        _KEYS,
        "\t".join(map(str, values)),
        "\t".join(["Frame#", "Time", *(f"{m}\t\t" for m in markers)]),
        "\t".join(["", "", *axes]),
        "",
    ]


def read_trc(path: Path) -> xr.Dataset:
    """Read markers.

    Parameters
    ----------
    path
        A ``.trc`` file in m, dm, cm or mm.

    Returns
    -------
    xr.Dataset
        ``position (time, space, keypoints, individuals)`` float64, metres, axes as in the file
        (OpenSim: y up); NaN where a cell is empty. ``confidence`` is NaN: the file has none.
        ``time`` is the file's column. Keypoints are the file's marker names. The header
        announces how many markers there are; further names in its row 4 without data (virtual
        markers) are left out. Attribute ``fps``: the data rate.

    Raises
    ------
    FormatError
        If the header or a row is wrong, with the line's number.
    """
    lines = read_lines(path)
    if len(lines) < _HEADER or not lines[0].startswith("PathFileType"):
        raise FormatError(f"'{path}', line 1: not a .trc file, it must begin with 'PathFileType'")
    rate, frames, count, per_meter = _read_values(path, lines)
    names = _read_names(path, lines[3], count)
    columns = max(2 + 3 * count, *(len(line.split("\t")) for line in lines[3:]))
    rows = table(path, lines, _HEADER, columns, exact=False)
    if not np.isnan(rows[:, 2 + 3 * count :]).all():
        raise FormatError(f"'{path}', line 3: NumMarkers is {count}, but more columns hold data")
    if len(rows) != frames:
        raise FormatError(
            f"'{path}', line 3: NumFrames is {frames}, but there are {len(rows)} rows"
        )
    time_s = rows[:, 1]
    check_times(path, time_s, _HEADER)
    position = rows[:, 2 : 2 + 3 * count].reshape(-1, count, 3) / per_meter
    unknown = np.full((*position.shape[:2], 1), np.nan, np.float32)
    return xr.Dataset(
        {
            "position": (
                ("time", "space", KEYPOINTS, INDIVIDUALS),
                position.transpose(0, 2, 1)[..., None],
            ),
            "confidence": (("time", KEYPOINTS, INDIVIDUALS), unknown),
        },
        coords={
            "time": time_s,
            "space": list("xyz"),
            KEYPOINTS: names,
            INDIVIDUALS: ["person_0"],
        },
        attrs={
            "schema": POSES_SCHEMA,
            "ds_type": "poses",
            "source_software": "trc",
            "time_unit": "seconds",
            "source": str(path),
            "fps": rate,
            "log": "[]",
        },
    )


def _read_values(path: Path, lines: list[str]) -> tuple[float, int, int, float]:
    """Return data rate, frames, markers and units per metre from rows 2 and 3."""
    keys = lines[1].split("\t")
    cells = [c.strip() for c in lines[2].split("\t")]
    values = dict(zip((k.strip() for k in keys), cells, strict=False))
    for key in ("DataRate", "NumFrames", "NumMarkers", "Units"):
        if not values.get(key):
            raise FormatError(f"'{path}', lines 2 and 3: no value for '{key}'")
    where = f"'{path}', line 3"
    rate, frames, count = (
        number(values[k], where) for k in ("DataRate", "NumFrames", "NumMarkers")
    )
    if not (rate > 0 and frames >= 0 and frames == int(frames) and count == int(count) >= 0):
        raise FormatError(f"{where}: DataRate, NumFrames or NumMarkers cannot be right")
    if values["Units"] not in _PER_METER:
        known = ", ".join(_PER_METER)
        raise FormatError(f"{where}: unknown unit '{values['Units']}' (known: {known})")
    return rate, int(frames), int(count), _PER_METER[values["Units"]]


def _read_names(path: Path, line: str, count: int) -> list[str]:
    cells = line.split("\t")
    if [c.strip() for c in cells[:2]] != ["Frame#", "Time"]:
        raise FormatError(f"'{path}', line 4: must begin with 'Frame#' and 'Time'")
    names = [c.strip() for c in cells[2::3]][:count]
    if len(names) < count or "" in names:
        named = sum(map(bool, names))
        raise FormatError(f"'{path}', line 4: {named} markers, line 3 announces {count}")
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise FormatError(f"'{path}', line 4: markers named twice: {', '.join(twice)}")
    return names
