"""DeepLabCut's tables, ``.csv`` and ``.h5``: labelled pictures and analyzed videos.

Columns have three levels (scorer, bodyparts, coords), with several animals four (scorer,
individuals, bodyparts, coords); coords are x, y and, in predictions, likelihood. Rows are frame
numbers from 0, or pictures (``labeled-data/<video>/img0012.png``; newer files part the path into
three columns). Points that belong to nobody in particular stand under the individual ``single``.
Source: DeepLabCut documentation, "How to use the data after analysis".
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from gonio.errors import FormatError, InputError, MissingExtraError
from gonio.formats.pickles import refuse_code
from gonio.formats.text import read_lines, write_lines
from gonio.formats.tracks import (
    IMAGE,
    Found,
    Tracks,
    frame_numbers,
    make_tracks,
    shortest,
    warn,
)
from gonio.formats.whole import whole_file
from gonio.poses import INDIVIDUALS, KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

    Doubles = NDArray[np.float64]

_KEY: Final = "df_with_missing"
_LEVELS: Final = ("scorer", "bodyparts", "coords")
_LEVELS_MANY: Final = ("scorer", "individuals", "bodyparts", "coords")
_COORDS: Final = ("x", "y", "likelihood")
_SINGLE: Final = "single"
_ONE: Final = "person_0"


@dataclass(frozen=True)
class _Table:
    levels: tuple[str, ...]
    columns: list[tuple[str, ...]]
    rows: list[Any]
    values: Doubles


@dataclass(frozen=True, eq=False)
class Table:
    """What a table holds, in its own order.

    Attributes
    ----------
    scorer
        Who labelled, or which network it was.
    people
        The individuals' names; None where the table has none (one animal).
    parts
        The body parts' names.
    rows
        Frame numbers, or the pictures' names with ``/`` between folders.
    cube
        ``(rows, 3, parts, people)``, float64: x, y in pixels and the likelihood; NaN = none.
    """

    scorer: str
    people: list[str] | None
    parts: list[str]
    rows: list[str]
    cube: Doubles


def read_deeplabcut(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, fps: float | None = None
) -> Tracks:
    """Read a table of labelled pictures or of an analyzed video.

    Parameters
    ----------
    path
        A ``.csv`` or ``.h5`` file.
    skeleton
        What the body parts must follow; None: found by their names.
    fps
        Frames per second; the files hold none.

    Returns
    -------
    Tracks
        Pixels; the likelihood is the confidence, NaN where there is none (labels). ``time`` is
        the frame's number / fps. For pictures the number in the picture's name counts (rows are
        brought into its order), and the coordinate ``image`` keeps the names; pictures of
        several recordings are merely counted, with a warning. One animal is ``person_0``.
        The attribute ``scorer`` keeps who labelled or which network it was.

    Raises
    ------
    FormatError
        If the file is no such table, or would run code (pickles are not trusted).
    MissingExtraError
        If an ``.h5`` file is given and ``tables`` is not installed.
    """
    table = read_table(path)
    order, frames, images = _frames(path, table.rows)
    found = Found(
        position=table.cube[order, :2],
        confidence=table.cube[order, 2],
        keypoints=table.parts,
        individuals=table.people or [_ONE],
        frames=frames,
        fps=fps,
        attrs={"scorer": table.scorer},
        images=images,
    )
    return make_tracks(path, found, skeleton=skeleton, software="DeepLabCut")


def read_table(path: Path) -> Table:
    """Read a table as it stands.

    Parameters
    ----------
    path
        A ``.csv`` or ``.h5`` file.

    Returns
    -------
    Table

    Raises
    ------
    FormatError
        If the file is no such table, or would run code (pickles are not trusted).
    MissingExtraError
        If an ``.h5`` file is given and ``tables`` is not installed.
    """
    table = _read_csv(path) if path.suffix.lower() == ".csv" else _read_h5(path)
    many = "individuals" in table.levels
    scorers = {c[0] for c in table.columns}
    if len(scorers) != 1:
        raise FormatError(f"'{path}': {len(scorers)} scorers ({', '.join(sorted(scorers))})")
    people = _in_order([c[1] for c in table.columns] if many else [_ONE])
    parts = _in_order([c[-2] for c in table.columns])
    cube = np.full((len(table.values), 3, len(parts), len(people)), np.nan)
    taken: set[tuple[int, int, int]] = set()
    for column, values in zip(table.columns, table.values.T, strict=True):
        if column[-1] not in _COORDS:
            raise FormatError(f"'{path}': unknown coordinate '{column[-1]}' (x, y, likelihood)")
        person = people.index(column[1]) if many else 0
        place = (_COORDS.index(column[-1]), parts.index(column[-2]), person)
        if place in taken:
            raise FormatError(f"'{path}': '{', '.join(column[1:])}' stands twice")
        taken.add(place)
        cube[:, *place] = values
    rows = [str(row).replace("\\", "/") for row in table.rows]
    return Table(next(iter(scorers)), people if many else None, parts, rows, cube)


def write_deeplabcut(path: Path, tracks: Tracks) -> None:
    """Write a table, ``.csv`` or ``.h5`` by the file's suffix.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    tracks
        2D poses. One person called ``person_0`` makes a table of one animal, others one of
        several. Without any confidence there is no likelihood, as in files of labels.

    Raises
    ------
    InputError
        If there are no 2D poses.
    MissingExtraError
        If an ``.h5`` file is to be written and ``tables`` is not installed.
    OutputError
        If the file cannot be written.
    """
    if tracks.poses is None or tracks.poses.sizes["space"] != 2:
        raise InputError("a DeepLabCut file holds 2D keypoints only")
    write_frame(path, _table_of(tracks.poses))


def write_frame(path: Path, table: pd.DataFrame) -> None:
    """Write a table that has DeepLabCut's columns, ``.csv`` or ``.h5`` by the file's suffix.

    Raises
    ------
    MissingExtraError
        If an ``.h5`` file is to be written and ``tables`` is not installed.
    OutputError
        If the file cannot be written.
    """
    if path.suffix.lower() == ".csv":
        buffer = io.StringIO()
        table.to_csv(buffer, lineterminator="\n")
        write_lines(path, buffer.getvalue().splitlines())
        return
    need_tables()
    with whole_file(path) as part:
        table.to_hdf(part, key=_KEY, mode="w")


def _table_of(poses: xr.Dataset) -> pd.DataFrame:
    people, parts = ([str(n) for n in poses[d].values] for d in (INDIVIDUALS, KEYPOINTS))
    xy, confidence = (shortest(poses[v].values) for v in ("position", "confidence"))
    coords = _COORDS if np.isfinite(confidence).any() else _COORDS[:2]
    cube = np.concatenate([xy, confidence[:, None]], axis=1)[:, : len(coords)]
    many = people != [_ONE]
    scorer = str(poses.attrs.get("scorer", "gonio"))
    rows = poses[IMAGE].values.astype(str) if IMAGE in poses.coords else frame_numbers(poses)
    return make_frame(scorer, people if many else None, parts, pd.Index(rows), cube)


def make_frame(
    scorer: str, people: list[str] | None, parts: list[str], rows: pd.Index, cube: Doubles
) -> pd.DataFrame:
    """Build a table with DeepLabCut's columns.

    Parameters
    ----------
    scorer, people, parts
        See :class:`Table`.
    rows
        Frame numbers or pictures' names.
    cube
        ``(rows, 2 or 3, parts, people)``: x, y and, where there is one, the likelihood.

    Returns
    -------
    pd.DataFrame
    """
    many = people is not None
    names = [_ONE] if people is None else people
    coords = _COORDS[: cube.shape[1]]
    columns, values = [], []
    seen = np.atleast_1d(np.isfinite(cube).any(axis=(0, 1)))
    for person, point in _pairs(names, seen):
        for k, coord in enumerate(coords):
            own = (names[person], parts[point]) if many else (parts[point],)
            columns.append((scorer, *own, coord))
            values.append(cube[:, k, point, person])
    return pd.DataFrame(
        np.stack(values, axis=1) if values else np.empty((len(cube), 0)),
        index=rows,
        columns=pd.MultiIndex.from_tuples(columns, names=_LEVELS_MANY if many else _LEVELS),
    )


def _pairs(people: list[str], seen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (person, point) of each column; what is only ``single``'s stands only there."""
    points = range(seen.shape[0])
    own = np.zeros(len(points), bool)
    if _SINGLE in people and len(people) > 1:
        i = people.index(_SINGLE)
        own = seen[:, i] & ~np.delete(seen, i, axis=1).any(axis=1)
    return [
        (person, point)
        for person, name in enumerate(people)
        for point in points
        if not own.any() or own[point] == (name == _SINGLE)
    ]


