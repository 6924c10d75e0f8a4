"""Frames in, people out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gonio.errors import VideoError
from gonio.runtime import FramePeople, estimate_frames
from gonio.video import Frame
from gonio.video.ahead import QUEUED


class Counter:
    """An estimator that gives nobody and counts."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.seen: list[int] = []
        self.resets = 0
        self.fail_at = fail_at

    def estimate(self, image: np.ndarray[Any, Any]) -> list[Any]:
        number = int(image[0, 0, 0])
        if number == self.fail_at:
            raise ValueError("the model failed")
        self.seen.append(number)
        return []

    def reset(self) -> None:
        self.resets += 1


class Reel:
    """A source of numbered frames that knows how far it was read and whether it was closed."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.count, self.error = count, error
        self.given = 0
        self.finished = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        try:
            for i in range(self.count):
                self.given = i + 1
                yield Frame(i, i / 30, np.full((1, 1, 3), i, dtype=np.uint8))
            if self.error:
                raise self.error
        finally:
            self.finished.set()


def no_reader_is_left() -> bool:
    return all(t.name != "gonio-decode" for t in threading.enumerate())


def test_every_frame_gives_one_result_in_order_and_progress_sees_it_first() -> None:
    told: list[FramePeople] = []
    estimator = Counter()
    results = list(estimate_frames(Reel(20), estimator, on_frame=told.append))  # type: ignore[arg-type]
    assert [r.index for r in results] == estimator.seen == list(range(20))
    assert [r.time_s for r in results] == [i / 30 for i in range(20)]
    assert told == results
    assert estimator.resets == 1
    assert no_reader_is_left()


def test_no_frames_give_no_results() -> None:
    assert list(estimate_frames([], Counter())) == []  # type: ignore[arg-type]


def test_frames_are_read_only_a_few_ahead() -> None:
    reel = Reel(200)
    ahead = [
        reel.given - result.index
        for result in estimate_frames(reel, Counter())  # type: ignore[arg-type]
    ]
    # One frame in hand, the queue, and one the reader waits to hand over.
    assert max(ahead) <= QUEUED + 2


def test_a_read_error_comes_after_the_frames_before_it() -> None:
    estimator = Counter()
    with pytest.raises(VideoError, match="broken"):
        list(estimate_frames(Reel(7, VideoError("broken")), estimator))  # type: ignore[arg-type]
    assert estimator.seen == list(range(7))
    assert no_reader_is_left()


def test_closing_early_stops_the_reader_and_closes_the_source() -> None:
    reel = Reel(200)
    results = estimate_frames(reel, Counter())  # type: ignore[arg-type]
    next(results)
    results.close()
    assert no_reader_is_left()
    assert reel.finished.wait(5)
    assert reel.given < 200


def test_an_error_of_the_model_stops_the_reader() -> None:
    with pytest.raises(ValueError, match="the model failed"):
        list(estimate_frames(Reel(200), Counter(fail_at=3)))  # type: ignore[arg-type]
    assert no_reader_is_left()
