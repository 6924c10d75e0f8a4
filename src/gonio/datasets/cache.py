"""Decoded images in memory, so that a file is decoded once and not once an epoch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from gonio.video import read_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class ImageCache:
    """Reads images and keeps those that fit into a budget.

    Once the budget is spent, further images are read anew each time and none is thrown out:
    epochs visit every image equally often, so which ones stay makes no difference.

    Threads may share a cache. A process that is forked shares what was there before
    (:meth:`preload`), without a copy; a process that is spawned begins with an empty one. The
    budget counts for each process.

    Parameters
    ----------
    budget_bytes
        The most memory for decoded images, 3 bytes a pixel. 0 keeps nothing.
    """

    def __init__(self, budget_bytes: int = 2**30) -> None:
        self._budget = self._left = budget_bytes
        self._images: dict[Path, NDArray[np.uint8]] = {}
        self._lock = threading.Lock()

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return an image.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        ndarray
            Shape ``(H, W, 3)``, RGB, upright; read-only.

        Raises
        ------
        VideoError
            An :class:`~gonio.errors.InputError` that names the file, if it is missing or no
            picture.
        """
        kept = self._images.get(path)
        if kept is not None:
            return kept
        image = read_image(path)
        image.setflags(write=False)
        with self._lock:
            if path not in self._images and image.nbytes <= self._left:
                self._images[path] = image
                self._left -= image.nbytes
        return image

    def preload(self, paths: Iterable[Path], progress: Callable[[int], None] | None = None) -> None:
        """Read images until the budget is spent, before workers are forked.

        Parameters
        ----------
        paths
            The files, in the order of reading; each is read once.
        progress
            Called with the number of files read so far.

        Raises
        ------
        VideoError
            See :meth:`read`.
        """
        for done, path in enumerate(dict.fromkeys(paths), start=1):
            if self.read(path).nbytes > self._left and path not in self._images:
                return
            if progress is not None:
                progress(done)

    def __contains__(self, path: object) -> bool:
        return path in self._images

    @property
    def used_bytes(self) -> int:
        """Memory taken by images, bytes."""
        return self._budget - self._left

    def __getstate__(self) -> dict[str, Any]:
        return {"budget_bytes": self._budget}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]
