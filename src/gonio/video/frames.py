"""What every source gives: frames, and what is known about where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType

Image: TypeAlias = NDArray[np.uint8]
"""RGB picture, shape ``(height, width, 3)``, 0–255, row 0 at the top."""


@dataclass(frozen=True)
class Frame:
    """One picture of a recording.

    Attributes
    ----------
    index
        Place among the frames that could be read, from 0.
    time_s
        Seconds after the first shown frame; strictly increasing within a source.
    image
        RGB, shape ``(height, width, 3)``, upright, square pixels. Rows may be padded in memory.
    """

    index: int
    time_s: float
    image: Image


@dataclass(frozen=True)
class SourceInfo:
    """What is known about a recording before its frames are read.

    Attributes
    ----------
    path
        As it was given.
    sha256
        Of the file's bytes; for a folder, of its images' names and hashes in order.
    kind
        ``"video"``, ``"image"`` (one picture) or ``"images"`` (a folder of numbered pictures).
    width, height
        Pixels of the upright frames.
    frames
        How many the header promises; None where it does not say.
    fps
        Mean frames per second; None for one picture, or where unknown.
    duration_s
        Seconds the header promises; None for one picture, or where unknown.
    """

    path: str
    sha256: str
    kind: Literal["video", "image", "images"]
    width: int
    height: int
    frames: int | None
    fps: float | None
    duration_s: float | None


class OutOfStepError(Exception):
    """Frames read from the middle of a recording are not those that its packets promise.

    Nobody's mistake: some files say less than the truth about their frames. Read in order.
    """


class Reading:
    """One way through a recording, from one of its places to the end.

    Parameters
    ----------
    frames
        Gives the frames; what goes wrong is added to the list it is called with.

    Attributes
    ----------
    warnings
        What went wrong without ending the reading; complete once the last frame has been read.
    """

    def __init__(self, frames: Callable[[list[str]], Generator[Frame, None, None]]) -> None:
        self.warnings: list[str] = []
        self._frames = frames(self.warnings)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """Stop reading and release the file."""
        self._frames.close()


class Source(Protocol):
    """A recording that can be read from its beginning any number of times."""

    info: SourceInfo
    warnings: list[str]
    """What went wrong without ending the reading; complete once all frames have been read."""

    def __iter__(self) -> Iterator[Frame]:
        """Read from the first frame; warnings of an earlier reading are forgotten."""
        ...

    def places(self) -> int | None:
        """Return how many frames there are as far as can be told without decoding any."""
        ...

    def read(self, first: int = 0, *, direct: bool = False) -> Reading:
        """Read from a place on. Several readings may go on at once, each in its own thread.

        Parameters
        ----------
        first
            Place of the first frame given out. Frames carry their place as ``index``: a place
            is left out where a picture of a folder cannot be read.
        direct
            Skip what lies before without decoding it, where the file allows. Each frame is
            checked; otherwise everything before is decoded too.

        Returns
        -------
        Reading
            Its frames are exactly those of a reading in order, as long as no reading of the
            same recording raises :class:`OutOfStepError`: from the place where one does,
            frames that were read directly may be others.
        """
        ...

    def close(self) -> None:
        """Say that no more is wanted; a file is open only while an iteration goes on."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class OpenWhileRead:
    """What all sources share: a file is open only while an iteration goes on.

    An iteration that is left early releases its file when its iterator is closed or dropped.
    """

    info: SourceInfo
    warnings: list[str]

    def close(self) -> None:
        """Do nothing: nothing is open between iterations."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
