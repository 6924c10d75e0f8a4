"""BlazePose's refinement of landmarks by their heatmaps."""

from __future__ import annotations

import numpy as np

from gonio.codec import refine_in_window


def test_a_point_moves_to_the_mean_of_the_scores_around_it() -> None:
    maps = np.zeros((1, 16, 16))
    maps[0, 5, 7], maps[0, 5, 8] = 0.6, 0.2
    np.testing.assert_allclose(refine_in_window([[6.2, 5.9]], maps), [[7.25, 5]])


def test_scores_outside_the_window_do_not_pull() -> None:
    maps = np.zeros((1, 16, 16))
    maps[0, 5, 7], maps[0, 5, 11] = 0.6, 1.0
    np.testing.assert_allclose(refine_in_window([[7.0, 5.0]], maps), [[7, 5]])
    np.testing.assert_allclose(refine_in_window([[8.0, 5.0]], maps), [[9.5, 5]])


def test_low_scores_points_off_the_map_and_nan_stay_as_they_are() -> None:
    maps = np.full((4, 8, 8), 0.49)
    maps[1:] = 0.9
    points = np.array([[3.2, 3.2], [8.1, 3.0], [3.0, -2.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(refine_in_window(points, maps), points)


def test_the_window_is_cut_at_the_border() -> None:
    maps = np.full((1, 8, 8), 0.8)
    np.testing.assert_allclose(refine_in_window([[0.0, 7.0]], maps), [[1.5, 5.5]])


def test_logits_and_any_memory_order_give_the_same_as_scores() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(12, 10, 5)).astype(np.float32)
    points = rng.uniform(0, 9, (5, 2))
    view = logits.transpose(2, 0, 1)
    np.testing.assert_allclose(
        refine_in_window(points, view, logits=True),
        refine_in_window(points, 1 / (1 + np.exp(-view.astype(float)))),
    )


def test_the_input_is_not_changed() -> None:
    points = np.array([[3.0, 3.0]])
    refine_in_window(points, np.eye(8)[None])
    np.testing.assert_array_equal(points, [[3.0, 3.0]])
