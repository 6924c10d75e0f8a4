"""Augmented copies on disk carry labels that fit them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gonio.datasets import (
    AugmentationSettings,
    Flip,
    HalfBody,
    Rotate,
    Scale,
    Tilt,
    Translate,
    Window,
    augment_labels,
)
from gonio.errors import ConfigError, InputError, OutputError
from gonio.imaging import Occlusion
from gonio.labels import LabelledImage, Labels, make_labels
from gonio.skeletons import load_skeleton
from gonio.video import read_image, write_image

LEGS = load_skeleton("lower6")
POINTS = np.array([[110, 60], [190, 70], [120, 125], [200, 115], [105, 180], [185, 190.0]])
ALL = AugmentationSettings(
    flip=Flip(probability=0.5),
    scale=Scale(probability=1, low=0.8, high=1.3),
    rotate=Rotate(probability=1),
    tilt=Tilt(probability=1),
)


@pytest.fixture
def labels(tmp_path: Path) -> Labels:
    """Return two images of the same name in two folders, a dot at each keypoint."""
    image = np.full((240, 320, 3), 40, np.uint8)
    for x, y in POINTS.astype(int).tolist():
        cv2.circle(image, (x, y), 4, (230, 230, 230), cv2.FILLED)
    paths = [tmp_path / name / "dots.png" for name in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        write_image(path, image)
    return make_labels(
        LEGS,
        [LabelledImage(path, subject="S1", key="7") for path in paths],
        [0, 1],
        [POINTS] * 2,
        [[2, 2, 1, 2, 0, 2]] * 2,
        boxes_px=[[90, 40, 130, 170]] * 2,
        areas_px2=[9000, np.nan],
        keys=["1", "2"],
    )


def test_a_copys_labels_lie_on_its_dots(labels: Labels, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    both = augment_labels(
        labels, tmp_path / "out", ALL, copies=3, progress=lambda *at: told.append(at)
    )
    assert told[-1] == ("augmenting", 6, 6)
    assert len(told) == 6
    assert both.images[:2] == labels.images
    assert len({image.path for image in both.images}) == 8
    looked_at = 0
    for person in range(2, len(both)):
        copy = both.images[both.image_index[person]]
        assert (copy.copy_of, copy.subject, copy.key) == ("dots.png", "S1", "")
        assert (copy.width, copy.height) == (320, 240)
        blurred = cv2.GaussianBlur(read_image(copy.path)[..., 0], (0, 0), 2)
        for x, y in np.rint(both.keypoints_px[person][both.labelled[person]]).astype(int):
            if 10 <= x < 310 and 10 <= y < 230:
                around = blurred[y - 8 : y + 9, x - 8 : x + 9]
                found = np.array(np.unravel_index(around.argmax(), around.shape)) - 8
                assert np.abs(found).max() <= 1
                looked_at += 1
    assert looked_at > 20
    assert both.keys == ("1", "2", *[""] * (len(both) - 2))


def test_boxes_and_areas_follow(labels: Labels, tmp_path: Path) -> None:
    zoom = AugmentationSettings(scale=Scale(probability=1, low=0.5, high=0.5))
    both = augment_labels(labels, tmp_path / "out", zoom)
    # About the middle (159.5, 119.5).
    np.testing.assert_allclose(both.boxes_px[2], [124.75, 79.75, 65, 85])
    np.testing.assert_allclose(both.areas_px2, [9000, np.nan, 2250, np.nan])


def test_what_leaves_the_image_is_no_longer_labelled_and_boxes_are_cut(
    labels: Labels, tmp_path: Path
) -> None:
    zoom = AugmentationSettings(scale=Scale(probability=1, low=2.5, high=2.5))
    both = augment_labels(labels, tmp_path / "out", zoom)
    left, top, width, height = both.boxes_px[2]
    assert (left, top) == (-0.5, -0.5)
    assert height == 240
    assert left + width == pytest.approx(159.5 + 60.5 * 2.5)
    # Only the knees are nearer to the middle than 48 px in y.
    assert both.visibility[2].tolist() == [0, 0, 1, 2, 0, 0]
    assert np.isnan(both.keypoints_px[2, 0]).all()


def test_a_flip_swaps_sides(labels: Labels, tmp_path: Path) -> None:
    both = augment_labels(labels, tmp_path / "out", AugmentationSettings(flip=Flip(probability=1)))
    order = LEGS.flip_order()
    mirrored = labels.keypoints_px[0, order] * (-1, 1) + (319, 0)
    np.testing.assert_allclose(both.keypoints_px[2], mirrored)
    np.testing.assert_array_equal(both.visibility[2], labels.visibility[0, order])


def test_what_a_rectangle_covers_is_hidden(labels: Labels, tmp_path: Path) -> None:
    cover = AugmentationSettings(occlusion=Occlusion(probability=1, low=1, high=1, count=1))
    both = augment_labels(labels, tmp_path / "out", cover, copies=4)
    assert (both.visibility[2:] == 1).sum() > (labels.visibility == 1).sum() * 4


def test_who_left_the_image_is_left_out_and_the_image_stays(labels: Labels, tmp_path: Path) -> None:
    away = AugmentationSettings(
        scale=Scale(probability=1, low=9, high=9), translate=Translate(probability=1, max_share=0.5)
    )
    tiny = make_labels(
        LEGS, labels.images[:1], [0], [POINTS * 0 + 3], [[2] * 6], boxes_px=[[2, 2, 3, 3]]
    )
    both = augment_labels(tiny, tmp_path / "out", away)
    assert len(both.images) == 2
    assert len(both) == 1


def test_the_same_seed_writes_the_same_files(labels: Labels, tmp_path: Path) -> None:
    written = [
        augment_labels(labels, tmp_path / name, ALL, seed=seed)
        for name, seed in (("one", 3), ("two", 3), ("three", 4))
    ]
    files = [[image.path.read_bytes() for image in both.images[2:]] for both in written]
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_a_copy_of_a_copy_names_the_original(labels: Labels, tmp_path: Path) -> None:
    once = augment_labels(labels, tmp_path / "once", ALL)
    twice = augment_labels(once.take_images([2]), tmp_path / "twice", ALL)
    assert twice.images[1].copy_of == "dots.png"


def test_what_cannot_be_is_refused_and_nothing_is_left(labels: Labels, tmp_path: Path) -> None:
    out = tmp_path / "out"
    half = AugmentationSettings(half_body=HalfBody(probability=1))
    with pytest.raises(ConfigError, match="half_body"):
        augment_labels(labels, out, half)
    with pytest.raises(ConfigError, match=r"augmentation\.window"):
        augment_labels(labels, out, AugmentationSettings(window=Window(width=32, height=32)))
    with pytest.raises(ConfigError, match="at least 1"):
        augment_labels(labels, out, ALL, copies=0)
    labels.images[1].path.unlink()
    with pytest.raises(InputError, match=r"dots\.png"):
        augment_labels(labels, out, ALL)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
    out.mkdir()
    with pytest.raises(OutputError, match="exists already"):
        augment_labels(labels, out, ALL)
