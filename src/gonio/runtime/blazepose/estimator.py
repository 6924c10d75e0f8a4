"""Follow people from frame to frame: the landmarks of one frame say where to look in the next.

With ``max_people=1`` this is MediaPipe's way: the detector runs only while nobody is followed.
With more, it also runs now and then while there is room for another person, and looks more closely;
less often while there is none, lest small people in the background keep out a large one who comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from gonio.errors import ModelError, ModelOutputError
from gonio.runtime.blazepose.detector import Detection, PoseDetector
from gonio.runtime.blazepose.landmarks import BODY_POINTS, LandmarkModel, Landmarks
from gonio.runtime.blazepose.regions import RegionFilter, region_around, region_overlap
from gonio.runtime.estimator import Person
from gonio.runtime.fit import check_outputs, needed_outputs
from gonio.runtime.sessions import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gonio.codec import Region
    from gonio.runtime.cards import Card
    from gonio.runtime.store import Model, ModelStore
    from gonio.skeletons import Skeleton

DETECTOR: Final = "blazepose-detector"
MIN_SCORE: Final = 0.5
MIN_NEWCOMER_SCORE: Final = 0.95
DETECT_EVERY: Final = 15
SAME_REGION: Final = 0.5
SAME_PERSON: Final = 0.8
MUCH_LARGER: Final = 1.5
_FULL: Final = 2


class Detector(Protocol):
    """What finds people anywhere in an image."""

    def detect(self, image: NDArray[np.uint8], *, closely: bool) -> Sequence[Detection]:
        """Return the people found, the surest first; ``closely``: small and crowded ones too."""
        ...


class Locator(Protocol):
    """What finds the landmarks of the person in a region."""

    def locate(self, image: NDArray[np.uint8], region: Region) -> Landmarks:
        """Return the landmarks with their score."""
        ...


@dataclass(eq=False)
class _Track:
    region: Region
    steady: RegionFilter = field(default_factory=RegionFilter)
    person: Person | None = None


class BlazePoseEstimator:
    """Landmarks of up to ``max_people`` people in a series of images.

    Parameters
    ----------
    card
        The landmark model's; names the skeleton and how large the regions are.
    detector, landmarks
        The two models.
    max_people
        Follow at most so many at once. Of several found, those of the greatest score × size come
        first; who is more than 1.5 times as large as the smallest one followed takes their place.
    min_score
        A person whose presence is not above it is lost.
    min_newcomer_score
        The same for a person who joins others: regions that hold two people's parts come up
        to about 0.9, people to 0.99 and more.
    detect_every
        While fewer than ``max_people`` but at least one are followed, look for others every so
        many frames; sooner only where somebody was just lost. While there is no room (and
        ``max_people`` is more than 1), every twice so many.
    provider
        What computes, for the record.

    Notes
    -----
    A keypoint's confidence is the model's *visibility* (inside the image and not hidden), which
    is what MediaPipe reports. The model's *presence* (inside the image, hidden or not) is left
    out: it is the greater of the two for 99 % of points, so that their product would only
    count doubt twice.
    """

    def __init__(
        self,
        card: Card,
        detector: Detector,
        landmarks: Locator,
        *,
        max_people: int = 2,
        min_score: float = MIN_SCORE,
        min_newcomer_score: float = MIN_NEWCOMER_SCORE,
        detect_every: int = DETECT_EVERY,
        provider: str = "",
    ) -> None:
        self.card = card
        self.provider = provider
        self.skeleton: Skeleton = card.load_skeleton()
        if len(self.skeleton.keypoints) != BODY_POINTS:
            raise ModelOutputError(
                f"model '{card.name}': skeleton '{self.skeleton.name}' has "
                f"{len(self.skeleton.keypoints)} keypoints, the model gives {BODY_POINTS}"
            )
        self._detector, self._landmarks = detector, landmarks
        self._max_people, self._min_score = max_people, min_score
        self._min_newcomer_score = min_newcomer_score
        self._detect_every = detect_every
        self._padding = card.input.crop.padding
        self._spread = 2 * np.array(self.skeleton.sigmas)
        self._tracks: list[_Track] = []
        self._until_detection = 0

    def reset(self) -> None:
        """Forget everybody: a new series begins."""
        self._tracks = []
        self._until_detection = 0

    def close(self) -> None:
        """Forget everybody; the sessions are freed with the estimator."""
        self.reset()

    def estimate(self, image: NDArray[np.uint8]) -> list[Person]:
        """Find the people in the next image of the series.

        Parameters
        ----------
        image
            Shape ``(H, W, 3)``, RGB.

        Returns
        -------
        list of Person
            Those followed longest first; empty where nobody is.
        """
        followed = self._tracks
        due = self._detection_is_due()
        seen: list[Person] = []
        self._tracks = []
        for track in followed:
            self._look(image, track, seen, self._min_score)
        if due:
            self._add_newcomers(image, seen)
        if len(self._tracks) < len(followed):
            self._until_detection = 0
        return seen

    def _detection_is_due(self) -> bool:
        self._until_detection -= 1
        full = len(self._tracks) >= self._max_people
        if self._tracks and (self._until_detection >= 0 or (full and self._max_people == 1)):
            return False
        self._until_detection = self._detect_every - 1
        return True

    def _add_newcomers(self, image: NDArray[np.uint8], seen: list[Person]) -> None:
        """Look for people where nobody is followed."""
        found = self._detector.detect(image, closely=self._max_people > 1)
        around = [(d, region_around(d.keypoints[:2], self._padding)) for d in found]
        placed = [(d, region) for d, region in around if region is not None]
        if self._max_people > 1:
            placed.sort(key=lambda new: new[0].score * new[1].size_px[0], reverse=True)
        for detection, region in placed:
            if self._is_followed(region) or not self._has_room(region, seen):
                continue
            # Somebody doubtful may be the only one, not one of several.
            alone = not seen and detection is found[0]
            needed = self._min_score if alone else self._min_newcomer_score
            self._look(image, _Track(region), seen, needed)
            if len(seen) > self._max_people:
                self._drop_smallest(seen)
        if len(self._tracks) >= self._max_people > 1:
            self._until_detection = _FULL * self._detect_every - 1

    def _has_room(self, region: Region, seen: Sequence[Person]) -> bool:
        if len(seen) < self._max_people:
            return True
        sizes = [p.region.size_px[0] for p in seen]
        return self._max_people > 1 and region.size_px[0] > MUCH_LARGER * min(sizes)

    def _drop_smallest(self, seen: list[Person]) -> None:
        """Make room: the newest is kept."""
        at = min(range(len(seen) - 1), key=lambda i: seen[i].region.size_px[0])
        gone = seen.pop(at)
        self._tracks = [t for t in self._tracks if t.person is not gone]

    def _is_followed(self, region: Region) -> bool:
        return any(region_overlap(region, t.region) >= SAME_REGION for t in self._tracks)

    def _look(
        self, image: NDArray[np.uint8], track: _Track, seen: list[Person], min_score: float
    ) -> None:
        """Add the person in the track's region, unless nobody or somebody seen is there."""
        marks = self._landmarks.locate(image, track.region)
        if marks.score <= min_score:
            return
        person = _person(marks, track.region)
        if any(self._likeness(person, other) >= SAME_PERSON for other in seen):
            return
        seen.append(person)
        region = region_around(track.steady.update(marks.region_points), self._padding)
        if region is not None:
            track.region, track.person = region, person
            self._tracks.append(track)

    def _likeness(self, a: Person, b: Person) -> float:
        """Object keypoint similarity of two people, all keypoints counted alike."""
        area = 0.53 * float(np.prod(np.ptp(b.keypoints_px, axis=0)))
        distance2 = ((a.keypoints_px - b.keypoints_px) ** 2).sum(axis=1)
        return float(np.exp(-distance2 / (2 * max(area, 1.0) * self._spread**2)).mean())


