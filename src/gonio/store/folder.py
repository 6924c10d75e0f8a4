"""The evaluation's folder: built beside its place, moved there when it is complete."""

from __future__ import annotations

import contextlib
import glob
import os
import platform
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gonio.errors import EvaluationExistsError, OutputError
from gonio.formats.text import DISK_FULL, cannot_write
from gonio.poses import save_poses
from gonio.store.json_files import write_corrections, write_evaluation_json
from gonio.store.summary import SUMMARY_FILE, write_summary
from gonio.store.tables import write_angles_csv, write_cycles_csv, write_events_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonio.store.evaluation import Evaluation


@contextmanager
def open_evaluation_folder(out: Path, name: str, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder that becomes ``out/name`` when the block ends without an error.

    Parameters
    ----------
    out
        Folder of the evaluations; made if it is missing.
    name
        The evaluation's name.
    overwrite
        Replace an evaluation of this name. The old one stays until the new one is complete.

    Yields
    ------
    Path
        ``out/.name.part-…``; removed if the block ends with an error. What a killed run of the
        same name left on this machine is cleared away first.

    Raises
    ------
    EvaluationExistsError
        If the evaluation exists and is not to be replaced.
    OutputError
        If the place cannot be written to, the disk is full, or what is to be replaced is no
        evaluation.
    """
    target = out / name
    _sweep(out, name)
    _check_free(target, overwrite=overwrite)
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    part = out / f".{name}.part-{os.getpid()}@{platform.node()}-{secrets.token_hex(4)}"
    try:
        try:
            out.mkdir(parents=True, exist_ok=True)
            part.mkdir()
        except OSError as error:
            raise cannot_write(out, error) from error
        yield part
        _move(part, target, overwrite=overwrite)
    except OSError as error:
        if error.errno in DISK_FULL or _lies_in(error.filename, part):
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
        with contextlib.suppress(OSError):
            for folder in made:
                folder.rmdir()


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
    if not (target / SUMMARY_FILE).is_file():
        raise OutputError(
            f"'{target}': exists and is no evaluation (it holds no {SUMMARY_FILE}), so it is not "
            "replaced. Move it away, or write to another place (--out)."
        )


def _move(part: Path, target: Path, *, overwrite: bool) -> None:
    _check_free(target, overwrite=overwrite)
    old = part.with_name(part.name.replace(".part-", ".old-"))
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


def _sweep(out: Path, name: str) -> None:
    """Clear away what killed runs of this name left; the old evaluation gets its place back."""
    for left in out.glob(f".{glob.escape(name)}.*"):
        kind, at, rest = left.name.removeprefix(f".{name}.").partition("-")
        pid, _, place = rest.partition("@")
        ours = kind in {"part", "old"} and at and place.rpartition("-")[0] == platform.node()
        if not (ours and pid.isdecimal()) or _is_running(int(pid)):
            continue
        if kind == "old" and not os.path.lexists(out / name):
            with contextlib.suppress(OSError):
                left.rename(out / name)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _is_running(pid: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 is Ctrl-C to Windows: not knowing, nothing is touched
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _lies_in(filename: object, folder: Path) -> bool:
    return isinstance(filename, str) and folder in Path(filename).parents
