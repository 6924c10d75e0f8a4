"""OpenSim coordinate files: layout, signs, round trip, broken files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gonio.errors import FormatError, InputError, OutputError
from gonio.formats import COORDINATES, read_mot, write_mot
from gonio.poses import make_angles


def angles() -> xr.Dataset:
    values = np.array([[[10.0], [20.0], [-90.0]], [[np.nan], [21.5], [-91.0]]])
    return make_angles(
        values,
        time_s=[0, 0.04],
        names=["knee_left", "hip_right", "shank_left"],
        individuals=["person_0"],
    )


def test_header_counts_time_and_segments_are_left_out(tmp_path: Path) -> None:
    write_mot(tmp_path / "w.mot", angles())
    lines = (tmp_path / "w.mot").read_text().splitlines()
    assert lines[:5] == ["Coordinates", "version=1", "nRows=2", "nColumns=3", "inDegrees=yes"]
    end = lines.index("endheader")
    assert lines[end + 1] == "time\thip_flexion_r\tknee_angle_l"
    assert lines[end + 2] == "0.00000000\t20.00000000\t10.00000000"
    assert lines[end + 3] == "0.04000000\t21.50000000\tnan"


def test_the_knees_sign_is_a_switch_and_turns_nothing_else(tmp_path: Path) -> None:
    write_mot(tmp_path / "w.mot", angles(), knee_flexion_positive=False)
    table = read_mot(tmp_path / "w.mot")
    assert table["knee_angle_l"][0] == -10
    assert table["hip_flexion_r"][0] == 20
    assert np.isnan(table["knee_angle_l"][1])


def test_every_joint_of_both_sides_has_its_coordinate() -> None:
    assert len(COORDINATES) == 10
    assert COORDINATES["shoulder_right"] == "arm_flex_r"
    assert COORDINATES["ankle_left"] == "ankle_angle_l"


def test_nothing_to_write_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the angles"):
        write_mot(tmp_path / "w.mot", angles().sel(angle=["shank_left"]))
    with pytest.raises(InputError, match="nobody"):
        write_mot(tmp_path / "w.mot", angles().isel(individuals=[]))
    with pytest.raises(OutputError, match="cannot be written"):
        write_mot(tmp_path / "no" / "w.mot", angles())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "rows"), [("walking.mot", 158), ("squats_5reps.mot", 801)])
def test_real_files_come_back_to_the_last_digit(
    shared: Path, tmp_path: Path, name: str, rows: int
) -> None:
    table = read_mot(shared / "data" / "mocap" / name)
    assert table.shape == (rows, 36)
    assert table["knee_angle_r"].max() > 50
    ours = {c: a for a, c in COORDINATES.items()}
    columns = [c for c in table.columns if c in ours]
    assert len(columns) == 10
    theirs = make_angles(
        table[columns].to_numpy()[..., None],
        time_s=table["time"],
        names=[ours[c] for c in columns],
        individuals=["person_0"],
    )
    write_mot(tmp_path / "w.mot", theirs)
    again = read_mot(tmp_path / "w.mot")
    np.testing.assert_array_equal(again[columns].to_numpy(), table[columns].to_numpy())
    np.testing.assert_array_equal(again["time"], table["time"])


GOOD = (
    "Coordinates\nversion=1\nnRows=2\nnColumns=3\ninDegrees=yes\n\nendheader\n"
    "time\tpelvis_tx\tknee_angle_r\n0.0\t1.0\t2.0\n0.1\t1.5\t3.0\n"
)


def test_radians_become_degrees_but_lengths_stay(tmp_path: Path) -> None:
    (tmp_path / "a.mot").write_text(GOOD.replace("inDegrees=yes", "inDegrees=no"))
    table = read_mot(tmp_path / "a.mot")
    np.testing.assert_allclose(table["knee_angle_r"], np.degrees([2, 3]))
    np.testing.assert_array_equal(table["pelvis_tx"], [1, 1.5])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("endheader\n", "", "no 'endheader'"),
        ("nRows=2", "nRows=9", "line 3: nRows=9, but there are 2 rows"),
        ("nColumns=3", "nColumns=2", "line 4: nColumns=2, but there are 3 columns"),
        ("nColumns=3\n", "", "no 'nColumns'"),
        ("inDegrees=yes", "inDegrees=maybe", "line 5: inDegrees is 'maybe'"),
        ("time\t", "knee_angle_r\t", "line 8: names must begin"),
        ("3.0", "three", "line 10: 'three' is not a number"),
        ("\t3.0", "", "line 10: 2 columns, expected 3"),
        ("0.1\t", "0.0\t", "data row 2"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    (tmp_path / "a.mot").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(FormatError, match=message):
        read_mot(tmp_path / "a.mot")
