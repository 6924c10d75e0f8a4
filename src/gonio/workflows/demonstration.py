"""A drawn walker with known angles, analyzed with the real model and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonio.errors import EvaluationExistsError, OutputError
from gonio.metrics import angle_errors
from gonio.synthetic import render_person
from gonio.workflows.analysis import run_job
from gonio.workflows.inputs import Job
from gonio.workflows.settings import AnalyzeSettings, Progress, resolve_protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from gonio.store import Evaluation
    from gonio.workflows.results import AnalysisResult

JOINTS = ("hip", "knee", "ankle")
NAME = "demo"
DRAW = "Drawing a person"


def demo(
    *,
    out: str | Path = "results",
    protocol: str = "general",
    seed: int = 0,
    device: str = "auto",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> AnalysisResult:
    """Draw a walking person, analyze the video, and compare measured with true angles.

    Parameters
    ----------
    out
        Folder for the drawn video, ``demo.mp4``, and its evaluation, ``demo``.
    protocol
        What to measure.
    seed
        Look and light of the person.
    device
        Where the model runs.
    overwrite
        Replace an existing demo.
    progress
        Called as the work goes on.

    Returns
    -------
    AnalysisResult
        Its summary holds ``truth {hip|knee|ankle: {mae_deg}}``.

    Raises
    ------
    GonioError
        If the model cannot be had, or the results cannot be written.
    """
    settings = AnalyzeSettings(
        protocol=protocol, out=Path(out), device=device, overwrite=overwrite, max_people=1
    )
    resolved = resolve_protocol(settings)
    video = settings.out / f"{NAME}.mp4"
    for place in (video, settings.out / NAME):
        if place.exists() and not overwrite:
            raise EvaluationExistsError(
                f"'{place}': exists already. Give --overwrite to replace it, "
                "or write to another place (--out)."
            )
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"'{settings.out}': cannot be made ({reason})") from error
    had_one = video.exists()
    truth = render_person(video, motion="walk", seed=seed, progress=_stage(progress))
    try:
        return run_job(
            Job(video, NAME),
            settings,
            resolved,
            progress=progress,
            judge=lambda evaluation: compare(evaluation, truth.angles),
        )
    except BaseException:
        # A drawing without its evaluation would be in the way of the next demo.
        if not had_one:
            video.unlink(missing_ok=True)
        raise


def _stage(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(DRAW, done, total)


def compare(evaluation: Evaluation, truth: xr.Dataset) -> dict[str, Any]:
    """Compare measured with true angles.

    Parameters
    ----------
    evaluation
        The evaluation of a recording of one person.
    truth
        The true angles, degrees.

    Returns
    -------
    dict
        ``mae_deg {hip|knee|ankle}``: mean over both sides and all frames in which both are
        known, degrees; and ``angles``, the truth itself.
    """
    errors = angle_errors(evaluation.angles, truth).set_index("name")
    maes = {}
    for joint in JOINTS:
        sides = [n for n in (f"{joint}_left", f"{joint}_right") if n in errors.index]
        chosen = errors.loc[sides]
        if len(chosen) and chosen["n"].sum():
            maes[joint] = float((chosen["mae_deg"] * chosen["n"]).sum() / chosen["n"].sum())
    return {"mae_deg": maes, "angles": truth}
