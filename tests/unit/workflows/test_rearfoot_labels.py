"""The rearfoot document's labels: a CSV of six markers → COCO with buffers → zoomed copies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from gonio.cli.main import app
from gonio.datasets import (
    AugmentationSettings,
    InputSettings,
    Scale,
    TargetSettings,
    make_sample,
    sample_rng,
)
from gonio.errors import FormatError
from gonio.formats.labels import read_labels
from gonio.skeletons import load_skeleton
from gonio.video import read_image, write_image

MARKERS = load_skeleton("rearfoot6").keypoints
WH = (480, 360)
COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)]
LEGS = np.array([[200, 110], [196, 170], [204, 230], [270, 120], [276, 175], [268, 235]])
# In the middle, and near two corners.
SETS = [LEGS, LEGS - np.array([150, 80]), LEGS + np.array([170, 110])]


def draw(points: NDArray[np.int_]) -> NDArray[np.uint8]:
    """Six round stickers, each of a color of its own, before a grey wall."""
    image = np.full((WH[1], WH[0], 3), 90, np.uint8)
    for (x, y), color in zip(points.tolist(), COLORS, strict=True):
        cv2.circle(image, (x, y), 5, color, cv2.FILLED, cv2.LINE_AA)
    return image


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV with an image a row and x and y of six markers."""
    rows = [",".join(["image", *(f"{name}_{axis}" for name in MARKERS for axis in "xy")])]
    for number, points in enumerate(SETS):
        write_image(tmp_path / f"frame{number}.png", draw(points))
        rows.append(",".join([f"frame{number}.png", *map(str, points.ravel().tolist())]))
    (tmp_path / "markers.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "markers.csv"


def gonio(*args: Any) -> str:
    done = CliRunner().invoke(app, ["data", *map(str, args)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def documents_box(points: NDArray[np.int_], buffer: int) -> NDArray[np.float64]:
    """What the document computes: left, top, right, bottom; centers of pixels."""
    low = np.maximum(points.min(axis=0) - buffer, 0)
    high = np.minimum(points.max(axis=0) + buffer, np.array(WH) - 1)
    return np.concatenate([low, high]).astype(float)


@pytest.mark.parametrize("buffer", [20, 40, 80, 100])
def test_a_csv_becomes_coco_with_the_documents_boxes(table: Path, buffer: int) -> None:
    out = table.with_name("coco.json")
    gonio("boxes", table, "--out", out, "--buffer-px", buffer)
    coco = json.loads(out.read_text(encoding="utf-8"))
    assert coco["categories"][0]["keypoints"] == list(MARKERS)
    sizes = [(i["file_name"], i["width"], i["height"]) for i in coco["images"]]
    assert sizes == [(f"frame{n}.png", *WH) for n in range(3)]
    for points, person in zip(SETS, coco["annotations"], strict=True):
        assert person["num_keypoints"] == 6
        flagged = np.column_stack([points, np.full(6, 2)])
        assert person["keypoints"] == flagged.ravel().tolist()
        left, top, width, height = person["bbox"]
        # COCO's boxes count from the image's corner, half a pixel before its first center; and a
        # box that ends at the image ends at its outermost pixels' edge here, at their center there.
        ours = np.array([left, top, left + width, top + height]) - 0.5
        theirs = documents_box(points, buffer)
        assert np.abs(ours - theirs).max() <= 0.5
        free = (theirs > 0) & (theirs < np.tile(np.array(WH) - 1, 2))
        np.testing.assert_array_equal(ours[free], theirs[free])
        assert left >= 0
        assert top >= 0
        assert left + width <= WH[0]
        assert top + height <= WH[1]
    again = read_labels(out)
    assert again.skeleton == load_skeleton("rearfoot6")
    np.testing.assert_array_equal(again.keypoints_px, SETS)


def test_a_row_with_too_few_numbers_is_named_and_nothing_is_written(table: Path) -> None:
    text = table.read_text(encoding="utf-8").splitlines()
    text[2] = text[2].rpartition(",")[0]
    table.write_text("\n".join(text), encoding="utf-8")
    with pytest.raises(FormatError, match=r"markers\.csv': row 3 has 12 cells, the first row.*13"):
        gonio("boxes", table, "--out", table.with_name("coco.json"), "--buffer-px", 80)
    assert not table.with_name("coco.json").exists()


def test_a_marker_outside_its_image_is_named_masked_and_leaves_the_box_inside(table: Path) -> None:
    text = table.read_text(encoding="utf-8").splitlines()
    cells = text[1].split(",")
    cells[1] = "2000"
    text[1] = ",".join(cells)
    table.write_text("\n".join(text), encoding="utf-8")
    told = gonio("info", table)
    assert "outside_image: 1\n  frame0.png, person 0: left_calf at (2000, 110)" in told
    gonio("boxes", table, "--out", table.with_name("coco.json"), "--buffer-px", 80)
    left, _, width, _ = read_labels(table.with_name("coco.json")).boxes_px[0]
    assert left + width == WH[0] - 0.5
    gonio("filter", table, "--out", table.with_name("sound.json"))
    gonio("boxes", table.with_name("sound.json"), "--out", table.with_name("b.json"))
    masked = read_labels(table.with_name("b.json"))
    assert masked.visibility[0].tolist() == [0, 2, 2, 2, 2, 2]
    assert masked.boxes_px[0].tolist() == [196, 120, 80, 115]


def misplaced_px(image: NDArray[np.uint8], points: NDArray[np.floating]) -> float:
    """How far the farthest label lies from the middle of its sticker; labels outside are let be."""
    distances = []
    height, width = image.shape[:2]
    for (x, y), color in zip(points, COLORS, strict=True):
        if not (12 <= x < width - 12 and 12 <= y < height - 12):
            continue
        near = np.abs(image.astype(int) - color).max(axis=2) < 60
        rows, cols = np.nonzero(near)
        assert len(rows)
        distances.append(float(np.hypot(cols.mean() - x, rows.mean() - y)))
    assert distances
    return max(distances)


def test_a_zoomed_copys_labels_lie_on_its_stickers(table: Path, tmp_path: Path) -> None:
    """The document zoomed images by 1.4 to 1.6 and left the labels where they were."""
    gonio("boxes", table, "--out", tmp_path / "coco.json", "--buffer-px", 80)
    (tmp_path / "zoom.yaml").write_text("scale: {probability: 1, low: 1.4, high: 1.6}\n")
    gonio(
        *("augment", tmp_path / "coco.json", "--out", tmp_path / "zoomed"),
        *("--settings", tmp_path / "zoom.yaml", "--copies", 3),
    )
    both = read_labels(tmp_path / "zoomed" / "labels.json")
    zooms = []
    for person in range(3, len(both)):
        image = both.images[both.image_index[person]]
        if image.copy_of != "frame0.png":
            continue
        pixels, points = read_image(image.path), both.keypoints_px[person]
        assert misplaced_px(pixels, points) < 0.5
        zooms.append(float(np.ptp(points[:, 1]) / np.ptp(LEGS[:, 1])))
        left, top, width, height = both.boxes_px[person]
        assert left <= points[:, 0].min()
        assert points[:, 0].max() <= left + width
        assert top <= points[:, 1].min()
        assert points[:, 1].max() <= top + height
        # What the document did, and its opposite, would not have passed.
        assert misplaced_px(pixels, LEGS.astype(float)) > 10
        assert misplaced_px(draw(LEGS), points) > 10
    assert len(zooms) == 3
    assert all(1.4 <= zoom <= 1.6 for zoom in zooms)


@pytest.mark.parametrize("epoch", range(4))
def test_a_zoomed_samples_labels_lie_on_its_stickers(table: Path, epoch: int) -> None:
    labels = read_labels(table)
    whole = InputSettings.model_validate(
        {"width": WH[0], "height": WH[1], "crop": {"source": "image"}}
    )
    zoom = AugmentationSettings(scale=Scale(probability=1, low=1.4, high=1.6))
    made = make_sample(
        labels, 0, input=whole, target=TargetSettings(), augmentation=zoom,
        rng=sample_rng(0, epoch, 0),
    )  # fmt: skip
    assert misplaced_px(made.image, made.points_px) < 0.5
    assert misplaced_px(made.image, LEGS.astype(float)) > 10
    # The target's highest cell is where the sticker is, too.
    for points, heatmap in zip(made.points_px, made.targets["heatmap"], strict=True):
        row, col = np.unravel_index(heatmap.argmax(), heatmap.shape)
        assert np.abs((np.array([col, row]) + 0.5) * 4 - 0.5 - points).max() <= 2.1
