"""Sessions that give what a test tells them to, and cards for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gonio.runtime import Card
from gonio.runtime.cards import make_card

Outputs = dict[str, NDArray[Any]]


class FakeSession:
    """A model of one input, ``image``, whose outputs a function computes."""

    path = Path("fake.onnx")
    provider = "Fake"
    input_names = ("image",)

    def __init__(
        self, answer: Callable[[NDArray[Any]], Outputs], names: tuple[str, ...], batch: int | None
    ) -> None:
        self.answer = answer
        self.output_names = names
        self.input_shapes = {"image": (batch, 3, None, None)}
        self.input_dtypes = {"image": np.dtype(np.float32)}
        self.output_shapes = dict.fromkeys(names, (None,))
        self.tensors: list[NDArray[Any]] = []

    def run(self, inputs: Outputs) -> Outputs:
        (image,) = inputs.values()
        self.tensors.append(image)
        return self.answer(image)


def pose_card(kind: str, **output: Any) -> Card:
    """A pose model of 16 × 32 pixels that knows the skeleton gait6."""
    changes = output.pop("changes", {})
    values = {
        "name": "tiny-pose",
        "task": "pose",
        "skeleton": "gait6",
        "input": {"width": 16, "height": 32, "crop": {"padding": 1.25}},
        "output": {"kind": kind, **output},
    }
    return make_card({**values, **changes}, where="tiny")


def detector_card(**names: str) -> Card:
    """A detector of 100 × 100 pixels."""
    values = {
        "name": "tiny-detector",
        "task": "detector",
        "input": {"width": 100, "height": 100, "crop": {"fill": 100}},
        "output": {"kind": "boxes", "names": {"boxes": "dets", **names}},
    }
    return make_card(values, where="tiny")
