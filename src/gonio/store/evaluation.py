"""One analyzed recording in memory, and what of it was seen, missed and filled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from gonio.analysis.angles import angle_points
from gonio.poses import INDIVIDUALS, KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

EVENT_COLUMNS: Final = ("type", "side", "time_s", "person", "confidence", "origin")
CYCLE_COLUMNS: Final = ("person", "side", "cycle", "percent", "angle", "value_deg")


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """One analyzed recording.

    Attributes
    ----------
    name
        The evaluation's name: that of its folder.
    source
        ``path, sha256, width, height, frames, fps, duration_s`` and ``kind`` (``video``,
        ``image`` or ``images``); None where unknown.
    model
        ``name, version, sha256, provider``.
    protocol
        The resolved protocol.
    skeleton
        The keypoints' names and geometry.
    poses
        What the angles were computed from: processed tracks, pixels, NaN = not seen.
    raw
        The model's output with identities; the same people.
    angles
        ``angle_deg (time, angle, individuals)``, NaN = could not be measured, and ``facing
        (time, individuals)``: +1 right, −1 left, 0 unknown. Its people are ``chosen``.
    chosen
        Individuals that are reported, by name; empty where nobody was found.
    person_reason
        Why these, in words.
    events
        One row an event; columns ``type, side, time_s, person, confidence, origin``; ``person``
        is the individual's place in ``poses``.
    cycles
        One row an observation; columns ``person, side, cycle, percent, angle, value_deg``.
    repetitions, feedback
        One mapping an item.
    warnings
        Sentences a person should read before the numbers.
    timing
        ``wall_s, frames_per_s``.
    provenance
        ``gonio`` (version), ``python``, ``libraries``, ``command``, ``created`` (ISO 8601 with
        time zone), ``log`` (the operations).
    truth
        Known only for drawn people: ``mae_deg`` (joint → mean absolute error, degrees) and
        ``angles`` (a dataset like ``angles``; its first individual is compared with the first
        of ``chosen``). None for real recordings.
    """

    name: str
    source: Mapping[str, Any]
    model: Mapping[str, Any]
    protocol: Mapping[str, Any]
    skeleton: Skeleton
    poses: xr.Dataset
    raw: xr.Dataset
    angles: xr.Dataset
    chosen: Sequence[str]
    person_reason: str
    warnings: Sequence[str]
    timing: Mapping[str, float | None]
    provenance: Mapping[str, Any]
    events: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=EVENT_COLUMNS))
    cycles: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CYCLE_COLUMNS))
    repetitions: Sequence[Mapping[str, Any]] = ()
    feedback: Sequence[Mapping[str, Any]] = ()
    truth: Mapping[str, Any] | None = None

    def person_id(self, individual: str) -> int:
        """Return the number a person has in every file: the place in ``poses``, from 0."""
        return [str(name) for name in self.poses[INDIVIDUALS].values].index(individual)


def frames_seen(evaluation: Evaluation, individual: str) -> NDArray[np.bool_]:
    """Say in which frames the model saw a person.

    Parameters
    ----------
    evaluation
        The evaluation.
    individual
        The person's name.

    Returns
    -------
    ndarray
        Shape ``(time,)``: at least one keypoint has a position in ``raw``.
    """
    position = evaluation.raw["position"].sel({INDIVIDUALS: individual})
    seen: NDArray[np.bool_] = position.notnull().any(["space", KEYPOINTS]).to_numpy()
    return seen


def frames_in_view(evaluation: Evaluation, individual: str) -> NDArray[np.bool_]:
    """Say in which frames a person can be expected: from the first to the last one seen.

    An angle without a value in such a frame counts as missing; before the person enters the
    picture and after leaving it nothing is missing.

    Parameters
    ----------
    evaluation
        The evaluation.
    individual
        The person's name.

    Returns
    -------
    ndarray
        Shape ``(time,)``, bool; all False for a person who was never seen.
    """
    seen = frames_seen(evaluation, individual)
    in_view = np.zeros_like(seen)
    where = np.flatnonzero(seen)
    if where.size:
        in_view[where[0] : where[-1] + 1] = True
    return in_view


def is_filled(evaluation: Evaluation, angle: str, individual: str) -> NDArray[np.bool_]:
    """Say in which frames an angle rests on an interpolated or repaired point.

    Parameters
    ----------
    evaluation
        The evaluation.
    angle
        The angle's name, side last.
    individual
        The person's name.

    Returns
    -------
    ndarray
        Shape ``(time,)``, bool.
    """
    poses = evaluation.poses
    if "filled" not in poses:
        return np.zeros(poses.sizes["time"], dtype=bool)
    points = angle_points(angle, evaluation.skeleton) or ()
    parents = {p for name in points for p in evaluation.skeleton.parents(name) or ()}
    chosen = poses["filled"].sel({KEYPOINTS: sorted(parents), INDIVIDUALS: individual})
    filled: NDArray[np.bool_] = chosen.any(KEYPOINTS).to_numpy()
    return filled
