"""Missing keypoints: hiding uncertain ones, filling short gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from gonio.errors import ConfigError, UnknownNameError
from gonio.poses import log_operation
from gonio.tracking.series import edges, positive, seen_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Rows = NDArray[np.float64]
    Frames = NDArray[np.intp]

Interpolation = Literal["linear", "pchip"]
_GAPS_AT_ONCE = 1 << 18
_EDGE_FRAMES = 2
_POINT_DIMS = ("time", "keypoints", "individuals")


def hide_uncertain(poses: xr.Dataset, *, min_confidence: float) -> xr.Dataset:
    """Treat keypoints of low confidence as not seen.

    Parameters
    ----------
    poses
        Poses; a confidence of NaN says nothing and hides nothing.
    min_confidence
        0–1; positions with a confidence below it become NaN. The confidence itself stays.

    Returns
    -------
    xr.Dataset
        Position, and covariance where there is one, NaN at the hidden points.

    Raises
    ------
    ConfigError
        If ``min_confidence`` is no number from 0 to 1.
    """
    limit = positive("hide_uncertain", "min_confidence", min_confidence, zero=True)
    if limit > 1:
        raise ConfigError(f"hide_uncertain: min_confidence lies between 0 and 1, not {limit:g}")
    low = poses["confidence"] < limit
    count = int((low.values & seen_points(poses)).sum())
    shown = poses.assign(position=poses["position"].where(~low))
    if "covariance" in poses:
        shown["covariance"] = poses["covariance"].where(~low)
    if "filled" in poses:
        shown["filled"] = poses["filled"] & ~low
    return log_operation(shown, "hide_uncertain", min_confidence=limit, hidden=count)


def fill_gaps(
    poses: xr.Dataset, *, max_gap_s: float = 0.2, method: Interpolation = "pchip"
) -> xr.Dataset:
    """Interpolate keypoints over short gaps; never beyond the first or last sighting.

    Parameters
    ----------
    poses
        Poses with NaN where a keypoint was not seen. Where the attributes ``width_px`` and
        ``height_px`` give the picture's size, a gap is not filled if the keypoint was on its way
        out of the picture before it, or came from there: what lies between is not in the
        picture, and a line through it would be invented.
    max_gap_s
        Longest gap that is filled, seconds. A gap's length is its number of missing frames
        times the frame's duration. Longer gaps stay whole: they are not filled in part.
    method
        ``"pchip"``, piecewise cubic without overshoot (Fritsch & Carlson 1980, with the slopes
        of Fritsch & Butland 1984, as in SciPy), or ``"linear"``.
        On drawn walkers with gaps of 2 to 6 frames cut at 30 a second, the points of ``pchip``
        were 30 to 50 % nearer to the truth.

    Returns
    -------
    xr.Dataset
        The filled points are true in ``filled``; their confidence stays what it was.

    Raises
    ------
    ConfigError
        If ``max_gap_s`` is no number of at least 0, or the method is unknown.
    """
    limit_s = positive("fill_gaps", "max_gap_s", max_gap_s, zero=True)
    if method not in get_args(Interpolation):
        raise UnknownNameError("method", str(method), get_args(Interpolation), where="fill_gaps")
    time_s = poses["time"].values.astype(np.float64)
    values = poses["position"].values
    shape = (len(time_s), values.shape[2] * values.shape[3])
    gaps = _inner_gaps(seen_points(poses).reshape(shape))
    short = np.zeros(len(gaps.series), np.bool_)
    if short.size:
        frame_s = float(np.median(np.diff(time_s)))
        short = time_s[gaps.after] - time_s[gaps.before] - frame_s <= limit_s + 1e-6
        short &= ~_through_the_edge(gaps, poses, time_s, frame_s)
    chosen = _Gaps(*(column[short] for column in gaps))
    position = values.copy()
    fill = np.zeros(shape, np.bool_)
    for some in _in_parts(chosen):
        frame, gap = some.frames()
        fill[frame, some.series[gap]] = True
        _interpolate(position, some, frame, gap, time_s, smooth=method == "pchip")
    fill = fill.reshape(len(time_s), *values.shape[2:])
    filled = fill | poses["filled"].values if "filled" in poses else fill
    result = poses.assign(
        position=poses["position"].copy(data=position), filled=(_POINT_DIMS, filled)
    )
    return log_operation(
        result,
        "fill_gaps",
        max_gap_s=limit_s,
        method=method,
        filled=int(np.count_nonzero(fill)),
        gaps_filled=int(short.sum()),
        gaps_left=int((~short).sum()),
    )


class _Gaps(NamedTuple):
    """Gaps between two sightings.

    Attributes
    ----------
    series
        Which series: keypoint · people + person.
    before, after
        The frames in which it was last and is next seen.
    earlier, later
        The sightings before ``before`` and after ``after``; −1 where there is none.
    """

    series: Frames
    before: Frames
    after: Frames
    earlier: Frames
    later: Frames

    def frames(self) -> tuple[Frames, Frames]:
        """Return each missing frame and the gap that it lies in."""
        length = self.after - self.before - 1
        gap = np.repeat(np.arange(len(length)), length)
        first = np.cumsum(length) - length
        return np.arange(len(gap)) - first[gap] + self.before[gap] + 1, gap


def _inner_gaps(seen: NDArray[np.bool_]) -> _Gaps:
    """Find all gaps that have a sighting on both sides; ``seen`` has shape (time, series)."""
    series, start, stop = edges(seen)
    same = series[1:] == series[:-1]
    single = stop - start == 1
    last_but_one = np.where(single, -1, stop - 2)
    chained = same & single[1:]
    last_but_one[1:][chained] = stop[:-1][chained] - 1
    second = np.where(single, -1, start + 1)
    chained = same & single[:-1]
    second[:-1][chained] = start[1:][chained]
    left, right = np.flatnonzero(same), np.flatnonzero(same) + 1
    return _Gaps(series[left], stop[left] - 1, start[right], last_but_one[left], second[right])


def _through_the_edge(
    gaps: _Gaps, poses: xr.Dataset, time_s: Rows, frame_s: float
) -> NDArray[np.bool_]:
    """Say which keypoints would leave the picture if they moved on as they were last seen to.

    Judged two frames ahead, from the two sightings on either side of the gap.
    """
    width, height = (poses.attrs.get(key) for key in ("width_px", "height_px"))
    leaves = np.zeros(len(gaps.series), np.bool_)
    if width is None or height is None:
        return leaves
    flat = poses["position"].values
    flat = flat.reshape(*flat.shape[:2], -1)[:, :2]
    high = np.array([float(width), float(height)]) - 0.5
    for near, far in ((gaps.before, gaps.earlier), (gaps.after, gaps.later)):
        there = flat[near, :, gaps.series].astype(np.float64)
        since_s = np.where(far >= 0, np.abs(time_s[near] - time_s[far]), np.inf)
        moved = there - flat[far, :, gaps.series]
        ahead = there + moved * (_EDGE_FRAMES * frame_s / since_s)[:, None]
        leaves |= (far >= 0) & ((ahead < -0.5) | (ahead > high)).any(axis=1)
    return leaves


def _in_parts(gaps: _Gaps) -> Iterator[_Gaps]:
    for i in range(0, len(gaps.series), _GAPS_AT_ONCE):
        yield _Gaps(*(column[i : i + _GAPS_AT_ONCE] for column in gaps))


def _interpolate(
    position: Floats, gaps: _Gaps, frame: Frames, gap: Frames, time_s: Rows, *, smooth: bool
) -> None:
    """Write a line or a Hermite cubic through both sightings of each gap."""
    flat = position.reshape(*position.shape[:2], -1)

    def sighting(frames: Frames) -> tuple[Rows, Rows]:
        return time_s[frames, None], flat[frames, :, gaps.series].astype(np.float64)

    start_s, start = sighting(gaps.before)
    end_s, end = sighting(gaps.after)
    span_s = end_s - start_s
    share = (time_s[frame, None] - start_s[gap]) / span_s[gap]
    value = start[gap] + share * (end - start)[gap]
    if smooth:
        alone = (gaps.earlier < 0)[:, None], (gaps.later < 0)[:, None]
        chord = (end - start) / span_s
        earlier_s, earlier = sighting(gaps.earlier)
        later_s, later = sighting(gaps.later)
        # Without a further sighting the chord stands in, and is not used.
        left_s = np.where(alone[0], span_s, start_s - earlier_s)
        right_s = np.where(alone[1], span_s, later_s - end_s)
        left = np.where(alone[0], chord, (start - earlier) / left_s)
        right = np.where(alone[1], chord, (later - end) / right_s)
        at_start = _slope(chord, span_s, left, left_s), _end_slope(chord, span_s, right, right_s)
        at_end = _slope(chord, span_s, right, right_s), _end_slope(chord, span_s, left, left_s)
        d0 = np.select([alone[0] & alone[1], alone[0]], [chord, at_start[1]], at_start[0])
        d1 = np.select([alone[0] & alone[1], alone[1]], [chord, at_end[1]], at_end[0])
        bend = (d0 - chord)[gap] * (1 - share) - (d1 - chord)[gap] * share
        value += share * (1 - share) * bend * span_s[gap]
    flat[frame, :, gaps.series[gap]] = value


def _slope(chord: Rows, chord_s: Rows, beside: Rows, beside_s: Rows) -> Rows:
    """Return the slope at a sighting between two others: a weighted harmonic mean, or 0."""
    same_sign = chord * beside > 0
    safe, safe_beside = np.where(same_sign, chord, 1), np.where(same_sign, beside, 1)
    a, b = chord_s + 2 * beside_s, 2 * chord_s + beside_s
    return np.where(same_sign, (a + b) / (a / safe + b / safe_beside), 0.0)


def _end_slope(chord: Rows, chord_s: Rows, beyond: Rows, beyond_s: Rows) -> Rows:
    """Return the slope at a sighting that has none on its other side: three points, one-sided."""
    slope = ((2 * chord_s + beyond_s) * chord - chord_s * beyond) / (chord_s + beyond_s)
    turns = (np.sign(chord) != np.sign(beyond)) & (np.abs(slope) > 3 * np.abs(chord))
    slope = np.where(turns, 3 * chord, slope)
    return np.where(np.sign(slope) != np.sign(chord), 0.0, slope)
