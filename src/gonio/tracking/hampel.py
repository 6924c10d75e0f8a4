"""Outliers: points that leave their neighbors and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from gonio.errors import UnknownNameError
from gonio.poses import log_operation
from gonio.tracking.series import positive, seen_points
from gonio.tracking.windows import middle, odd_window, windows

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

Replacement = Literal["median", "nan"]

_NORMAL = 0.6745
_FEWEST = 3
_POINT_DIMS = ("time", "keypoints", "individuals")


def hampel(
    poses: xr.Dataset,
    *,
    window: int = 7,
    n_sigma: float = 2.0,
    replace_by: Replacement = "median",
) -> xr.Dataset:
    """Replace outliers by the median of their neighbors, and leave all other points as they are.

    A coordinate x is an outlier if 0.6745·abs(x − med) / MAD exceeds ``n_sigma``, where med is
    the median of a window centered on it and MAD the median distance from med in this window;
    0.6745·MAD⁻¹ is one over the standard deviation if the samples are normally distributed. A
    point of which one coordinate is an outlier is replaced as a whole.

    Parameters
    ----------
    poses
        Poses. A sample that was not seen is left out of its neighbors' windows, as are frames
        before the first and after the last: an outlier beside a gap is found. A window with
        fewer than three samples says nothing. NaN stays NaN.
    window
        Frames, odd.
    n_sigma
        Distance from the median that is no longer believed, standard deviations. Among
        normally distributed samples the default replaces about one point in five (a window of
        seven knows their spread badly), each by a small amount; 3 replaces about one in ten.
    replace_by
        ``"median"``: the replaced points are true in ``filled``. ``"nan"``: they count as not
        seen, their covariance too, so that a later step can fill them.

    Returns
    -------
    xr.Dataset

    Raises
    ------
    ConfigError
        If a setting is out of range or the replacement is unknown.

    References
    ----------
    Pearson (2002), Outliers in process modeling and identification, IEEE Transactions on
    Control Systems Technology 10(1):55-63; the factor after Iglewicz & Hoaglin (1993).
    """
    size = odd_window("hampel", window)
    limit = positive("hampel", "n_sigma", n_sigma) / _NORMAL
    if replace_by not in get_args(Replacement):
        known = get_args(Replacement)
        raise UnknownNameError("replacement", str(replace_by), known, where="hampel")
    values = poses["position"].values
    seen = seen_points(poses)
    result = values.copy()
    wrong = np.zeros_like(seen)
    for piece, samples in windows(values, seen, size):
        own = samples[size // 2]
        center = middle(samples)
        spread = middle([np.abs(s - center) for s in samples])
        _narrow(center, spread, samples)
        # Not a quotient: where all neighbors agree, MAD is 0 and any other value is wrong.
        wrong[piece] = (np.abs(own - center) > limit * spread).any(axis=1)
        put = center if replace_by == "median" else np.nan
        np.copyto(result[piece], put, where=wrong[piece][:, None])
    repaired = poses.assign(position=poses["position"].copy(data=result))
    repaired = _mark(repaired, wrong, invented=replace_by == "median")
    return log_operation(
        repaired,
        "hampel",
        window=size,
        n_sigma=float(n_sigma),
        replace_by=replace_by,
        replaced=int(np.count_nonzero(wrong)),
    )


def _narrow(center: Floats, spread: Floats, samples: list[Floats]) -> None:
    """Take median and MAD of what there is where a window misses samples."""
    where = np.nonzero(np.isnan(center) & np.isfinite(samples[len(samples) // 2]))
    within = np.stack([s[where] for s in samples])
    center[where] = _median_of_seen(within)
    spread[where] = _median_of_seen(np.abs(within - center[where]))


def _median_of_seen(within: Floats) -> Floats:
    """Median along the first axis without NaN; NaN of fewer than three samples."""
    count = np.isfinite(within).sum(axis=0)
    ordered = np.sort(within, axis=0)
    known = np.maximum(count, 1)
    low, high = (
        np.take_along_axis(ordered, at[None], 0)[0] for at in ((known - 1) // 2, known // 2)
    )
    middle_of_two: Floats = np.where(count < _FEWEST, np.nan, (low + high) / 2)
    return middle_of_two


def _mark(poses: xr.Dataset, wrong: NDArray[np.bool_], *, invented: bool) -> xr.Dataset:
    if invented:
        filled = wrong | poses["filled"].values if "filled" in poses else wrong
        return poses.assign(filled=(_POINT_DIMS, filled))
    seen = poses["confidence"].copy(data=~wrong)
    if "filled" in poses:
        poses = poses.assign(filled=poses["filled"] & seen)
    if "covariance" in poses:
        poses = poses.assign(covariance=poses["covariance"].where(seen))
    return poses
