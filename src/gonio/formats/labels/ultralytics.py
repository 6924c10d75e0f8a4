"""Ultralytics' pose data sets: ``data.yaml``, folders of images, a text file beside each.

A line is a person: class, the box's centre and sides, then x, y and perhaps a flag for each
keypoint, all as shares of the image's width and height. Sets are commonly made from COCO's
keypoints divided by the sides, so that a share times the side is a pixel as COCO counts them, and
boxes begin at the image's edge.
Source: Ultralytics' documentation, "Pose estimation datasets overview".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from gonio.errors import FormatError, InputError
from gonio.formats.labels.coco import CORNER_PX
from gonio.formats.labels.common import PICTURES, chosen_skeleton, fit_skeleton
from gonio.formats.text import read_lines
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE, LabelledImage, Labels, make_labels
from gonio.skeletons import Skeleton, load_skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG: Final = "data.yaml"
_PARTS: Final = ("train", "val", "test")
_COCO: Final = "coco17"
_MOST_SHARE: Final = 2.0
"""Keypoints may lie a little outside their image; beyond this the numbers are no shares."""


@dataclass(frozen=True)
class _Set:
    """What of ``data.yaml`` counts here."""

    root: Path
    points: int
    flagged: bool
    names: list[str] | None
    flip: list[int]
    parts: dict[str, list[Path]]


def read_ultralytics(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, images: Path | None = None
) -> Labels:
    """Read the training, validation and test images of a set together.

    Parameters
    ----------
    path
        The set's folder, or its ``data.yaml``.
    skeleton
        What the keypoints are, in the file's order where it has no names for them; None: by
        their names (``kpt_names``, ``node_names``); without names seventeen are COCO's, and any
        other number are called ``point_0``, ``point_1`` …, with the sides of ``flip_idx``.
    images
        The set's folder, where ``data.yaml`` says another or lies elsewhere.

    Returns
    -------
    Labels
        Images without a text file, or with an empty one, show nobody. A keypoint whose flag is 0,
        or without flags one at (0, 0), is not labelled. A person's class is not kept.

    Raises
    ------
    FormatError
        If ``data.yaml`` or a text file is broken, or a line has too few or too many numbers.
    InputError
        If a folder of images is missing, or an image's size cannot be read.
    PosesError
        If the keypoints are not those of the skeleton asked for.
    """
    config = path / CONFIG if path.is_dir() else path
    data = _read_config(config, images)
    chosen, order = _skeleton(config, data, skeleton)
    parts = {file: part for part, files in reversed(data.parts.items()) for file in files}
    wanted = dict.fromkeys(file for files in data.parts.values() for file in files)
    texts = {file: _label_file(file) for file in wanted}
    if not any(text.is_file() for text in texts.values()):
        raise FormatError(
            f"'{config}': no text files of labels; the first of {len(texts)} would be "
            f"'{next(iter(texts.values()))}'"
        )
    pictures, index, rows = list[LabelledImage](), list[int](), list[list[float]]()
    for file, text in texts.items():
        width, height = _size(file)
        own = _rows(text, data)
        rows += own
        index += [len(pictures)] * len(own)
        pictures.append(LabelledImage(file, width, height, key=f"{parts[file]}/{file.name}"))
    table = np.array(rows, dtype=float).reshape(len(rows), 5 + data.points * (2 + data.flagged))
    sides = np.array([(i.width, i.height) for i in pictures], dtype=float)[np.array(index, int)]
    values = table[:, 5:].reshape(len(rows), data.points, 2 + data.flagged)
    flags = values[..., 2] if data.flagged else VISIBLE * (values != 0).any(axis=-1)
    corner = (table[:, 1:3] - table[:, 3:5] / 2) * sides - CORNER_PX
    return make_labels(
        chosen,
        pictures,
        index,
        (values[..., :2] * sides[:, None])[:, order],
        flags[:, order],
        boxes_px=np.hstack([corner, table[:, 3:5] * sides]),
    )


def is_ultralytics(path: Path) -> bool:
    """Say whether a folder or a YAML file is such a set of poses."""
    config = path / CONFIG if path.is_dir() else path
    try:
        return "kpt_shape" in config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _read_config(path: Path, images: Path | None) -> _Set:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(
            f"'{path}': cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    except yaml.YAMLError as error:
        raise FormatError(f"'{path}': not valid YAML ({' '.join(str(error).split())})") from error
    shape = values.get("kpt_shape") if isinstance(values, dict) else None
    if not (
        isinstance(shape, list)
        and len(shape) == 2
        and all(type(n) is int for n in shape)
        and shape[0] > 0
        and shape[1] in {2, 3}
    ):
        raise FormatError(
            f"'{path}': 'kpt_shape' must be [number of keypoints, 2 or 3], not {shape!r}: "
            "sets of boxes or outlines hold no keypoints"
        )
    root = images or _root(path, values)
    parts = {part: _images(path, root, values[part]) for part in _PARTS if values.get(part)}
    if not any(parts.values()):
        raise InputError(f"'{path}': no images in {', '.join(_PARTS)} under '{root}'")
    return _Set(
        root, shape[0], shape[1] == 3, _names(path, values, shape[0]),
        _flip(path, values.get("flip_idx"), shape[0]), parts,
    )  # fmt: skip


def _root(path: Path, values: dict[str, Any]) -> Path:
    """Return the set's folder: as the file says where that is there, else where the file lies."""
    said = Path(str(values.get("path") or "."))
    candidates = (path.parent / said, path.parent)
    return next((folder for folder in candidates if folder.is_dir()), path.parent)


