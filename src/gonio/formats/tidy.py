"""Gonio's own tidy CSV: one row a frame, person and keypoint (or angle).

Keypoints: ``time_s``, ``frame`` (number from 0), ``person``, ``keypoint``, then ``x_px``, ``y_px``
or ``x_m``, ``y_m``, ``z_m``, ``confidence``, and ``filled`` where something was filled. Angles:
``time_s``, ``frame``, ``person``, ``angle``, ``value_deg``, and ``value_m`` where there are
translations. An empty cell is *not seen* or *not known*; an empty ``time_s`` says that nothing
tells the frame rate. Numbers have as many digits as bring them back exactly.
"""

from __future__ import annotations

import io
from itertools import compress
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import xarray as xr

from gonio.errors import FormatError, InputError, near_match
from gonio.formats.text import write_lines
from gonio.formats.tracks import (
    Found,
    Tracks,
    frame_numbers,
    make_tracks,
    rate_from_times,
    warn,
)
from gonio.poses import INDIVIDUALS, KEYPOINTS, make_angles

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

    Doubles = NDArray[np.float64]

_PIXELS: Final = ("x_px", "y_px")
_METERS: Final = ("x_m", "y_m", "z_m")
_TEXT: Final = ("person", "keypoint", "angle", "facing")
_NUMBERS: Final = (
    "time_s", "frame", *_PIXELS, *_METERS, "confidence", "filled", "value_deg", "value_m",
)  # fmt: skip


def write_csv(path: Path, tracks: Tracks) -> None:
    """Write keypoints, or angles where there are no keypoints.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    tracks
        Poses or angles.

    Raises
    ------
    InputError
        If there are neither.
    OutputError
        If the file cannot be written.
    """
    if tracks.poses is not None:
        table = _pose_table(tracks.poses)
    elif tracks.angles is not None:
        table = _angle_table(tracks.angles)
    else:
        raise InputError("there is nothing to write")
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator="\n")
    write_lines(path, buffer.getvalue().splitlines())


def _pose_table(poses: xr.Dataset) -> pd.DataFrame:
    columns = _PIXELS if poses.sizes["space"] == 2 else _METERS
    people, points = (poses[d].values.astype(str) for d in (INDIVIDUALS, KEYPOINTS))
    order = ("time", INDIVIDUALS, KEYPOINTS)
    rows = len(people) * len(points)
    table = {
        **_clock(poses, rows),
        "person": np.tile(np.repeat(people, len(points)), poses.sizes["time"]),
        "keypoint": np.tile(points, poses.sizes["time"] * len(people)),
    }
    for name, space in zip(columns, "xyz", strict=False):
        table[name] = poses["position"].sel(space=space).transpose(*order).values.ravel()
    table["confidence"] = poses["confidence"].transpose(*order).values.ravel()
    if "filled" in poses:
        table["filled"] = poses["filled"].transpose(*order).values.ravel().astype(int)
    return pd.DataFrame(table)


def _angle_table(angles: xr.Dataset) -> pd.DataFrame:
    parts = []
    for variable, dim, column in (
        ("angle_deg", "angle", "value_deg"),
        ("translation_m", "translation", "value_m"),
    ):
        if variable not in angles:
            continue
        people, names = (angles[d].values.astype(str) for d in (INDIVIDUALS, dim))
        rows = len(people) * len(names)
        values = angles[variable].transpose("time", INDIVIDUALS, dim).values.ravel()
        table = {
            **_clock(angles, rows),
            "person": np.tile(np.repeat(people, len(names)), angles.sizes["time"]),
            "angle": np.tile(names, angles.sizes["time"] * len(people)),
            column: values,
        }
        parts.append(pd.DataFrame(table))
    return pd.concat(parts).sort_values("frame", kind="stable")


def _clock(data: xr.Dataset, rows: int) -> dict[str, NDArray[np.generic]]:
    time_s = data["time"].values.astype(np.float64)
    if data.attrs.get("time_unit") == "frames":
        time_s = np.full_like(time_s, np.nan)
    return {"time_s": np.repeat(time_s, rows), "frame": np.repeat(frame_numbers(data), rows)}


