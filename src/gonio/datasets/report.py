"""What a set of labels holds: how many, how visible, how large, and what cannot be right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.datasets.faults import KINDS, Fault, find_faults
from gonio.labels import HIDDEN, VISIBLE

if TYPE_CHECKING:
    from gonio.labels import Labels


@dataclass(frozen=True)
class LabelReport:
    """What a set holds.

    Attributes
    ----------
    skeleton
        Its name.
    images, empty_images, missing_images
        How many; those with nobody labelled in them; those whose file is not there.
    videos, subjects
        How many recordings and people the images say they are from.
    people, crowds
        How many are labelled; how many of them are groups.
    keypoints
        Name → how often ``visible``, ``hidden`` and not labelled (``missing``).
    boxes_px
        ``width`` and ``height`` → least, median and greatest, pixels; None without boxes.
    without_box
        People without one.
    faults
        See :func:`gonio.datasets.find_faults`.
    places
        For each fault, the image it is in.
    """

    skeleton: str
    images: int
    empty_images: int
    missing_images: int
    videos: int
    subjects: int
    people: int
    crowds: int
    keypoints: dict[str, dict[str, int]]
    boxes_px: dict[str, tuple[float, float, float]] | None
    without_box: int
    faults: tuple[Fault, ...]
    places: tuple[str, ...]

    def fault_counts(self) -> dict[str, int]:
        """Return kind → how many, in the order of :data:`gonio.datasets.faults.KINDS`."""
        counts = Counter(fault.kind for fault in self.faults)
        return {kind: counts[kind] for kind in KINDS if counts[kind]}

    def lines(self) -> list[str]:
        """Say what was counted, a line each."""
        groups = f", {self.crowds} of them groups" if self.crowds else ""
        lines = [
            f"{_count(self.people, 'person', 'people')}{groups} in "
            f"{_count(self.images, 'image')}, skeleton '{self.skeleton}' "
            f"({_count(len(self.keypoints), 'keypoint')})"
        ]
        sources = [(self.videos, "recording", "recordings"), (self.subjects, "subject", "subjects")]
        known = [_count(n, *words) for n, *words in sources if n]
        if known:
            lines.append(f"from {' of '.join(known)}")
        if self.empty_images:
            lines.append(f"nobody is labelled in {_count(self.empty_images, 'image')}")
        if self.missing_images:
            lines.append(f"{_count(self.missing_images, 'image')} cannot be found")
        for side, (least, middle, most) in (self.boxes_px or {}).items():
            lines.append(f"box {side}: {least:.0f} to {most:.0f} px, median {middle:.0f}")
        if self.without_box:
            lines.append(f"{_count(self.without_box, 'person', 'people')} without a box")
        return lines

    def rows(self) -> list[list[str]]:
        """Return keypoint, visible, hidden, missing as texts."""
        return [[name, *map(str, counts.values())] for name, counts in self.keypoints.items()]

    def fault_lines(self, most: int = 3) -> list[str]:
        """Name the faults, at most so many of each kind."""
        lines = []
        for kind, count in self.fault_counts().items():
            lines.append(f"{kind}: {count}")
            of_kind = [(f, p) for f, p in zip(self.faults, self.places, strict=True)
                       if f.kind == kind]  # fmt: skip
            lines += [f"  {place}, person {f.person}: {f.message}" for f, place in of_kind[:most]]
            if count > most:
                lines.append(f"  and {count - most} more")
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "skeleton": self.skeleton,
            "images": self.images,
            "empty_images": self.empty_images,
            "missing_images": self.missing_images,
            "videos": self.videos,
            "subjects": self.subjects,
            "people": self.people,
            "crowds": self.crowds,
            "keypoints": self.keypoints,
            "boxes_px": self.boxes_px,
            "without_box": self.without_box,
            "faults": [
                {"kind": f.kind, "image": place, "person": f.person,
                 "keypoints": list(f.keypoints), "message": f.message}
                for f, place in zip(self.faults, self.places, strict=True)
            ],
        }  # fmt: skip


def describe(labels: Labels) -> LabelReport:
    """Count what a set holds, and look for labels that cannot be right.

    Parameters
    ----------
    labels
        The set.
    """
    seen = labels.visibility
    counts = {
        name: {
            "visible": int((seen[:, i] == VISIBLE).sum()),
            "hidden": int((seen[:, i] == HIDDEN).sum()),
            "missing": int((~labels.labelled[:, i]).sum()),
        }
        for i, name in enumerate(labels.skeleton.keypoints)
    }
    sizes = labels.boxes_px[np.isfinite(labels.boxes_px).all(axis=1), 2:]
    faults = tuple(find_faults(labels))
    return LabelReport(
        skeleton=labels.skeleton.name,
        images=len(labels.images),
        empty_images=len(labels.images) - len(np.unique(labels.image_index)),
        missing_images=sum(not image.path.is_file() for image in labels.images),
        videos=len({image.video for image in labels.images if image.video}),
        subjects=len({image.subject for image in labels.images if image.subject}),
        people=len(labels),
        crowds=int(labels.crowd.sum()),
        keypoints=counts,
        boxes_px={
            side: (float(s.min()), float(np.median(s)), float(s.max()))
            for side, s in zip(("width", "height"), sizes.T, strict=True)
        }
        if len(sizes)
        else None,
        without_box=len(labels) - len(sizes),
        faults=faults,
        places=tuple(labels.images[labels.image_index[f.person]].path.name for f in faults),
    )


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
