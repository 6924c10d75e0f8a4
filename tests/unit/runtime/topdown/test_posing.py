"""A pose model looks at regions: all in one call where the file allows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.codec import Region
from gonio.errors import ModelError, ModelOutputError
from gonio.runtime.topdown import PoseModel
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


def test_models_without_keypoints_or_with_unknown_filters_are_refused() -> None:
    session = FakeSession(brightest, ("maps",), None)
    with pytest.raises(ModelError, match="'boxes' holds no keypoints"):
        PoseModel(session, pose_card("boxes"))
    with pytest.raises(ModelError, match="names image filters"):
        PoseModel(session, pose_card("heatmap", changes={"filters": [{"op": "clahe"}]}))
    with pytest.raises(ModelOutputError, match="does not say which output is 'x'"):
        PoseModel(session, pose_card("simcc"))