def _read_csv(path: Path) -> _Table:
    lines = read_lines(path)
    header = list(csv.reader(lines[:4]))
    names = tuple(row[0].strip() if row else "" for row in header)
    levels = next((v for v in (_LEVELS_MANY, _LEVELS) if names[: len(v)] == v), None)
    if levels is None:
        raise FormatError(
            f"'{path}', line 1: not a DeepLabCut table: its first rows must begin with "
            "scorer, (individuals,) bodyparts, coords"
        )
    cells = header[: len(levels)]
    first = next((i for i, cell in enumerate(cells[0]) if i and cell.strip()), len(cells[0]))
    columns = list(zip(*([c.strip() for c in row[first:]] for row in cells), strict=False))
    rows: list[Any] = []
    values = np.full((len(lines) - len(levels), len(columns)), np.nan)
    for i, row in enumerate(csv.reader(lines[len(levels) :])):
        where = f"'{path}', line {len(levels) + i + 1}"
        if len(row) != first + len(columns):
            raise FormatError(f"{where}: {len(row)} columns, expected {first + len(columns)}")
        rows.append("/".join(row[:first]))
        try:
            values[i] = [float(cell) if cell.strip() else np.nan for cell in row[first:]]
        except ValueError as error:
            raise FormatError(f"{where}: {error}") from error
    return _Table(levels, columns, rows, values[: len(rows)])


