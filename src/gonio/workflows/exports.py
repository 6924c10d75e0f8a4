"""Files for other programs that are written on request."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from gonio.analysis.scale import pixels_per_meter
from gonio.errors import GonioWarning, InputError
from gonio.formats import write_mot, write_trc
from gonio.poses import INDIVIDUALS
from gonio.store import frames_in_view

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from gonio.store import Evaluation
    from gonio.workflows.settings import AnalyzeSettings


def write_exports(evaluation: Evaluation, folder: Path, settings: AnalyzeSettings) -> list[Path]:
    """Write ``.trc`` and ``.mot`` files, one a measured person, where they were asked for.

    Parameters
    ----------
    evaluation
        What was measured.
    folder
        The evaluation's folder.
    settings
        Says which files, and the person's height for the scale.

    Returns
    -------
    list of Path
        ``<name>.trc`` and ``<name>.mot``; with several people ``<name>-person_0.trc``…, by the
        person's number.

    Raises
    ------
    OutputError
        If a file cannot be written.

    Warns
    -----
    GonioWarning
        If a file could not be made of what was measured, or one height scales several people.
    """
    written = []
    several = len(evaluation.chosen) > 1
    if settings.trc and several:
        message = f"The height of {settings.height_m} m scales the .trc files of all people alike."
        warnings.warn(message, GonioWarning, stacklevel=2)
    for person in evaluation.chosen:
        stem = evaluation.name
        if several:
            stem += f"-person_{evaluation.person_id(person)}"
        for suffix, wanted, write in ((".trc", settings.trc, _trc), (".mot", settings.mot, _mot)):
            if not wanted:
                continue
            try:
                write(folder / f"{stem}{suffix}", evaluation, person, settings)
            except InputError as error:
                message = f"'{stem}{suffix}' was not written: {error}"
                warnings.warn(message, GonioWarning, stacklevel=2)
            else:
                written.append(folder / f"{stem}{suffix}")
    return written


def _trc(path: Path, evaluation: Evaluation, person: str, settings: AnalyzeSettings) -> None:
    if settings.height_m is None:
        raise InputError("a .trc file is in meters and needs the person's height")
    poses = _while_in_view(evaluation.poses, evaluation, person)
    scale = pixels_per_meter(poses, evaluation.skeleton, settings.height_m)
    write_trc(path, poses, px_per_m=scale)


def _mot(path: Path, evaluation: Evaluation, person: str, _: AnalyzeSettings) -> None:
    write_mot(path, _while_in_view(evaluation.angles, evaluation, person))


def _while_in_view(data: xr.Dataset, evaluation: Evaluation, person: str) -> xr.Dataset:
    """Return one person's rows from the first to the last sighting; others hold no number."""
    rows = frames_in_view(evaluation, person)
    return data.sel({INDIVIDUALS: [person]}).isel(time=rows)
