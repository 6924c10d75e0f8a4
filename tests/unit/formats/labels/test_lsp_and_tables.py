"""LSP's MATLAB files and plain tables, written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.io import savemat

from gonio.errors import FormatError
from gonio.formats.labels import read_labels

if TYPE_CHECKING:
    from pathlib import Path


def test_lsp_counts_from_one_and_its_flag_says_hidden(tmp_path: Path) -> None:
    joints = np.zeros((3, 14, 2))
    joints[:2, :, 1] = np.arange(1, 15)
    joints[2, 3, 1] = 1
    savemat(tmp_path / "joints.mat", {"joints": joints})
    labels = read_labels(tmp_path / "joints.mat")
    assert labels.skeleton.name == "lsp14"
    assert labels.keypoints_px[1, 0].tolist() == [0, 0]
    assert labels.keypoints_px[1, 13].tolist() == [13, 13]
    assert labels.visibility[1].tolist() == [2, 2, 2, 1, *[2] * 10]
    assert labels.images[1].path == tmp_path / "images" / "im0002.jpg"


def test_the_extended_sets_flag_says_usable(tmp_path: Path) -> None:
    joints = np.full((14, 3, 2), 5.0)
    joints[:, 2] = 1
    joints[4, 2, 0] = 0
    savemat(tmp_path / "joints.mat", {"joints": joints})
    (tmp_path / "images").mkdir()
    for number in (3, 17):  # re-annotated, with gaps
        (tmp_path / "images" / f"im{number:05d}.png").write_bytes(b"")
    labels = read_labels(tmp_path / "joints.mat")
    assert labels.visibility[0].tolist() == [2, 2, 2, 2, 0, *[2] * 9]
    assert np.isnan(labels.keypoints_px[0, 4]).all()
    assert [i.path.name for i in labels.images] == ["im00003.png", "im00017.png"]
    (tmp_path / "images" / "im00099.png").write_bytes(b"")
    with pytest.raises(FormatError, match=r"labels 2 pictures, and .* holds 3"):
        read_labels(tmp_path / "joints.mat")


def test_what_is_no_lsp_is_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"joints": np.zeros((3, 13, 2))})
    with pytest.raises(FormatError, match="found 3×13×2"):
        read_labels(tmp_path / "a.mat")
    (tmp_path / "b.mat").write_bytes(b"not MATLAB" * 50)
    with pytest.raises(FormatError, match="cannot be read as a MATLAB file"):
        read_labels(tmp_path / "b.mat")


def test_a_table_names_its_keypoints_in_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "legs.csv"
    path.write_text(
        "image,left_knee_x,left_knee_y,left_knee_v,left_ankle_x,left_ankle_y\n"
        "a.png,1,2,1,3,4.5\nb.png,5,6,2,,\na.png,7,8,,9,10\n"
    )
    labels = read_labels(path)
    assert labels.skeleton.keypoints == ("left_knee", "left_ankle")
    assert [i.path for i in labels.images] == [tmp_path / "a.png", tmp_path / "b.png"]
    assert labels.image_index.tolist() == [0, 1, 0]
    assert labels.visibility.tolist() == [[1, 2], [2, 0], [2, 2]]
    assert labels.keypoints_px[0, 1].tolist() == [3, 4.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,a_x,a_y\nx.png,1\n", "row 2 has 2 cells, the first row names 3"),
        ("image,a_x,a_y\nx.png,1,two\n", "row 2: 1, two are no numbers"),
        ("image,a_x,a_y,a_v\nx.png,1,2,3\n", "row 2: flag 3"),
        ("image,a_x,b_y\n", "'b_y' is no column of a keypoint"),
        ("image,a_x,a_y\n,1,2\n", "row 2 names no image"),
    ],
)
def test_a_bad_table_is_refused_by_its_row(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_labels(tmp_path / "t.csv")
