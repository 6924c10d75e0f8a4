"""Identity: which of the people in a frame is which of those seen before.

Two steps. Frame by frame, people are joined to tracks by the assignment of least total cost
(Kuhn 1955, Munkres 1957) between where each track is expected (constant velocity) and who is
seen; a track may miss a moment only. Afterwards tracks are linked over longer gaps, when both
sides' speeds are known: who reappears where expected, of like size and direction of travel,
keeps the identity; who enters while another leaves gets a new one. Somebody seen twice in one
frame stays one person: people do not appear on top of others, and stay there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gonio.poses import log_operation, make_poses
from gonio.tracking.likeness import compare, settle_sides, size_px, usable
from gonio.tracking.series import positive

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.runtime import FramePeople, Person
    from gonio.skeletons import Skeleton

    Doubles = NDArray[np.float64]

# In units of the person's size (as a rule the height, so that 1 size/s is about 1.7 m/s).
_GATE, _GATE_PER_S, _GATE_MOST = 0.25, 2.0, 0.6
_LINK_GATE, _LINK_GATE_PER_S = 0.25, 0.35
_TRAVELS_PER_S = 0.2
_SIZE_RATIO = 1.5
_SAME_BOX = 0.25
_TWIN, _TWIN_BOX = 0.15, 0.5
_MOMENT_S = 0.15
_MOTION_S = 0.5
_MOTION_FRAMES, _MOTION_MOST = 4, 240
_FORBIDDEN = 1e6


def assign_identities(
    frames: Iterable[FramePeople],
    skeleton: Skeleton,
    *,
    fps: float | None,
    attrs: dict[str, Any] | None = None,
    alone: bool = False,
    max_gap_s: float = 1.0,
    min_track_s: float = 0.2,
) -> xr.Dataset:
    """Give the people of all frames identities.

    Parameters
    ----------
    frames
        What the estimator saw, frame after frame; read once. Frames without anybody are part of
        it. People without any finite keypoint are ignored.
    skeleton
        The estimator's skeleton.
    fps
        Frames per second of the source, kept as an attribute; None for an image.
    attrs
        Further attributes (``source``, ``model``…).
    alone
        Whether there is one person or animal only, whom every sighting is of, however far apart.
        Of several in one frame the surest counts.
    max_gap_s
        How long somebody may be unseen and keep the identity, seconds; between two frames that
        lie further apart, any time.
    min_track_s
        Who is seen for a shorter time altogether is dropped, seconds; a recording that is itself
        shorter (an image) drops nobody.

    Returns
    -------
    xr.Dataset
        Poses exactly as estimated, NaN where a person was not seen; ``person_0``, ``person_1``…
        in order of appearance (those of one frame in the estimator's order). Nobody: an empty
        ``individuals`` dimension. The log holds how many tracks and single sightings were
        dropped, and how often somebody was seen twice in one frame.

    Raises
    ------
    ConfigError
        If a setting is no number of at least 0.
    PosesError
        If the frames' times do not increase.
    """
    max_gap_s = positive("assign_identities", "max_gap_s", max_gap_s, zero=True)
    min_track_s = positive("assign_identities", "min_track_s", min_track_s, zero=True)
    mirror = np.array(skeleton.flip_order(), np.intp)
    tracker = _Tracker(np.array(skeleton.sigmas, np.float64), mirror, alone=alone)
    for frame in frames:
        tracker.add(frame)
    doubles = tracker.drop_twins()
    tracks = [tracker.tracks] if alone else _link(tracker, max_gap_s)
    kept, dropped = _drop_short([t for t in tracks if t], tracker.times_s, min_track_s)
    poses = make_poses(
        *_arrays(kept, len(tracker.times_s), len(skeleton.keypoints)),
        time_s=np.array(tracker.times_s, np.float64),
        skeleton=skeleton,
        fps=fps,
        attrs=attrs,
    )
    return log_operation(
        poses,
        "assign_identities",
        alone=alone,
        max_gap_s=max_gap_s,
        min_track_s=min_track_s,
        people=len(kept),
        dropped_tracks=len(dropped),
        dropped_sightings=sum(len(t.frames) for t in dropped),
        dropped_doubles=doubles,
    )


class _Sightings(NamedTuple):
    """One person's frames, with keypoints and confidence in each."""

    frames: list[int]
    people: list[tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(eq=False)
class _Track:
    """One person over consecutive frames."""

    frames: list[int] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    people: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = field(default_factory=list)
    path_px: list[tuple[float, float]] = field(default_factory=list)
    first: Doubles = field(default_factory=lambda: np.empty((0, 2)))
    last: Doubles = field(default_factory=lambda: np.empty((0, 2)))
    twin: _Track | None = None

    def add(
        self, frame: int, time_s: float, person: Person, points: Doubles, mirror: NDArray[np.intp]
    ) -> None:
        """Append a sighting; the path sums up how the person moved, limbs evened out."""
        if self.frames:
            step = settle_sides(points, self.last, mirror) - self.last
            step = step[np.isfinite(step[:, 0] + step[:, 1])]
            dx, dy = _median(step) if len(step) else (0.0, 0.0)
            x, y = self.path_px[-1]
            self.path_px.append((x + dx, y + dy))
        else:
            self.path_px.append((0.0, 0.0))
            self.first = points
        self.last = points
        self.frames.append(frame)
        self.times_s.append(time_s)
        keypoints = np.asarray(person.keypoints_px, np.float32)
        self.people.append((keypoints, np.asarray(person.confidence, np.float32)))

    def begin_after(self, frame: int) -> None:
        """Forget the sightings up to a frame."""
        gone = bisect_right(self.frames, frame)
        for part in (self.frames, self.times_s, self.people, self.path_px):
            del part[:gone]
        keypoints, confidence = self.people[0]
        self.first = usable(keypoints, confidence)

    def velocity(self, *, at_start: bool = False) -> Doubles | None:
        """Return px/s over the last (first) half second; None for a track of a few frames."""
        if len(self.frames) < _MOTION_FRAMES:
            return None
        known, count = self.times_s, len(self.frames)
        edge = known[0] if at_start else known[-1]
        # No need to look further than a second of a fast camera's frames.
        if at_start:
            low, most = 0, min(count, _MOTION_MOST)
            high = bisect_left(known, True, 0, most, key=lambda t: t - edge > _MOTION_S)
        else:
            high, most = count, max(0, count - _MOTION_MOST)
            low = bisect_left(known, True, most, count, key=lambda t: edge - t <= _MOTION_S)
        if high - low < _MOTION_FRAMES:
            return None
        times, path = np.array(known[low:high]), np.array(self.path_px[low:high])
        half = len(times) // 2
        slopes = (path[half:] - path[:-half]) / (times[half:] - times[:-half])[:, None]
        return np.array(_median(slopes))


class _Tracker:
    """Joins people to tracks frame by frame; ``tracks`` stand in order of appearance.

    A track that began on top of another one has that one as its ``twin`` until they part.
    """

    def __init__(self, sigmas: Doubles, mirror: NDArray[np.intp], *, alone: bool = False) -> None:
        self.sigmas, self.mirror = sigmas, mirror
        self._alone = alone
        self.tracks: list[_Track] = []
        self.times_s: list[float] = []
        self._open: list[_Track] = []

    def add(self, frame: FramePeople) -> None:
        """Take the people of the next frame."""
        now = frame.time_s
        period = now - self.times_s[-1] if self.times_s else 0.0
        self.times_s.append(now)
        number = len(self.times_s) - 1
        moment = max(_MOMENT_S, 1.5 * period)
        self._open = [t for t in self._open if now - t.times_s[-1] <= moment]
        seen = [(p, usable(p.keypoints_px, p.confidence)) for p in frame.people]
        seen = [(p, points) for p, points in seen if np.isfinite(points).all(axis=1).any()]
        if not seen:
            return
        if self._alone:
            seen = [max(seen, key=lambda sighting: sighting[0].score)]
        owners = self._owners([points for _, points in seen], now)
        for (person, points), owner in zip(seen, owners, strict=True):
            track = owner
            if track is None:
                track = _Track()
                self.tracks.append(track)
                self._open.append(track)
            track.add(number, now, person, points, self.mirror)
        if len(seen) > 1:
            self._note_twins(number)

    def _note_twins(self, number: int) -> None:
        here = [t for t in self._open if t.frames[-1] == number]
        for at, track in enumerate(here):
            if track.frames[0] == number:
                older = (t for t in here[:at] if self._are_twins(t, track))
                track.twin = next(older, None)
            elif track.twin is not None and track.twin.frames[-1] == number:
                track.twin = track.twin if self._are_twins(track.twin, track) else None

    def _are_twins(self, one: _Track, other: _Track) -> bool:
        like = compare(one.last[None], other.last[None], self.sigmas, self.mirror)
        return bool(
            like.distance[0, 0] <= _TWIN
            and like.overlap[0, 0] >= _TWIN_BOX
            and like.size_ratio[0, 0] <= _SIZE_RATIO
        )

    def drop_twins(self) -> int:
        """Keep of each pair of twins the older one, then who is left; return what was dropped."""
        dropped = 0
        for track in reversed(self.tracks):
            if track.twin is None:
                continue
            before = len(track.frames)
            if track.frames[-1] <= track.twin.frames[-1]:
                self.tracks.remove(track)
                dropped += before
            else:
                track.begin_after(track.twin.frames[-1])
                dropped += before - len(track.frames)
        return dropped

    def _owners(self, seen: list[Doubles], now: float) -> list[_Track | None]:
        """Return each person's track, None for who is new."""
        from scipy.optimize import linear_sum_assignment  # slow to import

        owners: list[_Track | None] = [None] * len(seen)
        if not self._open:
            return owners
        if self._alone:
            return [self._open[0]]
        unseen_s = np.array([now - t.times_s[-1] for t in self._open])
        expected = np.stack([_expected(t, now) for t in self._open])
        like = compare(expected, np.stack(seen), self.sigmas, self.mirror)
        gate = np.minimum(_GATE + _GATE_PER_S * unseen_s, _GATE_MOST)
        near = (like.distance <= gate[:, None]) | (like.overlap >= _SAME_BOX)
        fits = near & (like.size_ratio <= _SIZE_RATIO)
        rows, columns = linear_sum_assignment(np.where(fits, like.cost, _FORBIDDEN))
        for row, column in zip(rows, columns, strict=True):
            if fits[row, column]:
                owners[column] = self._open[row]
        return owners


def _median(vectors: Doubles) -> tuple[float, float]:
    """Return the median in x and in y of finite vectors ``(N, 2)``, quicker than NumPy's."""
    ranked = np.sort(vectors, axis=0)
    half = len(ranked) // 2
    x, y = ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2
    return float(x), float(y)


def _expected(track: _Track, now: float) -> Doubles:
    velocity = track.velocity()
    if velocity is None:
        return track.last
    return track.last + velocity * (now - track.times_s[-1])


def _link(tracker: _Tracker, max_gap_s: float) -> list[list[_Track]]:
    """Chain tracks over gaps, the likeliest pair first."""
    tracks = tracker.tracks
    starts = np.array([t.times_s[0] for t in tracks])
    pairs: list[tuple[float, int, int]] = []
    for a, earlier in enumerate(tracks):
        end = earlier.times_s[-1]
        near = np.flatnonzero((starts > end) & (starts <= end + max_gap_s + 1e-6))
        for b in near.tolist():
            cost = _link_cost(earlier, tracks[b], tracker)
            if cost is not None:
                pairs.append((cost, a, b))
    following: dict[int, int] = {}
    taken: set[int] = set()
    for _, a, b in sorted(pairs):
        if a not in following and b not in taken:
            following[a] = b
            taken.add(b)
    chains = []
    for first in range(len(tracks)):
        if first not in taken:
            chain, at = [tracks[first]], first
            while at in following:
                at = following[at]
                chain.append(tracks[at])
            chains.append(chain)
    return chains


def _link_cost(earlier: _Track, later: _Track, tracker: _Tracker) -> float | None:
    """Say how badly one track continues another; None where it cannot.

    The person is expected to move with the mean of the speeds before and after the gap, so that
    turning points of a movement (a squat's depth) do not break a track; two directions of travel
    along the ground do.
    """
    gap_s = later.times_s[0] - earlier.times_s[-1]
    size = size_px(earlier.last)
    before, after = earlier.velocity(), later.velocity(at_start=True)
    if before is not None and after is not None:
        across = before[0], after[0]
        if min(map(abs, across)) > _TRAVELS_PER_S * size and across[0] * across[1] < 0:
            return None
    known = [v for v in (before, after) if v is not None]
    shift = np.mean(known, axis=0) * gap_s if known else np.zeros(2)
    expected, seen = (earlier.last + shift)[None], later.first[None]
    like = compare(expected, seen, tracker.sigmas, tracker.mirror)
    if like.distance[0, 0] > _LINK_GATE + _LINK_GATE_PER_S * gap_s:
        return None
    return float(like.cost[0, 0]) if like.size_ratio[0, 0] <= _SIZE_RATIO else None


def _drop_short(
    chains: list[list[_Track]], times_s: list[float], min_track_s: float
) -> tuple[list[_Sightings], list[_Sightings]]:
    """Part chains into those kept and those seen too shortly."""
    frame_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    least_s = min_track_s if len(times_s) * frame_s >= min_track_s - 1e-6 else 0.0
    kept: list[_Sightings] = []
    dropped: list[_Sightings] = []
    for chain in chains:
        frames = [f for t in chain for f in t.frames]
        long_enough = len(frames) * frame_s >= least_s - 1e-6
        (kept if long_enough else dropped).append(
            _Sightings(frames, [p for t in chain for p in t.people])
        )
    return kept, dropped


def _arrays(
    people: list[_Sightings], frames: int, keypoints: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    position = np.full((frames, 2, keypoints, len(people)), np.nan, np.float32)
    confidence = np.full((frames, keypoints, len(people)), np.nan, np.float32)
    for i, person in enumerate(people):
        points, scores = (np.stack(part) for part in zip(*person.people, strict=True))
        position[person.frames, :, :, i] = points.transpose(0, 2, 1)
        confidence[person.frames, :, i] = np.clip(scores, 0, 1)
    return position, confidence
