"""Samples: crop, labels, weights and targets."""

from __future__ import annotations

from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gonio.codec import (
    crop_matrix,
    decode_coords,
    decode_dark,
    decode_disc,
    decode_locref,
    decode_simcc,
    heatmap_to_input,
    invert,
    transform,
    warp,
)
from gonio.datasets import (
    AugmentationSettings,
    Flip,
    HalfBody,
    InputSettings,
    Rotate,
    Sample,
    Scale,
    TargetSettings,
    make_sample,
    person_region,
    sample_people,
    sample_rng,
    start_sampling_worker,
)
from gonio.datasets.sampling import CropSettings
from gonio.errors import ConfigError, InputError
from gonio.imaging import Noise, Occlusion
from gonio.labels import LabelledImage, Labels, make_labels
from gonio.runtime.cards import InputSpec
from gonio.skeletons import load_skeleton

WH = (192, 256)
INPUT = InputSettings(width=192, height=256)
LEGS = load_skeleton("lower6")
POINTS = np.array([[110, 60], [190, 70], [120, 125], [200, 115], [105, 180], [185, 190.0]])
SEEN = np.array([2, 2, 1, 2, 0, 2])
IMAGE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)


def person(
    points: Any = POINTS, visibility: Any = SEEN, box: Any = (60.0, 20.0, 180.0, 200.0)
) -> Labels:
    return make_labels(
        LEGS, [LabelledImage(Path("one.png"))], [0], [points], [visibility], boxes_px=[box]
    )


def sample(
    labels: Labels | None = None, target: TargetSettings | None = None, **more: Any
) -> Sample:
    return make_sample(
        labels if labels is not None else person(),
        0,
        **{"input": INPUT, "target": target or TargetSettings(), "image": IMAGE} | more,
    )


def test_the_crop_is_the_region_that_the_runtime_looks_at() -> None:
    region = person_region(person(), 0, padding=1.25, aspect=0.75)
    assert region is not None
    assert region.center_px == (150, 120)
    assert region.size_px == (225, 300)  # 180 × 1.25 wide, made as high as the aspect asks for
    made = sample()
    matrix = crop_matrix(region, WH)
    np.testing.assert_array_equal(made.matrix[:2], matrix)
    assert np.array_equal(made.image, warp(IMAGE, matrix, WH))
    np.testing.assert_allclose(
        made.points_px, transform(person().keypoints_px[0], matrix), atol=1e-3
    )


def test_without_chance_a_sample_with_augmentation_switched_on_is_the_same() -> None:
    plain, switched = sample(), sample(augmentation=AugmentationSettings(), rng=sample_rng(0, 0, 0))
    assert np.array_equal(plain.image, switched.image)
    assert np.array_equal(plain.matrix, switched.matrix)


@pytest.mark.parametrize("box", [[np.nan] * 4, [5, 5, 0, 9], [5, 5, 9, -1]])
def test_without_a_box_the_region_is_around_the_keypoints(box: list[float]) -> None:
    region = person_region(person(box=box), 0, padding=1.0, aspect=0.75)
    assert region is not None
    labelled = POINTS[SEEN > 0]
    middle = (labelled.min(axis=0) + labelled.max(axis=0)) / 2
    np.testing.assert_allclose(region.center_px, middle)
    assert region.size_px[1] == pytest.approx(1.15 * np.ptp(labelled[:, 1]))


def test_nobody_without_a_box_and_two_points_is_sampled() -> None:
    one = np.array([0, 0, 0, 0, 0, 2])
    alone = person(visibility=one, box=[np.nan] * 4)
    with pytest.raises(
        InputError, match=r"'one.png': person 0 has neither a box nor two keypoints"
    ):
        sample(alone)
    assert sample_people(alone, CropSettings()).tolist() == []
    assert sample_people(alone, CropSettings(source="image")).tolist() == [0]
    assert sample_people(person(visibility=one), CropSettings()).tolist() == [0]


def test_crowds_and_people_without_labels_are_left_out() -> None:
    labels = make_labels(
        LEGS,
        [LabelledImage(Path("three.png"))],
        [0, 0, 0],
        [POINTS] * 3,
        [SEEN, SEEN * 0, SEEN],
        boxes_px=[[60, 20, 180, 200]] * 3,
        crowd=[True, False, False],
    )
    assert sample_people(labels, CropSettings()).tolist() == [2]


