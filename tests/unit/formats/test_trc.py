"""OpenSim marker files: layout, scale, round trip, broken files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gonio.errors import FormatError, InputError
from gonio.formats import read_trc, write_trc
from gonio.poses import make_poses, validate_poses
from gonio.skeletons import load_skeleton

SKELETON = load_skeleton("lower6")


def standing(people: int = 1) -> xr.Dataset:
    """Hips at y = 100 px, knees at 150, ankles at 200; the left ankle is hidden in frame 1."""
    position = np.zeros((3, 2, 6, people), np.float32)
    position[:, 0] = 50
    position[:, 1] = np.array([100, 100, 150, 150, 200, 200])[None, :, None]
    position[1, :, 4] = np.nan
    return make_poses(
        position, np.ones((3, 6, people)), time_s=[0, 0.04, 0.08], skeleton=SKELETON, fps=25.0
    )


def test_header_has_opensims_rows_and_cells_are_meters_with_y_up(tmp_path: Path) -> None:
    write_trc(tmp_path / "w.trc", standing(), px_per_m=100.0)
    lines = (tmp_path / "w.trc").read_text().split("\n")
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\tw.trc"
    assert lines[2] == "25.00\t25.00\t3\t6\tm\t25.00\t1\t3"
    assert lines[3].startswith("Frame#\tTime\tleft_hip\t\t\tright_hip\t\t\t")
    assert lines[4].startswith("\t\tX1\tY1\tZ1\tX2\tY2\tZ2")
    assert lines[5] == ""
    first = lines[6].split("\t")
    # The floor is the lowest point (200 px); a hip is 1 m above it.
    assert first[:5] == ["1", "0.00000000", "0.50000000", "1.00000000", "0.00000000"]
    assert lines[7].split("\t")[14:17] == ["", "", ""]
    assert len(first) == 2 + 3 * 6
    assert sorted(f.name for f in tmp_path.iterdir()) == ["w.trc"]


def test_pixels_come_back_through_scale_and_origin(tmp_path: Path) -> None:
    poses = standing()
    write_trc(tmp_path / "w.trc", poses, px_per_m=123.0, origin_px=(7.0, 180.0))
    again = read_trc(tmp_path / "w.trc")
    validate_poses(again)
    assert list(again["keypoints"].values) == list(SKELETON.keypoints)
    np.testing.assert_array_equal(again["time"], poses["time"])
    x, y, z = (again["position"].sel(space=s).values for s in "xyz")
    np.testing.assert_allclose(x * 123 + 7, poses["position"].values[:, 0], atol=1e-5)
    np.testing.assert_allclose(180 - y * 123, poses["position"].values[:, 1], atol=1e-5)
    assert np.nanmax(np.abs(z)) == 0
    assert np.isnan(again["confidence"].values[1, 4, 0])


def test_pixels_without_a_scale_are_refused_and_the_message_says_how(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="px_per_m"):
        write_trc(tmp_path / "w.trc", standing())
    with pytest.raises(InputError, match="positive"):
        write_trc(tmp_path / "w.trc", standing(), px_per_m=float("nan"))
    assert not list(tmp_path.iterdir())


def test_several_people_need_a_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name one of person_0, person_1"):
        write_trc(tmp_path / "w.trc", standing(2), px_per_m=100)
    with pytest.raises(InputError, match="no person 'person_7'"):
        write_trc(tmp_path / "w.trc", standing(2), px_per_m=100, individual="person_7")
    write_trc(tmp_path / "w.trc", standing(2), px_per_m=100, individual="person_1")
    with pytest.raises(InputError, match="nobody"):
        write_trc(tmp_path / "n.trc", standing(2).isel(individuals=[]), px_per_m=100)


def test_a_single_frame_and_a_person_never_seen_can_be_written(tmp_path: Path) -> None:
    image = standing().isel(time=[1])
    image["position"][:] = np.nan
    del image.attrs["fps"]
    write_trc(tmp_path / "i.trc", image, px_per_m=100)
    again = read_trc(tmp_path / "i.trc")
    assert again.sizes["time"] == 1
    assert np.isnan(again["position"].values).all()


@pytest.mark.parametrize("name", ["walk.trc", "walk1.trc"])
def test_real_files_come_back_to_the_last_digit(shared: Path, tmp_path: Path, name: str) -> None:
    marks = read_trc(shared / "data" / "mocap" / name)
    assert marks.sizes["keypoints"] == 28
    assert marks.attrs["fps"] == 150
    height = marks["position"].sel(space="y", keypoints="R.ASIS")
    assert 0.9 < float(height.min()) < float(height.max()) < 1.2
    validate_poses(marks)
    write_trc(tmp_path / "a.trc", marks)
    again = read_trc(tmp_path / "a.trc")
    difference = np.abs(again["position"].values - marks["position"].values)
    assert np.nanmax(difference) < 1e-12  # the source prints 1e-8 m
    np.testing.assert_array_equal(np.isnan(again["position"]), np.isnan(marks["position"]))
    np.testing.assert_array_equal(again["time"], marks["time"])


GOOD = (
    "PathFileType\t4\t(X/Y/Z)\ta.trc\n"
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\t"
    "OrigNumFrames\n"
    "50\t50\t2\t2\tmm\t50\t1\t2\n"
    "Frame#\tTime\tA\t\t\tB\n"
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n"
    "\n"
    "1\t0.00\t1\t2\t3\t4\t5\t6\n"
    "2\t0.02\t1\t2\t3\n"
)


def test_a_file_with_short_rows_and_millimeters_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.trc").write_text(GOOD)
    marks = read_trc(tmp_path / "a.trc")
    np.testing.assert_allclose(marks["position"].values[0, :, 1, 0], [0.004, 0.005, 0.006])
    assert np.isnan(marks["position"].values[1, :, 1, 0]).all()
    (tmp_path / "b.trc").write_text(GOOD.replace("\n\n", "\n").replace("\n", "\r\n"))
    xr.testing.assert_equal(read_trc(tmp_path / "b.trc"), marks)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("PathFileType", "Frame", "line 1: not a .trc"),
        ("Units", "Unit", "lines 2 and 3: no value for 'Units'"),
        ("\tmm\t", "\tfoot\t", "line 3: unknown unit 'foot'"),
        ("50\t50\t2\t2", "50\t50\t3\t2", "NumFrames is 3, but there are 2 rows"),
        ("50\t50\t2\t2", "fast\t50\t2\t2", "line 3: 'fast' is not a number"),
        ("50\t50\t2\t2", "50\t50\t2\t1", "NumMarkers is 1, but more columns"),
        ("50\t50\t2\t2", "50\t50\t2\t3", "line 4: 2 markers, line 3 announces 3"),
        ("Frame#", "Frame", "line 4: must begin"),
        ("\tA\t", "\tB\t", "named twice: B"),
        ("\t4\t5\t6", "\t4\tx\t6", "line 7: 'x' is not a number"),
        ("0.02", "0.00", "data row 2"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    (tmp_path / "a.trc").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(FormatError, match=message):
        read_trc(tmp_path / "a.trc")


def test_missing_and_binary_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_trc(tmp_path / "none.trc")
    (tmp_path / "b.trc").write_bytes(bytes(range(256)))
    with pytest.raises(FormatError, match="not a text file"):
        read_trc(tmp_path / "b.trc")
