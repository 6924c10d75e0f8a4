"""Points outside the picture: a model guesses them, nobody saw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonio.poses import log_operation
from gonio.tracking.series import positive, seen_points

if TYPE_CHECKING:
    import xarray as xr


def hide_outside(poses: xr.Dataset, *, margin_px: float = 0.0) -> xr.Dataset:
    """Treat keypoints outside the picture as not seen.

    Pose models place points beyond the picture's edge with high confidence (BlazePose up to
    0.99 while a person walks out of view), and angles that rest on them are invented.

    Parameters
    ----------
    poses
        Poses in pixels; the attributes ``width_px`` and ``height_px`` give the picture's size.
        Where they are missing nothing is hidden, and the log says ``size: unknown``.
    margin_px
        Hide points nearer to the edge than this, too; pixels, at least 0.

    Returns
    -------
    xr.Dataset
        Position, and covariance where there is one, NaN at the hidden points.

    Raises
    ------
    ConfigError
        If ``margin_px`` is no number of at least 0.
    """
    margin = positive("hide_outside", "margin_px", margin_px, zero=True)
    width, height = (poses.attrs.get(key) for key in ("width_px", "height_px"))
    if width is None or height is None:
        return log_operation(poses, "hide_outside", margin_px=margin, hidden=0, size="unknown")
    x, y = (poses["position"].sel(space=axis, drop=True) for axis in ("x", "y"))
    # The edge of the picture lies half a pixel beyond the centers of its outermost pixels.
    low = margin - 0.5
    outside = (x < low) | (y < low) | (x > float(width) - 1 - low) | (y > float(height) - 1 - low)
    count = int((outside.values & seen_points(poses)).sum())
    shown = poses.assign(position=poses["position"].where(~outside))
    if "covariance" in poses:
        shown["covariance"] = poses["covariance"].where(~outside)
    if "filled" in poses:
        shown["filled"] = poses["filled"] & ~outside
    return log_operation(shown, "hide_outside", margin_px=margin, hidden=count)
