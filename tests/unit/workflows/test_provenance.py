"""What a result says about its making."""

from __future__ import annotations

import sys

import pytest

from fake_evaluation import fake_evaluation
from gonio.workflows import AnalyzeSettings
from gonio.workflows.provenance import describe_provenance


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("/usr/bin/gonio", ["gonio", "analyze", "a.mp4"]),
        ("gonio.exe", ["gonio", "analyze", "a.mp4"]),
        ("/lib/gonio/__main__.py", ["gonio", "analyze", "a.mp4"]),
        ("/srv/clinic/serve.py", None),
        ("/lib/other/__main__.py", None),
        ("", None),
    ],
)
def test_the_command_is_gonios_own_or_none(
    monkeypatch: pytest.MonkeyPatch, program: str, command: list[str] | None
) -> None:
    monkeypatch.setattr(sys, "argv", [program, "analyze", "a.mp4"])
    made = describe_provenance(AnalyzeSettings(), fake_evaluation().poses)
    assert made["command"] == command
    assert made["settings"]["out"] == "results"
