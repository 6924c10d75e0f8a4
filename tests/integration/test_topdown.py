"""Top-down with real models: RTMDet-nano finds people, a heatmap network their joints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from gonio.runtime import ModelStore, open_estimator, open_session
from gonio.runtime.topdown import PersonDetector
from gonio.runtime.topdown.boxes import overlaps
from gonio.skeletons import load_skeleton
from integration.media import Run

# The order of PoseEstimationForMobile's joints (AI Challenger's): found on labelled photographs.
SKELETON = """
name = "aic14"
keypoints = [
  "head_top", "neck",
  "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
  "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
]
edges = [
  ["head_top", "neck"], ["neck", "right_shoulder"], ["neck", "left_shoulder"],
  ["right_shoulder", "right_elbow"], ["right_elbow", "right_wrist"],
  ["left_shoulder", "left_elbow"], ["left_elbow", "left_wrist"],
  ["neck", "right_hip"], ["neck", "left_hip"],
  ["right_hip", "right_knee"], ["right_knee", "right_ankle"],
  ["left_hip", "left_knee"], ["left_knee", "left_ankle"],
]
[derived]
mid_hip = ["left_hip", "right_hip"]
"""
CARD = """
name: cpm
task: pose
skeleton: {skeleton}
input: {{width: 192, height: 192, channels: bgr, layout: nhwc}}
output: {{kind: heatmap, stride: 2, sigma: 3, alignment: origins}}
licence: Apache-2.0
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> ModelStore:
    """A store with both models, added as a person adds them."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "aic14.toml").write_text(SKELETON, encoding="utf-8")
    card = folder / "cpm.yaml"
    card.write_text(CARD.format(skeleton=folder / "aic14.toml"), encoding="utf-8")
    store = ModelStore(folder / "store")
    store.add("rtmdet-nano", shared / "models" / "rtmdet_nano_person.onnx")
    store.add("cpm", shared / "models" / "cpm_192x192_14joints.tflite", card)
    return store


def photographs(shared: Path) -> list[tuple[str, NDArray[np.uint8], list[dict[str, Any]]]]:
    folder = shared / "data" / "labels" / "coco_mini"
    labels = json.loads((folder / "person_keypoints.json").read_text(encoding="utf-8"))
    found = []
    for entry in labels["images"]:
        image = cv2.imread(str(next(folder.rglob(entry["file_name"]))))
        assert image is not None
        people = [a for a in labels["annotations"] if a["image_id"] == entry["id"]]
        rgb = np.ascontiguousarray(image[..., ::-1])
        found.append((entry["file_name"], rgb, [a for a in people if a["num_keypoints"]]))
    return found


def test_the_detector_finds_most_labelled_people_of_the_photographs(
    shared: Path, store: ModelStore
) -> None:
    model = store.resolve("rtmdet-nano")
    detector = PersonDetector(open_session(model.path, device="cpu"), model.card)
    best = []
    for _, image, people in photographs(shared):
        found = np.array([d.box for d in detector.detect(image)]).reshape(-1, 4)
        for person in people:
            x, y, w, h = person["bbox"]
            label = np.array([[x, y, x + w, y + h]]) - 0.5
            best.append(overlaps(label, found).max(initial=0))
    assert len(best) == 43
    assert np.mean(np.array(best) > 0.5) > 0.75
    assert np.mean([b for b in best if b > 0.5]) > 0.85


def test_joints_of_people_who_stand_free_lie_where_they_are_labelled(
    shared: Path, store: ModelStore
) -> None:
    coco = load_skeleton("coco17")
    good = []
    for name, image, people in photographs(shared):
        if name not in {"000000433998.jpg", "000000442450.jpg", "000000234748.jpg"}:
            continue
        estimator = open_estimator(store.resolve("cpm"), store=store, max_people=5, device="cpu")
        found = estimator.estimate(image)
        joints = [k for k in estimator.skeleton.keypoints if k in coco.keypoints]
        ours = [estimator.skeleton.index(k) for k in joints]
        for person in people:
            if person["num_keypoints"] < 15:
                continue
            label = np.array(person["keypoints"], float).reshape(17, 3)
            label = label[[coco.index(k) for k in joints]]
            near = 0.1 * max(person["bbox"][2:])
            hits = [
                (np.hypot(*(p.keypoints_px[ours] - label[:, :2]).T) < near)[label[:, 2] > 0].mean()
                for p in found
            ]
            good.append(max(hits))
    assert len(good) == 4
    assert np.mean(good) > 0.8


def test_pictures_without_people_of_any_size_have_nobody(store: ModelStore) -> None:
    estimator = open_estimator(store.resolve("cpm"), store=store, device="cpu")
    random = np.random.default_rng(0)
    for height, width in ((1, 1), (2, 900), (400, 300), (4320, 7680)):
        grey = random.integers(0, 255, (height, width, 1), dtype=np.uint8)
        assert estimator.estimate(np.repeat(grey, 3, axis=2)) == []
    estimator.close()


def test_the_walking_woman_is_measured_through_the_command_line(
    store: ModelStore, walk_video: Path, tmp_path: Path, gonio: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONIO_MODELS", str(store.folder))
    done = gonio("analyze", walk_video, "--model", "cpm", "--no-overlay", "--quiet")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results" / walk_video.stem
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["model"]["name"] == "cpm"
    table = pd.read_csv(folder / "angles.csv")
    knees = table[table["angle"].isin(["knee_left", "knee_right"])]
    walking = knees[knees["frame"].between(60, 180)]["value_deg"]
    assert walking.notna().mean() > 0.9
    assert walking.quantile(0.95) > 35
    assert "ankle_left" not in set(table["angle"])  # this skeleton has no foot


def test_without_the_detector_the_command_line_says_what_to_do(
    store: ModelStore, walk_video: Path, tmp_path: Path, gonio: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for file in store.folder.glob("cpm*"):
        shutil.copy(file, alone)
    monkeypatch.setenv("GONIO_MODELS", str(alone))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = gonio("analyze", walk_video, "--model", "cpm")
    assert done.returncode == 2
    assert "needs a person detector" in done.stderr
    assert "gonio models add rtmdet-nano FILE" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
