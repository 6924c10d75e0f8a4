"""The evaluation's folder: whole or not there at all."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from fake_evaluation import fake_evaluation
from gonio.errors import EvaluationExistsError, OutputError
from gonio.poses import load_poses
from gonio.store import (
    open_evaluation_folder,
    read_summary,
    write_atomically,
    write_evaluation,
)


def complete(out: Path, text: str, *, overwrite: bool = False) -> None:
    with open_evaluation_folder(out, "walk", overwrite=overwrite) as folder:
        (folder / "summary.json").write_text(text)


def fail(out: Path, error: Exception, *, overwrite: bool = False) -> None:
    with open_evaluation_folder(out, "walk", overwrite=overwrite) as folder:
        (folder / "summary.json").write_text("half")
        assert not (out / "walk").exists() or overwrite
        raise error


def write_half(path: Path) -> None:
    with write_atomically(path) as file:
        file.write("new")
        raise OSError(errno.ENOSPC, "no space")


def names(folder: Path) -> list[str]:
    return sorted(f.name for f in folder.iterdir())


def test_a_complete_evaluation_gets_its_name_and_nothing_else_is_left(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with open_evaluation_folder(out, "walk") as folder:
        assert folder.parent.parent == out
        assert folder.parent.name == ".walk.work"
        assert not (out / "walk").exists()
        write_evaluation(fake_evaluation(), folder)
    assert names(out) == ["walk"]
    assert names(out / "walk") == [
        "angles.csv",
        "corrections.json",
        "cycles.csv",
        "evaluation.json",
        "events.csv",
        "poses.nc",
        "summary.json",
    ]
    assert read_summary(out / "walk")["people"][0]["id"] == 0
    assert load_poses(out / "walk" / "poses.nc", group="raw").sizes["time"] == 150


def test_an_existing_evaluation_is_refused_with_what_to_do(tmp_path: Path) -> None:
    complete(tmp_path, "old")
    with pytest.raises(EvaluationExistsError, match="--overwrite"):
        complete(tmp_path, "new")
    assert (tmp_path / "walk" / "summary.json").read_text() == "old"


def test_overwrite_keeps_the_old_one_until_the_new_one_is_complete(tmp_path: Path) -> None:
    complete(tmp_path, "old")
    summary = tmp_path / "walk" / "summary.json"
    with pytest.raises(RuntimeError, match="half way"):
        fail(tmp_path, RuntimeError("half way"), overwrite=True)
    assert summary.read_text() == "old"
    complete(tmp_path, "new", overwrite=True)
    assert summary.read_text() == "new"
    assert names(tmp_path) == ["walk"]


def test_the_old_one_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(tmp_path, "old")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "result":
            raise PermissionError(errno.EACCES, "denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match="cannot be written"):
        complete(tmp_path, "new", overwrite=True)
    assert (tmp_path / "walk" / "summary.json").read_text() == "old"
    assert names(tmp_path) == ["walk"]


def test_a_folder_that_is_no_evaluation_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "walk").mkdir()
    (tmp_path / "walk" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"no evaluation.*summary\.json"):
        complete(tmp_path, "new", overwrite=True)
    assert names(tmp_path / "walk") == ["thesis.txt"]


def test_a_failed_run_takes_the_folders_it_made_with_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail(tmp_path / "deep" / "out", RuntimeError("half way"))
    assert names(tmp_path) == []


def left_by_a_killed_run(out: Path, what: str) -> None:
    folder = out / ".walk.work" / what
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(what)


def test_what_a_killed_run_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    complete(tmp_path, "before")
    left_by_a_killed_run(tmp_path, "result")
    left_by_a_killed_run(tmp_path, "replaced")
    (tmp_path / ".walk.notes").mkdir()
    complete(tmp_path, "new", overwrite=True)
    assert (tmp_path / "walk" / "summary.json").read_text() == "new"
    assert names(tmp_path) == [".walk.notes", "walk"]


def test_an_evaluation_that_a_killed_run_had_moved_aside_comes_back(tmp_path: Path) -> None:
    left_by_a_killed_run(tmp_path, "replaced")
    with pytest.raises(EvaluationExistsError):
        complete(tmp_path, "new")
    assert (tmp_path / "walk" / "summary.json").read_text() == "replaced"
    assert names(tmp_path) == ["walk"]


def test_a_full_disk_is_named_with_its_place_and_nothing_is_left(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OutputError, match=r"out/walk'.*disk is full"):
        fail(out, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert not out.exists()


def test_a_full_disk_is_named_whoever_was_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", refuse)  # as the tracks are written
    with (
        pytest.raises(OutputError, match=r"walk'.*disk is full.*--out"),
        open_evaluation_folder(tmp_path / "out", "walk") as folder,
    ):
        write_evaluation(fake_evaluation(), folder)
    assert names(tmp_path) == []


def test_an_error_names_the_final_place_not_the_temporary_one(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"walk/deeper/x\.csv'") as caught,
        open_evaluation_folder(tmp_path, "walk") as folder,
        write_atomically(folder / "deeper" / "x.csv"),
    ):
        pass
    assert ".work" not in str(caught.value)
    assert names(tmp_path) == []


def test_trouble_with_reading_is_not_called_trouble_with_writing(tmp_path: Path) -> None:
    error = PermissionError(errno.EACCES, "denied", str(tmp_path / "input.mp4"))
    with pytest.raises(PermissionError):
        fail(tmp_path, error)


def test_a_file_in_the_way_of_the_output_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with (
        pytest.raises(OutputError, match="out'"),
        open_evaluation_folder(tmp_path / "out", "walk"),
    ):
        pass


def test_a_folder_without_write_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with (
        pytest.raises(OutputError, match=r"out'.*Permission denied.*--out"),
        open_evaluation_folder(tmp_path / "out", "walk"),
    ):
        pass


def test_a_text_file_is_whole_or_keeps_its_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(OutputError, match="disk is full"):
        write_half(path)
    assert path.read_text() == "old"
    with write_atomically(path) as file:
        file.write("new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.csv"]


def test_a_name_that_is_no_unicode_comes_back_from_json(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "a.json") as file:
        file.write(json.dumps(["caf\udce9.mp4"], ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == ["caf\udce9.mp4"]
