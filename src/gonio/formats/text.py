"""What text files share: reading lines, numbers with a place for errors, whole or no writing."""

from __future__ import annotations

import contextlib
import errno
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

import numpy as np

from gonio.errors import FormatError, InputError, OutputError
from gonio.poses import INDIVIDUALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray


DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def read_lines(path: Path) -> list[str]:
    """Return a text file's lines without their ends.

    Raises
    ------
    FormatError
        If the file cannot be read, or is no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise FormatError(f"'{path}': cannot be read ({error.strerror or error})") from error
    if "\0" in text:
        raise FormatError(f"'{path}': not a text file")
    return text.splitlines()


@contextmanager
def write_atomically(path: Path) -> Iterator[TextIO]:
    """Open a text file under a temporary name; it gets its own name once it is complete.

    Parameters
    ----------
    path
        The file; replaced if it exists.

    Yields
    ------
    TextIO
        UTF-8, newlines as written.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing of it is left.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        # A file's name may hold bytes that are no UTF-8; JSON knows the escape for them.
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Say what could not be written, why, and what to do.

    Parameters
    ----------
    path
        The file or folder as the person knows it.
    error
        What the system said.

    Returns
    -------
    OutputError
    """
    if error.errno in DISK_FULL:
        return OutputError(
            f"'{path}': the disk is full. Free some space there, or write to another place (--out)."
        )
    return OutputError(
        f"'{path}': cannot be written ({error.strerror or error}). "
        "Check the folder's permissions, or write to another place (--out)."
    )


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a file, complete or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with write_atomically(path) as file:
        file.writelines(f"{line}\n" for line in lines)


def number(cell: str, where: str) -> float:
    """Return a cell's number, NaN for an empty one.

    Raises
    ------
    FormatError
        If the cell holds anything else.
    """
    text = cell.strip()
    if not text:
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise FormatError(f"{where}: '{text}' is not a number") from None


def table(
    path: Path, lines: Sequence[str], first: int, columns: int, *, exact: bool = True
) -> NDArray[np.float64]:
    """Read tab-separated rows of numbers up to the end of the file; blank lines are skipped.

    Parameters
    ----------
    path, lines
        The file and its lines.
    first
        Index of the first row.
    columns
        Cells of a row. An empty cell is NaN.
    exact
        Refuse rows with fewer cells; else the missing ones are NaN.

    Returns
    -------
    NDArray
        Shape ``(rows, columns)``.

    Raises
    ------
    FormatError
        At the first row with another number of cells, or with a cell that is no number.
    """
    rows = []
    for i in range(first, len(lines)):
        if not lines[i].strip():
            continue
        where = f"'{path}', line {i + 1}"
        cells = lines[i].split("\t")
        while len(cells) > columns and not cells[-1].strip():
            cells.pop()
        if len(cells) > columns or (exact and len(cells) < columns):
            raise FormatError(f"{where}: {len(cells)} columns, expected {columns}")
        rows.append([number(c, where) for c in cells] + [math.nan] * (columns - len(cells)))
    return np.array(rows, np.float64).reshape(-1, columns)


def one_person(data: xr.Dataset, individual: str | None, file_kind: str) -> xr.Dataset:
    """Return the data of the one person a file is about.

    Raises
    ------
    InputError
        If nobody, or several and none named, or an unknown name.
    """
    names = [str(n) for n in data[INDIVIDUALS].values]
    if individual is None and len(names) != 1:
        who = f"name one of {', '.join(names)}" if names else "there is nobody in the data"
        raise InputError(f"a {file_kind} file holds one person: {who}")
    if individual is not None and individual not in names:
        raise InputError(f"no person '{individual}' (known: {', '.join(names) or 'none'})")
    return data.sel({INDIVIDUALS: individual or names[0]})


def check_times(path: Path, time_s: NDArray[np.float64], first_line: int) -> None:
    """Check that a file's times are numbers that increase.

    Raises
    ------
    FormatError
        At the first that is not.
    """
    steps = np.diff(time_s, prepend=-np.inf)
    bad = np.flatnonzero(~(steps > 0) | ~np.isfinite(time_s))
    if bad.size:
        row = int(bad[0])
        raise FormatError(
            f"'{path}', data row {row + 1} (near line {first_line + row + 1}): "
            f"time {time_s[row]:g} s does not follow the row before"
        )
