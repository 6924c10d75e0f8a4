"""Results gathered over seeds: spread, what may be claimed, and a table that says so."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from gonio.errors import InputError
from gonio.workflows.study import StudySettings, report_study
from gonio.workflows.study_plan import Study, find_budget, load_study, variants_of
from gonio.workflows.study_results import Spread, StudyTable, gather, run_folder
from gonio.workflows.study_table import as_csv, as_json, columns, contrast_line, notes, rows

STUDY = """
schema: gonio.study/1
title: Depths
about: Is deeper better?
base: simple-baseline
metric: pck
datasets:
  drawn: {title: drawn people, drawn: {people: 10}}
  photographs: {optional: true}
axes:
  depth: {shallow: {}, deep: {}}
  loss: {mse: {}, l1: {}}
budgets:
  smoke: {train: drawn, validation: drawn, tests: [drawn, photographs], seeds: [0, 1, 2]}
  small: {train: drawn, validation: drawn, tests: [drawn]}
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    file = tmp_path / "depths.yaml"
    file.write_text(STUDY)
    return load_study(file)


def write_result(folder: Path, variant: str, seed: int, pck: float, **more: object) -> None:
    run = run_folder(folder, variant, seed)
    run.mkdir(parents=True)
    result = {
        "schema": "gonio.study-result/1", "recipe": {}, "metrics": {"drawn": {"pck": pck}},
        "latency_ms": 10.0 + seed, "parameters": 11_000_000, "flops": 2_500_000_000,
        "train_s": 60.0, "samples": [], **more,
    }  # fmt: skip
    (run / "result.json").write_text(json.dumps(result))


def table_of(study: Study, folder: Path, budget: str = "smoke") -> StudyTable:
    chosen = find_budget(study, budget)
    return gather(study, budget, chosen, variants_of(study, chosen), folder)


def write_all(folder: Path, means: dict[str, float], noise: float = 0.01) -> None:
    for variant, mean in means.items():
        for seed, off in enumerate((-noise, 0.0, noise)):
            write_result(folder, variant, seed, mean + off)


MEANS = {"shallow.mse": 0.6, "shallow.l1": 0.605, "deep.mse": 0.7, "deep.l1": 0.695}


def test_a_spread_is_the_mean_and_the_sample_deviation() -> None:
    spread = Spread((0.5, 0.6, 0.7, math.nan))
    assert spread.mean == pytest.approx(0.6)
    assert spread.sd == pytest.approx(0.1)
    assert math.isnan(Spread(()).mean)
    assert math.isnan(Spread((1.0,)).sd)


def test_only_differences_beyond_chance_between_seeds_are_claimed(
    study: Study, tmp_path: Path
) -> None:
    """SD 0.01 in each of four variants: t(8) 2.306 · 0.01 · √(2/3) = 0.0188."""
    write_all(tmp_path, MEANS)
    found = {row.variant: row for row in table_of(study, tmp_path).rows}
    assert math.isnan(found["deep.mse"].from_best), "the best itself"
    assert found["deep.l1"].from_best == pytest.approx(-0.005)
    assert found["deep.l1"].claim is False
    assert found["shallow.l1"].claim is True
    assert found["shallow.mse"].from_best == pytest.approx(-0.1)
    assert found["shallow.mse"].latency_ms == 11.0, "the median over the seeds"


def test_a_choice_is_compared_over_all_that_is_otherwise_alike(
    study: Study, tmp_path: Path
) -> None:
    """depth: differences −0.1 and −0.09, three seeds each; loss: −0.005 and +0.005."""
    write_all(tmp_path, MEANS)
    depth, loss = table_of(study, tmp_path).contrasts
    assert (depth.axis, depth.first, depth.second, depth.pairs) == ("depth", "shallow", "deep", 6)
    assert depth.difference == pytest.approx(-0.095)
    assert depth.margin == pytest.approx(2.5706 * np.std([-0.1, -0.09] * 3, ddof=1) / 6**0.5, 1e-3)
    assert depth.claim is True
    assert loss.difference == pytest.approx(0, abs=1e-9)
    assert loss.claim is False
    assert contrast_line(loss).endswith("(6 pairs, no claim)")


