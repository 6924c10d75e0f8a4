"""Follow people from frame to frame: the keypoints of one frame say where to look in the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from gonio.errors import ConfigError, ModelError, UnknownNameError
from gonio.imaging import FrameFilters
from gonio.runtime.estimator import Person
from gonio.runtime.fit import check_outputs
from gonio.runtime.sessions import open_session
from gonio.runtime.topdown.boxes import (
    box_around,
    covered,
    match_boxes,
    overlaps,
    region_of_box,
    with_least_size,
)
from gonio.runtime.topdown.detector import PersonDetector
from gonio.runtime.topdown.posing import PoseModel, check_card, check_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gonio.codec import Region
    from gonio.runtime.cards import Card
    from gonio.runtime.sessions import Session
    from gonio.runtime.store import Model, ModelStore
    from gonio.runtime.topdown.detector import Detection
    from gonio.runtime.topdown.posing import Pose
    from gonio.skeletons import Skeleton

DETECTOR: Final = "rtmdet-nano"
DETECT_EVERY: Final = 10
MIN_SCORE: Final = 0.3
MIN_POINT: Final = 0.3
SAME_BOX: Final = 0.3
SAME_PERSON: Final = 0.8
MAX_MISSES: Final = 3
MUCH_LARGER: Final = 1.5
_BODY_MARGIN: Final = 1.15
_COVERED: Final = 0.9
_SHRINK: Final = 0.9


class Detector(Protocol):
    """What finds people anywhere in an image."""

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """Return the people found, the surest first."""
        ...


class Locator(Protocol):
    """What finds the keypoints of the people in regions."""

    def locate(self, image: NDArray[np.uint8], regions: Sequence[Region]) -> Sequence[Pose]:
        """Return a pose for each region."""
        ...


@dataclass(eq=False)
class _Track:
    """A person being followed: where, how sure the detector was, how often it missed them since."""

    box: NDArray[np.float64]
    score: float
    misses: int = 0

    @property
    def size_px(self) -> float:
        return float((self.box[2:] - self.box[:2]).max())


class TopDownEstimator:
    """Keypoints of up to ``max_people`` people in a series of images.

    Parameters
    ----------
    card
        The pose model's; names the skeleton.
    detector, poses
        The two models.
    max_people
        Follow at most so many at once. Of several found, those of the greatest score × size come
        first; who is more than 1.5 times as large as the smallest one followed takes their
        place.
    detect_every
        Look for people every so many frames; also in every frame in which nobody is followed,
        and in one in which somebody was just lost.
    min_score
        A person whose keypoints' mean confidence is below it is lost.
    max_misses
        So is one whom the detector did not find so many times in a row: a pose model sees a
        person in everything it is shown.
    provider
        What computes, for the record.

    Notes
    -----
    A person's score is the mean confidence of their keypoints. A model without confidences
    gives each keypoint, and so the person, the detector's last score.
    """

    def __init__(
        self,
        card: Card,
        detector: Detector,
        poses: Locator,
        *,
        max_people: int = 2,
        detect_every: int = DETECT_EVERY,
        min_score: float = MIN_SCORE,
        max_misses: int = MAX_MISSES,
        provider: str = "",
    ) -> None:
        if detect_every < 1:
            raise ConfigError(f"detect_every: {detect_every} given, at least 1 is needed")
        self.card = card
        self.provider = provider
        self.skeleton: Skeleton = card.load_skeleton()
        self._detector, self._poses = detector, poses
        self._frames = FrameFilters(card.filters)
        self._max_people, self._detect_every = max_people, detect_every
        self._min_score, self._max_misses = min_score, max_misses
        self._aspect = card.input.crop.aspect or card.input.width / card.input.height
        self._spread = 2 * np.array(self.skeleton.sigmas)
        self._tracks: list[_Track] = []
        self._until_detection = 0

    def reset(self) -> None:
        """Forget everybody: a new series begins."""
        self._frames.reset()
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

        Raises
        ------
        InputError
            If the image is empty, or is not RGB of 8 bits.
        """
        check_image(image)
        shown = self._frames.next(image)  # to the pose model; the detector has filters of its own
        followed = [t for t in self._tracks if t.misses < self._max_misses]
        due = not followed or self._until_detection <= 0
        newcomers = self._detect(image, followed) if due else []
        taken, others = self._take(followed, newcomers)
        self._tracks = []
        seen: list[Person] = []
        self._look(shown, taken, seen)
        if others and (room := self._max_people - len(seen)) > 0:
            self._look(shown, others[:room], seen)  # some of those taken are nobody
        if not due and len(self._tracks) < len(followed):
            # Somebody was just lost: look at once where they, or others, are.
            found = self._detect(image, self._tracks)
            self._look(shown, found[: max(self._max_people - len(self._tracks), 0)], seen)
        self._until_detection -= 1
        return seen

    def _detect(self, image: NDArray[np.uint8], followed: Sequence[_Track]) -> list[_Track]:
        """Note whom of those followed the detector finds; return newcomers, the foremost first.

        Where the detector sees more of somebody than their keypoints led to, its box is taken.
        """
        self._until_detection = self._detect_every
        found = self._detector.detect(image)
        pairs = match_boxes(
            np.array([t.box for t in followed]).reshape(-1, 4),
            np.array([d.box for d in found]).reshape(-1, 4),
            least=SAME_BOX,
        )
        for track in followed:
            track.misses += 1
        for i, j in pairs:
            followed[i].misses, followed[i].score = 0, found[j].score
            region = self._region(followed[i])
            if region is None or covered(found[j].box, region) < _COVERED:
                followed[i].box = found[j].box
        known = {j for _, j in pairs}
        newcomers = [_Track(d.box, d.score) for j, d in enumerate(found) if j not in known]
        return sorted(newcomers, key=lambda t: t.score * t.size_px, reverse=True)

    def _take(
        self, followed: Sequence[_Track], newcomers: Sequence[_Track]
    ) -> tuple[list[_Track], list[_Track]]:
        """Return whom to look at, and for whom there is no room beside larger people."""
        stay, come, others = list(followed), list[_Track](), list[_Track]()
        for new in newcomers:
            if len(stay) + len(come) >= self._max_people:
                smallest = min(stay, key=lambda t: t.size_px, default=None)
                if smallest is None or new.size_px <= MUCH_LARGER * smallest.size_px:
                    others.append(new)
                    continue
                stay.remove(smallest)
                others.insert(0, smallest)
            come.append(new)
        return [*stay, *come], others

    def _look(self, image: NDArray[np.uint8], tracks: Sequence[_Track], seen: list[Person]) -> None:
        """Add the people of the tracks to those seen, and keep the tracks that hold."""
        looked = [(t, r) for t in tracks if (r := self._region(t)) is not None]
        poses = self._poses.locate(image, [region for _, region in looked])
        for (track, _), pose in zip(looked, poses, strict=True):
            person = _person(pose, track.score)
            if person.score < self._min_score:
                continue
            if any(self._likeness(person, other) >= SAME_PERSON for other in seen):
                continue
            seen.append(person)
            box = _next_box(person, track.box, image.shape)
            if box is not None:
                track.box = box
                self._tracks.append(track)

    def _region(self, track: _Track) -> Region | None:
        return region_of_box(track.box, padding=self.card.input.crop.padding, aspect=self._aspect)

    def _likeness(self, a: Person, b: Person) -> float:
        """Object keypoint similarity of two people, all keypoints that both have counted alike."""
        both = np.isfinite(a.keypoints_px + b.keypoints_px).all(axis=1)
        if not both.any():
            return 0.0
        one, two = a.keypoints_px[both], b.keypoints_px[both]
        area = 0.53 * float(np.prod(np.ptp(two, axis=0)))
        distance2 = ((one - two) ** 2).sum(axis=1)
        return float(np.exp(-distance2 / (2 * max(area, 1.0) * self._spread[both] ** 2)).mean())


