"""What the figures and tables of a report show, ready to be drawn.

Both renderers (Plotly and matplotlib) draw this and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gonio.analysis.side_view import turned_share
from gonio.poses import INDIVIDUALS
from gonio.report.wording import WORDS, AngleWords, Side, split_side, words_of
from gonio.store import angle_table, frames_in_view, frames_seen, is_filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from gonio.store import Evaluation

MOST_POINTS: Final = 2000
COLORS: Final[dict[Side, str]] = {"left": "#0072B2", "right": "#D55E00", "middle": "#555555"}
"""Of a side, on white: the darker blue and orange of Okabe and Ito's palette, whose lighter ones
:mod:`gonio.video` draws over pictures."""
INK: Final = "#1f2a33"
"""Of words and of true curves."""

SIDE_VIEWS: Final = frozenset({"sagittal", "any"})

_LEAST_SPAN_DEG = 30.0
_MARGIN = 0.06
_MOSTLY_MISSING = 0.8
_SURELY_SIDEWAYS = 0.1


@dataclass(frozen=True, eq=False)
class Curve:
    """One angle over time, decimated for drawing.

    Attributes
    ----------
    name
        For hover and legend: ``left``, ``right``, ``left, filled``, ``left, gap``,
        ``left, true``.
    side
        Decides the color.
    kind
        ``measured``; ``filled``: rests on interpolated or repaired points; ``gap``: joins the
        values on either side of a stretch without any; ``true``: known by construction.
    time_s, value_deg
        Shape ``(point,)``, at most 2,000; NaN breaks the line: the angle could not be measured.
    """

    name: str
    side: Side
    kind: Literal["measured", "filled", "gap", "true"]
    time_s: NDArray[np.float64]
    value_deg: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Panel:
    """One plot: a joint or segment of a person, left and right together.

    Attributes
    ----------
    person
        The person's number.
    base
        The angle's name without side.
    words
        What the angle and its signs are called.
    curves
        What to draw, in order.
    range_deg
        Lower and upper end of the vertical axis; spans at least 30° so that noise does not
        look like movement.
    """

    person: int
    base: str
    words: AngleWords
    curves: Sequence[Curve]
    range_deg: tuple[float, float]


@dataclass(frozen=True, eq=False)
class PersonSeen:
    """When a person was in the picture.

    Attributes
    ----------
    individual, number
        Name and number.
    seen, lost
        Frames in which the model saw the person, and frames between the first and the last
        such frame in which it did not.
    from_s, to_s
        First and last time, seconds; NaN if never seen.
    near_side
        The side turned to the camera, from the facing; None where it is not certain: the facing
        changes, the view is not told to be sagittal, or the person is often turned out of it.
    """

    individual: str
    number: int
    seen: int
    lost: int
    from_s: float
    to_s: float
    near_side: Literal["left", "right"] | None


@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything that is drawn or tabulated.

    Attributes
    ----------
    panels
        Plots, legs first, segments last, person by person; angles without a value have none.
    ranges
        :func:`gonio.store.angle_table`, rows without a value left out, with ``min_s`` and
        ``max_s``: when the extremes were reached, seconds. Values and times of an angle that is
        missing in more than 80 % of the frames in view are NaN: its range would mislead.
    absent
        Unsided names of the angles that have no value at all.
    people
        The chosen people.
    thinned
        Whether the curves have fewer points than the recording has frames.
    start_s
        When the first angle could be measured, seconds; the recording's start where none was.
    """

    panels: Sequence[Panel]
    ranges: pd.DataFrame
    absent: Sequence[str]
    people: Sequence[PersonSeen]
    thinned: bool
    start_s: float


def prepare(evaluation: Evaluation) -> ReportData:
    """Prepare the data of every figure and table.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    ReportData
    """
    ranges = _ranges(evaluation)
    bases = _in_report_order({split_side(str(n))[0] for n in evaluation.angles["angle"].values})
    panels = [
        panel
        for individual in evaluation.chosen
        for base in bases
        if (panel := _panel(evaluation, individual, base)) is not None
    ]
    shown = {panel.base for panel in panels}
    return ReportData(
        panels=panels,
        ranges=ranges,
        absent=[base for base in bases if base not in shown],
        people=[_person(evaluation, individual) for individual in evaluation.chosen],
        thinned=evaluation.angles.sizes["time"] > MOST_POINTS,
        start_s=_start_s(evaluation),
    )


