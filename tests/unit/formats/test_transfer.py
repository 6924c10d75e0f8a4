"""The registry and the two doors: telling formats, refusing, naming what is lost, whole files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gonio.errors import FormatError, GonioWarning, InputError, OutputError, UnknownNameError
from gonio.formats import (
    Tracks,
    detect_format,
    find_format,
    read_tracks,
    track_formats,
    write_tracks,
)
from gonio.formats.tracks import rate_from_times
from gonio.formats.whole import whole_file
from gonio.poses import make_angles
from unit.formats.worlds import assert_same_poses, poses_of, two_people

EVERY = [f.name for f in track_formats()]


def flat_file(tmp_path: Path, name: str) -> Path:
    """One person of the small world in a format, under a name with its suffix."""
    chosen = find_format(name)
    path = tmp_path / f"a{chosen.suffixes[-1] if name != 'openpose' else ''}"
    if name == "mot":
        angles = make_angles(
            [[[1.0]], [[2.0]]], time_s=[0, 0.1], names=["knee_left"], individuals=["person_0"]
        )
        write_tracks(path, Tracks(angles=angles))
    else:
        tracks = two_people(skeleton="coco17")
        write_tracks(path, tracks, format=name, person="person_0", px_per_m=100.0)
    return path


@pytest.mark.filterwarnings("ignore::gonio.errors.GonioWarning")
@pytest.mark.parametrize("name", EVERY)
def test_every_format_is_told_by_its_suffix_and_by_its_content(tmp_path: Path, name: str) -> None:
    path = flat_file(tmp_path, name)
    assert detect_format(path).name == name
    if path.is_file():
        bare = path.rename(tmp_path / "download.bin")
        assert detect_format(bare).name == name


@pytest.mark.filterwarnings("ignore::gonio.errors.GonioWarning")
@pytest.mark.parametrize("name", EVERY)
def test_no_format_leaves_anything_else_or_replaces_unasked(tmp_path: Path, name: str) -> None:
    path = flat_file(tmp_path, name)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    tracks = read_tracks(path, fps=50.0)
    with pytest.raises(OutputError, match="exists already"):
        write_tracks(path, tracks, format=name)
    write_tracks(path, tracks, format=name, overwrite=True, px_per_m=100.0)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.filterwarnings("ignore::gonio.errors.GonioWarning")
@pytest.mark.parametrize("name", EVERY)
def test_a_missing_confidence_is_never_made_up(tmp_path: Path, name: str) -> None:
    if name in ("openpose", "mot"):  # OpenPose's 0 is 'not seen': tested there; no keypoints
        return
    tracks = two_people(skeleton="coco17").of("person_0")
    poses_of(tracks)["confidence"].values[:] = np.nan
    path = tmp_path / f"a{find_format(name).suffixes[-1]}"
    write_tracks(path, tracks, format=name, px_per_m=100.0)
    assert np.isnan(poses_of(read_tracks(path))["confidence"].values).all()


@pytest.mark.parametrize("name", EVERY)
def test_a_folder_that_is_missing_is_an_error_and_nothing_else(tmp_path: Path, name: str) -> None:
    suffix = find_format(name).suffixes[-1] if name != "openpose" else ""
    tracks = two_people(None if name == "openpose" else 50.0, skeleton="coco17")
    if name == "mot":
        angles = make_angles([[[1.0]]], time_s=[0], names=["knee_left"], individuals=["a"])
        tracks = Tracks(angles=angles)
    with pytest.raises(OutputError, match="cannot be written"):
        write_tracks(
            tmp_path / "no" / f"a{suffix}", tracks, format=name, px_per_m=9.0,
            person=None if name == "mot" else "person_0",
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_events_covariance_and_everything_else_come_back_from_netcdf(tmp_path: Path) -> None:
    tracks = two_people()
    events = tracks.events.copy()
    events.loc[0] = ["heel_strike", "left", 0.02]
    shape = (4, 2, 2, 6, 2)
    dims = ("time", "space", "space_b", "keypoints", "individuals")
    poses_of(tracks)["covariance"] = (dims, np.arange(np.prod(shape)).reshape(shape) / 3)
    full = Tracks(poses=tracks.poses, skeleton=tracks.skeleton, events=events)
    write_tracks(tmp_path / "a.nc", full)
    again = read_tracks(tmp_path / "a.nc")
    assert_same_poses(full, again)
    np.testing.assert_array_equal(poses_of(again)["covariance"], poses_of(full)["covariance"])
    assert again.events.to_dict("records") == events.to_dict("records")
    with pytest.warns(GonioWarning, match="covariance, 1 events"):
        write_tracks(tmp_path / "a.csv", again)


def test_frames_become_seconds_when_the_rate_is_given(tmp_path: Path) -> None:
    write_tracks(tmp_path / "a.nc", two_people(None))
    assert poses_of(read_tracks(tmp_path / "a.nc")).attrs["time_unit"] == "frames"
    poses = poses_of(read_tracks(tmp_path / "a.nc", fps=25.0))
    np.testing.assert_allclose(poses["time"], [0, 0.04, 0.08, 0.12])
    assert (poses.attrs["time_unit"], poses.attrs["fps"]) == ("seconds", 25)


def test_the_built_in_skeletons_order_is_restored_whatever_the_files(tmp_path: Path) -> None:
    tracks = two_people()
    turned = Tracks(poses=poses_of(tracks).isel(keypoints=slice(None, None, -1)))
    write_tracks(tmp_path / "a.csv", turned)
    assert_same_poses(tracks, read_tracks(tmp_path / "a.csv"))


def test_foreign_names_stay_as_they_are(tmp_path: Path) -> None:
    poses = poses_of(two_people()).assign_coords(
        keypoints=["R.ASIS", "1", "Nase vorn", "x", "Y", "é"]
    )
    write_tracks(tmp_path / "a.nc", Tracks(poses=poses))
    again = read_tracks(tmp_path / "a.nc")
    assert again.skeleton is not None
    assert again.skeleton.keypoints == ("R.ASIS", "1", "Nase vorn", "x", "Y", "é")


def test_unknown_formats_and_suffixes_offer_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.trc").write_text("x")
    with pytest.raises(UnknownNameError, match=r"unknown format 'trk'.*did you mean 'trc'"):
        read_tracks(tmp_path / "a.trc", format="trk")
    with pytest.raises(UnknownNameError, match=r"unknown suffix '\.scv' \(did you mean '\.csv'"):
        write_tracks(tmp_path / "a.scv", two_people())
    with pytest.raises(InputError, match="no suffix tells the format"):
        write_tracks(tmp_path / "a", two_people())
    with pytest.raises(InputError, match=r"ends in \.slp"):
        write_tracks(tmp_path / "a.nc", two_people(), format="sleap")
    (tmp_path / "b.xyz").write_text("hello")
    with pytest.raises(FormatError, match="--from"):
        read_tracks(tmp_path / "b.xyz")
    with pytest.raises(FormatError, match="No such file"):
        read_tracks(tmp_path / "none.csv")


def test_what_a_format_cannot_hold_at_all_is_refused_and_those_that_can_are_named(
    tmp_path: Path,
) -> None:
    angles = make_angles([[[1.0]]], time_s=[0], names=["trunk"], individuals=["person_0"])
    with pytest.raises(InputError, match=r"cannot hold angles\. Formats that can: csv, mot"):
        write_tracks(tmp_path / "a.slp", Tracks(angles=angles))
    with pytest.raises(InputError, match="none of the angles is an OpenSim coordinate"):
        write_tracks(tmp_path / "a.mot", Tracks(angles=angles))
    with pytest.raises(InputError, match="no person 'bob'"):
        write_tracks(tmp_path / "a.csv", two_people(), person="bob")
    assert not list(tmp_path.iterdir())


def test_a_rate_is_found_though_frames_are_missing() -> None:
    assert rate_from_times(np.array([5, 20, 21, 28, 30]) / 60) == 60
    assert rate_from_times(np.array([0, 0.007, 0.013, 0.02])) == pytest.approx(150)
    assert rate_from_times(np.arange(1000) * 1001 / 30000) == pytest.approx(30000 / 1001, rel=1e-11)
    assert rate_from_times(np.array([0, 0.1, 0.24])) == pytest.approx(1 / 0.12)
    assert rate_from_times(np.array([0.5])) is None


def test_a_write_that_fails_midway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb"
    path.write_text("old")

    def fail() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="the disk is full"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_on_formats_tells_of_each() -> None:
    page = Path(__file__).parents[3] / "docs" / "formats.md"
    text = page.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in EVERY)
