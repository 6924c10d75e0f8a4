"""The order of body25b, confirmed on a person seen by four calibrated cameras."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.skeletons import load_skeleton

FRAMES = range(0, 100, 5)
MIN_CONFIDENCE = 0.3


@pytest.fixture(scope="module")
def points_m(shared: Path) -> dict[str, NDArray[np.float64]]:
    """Each keypoint's track (frames, 3) in metres, z up."""
    folder = shared / "data" / "multiview" / "balancing"
    cameras = tomllib.loads((folder / "calibration.toml").read_text(encoding="utf-8"))
    rows, weights = [], []
    for i in range(1, 5):
        camera = cameras[f"cam_0{i}"]
        seen = np.stack([largest_person(folder, i, frame) for frame in FRAMES])
        lens = np.array(camera["matrix"]), np.array(camera["distortions"])
        flat = cv2.undistortPoints(seen[..., :2].reshape(-1, 1, 2), *lens)
        xy = flat.reshape(*seen.shape[:2], 2, 1)
        rotation = cv2.Rodrigues(np.array(camera["rotation"]))[0]
        pose = np.column_stack([rotation, camera["translation"]])
        weight = np.where(seen[..., 2] < MIN_CONFIDENCE, 0, seen[..., 2])
        rows.append((xy * pose[2] - pose[:2]) * weight[..., None, None])
        weights.append(weight)
    # Linear triangulation: Hartley & Zisserman (2004), Multiple View Geometry, section 12.2.
    homogeneous = np.linalg.svd(np.concatenate(rows, axis=-2))[2][..., -1, :]
    points = homogeneous[..., :3] / homogeneous[..., 3:]
    points[(np.stack(weights) > 0).sum(axis=0) < 3] = np.nan
    names = load_skeleton("body25b").keypoints
    return {name: points[:, i] for i, name in enumerate(names)}


def largest_person(folder: Path, camera: int, frame: int) -> NDArray[np.float64]:
    file = folder / "pose" / f"cam0{camera}_json" / f"cam0{camera}.{frame:04d}.json"
    people = [
        np.reshape(person["pose_keypoints_2d"], (25, 3))
        for person in json.loads(file.read_text(encoding="utf-8"))["people"]
    ]
    return max(people, key=lambda p: float(np.ptp(p[p[:, 2] > 0, :2], axis=0).prod()))


def length(points: dict[str, NDArray[np.float64]], a: str, b: str) -> NDArray[np.float64]:
    return np.linalg.norm(points[a] - points[b], axis=1)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("a", "b", "least_m", "most_m"),
    [
        ("hip", "knee", 0.36, 0.46),
        ("knee", "ankle", 0.36, 0.46),
        ("ankle", "heel", 0.03, 0.10),
        ("ankle", "big_toe", 0.13, 0.22),
        ("heel", "big_toe", 0.17, 0.27),
        ("heel", "small_toe", 0.14, 0.23),
        ("big_toe", "small_toe", 0.03, 0.09),
    ],
)
def test_leg_and_foot_lengths_are_plausible_and_constant(
    points_m: dict[str, NDArray[np.float64]],
    side: str,
    a: str,
    b: str,
    least_m: float,
    most_m: float,
) -> None:
    lengths = length(points_m, f"{side}_{a}", f"{side}_{b}")
    assert least_m < np.median(lengths) < most_m
    assert lengths.std() < 0.03


@pytest.mark.parametrize("point", ["big_toe", "small_toe", "heel"])
def test_toes_and_heels_lie_by_their_own_ankle(
    points_m: dict[str, NDArray[np.float64]], point: str
) -> None:
    for side, other in (("left", "right"), ("right", "left")):
        own = length(points_m, f"{side}_{point}", f"{side}_ankle")
        across = length(points_m, f"{side}_{point}", f"{other}_ankle")
        assert (own < across).mean() > 0.9


@pytest.mark.parametrize(("side", "outward"), [("left", 1), ("right", -1)])
def test_the_small_toe_lies_outside_the_big_toe(
    points_m: dict[str, NDArray[np.float64]], side: str, outward: int
) -> None:
    forward = points_m[f"{side}_big_toe"] - points_m[f"{side}_heel"]
    left = np.cross([0, 0, 1], forward)
    across = points_m[f"{side}_small_toe"] - points_m[f"{side}_big_toe"]
    assert np.median(outward * (across * left).sum(axis=1) / np.linalg.norm(left, axis=1)) > 0.02


def test_the_head_top_is_above_the_upper_neck_and_the_neck_above_the_shoulders_middle(
    points_m: dict[str, NDArray[np.float64]],
) -> None:
    shoulders = (points_m["left_shoulder"] + points_m["right_shoulder"]) / 2
    assert (points_m["head_top"][:, 2] > points_m["upper_neck"][:, 2] + 0.1).all()
    assert (points_m["upper_neck"][:, 2] > shoulders[:, 2]).mean() > 0.9
    assert 0.2 < np.median(length(points_m, "head_top", "upper_neck")) < 0.35
