"""Some of the people, or some of the keypoints, of a set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gonio.errors import InputError
from gonio.labels import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonio.labels import Labels
    from gonio.skeletons import Skeleton


def subset_people(
    labels: Labels,
    *,
    people: int | None = None,
    visible: Sequence[str] = (),
    labelled: Sequence[str] = (),
    min_area_px2: float | None = None,
    max_area_px2: float | None = None,
    seed: int = 0,
) -> Labels:
    """Keep the people that answer to every condition, and of those so many drawn at random.

    Parameters
    ----------
    labels
        The set.
    people
        At most so many; None: all. Whoever is drawn stays in the set's order.
    visible, labelled
        Names of keypoints that must all be visible, or labelled at least.
    min_area_px2, max_area_px2
        Bounds of the area: of the outline, else of the box. Who has neither is left out.
    seed
        Of the draw; the same seed draws the same people.

    Returns
    -------
    Labels
        Images in which nobody is left are gone.

    Raises
    ------
    UnknownNameError
        If the skeleton has no keypoint of a name.
    InputError
        If ``people`` is less than 1, or more than answer to the conditions; if nobody does.
    """
    index = labels.skeleton.index
    keep = (labels.visibility[:, [index(n) for n in visible]] == VISIBLE).all(axis=1)
    keep &= labels.labelled[:, [index(n) for n in labelled]].all(axis=1)
    if min_area_px2 is not None or max_area_px2 is not None:
        areas = _areas(labels)
        keep &= areas >= (0.0 if min_area_px2 is None else min_area_px2)
        keep &= areas <= (np.inf if max_area_px2 is None else max_area_px2)
    chosen = np.flatnonzero(keep)
    if not len(chosen):
        raise InputError(f"nobody of {len(labels)} answers to the conditions. {_advice(labels)}")
    if people is not None:
        if people < 1:
            raise InputError(f"people: {people} asked for, at least 1 is needed")
        if people > len(chosen):
            raise InputError(
                f"people: {people} asked for, but only {len(chosen)} of {len(labels)} answer to "
                "the conditions. Ask for fewer, or loosen them."
            )
        chosen = np.sort(np.random.default_rng(seed).permutation(chosen)[:people])
    return labels.take(chosen)


def restrict_skeleton(labels: Labels, skeleton: Skeleton) -> Labels:
    """Give labels another skeleton, keypoint by name.

    Parameters
    ----------
    labels
        The set.
    skeleton
        The wanted one. A point of it that the labels' skeleton derives from others (the neck
        from the shoulders) is their mean, visible where all of them are.

    Returns
    -------
    Labels
        Everybody stays, also those with nothing labelled any more; keypoints that the labels
        do not have are not labelled.

    Raises
    ------
    InputError
        If not one keypoint is in both.
    """
    theirs = labels.skeleton
    points = np.full((len(labels), len(skeleton.keypoints), 2), np.nan)
    seen = np.zeros(points.shape[:2], dtype=np.int8)
    found = 0
    for place, name in enumerate(skeleton.keypoints):
        parents = theirs.parents(name)
        if parents is None:
            continue
        found += 1
        columns = [theirs.index(parent) for parent in parents]
        points[:, place] = labels.keypoints_px[:, columns].mean(axis=1)
        seen[:, place] = labels.visibility[:, columns].min(axis=1)
    if not found:
        raise InputError(
            f"skeleton '{skeleton.name}' and the labels' '{theirs.name}' have no keypoint in "
            f"common (wanted: {', '.join(skeleton.keypoints)}; labelled: "
            f"{', '.join(theirs.keypoints)})"
        )
    return replace(labels, skeleton=skeleton, keypoints_px=points, visibility=seen)


def _advice(labels: Labels) -> str:
    if len(labels) and np.isnan(_areas(labels)).all():
        return "Nobody has an area: make boxes first (gonio data boxes), or leave the area out."
    return "Loosen them."


def _areas(labels: Labels) -> np.ndarray:
    boxes = labels.boxes_px[:, 2:].prod(axis=1)
    return np.where(np.isnan(labels.areas_px2), boxes, labels.areas_px2)
