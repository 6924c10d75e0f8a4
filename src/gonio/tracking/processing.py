"""A protocol's processing: named operations, one after the other."""

from __future__ import annotations

import inspect
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import ConfigError, UnknownNameError, near_match
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton
from gonio.tracking.bounds import hide_outside
from gonio.tracking.causal_filters import causal_butterworth, causal_kalman, causal_median
from gonio.tracking.gaps import fill_gaps, hide_uncertain
from gonio.tracking.hampel import hampel
from gonio.tracking.kalman import kalman
from gonio.tracking.legs import tell_legs_apart
from gonio.tracking.one_euro import one_euro
from gonio.tracking.savitzky_golay import savitzky_golay
from gonio.tracking.smoothing import butterworth, median
from gonio.tracking.splines import gcv_spline
from gonio.tracking.swaps import repair_swaps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import xarray as xr

    Operation = Callable[..., xr.Dataset]

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "hide_outside": hide_outside,
        "hide_uncertain": hide_uncertain,
        "fill_gaps": fill_gaps,
        "repair_swaps": repair_swaps,
        "tell_legs_apart": tell_legs_apart,
        "median": median,
        "butterworth": butterworth,
        "hampel": hampel,
        "savitzky_golay": savitzky_golay,
        "gcv_spline": gcv_spline,
        "kalman": kalman,
        "one_euro": one_euro,
        "causal_median": causal_median,
        "causal_butterworth": causal_butterworth,
        "causal_kalman": causal_kalman,
    }
)
"""Operations by the name a protocol gives them; each takes poses and keyword arguments."""


def check_steps(steps: Sequence[Mapping[str, Any]], *, where: str = "processing") -> None:
    """Check that every step names a known operation with arguments and values it takes.

    Parameters
    ----------
    steps
        Mappings with ``op`` and the operation's arguments.
    where
        What to call the steps in a message (``"protocol 'gait.yaml': processing"``).

    Raises
    ------
    ConfigError
        At the first step without ``op``, with an unknown operation or argument (a near match is
        offered), lacking an argument, or with a value that can never be right.
    """
    nobody = _no_poses()
    for i, step in enumerate(steps):
        place = f"{where}[{i}]"
        if "op" not in step:
            raise ConfigError(f"{place}: no 'op'; known operations: {', '.join(OPERATIONS)}")
        name = str(step["op"])
        if name not in OPERATIONS:
            raise UnknownNameError("operation", name, OPERATIONS, where=place)
        parameters = inspect.signature(OPERATIONS[name]).parameters.values()
        takes = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
        for argument in step:
            if argument != "op" and argument not in takes:
                raise ConfigError(
                    f"{place}: '{name}' takes no '{argument}'{near_match(argument, takes)}"
                )
        for argument, parameter in takes.items():
            if parameter.default is parameter.empty and argument not in step:
                raise ConfigError(f"{place}: '{name}' needs '{argument}'")
        try:
            _apply(nobody, step)
        except ConfigError as error:
            raise ConfigError(f"{place}: {error}") from error


def process(poses: xr.Dataset, steps: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """Apply a protocol's operations in order.

    Parameters
    ----------
    poses
        Poses, as a rule the model's output with identities.
    steps
        ``[{"op": "fill_gaps", "max_gap_s": 0.2}, {"op": "butterworth"}]``; all are checked
        before the first is run.

    Returns
    -------
    xr.Dataset
        Its log holds each operation with all its arguments, defaults included.

    Raises
    ------
    ConfigError
        If a step is wrong; see :func:`check_steps`.
    InputError
        If an operation cannot be applied to this recording.
    """
    check_steps(steps)
    for step in steps:
        poses = _apply(poses, step)
    return poses


def _apply(poses: xr.Dataset, step: Mapping[str, Any]) -> xr.Dataset:
    arguments = {name: value for name, value in step.items() if name != "op"}
    return OPERATIONS[str(step["op"])](poses, **arguments)


@cache
def _no_poses() -> xr.Dataset:
    """Return poses without frames, on which an operation only checks its settings."""
    skeleton = load_skeleton("lower6")
    points = len(skeleton.keypoints)
    return make_poses(
        np.empty((0, 2, points, 0)), np.empty((0, points, 0)), time_s=[], skeleton=skeleton
    )