def _images(config: Path, root: Path, said: Any) -> list[Path]:
    """Return the images of one part: a folder, a text file that lists them, or several."""
    found: list[Path] = []
    for entry in said if isinstance(said, list) else [said]:
        place = root / str(entry)
        if not place.exists():  # Roboflow begins with "../" what lies in the set's own folder
            place = root / str(entry).removeprefix("../")
        if place.is_dir():
            found += sorted(p for p in place.rglob("*") if p.suffix.lower() in PICTURES)
        elif place.is_file() and place.suffix.lower() == ".txt":
            found += [place.parent / line.strip() for line in read_lines(place) if line.strip()]
        else:
            raise InputError(
                f"'{config}': no folder of images '{place}'. Name the set's folder (--images)."
            )
    return found


def _names(path: Path, values: dict[str, Any], points: int) -> list[str] | None:
    names = values.get("kpt_names") or values.get("node_names")
    if isinstance(names, dict):  # by class: the first's
        names = next(iter(names.values()), None)
    if not names:
        return None
    if not isinstance(names, list):
        raise FormatError(f"'{path}': 'kpt_names' is no list of names")
    if len(names) != points:
        raise FormatError(f"'{path}': {len(names)} names for {points} keypoints")
    return [str(name) for name in names]


def _flip(path: Path, said: Any, points: int) -> list[int]:
    """Return each keypoint's twin in the mirrored image; empty where the file names none."""
    if not said:
        return []
    own = list(range(points))
    if (
        not isinstance(said, list)
        or sorted(said, key=str) != sorted(own, key=str)
        or [said[i] for i in said] != own
    ):
        raise FormatError(
            f"'{path}': 'flip_idx' must swap the {points} keypoints in pairs (0, 2, 1 …), "
            f"not {said!r}"
        )
    return said


def _skeleton(
    path: Path, data: _Set, skeleton: Skeleton | str | Path | None
) -> tuple[Skeleton, Sequence[int]]:
    chosen, names = chosen_skeleton(skeleton), data.names
    if names is None and chosen is None and data.points == len(load_skeleton(_COCO).keypoints):
        chosen = load_skeleton(_COCO)
    if names is None and chosen is not None:
        if len(chosen.keypoints) != data.points:
            raise FormatError(
                f"'{path}': {data.points} keypoints without names; '{chosen.name}' has "
                f"{len(chosen.keypoints)}"
            )
        return chosen, range(data.points)
    pairs = [(i, j) for i, j in enumerate(data.flip) if i < j < data.points]
    names = names or [f"point_{i}" for i in range(data.points)]
    return fit_skeleton(names, chosen, where=f"'{path}'", name=path.parent.name, pairs=pairs)


def _label_file(image: Path) -> Path:
    """Return an image's text file: the last folder ``images`` in its path is called ``labels``."""
    parts = list(image.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _rows(path: Path, data: _Set) -> list[list[float]]:
    if not path.is_file():
        return []
    wanted, rows = 5 + data.points * (2 + data.flagged), []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        cells = line.split()
        if len(cells) != wanted:
            raise FormatError(
                f"'{path}': line {number} has {len(cells)} numbers; {data.points} keypoints need "
                f"{wanted}"
            )
        try:
            row = [float(cell) for cell in cells]
        except ValueError as error:
            raise FormatError(f"'{path}': line {number}: {error}") from error
        wrong = _wrong(row, data)
        if wrong:
            raise FormatError(f"'{path}': line {number} has {wrong}")
        rows.append(row)
    return rows


def _wrong(row: list[float], data: _Set) -> str:
    """Say what of a line's numbers cannot be; empty where all can."""
    step = 2 + data.flagged
    flags = row[7::3] if data.flagged else []
    shares = row[1:5] + [value for i, value in enumerate(row[5:]) if i % step < 2]
    strange = next((flag for flag in flags if flag not in {UNLABELLED, HIDDEN, VISIBLE}), None)
    if not all(map(math.isfinite, row)):
        return "a number that is not finite"
    if strange is not None:
        return f"the flag {strange}; a keypoint's is 0, 1 or 2"
    if max(map(abs, shares)) > _MOST_SHARE:
        return "pixels, it seems; all numbers are shares of the image's sides, 0 to 1"
    if min(row[3:5]) <= 0:
        return "a box without area. Mend the box, or delete the line."
    return ""


def _size(path: Path) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return picture.width, picture.height
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(
            f"'{path}': the image's size is needed, and cannot be read ({error})"
        ) from error
