"""Projective maps: the same functions, the same promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.codec import (
    Matrix,
    Region,
    compose,
    crop_matrix,
    homography,
    invert,
    transform,
    transform_boxes,
    warp,
)
from gonio.errors import InputError

small = st.floats(-1e-3, 1e-3)
pixels = st.floats(0, 400)
points = st.tuples(pixels, pixels)


@st.composite
def tilts(draw: st.DrawFn) -> Matrix:
    """Maps whose horizon lies beyond the points that are mapped."""
    matrix = np.eye(3)
    matrix[:2, :2] += np.array([[draw(st.floats(-0.3, 0.3)) for _ in range(2)] for _ in range(2)])
    matrix[:2, 2] = draw(points)
    matrix[2, :2] = draw(small), draw(small)
    return matrix


@given(points, tilts())
def test_a_homography_and_its_inverse_return_the_point(
    point: tuple[float, float], matrix: Matrix
) -> None:
    back = transform(transform(point, matrix), invert(matrix))
    np.testing.assert_allclose(back, point, atol=0.01)


@given(points, tilts(), tilts())
def test_homographies_composed_are_one_after_the_other(
    point: tuple[float, float], one: Matrix, other: Matrix
) -> None:
    crop = crop_matrix(Region((200, 200), (150, 300), 0.4), (192, 256))
    step_by_step = transform(transform(transform(point, one), crop), other)
    composed = compose(one, crop, other)
    assert composed.shape == (3, 3)
    np.testing.assert_allclose(transform(point, composed), step_by_step, atol=0.01)


def test_affine_maps_stay_of_two_rows_and_read_the_same_with_three() -> None:
    crop = crop_matrix(Region((20, 30), (40, 50), 1.0), (64, 64))
    assert compose(crop, crop).shape == (2, 3)
    assert homography(crop).tolist()[2] == [0, 0, 1]
    xy = np.random.default_rng(0).uniform(0, 60, (5, 2))
    np.testing.assert_allclose(transform(xy, homography(crop)), transform(xy, crop))
    np.testing.assert_allclose(invert(homography(crop))[:2], invert(crop), atol=1e-12)


def test_a_point_behind_the_horizon_is_not_there() -> None:
    matrix = np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1]])
    mapped = transform([[50, 10], [100, 10], [200, 10], [np.nan, 0]], matrix)
    np.testing.assert_allclose(mapped[0], [100, 20])
    assert np.isnan(mapped[1:]).all()


def test_the_warp_moves_a_dot_where_the_homography_moves_its_position() -> None:
    image = np.zeros((100, 120, 3), np.uint8)
    image[59:62, 69:72] = 255
    matrix = np.array([[1.1, 0.1, -5], [0.05, 0.9, 3], [1e-3, -5e-4, 1]])
    seen = warp(image, matrix, (120, 100))[..., 1].astype(float)
    rows, cols = np.indices(seen.shape)
    middle = [(seen * cols).sum() / seen.sum(), (seen * rows).sum() / seen.sum()]
    np.testing.assert_allclose(middle, transform([70, 60], matrix), atol=0.1)


def test_a_homography_that_is_affine_warps_the_very_same_picture() -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    crop = crop_matrix(Region((30, 25), (40, 30), 0.2), (48, 36))
    assert np.array_equal(
        warp(image, homography(crop), (48, 36), fill=7), warp(image, crop, (48, 36), fill=7)
    )


def test_a_flat_homography_is_refused() -> None:
    with pytest.raises(InputError, match="no inverse"):
        invert([[1, 0, 0], [2, 0, 0], [0, 0, 1]])


def test_a_mapped_box_holds_the_mapped_corners() -> None:
    turn = np.array([[0, -1, 0], [1, 0, 0]])  # a quarter turn: x to y, y to −x
    boxes = [[-0.5, 9.5, 10, 4], [np.nan, 0, 1, 1]]
    mapped = transform_boxes(boxes, turn)
    np.testing.assert_allclose(mapped[0], [-13.5, -0.5, 4, 10])
    assert np.isnan(mapped[1]).any()


@given(tilts(), st.tuples(pixels, pixels, st.floats(1, 200), st.floats(1, 200)))
def test_a_point_in_a_box_is_in_the_mapped_box(
    matrix: Matrix, box: tuple[float, float, float, float]
) -> None:
    left, top, width, height = box
    inside = transform([left + 0.3 * width, top + 0.8 * height], matrix)
    mapped = transform_boxes(box, matrix)
    if not np.isnan(mapped).any():
        assert (inside >= mapped[:2] - 1e-6).all()
        assert (inside <= mapped[:2] + mapped[2:] + 1e-6).all()
