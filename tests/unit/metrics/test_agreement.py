"""Agreement: published tables, an independent implementation, and curves worked by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from gonio.errors import InputError
from gonio.metrics import bland_altman, calibration, cmc, icc21

# Shrout & Fleiss (1979), table 2: six subjects, four judges.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)


def pingouins(values: np.ndarray) -> tuple[float, list[float]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pingouin

        n, k = values.shape
        table = pd.DataFrame(
            {
                "subject": np.repeat(np.arange(n), k),
                "rater": np.tile(np.arange(k), n),
                "value": values.ravel(),
            }
        )
        result = pingouin.intraclass_corr(table, "subject", "rater", "value")
    row = result[result["Type"].isin(["ICC2", "ICC(A,1)"])].iloc[0]
    interval = next(row[c] for c in result.columns if c.startswith("CI95"))
    return float(row["ICC"]), list(interval)


def test_icc_is_the_published_one_of_shrout_and_fleiss() -> None:
    got = icc21(JUDGES)
    assert got.value == pytest.approx(0.29, abs=0.005)
    assert got.subjects == 6
    assert (got.low, got.high) == pytest.approx((0.02, 0.76), abs=0.005)  # McGraw & Wong's


@pytest.mark.parametrize("seed", range(4))
def test_icc_and_its_interval_are_pingouins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(12, 1)) * 5 + rng.normal(size=(12, 2)) * (seed + 0.5)
    value, interval = pingouins(values)
    got = icc21(values)
    assert got.value == pytest.approx(value, abs=1e-6)
    assert [got.low, got.high] == pytest.approx(interval, abs=0.00501)  # it rounds to two digits


def test_icc_falls_with_a_constant_difference_that_correlation_would_not_see() -> None:
    true = np.arange(10.0)
    assert icc21(np.stack([true, true], axis=1)).value == 1
    assert icc21(np.stack([true, true + 5], axis=1)).value < 0.5


def test_icc_without_anything_to_tell_is_nan() -> None:
    assert np.isnan(icc21([[1.0, 2.0]]).value)
    assert np.isnan(icc21([[1.0, np.nan], [2.0, 2.0]]).value)
    assert np.isnan(icc21(np.ones((4, 2))).value)
    assert np.isnan(icc21(np.zeros((0, 2))).value)
    with pytest.raises(InputError, match="two raters"):
        icc21(np.ones((4, 1)))


def test_limits_hold_the_variance_within_and_between_people() -> None:
    # people a 0, 2; b 10, 12: within 2, means 1 and 11, between (50·2 − 2) / 2 = 49
    got = bland_altman([[0.0, 2.0, np.nan], [10.0, 12.0], []])
    assert got.bias == 6
    assert got.high - 6 == pytest.approx(1.96 * np.sqrt(51), abs=1e-3)
    assert got.low == pytest.approx(12 - got.high)
    assert np.isnan(bland_altman([]).bias)
    assert np.isnan(bland_altman([[1.0]]).low)


def test_cmc_worked_by_hand() -> None:
    # means by time 0.5, 2.5: squares about them 4 · 0.25 = 1, over T(M − 1) = 2: 0.5
    # grand mean 1.5: squares 2.25 + 0.25 + 0.25 + 2.25 = 5, over MT − 1 = 3: 5 / 3
    assert cmc([[0.0, 2.0], [1.0, 3.0]]) == pytest.approx(np.sqrt(1 - 0.5 / (5 / 3)))


def test_cmc_is_one_for_equal_curves_and_does_not_care_about_level_and_scale() -> None:
    time = np.linspace(0, 2 * np.pi, 50)
    one, two = np.sin(time), np.sin(time + 0.2)
    assert cmc([one, one]) == 1
    assert cmc([7 * one + 3, 7 * two + 3]) == pytest.approx(cmc([one, two]))
    assert cmc([one, two]) > cmc([one, one + 0.5])


def test_curves_unlike_each_other_have_no_cmc() -> None:
    time = np.linspace(0, 2 * np.pi, 50)
    assert np.isnan(cmc([np.sin(time), -np.sin(time)]))
    assert np.isnan(cmc([[1.0, 1, 1], [1, 1, 1]]))
    assert np.isnan(cmc([[1.0, 2, 3]]))
    with pytest.raises(InputError, match="curves of shape"):
        cmc([1.0, 2])


def test_sessions_that_differ_lower_the_cmc_between_them_only() -> None:
    curve = np.sin(np.linspace(0, 2 * np.pi, 40))
    sessions = np.stack([np.stack([curve, curve + 0.05]) + shift for shift in (0.0, 1.0)])
    within = cmc(sessions)
    assert within == pytest.approx(cmc(sessions[0]))
    assert cmc(sessions, form="between") < within


def test_times_at_which_a_curve_is_missing_do_not_count() -> None:
    assert cmc([[0.0, np.nan, 2.0], [1.0, 9.0, 3.0]]) == cmc([[0.0, 2.0], [1.0, 3.0]])


def test_calibration_worked_by_hand() -> None:
    sure = [0.05, 0.9, 0.9, 0.7, np.nan, 1.0]
    right = [False, True, False, True, True, True]
    got = calibration(sure, right)
    assert got.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 3]
    assert got.accuracy[9] == pytest.approx(2 / 3)
    assert got.confidence[9] == pytest.approx(2.8 / 3)
    assert got.ece == pytest.approx((0.05 + 0.3 + 0.8) / 5)
    assert [row["n"] for row in got.rows()] == [1, 1, 3]


def test_calibration_of_nothing_is_nan() -> None:
    assert np.isnan(calibration([np.nan], [True]).ece)
    with pytest.raises(InputError, match="one confidence"):
        calibration([0.5, 0.5], [True])


def test_a_model_that_knows_itself_has_a_small_calibration_error() -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(20_000)
    assert calibration(sure, rng.random(20_000) < sure).ece < 0.02
    assert calibration(sure, rng.random(20_000) < sure**2).ece > 0.1
