"""Left and right leg of markers seen from behind: told apart, or checked, never guessed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from gonio.errors import ConfigError, GonioWarning, InputError
from gonio.poses import INDIVIDUALS, KEYPOINTS, log_operation
from gonio.tracking.leg_splits import constrained_partition, reference_partition, way_costs
from gonio.tracking.series import positive

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Method = Literal["labels", "constrained", "reference"]

_MARKERS: Final = (
    ("calf", "achilles", "heel"),
    ("leg_upper", "leg_lower", "heel_upper", "heel_lower"),
)
_CONTRADICTED: Final = 0.5
_MOSTLY: Final = 0.5


def tell_legs_apart(
    poses: xr.Dataset, *, method: Method = "labels", max_bend_deg: float = 60.0
) -> xr.Dataset:
    """Tell the markers of the left leg from those of the right one, or check that they are.

    A frame in which that is not possible is hidden, so that no angle is made of it. The
    attributes ``view`` and ``mirrored`` say where the person's left is: at the picture's left
    from behind, at its right from the front or in a mirrored picture.

    Parameters
    ----------
    poses
        Poses of rearfoot6 or rearfoot8, pixels. NaN = not seen.
    method
        ``"labels"``: the names stand, so that missing markers and crossing legs cannot exchange
        the sides; where all markers are seen, :func:`constrained_partition` checks them.
        ``"constrained"``: the names are dropped; where all markers are seen and the parting is
        clear, the legs are named by their place and the markers from top to bottom.
        ``"reference"``: likewise by the rearfoot document's plain K-means, which fails where
        the legs are close; to compare with, not to measure.
    max_bend_deg
        A leg whose heel turns further from its line than this is none; degrees.

    Returns
    -------
    xr.Dataset
        NaN where a leg is hidden. The log counts frames: ``mixed`` (names contradict the
        places), ``unclear`` (not told apart), ``misshapen`` (legs bent too far or upside down)
        and ``crossed`` (calves on exchanged sides, kept); ``sides`` is ``agree``, ``exchanged``
        (in a picture said to be mirrored), ``disagree`` (the calves are on exchanged sides in
        most frames: everything is hidden) or ``unknown`` (never both legs).

    Raises
    ------
    ConfigError
        If the method is unknown or the bend no positive number.
    InputError
        If the poses have no such markers.

    Warns
    -----
    GonioWarning
        Of every frame hidden, of sides that disagree, and of a leg alone.
    """
    if method not in get_args(Method):
        known = ", ".join(get_args(Method))
        raise ConfigError(f"tell_legs_apart: method must be one of {known}, not '{method}'")
    max_bend_deg = positive("tell_legs_apart", "max_bend_deg", max_bend_deg)
    if not poses.sizes[INDIVIDUALS]:
        return log_operation(poses, "tell_legs_apart", method=method, max_bend_deg=max_bend_deg)
    columns = _columns(poses)
    left_first = (poses.attrs.get("view") != "frontal") != bool(poses.attrs.get("mirrored"))
    mirrored = bool(poses.attrs.get("mirrored"))
    people = []
    for person in range(poses.sizes[INDIVIDUALS]):
        points = poses["position"].values[:, :, columns, person].astype(np.float64)
        legs = _Legs(points.transpose(0, 2, 1))
        if method == "labels":
            legs.check_names()
        else:
            legs.name(constrained=method == "constrained", left_first=left_first)
        legs.check_shape(max_bend_deg)
        legs.check_sides(left_first=left_first, may_exchange=mirrored)
        people.append(legs)
    told = _apply(poses, columns, people)
    _warn(poses, people)
    return log_operation(
        told,
        "tell_legs_apart",
        method=method,
        max_bend_deg=max_bend_deg,
        **{k: sum(getattr(p, k) for p in people) for k in _COUNTS},
        sides={
            str(name): p.sides for name, p in zip(poses[INDIVIDUALS].values, people, strict=True)
        },
    )


_COUNTS: Final = ("mixed", "unclear", "misshapen", "crossed")


@dataclass
class _Legs:
    """One person's markers, left ones first, and what becomes of them.

    ``order (T, 2n)`` says which marker stands in each place, ``hidden (T, 2n)`` which are hidden.
    """

    points: Floats
    mixed: int = 0
    unclear: int = 0
    misshapen: int = 0
    crossed: int = 0
    sides: str = "unknown"

    def __post_init__(self) -> None:
        frames, count = self.points.shape[:2]
        self.n = count // 2
        self.order = np.tile(np.arange(count), (frames, 1))
        self.hidden = np.zeros((frames, count), bool)
        self.seen: Bools = np.isfinite(self.points.sum(axis=2))
        self.whole: Bools = np.isfinite(self.points.sum(axis=(1, 2)))

    def check_names(self) -> None:
        """Hide frames in which the places plainly speak against the names."""
        rows = np.flatnonzero(self.whole)
        across, bends = way_costs(self.points[rows])
        best = across.argmin(axis=1)
        each = np.arange(len(rows))
        wrong = (across[each, best] < _CONTRADICTED * across[:, 0]) & (
            bends[each, best] < _CONTRADICTED * bends[:, 0]
        )
        self.hidden[rows[wrong]] = True
        self.mixed = int(wrong.sum())

    def name(self, *, constrained: bool, left_first: bool) -> None:
        """Name markers by their places; hide frames in which that is not possible."""
        rows = np.flatnonzero(self.whole)
        points = self.points[rows]
        part = constrained_partition if constrained else reference_partition
        first, clear = part(points)
        rows, points, first = rows[clear], points[clear], first[clear]
        # From top to bottom within a leg; then the legs by their upper markers.
        height = np.where(first, points[..., 1], np.inf).argsort(axis=1, kind="stable")
        other = np.where(first, np.inf, points[..., 1]).argsort(axis=1, kind="stable")
        groups = np.stack([height[:, : self.n], other[:, : self.n]], axis=1)
        top_x = np.take_along_axis(points[..., 0], groups[:, :, 0], axis=1)
        swap = (top_x[:, 0] > top_x[:, 1]) == left_first
        groups[swap] = groups[swap, ::-1]
        told = np.zeros(len(self.points), bool)
        told[rows] = True
        self.order[rows] = groups.reshape(len(rows), 2 * self.n)
        self.points[rows] = np.take_along_axis(points, self.order[rows][..., None], axis=1)
        untold = ~told & self.seen.any(axis=1)
        self.hidden[untold] = True
        self.unclear = int(untold.sum())

    def check_shape(self, max_bend_deg: float) -> None:
        """Hide legs that are bent as none is, or stand on their head."""
        wrong = np.zeros(len(self.points), bool)
        for side in range(2):
            own = slice(side * self.n, (side + 1) * self.n)
            leg = self.points[:, own]
            upper, lower = leg[:, 1] - leg[:, 0], leg[:, -1] - leg[:, -2]
            cross = upper[:, 0] * lower[:, 1] - upper[:, 1] * lower[:, 0]
            bend = np.abs(np.rad2deg(np.arctan2(cross, (upper * lower).sum(axis=1))))
            down = leg[:, -1, 1] - leg[:, 0, 1]
            with np.errstate(invalid="ignore"):
                bad: Bools = (bend > max_bend_deg) | (down <= 0)
            bad = bad & ~self.hidden[:, own.start]
            self.hidden[bad, own] = True
            wrong |= bad
        self.misshapen = int(wrong.sum())

    def check_sides(self, *, left_first: bool, may_exchange: bool) -> None:
        """Compare the calves' places with where left and right are to be."""
        x = np.where(self.hidden | ~self.seen_now(), np.nan, self.points[..., 0])
        apart = x[:, self.n :] - x[:, : self.n]  # (T, n): right − left, from top to bottom
        known = np.isfinite(apart)
        rows = np.flatnonzero(known.any(axis=1))
        if not rows.size:
            return
        top = apart[rows, known[rows].argmax(axis=1)]
        exchanged = (top > 0) != left_first
        if exchanged.mean() <= _MOSTLY:
            self.sides, self.crossed = "agree", int(exchanged.sum())
            return
        if may_exchange:
            self.sides, self.crossed = "exchanged", int((~exchanged).sum())
            self.order = np.roll(self.order, self.n, axis=1)
            self.hidden = np.roll(self.hidden, self.n, axis=1)
            return
        self.sides = "disagree"
        self.hidden[:] = True

    def seen_now(self) -> Bools:
        """Say which markers are seen in their present order."""
        return np.take_along_axis(self.seen, self.order, axis=1)

    def alone(self) -> str:
        """Return the side of a leg that is the only one ever seen; empty where both are."""
        seen = self.seen_now()
        left, right = bool(seen[:, : self.n].any()), bool(seen[:, self.n :].any())
        return "" if left == right else "left" if left else "right"