def decimate(value: NDArray[np.float64], most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Choose the samples that a line needs to look like all of them.

    Of each bin of neighboring samples the least, the greatest and, where it has a gap, one NaN
    are kept, and the first and last sample of the series: short peaks and breaks stay visible.

    Parameters
    ----------
    value
        Shape ``(time,)``; NaN = no value.
    most
        The most samples to keep, at least 5.

    Returns
    -------
    ndarray
        Indices into ``value``, ascending; all of them where they are few enough.
    """
    count = len(value)
    if count <= most:
        return np.arange(count)
    bins = (most - 2) // 3
    size = -(-count // bins)
    padded = np.append(value, np.full(-count % size, np.nan)).reshape(-1, size)
    start = np.arange(len(padded)) * size
    known = np.isfinite(padded)
    lowest = start + np.where(known, padded, np.inf).argmin(axis=1)
    highest = start + np.where(known, padded, -np.inf).argmax(axis=1)
    gap = start + known.argmin(axis=1)
    kept = np.concatenate(
        [
            [0, count - 1],
            lowest[known.any(axis=1)],
            highest[known.any(axis=1)],
            gap[~known.all(axis=1)],
        ]
    )
    return np.unique(kept[kept < count]).astype(np.intp)


def _ranges(evaluation: Evaluation) -> pd.DataFrame:
    table = angle_table(evaluation)
    table = table[table["max_deg"].notna()].reset_index(drop=True)
    time_s = evaluation.angles["time"].to_numpy()
    for column, place in (("min_s", np.nanargmin), ("max_s", np.nanargmax)):
        table[column] = [
            float(time_s[place(_values(evaluation.angles, angle, individual))])
            for angle, individual in zip(table["angle"], table["individual"], strict=True)
        ]
    told = [name for name in table.columns if name.endswith(("_deg", "_s"))]
    table.loc[table["missing"] > _MOSTLY_MISSING, told] = np.nan
    return table


def _start_s(evaluation: Evaluation) -> float:
    time_s = evaluation.angles["time"].to_numpy()
    known = np.isfinite(evaluation.angles["angle_deg"].to_numpy()).any(axis=(1, 2))
    return float(time_s[known.argmax()]) if time_s.size else 0.0


def _panel(evaluation: Evaluation, individual: str, base: str) -> Panel | None:
    names = [n for n in evaluation.angles["angle"].values if split_side(str(n))[0] == base]
    curves: list[Curve] = []
    for name in sorted(str(n) for n in names):
        curves += _curves(evaluation, individual, name)
    if not curves:
        return None
    curves.sort(key=lambda curve: curve.kind != "measured")
    values = np.concatenate([curve.value_deg for curve in curves])
    return Panel(
        person=evaluation.person_id(individual),
        base=base,
        words=words_of(base),
        curves=curves,
        range_deg=_vertical_range(values),
    )


def _curves(evaluation: Evaluation, individual: str, name: str) -> list[Curve]:
    value = _values(evaluation.angles, name, individual)
    if not np.isfinite(value).any():
        return []
    side = split_side(name)[1]
    label = "angle" if side == "middle" else side
    filled = is_filled(evaluation, name, individual) & np.isfinite(value)
    kept = decimate(value)
    time_s, value = evaluation.angles["time"].to_numpy()[kept], value[kept]
    filled = filled[kept]
    curves = [Curve(label, side, "measured", time_s, np.where(filled, np.nan, value))]
    if filled.any():
        curves.append(_filled_curve(label, side, time_s, value, filled))
    curves += _gap_curve(label, side, time_s, value)
    true = (evaluation.truth or {}).get("angles")
    if true is not None and individual == evaluation.chosen[0] and name in true["angle"].values:
        known = _values(true, name, str(true[INDIVIDUALS].values[0]))
        kept = decimate(known)
        times = true["time"].to_numpy()[kept]
        curves.append(Curve(f"{label}, true", side, "true", times, known[kept]))
    return curves


def _filled_curve(
    label: str,
    side: Side,
    time_s: NDArray[np.float64],
    value: NDArray[np.float64],
    filled: NDArray[np.bool_],
) -> Curve:
    """Return the filled stretches with a sample more at either end, so that they join up."""
    joined = filled.copy()
    joined[1:] |= filled[:-1]
    joined[:-1] |= filled[1:]
    breaks = ~joined & np.append(joined[1:], False)
    kept = joined | breaks
    values = np.where(joined, value, np.nan)
    return Curve(f"{label}, filled", side, "filled", time_s[kept], values[kept])


def _gap_curve(
    label: str, side: Side, time_s: NDArray[np.float64], value: NDArray[np.float64]
) -> list[Curve]:
    """Join the values around each gap; before the first and after the last there is none."""
    known = np.flatnonzero(np.isfinite(value))
    wide = np.flatnonzero(np.diff(known) > 1)
    if wide.size == 0:
        return []
    before, after = known[wide], known[wide + 1]
    nothing = np.full(wide.size, np.nan)
    times = np.stack([time_s[before], time_s[after], time_s[after]], axis=1)
    values = np.stack([value[before], value[after], nothing], axis=1)
    return [Curve(f"{label}, gap", side, "gap", times.ravel(), values.ravel())]


def _values(angles: xr.Dataset, name: str, individual: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = (
        angles["angle_deg"].sel({"angle": name, INDIVIDUALS: individual}).to_numpy()
    )
    return values


def _vertical_range(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    spare = max(_LEAST_SPAN_DEG - (high - low), 0.0) / 2
    margin = _MARGIN * max(high - low, _LEAST_SPAN_DEG)
    return low - spare - margin, high + spare + margin


def _person(evaluation: Evaluation, individual: str) -> PersonSeen:
    seen = frames_seen(evaluation, individual)
    time_s = evaluation.raw["time"].to_numpy()[seen]
    facing = evaluation.angles["facing"].sel({INDIVIDUALS: individual}).to_numpy()
    sides = set(np.unique(facing[facing != 0]).tolist())
    near: Literal["left", "right"] | None = None
    if (
        len(sides) == 1
        and evaluation.protocol.get("view") == "sagittal"
        and _is_sideways(evaluation, individual)
    ):
        near = "right" if sides == {1} else "left"
    return PersonSeen(
        individual=individual,
        number=evaluation.person_id(individual),
        seen=int(seen.sum()),
        lost=int((frames_in_view(evaluation, individual) & ~seen).sum()),
        from_s=float(time_s[0]) if time_s.size else float("nan"),
        to_s=float(time_s[-1]) if time_s.size else float("nan"),
        near_side=near,
    )


def _is_sideways(evaluation: Evaluation, individual: str) -> bool:
    own = evaluation.poses.sel({INDIVIDUALS: [individual]})
    return bool(turned_share(own, evaluation.skeleton)[0] < _SURELY_SIDEWAYS)


def _in_report_order(bases: set[str]) -> list[str]:
    known = list(WORDS)
    return sorted(bases, key=lambda base: (known.index(base) if base in known else 99, base))
