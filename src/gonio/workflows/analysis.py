"""From a recording, or from tracks, to an evaluation on disk."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonio.errors import GonioError, GonioWarning, InputError, ModelError
from gonio.report import write_report
from gonio.runtime import is_worth_keeping
from gonio.store import (
    Evaluation,
    has_chunks,
    is_complete,
    open_evaluation_folder,
    write_evaluation,
)
from gonio.workflows.exports import write_exports
from gonio.workflows.inputs import Job, name_jobs
from gonio.workflows.measure import measure
from gonio.workflows.memory import release_memory
from gonio.workflows.observe import Observation, observe_poses, observe_recording
from gonio.workflows.overlay import draw_recording
from gonio.workflows.provenance import describe_provenance
from gonio.workflows.results import AnalysisResult, BatchResult, Failure
from gonio.workflows.settings import AnalyzeSettings, Progress, resolve_protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gonio.protocols import ProtocolSpec

    Judge = Callable[[Evaluation], dict[str, Any]]


def analyze(
    path: str | Path | None = None,
    *,
    progress: Progress | None = None,
    settings: AnalyzeSettings | None = None,
    **options: Any,
) -> AnalysisResult:
    """Analyze one recording and write its evaluation.

    Parameters
    ----------
    path
        A video, an image, or a folder of numbered images. May be None with ``from_poses``.
    progress
        Called as the work goes on.
    settings
        The settings; the defaults where None.
    **options
        Single settings by name (``protocol="general"``, ``out="results"``…), which replace
        those of ``settings``.

    Returns
    -------
    AnalysisResult
        The evaluation, in memory and as a folder.

    Raises
    ------
    GonioError
        If anything given cannot be used. Nothing is left behind then.
    """
    chosen = replace(settings or AnalyzeSettings(), **_as_paths(options))
    protocol = resolve_protocol(chosen)
    (job,) = _jobs([] if path is None else [Path(path)], chosen)
    return run_job(job, chosen, protocol, progress=progress)


def analyze_batch(
    paths: Sequence[Path],
    settings: AnalyzeSettings,
    *,
    progress: Progress | None = None,
) -> BatchResult:
    """Analyze recordings one after the other; a bad one does not stop the others.

    With ``resume``, evaluations that are complete are kept and their recordings left out.

    Parameters
    ----------
    paths
        Videos, images and folders. May be empty with ``from_poses``.
    settings
        The settings for all of them.
    progress
        Called as the work goes on.

    Returns
    -------
    BatchResult
        What was done and what failed.

    Raises
    ------
    GonioError
        If the settings themselves are wrong, the model cannot be had, or the only input fails.
    """
    protocol = resolve_protocol(settings)
    jobs = _jobs(paths, settings)
    batch = BatchResult()
    for job in jobs:
        if settings.resume and not settings.overwrite and is_complete(settings.out / job.name):
            batch.complete.append(settings.out / job.name)
            continue
        try:
            batch.done.append(run_job(job, settings, protocol, progress=progress))
        except GonioError as error:
            # Without a model no other input can be analyzed either.
            if len(jobs) == 1 or (isinstance(error, ModelError) and not batch.done):
                raise
            batch.failed.append(Failure(job.path, str(error)))
    return batch


def run_job(
    job: Job,
    settings: AnalyzeSettings,
    protocol: ProtocolSpec,
    *,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> AnalysisResult:
    """Analyze one input under its name.

    Parameters
    ----------
    job
        The input and the evaluation's name.
    settings, protocol
        The settings and the protocol that follows from them.
    progress
        Called as the work goes on.
    judge
        Compares the evaluation with known truth; its result becomes ``Evaluation.truth``.

    Returns
    -------
    AnalysisResult

    Raises
    ------
    GonioError
        If the input cannot be used; nothing is left behind then.
    """
    report = progress or (lambda *_: None)
    with (
        _folder(job, settings) as folder,
        _collected_warnings() as messages,
    ):
        began = time.perf_counter()
        observation = _observe(job, settings, protocol, folder, report)
        release_memory()
        measured = measure(observation.raw, observation.skeleton, protocol)
        release_memory()
        wall_s = time.perf_counter() - began
        evaluation = Evaluation(
            name=job.name,
            source=observation.source,
            model=observation.model,
            protocol=protocol.model_dump(mode="json", by_alias=True),
            skeleton=observation.skeleton,
            raw=observation.raw,
            **measured.as_fields(),
            warnings=_unique([*observation.warnings, *measured.warnings, *messages]),
            timing={"wall_s": wall_s, "frames_per_s": observation.raw.sizes["time"] / wall_s},
            provenance=describe_provenance(settings, measured.poses),
        )
        if judge is not None:
            evaluation = replace(evaluation, truth=judge(evaluation))
        stills = draw_recording(
            observation, evaluation, folder, video=settings.overlay, report=report
        )
        release_memory()
        write_exports(evaluation, folder, settings)
        evaluation = replace(
            evaluation, warnings=_unique([*evaluation.warnings, *stills.warnings, *messages])
        )
        write_evaluation(evaluation, folder)
        write_report(evaluation, folder, stills=stills.pictures)
    return AnalysisResult(evaluation, settings.out / job.name)


@contextmanager
def _folder(job: Job, settings: AnalyzeSettings) -> Iterator[Path]:
    """Give the evaluation's folder; an error says when there is something to go on from."""
    try:
        with open_evaluation_folder(
            settings.out, job.name, overwrite=settings.overwrite, keep=is_worth_keeping
        ) as folder:
            yield folder
    except GonioError as error:
        if has_chunks(settings.out, job.name) and type(error) is not InputError:
            error.args = (f"{error} What was found so far is kept: --resume goes on from there.",)
        raise


def _observe(
    job: Job, settings: AnalyzeSettings, protocol: ProtocolSpec, folder: Path, report: Progress
) -> Observation:
    if settings.from_poses is None:
        return observe_recording(job.path, settings, protocol, folder, report)
    recording = None if job.path == settings.from_poses else job.path
    return observe_poses(settings.from_poses, recording, settings)


def _jobs(paths: Sequence[Path], settings: AnalyzeSettings) -> list[Job]:
    if settings.from_poses is None:
        if not paths:
            raise InputError(
                "nothing to analyze: name a video, an image or a folder, or --from-poses FILE"
            )
        return name_jobs(paths)
    if len(paths) > 1:
        raise InputError(
            f"--from-poses takes at most one recording beside it, {len(paths)} were given"
        )
    return name_jobs(paths) if paths else [Job(settings.from_poses, _name_of(settings.from_poses))]


def _name_of(poses: Path) -> str:
    # An evaluation's own tracks are all called poses.nc: its folder says whose they are.
    return poses.resolve().parent.name if poses.name == "poses.nc" else poses.stem


def _as_paths(options: dict[str, Any]) -> dict[str, Any]:
    paths = {k: Path(v) for k, v in options.items() if k in {"out", "from_poses"} and v is not None}
    return options | paths


def _unique(messages: list[str]) -> list[str]:
    return list(dict.fromkeys(messages))


@contextmanager
def _collected_warnings() -> Iterator[list[str]]:
    """Collect the text of Gonio's own warnings; others pass as usual."""
    messages: list[str] = []
    previous = warnings.showwarning

    def keep(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, GonioWarning):
            messages.append(str(message))
        else:
            previous(message, category, *rest, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", GonioWarning)
        warnings.showwarning = keep
        yield messages
