"""The person detector: which boxes are people, and where they are in the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.errors import ModelOutputError
from gonio.runtime.topdown import PersonDetector
from unit.runtime.topdown.fakes import FakeSession, detector_card, pose_card

IMAGE = np.full((100, 200, 3), 50, dtype=np.uint8)  # shown in the input's rows 25 to 75


def detector(labels: list[int] | None = None, *, boxes: list[list[float]]) -> PersonDetector:
    names = ("dets",) if labels is None else ("dets", "labels")
    dets = np.array(boxes, dtype=np.float32).reshape(1, len(boxes), -1 if boxes else 5)

    def answer(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
        found = {"dets": dets}
        return found if labels is None else {**found, "labels": np.array([labels])}

    session = FakeSession(answer, names, batch=1)
    return PersonDetector(session, detector_card(**({"labels": "labels"} if labels else {})))


def test_a_box_in_the_letterbox_is_mapped_edge_to_edge_into_the_image() -> None:
    (found,) = detector(boxes=[[10, 30, 20, 70, 0.9]]).detect(IMAGE)
    np.testing.assert_allclose(found.box, [19.5, 9.5, 39.5, 89.5])
    assert found.score == pytest.approx(0.9)


def test_what_lies_beside_the_image_is_of_the_cards_grey_level() -> None:
    finder = detector(boxes=[])
    assert finder.detect(IMAGE) == []
    (tensor,) = finder._session.tensors  # type: ignore[attr-defined]
    assert tensor.shape == (1, 3, 100, 100)
    np.testing.assert_array_equal(tensor[0, 1, [0, 10, 50, 90, 99], 7], [100, 100, 50, 100, 100])


def test_only_sure_people_inside_the_image_are_given_the_surest_first_and_once() -> None:
    boxes = [
        [10, 30, 20, 70, 0.5],
        [10, 30, 21, 70, 0.8],  # the same person
        [50, 30, 60, 70, 0.9],  # a dog
        [70, 30, 80, 70, 0.29],
        [30, 30, 40, 90, 0.6],  # reaches out of the image
        [30, 80, 40, 90, 0.9],  # lies beside it
        [80, 30, np.nan, 70, 0.9],
    ]
    found = detector([0, 0, 16, 0, 0, 0, 0], boxes=boxes).detect(IMAGE)
    assert [round(d.score, 2) for d in found] == [0.8, 0.6]
    np.testing.assert_allclose(found[1].box, [59.5, 9.5, 79.5, 99.5])


def test_scores_may_be_an_output_of_their_own() -> None:
    def answer(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {"dets": np.array([[[10, 30, 20, 70.0]]]), "sure": np.array([[1.2]])}

    session = FakeSession(answer, ("dets", "sure"), batch=1)
    (found,) = PersonDetector(session, detector_card(scores="sure")).detect(IMAGE)
    assert found.score == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (4320, 7680)])
def test_any_size_of_image_will_do(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), dtype=np.uint8)
    for found in detector(boxes=[[0, 0, 100, 100, 0.9]]).detect(image):
        np.testing.assert_allclose(found.box, [-0.5, -0.5, size[1] - 0.5, size[0] - 0.5])


def test_outputs_of_another_shape_and_models_without_boxes_are_refused() -> None:
    with pytest.raises(ModelOutputError, match="is 1×1×4, expected 1×\\?×5"):
        detector(boxes=[[10, 30, 20, 70]]).detect(IMAGE)
    session = FakeSession(lambda _: {}, ("x",), batch=1)
    with pytest.raises(ModelOutputError, match="finds no boxes"):
        PersonDetector(session, pose_card("heatmap"))
