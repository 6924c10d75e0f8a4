"""PCK worked by hand: labels, norms, limits; pixel errors and bands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gonio.errors import InputError, UnknownNameError
from gonio.labels import LabelledImage, Labels, make_labels
from gonio.metrics import error_bands, mpii_head_px, norm_px, pck, pck_key, pixel_errors
from gonio.skeletons import load_skeleton

TRUTH = np.zeros((2, 3, 2))
FOUND = np.array([[[3.0, 4.0], [0, 10], [0, 0]], [[0, 5.1], [np.nan, np.nan], [0, 0]]])
LABELLED = np.array([[True, True, False], [True, True, False]])


def test_pck_worked_by_hand() -> None:
    got = pck(FOUND, TRUTH, LABELLED, 100.0, 0.05)
    # distances 5, 10; 5.1, not found; the third keypoint has no label
    assert got.mean == 0.25
    assert got.keypoints[:2].tolist() == [0.5, 0]
    assert np.isnan(got.keypoints[2])
    assert got.counted.tolist() == [2, 2, 0]


def test_a_distance_at_the_limit_counts_unless_strict() -> None:
    assert pck(FOUND, TRUTH, LABELLED, 100.0, 0.05, strict=True).mean == 0


def test_squared_reproduces_a_larger_alpha() -> None:
    norm = np.array([10.0, 10.0])
    far = np.array([[[0, 7.0]], [[0, 7.1]]])
    args = far, np.zeros((2, 1, 2)), np.ones((2, 1), bool), norm
    assert pck(*args, 0.5).mean == 0
    assert pck(*args, 0.5, squared=True).mean == 0.5
    assert pck(*args, 0.5**0.5).mean == 0.5


def test_each_person_has_a_norm_and_one_without_does_not_count() -> None:
    got = pck(FOUND, TRUTH, LABELLED, [1000.0, np.nan], 0.005)
    assert (got.mean, got.counted.tolist()) == (0.5, [1, 1, 0])
    assert np.isnan(pck(FOUND, TRUTH, LABELLED, [0.0, np.nan], 0.5).mean)


def test_keys_name_the_norm() -> None:
    assert pck_key("image", 0.05) == "pck@0.05:image"
    assert pck_key("head", 0.5) == "pckh@0.5:head"
    assert pck_key("head", 0.5, squared=True) == "pckh@0.5:head:squared"


def people(skeleton: str = "lsp14", **more: object) -> Labels:
    names = load_skeleton(skeleton)
    points = np.zeros((2, len(names.keypoints), 2))
    places = {"left_shoulder": (0, 0), "right_hip": (30, 40), "neck": (0, 0), "head_top": (0, -9)}
    for name, place in places.items():
        if name in names.keypoints:
            points[:, names.index(name)] = place
    seen = np.full(points.shape[:2], 2)
    if "head_top" in names.keypoints:
        seen[1, names.index("head_top")] = 0
    images = [LabelledImage(Path("a"), width=640, height=480), LabelledImage(Path("b"))]
    return make_labels(names, images, [0, 1], points, seen, **more)


def test_norms_are_the_lengths_they_are_named_after() -> None:
    labels = people(boxes_px=[[0, 0, 50, 80], [np.nan] * 4])
    assert norm_px(labels, "torso").tolist() == [50, 50]
    assert norm_px(labels, "head")[0] == 9
    assert np.isnan(norm_px(labels, "head")[1])
    assert norm_px(labels, "bbox")[0] == 80
    assert np.isnan(norm_px(labels, "bbox")[1])
    assert norm_px(labels, "image")[0] == 640
    assert np.isnan(norm_px(labels, "image")[1])
    scaled = norm_px(labels, "image", input_wh=(192, 256), input_scale=[2.0, 0.5])
    assert scaled.tolist() == [128, 512]
    assert mpii_head_px([[0, 0, 3, 4]]) == pytest.approx([3.0])


def test_halpes_head_is_the_top_of_the_head() -> None:
    halpe = people("halpe26")
    place = halpe.skeleton.index("head")
    halpe.keypoints_px[:, place] = [0, -12]
    assert norm_px(halpe, "head").tolist() == [12, 12]


def test_a_norm_that_the_skeleton_cannot_give_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="'coco17' has no neck and no head_top"):
        norm_px(people("coco17"), "head")
    with pytest.raises(UnknownNameError, match="did you mean 'torso'"):
        norm_px(people(), "torsoo")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="scale"):
        norm_px(people(), "image", input_wh=(192, 256))


def test_pixel_errors_worked_by_hand() -> None:
    truth = np.zeros((1, 4, 2))
    found = np.array([[[3.0, 4.0], [0.5, 0], [99, 99], [np.nan, 0]]])
    got = pixel_errors(found, truth, [[True, True, False, True]])
    assert got.mse_px2 == pytest.approx((9 + 16 + 0.25) / 4)
    assert got.rmse_px == pytest.approx(got.mse_px2**0.5)
    assert got.l1_px == pytest.approx(7.5 / 4)
    assert got.smooth_l1_px == pytest.approx((2.5 + 3.5 + 0.125) / 4)
    assert (got.mean_px, got.median_px) == (2.75, 2.75)
    assert (got.labelled, got.found) == (3, 2)


def test_without_any_pair_errors_are_nan() -> None:
    got = pixel_errors(np.full((2, 3, 2), np.nan), TRUTH, LABELLED)
    assert np.isnan(got[:6]).all()
    assert got[6:] == (4, 0)


def test_bands_hold_every_labelled_keypoint_once() -> None:
    distance = np.array([0, 9.99, 10, 25, 25.01, np.nan, 0])
    found = np.stack([distance, np.zeros(7)], axis=-1)[None]
    labelled = np.array([[True] * 6 + [False]])
    bands = error_bands(found, np.zeros((1, 7, 2)), labelled)
    assert bands.acceptable.tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert bands.bad.tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert bands.completely_bad.tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert bands.missing.tolist() == [0, 0, 0, 0, 0, 1, 0]
    with pytest.raises(InputError, match="not in order"):
        error_bands(found, np.zeros((1, 7, 2)), labelled, limits_px=(25, 10))
