"""What a file of tracks can hold, and what the readers and writers share."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from gonio.errors import FormatError, GonioWarning, InputError, PosesError
from gonio.poses import INDIVIDUALS, KEYPOINTS, POSES_SCHEMA, validate_poses
from gonio.skeletons import Skeleton, load_skeleton, skeleton_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

EVENT_COLUMNS: Final = ("type", "side", "time_s")
FOREIGN: Final = "foreign"
"""Name of a skeleton that is only the names found in a file."""

IMAGE: Final = "image"
"""Coordinate along time that names each row's picture, in files of labelled pictures."""

BY_ORDER: Final = "by order"


def no_events() -> pd.DataFrame:
    """Return a table of no events."""
    return pd.DataFrame({"type": pd.Series(dtype=str), "side": pd.Series(dtype=str)}).assign(
        time_s=pd.Series(dtype=float)
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Tracks:
    """What a file of tracks holds.

    Attributes
    ----------
    poses
        Keypoints or markers over time (see :mod:`gonio.poses`), in the file's own precision; 2D
        in pixels, 3D in metres. A confidence that the file does not hold is NaN. Where nothing
        tells the frame rate, ``time`` counts frames and the attribute ``time_unit`` is
        ``"frames"``. None where the file holds angles only.
    skeleton
        The poses': a built-in one if the names are its own, else one made of the file's names.
    angles
        ``angle_deg (time, angle, individuals)`` as in :func:`gonio.poses.make_angles`. An
        optional coordinate ``coordinate (angle)`` keeps the file's own names, and the variable
        ``translation_m (time, translation, individuals)`` what is a length, metres.
    events
        One row an event; columns ``type`` (``heel_strike``, ``toe_off``, or the file's own
        word), ``side`` (``left``, ``right`` or empty) and ``time_s``, on the poses' clock.
    """

    poses: xr.Dataset | None = None
    skeleton: Skeleton | None = None
    angles: xr.Dataset | None = None
    events: pd.DataFrame = field(default_factory=no_events)

    @property
    def identified(self) -> bool:
        """Whether an individual is the same person in every frame.

        False where the file has no identities: its people then stand in each frame's own order.
        """
        return self.poses is None or self.poses.attrs.get("identities") != BY_ORDER

    @property
    def people(self) -> list[str]:
        """The individuals' names."""
        data = self.poses if self.poses is not None else self.angles
        return [] if data is None else [str(n) for n in data[INDIVIDUALS].values]

    def of(self, person: str) -> Tracks:
        """Return the tracks of one person, with a warning where that is nobody in particular.

        Raises
        ------
        InputError
            If there is no such person.
        """
        if person not in self.people:
            raise InputError(f"no person '{person}' (known: {', '.join(self.people) or 'nobody'})")
        if not self.identified and len(self.people) > 1:
            warn(f"'{person}' is not one person: the people are merely ordered in each frame")
        chosen = {INDIVIDUALS: [person]}
        return replace(
            self,
            poses=None if self.poses is None else self.poses.sel(chosen),
            angles=None if self.angles is None else self.angles.sel(chosen),
        )


@dataclass(frozen=True)
class Found:
    """The arrays a reader has found, before they are named and checked.

    Attributes
    ----------
    position
        ``(time, space, keypoints, individuals)``, float64, pixels or metres.
    confidence
        ``(time, keypoints, individuals)``, 0–1; None = the file holds none.
    keypoints, individuals
        Names, unique.
    time_s
        Seconds; None where the file only counts frames.
    frames
        Frame numbers from 0, increasing; used where there are no times.
    fps
        Frames per second, None = not known.
    attrs
        Further attributes.
    images
        Names of the rows' pictures, where the file has them.
    """

    position: Doubles
    confidence: Doubles | None
    keypoints: Sequence[str]
    individuals: Sequence[str]
    time_s: Doubles | None = None
    frames: NDArray[np.int64] | None = None
    fps: float | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)
    images: Sequence[str] | None = None


def make_tracks(
    path: Path, found: Found, *, skeleton: Skeleton | str | Path | None, software: str
) -> Tracks:
    """Name and check what a reader has found.

    Parameters
    ----------
    path
        The file, for messages and the attribute ``source``.
    found
        The arrays.
    skeleton
        What the keypoints must follow; None: the built-in one that has exactly these names
        (the points are brought into its order), else the file's own.
    software
        What wrote such files: the attribute ``source_software``.

    Returns
    -------
    Tracks

    Raises
    ------
    PosesError
        If the points do not follow the skeleton, or the arrays break the schema.
    """
    chosen, order = match_skeleton(found.keypoints, skeleton, where=f"'{path}'")
    position = found.position[:, :, order]
    if found.confidence is None:
        confidence = np.full((len(position), *position.shape[2:]), np.nan)
    else:
        confidence = clip_confidence(found.confidence[:, order], path)
    time_s, unit = found.time_s, "seconds"
    if time_s is None:
        count = np.arange(len(position)) if found.frames is None else found.frames
        time_s = count / found.fps if found.fps else count.astype(np.float64)
        unit = "seconds" if found.fps else "frames"
    poses = xr.Dataset(
        {
            "position": (("time", "space", KEYPOINTS, INDIVIDUALS), position),
            "confidence": (("time", KEYPOINTS, INDIVIDUALS), confidence),
        },
        coords={
            "time": np.asarray(time_s, np.float64),
            "space": list("xyz"[: position.shape[1]]),
            KEYPOINTS: list(chosen.keypoints),
            INDIVIDUALS: list(found.individuals),
        },
        attrs={
            "schema": POSES_SCHEMA,
            "ds_type": "poses",
            "source_software": software,
            "time_unit": unit,
            "source": str(path),
            "skeleton": chosen.name,
            **({"fps": float(found.fps)} if found.fps else {}),
            **found.attrs,
            "log": "[]",
        },
    )
    if found.images is not None:
        poses = poses.assign_coords({IMAGE: ("time", np.array(found.images, dtype=object))})
    validate_poses(poses, where=f"'{path}'")
    return Tracks(poses=poses, skeleton=chosen)


