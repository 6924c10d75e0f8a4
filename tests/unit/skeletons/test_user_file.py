"""A user's own skeleton: what is filled in, and how each mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonio.errors import ConfigError
from gonio.skeletons import load_skeleton

MINE = """
schema = "gonio.skeleton/1"
name = "hand"
keypoints = ["wrist", "left_tip", "right_tip"]
edges = [["wrist", "left_tip"], ["wrist", "middle"]]

[derived]
middle = ["left_tip", "right_tip"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_sigmas_and_pairs_are_filled_in(tmp_path: Path) -> None:
    path = write(tmp_path, MINE)
    for given in (path, str(path)):
        skeleton = load_skeleton(given)
        assert skeleton.sigmas == (0.05, 0.05, 0.05)
        assert skeleton.pairs == (("left_tip", "right_tip"),)
        assert skeleton.flip_order() == [0, 2, 1]
        assert skeleton.parents("middle") == ("left_tip", "right_tip")


def test_own_pairs_and_sigmas_are_kept(tmp_path: Path) -> None:
    text = MINE.replace("edges", 'pairs = [["wrist", "left_tip"]]\nsigmas = [0.1, 0.2, 0.3]\nedges')
    skeleton = load_skeleton(write(tmp_path, text))
    assert skeleton.sigmas == (0.1, 0.2, 0.3)
    assert skeleton.flip_order() == [1, 0, 2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("edges =", "edgs =", r"unknown key 'edgs' \(did you mean 'edges'\?\)"),
        ("schema =", "shema =", r"unknown key 'shema' \(did you mean 'schema'\?\)"),
        (
            '"wrist", "left_tip"]',
            '"wrst", "left_tip"]',
            r"edges: unknown keypoint 'wrst' .*'wrist'",
        ),
        (
            'middle = ["left_tip"',
            'middle = ["left_tp"',
            r"derived.middle: .*'left_tp' .*'left_tip'",
        ),
        ("middle = [", "wrist = [", "derived points are keypoints too: wrist"),
        ('["left_tip", "right_tip"]\n', "[]\n", "'middle' has no parents"),
        ('"wrist", "left_tip", ', '"wrist", "wrist", ', "keypoints named twice: wrist"),
        ("edges", "sigmas = [0.1]\nedges", "1 sigmas for 3 keypoints"),
        ("edges", "sigmas = [0.1, 0.1, 0]\nedges", "positive and finite"),
        ("edges", "sigmas = [0.1, 0.1, nan]\nedges", "positive and finite"),
        ("edges", 'pairs = [["left_tip", "writs"]]\nedges', "pairs: unknown keypoint 'writs'"),
        ("edges", 'pairs = [["wrist", "wrist"]]\nedges', "more than one place: wrist"),
        ("skeleton/1", "skeleton/9", "schema: Input should be 'gonio.skeleton/1'"),
        ('name = "hand"', "", "name: Field required"),
        ('name = "hand"', 'name = "My hand"', "name: String should match"),
        ("keypoints = [", "keypoints = [[", "not valid TOML"),
        ('keypoints = ["wrist", "left_tip", "right_tip"]', "", "keypoints: Field required"),
        ('["wrist", "left_tip", "right_tip"]', "[]", "keypoints: .*at least 1 item"),
        ('["wrist", "left_tip", "right_tip"]', "5", "keypoints: .*valid tuple"),
        ('["wrist", "left_tip", "right_tip"]', "[1, 2]", "keypoints.0: .*valid string"),
    ],
)
def test_each_mistake_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert MINE.count(old) >= 1
    path = write(tmp_path, MINE.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as caught:
        load_skeleton(path)
    assert str(caught.value).startswith(f"skeleton '{path}': ")


def test_a_missing_or_binary_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_skeleton(tmp_path / "none.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_skeleton(tmp_path / "b.toml")
