"""``gonio analyze photo --protocol rearfoot --model FILE``: coarse points, fitted markers, angles.

The network is a toy: six maps of six colors, in which the markers of the drawn legs are painted. It
is as coarse as a real one (a pixel of its input is four of the photograph), and as gullible.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from gonio import analyze as run_analysis
from gonio.labels import LabelledImage, make_labels
from gonio.runtime import predict
from gonio.runtime.store import ModelStore
from gonio.skeletons import load_skeleton
from gonio.video import VideoWriter, write_image
from integration.media import Run
from unit.runtime.markers.discs import add_disc
from unit.runtime.tiny_onnx import write_colors

pytest.importorskip("onnx")
WIDTH, HEIGHT, RADIUS = 1024, 576, 7.0
COLORS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0))
CARD = {
    "name": "toy", "task": "pose", "skeleton": "rearfoot6",
    "input": {"width": 256, "height": 144, "scale": 1 / 255, "crop": {"source": "image"}},
    "output": {"kind": "heatmap", "stride": 1, "sigma": 0},
    "markers": {"search": 4},
}  # fmt: skip


def markers(left_deg: float, right_deg: float) -> NDArray[np.float64]:
    points = []
    for x, outward, deg in ((420.3, -1, left_deg), (600.8, 1, right_deg)):
        dx = 90 * math.tan(math.radians(deg)) * outward
        points += [[x, 140.6], [x, 360.2], [x + dx, 450.2]]
    return np.array(points)


def photograph(points: NDArray[np.float64], *, without: tuple[int, ...] = ()) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    picture = np.full((HEIGHT, WIDTH, 3), (70.0, 80.0, 90.0))
    for x in (420, 600):
        across = (np.arange(x - 60, x + 60) - x) / 60
        picture[40:500, x - 60 : x + 60] = np.array((205, 160, 135)) * (
            1 - 0.5 * across[:, None] ** 2
        )
    for i, (point, color) in enumerate(zip(points, COLORS, strict=True)):
        if i not in without:
            add_disc(picture, point, RADIUS, color)
    picture += rng.normal(0, 3, picture.shape)
    return np.clip(picture.round(), 0, 255).astype(np.uint8)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = write_colors(tmp_path / "toy.onnx", 256, 144)
    (tmp_path / "toy.card.json").write_text(json.dumps(CARD), encoding="utf-8")
    return path


def test_a_photograph_by_the_command_line(tmp_path: Path, model: Path, gonio: Run) -> None:
    write_image(tmp_path / "photo.jpg", photograph(markers(6, -4)))
    done = gonio("analyze", "photo.jpg", "--protocol", "rearfoot", "--model", model)
    assert done.returncode == 0, done.stderr
    assert "rearfoot_left" in done.stdout
    folder = tmp_path / "results" / "photo"
    table = pd.read_csv(folder / "angles.csv").set_index("angle")["value_deg"]
    assert table["rearfoot_left"] == pytest.approx(6, abs=0.3)
    assert table["rearfoot_right"] == pytest.approx(-4, abs=0.3)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["warnings"] == []
    assert summary["people"][0]["rearfoot"]["left"]["missing_markers"] == []
    content = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    found = content["frames"][0]["people"][0]["keypoints"]
    names = load_skeleton("rearfoot6").keypoints
    np.testing.assert_allclose([found[name][:2] for name in names], markers(6, -4), atol=0.3)
    assert cv2.imread(str(folder / "overlay.png")) is not None
    assert "Rearfoot" in (folder / "report.html").read_text(encoding="utf-8")


def analyze(tmp_path: Path, model: Path, image: NDArray[np.uint8]) -> dict[str, Any]:
    write_image(tmp_path / "photo.png", image)
    result = run_analysis(
        tmp_path / "photo.png", protocol="rearfoot", model=str(model), out=tmp_path / "out",
        overwrite=True,
    )  # fmt: skip
    return result.summary


def test_a_marker_that_is_not_there_is_named(tmp_path: Path, model: Path) -> None:
    summary = analyze(tmp_path, model, photograph(markers(6, -4), without=(2,)))
    left, right = (summary["people"][0]["rearfoot"][side] for side in ("left", "right"))
    assert left["missing_markers"] == ["heel"]
    assert left["signed_deg"]["mean"] is None
    assert right["signed_deg"]["mean"] == pytest.approx(-4, abs=0.3)


def test_what_the_network_takes_for_a_marker_and_is_none_is_not_seen(
    tmp_path: Path, model: Path
) -> None:
    image = photograph(markers(6, -4), without=(2,))
    image[444:448, 360:480] = COLORS[2]  # a blue lace across the heel
    summary = analyze(tmp_path, model, image)
    assert summary["people"][0]["rearfoot"]["left"]["missing_markers"] == ["heel"]


def test_legs_without_markers_and_a_picture_without_legs_have_no_angles(
    tmp_path: Path, model: Path
) -> None:
    bare = photograph(markers(6, -4), without=tuple(range(6)))
    for image in (bare, np.full((HEIGHT, WIDTH, 3), 90, np.uint8)):
        summary = analyze(tmp_path, model, image)
        assert summary["people"] == []
        assert any("No leg with markers" in text for text in summary["warnings"])


def test_one_marked_leg_is_measured_and_the_other_missing(tmp_path: Path, model: Path) -> None:
    summary = analyze(tmp_path, model, photograph(markers(6, -4), without=(3, 4, 5)))
    sides = summary["people"][0]["rearfoot"]
    assert sides["left"]["signed_deg"]["mean"] == pytest.approx(6, abs=0.3)
    assert sides["right"]["missing_markers"] == ["calf", "achilles", "heel"]
    assert any("only the left leg was seen" in text for text in summary["warnings"])


def test_a_video_gives_curves_an_overlay_and_ranges(tmp_path: Path, model: Path) -> None:
    with VideoWriter(tmp_path / "walk.mp4", width=WIDTH, height=HEIGHT, fps=25) as writer:
        for i in range(20):
            writer.write(photograph(markers(6 + 3 * math.sin(i / 5), -4)), i / 25)
    result = run_analysis(
        tmp_path / "walk.mp4", protocol="rearfoot", model=str(model), out=tmp_path / "out"
    )
    left = result.summary["people"][0]["rearfoot"]["left"]
    assert left["frames"] == 20
    assert left["signed_deg"]["max"] == pytest.approx(9, abs=0.6)
    assert (result.folder / "overlay.mp4").is_file()


def test_evaluation_looks_at_the_fitted_markers(tmp_path: Path, model: Path) -> None:
    points = markers(6, -4)
    write_image(tmp_path / "photo.png", photograph(points))
    images = [LabelledImage(tmp_path / "photo.png", WIDTH, HEIGHT)]
    labels = make_labels(load_skeleton("rearfoot6"), images, [0], points[None], np.full((1, 6), 2))
    found = predict(ModelStore().resolve(str(model)), labels)
    np.testing.assert_allclose(found.keypoints_px[0], points, atol=0.15)
