"""Stills are cut out around the person, inside the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gonio.workflows.overlay import cut_out_box


def test_an_upright_person_fills_more_than_half_of_an_upright_part() -> None:
    columns, rows = cut_out_box(np.array([[900.0, 300.0], [960.0, 700.0]]), (1920, 1080))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    assert (width, height) == (405, 540)
    assert abs((columns.start + columns.stop) / 2 - 930) <= 1
    assert rows.start < 300
    assert rows.stop > 700


def test_a_lying_person_is_whole_in_a_wider_part() -> None:
    columns, rows = cut_out_box(np.array([[400.0, 800.0], [1000.0, 900.0]]), (1920, 1080))
    assert columns.start < 400
    assert columns.stop > 1000
    assert rows.stop - rows.start == 200


coordinate = st.floats(-50, 700)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=5))
def test_the_part_lies_inside_the_picture(points: list[tuple[float, float]]) -> None:
    for part, limit in zip(cut_out_box(np.array(points), (640, 480)), (640, 480), strict=True):
        assert 0 <= part.start < part.stop <= limit


def test_a_small_animal_is_shown_with_some_of_what_is_around_it() -> None:
    columns, rows = cut_out_box(np.array([[300.0, 200.0], [304.0, 200.0]]), (640, 480))
    assert (columns.stop - columns.start, rows.stop - rows.start) == (60, 80)
