"""A plain table: an image a row, and for each keypoint x, y and, if it is known, a flag.

Columns are named after the keypoints (``left_knee_x, left_knee_y, left_knee_v``). Pixels count
from 0, their centres being whole numbers; an empty cell is a keypoint that is not labelled.
"""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.errors import FormatError
from gonio.formats.labels.common import chosen_skeleton, fit_skeleton
from gonio.formats.text import read_lines
from gonio.labels import UNLABELLED, VISIBLE, LabelledImage, make_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gonio.labels import Labels
    from gonio.skeletons import Skeleton

IMAGE_COLUMNS: Final = ("image", "filename", "file", "file_name", "path")


def read_table(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, images: Path | None = None
) -> Labels:
    """Read a table of labelled images.

    Parameters
    ----------
    path
        The ``.csv`` file. Its first row names the columns: the image, then ``<keypoint>_x``,
        ``<keypoint>_y`` and, where hidden keypoints are told apart, ``<keypoint>_v`` (0 not
        labelled, 1 hidden, 2 visible). Rows of the same image are several people.
    skeleton
        What the keypoints must be; None: found by their names, else made of them.
    images
        Folder that the images' names start from; None: that of the file.

    Raises
    ------
    FormatError
        If columns are missing or named otherwise, or a row has too few or too many cells or
        something that is no number.
    """
    rows = list(csv.reader(read_lines(path)))
    if not rows:
        raise FormatError(f"'{path}': the file is empty")
    header = [cell.strip() for cell in rows[0]]
    names, places = _columns(path, header)
    chosen, order = fit_skeleton(
        names, chosen_skeleton(skeleton), where=f"'{path}'", name=path.stem.lower()
    )
    folder, where = images or path.parent, dict[str, int]()
    index, points, seen = [], [], []
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise FormatError(
                f"'{path}': row {line} has {len(row)} cells, the first row names {len(header)}"
            )
        name = row[0].strip()
        if not name:
            raise FormatError(f"'{path}': row {line} names no image")
        index.append(where.setdefault(name, len(where)))
        found = [_point(path, line, row, columns) for columns in places]
        points.append([xy for xy, _ in found])
        seen.append([flag for _, flag in found])
    xy = np.array(points, dtype=float).reshape(len(index), len(names), 2)[:, order]
    flags = np.array(seen, dtype=int).reshape(len(index), len(names))[:, order]
    return make_labels(chosen, [LabelledImage(folder / n) for n in where], index, xy, flags)


def is_table(header: Sequence[str]) -> bool:
    """Say whether a first row is one of such a table."""
    cells = [cell.strip().lower() for cell in header]
    return bool(cells) and cells[0] in IMAGE_COLUMNS and any(c.endswith("_x") for c in cells)


def _columns(path: Path, header: list[str]) -> tuple[list[str], list[tuple[int, int, int | None]]]:
    """Return the keypoints' names, and for each the places of x, y and the flag."""
    if not is_table(header):
        raise FormatError(
            f"'{path}': the first row must name an image column ({', '.join(IMAGE_COLUMNS)}) and "
            f"<keypoint>_x, <keypoint>_y; found {', '.join(header[:5])}"
        )
    at = {name: i for i, name in enumerate(header)}
    if len(at) != len(header):
        raise FormatError(f"'{path}': two columns have one name")
    names = [name[:-2] for name in header[1:] if name.endswith("_x")]
    known = {header[0], *(f"{name}_{end}" for name in names for end in "xyv")}
    strange = [name for name in header if name not in known]
    lost = [name for name in names if f"{name}_y" not in at]
    if strange or lost:
        what = f"'{strange[0]}' is no column of a keypoint" if strange else f"no '{lost[0]}_y'"
        raise FormatError(f"'{path}': {what}; a keypoint has <name>_x, <name>_y and maybe <name>_v")
    return names, [(at[f"{n}_x"], at[f"{n}_y"], at.get(f"{n}_v")) for n in names]


def _point(
    path: Path, line: int, row: list[str], columns: tuple[int, int, int | None]
) -> tuple[tuple[float, float], int]:
    texts = [row[i].strip() for i in columns if i is not None]
    if not texts[0] and not texts[1]:
        return (math.nan, math.nan), UNLABELLED
    try:
        x, y = float(texts[0]), float(texts[1])
        flag = int(float(texts[2])) if len(texts) > 2 and texts[2] else VISIBLE
    except ValueError:
        raise FormatError(f"'{path}': row {line}: {', '.join(texts)} are no numbers") from None
    if flag not in {0, 1, 2}:
        raise FormatError(f"'{path}': row {line}: flag {flag}, expected 0, 1 or 2")
    return (x, y), flag
