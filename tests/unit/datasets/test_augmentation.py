"""One matrix moves the image and its labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gonio.codec import transform
from gonio.datasets import (
    AugmentationSettings,
    Flip,
    HalfBody,
    InputSettings,
    Rotate,
    Sample,
    Scale,
    TargetSettings,
    Tilt,
    Translate,
    Window,
    make_sample,
    random_map,
    sample_rng,
)
from gonio.datasets.augmentation import half_body_region, window_map
from gonio.imaging import (
    Blur,
    ColorJitter,
    Jpeg,
    MotionBlur,
    Negative,
    Noise,
    Occlusion,
    Saturation,
)
from gonio.labels import LabelledImage, make_labels
from gonio.skeletons import load_skeleton

WH = (192, 256)
LEGS = load_skeleton("lower6")
POINTS = np.array([[110, 60], [190, 70], [120, 125], [200, 115], [105, 180], [185, 190.0]])
GEOMETRY = {
    "flip": Flip(probability=1),
    "scale": Scale(probability=1, low=0.7, high=1.6),
    "rotate": Rotate(probability=1, max_deg=60),
    "translate": Translate(probability=1, max_share=0.2),
    "tilt": Tilt(probability=1, max_deg=25),
    "half_body": HalfBody(probability=1, least_points=4),
    "window": Window(width=160, height=128, elsewhere=0.2),
}
PHOTOMETRY = {
    "color_jitter": ColorJitter(probability=1),
    "saturation": Saturation(probability=1),
    "negative": Negative(probability=1),
    "blur": Blur(probability=1),
    "motion_blur": MotionBlur(probability=1),
    "noise": Noise(probability=1),
    "jpeg": Jpeg(probability=1, low=70, high=95),
    "occlusion": Occlusion(probability=1, high=0.15),
}
ALL = GEOMETRY | PHOTOMETRY


def sampled(image: np.ndarray, changes: dict[str, Any], seed: int, source: str) -> Sample:
    labels = make_labels(
        LEGS,
        [LabelledImage(Path("dots.png"))],
        [0],
        POINTS[None],
        np.full((1, 6), 2),
        boxes_px=[[60, 20, 180, 200]],
    )
    return make_sample(
        labels,
        0,
        input=InputSettings(width=WH[0], height=WH[1], crop={"source": source, "fill": 90}),
        target=TargetSettings(),
        augmentation=AugmentationSettings(**changes),
        rng=sample_rng(seed, 0, 0),
        image=image,
    )


def assert_the_dot_is_where_its_label_says(
    changes: dict[str, Any], seed: int, dot: int, source: str = "person"
) -> bool:
    """Find a dot as the difference between two samples, one without it; say if it was there."""
    plain = np.full((240, 320, 3), 90, np.uint8)
    dotted = plain.copy()
    cv2.circle(dotted, POINTS[dot].astype(int).tolist(), 4, (240, 200, 30), cv2.FILLED)
    sample = sampled(dotted, changes, seed, source)
    moved = np.abs(sample.image.astype(float) - sampled(plain, changes, seed, source).image)
    flipped = np.linalg.det(sample.matrix[:2, :2]) < 0
    place = LEGS.flip_order()[dot] if flipped else dot
    x, y = sample.points_px[place]
    covered = sample.visibility[place] < 2
    height, width = sample.image.shape[:2]
    if covered or not (20 <= x <= width - 20 and 20 <= y <= height - 20):
        return False
    weight = (moved.sum(axis=2) - 60).clip(min=0)
    rows, cols = np.indices(weight.shape)
    found = np.array([(weight * cols).sum(), (weight * rows).sum()]) / weight.sum()
    np.testing.assert_allclose(found, (x, y), atol=1.0)
    return True


@pytest.mark.parametrize(
    ("name", "source"),
    [(name, "person") for name in ALL] + [(name, "image") for name in ALL if name != "half_body"],
)
def test_zoom_moves_labels_with_the_image(name: str, source: str) -> None:
    changes = {name: ALL[name]}
    if name == "occlusion":  # a cut dot has another middle
        changes["occlusion"] = Occlusion(probability=1, low=0.01, high=0.02, count=1)
    found = [
        assert_the_dot_is_where_its_label_says(changes, seed, dot, source)
        for seed in range(4)
        for dot in range(6)
    ]
    assert sum(found) >= 6


@given(
    st.sets(st.sampled_from(sorted(set(ALL) - {"occlusion"}))),
    st.integers(0, 10**6),
    st.integers(0, 5),
)
def test_any_changes_together_move_labels_with_the_image(
    names: set[str], seed: int, dot: int
) -> None:
    assert_the_dot_is_where_its_label_says({name: ALL[name] for name in names}, seed, dot)


def test_a_flip_swaps_left_and_right() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    plain = sampled(image, {}, 0, "person")
    flipped = sampled(image, {"flip": Flip(probability=1)}, 0, "person")
    left, right = LEGS.index("left_knee"), LEGS.index("right_knee")
    mirrored = plain.points_px[right] * (-1, 1) + (WH[0] - 1, 0)
    np.testing.assert_allclose(flipped.points_px[left], mirrored, atol=1e-3)


@given(st.integers(0, 10**6), st.sampled_from([(64, 64), (192, 256), (640, 480), (7, 300)]))
def test_the_whole_input_lies_before_the_horizon_under_the_strongest_settings(
    seed: int, input_wh: tuple[int, int]
) -> None:
    settings = AugmentationSettings(
        tilt=Tilt(probability=1, max_deg=45),
        scale=Scale(probability=1, low=0.2, high=0.2),
        rotate=Rotate(probability=1, max_deg=180),
        translate=Translate(probability=1, max_share=0.5),
    )
    matrix, _ = random_map(settings, input_wh, np.random.default_rng(seed))
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * input_wh - 0.5
    shown = transform(corners, np.linalg.inv(matrix))
    assert np.isfinite(shown).all()
    np.testing.assert_allclose(transform(shown, matrix), corners, atol=1e-6)


@given(st.integers(0, 10**6))
def test_without_a_tilt_parallels_stay_parallel_and_the_middle_stays_unless_translated(
    seed: int,
) -> None:
    changes = {k: v for k, v in GEOMETRY.items() if k not in {"tilt", "translate"}}
    matrix, flipped = random_map(AugmentationSettings(**changes), WH, np.random.default_rng(seed))
    assert flipped
    assert matrix.shape == (2, 3)
    np.testing.assert_allclose(transform([95.5, 127.5], matrix), [95.5, 127.5], atol=1e-9)


def test_the_strengths_asked_for_are_the_strengths_drawn() -> None:
    settings = AugmentationSettings(
        scale=Scale(probability=1, low=1.2, high=1.5), rotate=Rotate(probability=1, max_deg=20)
    )
    drawn = [random_map(settings, WH, np.random.default_rng(i))[0] for i in range(300)]
    scales = np.array([np.sqrt(np.linalg.det(m[:, :2])) for m in drawn])
    angles = np.degrees([np.arctan2(m[1, 0], m[0, 0]) for m in drawn])
    assert 1.2 <= scales.min() < 1.22
    assert 1.48 < scales.max() <= 1.5
    assert -20 <= angles.min() < -18
    assert 18 < angles.max() <= 20


def test_probability_is_how_often_it_happens() -> None:
    settings = AugmentationSettings(flip=Flip(probability=0.3))
    flips = [random_map(settings, WH, np.random.default_rng(i))[1] for i in range(1000)]
    assert 0.25 < np.mean(flips) < 0.35


def test_half_a_body_is_the_half_above_or_below_the_middle_point() -> None:
    body = np.array([[50, y] for y in range(0, 100, 10)] + [[np.nan, np.nan]], dtype=float)
    settings = HalfBody(probability=1, least_points=8, margin=1.5)
    regions = [half_body_region(body, settings, 0.75, np.random.default_rng(i)) for i in range(20)]
    middles = {r.center_px[1] for r in regions if r is not None}
    assert middles == {20.0, 70.0}
    assert all(r is not None and r.size_px[1] == pytest.approx(60) for r in regions)


def test_half_a_lying_body_is_the_half_on_the_left_or_on_the_right() -> None:
    body = np.array([[x, 50] for x in range(0, 100, 10)], dtype=float)
    settings = HalfBody(probability=1, least_points=8)
    regions = [half_body_region(body, settings, 1.0, np.random.default_rng(i)) for i in range(20)]
    assert {r.center_px[0] for r in regions if r is not None} == {20.0, 70.0}


def test_a_body_of_too_few_points_stays_whole() -> None:
    few = np.array([[0, 0], [1, 9], [2, 30]], dtype=float)
    rng = np.random.default_rng(0)
    assert half_body_region(few, HalfBody(probability=1), 1.0, rng) is None
    same = np.zeros((9, 2))
    assert half_body_region(same, HalfBody(probability=1), 1.0, rng) is None


@pytest.mark.parametrize("elsewhere", [0.0, 0.25, 1.0])
def test_a_window_lies_about_a_keypoint_or_about_any_place_of_the_image(elsewhere: float) -> None:
    window = Window(width=64, height=48, elsewhere=elsewhere)
    rng, points = np.random.default_rng(0), np.vstack([POINTS[:2], np.full((1, 2), np.nan)])
    turned = np.array([[0, -2.0, 500], [2.0, 0, -30]])  # the image, turned and twice as large
    near, middles = 0, np.empty((400, 2))
    for i in range(400):
        matrix = window_map(window, points, (320, 240), turned, rng)
        np.testing.assert_array_equal(matrix[:, :2], np.eye(2))
        np.testing.assert_array_equal(matrix, np.rint(matrix))
        inside = transform(transform(points[:2], turned), matrix)
        near += ((inside >= (6, 4)) & (inside <= (57, 43))).all(axis=1).any()
        middles[i] = (31.5, 23.5) - matrix[:, 2]
    assert 1 - elsewhere - 0.05 <= near / 400 <= 1 - 0.9 * elsewhere + 0.05
    if elsewhere == 1:  # the image covers x 21 to 501 and y −31 to 609 of this input
        assert middles.min(axis=0) == pytest.approx((21, -31), abs=30)
        assert middles.max(axis=0) == pytest.approx((501, 609), abs=30)


def test_what_is_outside_a_window_is_learned_as_absent() -> None:
    image = np.full((240, 320, 3), 90, np.uint8)
    sample = sampled(image, {"window": Window(width=32, height=32, elsewhere=0)}, 1, "image")
    outside = ~((sample.points_px > -25) & (sample.points_px < 56)).all(axis=1)
    assert outside.any()
    assert sample.image.shape == (32, 32, 3)
    assert sample.targets["heatmap"].shape == (6, 8, 8)
    np.testing.assert_array_equal(sample.weights, 1)
    np.testing.assert_array_equal(sample.targets["heatmap"][outside], 0)
    assert sample.targets["heatmap"].max() > 0.5


def test_a_range_that_is_upside_down_and_an_unknown_key_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"low \(1\.5\) is above high \(1\.2\)"):
        Scale(probability=1, low=1.5, high=1.2)
    with pytest.raises(ValidationError, match="probability"):
        Rotate(max_deg=30)
    with pytest.raises(ValidationError, match="rotat"):
        AugmentationSettings(rotat={"probability": 1})