def _read_h5(path: Path) -> _Table:
    refuse_code(path)
    need_tables()
    try:
        with pd.HDFStore(str(path), mode="r") as store:
            keys = [key.strip("/") for key in store.keys()]  # noqa: SIM118 - a store, not a dict
            if _KEY not in keys and len(keys) != 1:
                raise FormatError(f"'{path}': no table '{_KEY}' (tables: {', '.join(keys)})")
            frame = store[_KEY if _KEY in keys else keys[0]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"'{path}': no pandas table in HDF5 ({error})") from error
    levels = tuple(str(name) for name in frame.columns.names)
    if levels not in (_LEVELS, _LEVELS_MANY):
        raise FormatError(f"'{path}': not a DeepLabCut table (columns' levels: {levels})")
    columns = [tuple(str(part) for part in column) for column in frame.columns]
    rows = ["/".join(map(str, r)) if isinstance(r, tuple) else r for r in frame.index]
    return _Table(levels, columns, rows, frame.to_numpy(dtype=np.float64))


def need_tables() -> None:
    """Ask for what pandas needs to read and write ``.h5``.

    Raises
    ------
    MissingExtraError
        If ``tables`` is not installed.
    """
    try:
        import tables  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("tables", "formats") from error


def _in_order(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _frames(
    path: Path, words: list[str]
) -> tuple[NDArray[np.intp], NDArray[np.int64], list[str] | None]:
    """Return the rows' order, their frame numbers in that order, and their pictures' names."""
    images = None if all(re.fullmatch(r"\d+(\.0)?", word) for word in words) else words
    if images is None:
        numbers = np.array([int(float(word)) for word in words], np.int64)
    else:
        found = [re.search(r"(\d+)$", PurePosixPath(word).stem) for word in words]
        folders = {str(PurePosixPath(word).parent) for word in words}
        numbers = np.array([int(m[1]) if m else -1 for m in found], np.int64)
        if len(folders) > 1 or (numbers < 0).any() or len(set(numbers)) < len(numbers):
            warn(
                f"'{path}': its pictures belong to {len(folders)} recordings or have no numbers: "
                "they are counted, their times mean nothing"
            )
            numbers = np.arange(len(words), dtype=np.int64)
    order = np.argsort(numbers, kind="stable")
    if len(set(numbers.tolist())) < len(numbers):
        raise FormatError(f"'{path}': a frame's number stands twice")
    return order, numbers[order], None if images is None else [images[i] for i in order]
