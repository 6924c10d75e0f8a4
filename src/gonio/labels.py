"""Labelled images in memory: images, people, keypoints with visibility, boxes, skeleton.

Struct of arrays: the people of all images stand one after the other, so that a quarter of a
million of them are filtered and counted without a loop. Positions are in pixels, the centre of
the top-left pixel at (0, 0), x right, y down; readers of other conventions convert at the door.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from gonio.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from gonio.skeletons import Skeleton

UNLABELLED: Final = 0
HIDDEN: Final = 1
VISIBLE: Final = 2


@dataclass(frozen=True)
class LabelledImage:
    """One image of a set.

    Attributes
    ----------
    path
        Its file.
    width, height
        Pixels; None where the labels do not say and nobody looked.
    video, frame
        The recording it was taken from, and the frame's index there; empty and None where it
        was taken from none.
    subject
        Who is seen, as a code; empty where unknown.
    copy_of
        Name of the image it was made from by augmentation; empty for an original.
    key
        Identifier in the file it was read from (COCO's ``id``); empty where it had none.
    """

    path: Path
    width: int | None = None
    height: int | None = None
    video: str = ""
    frame: int | None = None
    subject: str = ""
    copy_of: str = ""
    key: str = ""


@dataclass(frozen=True, eq=False)
class Labels:
    """Labelled people in images.

    Attributes
    ----------
    skeleton
        The keypoints' names and order.
    images
        Every image, also those that nobody is labelled in.
    image_index
        Shape ``(P,)``, intp: the image each person is in.
    keypoints_px
        Shape ``(P, K, 2)``, float64, pixels; NaN where a keypoint is not labelled.
    visibility
        Shape ``(P, K)``, int8: 0 not labelled, 1 labelled but hidden, 2 visible.
    boxes_px
        Shape ``(P, 4)``, float64: left and top edge, width, height, pixels; an image begins at
        the edge −0.5. NaN = no box.
    areas_px2
        Shape ``(P,)``, float64: area of the person's outline; NaN = not known.
    crowd
        Shape ``(P,)``, bool: a group that is not labelled one by one (COCO's ``iscrowd``).
    keys
        One identifier a person from the file it was read from (COCO's ``id``); empty where the
        file had none.
    """

    skeleton: Skeleton
    images: tuple[LabelledImage, ...]
    image_index: NDArray[np.intp]
    keypoints_px: NDArray[np.float64]
    visibility: NDArray[np.int8]
    boxes_px: NDArray[np.float64]
    areas_px2: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    keys: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        people, points = len(self.image_index), len(self.skeleton.keypoints)
        expected = {
            "image_index": (people,),
            "keypoints_px": (people, points, 2),
            "visibility": (people, points),
            "boxes_px": (people, 4),
            "areas_px2": (people,),
            "crowd": (people,),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise InputError(
                    f"labels: {name} has the shape {found}; {people} people with the "
                    f"{points} keypoints of '{self.skeleton.name}' need {shape}"
                )
        if self.keys and len(self.keys) != people:
            raise InputError(f"labels: {len(self.keys)} keys for {people} people")
        if people and not 0 <= self.image_index.min() <= self.image_index.max() < len(self.images):
            raise InputError(f"labels: image_index points beyond the {len(self.images)} images")
        labelled = self.visibility > UNLABELLED
        if np.isnan(self.keypoints_px[labelled]).any():
            raise InputError("labels: a labelled keypoint has no position")

    def __len__(self) -> int:
        return len(self.image_index)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Shape ``(P, K)``: which keypoints are labelled, hidden or visible."""
        return self.visibility > UNLABELLED

    def take(self, people: ArrayLike, *, keep_images: bool = False) -> Self:
        """Return some of the people.

        Parameters
        ----------
        people
            Indices, or a mask of shape ``(P,)``.
        keep_images
            Keep images in which nobody is left; otherwise they go.

        Returns
        -------
        Labels
            The people in the order given, the images in their old order.
        """
        index = np.asarray(people)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.intp)
        where = self.image_index[index]
        images = self.images
        if not keep_images:
            used = np.unique(where)
            images = tuple(self.images[i] for i in used)
            where = np.searchsorted(used, where)
        return replace(
            self,
            images=images,
            image_index=where.astype(np.intp),
            keypoints_px=self.keypoints_px[index],
            visibility=self.visibility[index],
            boxes_px=self.boxes_px[index],
            areas_px2=self.areas_px2[index],
            crowd=self.crowd[index],
            keys=tuple(self.keys[i] for i in index) if self.keys else (),
        )

    def take_images(self, images: ArrayLike) -> Self:
        """Return some of the images with everybody in them.

        Parameters
        ----------
        images
            Indices, or a mask of shape ``(len(images),)``.
        """
        chosen = np.asarray(images)
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.intp)
        place = np.full(len(self.images), -1, dtype=np.intp)
        place[chosen] = np.arange(len(chosen))
        kept = self.take(np.flatnonzero(place[self.image_index] >= 0), keep_images=True)
        return replace(
            kept,
            images=tuple(self.images[i] for i in chosen),
            image_index=place[kept.image_index],
        )


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model found in labelled images.

    Attributes
    ----------
    image_index
        Shape ``(P,)``, intp: the image of the labels each person was found in.
    keypoints_px
        Shape ``(P, K, 2)``, float64, image pixels; NaN = not found.
    confidence
        Shape ``(P, K)``, float64, 0–1; 0 where not found.
    scores
        Shape ``(P,)``, float64: how sure the model is of the person.
    person_index
        Shape ``(P,)``, intp: the labelled person it was asked about (top-down by labelled
        boxes); −1 where it was asked about the whole image.
    boxes_px
        Shape ``(P, 4)``, as in :class:`Labels`; NaN = the model gives none.
    """

    image_index: NDArray[np.intp]
    keypoints_px: NDArray[np.float64]
    confidence: NDArray[np.float64]
    scores: NDArray[np.float64]
    person_index: NDArray[np.intp]
    boxes_px: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.image_index)


def make_labels(
    skeleton: Skeleton,
    images: Sequence[LabelledImage],
    image_index: ArrayLike,
    keypoints_px: ArrayLike,
    visibility: ArrayLike,
    *,
    boxes_px: ArrayLike | None = None,
    areas_px2: ArrayLike | None = None,
    crowd: ArrayLike | None = None,
    keys: Sequence[str] = (),
) -> Labels:
    """Build labels from whatever arrays there are.

    Parameters
    ----------
    skeleton, images, image_index, keypoints_px, visibility, boxes_px, areas_px2, crowd, keys
        See :class:`Labels`. A keypoint that is not labelled becomes NaN; one that is NaN becomes
        not labelled. Boxes and areas left out are NaN, crowds left out are none.

    Returns
    -------
    Labels

    Raises
    ------
    InputError
        If shapes do not fit together or an index points beyond the images.
    """
    people, points = len(np.asarray(image_index)), len(skeleton.keypoints)
    columns = -1 if people else points  # nobody has any number of keypoints
    xy = np.array(keypoints_px, dtype=np.float64).reshape(people, columns, 2)
    seen = np.array(visibility, dtype=np.int8).reshape(people, columns)
    if xy.shape[1] != points or seen.shape[1] != points:
        raise InputError(
            f"labels: {xy.shape[1]} keypoints and {seen.shape[1]} visibilities a person; "
            f"the skeleton '{skeleton.name}' has {points}"
        )
    seen[~np.isfinite(xy).all(axis=-1)] = UNLABELLED
    xy[seen == UNLABELLED] = np.nan
    nothing = np.full((people, 4), np.nan)
    return Labels(
        skeleton=skeleton,
        images=tuple(images),
        image_index=np.array(image_index, dtype=np.intp).reshape(people),
        keypoints_px=xy,
        visibility=seen,
        boxes_px=nothing if boxes_px is None else np.array(boxes_px, np.float64).reshape(people, 4),
        areas_px2=nothing[:, 0] if areas_px2 is None else np.array(areas_px2, dtype=np.float64),
        crowd=np.zeros(people, bool) if crowd is None else np.array(crowd, dtype=bool),
        keys=tuple(keys),
    )
