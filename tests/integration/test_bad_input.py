"""Bad input: a clear error, nothing lost, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from gonio.synthetic import render_person
from integration.media import Run, move_index_first, write_video


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("gonio: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_missing_file_is_named(gonio: Run, tmp_path: Path) -> None:
    refused(gonio("analyze", "walk.mp4"), "'walk.mp4'")
    assert leftovers(tmp_path) == []


def test_text_renamed_to_mp4_is_no_video(gonio: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("dear diary\n" * 100)
    refused(gonio("analyze", "notes.mp4"), "notes.mp4")
    assert leftovers(tmp_path) == ["notes.mp4"]


def test_audio_only_says_that_there_is_no_video_stream(gonio: Run, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.zeros(8000, np.int16).tobytes())
    (tmp_path / "sound.wav").rename(tmp_path / "sound.mp4")
    refused(gonio("analyze", "sound.mp4"), "sound.mp4", "no video stream")


def test_a_video_without_frames_is_refused(gonio: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "empty.avi", 0)
    refused(gonio("analyze", "empty.avi"), "empty.avi")
    assert leftovers(tmp_path) == ["empty.avi"]


def test_a_folder_without_images_is_refused(gonio: Run, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "readme.txt").write_text("none yet")
    refused(gonio("analyze", "pictures"), "pictures", "image")


def test_nothing_to_analyze_is_said(gonio: Run) -> None:
    refused(gonio("analyze"), "nothing to analyze")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to drop it")
def test_a_file_without_read_permission_is_named(tmp_path: Path) -> None:
    video = write_video(tmp_path / "private.mp4", 2)
    video.chmod(0o000)
    tmp_path.chmod(0o755)
    code = (
        "import os, sys, pathlib\n"
        "from gonio.video import open_source\n"
        "from gonio.errors import VideoError\n"
        "os.seteuid(65534)\n"
        "try:\n    open_source(pathlib.Path(sys.argv[1]))\n"
        "except VideoError as error:\n    print('refused', error)\n"
        "except PermissionError as error:\n    print('leaked', error)\n"
    )
    # The folders above belong to root alone; a copy in a world-readable one can be reached.
    place = Path("/tmp") / f"gonio-permission-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        shutil.copy(video, place / "private.mp4")
        (place / "private.mp4").chmod(0o000)
        command = [sys.executable, "-c", code, str(place / "private.mp4")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(place)
    assert done.stdout.startswith("refused"), done.stdout + done.stderr
    assert "permission" in done.stdout.lower()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--protocol", "genral"], ["unknown protocol 'genral'", "did you mean 'general'"]),
        (["--model", "blazepose-ful"], ["unknown model 'blazepose-ful'", "blazepose-full"]),
        (["--person", "larges"], ["larges", "did you mean 'largest'"]),
        (["--trc"], ["--height-m"]),
    ],
)
def test_an_unknown_value_names_the_nearest(
    gonio: Run, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    write_video(tmp_path / "walk.mp4", 2)
    refused(gonio("analyze", "walk.mp4", *arguments), *words)
    assert leftovers(tmp_path) == ["walk.mp4"]


@pytest.mark.models
def test_an_existing_evaluation_is_refused_and_kept(
    gonio: Run, tmp_path: Path, models_dir: Path
) -> None:
    write_video(tmp_path / "walk.mp4", 3)
    assert gonio("analyze", "walk.mp4", "--quiet").returncode == 0
    before = (tmp_path / "results/walk/summary.json").read_bytes()
    refused(gonio("analyze", "walk.mp4"), "results/walk", "--overwrite")
    assert (tmp_path / "results/walk/summary.json").read_bytes() == before
    assert gonio("analyze", "walk.mp4", "--overwrite", "--quiet").returncode == 0
    assert leftovers(tmp_path / "results") == ["walk"]


@pytest.mark.models
def test_nobody_in_the_video_is_a_result_that_says_so(
    gonio: Run, tmp_path: Path, models_dir: Path
) -> None:
    write_video(tmp_path / "noise.mp4", 5)
    done = gonio("analyze", "noise.mp4")
    assert done.returncode == 0, done.stderr
    assert "gonio: warning: noise: Nobody was found" in done.stderr
    folder = tmp_path / "results" / "noise"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["people"] == []
    assert any("obody" in w for w in summary["warnings"])
    assert "obody" in (folder / "report.html").read_text()
    assert (folder / "overlay.mp4").exists()


@pytest.mark.models
@pytest.mark.parametrize(("size", "frames"), [((1, 1), 3), ((7680, 4320), 1)])
def test_tiny_and_huge_frames_are_analyzed(
    gonio: Run, tmp_path: Path, models_dir: Path, size: tuple[int, int], frames: int
) -> None:
    codec = "ffv1" if size == (1, 1) else "mpeg4"
    write_video(tmp_path / "odd.mkv", frames, size, codec)
    done = gonio("analyze", "odd.mkv")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "results/odd/summary.json").read_text())
    assert (summary["source"]["width"], summary["source"]["height"]) == size


@pytest.mark.models
def test_a_truncated_video_is_analyzed_as_far_as_it_goes(
    gonio: Run, tmp_path: Path, models_dir: Path, walk_video: Path
) -> None:
    cut = tmp_path / "cut.mp4"
    whole = move_index_first(walk_video, tmp_path / "whole.mp4").read_bytes()
    cut.write_bytes(whole[: len(whole) // 8])
    done = gonio("analyze", cut, "--no-overlay")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "results/cut/summary.json").read_text())
    assert 5 < summary["source"]["frames"] < 200
    assert summary["warnings"]


@pytest.mark.models
def test_a_bad_file_does_not_stop_a_batch(gonio: Run, tmp_path: Path, models_dir: Path) -> None:
    write_video(tmp_path / "a.mp4", 2)
    (tmp_path / "b.mp4").write_text("no video")
    write_video(tmp_path / "c.mp4", 2)
    done = gonio("analyze", "a.mp4", "b.mp4", "c.mp4", "--json")
    assert done.returncode == 1, done.stderr
    batch = json.loads(done.stdout)
    assert [Path(d["folder"]).name for d in batch["done"]] == ["a", "c"]
    assert [f["path"] for f in batch["failed"]] == ["b.mp4"]
    assert leftovers(tmp_path / "results") == ["a", "c"]


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="file names hold any bytes on Linux alone")
def test_a_name_of_any_bytes_is_only_a_name(gonio: Run, tmp_path: Path, models_dir: Path) -> None:
    name = os.fsdecode(b"caf\xe9 [red] <b>&\xc3\xbc$title")
    write_video(tmp_path / f"{name}.mp4", 2)
    assert gonio("analyze", f"{name}.mp4", "--mot").returncode == 0
    folder = tmp_path / "results" / name
    assert json.loads((folder / "summary.json").read_text())["source"]["path"] == f"{name}.mp4"
    page = (folder / "report.html").read_text()
    assert "&lt;b&gt;&amp;ü$title" in page
    assert "<b>&ü" not in page
    done = gonio(
        "analyze", f"{name}.mp4", "--json", "--overwrite", env=os.environ | {"LC_ALL": "C"}
    )
    assert done.returncode == 0, done.stderr
    (shown,) = json.loads(done.stdout)["done"]
    assert shown["folder"] == f"results/{name}"


@pytest.mark.models
@pytest.mark.skipif(os.name != "posix", reason="interrupts the POSIX way")
def test_ctrl_c_ends_with_one_line_and_leaves_nothing(tmp_path: Path, models_dir: Path) -> None:
    write_video(tmp_path / "walk.mp4", 500, (640, 480))
    command = [sys.executable, "-m", "gonio", "analyze", "walk.mp4", "--out", "deep/out"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores Ctrl-C, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as running:
        while running.poll() is None and not list(tmp_path.glob("deep/out/.walk.part-*")):
            time.sleep(0.02)
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        _, message = running.communicate(timeout=60)
    assert running.returncode == 130
    assert message.startswith("gonio: interrupted")
    assert message.count("\n") == 1
    assert leftovers(tmp_path) == ["walk.mp4"]


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="limits a file's size the POSIX way")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, models_dir: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        render_person(tmp_path / "walk.mp4", seconds=1)
        command = [
            sys.executable,
            "-m",
            "gonio",
            "analyze",
            "walk.mp4",
            "--out",
            str(mount / "out"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        refused(done, "disk is full")
        assert leftovers(mount) == []
    finally:
        subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.models
def test_a_corrupt_model_file_is_named(gonio: Run, tmp_path: Path, models_dir: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(models_dir / "blazepose-detector.tflite", folder)
    (folder / "blazepose-full.tflite").write_bytes(b"nonsense" * 1000)
    write_video(tmp_path / "walk.mp4", 2)
    environment = os.environ | {"GONIO_MODELS": str(folder)}
    refused(gonio("analyze", "walk.mp4", env=environment), "blazepose-full.tflite")
    assert leftovers(tmp_path) == ["models", "walk.mp4"]


@pytest.mark.models
def test_a_model_whose_outputs_do_not_fit_its_card_is_refused(
    gonio: Run, tmp_path: Path, models_dir: Path
) -> None:
    shutil.copy(models_dir / "blazepose-detector.tflite", tmp_path / "mine.tflite")
    shown = json.loads(gonio("models", "info", "blazepose-full", "--json").stdout)
    card = shown.get("card", shown)
    card = {k: card[k] for k in card if k not in {"sha256", "path", "cached", "file"}}
    (tmp_path / "mine.card.json").write_text(json.dumps(card))
    write_video(tmp_path / "walk.mp4", 2)
    refused(gonio("analyze", "walk.mp4", "--model", "./mine.tflite"), "card")
    assert leftovers(tmp_path) == ["mine.card.json", "mine.tflite", "walk.mp4"]
