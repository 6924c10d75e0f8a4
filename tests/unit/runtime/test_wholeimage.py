"""Whole images: one animal or none, the same whatever came before and whoever shares the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gonio.codec import Region
from gonio.errors import InputError
from gonio.runtime import ChunkFolder, FramePeople, Model, ModelStore, find_people, open_estimator
from gonio.runtime.cards import make_card
from gonio.runtime.topdown import PoseModel
from gonio.runtime.wholeimage import WholeImageEstimator
from gonio.skeletons import Skeleton
from gonio.video import open_source, write_image
from unit.runtime.tiny_onnx import write_identity
from unit.runtime.topdown.fakes import FakeSession

THREE = Skeleton(name="three", keypoints=("red", "green", "blue"))
CARD = make_card(
    {
        "name": "colors",
        "task": "pose",
        "skeleton": THREE,
        "input": {"width": 16, "height": 32, "scale": 1 / 255, "crop": {"source": "image"}},
        "output": {"kind": "heatmap", "stride": 1, "sigma": 0},
    },
    where="test",
)


def picture(
    wh: tuple[int, int] = (64, 128), *, at: tuple[int, int] = (16, 32), side: int = 4
) -> NDArray[np.uint8]:
    """Black, with a white block: one cell of the input."""
    image = np.zeros((wh[1], wh[0], 3), dtype=np.uint8)
    image[at[1] : at[1] + side, at[0] : at[0] + side] = 255
    return image


def open_colors(folder: Path) -> WholeImageEstimator:
    path = write_identity(folder / "colors.onnx", ["n", 3, 32, 16])
    estimator = open_estimator(Model(CARD, path, "0" * 64), store=ModelStore(folder), device="cpu")
    assert isinstance(estimator, WholeImageEstimator)
    return estimator


def test_the_one_animal_is_found_without_a_detector(tmp_path: Path) -> None:
    estimator = open_colors(tmp_path)
    (found,) = estimator.estimate(picture())
    np.testing.assert_allclose(found.keypoints_px, [[17.5, 33.5]] * 3, atol=0.1)
    assert found.score == pytest.approx(1)
    assert found.region == Region((31.5, 63.5), (64, 128))
    assert estimator.skeleton == THREE


def test_a_wide_image_is_letterboxed(tmp_path: Path) -> None:
    (found,) = open_colors(tmp_path).estimate(picture((128, 64), at=(64, 32), side=8))
    np.testing.assert_allclose(found.keypoints_px, [[67.5, 35.5]] * 3, atol=0.1)
    assert found.region == Region((63.5, 31.5), (128, 256))


def test_where_the_mean_confidence_is_low_nobody_is(tmp_path: Path) -> None:
    estimator = open_colors(tmp_path)
    assert estimator.estimate(np.full((128, 64, 3), 60, np.uint8)) == []
    assert estimator.estimate(np.zeros((128, 64, 3), np.uint8)) == []
    red = picture()
    red[..., 1:] = 0  # one keypoint of three: 1/3 is just enough
    (found,) = estimator.estimate(red)
    assert np.isnan(found.keypoints_px[1:]).all()
    assert found.confidence.tolist() == pytest.approx([1, 0, 0])


def test_a_model_without_confidences_is_sure() -> None:
    def answer(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {"coords": np.full((len(image), 3, 2), 0.5)}

    card = CARD.model_copy(update={"output": CARD.output.model_copy(update={"kind": "coords"})})
    session = FakeSession(answer, ("coords",), None)
    (found,) = WholeImageEstimator(card, PoseModel(session, card)).estimate(picture())
    np.testing.assert_allclose(found.keypoints_px, [[31.5, 63.5]] * 3)
    assert (found.score, found.confidence.tolist()) == (1, [1, 1, 1])


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="8×8 of uint8 given"):
        open_colors(tmp_path).estimate(np.zeros((8, 8), np.uint8))


def test_chunks_and_workers_change_nothing(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for i in range(7):
        write_image(frames / f"{i:03d}.png", picture(at=(4 + 6 * i, 8 + 12 * i)))

    estimators = [open_colors(tmp_path) for _ in range(2)]  # not while a worker reads the file

    def found(workers: int, chunk: int) -> list[FramePeople]:
        folder = tmp_path / f"{workers}-{chunk}"
        folder.mkdir()
        chunks = ChunkFolder(folder)
        with open_source(frames, fps=10) as source:
            find_people(
                source, [lambda e=e: e for e in estimators[:workers]], chunks,
                chunk_frames=chunk, on_progress=lambda *_: None,
            )  # fmt: skip
        return list(chunks.frames())

    one = found(1, 100)
    assert [len(frame.people) for frame in one] == [1] * 7
    for other in (found(1, 2), found(2, 3)):
        for a, b in zip(one, other, strict=True):
            assert a.index == b.index
            np.testing.assert_array_equal(a.people[0].keypoints_px, b.people[0].keypoints_px)
