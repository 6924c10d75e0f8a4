"""``gonio convert`` and ``--from-poses`` on every real file of tracks, and through the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import gonio as package
from gonio.errors import InputError, PosesError
from gonio.formats import Tracks, read_tracks, write_tracks
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton
from gonio.workflows.convert import ConvertSettings, convert
from integration.media import Run

# Folder, pattern, how many at least.
REAL = {
    "c3d": ("mocap", "*.c3d", 2),
    "trc": ("mocap", "*.trc", 2),
    "mot": ("mocap", "*.mot", 2),
    "openpose": ("multiview", "*/pose/*_json", 4),
    "deeplabcut-csv": ("labels", "dlc_*/labeled-data/*/*.csv", 2),
    "deeplabcut-h5": ("labels", "dlc_*/labeled-data/*/*.h5", 2),
}


def real_files(shared: Path, kind: str) -> list[Path]:
    folder, pattern, least = REAL[kind]
    files = sorted((shared / "data" / folder).glob(pattern))
    assert len(files) >= least
    return files


def walker(path: Path, skeleton: str = "coco17", people: int = 1) -> Tracks:
    """People who stand at 25 frames/s for a second, one knee bending from 0° to 48°."""
    names = load_skeleton(skeleton).keypoints
    place = {
        "hip": (0, 100), "knee": (0, 200), "ankle": (0, 300), "shoulder": (0, -80),
        "nose": (9, -130), "elbow": (0, 0), "wrist": (5, 60),
    }  # fmt: skip
    position = np.zeros((25, 2, len(names), people))
    for k, name in enumerate(names):
        x, y = place.get(name.removeprefix("left_").removeprefix("right_"), (0, -120))
        side = 6 if name.startswith("left") else -6
        position[:, 0, k], position[:, 1, k] = x + side + 300, y + 200
    knee, ankle = (list(names).index(f"left_{n}") for n in ("knee", "ankle"))
    bend = np.radians(2 * np.arange(25))[:, None]
    position[:, 0, ankle] = position[:, 0, knee] - 100 * np.sin(bend)
    position[:, 1, ankle] = position[:, 1, knee] + 100 * np.cos(bend)
    position[:, 0] += 500 * np.arange(people)
    poses = make_poses(
        position, np.full((25, len(names), people), 0.9), time_s=np.arange(25) / 25,
        skeleton=load_skeleton(skeleton), fps=25.0, attrs={"source": str(path)},
    )  # fmt: skip
    return Tracks(poses=poses, skeleton=load_skeleton(skeleton))


@pytest.mark.filterwarnings("ignore::gonio.errors.GonioWarning")
@pytest.mark.parametrize("kind", REAL)
def test_every_real_file_is_opened_and_comes_back_from_csv(
    shared: Path, tmp_path: Path, kind: str
) -> None:
    if kind == "c3d":
        pytest.importorskip("ezc3d", reason="no ezc3d on this machine")
    for i, file in enumerate(real_files(shared, kind)):
        done = convert(file, tmp_path / f"{i}.csv", ConvertSettings())
        assert done.frames > 50
        assert done.keypoints + done.angles > 3
        first, again = read_tracks(file), read_tracks(tmp_path / f"{i}.csv")
        for name, variable in (("poses", "position"), ("angles", "angle_deg")):
            ours, theirs = getattr(first, name), getattr(again, name)
            if theirs is not None:
                np.testing.assert_array_equal(theirs[variable].values, ours[variable].values)
                np.testing.assert_array_equal(theirs["time"].values, ours["time"].values)


@pytest.mark.filterwarnings("ignore::gonio.errors.GonioWarning")
def test_real_json_of_all_cameras_comes_back_to_the_last_digit(
    shared: Path, tmp_path: Path
) -> None:
    for folder in real_files(shared, "openpose"):
        convert(folder, tmp_path / folder.name, ConvertSettings(to_format="openpose"))
        theirs, ours = sorted(folder.iterdir()), sorted((tmp_path / folder.name).iterdir())
        assert len(theirs) == len(ours) == 100
        for a, b in zip(theirs, ours, strict=True):
            people, again = (
                [p["pose_keypoints_2d"] for p in json.loads(f.read_bytes())["people"]]
                for f in (a, b)
            )
            assert again == people


FORMATS = ["a.nc", "a.csv", "a", "dlc.csv", "a.h5", "a.slp", "a.nwb"]


@pytest.mark.filterwarnings("ignore::gonio.errors.GonioWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_tracks_of_every_2d_format_give_the_same_angles(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    format_name = {"a": "openpose", "dlc.csv": "deeplabcut"}.get(name)
    write_tracks(path, walker(path), format=format_name)
    result = package.analyze(from_poses=path, fps=25.0, out=tmp_path / "out")
    knee = result.evaluation.angles["angle_deg"].sel(angle="knee_left").values[5:20, 0]
    np.testing.assert_allclose(knee, 2 * np.arange(5, 20), atol=0.6)
    assert result.evaluation.raw.attrs["fps"] == 25


def test_people_without_identities_are_followed(tmp_path: Path) -> None:
    """OpenPose may list them in another order in every frame."""
    folder = tmp_path / "walk"
    tracks = walker(tmp_path, people=2)
    assert tracks.poses is not None
    tracks.poses.attrs["identities"] = "by order"
    with pytest.warns(match="frame rate"):
        write_tracks(folder, tracks, format="openpose")
    for file in sorted(folder.iterdir())[1::2]:
        content = json.loads(file.read_text())
        content["people"].reverse()
        file.write_text(json.dumps(content))
    result = package.analyze(from_poses=folder, fps=25.0, person="all", out=tmp_path / "out")
    nose = result.evaluation.raw["position"].sel(keypoints="nose", space="x").values
    assert nose.shape == (25, 2)
    assert (np.ptp(nose, axis=0) < 1).all()


def test_what_cannot_be_measured_is_refused_with_the_reason(tmp_path: Path) -> None:
    tracks = walker(tmp_path)
    assert tracks.poses is not None
    with pytest.warns(match="cannot hold it: confidence"):
        write_tracks(tmp_path / "a.trc", tracks, px_per_m=100.0)
    with pytest.raises(InputError, match=r"holds markers in space.*gonio convert"):
        package.analyze(from_poses=tmp_path / "a.trc", out=tmp_path / "out")
    with pytest.warns(match="frame rate"):
        write_tracks(tmp_path / "a.h5", tracks)
    with pytest.raises(InputError, match="holds no frame rate: give --fps"):
        package.analyze(from_poses=tmp_path / "a.h5", out=tmp_path / "out")
    names = [f"mouse_{i}" for i in range(17)]
    foreign = Tracks(poses=tracks.poses.assign_coords(keypoints=names))
    write_tracks(tmp_path / "a.csv", foreign)
    with pytest.raises(PosesError, match=r"mouse_0.*not those of a known skeleton"):
        package.analyze(from_poses=tmp_path / "a.csv", out=tmp_path / "out")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_the_persons_height_is_the_scale_to_meters(tmp_path: Path) -> None:
    write_tracks(tmp_path / "a.nc", walker(tmp_path))
    settings = ConvertSettings(height_m=1.8)
    with pytest.warns(match="cannot hold it: confidence"):
        convert(tmp_path / "a.nc", tmp_path / "a.trc", settings)
    poses = read_tracks(tmp_path / "a.trc").poses
    assert poses is not None
    hip, shoulder = (
        poses["position"].sel(keypoints=f"right_{n}", space="y").values[0, 0]
        for n in ("hip", "shoulder")
    )
    # 180 of the 380 px from shoulder to ankle, which are 0.779 of the height.
    assert shoulder - hip == pytest.approx(180 / 380 * 0.779 * 1.8, rel=1e-3)
    for wrong in (ConvertSettings(height_m=1.8, px_per_m=9.0), settings):
        with pytest.raises(InputError, match="scale"):
            convert(tmp_path / "a.nc", tmp_path / "b.csv", wrong)


def test_the_command_converts_refuses_and_replaces(gonio: Run, tmp_path: Path) -> None:
    write_tracks(tmp_path / "a.nc", walker(tmp_path))
    done = gonio("convert", "a.nc", "b.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "b.csv: 25 frames, 1 person, 17 keypoints\n"
    again = gonio("convert", "a.nc", "b.csv")
    assert again.returncode == 2
    assert again.stderr.startswith("gonio: 'b.csv': exists already. Replace it with --overwrite")
    replaced = gonio("convert", "a.nc", "b.csv", "--overwrite", "--json")
    assert json.loads(replaced.stdout)["left_out"] == []
    lost = gonio("convert", "a.nc", "c", "--to", "openpose", "--quiet")
    assert lost.stdout == ""
    assert "cannot hold it: frame rate (25/s)" in lost.stderr
    unknown = gonio("convert", "a.nc", "d.csv", "--from", "movment")
    assert unknown.stderr == "gonio: unknown format 'movment' (did you mean 'movement'?)\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nc", "b.csv", "c"]
