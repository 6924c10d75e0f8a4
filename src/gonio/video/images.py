"""Pictures as sources: one picture, or a folder of numbered pictures as one video."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PIL import Image as Pillow

from gonio.errors import VideoError
from gonio.video.checks import sha256_of, sha256_of_all, unreadable
from gonio.video.frames import Frame, OpenWhileRead, Reading, SourceInfo
from gonio.video.still import read_image

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

IMAGE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES: Final = (
    ".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".wmv", ".flv", ".3gp", ".ogv", ".gif",
)  # fmt: skip
"""Usual names of videos, for looking through folders; any other name is tried as a video too."""
ASSUMED_FPS: Final = 30.0
_EXIF_ORIENTATION: Final = 0x0112


class ImageSource(OpenWhileRead):
    """One picture: one frame at time 0, without a rate.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    VideoError
        If it is missing, unreadable, or no picture.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.warnings = []
        height, width = read_image(path).shape[:2]
        self.info = SourceInfo(
            str(path), sha256_of(path), "image", width, height, frames=1, fps=None, duration_s=None
        )

    def __iter__(self) -> Iterator[Frame]:
        """Read the picture."""
        yield Frame(0, 0.0, read_image(self._path))

    def places(self) -> int:
        """Return 1."""
        return 1

    def read(self, first: int = 0, *, direct: bool = False) -> Reading:  # noqa: ARG002
        """Read the picture, or nothing from a later place on."""
        return Reading(lambda _: (frame for frame in self if frame.index >= first))


class FolderSource(OpenWhileRead):
    """Numbered pictures of one size as a video of fixed rate.

    The order is natural (``2.png`` before ``10.png``). A picture that cannot be read leaves a
    gap in time and an entry in ``warnings``.

    Parameters
    ----------
    path
        The folder. Files that are no pictures and hidden files are left out.
    fps
        Frames per second; None assumes 30 and warns.

    Raises
    ------
    VideoError
        If the folder may not be read, holds no pictures, or pictures of different sizes.
    """

    def __init__(self, path: Path, *, fps: float | None = None) -> None:
        self._files = _pictures_in(path)
        self._rate = fps or ASSUMED_FPS
        self._opening_warnings = (
            [] if fps else [f"'{path}': no frame rate given; {ASSUMED_FPS:g} per second assumed"]
        )
        self.warnings = list(self._opening_warnings)
        width, height = _common_size(path, self._files)
        self.info = SourceInfo(
            path=str(path),
            sha256=sha256_of_all(self._files),
            kind="images",
            width=width,
            height=height,
            frames=len(self._files),
            fps=self._rate,
            duration_s=len(self._files) / self._rate,
        )

    def __iter__(self) -> Iterator[Frame]:
        """Read from the first picture; warnings of an earlier reading are forgotten."""
        self.warnings[:] = self._opening_warnings
        for index, frame in enumerate(self._from(0, self.warnings)):
            yield replace(frame, index=index)

    def places(self) -> int:
        """Return the number of pictures."""
        return len(self._files)

    def read(self, first: int = 0, *, direct: bool = False) -> Reading:  # noqa: ARG002
        """Read from a picture on; its warnings are those about the pictures read."""
        return Reading(lambda warnings: self._from(first, warnings))

    def _from(self, first: int, warnings: list[str]) -> Generator[Frame, None, None]:
        for place, file in enumerate(self._files[first:], start=first):
            try:
                image = read_image(file)
            except VideoError as error:
                warnings.append(f"skipped {error}")
                continue
            if image.shape[:2] != (self.info.height, self.info.width):
                warnings.append(f"skipped '{file}': its size is not what its header says.")
                continue
            yield Frame(place, place / self._rate, image)


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sorting key in which runs of digits count as numbers: img2 before img10."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(p)) if p.isdecimal() else (1, p) for p in parts if p]


def _pictures_in(folder: Path) -> list[Path]:
    try:
        names = [f for f in folder.iterdir() if not f.name.startswith(".")]
    except OSError as error:
        raise unreadable(folder, error) from error
    files = [f for f in names if f.suffix.lower() in IMAGE_SUFFIXES and f.is_file()]
    if not files and any(f.suffix.lower() in VIDEO_SUFFIXES for f in names):
        raise VideoError(
            f"'{folder}': a folder of videos. Name them one by one, as the shell does for you: "
            f"gonio analyze {shlex.quote(str(folder))}/*"
        )
    if not files:
        raise VideoError(
            f"'{folder}': a folder without images ({len(names)} other entries). Give a folder of "
            f"numbered images ({', '.join(s[1:] for s in IMAGE_SUFFIXES)}), or the videos in it."
        )
    return sorted(files, key=lambda f: (natural_key(f.name), f.name))


def _common_size(folder: Path, files: list[Path]) -> tuple[int, int]:
    """Return (width, height) of the pictures from their headers alone."""
    sizes = {file: size for file in files if (size := _upright_size(file)) is not None}
    if not sizes:
        raise VideoError(f"'{folder}': none of its {len(files)} images can be read.")
    first, expected = next(iter(sizes.items()))
    for file, size in sizes.items():
        if size != expected:
            raise VideoError(
                f"'{folder}': its images differ in size: '{first.name}' is {expected[0]}×"
                f"{expected[1]}, '{file.name}' {size[0]}×{size[1]}. A folder is read as one video; "
                "give pictures of different recordings one by one."
            )
    return expected


def _upright_size(file: Path) -> tuple[int, int] | None:
    try:
        with Pillow.open(file) as picture:
            if picture.format == "TIFF":  # whether Pillow has turned it depends on its version
                height, width = read_image(file).shape[:2]
                return width, height
            width, height = picture.size
            turned = picture.getexif().get(_EXIF_ORIENTATION, 1) in {5, 6, 7, 8}
    except (VideoError, OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
        return None
    return (height, width) if turned else (width, height)