def _person(marks: Landmarks, region: Region) -> Person:
    return Person(
        marks.points_px[:BODY_POINTS].astype(np.float32),
        marks.visibility[:BODY_POINTS].astype(np.float32),
        marks.score,
        region,
    )


def open_blazepose(
    model: Model,
    *,
    store: ModelStore,
    max_people: int = 2,
    device: str = "auto",
    threads: int | None = None,
    **settings: Any,
) -> BlazePoseEstimator:
    """Open the landmark model and its detector.

    Parameters
    ----------
    model
        The landmark model.
    store
        Gives the detector: the one the card names, or ``blazepose-detector``.
    max_people, **settings
        See :class:`BlazePoseEstimator`.
    device, threads
        See :func:`gonio.runtime.open_session`.

    Returns
    -------
    BlazePoseEstimator

    Raises
    ------
    ModelError, ModelOutputError, OfflineError
        See :func:`gonio.runtime.open_estimator`.
    """
    found = store.resolve(model.card.detector or DETECTOR)
    for needed in (found, model):
        if needed.card.filters:
            raise ModelError(
                f"model '{needed.card.name}': its card names image filters, which BlazePose's way "
                "does not apply; without them its keypoints would be wrong"
            )
    sessions = []
    for needed in (found, model):
        # The mask of the person, which nobody asks for, would cost 40 % of a landmark call.
        outputs = needed_outputs(needed.card) if needed is model else None
        session = open_session(needed.path, device=device, threads=threads, outputs=outputs)
        check_outputs(session, needed.card)
        sessions.append(session)
    return BlazePoseEstimator(
        model.card,
        PoseDetector(sessions[0], found.card),
        LandmarkModel(sessions[1], model.card),
        max_people=max_people,
        provider=sessions[1].provider,
        **settings,
    )
