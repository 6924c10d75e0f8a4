"""From keypoint tracks to angles."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from gonio.analysis.angles.definitions import VIEWS, View, angle_names, angle_points, find_angle
from gonio.analysis.angles.facing import MIN_TURN_S, facing
from gonio.analysis.angles.unwrap import unwrap, wrap
from gonio.errors import GonioWarning, PosesError, UnknownNameError
from gonio.poses import INDIVIDUALS, KEYPOINTS, PointTracks, log_operation, make_angles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.analysis.angles.definitions import AngleDefinition
    from gonio.skeletons import Skeleton

    Floats = NDArray[np.float64]


def compute_angles(
    poses: xr.Dataset,
    skeleton: Skeleton,
    *,
    view: View = "sagittal",
    names: Sequence[str] | None = None,
    min_turn_s: float = MIN_TURN_S,
) -> xr.Dataset:
    """Compute joint and segment angles.

    With image x right and y down: two points give u = p0 − p1 and atan2(uy, ux); three give
    u = p0 − p1, v = p2 − p1, four u = p1 − p0, v = p3 − p2, and −atan2(ux·vy − uy·vx, u·v); then
    ``(angle + offset) · scale`` (see :data:`ANGLES`), wrapped to [−180, 180) and unwrapped in
    time (see :func:`unwrap`). A person who faces left is mirrored first.

    Parameters
    ----------
    poses
        2D poses of ``skeleton``, pixels, y down. NaN = not seen.
    skeleton
        Says which keypoints and derived points there are.
    view
        ``"sagittal"``; ``"frontal"`` (camera in front of the person) or ``"rear"``; ``"any"`` is
        taken as sagittal. An angle that the view cannot give is NaN: sagittal angles in a
        frontal or rear view, obliquity and knee valgus in a sagittal one.
    names
        Angles to compute; ``"knee"`` stands for both sides. None = all that the view can give.
    min_turn_s
        Shortest turn that changes the facing, seconds (see :func:`facing`).

    Returns
    -------
    xr.Dataset
        ``angle_deg (time, angle, individuals)``, degrees: flexion and dorsiflexion positive;
        segments counter-clockwise from +x. NaN where one of the points is NaN, two of them
        coincide, or the facing is unknown. ``facing (time, individuals)`` int8: +1 right, −1
        left, 0 unknown; 0 throughout in a frontal or rear view. An angle whose points the
        skeleton neither has nor derives is absent.

    Raises
    ------
    PosesError
        If the poses are not 2D or do not follow the skeleton.
    UnknownNameError
        If ``view`` or one of ``names`` is unknown.

    Warns
    -----
    GonioWarning
        Once, naming all absent angles and the people whose facing stays unknown.

    References
    ----------
    Pagnon & Kim (2024), Sports2D, Journal of Open Source Software 9(101):6849.
    """
    if view not in VIEWS:
        raise UnknownNameError("view", view, VIEWS)
    _check(poses, skeleton)
    present, absent = angle_names(skeleton, view=view, names=names)
    direction = facing(poses, skeleton, min_turn_s=min_turn_s)
    if view in {"frontal", "rear"}:
        direction = direction * np.int8(0)
    angle = np.full((poses.sizes["time"], len(present), poses.sizes[INDIVIDUALS]), np.nan)
    tracks = _Tracks(poses, skeleton)
    sagittal = False
    for i, name in enumerate(present):
        definition, side = find_angle(name)
        if not definition.seen_in(view):
            continue
        sagittal = sagittal or definition.plane == "sagittal"
        corners = [tracks[p] for p in angle_points(name, skeleton) or ()]
        mirror = _mirror(definition, side, view, direction)
        angle[:, i] = _series(definition, corners, mirror)
    _warn(skeleton, present, absent, _undecided(poses, direction) if sagittal else [])
    angles = make_angles(
        angle,
        time_s=poses["time"].values,
        names=present,
        individuals=[str(n) for n in poses[INDIVIDUALS].values],
        attrs={**poses.attrs, "view": view},
    )
    angles["facing"] = direction
    return log_operation(angles, "compute_angles", view=view, min_turn_s=min_turn_s)


def _check(poses: xr.Dataset, skeleton: Skeleton) -> None:
    if poses.sizes["space"] != 2:
        raise PosesError("angles are computed from 2D poses; these have x, y and z")
    given = [str(n) for n in poses[KEYPOINTS].values]
    missing = sorted(set(skeleton.keypoints) - set(given))
    if missing:
        raise PosesError(
            f"the poses do not follow skeleton '{skeleton.name}': no {', '.join(missing)}"
        )


class _Tracks(dict[str, "Floats"]):
    """Points' positions, ``(time, space, individuals)``, in double precision, each made once."""

    def __init__(self, poses: xr.Dataset, skeleton: Skeleton) -> None:
        super().__init__()
        self._points = PointTracks(poses, skeleton)
        self._skeleton = skeleton

    def __missing__(self, name: str) -> Floats:
        track = self._points.position(name)
        if track is None:
            raise PosesError(f"skeleton '{self._skeleton.name}' has no point '{name}'")
        self[name] = track.astype(np.float64)
        return self[name]


