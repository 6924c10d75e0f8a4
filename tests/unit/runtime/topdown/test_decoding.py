"""Each kind of output leads back to the point that it was made from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import (
    Alignment,
    encode_coords,
    encode_disc,
    encode_gaussian,
    encode_locref,
    encode_simcc,
    input_to_grid,
)
from gonio.runtime.topdown.decoding import decode_points
from unit.runtime.topdown.fakes import pose_card

WH = (16, 32)  # of pose_card's input
alignments = st.sampled_from(["edges", "origins", "corners"])
places = st.tuples(st.floats(5, 10), st.floats(8, 23))


@given(places, alignments, st.booleans())
def test_a_heatmap_gives_its_point(
    point: tuple[float, float], alignment: Alignment, nhwc: bool
) -> None:
    layout = {"width": 16, "height": 32, "layout": "nhwc" if nhwc else "nchw"}
    card = pose_card("heatmap", stride=2, sigma=0, alignment=alignment, changes={"input": layout})
    on_map = input_to_grid([[point] * 6], (8, 16), WH, alignment=alignment)
    maps = encode_gaussian(on_map, np.ones((1, 6)), (8, 16), sigma=1.5)
    points, scores = decode_points({"heatmap": maps.transpose(0, 2, 3, 1) if nhwc else maps}, card)
    np.testing.assert_allclose(points, [[point] * 6], atol=0.02)
    assert scores.min() > 0.8


def test_a_heatmap_of_discs_gives_their_middles() -> None:
    card = pose_card("heatmap", stride=2, radius=3)
    maps = encode_disc([[[3.5, 6.0]] * 6], np.ones((1, 6)), (8, 16), radius=3)
    points, scores = decode_points({"heatmap": maps}, card)
    np.testing.assert_allclose(points, [[[7.5, 12.5]] * 6])
    assert scores.min() == 1


@pytest.mark.parametrize("nhwc", [False, True])
def test_a_refined_location_is_its_cell_and_its_offset(nhwc: bool) -> None:
    layout = {"width": 16, "height": 32, "layout": "nhwc" if nhwc else "nchw"}
    names = {"heatmap": "a", "locref": "b"}
    card = pose_card("heatmap", stride=2, locref_stdev_px=7.3, names=names)
    card = card.model_copy(update={"input": card.input.model_validate(layout)})
    point = [[[6.3, 20.9]] * 5 + [[3.0, 3.0]]]
    scores, offsets, _ = encode_locref(
        point, np.ones((1, 6)), (8, 16), WH, positive_px=4, stdev_px=7.3
    )
    outputs = {"heatmap": scores * 0.9, "locref": offsets.reshape(1, 12, 16, 8)}
    if nhwc:
        outputs = {role: maps.transpose(0, 2, 3, 1) for role, maps in outputs.items()}
    points, confidence = decode_points(outputs, card)
    np.testing.assert_allclose(points, point, atol=1e-5)
    np.testing.assert_allclose(confidence, 0.9, atol=1e-6)


@given(places, alignments, st.sampled_from([None, 0.5]))
def test_simcc_gives_its_point(
    point: tuple[float, float], alignment: Alignment, stride: float | None
) -> None:
    card = pose_card("simcc", stride=stride, alignment=alignment, peak=0.2)
    x, y = encode_simcc([[point] * 6], np.ones((1, 6)), WH, sigma=2, alignment=alignment)
    points, scores = decode_points({"x": x, "y": y}, card)
    np.testing.assert_allclose(points, [[point] * 6], atol=0.02)
    assert scores.min() > 0.9  # a bin of such a distribution holds at most 0.2


@pytest.mark.parametrize("flat", [True, False])
def test_coordinates_give_their_point_and_no_confidence(flat: bool) -> None:
    values = encode_coords([[[3, 20]] * 6], np.ones((1, 6)), WH)
    points, scores = decode_points(
        {"coords": values.reshape(1, 12) if flat else values}, pose_card("coords")
    )
    np.testing.assert_allclose(points, [[[3, 20]] * 6], atol=1e-5)
    assert np.isnan(scores).all()


def test_a_third_coordinate_is_the_confidence() -> None:
    values = np.tile([0.5, 0.5, 0.7], (2, 6, 1))
    points, scores = decode_points({"coords": values}, pose_card("coords", alignment="origins"))
    np.testing.assert_allclose(points, np.tile([8, 16], (2, 6, 1)))
    np.testing.assert_allclose(scores, 0.7)


def test_where_the_model_sees_nothing_the_point_is_nan_and_its_confidence_0() -> None:
    maps = np.zeros((1, 6, 16, 8), dtype=np.float32)
    maps[0, 0, 5, 5] = 3.0
    maps[0, 1] = np.nan
    points, scores = decode_points({"heatmap": maps}, pose_card("heatmap", stride=2))
    np.testing.assert_array_equal(np.isnan(points[0, :, 0]), [False] + [True] * 5)
    assert scores[0].tolist() == [1, 0, 0, 0, 0, 0]
    values = np.full((1, 6, 2), np.nan)
    assert decode_points({"coords": values}, pose_card("coords"))[1].tolist() == [[0] * 6]
