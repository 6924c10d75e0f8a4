"""OpenPose's JSON: order of the points, identities, times, what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gonio.errors import FormatError, GonioWarning, InputError, OutputError
from gonio.formats import Tracks, read_tracks, write_tracks
from gonio.skeletons import load_skeleton
from unit.formats.worlds import assert_same_poses, poses_of, two_people

# A person who stands upright, y down: enough for the limbs' lengths.
STANDING = {
    "nose": (0, 20), "left_eye": (3, 17), "right_eye": (-3, 17), "left_ear": (6, 19),
    "right_ear": (-6, 19), "neck": (0, 40), "upper_neck": (0, 36), "head_top": (0, 0),
    "left_shoulder": (20, 42), "right_shoulder": (-20, 42), "left_elbow": (24, 72),
    "right_elbow": (-24, 72), "left_wrist": (25, 100), "right_wrist": (-25, 100),
    "mid_hip": (0, 95), "left_hip": (10, 95), "right_hip": (-10, 95), "left_knee": (11, 140),
    "right_knee": (-11, 140), "left_ankle": (12, 185), "right_ankle": (-12, 185),
    "left_big_toe": (16, 195), "left_small_toe": (20, 194), "left_heel": (10, 192),
    "right_big_toe": (-16, 195), "right_small_toe": (-20, 194), "right_heel": (-10, 192),
}  # fmt: skip


def person(skeleton: str, shift: float = 100.0, **more: object) -> dict[str, object]:
    names = load_skeleton(skeleton).keypoints
    points = [[STANDING[n][0] + shift, STANDING[n][1] + 50.0, 0.5] for n in names]
    return {"pose_keypoints_2d": [v for p in points for v in p], **more}


def folder(tmp_path: Path, frames: dict[str, list[dict[str, object]]]) -> Path:
    path = tmp_path / "walk"
    path.mkdir()
    for name, people in frames.items():
        (path / name).write_text(json.dumps({"version": 1.3, "people": people}))
    return path


@pytest.mark.parametrize("skeleton", ["body25", "body25b"])
def test_the_limbs_tell_the_two_orders_of_25_points_apart(tmp_path: Path, skeleton: str) -> None:
    tracks = read_tracks(folder(tmp_path, {"w_000000000000_keypoints.json": [person(skeleton)]}))
    assert tracks.skeleton is not None
    assert tracks.skeleton.name == skeleton
    knee = poses_of(tracks)["position"].sel(keypoints="left_knee").values[0, :, 0]
    np.testing.assert_array_equal(knee, [111, 190])


def test_a_frames_number_gives_its_time_and_gaps_stay_gaps(tmp_path: Path) -> None:
    one = [person("body25")]
    path = folder(tmp_path, {"cam01.0000.json": one, "cam01.0001.json": [], "cam01.0005.json": one})
    tracks = read_tracks(path, fps=50.0)
    np.testing.assert_allclose(poses_of(tracks)["time"], [0, 0.02, 0.1])
    assert np.isnan(poses_of(tracks)["position"].values[1]).all()
    assert np.isnan(poses_of(tracks)["confidence"].values[1]).all()
    assert poses_of(read_tracks(path)).attrs["time_unit"] == "frames"
    np.testing.assert_array_equal(poses_of(read_tracks(path))["time"], [0, 1, 5])


def test_people_without_numbers_are_only_ordered_and_the_tracks_say_so(tmp_path: Path) -> None:
    people = [person("body25", 100.0, person_id=[-1]), person("body25", 500.0, person_id=[-1])]
    path = folder(tmp_path, {"w_0.json": people, "w_1.json": people[::-1]})
    tracks = read_tracks(path)
    assert not tracks.identified
    assert tracks.people == ["person_0", "person_1"]
    nose_x = poses_of(tracks)["position"].sel(keypoints="nose", space="x").values
    np.testing.assert_array_equal(nose_x, [[100, 500], [500, 100]])
    with pytest.warns(GonioWarning, match="is not one person"):
        tracks.of("person_0")


def test_people_with_numbers_keep_them(tmp_path: Path) -> None:
    people = [person("body25", 100.0, person_id=[7]), person("body25", 500.0, person_id=[3])]
    tracks = read_tracks(folder(tmp_path, {"w_0.json": people, "w_1.json": people[:1]}))
    assert tracks.identified
    assert tracks.people == ["person_3", "person_7"]
    nose_x = poses_of(tracks)["position"].sel(keypoints="nose", space="x").values
    np.testing.assert_array_equal(nose_x, [[500, 100], [np.nan, 100]])


def test_three_zeros_are_not_seen_but_a_point_of_confidence_zero_is(tmp_path: Path) -> None:
    some = person("body25")
    values = some["pose_keypoints_2d"]
    assert isinstance(values, list)
    values[:6] = [0, 0, 0, 12.5, 0, 0]
    tracks = read_tracks(folder(tmp_path, {"w_0.json": [some]}))
    np.testing.assert_array_equal(
        poses_of(tracks)["position"].values[0, :, :2, 0].T, [[np.nan, np.nan], [12.5, 0]]
    )
    np.testing.assert_array_equal(poses_of(tracks)["confidence"].values[0, :2, 0], [0, 0])


def test_hands_and_faces_are_not_read_and_that_is_said(tmp_path: Path) -> None:
    path = folder(tmp_path, {"w_0.json": [person("body25", face_keypoints_2d=[1.0, 2.0, 0.3])]})
    with pytest.warns(GonioWarning, match="faces and hands"):
        read_tracks(path)


@pytest.mark.parametrize("skeleton", ["coco17", "halpe26", "blazepose33"])
def test_everything_comes_back_except_the_rate(tmp_path: Path, skeleton: str) -> None:
    tracks = two_people(skeleton=skeleton)
    with pytest.warns(GonioWarning, match=r"cannot hold it: frame rate \(50/s\)"):
        write_tracks(tmp_path / "w", tracks, format="openpose")
    names = sorted(p.name for p in (tmp_path / "w").iterdir())
    assert names[1] == "w_000000000001_keypoints.json"
    again = read_tracks(tmp_path / "w", fps=50.0)
    assert again.identified
    assert_same_poses(tracks, again)


def test_float32_is_written_as_short_as_it_reads(tmp_path: Path) -> None:
    tracks = two_people(fps=None, skeleton="coco17")
    poses = poses_of(tracks).isel(time=[3], individuals=[0]).copy(deep=True)
    poses["position"] = (poses["position"] * 0 + 505.232).astype(np.float32)
    write_tracks(tmp_path / "w", Tracks(poses=poses, skeleton=tracks.skeleton), format="openpose")
    (file,) = (tmp_path / "w").iterdir()
    assert "505.232,505.232," in file.read_text()


def test_a_point_without_confidence_is_given_1_with_a_warning(tmp_path: Path) -> None:
    tracks = two_people(fps=None, skeleton="coco17")
    poses_of(tracks)["confidence"].values[:] = np.nan
    with pytest.warns(GonioWarning, match="points without confidence were given 1"):
        write_tracks(tmp_path / "w", tracks, format="openpose")
    again = poses_of(read_tracks(tmp_path / "w"))
    seen = np.isfinite(again["position"].values).all(axis=1)
    assert (again["confidence"].values[seen] == 1).all()


def test_names_that_the_number_of_points_cannot_tell_are_named_as_lost(tmp_path: Path) -> None:
    tracks = two_people(fps=None)
    with pytest.warns(GonioWarning, match="cannot hold it: names of the keypoints"):
        write_tracks(tmp_path / "w", tracks, format="openpose")
    with pytest.raises(FormatError, match="6 points tell no skeleton"):
        read_tracks(tmp_path / "w")
    assert_same_poses(tracks, read_tracks(tmp_path / "w", skeleton="lower6"))


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    tracks = two_people(fps=None, skeleton="coco17")
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.docx").write_text("years of work")
    with pytest.raises(OutputError, match="holds other files too"):
        write_tracks(home, tracks, format="openpose", overwrite=True)
    assert (home / "thesis.docx").read_text() == "years of work"
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


def test_a_folder_of_json_is_replaced_only_when_asked(tmp_path: Path) -> None:
    tracks = two_people(fps=None, skeleton="coco17")
    write_tracks(tmp_path / "w", tracks, format="openpose")
    with pytest.raises(OutputError, match="exists already"):
        write_tracks(tmp_path / "w", tracks, format="openpose")
    short = Tracks(poses=poses_of(tracks).isel(time=[0]), skeleton=tracks.skeleton)
    write_tracks(tmp_path / "w", short, format="openpose", overwrite=True)
    assert len(list((tmp_path / "w").iterdir())) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ({"a_0.json": [], "b_0.json": []}, "files of several recordings"),
        ({"a_0.json": [], "a_00.json": []}, "are one frame"),
        ({"first.json": []}, "holds no frame number"),
        ({"a_0.json": []}, "nobody in any frame"),
        ({"a_0.json": [{"pose_keypoints_2d": [1.0] * 12}]}, "4 points tell no skeleton"),
        ({"a_0.json": [{"pose_keypoints_2d": [1.0] * 5}]}, "no JSON of OpenPose"),
        ({"a_0.json": [{"keypoints": []}]}, "no JSON of OpenPose"),
        ({"a_0.json": [{"pose_keypoints_2d": [5.0] * 75}]}, "do not tell BODY_25 from"),
        (
            {"a_0.json": [person("body25")], "a_1.json": [{"pose_keypoints_2d": [1.0] * 51}]},
            "people with 17 and 25 points",
        ),
    ],
)
def test_a_broken_folder_is_refused(
    tmp_path: Path, frames: dict[str, list[dict[str, object]]], message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        read_tracks(folder(tmp_path, frames))


def test_a_folder_without_json_and_a_wrong_skeleton_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"a folder without \.json files"):
        read_tracks(tmp_path)
    path = folder(tmp_path, {"w_0.json": [person("body25")]})
    with pytest.raises(FormatError, match="25 points, but the skeleton 'coco17' has 17"):
        read_tracks(path, skeleton="coco17")
    with pytest.raises(InputError, match="fps must be a positive number"):
        read_tracks(path, fps=0.0)


def test_a_single_file_is_a_picture(tmp_path: Path) -> None:
    path = folder(tmp_path, {"photo.json": [person("body25")]})
    assert poses_of(read_tracks(path / "photo.json")).sizes["time"] == 1
