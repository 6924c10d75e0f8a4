"""Labels in memory: small sets checked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gonio.errors import InputError
from gonio.labels import LabelledImage, make_labels
from gonio.skeletons import Skeleton

LEG = Skeleton(name="leg", keypoints=("hip", "knee"))
IMAGES = [LabelledImage(Path(f"{n}.png"), 64, 48) for n in "abc"]


def labels():
    points = [[[1, 2], [3, 4]], [[5, 6], [np.nan, 0]], [[9, 9], [8, 8]]]
    return make_labels(LEG, IMAGES, [2, 0, 2], points, [[2, 1], [2, 2], [0, 2]], keys="xyz")


def test_a_point_without_a_position_is_not_labelled_and_the_other_way_round() -> None:
    made = labels()
    assert made.visibility.tolist() == [[2, 1], [2, 0], [0, 2]]
    assert np.isnan(made.keypoints_px[2, 0]).all()
    assert made.labelled.sum() == 4


def test_taking_people_drops_images_that_nobody_is_left_in() -> None:
    taken = labels().take([2, 0])
    assert [i.path.name for i in taken.images] == ["c.png"]
    assert taken.image_index.tolist() == [0, 0]
    assert taken.keys == ("z", "x")
    kept = labels().take(np.array([False, True, False]), keep_images=True)
    assert len(kept.images) == 3
    assert kept.image_index.tolist() == [0]


def test_taking_images_takes_everybody_in_them_in_the_order_asked() -> None:
    taken = labels().take_images([2, 1])
    assert [i.path.name for i in taken.images] == ["c.png", "b.png"]
    assert taken.image_index.tolist() == [0, 0]
    assert taken.keys == ("x", "z")


def test_what_does_not_fit_the_skeleton_is_refused_with_both_numbers() -> None:
    with pytest.raises(InputError, match=r"3 keypoints and 3 visibilities .* has 2"):
        make_labels(LEG, IMAGES, [0], np.zeros((1, 3, 2)), np.ones((1, 3)))
    with pytest.raises(InputError, match="beyond the 3 images"):
        make_labels(LEG, IMAGES, [3], np.zeros((1, 2, 2)), np.ones((1, 2)))


def test_nobody_labelled_is_a_set_too() -> None:
    empty = make_labels(LEG, IMAGES, [], [], [])
    assert (len(empty), empty.keypoints_px.shape, empty.visibility.shape) == (0, (0, 2, 2), (0, 2))
