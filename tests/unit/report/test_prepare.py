"""What the figures show: gaps, extremes, fillings, ranges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_evaluation import fake_evaluation
from gonio.report import Panel, prepare
from gonio.report.prepare import decimate

NAN = float("nan")


def panel(evaluation_panels: list[Panel], base: str) -> Panel:
    return next(p for p in evaluation_panels if p.base == base)


def test_a_short_series_keeps_every_sample() -> None:
    np.testing.assert_array_equal(decimate(np.zeros(2000)), np.arange(2000))


@given(
    st.integers(2001, 20_000),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.sampled_from([0, 7, 900]),
)
def test_decimation_keeps_peak_trough_gap_and_ends(
    count: int, peak: int, trough: int, gap: int
) -> None:
    value = np.sin(np.arange(count) / 50)
    peak, trough = peak % count, trough % count
    value[peak] = 99.0
    if trough != peak:
        value[trough] = -99.0
    start = count // 3
    value[start : start + gap] = NAN
    kept = decimate(value)
    assert len(kept) <= 2000
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, count - 1)
    assert np.nanmax(value[kept]) == np.nanmax(value)
    assert np.nanmin(value[kept]) == np.nanmin(value)
    assert np.isnan(value[kept]).any() == (gap > 0)


def test_a_gap_breaks_the_line_of_a_long_recording() -> None:
    panels = list(prepare(fake_evaluation(frames=9000)).panels)
    right = next(c for c in panel(panels, "knee").curves if c.side == "right")
    in_gap = (right.time_s > 152) & (right.time_s < 198)
    assert in_gap.any()
    assert np.isnan(right.value_deg[in_gap]).all()
    assert all(len(c.time_s) <= 2000 for p in panels for c in p.curves)


def test_filled_stretches_are_curves_of_their_own_that_join_the_measured_ones() -> None:
    panels = list(prepare(fake_evaluation()).panels)
    measured, filled = (c for c in panel(panels, "knee").curves if c.side == "left")
    assert (measured.kind, filled.kind) == ("measured", "filled")
    frames = np.round(filled.time_s[np.isfinite(filled.value_deg)] * 30).astype(int)
    np.testing.assert_array_equal(frames, np.arange(51, 61))
    assert np.isnan(measured.value_deg[52:60]).all()
    assert np.isfinite(measured.value_deg[[51, 60]]).all()


def test_two_fillings_are_not_joined() -> None:
    evaluation = fake_evaluation()
    evaluation.poses["filled"].loc[{"keypoints": "left_knee"}] = False
    evaluation.poses["filled"].loc[{"keypoints": "left_knee"}][[30, 90]] = True
    curves = panel(list(prepare(evaluation).panels), "knee").curves
    filled = next(c for c in curves if c.kind == "filled")
    known = np.isfinite(filled.value_deg)
    np.testing.assert_array_equal(
        np.round(filled.time_s * 30).astype(int)[known], [29, 30, 31, 89, 90, 91]
    )
    first, second = np.flatnonzero(np.diff(known.astype(int)) == 1)
    assert not known[second]
    assert first < second


def test_legs_come_first_and_angles_without_values_are_named_not_drawn() -> None:
    data = prepare(fake_evaluation())
    assert [p.base for p in data.panels] == [
        "hip",
        "knee",
        "ankle",
        "trunk",
        "elbow",
        "thigh",
        "shank",
    ]
    assert data.absent == ["pelvis"]
    assert "pelvis" not in set(data.ranges["angle"])


def test_noise_around_a_constant_does_not_fill_the_plot() -> None:
    evaluation = fake_evaluation()
    evaluation.angles["angle_deg"][:] = 10.0
    low, high = prepare(evaluation).panels[0].range_deg
    assert low < -4
    assert high > 24


def test_true_curves_are_drawn_for_the_first_person_only() -> None:
    data = prepare(fake_evaluation(people=2, with_truth=True))
    kinds = [{c.kind for c in p.curves} for p in data.panels if p.base == "hip"]
    assert ["true" in k for k in kinds] == [True, False]


@pytest.mark.parametrize(
    ("facing", "view", "near"),
    [
        (1, "sagittal", "right"),
        (-1, "sagittal", "left"),
        (0, "sagittal", None),
        (1, "rear", None),
        (1, "any", None),
    ],
)
def test_the_near_side_is_the_right_one_of_a_person_facing_right(
    facing: int, view: str, near: str | None
) -> None:
    evaluation = fake_evaluation(protocol={"name": "p", "view": view})
    evaluation.angles["facing"][:] = facing
    assert prepare(evaluation).people[0].near_side == near


def test_a_person_who_turns_has_no_near_side() -> None:
    evaluation = fake_evaluation()
    evaluation.angles["facing"][75:] = 1
    assert prepare(evaluation).people[0].near_side is None


def test_a_person_seen_from_the_front_has_no_near_side() -> None:
    evaluation = fake_evaluation()
    evaluation.poses["position"].loc[{"keypoints": "left_shoulder", "space": "x"}] += 60
    assert prepare(evaluation).people[0].near_side is None


def test_a_gap_is_joined_from_its_last_to_its_next_value_and_the_ends_are_not() -> None:
    panels = list(prepare(fake_evaluation()).panels)
    curves = {(c.side, c.kind): c for c in panel(panels, "knee").curves}
    gap, measured = curves["right", "gap"], curves["right", "measured"]
    np.testing.assert_allclose(gap.time_s[:2], [74 / 30, 100 / 30])
    np.testing.assert_array_equal(gap.value_deg[:2], measured.value_deg[[74, 100]])
    assert np.isnan(gap.value_deg[2])
    assert len(gap.time_s) == 3
    assert ("left", "gap") not in curves


def test_extremes_have_their_times_and_a_mostly_missing_angle_has_no_range() -> None:
    evaluation = fake_evaluation()
    knee = evaluation.angles["angle_deg"].loc[{"angle": "knee_left"}]
    knee[90], knee[30] = 150.0, -40.0
    evaluation.angles["angle_deg"].loc[{"angle": "hip_left"}][20:] = NAN
    ranges = prepare(evaluation).ranges.set_index("angle")
    assert ranges.loc["knee_left", ["min_s", "max_s"]].tolist() == [1.0, 3.0]
    assert ranges.loc["hip_left", ["min_deg", "max_deg", "range_deg", "min_s"]].isna().all()
    assert ranges.loc["hip_left", "missing"] > 0.9


def test_the_report_opens_at_the_first_measured_moment() -> None:
    assert prepare(fake_evaluation()).start_s == pytest.approx(15 / 30)
    assert prepare(fake_evaluation(people=0)).start_s == 0


def test_frames_lost_between_are_counted() -> None:
    evaluation = fake_evaluation(frames=100)
    evaluation.raw["position"][40:45] = NAN
    (person,) = prepare(evaluation).people
    assert (person.seen, person.lost) == (85, 5)
    assert (person.from_s, person.to_s) == pytest.approx((10 / 30, 99 / 30))
