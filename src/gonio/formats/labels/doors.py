"""The two doors: any file of labels in, COCO or a DeepLabCut project out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gonio.errors import InputError, OutputError
from gonio.formats.labels.registry import (
    LabelFormat,
    detect_label_format,
    find_label_format,
    label_formats,
    labels_in,
)
from gonio.formats.tracks import warn
from gonio.labels import HIDDEN, UNLABELLED

if TYPE_CHECKING:
    from gonio.labels import Labels
    from gonio.skeletons import Skeleton


def read_labels(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002
    skeleton: Skeleton | str | Path | None = None,
    images: str | Path | None = None,
) -> Labels:
    """Read labelled images from a file or folder of any known format.

    Parameters
    ----------
    path
        The file or the folder; a folder with a ``labels.json`` is that.
    format
        A format's name; None: told by suffix and content.
    skeleton
        What the keypoints follow: a built-in name, a TOML file, or the skeleton itself. None:
        found by the points' names, else made of them.
    images
        Folder of the images where they are not beside the labels. Whether they are there is
        not looked at: see :func:`check_images`.

    Returns
    -------
    Labels
        Pixels, the centre of the top-left pixel at (0, 0).

    Raises
    ------
    UnknownNameError
        If the format or the skeleton is unknown.
    FormatError, PosesError
        If the file is missing, broken, or does not follow the skeleton.
    InputError
        If the folder of images does not exist.
    MissingExtraError
        If the format needs a package that is not installed.
    """
    path = labels_in(Path(path))
    chosen = detect_label_format(path) if format is None else find_label_format(format)
    return chosen.read(path, skeleton=skeleton, images=None if images is None else Path(images))


def write_labels(
    path: str | Path,
    labels: Labels,
    *,
    format: str | None = None,  # noqa: A002
    overwrite: bool = False,
) -> list[str]:
    """Write labelled images, whole or not at all.

    Parameters
    ----------
    path
        A ``.json`` file for COCO, a folder for a DeepLabCut project.
    labels
        What to write. What the format cannot hold is left out with a warning.
    format
        ``"coco"`` or ``"deeplabcut"``; None: told by the suffix.
    overwrite
        Replace a file that exists; a project's folder is never replaced.

    Returns
    -------
    list of str
        What was left out, in words.

    Raises
    ------
    UnknownNameError
        If the format is unknown.
    InputError
        If the format is only read, the suffix does not fit it, or images that are to be copied
        are absent.
    OutputError
        If it exists already or cannot be written.
    MissingExtraError
        If the format needs a package that is not installed.
    """
    path = Path(path)
    chosen = _format_to_write(path, format)
    if chosen.suffixes and path.exists() and not overwrite:
        raise OutputError(f"'{path}': exists already. Replace it with --overwrite, or rename it.")
    if chosen.write is None:
        known = ", ".join(f.name for f in label_formats() if f.write is not None)
        raise InputError(f"'{path}': labels are not written as {chosen.name} (known: {known})")
    lost = _lost(labels, chosen)
    chosen.write(path, labels)
    if lost:
        warn(
            f"'{path}': left out, since the format {chosen.name} cannot hold it: {', '.join(lost)}"
        )
    return lost


def _format_to_write(path: Path, name: str | None) -> LabelFormat:
    if name is None:
        name = "coco" if path.suffix.lower() == ".json" else "deeplabcut"
        if path.suffix and name == "deeplabcut":
            raise InputError(
                f"'{path}': its suffix tells no format that labels are written in. A file of COCO "
                "ends in .json, a DeepLabCut project is a folder without a suffix."
            )
    chosen = find_label_format(name)
    if chosen.suffixes and path.suffix.lower() not in chosen.suffixes:
        raise InputError(
            f"'{path}': a file of {chosen.name} ends in {' or '.join(chosen.suffixes)}"
        )
    return chosen


def _lost(labels: Labels, chosen: LabelFormat) -> list[str]:
    """Return what of the labels the format cannot hold, in words."""
    images = labels.images
    there = {
        "visibility": ((labels.visibility == HIDDEN).any(), "which points are hidden"),
        "boxes": (np.isfinite(labels.boxes_px).any(), "boxes"),
        "areas": (np.isfinite(labels.areas_px2).any(), "areas"),
        "crowds": (labels.crowd.any(), "which labels are crowds"),
        "unlabelled": (
            (labels.visibility == UNLABELLED).all(axis=1).any(),
            "people without any labelled point",
        ),
        "subjects": (any(i.subject for i in images), "who is seen"),
        "copies": (any(i.copy_of for i in images), "which images are copies"),
    }
    return [words for what, (found, words) in there.items() if found and what not in chosen.holds]
