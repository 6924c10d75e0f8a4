"""A pose model looks at regions: all in one call where the file allows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.codec import Region
from gonio.errors import ModelError, ModelOutputError
from gonio.runtime import built_in_cards, check_outputs, open_session
from gonio.runtime.cards import parse_card
from gonio.runtime.topdown import PoseModel
from unit.runtime.tiny_onnx import write_identity
from unit.runtime.topdown.fakes import FakeSession, pose_card

IMAGE = np.zeros((200, 300, 3), dtype=np.uint8)
IMAGE[100, 150] = 255


def brightest(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """All six keypoints where the input is brightest."""
    return {"maps": np.repeat(image[:, :1], 6, axis=1) / 255}


@pytest.mark.parametrize("batch", [None, 1])
def test_keypoints_come_back_into_the_image_from_every_region(batch: int | None) -> None:
    session = FakeSession(brightest, ("maps",), batch)
    model = PoseModel(session, pose_card("heatmap", stride=1, sigma=0))
    regions = [Region((150, 100), (16, 32)), Region((147, 105), (16, 32)), Region((9, 9), (8, 16))]
    poses = model.locate(IMAGE, regions)
    assert [pose.region for pose in poses] == regions
    for pose in poses[:2]:
        np.testing.assert_allclose(pose.points_px, [[150, 100]] * 6, atol=0.6)
        assert (pose.confidence > 0.2).all()
    assert np.isnan(poses[2].points_px).all()
    assert poses[2].confidence.tolist() == [0] * 6
    sizes = [len(tensor) for tensor in session.tensors]
    assert sizes == ([3] if batch is None else [1, 1, 1])
    assert model.locate(IMAGE, []) == []


def test_models_without_keypoints_or_of_nameless_outputs_are_refused() -> None:
    session = FakeSession(brightest, ("maps",), None)
    with pytest.raises(ModelError, match="'boxes' holds no keypoints"):
        PoseModel(session, pose_card("boxes"))
    with pytest.raises(ModelOutputError, match="does not say which output is 'x'"):
        PoseModel(session, pose_card("simcc"))


def test_a_real_file_of_open_batch_size_takes_all_people_at_once(tmp_path: Path) -> None:
    """An identity network: the three colors are the heatmaps of three keypoints."""
    skeleton = tmp_path / "three.toml"
    skeleton.write_text('name = "three"\nkeypoints = ["a", "b", "c"]\n')
    card = pose_card("heatmap", stride=1, sigma=0, changes={"skeleton": str(skeleton)})
    session = open_session(write_identity(tmp_path / "m.onnx", ["n", 3, 32, 16]), device="cpu")
    check_outputs(session, card)
    regions = [Region((150, 100), (16, 32)), Region((145, 95), (16, 32))]
    for pose in PoseModel(session, card).locate(IMAGE, regions):
        np.testing.assert_allclose(pose.points_px, [[150, 100]] * 3, atol=0.6)


def test_the_cards_in_the_documentation_are_valid() -> None:
    text = (Path(__file__).parents[4] / "docs" / "models.md").read_text(encoding="utf-8")
    cards = [
        parse_card(found, where="docs")
        for found in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    ]
    _, detector, rtmpose = cards
    assert detector.input.mean == built_in_cards()["rtmdet-nano"].input.mean
    assert rtmpose.skeleton == "halpe26"
    names = ("simcc_x", "simcc_y")
    session = FakeSession(lambda _: {}, names, None)
    session.output_shapes = {"simcc_x": (None, 26, 384), "simcc_y": (None, 26, 512)}
    check_outputs(session, rtmpose)
