"""Pictures of a run show what they should, and what cannot be drawn is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gonio.errors import InputError
from gonio.skeletons import Skeleton, load_skeleton
from gonio.training.curves import prepare_curves
from gonio.training.pictures import draw_curves, draw_samples
from gonio.video import read_image

MOUSE = Skeleton(name="mouse", keypoints=("snout", "left_ear", "right_ear"))


def metrics(folder: Path) -> Path:
    file = folder / "metrics.csv"
    file.write_text(
        "epoch,stage,train_loss,validation_loss,lr,grad_norm,pck@0.05:image,rmse_px,mse_px2,"
        "angle_mae_deg:knee_left,images_per_s,epoch_s,wonder,never\n"
        "0,0,1.0,,0.001,3,nan,,,,50,2,1,\n"
        "1,0,0.1,0.2,0.001,2,0.5,4,16,9,51,2,2,\n"
        "2,1,0.01,0.1,0.0001,1,0.75,2,4,6,50,2,3,\n"
    )
    return file


def test_columns_are_gathered_by_what_they_measure(tmp_path: Path) -> None:
    panels = {panel.title.split(":")[0]: panel for panel in prepare_curves(metrics(tmp_path))}
    named = {title: [curve.name for curve in panel.curves] for title, panel in panels.items()}
    assert named == {
        "Loss": ["train_loss", "validation_loss"],
        "Shares and AP": ["pck@0.05:image"],
        "Error, pixels": ["rmse_px"],
        "Squared error, square pixels": ["mse_px2"],
        "Error, degrees": ["angle_mae_deg:knee_left"],
        "Other numbers": ["wonder"],
        "Learning rate": ["lr"],
        "Norm of the gradient": ["grad_norm"],
        "Images a second": ["images_per_s"],
        "Seconds": ["epoch_s"],
    }
    loss = panels["Loss"]
    assert loss.log
    assert not panels["Shares and AP"].log
    assert loss.stages == (2,)
    assert [curve.training for curve in loss.curves] == [True, False]
    assert loss.curves[0].color == loss.curves[1].color
    assert (loss.curves[1].epoch, loss.curves[1].value) == ([1, 2], [0.2, 0.1])


def test_curves_are_drawn_as_a_picture_and_as_a_page_that_needs_no_network(tmp_path: Path) -> None:
    draw_curves(metrics(tmp_path), tmp_path / "run")
    assert read_image(tmp_path / "run" / "curves.png").std() > 5
    page = (tmp_path / "run" / "curves.html").read_text(encoding="utf-8")
    assert "validation_loss" in page
    assert '<script src="http' not in page
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["curves.html", "curves.png"]


def test_a_file_without_numbers_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "metrics.csv"
    empty.write_text("epoch,train_loss\n")
    with pytest.raises(InputError, match="holds no numbers of any epoch"):
        draw_curves(empty, tmp_path)


def draw(path: Path, *, count: int = 1, channels: int = 3, skeleton: Skeleton = MOUSE) -> Path:
    points = np.full((count, len(skeleton.keypoints), 2), 40.0)
    points += np.arange(len(skeleton.keypoints))[:, None] * 6
    maps = np.zeros((count, len(skeleton.keypoints), 32, 24))
    maps[:, 0, 5, 5] = 0.5
    draw_samples(
        np.full((count, 128, 96, channels), 90, np.uint8),
        points,
        np.full(points.shape[:2], 2),
        points + 3,
        np.ones(points.shape[:2]),
        maps,
        maps,
        skeleton,
        path,
        [f"sample {i}" for i in range(count)],
    )
    return path


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_are_drawn_of_color_and_grey_images(tmp_path: Path, channels: int) -> None:
    picture = read_image(draw(tmp_path / "some" / "epoch.png", count=2, channels=channels))
    hue = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    red = (hue[..., 1] > 180) & ((hue[..., 0] < 8) | (hue[..., 0] > 168))
    assert red.any()  # the lines from truth to prediction
    assert picture.shape[0] > 2 * picture.shape[1]  # four rows of two


def test_a_skeleton_with_edges_and_derived_points_can_be_drawn(tmp_path: Path) -> None:
    assert draw(tmp_path / "a.png", skeleton=load_skeleton("blazepose33")).exists()


def test_keypoints_that_are_nowhere_and_maps_of_nothing_are_no_fault(tmp_path: Path) -> None:
    nowhere, nothing = np.full((1, 3, 2), np.nan), np.zeros((1, 3))
    images = np.zeros((1, 8, 8, 3), np.uint8)
    file = tmp_path / "a.png"
    maps = np.full((1, 3, 2, 2), np.nan)
    draw_samples(
        images, nowhere, nothing.astype(int), nowhere, nothing, None, maps, MOUSE, file, [""]
    )
    assert file.exists()


def test_samples_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none to draw"):
        draw(tmp_path / "a.png", count=0)
    images, points = np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 3, 2))
    sure = np.ones((2, 3))
    with pytest.raises(InputError, match="each of the 2 images"):
        draw_samples(
            images, points, sure.astype(int), points, sure, None, None, MOUSE, tmp_path / "a.png",
            ["one"],
        )  # fmt: skip
