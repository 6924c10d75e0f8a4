"""Angle errors: worked by hand, NaN never counts, frames and people are paired."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gonio.errors import InputError
from gonio.metrics import angle_errors
from gonio.poses import make_angles


def series(  # type: ignore[no-untyped-def]
    values, *, time_s=None, names=("knee_left",), people=("person_0",)
) -> xr.Dataset:
    angle = np.asarray(values, dtype=float)
    if angle.ndim == 1:
        angle = angle[:, None, None]
    time_s = np.arange(len(angle)) / 30 if time_s is None else time_s
    return make_angles(angle, time_s=time_s, names=names, individuals=people)


def row(measured: xr.Dataset, truth: xr.Dataset, **options: float) -> dict[str, float]:
    result: dict[str, float] = angle_errors(measured, truth, **options).iloc[0].to_dict()
    return result


def test_errors_worked_by_hand() -> None:
    got = row(series([11, 22, 33, 40]), series([10, 20, 30, 44]))
    # errors 1, 2, 3, −4: mean 0.5, variance (0.25 + 2.25 + 6.25 + 20.25) / 3 = 29 / 3
    assert got["name"] == "knee_left"
    assert got["mae_deg"] == pytest.approx(2.5)
    assert got["rmse_deg"] == pytest.approx(np.sqrt(30 / 4))
    assert got["bias_deg"] == pytest.approx(0.5)
    assert got["loa_low_deg"] == pytest.approx(0.5 - 1.96 * np.sqrt(29 / 3), abs=1e-3)
    assert got["loa_high_deg"] == pytest.approx(0.5 + 1.96 * np.sqrt(29 / 3), abs=1e-3)
    assert got["n"] == 4


def test_nan_on_either_side_never_counts() -> None:
    got = row(series([1, np.nan, 3, 4]), series([0, 0, np.nan, 0]))
    assert (got["n"], got["bias_deg"]) == (2, 2.5)
    nothing = row(series([np.nan]), series([0.0]))
    assert nothing["n"] == 0
    assert np.isnan([v for k, v in nothing.items() if k.endswith("_deg")]).all()


def test_a_single_pair_has_no_limits() -> None:
    got = row(series([5.0]), series([2.0]))
    assert got["mae_deg"] == 3
    assert np.isnan(got["loa_low_deg"])


def test_turns_do_not_count() -> None:
    assert row(series([179.0, 361.0]), series([-179.0, 0.0]))["bias_deg"] == pytest.approx(-0.5)


def test_every_true_angle_has_a_row_in_its_order_and_is_found_by_name() -> None:
    measured = series(np.array([[[5.0], [1.0]]]), names=["hip_left", "knee_left"])
    truth = series(np.zeros((1, 3, 1)), names=["knee_left", "trunk", "hip_left"])
    table = angle_errors(measured, truth)
    assert table["name"].tolist() == ["knee_left", "trunk", "hip_left"]
    assert table["n"].tolist() == [1, 0, 1]
    assert table["mae_deg"].tolist()[::2] == [1, 5]
    assert np.isnan(table["mae_deg"][1])


def test_frames_are_paired_by_time_within_the_tolerance() -> None:
    truth = series([0, 10, 20, 30], time_s=[0, 0.1, 0.2, 0.3])
    shifted = series([10, 20, 30], time_s=[0.12, 0.2, 0.26])
    assert row(shifted, truth)["n"] == 3
    assert row(shifted, truth)["mae_deg"] == 0
    assert row(shifted, truth, tolerance_s=0.03)["n"] == 2
    late = series([7, 7], time_s=[0.34, 0.36])
    assert row(late, truth)["n"] == 1  # half an interval, 0.05 s, is the default
    assert row(series([1.0], time_s=[5]), truth)["n"] == 0
    assert row(series([1.0], time_s=[0]), series([0.0], time_s=[0]))["n"] == 1


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20, unique=True), st.floats(0.001, 5))
def test_pairing_agrees_with_a_plain_search(times, tolerance) -> None:
    truth_s = np.array([0.0, 1.0, 2.5, 3.0, 50.0])
    measured_s = np.sort(np.array(times))
    if (np.diff(measured_s) <= 0).any():
        return
    distance = np.abs(measured_s[:, None] - truth_s).min(axis=1)
    expected = int((distance <= tolerance + 1e-9).sum())
    measured = series(np.zeros(len(measured_s)), time_s=measured_s)
    truth = series(np.zeros(5), time_s=truth_s)
    assert row(measured, truth, tolerance_s=tolerance)["n"] == expected


def test_limits_of_several_people_hold_the_variance_between_them() -> None:
    # errors: person a 0, 2; person b 10, 12. Within 2; means 1, 11; between (50·2 − 2) / 2 = 49
    measured = series(np.array([[[0.0, 10.0]], [[2.0, 12.0]]]), people=["a", "b"])
    truth = series(np.zeros((2, 1, 2)), people=["b", "a"])
    got = row(measured, truth)
    assert got["bias_deg"] == 6
    assert got["loa_high_deg"] - 6 == pytest.approx(1.96 * np.sqrt(2 + 49), abs=1e-3)


def test_people_who_do_not_differ_add_nothing() -> None:
    measured = series(np.array([[[-1.0, -1.0]], [[1.0, 1.0]]]), people=["a", "b"])
    got = row(measured, series(np.zeros((2, 1, 2)), people=["a", "b"]))
    assert got["loa_high_deg"] == pytest.approx(1.96 * np.sqrt(2), abs=1e-3)


def test_one_person_on_each_side_is_a_pair_whatever_the_names() -> None:
    assert row(series([1.0]), series([0.0], people=["walker"]))["n"] == 1


def test_nobody_measured_gives_rows_without_numbers() -> None:
    nobody = series(np.zeros((3, 1, 0)), people=[])
    assert row(nobody, series([0, 0, 0]))["n"] == 0


def test_strangers_and_foreign_angles_are_refused() -> None:
    two = series(np.zeros((1, 1, 2)), people=["a", "b"])
    with pytest.raises(InputError, match="no person in common: a, b against person_0"):
        angle_errors(two, series([0.0]))
    with pytest.raises(InputError, match="no angle in common"):
        angle_errors(series([0.0]), series([0.0], names=["trunk"]))
