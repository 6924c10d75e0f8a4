"""DeepLabCut projects: ``config.yaml`` and ``labeled-data/<video>/CollectedData_<scorer>.*``.

Labels are clicks on a picture that matplotlib shows with its pixels' centres at whole
coordinates: they are our pixels, not moved. A body part is labelled or not; whether it was hidden
is not kept. The ``.h5`` is what DeepLabCut trains from and counts where both stand there; the
``.csv`` holds the same numbers.
Source: DeepLabCut 3, ``deeplabcut.generate_training_dataset`` and ``deeplabcut.gui``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from gonio.errors import FormatError, MissingExtraError
from gonio.formats.deeplabcut import Table, read_table
from gonio.formats.labels.common import chosen_skeleton, fit_skeleton, plain_names, refuse_twice
from gonio.formats.tracks import warn
from gonio.labels import UNLABELLED, VISIBLE, LabelledImage, Labels, make_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

CONFIG: Final = "config.yaml"
FOLDER: Final = "labeled-data"
STEM: Final = "CollectedData_"
SINGLE: Final = "single"
"""The individual that owns what belongs to no animal (DeepLabCut's ``uniquebodyparts``)."""


@dataclass(frozen=True)
class _Project:
    """What of a project's configuration counts here."""

    where: str
    task: str
    scorer: str
    parts: list[str]
    unique: list[str]
    edges: list[tuple[int, int]]


def read_deeplabcut_project(
    path: Path,
    *,
    skeleton: Skeleton | str | Path | None = None,
    images: Path | None = None,
) -> Labels:
    """Read the labelled pictures of a project, or one table of them.

    Parameters
    ----------
    path
        The project's folder, its ``config.yaml``, or one ``CollectedData_*.csv`` or ``.h5``.
    skeleton
        What the body parts must follow; None: found by their names, else the project's own, with
        names in lower snake case (``leftear`` is ``left_ear`` where there is a ``rightear``).
    images
        Folder that holds one folder of pictures a video; None: where the tables are.

    Returns
    -------
    Labels
        ``video`` is the folder's name, ``frame`` the number at the end of the picture's name.
        Every labelled point is visible. With several animals a person's key is
        ``<video>/<picture>#<individual>``. There are no boxes and no areas.

    Raises
    ------
    FormatError
        If the configuration or a table is missing or broken, a table has other body parts than
        the configuration, a picture stands twice, or an ``.h5`` would run code.
    PosesError
        If the body parts are not those of the skeleton asked for.
    MissingExtraError
        If there is only an ``.h5`` and ``tables`` is not installed.
    """
    if path.is_file() and path.suffix.lower() in {".csv", ".h5"}:
        table = read_table(path)
        own = {s: [p for p in table.parts if _is_of(table, p, s)] for s in (False, True)}
        project = _Project(f"'{path}'", path.parent.name, table.scorer, own[False], own[True], [])
        tables = [(path, table)]
    else:
        root = path.parent if path.is_file() else path
        project = _read_config(root / CONFIG)
        tables = [(file, _read(file)) for file in _tables(root, project.scorer)]
    points = project.parts or project.unique
    chosen, order = fit_skeleton(
        points, chosen_skeleton(skeleton), where=project.where, name=project.task,
        edges=project.edges,
    )  # fmt: skip
    found: list[LabelledImage] = []
    index: list[NDArray[np.intp]] = []
    positions: list[NDArray[np.float64]] = []
    keys: list[str] = []
    for file, table in tables:
        pictures = _pictures(file, table, images)
        xy, people = _people_of(file, table, points)
        rows, animals = np.nonzero(np.isfinite(xy).any(axis=(-1, -2)))
        index.append(rows + len(found))
        positions.append(xy[rows, animals][:, order])
        if table.people is not None:
            keys += [f"{pictures[r].key}#{people[a]}" for r, a in zip(rows, animals, strict=True)]
        found += pictures
    keypoints_px = np.concatenate(positions)
    many = bool(keys) and len(keys) == len(keypoints_px)
    labelled = np.isfinite(keypoints_px).all(axis=-1)
    return make_labels(
        chosen,
        found,
        np.concatenate(index),
        keypoints_px,
        np.where(labelled, VISIBLE, UNLABELLED),
        keys=keys if many else (),
    )


def _is_of(table: Table, part: str, single: bool) -> bool:
    """Tell whether a part belongs to nobody in particular, or (not ``single``) to an animal."""
    if table.people is None or SINGLE not in table.people:
        return not single
    i = table.parts.index(part)
    seen = np.atleast_1d(np.isfinite(table.cube[:, 0, i]).any(axis=0))
    own = np.array([name == SINGLE for name in table.people])
    return bool(seen[own].any() and not seen[~own].any()) == single


def _read_config(path: Path) -> _Project:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(
            f"'{path}': cannot be read ({getattr(error, 'strerror', None) or error}). "
            "Give the folder of a DeepLabCut project."
        ) from error
    except yaml.YAMLError as error:
        raise FormatError(f"'{path}': not valid YAML ({_one_line(error)})") from error
    if not isinstance(values, dict) or "bodyparts" not in values:
        raise FormatError(f"'{path}': not a DeepLabCut project (no 'bodyparts')")
    many = bool(values.get("multianimalproject"))
    parts = _names(path, values, "multianimalbodyparts" if many else "bodyparts")
    unique = _names(path, values, "uniquebodyparts") if many else []
    if not parts and not unique:
        raise FormatError(f"'{path}': it names no body parts")
    place = {name: i for i, name in enumerate(parts or unique)}
    pairs = values.get("skeleton") or []
    edges = [
        (place[str(a)], place[str(b)])
        for a, b in (p for p in pairs if isinstance(p, list) and len(p) == 2)
        if {str(a), str(b)} <= set(place)
    ]
    task, scorer = (str(values.get(key) or "") for key in ("Task", "scorer"))
    return _Project(f"'{path}'", task or path.parent.name, scorer, parts, unique, edges)


def _names(path: Path, values: dict[str, Any], key: str) -> list[str]:
    names = values.get(key) or []
    if not isinstance(names, list):
        raise FormatError(f"'{path}': '{key}' is no list of names")
    return [str(name) for name in names]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _tables(root: Path, scorer: str) -> list[Path]:
    """Return one table of each video's folder, ``.h5`` before ``.csv``."""
    folders = sorted(p for p in (root / FOLDER).glob("*") if p.is_dir())
    chosen = []
    for folder in folders:
        stems = sorted({p.stem for p in folder.glob(f"{STEM}*") if p.suffix in {".csv", ".h5"}})
        if not stems:
            continue
        own = f"{STEM}{scorer}"
        if own not in stems and len(stems) > 1:
            raise FormatError(
                f"'{folder}': labels of {len(stems)} people and none of '{scorer}', the scorer "
                f"of {CONFIG}. Keep the table that counts."
            )
        stem = own if own in stems else stems[0]
        h5, csv = folder / f"{stem}.h5", folder / f"{stem}.csv"
        chosen.append(h5 if h5.is_file() else csv)
    if not chosen:
        raise FormatError(
            f"'{root}': no labels ({FOLDER}/<video>/{STEM}*.h5 or .csv). Label some frames first."
        )
    return chosen


def _read(path: Path) -> Table:
    try:
        return read_table(path)
    except MissingExtraError:
        csv = path.with_suffix(".csv")
        if not csv.is_file():
            raise
        return read_table(csv)


def _pictures(path: Path, table: Table, images: Path | None) -> list[LabelledImage]:
    refuse_twice(table.rows, "pictures", path)
    video = path.parent.name
    folder = path.parent if images is None else images / video
    found = []
    for row in table.rows:
        name = PurePosixPath(row).name
        number = re.search(r"(\d+)$", PurePosixPath(name).stem)
        found.append(
            LabelledImage(
                path=folder / name,
                video=video,
                frame=int(number[1]) if number else None,
                key=f"{video}/{name}",
            )
        )
    return found


def _people_of(
    path: Path, table: Table, points: list[str]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return ``(rows, animals, points, 2)`` and the animals' names."""
    people = table.people or [""]
    animals = [i for i, name in enumerate(people) if name != SINGLE]
    plain, wanted = plain_names(table.parts), plain_names(points)
    if not set(wanted) & set(plain):
        raise FormatError(f"'{path}': none of the body parts {', '.join(points)} stands in it")
    cube = table.cube[:, :2]
    if np.isinf(cube).any():
        raise FormatError(f"'{path}': infinite coordinates")
    lost = [i for i, name in enumerate(plain) if name not in wanted]
    if lost and np.isfinite(cube[:, :, lost][..., animals]).any():
        names = ", ".join(table.parts[i] for i in lost)
        raise FormatError(
            f"'{path}': labels of body parts that the project does not have ({names}). "
            f"Name them in {CONFIG}, or delete their columns."
        )
    if not set(animals) or not np.isfinite(cube[..., animals]).any():
        animals = list(range(len(people)))  # all that is labelled belongs to no animal
    elif len(animals) < len(people) and lost and np.isfinite(cube[:, :, lost]).any():
        names = ", ".join(table.parts[i] for i in lost)
        warn(f"'{path}': left out, since it belongs to no animal: {names}")
    place = {name: i for i, name in enumerate(plain)}
    xy = np.full((len(cube), len(animals), len(points), 2), np.nan)
    for k, name in enumerate(wanted):
        if name in place:
            xy[:, :, k] = cube[:, :, place[name]][..., animals].transpose(0, 2, 1)
    # A point that has only one of its two numbers is not labelled.
    xy[np.isnan(xy).any(axis=-1)] = np.nan
    return xy, [people[i] for i in animals]
