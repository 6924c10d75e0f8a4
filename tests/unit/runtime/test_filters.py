"""A network in use is shown, bit by bit, what it was shown in training: every filter, any chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.datasets import AugmentationSettings, InputSettings, TargetSettings, make_sample
from gonio.datasets.augmentation import Window
from gonio.datasets.sampling import sample_rng
from gonio.errors import ConfigError, ModelError
from gonio.imaging import Noise, add_noise, apply_filters, random_photometry
from gonio.labels import LabelledImage, Labels, make_labels
from gonio.runtime import Card, Model, ModelStore, card_for_network, open_estimator, predict
from gonio.runtime.cards import make_card
from gonio.runtime.topdown import Detection, PersonDetector, PoseModel, TopDownEstimator
from gonio.runtime.wholeimage import WholeImageEstimator
from gonio.skeletons import Skeleton
from gonio.video import read_image, write_image
from unit.runtime.tiny_onnx import write_identity
from unit.runtime.topdown.fakes import FakeSession

THREE = Skeleton(name="three", keypoints=("one", "two", "three"))
TARGET = TargetSettings(stride=1)
NAMES = (
    *("grey", "edges", "edge_overlay", "equalize", "clahe", "color_equalize", "edge_enhance"),
    *("gaussian", "bilateral", "mog2"),
)
CHAINS = [[{"name": name}] for name in NAMES] + [
    [],
    [
        {"name": "mog2", "history": 50},
        {"name": "bilateral", "sigma_px": 2},
        {"name": "color_equalize"},
        {"name": "edge_enhance", "amount": 0.3},
        {"name": "edge_overlay", "low": 40, "high": 90, "strength": 0.6},
    ],
    [{"name": "clahe", "clip": 3.5, "tiles": 5}, {"name": "gaussian"}, {"name": "grey"}],
]


def settings(filters: Any, **more: Any) -> InputSettings:
    values = {"width": 40, "height": 48, "normalize": "unit", "filters": filters, **more}
    return InputSettings.model_validate(values)


def card(given: InputSettings) -> Card:
    return card_for_network(
        "net", THREE, input=given, target=TARGET, kind="heatmap", stride=1, roles=["heatmap"]
    )


def photograph(seed: int = 0) -> NDArray[np.uint8]:
    """Smooth shades with a few things in them, so that every filter has something to do."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (160, 120))
    for _ in range(6):
        corner = rng.integers(0, 100, 2)
        image[corner[0] :, corner[1] :][:15, :20] = rng.integers(0, 256, 3)
    return np.asarray(add_noise(np.asarray(image, np.uint8), 5, rng))


def labels(folder: Path, source: str) -> Labels:
    path = folder / "one.png"
    write_image(path, photograph())
    points = [[[50, 30], [80, 60], [60, 90.0]]]
    box = [[35, 20, 60, 80]] if source == "person" else None
    return make_labels(THREE, [LabelledImage(path)], [0], points, [[2] * 3], boxes_px=box)


