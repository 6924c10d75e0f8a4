"""The two doors: any file of labels in, COCO or a DeepLabCut project out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gonio.formats.labels.registry import detect_label_format, find_label_format

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
        The file or the folder.
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
    path = Path(path)
    chosen = detect_label_format(path) if format is None else find_label_format(format)
    return chosen.read(path, skeleton=skeleton, images=None if images is None else Path(images))