def read_csv(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, fps: float | None = None
) -> Tracks:
    """Read keypoints or angles; an evaluation's ``angles.csv`` is such a file too.

    Parameters
    ----------
    path
        The file. Columns other than this format's are left out with a warning. People who are
        only numbers are called ``person_<number>``. Rows may stand in any order.
    skeleton
        What the keypoints must follow; None: found by their names.
    fps
        Frames per second, where the column ``time_s`` is missing or empty.

    Returns
    -------
    Tracks

    Raises
    ------
    FormatError
        If a column is missing, a cell is no number, or an observation stands twice.
    """
    table = _load(path)
    dim = "keypoint" if "keypoint" in table else "angle"
    values = [c for c in (*_PIXELS, *_METERS, "value_deg", "value_m") if c in table]
    _check_columns(path, table, dim, values)
    row, frames, time_s = _frames(path, table)
    person, people = pd.factorize(_people(table))
    point, names = pd.factorize(table[dim])
    shape = (len(frames), len(names), len(people))
    place = np.ravel_multi_index((row, point, person), shape)
    if len(np.unique(place)) != len(place):
        again = int(np.flatnonzero(pd.Series(place).duplicated())[0])
        raise FormatError(f"'{path}', line {again + 2}: this observation stood above already")
    grids = {c: _grid(table[c], place, shape) for c in (*values, "confidence") if c in table}
    rate = fps if time_s is None else _rate(frames, time_s)
    if dim == "angle":
        angles = _angles(grids, list(map(str, names)), list(map(str, people)), frames, time_s, rate)
        return Tracks(angles=angles.assign_attrs(source=str(path)))
    found = Found(
        position=np.stack([grids[c] for c in values], axis=1),
        confidence=grids.get("confidence"),
        keypoints=[str(n) for n in names],
        individuals=[str(n) for n in people],
        time_s=time_s,
        frames=frames,
        fps=rate,
    )
    tracks = make_tracks(path, found, skeleton=skeleton, software="gonio")
    if "filled" in table and tracks.poses is not None and tracks.skeleton is not None:
        filled = np.nan_to_num(_grid(table["filled"], place, shape)) > 0
        order = [list(names).index(n) for n in tracks.skeleton.keypoints]
        tracks.poses["filled"] = (("time", KEYPOINTS, INDIVIDUALS), filled[:, order])
    return tracks