def _person(pose: Pose, detector_score: float) -> Person:
    confidence = np.where(np.isnan(pose.confidence), detector_score, pose.confidence)
    return Person(
        pose.points_px.astype(np.float32),
        confidence.astype(np.float32),
        float(confidence.mean()),
        pose.region,
    )


def _next_box(
    person: Person, box: NDArray[np.float64], image_shape: tuple[int, ...]
) -> NDArray[np.float64] | None:
    """Where to look in the next frame: around the sure points, hardly smaller than before.

    None where fewer than two points are sure, or all is outside the image.
    """
    sure = person.keypoints_px[person.confidence >= MIN_POINT]
    around = box_around(sure, margin=_BODY_MARGIN)
    if around is None:
        return None
    around = with_least_size(around, _SHRINK * (box[2:] - box[:2]))
    height, width = image_shape[:2]
    inside = np.array([[-0.5, -0.5, width - 0.5, height - 0.5]])
    return around if overlaps(around[None], inside)[0, 0] > 0 else None


def open_topdown(
    model: Model,
    *,
    store: ModelStore,
    max_people: int = 2,
    device: str = "auto",
    threads: int | None = None,
    **settings: Any,
) -> TopDownEstimator:
    """Open a pose model and the detector its card names.

    Parameters
    ----------
    model
        A pose model of output kind heatmap, simcc or coords.
    store
        Gives the detector.
    max_people, **settings
        See :class:`TopDownEstimator`.
    device, threads
        See :func:`gonio.runtime.open_session`.

    Returns
    -------
    TopDownEstimator

    Raises
    ------
    ConfigError, ModelError, ModelOutputError, OfflineError
        See :func:`gonio.runtime.open_estimator`.
    """
    check_card(model.card)
    found = _find_detector(model.card, store)
    detector = PersonDetector(_opened(found, device, threads), found.card)
    poses = PoseModel(_opened(model, device, threads), model.card)
    return TopDownEstimator(
        model.card, detector, poses, max_people=max_people, provider=poses.provider, **settings
    )


def _opened(model: Model, device: str, threads: int | None) -> Session:
    session = open_session(model.path, device=device, threads=threads)
    check_outputs(session, model.card)
    return session


def _find_detector(card: Card, store: ModelStore) -> Model:
    """Return the detector; what is wrong with it is told together with who needs it."""
    name = card.detector or DETECTOR
    try:
        return store.resolve(name)
    except UnknownNameError as error:
        raise ConfigError(f"card '{card.name}': detector: {error}") from error
    except ModelError as error:
        raise type(error)(f"model '{card.name}' needs a person detector. {error}") from error
