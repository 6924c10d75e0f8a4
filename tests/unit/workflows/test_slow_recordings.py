"""A recording too slow for the filters is refused before anybody is searched for in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gonio
from gonio.errors import InputError
from gonio.protocols import load_protocol
from gonio.video import write_image
from gonio.workflows.observe import _refuse_too_slow


class Clip:
    """Frames at given times, of which the header tells the mean rate."""

    def __init__(self, times_s: Sequence[float]) -> None:
        rate = (len(times_s) - 1) / (times_s[-1] - times_s[0])
        self.info = SimpleNamespace(path="clip.mp4", fps=rate)
        self.times_s = times_s

    def __iter__(self) -> Iterator[Any]:
        return iter([SimpleNamespace(time_s=t) for t in self.times_s])


def test_the_model_is_not_even_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gonio.workflows.observe.ModelStore", None)
    folder = tmp_path / "trial"
    folder.mkdir()
    for i in range(4):
        write_image(folder / f"{i}.png", np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(InputError, match=r"trial': protocol 'general', processing: .*cutoff_hz"):
        gonio.analyze(folder, fps=10.0, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_steady_slow_rate_is_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match="needs more than 12 frames/s; this recording has 10") as e:
        _refuse_too_slow(Clip(np.arange(40) / 10), load_protocol("general"))  # type: ignore[arg-type]
    assert "cutoff_hz below 5" in str(e.value)


def test_a_recording_that_pauses_is_judged_by_its_median_rate() -> None:
    times_s = [*np.arange(60) / 30, *(12 + np.arange(60) / 30)]
    clip = Clip(times_s)
    assert clip.info.fps < 12
    _refuse_too_slow(clip, load_protocol("general"))  # type: ignore[arg-type]
