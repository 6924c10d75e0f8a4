"""``gonio doctor``: it must speak where an analysis cannot run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gonio.workflows import diagnose

DOCTOR = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"av", "xarray"}:
            raise ImportError(f"{name} is broken")
sys.meta_path.insert(0, Broken())
sys.argv = ["gonio", "doctor", "--json"]
from gonio.cli import main
main()
"""


def test_a_broken_library_is_reported_not_raised() -> None:
    command = [sys.executable, "-c", DOCTOR]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert checks["H.264 writer"]["ok"] is False
    assert "av is broken" in checks["H.264 writer"]["detail"]
    assert checks["numpy"]["ok"] is True


def test_a_damaged_model_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blazepose-full.tflite").write_bytes(b"half of it")
    monkeypatch.setenv("GONIO_MODELS", str(tmp_path))
    checks = {check.name: check for check in diagnose()}
    assert checks["model blazepose-full"].ok is False
    assert "is damaged" in checks["model blazepose-full"].detail
