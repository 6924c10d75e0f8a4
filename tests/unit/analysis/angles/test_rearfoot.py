"""The rearfoot angle: the document's unsigned one, eversion positive on both sides, invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gonio.analysis.angles import angle_names, compute_angles
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton

Points = NDArray[np.float64]
REAR6, REAR8 = load_skeleton("rearfoot6"), load_skeleton("rearfoot8")
BASES = ("rearfoot", "rearfoot_unsigned", "leg_vertical", "heel_vertical")

# Two upright legs as seen from behind: calf, achilles, heel, the left one at the image's left.
LEFT = np.array([[100, 50], [100, 150], [100, 190]], float)
ASIDE = np.array([120, 0])
RIGHT = LEFT + ASIDE


def measure(left: Points, right: Points, view: str = "rear") -> dict[str, float]:
    points = np.concatenate([left, right])
    skeleton = REAR6 if len(points) == 6 else REAR8
    poses = make_poses(
        points.T[None, :, :, None], np.ones((1, len(points), 1)), time_s=[0.0], skeleton=skeleton
    )
    angles = compute_angles(poses, skeleton, view=view, names=BASES)  # type: ignore[arg-type]
    return dict(
        zip(angles["angle"].values.tolist(), angles["angle_deg"].values.ravel(), strict=True)
    )


def bent(leg: Points, dx: float) -> Points:
    return leg + np.array([[0, 0], [0, 0], [dx, 0]])


def by_hand(leg: Points, s: int) -> tuple[float, float]:
    """The document's formula and the signed one, word for word."""
    (x0, y0), (x1, y1), (x2, y2) = leg
    one, two = math.atan2(y1 - y0, x1 - x0), math.atan2(y2 - y1, x2 - x1)
    delta = abs(two - one)
    delta = 2 * math.pi - delta if delta > math.pi else delta
    wrapped = (one - two + math.pi) % (2 * math.pi) - math.pi
    return math.degrees(delta), s * math.degrees(wrapped)


def test_straight_upright_legs_read_zero() -> None:
    values = measure(LEFT, RIGHT)
    assert set(values) == {f"{base}_{side}" for base in BASES for side in ("left", "right")}
    assert list(values.values()) == pytest.approx([0] * 8, abs=1e-4)


def test_a_heel_that_goes_outward_reads_positive_on_both_sides() -> None:
    # atan(40 / 40) = 45°: the left heel towards the image's left, the right one to its right.
    values = measure(bent(LEFT, -40), bent(RIGHT, 40))
    for side in ("left", "right"):
        assert values[f"rearfoot_{side}"] == pytest.approx(45, abs=1e-4)
        assert values[f"rearfoot_unsigned_{side}"] == pytest.approx(45, abs=1e-4)
        assert values[f"heel_vertical_{side}"] == pytest.approx(45, abs=1e-4)
        assert values[f"leg_vertical_{side}"] == pytest.approx(0, abs=1e-4)


def test_a_heel_that_goes_inward_reads_negative_and_its_magnitude_does_not() -> None:
    values = measure(bent(LEFT, 10), bent(RIGHT, -10))
    expected = math.degrees(math.atan2(10, 40))
    for side in ("left", "right"):
        assert values[f"rearfoot_{side}"] == pytest.approx(-expected, abs=1e-4)
        assert values[f"rearfoot_unsigned_{side}"] == pytest.approx(expected, abs=1e-4)


def test_a_leg_that_leans_out_below_reads_positive_against_the_vertical() -> None:
    lean = np.array([[0, 0], [20, 0], [20, 0]])
    values = measure(LEFT - lean, RIGHT + lean)
    assert values["leg_vertical_left"] == pytest.approx(math.degrees(math.atan2(20, 100)), abs=1e-4)
    assert values["leg_vertical_right"] == pytest.approx(values["leg_vertical_left"], abs=1e-4)
    assert values["rearfoot_left"] == pytest.approx(-values["leg_vertical_left"], abs=1e-4)


def test_from_the_front_left_is_at_the_images_right() -> None:
    # The same picture with the names exchanged, as a camera in front (or a mirror) shows it.
    values = measure(bent(RIGHT, 40), bent(LEFT, -40), view="frontal")
    assert values["rearfoot_left"] == pytest.approx(45, abs=1e-4)
    assert values["rearfoot_right"] == pytest.approx(45, abs=1e-4)


