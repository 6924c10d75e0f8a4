"""The result drawn over the recording: a video, a picture, and stills for the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gonio.analysis.angles import arc_points
from gonio.poses import INDIVIDUALS, point
from gonio.video import Arc, OverlayPerson, VideoWriter, draw_overlay, open_source, write_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.store import Evaluation
    from gonio.video import Frame, Source
    from gonio.workflows.observe import Observation
    from gonio.workflows.settings import Progress

    Image = NDArray[np.uint8]

DRAW = "Drawing"
STILLS = 6
_LEGS = frozenset({"hip", "knee", "ankle"})
_DEFAULT_FPS = 25.0


@dataclass(frozen=True)
class Stills:
    """Pictures for the report: ``(time_s, image)``, and what went wrong while drawing."""

    pictures: list[tuple[float, Image]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def draw_recording(
    observation: Observation, evaluation: Evaluation, folder: Path, *, video: bool, report: Progress
) -> Stills:
    """Draw an evaluation over its recording.

    Parameters
    ----------
    observation
        Names the recording; nothing is drawn where there is none.
    evaluation
        What was measured.
    folder
        Receives ``overlay.mp4``, or ``overlay.png`` for a photograph.
    video
        Whether to write these; stills are made either way.
    report
        Called with each frame done.

    Returns
    -------
    Stills
        Evenly spread over the time in which a measured person is in view.

    Raises
    ------
    VideoError
        If the recording is gone.
    OutputError
        If the overlay cannot be written.
    """
    if observation.recording is None:
        return Stills()
    wanted = _still_frames(evaluation)
    with open_source(observation.recording, fps=observation.fps) as source:
        drawn = _drawn_frames(source, evaluation, wanted, draw_all=video)
        if video and source.info.kind != "image":
            return Stills(_write_video(drawn, source, folder / "overlay.mp4", wanted, report))
        pictures = [(time_s, image) for _, time_s, image in drawn]
        if video:
            write_image(folder / "overlay.png", pictures[0][1])
        return Stills(pictures)


def _write_video(
    drawn: Iterator[tuple[int, float, Image]],
    source: Source,
    path: Path,
    wanted: set[int],
    report: Progress,
) -> list[tuple[float, Image]]:
    info, pictures = source.info, []
    with VideoWriter(
        path, width=info.width, height=info.height, fps=info.fps or _DEFAULT_FPS
    ) as writer:
        for done, (index, time_s, image) in enumerate(drawn, start=1):
            writer.write(image, time_s)
            if index in wanted:
                pictures.append((time_s, image))
            report(DRAW, done, info.frames)
    return pictures


def _drawn_frames(
    source: Source, evaluation: Evaluation, wanted: set[int], *, draw_all: bool
) -> Iterator[tuple[int, float, Image]]:
    """Yield drawn frames: all of them, or the wanted ones up to the last."""
    painter = Painter(evaluation)
    is_image = source.info.kind == "image"
    last = evaluation.raw.sizes["time"] - 1 if draw_all else max(wanted, default=-1)
    for frame in source:
        if frame.index > last:
            return
        if draw_all or is_image or frame.index in wanted:
            yield frame.index, frame.time_s, painter.draw(frame, show_time=not is_image)


class Painter:
    """Draws the people of an evaluation on its frames.

    Parameters
    ----------
    evaluation
        The evaluation; measured people are drawn strongly with their angles, others faintly.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        skeleton = evaluation.skeleton
        arcs = {}
        for name in _shown([str(name) for name in evaluation.angles["angle"].values]):
            points = arc_points(name, skeleton)
            tracks = [point(evaluation.poses, p, skeleton) for p in points or ()]
            if points and all(track is not None for track in tracks):
                arcs[name] = [t["position"].values for t in tracks if t is not None]
        self._arcs = arcs

    def draw(self, frame: Frame, *, show_time: bool = True) -> Image:
        """Return the frame with everybody in it drawn."""
        people = [
            person
            for name in self._evaluation.raw[INDIVIDUALS].values
            if (person := self._person(str(name), frame.index)) is not None
        ]
        return draw_overlay(
            frame.image,
            people,
            skeleton=self._evaluation.skeleton,
            time_s=frame.time_s if show_time else None,
        )

    def _person(self, name: str, row: int) -> OverlayPerson | None:
        main = name in self._evaluation.chosen
        poses = self._evaluation.poses if main else self._evaluation.raw
        column = self._evaluation.person_id(name)
        keypoints = poses["position"].values[row, :, :, column].T
        if np.isnan(keypoints).all():
            return None
        return OverlayPerson(
            keypoints_px=keypoints,
            confidence=poses["confidence"].values[row, :, column],
            label=name.replace("_", " "),
            arcs=self._arcs_of(name, row) if main else [],
            main=main,
        )

    def _arcs_of(self, name: str, row: int) -> list[Arc]:
        angles = self._evaluation.angles
        column = self._evaluation.person_id(name)
        values = angles["angle_deg"].values[row, :, list(self._evaluation.chosen).index(name)]
        arcs = []
        for angle, value in zip(angles["angle"].values, values, strict=True):
            tracks = self._arcs.get(str(angle))
            if tracks is None or np.isnan(value):
                continue
            vertex, start, end = (track[row, :, column] for track in tracks)
            arcs.append(Arc(vertex, start, end, float(value), str(angle)))
        return arcs


def _shown(names: list[str]) -> list[str]:
    """Return the legs' angles where they are measured; all at once would hide the person."""
    legs = [name for name in names if name.rpartition("_")[0] in _LEGS]
    return legs or names


def _still_frames(evaluation: Evaluation) -> set[int]:
    people = evaluation.poses.sel({INDIVIDUALS: list(evaluation.chosen)})
    seen = np.isfinite(people["position"].values).any(axis=(1, 2, 3))
    rows = np.flatnonzero(seen) if seen.any() else np.arange(seen.size)
    if rows.size == 0:
        return set()
    places = np.linspace(0, rows.size - 1, min(STILLS, rows.size))
    return {int(rows[round(place)]) for place in places}
