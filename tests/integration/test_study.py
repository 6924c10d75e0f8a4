"""The built-in studies with their smallest budget: everything trains, is measured and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gonio.workflows.study import StudySettings, run_study
from gonio.workflows.study_plan import find_budget, load_study, study_names, variants_of
from gonio.workflows.study_results import run_folder

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", study_names())
def test_a_smoke_study_runs_whole_and_a_second_call_trains_nothing(
    name: str, tmp_path: Path
) -> None:
    study = load_study(name)
    budget = find_budget(study, "smoke")
    outcome = run_study(name, StudySettings("smoke", tmp_path))
    assert outcome.failures == {}
    assert not outcome.table.missing
    weights = {}
    for variant in variants_of(study, budget):
        run = run_folder(outcome.folder, variant.name, 0)
        result = json.loads((run / "result.json").read_text())
        assert 0 <= result["metrics"]["test"][study.metric] <= 1
        assert result["latency_ms"] > 0
        assert result["flops"] > 0
        assert len(result["samples"]) == budget.samples
        assert (run / "model.onnx").is_file()
        weights[run] = (run / "model.safetensors").stat().st_mtime_ns
    page = outcome.page.read_text()
    assert page.count("PCK@0.05") == budget.samples * len(weights)
    assert "no order is claimed" in page
    run_study(name, StudySettings("smoke", tmp_path))
    assert weights == {run: (run / "model.safetensors").stat().st_mtime_ns for run in weights}