def _columns(poses: xr.Dataset) -> list[int]:
    given = [str(name) for name in poses[KEYPOINTS].values]
    for markers in _MARKERS:
        names = [f"{side}_{marker}" for side in ("left", "right") for marker in markers]
        if set(names) <= set(given):
            return [given.index(name) for name in names]
    raise InputError(
        "tell_legs_apart needs the markers of rearfoot6 or rearfoot8; these points are "
        f"{', '.join(given[:4])}…, of '{poses.attrs.get('skeleton', 'another skeleton')}'. "
        "Give a model or tracks of legs seen from behind, or another protocol."
    )


def _apply(poses: xr.Dataset, columns: list[int], people: list[_Legs]) -> xr.Dataset:
    changed = {}
    for name in ("position", "confidence", "covariance", "filled"):
        if name not in poses:
            continue
        values = np.moveaxis(poses[name].values.copy(), (-2, -1), (1, 2))  # (T, K, I, ...)
        empty = False if values.dtype == bool else np.nan
        for person, legs in enumerate(people):
            own = values[:, columns, person]
            index = legs.order.reshape(*legs.order.shape, *(1,) * (own.ndim - 2))
            own = np.take_along_axis(own, index, axis=1)
            if name != "confidence":
                own[legs.hidden] = empty
            values[:, columns, person] = own
        changed[name] = (poses[name].dims, np.moveaxis(values, (1, 2), (-2, -1)))
    return poses.assign(changed)


