"""The main job on real and drawn recordings: every file, plausible curves, no flips."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gonio
from gonio.formats import read_mot, read_trc
from gonio.poses import load_poses
from gonio.workflows import AnalysisResult

FILES = [
    "angles.csv", "corrections.json", "cycles.csv", "evaluation.json", "events.csv", "overlay.mp4",
    "poses.nc", "report.html", "summary.json",
]  # fmt: skip

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def walk(
    tmp_path_factory: pytest.TempPathFactory, walk_video: Path, models_dir: Path
) -> AnalysisResult:
    out = tmp_path_factory.mktemp("walk")
    return gonio.analyze(walk_video, out=out, mot=True, trc=True, height_m=1.65)


def knee(result: AnalysisResult, side: str) -> np.ndarray:
    table = pd.read_csv(result.folder / "angles.csv")
    rows = table[(table["angle"] == f"knee_{side}") & table["frame"].between(50, 190)]
    return rows["value_deg"].to_numpy()


def test_every_file_is_there(walk: AnalysisResult) -> None:
    name = "sagittal_walk_two_people"
    assert sorted(p.name for p in walk.folder.iterdir()) == sorted(
        [*FILES, f"{name}.mot", f"{name}.trc"]
    )
    assert sorted(p.name for p in walk.folder.parent.iterdir()) == [name]


def test_files_for_opensim_hold_the_stretch_in_which_she_is_seen(walk: AnalysisResult) -> None:
    table = read_mot(walk.folder / "sagittal_walk_two_people.mot")
    assert 1.3 < table["time"].iloc[0] < 1.8
    assert 6.2 < table["time"].iloc[-1] < 6.9
    markers = read_trc(walk.folder / "sagittal_walk_two_people.trc")
    thigh_m = np.linalg.norm(
        markers["position"].sel(keypoints="left_hip")
        - markers["position"].sel(keypoints="left_knee"),
        axis=1,
    )
    assert 0.3 < np.nanpercentile(thigh_m, 90) < 0.45


def test_the_walking_woman_is_chosen_and_the_reason_is_given(walk: AnalysisResult) -> None:
    (person,) = walk.evaluation.chosen
    hip_x = walk.evaluation.raw["position"].sel(individuals=person, keypoints="left_hip", space="x")
    seen = np.flatnonzero(hip_x.notnull())
    assert seen[0] <= 55
    assert seen[-1] >= 190
    assert hip_x[60] - hip_x[180] > 1000  # from right to left through the picture
    assert "seen in" in walk.evaluation.person_reason


def test_her_knees_bend_as_in_walking(walk: AnalysisResult) -> None:
    for side in ("left", "right"):
        curve = knee(walk, side)
        assert np.isnan(curve).mean() < 0.05
        assert -10 < np.nanmin(curve) < 15
        assert 45 < np.nanmax(curve) < 85
        swings = (np.diff((curve > 38).astype(int)) == 1).sum()
        assert 3 <= swings <= 6


def test_no_angle_flips_when_the_man_crosses(walk: AnalysisResult) -> None:
    facing = walk.evaluation.angles["facing"].sel(individuals=walk.evaluation.chosen[0])
    assert set(np.unique(facing.values[50:190])) == {-1}
    for joint in ("hip", "knee"):
        for side in ("left", "right"):
            angle = walk.evaluation.angles["angle_deg"].sel(angle=f"{joint}_{side}").values[50:190]
            assert np.nanmax(np.abs(np.diff(angle[:, 0]))) < 20


def test_the_tracks_can_be_measured_again_with_the_same_result(
    walk: AnalysisResult, tmp_path: Path
) -> None:
    again = gonio.analyze(from_poses=walk.folder / "poses.nc", out=tmp_path)
    assert again.folder.name == "sagittal_walk_two_people"
    first, second = (r.evaluation.angles["angle_deg"].values for r in (walk, again))
    np.testing.assert_array_equal(first, second)
    assert not (again.folder / "overlay.mp4").exists()


def test_the_raw_tracks_are_kept_beside_the_processed(walk: AnalysisResult) -> None:
    root = load_poses(walk.folder / "poses.nc")
    raw = load_poses(walk.folder / "poses.nc", group="raw")
    assert root.sizes == raw.sizes
    assert not np.allclose(root["position"], raw["position"], equal_nan=True)
    operations = [e["operation"] for e in json.loads(root.attrs["log"])]
    assert operations[-4:] == ["hide_uncertain", "fill_gaps", "median", "butterworth"]


def test_a_photograph_is_measured_without_filters(
    walk_video: Path, models_dir: Path, tmp_path: Path
) -> None:
    from gonio.video import open_source, write_image

    with open_source(walk_video) as source:
        frame = next(f for f in source if f.index == 100)
        write_image(tmp_path / "photo.png", np.ascontiguousarray(frame.image[300:, 500:1494]))
    result = gonio.analyze(tmp_path / "photo.png", out=tmp_path / "out")
    summary = json.loads((result.folder / "summary.json").read_text())
    assert (summary["source"]["frames"], summary["source"]["fps"]) == (1, None)
    assert (result.folder / "overlay.png").exists()
    assert not (result.folder / "overlay.mp4").exists()
    (person,) = summary["people"]
    assert -10 < person["angles"]["knee_left"]["mean_deg"] < 80


def test_a_folder_of_numbered_images_is_one_video(
    walk_video: Path, models_dir: Path, tmp_path: Path
) -> None:
    from gonio.video import open_source, write_image

    folder = tmp_path / "trial"
    folder.mkdir()
    with open_source(walk_video) as source:
        for frame in source:
            if frame.index >= 110:
                break
            if frame.index >= 100:
                write_image(folder / f"{frame.index}.jpg", frame.image)
    result = gonio.analyze(folder, out=tmp_path / "out", fps=30.0)
    assert result.folder.name == "trial"
    assert result.evaluation.source["frames"] == 10
    np.testing.assert_allclose(np.diff(result.evaluation.raw["time"]), 1 / 30, atol=1e-6)
    assert (result.folder / "overlay.mp4").exists()
