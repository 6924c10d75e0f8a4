"""Is a person really seen from the side? Shoulders that lie apart in the picture say no."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gonio.poses import PointTracks

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

TURNED_RATIO = 0.4
"""Distance of the shoulders over the trunk's length, above which a person is turned.

From the front it is about 0.259 / 0.288 = 0.9 of the stature's shares (Drillis & Contini 1966).
BlazePose gave medians of 0.54-0.69 for people seen from the front or obliquely, and 0.03-0.16
(90th percentile up to 0.27) for people seen from the side.
"""


def turned_share(poses: xr.Dataset, skeleton: Skeleton) -> NDArray[np.float64]:
    """Tell in which share of the frames each person is turned out of the side view.

    Parameters
    ----------
    poses
        Tracks in pixels, or any unit. NaN = not seen.
    skeleton
        The poses' skeleton.

    Returns
    -------
    NDArray
        Shape ``(individuals,)``: the share, 0-1, of the frames in which shoulders and hips are
        seen; NaN where they never are, or where the skeleton has none.
    """
    names = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    points = PointTracks(poses, skeleton)
    shares = np.full(poses.sizes["individuals"], np.nan)
    found = [track for name in names if (track := points.position(name)) is not None]
    if len(found) < len(names):
        return shares
    left, right, left_hip, right_hip = found
    apart = np.linalg.norm(left - right, axis=1)
    trunk = np.linalg.norm((left + right) / 2 - (left_hip + right_hip) / 2, axis=1)
    seen = np.isfinite(apart) & (trunk > 0)
    turned = seen & (apart > TURNED_RATIO * trunk)
    some = seen.any(axis=0)
    shares[some] = turned.sum(axis=0)[some] / seen.sum(axis=0)[some]
    return shares
