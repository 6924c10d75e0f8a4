"""Which way a person faces in the image, decided once for each pass through the view.

Deciding it frame by frame is a known fault: one noisy frame mirrors every angle. Here the
evidence of all frames of a pass is weighed together, backward in time as well as forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from gonio.poses import INDIVIDUALS, PointTracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

    Floats = NDArray[np.float64]

MIN_TURN_S: Final = 0.25
"""Shortest time a person must face the other way before it counts as a turn, seconds."""

_PASS_GAP_S: Final = 1.0
_SIDES: Final = ("left_", "right_", "")
_FEET: Final = tuple(side + name for side in _SIDES for name in ("heel", "big_toe"))
_POINTS: Final = ("nose", "head", "neck", "mid_hip", *_FEET)


def facing(
    poses: xr.Dataset, skeleton: Skeleton, *, min_turn_s: float = MIN_TURN_S
) -> xr.DataArray:
    """Decide which way each person faces.

    The feet decide: sign of (right toe − right heel) + (left toe − left heel), a foot that is
    not seen left out. Only in a pass without feet the direction of travel does (where the hips
    travel at least half the person's height), and without travel the nose.

    Two directions compete over the whole pass; a change of mind has a price. So a turn counts
    only if the new direction holds for ``min_turn_s`` and at least three frames (twice that if
    the person turns back), and it counts from the very frame where the evidence changes.

    Parameters
    ----------
    poses
        Poses of ``skeleton``, pixels, x right. NaN = not seen: no evidence; the decision holds.
        A person unseen for longer than 1 s begins a new pass.
    skeleton
        Says where the feet, the hips and the nose are.
    min_turn_s
        Shortest turn, seconds.

    Returns
    -------
    xr.DataArray
        ``facing (time, individuals)`` int8: +1 towards +x (right), −1 left, 0 unknown or absent.
    """
    time_s = poses["time"].values.astype(np.float64)
    points = PointTracks(poses, skeleton)
    found = {name: points.position(name) for name in _POINTS}
    tracks = {n: p.astype(np.float64) for n, p in found.items() if p is not None}
    position = poses["position"].values
    result = np.zeros((position.shape[0], position.shape[3]), dtype=np.int8)
    for person in range(result.shape[1]):
        y = position[:, 1, :, person]
        seen = np.isfinite(y).any(axis=1)
        for part in _passes(seen, time_s):
            own = {name: track[part, :, person] for name, track in tracks.items()}
            evidence = _evidence(own, y[part], time_s[part])
            result[part, person] = _decide(evidence, time_s[part], min_turn_s)
    return xr.DataArray(
        result,
        dims=("time", INDIVIDUALS),
        coords={"time": poses["time"], INDIVIDUALS: poses[INDIVIDUALS]},
        name="facing",
    )


def _passes(seen: NDArray[np.bool_], time_s: Floats) -> Iterator[slice]:
    frames = np.flatnonzero(seen)
    if frames.size:
        breaks = np.flatnonzero(np.diff(time_s[frames]) > _PASS_GAP_S)
        starts = [frames[0], *frames[breaks + 1]]
        ends = [*frames[breaks], frames[-1]]
        yield from (slice(int(a), int(b) + 1) for a, b in zip(starts, ends, strict=True))


def _evidence(tracks: Mapping[str, Floats], y: Floats, time_s: Floats) -> Floats:
    """Return evidence for facing right, −1 to 1, 0 = none, from the best source there is."""
    for source in (_feet(tracks, y), _travel(tracks, y, time_s), _nose(tracks, y)):
        if source.any():
            return source
    return np.zeros(len(y))


def _feet(tracks: Mapping[str, Floats], y: Floats) -> Floats:
    along, length = np.zeros(len(y)), np.zeros(len(y))
    for side in _SIDES:
        if f"{side}heel" in tracks and f"{side}big_toe" in tracks:
            foot = tracks[f"{side}big_toe"] - tracks[f"{side}heel"]
            size = _at_least_typical(np.hypot(foot[:, 0], foot[:, 1]))
            along += np.nan_to_num(foot[:, 0])
            length += np.nan_to_num(size)
    return _direction(along, length)


def _travel(tracks: Mapping[str, Floats], y: Floats, time_s: Floats) -> Floats:
    body = tracks.get("mid_hip", tracks.get("neck"))
    height = _median(_extent(y))
    if body is None or not height > 0:
        return np.zeros(len(y))
    known = np.isfinite(body[:, 0])
    if known.sum() < 2 or np.ptp(body[known, 0]) < 0.5 * height:
        return np.zeros(len(y))
    before = np.maximum(time_s - 0.25, time_s[0])
    after = np.minimum(time_s + 0.25, time_s[-1])
    x0, x1 = (np.interp(t, time_s[known], body[known, 0]) for t in (before, after))
    speed = (x1 - x0) / (after - before) / height  # heights a second; walking is about 0.7
    return _limit(speed / 0.2, dead=0.25)


def _nose(tracks: Mapping[str, Floats], y: Floats) -> Floats:
    unseen = np.full((len(y), 2), np.nan)
    head, neck = tracks.get("head", unseen), tracks.get("neck", unseen)
    ahead = tracks.get("nose", unseen) - np.where(np.isnan(head), neck, head)
    size = _at_least_typical(np.hypot(ahead[:, 0], ahead[:, 1]))
    return _direction(np.nan_to_num(ahead[:, 0]), np.nan_to_num(size))


def _direction(along: Floats, length: Floats) -> Floats:
    """Evidence of a pointer: full within 60° of the image plane, none beyond 84°."""
    cosine = np.divide(along, length, out=np.zeros_like(along), where=length > 0)
    return _limit(2 * cosine, dead=0.2)


def _limit(evidence: Floats, *, dead: float) -> Floats:
    return np.where(np.abs(evidence) < dead, 0.0, np.clip(evidence, -1, 1))


def _at_least_typical(size: Floats) -> Floats:
    # A pointer shortened by pointing at the camera has a direction of noise only.
    return np.maximum(size, _median(size))


def _extent(y: Floats) -> Floats:
    top = np.where(np.isfinite(y), y, np.inf).min(axis=1)
    bottom = np.where(np.isfinite(y), y, -np.inf).max(axis=1)
    return np.where(top <= bottom, bottom - top, np.nan)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else np.nan


def _decide(evidence: Floats, time_s: Floats, min_turn_s: float) -> NDArray[np.int8]:
    """Find the two-state path of most evidence, each change of state at a price (Viterbi)."""
    gaps = np.diff(time_s)
    step = float(np.median(gaps)) if gaps.size else 1.0
    weight = np.minimum(np.gradient(time_s), 2 * step) if gaps.size else np.ones(1)
    price = 2 * max(min_turn_s, 2.5 * step)
    lead = np.empty(len(evidence))
    running = 0.0
    for i, gain in enumerate((2 * weight * evidence).tolist()):
        running = min(max(running, -price), price) + gain
        lead[i] = running
    # Beyond the price, whatever came next must have come from that side; elsewhere the state
    # is the next frame's.
    sure = np.where(np.abs(lead) > price, np.sign(lead), 0)
    sure[-1] = np.sign(lead[-1])
    known = np.flatnonzero(sure)
    if not known.size:
        return np.zeros(len(evidence), dtype=np.int8)
    nearest = np.minimum(np.searchsorted(known, np.arange(len(sure))), known.size - 1)
    return sure[known[nearest]].astype(np.int8)
