"""Formats that other packages read and write for us: SLEAP and NWB."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from gonio.errors import FormatError, GonioWarning, InputError, MissingExtraError
from gonio.formats import Tracks, read_tracks, write_tracks
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton
from unit.formats.worlds import assert_same_poses, poses_of, two_people

sio = pytest.importorskip("sleap_io", reason="the extra 'formats' is not installed")


def test_everything_but_the_rate_comes_back_from_sleap(tmp_path: Path) -> None:
    tracks = two_people()
    with pytest.warns(GonioWarning, match=r"cannot hold it: frame rate \(50/s\)"):
        write_tracks(tmp_path / "a.slp", tracks)
    again = read_tracks(tmp_path / "a.slp", fps=50.0)
    assert again.identified
    assert_same_poses(tracks, again)
    labels = sio.load_slp(str(tmp_path / "a.slp"), open_videos=False)
    edges = {tuple(e) for e in load_skeleton("lower6").edges}
    nodes = labels.skeletons[0].node_names
    assert {(nodes[a], nodes[b]) for a, b in labels.skeletons[0].edge_inds} <= edges


def sleap_file(path: Path, instances: list[list[object]]) -> Path:
    video = sio.Video(filename="v.mp4", open_backend=False)
    frames = [
        sio.LabeledFrame(video=video, frame_idx=i + 4, instances=row)
        for i, row in enumerate(instances)
    ]
    sio.save_slp(sio.Labels(labeled_frames=frames), str(path), verbose=False)
    return path


def test_a_label_replaces_the_prediction_it_corrects(tmp_path: Path) -> None:
    skeleton, track = sio.Skeleton(nodes=["a", "b"]), sio.Track("mouse")
    guess = sio.PredictedInstance.from_numpy(
        np.array([[1.0, 2.0], [3.0, 4.0]]), skeleton=skeleton, track=track,
        point_scores=np.array([0.5, 1.25]), score=0.9,
    )  # fmt: skip
    truth = sio.Instance.from_numpy(
        np.array([[9.0, 8.0], [np.nan, np.nan]]), skeleton=skeleton, track=track
    )
    path = sleap_file(tmp_path / "a.slp", [[guess], [guess, truth]])
    with pytest.warns(GonioWarning, match="1 values of confidence lay outside"):
        tracks = read_tracks(path, fps=2.0)
    poses = poses_of(tracks)
    assert tracks.people == ["mouse"]
    np.testing.assert_array_equal(poses["time"], [2.0, 2.5])
    np.testing.assert_array_equal(poses["position"].values[:, 0, :, 0], [[1, 3], [9, np.nan]])
    np.testing.assert_array_equal(poses["confidence"].values[..., 0], [[0.5, 1], [np.nan] * 2])


def test_instances_without_tracks_are_only_ordered(tmp_path: Path) -> None:
    skeleton = sio.Skeleton(nodes=["a"])
    some = [sio.Instance.from_numpy(np.array([[x, 0.0]]), skeleton=skeleton) for x in (1.0, 2.0)]
    tracks = read_tracks(sleap_file(tmp_path / "a.slp", [some]))
    assert not tracks.identified
    assert tracks.people == ["person_0", "person_1"]


def test_several_videos_and_broken_files_are_refused(tmp_path: Path) -> None:
    skeleton = sio.Skeleton(nodes=["a"])
    frames = [
        sio.LabeledFrame(
            video=sio.Video(filename=f"{n}.mp4", open_backend=False), frame_idx=0,
            instances=[sio.Instance.from_numpy(np.array([[1.0, 2.0]]), skeleton=skeleton)],
        )
        for n in "ab"
    ]  # fmt: skip
    sio.save_slp(sio.Labels(labeled_frames=frames), str(tmp_path / "a.slp"), verbose=False)
    with pytest.raises(FormatError, match="2 videos"):
        read_tracks(tmp_path / "a.slp")
    (tmp_path / "b.slp").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="cannot be read as a SLEAP file"):
        read_tracks(tmp_path / "b.slp")


@pytest.mark.parametrize("fps", [50.0, 30000 / 1001])
def test_everything_comes_back_from_nwb_in_its_32_bits(tmp_path: Path, fps: float) -> None:
    tracks = two_people(fps)
    write_tracks(tmp_path / "a.nwb", tracks)
    again = read_tracks(tmp_path / "a.nwb")
    ours, theirs = poses_of(tracks), poses_of(again)
    for name in ("position", "confidence"):
        np.testing.assert_array_equal(
            theirs[name].values.astype(np.float32), ours[name].values.astype(np.float32)
        )
    for name in ("time", "keypoints", "individuals"):
        np.testing.assert_array_equal(theirs[name].values, ours[name].values)
    assert theirs.attrs["fps"] == pytest.approx(fps, rel=1e-11)


def test_people_and_space_keep_their_order_in_nwb(tmp_path: Path) -> None:
    people = [f"person_{i}" for i in range(11)]
    poses = make_poses(
        np.arange(2 * 3 * 6 * 11).reshape(2, 3, 6, 11) / 7, np.full((2, 6, 11), np.nan),
        time_s=[0, 1], skeleton=load_skeleton("lower6"), individuals=people,
    )  # fmt: skip
    write_tracks(tmp_path / "a.nwb", Tracks(poses=poses, skeleton=load_skeleton("lower6")))
    again = read_tracks(tmp_path / "a.nwb")
    assert again.people == people
    np.testing.assert_array_equal(
        poses_of(again)["position"].values.astype(np.float32), poses["position"].values
    )


def test_nwb_refuses_names_with_a_slash_and_files_without_poses(tmp_path: Path) -> None:
    import pynwb

    poses = poses_of(two_people()).assign_coords(individuals=["a/b", "c"])
    with pytest.raises(InputError, match="cannot hold the name 'a/b'"):
        write_tracks(tmp_path / "a.nwb", Tracks(poses=poses))
    assert not list(tmp_path.iterdir())
    from datetime import UTC, datetime

    empty = pynwb.NWBFile("nothing", "id", datetime(2020, 1, 1, tzinfo=UTC))
    with pynwb.NWBHDF5IO(str(tmp_path / "b.nwb"), "w") as io:
        io.write(empty)
    with pytest.raises(FormatError, match="holds no keypoints"):
        read_tracks(tmp_path / "b.nwb")
    (tmp_path / "c.nwb").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="cannot be read as NWB"):
        read_tracks(tmp_path / "c.nwb")


@pytest.mark.parametrize(("module", "suffix"), [("sleap_io", ".slp"), ("pynwb", ".nwb")])
def test_without_their_packages_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, suffix: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gonio\[formats\]'"):
        write_tracks(tmp_path / f"a{suffix}", two_people(None if suffix == ".slp" else 50.0))
    assert not list(tmp_path.iterdir())
