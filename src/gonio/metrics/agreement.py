"""How well two ways of measuring agree: limits of agreement, ICC(2,1), CMC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from gonio.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_NORMAL_95: Final = 1.959963984540054


class Limits(NamedTuple):
    """Bland and Altman's limits of agreement, in the unit of the differences.

    Attributes
    ----------
    bias
        Mean difference; NaN without any.
    low, high
        Bias ∓ 1.96 standard deviations of a single difference; NaN for a single one.
    """

    bias: float
    low: float
    high: float


class Icc(NamedTuple):
    """An intraclass correlation.

    Attributes
    ----------
    value
        At most 1; NaN where it cannot be computed.
    low, high
        Its confidence interval; NaN where it cannot be computed.
    subjects
        How many subjects it rests on.
    """

    value: float
    low: float
    high: float
    subjects: int


def bland_altman(differences: Sequence[ArrayLike]) -> Limits:
    """Return bias and 95 % limits of agreement of repeated measures.

    Parameters
    ----------
    differences
        One array a person: measured − true. Values that are NaN do not count. The repeated
        measures of one person are not independent, so the variance is the sum of that within
        and that between people, from a one-way analysis of variance; the true value may vary.
        For one person the limits are bias ± 1.96 SD, as they are for one difference a person.

    Returns
    -------
    Limits

    References
    ----------
    Bland & Altman (2007), Journal of Biopharmaceutical Statistics 17(4):571-582.
    """
    arrays = [np.asarray(d, dtype=np.float64).ravel() for d in differences]
    arrays = [a[np.isfinite(a)] for a in arrays]
    arrays = [a for a in arrays if a.size]
    if not arrays:
        return Limits(np.nan, np.nan, np.nan)
    bias = float(np.concatenate(arrays).mean())
    half = _NORMAL_95 * float(np.sqrt(_variance(arrays)))
    return Limits(bias, bias - half, bias + half)


def icc21(values: ArrayLike, *, confidence: float = 0.95) -> Icc:
    """Return ICC(2,1): absolute agreement of single measurements, two-way random effects.

    Parameters
    ----------
    values
        Shape ``(subjects, raters)``. A subject with a NaN does not count.
    confidence
        Of the interval.

    Returns
    -------
    Icc
        NaN with fewer than two subjects, or where nothing varies.

    Raises
    ------
    InputError
        With fewer than two raters.

    References
    ----------
    Shrout & Fleiss (1979), Psychological Bulletin 86(2):420-428; interval: McGraw & Wong (1996),
    Psychological Methods 1(1):30-46, table 7, ICC(A,1).
    """
    from scipy.stats import f as distribution

    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError("ICC: needs a table of subjects × raters, at least two raters")
    table = table[np.isfinite(table).all(axis=1)]
    n, k = table.shape
    if n < 2:
        return Icc(np.nan, np.nan, np.nan, n)
    subjects, raters, rest = _mean_squares(table)
    denominator = subjects + (k - 1) * rest + k * (raters - rest) / n
    if not denominator > 0:
        return Icc(np.nan, np.nan, np.nan, n)
    value = (subjects - rest) / denominator
    if value >= 1 or rest + raters <= 0:
        return Icc(float(value), float(value), float(value), n)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * raters) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1))
    if not spread > 0:
        return Icc(float(value), np.nan, np.nan, n)
    degrees = (a * raters + b * rest) ** 2 / spread
    tail = 1 - (1 - confidence) / 2
    lower, upper = distribution.ppf(tail, n - 1, degrees), distribution.ppf(tail, degrees, n - 1)
    common = k * raters + (k * n - k - n) * rest
    low = n * (subjects - lower * rest) / (lower * common + n * subjects)
    high = n * (upper * subjects - rest) / (common + n * upper * subjects)
    return Icc(float(value), float(low), float(high), n)


def cmc(waveforms: ArrayLike, *, form: Literal["within", "between"] = "within") -> float:
    """Return the coefficient of multiple correlation of curves (adjusted, Kadaba's).

    1 where the curves are alike in shape, size and level; towards 0 as they differ by as much as
    they vary. Measured and true curves of one movement are two runs of one session.

    Parameters
    ----------
    waveforms
        Shape ``(runs, time)``, or ``(sessions, runs, time)``. A time at which any curve is NaN
        does not count.
    form
        ``within``: each session about its own mean, so that what changes from session to
        session does not count. ``between``: all about the mean over sessions.

    Returns
    -------
    float
        0–1; NaN where the curves differ more than they vary (the square would be negative),
        where nothing varies, or with fewer than two curves or times.

    Raises
    ------
    InputError
        If the shape is another.

    References
    ----------
    Kadaba, Ramakrishnan, Wootten, Gainey, Gorton & Cochran (1989), Journal of Orthopaedic
    Research 7(6):849-860, equations 1 and 2.
    """
    curves = np.asarray(waveforms, dtype=np.float64)
    curves = curves[np.newaxis] if curves.ndim == 2 else curves
    if curves.ndim != 3:
        raise InputError("CMC: needs curves of shape (runs, time) or (sessions, runs, time)")
    curves = curves[:, :, np.isfinite(curves).all(axis=(0, 1))]
    if form == "between":
        curves = curves.reshape(1, -1, curves.shape[2])
    sessions, runs, times = curves.shape
    if runs < 2 or times < 2:
        return np.nan
    about_curve = np.square(curves - curves.mean(axis=1, keepdims=True)).sum()
    about_mean = np.square(curves - curves.mean(axis=(1, 2), keepdims=True)).sum()
    if not about_mean > 0:
        return np.nan
    differ = about_curve / (sessions * times * (runs - 1))
    vary = about_mean / (sessions * (runs * times - 1))
    return float(np.sqrt(1 - differ / vary)) if differ <= vary else np.nan


def _mean_squares(table: Floats) -> tuple[float, float, float]:
    """Return the mean squares between subjects, between raters, and of the rest."""
    n, k = table.shape
    grand = table.mean()
    between = k * np.square(table.mean(axis=1) - grand).sum()
    raters = n * np.square(table.mean(axis=0) - grand).sum()
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + grand
    residual = np.square(rest).sum()
    return float(between / (n - 1)), float(raters / (k - 1)), float(residual / ((n - 1) * (k - 1)))


def _variance(errors: list[Floats]) -> float:
    """Return the variance of a single difference: within people plus between them."""
    sizes = np.array([e.size for e in errors], dtype=np.float64)
    means = np.array([e.mean() for e in errors])
    total, people = sizes.sum(), len(errors)
    if total <= people:  # one frame each: within cannot be told from between
        return float(means.var(ddof=1)) if people > 1 else np.nan
    within = sum(float(np.square(e - m).sum()) for e, m in zip(errors, means, strict=True))
    within /= total - people
    if people == 1:
        return float(within)
    grand = (sizes * means).sum() / total
    between = float((sizes * np.square(means - grand)).sum()) / (people - 1)
    repeats = (total - np.square(sizes).sum() / total) / (people - 1)
    return float(within + max(0.0, (between - within) / repeats))