def test_one_seed_claims_nothing(study: Study, tmp_path: Path) -> None:
    for variant, mean in MEANS.items():
        write_result(tmp_path, variant, 0, mean)
    table = table_of(study, tmp_path, "small")
    assert [row.claim for row in table.rows] == [None] * 4
    assert all(contrast.claim is None for contrast in table.contrasts)
    assert any("no order is claimed" in note for note in notes(table))
    assert sum("(no claim)" in cell for line in rows(table) for cell in line) == 3


def test_what_is_not_finished_is_said_and_not_guessed(study: Study, tmp_path: Path) -> None:
    write_result(tmp_path, "deep.mse", 0, 0.7)
    table = table_of(study, tmp_path)
    lines = {line[0]: line for line in rows(table)}
    assert lines["shallow.l1"][1] == "not run"
    assert lines["deep.mse"][1] == "1"
    assert "deep.mse (seed 1)" in table.missing
    assert any(note.startswith("Not finished: ") for note in notes(table))
    assert any("--data photographs=PATH" in note for note in notes(table))


def test_a_study_that_was_not_run_is_marked_so(study: Study, tmp_path: Path) -> None:
    table = table_of(study, tmp_path)
    assert not table.is_run
    assert [line[1] for line in rows(table)] == ["not run"] * 4
    assert "Nothing of this has been run" in notes(table)[0]
    assert columns(table)[2] == "drawn people: pck"
    assert as_json(table)["run"] is False


def test_the_table_goes_to_csv_and_json(study: Study, tmp_path: Path) -> None:
    write_all(tmp_path, MEANS)
    table = table_of(study, tmp_path)
    lines = as_csv(table).splitlines()
    assert lines[0].startswith("study,budget,variant,depth,loss,data,metric,mean,sd,seeds")
    assert lines[1].startswith("depths,smoke,shallow.mse,shallow,mse,drawn,pck,0.6")
    assert len(lines) == 1 + 4
    plain = json.loads(json.dumps(as_json(table), allow_nan=False))
    assert plain["variants"][2]["from_best"] is None
    assert plain["variants"][0]["metrics"]["drawn"]["pck"]["sd"] == pytest.approx(0.01)


def test_the_page_shows_the_same_person_across_all_variants(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "depths" / "small"
    picture = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    for variant in ("shallow.mse", "deep.mse"):
        sample = {"name": "000007.jpg", "person": 3, "loss": 0.0125, "pck": 0.5,
                  "truth": "a.jpg", "prediction": "b.jpg", "heatmap": "c.jpg"}  # fmt: skip
        write_result(folder, variant, 0, 0.5, samples=[sample])
        for name in "abc":
            (run_folder(folder, variant, 0) / f"{name}.jpg").write_bytes(picture)
    outcome = report_study(tmp_path / "depths.yaml", StudySettings("small", tmp_path / "runs"))
    text = outcome.page.read_text()
    assert text.count("data:image/jpeg;base64,") == 1 + 2 * 2, "the truth once, then pairs"
    assert text.count("loss 0.0125, PCK@0.05 50%") == 2
    assert "Is deeper better?" in text
    assert "not run" in text
    assert "http" not in text.replace("http-equiv", "")
    assert {file.name for file in folder.iterdir() if file.is_file()} == {
        "study.html", "study.json", "table.csv"
    }  # fmt: skip


def test_a_damaged_result_is_named(study: Study, tmp_path: Path) -> None:
    write_result(tmp_path, "deep.mse", 0, 0.7)
    file = run_folder(tmp_path, "deep.mse", 0) / "result.json"
    file.write_text(file.read_text()[:40])
    with pytest.raises(InputError, match=r"result\.json': cannot be read"):
        table_of(study, tmp_path)
