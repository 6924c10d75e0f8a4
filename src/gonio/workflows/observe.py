"""Who was where in every frame: from a recording with a model, or from saved tracks."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import ConfigError, InputError, PosesError, VideoError
from gonio.poses import KEYPOINTS, RAW_GROUP, load_poses, make_poses, operation_log
from gonio.runtime import ModelStore, estimate_frames, open_estimator
from gonio.skeletons import load_skeleton, skeleton_names
from gonio.tracking import assign_identities, process
from gonio.video import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.protocols import ProtocolSpec
    from gonio.runtime import FramePeople
    from gonio.skeletons import Skeleton
    from gonio.video import Source, SourceInfo
    from gonio.workflows.settings import AnalyzeSettings, Progress

FIND_PEOPLE = "Finding people"


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
    path: Path, settings: AnalyzeSettings, protocol: ProtocolSpec, report: Progress
) -> Observation:
    """Find people in a recording.

    Parameters
    ----------
    path
        A video, an image, or a folder of numbered images.
    settings, protocol
        What to run.
    report
        Called with each frame done.

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
        If the recording is too slow for the protocol's filters.
    """
    with open_source(path, fps=settings.fps) as source:
        _refuse_too_slow(source, protocol)
        store = ModelStore()
        model = store.resolve(protocol.model, progress=report)
        people = 1 if source.info.kind == "image" else settings.max_people
        estimator = open_estimator(
            model, store=store, max_people=people, device=settings.device, threads=settings.threads
        )
        try:
            found = _reported(estimate_frames(source, estimator), source.info.frames, report)
            raw = assign_identities(
                found,
                estimator.skeleton,
                fps=source.info.fps,
                attrs={
                    # netCDF holds Unicode alone; a file's name may hold other bytes.
                    "source": str(path).encode(errors="backslashreplace").decode(),
                    "source_sha256": source.info.sha256,
                    "width_px": source.info.width,
                    "height_px": source.info.height,
                    "model": model.card.name,
                    "model_version": model.card.version,
                    "model_sha256": model.sha256,
                },
            )
            provider = estimator.provider
        finally:
            estimator.close()
        ignored = []
        if settings.fps is not None and source.info.kind != "images":
            ignored = ["--fps is for folders of images: the recording's own times were used."]
        if raw.sizes["time"] == 0:
            raise VideoError(f"'{path}': no frames could be read")
        return Observation(
            raw=raw,
            skeleton=estimator.skeleton,
            source=_describe_source(source.info, raw),
            model={
                "name": model.card.name,
                "version": model.card.version,
                "sha256": model.sha256,
                "provider": provider,
            },
            recording=path,
            fps=settings.fps,
            warnings=[*source.warnings, *ignored],
        )


def observe_poses(path: Path, recording: Path | None, settings: AnalyzeSettings) -> Observation:
    """Read tracks that were found before.

    Parameters
    ----------
    path
        A netCDF file of poses: an evaluation's ``poses.nc`` (its raw tracks are used), or one
        of the ``movement`` package whose keypoints are those of a built-in skeleton.
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
        If a model is asked for too.
    """
    if settings.model is not None:
        raise InputError("--model finds people and --from-poses has found them already: give one")
    raw = load_poses(path)
    with contextlib.suppress(PosesError):  # tracks of movement have no group of raw ones
        raw = load_poses(path, group=RAW_GROUP)
    _check_log(raw, path)
    skeleton = _skeleton_of(raw, path)
    raw = raw.sel({KEYPOINTS: list(skeleton.keypoints)})
    warnings = []
    if recording is None:
        source = _source_of_tracks(raw, path)
    else:
        with open_source(recording, fps=settings.fps) as opened:
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


def _check_log(raw: xr.Dataset, path: Path) -> None:
    try:
        operation_log(raw)
    except ValueError as error:
        raise PosesError(f"'{path}': its attribute 'log' is no JSON ({error})") from error


def _skeleton_of(raw: xr.Dataset, path: Path) -> Skeleton:
    """Return the skeleton a file names or, where it names none, the one with its keypoints."""
    given = {str(name) for name in raw[KEYPOINTS].values}
    name = raw.attrs.get("skeleton")
    known = [name] if name else skeleton_names()
    try:
        skeletons = [load_skeleton(str(one)) for one in known]
    except ConfigError as error:
        raise PosesError(f"'{path}': {error}") from error
    fitting = [one for one in skeletons if set(one.keypoints) == given]
    if fitting:
        return fitting[0]
    whose = f"the skeleton '{name}'" if name else f"any skeleton ({', '.join(known)})"
    raise PosesError(f"'{path}': its keypoints are not those of {whose}")


def _reported(
    frames: Iterator[FramePeople], total: int | None, report: Progress
) -> Iterator[FramePeople]:
    done = 0
    for done, frame in enumerate(frames, start=1):
        report(FIND_PEOPLE, done, total)
        yield frame
    report(FIND_PEOPLE, done, done)


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
