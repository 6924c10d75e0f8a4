"""Errors of measured angles in degrees, with limits of agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gonio.errors import InputError
from gonio.metrics.agreement import bland_altman
from gonio.poses import INDIVIDUALS

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def angle_errors(
    measured: xr.Dataset, truth: xr.Dataset, *, tolerance_s: float | None = None
) -> pd.DataFrame:
    """Compare measured angles with true ones, angle by angle.

    Each measured frame is paired with the true frame nearest in time, if that lies within
    ``tolerance_s``. An error is measured − true, by the shorter way round the circle, so that
    turns do not count. People are paired by name; where each side holds a single person, these
    two are, whatever their names.

    Parameters
    ----------
    measured, truth
        Angles datasets: ``angle_deg (time, angle, individuals)``, degrees, time in seconds. A
        frame in which either is NaN never counts.
    tolerance_s
        Largest difference in time of a pair, seconds. None = half of the truth's median frame
        interval (of the measured one's where the truth is a single frame; 0 where both are).

    Returns
    -------
    pd.DataFrame
        One row for each of the truth's angles: ``name, mae_deg, rmse_deg, bias_deg, loa_low_deg,
        loa_high_deg, n`` (pairs of frames that count). Where n is 0, and for limits of a single
        pair, NaN. The limits are Bland and Altman's 95 % limits of agreement in the form for
        repeated measures with a varying true value: the frames of one person are not
        independent, so the variance is the sum of that within and that between people, from a
        one-way analysis of variance. For one person they are bias ± 1.96 SD.

    Raises
    ------
    InputError
        If no person or no angle is in both.

    References
    ----------
    Bland & Altman (2007), Journal of Biopharmaceutical Statistics 17(4):571-582.
    """
    people = _pairs_of_people(measured, truth)
    names = [str(n) for n in truth["angle"].values]
    shared = [str(n) for n in measured["angle"].values if str(n) in names]
    if not shared:
        raise InputError("measured and true angles have no angle in common")
    mine, theirs = _pairs_of_frames(measured["time"].values, truth["time"].values, tolerance_s)
    values = measured["angle_deg"].sel(angle=shared).values[mine]
    true = truth["angle_deg"].sel(angle=shared).values[theirs]
    rows = []
    for name in names:
        errors: list[Floats] = []
        if name in shared:
            k = shared.index(name)
            errors = [_known(values[:, k, i] - true[:, k, j]) for i, j in people]
        rows.append({"name": name, **_summary([e for e in errors if e.size])})
    return pd.DataFrame(rows)


def _pairs_of_people(measured: xr.Dataset, truth: xr.Dataset) -> list[tuple[int, int]]:
    mine, theirs = ([str(n) for n in d[INDIVIDUALS].values] for d in (measured, truth))
    if len(mine) == len(theirs) == 1:
        return [(0, 0)]
    pairs = [(i, theirs.index(name)) for i, name in enumerate(mine) if name in theirs]
    if mine and not pairs:
        raise InputError(
            f"measured and true angles have no person in common: {', '.join(mine)} against "
            f"{', '.join(theirs)}. Choose one person, or name them alike."
        )
    return pairs


def _pairs_of_frames(
    measured_s: Floats, truth_s: Floats, tolerance_s: float | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if not measured_s.size or not truth_s.size:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    if tolerance_s is None:
        interval = next((np.median(np.diff(t)) for t in (truth_s, measured_s) if t.size > 1), 0)
        tolerance_s = float(interval) / 2
    after = np.searchsorted(truth_s, measured_s).clip(1, max(truth_s.size - 1, 1))
    before, after = after - 1, np.minimum(after, truth_s.size - 1)
    nearer = np.abs(truth_s[before] - measured_s) <= np.abs(truth_s[after] - measured_s)
    nearest = np.where(nearer, before, after)
    # Times computed in two ways differ in their last bits.
    close = np.abs(truth_s[nearest] - measured_s) <= tolerance_s + 1e-9
    return np.flatnonzero(close), nearest[close]


def _known(difference: Floats) -> Floats:
    errors = (difference[np.isfinite(difference)] + 180.0) % 360.0 - 180.0
    return np.asarray(errors, dtype=np.float64)


def _summary(errors: list[Floats]) -> dict[str, float]:
    """Summarize errors, one array a person, none empty."""
    every = np.concatenate(errors) if errors else np.zeros(0)
    if not every.size:
        nothing = ("mae_deg", "rmse_deg", "bias_deg", "loa_low_deg", "loa_high_deg")
        return {**dict.fromkeys(nothing, np.nan), "n": 0}
    limits = bland_altman(errors)
    return {
        "mae_deg": float(np.abs(every).mean()),
        "rmse_deg": float(np.sqrt(np.square(every).mean())),
        "bias_deg": limits.bias,
        "loa_low_deg": limits.low,
        "loa_high_deg": limits.high,
        "n": every.size,
    }