def _warn(poses: xr.Dataset, people: list[_Legs]) -> None:
    for name, legs in zip(poses[INDIVIDUALS].values, people, strict=True):
        for message in _messages(legs, len(legs.points)):
            warnings.warn(f"{name}: {message}", GonioWarning, stacklevel=3)


def _messages(legs: _Legs, frames: int) -> list[str]:
    def told(count: int) -> str:
        return "the picture" if frames == 1 else f"{count} of {frames} frames"

    found = []
    if legs.sides == "disagree":
        found.append(
            "sides disagree: the leg named left stands where the right one should be. The "
            "recording is mirrored or seen from the other side, the names are exchanged, or the "
            "legs cross; nothing was measured. A protocol with 'mirrored: true' (or another "
            "'view') measures such a recording."
        )
    if legs.mixed:
        found.append(
            f"sides disagree in {told(legs.mixed)}: markers named alike lie on different legs. "
            "These were not measured."
        )
    if legs.unclear:
        found.append(
            f"the legs could not be told apart in {told(legs.unclear)}: markers are missing, or "
            "the legs cross or lie upon each other. These were not measured."
        )
    if legs.misshapen:
        found.append(
            f"markers in {told(legs.misshapen)} make no leg (bent too far, or upside down). That "
            "leg was not measured there."
        )
    if legs.crossed:
        found.append(f"the legs cross in {told(legs.crossed)}; the names were trusted there.")
    if side := legs.alone():
        found.append(
            f"only the {side} leg was seen: without the other beside it, its side is the "
            "model's word alone."
        )
    return found
