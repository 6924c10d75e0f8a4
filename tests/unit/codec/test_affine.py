"""Crops, letterboxes and warps: one convention, both ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import (
    Region,
    compose,
    crop_matrix,
    invert,
    letterbox_matrix,
    transform,
    warp,
)
from gonio.errors import InputError

pixels = st.floats(-5000, 5000)
sizes = st.floats(1, 5000)
whole = st.integers(1, 4000)
points = st.tuples(pixels, pixels)
regions = st.builds(
    Region, center_px=points, size_px=st.tuples(sizes, sizes), rotation_rad=st.floats(-10, 10)
)
inputs = st.tuples(st.integers(1, 1024), st.integers(1, 1024))


@given(points, regions, inputs)
def test_crop_then_uncrop_returns_the_point(
    point: tuple[float, float], region: Region, input_wh: tuple[int, int]
) -> None:
    matrix = crop_matrix(region, input_wh)
    np.testing.assert_allclose(
        transform(transform(point, matrix), invert(matrix)), point, atol=0.01
    )


@given(points, st.tuples(whole, whole), inputs)
def test_letterbox_then_back_returns_the_point(
    point: tuple[float, float], image_wh: tuple[int, int], input_wh: tuple[int, int]
) -> None:
    matrix = letterbox_matrix(image_wh, input_wh)
    np.testing.assert_allclose(
        transform(transform(point, matrix), invert(matrix)), point, atol=0.01
    )


@given(regions, inputs)
def test_a_regions_corners_land_on_the_inputs_edges(
    region: Region, input_wh: tuple[int, int]
) -> None:
    (cx, cy), (w, h), r = region.center_px, region.size_px, region.rotation_rad
    right = np.array([math.cos(r), math.sin(r)])
    down = np.array([-math.sin(r), math.cos(r)])
    middle = np.array([cx, cy])
    top_left, bottom_right = (middle + s * (w * right + h * down) / 2 for s in (-1, 1))
    matrix = crop_matrix(region, input_wh)
    np.testing.assert_allclose(transform(top_left, matrix), [-0.5, -0.5], atol=0.01)
    np.testing.assert_allclose(transform(bottom_right, matrix), np.array(input_wh) - 0.5, atol=0.01)


def test_a_region_that_is_the_image_gives_the_identity() -> None:
    matrix = crop_matrix(Region((3.5, 1.5), (8, 4)), (8, 4))
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_halving_an_image_keeps_its_edges_not_its_corner_pixels() -> None:
    matrix = crop_matrix(Region((3.5, 3.5), (8, 8)), (4, 4))
    np.testing.assert_allclose(transform([[-0.5, 7.5], [0.5, 0.5]], matrix), [[-0.5, 3.5], [0, 0]])


def test_a_quarter_turn_clockwise_puts_the_images_bottom_at_the_crops_right() -> None:
    image = np.zeros((5, 5), np.uint8)
    image[4, 2] = 200
    crop = warp(image, crop_matrix(Region((2, 2), (5, 5), math.pi / 2), (5, 5)), (5, 5))
    assert np.argwhere(crop == 200).tolist() == [[2, 4]]


def test_the_warp_moves_a_pixel_where_the_matrix_moves_its_position() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[17:20, 40:43] = 255
    region = Region((38.0, 20.0), (30, 20), 0.3)
    matrix = crop_matrix(region, (120, 80))
    crop = warp(image, matrix, (120, 80))[..., 1].astype(float)
    assert crop.shape == (80, 120)
    rows, cols = np.indices(crop.shape)
    middle = [(crop * cols).sum() / crop.sum(), (crop * rows).sum() / crop.sum()]
    np.testing.assert_allclose(middle, transform([41, 18], matrix), atol=0.05)


def test_the_border_is_black_or_the_images_own_edge() -> None:
    image = np.full((4, 4, 3), 90, np.uint8)
    matrix = crop_matrix(Region((1.5, 1.5), (12, 12)), (12, 12))
    assert warp(image, matrix, (12, 12))[0, 0].tolist() == [0, 0, 0]
    assert warp(image, matrix, (12, 12), border="replicate")[0, 0].tolist() == [90, 90, 90]


def test_a_wide_image_is_letterboxed_with_equal_bars_above_and_below() -> None:
    matrix = letterbox_matrix((200, 100), (50, 50))
    np.testing.assert_allclose(
        transform([[-0.5, -0.5], [199.5, 99.5]], matrix), [[-0.5, 12], [49.5, 37]]
    )


@given(regions, regions, points, inputs)
def test_a_composed_map_is_the_maps_one_after_the_other(
    one: Region, other: Region, point: tuple[float, float], input_wh: tuple[int, int]
) -> None:
    a, b = crop_matrix(one, input_wh), crop_matrix(other, input_wh)
    step_by_step = transform(transform(point, a), b)
    np.testing.assert_allclose(transform(point, compose(a, b)), step_by_step, rtol=1e-6, atol=0.01)


def test_nan_stays_nan_and_any_leading_shape_will_do() -> None:
    matrix = crop_matrix(Region((5, 5), (4, 4)), (8, 8))
    mapped = transform(np.full((3, 7, 2), np.nan), matrix)
    assert mapped.shape == (3, 7, 2)
    assert np.isnan(mapped).all()


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (math.nan, 5), (math.inf, 5)])
def test_an_empty_region_is_refused(size: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="positive, finite size"):
        crop_matrix(Region((0, 0), size), (8, 8))


def test_an_empty_image_and_a_flat_map_are_refused() -> None:
    with pytest.raises(InputError, match="0×5 pixels is empty"):
        letterbox_matrix((0, 5), (8, 8))
    with pytest.raises(InputError, match="no inverse"):
        invert([[1, 2, 0], [2, 4, 0]])


def test_what_lies_outside_the_image_can_be_given_a_grey_level() -> None:
    image = np.full((2, 2, 3), 9, dtype=np.uint8)
    shifted = warp(image, [[1, 0, 1], [0, 1, 0]], (4, 2), fill=114)
    assert shifted[0, :, 0].tolist() == [114, 9, 9, 114]
    assert (shifted[..., 0] == shifted[..., 2]).all()
