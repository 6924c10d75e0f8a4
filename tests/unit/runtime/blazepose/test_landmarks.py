"""The landmark model's outputs, back in the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.codec import Region
from gonio.runtime import ModelStore
from gonio.runtime.blazepose.landmarks import LandmarkModel, refine

CARD = ModelStore().card("blazepose-full")


class FakeSession:
    """Puts all landmarks on one input position; its heatmaps are silent."""

    path = Path("fake.tflite")
    input_names = ("input_1",)
    output_names = tuple(CARD.output.names.values())

    def __init__(self, x: float, y: float) -> None:
        self.landmarks = np.zeros((39, 5), dtype=np.float32)
        self.landmarks[:, :2] = x, y
        self.landmarks[0, 3] = 2
        self.tensor: NDArray[Any] = np.zeros(0)

    def run(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.tensor = inputs["input_1"]
        return {
            "Identity": self.landmarks.reshape(1, 195),
            "Identity_1": np.array([[0.75]], dtype=np.float32),
            "Identity_3": np.full((1, 64, 64, 39), -9, dtype=np.float32),
        }


@pytest.mark.parametrize("rotation", [0.0, 0.7, -2.0])
def test_the_middle_of_the_input_is_the_middle_of_the_region(rotation: float) -> None:
    model = LandmarkModel(FakeSession(128, 128), CARD)  # type: ignore[arg-type]
    found = model.locate(np.zeros((50, 80, 3), np.uint8), Region((30, 20), (64, 64), rotation))
    np.testing.assert_allclose(found.points_px, np.tile([30.0, 20], (39, 1)))
    assert found.score == 0.75
    assert found.visibility[0] == pytest.approx(1 / (1 + np.exp(-2)))
    assert found.visibility[1] == 0.5
    assert found.region_points.shape == (2, 2)


def test_the_inputs_corner_is_the_regions_corner() -> None:
    model = LandmarkModel(FakeSession(0, 256), CARD)  # type: ignore[arg-type]
    found = model.locate(np.zeros((50, 80, 3), np.uint8), Region((30, 20), (64, 64)))
    np.testing.assert_allclose(found.points_px[0], [30 - 32, 20 + 32])


def test_beyond_the_image_its_edge_is_repeated_and_values_go_from_zero_to_one() -> None:
    session = FakeSession(0, 0)
    image = np.full((50, 80, 3), 255, np.uint8)
    LandmarkModel(session, CARD).locate(image, Region((0, 0), (640, 640)))  # type: ignore[arg-type]
    assert session.tensor.shape == (1, 256, 256, 3)
    np.testing.assert_allclose(session.tensor, 1)


def test_a_peak_moves_its_landmark_and_counts_from_the_inputs_edge() -> None:
    maps = np.full((64, 64, 2), -30.0, dtype=np.float32)
    maps[20, 10] = 30.0
    points01 = np.array([[41 / 256, 82 / 256]] * 2)
    fine = refine(points01, maps, (256, 256), 4.0)
    # The peak's index 10, 20 at stride 4, measured from the edge; pixels start half inside.
    np.testing.assert_allclose(fine, [[39.5, 79.5]] * 2, atol=1e-6)


def test_without_a_clear_peak_the_regressed_landmark_stays() -> None:
    points01 = np.array([[0.3, 0.6], [-0.4, 1.7]])
    fine = refine(points01, np.full((64, 64, 2), -1.0, dtype=np.float32), (256, 256), 4.0)
    np.testing.assert_allclose(fine, points01 * 256 - 0.5)
