"""Single pictures: read upright as RGB, written whole or not at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from gonio.errors import OutputError, VideoError
from gonio.video.checks import readable_file, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.video.frames import Image

JPEG_QUALITY: Final = 92


def read_image(path: Path) -> Image:
    """Read a picture (PNG, JPEG, BMP, TIFF, WebP) as upright RGB.

    Parameters
    ----------
    path
        The file. EXIF orientation is applied, transparency dropped, 16 bits reduced to 8, grey
        repeated in three channels; of several pictures in a file the first is read.

    Returns
    -------
    NDArray[np.uint8]
        Shape ``(height, width, 3)``.

    Raises
    ------
    VideoError
        If the file is missing, may not be read, or is no picture.
    """
    readable_file(path)
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        image = None
    if image is None:
        raise VideoError(f"'{path}': not a picture that can be read. Export it as PNG or JPEG.")
    return np.asarray(image, dtype=np.uint8)


def write_image(path: Path, image: Image) -> None:
    """Write a picture; the format follows from the suffix.

    Parameters
    ----------
    path
        The file to write or replace: ``.png``, ``.jpg``, ``.jpeg``, ``.webp``, ``.bmp``,
        ``.tif`` or ``.tiff``. It appears once it is complete.
    image
        RGB, shape ``(height, width, 3)``.

    Raises
    ------
    OutputError
        If the suffix is unknown or the file cannot be written.
    """
    suffix = path.suffix.lower()
    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix in {".jpg", ".jpeg"} else []
    try:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(suffix, bgr, settings)
    except cv2.error:
        done, data = False, np.empty(0, np.uint8)
    if not done:
        raise OutputError(f"'{path}': cannot be written as '{path.suffix}'. Use .png or .jpg.")
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data.tobytes())
        part.replace(path)
    except OSError as error:
        raise OutputError(f"'{path}': cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
