"""The arrays that flow through everything: keypoint tracks and angles.

Poses are an :class:`xarray.Dataset` with the schema of the ``movement`` package. Positions are
in pixels with the centre of the top-left pixel at (0, 0), x right, y **down** (3D: metres, y
up). NaN means *not seen*. Left and right are the person's own.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr

from gonio.errors import OutputError, PosesError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from gonio.skeletons import Skeleton

KEYPOINTS: Final = "keypoints"
INDIVIDUALS: Final = "individuals"
POSES_SCHEMA: Final = "gonio.poses/1"
ANGLES_SCHEMA: Final = "gonio.angles/1"
RAW_GROUP: Final = "raw"

_POSITION_DIMS = ("time", "space", KEYPOINTS, INDIVIDUALS)
_CONFIDENCE_DIMS = ("time", KEYPOINTS, INDIVIDUALS)
_COVARIANCE_DIMS = ("time", "space", "space_b", KEYPOINTS, INDIVIDUALS)
_ANGLE_DIMS = ("time", "angle", INDIVIDUALS)
_COMING_NAMES = {"keypoint": KEYPOINTS, "individual": INDIVIDUALS}


def make_poses(
    position: ArrayLike,
    confidence: ArrayLike,
    *,
    time_s: ArrayLike,
    skeleton: Skeleton,
    individuals: Sequence[str] | None = None,
    fps: float | None = None,
    attrs: dict[str, Any] | None = None,
) -> xr.Dataset:
    """Build a poses dataset from arrays.

    Parameters
    ----------
    position
        Shape ``(time, space, keypoints, individuals)``, pixels (space x, y) or metres
        (x, y, z). NaN = not seen.
    confidence
        Shape ``(time, keypoints, individuals)``, 0–1. NaN where the position is NaN is allowed.
    time_s
        Shape ``(time,)``, seconds, strictly increasing.
    skeleton
        Gives the keypoints' names and order.
    individuals
        Names; ``person_0``, ``person_1``… by default.
    fps
        Frames per second of the source; None for a single image.
    attrs
        Further attributes (``source``, ``source_sha256``, ``model``, ``model_sha256``…);
        entries that are None are left out.

    Returns
    -------
    xr.Dataset

    Raises
    ------
    PosesError
        If the arrays do not fit each other or the schema.
    """
    xyz = np.asarray(position, dtype=np.float32)
    if xyz.ndim != 4:
        raise PosesError(f"position has {xyz.ndim} dimensions, expected 4: {_POSITION_DIMS}")
    if individuals is None:
        individuals = [f"person_{i}" for i in range(xyz.shape[3])]
    known = {k: v for k, v in (attrs or {}).items() if v is not None}
    try:
        poses = xr.Dataset(
            {
                "position": (_POSITION_DIMS, xyz),
                "confidence": (_CONFIDENCE_DIMS, np.asarray(confidence, dtype=np.float32)),
            },
            coords={
                "time": np.asarray(time_s, dtype=np.float64),
                "space": list("xyz"[: xyz.shape[1]]),
                KEYPOINTS: list(skeleton.keypoints),
                INDIVIDUALS: list(individuals),
            },
            attrs={
                "schema": POSES_SCHEMA,
                "ds_type": "poses",
                "source_software": "gonio",
                "time_unit": "seconds",
                "skeleton": skeleton.name,
                **({} if fps is None or not math.isfinite(fps) else {"fps": float(fps)}),
                **known,
                "log": known.get("log", "[]"),
            },
        )
    except ValueError as error:
        raise PosesError(f"poses: arrays and names do not fit ({error})") from error
    validate_poses(poses)
    return poses


def validate_poses(poses: xr.Dataset, *, where: str = "poses") -> None:
    """Check a poses dataset against the schema.

    Parameters
    ----------
    poses
        The dataset.
    where
        What to call it in the error's message (a file's name).

    Raises
    ------
    PosesError
        At the first violation, naming it.
    """
    _check_dims(poses, "position", _POSITION_DIMS, where)
    _check_dims(poses, "confidence", _CONFIDENCE_DIMS, where)
    if "covariance" in poses:
        _check_dims(poses, "covariance", _COVARIANCE_DIMS, where)
    if "filled" in poses:
        _check_dims(poses, "filled", _CONFIDENCE_DIMS, where)
        if poses["filled"].dtype != bool:
            raise PosesError(f"{where}: 'filled' is {poses['filled'].dtype}, expected bool")
    _check_time(poses, where)
    if list(poses["space"].values) not in (["x", "y"], ["x", "y", "z"]):
        raise PosesError(f"{where}: space is {list(poses['space'].values)}, expected x, y (, z)")
    for dim in (KEYPOINTS, INDIVIDUALS):
        names = [str(n) for n in poses[dim].values]
        if len(set(names)) != len(names):
            raise PosesError(f"{where}: names on '{dim}' are not unique")
    confidence = poses["confidence"].values
    with np.errstate(invalid="ignore"):
        outside = (confidence < 0) | (confidence > 1)
    if outside.any():
        raise PosesError(f"{where}: confidence lies outside 0–1")


def make_angles(
    angle_deg: ArrayLike,
    *,
    time_s: ArrayLike,
    names: Sequence[str],
    individuals: Sequence[str],
    attrs: dict[str, Any] | None = None,
) -> xr.Dataset:
    """Build an angles dataset.

    Parameters
    ----------
    angle_deg
        Shape ``(time, angle, individuals)``, degrees; NaN = could not be measured.
    time_s
        Shape ``(time,)``, seconds.
    names
        Angle names, side last (``knee_left``).
    individuals
        Names of the people.
    attrs
        Attributes to keep (those of the poses, as a rule).

    Returns
    -------
    xr.Dataset
        ``angle_deg (time, angle, individuals)``. (A variable cannot share the name of one of its
        dimensions, hence the unit in its name.)

    Raises
    ------
    PosesError
        If the shapes do not fit.
    """
    try:
        angles = xr.Dataset(
            {"angle_deg": (_ANGLE_DIMS, np.asarray(angle_deg, dtype=np.float64))},
            coords={
                "time": np.asarray(time_s, dtype=np.float64),
                "angle": list(names),
                INDIVIDUALS: list(individuals),
            },
            attrs={**(attrs or {}), "schema": ANGLES_SCHEMA},
        )
    except ValueError as error:
        raise PosesError(f"angles: arrays and names do not fit ({error})") from error
    _check_time(angles, "angles")
    return angles


def point(poses: xr.Dataset, name: str, skeleton: Skeleton) -> xr.Dataset | None:
    """Return one point's track, derived points included.

    Parameters
    ----------
    poses
        Poses that follow ``skeleton``.
    name
        A keypoint or a derived point.
    skeleton
        Says what the point is derived from.

    Returns
    -------
    xr.Dataset or None
        ``position (time, space, individuals)`` in the poses' unit: the mean of the parents, NaN
        where one of them is NaN; ``confidence (time, individuals)``: the least of theirs.
        None where the skeleton neither has nor derives the point.
    """
    parents = skeleton.parents(name)
    if parents is None:
        return None
    chosen = poses[["position", "confidence"]].sel({KEYPOINTS: list(parents)})
    return xr.Dataset(
        {
            "position": chosen["position"].mean(KEYPOINTS, skipna=False),
            "confidence": chosen["confidence"].min(KEYPOINTS, skipna=False),
        }
    )


class PointTracks:
    """Positions of a skeleton's points, derived ones included, as plain arrays.

    What :func:`point` returns, without the labels: looking up many points is quick.

    Parameters
    ----------
    poses
        Poses that follow ``skeleton``; their data are shared, not copied.
    skeleton
        Says what a point is derived from.
    """

    def __init__(self, poses: xr.Dataset, skeleton: Skeleton) -> None:
        self._position: NDArray[np.float32] = poses["position"].values
        self._place = {str(name): i for i, name in enumerate(poses[KEYPOINTS].values)}
        self._skeleton = skeleton

    def position(self, name: str) -> NDArray[np.float32] | None:
        """Return one point's track.

        Parameters
        ----------
        name
            A keypoint or a derived point.

        Returns
        -------
        NDArray or None
            Shape ``(time, space, individuals)``, the poses' unit; not to be written to. The mean
            of the parents, NaN where one of them is NaN. None where the skeleton neither has nor
            derives the point.
        """
        parents = self._skeleton.parents(name)
        if parents is None:
            return None
        if len(parents) == 1:
            return self._position[:, :, self._place[parents[0]]]
        mean: NDArray[np.float32] = self._position[:, :, [self._place[p] for p in parents]].mean(2)
        return mean


def log_operation(poses: xr.Dataset, operation: str, **arguments: Any) -> xr.Dataset:
    """Return the dataset with one more entry in its provenance log.

    Parameters
    ----------
    poses
        Poses or angles; its data are shared, not copied.
    operation
        The operation's name.
    **arguments
        Its arguments and, where useful, what it changed; anything JSON can hold.

    Returns
    -------
    xr.Dataset
    """
    entries = [*operation_log(poses), {"operation": operation, **arguments}]
    return poses.assign_attrs(log=json.dumps(entries))


def operation_log(poses: xr.Dataset) -> list[dict[str, Any]]:
    """Return the provenance log: one mapping an operation, in order."""
    entries: list[dict[str, Any]] = json.loads(poses.attrs.get("log", "[]"))
    return entries


def save_poses(path: Path, poses: xr.Dataset, *, raw: xr.Dataset | None = None) -> None:
    """Write poses to netCDF (HDF5), complete or not at all.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    poses
        What the angles were computed from; stands in the root group.
    raw
        The model's output with identities; stands in the group ``raw``.

    Raises
    ------
    PosesError
        If a dataset breaks the schema.
    OutputError
        If the file cannot be written.
    """
    validate_poses(poses)
    if raw is not None:
        validate_poses(raw, where="raw poses")
    part = path.with_name(f".{path.name}.part")
    try:
        # HDF5 itself cannot be trusted with a full disk: it writes to memory, and that to disk.
        part.write_bytes(_to_bytes(poses, raw))
        part.replace(path)
    except OSError as error:
        raise OutputError(f"'{path}': cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _to_bytes(poses: xr.Dataset, raw: xr.Dataset | None) -> bytes:
    buffer = io.BytesIO()
    poses.to_netcdf(buffer, engine="h5netcdf", encoding=_encoding(poses))
    if raw is not None:
        raw.to_netcdf(buffer, mode="a", group=RAW_GROUP, engine="h5netcdf", encoding=_encoding(raw))
    return buffer.getvalue()


def load_poses(
    path: str | Path, *, group: str | None = None, allow_frames: bool = False
) -> xr.Dataset:
    """Read poses from netCDF: Gonio's own, or those of the ``movement`` package.

    Parameters
    ----------
    path
        The file.
    group
        None for the root group; ``"raw"`` for the model's output.
    allow_frames
        Take a file of the ``movement`` package whose times count frames, too.

    Returns
    -------
    xr.Dataset
        In memory; the file is closed.

    Raises
    ------
    PosesError
        If the file is missing, may not be read, is no netCDF, counts time in frames
        (``movement`` does where it is told no frame rate), or breaks the schema.
    """
    try:
        with xr.open_dataset(path, engine="h5netcdf", group=group) as file:
            poses = file.load()
    except (OSError, ValueError, KeyError) as error:
        raise PosesError(_why_not_loaded(Path(path), group, error)) from error
    unit = poses.attrs.get("time_unit", "seconds")
    if unit != "seconds" and not (allow_frames and unit == "frames"):
        raise PosesError(
            f"'{path}': time is in {unit}, expected seconds. Load the tracks with their frame rate "
            "and save them again."
        )
    poses = poses.rename({a: b for a, b in _COMING_NAMES.items() if a in poses.dims})
    if "filled" in poses:
        poses["filled"] = poses["filled"].astype(bool)
    if set(_POSITION_DIMS) <= set(poses.dims):
        poses = poses.transpose(*(d for d in _COVARIANCE_DIMS if d in poses.dims), ...)
    validate_poses(poses, where=f"'{path}'")
    return poses


def _why_not_loaded(path: Path, group: str | None, error: Exception) -> str:
    """Say in plain words why a file could not be opened; HDF5's own are for programmers."""
    if isinstance(error, PermissionError):
        return f"'{path}': cannot be read (permission denied). Change its permissions, or copy it."
    if isinstance(error, FileNotFoundError):
        return f"'{path}': no such file. Check the name and the folder."
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return f"'{path}': a folder, not a file. Name the poses.nc in it."
    if group is not None:
        return f"'{path}': not a poses file, or none with a group '{group}'."
    return (
        f"'{path}': not a poses file, or damaged. Give an evaluation's poses.nc, or tracks that "
        "'movement' saved as netCDF."
    )


