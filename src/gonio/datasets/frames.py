"""Frames of a recording to be labelled: at random, or as different as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import cv2
import numpy as np

from gonio.errors import InputError, UnknownNameError
from gonio.imaging import FrameFilters
from gonio.video import open_source, write_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.imaging import Mog2

    Progress = Callable[[str, int, int | None], None]

Method = Literal["kmeans", "random"]
METHODS: Final = get_args(Method)
_THUMBNAIL: Final = (32, 24)
_MOST_THUMBNAILS: Final = 3000


def extract_frames(
    video: Path,
    folder: Path,
    *,
    count: int = 20,
    method: Method = "kmeans",
    seed: int = 0,
    background: Mog2 | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write some frames of a recording as PNG files.

    Parameters
    ----------
    video
        The recording.
    folder
        Gets a folder ``labeled-data/<stem>`` with ``img<frame>.png``, frames counted from 0, as
        DeepLabCut's projects have them. A frame that is there is kept as it is.
    count
        How many frames.
    method
        ``kmeans``: small grey pictures of the frames are put into as many clusters, and of each
        the frame nearest to its middle is taken, so that rare postures are among them;
        ``random``: every frame is as likely as any other.
    seed
        Of the draw; the same seed takes the same frames.
    background
        Paint the background over, as a model with the filter ``mog2`` does: it is learned from
        all frames before. None: frames stay whole.
    progress
        Called with the stage, frames done, and frames in all where known.

    Returns
    -------
    list of Path
        The files, in the recording's order.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    InputError
        If there are fewer frames than asked for.
    VideoError
        If the recording cannot be read.
    OutputError
        If a file cannot be written.
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if count < 1:
        raise InputError(f"count: {count} given, at least 1 is needed")
    thumbnails = _thumbnails(video, progress)
    total = len(thumbnails)
    if count > total:
        raise InputError(f"'{video}': {count} frames asked for, the recording has {total}")
    rng = np.random.default_rng(seed)
    if method == "random":
        chosen = rng.choice(total, count, replace=False)
    else:
        chosen = _different(thumbnails, count, rng)
    target = folder / "labeled-data" / video.stem
    target.mkdir(parents=True, exist_ok=True)
    digits = max(4, len(str(total - 1)))
    files = {int(i): target / f"img{int(i):0{digits}d}.png" for i in np.sort(chosen)}
    write_frames(video, files, background=background, progress=progress)
    return list(files.values())


def _thumbnails(video: Path, progress: Progress | None) -> NDArray[np.float32]:
    """Return a small grey picture of every frame, shape (frames, pixels)."""
    small: list[NDArray[np.uint8]] = []
    with open_source(video) as source:
        places = source.places()
        for frame in source:
            grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
            tiny = cv2.resize(grey, _THUMBNAIL, interpolation=cv2.INTER_AREA)
            small.append(np.asarray(tiny, np.uint8).ravel())
            if progress is not None:
                progress("looking", len(small), places)
    return np.array(small, dtype=np.float32)


def _different(
    thumbnails: NDArray[np.float32], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return one frame of each cluster; an empty cluster's place goes to a frame at random."""
    from scipy.cluster.vq import kmeans2

    step = max(1, len(thumbnails) // max(_MOST_THUMBNAILS, count))
    looked = np.arange(0, len(thumbnails), step)
    data = thumbnails[looked].astype(np.float64)
    # Frames that are all alike have no spread to be divided by.
    data = (data - data.mean(axis=0)) / max(float(data.std()), 1e-6)
    centers, own = kmeans2(data, count, minit="++", rng=rng, missing="warn")
    chosen = []
    for cluster in np.unique(own):
        members = np.flatnonzero(own == cluster)
        distance = ((data[members] - centers[cluster]) ** 2).sum(axis=1)
        chosen.append(looked[members[distance.argmin()]])
    rest = np.setdiff1d(np.arange(len(thumbnails)), chosen)
    more = rng.choice(rest, count - len(chosen), replace=False)
    return np.concatenate([np.array(chosen, dtype=np.intp), more])


def write_frames(
    video: Path,
    files: Mapping[int, Path],
    *,
    background: Mog2 | None = None,
    progress: Progress | None = None,
) -> None:
    """Write certain frames of a recording; files that are there are kept as they are.

    Parameters
    ----------
    video
        The recording.
    files
        Frame, counted from 0 → the file it is written to.
    background
        See :func:`extract_frames`.
    progress
        Called with the stage, frames done, and frames in all.

    Raises
    ------
    InputError
        If the recording has no such frame.
    VideoError
        If the recording cannot be read.
    OutputError
        If a file cannot be written.
    """
    done, last = 0, max(files)
    filters = FrameFilters([background] if background else [])
    with open_source(video) as source:
        for number, frame in enumerate(source):
            image, path = filters.next(frame.image), files.get(number)
            if path is not None:
                if not path.exists():
                    write_image(path, image)
                done += 1
                if progress is not None:
                    progress("writing", done, len(files))
            if number >= last:
                return
    raise InputError(f"'{video}': frame {last} is asked for, the recording ends before it")
