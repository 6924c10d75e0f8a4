"""C3D: clock, axes, units, what is a marker, events; and machines without ezc3d."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gonio.errors import FormatError, GonioWarning, InputError, MissingExtraError, OutputError
from gonio.formats import Tracks, read_tracks, write_tracks
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton
from unit.formats.worlds import assert_same_poses, poses_of, two_people

ezc3d = pytest.importorskip("ezc3d", reason="no ezc3d on this machine")


def lab_file(path: Path, **more: list[Any]) -> Path:
    """Two frames of marker A at (1, 2, 3) mm, raw frames 11 and 12 at 10 Hz, Z up."""
    file = ezc3d.c3d()
    file["header"]["points"]["first_frame"] = 10
    point = file["parameters"]["POINT"]
    point["RATE"]["value"] = [10.0]
    point["LABELS"]["value"] = more.pop("LABELS", ["A"])
    point["UNITS"]["value"] = ["mm"]
    settings = {"X_SCREEN": ["+X"], "Y_SCREEN": ["+Z"]} | more
    for key, value in settings.items():
        file.add_parameter("POINT", key, value)
    count = len(point["LABELS"]["value"])
    points = np.ones((4, count, 2))
    points[:3] = np.array([1.0, 2.0, 3.0])[:, None, None]
    file["data"]["points"] = points
    file.write(str(path))
    return path


def moving(frames: int = 3) -> Tracks:
    """Six markers in metres, y up, one hidden for a frame, beginning at 2.48 s."""
    chosen = load_skeleton("lower6")
    position = np.random.default_rng(1).uniform(-3, 3, (frames, 3, 6, 1)).astype(np.float32)
    position[1, :, 2] = np.nan
    poses = make_poses(
        position, np.full((frames, 6, 1), np.nan), time_s=(np.arange(frames) + 248) / 100,
        skeleton=chosen, fps=100.0,
    )  # fmt: skip
    events = pd.DataFrame(
        {
            "type": ["heel_strike", "toe_off", "Jump"],
            "side": ["left", "right", ""],
            "time_s": [2.49, 2.5, 61.25],
        }
    )
    return Tracks(poses=poses, skeleton=chosen, events=events)


def test_the_clock_counts_raw_frames_from_1_and_the_labs_up_becomes_y(tmp_path: Path) -> None:
    poses = poses_of(read_tracks(lab_file(tmp_path / "a.c3d")))
    np.testing.assert_allclose(poses["time"], [1.0, 1.1])  # (11 − 1) / 10
    np.testing.assert_allclose(poses["position"].values[0, :, 0, 0], [0.001, 0.003, -0.002])
    assert np.isnan(poses["confidence"].values).all()


@pytest.mark.parametrize(
    ("across", "up", "expected"),
    [("+X", "+Y", (1, 2, 3)), ("-Y", "+Z", (-2, 3, -1)), ("+Y", "+Z", (2, 3, 1))],
)
def test_the_files_screen_axes_turn_but_never_mirror(
    tmp_path: Path, across: str, up: str, expected: tuple[float, ...]
) -> None:
    path = lab_file(tmp_path / "a.c3d", X_SCREEN=[across], Y_SCREEN=[up])
    position = poses_of(read_tracks(path))["position"].values[0, :, 0, 0]
    np.testing.assert_allclose(position * 1000, expected)


def test_a_file_that_names_no_axes_has_z_up_with_a_warning(tmp_path: Path) -> None:
    path = lab_file(tmp_path / "a.c3d", X_SCREEN=[""], Y_SCREEN=[""])
    with pytest.warns(GonioWarning, match="which way is up"):
        position = poses_of(read_tracks(path))["position"].values[0, :, 0, 0]
    np.testing.assert_allclose(position * 1000, [1, 3, -2])


def test_computed_angles_are_angles_and_forces_are_left_out_by_name(tmp_path: Path) -> None:
    path = lab_file(
        tmp_path / "a.c3d",
        LABELS=["A", "LKneeAngles", "LForce"], ANGLES=["LKneeAngles"], FORCES=["LForce"],
    )  # fmt: skip
    with pytest.warns(GonioWarning, match="not read: 1 forces"):
        tracks = read_tracks(path)
    assert list(poses_of(tracks)["keypoints"].values) == ["A"]
    assert tracks.angles is not None
    assert list(tracks.angles["angle"].values) == [f"LKneeAngles_{a}" for a in "xyz"]
    np.testing.assert_allclose(tracks.angles["angle_deg"].values[0, :, 0], [1, 2, 3])


def test_names_that_stand_twice_are_numbered_with_a_warning(tmp_path: Path) -> None:
    path = lab_file(tmp_path / "a.c3d", LABELS=["A", "A", "B"])
    with pytest.warns(GonioWarning, match="'A_2'"):
        assert list(poses_of(read_tracks(path))["keypoints"].values) == ["A", "A_2", "B"]


def test_markers_events_and_clock_come_back(tmp_path: Path) -> None:
    tracks = moving()
    write_tracks(tmp_path / "a.c3d", tracks)
    again = read_tracks(tmp_path / "a.c3d")
    ours, theirs = poses_of(tracks), poses_of(again)
    # 32-bit floats in millimetres: their last digit at 3 m is 0.0002 mm.
    np.testing.assert_allclose(theirs["position"], ours["position"], rtol=0, atol=2.5e-7)
    np.testing.assert_array_equal(np.isnan(theirs["position"]), np.isnan(ours["position"]))
    np.testing.assert_array_equal(theirs["time"], ours["time"])
    assert list(again.events["type"]) == ["heel_strike", "toe_off", "Jump"]
    assert list(again.events["side"]) == ["left", "right", ""]
    np.testing.assert_allclose(again.events["time_s"], [2.49, 2.5, 61.25], atol=1e-6)
    write_tracks(tmp_path / "b.c3d", again)
    assert_same_poses(again, read_tracks(tmp_path / "b.c3d"))


def test_frames_that_are_missing_in_between_are_invalid_ones(tmp_path: Path) -> None:
    tracks = moving(4)
    gap = Tracks(poses=poses_of(tracks).isel(time=[0, 3]), skeleton=tracks.skeleton)
    write_tracks(tmp_path / "a.c3d", gap)
    again = poses_of(read_tracks(tmp_path / "a.c3d"))
    np.testing.assert_allclose(again["time"], [2.48, 2.49, 2.5, 2.51])
    assert np.isnan(again["position"].values[1:3]).all()


def test_pixels_need_a_scale_and_a_person(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds one person: name one with --person"):
        write_tracks(tmp_path / "a.c3d", two_people(), px_per_m=100.0)
    with pytest.raises(InputError, match="give a scale"):
        write_tracks(tmp_path / "a.c3d", two_people(), person="person_0")
    with pytest.raises(InputError, match="nothing tells the frame rate"):
        write_tracks(tmp_path / "a.c3d", two_people(None), person="person_0", px_per_m=100.0)
    assert not list(tmp_path.iterdir())
    with pytest.warns(GonioWarning, match="cannot hold it: confidence"):
        write_tracks(tmp_path / "a.c3d", two_people(), person="person_0", px_per_m=100.0)
    assert poses_of(read_tracks(tmp_path / "a.c3d")).sizes["space"] == 3


def test_more_frames_than_the_format_numbers_are_refused(tmp_path: Path) -> None:
    late = poses_of(moving()).assign_coords(time=np.arange(3) / 100 + 700)
    with pytest.raises(InputError, match="up to 65535"):
        write_tracks(tmp_path / "a.c3d", Tracks(poses=late))


def test_a_file_that_the_library_wrote_only_half_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which ezc3d itself does not notice on a full disk."""
    write = ezc3d.c3d.write

    def cut(self: Any, path: str) -> None:
        write(self, path)
        with Path(path).open("r+b") as file:
            file.truncate(Path(path).stat().st_size - 512)

    monkeypatch.setattr(ezc3d.c3d, "write", cut)
    with pytest.raises(OutputError, match="the disk is full"):
        write_tracks(tmp_path / "a.c3d", moving(50))
    assert not list(tmp_path.iterdir())


