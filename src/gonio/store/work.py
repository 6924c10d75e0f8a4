"""The hidden folder an evaluation is made in: locked, and kept where it is worth going on from."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

from gonio.errors import InputError, OutputError
from gonio.formats.text import cannot_write, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CHUNKS: Final = "chunks"
_LOCK: Final = "lock"
_MANIFEST: Final = "manifest.json"
_SCHEMA: Final = "gonio.work/1"


@contextmanager
def locked_work(out: Path, name: str) -> Iterator[Path]:
    """Give ``out/.name.work``, locked against other processes, and tidy up behind.

    The lock is the system's: it goes with the process that holds it, however that ends.

    Parameters
    ----------
    out
        The folder to make it in; made if it is missing.
    name
        The evaluation's name.

    Yields
    ------
    Path
        Removed at the end if nothing is left in it, and so are the folders made for it.

    Raises
    ------
    OutputError
        If the place cannot be written to, or another process holds the lock.
    """
    work = out / f".{name}.work"
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = (work / _LOCK).open("a")
    except OSError as error:
        raise cannot_write(out, error) from error
    with lock:
        if not _lock(lock):
            raise OutputError(
                f"'{out / name}': another process is writing it at this moment. Wait until it "
                "is done, or write to another place (--out)."
            )
        try:
            yield work
        finally:
            lock.close()
            (work / _LOCK).unlink(missing_ok=True)
            for folder in (work, *made):
                with contextlib.suppress(OSError):
                    folder.rmdir()


def begin_chunks(folder: Path, fits: Mapping[str, Any], *, resume: bool) -> Path:
    """Give a folder for what is worth keeping of an analysis until it is complete.

    Parameters
    ----------
    folder
        That of :func:`gonio.store.open_evaluation_folder`.
    fits
        What the content depends on, by name; JSON can hold it.
    resume
        Go on with what an interrupted analysis has left; otherwise that is cleared away.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If what was left depends on something else than ``fits``.
    OutputError
        If the place cannot be written to.
    """
    chunks = folder.parent / CHUNKS
    wanted: dict[str, Any] = json.loads(json.dumps({"schema": _SCHEMA, **fits}))
    found = _read_manifest(chunks / _MANIFEST) if resume else None
    if found is not None:
        _check_fit(found, wanted, folder.parent)
        return chunks
    try:
        shutil.rmtree(chunks, ignore_errors=True)
        chunks.mkdir()
    except OSError as error:
        raise cannot_write(chunks, error) from error
    with write_atomically(chunks / _MANIFEST) as file:
        json.dump(wanted, file, indent=2)
    return chunks


def has_chunks(out: Path, name: str) -> bool:
    """Say whether an interrupted analysis has left something to go on from."""
    return (out / f".{name}.work" / CHUNKS).is_dir()


def _read_manifest(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _check_fit(found: dict[str, Any], wanted: dict[str, Any], work: Path) -> None:
    names = sorted(found.keys() | wanted.keys())
    other = [name for name in names if found.get(name) != wanted.get(name)]
    if other:
        changes = "; ".join(f"{n}: {found.get(n)} then, {wanted.get(n)} now" for n in other)
        raise InputError(
            f"'{work}': the interrupted analysis cannot be continued, because something has "
            f"changed ({changes}). Give --resume with what was given then, or leave it out to "
            "start anew."
        )


def _lock(file: IO[Any]) -> bool:
    """Lock a file if nobody else has; True too where the file system knows no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
