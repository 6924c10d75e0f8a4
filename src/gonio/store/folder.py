"""The evaluation's folder: built beside its place, moved there when it is complete."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gonio.errors import EvaluationExistsError, OutputError
from gonio.formats.text import DISK_FULL, cannot_write
from gonio.poses import save_poses
from gonio.store.json_files import write_corrections, write_evaluation_json
from gonio.store.summary import SUMMARY_FILE, write_summary
from gonio.store.tables import write_angles_csv, write_cycles_csv, write_events_csv
from gonio.store.work import CHUNKS, locked_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gonio.store.evaluation import Evaluation

_RESULT: Final = "result"
_REPLACED: Final = "replaced"


@contextmanager
def open_evaluation_folder(
    out: Path,
    name: str,
    *,
    overwrite: bool = False,
    keep: Callable[[Path], bool] | None = None,
) -> Iterator[Path]:
    """Give a temporary folder that becomes ``out/name`` when the block ends without an error.

    It lies in ``out/.name.work``, which no other process may use meanwhile; there
    :func:`gonio.store.begin_chunks` keeps what an interrupted analysis can go on from. What a
    killed process left half-written is cleared away, and an evaluation that it was about to
    replace comes back.

    Parameters
    ----------
    out
        Folder of the evaluations; made if it is missing.
    name
        The evaluation's name.
    overwrite
        Replace an evaluation of this name. The old one stays until the new one is complete.
    keep
        Asked about the folder of chunks after an error or an interruption: whether to keep it.

    Yields
    ------
    Path
        ``out/.name.work/result``; removed if the block ends with an error.

    Raises
    ------
    EvaluationExistsError
        If the evaluation exists and is not to be replaced.
    OutputError
        If the place cannot be written to, the disk is full, another process is writing the
        same evaluation, or what is to be replaced is no evaluation.
    """
    target = out / name
    _check_free(target, overwrite=overwrite)
    with locked_work(out, name) as work:
        part, chunks = work / _RESULT, work / CHUNKS
        complete = False
        try:
            _clear(work, target)
            _check_free(target, overwrite=overwrite)
            part.mkdir()
            yield part
            _move(part, target, overwrite=overwrite)
            complete = True
        except OSError as error:
            if error.errno in DISK_FULL or _lies_in(error.filename, work):
                raise cannot_write(target, error) from error
            raise
        except OutputError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in DISK_FULL:
                raise cannot_write(target, cause) from error
            message = str(error).replace(str(part), str(target))
            raise type(error)(message) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
            if complete or keep is None or not keep(chunks):
                shutil.rmtree(chunks, ignore_errors=True)


def is_complete(folder: Path) -> bool:
    """Say whether a folder is a complete evaluation."""
    return (folder / SUMMARY_FILE).is_file()


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write every data file of an evaluation (not the report, not the overlay).

    Parameters
    ----------
    evaluation
        What was measured.
    folder
        An existing folder, as a rule that of :func:`open_evaluation_folder`.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    save_poses(folder / "poses.nc", evaluation.poses, raw=evaluation.raw)
    write_corrections(folder)
    write_evaluation_json(evaluation, folder)
    write_summary(evaluation, folder)
    write_angles_csv(evaluation, folder)
    write_events_csv(evaluation, folder)
    write_cycles_csv(evaluation, folder)


def _check_free(target: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise EvaluationExistsError(
            f"'{target}': this evaluation exists already. Give --overwrite to replace it, "
            "or write to another place (--out)."
        )
    if not is_complete(target):
        raise OutputError(
            f"'{target}': exists and is no evaluation (it holds no {SUMMARY_FILE}), so it is not "
            "replaced. Move it away, or write to another place (--out)."
        )


def _clear(work: Path, target: Path) -> None:
    """Undo what a killed process left half-done."""
    old = work / _REPLACED
    if old.is_dir() and not os.path.lexists(target):
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(work / _RESULT, ignore_errors=True)


def _move(part: Path, target: Path, *, overwrite: bool) -> None:
    _check_free(target, overwrite=overwrite)
    old = part.with_name(_REPLACED)
    had_one = target.exists()
    try:
        if had_one:
            target.rename(old)
        part.rename(target)
    except OSError as error:
        if old.exists():
            old.rename(target)
        raise cannot_write(target, error) from error
    shutil.rmtree(old, ignore_errors=True)


def _lies_in(filename: object, folder: Path) -> bool:
    return isinstance(filename, str) and folder in Path(filename).parents
