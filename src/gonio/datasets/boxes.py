"""Boxes made from keypoints: their extent and a buffer, as clinics' own labels often need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gonio.errors import InputError

if TYPE_CHECKING:
    from gonio.labels import Labels


def boxes_from_keypoints(
    labels: Labels, *, buffer_px: float = 0.0, buffer: float = 0.0, clip: bool = True
) -> Labels:
    """Replace everybody's box by the extent of their labelled keypoints and a buffer.

    Parameters
    ----------
    labels
        The set.
    buffer_px
        Added on each side, pixels. The rearfoot document found 80 best of 20, 40, 80 and 100.
    buffer
        Added on each side too, as a fraction of the extent's longer side.
    clip
        Whether boxes end at the image's edges, where its size is known.

    Returns
    -------
    Labels
        Areas of outlines stay. The box of somebody without labelled keypoints is NaN, and so is
        one that would have no area: a single keypoint needs a buffer.

    Raises
    ------
    InputError
        If a buffer is negative or not finite.
    """
    for name, value in (("buffer_px", buffer_px), ("buffer", buffer)):
        if not 0 <= value < np.inf:
            raise InputError(f"{name}: {value} given, a number of at least 0 is needed")
    seen = np.where(labels.labelled[..., None], labels.keypoints_px, np.nan)
    low, high = _least(seen), -_least(-seen)
    margin = buffer_px + buffer * (high - low).max(axis=1, initial=0.0)[:, None]
    low, high = low - margin, high + margin
    if clip:
        edges = _edges(labels)[labels.image_index]
        low, high = np.maximum(low, -0.5), np.minimum(high, edges)
    boxes = np.concatenate([low, high - low], axis=1)
    boxes[~(boxes[:, 2:] > 0).all(axis=1)] = np.nan
    return replace(labels, boxes_px=boxes)


def _least(points: np.ndarray) -> np.ndarray:
    """Return the least x and y of each person, NaN where nothing is labelled."""
    least = np.where(np.isnan(points), np.inf, points).min(axis=1, initial=np.inf)
    return np.where(np.isinf(least), np.nan, least)


def _edges(labels: Labels) -> np.ndarray:
    """Return each image's right and bottom edge; infinite where its size is not known."""
    sizes = [(i.width or np.inf, i.height or np.inf) for i in labels.images]
    return np.array(sizes, dtype=np.float64).reshape(-1, 2) - 0.5
