"""Following people from frame to frame, in a world of points."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.codec import Region
from gonio.errors import ModelOutputError
from gonio.runtime import ModelStore, Person
from gonio.runtime.blazepose.detector import Detection
from gonio.runtime.blazepose.estimator import BlazePoseEstimator
from gonio.runtime.blazepose.landmarks import Landmarks

CARD = ModelStore().card("blazepose-full")
IMAGE = np.zeros((8, 8, 3), dtype=np.uint8)
SHAPE = np.random.default_rng(0).uniform(-0.5, 0.5, (33, 2)) * (40, 100)


@dataclass
class Body:
    """A person whose middle is at (x, y) and who reaches 60 px from it."""

    x: float
    y: float = 200.0
    score: float = 1.0
    detected: float = 0.9
    size: float = 1.0

    def landmarks(self) -> Landmarks:
        points = np.concatenate([SHAPE, [[0, 0], [0, -60]], np.zeros((4, 2))])
        points = self.size * points + (self.x, self.y)
        return Landmarks(points, np.full(39, 0.8), self.score)

    def detection(self) -> Detection:
        keypoints = np.array([[0, 0], [0, -60], [0, -20], [0, -60.0]])
        keypoints = self.size * keypoints + (self.x, self.y)
        return Detection(np.zeros(4), keypoints, self.detected)


@dataclass
class World:
    """Detector and landmark model of a few bodies; counts what it is asked."""

    bodies: list[Body]
    detections: list[bool] = field(default_factory=list)
    looks: int = 0

    def detect(self, image: NDArray[np.uint8], *, closely: bool) -> list[Detection]:
        self.detections.append(closely)
        found = [b.detection() for b in self.bodies if b.detected > 0]
        return sorted(found, key=lambda d: -d.score)

    def locate(self, image: NDArray[np.uint8], region: Region) -> Landmarks:
        self.looks += 1
        x, y = region.center_px
        near = min(self.bodies, key=lambda b: np.hypot(b.x - x, b.y - y), default=None)
        if near is None or np.hypot(near.x - x, near.y - y) > 50:
            return Landmarks(np.zeros((39, 2)), np.zeros(39), 0.0)
        return near.landmarks()

    def follow(self, frames: int = 1, **settings: float) -> list[list[Person]]:
        estimator = BlazePoseEstimator(CARD, self, self, **settings)  # type: ignore[arg-type]
        return [estimator.estimate(IMAGE) for _ in range(frames)]


def middles(people: list[Person]) -> list[float]:
    return sorted(round(float((p.keypoints_px - SHAPE).mean(axis=0)[0])) for p in people)


def test_a_person_is_given_with_33_keypoints_visibility_and_presence() -> None:
    ((person,),) = World([Body(100, score=0.7)]).follow()
    np.testing.assert_allclose(person.keypoints_px - SHAPE, [[100, 200]] * 33, rtol=1e-5)
    assert person.keypoints_px.dtype == person.confidence.dtype == np.float32
    np.testing.assert_allclose(person.confidence, 0.8)
    assert person.score == 0.7
    assert person.region == Region((100, 200), (150, 150), 0)


def test_the_card_says_how_large_the_regions_are() -> None:
    crop = CARD.input.crop.model_copy(update={"padding": 2.0})
    card = CARD.model_copy(update={"input": CARD.input.model_copy(update={"crop": crop})})
    world = World([Body(100)])
    estimator = BlazePoseEstimator(card, world, world)
    for _ in range(2):  # from the detector, then from the landmarks
        (person,) = estimator.estimate(IMAGE)
        assert person.region.size_px == (240, 240)


def test_with_one_person_the_detector_rests_while_they_are_followed() -> None:
    world = World([Body(100), Body(400, detected=0.8)])
    frames = world.follow(40, max_people=1)
    assert all(middles(people) == [100] for people in frames)
    assert world.detections == [False]


def test_a_lost_person_is_searched_for_from_the_next_frame_on() -> None:
    world = World([Body(100)])
    estimator = BlazePoseEstimator(CARD, world, world, max_people=1)
    assert len(estimator.estimate(IMAGE)) == 1
    world.bodies = [Body(900)]
    assert estimator.estimate(IMAGE) == []
    assert len(world.detections) == 1
    assert middles(list(estimator.estimate(IMAGE))) == [900]
    assert len(world.detections) == 2


def test_nobody_in_view_means_a_search_in_every_frame() -> None:
    world = World([])
    assert world.follow(5) == [[]] * 5
    assert len(world.detections) == 5


def test_a_moving_person_is_followed_without_the_detector() -> None:
    world = World([Body(100)])
    estimator = BlazePoseEstimator(CARD, world, world, max_people=1)
    for x in range(100, 500, 8):
        world.bodies[0].x = x
        assert middles(list(estimator.estimate(IMAGE))) == [x]
    assert len(world.detections) == 1


def test_a_second_person_is_found_at_the_next_search() -> None:
    world = World([Body(100)])
    estimator = BlazePoseEstimator(CARD, world, world, detect_every=5)
    estimator.estimate(IMAGE)
    world.bodies.append(Body(400))
    counts = [len(estimator.estimate(IMAGE)) for _ in range(6)]
    assert counts == [1, 1, 1, 1, 2, 2]
    assert world.detections == [True, True]


def test_no_more_people_than_asked_for_are_followed_the_surest_first() -> None:
    world = World([Body(100, detected=0.6), Body(400), Body(800, detected=0.7)])
    frames = world.follow(3, max_people=2)
    assert [middles(people) for people in frames] == [[400, 800]] * 3
    assert len(world.detections) == 1


def test_the_larger_of_people_about_as_sure_come_first() -> None:
    world = World([Body(100), Body(400), Body(800, detected=0.7, size=2)])
    assert [round(p.region.size_px[0]) for p in world.follow(1)[0]] == [300, 150]


def test_who_is_much_larger_takes_the_place_of_the_smallest() -> None:
    world = World([Body(100), Body(400, size=1.2)])
    estimator = BlazePoseEstimator(CARD, world, world, detect_every=5)
    estimator.estimate(IMAGE)
    world.bodies.append(Body(800, size=1.4, detected=0.99))  # not large enough
    sizes = [[round(p.region.size_px[0]) for p in estimator.estimate(IMAGE)] for _ in range(12)]
    assert sizes == [[180, 150]] * 12
    world.bodies.append(Body(1200, size=2))
    sizes = [[round(p.region.size_px[0]) for p in estimator.estimate(IMAGE)] for _ in range(20)]
    assert sizes[0] == [180, 150]
    assert sizes[-1] == [180, 300]
    assert all(len(s) == 2 for s in sizes)


def test_something_large_that_is_no_person_takes_nobodys_place() -> None:
    world = World([Body(100), Body(400), Body(900, size=5, score=0.9)])
    frames = world.follow(20, detect_every=3)
    assert all(middles(people) == [100, 400] for people in frames)


def test_a_detection_of_somebody_followed_is_not_looked_at() -> None:
    world = World([Body(100)])
    world.follow(11, detect_every=5)
    assert len(world.detections) == 3
    assert world.looks == 11


def test_two_tracks_on_one_person_become_one_and_a_search_follows() -> None:
    world = World([Body(100), Body(160)])
    estimator = BlazePoseEstimator(CARD, world, world)
    assert middles(list(estimator.estimate(IMAGE))) == [100, 160]
    world.bodies = [Body(130)]
    assert middles(list(estimator.estimate(IMAGE))) == [130]
    estimator.estimate(IMAGE)
    assert len(world.detections) == 2


def test_a_doubtful_person_may_come_first_but_not_join() -> None:
    assert len(World([Body(100, score=0.6)]).follow()[0]) == 1
    joined = World([Body(100), Body(400, score=0.9, detected=0.8)]).follow(20)
    assert all(middles(people) == [100] for people in joined)


def test_presence_of_exactly_one_half_is_not_enough() -> None:
    assert World([Body(100, score=0.5)]).follow() == [[]]


def test_reset_forgets_everybody() -> None:
    world = World([Body(100)])
    estimator = BlazePoseEstimator(CARD, world, world)
    first = estimator.estimate(IMAGE)
    estimator.reset()
    world.bodies = [Body(900)]
    assert middles(list(estimator.estimate(IMAGE))) == [900]
    assert middles(list(first)) == [100]


def test_a_person_whose_region_cannot_be_told_is_given_once_and_let_go() -> None:
    class Flat(Body):
        def landmarks(self) -> Landmarks:
            given = super().landmarks()
            given.points_px[34] = given.points_px[33]
            return given

    world = World([Flat(100)])
    frames = world.follow(3, max_people=1)
    assert [len(people) for people in frames] == [1, 1, 1]
    assert len(world.detections) == 3


def test_a_skeleton_of_another_size_is_refused() -> None:
    card = CARD.model_copy(update={"skeleton": "coco17"})
    world = World([])
    with pytest.raises(ModelOutputError, match="'coco17' has 17 keypoints, the model gives 33"):
        BlazePoseEstimator(card, world, world)
