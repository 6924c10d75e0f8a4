"""A folder of drawn people: pictures and their labels as COCO keypoints.

The pictures are drawn in parts of a fixed number; a part is complete once its labels are on disk,
so that an interrupted folder goes on where it was.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import ConfigError, OutputError
from gonio.formats.labels import read_labels, write_labels
from gonio.formats.whole import cannot_write, whole_file
from gonio.labels import LabelledImage, Labels, make_labels
from gonio.skeletons import Skeleton, load_skeleton
from gonio.synthetic.people.person import known_points
from gonio.synthetic.people.picture import DrawnPeople, draw_people, people_in_picture
from gonio.video import write_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Progress = Callable[[str, int, int | None], None]

LABELS_FILE: Final = "labels.json"
_SETTINGS_FILE: Final = "synthesis.json"
_IMAGES: Final = "images"
_PARTS: Final = "parts"
_PICTURES_A_PART: Final = 100
_SCHEMA: Final = "gonio.synthesis/1"
_MIN_SIDE_PX: Final = 64


@dataclass(frozen=True)
class _Plan:
    """What a folder holds; the same plan gives the same files."""

    skeleton: str
    people: int
    seed: int
    size: tuple[int, int] | None

    def as_json(self) -> dict[str, Any]:
        return {"schema": _SCHEMA, **asdict(self)}

    def pictures(self) -> list[int]:
        """Return how many people each picture shows; the last is cut to the number wanted."""
        counts: list[int] = []
        left = self.people
        while left > 0:
            counts.append(min(people_in_picture(self.seed, len(counts)), left))
            left -= counts[-1]
        return counts


def people_labels(
    folder: Path,
    *,
    people: int,
    skeleton: str | Path | Skeleton = "coco17",
    seed: int = 0,
    size: tuple[int, int] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Labels:
    """Draw people into a folder: ``images/*.jpg``, ``labels.json`` (COCO), ``synthesis.json``.

    Parameters
    ----------
    folder
        Made if missing.
    people
        How many, in about two thirds as many pictures.
    skeleton
        The keypoints wanted: any whose points a drawn person has (``coco17``, ``lower6``,
        ``halpe26``, ``lsp14``, ``blazepose33``, ``gait6``…).
    seed
        Decides everything: the same seed gives the same files, and more people begin with the
        same pictures (but for the last, which may hold more of them).
    size
        Width and height of every picture, pixels; None: by chance, each 256–640.
    resume
        Go on with an interrupted folder of the same settings; a complete one is read.
    overwrite
        Replace what was drawn here before.
    progress
        Called with the stage, the people done, and their number.

    Returns
    -------
    Labels
        Positions are exact. Visibility: 0 outside the picture, 1 behind a limb, another person
        or a thing, 2 visible. Boxes and areas are those of the whole outline within the picture.

    Raises
    ------
    ConfigError
        If a setting is out of range, or the skeleton has a point that is not drawn.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    points = skeleton if isinstance(skeleton, Skeleton) else load_skeleton(skeleton)
    plan = _Plan(points.name, people, seed, size)
    _check(plan, points)
    _open(folder, plan, resume=resume, overwrite=overwrite)
    file = folder / LABELS_FILE
    if file.exists():
        return read_labels(file, skeleton=points)
    _make(folder)
    counts = plan.pictures()
    parts = []
    for first in range(0, len(counts), _PICTURES_A_PART):
        wanted = range(first, min(first + _PICTURES_A_PART, len(counts)))
        before = sum(counts[:first])
        parts.append(_part(folder, plan, points, counts, wanted, _Report(progress, before, people)))
    labels = _labels(folder, points, parts)
    write_labels(file, labels, format="coco")
    shutil.rmtree(folder / _PARTS, ignore_errors=True)
    return labels


@dataclass
class _Report:
    """Tells how many people are drawn."""

    progress: Progress | None
    done: int
    total: int

    def add(self, people: int) -> None:
        self.done += people
        if self.progress is not None:
            self.progress("drawing people", self.done, self.total)


def _check(plan: _Plan, skeleton: Skeleton) -> None:
    if plan.people < 1:
        raise ConfigError(f"drawn people: {plan.people} people are none; ask for one at least")
    if plan.seed < 0:
        raise ConfigError(f"drawn people: the seed {plan.seed} is negative; use 0 or more")
    if plan.size is not None and min(plan.size) < _MIN_SIDE_PX:
        raise ConfigError(
            f"drawn people: pictures of {plan.size[0]} × {plan.size[1]} pixels are too small; "
            f"use {_MIN_SIDE_PX} at least"
        )
    unknown = [name for name in skeleton.keypoints if name not in known_points()]
    if unknown:
        raise ConfigError(
            f"drawn people: '{skeleton.name}' has points that are not drawn: {', '.join(unknown)}. "
            "Use coco17, lower6, halpe26, lsp14 or blazepose33."
        )


def _open(folder: Path, plan: _Plan, *, resume: bool, overwrite: bool) -> None:
    """Make the folder ready: new, emptied, or as it was left."""
    file = folder / _SETTINGS_FILE
    try:
        if file.is_file() and overwrite:
            _clear(folder)
        if file.is_file():
            if not resume:
                raise OutputError(
                    f"'{folder}': people have been drawn here before. Go on with --resume, replace "
                    "them with --overwrite, or choose another folder."
                )
            _check_same(file, plan)
        elif folder.is_dir() and any(folder.iterdir()):
            raise OutputError(f"'{folder}': holds other files. Choose a new or an empty folder.")
        folder.mkdir(parents=True, exist_ok=True)
        if not file.is_file():
            with whole_file(file) as part:
                part.write_text(json.dumps(plan.as_json(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder, error) from error


def _make(folder: Path) -> None:
    try:
        for name in (_IMAGES, _PARTS):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def _clear(folder: Path) -> None:
    """Remove what was drawn here, the settings last: until then the folder is known as ours."""
    for name in (_IMAGES, _PARTS):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / LABELS_FILE).unlink(missing_ok=True)
    (folder / _SETTINGS_FILE).unlink()


def _check_same(file: Path, plan: _Plan) -> None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    wanted = json.loads(json.dumps(plan.as_json()))
    if not isinstance(found, dict):
        raise OutputError(f"'{file}': is damaged. Draw the people anew with --overwrite.")
    other = [key for key in wanted if found.get(key) != wanted[key]]
    if other:
        key = other[0]
        raise OutputError(
            f"'{file.parent}': was begun with other settings ({key}: {found.get(key)}, now "
            f"{wanted[key]}). Give the same ones, or replace it with --overwrite."
        )


def _part(
    folder: Path,
    plan: _Plan,
    skeleton: Skeleton,
    counts: list[int],
    wanted: range,
    report: _Report,
) -> dict[str, np.ndarray]:
    """Draw some pictures, or read their labels where that has been done."""
    file = folder / _PARTS / f"{wanted.start:06d}.npz"
    done = _read_part(file, len(wanted))
    if done is not None:
        report.add(sum(counts[i] for i in wanted))
        return done
    drawn = []
    for index in wanted:
        picture = draw_people(skeleton, plan.seed, index, size=plan.size, people=counts[index])
        write_image(_image_path(folder, index), picture.image)
        drawn.append(picture)
        report.add(counts[index])
    arrays = _arrays(drawn, wanted)
    with whole_file(file) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]
    return arrays


def _read_part(file: Path, pictures: int) -> dict[str, np.ndarray] | None:
    """Return a part's labels; None where it is not there or was cut off."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError):
        return None
    return arrays if len(arrays.get("wh", ())) == pictures else None


def _arrays(drawn: list[DrawnPeople], wanted: range) -> dict[str, np.ndarray]:
    people = [len(picture.areas_px2) for picture in drawn]
    return {
        "wh": np.array([picture.image.shape[1::-1] for picture in drawn]),
        "image_index": np.repeat(np.arange(wanted.start, wanted.stop), people),
        "keypoints_px": np.concatenate([picture.keypoints_px for picture in drawn]),
        "visibility": np.concatenate([picture.visibility for picture in drawn]),
        "boxes_px": np.concatenate([picture.boxes_px for picture in drawn]),
        "areas_px2": np.concatenate([picture.areas_px2 for picture in drawn]),
    }


def _labels(folder: Path, skeleton: Skeleton, parts: list[dict[str, np.ndarray]]) -> Labels:
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    images = [
        LabelledImage(_image_path(folder, i), int(width), int(height), key=str(i + 1))
        for i, (width, height) in enumerate(joined["wh"])
    ]
    return make_labels(
        skeleton, images, joined["image_index"], joined["keypoints_px"], joined["visibility"],
        boxes_px=joined["boxes_px"], areas_px2=joined["areas_px2"],
    )  # fmt: skip


def _image_path(folder: Path, index: int) -> Path:
    return folder / _IMAGES / f"{index:06d}.jpg"
