"""Overlay drawing on tiny scenes: where ink falls, and in which color."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.skeletons import load_skeleton
from gonio.video import Arc, OverlayPerson, draw_overlay
from gonio.video.lettering import Layout, Lettering
from gonio.video.overlay import SIDE_COLORS

LOWER = load_skeleton("lower6")  # left and right hip, knee, ankle
BLACK = np.zeros((240, 320, 3), np.uint8)
LEGS = np.array([[200, 60], [120, 60], [200, 120], [120, 120], [200, 180], [120, 180]], float)
Image = NDArray[np.uint8]


def person(confidence: float = 0.9, **how: object) -> OverlayPerson:
    return OverlayPerson(LEGS.copy(), np.full(6, confidence), **how)  # type: ignore[arg-type]


def draw(*people: OverlayPerson, image: Image = BLACK, time_s: float | None = None) -> Image:
    return draw_overlay(image, people, skeleton=LOWER, time_s=time_s)


def test_left_and_right_legs_have_their_colors_and_the_frame_is_not_changed() -> None:
    image = BLACK.copy()
    drawn = draw(person(), image=image)
    np.testing.assert_allclose(drawn[150, 200], SIDE_COLORS["left"], atol=25)
    np.testing.assert_allclose(drawn[150, 120], SIDE_COLORS["right"], atol=25)
    assert not image.any()
    assert not drawn[:, :100].any()


def test_what_is_unsure_is_fainter_and_what_is_not_seen_is_not_drawn() -> None:
    sure, unsure, guess = (draw(person(c))[150, 200].sum() for c in (0.9, 0.5, 0.1))
    assert sure > unsure > guess > 0
    hidden = person()
    hidden.keypoints_px[4] = np.nan
    assert not draw(hidden)[150:, 180:220].any()
    nan_confidence = person(np.nan)
    np.testing.assert_array_equal(draw(nan_confidence), draw(person(0.1)))


def test_others_are_fainter_than_the_main_person_and_have_no_angles() -> None:
    arc = Arc((200, 120), (200, 60), (260, 120), 90.0, "knee_left")
    other = draw(person(main=False, arcs=[arc]))
    assert 0 < other[150, 200].sum() < draw(person())[150, 200].sum()
    np.testing.assert_array_equal(other, draw(person(main=False)))


def test_the_main_person_lies_over_the_others() -> None:
    both = draw(person(), person(main=False))
    np.testing.assert_allclose(both[150, 200], SIDE_COLORS["left"], atol=25)


def test_an_arc_fills_the_short_way_between_its_arms() -> None:
    up_and_right = Arc((100, 100), (100, 40), (160, 100), 90.0, "knee_right")
    drawn = draw(person(arcs=[up_and_right])) - draw(person())
    assert drawn[96, 104].any()
    assert not drawn[104, 96].any()


@pytest.mark.parametrize(
    "arc",
    [
        Arc((np.nan, 0), (1, 1), (2, 2), 5.0, "knee_left"),
        Arc((50, 50), (50, 50), (60, 60), 5.0, "knee_left"),
        Arc((50, 50), (40, 50), (60, 60), np.nan, "knee_left"),
    ],
)
def test_an_angle_that_is_not_known_is_not_drawn(arc: Arc) -> None:
    np.testing.assert_array_equal(draw(person(arcs=[arc])), draw(person()))


def test_values_of_many_angles_do_not_overlap() -> None:
    letters = Lettering(10)
    layout = Layout(320, 240, np.empty((0, 2)))
    for i in range(6):
        layout.place(letters.size("knee L 61°"), np.array([150.0, 110 + 3 * i]), 0.0, 12)
    for i, a in enumerate(layout.taken):
        assert 0 <= a[0] <= a[2] <= 320
        assert 0 <= a[1] <= a[3] <= 240
        for b in layout.taken[:i]:
            assert min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1])


def test_text_stays_in_its_box_and_carries_light_and_dark() -> None:
    grey = np.full((60, 200, 3), 128, np.uint8)
    letters = Lettering(14)
    width, height = letters.size("knee L -12°")
    letters.draw(grey, "knee L -12°", 10, 10, (255, 255, 255))
    changed = np.argwhere((grey != 128).any(axis=2))
    assert changed.min() >= 10
    assert (changed.max(axis=0) <= (10 + np.ceil(height), 10 + np.ceil(width))).all()
    assert grey.max() > 230
    assert grey.min() < 40


def test_time_and_label_are_written() -> None:
    assert draw(time_s=1.5)[:40, :100].any()
    assert (draw(person(label="person 0")) != draw(person())).any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (2160, 3840)])
def test_any_size_of_frame_and_far_away_points(shape: tuple[int, int]) -> None:
    far = person(label="far", arcs=[Arc((1e9, -1e9), (0, 0), (5, 5), 3.0, "hip_left")])
    far.keypoints_px[0] = (1e12, -1e12)
    drawn = draw(far, person(main=False), image=np.zeros((*shape, 3), np.uint8), time_s=0.0)
    assert drawn.shape == (*shape, 3)


def test_lines_grow_with_the_image() -> None:
    large = OverlayPerson(LEGS * 8, np.full(6, 0.9))
    image = np.zeros((240 * 8, 320 * 8, 3), np.uint8)
    thin = np.count_nonzero(draw(person())[150].any(axis=1))
    thick = np.count_nonzero(draw(large, image=image)[150 * 8].any(axis=1))
    assert thick > 2 * thin


def test_an_edge_to_a_derived_point_is_drawn() -> None:
    skeleton = load_skeleton("lower6").model_copy(update={"edges": (("mid_hip", "left_knee"),)})
    drawn = draw_overlay(BLACK, [person()], skeleton=skeleton)
    assert drawn[90, 180].any()  # halfway from (160, 60) to (200, 120)
