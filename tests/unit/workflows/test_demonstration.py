"""The demo's drawing goes when its analysis fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonio.errors import OfflineError
from gonio.synthetic import PersonSettings, truth
from gonio.workflows import demonstration


def test_a_drawing_whose_analysis_failed_is_not_in_the_way_of_the_next_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(path: Path, **_: object) -> object:
        path.write_bytes(b"drawn")
        return truth(PersonSettings(seconds=0.2))

    def fail(*_: object, **__: object) -> None:
        raise OfflineError("no network")

    monkeypatch.setattr(demonstration, "render_person", draw)
    monkeypatch.setattr(demonstration, "run_job", fail)
    for _ in range(2):
        with pytest.raises(OfflineError):
            demonstration.demo(out=tmp_path)
    assert list(tmp_path.iterdir()) == []
