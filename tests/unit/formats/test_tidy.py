"""Gonio's own CSV: columns, order of rows, clocks, broken tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gonio.errors import FormatError, GonioWarning
from gonio.formats import Tracks, read_tracks, write_tracks
from gonio.poses import make_angles
from gonio.skeletons import load_skeleton
from unit.formats.worlds import assert_same_poses, poses_of, two_people

GOOD = (
    "time_s,frame,person,keypoint,x_px,y_px,confidence\n"
    "0.0,0,ann,NA,1,2,0.5\n"
    "0.0,0,ann,knee,3,4,\n"
    "0.1,2,ann,NA,,,\n"
)


def test_rows_are_observations_and_what_has_no_row_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    tracks = read_tracks(tmp_path / "a.csv")
    poses = poses_of(tracks)
    assert list(poses["keypoints"].values) == ["NA", "knee"]
    np.testing.assert_array_equal(
        poses["position"].values[..., 0], [[[1, 3], [2, 4]], [[np.nan] * 2] * 2]
    )
    np.testing.assert_array_equal(poses["confidence"].values[..., 0], [[0.5, np.nan], [np.nan] * 2])
    assert poses.attrs["fps"] == 20  # frame 2 stands at 0.1 s
    lines = GOOD.splitlines()
    (tmp_path / "b.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    again = poses_of(read_tracks(tmp_path / "b.csv")).sel(keypoints=["NA", "knee"])
    np.testing.assert_array_equal(again["position"], poses["position"])


@pytest.mark.parametrize("fps", [50.0, 30000 / 1001, None])
def test_keypoints_come_back_exactly(tmp_path: Path, fps: float | None) -> None:
    tracks = two_people(fps)
    filled = np.zeros(poses_of(tracks)["confidence"].shape, bool)
    filled[1, 2, 0] = True
    poses_of(tracks)["filled"] = (("time", "keypoints", "individuals"), filled)
    write_tracks(tmp_path / "a.csv", tracks)
    again = read_tracks(tmp_path / "a.csv")
    assert_same_poses(tracks, again)
    np.testing.assert_array_equal(poses_of(again)["filled"], filled)
    assert poses_of(again).attrs["time_unit"] == poses_of(tracks).attrs["time_unit"]
    if fps:
        assert poses_of(again).attrs["fps"] == pytest.approx(fps, rel=1e-11)


@given(
    arrays(
        np.float64, (2, 2, 6, 1),
        elements=st.floats(allow_infinity=False, allow_nan=True, width=64),
    )
)  # fmt: skip
def test_any_number_comes_back_exactly(values: np.ndarray) -> None:
    tracks = two_people()
    poses = poses_of(tracks).isel(time=[0, 1], individuals=[0]).copy(deep=True)
    poses["position"] = poses["position"].copy(data=values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        write_tracks(path, Tracks(poses=poses, skeleton=load_skeleton("lower6")))
        again = poses_of(read_tracks(path))
    np.testing.assert_array_equal(again["position"].values, values)


def test_an_evaluations_angles_are_read_and_people_get_their_names(tmp_path: Path) -> None:
    (tmp_path / "angles.csv").write_text(
        "time_s,frame,person,angle,value_deg,facing,filled\n"
        "0.0,0,0,knee_left,12.5,right,0\n"
        "0.04,1,0,knee_left,,right,0\n"
    )
    with pytest.warns(GonioWarning, match="not read: facing, filled"):
        tracks = read_tracks(tmp_path / "angles.csv")
    assert tracks.poses is None
    assert tracks.angles is not None
    assert tracks.people == ["person_0"]
    np.testing.assert_array_equal(tracks.angles["angle_deg"].values.ravel(), [12.5, np.nan])
    write_tracks(tmp_path / "a.mot", tracks)
    assert "knee_angle_l" in (tmp_path / "a.mot").read_text()


def test_angles_and_translations_come_back_exactly(tmp_path: Path) -> None:
    angles = make_angles(
        np.array([[[1 / 3], [-7.25]], [[np.nan], [90.0]]]),
        time_s=[0, 0.01], names=["knee_left", "trunk"], individuals=["person_0"],
    )  # fmt: skip
    angles["translation_m"] = (("time", "translation", "individuals"), [[[0.9]], [[0.91]]])
    angles = angles.assign_coords(translation=["pelvis_ty"])
    write_tracks(tmp_path / "a.csv", Tracks(angles=angles))
    again = read_tracks(tmp_path / "a.csv").angles
    assert again is not None
    for name in ("angle_deg", "translation_m", "time", "angle", "translation"):
        np.testing.assert_array_equal(again[name].values, angles[name].values)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("keypoint", "joint", "neither a column 'keypoint' nor 'angle'"),
        ("person", "persn", r"no column 'person' \(did you mean 'persn'"),
        ("time_s,frame", "t,f", "neither a column 'time_s' nor 'frame'"),
        ("x_px,y_px", "x_px,y", "must have the columns x_px, y_px or x_m, y_m, z_m"),
        ("1,2,0.5", "one,2,0.5", "line 2, column 'x_px': 'one' is not a number"),
        ("ann,knee", "ann,NA", "line 3: this observation stood above"),
        ("0.0,0,ann,knee", "0.2,0,ann,knee", "line 3: another time than"),
        ("0.0,0,ann,knee", ",0,ann,knee", "line 3: no time, though"),
        ("0.1,2", "0.1,1.5", "line 4: the frame is no whole number"),
        ("0.1,2", "-0.1,2", "time does not increase"),
        ("0.5", "1.5", ""),
    ],
)
@pytest.mark.filterwarnings("ignore::gonio.errors.GonioWarning")
def test_a_broken_table_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    from gonio.errors import InputError

    assert old in GOOD
    (tmp_path / "a.csv").write_text(GOOD.replace(old, new, 1))
    if not message:
        assert poses_of(read_tracks(tmp_path / "a.csv"))["confidence"].max() == 1
        return
    with pytest.raises(InputError, match=message):
        read_tracks(tmp_path / "a.csv", format="csv")


def test_an_empty_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    for content in (b"", bytes(range(256))):
        (tmp_path / "a.csv").write_bytes(content)
        with pytest.raises(FormatError, match=r"a\.csv"):
            read_tracks(tmp_path / "a.csv")


def test_a_rate_is_asked_of_formats_that_need_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD.replace("0.0,", ",").replace("0.1,", ","))
    assert poses_of(read_tracks(tmp_path / "a.csv")).attrs["time_unit"] == "frames"
    np.testing.assert_allclose(
        poses_of(read_tracks(tmp_path / "a.csv", fps=10.0))["time"], [0, 0.2]
    )


def test_another_rate_than_the_files_own_does_not_count_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    with pytest.warns(GonioWarning, match="says 20 frames/s itself, the 30 asked for"):
        poses = poses_of(read_tracks(tmp_path / "a.csv", fps=30.0))
    np.testing.assert_array_equal(poses["time"], [0, 0.1])
