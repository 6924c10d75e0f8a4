"""People found in stretches of a recording, kept on disk until all of it is done."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.codec import Region
from gonio.runtime.estimator import FramePeople, Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_IN_ORDER: Final = "in-order.json"


@dataclass(frozen=True)
class Chunk:
    """What was found in one stretch of a recording.

    Attributes
    ----------
    number
        Which stretch, from 0.
    frames
        Those that could be read; ``index`` is their place in the recording.
    ended
        Whether the recording ends in this stretch.
    direct
        Whether it was read from the middle of the recording.
    warnings
        What went wrong while it was read.
    """

    number: int
    frames: list[FramePeople] = field(default_factory=list)
    ended: bool = False
    direct: bool = False
    warnings: list[str] = field(default_factory=list)


class ChunkFolder:
    """Chunks as files, each whole or not there at all.

    Parameters
    ----------
    path
        An existing folder that nobody else writes to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, chunk: Chunk) -> None:
        """Write a chunk.

        Raises
        ------
        OSError
            If it cannot be written; nothing of it is left.
        """
        target = self._file(chunk.number)
        part = target.with_suffix(".part")
        # Through memory: a ZIP file on a full disk fails in more ways than one.
        whole = io.BytesIO()
        np.savez(whole, **_to_arrays(chunk))  # type: ignore[arg-type] # the stubs' last is a flag
        try:
            part.write_bytes(whole.getbuffer())
            part.replace(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def load(self, number: int) -> Chunk | None:
        """Read a chunk; None where there is none that is whole and still holds."""
        try:
            content = io.BytesIO(self._file(number).read_bytes())
            with np.load(content, allow_pickle=False) as arrays:
                chunk = _from_arrays(number, arrays)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        since = self.in_order_since()
        return None if chunk.direct and since is not None and number >= since else chunk

    def in_order_since(self) -> int | None:
        """Return the chunk from which on the recording must be read in order; None: nowhere."""
        try:
            content = json.loads((self.path / _IN_ORDER).read_text(encoding="utf-8"))
            return int(content["since"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return 0

    def read_in_order(self, since: int) -> None:
        """Drop all chunks from one on that were read directly: they may be other frames."""
        known = self.in_order_since()
        since = since if known is None else min(since, known)
        part = self.path / f"{_IN_ORDER}.part"
        part.write_text(json.dumps({"since": since}), encoding="utf-8")
        part.replace(self.path / _IN_ORDER)

    def frames(self) -> Iterator[FramePeople]:
        """Yield the frames of all chunks in order, numbered from 0 without gaps."""
        index = 0
        for chunk in self._chunks():
            for frame in chunk.frames:
                yield FramePeople(index, frame.time_s, frame.people)
                index += 1

    def warnings(self) -> list[str]:
        """Return what went wrong in all chunks, each sentence once."""
        return list(dict.fromkeys(text for chunk in self._chunks() for text in chunk.warnings))

    def _chunks(self) -> Iterator[Chunk]:
        number = 0
        while (chunk := self.load(number)) is not None:
            yield chunk
            if chunk.ended:
                return
            number += 1

    def _file(self, number: int) -> Path:
        return self.path / f"chunk-{number:06d}.npz"


def is_worth_keeping(path: Path) -> bool:
    """Say whether a folder holds a chunk that is not all of its recording."""
    first = ChunkFolder(path).load(0)
    others = sum(1 for _ in path.glob("chunk-*.npz")) if path.is_dir() else 0
    return others > 1 or (first is not None and not first.ended)


def _to_arrays(chunk: Chunk) -> dict[str, NDArray[Any]]:
    people = [person for frame in chunk.frames for person in frame.people]
    points = [person.keypoints_px for person in people] or np.empty((0, 0, 2))
    regions = [(*r.center_px, *r.size_px, r.rotation_rad) for r in (p.region for p in people)]
    return {
        "place": np.array([frame.index for frame in chunk.frames], np.int64),
        "time_s": np.array([frame.time_s for frame in chunk.frames], np.float64),
        "people": np.array([len(frame.people) for frame in chunk.frames], np.int64),
        "keypoints_px": np.array(points, np.float32),
        "confidence": np.array([p.confidence for p in people], np.float32),
        "score": np.array([p.score for p in people], np.float64),
        "region": np.array(regions, np.float64).reshape(-1, 5),
        "ended": np.array(chunk.ended),
        "direct": np.array(chunk.direct),
        "warnings": np.array(chunk.warnings, np.str_),
    }


def _from_arrays(number: int, arrays: Any) -> Chunk:
    columns = (arrays[name] for name in ("keypoints_px", "confidence", "score", "region"))
    people = iter(
        [
            Person(points, confidence, float(score), _region(*region.tolist()))
            for points, confidence, score, region in zip(*columns, strict=True)
        ]
    )
    counts = arrays["people"].tolist()
    rows = zip(arrays["place"].tolist(), arrays["time_s"].tolist(), counts, strict=True)
    frames = [
        FramePeople(place, time_s, tuple(next(people) for _ in range(count)))
        for place, time_s, count in rows
    ]
    ended, direct = bool(arrays["ended"]), bool(arrays["direct"])
    return Chunk(number, frames, ended, direct, arrays["warnings"].tolist())


def _region(x: float, y: float, width: float, height: float, rotation: float) -> Region:
    return Region((x, y), (width, height), rotation)
