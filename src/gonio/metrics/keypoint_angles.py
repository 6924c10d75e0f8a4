"""Angles of predicted keypoints against angles of the labelled ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from gonio.analysis.angles import (
    angle_at_once,
    angle_names,
    angle_points,
    facing,
    find_angle,
    frontal_mirror,
    has_markers,
)
from gonio.metrics.agreement import bland_altman, cmc, icc21
from gonio.poses import make_poses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.analysis.angles import View
    from gonio.labels import Labels
    from gonio.skeletons import Skeleton

    Floats = NDArray[np.float64]

COLUMNS: Final = (
    "name", "n", "mae_deg", "rmse_deg", "n_facing", "bias_deg", "loa_low_deg", "loa_high_deg",
    "icc", "icc_low", "icc_high", "people", "cmc",
)  # fmt: skip
CURVE_FRAMES: Final = 10
"""Fewest labelled frames of one person that are taken for a curve."""


def keypoint_angle_errors(labels: Labels, predicted_px: Floats) -> pd.DataFrame:
    """Compare the angles of predicted people with those of the labelled ones.

    They are the sagittal ones; of markers seen from behind (rearfoot6), the rearfoot angles.

    Both are computed from keypoints by the same definitions, with the facing of the *labelled*
    person, so that an error is the keypoints' and not the facing's. The facing of a single image
    is told by the feet, or by the nose; where neither is labelled it is unknown, hence the
    sign of the angle and of its error: such a person counts in ``mae_deg`` and ``rmse_deg``
    only. The definitions hold for people seen from the side; nobody tells here who is.

    Parameters
    ----------
    labels
        The true people, P of them.
    predicted_px
        Shape ``(P, K, 2)``, image pixels: the prediction for each of them; NaN = not found.

    Returns
    -------
    pd.DataFrame
        A row for each angle that the skeleton gives; columns :data:`COLUMNS`: ``n`` images
        with both angles, mean absolute and root mean square error; over the ``n_facing`` whose
        facing is known bias and limits of agreement (repeated measures), ICC(2,1) of the
        means of ``people`` with its 95 % interval, and the mean CMC of those with at least
        :data:`CURVE_FRAMES` images. One person is what one subject, else one video, else one
        label is. NaN where there is too little to tell. Empty where the skeleton gives none.
    """
    skeleton = labels.skeleton
    of_markers = has_markers(skeleton)
    names = _names(skeleton, "rear" if of_markers else "sagittal")
    if not names or not len(labels):
        return pd.DataFrame({c: pd.Series(dtype=object if c == "name" else float) for c in COLUMNS})
    way = np.ones(len(labels), np.int8) if of_markers else _facing(labels)
    mirror = np.where(way == 0, 1.0, way)
    persons = _persons(labels)
    true, found = (
        _angles(skeleton, names, points, mirror) for points in (labels.keypoints_px, predicted_px)
    )
    rows = [_row(name, true[i], found[i], way != 0, persons) for i, name in enumerate(names)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _names(skeleton: Skeleton, view: View) -> list[str]:
    present, _ = angle_names(skeleton, view=view)
    return [n for n in present if find_angle(n)[0].seen_in(view)]


def _facing(labels: Labels) -> NDArray[np.int8]:
    points = labels.keypoints_px.transpose(2, 1, 0)[np.newaxis]
    poses = make_poses(
        points, np.ones(points.shape[:1] + points.shape[2:]), time_s=[0.0], skeleton=labels.skeleton
    )
    return np.asarray(facing(poses, labels.skeleton).values[0], dtype=np.int8)


def _persons(labels: Labels) -> NDArray[np.intp]:
    """Return a number for each label, alike where the same person is meant."""
    names = [image.subject or image.video for image in labels.images]
    keys = [names[i] or f"\0{place}" for place, i in enumerate(labels.image_index)]
    return np.asarray(np.unique(np.array(keys), return_inverse=True)[1], dtype=np.intp)


def _angles(
    skeleton: Skeleton, names: list[str], points_px: Floats, mirror: Floats
) -> list[Floats]:
    """Return each angle in degrees, shape ``(P,)``."""
    result = []
    for name in names:
        definition, side = find_angle(name)
        own = np.full_like(mirror, frontal_mirror(side, "rear")) if definition.markers else mirror
        corners = []
        for point in angle_points(name, skeleton) or ():
            parents = [skeleton.index(n) for n in skeleton.parents(point) or ()]
            corners.append(points_px[:, parents].mean(axis=1).T[np.newaxis])
        result.append(angle_at_once(definition, corners, own[np.newaxis])[0])
    return result


def _row(
    name: str, true: Floats, found: Floats, known: NDArray[np.bool_], persons: NDArray[np.intp]
) -> dict[str, object]:
    error = (found - true + 180.0) % 360.0 - 180.0
    both = np.isfinite(error)
    signed = both & known
    chosen = np.flatnonzero(signed)
    chosen = chosen[np.argsort(persons[chosen], kind="stable")]
    groups = np.split(chosen, np.flatnonzero(np.diff(persons[chosen])) + 1) if chosen.size else []
    limits = bland_altman([error[g] for g in groups])
    means = np.array([[true[g].mean(), (true[g] + error[g]).mean()] for g in groups])
    icc = icc21(means.reshape(-1, 2))
    curves = [cmc([true[g], true[g] + error[g]]) for g in groups if len(g) >= CURVE_FRAMES]
    every = error[both]
    return {
        "name": name,
        "n": int(both.sum()),
        "mae_deg": float(np.abs(every).mean()) if every.size else np.nan,
        "rmse_deg": float(np.sqrt(np.square(every).mean())) if every.size else np.nan,
        "n_facing": int(signed.sum()),
        "bias_deg": limits.bias,
        "loa_low_deg": limits.low,
        "loa_high_deg": limits.high,
        "icc": icc.value,
        "icc_low": icc.low,
        "icc_high": icc.high,
        "people": icc.subjects,
        "cmc": float(np.mean(curves)) if curves and np.isfinite(curves).all() else np.nan,
    }
