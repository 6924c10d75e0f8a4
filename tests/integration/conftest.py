"""How integration tests call the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from integration.media import Run


@pytest.fixture
def gonio(tmp_path: Path) -> Run:
    """Run ``gonio`` in an empty folder; returns the finished process."""

    def run(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gonio", *map(str, args)]
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            command, capture_output=True, text=True, cwd=tmp_path, check=False, **options
        )

    return run
