"""DeepLabCut's tables: layouts, likelihood, pictures, and files that would run code."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from gonio.errors import FormatError, GonioWarning, MissingExtraError
from gonio.formats import Tracks, read_tracks, write_tracks
from unit.formats.worlds import assert_same_poses, poses_of, two_people

ONE = (
    "scorer,net,net,net,net,net,net\n"
    "bodyparts,hip,hip,hip,knee,knee,knee\n"
    "coords,x,y,likelihood,x,y,likelihood\n"
    "0,1.5,2,0.9,3,4,0.8\n"
    "1,,,0.1,5,6,0.7\n"
)
MANY = (
    "scorer,me,me,me,me,me,me\n"
    "individuals,ann,ann,bob,bob,single,single\n"
    "bodyparts,hip,hip,hip,hip,ball,ball\n"
    "coords,x,y,x,y,x,y\n"
    "labeled-data/v/img012.png,1,2,3,4,5,6\n"
    "labeled-data/v/img003.png,7,8,,,,\n"
)


def test_one_animals_table_is_read_with_likelihood_as_confidence(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ONE)
    tracks = read_tracks(tmp_path / "a.csv", fps=25.0)
    poses = poses_of(tracks)
    np.testing.assert_array_equal(poses["time"], [0, 0.04])
    np.testing.assert_array_equal(
        poses["position"].sel(keypoints="knee").values[..., 0], [[3, 4], [5, 6]]
    )
    assert np.isnan(poses["position"].sel(keypoints="hip").values[1]).all()
    np.testing.assert_array_equal(poses["confidence"].values[..., 0], [[0.9, 0.8], [0.1, 0.7]])
    assert (tracks.people, poses.attrs["scorer"]) == (["person_0"], "net")


def test_several_animals_are_read_and_pictures_are_put_in_the_videos_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(MANY)
    tracks = read_tracks(tmp_path / "a.csv")
    poses = poses_of(tracks)
    assert tracks.people == ["ann", "bob", "single"]
    np.testing.assert_array_equal(poses["time"], [3, 12])
    assert list(poses["image"].values) == ["labeled-data/v/img003.png", "labeled-data/v/img012.png"]
    ann = poses["position"].sel(individuals="ann", keypoints="hip").values
    np.testing.assert_array_equal(ann, [[7, 8], [1, 2]])
    assert np.isnan(poses["confidence"].values).all()
    write_tracks(tmp_path / "b.csv", tracks, format="deeplabcut")
    rows = (tmp_path / "b.csv").read_text().splitlines()
    assert rows[1] == "individuals,ann,ann,bob,bob,single,single"
    assert rows[4:] == [
        "labeled-data/v/img003.png,7.0,8.0,,,,",
        "labeled-data/v/img012.png,1.0,2.0,3.0,4.0,5.0,6.0",
    ]


def test_a_pictures_path_in_three_columns_is_the_same_path(tmp_path: Path) -> None:
    split = ONE.replace("scorer,", "scorer,,,").replace("bodyparts,", "bodyparts,,,")
    split = split.replace("coords,", "coords,,,").replace("\n0,", "\nlabeled-data,v,img1.png,")
    (tmp_path / "a.csv").write_text(split.replace("\n1,", "\nlabeled-data,v,img2.png,"))
    poses = poses_of(read_tracks(tmp_path / "a.csv"))
    assert poses["image"].values[0] == "labeled-data/v/img1.png"
    np.testing.assert_array_equal(poses["time"], [1, 2])


def test_pictures_of_several_recordings_are_counted_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(MANY.replace("v/img003", "w/img003"))
    with pytest.warns(GonioWarning, match="2 recordings"):
        poses = poses_of(read_tracks(tmp_path / "a.csv"))
    np.testing.assert_array_equal(poses["time"], [0, 1])


@pytest.mark.parametrize("name", ["a.csv", "a.h5"])
@pytest.mark.parametrize("people", [1, 2])
def test_everything_comes_back_except_the_rate(tmp_path: Path, name: str, people: int) -> None:
    tracks = two_people()
    poses = poses_of(tracks).isel(individuals=slice(people))
    tracks = Tracks(poses=poses, skeleton=tracks.skeleton)
    with pytest.warns(GonioWarning, match=r"cannot hold it: frame rate \(50/s\)"):
        write_tracks(tmp_path / name, tracks, format="deeplabcut")
    assert_same_poses(tracks, read_tracks(tmp_path / name, fps=50.0))


def test_the_movement_package_reads_what_is_written(tmp_path: Path) -> None:
    load_poses = pytest.importorskip("movement.io.load_poses")
    tracks = two_people(fps=None)
    for name in ("a.csv", "a.h5"):
        write_tracks(tmp_path / name, tracks, format="deeplabcut")
        theirs = load_poses.from_dlc_file(tmp_path / name)
        ours = poses_of(tracks)
        order = tuple(theirs["position"].dims)
        np.testing.assert_array_equal(theirs["position"], ours["position"].transpose(*order))
        np.testing.assert_array_equal(
            theirs["confidence"], ours["confidence"].transpose(*theirs["confidence"].dims)
        )


@pytest.mark.parametrize("project", ["dlc_openfield", "dlc_reaching"])
def test_real_labels_are_the_same_in_both_files_and_come_back(
    shared: Path, tmp_path: Path, project: str
) -> None:
    (table,) = (shared / "data" / "labels" / project).glob("labeled-data/*/*.csv")
    tracks = read_tracks(table)
    assert_same_poses(tracks, read_tracks(table.with_suffix(".h5")))
    write_tracks(tmp_path / "a.csv", tracks, format="deeplabcut")
    ours = pd.read_csv(tmp_path / "a.csv", header=[0, 1, 2], index_col=0)
    theirs = pd.read_csv(table, header=[0, 1, 2], index_col=0)
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scorer,", "judge,", "neither a column 'keypoint' nor 'angle'"),
        ("coords,", "axes,", "first rows must begin with"),
        ("likelihood", "z", "unknown coordinate 'z'"),
        ("knee,knee,knee", "hip,hip,hip", "'hip, x' stands twice"),
        ("net,net\n", "net,other\n", "2 scorers"),
        ("0.8\n", "high\n", "line 4: could not convert"),
        ("0.8\n", "\n", ""),
        ("0.8\n", "0.8,9\n", "line 4: 8 columns, expected 7"),
        ("\n1,", "\n0,", "number stands twice"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in ONE
    (tmp_path / "a.csv").write_text(ONE.replace(old, new))
    if not message:
        read_tracks(tmp_path / "a.csv")  # an empty cell is 'not known'
        return
    with pytest.raises(FormatError, match=message):
        read_tracks(tmp_path / "a.csv")


def test_a_likelihood_above_1_is_cut_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ONE.replace("0.9", "1.2"))
    with pytest.warns(GonioWarning, match="1 values of confidence lay outside"):
        poses = poses_of(read_tracks(tmp_path / "a.csv"))
    assert poses["confidence"].values.max() == 1


class Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("owned"),))  # type: ignore[return-value]


def test_a_file_that_would_run_code_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pickle

    monkeypatch.chdir(tmp_path)
    write_tracks(tmp_path / "a.h5", two_people(fps=None), format="deeplabcut")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["df_with_missing"].attrs["info"] = np.bytes_(pickle.dumps(Exploit(), 0))
    with pytest.raises(FormatError, match="would run code"):
        read_tracks(tmp_path / "a.h5")
    assert not (tmp_path / "owned").exists()


def test_another_hdf5_file_and_a_broken_one_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(FormatError, match="no format of tracks is recognized"):
        read_tracks(tmp_path / "a.h5")
    with pytest.raises(FormatError, match="no table 'df_with_missing'"):
        read_tracks(tmp_path / "a.h5", format="deeplabcut")
    (tmp_path / "b.h5").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="no HDF5 file"):
        read_tracks(tmp_path / "b.h5", format="deeplabcut")
    pd.DataFrame({"a": [1.0]}).to_hdf(tmp_path / "c.h5", key="df_with_missing")
    with pytest.raises(FormatError, match="not a DeepLabCut table"):
        read_tracks(tmp_path / "c.h5")


def test_without_tables_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tables", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gonio\[formats\]'"):
        write_tracks(tmp_path / "a.h5", two_people(fps=None))
    assert not list(tmp_path.iterdir())
