"""``gonio models``: what each verb prints and does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gonio.cli.models import app
from gonio.errors import OfflineError, UnknownNameError
from unit.runtime.tiny_onnx import write_identity

CARD = """
name: tiny
task: segmenter
licence: MIT
input: {width: 8, height: 4}
output: {kind: heatmap, stride: 1}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no way to fetch anything."""
    folder = tmp_path / "cache"
    monkeypatch.delenv("GONIO_MODELS", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: folder)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return folder


def models(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_list_shows_the_built_in_models_and_makes_no_folder(cache: Path) -> None:
    result = models("list")
    assert result.exit_code == 0
    assert "blazepose-full" in result.output
    assert "Apache-2.0" in result.output
    entries = json.loads(models("list", "--json").stdout)
    names = ["blazepose-detector", "blazepose-full", "rtmdet-nano"]
    assert [e["name"] for e in entries] == names
    assert [e["path"] for e in entries] == [None, None, None]
    assert not cache.exists()


def test_info_prints_the_card() -> None:
    assert "skeleton: blazepose33" in models("info", "blazepose-full").stdout
    entry = json.loads(models("info", "blazepose-full", "--json").stdout)
    assert entry["schema"] == "gonio.card/1"
    assert entry["source"][0]["package"] == "mediapipe"


def test_an_unknown_name_is_an_error_with_a_near_match() -> None:
    result = models("info", "blazepose-ful")
    assert isinstance(result.exception, UnknownNameError)
    assert "did you mean 'blazepose-full'?" in str(result.exception)


def test_pull_offline_says_what_to_do() -> None:
    result = models("pull")
    assert isinstance(result.exception, OfflineError)
    assert "gonio models pull blazepose-detector" in str(result.exception)


def test_an_added_model_is_listed_and_pulled_by_name(cache: Path, tmp_path: Path) -> None:
    path = write_identity(tmp_path / "given.onnx", [1, 3, 4, 8])
    (tmp_path / "card.yaml").write_text(CARD)
    result = models("add", "mine", str(path), "--card", str(tmp_path / "card.yaml"))
    kept = cache / "models" / "mine.onnx"
    assert result.exit_code == 0, result.exception
    assert result.stdout.strip() == str(kept)
    assert json.loads(models("pull", "mine", "--json").stdout) == {"mine": str(kept)}
    assert "mine" in [e["name"] for e in json.loads(models("list", "--json").stdout)]
