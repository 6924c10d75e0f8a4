"""Anchors of BlazePose's detector."""

from __future__ import annotations

import numpy as np

from gonio.runtime.blazepose.anchors import anchor_centers


def test_anchors_are_two_a_cell_at_strides_8_and_16_and_six_at_32() -> None:
    anchors = anchor_centers(224)
    assert anchors.shape == (2254, 2)
    assert 2254 == 2 * 28**2 + 2 * 14**2 + 6 * 7**2


def test_anchors_stand_in_the_middle_of_their_cells_row_by_row() -> None:
    anchors = anchor_centers(224) * 224
    np.testing.assert_allclose(anchors[:4], [[4, 4], [4, 4], [12, 4], [12, 4]])
    np.testing.assert_allclose(anchors[2 * 28], [4, 12])
    np.testing.assert_allclose(anchors[2 * 28**2], [8, 8])
    np.testing.assert_allclose(anchors[-6:], np.full((6, 2), 208))
