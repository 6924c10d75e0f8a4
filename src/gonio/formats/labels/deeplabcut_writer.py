"""DeepLabCut projects written: a folder that DeepLabCut opens and trains from."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import yaml

from gonio.errors import OutputError
from gonio.formats.deeplabcut import make_frame, need_tables, write_frame
from gonio.formats.labels.common import check_images
from gonio.formats.labels.deeplabcut import CONFIG, FOLDER, STEM
from gonio.formats.whole import cannot_write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gonio.labels import LabelledImage, Labels

SCORER: Final = "gonio"
_VIDEOS: Final = frozenset({".avi", ".mp4", ".mov", ".mkv", ".mpg", ".mpeg", ".m4v", ".webm"})


def write_deeplabcut_project(path: Path, labels: Labels) -> None:
    """Write labels as a DeepLabCut project, with copies of the images.

    Parameters
    ----------
    path
        The project's folder; it must not exist, or be empty.
    labels
        Each image goes into the folder of its video, or of the folder it lies in where it is
        from none; a name that would stand twice there is numbered. Where an image has more than
        one person the project is one of several animals: an individual's name is what stands
        behind ``#`` in a person's key, else ``individual1``, ``individual2``, … by order. Boxes,
        areas, crowds and whether a point was hidden are not held.

    Raises
    ------
    InputError
        If an image's file is not there.
    MissingExtraError
        If ``tables`` is not installed.
    OutputError
        If the folder exists and is not empty, or cannot be written.
    """
    need_tables()
    check_images(labels)
    places = _places(labels.images)
    individuals, animal = _individuals(labels)
    with _whole_project(path) as part:
        for video in dict.fromkeys(folder for folder, _ in places):
            folder = part / FOLDER / video
            folder.mkdir(parents=True)
            rows = [i for i, place in enumerate(places) if place[0] == video]
            for i in rows:
                shutil.copyfile(labels.images[i].path, folder / places[i][1])
            _write_tables(folder, labels, rows, places, individuals, animal)
        config = _config(path, labels, places, individuals)
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        (part / CONFIG).write_text(text, encoding="utf-8")


@contextmanager
def _whole_project(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.part")
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise OutputError(f"'{path}': exists already. Remove it, or write to a new folder.")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        if path.exists():
            path.rmdir()
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _places(images: tuple[LabelledImage, ...]) -> list[tuple[str, str]]:
    """Return each image's folder and file name in the project; no place stands twice."""
    folders: dict[str, str] = {}
    taken: Counter[str] = Counter()
    places: list[tuple[str, str]] = []
    for image in images:
        source = image.video or str(image.path.parent)
        if source not in folders:
            # On some disks the names 'A' and 'a' are one.
            folders[source] = _free(_plain(source), {f.lower() for f in folders.values()})
        name, key = image.path.name, f"{folders[source]}/{image.path.name}".lower()
        taken[key] += 1
        if taken[key] > 1:
            name = f"{image.path.stem}_{taken[key]}{image.path.suffix}"
            while f"{folders[source]}/{name}".lower() in taken:
                name = f"_{name}"
            taken[f"{folders[source]}/{name}".lower()] += 1
        places.append((folders[source], name))
    return places


def _plain(source: str) -> str:
    """Return a folder's name for a video, or for the folder that images lie in."""
    path = Path(source)
    name = path.stem if path.suffix.lower() in _VIDEOS else path.name
    return re.sub(r"[^\w-]+", "_", name).strip("_") or "images"


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free.lower() in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _individuals(labels: Labels) -> tuple[list[str] | None, NDArray[np.intp]]:
    """Return the animals' names (None for one animal), and which of them each person is."""
    kept = [key.rpartition("#") for key in labels.keys]
    named = [name for _, mark, name in kept if mark and name]
    pairs = set(zip(labels.image_index.tolist(), named, strict=False))
    if named and len(named) == len(labels) == len(pairs):
        names = list(dict.fromkeys(named))
        return names, np.array([names.index(name) for name in named], np.intp)
    count: Counter[int] = Counter()
    place = np.zeros(len(labels), np.intp)
    for i, image in enumerate(labels.image_index.tolist()):
        place[i] = count[image]
        count[image] += 1
    most = max(count.values(), default=0)
    return [f"individual{i + 1}" for i in range(most)] if most > 1 else None, place


def _write_tables(
    folder: Path,
    labels: Labels,
    rows: list[int],
    places: list[tuple[str, str]],
    individuals: list[str] | None,
    animal: NDArray[np.intp],
) -> None:
    parts = list(labels.skeleton.keypoints)
    cube = np.full((len(rows), 2, len(parts), len(individuals or [""])), np.nan)
    row_of = np.full(len(labels.images), -1, np.intp)
    row_of[rows] = np.arange(len(rows))
    here = np.flatnonzero(row_of[labels.image_index] >= 0)
    cube[row_of[labels.image_index[here]], :, :, animal[here]] = labels.keypoints_px[
        here
    ].transpose(0, 2, 1)
    index = pd.MultiIndex.from_tuples([(FOLDER, *places[i]) for i in rows])
    table = make_frame(SCORER, individuals, parts, index, cube)
    for suffix in (".csv", ".h5"):
        write_frame(folder / f"{STEM}{SCORER}{suffix}", table)


def _config(
    path: Path, labels: Labels, places: list[tuple[str, str]], individuals: list[str] | None
) -> dict[str, Any]:
    """Return what ``config.yaml`` holds; values as DeepLabCut 3 writes them for a new project."""
    parts = list(labels.skeleton.keypoints)
    today = date.today()  # noqa: DTZ011 - the day where the person is, part of a folder's name
    crops: dict[str, dict[str, str]] = {}
    for (folder, _), image in zip(places, labels.images, strict=True):
        name = image.video if Path(image.video).suffix.lower() in _VIDEOS else f"{folder}.mp4"
        key = name if Path(name).stem == folder and Path(name).parent != Path() else None
        key = key or str(path.absolute() / "videos" / f"{folder}.mp4")
        crops.setdefault(key, {"crop": f"0, {image.width or 0}, 0, {image.height or 0}"})
    animals = {
        "individuals": individuals,
        "uniquebodyparts": [],
        "multianimalbodyparts": parts,
        "bodyparts": "MULTI!",
    }
    return {
        "Task": labels.skeleton.name,
        "scorer": SCORER,
        "date": f"{today:%b}{today.day}",
        "multianimalproject": individuals is not None,
        "identity": False if individuals else None,
        "project_path": str(path.absolute()),
        "engine": "pytorch",
        "video_sets": crops,
        **(animals if individuals else {"bodyparts": parts}),
        "start": 0,
        "stop": 1,
        "numframes2pick": 20,
        "skeleton": [list(e) for e in labels.skeleton.edges if set(e) <= set(parts)],
        "skeleton_color": "black",
        "pcutoff": 0.6,
        "dotsize": 12,
        "alphavalue": 0.7,
        "colormap": "rainbow",
        "TrainingFraction": [0.95],
        "iteration": 0,
        "default_net_type": "resnet_50",
        "default_augmenter": "default",
        "snapshotindex": -1,
        "detector_snapshotindex": -1,
        "batch_size": 8,
        "detector_batch_size": 1,
        "cropping": False,
        "x1": 0,
        "x2": 640,
        "y1": 277,
        "y2": 624,
        "corner2move2": [50, 50],
        "move2corner": True,
    }
