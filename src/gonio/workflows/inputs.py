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
    seen: Counter[str] = Counter()
    jobs = []
    for path in paths:
        stem = _stem(path)
        name = stem if stems[stem] == 1 else path.resolve().name
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name}-{seen[name]}"
        jobs.append(Job(path, name))
    return jobs


def _stem(path: Path) -> str:
    # A folder's name may hold a dot that begins no extension.
    return path.resolve().name if path.is_dir() else path.stem
