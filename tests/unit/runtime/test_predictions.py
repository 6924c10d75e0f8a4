"""A model asked about labelled people sees what training sees, mirrored or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.codec import encode_coords, encode_gaussian, encode_locref, encode_simcc, input_to_grid
from gonio.datasets import InputSettings, TargetSettings, make_sample
from gonio.errors import ConfigError, InputError, ModelError
from gonio.labels import LabelledImage, Labels, make_labels
from gonio.runtime import Card, Model, predict, predictions
from gonio.runtime.cards import make_card
from gonio.runtime.predictions import mirror_outputs
from gonio.runtime.topdown.decoding import decode_points
from gonio.skeletons import Skeleton, load_skeleton
from gonio.video import write_image
from unit.runtime.topdown.fakes import FakeSession

PAIR = Skeleton(name="pair", keypoints=("nose", "left_ear", "right_ear"))
WH = (32, 24)
POINTS = np.array([[4.3, 6.0], [20.1, 10.4], [25.0, 18.2]])


def card(kind: str = "heatmap", *, layout: str = "nchw", **output: Any) -> Card:
    values = {
        "name": "pair-net",
        "task": "pose",
        "skeleton": PAIR,
        "input": {"width": 32, "height": 24, "scale": 1 / 255, "layout": layout},
        "output": {"kind": kind, "stride": 2, "sigma": 0, **output},
    }
    values["input"] |= output.pop("changes", {})
    values["output"].pop("changes", None)
    return make_card(values, where="pair")


def labels(folder: Path, *, skeleton: Skeleton = PAIR, images: int = 2) -> Labels:
    rng = np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(images)]
    for path in paths:
        write_image(path, rng.integers(0, 255, (90, 120, 3), dtype=np.uint8))
    points = rng.uniform(20, 70, (4, len(skeleton.keypoints), 2))
    boxes = [[10, 10, 70, 60], [np.nan] * 4, [30, 5, 40, 80], [0, 0, 20, 20]]
    seen = np.full(points.shape[:2], 2)
    seen[3] = 0  # nobody has labelled a keypoint of the last one
    where = [1, 0, 1 % images, 0]
    pictures = [LabelledImage(path) for path in paths]
    return make_labels(skeleton, pictures, where, points, seen, boxes_px=boxes)


class Asked:
    """Opens a session that answers as told, in place of a file, and keeps what it was shown."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, answer: Any, names: tuple[str, ...]
    ) -> None:
        self.session = FakeSession(answer, names, None)
        monkeypatch.setattr(predictions, "open_session", lambda *_, **__: self.session)
        monkeypatch.setattr(predictions, "check_outputs", lambda *_: None)

    def model(self, given: Card) -> Model:
        return Model(given, Path("pair.onnx"), "0" * 64)


