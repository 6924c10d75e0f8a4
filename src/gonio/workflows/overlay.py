"""The result drawn over the recording: a video, a picture, and stills for the report."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from gonio.analysis.angles import angle_points, arc_points, find_angle
from gonio.poses import INDIVIDUALS, point
from gonio.video import (
    Arc,
    OverlayPerson,
    ReadAhead,
    VideoWriter,
    draw_overlay,
    open_source,
    write_image,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from gonio.skeletons import Skeleton
    from gonio.store import Evaluation
    from gonio.video import Frame, Source
    from gonio.workflows.observe import Observation
    from gonio.workflows.settings import Progress

    Image = NDArray[np.uint8]
    _Drawn = tuple[float, Image | None, Image | None]

DRAW = "Drawing"
STILLS = 6
_LEGS = frozenset({"hip", "knee", "ankle", "rearfoot"})
_DEFAULT_FPS = 25.0
_ROOM = 1.35
_ASPECT = 3 / 4
_LEAST_SHARE = 0.5
_LEAST_PART = 1 / 6
_STILL_PX = 720
_WELL_SEEN = 0.8


@dataclass(frozen=True)
class Stills:
    """Cut-outs for the report: ``(time_s, image)``, and what went wrong while drawing."""

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
        Evenly spread over the frames in which most of the measured people's points are seen,
        each cut out around the measured people.

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
            return Stills(_write_video(drawn, source, folder / "overlay.mp4", report))
        pictures = []
        for time_s, image, still in drawn:
            if video and image is not None:
                write_image(folder / "overlay.png", image)
            if still is not None:
                pictures.append((time_s, still))
        return Stills(pictures)


def _write_video(
    drawn: Iterator[_Drawn], source: Source, path: Path, report: Progress
) -> list[tuple[float, Image]]:
    info, pictures = source.info, []
    with (
        VideoWriter(
            path, width=info.width, height=info.height, fps=info.fps or _DEFAULT_FPS
        ) as writer,
        closing(ReadAhead(drawn)) as ahead,
    ):
        for done, (time_s, image, still) in enumerate(ahead, start=1):
            if image is not None:
                writer.write(image, time_s)
            if still is not None:
                pictures.append((time_s, still))
            report(DRAW, done, info.frames)
    return pictures


def _drawn_frames(
    source: Source, evaluation: Evaluation, wanted: set[int], *, draw_all: bool
) -> Iterator[_Drawn]:
    """Yield time, drawn frame if all are asked for, and still if the frame is a wanted one."""
    painter = Painter(evaluation)
    is_image = source.info.kind == "image"
    last = evaluation.raw.sizes["time"] - 1 if draw_all else max(wanted, default=-1)
    for frame in source:
        if frame.index > last:
            return
        still = painter.cut_out(frame) if is_image or frame.index in wanted else None
        image = painter.draw(frame, show_time=not is_image) if draw_all else None
        if image is not None or still is not None:
            yield frame.time_s, image, still


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
            points = _drawn_points(name, skeleton)
            tracks = [point(evaluation.poses, p, skeleton) for p in points or ()]
            if points and all(track is not None for track in tracks):
                arcs[name] = _ends([t["position"].values for t in tracks if t is not None])
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

    def cut_out(self, frame: Frame) -> Image:
        """Return the part of the frame around the measured people, enlarged, with them drawn."""
        chosen = self._evaluation.chosen
        people = [p for name in chosen if (p := self._person(str(name), frame.index)) is not None]
        image, offset, scale = frame.image, np.zeros(2), 1.0
        if people:
            points = np.concatenate([person.keypoints_px for person in people])
            points = points[np.isfinite(points).all(axis=1)]
            columns, rows = cut_out_box(points, (image.shape[1], image.shape[0]))
            image, offset = image[rows, columns], np.array([columns.start, rows.start], float)
            scale = max(_STILL_PX / max(image.shape[:2]), 1.0)
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        moved = [_moved(person, offset, scale) for person in people]
        return draw_overlay(image, moved, skeleton=self._evaluation.skeleton)

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
            bend = find_angle(str(angle))[0].bend
            arcs.append(
                Arc(vertex, start, end, float(value), str(angle), digits=int(bend), wide=bend)
            )
        return arcs


def _drawn_points(name: str, skeleton: Skeleton) -> tuple[str, ...] | None:
    if find_angle(name)[0].bend:
        return angle_points(name, skeleton)
    return arc_points(name, skeleton)


def _ends(tracks: list[NDArray[np.floating]]) -> list[NDArray[np.floating]]:
    """Return vertex and ends of an arc; of a bend, from the first line's extension to the second.

    The rearfoot angle is a few degrees between two lines that go on from each other: between the
    lines as they are, the arc would run through 180°.
    """
    if len(tracks) == 3:
        return tracks
    first, second, vertex, end = tracks
    with np.errstate(invalid="ignore", divide="ignore"):
        along = (second - first) / np.linalg.norm(second - first, axis=1, keepdims=True)
    return [vertex, vertex + along * np.linalg.norm(end - vertex, axis=1, keepdims=True), end]


def _moved(person: OverlayPerson, offset: NDArray[np.float64], scale: float) -> OverlayPerson:
    def place(points: ArrayLike) -> NDArray[np.float64]:
        return (np.asarray(points, float) - offset) * scale

    arcs = [
        replace(
            arc,
            vertex_px=place(arc.vertex_px),
            from_px=place(arc.from_px),
            to_px=place(arc.to_px),
        )
        for arc in person.arcs
    ]
    return replace(person, keypoints_px=place(person.keypoints_px), arcs=arcs)


def cut_out_box(points_px: NDArray[np.float64], size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the part of a picture that shows a person large, with room for labels.

    Parameters
    ----------
    points_px
        Shape ``(point, 2)``: x and y, pixels, no NaN.
    size
        The picture's width and height, pixels.

    Returns
    -------
    tuple of slice
        Columns and rows inside the picture: 3 wide to 4 high around an upright person, who is
        at least half as tall as the part; wider around a lying one. At least a sixth as high
        as the picture.
    """
    least, most = points_px.min(axis=0), points_px.max(axis=0)
    wide, tall = np.maximum(most - least, 1.0)
    height = max(_ROOM * tall, _LEAST_PART * size[1])
    width = max(_ASPECT * height, _ROOM * wide)
    height = max(height, min(width / _ASPECT, tall / _LEAST_SHARE))
    slices = []
    for middle, extent, limit in zip((least + most) / 2, (width, height), size, strict=True):
        length = min(max(round(extent), 1), limit)
        start = min(max(round(middle - length / 2), 0), limit - length)
        slices.append(slice(start, start + length))
    return slices[0], slices[1]


def _shown(names: list[str]) -> list[str]:
    """Return the legs' angles where they are measured; all at once would hide the person."""
    legs = [name for name in names if name.rpartition("_")[0] in _LEGS]
    return legs or names


def _still_frames(evaluation: Evaluation) -> set[int]:
    people = evaluation.poses.sel({INDIVIDUALS: list(evaluation.chosen)})
    points = np.isfinite(people["position"].values).all(axis=1).sum(axis=(1, 2))
    most = points.max(initial=0)
    rows = np.flatnonzero(points >= _WELL_SEEN * most) if most else np.arange(points.size)
    if rows.size == 0:
        return set()
    places = np.linspace(0, rows.size - 1, min(STILLS, rows.size))
    return {int(rows[round(place)]) for place in places}