def test_real_events_share_the_markers_clock(shared: Path) -> None:
    with pytest.warns(GonioWarning, match="42 analog channels"):
        tracks = read_tracks(shared / "data" / "mocap" / "treadmill_short.c3d")
    poses, events = poses_of(tracks), tracks.events
    assert (poses["time"].values[0], poses["time"].values[-1]) == (2.48, 5.84)
    assert len(events) == 13
    assert dict(events.groupby(["type", "side"]).size()) == {
        ("heel_strike", "left"): 3, ("heel_strike", "right"): 3,
        ("toe_off", "left"): 3, ("toe_off", "right"): 4,
    }  # fmt: skip
    assert events["time_s"].between(2.48, 5.84).all()
    height = poses["position"].sel(space="y", individuals="person_0")
    assert 1.4 < float(height.sel(keypoints="LFHD").mean()) < 1.8
    # At a heel strike the heel is at its lowest within a few frames.
    heel = height.sel(keypoints="LHEE")
    for time_s in events.query("type == 'heel_strike' and side == 'left'")["time_s"]:
        near = heel.sel(time=slice(time_s - 0.05, time_s + 0.1))
        assert float(near.min()) < 0.08


def test_another_file_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"no C3D", b"\x02\x50" + bytes(600)):
        (tmp_path / "a.c3d").write_bytes(content)
        with pytest.raises(FormatError, match="C3D"):
            read_tracks(tmp_path / "a.c3d")


def test_without_ezc3d_the_error_names_the_extra_and_on_arm64_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lab_file(tmp_path / "a.c3d")
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    with pytest.raises(MissingExtraError, match=r"pip install 'gonio\[formats\]'"):
        read_tracks(path)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(InputError, match="does not exist for arm64 Linux"):
        read_tracks(path)
    with pytest.raises(InputError, match="on another machine"):
        write_tracks(tmp_path / "b.c3d", moving())
