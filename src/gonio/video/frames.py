"""What every source gives: frames, and what is known about where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator
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


class Source(Protocol):
    """A recording that can be read from its beginning any number of times."""

    info: SourceInfo
    warnings: list[str]
    """What went wrong without ending the reading; complete once all frames have been read."""

    def __iter__(self) -> Iterator[Frame]:
        """Read from the first frame; warnings of an earlier reading are forgotten."""
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
