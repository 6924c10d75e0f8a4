"""Following people by their keypoints, in a world of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.codec import Region
from gonio.errors import ConfigError, InputError, ModelOutputError, OfflineError
from gonio.runtime import Model, ModelStore, Person, open_estimator
from gonio.runtime.cards import card_path, dump_card
from gonio.runtime.topdown import Detection, Pose, TopDownEstimator
from unit.runtime.tiny_onnx import write_identity
from unit.runtime.topdown.fakes import pose_card

CARD = pose_card("heatmap", stride=1)
IMAGE = np.zeros((400, 1000, 3), dtype=np.uint8)
SHAPE = np.array([[0, -80], [-10, 0], [10, 0], [-10, 80], [10, 80], [0, 90.0]])


@dataclass
class Body:
    """A person whose middle is at (x, 200), 180 px high."""

    x: float
    confidence: float = 0.8
    detected: float = 0.9
    y: float = 200.0
    size: float = 1.0

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x, self.y)

    def detection(self) -> Detection:
        half = self.size * np.array([30, 100])
        box = np.concatenate([self.middle - half, self.middle + half])
        return Detection(box, self.detected)


@dataclass
class World:
    """Detector and pose model of a few bodies; counts what it is asked."""

    bodies: list[Body]
    scores: bool = True
    detections: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    frame: int = 0

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        self.detections.append(self.frame)
        found = [b.detection() for b in self.bodies if b.detected > 0]
        return sorted(found, key=lambda d: -d.score)

    def locate(self, image: NDArray[np.uint8], regions: Sequence[Region]) -> list[Pose]:
        self.calls.append(len(regions))
        return [self._pose(region) for region in regions]

    def _pose(self, region: Region) -> Pose:
        def far(body: Body) -> float:
            return float(np.hypot(*np.subtract(body.middle, region.center_px)))

        near = min(self.bodies, key=far, default=None)
        if near is None or far(near) > 60:
            return Pose(np.full((6, 2), np.nan), np.zeros(6), region)
        confidence = near.confidence if self.scores else np.nan
        return Pose(near.size * SHAPE + near.middle, np.full(6, confidence), region)

    def estimator(self, **settings: Any) -> TopDownEstimator:
        return TopDownEstimator(CARD, self, self, **settings)

    def follow(self, frames: int, **settings: Any) -> list[list[Person]]:
        estimator = self.estimator(**settings)
        seen = []
        for self.frame in range(frames):
            seen.append(estimator.estimate(IMAGE))
        return seen


def middles(people: Sequence[Person]) -> list[float]:
    return sorted(round(float((p.keypoints_px - SHAPE)[:, 0].mean())) for p in people)


def test_a_person_has_keypoints_confidence_their_mean_as_score_and_a_region() -> None:
    ((person,),) = World([Body(500)]).follow(1)
    np.testing.assert_allclose(person.keypoints_px - SHAPE, [[500, 200]] * 6, rtol=1e-6)
    assert person.keypoints_px.dtype == person.confidence.dtype == np.float32
    assert person.score == pytest.approx(0.8)
    assert person.region == Region((500, 200), (125, 250))  # the box times 1.25, made 1 : 2


def test_the_detector_runs_every_n_frames_and_all_people_go_in_one_call() -> None:
    world = World([Body(200), Body(700)])
    seen = world.follow(25, detect_every=10)
    assert all(middles(people) == [200, 700] for people in seen)
    assert world.detections == [0, 10, 20]
    assert world.calls == [2] * 25


def test_while_nobody_is_there_the_detector_looks_in_every_frame() -> None:
    world = World([])
    assert world.follow(4) == [[]] * 4
    assert world.detections == [0, 1, 2, 3]


def test_who_is_lost_is_looked_for_at_once() -> None:
    world = World([Body(200), Body(600)])
    estimator = world.estimator(detect_every=10)
    estimator.estimate(IMAGE)
    world.frame, world.bodies[1].x = 1, 900  # too far to be followed
    assert middles(estimator.estimate(IMAGE)) == [200, 900]
    assert world.detections == [0, 1]
    world.bodies[1].confidence = 0.1
    world.frame = 2
    assert middles(estimator.estimate(IMAGE)) == [200]
    assert world.detections == [0, 1, 2]


def test_a_walking_person_is_followed_without_the_detector() -> None:
    world = World([Body(100)])
    estimator = world.estimator(detect_every=1000)
    for step in range(80):
        world.bodies[0].x = 100 + 10 * step
        (person,) = estimator.estimate(IMAGE)
        assert middles([person]) == [100 + 10 * step]
    assert len(world.detections) == 1


def test_the_region_hardly_shrinks_when_few_points_are_sure() -> None:
    world = World([Body(500)])
    estimator = world.estimator(detect_every=1000)
    estimator.estimate(IMAGE)
    locate = world._pose

    def only_the_hips(region: Region) -> Pose:
        pose = locate(region)
        return Pose(pose.points_px, np.array([0.25, 0.9, 0.9, 0.25, 0.25, 0.25]), region)

    world._pose = only_the_hips  # type: ignore[method-assign]
    (before,), (after,) = estimator.estimate(IMAGE), estimator.estimate(IMAGE)
    assert after.region.size_px[1] == pytest.approx(0.9 * before.region.size_px[1])


def test_where_the_detector_sees_more_of_somebody_its_box_is_taken() -> None:
    world = World([Body(500)])
    estimator = world.estimator(detect_every=1)
    estimator.estimate(IMAGE)
    (second,) = estimator.estimate(IMAGE)
    around_points = second.region.size_px[1]
    estimator._tracks[0].box = np.array([480, 80, 520, 170.0])  # the trunk only
    (third,) = estimator.estimate(IMAGE)
    assert third.region == Region((500, 200), (125, 250))
    assert around_points == pytest.approx(170 * 1.15 * 1.25)


def test_no_more_people_than_allowed_are_followed_the_surest_first() -> None:
    world = World([Body(200, detected=0.5), Body(500), Body(800, detected=0.7)])
    assert [middles(people) for people in world.follow(3)] == [[500, 800]] * 3
    assert [middles(people) for people in world.follow(3, max_people=1)] == [[500]] * 3
    assert [middles(people) for people in world.follow(1, max_people=5)] == [[200, 500, 800]]


def test_who_is_much_larger_takes_the_place_of_the_smallest() -> None:
    world = World([Body(200, size=0.5), Body(400, size=0.45, detected=0.99)])
    estimator = world.estimator(detect_every=3)
    heights = [_heights(estimator.estimate(IMAGE)) for _ in range(4)]
    assert heights == [[76, 85]] * 4
    world.bodies.append(Body(800, detected=0.6))
    heights = [_heights(estimator.estimate(IMAGE)) for _ in range(6)]
    assert heights[-1] == [85, 170]
    assert all(len(h) == 2 for h in heights)


def test_something_large_that_is_no_person_takes_nobodys_place() -> None:
    world = World([Body(200, size=0.5), Body(400, size=0.5), Body(800, confidence=0.1)])
    seen = world.follow(9, detect_every=2)
    assert all(_heights(people) == [85, 85] for people in seen)


def _heights(people: Sequence[Person]) -> list[int]:
    return sorted(round(float(np.ptp(p.keypoints_px[:, 1]))) for p in people)


def test_a_person_who_comes_in_is_found_at_the_next_detection() -> None:
    world = World([Body(200)])
    estimator = world.estimator(detect_every=3)
    counts = []
    for world.frame in range(5):
        if world.frame == 1:
            world.bodies.append(Body(700))
        counts.append(len(estimator.estimate(IMAGE)))
    assert counts == [1, 1, 1, 2, 2]


def test_two_boxes_of_one_person_give_one_person() -> None:
    world = World([Body(500)])
    estimator = world.estimator(max_people=3)
    twice = [Detection(np.array([480, 100, 520, 300.0]), 0.9)]
    twice.append(Detection(np.array([470, 150, 540, 350.0]), 0.8))
    world.detect = lambda image: twice  # type: ignore[method-assign]
    assert middles(estimator.estimate(IMAGE)) == [500]


def test_whom_the_detector_misses_again_and_again_is_dropped() -> None:
    world = World([Body(500)])
    estimator = world.estimator(detect_every=2, max_misses=3)
    estimator.estimate(IMAGE)
    world.bodies[0].detected = 0  # from now on the pose model sees somebody in the wall
    counts = [len(estimator.estimate(IMAGE)) for _ in range(10)]
    assert counts == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]  # missed in frames 2, 4 and 6


def test_without_confidences_the_detectors_score_stands_for_them() -> None:
    world = World([Body(500, detected=0.6)], scores=False)
    first, second = world.follow(2)
    assert first[0].score == second[0].score == pytest.approx(0.6)
    np.testing.assert_allclose(second[0].confidence, 0.6, rtol=1e-6)


def test_who_leaves_the_image_is_let_go() -> None:
    world = World([Body(950)])
    estimator = world.estimator(detect_every=1000)
    estimator.estimate(IMAGE)
    world.bodies[0].x = 1009
    assert len(estimator.estimate(IMAGE)) == 1
    world.bodies[0] = Body(1060, detected=0)
    assert len(estimator.estimate(IMAGE)) == 1  # still partly there
    assert estimator.estimate(IMAGE) == []


def test_a_new_series_begins_with_a_detection() -> None:
    world = World([Body(500)])
    estimator = world.estimator()
    estimator.estimate(IMAGE)
    estimator.reset()
    estimator.estimate(IMAGE)
    assert world.detections == [0, 0]
    estimator.close()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.uint8),
        np.zeros((4, 4, 3), dtype=np.float32),
        np.zeros((0, 4, 3), dtype=np.uint8),
    ],
)
def test_what_is_no_rgb_image_is_refused(image: NDArray[Any]) -> None:
    with pytest.raises(InputError, match=r"height × width × 3 of uint8 \(RGB\) is needed"):
        World([]).estimator().estimate(image)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="detect_every: 0 given"):
        World([]).estimator(detect_every=0)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    monkeypatch.delenv("GONIO_MODELS", raising=False)
    return ModelStore(tmp_path / "store")


def pose_model(folder: Path, **changes: Any) -> Model:
    """A model that takes its input for six heatmaps."""
    path = write_identity(folder / "pose.onnx", ["n", 6, 32, 16])
    values = {"width": 16, "height": 32}
    card = pose_card("heatmap", stride=1, changes={"input": values, **changes})
    card_path(path).write_text(dump_card(card), encoding="utf-8")
    return ModelStore().resolve(path)


def test_a_missing_detector_is_told_with_what_to_do(tmp_path: Path, store: ModelStore) -> None:
    with pytest.raises(OfflineError, match=r"needs a person detector\. .* models add rtmdet-nano"):
        open_estimator(pose_model(tmp_path), store=store)


def test_a_detector_that_does_not_exist_is_told_with_the_card(
    tmp_path: Path, store: ModelStore
) -> None:
    with pytest.raises(ConfigError, match=r"'tiny-pose': detector: unknown model 'rtmdet-nan'"):
        open_estimator(pose_model(tmp_path, detector="rtmdet-nan"), store=store)
    path = write_identity(tmp_path / "given.onnx", ["n", 3, 4, 8])
    other = pose_card("heatmap", stride=1, changes={"task": "segmenter", "skeleton": None})
    small = other.model_copy(
        update={"input": other.input.model_copy(update={"width": 8, "height": 4})}
    )
    store.add("mine", path, small)
    with pytest.raises(ModelOutputError, match="'mine': finds no boxes"):
        open_estimator(pose_model(tmp_path, detector="mine"), store=store)