def test_a_whole_image_is_letterboxed_and_holds_one_person() -> None:
    whole = InputSettings(width=192, height=256, crop={"source": "image", "fill": 7})
    made = sample(input=whole)
    assert (made.image[:55] == 7).all()
    assert (made.image[201:] == 7).all()
    np.testing.assert_allclose(
        made.points_px[0], (POINTS[0] + 0.5) * 0.6 - 0.5 + (0, 56), atol=1e-3
    )
    two = make_labels(LEGS, [LabelledImage(Path("two.png"))], [0, 0], [POINTS] * 2, [SEEN] * 2)
    with pytest.raises(InputError, match=r"'two.png': 2 people"):
        sample_people(two, whole.crop)


def test_only_labelled_keypoints_count_or_only_visible_ones() -> None:
    assert sample().weights.tolist() == [1, 1, 1, 1, 0, 1]
    visible = sample(target=TargetSettings(weights="visible"))
    assert visible.weights.tolist() == [1, 1, 0, 1, 0, 1]
    assert np.isnan(visible.points_px[4]).all()
    assert visible.visibility.tolist() == SEEN.tolist()
    assert not visible.targets["heatmap"][[2, 4]].any()


@pytest.mark.parametrize(
    ("kind", "reach"), [("gaussian", 24), ("disc", 24), ("simcc", 9), ("locref", 17)]
)
def test_a_keypoint_counts_as_far_outside_as_its_target_reaches_in(kind: str, reach: float) -> None:
    target = TargetSettings(kind=kind, visibility=True)
    box = (-0.5, -0.5, 192, 256)  # the crop is the input itself
    edge = 192 - 0.5
    points = POINTS.copy()
    points[0, 0], points[1, 0], points[2, 0] = edge, edge + reach - 0.1, edge + reach + 0.1
    made = sample(
        person(points, np.full(6, 2), box),
        target,
        input=InputSettings(width=192, height=256, crop={"padding": 1}),
    )
    assert made.weights[:3].tolist() == [1, 1, 0]
    assert made.visibility[:3].tolist() == [2, 1, 1]
    assert made.targets["visibility"][:3].tolist() == [1, 0, 0]
    np.testing.assert_allclose(made.points_px[:, 0], points[:, 0], atol=1e-3)
    if kind != "simcc":
        assert not made.targets["heatmap"][2].any()


def test_coordinates_are_learned_beyond_the_edges() -> None:
    points = POINTS.copy()
    points[0] = (-400, 60)
    made = sample(person(points), TargetSettings(kind="coords"))
    assert made.weights[0] == 1
    assert made.targets["coords"][0, 0] < -1


