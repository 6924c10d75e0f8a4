"""What goes wrong in the field, over and over: killed, out of space, clocks that jump."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest

import gonio
from gonio.errors import OutputError
from gonio.synthetic import render_person

pytestmark = [pytest.mark.models, pytest.mark.slow]

ROUNDS = 20
CHUNK = 10
ANALYZE = """
import sys
import gonio
gonio.analyze(sys.argv[1], out=sys.argv[2], chunk_frames=int(sys.argv[3]), resume=True)
"""


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """A drawn walker of two seconds."""
    folder = tmp_path_factory.mktemp("person")
    render_person(folder / "walk.mp4", seconds=2)
    return folder / "walk.mp4"


def measured(folder: Path) -> tuple[bytes, dict[str, Any], bytes]:
    """Return what must not depend on how the work was done."""
    evaluation = json.loads((folder / "evaluation.json").read_text())
    del evaluation["provenance"]
    return (folder / "poses.nc").read_bytes(), evaluation, (folder / "angles.csv").read_bytes()


@contextmanager
def running(video: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", ANALYZE, str(video), str(out), str(CHUNK)]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


def test_twenty_kills_lose_no_bytes(person: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    with running(person, tmp_path / "whole") as process:
        assert process.wait() == 0
    takes_s = time.monotonic() - began
    whole = measured(tmp_path / "whole" / "walk")
    chance, out, finished = random.Random(0), tmp_path / "out", 0
    for _ in range(ROUNDS):
        with running(person, out) as process:
            try:
                assert process.wait(chance.uniform(0.3, 1.1) * takes_s) == 0
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                assert not (out / "walk").exists() or measured(out / "walk") == whole
        if (out / "walk").exists():
            finished += 1
            assert measured(out / "walk") == whole
            out = tmp_path / f"out-{finished}"
    with running(person, out) as process:
        assert process.wait() == 0
    assert measured(out / "walk") == whole
    assert [p.name for p in out.iterdir()] == ["walk"]


@contextmanager
def small_disk(place: Path, size_kb: int) -> Iterator[Path]:
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk the Linux way")
def test_a_full_disk_at_any_stage_leaves_nothing_half_written(person: Path, tmp_path: Path) -> None:
    folder = gonio.analyze(person, out=tmp_path / "whole", chunk_frames=CHUNK).folder
    whole = measured(folder)
    needed_kb = sum(f.stat().st_size for f in folder.iterdir()) // 1024
    for number, share in enumerate((0.001, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9, 0.97)):
        with small_disk(tmp_path / f"disk-{number}", max(8, int(share * needed_kb))) as disk:
            with pytest.raises(OutputError, match="disk is full"):
                gonio.analyze(person, out=disk / "out", chunk_frames=CHUNK)
            left = [p.name for p in (disk / "out").iterdir()] if (disk / "out").exists() else []
            assert left in ([], [".walk.work"])
            grow = ["mount", "-o", f"remount,size={4 * needed_kb}k", str(disk)]
            subprocess.run(grow, check=True)
            again = gonio.analyze(person, out=disk / "out", chunk_frames=CHUNK, resume=True)
            assert measured(again.folder) == whole
            assert [p.name for p in (disk / "out").iterdir()] == ["walk"]


def test_a_clock_that_jumps_is_followed_alike_by_any_number_of_workers(
    person: Path, tmp_path: Path
) -> None:
    with av.open(str(person)) as old, av.open(str(tmp_path / "once.ts"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    once = (tmp_path / "once.ts").read_bytes()
    (tmp_path / "twice.ts").write_bytes(once + once)
    results = []
    for workers in (1, 2, 3):
        result = gonio.analyze(
            tmp_path / "twice.ts",
            out=tmp_path / str(workers),
            workers=workers,
            chunk_frames=CHUNK,
            overlay=False,
        )
        assert any("clock restarts" in text for text in result.evaluation.warnings)
        results.append(measured(result.folder))
    assert results[1] == results[0]
    assert results[2] == results[0]
