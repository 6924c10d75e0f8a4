"""From a trained network to a video: keypoints of one animal or person, angles where there are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from gonio.cli.main import app
from gonio.export import export_onnx
from gonio.networks import PoseNetwork
from gonio.poses import load_poses
from gonio.runtime import card_for_network
from gonio.skeletons import Skeleton, load_skeleton
from gonio.video import VideoWriter
from integration.media import Run
from unit.export.tiny_networks import MOUSE, dark_card, dark_network
from unit.test_package import NO_TORCH

FRAMES = 40
WH = (256, 192)
LEG = ((0, -60), (0, -60), (20, -25), (20, -25), (5, 10), (5, 10))  # lower6, facing right


def where(frame: int) -> tuple[float, float]:
    """Middle of the dark block, pixels."""
    return 60 + 3.0 * frame, 100 + 20 * np.sin(frame / 6)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A dark block that moves on a bright floor."""
    path = tmp_path / "box.mp4"
    rows, columns = np.mgrid[: WH[1], : WH[0]]
    with VideoWriter(path, width=WH[0], height=WH[1], fps=25) as writer:
        for frame in range(FRAMES):
            x, y = where(frame)
            dark = (abs(columns - x) < 14) & (abs(rows - y) < 14)
            image = np.where(dark, 10, 230).astype(np.uint8)[..., None].repeat(3, axis=2)
            writer.write(image, frame / 25)
    return path


def write_model(folder: Path, skeleton: Skeleton, steps: tuple[tuple[float, float], ...]) -> Path:
    """A model whose keypoints lie at fixed steps (pixels) from the darkest place."""
    network = dark_network("locref", wh=WH, stride=8, keypoints=len(skeleton.keypoints))
    with torch.no_grad():
        bias = network.head.steps.bias  # type: ignore[union-attr]
        bias.copy_(torch.tensor(steps).flatten() / 7.2801)  # type: ignore[operator]
    export_onnx(network, folder / "model.onnx", dark_card(network, "locref", skeleton=skeleton))
    return folder


def test_a_mouse_is_followed_and_has_no_angles_with_one_warning(
    video: Path, tmp_path: Path, gonio: Run
) -> None:
    steps = ((0.0, 0.0), (-10.0, 0.0), (10.0, 0.0), (0.0, 12.0))
    model = write_model(tmp_path / "runs" / "mouse", MOUSE, steps)
    done = gonio("analyze", video, "--model", model, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("warning") == 1
    assert "no angles: the skeleton 'mouse' has none of the points they lie between" in done.stderr
    assert "person 0 was measured, the only one seen" in done.stdout
    assert "min °" not in done.stdout  # no empty table
    folder = tmp_path / "results" / "box"
    raw = load_poses(folder / "poses.nc", group="raw")
    assert raw.sizes["individuals"] == 1
    truth = np.array([where(i) for i in range(FRAMES)])
    for keypoint, step in zip(MOUSE.keypoints, steps, strict=True):
        found = raw["position"].sel(keypoints=keypoint).values[..., 0]
        assert np.abs(found - truth - step).max() < 8  # a cell
    assert pd.read_csv(folder / "angles.csv").empty
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert len(summary["warnings"]) == 1
    assert summary["people"][0]["angles"] == {}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Keypoints of the skeleton &#x27;mouse&#x27;" in page
    assert re.search(r"<th scope='row'>tail base</th><td>100 %</td>", page)
    assert "How to read these positions" in page
    assert "Range of motion" not in page
    assert (folder / "overlay.mp4").stat().st_size > 1000
    evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert set(evaluation["frames"][5]["people"][0]["keypoints"]) == set(MOUSE.keypoints)

    again = gonio("analyze", video, "--model", model, "--workers", 1, "--out", "one", "--quiet")
    assert again.returncode == 0, again.stderr
    np.testing.assert_array_equal(
        raw["position"], load_poses(tmp_path / "one/box/poses.nc", group="raw")["position"]
    )

    # poses.nc holds the skeleton that nobody else knows.
    later = gonio("analyze", "--from-poses", folder / "poses.nc", "--out", "later", "--no-overlay")
    assert later.returncode == 0, later.stderr
    assert "no angles: the skeleton 'mouse'" in later.stderr


def test_a_person_seen_by_such_a_model_has_angles(video: Path, tmp_path: Path, gonio: Run) -> None:
    skeleton = load_skeleton("lower6")
    order = ["left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"]
    steps = dict(zip(order, LEG, strict=True))
    places = tuple((float(x), float(y)) for x, y in (steps[k] for k in skeleton.keypoints))
    model = write_model(tmp_path / "runs" / "leg", skeleton, places)
    done = gonio("analyze", video, "--model", model, "--no-overlay", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["done"]
    angles = result["people"][0]["angles"]
    thigh, shank = np.subtract(LEG[2], LEG[0]), np.subtract(LEG[4], LEG[2])
    between = np.degrees(np.arctan2(*thigh) - np.arctan2(*shank))
    assert angles["knee_left"]["mean_deg"] == pytest.approx(abs(between), abs=0.5)


def write_run(folder: Path) -> PoseNetwork:
    """The folder of a training, as far as its best weights."""
    from gonio.training.models import make_network, write_model
    from gonio.training.recipe import dump_recipe, make_recipe
    from gonio.training.run_folder import RunFolder

    recipe = make_recipe(
        {
            "name": "tiny",
            "input": {"width": 64, "height": 64, "crop": {"source": "image"}},
            "network": {"builder": "dilated_cnn", "width": 8},
            "loss": {"heatmap": {"name": "mse"}},
            "trainer": {"epochs": 1},
        }
    )
    RunFolder.create(folder, dump_recipe(recipe), {"recipe": recipe.name, "status": "complete"})
    network = make_network(recipe, len(MOUSE.keypoints))
    card = card_for_network(
        "tiny",
        MOUSE,
        input=recipe.input,
        target=recipe.target,
        kind=network.kind,
        stride=network.stride,
        roles=network.roles,
    )
    write_model(folder, network.state_dict(), card)
    return network


def test_a_run_is_exported_when_it_is_first_needed_and_then_runs_without_torch(
    video: Path, tmp_path: Path, gonio: Run
) -> None:
    run = tmp_path / "runs" / "tiny-20261201-120000"
    write_run(run)
    analyze = ["analyze", str(video), "--model", str(run), "--no-overlay", "--quiet", "--overwrite"]
    blocked = f"{NO_TORCH}\nfrom gonio.cli import main\nmain()"

    def without_torch() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", blocked, *analyze],
            capture_output=True, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip

    missing = without_torch()
    assert missing.returncode == 2
    assert "model.onnx is missing, and torch is not here to write it" in missing.stderr
    assert f"run: gonio export {run} --to onnx" in missing.stderr
    first = gonio(*analyze)
    assert first.returncode == 0, first.stderr
    assert (run / "model.onnx").is_file()
    second = without_torch()
    assert second.returncode == 0, second.stderr


def test_export_writes_the_file_where_it_is_wanted(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "tiny-20261201-120000"
    write_run(run)
    file = tmp_path / "mouse.onnx"
    done = CliRunner().invoke(
        app, ["export", str(run), "--to", "onnx", "--out", str(file), "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["relative_difference"] < 1e-4
    assert (tmp_path / "mouse.card.json").is_file()
    assert not (run / "model.onnx").exists()
    (run / "model.safetensors").write_bytes(b"damaged")
    broken = CliRunner().invoke(app, ["export", str(run)])
    assert "model.safetensors': does not hold the recipe's network" in str(broken.exception)
