"""Label Studio's JSON export: tasks with keypoints, and a rectangle around each person.

Positions are percent of the picture's width and height, from its left and top edge: our pixels
are half a pixel less. Frames that sleap-io wrote as tasks hold pixels in percent instead, and are
not moved.
Source: Label Studio's documentation, "Raw JSON format of completed tasks", and the units of its
image annotations.
"""

from __future__ import annotations

import codecs
import json
import math
import os.path
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from gonio.errors import FormatError
from gonio.formats.labels.common import chosen_skeleton, fit_skeleton, picture_folder, read_bytes
from gonio.formats.tracks import warn
from gonio.labels import UNLABELLED, VISIBLE, LabelledImage, Labels, make_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonio.skeletons import Skeleton

_ANNOTATIONS: Final = ("annotations", "completions")
_EDGE_PX: Final = 0.5
_UPLOAD: Final = re.compile(r"^[0-9a-f]{8}-")


@dataclass
class _Person:
    """Points by name, percent of the picture, and the box, likewise."""

    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    box: tuple[float, float, float, float] | None = None


@dataclass
class _Task:
    """One picture and the people in it."""

    where: str
    name: str
    people: list[_Person]
    size: tuple[int, int] | None
    video: str = ""
    frame: int | None = None


def read_labelstudio(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, images: Path | None = None
) -> Labels:
    """Read an export (``JSON``, not ``JSON-MIN``).

    Parameters
    ----------
    path
        The ``.json`` file.
    skeleton
        What the labels of the keypoints must follow; None: found by their names, else made of
        them, in the order in which they first stand in the file.
    images
        Folder of the pictures; None: ``images`` beside the file, or its folder. The eight digits
        that an upload puts before a name may be there or not.

    Returns
    -------
    Labels
        A rectangle is a person's box; the keypoints that are linked to it, or lie in it alone,
        are the person's. Without rectangles a picture shows one person. Every labelled point is
        visible. Of several annotations of a task the first that was not cancelled counts, with
        a warning.

    Raises
    ------
    FormatError
        If it is no such export, a keypoint belongs to nobody or to several, a person has a
        keypoint twice, or a picture was turned while it was labelled.
    PosesError
        If the keypoints are not those of the skeleton asked for.
    """
    try:
        entries = json.loads(read_bytes(path))
    except ValueError as error:
        raise FormatError(f"'{path}': not valid JSON ({error})") from error
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise FormatError(f"'{path}': not Label Studio's JSON export (a list of tasks)")
    found = [_task(path, i, entry) for i, entry in enumerate(entries)]
    tasks = _short([task for task in found if task is not None])
    names = list(dict.fromkeys(n for t in tasks for p in t.people for n in p.points))
    if not names:
        raise FormatError(f"'{path}': no keypoints are labelled in it")
    chosen, order = fit_skeleton(
        names, chosen_skeleton(skeleton), where=f"'{path}'", name=path.stem
    )
    folder = picture_folder(
        [task.name for task in tasks], images, [path.parent / "images", path.parent]
    )
    points, boxes = [], []
    for task in tasks:
        for person in task.people:
            points.append(_pixels(task, [person.points.get(name) for name in names]))
            boxes.append(_box(task, person.box))
    xy = np.array(points, dtype=float).reshape(len(points), len(names), 2)[:, order]
    seen = np.where(np.isfinite(xy).all(axis=-1), VISIBLE, UNLABELLED)
    return make_labels(
        chosen,
        [_image(task, folder) for task in tasks],
        [i for i, task in enumerate(tasks) for _ in task.people],
        xy,
        seen,
        boxes_px=np.array(boxes, dtype=float).reshape(len(points), 4),
    )


def is_labelstudio(head: bytes) -> bool:
    """Say whether a JSON file's beginning is one of such an export."""
    if not head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        return False
    # Results for COCO are a list too, of boxes or keypoints of images by number.
    return any(f'"{key}"'.encode() in head for key in (*_ANNOTATIONS, "data")) or (
        b'"image_id"' not in head
    )


def _task(path: Path, number: int, entry: dict[str, Any]) -> _Task | None:
    where = f"'{path}': task {entry.get('id', number)}"
    key = next((key for key in _ANNOTATIONS if key in entry), None)
    if key is None:
        raise FormatError(
            f"{where}: no 'annotations'. Export as JSON, not JSON-MIN or a list of tasks."
        )
    try:
        given = [a for a in entry[key] or [] if not a.get("was_cancelled")]
        if not given:
            return None
        if len(given) > 1:
            warn(f"{where}: {len(given)} annotations; the first counts")
        return _read_task(where, entry, given[0].get("result") or [])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FormatError(f"{where}: not as Label Studio writes it ({error!r})") from error


def _read_task(where: str, entry: dict[str, Any], result: list[dict[str, Any]]) -> _Task:
    if any(r.get("image_rotation") for r in result):
        raise FormatError(f"{where}: the picture was turned while it was labelled; turn it back")
    marks = [r for r in result if r.get("type") == "keypointlabels"]
    frames = {r["id"]: _Person(box=_rectangle(where, r)) for r in result if _is_rectangle(r)}
    people = list(frames.values())
    if not frames and marks:
        people = [_Person()]
    links = _links(result)
    for mark in marks:
        value = mark["value"]
        name, point = str(value["keypointlabels"][0]), (float(value["x"]), float(value["y"]))
        owner = _owner(where, name, point, mark, frames, links) if frames else people[0]
        if not all(map(math.isfinite, point)):
            raise FormatError(f"{where}: the keypoint '{name}' is {point[0]}, {point[1]}")
        if name in owner.points:
            advice = "" if frames else "; draw a rectangle around each person and link its points"
            raise FormatError(f"{where}: a person has two '{name}'{advice}")
        owner.points[name] = point
    size = _size(where, result)
    people = [person for person in people if person.points or person.box is not None]
    video = (entry.get("meta") or {}).get("video")
    if video:
        file, frame = Path(str(video["filename"])), int(video["frame_idx"])
        return _Task(where, f"{file.stem}/{frame:06d}.png", people, size, str(file), frame)
    return _Task(where, _picture_name(where, entry), people, size)


