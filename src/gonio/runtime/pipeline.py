"""Frames in, people out: decoding and inference overlap, memory stays bounded."""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final

from gonio.runtime.estimator import FramePeople

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from gonio.runtime.estimator import Estimator
    from gonio.video import Frame

QUEUED_FRAMES: Final = 4
_POLL_S: Final = 0.1


def estimate_frames(
    frames: Iterable[Frame],
    estimator: Estimator,
    *,
    on_frame: Callable[[FramePeople], None] | None = None,
) -> Generator[FramePeople, None, None]:
    """Find the people in each frame of one series.

    The frames are read by a thread of their own, at most four ahead. The estimator is reset
    first. Closing the generator early stops the thread; an error while reading is raised after
    the frames read before it.

    Parameters
    ----------
    frames
        In the order of time; a source or anything that gives frames.
    estimator
        Stays open.
    on_frame
        Called with each result before it is given out (progress).

    Yields
    ------
    FramePeople
        One for each frame, in their order.
    """
    estimator.reset()
    with closing(_ReadAhead(frames)) as decoded:
        for frame in decoded:
            people = tuple(estimator.estimate(frame.image))
            result = FramePeople(frame.index, frame.time_s, people)
            if on_frame is not None:
                on_frame(result)
            yield result


class _ReadAhead:
    """Iterate in a background thread through a bounded queue."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(QUEUED_FRAMES)
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._read, args=(frames,), name="gonio-decode", daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        while (item := self._waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Stop reading; returns once the frame being read is done."""
        self._stopped.set()
        self._thread.join()

    def _read(self, frames: Iterable[Frame]) -> None:
        last: BaseException | None = None
        try:
            for frame in frames:
                if not self._hand_over(frame):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            last = error
        self._hand_over(last)

    def _hand_over(self, item: Frame | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._waiting.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False