def maps(tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """As sure as can be, wherever the input is bright."""
    return {"heatmap": np.repeat(tensor[:, :1], 3, axis=1) + 1}


def as_pixels(tensor: NDArray[Any]) -> NDArray[np.uint8]:
    pixels = np.rint(tensor.transpose(1, 2, 0) * 255)
    np.testing.assert_allclose(tensor.transpose(1, 2, 0) * 255, pixels, atol=1e-4)
    return pixels.astype(np.uint8)


@pytest.mark.parametrize("channels", ["rgb", "grey"])
@pytest.mark.parametrize("source", ["person", "image"])
@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "+".join(f["name"] for f in chain))
def test_evaluation_shows_a_network_bit_by_bit_what_training_shows_it(
    chain: Any, source: str, channels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(chain, channels=channels, crop={"source": source, "fill": 30})
    people = labels(tmp_path, source)
    sample = make_sample(people, 0, input=given, target=TARGET)
    session = FakeSession(maps, ("heatmap",), None)
    monkeypatch.setattr("gonio.runtime.predictions.open_session", lambda *_, **__: session)
    monkeypatch.setattr("gonio.runtime.predictions.check_outputs", lambda *_: None)
    predict(Model(card(given), Path("net.onnx"), "0" * 64), people)
    assert np.array_equal(as_pixels(session.tensors[0][0]), sample.image)
    if any(each["name"] != "mog2" for each in chain) and channels == "rgb":
        plain = make_sample(
            people, 0, input=given.model_copy(update={"filters": ()}), target=TARGET
        )
        assert not np.array_equal(plain.image, sample.image)
        assert np.array_equal(sample.image, apply_filters(plain.image, given.filters))


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "+".join(f["name"] for f in chain))
def test_analysis_shows_a_network_bit_by_bit_what_training_shows_it(
    chain: Any, tmp_path: Path
) -> None:
    whole = settings(chain, crop={"source": "image", "fill": 30})
    image = read_image(labels(tmp_path, "image").images[0].path)
    session = FakeSession(maps, ("heatmap",), None)
    WholeImageEstimator(card(whole), PoseModel(session, card(whole))).estimate(image)
    sample = make_sample(labels(tmp_path, "image"), 0, input=whole, target=TARGET)
    assert np.array_equal(as_pixels(session.tensors[0][0]), sample.image)

    person = settings(chain, crop={"fill": 30, "padding": 1.1})
    people = labels(tmp_path, "person")
    session = FakeSession(maps, ("heatmap",), None)
    estimator = TopDownEstimator(
        card(person), Finder(people.boxes_px[0]), PoseModel(session, card(person))
    )
    estimator.estimate(image)
    sample = make_sample(people, 0, input=person, target=TARGET)
    assert np.array_equal(as_pixels(session.tensors[0][0]), sample.image)


class Finder:
    """Finds the person of the labels, and keeps what it was shown."""

    def __init__(self, box: NDArray[np.float64]) -> None:
        left, top, width, height = box
        self._box = np.array([left, top, left + width, top + height])
        self.shown: list[NDArray[np.uint8]] = []

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        self.shown.append(image)
        return [Detection(self._box, 0.9)]


def walk(count: int) -> list[NDArray[np.uint8]]:
    """A bright square before a wall that does not move."""
    frames = []
    for number in range(count):
        frame = photograph() // 2
        frame[40:70, 30 + 3 * number : 60 + 3 * number] = 240
        frames.append(frame)
    return frames


def test_the_background_goes_from_recordings_and_the_detector_sees_the_whole_frame() -> None:
    given = settings([{"name": "mog2"}], crop={"padding": 1})
    session = FakeSession(maps, ("heatmap",), None)
    finder = Finder(np.array([20, 20, 100, 80.0]))
    estimator = TopDownEstimator(
        card(given), finder, PoseModel(session, card(given)), detect_every=1
    )
    frames = walk(8)
    for frame in frames:
        estimator.estimate(frame)
    assert all(shown is frame for shown, frame in zip(finder.shown, frames, strict=True))
    black = [(as_pixels(tensor[0]) == 0).all(axis=2).mean() for tensor in session.tensors]
    assert black[0] < 0.05  # nothing is known of the background yet
    assert black[-1] > 0.5


@pytest.mark.parametrize("source", ["person", "image"])
def test_a_stretch_of_a_recording_begins_with_no_background(source: str) -> None:
    """So that the result does not depend on who works on which stretch."""
    given = settings([{"name": "mog2"}], crop={"source": source})
    session = FakeSession(maps, ("heatmap",), None)
    poses = PoseModel(session, card(given))
    estimator: Any = (
        WholeImageEstimator(card(given), poses)
        if source == "image"
        else TopDownEstimator(card(given), Finder(np.array([20, 20, 100, 80.0])), poses)
    )
    shown = []
    for _ in range(2):
        estimator.reset()
        session.tensors.clear()
        for frame in walk(5):
            estimator.estimate(frame)
        shown.append(np.concatenate(session.tensors))
    assert np.array_equal(*shown)


