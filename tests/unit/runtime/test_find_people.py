"""Chunks side by side: the same result whoever does them, and whatever happens on the way."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gonio.codec import Region
from gonio.errors import ModelError
from gonio.runtime import Chunk, ChunkFolder, Person, chunk_count, find_people, is_worth_keeping
from gonio.runtime.plan import Plan
from gonio.video import Frame, OutOfStepError, Reading

SIZE = 10


@dataclass
class Reel:
    """A recording of numbered frames; some places cannot be read, some only in order.

    ``told`` is the length it claims. When read directly, places from ``wrong_from`` on show
    other frames, which a reading notices at ``noticed_at``.
    """

    count: int
    told: int | None = -1
    missing: frozenset[int] = frozenset()
    wrong_from: int | None = None
    noticed_at: int = 0
    readings: list[tuple[int, bool]] = field(default_factory=list)

    def places(self) -> int | None:
        return self.count if self.told == -1 else self.told

    def read(self, first: int = 0, *, direct: bool = False) -> Reading:
        self.readings.append((first, direct))
        return Reading(lambda warnings: self._frames(first, warnings, direct))

    def _frames(
        self, first: int, warnings: list[str], direct: bool
    ) -> Generator[Frame, None, None]:
        for place in range(first, self.count):
            if place in self.missing:
                warnings.append(f"{place} is missing")
                continue
            shown = place
            if direct and self.wrong_from is not None and place >= self.wrong_from:
                if self.wrong_from <= self.noticed_at == place:
                    raise OutOfStepError
                shown = 200
            yield Frame(place, place / 30, np.full((1, 1, 3), shown, dtype=np.uint8))


class Eye:
    """Sees one person whose place is the frame's number, and how long it has been looking."""

    def __init__(self, fail_at: int | None = None, wait_at: tuple[int, Any] | None = None) -> None:
        self.since = 0
        self.fail_at, self.wait_at = fail_at, wait_at
        self.closed = False

    def estimate(self, image: np.ndarray[Any, Any]) -> list[Person]:
        number = int(image[0, 0, 0])
        if number == self.fail_at:
            raise ModelError("the model failed")
        if self.wait_at is not None and number == self.wait_at[0]:
            self.wait_at[1]()
        self.since += 1
        points = np.array([[number, self.since], [np.nan, 0.5]], np.float32)
        person = Person(
            points, np.array([0.5, 0.25], np.float32), 0.75, Region((1.0, 2.0), (3.0, 4.0), 5.0)
        )
        return [person] * (number % 3)

    def reset(self) -> None:
        self.since = 0

    def close(self) -> None:
        self.closed = True


def found(folder: ChunkFolder) -> list[Any]:
    return [
        (f.index, f.time_s, [(p.keypoints_px.tolist(), p.score, p.region) for p in f.people])
        for f in folder.frames()
    ]


def expected(reel: Reel) -> str:
    seen: list[Any] = []
    since, chunk = 0, 0
    for place in range(reel.count):
        if place // SIZE != chunk:
            since, chunk = 0, place // SIZE
        if place not in reel.missing:
            since += 1
            points = [[float(place), float(since)], [float("nan"), 0.5]]
            person = (points, 0.75, Region((1.0, 2.0), (3.0, 4.0), 5.0))
            seen.append((len(seen), place / 30, [person] * (place % 3)))
    return str(seen)


def run(reel: Reel, tmp_path: Path, workers: int, *eyes: Eye) -> ChunkFolder:
    folder = ChunkFolder(tmp_path)
    given = iter(eyes)
    openers = [lambda: next(given, None) or Eye()] * workers
    find_people(reel, openers, folder, chunk_frames=SIZE)  # type: ignore[arg-type]
    assert all(not t.name.startswith("gonio-") for t in threading.enumerate())
    return folder


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [1, 9, 10, 11, 55, 60])
def test_every_frame_is_looked_at_and_each_chunk_begins_anew(
    tmp_path: Path, workers: int, count: int
) -> None:
    reel = Reel(count)
    folder = run(reel, tmp_path, workers)
    assert str(found(folder)) == expected(reel)
    assert folder.warnings() == []


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("told", [None, 1, 25, 47, 48, 90])
def test_a_wrong_or_unknown_length_does_not_matter(
    tmp_path: Path, workers: int, told: int | None
) -> None:
    reel = Reel(47, told=told)
    assert str(found(run(reel, tmp_path, workers))) == expected(reel)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(
    "missing", [{0}, {9}, {10}, {8, 9, 10, 11}, set(range(15, 45)), set(range(50, 57)), {56}]
)
def test_places_that_cannot_be_read_are_left_out_and_reported_once(
    tmp_path: Path, workers: int, missing: set[int]
) -> None:
    reel = Reel(57, missing=frozenset(missing))
    folder = run(reel, tmp_path, workers)
    assert str(found(folder)) == expected(reel)
    assert sorted(folder.warnings()) == sorted(f"{place} is missing" for place in missing)


@pytest.mark.parametrize("workers", [2, 3, 5])
@pytest.mark.parametrize(("wrong_from", "noticed_at"), [(0, 0), (23, 23), (23, 28), (59, 59)])
def test_a_recording_that_breaks_its_promise_is_read_in_order_from_there(
    tmp_path: Path, workers: int, wrong_from: int, noticed_at: int
) -> None:
    reel = Reel(60, wrong_from=wrong_from, noticed_at=noticed_at)
    folder = run(reel, tmp_path, workers)
    assert str(found(folder)) == expected(reel)
    assert folder.in_order_since() == noticed_at // SIZE
    assert any(not direct for _, direct in reel.readings)


