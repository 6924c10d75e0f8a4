"""What light, lens, sensor and files do to an image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gonio.errors import InputError
from gonio.imaging import (
    Blur,
    ColorJitter,
    Image,
    Jpeg,
    MotionBlur,
    Negative,
    Noise,
    Occlusion,
    PhotometrySettings,
    Saturation,
    add_noise,
    adjust_color,
    compress_jpeg,
    cover,
    gaussian_blur,
    motion_blur,
    negative,
    random_photometry,
)

EVERYTHING = PhotometrySettings(
    color_jitter=ColorJitter(probability=1),
    saturation=Saturation(probability=1),
    negative=Negative(probability=1),
    blur=Blur(probability=1),
    motion_blur=MotionBlur(probability=1),
    noise=Noise(probability=1),
    jpeg=Jpeg(probability=1),
    occlusion=Occlusion(probability=1),
)
CHANGES: dict[str, Callable[[Image], Image]] = {
    "color": lambda i: adjust_color(i, brightness=1.1, contrast=0.8, saturation=0.5, hue_deg=20),
    "negative": negative,
    "blur": lambda i: gaussian_blur(i, 1.2),
    "motion": lambda i: motion_blur(i, 5, 30),
    "noise": lambda i: add_noise(i, 5, np.random.default_rng(0)),
    "jpeg": lambda i: compress_jpeg(i, 50),
    "cover": lambda i: cover(i, [[2, 2, 5, 5]], np.full((1, i.shape[-1]), 9)),
    "pipeline": lambda i: random_photometry(i, EVERYTHING, np.random.default_rng(3))[0],
}


def picture(channels: int = 3, *, height: int = 24, width: int = 32) -> Image:
    rng = np.random.default_rng(0)
    return gaussian_blur(rng.integers(0, 256, (height, width, channels), dtype=np.uint8), 1.5)


def one_color(*color: int) -> Image:
    return np.full((8, 8, len(color)), color, np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CHANGES)
def test_every_change_keeps_shape_and_type_and_leaves_its_argument_alone(
    name: str, channels: int
) -> None:
    image = picture(channels)
    before = image.copy()
    image.setflags(write=False)
    changed = CHANGES[name](image)
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, image)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("wh", [(1, 1), (1, 9), (7, 2)])
def test_tiny_images_will_do(name: str, wh: tuple[int, int]) -> None:
    image = np.full((wh[1], wh[0], 3), 77, np.uint8)
    assert CHANGES[name](image).shape == image.shape


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), "type float32, expected uint8"),
        (np.zeros((4, 4), np.uint8), r"shape \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), "has no pixels"),
    ],
)
def test_what_is_no_image_is_refused(name: str, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CHANGES[name](wrong)


def test_brightness_is_a_factor_and_is_cut_at_white() -> None:
    assert adjust_color(one_color(100, 40, 200), brightness=1.5)[0, 0].tolist() == [150, 60, 255]
    assert adjust_color(one_color(100), brightness=0.5)[0, 0].tolist() == [50]


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_stretches_about_the_mean_grey(channels: int) -> None:
    image = np.concatenate([one_color(*[80] * channels), one_color(*[120] * channels)])
    wider = adjust_color(image, contrast=2.0)
    assert sorted(set(wider.ravel().tolist())) == [60, 140]
    flat = adjust_color(image, contrast=0.0)
    assert set(flat.ravel().tolist()) == {100}


def test_without_saturation_a_color_is_its_luma() -> None:
    assert adjust_color(one_color(200, 100, 50), saturation=0)[0, 0].tolist() == [124] * 3


@given(st.floats(-180, 180))
def test_hue_turns_colors_but_neither_greys_nor_luma(hue_deg: float) -> None:
    assert adjust_color(one_color(90, 90, 90), hue_deg=hue_deg)[0, 0].tolist() == [90] * 3
    luma = adjust_color(one_color(140, 120, 110), hue_deg=hue_deg)[0, 0] @ [0.299, 0.587, 0.114]
    assert luma == pytest.approx(124.84, abs=1)


def test_a_third_of_a_turn_of_hue_makes_red_something_blue_or_green() -> None:
    red = one_color(180, 90, 90)
    assert int(adjust_color(red, hue_deg=120)[0, 0].argmax()) != 0
    there_and_back = adjust_color(adjust_color(red, hue_deg=40), hue_deg=-40)
    np.testing.assert_allclose(there_and_back[0, 0], [180, 90, 90], atol=2)


def test_nothing_asked_for_changes_nothing() -> None:
    for channels in (1, 3):
        assert np.array_equal(adjust_color(picture(channels)), picture(channels))
        assert np.array_equal(gaussian_blur(picture(channels), 0), picture(channels))
        assert np.array_equal(motion_blur(picture(channels), 0, 30), picture(channels))
        unchanged, covered = random_photometry(
            picture(channels), PhotometrySettings(), np.random.default_rng(0)
        )
        assert np.array_equal(unchanged, picture(channels))
        assert covered.shape == (0, 4)


def test_the_negative_of_the_negative_is_the_image() -> None:
    assert negative(one_color(0, 100, 255))[0, 0].tolist() == [255, 155, 0]
    assert np.array_equal(negative(negative(picture())), picture())


@given(st.floats(0, 12), st.floats(-180, 180))
def test_motion_smears_along_its_direction_and_moves_nothing(
    length_px: float, angle_deg: float
) -> None:
    image = np.zeros((41, 41, 1), np.uint8)
    image[18:23, 18:23] = 250
    smeared = motion_blur(image, length_px, angle_deg)[..., 0].astype(float)
    rows, cols = np.indices(smeared.shape) - 20
    total = smeared.sum()
    np.testing.assert_allclose(
        [(smeared * rows).sum() / total, (smeared * cols).sum() / total], 0, atol=0.1
    )
    along = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    spread = smeared * (cols * along[0] + rows * along[1]) ** 2
    # A square of 5 px has the variance 2 in all directions, a line of length L has L² / 12.
    assert spread.sum() / total == pytest.approx(2 + length_px**2 / 12, abs=0.9)


def test_blur_has_the_width_asked_for() -> None:
    image = np.zeros((41, 41, 1), np.uint8)
    image[20] = 255
    profile = gaussian_blur(image, 2.0)[:, 20, 0].astype(float)
    spread = (profile * (np.arange(41) - 20) ** 2).sum() / profile.sum()
    assert spread == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("sigma", [2.0, 10.0, 30.0])
def test_noise_has_the_deviation_asked_for_and_no_bias(sigma: float) -> None:
    noisy = add_noise(np.full((200, 200, 3), 128, np.uint8), sigma, np.random.default_rng(1))
    difference = noisy.astype(float) - 128
    assert difference.std() == pytest.approx(sigma, rel=0.05)
    assert abs(difference.mean()) < 0.05 * sigma
    channels = np.corrcoef(difference.reshape(-1, 3).T)
    assert np.abs(channels[np.triu_indices(3, 1)]).max() < 0.02


def test_a_lower_quality_is_farther_from_the_image_and_red_stays_red() -> None:
    image = picture(height=64, width=64)
    losses = [np.abs(compress_jpeg(image, q).astype(float) - image).mean() for q in (95, 60, 10)]
    assert losses == sorted(losses)
    np.testing.assert_allclose(
        compress_jpeg(one_color(200, 30, 40), 90)[4, 4], [200, 30, 40], atol=4
    )


def test_a_pixel_is_covered_if_its_centre_lies_in_the_rectangle() -> None:
    covered = cover(np.zeros((4, 6, 1), np.uint8), [[0.6, 0.5, 2.5, 1.6]], [[9]])[..., 0]
    assert covered.tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 9, 9, 9, 0, 0],
        [0, 9, 9, 9, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("box", [[-9, -9, 3, 3], [9, 9, 3, 3], [-9, 1, 3, 1], [2.1, 2.1, 0.5, 0.5]])
def test_a_rectangle_off_the_image_or_between_its_pixels_covers_nothing(box: list[float]) -> None:
    assert not cover(np.zeros((4, 6, 1), np.uint8), [box], [[9]]).any()


def test_occlusions_are_told_and_painted() -> None:
    settings = PhotometrySettings(occlusion=Occlusion(probability=1, count=3))
    blank = np.zeros((100, 80, 1), np.uint8)
    for seed in range(20):
        image, rectangles = random_photometry(blank, settings, np.random.default_rng(seed))
        assert 1 <= len(rectangles) <= 3
        assert (rectangles[:, 2] <= 0.3 * 80).all()
        assert (rectangles[:, 3] >= 0.05 * 100).all()
        rows, cols = np.nonzero(image[..., 0])
        offset = np.stack([cols, rows], axis=1)[:, None] - rectangles[None, :, :2]
        assert ((offset >= 0) & (offset <= rectangles[None, :, 2:])).all(axis=2).any(axis=1).all()


def test_the_same_chance_gives_the_same_image_and_another_gives_another() -> None:
    one, again, other = (
        random_photometry(picture(), EVERYTHING, np.random.default_rng(seed))[0]
        for seed in (5, 5, 6)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_probability_is_how_often_it_happens() -> None:
    settings = PhotometrySettings(negative=Negative(probability=0.25))
    black = np.zeros((1, 1, 1), np.uint8)
    happened = [
        random_photometry(black, settings, np.random.default_rng(i))[0].any() for i in range(1000)
    ]
    assert 0.2 < np.mean(happened) < 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda i: adjust_color(i, brightness=-1), "brightness: -1, expected at least 0"),
        (lambda i: adjust_color(i, saturation=np.nan), "saturation: nan"),
        (lambda i: gaussian_blur(i, -0.1), "sigma_px"),
        (lambda i: motion_blur(i, -3, 0), "length_px"),
        (lambda i: add_noise(i, 50, np.random.default_rng(0)), "sigma: 50, expected from 0 to 40"),
        (lambda i: cover(i, [[1, 2, 3, 4]], [[9]]), "color"),
        (lambda i: compress_jpeg(i, 0), "quality: 0, expected from 1 to 100"),
    ],
)
def test_a_strength_that_makes_no_sense_is_refused(
    change: Callable[[Image], Image], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        change(picture())


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in (
        {"probability": 1.5},
        {"probability": 1, "low": 0},
        {"probability": 1, "low": 90, "high": 30},
    ):
        with pytest.raises(ValidationError):
            Jpeg(**wrong)