def _encoding(poses: xr.Dataset) -> dict[str, dict[str, Any]]:
    floats = [n for n in poses.data_vars if poses[n].dtype.kind == "f"]
    return {str(n): {"zlib": True, "complevel": 4, "shuffle": True} for n in floats}


def _check_dims(data: xr.Dataset, name: str, dims: tuple[str, ...], where: str) -> None:
    if name not in data:
        raise PosesError(f"{where}: no variable '{name}'")
    if tuple(data[name].dims) != dims:
        raise PosesError(
            f"{where}: '{name}' has dimensions {tuple(data[name].dims)}, expected {dims}"
        )
    missing = [d for d in dims if d != "space_b" and d not in data.coords]
    if missing:
        raise PosesError(f"{where}: no coordinates for {', '.join(missing)}")


def _check_time(data: xr.Dataset, where: str) -> None:
    time_s = data["time"].values
    if time_s.dtype.kind not in "fiu" or not np.isfinite(time_s).all():
        raise PosesError(f"{where}: time must be finite numbers in seconds")
    back = np.flatnonzero(np.diff(time_s) <= 0)
    if back.size:
        i = int(back[0])
        raise PosesError(
            f"{where}: time does not increase at frame {i + 1} ({time_s[i]} s, {time_s[i + 1]} s)"
        )
