"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gonio.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; the file gets its own name once it is complete.

    Parameters
    ----------
    path
        The file; replaced if it exists.

    Yields
    ------
    Path
        In the same folder and with the same suffix, since libraries judge by it.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing of it is left.
    """
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    except (OSError, RuntimeError) as error:  # HDF5 and ezc3d tell of a full disk by RuntimeError
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, suffix: str) -> Iterator[Path]:
    """Give a temporary folder to write to; it gets its own name once it is complete.

    Parameters
    ----------
    path
        The folder. One that exists is replaced only if it holds nothing but files of the suffix.
    suffix
        Of the files in it.

    Yields
    ------
    Path
        An empty folder beside it.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds other files; nothing is left then.
    """
    part = path.with_name(f".{path.name}.part")
    old = path.with_name(f".{path.name}.old")
    try:
        if path.exists():
            _check_replaceable(path, suffix)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield part
        if path.exists():
            path.replace(old)
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if old.exists():
            if path.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.replace(path)


def cannot_write(path: Path, error: Exception) -> OutputError:
    """Say what could not be written and why."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(f"'{path}': the disk is full. Free some space, or write elsewhere.")
    reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
    return OutputError(f"'{path}': cannot be written ({reason})")


def _check_replaceable(path: Path, suffix: str) -> None:
    if not path.is_dir():
        raise OutputError(f"'{path}': is a file, and a folder is to be written. Remove it first.")
    other = next((p.name for p in path.iterdir() if p.suffix.lower() != suffix), None)
    if other is not None:
        raise OutputError(
            f"'{path}': holds other files too ('{other}') and is not replaced. "
            "Write to a new folder."
        )