def brightest(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Each keypoint where another color of the input is brightest."""
    return {"heatmap": image[:, :, ::2, ::2]}


@pytest.mark.parametrize("source", ["person", "image"])
@pytest.mark.parametrize("channels", ["rgb", "grey"])
def test_the_network_is_shown_exactly_what_training_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, channels: str
) -> None:
    crop = {"source": source, "padding": 1.3, "fill": 40}
    given = labels(tmp_path)
    if source == "image":
        given = given.take([0, 1])
    asked = Asked(
        monkeypatch, lambda image: {"heatmap": np.repeat(image[:, :1], 3, axis=1)}, ("heatmap",)
    )
    changes = {"channels": channels, "crop": crop}
    predict(asked.model(card(stride=1, changes=changes)), given)
    (shown,) = asked.session.tensors
    settings = InputSettings.model_validate({"width": 32, "height": 24, **changes})
    people = [0, 1, 2] if source == "person" else [1, 0]  # by image
    order = [1, 0, 2] if source == "person" else people  # each image is read once
    for tensor, person in zip(shown, order, strict=True):
        sample = make_sample(given, person, input=settings, target=TargetSettings(stride=1))
        pixels = (tensor.transpose(1, 2, 0) * 255).round()
        np.testing.assert_array_equal(pixels, sample.image)


def test_points_come_back_into_the_image_person_by_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = labels(tmp_path)
    maps = encode_gaussian(input_to_grid(POINTS, (16, 12), WH), np.ones(3), (16, 12), 1.5)
    asked = Asked(
        monkeypatch, lambda image: {"heatmap": np.stack([maps] * len(image))}, ("heatmap",)
    )
    seen: list[Any] = []
    found = predict(asked.model(card()), given, progress=lambda *step: seen.append(step))
    assert seen == [("Predicting", 3, 3)]
    assert found.person_index.tolist() == [0, 1, 2]
    assert found.image_index.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(found.boxes_px, given.boxes_px[:3])
    for person in range(3):
        sample = make_sample(
            given, person, input=InputSettings.model_validate({"width": 32, "height": 24}),
            target=TargetSettings(stride=2),
        )  # fmt: skip
        back = np.linalg.inv(sample.matrix)
        expected = POINTS @ back[:2, :2].T + back[:2, 2]
        np.testing.assert_allclose(found.keypoints_px[person], expected, atol=0.05)
    np.testing.assert_allclose(found.scores, found.confidence.mean(axis=1))
    assert (found.confidence > 0.8).all()


def test_a_model_of_whole_images_is_asked_about_each_image_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = labels(tmp_path)  # the images show several people: no matter
    asked = Asked(monkeypatch, brightest, ("heatmap",))
    found = predict(asked.model(card(changes={"crop": {"source": "image"}})), given)
    assert found.image_index.tolist() == [0, 1]
    assert found.person_index.tolist() == [-1, -1]
    assert np.isnan(found.boxes_px).all()


def test_a_model_without_confidences_is_sure_of_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.array([[0.5, 0.5], [np.nan, 0.5], [0.1, 0.9]])
    asked = Asked(
        monkeypatch, lambda image: {"coords": np.stack([values] * len(image))}, ("coords",)
    )
    found = predict(asked.model(card("coords")), labels(tmp_path))
    assert found.confidence[0].tolist() == [1, 0, 1]
    assert np.isnan(found.keypoints_px[0, 1]).all()


def outputs_for(kind: str, points: NDArray[Any], *, nhwc: bool = False) -> dict[str, NDArray[Any]]:
    """What a perfect network gives for three keypoints."""
    sure = np.ones((1, 3))
    if kind == "simcc":
        return dict(
            zip("xy", encode_simcc(points[None], sure, WH, ratio=0.5, sigma=1), strict=True)
        )
    if kind == "coords":
        return {"coords": encode_coords(points[None], sure, WH)}
    if kind == "locref":
        scores, offsets, _ = encode_locref(points[None], sure, (4, 3), WH, stdev_px=7)
        given = {"heatmap": scores, "locref": offsets.reshape(1, 6, 3, 4)}
    else:
        cells = input_to_grid(points[None], (16, 12), WH)
        given = {"heatmap": encode_gaussian(cells, sure, (16, 12), 1.5)}
    return {r: m.transpose(0, 2, 3, 1) for r, m in given.items()} if nhwc else given


KINDS = {
    "heatmap": card(),
    "simcc": card("simcc"),
    "coords": card("coords"),
    "locref": card(stride=8, locref_stdev_px=7, names={"heatmap": "a", "locref": "b"}),
}


@pytest.mark.parametrize("nhwc", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_mirrored_inputs_outputs_are_turned_back_without_a_shift(kind: str, nhwc: bool) -> None:
    given = KINDS[kind]
    if nhwc:
        spec = given.input.model_copy(update={"layout": "nhwc"})
        given = given.model_copy(update={"input": spec})
    # In the mirror the left ear is seen where the network looks for the right one.
    mirrored = np.array([[31 - x, y] for x, y in POINTS[[0, 2, 1]]])
    back = mirror_outputs(outputs_for(kind, mirrored, nhwc=nhwc), given, [0, 2, 1])
    for role, expected in outputs_for(kind, POINTS, nhwc=nhwc).items():
        np.testing.assert_allclose(back[role], expected, atol=1e-6)
    points, _ = decode_points(back, given)
    np.testing.assert_allclose(points, POINTS[None], atol=0.05)


def test_the_flip_test_halves_an_error_that_the_mirror_does_not_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = labels(tmp_path)
    mirrored = np.array([[31 - x, y] for x, y in POINTS[[0, 2, 1]]])
    answers = [outputs_for("coords", POINTS + np.array([2, 0])), outputs_for("coords", mirrored)]

    def answer(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
        first = len(asked.session.tensors) == 1
        return {"coords": np.repeat(answers[0 if first else 1]["coords"], len(image), axis=0)}

    asked = Asked(monkeypatch, answer, ("coords",))
    model = asked.model(card("coords", changes={"crop": {"source": "image"}}))
    found = predict(model, given, flip_test=True)
    one, other = asked.session.tensors
    np.testing.assert_array_equal(one, other[..., ::-1])
    scale = 90 / 24  # the image is 120 × 90, the input 32 × 24
    expected = (POINTS + np.array([1, 0]) + 0.5) * scale - 0.5
    np.testing.assert_allclose(found.keypoints_px[0], expected, atol=1e-3)


def test_what_cannot_be_asked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, brightest, ("heatmap",))
    given = labels(tmp_path)
    with pytest.raises(InputError, match=r"'lower6' .6 keypoints., the model 'pair-net' finds"):
        predict(asked.model(card()), labels(tmp_path, skeleton=load_skeleton("lower6")))
    with pytest.raises(ConfigError, match="alignment 'origins'"):
        predict(asked.model(card(alignment="origins")), given, flip_test=True)
    with pytest.raises(ModelError, match="holds no keypoints"):
        predict(asked.model(card("boxes")), given)
    for image in given.images:
        image.path.unlink()
    with pytest.raises(InputError, match=r"2 of 2 images are missing: '.*0\.png', '.*1\.png'"):
        predict(asked.model(card()), given)


def test_a_broken_picture_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, brightest, ("heatmap",))
    given = labels(tmp_path)
    given.images[1].path.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"1\.png': not a picture"):
        predict(asked.model(card()), given)