def match_skeleton(
    names: Sequence[str], skeleton: Skeleton | str | Path | None, *, where: str
) -> tuple[Skeleton, list[int]]:
    """Find the skeleton of a set of names.

    Parameters
    ----------
    names
        The keypoints' names, in the file's order.
    skeleton
        What they must be; None: any built-in skeleton, else one made of the names.
    where
        The file, for messages.

    Returns
    -------
    tuple
        The skeleton, and for each of its keypoints the place in ``names``.

    Raises
    ------
    PosesError
        If the names are not those of the skeleton asked for.
    FormatError
        If a name stands twice, or there is none.
    """
    if not names or len(set(names)) != len(names) or "" in names:
        twice = sorted({n for n in names if names.count(n) > 1})
        what = f"named twice: {', '.join(twice)}" if twice else "without names"
        raise FormatError(f"{where}: keypoints {what}")
    chosen = None
    if skeleton is not None:
        chosen = skeleton if isinstance(skeleton, Skeleton) else load_skeleton(skeleton)
        if set(chosen.keypoints) != set(names):
            missing = sorted(set(chosen.keypoints) - set(names))
            more = sorted(set(names) - set(chosen.keypoints))
            raise PosesError(
                f"{where}: its keypoints are not those of '{chosen.name}'"
                + (f"; missing: {', '.join(missing[:5])}" if missing else "")
                + (f"; unknown: {', '.join(more[:5])}" if more else "")
            )
    else:
        built_in = (load_skeleton(n) for n in skeleton_names())
        chosen = next((s for s in built_in if set(s.keypoints) == set(names)), None)
    if chosen is None:
        chosen = Skeleton.model_validate({"name": FOREIGN, "keypoints": list(names)})
    place = {name: i for i, name in enumerate(names)}
    return chosen, [place[n] for n in chosen.keypoints]


def clip_confidence(confidence: Doubles, path: Path) -> Doubles:
    """Return confidence within 0–1, with a warning where some lay outside."""
    with np.errstate(invalid="ignore"):
        outside = int(((confidence < 0) | (confidence > 1)).sum())
    if outside:
        warn(f"'{path}': {outside} values of confidence lay outside 0–1 and were set to its ends")
    clipped: Doubles = np.clip(confidence, 0.0, 1.0)
    return clipped


def unique_names(names: Sequence[str], path: Path) -> list[str]:
    """Return names that each stand once: a repeated one gets ``_2``, ``_3``, with a warning."""
    seen: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        new = name if seen[name] == 1 else f"{name}_{seen[name]}"
        while new in unique or (seen[name] > 1 and new in names):
            new += "_"
        unique.append(new)
    renamed = [f"'{b}'" for a, b in zip(names, unique, strict=True) if a != b]
    if renamed:
        warn(f"'{path}': names that stand twice were numbered: {', '.join(renamed)}")
    return unique


def rate_of(data: xr.Dataset) -> float | None:
    """Return frames per second: the attribute ``fps``, else the times', else None."""
    fps = data.attrs.get("fps")
    if fps is not None and math.isfinite(float(fps)) and float(fps) > 0:
        return float(fps)
    if data.attrs.get("time_unit") == "frames":
        return None
    return rate_from_times(data["time"].values)


def rate_from_times(time_s: Doubles) -> float | None:
    """Return the rate of a series of times; None for fewer than two.

    That of an even grid where the times lie on one, frames missing or not (within a quarter of a
    frame), else the median. The last three of a double's digits are rounded off, since times of
    whole frames cannot tell them.
    """
    if len(time_s) < 2:
        return None
    steps, whole_s = np.diff(time_s), time_s[-1] - time_s[0]
    grid = np.linspace(time_s[0], time_s[-1], len(time_s))
    frames = steps / steps.min()
    if np.abs(time_s - grid).max() <= 0.25 * whole_s / len(steps):
        rate = len(steps) / whole_s
    elif np.abs(frames - np.rint(frames)).max() <= 0.25:
        rate = np.rint(frames).sum() / whole_s
    else:
        rate = 1 / np.median(steps)
    return float(f"{rate:.12g}")


def frame_numbers(data: xr.Dataset) -> NDArray[np.int64]:
    """Return the frames' numbers from 0: time × rate, rounded.

    Where that gives no increasing numbers from 0 (times that vary much), the rows are counted.
    """
    time_s = data["time"].values.astype(np.float64)
    rate = rate_of(data)
    numbers: NDArray[np.int64] = np.rint(time_s * (rate or 1.0)).astype(np.int64)
    if len(numbers) and (numbers[0] < 0 or (np.diff(numbers) <= 0).any()):
        return np.arange(len(time_s), dtype=np.int64)
    return numbers


def off_grid_s(data: xr.Dataset) -> float:
    """Return how far the times lie from their frames' numbers / rate, at most; seconds."""
    rate = rate_of(data)
    if rate is None or not data.sizes["time"]:
        return 0.0
    return float(np.abs(data["time"].values - frame_numbers(data) / rate).max())


def shortest(values: NDArray[np.floating]) -> Doubles:
    """Return float64 numbers that print as short as the float32 ones they come from."""
    if values.dtype == np.float32:
        return values.astype("U32").astype(np.float64)
    return values.astype(np.float64)


def warn(message: str) -> None:
    """Warn of something about the result that should be known."""
    warnings.warn(message, GonioWarning, stacklevel=3)
