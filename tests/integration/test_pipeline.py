"""The pipeline with the real model: as many workers as one likes, stopped and resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import gonio
from gonio.errors import EvaluationExistsError, InputError, ModelError
from gonio.runtime import ChunkFolder
from gonio.synthetic import render_person
from gonio.workflows import AnalyzeSettings, analyze_batch
from integration.media import Run, move_index_first

pytestmark = pytest.mark.models

CHUNK = 20


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """A drawn walker of three seconds, with a key frame now and then."""
    folder = tmp_path_factory.mktemp("person")
    render_person(folder / "walk.mp4", seconds=3)
    return folder / "walk.mp4"


def measured(folder: Path) -> tuple[bytes, dict[str, Any], bytes]:
    """Return what must not depend on how the work was done."""
    evaluation = json.loads((folder / "evaluation.json").read_text())
    del evaluation["provenance"]
    return (
        (folder / "poses.nc").read_bytes(),
        evaluation,
        (folder / "angles.csv").read_bytes(),
    )


def analyze(video: Path, out: Path, **settings: Any) -> Path:
    given = {"overlay": False, "chunk_frames": CHUNK, **settings}
    return gonio.analyze(video, out=out, **given).folder


@pytest.mark.parametrize("max_people", [1, 2])
def test_the_result_does_not_depend_on_the_workers(
    person: Path, tmp_path: Path, max_people: int
) -> None:
    results = [
        measured(analyze(person, tmp_path / str(n), workers=n, max_people=max_people))
        for n in (1, 2, 3, 8)
    ]
    assert all(result == results[0] for result in results)


def damage(video: Path, target: Path) -> Path:
    """Hit two packets in the middle."""
    move_index_first(video, target)
    with av.open(str(target)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None]
    data = bytearray(target.read_bytes())
    for number in (len(packets) // 2, len(packets) // 2 + 1):
        start, size = packets[number]
        data[start + size // 4 : start + size] = b"\xff" * (size - size // 4)
    target.write_bytes(data)
    return target


def truncate(video: Path, target: Path) -> Path:
    data = move_index_first(video, target).read_bytes()
    target.write_bytes(data[: len(data) * 7 // 10])
    return target


@pytest.mark.parametrize("spoil", [damage, truncate])
def test_nor_does_it_on_a_damaged_recording(person: Path, tmp_path: Path, spoil: Any) -> None:
    video = spoil(person, tmp_path / "bad.mp4")
    folders = [analyze(video, tmp_path / str(n), workers=n) for n in (1, 2, 3)]
    results = [measured(folder) for folder in folders]
    assert results[1] == results[0]
    assert results[2] == results[0]
    warnings = [json.loads((f / "summary.json").read_text())["warnings"] for f in folders]
    assert warnings[0]
    assert warnings[1] == warnings[0]
    assert warnings[2] == warnings[0]


def test_a_failed_call_of_the_model_is_one_error_and_resuming_goes_on(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measured(analyze(person, tmp_path / "whole"))
    from gonio.runtime.blazepose.landmarks import LandmarkModel

    locate, calls = LandmarkModel.locate, iter(range(10**6))

    def fail_once(self: LandmarkModel, *arguments: Any) -> Any:
        if next(calls) == 70:
            raise ModelError("model 'blazepose-full': failed (out of luck)")
        return locate(self, *arguments)

    monkeypatch.setattr(LandmarkModel, "locate", fail_once)
    with pytest.raises(ModelError, match=r"out of luck.*--resume"):
        analyze(person, tmp_path / "out", workers=2)
    assert [p.name for p in (tmp_path / "out").iterdir()] == [".walk.work"]
    again = analyze(person, tmp_path / "out", workers=2, resume=True)
    assert measured(again) == whole
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["walk"]


def test_resuming_with_other_settings_is_refused_and_loses_nothing(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, saved = ChunkFolder.save, iter(range(100))

    def stop(self: ChunkFolder, chunk: Any) -> None:
        save(self, chunk)
        if next(saved) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(ChunkFolder, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        analyze(person, tmp_path, workers=1)
    with pytest.raises(InputError, match="max_people: 2 then, 1 now"):
        analyze(person, tmp_path, resume=True, max_people=1)
    chunks = tmp_path / ".walk.work" / "chunks"
    assert len(list(chunks.glob("chunk-*"))) >= 2
    analyze(person, tmp_path)  # without --resume: anew
    assert [p.name for p in tmp_path.iterdir()] == ["walk"]


def test_a_resumed_batch_leaves_complete_evaluations_alone(person: Path, tmp_path: Path) -> None:
    first = analyze(person, tmp_path)
    before = (first / "summary.json").read_bytes()
    settings = AnalyzeSettings(out=tmp_path, overlay=False, resume=True)
    batch = analyze_batch([person], settings)
    assert batch.complete == [first]
    assert batch.done == batch.failed == []
    assert (first / "summary.json").read_bytes() == before
    with pytest.raises(EvaluationExistsError):
        analyze(person, tmp_path, resume=True)


@pytest.mark.skipif(sys.platform == "win32", reason="sends an interrupt the POSIX way")
def test_an_interrupt_stops_cleanly_and_resume_goes_on(
    gonio: Run, person: Path, tmp_path: Path, walk_video: Path
) -> None:
    command = [sys.executable, "-m", "gonio", "analyze", str(walk_video), "--no-overlay"]
    chunks = tmp_path / "results" / f".{walk_video.stem}.work" / "chunks"
    with subprocess.Popen(
        [*command, "--workers", "1"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        # A test run in the background ignores Ctrl-C, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        for _ in _ticks(120):
            if (chunks / "chunk-000000.npz").exists():
                break
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert said.startswith("gonio: interrupted")
    assert "--resume" in said
    assert said.count("\n") == 1
    assert [p.name for p in (tmp_path / "results").iterdir()] == [f".{walk_video.stem}.work"]
    done = gonio("analyze", walk_video, "--no-overlay", "--resume", "--quiet")
    assert done.returncode == 0, done.stderr
    whole = gonio("analyze", walk_video, "--no-overlay", "--out", "whole", "--quiet")
    assert whole.returncode == 0, whole.stderr
    resumed = measured(tmp_path / "results" / walk_video.stem)
    assert resumed == measured(tmp_path / "whole" / walk_video.stem)
    again = gonio("analyze", walk_video, "--no-overlay", "--resume")
    assert (again.returncode, again.stdout) == (0, "")
    assert "complete already" in again.stderr


def _ticks(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)


def test_two_recordings_at_once_do_not_disturb_each_other(person: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda n: analyze(person, tmp_path / n, workers=2), "ab"))
    first, second = (gonio_load(folder) for folder in folders)
    np.testing.assert_array_equal(first, second)


def gonio_load(folder: Path) -> np.ndarray[Any, Any]:
    from gonio.poses import load_poses

    return np.asarray(load_poses(folder / "poses.nc", group="raw")["position"])
