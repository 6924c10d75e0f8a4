"""The folder an evaluation is made in: one process at a time, and something to go on from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gonio.errors import EvaluationExistsError, InputError, OutputError
from gonio.store import begin_chunks, has_chunks, is_complete, open_evaluation_folder

FITS = {"source": "abc", "fps": None, "workers": (1, 2)}


def interrupt(
    out: Path, *, keep: bool = True, error: type[BaseException] = KeyboardInterrupt
) -> None:
    with open_evaluation_folder(out, "walk", keep=lambda _: keep) as folder:
        chunks = begin_chunks(folder, FITS, resume=False)
        (chunks / "chunk-0").write_text("found")
        (folder / "half.json").write_text("half")
        raise error("stop")


def names(folder: Path) -> list[str]:
    return sorted(f.name for f in folder.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutputError, ValueError])
def test_what_is_worth_keeping_is_kept_and_gone_on_from(
    tmp_path: Path, error: type[BaseException]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(error):
        interrupt(out, error=error)
    assert names(out) == [".walk.work"]
    assert names(out / ".walk.work") == ["chunks"]
    assert has_chunks(out, "walk")
    with open_evaluation_folder(out, "walk") as folder:
        chunks = begin_chunks(folder, FITS, resume=True)
        assert names(chunks) == ["chunk-0", "manifest.json"]
        (folder / "summary.json").write_text("{}")
    assert names(out) == ["walk"]
    assert is_complete(out / "walk")


def test_what_is_not_worth_keeping_goes(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path / "out", keep=False)
    assert names(tmp_path) == []


def test_without_resume_an_analysis_starts_anew(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path)
    with open_evaluation_folder(tmp_path, "walk") as folder:
        assert names(begin_chunks(folder, FITS, resume=False)) == ["manifest.json"]


def test_resuming_where_there_is_nothing_starts(tmp_path: Path) -> None:
    with open_evaluation_folder(tmp_path, "walk") as folder:
        assert names(begin_chunks(folder, FITS, resume=True)) == ["manifest.json"]


def test_an_analysis_of_something_else_is_not_continued_and_not_lost(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path)
    with (
        pytest.raises(InputError, match=r"fps: None then, 30 now.*--resume"),
        open_evaluation_folder(tmp_path, "walk", keep=lambda _: True) as folder,
    ):
        begin_chunks(folder, {**FITS, "fps": 30}, resume=True)
    assert names(tmp_path / ".walk.work" / "chunks") == ["chunk-0", "manifest.json"]


def test_a_damaged_manifest_is_no_reason_to_stop(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path)
    (tmp_path / ".walk.work" / "chunks" / "manifest.json").write_text("{")
    with open_evaluation_folder(tmp_path, "walk") as folder:
        assert names(begin_chunks(folder, FITS, resume=True)) == ["manifest.json"]


OTHER = """
import os, sys
from pathlib import Path
from gonio.store import open_evaluation_folder
with open_evaluation_folder(Path(sys.argv[1]), "walk") as folder:
    (folder / "half.json").write_text("half")
    print("in", flush=True)
    if sys.stdin.read() == "die":
        os._exit(9)
"""


def start_other(out: Path) -> subprocess.Popen[str]:
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    return other


def test_two_processes_do_not_write_one_evaluation(tmp_path: Path) -> None:
    with start_other(tmp_path) as other:
        with (
            pytest.raises(OutputError, match="another process is writing it"),
            open_evaluation_folder(tmp_path, "walk"),
        ):
            pass
        with open_evaluation_folder(tmp_path, "run"):
            pass
        other.communicate("go on")
    assert other.returncode == 0
    assert names(tmp_path) == ["run", "walk"]


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    with start_other(tmp_path) as other:
        other.communicate("die")
    assert names(tmp_path / ".walk.work") == ["lock", "result"]
    with open_evaluation_folder(tmp_path, "walk") as folder:
        assert names(folder) == []
    assert names(tmp_path) == ["walk"]


def test_an_evaluation_whose_replacement_was_killed_half_way_comes_back(tmp_path: Path) -> None:
    old = tmp_path / ".walk.work" / "replaced"
    old.mkdir(parents=True)
    (old / "summary.json").write_text("old")
    with (
        pytest.raises(EvaluationExistsError),
        open_evaluation_folder(tmp_path, "walk"),
    ):
        pass
    assert (tmp_path / "walk" / "summary.json").read_text() == "old"
    assert names(tmp_path) == ["walk"]
