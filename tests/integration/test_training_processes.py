"""Trainings in processes of their own: two at once, and one that is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gonio.training import read_metrics
from integration.dots import draw_dots

pytestmark = pytest.mark.slow

TINY = (
    "skeleton=null", "input={width: 32, height: 32, crop: {source: image}}", "network.width=8",
    "network.pretrained=false", "trainer.batch_size=2", "trainer.workers=0", "trainer.samples=0",
    "augmentation.noise={probability: 0.5}",
)  # fmt: skip


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dots(tmp_path_factory.mktemp("dots"), ("white",), 10)


def command(data: Path, out: Path, *more: str) -> list[str]:
    start = [sys.executable, "-m", "gonio", "train", "dilated-cnn", f"data={data}", *TINY]
    return [*start, *more, "--device", "cpu", "--out", str(out)]


def test_two_processes_train_one_network_in_one_folder(dots: Path, tmp_path: Path) -> None:
    two = command(dots, tmp_path, "trainer.devices=2", "trainer.epochs=2")
    done = subprocess.run([*two, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == "done"
    (folder,) = tmp_path.iterdir()
    assert len(read_metrics(folder / "metrics.csv")) == 2
    assert (folder / "model.onnx").is_file()


def test_a_training_that_was_killed_loses_no_whole_epoch(dots: Path, tmp_path: Path) -> None:
    quiet = subprocess.DEVNULL
    epochs = "trainer.epochs=12"
    subprocess.run([*command(dots, tmp_path / "one", epochs), "--quiet"], check=True, stdout=quiet)
    killed = subprocess.Popen(command(dots, tmp_path / "two", epochs), stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + 120
    rows: list[object] = []
    while len(rows) < 3 and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
        files = list((tmp_path / "two").glob("*/metrics.csv"))
        rows = read_metrics(files[0]) if files else []
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert 3 <= len(rows) < 12
    again = subprocess.run(
        [*command(dots, tmp_path / "two", epochs), "--resume", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    (one,), (two,) = (list((tmp_path / name).iterdir()) for name in ("one", "two"))
    a, b = (load_file(folder / "model.safetensors") for folder in (one, two))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert len(read_metrics(two / "metrics.csv")) == 12