def test_one_worker_reads_once_and_in_order(tmp_path: Path) -> None:
    reel = Reel(60)
    run(reel, tmp_path, 1)
    assert reel.readings == [(0, False)]


def test_workers_begin_with_stretches_of_neighbours(tmp_path: Path) -> None:
    reel = Reel(60)
    together = threading.Barrier(2)
    run(reel, tmp_path, 2, *(Eye(wait_at=(n, together.wait)) for n in (5, 35)))
    assert {(0, True), (30, True)} <= set(reel.readings)
    assert len(reel.readings) <= 4


def test_what_is_there_already_is_kept(tmp_path: Path) -> None:
    reel = Reel(60)
    folder = run(reel, tmp_path, 2)
    for number in (1, 4):
        (tmp_path / f"chunk-{number:06d}.npz").unlink()
    broken = tmp_path / "chunk-000005.npz"
    broken.write_bytes(broken.read_bytes()[:-30])
    again = Reel(60)
    assert str(found(run(again, tmp_path, 3))) == expected(again)
    assert {first for first, _ in again.readings} == {10, 40, 50}
    run(again, tmp_path, 3)
    assert len(again.readings) == 3
    assert folder.warnings() == []


def test_progress_counts_all_frames_and_ends_at_all(tmp_path: Path) -> None:
    run(Reel(60), tmp_path, 1)
    (tmp_path / "chunk-000002.npz").unlink()
    told: list[tuple[int, int | None]] = []
    find_people(
        Reel(60),  # type: ignore[arg-type]
        [Eye, Eye],  # type: ignore[list-item]
        ChunkFolder(tmp_path),
        chunk_frames=SIZE,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (60, 60)
    assert all(done >= 50 for done, _ in told)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_failing_model_stops_everybody_with_its_error(tmp_path: Path, workers: int) -> None:
    eyes = [Eye(fail_at=n) for n in (7, 27, 47)][:workers]
    with pytest.raises(ModelError, match="the model failed"):
        run(Reel(60), tmp_path, workers, *eyes)
    assert all(eye.closed for eye in eyes)
    assert str(found(run(Reel(60), tmp_path, workers))) == expected(Reel(60))


def test_an_estimator_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    def refuse() -> Any:
        raise ModelError("no such model")

    with pytest.raises(ModelError, match="no such model"):
        find_people(Reel(60), [refuse, refuse], ChunkFolder(tmp_path))  # type: ignore[arg-type]


def test_an_interruption_waits_for_the_workers_and_keeps_their_chunks(tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    hold = threading.Event()
    threading.Timer(0.5, hold.set).start()
    eyes = iter([Eye(wait_at=(15, hold.wait)), Eye(wait_at=(45, hold.wait))])
    folder = ChunkFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        find_people(
            Reel(60),  # type: ignore[arg-type]
            [lambda: next(eyes), lambda: next(eyes)],  # type: ignore[list-item,return-value]
            folder,
            chunk_frames=SIZE,
            on_progress=interrupt,
        )
    assert all(not t.name.startswith("gonio-") for t in threading.enumerate())
    assert folder.load(0) is not None
    assert is_worth_keeping(tmp_path)


def test_a_full_disk_is_the_error_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        run(Reel(60), tmp_path, 2)
    assert list(tmp_path.iterdir()) == []


def test_a_whole_short_recording_is_not_worth_keeping(tmp_path: Path) -> None:
    assert not is_worth_keeping(tmp_path / "absent")
    folder = ChunkFolder(tmp_path)
    folder.save(Chunk(0, ended=True))
    assert not is_worth_keeping(tmp_path)
    folder.save(Chunk(0))
    assert is_worth_keeping(tmp_path)


def test_chunks_that_were_read_directly_do_not_hold_once_reading_goes_in_order(
    tmp_path: Path,
) -> None:
    folder = ChunkFolder(tmp_path)
    for number in range(4):
        folder.save(Chunk(number, direct=number != 2))
    folder.read_in_order(3)
    folder.read_in_order(1)
    folder.read_in_order(2)
    assert [folder.load(n) is not None for n in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(("frames", "chunks"), [(None, 1), (0, 1), (1, 1), (120, 1), (121, 2)])
def test_chunks_are_counted(frames: int | None, chunks: int) -> None:
    assert chunk_count(frames) == chunks


def test_who_is_done_takes_the_back_half_of_the_longest_stretch() -> None:
    plan = Plan(range(8), 2, last=7)
    assert [plan.take(1) for _ in range(4)] == [4, 5, 6, 7]
    assert plan.take(0) == 0
    assert plan.end_of_stretch(0, 0) == 3
    assert plan.take(1) == 2
    assert plan.end_of_stretch(1, 2) == 3
    assert [plan.take(0), plan.take(1), plan.take(0), plan.take(1)] == [1, 3, None, None]


def test_the_last_stretch_has_no_end_and_a_recording_may_end_early() -> None:
    plan = Plan([0, 1, 4, 5], 1, last=5)
    assert plan.take(0) == 0
    assert plan.end_of_stretch(0, 0) == 1
    assert [plan.take(0), plan.take(0)] == [1, 4]
    assert plan.end_of_stretch(0, 4) is None
    plan.end_at(4)
    assert plan.take(0) is None
