"""Whom to measure: one person, all, or nobody, with the reason in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.errors import InputError, UnknownNameError
from gonio.poses import INDIVIDUALS
from gonio.tracking.series import seen_points

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

PERSON_RULES: Final = ("largest", "longest", "confident", "all")
"""Rules by name; an index (``"0"``) is a rule too."""

_WHY: Final = {
    "largest": "the one seen largest",
    "longest": "the one seen longest",
    "confident": "the one whose points the model was surest of",
}
_MOMENT = 0.25
_ALIKE_CONFIDENCE, _ALIKE_TIME = 0.05, 0.05
_ARM = re.compile(r"elbow|wrist|pinky|thumb|hand|(left|right)_index")


@dataclass(frozen=True)
class Choice:
    """Who is measured, and why.

    Attributes
    ----------
    individuals
        Names, in order of appearance; empty where nobody was seen.
    reason
        One or two sentences for the report; people are called ``Person 0``.
    """

    individuals: list[str]
    reason: str


def choose_person(poses: xr.Dataset, skeleton: Skeleton, rule: str | int = "largest") -> Choice:
    """Choose whom to measure.

    Parameters
    ----------
    poses
        Poses of all people.
    skeleton
        Says which keypoints make up a person's size (arms do not: they can be raised).
    rule
        ``"largest"``: the largest median size; ``"longest"``: seen in the most frames;
        ``"confident"``: the highest median confidence; ``"all"``; or an index, counted from 0
        in order of appearance. For ``largest`` and ``confident`` only those count who were seen
        at least a quarter as long as the one seen longest: a moment never wins. Nor does a
        trifle: whose confidence differs by at most 0.05, or time by at most 5 %, from the
        best is alike, and the largest of them is taken.

    Returns
    -------
    Choice
        Empty where nobody was seen, or where the index's person was not.

    Raises
    ------
    UnknownNameError
        If the rule is unknown.
    InputError
        If the index is negative, or the recording has no person of it.
    """
    names = [str(n) for n in poses[INDIVIDUALS].values]
    index = check_person_rule(rule)
    if not names:
        return Choice([], "Nobody was seen.")
    if index is not None:
        if index >= len(names):
            has = f"{len(names)} (0–{len(names) - 1})" if len(names) > 1 else "only person 0"
            raise InputError(
                f"person {index} was asked for, but the recording has {has}. Choose another, or "
                "analyze with --person all once: from its poses.nc (--from-poses) anyone can then "
                "be chosen without finding people again."
            )
        return Choice([names[index]], f"{_called(names[index])} was asked for.")
    seen = seen_points(poses)
    frames = seen.any(axis=1).sum(axis=0)
    if not frames.any():
        return Choice([], "Nobody was seen.")
    if rule == "all":
        found = [name for name, n in zip(names, frames, strict=True) if n]
        several = f"All {len(found)} people found were measured."
        return Choice(found, several if len(found) > 1 else "The only person found was measured.")
    size_px = _sizes(poses, skeleton)
    confidence = _confidences(poses, seen)
    score = {"largest": size_px, "longest": frames, "confident": confidence}[str(rule)]
    counts = frames >= (1 if rule == "longest" else _MOMENT * frames.max())
    score = np.where(counts, score, -1.0)
    least = {
        "confident": score.max() - _ALIKE_CONFIDENCE,
        "longest": (1 - _ALIKE_TIME) * score.max(),
    }
    alike = score >= least.get(str(rule), np.inf)
    order = np.lexsort((-frames, -size_px, -np.where(alike, score.max(), score)))
    people = [
        (
            _called(names[i]),
            f"about {size_px[i]:.0f} pixels large, confidence {confidence[i]:.2f}, seen in "
            + ("1 frame" if frames[i] == 1 else f"{frames[i]:,} frames")
            + ("" if counts[i] else ", too briefly to be chosen"),
        )
        for i in order
        if frames[i]
    ]
    return Choice([names[order[0]]], _told(str(rule), people, alike=int(alike.sum())))


def _told(rule: str, people: list[tuple[str, str]], *, alike: int) -> str:
    """Say who won and by which rule; ``people`` are names and what is known of them."""
    (winner, known), *others = people
    if not others:
        return f"{winner}, the only one found, was measured ({known})."
    why = f"of the {len(people)} people found, {_WHY[rule]}"
    if alike > 1:
        why += f", the first {alike} being alike in this and the largest of them taken"
    rest = "; ".join(f"{name} ({what})" for name, what in others)
    return f"{winner} was measured: {why} ({known}). Not measured: {rest}."


def _called(name: str) -> str:
    return name.replace("_", " ").capitalize()


def check_person_rule(rule: str | int) -> int | None:
    """Check a rule without poses.

    Parameters
    ----------
    rule
        See :func:`choose_person`.

    Returns
    -------
    int or None
        The index, where the rule is one.

    Raises
    ------
    UnknownNameError
        If the rule is unknown.
    InputError
        If the index is negative.
    """
    if isinstance(rule, int) or re.fullmatch(r"-?\d+", rule.strip()):
        index = int(rule)
        if index < 0:
            raise InputError(f"person {index}: people count from 0, in order of appearance")
        return index
    if rule not in PERSON_RULES:
        raise UnknownNameError("person rule", rule, [*PERSON_RULES, "<index>"])
    return None


def _sizes(poses: xr.Dataset, skeleton: Skeleton) -> NDArray[np.float64]:
    """Return each person's median size: the longer side of the box around trunk, head and legs."""
    body = [i for i, name in enumerate(skeleton.keypoints) if not _ARM.search(name)]
    position = poses["position"].values[:, :2, body or slice(None)]
    hidden = np.isnan(position)
    top = np.where(hidden, -np.inf, position).max(axis=2, initial=-np.inf)
    low = np.where(hidden, np.inf, position).min(axis=2, initial=np.inf)
    side = (top - low).max(axis=1)
    return np.array([np.median(s[s >= 0]) if (s >= 0).any() else 0.0 for s in side.T])


def _confidences(poses: xr.Dataset, seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return each person's median confidence over the keypoints seen."""
    values = np.nan_to_num(poses["confidence"].values)
    people = range(seen.shape[2])
    return np.array(
        [np.median(values[..., i][s]) if (s := seen[..., i]).any() else 0.0 for i in people]
    )
