"""Which evaluations a list of inputs makes, and what each is called."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Job:
    """One input and the name of its evaluation."""

    path: Path
    name: str


def name_jobs(paths: Sequence[Path]) -> list[Job]:
    """Name each input's evaluation.

    The name is the stem; where inputs share one, it is the whole file name; where they share
    that too, ``-2``, ``-3`` follow in the order given.

    Parameters
    ----------
    paths
        Videos, images or folders.

    Returns
    -------
    list of Job
        In the order given, names unique.
    """
    stems = Counter(_stem(path) for path in paths)
    names = [s if stems[s := _stem(path)] == 1 else path.resolve().name for path in paths]
    taken: set[str] = set()
    jobs = []
    for path, name in zip(paths, names, strict=True):
        unique, count = name, 1
        while unique in taken or (count > 1 and unique in names):
            count += 1
            unique = f"{name}-{count}"
        taken.add(unique)
        jobs.append(Job(path, unique))
    return jobs


def _stem(path: Path) -> str:
    # A folder's name may hold a dot that begins no extension.
    try:
        return path.resolve().name if path.is_dir() else path.stem
    except OSError:  # a folder on the way may not be entered: said where the input is opened
        return path.stem
