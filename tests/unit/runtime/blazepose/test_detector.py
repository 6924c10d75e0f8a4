"""BlazePose's detector: decoding, suppression, and the way back into the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.errors import ModelOutputError
from gonio.runtime import ModelStore
from gonio.runtime.blazepose.detector import (
    Detection,
    PoseDetector,
    decode_boxes,
    overlaps,
    suppress_overlaps,
    views,
)

CARD = ModelStore().card("blazepose-detector")


def box(left: float, top: float, right: float, bottom: float, score: float) -> Detection:
    edges = np.array([left, top, right, bottom], dtype=float)
    return Detection(edges, np.full((4, 2), left), score)


class FakeSession:
    """Sees one person, centred on one anchor, in every view (or in the first one only)."""

    path = Path("fake.tflite")
    input_names = ("input_1",)
    output_names = ("Identity", "Identity_1")

    def __init__(self, anchor: int = 0, boxes: int = 2254) -> None:
        self.output_shapes = {"Identity": (1, boxes, 12), "Identity_1": (1, boxes, 1)}
        self.anchor = anchor
        self.tensors: list[NDArray[Any]] = []

    def run(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.tensors.append(inputs["input_1"])
        raw, logits = np.zeros((1, 2254, 12)), np.full((1, 2254, 1), -200.0)
        raw[0, self.anchor, 2:4] = 20, 40
        raw[0, self.anchor, 6:8] = 0, -30
        logits[0, self.anchor] = 4
        return {"Identity": raw.astype("f4"), "Identity_1": logits.astype("f4")}


def test_a_box_is_decoded_relative_to_its_anchor() -> None:
    raw = np.array([[2, 4, 10, 20, 1, 1, 0, -50, 3, 3, 4, 4]], dtype=np.float32)
    (found,) = decode_boxes(raw, np.array([0.0]), np.array([[0.5, 0.25]]), (224, 224))
    origin_x, origin_y = 111.5, 55.5  # normalized 0.5 and 0.25 in pixels
    np.testing.assert_allclose(
        found.box, [origin_x + 2 - 5, origin_y + 4 - 10, origin_x + 7, origin_y + 14]
    )
    np.testing.assert_allclose(found.keypoints[:2], [[112.5, 56.5], [111.5, 5.5]])
    assert found.score == 0.5


def test_unsure_and_inside_out_boxes_are_dropped() -> None:
    raw = np.ones((3, 12), dtype=np.float32)
    raw[1, 2] = -1
    found = decode_boxes(raw, np.array([-1.0, 5.0, 1000.0]), np.zeros((3, 2)), (224, 224))
    assert [d.score for d in found] == [1.0]


def test_boxes_of_one_person_become_their_mean_weighted_by_score() -> None:
    first, second, far = box(0, 0, 10, 10, 0.9), box(1, 0, 11, 10, 0.3), box(50, 0, 60, 10, 0.6)
    merged = suppress_overlaps([far, second, first])
    assert [d.score for d in merged] == [0.9, 0.6]
    np.testing.assert_allclose(merged[0].box, [0.25, 0, 10.25, 10])
    np.testing.assert_allclose(merged[0].keypoints, 0.25)
    np.testing.assert_allclose(merged[1].box, far.box)


def test_suppressing_nothing_or_empty_boxes_ends() -> None:
    assert suppress_overlaps([]) == []
    assert len(suppress_overlaps([box(1, 1, 1, 1, 0.9), box(1, 1, 1, 1, 0.8)])) == 2


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10]], dtype=float)
    np.testing.assert_allclose(overlaps(boxes[0], boxes), [1, 1 / 3, 0])


@pytest.mark.parametrize(
    ("size", "count"), [((100, 100), 1), ((1768, 994), 4), ((1080, 1920), 4), ((400, 100), 8)]
)
def test_a_close_look_covers_the_longer_side_with_squares_that_overlap_by_half(size, count) -> None:  # type: ignore[no-untyped-def]
    looked = views(*size, closely=True)
    assert len(looked) == count
    assert looked[0].size_px == (max(size), max(size))
    assert views(*size, closely=False) == looked[:1]
    if count > 1:
        along = int(size[1] > size[0])
        centers = np.array([v.center_px[along] for v in looked[1:]])
        side = min(size)
        assert centers[0] - side / 2 == pytest.approx(-0.5)
        assert centers[-1] + side / 2 == pytest.approx(max(size) - 0.5)
        assert np.diff(centers).max() <= side / 2 + 1e-9


@pytest.mark.parametrize("size", [(8000, 1), (100, 4000)])
def test_a_close_look_at_a_strip_takes_few_views_that_reach_its_ends(size) -> None:  # type: ignore[no-untyped-def]
    looked = views(*size, closely=True)
    assert len(looked) == 8
    along, long = int(size[1] > size[0]), max(size)
    first, last = looked[1].center_px[along], looked[-1].center_px[along]
    assert looked[1].size_px == (long / 4, long / 4)
    assert (first - long / 8, last + long / 8) == pytest.approx((-0.5, long - 0.5))


def test_a_person_is_found_where_the_letterbox_showed_them() -> None:
    session = FakeSession(anchor=0)  # its centre: input pixel 3.5, 3.5
    detector = PoseDetector(session, CARD)  # type: ignore[arg-type]
    (found,) = detector.detect(np.full((224, 448, 3), 255, dtype=np.uint8))
    # 448 px wide in 224: two image pixels an input pixel, 112 rows of border above.
    np.testing.assert_allclose(found.keypoints[0], [7.5, 7.5 - 112])
    np.testing.assert_allclose(found.keypoints[1], [7.5, 7.5 - 112 - 60])
    np.testing.assert_allclose(found.box, [7.5 - 20, -104.5 - 40, 7.5 + 20, -104.5 + 40])
    assert found.score == pytest.approx(1 / (1 + np.exp(-4)))


def test_the_detector_sees_black_borders_and_values_from_minus_one_to_one() -> None:
    session = FakeSession()
    PoseDetector(session, CARD).detect(np.full((224, 448, 3), 255, dtype=np.uint8))  # type: ignore[arg-type]
    (tensor,) = session.tensors
    assert (tensor.shape, tensor.dtype) == ((1, 224, 224, 3), np.float32)
    np.testing.assert_allclose(tensor[0, 10], -1, atol=1e-6)
    np.testing.assert_allclose(tensor[0, 112], 1, atol=1e-6)


def test_what_each_view_shows_is_placed_where_the_view_is() -> None:
    session = FakeSession(anchor=2 * (14 * 28 + 14))  # its centre: input pixel 115.5, 115.5
    found = PoseDetector(session, CARD).detect(  # type: ignore[arg-type]
        np.zeros((224, 448, 3), dtype=np.uint8), closely=True
    )
    assert len(session.tensors) == 4
    # The whole at half size, then three squares at full size, 112 px apart.
    expected = [115.5, 115.5 + 112, 115.5 + 224, 231.5]
    assert sorted(d.keypoints[0, 0] for d in found) == pytest.approx(sorted(expected))


def test_a_detector_with_other_anchors_is_refused() -> None:
    with pytest.raises(ModelOutputError, match=r"1×896×12.*1×2254×12"):
        PoseDetector(FakeSession(boxes=896), CARD)  # type: ignore[arg-type]
