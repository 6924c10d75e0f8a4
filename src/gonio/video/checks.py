"""Whether a file or folder can be read at all, and its hash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gonio.errors import VideoError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def readable_file(path: Path) -> None:
    """Check that a path is a file with content that this person may read.

    Raises
    ------
    VideoError
        If it is missing, a folder, a device, empty, or may not be read.
    """
    try:
        if not path.exists():
            raise VideoError(f"'{path}': no such file. Check the name and the folder.")
        if path.is_dir():
            raise VideoError(f"'{path}': a folder, not a file.")
        if not path.is_file():
            raise VideoError(f"'{path}': not a regular file.")
        if path.stat().st_size == 0:
            raise VideoError(f"'{path}': the file is empty (0 bytes). Copy or export it again.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> VideoError:
    """Return the error that says why the system refuses a path."""
    hint = " Change its permissions, or copy it." if isinstance(error, PermissionError) else ""
    return VideoError(f"'{path}': cannot be read ({error.strerror or error}).{hint}")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal, read in blocks.

    Raises
    ------
    VideoError
        If the file cannot be read to its end.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def sha256_of_all(paths: Iterable[Path]) -> str:
    """Return one SHA-256 of several files: of their names and hashes, in order.

    Raises
    ------
    VideoError
        If one cannot be read to its end.
    """
    lines = (f"{sha256_of(path)}  {path.name}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
