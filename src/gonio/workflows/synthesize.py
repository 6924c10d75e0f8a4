"""Drawn people as labelled images: a folder of pictures with exactly known keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonio.labels import HIDDEN, VISIBLE
from gonio.synthetic.people import LABELS_FILE, people_labels

if TYPE_CHECKING:
    from gonio.workflows.settings import Progress


@dataclass(frozen=True)
class SynthesizeSettings:
    """Settings of ``gonio data synthesize``.

    Attributes
    ----------
    people
        How many.
    skeleton
        Name or TOML file of the keypoints wanted.
    seed
        Decides everything.
    size
        Width and height of every picture, pixels; None: by chance, each 256–640.
    resume, overwrite
        What becomes of people drawn into the folder before.
    """

    people: int
    skeleton: str = "coco17"
    seed: int = 0
    size: tuple[int, int] | None = None
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Synthesis:
    """What was drawn.

    Attributes
    ----------
    labels
        The file of labels (COCO keypoints).
    skeleton
        The keypoints.
    images, people
        How many.
    visible, hidden
        Shares of all keypoints; the others lie outside the pictures.
    """

    labels: Path
    skeleton: str
    images: int
    people: int
    visible: float
    hidden: float

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {**vars(self), "labels": str(self.labels)}

    def title(self) -> str:
        """Return one line about it."""
        return (
            f"{self.people} people in {self.images} pictures, {self.skeleton}: "
            f"{self.visible:.0%} of the keypoints visible, {self.hidden:.0%} hidden"
        )


def synthesize(
    out: Path, settings: SynthesizeSettings, progress: Progress | None = None
) -> Synthesis:
    """Draw people into a folder.

    Parameters
    ----------
    out
        The folder.
    settings
        The settings.
    progress
        Called with the stage, the people done, and their number.

    Returns
    -------
    Synthesis

    Raises
    ------
    GonioError
        If a setting is out of range or the folder cannot be used.
    """
    labels = people_labels(
        out,
        people=settings.people,
        skeleton=_skeleton(settings.skeleton),
        seed=settings.seed,
        size=settings.size,
        resume=settings.resume,
        overwrite=settings.overwrite,
        progress=progress,
    )
    return Synthesis(
        labels=out / LABELS_FILE,
        skeleton=labels.skeleton.name,
        images=len(labels.images),
        people=len(labels),
        visible=float((labels.visibility == VISIBLE).mean()),
        hidden=float((labels.visibility == HIDDEN).mean()),
    )


def _skeleton(text: str) -> str | Path:
    return Path(text) if text.endswith(".toml") else text
