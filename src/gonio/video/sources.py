"""The one door for recordings: what a path is decides how it is read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from gonio.errors import VideoError
from gonio.video.checks import unreadable
from gonio.video.images import IMAGE_SUFFIXES, FolderSource, ImageSource
from gonio.video.stream import VideoSource

if TYPE_CHECKING:
    from gonio.video.frames import Source

_PHONE_PICTURES = (".heic", ".heif")


def open_source(path: Path | str, *, fps: float | None = None) -> Source:
    """Open a video, a picture, or a folder of numbered pictures.

    Parameters
    ----------
    path
        A file: pictures are known by their suffix, anything else is tried as a video. A folder
        is one video of its pictures in natural order.
    fps
        Frames per second of a folder of pictures; videos carry their own times.

    Returns
    -------
    Source
        Usable: its first frame has been decoded.

    Raises
    ------
    VideoError
        If it cannot be used; the message says why.
    """
    path = Path(path)
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise VideoError(f"frame rate {fps}: must be a positive number of frames per second.")
    try:
        if path.is_dir():
            return FolderSource(path, fps=fps)
    except OSError as error:
        raise unreadable(path, error) from error
    suffix = path.suffix.lower()
    if suffix in _PHONE_PICTURES:
        raise VideoError(f"'{path}': HEIC pictures cannot be read. Export it as JPEG or PNG.")
    return ImageSource(path) if suffix in IMAGE_SUFFIXES else VideoSource(path)