def test_chance_changes_the_picture_before_filters_see_it() -> None:
    given = settings([{"name": "edges", "low": 20, "high": 50}])
    people = make_labels(
        THREE,
        [LabelledImage(Path("one.png"))],
        [0],
        [[[50, 30], [80, 60], [60, 90.0]]],
        [[2] * 3],
        boxes_px=[[35, 20, 60, 80]],
    )
    chance = AugmentationSettings(noise=Noise(probability=1, low=10))
    made = make_sample(
        people, 0, input=given, target=TARGET, image=photograph(),
        augmentation=chance, rng=sample_rng(0, 0, 0),
    )  # fmt: skip
    plain = make_sample(
        people, 0, input=given.model_copy(update={"filters": ()}), target=TARGET, image=photograph()
    )
    noisy, _ = random_photometry(plain.image, chance, sample_rng(0, 0, 0))
    assert np.array_equal(made.image, apply_filters(noisy, given.filters))
    assert set(np.unique(made.image)) == {0, 255}  # edges are never noisy themselves
    window = AugmentationSettings(window=Window(width=16, height=16))
    with pytest.raises(ConfigError, match=r"augmentation\.window: does not go with input\.filters"):
        make_sample(
            people, 0, input=given, target=TARGET, image=photograph(),
            augmentation=window, rng=sample_rng(0, 0, 0),
        )  # fmt: skip


@pytest.mark.parametrize("kind", ["sixteen bits", "grey", "transparent", "one pixel"])
@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_every_kind_are_filtered(kind: str, name: str, tmp_path: Path) -> None:
    image = photograph()
    saved: Any = {
        "sixteen bits": image.astype(np.uint16) * 257,
        "grey": image[..., 0],
        "transparent": np.dstack([image, image[..., :1]]),
        "one pixel": image[:1, :1],
    }[kind]
    cv2.imwrite(str(tmp_path / "odd.png"), saved)
    people = make_labels(
        THREE, [LabelledImage(tmp_path / "odd.png")], [0], [[[5, 3], [8, 6], [6, 9]]], [[2] * 3]
    )
    made = make_sample(people, 0, input=settings([{"name": name}]), target=TARGET)
    assert made.image.shape == (48, 40, 3)
    assert made.image.dtype == np.uint8


def test_a_detector_has_filters_of_its_own() -> None:
    def detector(filters: list[Any]) -> Card:
        values = {
            "name": "finder",
            "task": "detector",
            "input": {"width": 32, "height": 24},
            "filters": filters,
            "output": {"kind": "boxes", "names": {"boxes": "dets"}},
        }
        return make_card(values, where="finder")

    session = FakeSession(lambda _: {"dets": np.zeros((1, 0, 5))}, ("dets",), None)
    PersonDetector(session, detector([{"name": "grey"}])).detect(photograph())
    shown = session.tensors[0][0]
    assert np.array_equal(shown[0], shown[1])
    with pytest.raises(ModelError, match="'finder': mog2 is for pose models"):
        PersonDetector(session, detector([{"name": "mog2"}]))


def test_a_file_with_filters_opens_and_works(tmp_path: Path) -> None:
    given = card(settings([{"name": "grey"}], crop={"source": "image"}))
    path = write_identity(tmp_path / "net.onnx", ["n", 3, 48, 40])
    values = given.model_dump(by_alias=True)
    values["output"]["names"] = {}
    model = Model(make_card(values, where="net"), path, "0" * 64)
    (found,) = open_estimator(model, store=ModelStore(tmp_path), device="cpu").estimate(
        photograph()
    )
    # The identity's three maps are the three channels, which are alike.
    assert np.array_equal(found.keypoints_px[0], found.keypoints_px[1])
