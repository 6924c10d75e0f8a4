"""The runner: order, log, and steps that are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from gonio.errors import ConfigError, UnknownNameError
from gonio.poses import make_poses, operation_log
from gonio.skeletons import load_skeleton
from gonio.tracking import OPERATIONS, check_steps, process


def noisy() -> xr.Dataset:
    rng = np.random.default_rng(0)
    position = rng.normal(0, 3, (60, 2, 6, 2))
    position[10:12, :, 3, 1] = np.nan
    return make_poses(
        position,
        rng.uniform(0.2, 1, (60, 6, 2)),
        time_s=np.arange(60) / 30,
        skeleton=load_skeleton("lower6"),
        fps=30.0,
    )


STEPS: list[dict[str, Any]] = [
    {"op": "hide_uncertain", "min_confidence": 0.3},
    {"op": "fill_gaps", "max_gap_s": 0.2},
    {"op": "median", "window": 5},
    {"op": "butterworth"},
]


def test_steps_run_in_order_and_the_log_holds_defaults_too() -> None:
    poses = noisy()
    result = process(poses, STEPS)
    log = operation_log(result)
    assert [entry["operation"] for entry in log] == [step["op"] for step in STEPS]
    assert log[3]["cutoff_hz"] == 6.0
    assert log[3]["order"] == 4
    assert result["filled"].values[10:12, 3, 1].all()
    by_hand = poses
    for step in STEPS:
        by_hand = OPERATIONS[step["op"]](by_hand, **{k: v for k, v in step.items() if k != "op"})
    xr.testing.assert_identical(result, by_hand)


def test_nobody_passes_through_every_step() -> None:
    nobody = noisy().isel(individuals=[])
    assert process(nobody, STEPS).sizes == nobody.sizes


def test_no_steps_change_nothing() -> None:
    poses = noisy()
    assert process(poses, []) is poses


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        ({"max_gap_s": 1}, ConfigError, r"processing\[1\]: no 'op'"),
        ({"op": "fill_gap"}, UnknownNameError, r"processing\[1\]: .*did you mean 'fill_gaps'"),
        ({"op": "fill_gaps", "max_gap": 1}, ConfigError, "takes no 'max_gap'.*'max_gap_s'"),
        ({"op": "butterworth", "poses": 1}, ConfigError, "takes no 'poses'"),
        ({"op": "hide_uncertain"}, ConfigError, "needs 'min_confidence'"),
        (
            {"op": "butterworth", "cutoff_hz": -1},
            ConfigError,
            r"\[1\]: butterworth: cutoff_hz must",
        ),
        ({"op": "fill_gaps", "method": "lineal"}, ConfigError, "did you mean 'linear'"),
    ],
)
def test_a_wrong_step_is_named_before_anything_runs(
    step: dict[str, Any], error: type[ConfigError], message: str
) -> None:
    with pytest.raises(error, match=message):
        process(noisy(), [{"op": "median"}, step])
    with pytest.raises(error, match=r"squat\.yaml"):
        check_steps([step], where="squat.yaml")
