"""Drawing people into a folder: what is told about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonio.errors import UnknownNameError
from gonio.workflows.synthesize import SynthesizeSettings, synthesize


def test_it_says_what_was_drawn(tmp_path: Path) -> None:
    done = synthesize(tmp_path, SynthesizeSettings(4, "lower6", size=(96, 96)))
    assert done.labels == tmp_path / "labels.json"
    assert done.labels.is_file()
    assert done.title().startswith(f"4 people in {done.images} pictures, lower6: ")
    assert done.as_json()["labels"] == str(done.labels)
    assert 0 < done.visible + done.hidden <= 1


def test_a_skeleton_of_ones_own_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "feet.toml"
    file.write_text('schema = "gonio.skeleton/1"\nname = "feet"\n'
                    'keypoints = ["left_heel", "right_heel"]\n')  # fmt: skip
    done = synthesize(tmp_path / "out", SynthesizeSettings(2, str(file), size=(96, 96)))
    assert done.skeleton == "feet"


def test_an_unknown_skeleton_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'coco17'"):
        synthesize(tmp_path / "out", SynthesizeSettings(2, "coco71"))