def test_from_the_side_there_is_no_rearfoot_angle() -> None:
    assert np.isnan(list(measure(LEFT, RIGHT, view="sagittal").values())).all()


def test_a_marker_that_is_not_seen_takes_only_what_rests_on_it() -> None:
    hidden = LEFT.copy()
    hidden[2] = np.nan
    values = measure(hidden, RIGHT)
    assert values["leg_vertical_left"] == pytest.approx(0, abs=1e-4)
    assert np.isnan([values[f"{b}_left"] for b in BASES if b != "leg_vertical"]).all()
    assert values["rearfoot_right"] == pytest.approx(0, abs=1e-4)


def test_markers_upon_each_other_give_no_angle() -> None:
    double = LEFT.copy()
    double[1] = double[0]
    values = measure(double, RIGHT)
    assert np.isnan([values["rearfoot_left"], values["leg_vertical_left"]]).all()
    assert values["heel_vertical_left"] == pytest.approx(0, abs=1e-4)


def test_with_four_markers_leg_and_heel_have_lines_of_their_own() -> None:
    # The heel's line begins 5 px beside the leg's end: only directions count.
    leg = np.array([[100, 50], [100, 120], [105, 150], [105 + 30, 180]], float)
    values = measure(leg - [60, 0], leg + ASIDE)
    assert values["rearfoot_right"] == pytest.approx(45, abs=1e-4)
    assert values["rearfoot_left"] == pytest.approx(-45, abs=1e-4)


def test_a_body_does_not_miss_the_markers_nor_markers_a_body() -> None:
    body = load_skeleton("blazepose33")
    assert angle_names(body, view="rear")[1] == []
    present, absent = angle_names(REAR6, view="rear")
    assert (len(present), absent) == (8, [])
    assert angle_names(body, view="rear", names=["rearfoot"])[1] == [
        "rearfoot_left", "rearfoot_right",
    ]  # fmt: skip


offset = st.floats(-30, 30)
legs = st.tuples(*[offset] * 6).map(lambda v: LEFT + np.reshape(v, (3, 2)) * [1, 0.5])


@given(legs, legs)
def test_the_documents_formula_and_the_signed_one_hold(left: Points, right: Points) -> None:
    values = measure(left, right + ASIDE)
    for side, leg, s in (("left", left, -1), ("right", right, 1)):
        unsigned, signed = by_hand(leg, s)
        assert values[f"rearfoot_unsigned_{side}"] == pytest.approx(unsigned, abs=1e-3)
        assert values[f"rearfoot_{side}"] == pytest.approx(signed, abs=1e-3)
        assert values[f"rearfoot_{side}"] == pytest.approx(
            values[f"heel_vertical_{side}"] - values[f"leg_vertical_{side}"], abs=1e-3
        )


@given(legs, st.floats(-180, 180), st.floats(0.5, 8), st.tuples(offset, offset))
def test_rotation_scale_and_place_do_not_matter(
    leg: Points, turn_deg: float, scale: float, shift: tuple[float, float]
) -> None:
    turn = math.radians(turn_deg)
    matrix = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    moved = measure(leg @ matrix.T + shift, (leg + ASIDE) @ matrix.T + shift)
    still = measure(leg, leg + ASIDE)
    for name in ("rearfoot_left", "rearfoot_right", "rearfoot_unsigned_left"):
        assert moved[name] == pytest.approx(still[name], abs=2e-2)


@given(legs, legs)
def test_a_mirrored_picture_read_from_behind_swaps_the_sides_and_keeps_the_signs(
    left: Points, right: Points
) -> None:
    right = right + ASIDE
    mirror = np.array([-1, 1])
    true, mirrored = measure(left, right), measure(right * mirror, left * mirror)
    for base in BASES:
        assert mirrored[f"{base}_left"] == pytest.approx(true[f"{base}_right"], abs=1e-3)
        assert mirrored[f"{base}_right"] == pytest.approx(true[f"{base}_left"], abs=1e-3)


@given(legs, legs)
def test_exchanged_names_turn_the_sign(left: Points, right: Points) -> None:
    right = right + ASIDE
    true, wrong = measure(left, right), measure(right, left)
    assert wrong["rearfoot_left"] == pytest.approx(-true["rearfoot_right"], abs=1e-3)
    assert wrong["rearfoot_unsigned_left"] == pytest.approx(
        true["rearfoot_unsigned_right"], abs=1e-3
    )