def _load(path: Path) -> pd.DataFrame:
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise FormatError(f"'{path}': cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise FormatError(f"'{path}': no table of comma-separated values ({error})") from error
    known = [c for c in raw.columns if c in (*_TEXT, *_NUMBERS)]
    unused = {"facing", "filled", "confidence"} if "angle" in known else {"facing"}
    others = [str(c) for c in raw.columns if c not in known or c in unused]
    if others and {"keypoint", "angle"} & set(known):
        warn(f"'{path}': columns that are not read: {', '.join(others)}")
    if {"keypoint", "angle"} & set(known) and "person" not in known:
        raise FormatError(f"'{path}': no column 'person'{near_match('person', map(str, raw))}")
    table = raw[known].copy()
    for column in known:
        if column in _NUMBERS:
            table[column] = _numbers(path, column, raw[column])
    return table


def _numbers(path: Path, column: str, cells: pd.Series) -> Doubles:
    words = cells.str.strip().to_numpy(dtype=object)
    words[words == ""] = "nan"
    try:
        numbers: Doubles = words.astype(np.float64)
    except ValueError:
        for i, word in enumerate(words):
            try:
                float(word)
            except ValueError:
                where = f"'{path}', line {i + 2}, column '{column}'"
                raise FormatError(f"{where}: '{word}' is not a number") from None
        raise
    return numbers


def _check_columns(path: Path, table: pd.DataFrame, dim: str, values: list[str]) -> None:
    wanted = {"keypoint": [list(_PIXELS), list(_METERS)], "angle": [["value_deg"]]}
    if dim not in table:
        raise FormatError(
            f"'{path}': neither a column 'keypoint' nor 'angle'. Gonio's own CSV has "
            "time_s, frame, person, keypoint, x_px, y_px, confidence."
        )
    if not {"time_s", "frame"} & set(table):
        raise FormatError(f"'{path}': neither a column 'time_s' nor 'frame'")
    if not any([v for v in values if v != "value_m"] == w for w in wanted[dim]):
        options = " or ".join(", ".join(w) for w in wanted[dim])
        raise FormatError(f"'{path}': must have the columns {options}")


def _frames(
    path: Path, table: pd.DataFrame
) -> tuple[NDArray[np.intp], NDArray[np.int64], Doubles | None]:
    """Return each line's row, the rows' frame numbers, and their times (None: not known)."""
    clock = table["time_s"].to_numpy() if "time_s" in table else np.full(len(table), np.nan)
    timed = np.isfinite(clock)
    if timed.any() and not timed.all():
        bad = int(np.flatnonzero(~timed)[0])
        raise FormatError(f"'{path}', line {bad + 2}: no time, though other lines have one")
    if "frame" not in table:
        times, row = np.unique(clock, return_inverse=True)
        return row, np.arange(len(times)), times if timed.all() else None
    number = table["frame"].to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~(np.isfinite(number) & (number == np.rint(number))))
    if wrong.size:
        raise FormatError(f"'{path}', line {int(wrong[0]) + 2}: the frame is no whole number")
    frames, first, row = np.unique(number.astype(np.int64), return_index=True, return_inverse=True)
    if not timed.all() or not len(table):
        return row, frames, None
    differing = np.flatnonzero(clock != clock[first][row])
    if differing.size:
        raise FormatError(
            f"'{path}', line {int(differing[0]) + 2}: another time than in the frame's first line"
        )
    return row, frames, clock[first]


def _rate(frames: NDArray[np.int64], time_s: Doubles) -> float | None:
    """Return the rate by which the frames' numbers follow the times, else the times' own."""
    own = rate_from_times(time_s)
    if own is None:
        return None
    numbered = (frames[-1] - frames[0]) / (time_s[-1] - time_s[0])
    fits = np.abs(time_s - time_s[0] - (frames - frames[0]) / numbered).max() <= 0.25 / numbered
    return float(f"{numbered:.12g}") if fits else own


def _people(table: pd.DataFrame) -> pd.Series:
    people = table["person"].str.strip()
    return people.where(~people.str.fullmatch(r"\d+"), "person_" + people)


def _grid(column: pd.Series, place: NDArray[np.intp], shape: tuple[int, ...]) -> Doubles:
    grid = np.full(shape, np.nan)
    grid.ravel()[place] = column.to_numpy()
    return grid


def _angles(
    grids: dict[str, Doubles],
    names: list[str],
    people: list[str],
    frames: NDArray[np.int64],
    time_s: Doubles | None,
    fps: float | None,
) -> xr.Dataset:
    attrs: dict[str, object] = {"time_unit": "seconds", **({"fps": fps} if fps else {})}
    if time_s is None:
        time_s = frames / fps if fps else frames.astype(np.float64)
        attrs["time_unit"] = "seconds" if fps else "frames"
    lengths: list[bool] = [False] * len(names)
    if "value_m" in grids:
        lengths = [bool(np.isfinite(v).any()) for v in grids["value_m"].swapaxes(0, 1)]
    turning = [not moves for moves in lengths]
    angles = make_angles(
        grids["value_deg"][:, turning],
        time_s=time_s,
        names=list(compress(names, turning)),
        individuals=people,
        attrs=attrs,
    )
    if any(lengths):
        angles["translation_m"] = xr.DataArray(
            grids["value_m"][:, lengths],
            dims=("time", "translation", INDIVIDUALS),
            coords={"translation": list(compress(names, lengths))},
        )
    return angles
