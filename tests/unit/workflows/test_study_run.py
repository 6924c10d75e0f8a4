"""How a study goes on: what is finished is kept, a failure ends nothing, other recipes are refused.

Training and measuring themselves are replaced; `make slow` runs the real ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonio.errors import ConfigError, InputError, OutputError
from gonio.workflows.study import StudySettings, run_study
from gonio.workflows.study_run import StudyRun

STUDY = """
schema: gonio.study/1
base: simple-baseline
metric: pck@0.05:image
datasets:
  drawn: {drawn: {people: 3, seed: 1}}
  other: {drawn: {people: 2, seed: 2}}
  clinic: {optional: true}
  coco: {}
variants:
  plain: {}
  long: {trainer.epochs: 9}
budgets:
  smoke: {train: drawn, validation: other, tests: [other, clinic], seeds: [0, 1], samples: 2}
  full: {train: coco, validation: coco, tests: [coco]}
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("gonio.synthetic.people.picture._SIZES_PX", ((64, 80), (64, 80)))
    file = tmp_path / "lengths.yaml"
    file.write_text(STUDY)
    return file


class Made:
    """Stands in for the work of each run, and notes it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trained: list[tuple[str, int, int]] = []
        self.faults: dict[str, Exception] = {}
        self.stop_at: int | None = None
        made = self

        def train(job: StudyRun, progress: Any) -> float | None:
            name = job.folder.parent.name
            if name in made.faults:
                raise made.faults[name]
            if made.stop_at == len(made.trained):
                return None
            made.trained.append((name, job.recipe.seed, job.samples))
            job.folder.mkdir(parents=True)
            return 1.5

        monkeypatch.setattr(StudyRun, "_train", train)
        monkeypatch.setattr(StudyRun, "_network", lambda job: {"parameters": 10, "flops": 20})
        monkeypatch.setattr(
            StudyRun,
            "_evaluate",
            lambda job, name, progress: {"pck@0.05:image": 0.1 * job.recipe.epochs},
        )
        monkeypatch.setattr(StudyRun, "_latency_ms", lambda job: 3.0)
        monkeypatch.setattr(StudyRun, "_show", lambda job: [])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    return Made(monkeypatch)


def settings(folder: Path, **more: Any) -> StudySettings:
    return StudySettings("smoke", folder / "runs", **more)


def test_every_variant_and_seed_is_trained_once_and_kept(
    study: Path, made: Made, tmp_path: Path
) -> None:
    outcome = run_study(study, settings(tmp_path))
    assert made.trained == [("plain", 0, 2), ("long", 0, 2), ("plain", 1, 0), ("long", 1, 0)]
    assert not outcome.failures
    assert [row.seeds for row in outcome.table.rows] == [(0, 1), (0, 1)]
    assert outcome.folder == tmp_path / "runs" / "lengths" / "smoke"
    run_study(study, settings(tmp_path))
    assert len(made.trained) == 4, "all was finished"


def test_the_recipe_of_each_variant_is_the_base_with_its_keys(
    study: Path, made: Made, tmp_path: Path
) -> None:
    folder = run_study(study, settings(tmp_path)).folder
    result = json.loads((folder / "long" / "seed-1" / "result.json").read_text())
    recipe = result["recipe"]
    assert recipe["name"] == "lengths.long"
    assert recipe["trainer"]["epochs"] == 9
    assert recipe["seed"] == 1
    assert recipe["data"]["path"].endswith("coco17-3-seed1/labels.json")
    assert recipe["data"]["validation"].endswith("coco17-2-seed2/labels.json")
    assert Path(recipe["data"]["path"]).is_file()


def test_what_was_stopped_goes_on_with_the_same_command(
    study: Path, made: Made, tmp_path: Path
) -> None:
    made.stop_at = 1
    outcome = run_study(study, settings(tmp_path))
    assert outcome.interrupted
    assert outcome.table.missing == ("plain (seed 1)", "long (seed 0)", "long (seed 1)")
    made.stop_at = None
    assert not run_study(study, settings(tmp_path)).interrupted
    assert [name for name, *_ in made.trained] == ["plain", "long", "plain", "long"]


def test_a_variant_that_fails_does_not_end_the_study(
    study: Path, made: Made, tmp_path: Path
) -> None:
    made.faults["plain"] = InputError("an image is broken")
    outcome = run_study(study, settings(tmp_path))
    assert outcome.failures == {
        "plain (seed 0)": "an image is broken", "plain (seed 1)": "an image is broken"
    }  # fmt: skip
    assert [row.seeds for row in outcome.table.rows] == [(), (0, 1)]


def test_a_full_disk_ends_the_study(study: Path, made: Made, tmp_path: Path) -> None:
    made.faults["plain"] = OutputError("the disk is full")
    with pytest.raises(OutputError, match="the disk is full"):
        run_study(study, settings(tmp_path))


def test_a_variant_trained_by_another_recipe_is_not_mixed_in(
    study: Path, made: Made, tmp_path: Path
) -> None:
    run_study(study, settings(tmp_path))
    study.write_text(STUDY.replace("trainer.epochs: 9", "trainer.epochs: 8"))
    with pytest.raises(OutputError, match=r"by another recipe.*--overwrite"):
        run_study(study, settings(tmp_path))


def test_labels_that_are_needed_are_asked_for_and_unknown_names_refused(
    study: Path, made: Made, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="--data coco=PATH"):
        run_study(study, StudySettings("full", tmp_path / "runs"))
    with pytest.raises(ConfigError, match="no data called 'cocco'"):
        run_study(study, settings(tmp_path, data={"cocco": tmp_path}))
    assert made.trained == []


def test_a_wrong_key_is_found_before_anything_is_trained(
    study: Path, made: Made, tmp_path: Path
) -> None:
    study.write_text(STUDY.replace("trainer.epochs: 9", "trainer.epoch: 9"))
    with pytest.raises(ConfigError, match=r"variant 'long'.*did you mean 'trainer.epochs'"):
        run_study(study, settings(tmp_path))
    assert made.trained == []
