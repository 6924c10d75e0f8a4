"""Who does which chunk: stretches of neighbours, since reading on is cheaper than seeking."""

from __future__ import annotations

from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Plan:
    """Shares chunks out among workers; to be used by all their threads.

    Each begins with a stretch of neighbouring chunks. Who is done takes the back half of the
    longest stretch left.

    Parameters
    ----------
    chunks
        Numbers of the chunks to be done, ascending.
    workers
        How many share them.
    last
        The last chunk of the recording as far as its length is known.
    """

    def __init__(self, chunks: Sequence[int], workers: int, *, last: int) -> None:
        self._lock = Lock()
        bounds = [round(i * len(chunks) / workers) for i in range(workers + 1)]
        self._left = [list(chunks[a:b]) for a, b in pairwise(bounds)]
        self._last = last

    def take(self, worker: int) -> int | None:
        """Return the next chunk for a worker; None where none is left."""
        with self._lock:
            if not self._left[worker]:
                longest = max(self._left, key=len)
                keep = len(longest) // 2
                self._left[worker] = longest[keep:]
                del longest[keep:]
            return self._left[worker].pop(0) if self._left[worker] else None

    def end_of_stretch(self, worker: int, chunk: int) -> int | None:
        """Return the last chunk of the neighbours that a worker is going to do.

        None where these reach the last chunk of all, which has no fixed end.
        """
        with self._lock:
            end = chunk
            for number in self._left[worker]:
                if number != end + 1:
                    break
                end = number
            return None if end >= self._last else end

    def is_last(self, chunk: int) -> bool:
        """Say whether no chunk after this one is known of."""
        return chunk >= self._last

    def end_at(self, chunk: int) -> None:
        """Drop all chunks after one: the recording has ended there."""
        with self._lock:
            self._last = min(self._last, chunk)
            for left in self._left:
                left[:] = [number for number in left if number <= chunk]
