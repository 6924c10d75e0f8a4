"""Names of evaluations."""

from __future__ import annotations

from pathlib import Path

from gonio.workflows.inputs import name_jobs


def names(*paths: str) -> list[str]:
    return [job.name for job in name_jobs([Path(p) for p in paths])]


def test_a_lone_input_is_called_by_its_stem() -> None:
    assert names("a/walk.mp4", "b/run.mov") == ["walk", "run"]


def test_inputs_that_share_a_stem_keep_their_extension_and_then_count() -> None:
    assert names("walk.mp4", "walk.mov", "b/walk.mp4") == ["walk.mp4", "walk.mov", "walk.mp4-2"]


def test_a_counted_name_never_takes_another_inputs_own() -> None:
    assert names("a/w.mp4", "b/w.mp4", "w.mp4-2.avi") == ["w.mp4", "w.mp4-3", "w.mp4-2"]


def test_a_folder_keeps_the_dot_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "trial.1"
    folder.mkdir()
    assert [job.name for job in name_jobs([folder])] == ["trial.1"]