def test_what_an_occluding_rectangle_covers_is_hidden_but_still_labelled() -> None:
    everything = Occlusion(probability=1, low=1, high=1, count=1)
    for seed in range(10):
        made = sample(
            person(visibility=np.full(6, 2)),
            TargetSettings(weights="visible", visibility=True),
            augmentation=AugmentationSettings(occlusion=everything),
            rng=sample_rng(seed, 0, 0),
        )
        painted = (made.image == made.image[made.image.shape[0] // 2, 96]).all(axis=2)
        for point, seen, weight in zip(made.points_px, made.visibility, made.weights, strict=True):
            x, y = np.rint(point).astype(int)
            assert seen == (1 if painted[y, x] else 2)
            assert weight == (seen == 2)
        assert np.array_equal(made.targets["visibility"], made.visibility == 2)


DECODERS = {
    "gaussian": lambda t, s: heatmap_to_input(decode_dark(t["heatmap"], sigma=0)[0], s.stride),
    "disc": lambda t, s: heatmap_to_input(decode_disc(t["heatmap"], radius=s.radius)[0], s.stride),
    "simcc": lambda t, s: decode_simcc(t["x"], t["y"], ratio=s.ratio)[0],
    "coords": lambda t, s: decode_coords(t["coords"], WH),
    "locref": lambda t, s: decode_locref(
        t["heatmap"], t["locref"].reshape(6, 2, *t["locref"].shape[1:]), WH, stdev_px=s.stdev_px
    )[0],
}


@pytest.mark.parametrize("kind", DECODERS)
@given(seed=st.integers(0, 10**6))
def test_decoded_targets_are_the_points_and_lead_back_to_the_image(kind: str, seed: int) -> None:
    target = TargetSettings(kind=kind, stride=8 if kind == "locref" else 4)
    made = sample(
        person(visibility=np.full(6, 2)),
        target,
        augmentation=AugmentationSettings(
            flip=Flip(probability=0.5), scale=Scale(probability=1), rotate=Rotate(probability=1)
        ),
        rng=sample_rng(seed, 0, 0),
    )
    found = DECODERS[kind](made.targets, target)
    inner = ((made.points_px > 30) & (made.points_px < np.array(WH) - 30)).all(axis=1)
    tolerance = 1.5 if kind == "disc" else 0.02
    np.testing.assert_allclose(found[inner], made.points_px[inner], atol=tolerance)
    flipped = np.linalg.det(made.matrix[:2, :2]) < 0
    order = LEGS.flip_order() if flipped else list(range(6))
    back = transform(made.points_px, invert(made.matrix))
    np.testing.assert_allclose(back, POINTS[order], atol=0.01)


def test_targets_have_the_shapes_of_their_roles_and_are_float32() -> None:
    shapes = {
        kind: {
            role: array.shape
            for role, array in sample(target=TargetSettings(kind=kind)).targets.items()
            if array.dtype == np.float32
        }
        for kind in DECODERS
    }
    assert shapes == {
        "gaussian": {"heatmap": (6, 64, 48)},
        "disc": {"heatmap": (6, 64, 48)},
        "simcc": {"x": (6, 384), "y": (6, 512)},
        "coords": {"coords": (6, 2)},
        "locref": {
            "heatmap": (6, 64, 48),
            "locref": (12, 64, 48),
            "locref_weights": (12, 64, 48),
        },
    }


def test_chance_comes_from_seed_epoch_and_index_alone() -> None:
    chance = AugmentationSettings(rotate=Rotate(probability=1), noise=Noise(probability=1))
    made = [
        sample(augmentation=chance, rng=sample_rng(*key)).image
        for key in [(1, 2, 3), (1, 2, 3), (1, 2, 4), (1, 3, 3), (2, 2, 3)]
    ]
    assert np.array_equal(made[0], made[1])
    assert not any(np.array_equal(made[0], other) for other in made[2:])


@pytest.mark.parametrize("normalize", ["imagenet", "unit"])
@pytest.mark.parametrize("channels", ["rgb", "grey"])
def test_samples_are_normalized_as_a_card_would_have_it(channels: Any, normalize: Any) -> None:
    settings = InputSettings(width=192, height=256, channels=channels, normalize=normalize)
    made, rgb = sample(input=settings), sample()
    spec = InputSpec(
        width=192,
        height=256,
        channels=channels,
        mean=settings.mean,
        std=settings.std,
        scale=settings.scale,
    )
    pixels = made.image * np.float64(settings.scale)
    normalized = (pixels - np.array(settings.mean)) / np.array(settings.std)
    assert normalized.shape == (256, 192, settings.channel_count)
    # Grey is rounded to whole levels in a sample, not in the runtime.
    tolerance = 0.51 / 255 / min(settings.std) if channels == "grey" else 1e-5
    np.testing.assert_allclose(
        normalized.transpose(2, 0, 1)[None], spec.to_tensor(rgb.image), atol=tolerance
    )


def test_the_labels_stay_as_they_are() -> None:
    labels = person()
    points, visibility = labels.keypoints_px.copy(), labels.visibility.copy()
    chance = AugmentationSettings(
        flip=Flip(probability=1), occlusion=Occlusion(probability=1, low=1, high=1)
    )
    sample(labels, augmentation=chance, rng=sample_rng(0, 0, 0))
    np.testing.assert_array_equal(labels.keypoints_px, points)
    np.testing.assert_array_equal(labels.visibility, visibility)


def test_settings_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"192×256 is not a whole number of cells of 5 px"):
        sample(target=TargetSettings(stride=5))
    with pytest.raises(ConfigError, match="needs a random generator"):
        sample(augmentation=AugmentationSettings(flip=Flip(probability=1)))
    whole = InputSettings(width=192, height=256, crop={"source": "image"})
    half = AugmentationSettings(half_body=HalfBody(probability=1))
    with pytest.raises(ConfigError, match=r"half_body: needs crop\.source 'person'"):
        sample(input=whole, augmentation=half, rng=sample_rng(0, 0, 0))
    with pytest.raises(ValidationError, match="widht"):
        InputSettings(widht=3, height=4)


# Python warns of forking where there are threads; that is what is tested.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="nothing is forked here")
def test_a_forked_worker_works_after_its_parent_has_used_opencvs_threads() -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        cv2.GaussianBlur(np.zeros((1500, 1500, 3), np.uint8), (0, 0), 3)
        worker = get_context("fork").Process(target=make_one_sample)
        worker.start()
        worker.join(30)
        stuck = worker.is_alive()
        worker.kill()
        worker.join()
    finally:
        cv2.setNumThreads(threads)
    assert not stuck
    assert worker.exitcode == 0


def make_one_sample() -> None:
    start_sampling_worker()
    assert sample().image.any()


def test_a_missing_image_is_named() -> None:
    with pytest.raises(InputError, match=r"one.png"):
        sample(image=None)