def _mirror(definition: AngleDefinition, side: str, view: View, direction: xr.DataArray) -> Floats:
    """Return what x is multiplied by, shape ``(time, individuals)`` or ``()``; NaN = unknown."""
    if definition.plane == "sagittal":
        return np.where(direction.values == 0, np.nan, direction.values)
    return np.asarray(frontal_mirror(side, view))


def frontal_mirror(side: str, view: View) -> float:
    """Return what x is multiplied by for an angle of the frontal plane.

    Parameters
    ----------
    side
        ``"left"``, ``"right"``, or empty for an unsided angle.
    view
        ``"frontal"``, or else from behind.

    Returns
    -------
    float
        +1 or −1.
    """
    # From the front the person's left is at the image's right, from behind at its left. Medial
    # is towards the image's right for the leg at the left.
    from_front = 1.0 if view == "frontal" else -1.0
    return -from_front if side == "left" else from_front


def angle_at_once(definition: AngleDefinition, corners: Sequence[Floats], mirror: Floats) -> Floats:
    """Compute an angle in single frames: what :func:`compute_angles` unwraps in time.

    Parameters
    ----------
    definition
        The angle, without its side.
    corners
        Its points, in the definition's order: arrays of shape ``(time, space, individuals)``,
        pixels, y down. NaN = not seen.
    mirror
        Shape ``(time, individuals)`` or ``()``: what x is multiplied by, +1 for a person who
        faces right, −1 left; NaN = unknown.

    Returns
    -------
    ndarray
        Shape ``(time, individuals)``, degrees, −180 to 180 (the latter not included; a magnitude
        0 to 180); NaN where a point or the mirror is, or where two points coincide.
    """
    if len(corners) == 2:
        u = corners[0] - corners[1]
        across, along = u[:, 1], u[:, 0] * mirror
    else:
        u, v = _arms(corners)
        across = -(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) * mirror
        along = u[:, 0] * v[:, 0] + u[:, 1] * v[:, 1]
    raw = np.rad2deg(np.arctan2(across, along))
    raw[(across == 0) & (along == 0)] = np.nan
    angle = wrap((raw + definition.offset_deg) * definition.scale)
    return np.abs(angle) if definition.unsigned else angle


def _series(definition: AngleDefinition, corners: list[Floats], mirror: Floats) -> Floats:
    angle = angle_at_once(definition, corners, mirror)
    if definition.unsigned:
        return angle  # a magnitude has no cut to be unwrapped over
    for person in range(angle.shape[1]):
        angle[:, person] = unwrap(angle[:, person], can_turn=definition.kind == "segment")
    return angle


def _arms(corners: Sequence[Floats]) -> tuple[Floats, Floats]:
    if len(corners) == 3:
        return corners[0] - corners[1], corners[2] - corners[1]
    return corners[1] - corners[0], corners[3] - corners[2]


def _undecided(poses: xr.Dataset, direction: xr.DataArray) -> list[str]:
    seen = np.isfinite(poses["position"].values).all(axis=1).any(axis=1)
    lost = (seen & (direction.values == 0)).any(axis=0)
    return [str(n) for n in poses[INDIVIDUALS].values[lost]]


def _warn(skeleton: Skeleton, present: list[str], absent: list[str], undecided: list[str]) -> None:
    parts = []
    if absent and not present:
        warnings.warn(
            f"no angles: the skeleton '{skeleton.name}' has none of the points they lie between",
            GonioWarning,
            stacklevel=3,
        )
    elif absent:
        parts.append(f"skeleton '{skeleton.name}' has no points for: {', '.join(absent)}")
    if undecided:
        parts.append(f"NaN in passes where the facing is unknown, of: {', '.join(undecided)}")
    if parts:
        warnings.warn(f"angles: {'; '.join(parts)}", GonioWarning, stacklevel=3)
