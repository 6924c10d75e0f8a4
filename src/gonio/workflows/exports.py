"""Files for other programs that are written on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonio.analysis.scale import pixels_per_meter
from gonio.formats import write_mot, write_trc
from gonio.poses import INDIVIDUALS

if TYPE_CHECKING:
    from pathlib import Path

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
        ``<name>.trc`` and ``<name>.mot``; with several people ``<name>-person_0.trc``….

    Raises
    ------
    InputError
        If the scale cannot be found.
    OutputError
        If a file cannot be written.
    """
    written = []
    for person in evaluation.chosen:
        stem = evaluation.name if len(evaluation.chosen) == 1 else f"{evaluation.name}-{person}"
        if settings.trc and settings.height_m is not None:
            poses = evaluation.poses.sel({INDIVIDUALS: [person]})
            scale = pixels_per_meter(poses, evaluation.skeleton, settings.height_m)
            written.append(folder / f"{stem}.trc")
            write_trc(written[-1], poses, px_per_m=scale)
        if settings.mot:
            written.append(folder / f"{stem}.mot")
            write_mot(written[-1], evaluation.angles.sel({INDIVIDUALS: [person]}))
    return written
