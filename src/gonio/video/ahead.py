"""Reading ahead: one thread decodes, or draws, what the next one needs."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

QUEUED: Final = 4
_POLL_S: Final = 0.1

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Iterates in a thread of its own, a few items ahead of who takes them.

    An error while iterating is raised after the items before it. To be closed when done.

    Parameters
    ----------
    items
        What to iterate over; touched by that thread alone from now on.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._waiting: queue.Queue[T | _Last] = queue.Queue(QUEUED)
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._read, args=(items,), name="gonio-decode", daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while not isinstance(item := self._waiting.get(), _Last):
            yield item
        if item.error is not None:
            raise item.error

    def close(self) -> None:
        """Stop; returns once the item in the making is done."""
        self._stopped.set()
        self._thread.join()

    def _read(self, items: Iterable[T]) -> None:
        last = _Last()
        try:
            for item in items:
                if not self._hand_over(item):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            last = _Last(error)
        self._hand_over(last)

    def _hand_over(self, item: T | _Last) -> bool:
        while not self._stopped.is_set():
            try:
                self._waiting.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False


class _Last:
    """Ends a queue, with the error that ended the reading, if any."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
