"""Frames in, people out: chunks side by side, decoding and inference overlapped in each.

A recording is cut into chunks of a fixed number of frames, whatever the machine. In each the
estimator starts anew, so that the result depends neither on who does which chunk nor on how many
work. What is done lies on disk: memory does not grow with the recording, and who is interrupted
goes on from there.
"""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final

from gonio.runtime.chunks import Chunk, ChunkFolder
from gonio.runtime.estimator import FramePeople
from gonio.runtime.plan import Plan
from gonio.runtime.sessions import cpu_count
from gonio.video import OutOfStepError, ReadAhead

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from gonio.runtime.estimator import Estimator
    from gonio.video import Frame, Reading, Source

CHUNK_FRAMES: Final = 120
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
    with closing(ReadAhead(frames)) as decoded:
        for frame in decoded:
            people = tuple(estimator.estimate(frame.image))
            result = FramePeople(frame.index, frame.time_s, people)
            if on_frame is not None:
                on_frame(result)
            yield result


def chunk_count(places: int | None, chunk_frames: int = CHUNK_FRAMES) -> int:
    """Return how many chunks a recording has, as far as its length is known; at least 1."""
    return max(1, -(-(places or 1) // chunk_frames))


def find_people(
    source: Source,
    openers: Sequence[Callable[[], Estimator]],
    folder: ChunkFolder,
    *,
    chunk_frames: int = CHUNK_FRAMES,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> None:
    """Find the people in all frames of a recording that are not done yet.

    Parameters
    ----------
    source
        The recording.
    openers
        One a worker: opens its estimator, in the worker's thread. Which of them are used
        depends on how many chunks are left; the estimators are closed.
    folder
        Receives the chunks; those that it holds already are kept. When this function returns,
        all are there: see :meth:`ChunkFolder.frames`.
    chunk_frames
        Frames of a chunk; the result depends on it.
    on_progress
        Called in this thread now and then with the frames done, and how many there are in all
        as far as that is known.

    Raises
    ------
    Exception
        The first one that a worker met, when all have stopped; likewise a
        ``KeyboardInterrupt``. Chunks that were complete stay.
    """
    while True:
        run = _Run(source, folder, chunk_frames, len(openers))
        if not run.left:
            return
        out_of_step = run.work(openers, on_progress or (lambda *_: None))
        if out_of_step is None:
            return
        folder.read_in_order(out_of_step)


class _Run:
    """One attempt at all the chunks that are left."""

    def __init__(self, source: Source, folder: ChunkFolder, size: int, workers: int) -> None:
        self._source, self._folder, self._size = source, folder, size
        self._total = source.places()
        self._before, self.left, last = _what_is_left(folder, chunk_count(self._total, size))
        workers = min(workers, max(1, len(self.left)))
        self._plan = Plan(self.left, workers, last=last)
        alone = workers == 1 and self.left[:1] == [0]
        self._direct = not alone and folder.in_order_since() is None
        self._done = [0] * workers
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._error: BaseException | None = None
        self._out_of_step: int | None = None

    def work(
        self,
        openers: Sequence[Callable[[], Estimator]],
        on_progress: Callable[[int, int | None], None],
    ) -> int | None:
        """Do all chunks; return the first one that cannot be read directly, None where all can."""
        running = threading.Semaphore(0)
        threads = [
            threading.Thread(
                target=self._work,
                args=(number, openers[number], running),
                name=f"gonio-worker-{number}",
                daemon=True,
            )
            for number in range(len(self._done))
        ]
        try:
            for thread in threads:
                thread.start()
            for _ in threads:
                while not running.acquire(timeout=_POLL_S):
                    on_progress(self._before + sum(self._done), self._total)
        finally:
            self._stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if self._error is not None:
            raise self._error
        if self._out_of_step is None:
            done = self._before + sum(self._done)
            on_progress(done, done)
        return self._out_of_step

    def _work(
        self, number: int, opener: Callable[[], Estimator], running: threading.Semaphore
    ) -> None:
        try:
            self._work_on_chunks(number, opener)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            with self._lock:
                self._error = self._error or error
        finally:
            if self._error is not None:
                self._stop.set()
            running.release()

    def _work_on_chunks(self, number: int, opener: Callable[[], Estimator]) -> None:
        chunk = self._plan.take(number)
        if chunk is None:
            return
        with (
            closing(opener()) as estimator,
            closing(self._walk()) as walk,
        ):
            while chunk is not None and not self._stop.is_set():
                try:
                    self._do(number, chunk, estimator, walk)
                except OutOfStepError:
                    with self._lock:
                        known = self._out_of_step
                        self._out_of_step = chunk if known is None else min(chunk, known)
                    self._stop.set()
                chunk = self._plan.take(number)

    def _walk(self) -> _Walk:
        # With a worker on every core, a thread that reads ahead has no core to do it on.
        overlap = len(self._done) < cpu_count()
        return _Walk(self._source, self._size, direct=self._direct, overlap=overlap)

    def _do(self, number: int, chunk: int, estimator: Estimator, walk: _Walk) -> None:
        while True:
            end = self._plan.end_of_stretch(number, chunk)
            estimator.reset()
            found = []
            for frame in walk.frames(chunk, until=end):
                people = tuple(estimator.estimate(frame.image))
                found.append(FramePeople(frame.index, frame.time_s, people))
                self._done[number] += 1
                if self._stop.is_set():
                    return
            ended = walk.has_ended(peek=self._plan.is_last(chunk))
            done = Chunk(chunk, found, ended, self._direct, walk.new_warnings())
            self._folder.save(done)
            if ended:
                self._plan.end_at(chunk)
            if ended or not self._plan.is_last(chunk):
                return
            chunk += 1


def _what_is_left(folder: ChunkFolder, expected: int) -> tuple[int, list[int], int]:
    """Return how many frames are done, which chunks are not, and which one is the last."""
    frames, left, number = 0, [], 0
    while True:
        chunk = folder.load(number)
        if chunk is None:
            left.append(number)
        else:
            frames += len(chunk.frames)
        if (chunk is not None and chunk.ended) or (chunk is None and number + 1 >= expected):
            return frames, left, number
        number += 1


class _Walk:
    """Reads the frames of one chunk after another, and goes on reading where it can."""

    def __init__(self, source: Source, size: int, *, direct: bool, overlap: bool) -> None:
        self._source, self._size, self._direct = source, size, direct
        self._reading: Reading | None = None
        self._ahead: ReadAhead[tuple[Frame, int]] | None = None
        self._overlap = overlap
        self._items: Iterator[tuple[Frame, int]] = iter(())
        self._held: Frame | None = None
        self._next = -1
        self._until: int | None = None
        self._exhausted = self._cut = False
        self._warned = self._known = 0

    def frames(self, chunk: int, *, until: int | None) -> Iterator[Frame]:
        """Yield the frames of a chunk.

        Parameters
        ----------
        chunk
            Its number.
        until
            Where a new reading begins: its last chunk; None reads on to the recording's end.
        """
        if chunk != self._next or (self._until is not None and chunk > self._until):
            self._open(chunk, until)
        self._next = chunk + 1
        stop = self._next * self._size
        while (frame := self._take()) is not None:
            if frame.index >= stop:
                self._held = frame
                return
            yield frame
            if frame.index == stop - 1:
                return

    def has_ended(self, *, peek: bool) -> bool:
        """Say whether the recording has ended; ``peek``: even if that takes reading on."""
        if peek and self._held is None:
            self._held = self._take()
        return self._exhausted and not self._cut and self._held is None

    def new_warnings(self) -> list[str]:
        """Return what went wrong since this was last asked for."""
        assert self._reading is not None  # noqa: S101 - frames() has opened it
        new = self._reading.warnings[self._warned : self._known]
        self._warned = self._known
        return new

    def close(self) -> None:
        """Stop reading."""
        if self._ahead is not None:
            self._ahead.close()
        if self._reading is not None:
            self._reading.close()

    def _open(self, chunk: int, until: int | None) -> None:
        self.close()
        self._until, self._held = until, None
        self._exhausted = self._cut = False
        self._warned = self._known = 0
        self._reading = self._source.read(chunk * self._size, direct=self._direct)
        stop = None if until is None else (until + 1) * self._size
        self._items = self._before(stop, self._reading)
        if self._overlap:
            self._ahead = ReadAhead(self._items)
            self._items = iter(self._ahead)

    def _before(self, stop: int | None, reading: Reading) -> Iterator[tuple[Frame, int]]:
        """Yield frames before a place, each with the number of warnings up to it."""
        for frame in reading:
            self._cut = stop is not None and frame.index >= stop - 1
            if stop is None or frame.index < stop:
                yield frame, len(reading.warnings)
            if self._cut:
                return

    def _take(self) -> Frame | None:
        if self._held is not None:
            frame, self._held = self._held, None
            return frame
        assert self._reading is not None  # noqa: S101 - frames() has opened it
        item = next(self._items, None)
        if item is None:
            self._exhausted, self._known = True, len(self._reading.warnings)
            return None
        frame, self._known = item
        return frame