def _is_rectangle(region: dict[str, Any]) -> bool:
    return region.get("type") in {"rectanglelabels", "rectangle"}


def _rectangle(where: str, region: dict[str, Any]) -> tuple[float, float, float, float]:
    x, y, width, height = (float(region["value"][key]) for key in ("x", "y", "width", "height"))
    if not (width > 0 and height > 0 and math.isfinite(x + y + width + height)):
        raise FormatError(f"{where}: a rectangle without area. Delete it, or draw it again.")
    return x, y, width, height


def _size(where: str, result: Iterable[dict[str, Any]]) -> tuple[int, int] | None:
    """Return the picture's width and height, which turn percent into pixels."""
    regions = [r for r in result if r.get("type") == "keypointlabels" or _is_rectangle(r)]
    sizes = [(r.get("original_width") or 0, r.get("original_height") or 0) for r in regions]
    if not sizes:
        return None
    width, height = map(int, next((s for s in sizes if min(s) > 0), (0, 0)))
    if not width:
        raise FormatError(
            f"{where}: it does not say how large the picture is (original_width, original_height), "
            "and the keypoints are percent of that. Export again, once the pictures load there."
        )
    return width, height


def _links(result: Iterable[dict[str, Any]]) -> dict[str, set[str]]:
    """Return whom each region is linked to, by an arrow or as its child."""
    links: dict[str, set[str]] = {}
    for region in result:
        if region.get("type") == "relation":
            links.setdefault(region["from_id"], set()).add(region["to_id"])
            links.setdefault(region["to_id"], set()).add(region["from_id"])
        elif region.get("parentID"):
            links.setdefault(region["id"], set()).add(region["parentID"])
    return links


def _owner(
    where: str,
    name: str,
    point: tuple[float, float],
    mark: dict[str, Any],
    frames: dict[str, _Person],
    links: dict[str, set[str]],
) -> _Person:
    """Return whose a keypoint is: linked, alone in the picture, or the only one around it."""
    linked = [frames[other] for other in sorted(links.get(mark["id"], ())) if other in frames]
    around = [p for p in frames.values() if p.box is not None and _holds(p.box, point)]
    for candidates in (linked, list(frames.values()), around):
        if len(candidates) == 1:
            return candidates[0]
    raise FormatError(
        f"{where}: the keypoint '{name}' lies in {len(around)} rectangles and is linked to "
        f"{len(linked)}. Link it to the rectangle of its person."
    )


def _holds(box: tuple[float, float, float, float], point: tuple[float, float]) -> bool:
    return 0 <= point[0] - box[0] <= box[2] and 0 <= point[1] - box[1] <= box[3]


def _picture_name(where: str, entry: dict[str, Any]) -> str:
    """Return the picture's path under its folder: what was uploaded, or lies in a local store."""
    data = entry.get("data") or {}
    values = [data.get("image"), data.get("img"), *data.values()]
    text = next((str(v) for v in values if isinstance(v, str) and "." in v), None)
    if text is None:
        raise FormatError(f"{where}: its 'data' names no picture")
    parts = urlsplit(text)
    local = parse_qs(parts.query).get("d")
    return (local[0] if local else unquote(parts.path)).replace("\\", "/").lstrip("/")


def _short(tasks: list[_Task]) -> list[_Task]:
    """Shorten the pictures' paths to their names; where two share one, to what tells them apart."""
    paths = list(dict.fromkeys(task.name for task in tasks if not task.video))
    names = Counter(PurePosixPath(path).name for path in paths)
    root = ""
    if any(count > 1 for count in names.values()):
        root = os.path.commonpath([str(PurePosixPath(path).parent) for path in paths])
    return [
        task if task.video else replace(
            task,
            name=PurePosixPath(task.name).name
            if names[PurePosixPath(task.name).name] == 1
            else str(PurePosixPath(task.name).relative_to(root)),
        )
        for task in tasks
    ]  # fmt: skip


def _image(task: _Task, folder: Path) -> LabelledImage:
    path = folder / task.name
    plain = folder / _UPLOAD.sub("", task.name)
    if not path.is_file() and plain.is_file():
        path = plain
    width, height = task.size or (None, None)
    return LabelledImage(
        path, width=width, height=height, video=task.video, frame=task.frame, key=task.name
    )


def _pixels(task: _Task, points: list[tuple[float, float] | None]) -> list[tuple[float, float]]:
    nowhere = (math.nan, math.nan)
    if task.size is None:
        return [nowhere] * len(points)
    (width, height), edge = task.size, 0.0 if task.video else _EDGE_PX
    return [
        nowhere if p is None else (p[0] / 100 * width - edge, p[1] / 100 * height - edge)
        for p in points
    ]


def _box(task: _Task, box: tuple[float, float, float, float] | None) -> list[float]:
    if box is None or task.size is None or task.video:
        return [math.nan] * 4  # sleap-io's rectangles are the whole picture, in pixels
    (x, y, w, h), (width, height) = box, task.size
    return [
        x / 100 * width - _EDGE_PX, y / 100 * height - _EDGE_PX, w / 100 * width, h / 100 * height,
    ]  # fmt: skip
