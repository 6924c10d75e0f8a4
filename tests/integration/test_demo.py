"""The demo: measured against true angles, within the limits it promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gonio
from gonio.errors import EvaluationExistsError

pytestmark = pytest.mark.models


def test_the_demo_measures_within_its_limits_and_keeps_what_is_there(
    tmp_path: Path, models_dir: Path
) -> None:
    result = gonio.demo(out=tmp_path / "results")
    summary = json.loads((result.folder / "summary.json").read_text())
    errors = {joint: values["mae_deg"] for joint, values in summary["truth"].items()}
    assert errors["hip"] <= 5
    assert errors["knee"] <= 5
    assert errors["ankle"] <= 7
    assert (tmp_path / "results" / "demo.mp4").exists()
    with pytest.raises(EvaluationExistsError, match="--overwrite"):
        gonio.demo(out=tmp_path / "results")
