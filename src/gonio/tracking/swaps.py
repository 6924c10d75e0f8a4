"""Left/right swap repair: a model that confuses the legs, or the arms, is put right.

Seen from the side, pose models exchange left and right of a limb for single frames or short
stretches, mostly where the limbs cross. An exchange leaves the middle of each pair of points
where it is and turns their difference round; :mod:`gonio.tracking.swap_evidence` measures what
speaks for that, :mod:`gonio.tracking.swap_path` finds the sequence of exchanges that fits best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import UnknownNameError
from gonio.poses import INDIVIDUALS, KEYPOINTS, log_operation
from gonio.tracking.limbs import LIMB_NAMES, Limb, find_limb
from gonio.tracking.series import positive
from gonio.tracking.swap_evidence import gather_evidence
from gonio.tracking.swap_path import find_swaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.tracking.swap_evidence import Evidence

    Stretches = dict[str, list[list[float]]]

# Frames of all limbs that are searched side by side: each needs about 0.3 kB.
_FRAMES_TOGETHER: Final = 100_000
_POINT_DIMS = ("time", KEYPOINTS, INDIVIDUALS)


def repair_swaps(
    poses: xr.Dataset,
    *,
    limbs: Sequence[str] = LIMB_NAMES,
    max_stretch_s: float = 2.0,
    caution: float = 1.0,
) -> xr.Dataset:
    """Exchange left and right of a limb back where the model confused them.

    Each frame of a limb is *as is* or one of five exchanges (the whole limb; all below the hip or
    shoulder; the foot or hand; the knee or elbow alone; all above the foot or hand). The sequence
    of least total price is searched by the Viterbi algorithm, in time linear in the number of
    frames. Prices are the surprise of a constant-velocity filter at each left/right difference
    (leveling off, so that an outlier is no proof; less for points of low confidence, and where
    the middle of a pair jumps, which an exchange cannot cause), bones of a wrong length, every
    change, and every frame that is not as the model said. What is exchanged is what the search
    forward *and* backward in time finds: where limbs lie over each other and cannot be told
    apart, they stay as they are.

    Parameters
    ----------
    poses
        Poses, as a rule the model's output with identities. A pair of points of which one is NaN
        says nothing. Over gaps the evidence lapses.
    limbs
        ``"leg"``, ``"arm"``, or both.
    max_stretch_s
        Longest stretch that is repaired, seconds. A longer one stays as it is: tracks alone
        cannot say which of two long stretches is the exchanged one.
    caution
        Multiplies the price of changes and exchanges: 2 repairs only what is plainer, 0.5 also
        what is likely.

    Returns
    -------
    xr.Dataset
        Position, confidence and covariance of the repaired points exchanged, and ``filled`` true
        there. The log holds the number of frames in which a limb was repaired, summed over
        people and limbs, and ``stretches``: person → what was exchanged (``"legs"``,
        ``"lower_legs"``, ``"feet"``, ``"knees"``, ``"thighs"``; ``"arms"``, ``"forearms"``,
        ``"hands"``, ``"elbows"``, ``"upper_arms"``) → times of the first and last frame of each
        stretch, seconds.

    Raises
    ------
    ConfigError
        If a setting is no positive number.
    UnknownNameError
        If a limb is unknown.

    Notes
    -----
    What a model gets wrong from beginning to end cannot be known from its tracks. A skeleton
    without both sides of two neighboring joints (``gait6``) passes unchanged.
    """
    longest_s = positive("repair_swaps", "max_stretch_s", max_stretch_s)
    caution = positive("repair_swaps", "caution", caution)
    names = [limbs] if isinstance(limbs, str) else list(limbs)
    for name in names:
        if name not in LIMB_NAMES:
            raise UnknownNameError("limb", str(name), LIMB_NAMES, where="repair_swaps")
    keypoints = [str(name) for name in poses[KEYPOINTS].values]
    chains = [limb for n in names if (limb := find_limb(n, keypoints)) is not None]  # type: ignore[arg-type]
    repair = _Repair(poses, longest_s, caution)
    repair.limbs(chains)
    return log_operation(
        repair.result(),
        "repair_swaps",
        limbs=[limb.name for limb in chains],
        max_stretch_s=longest_s,
        caution=caution,
        repaired=repair.frames,
        stretches=repair.stretches,
    )


class _Repair:
    """A copy of the poses that is put right limb by limb."""

    def __init__(self, poses: xr.Dataset, longest_s: float, caution: float) -> None:
        self._poses = poses
        self._longest_s = longest_s
        self._caution = caution
        self._people = [str(name) for name in poses[INDIVIDUALS].values]
        self._time_s: NDArray[np.float64] = poses["time"].values.astype(np.float64)
        changed = [n for n in ("position", "confidence", "covariance", "filled") if n in poses]
        # Keypoints and individuals are the last two dimensions of them all.
        self._values: dict[str, NDArray[Any]] = {n: poses[n].values.copy() for n in changed}
        if "filled" not in self._values:
            shape = self._values["confidence"].shape
            self._values["filled"] = np.zeros(shape, bool)
        self.frames = 0
        self.stretches: dict[str, Stretches] = {}

    def limbs(self, chains: Sequence[Limb]) -> None:
        """Find and repair everybody's limbs, as many side by side as memory allows."""
        frames = len(self._time_s)
        if frames < 3:
            return
        people = range(self._values["position"].shape[-1])
        every = [(place, limb) for place in people for limb in chains]
        together = max(_FRAMES_TOGETHER // frames, 1)
        for first in range(0, len(every), together):
            some = every[first : first + together]
            for (place, limb), found in zip(some, self._find(some), strict=True):
                if found is not None:
                    self._put_right(limb, place, found)

    def _find(self, some: Sequence[tuple[int, Limb]]) -> list[NDArray[np.int8] | None]:
        """Return each limb's patterns over time; None where it was never seen."""
        frame_s = float(np.median(np.diff(self._time_s)))
        position, confidence = self._values["position"], self._values["confidence"]
        evidence: dict[int, Evidence] = {}
        alike: dict[Any, list[int]] = {}
        for i, (place, limb) in enumerate(some):
            own = gather_evidence(limb, position[..., place], confidence[..., place], frame_s)
            if own is not None:
                evidence[i] = own
                alike.setdefault(limb.structure, []).append(i)
        patterns: list[NDArray[np.int8] | None] = [None] * len(some)
        for group in alike.values():
            found = find_swaps(
                some[group[0]][1],
                [evidence[i] for i in group],
                self._time_s,
                frame_s=frame_s,
                longest_s=self._longest_s,
                caution=self._caution,
            )
            for i, own_patterns in zip(group, found, strict=True):
                patterns[i] = _without_long(own_patterns, self._time_s, frame_s, self._longest_s)
        return patterns

    def _put_right(self, limb: Limb, place: int, found: NDArray[np.int8]) -> None:
        self.frames += int(np.count_nonzero(found))
        listed = _list_stretches(limb, found, self._time_s)
        if listed:
            self.stretches.setdefault(self._people[place], {}).update(listed)
        for pair, (left, right) in enumerate(zip(limb.left, limb.right, strict=True)):
            at = np.flatnonzero(limb.swapped[found, pair])
            if at.size:
                self._exchange(at, int(left), int(right), place)

    def _exchange(self, at: NDArray[np.intp], left: int, right: int, place: int) -> None:
        for values in self._values.values():
            was_left = values[at, ..., left, place].copy()
            values[at, ..., left, place] = values[at, ..., right, place]
            values[at, ..., right, place] = was_left
        for point in (left, right):
            seen = np.isfinite(self._values["position"][at, :, point, place]).all(axis=1)
            self._values["filled"][at, point, place] |= seen

    def result(self) -> xr.Dataset:
        """Return the repaired poses."""
        result = self._poses.assign(filled=(_POINT_DIMS, self._values.pop("filled")))
        return result.assign(
            {name: result[name].copy(data=values) for name, values in self._values.items()}
        )


def _runs(values: NDArray[np.int8]) -> list[tuple[int, int, int]]:
    """Return the runs of equal values other than 0: value, first, last."""
    steps = np.flatnonzero(np.diff(values)) + 1
    first = np.concatenate([[0], steps])
    last = np.concatenate([steps, [len(values)]]) - 1
    at = np.flatnonzero(values[first])
    return list(zip(values[first[at]].tolist(), first[at].tolist(), last[at].tolist(), strict=True))


def _without_long(
    found: NDArray[np.int8], time_s: NDArray[np.float64], frame_s: float, longest_s: float
) -> NDArray[np.int8]:
    """Return the patterns with stretches that are too long set to *as is*."""
    kept = found.copy()
    for _, first, last in _runs((found > 0).astype(np.int8)):
        if time_s[last] - time_s[first] + frame_s > longest_s + 1e-6:
            kept[first : last + 1] = 0
    return kept


def _list_stretches(limb: Limb, found: NDArray[np.int8], time_s: NDArray[np.float64]) -> Stretches:
    listed: Stretches = {}
    for pattern, first, last in _runs(found):
        span = [round(float(time_s[first]), 3), round(float(time_s[last]), 3)]
        listed.setdefault(limb.parts[pattern], []).append(span)
    return listed
