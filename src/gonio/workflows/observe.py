"""Who was where in every frame: from a recording with a model, or from saved tracks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import InputError, VideoError
from gonio.poses import make_poses
from gonio.runtime import (
    ChunkFolder,
    ModelStore,
    chunk_count,
    cpu_count,
    find_people,
    open_estimator,
)
from gonio.skeletons import load_skeleton
from gonio.store import begin_chunks
from gonio.tracking import assign_identities, process
from gonio.video import open_source
from gonio.workflows.given_tracks import describe_skeleton, load_given_tracks
from gonio.workflows.model_files import find_model
from gonio.workflows.provenance import describe_computation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.protocols import ProtocolSpec
    from gonio.runtime import Estimator, Model
    from gonio.skeletons import Skeleton
    from gonio.video import Source, SourceInfo
    from gonio.workflows.settings import AnalyzeSettings, Progress

FIND_PEOPLE = "Finding people"
MOST_THREADS = 4


@dataclass(frozen=True)
class Observation:
    """Tracks of everybody seen, and where they come from.

    Attributes
    ----------
    raw
        Poses with identities, as the model gave them.
    recording
        The video, image or folder to draw on; None where there is none.
    """

    raw: xr.Dataset
    skeleton: Skeleton
    source: dict[str, Any]
    model: dict[str, Any]
    recording: Path | None
    fps: float | None = None
    warnings: list[str] = field(default_factory=list)


def observe_recording(
    path: Path,
    settings: AnalyzeSettings,
    protocol: ProtocolSpec,
    folder: Path,
    report: Progress,
) -> Observation:
    """Find people in a recording.

    Parameters
    ----------
    path
        A video, an image, or a folder of numbered images.
    settings, protocol
        What to run.
    folder
        The evaluation's, which keeps what was found so far.
    report
        Called now and then with the frames done.

    Returns
    -------
    Observation

    Raises
    ------
    VideoError
        If the recording cannot be read or has no frames.
    ModelError
        If the model cannot be had or run.
    InputError
        If the recording is too slow for the protocol's filters, or an interrupted analysis is
        to be resumed that was of something else.
    """
    with open_source(path, fps=settings.fps) as source, ThreadPoolExecutor() as opening:
        _refuse_too_slow(source, protocol)
        store = ModelStore()
        found = find_model(protocol.model, store=store, progress=report)
        estimators = [opening.submit(opener) for opener in _openers(source, settings, found, store)]
        first = estimators[0].result()
        model = {
            "name": found.card.name,
            "version": found.card.version,
            "sha256": found.sha256,
            "provider": first.provider,
        }
        chunks = ChunkFolder(
            begin_chunks(
                folder,
                describe_computation(source.info.sha256, model, settings),
                resume=settings.resume,
            )
        )
        find_people(
            source,
            [estimator.result for estimator in estimators],
            chunks,
            chunk_frames=settings.chunk_frames,
            on_progress=lambda done, total: report(FIND_PEOPLE, done, total),
        )
        raw = assign_identities(
            chunks.frames(),
            first.skeleton,
            fps=source.info.fps,
            attrs={
                # netCDF holds Unicode alone; a file's name may hold other bytes.
                "source": str(path).encode(errors="backslashreplace").decode(),
                "source_sha256": source.info.sha256,
                "width_px": source.info.width,
                "height_px": source.info.height,
                "model": model["name"],
                "model_version": model["version"],
                "model_sha256": model["sha256"],
                **describe_skeleton(first.skeleton),
            },
            alone=found.card.input.crop.source == "image",
        )
        ignored = []
        if settings.fps is not None and source.info.kind != "images":
            ignored = ["--fps is for folders of images: the recording's own times were used."]
        if raw.sizes["time"] == 0:
            raise VideoError(f"'{path}': no frames could be read")
        return Observation(
            raw=raw,
            skeleton=first.skeleton,
            source=_describe_source(source.info, raw),
            model=model,
            recording=path,
            fps=settings.fps,
            warnings=[*source.warnings, *chunks.warnings(), *ignored],
        )


def _openers(
    source: Source, settings: AnalyzeSettings, model: Model, store: ModelStore
) -> list[Callable[[], Estimator]]:
    """Return one way to open an estimator for each worker."""
    cores, chunks = cpu_count(), chunk_count(source.places(), settings.chunk_frames)
    workers = min(settings.workers or cores, chunks)
    opener = partial(
        open_estimator,
        model,
        store=store,
        max_people=1 if source.info.kind == "image" else settings.max_people,
        device=settings.device,
        threads=settings.threads or max(1, min(cores // workers, MOST_THREADS)),
    )
    return [opener] * workers


def observe_poses(path: Path, recording: Path | None, settings: AnalyzeSettings) -> Observation:
    """Read tracks that were found before.

    Parameters
    ----------
    path
        An evaluation's ``poses.nc`` (its raw tracks are used), or a file of any format of
        :mod:`gonio.formats` with 2D keypoints of a built-in skeleton.
    recording
        What to draw on; None: nothing is drawn.
    settings
        The settings.

    Returns
    -------
    Observation

    Raises
    ------
    PosesError
        If the file is no poses file, its skeleton is unknown, or its times are no seconds.
    InputError
        If a model is asked for too, the file holds no 2D keypoints, or nothing tells the rate.
    """
    if settings.model is not None:
        raise InputError("--model finds people and --from-poses has found them already: give one")
    warnings = []
    if recording is None:
        raw, skeleton = load_given_tracks(path, fps=settings.fps)
        source = _source_of_tracks(raw, path)
    else:
        with open_source(recording, fps=settings.fps) as opened:
            raw, skeleton = load_given_tracks(path, fps=settings.fps or opened.info.fps)
            source = _describe_source(opened.info, raw)
        if raw.attrs.get("source_sha256") not in {None, source["sha256"]}:
            warnings = [f"The tracks in '{path}' were found in another file than '{recording}'."]
    keys = {"name": "model", "version": "model_version", "sha256": "model_sha256"}
    model = {key: raw.attrs.get(attribute) for key, attribute in keys.items()}
    return Observation(
        raw=raw,
        skeleton=skeleton,
        source=source,
        model={**model, "provider": None},
        recording=recording,
        fps=settings.fps,
        warnings=warnings,
    )


def _refuse_too_slow(source: Source, protocol: ProtocolSpec) -> None:
    """Refuse a recording that the protocol's filters cannot take before people are searched.

    The mean rate only makes suspicious: where it varies, the frames' own times decide.

    Raises
    ------
    InputError
        If an operation cannot be applied to frames at these times.
    """
    rate = source.info.fps
    if not rate or _filter_error(np.arange(9) / rate, protocol) is None:
        return
    times_s = [frame.time_s for frame in source]
    error = _filter_error(np.asarray(times_s), protocol) if len(times_s) > 1 else None
    if error is not None:
        raise InputError(
            f"'{source.info.path}': protocol '{protocol.name}', processing: {error}"
        ) from error


def _filter_error(times_s: NDArray[np.float64], protocol: ProtocolSpec) -> InputError | None:
    skeleton = load_skeleton("lower6")
    frames, points = len(times_s), len(skeleton.keypoints)
    nobody = make_poses(
        np.empty((frames, 2, points, 0)),
        np.empty((frames, points, 0)),
        time_s=times_s,
        skeleton=skeleton,
    )
    try:
        process(nobody, protocol.processing)
    except InputError as error:
        return error
    return None


def _describe_source(info: SourceInfo, raw: xr.Dataset) -> dict[str, Any]:
    described = {k: getattr(info, k) for k in ("path", "sha256", "kind", "width", "height", "fps")}
    return described | {"frames": raw.sizes["time"], "duration_s": _duration_s(raw, info.fps)}


def _source_of_tracks(raw: xr.Dataset, path: Path) -> dict[str, Any]:
    fps = raw.attrs.get("fps")
    return {
        "path": raw.attrs.get("source", str(path)),
        "sha256": raw.attrs.get("source_sha256"),
        "kind": "poses",
        "width": _whole(raw.attrs.get("width_px")),
        "height": _whole(raw.attrs.get("height_px")),
        "frames": raw.sizes["time"],
        "fps": None if fps is None else float(fps),
        "duration_s": _duration_s(raw, fps),
    }


def _duration_s(raw: xr.Dataset, fps: float | None) -> float:
    time_s = raw["time"].values
    if time_s.size < 2:
        return 0.0
    last = 1 / fps if fps else float(np.median(np.diff(time_s)))
    return float(time_s[-1] - time_s[0] + last)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
