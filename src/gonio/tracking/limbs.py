"""Limbs: the pairs of keypoints that a pose model confuses together.

A limb is a chain of joints on both sides of the body, from the trunk outward. What moves as one
(ankle, heel and toes) is a *unit*. A confusion exchanges left and right of some of the units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LimbName = Literal["leg", "arm"]
Pattern = tuple[bool, bool, bool]

_UNITS: Final[Mapping[LimbName, tuple[tuple[str, ...], ...]]] = {
    "leg": (("hip",), ("knee",), ("ankle", "heel", "small_toe", "big_toe", "foot_index")),
    "arm": (("shoulder",), ("elbow",), ("wrist", "pinky", "thumb", "index")),
}
_PATTERNS: Final[tuple[Pattern, ...]] = (
    (False, False, False),
    (True, True, True),
    (False, True, True),
    (False, False, True),
    (False, True, False),
    (True, True, False),
)
_PARTS: Final[Mapping[LimbName, tuple[str, ...]]] = {
    "leg": ("", "legs", "lower_legs", "feet", "knees", "thighs"),
    "arm": ("", "arms", "forearms", "hands", "elbows", "upper_arms"),
}
LIMB_NAMES: Final[tuple[LimbName, ...]] = tuple(_UNITS)
BONES: Final[tuple[tuple[int, int], ...]] = ((0, 1), (1, 2))
"""The units that a bone joins."""


@dataclass(frozen=True, eq=False)
class Limb:
    """One kind of limb of a skeleton, both sides.

    Attributes
    ----------
    name
        ``"leg"`` or ``"arm"``.
    left, right
        Shape ``(pair,)``: places of the keypoints in the skeleton.
    unit
        Shape ``(pair,)``: the unit of each pair, 0 nearest to the trunk.
    joints
        For each unit the pair that ends its bones; None where the skeleton has none.
    watched
        Pairs whose movement is followed: at most two of a unit, its joint and its end. The
        others are exchanged with them.
    patterns
        What may be exchanged, *as is* first: for each unit whether its sides are.
    parts
        What each pattern exchanges, in a word (``"lower_legs"``); empty for *as is*.
    """

    name: LimbName
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    unit: NDArray[np.intp]
    joints: tuple[int | None, ...]
    watched: NDArray[np.intp]
    patterns: tuple[Pattern, ...]
    parts: tuple[str, ...]

    @property
    def swapped(self) -> NDArray[np.bool_]:
        """Which pairs each pattern exchanges, shape ``(pattern, pair)``."""
        pairs: NDArray[np.bool_] = np.array(self.patterns)[:, self.unit]
        return pairs

    @property
    def structure(self) -> tuple[tuple[int, ...], tuple[Pattern, ...]]:
        """Units of the watched pairs, and patterns: limbs alike in both are searched together."""
        return tuple(self.unit[self.watched].tolist()), self.patterns

    def nearest(self, swapped: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Return the patterns that exchange as many of the given units as there is one for.

        Parameters
        ----------
        swapped
            Shape ``(time, unit)``: the units that should be exchanged.

        Returns
        -------
        NDArray
            Shape ``(time,)``: patterns that exchange nothing else.
        """
        table = np.zeros(8, np.int8)
        for code in range(8):
            wanted = [bool(code >> unit & 1) for unit in range(3)]
            fitting = [
                (sum(pattern), -i)
                for i, pattern in enumerate(self.patterns)
                if all(want or not have for want, have in zip(wanted, pattern, strict=True))
            ]
            table[code] = -max(fitting)[1]
        codes: NDArray[np.int8] = table[swapped @ np.array([1, 2, 4])]
        return codes


def find_limb(name: LimbName, keypoints: Sequence[str]) -> Limb | None:
    """Find a limb among keypoints.

    Parameters
    ----------
    name
        ``"leg"`` or ``"arm"``.
    keypoints
        Names, in the order of the arrays.

    Returns
    -------
    Limb or None
        None where there is no bone of the limb on both sides (hip and knee, say), so that
        nothing could serve as a measure.
    """
    place = {key: i for i, key in enumerate(keypoints)}
    pairs: list[tuple[int, int, int]] = []
    joints: list[int | None] = [None, None, None]
    for unit, parts in enumerate(_UNITS[name]):
        for part in parts:
            left, right = place.get(f"left_{part}"), place.get(f"right_{part}")
            if left is None or right is None:
                continue
            if part == parts[0]:
                joints[unit] = len(pairs)
            pairs.append((left, right, unit))
    if not any(joints[a] is not None and joints[b] is not None for a, b in BONES):
        return None
    columns = np.array(pairs, np.intp).T
    chosen = _distinct(columns[2])
    return Limb(
        name=name,
        left=columns[0],
        right=columns[1],
        unit=columns[2],
        joints=tuple(joints),
        watched=_ends(columns[2]),
        patterns=tuple(_PATTERNS[i] for i in chosen),
        parts=tuple(_PARTS[name][i] for i in chosen),
    )


def _distinct(unit: NDArray[np.intp]) -> list[int]:
    """Return the patterns that differ in what they do to the pairs that are there."""
    effects: dict[bytes, int] = {}
    for i, pattern in enumerate(_PATTERNS):
        effects.setdefault(np.array(pattern)[unit].tobytes(), i)
    return list(effects.values())


def _ends(unit: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the first and the last pair of each unit."""
    steps = np.diff(unit, prepend=-1) != 0
    return np.flatnonzero(steps | np.append(steps[1:], True))
