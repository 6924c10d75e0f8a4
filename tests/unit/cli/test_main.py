"""The command as a whole: what it says when it is told nothing, and how it takes paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gonio.cli import app
from gonio.errors import GonioError


def test_told_nothing_it_shows_its_help() -> None:
    shown = CliRunner().invoke(app, [])
    assert shown.exit_code == 0
    assert "Usage: " in shown.stdout
    assert "analyze" in shown.stdout


def test_an_unreadable_path_gets_no_box_of_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "walk.mp4"
    path.write_text("no video")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    for arguments in (
        ["analyze", path, "--out", tmp_path],
        ["analyze", "--from-poses", path],
        ["models", "add", "mine", "mine.onnx", "--card", path],
    ):
        done = CliRunner().invoke(app, [str(a) for a in arguments])
        assert isinstance(done.exception, GonioError), done.output


def test_a_height_in_centimeters_gets_no_box_of_usage(tmp_path: Path) -> None:
    video = tmp_path / "walk.mp4"
    video.touch()
    done = CliRunner().invoke(app, ["analyze", str(video), "--trc", "--height-m", "165"])
    assert "In meters: 1.65?" in str(done.exception)
