"""Text files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from gonio.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


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
