"""Markers: drawn discs are found to a tenth of a pixel, and where there is none, none is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gonio.codec import Region
from gonio.errors import ConfigError
from gonio.runtime import Person
from gonio.runtime.cards import make_card
from gonio.runtime.markers import MarkerEstimator, MarkerSpec, fit_markers, refine_person
from unit.runtime.markers.discs import COLORS, SKINS, add_disc, with_marker, without_marker

Floats = NDArray[np.float64]
SEARCH_PX = 16.0


def errors(*, clean: bool, count: int, seed: int) -> tuple[Floats, Floats]:
    """Return distances (NaN = not found) and found radii over true ones."""
    rng = np.random.default_rng(seed)
    off, ratio = np.full((2, count), np.nan)
    for i in range(count):
        image, center, radius = with_marker(rng, clean=clean)
        turn, away = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.7 * SEARCH_PX)
        point = center + away * np.array([np.cos(turn), np.sin(turn)])
        found = fit_markers(image, point[None], search_px=SEARCH_PX)
        off[i] = np.linalg.norm(found.centers_px[0] - center)
        ratio[i] = found.radii_px[0] / radius
    return off, ratio


def test_clean_discs_are_found_to_a_tenth_of_a_pixel() -> None:
    off, ratio = errors(clean=True, count=150, seed=0)
    assert np.isfinite(off).all()
    assert np.median(off) < 0.03
    assert np.percentile(off, 95) < 0.1
    assert off.max() < 0.15
    assert np.abs(ratio - 1).max() < 0.1


def test_discs_in_noise_hair_blur_and_compression_are_found_to_a_third_of_a_pixel() -> None:
    off, _ = errors(clean=False, count=200, seed=1)
    assert np.isfinite(off).mean() >= 0.95
    assert np.nanmedian(off) < 0.1
    assert np.nanpercentile(off, 95) < 0.3


def test_where_there_is_no_marker_almost_none_is_found() -> None:
    rng = np.random.default_rng(2)
    false = [
        np.isfinite(
            fit_markers(
                without_marker(rng), 110 + rng.uniform(-8, 8, (1, 2)), search_px=SEARCH_PX
            ).radii_px[0]
        )
        for _ in range(300)
    ]
    assert np.mean(false) <= 0.02


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("skin", SKINS)
def test_every_color_on_every_skin(color: tuple[int, ...], skin: tuple[int, ...]) -> None:
    if np.linalg.norm(np.subtract(color, skin)) < 40:
        pytest.skip("hardly to be seen")
    picture = np.ones((100, 100, 3)) * np.array(skin, float)
    center = np.array([50.3, 48.8])
    add_disc(picture, center, 6.0, color)
    found = fit_markers(picture.round().astype(np.uint8), center[None] + 3, search_px=8)
    np.testing.assert_allclose(found.centers_px[0], center, atol=0.05)
    assert found.radii_px[0] == pytest.approx(6, abs=0.1)
    assert 0.5 < found.quality[0] <= 1


@settings(max_examples=30)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(2, 20))
def test_no_part_of_a_pixel_is_preferred(dx: float, dy: float, radius: float) -> None:
    picture = np.ones((120, 120, 3)) * np.array(SKINS[1], float)
    center = np.array([60 + dx, 60 + dy])
    add_disc(picture, center, radius, (250, 250, 250))
    found = fit_markers(picture.round().astype(np.uint8), np.array([[58.0, 63.0]]), search_px=8)
    np.testing.assert_allclose(found.centers_px[0], center, atol=0.1)


def test_markers_near_the_edge_of_the_picture_and_points_beyond_it() -> None:
    picture = np.ones((80, 100, 3)) * np.array(SKINS[0], float)
    center = np.array([6.0, 70.0])
    add_disc(picture, center, 5, (20, 20, 20))
    image = picture.round().astype(np.uint8)
    points = np.array([[8.0, 68.0], [500.0, 40.0], [np.nan, 3.0], [50.0, 40.0]])
    found = fit_markers(image, points, search_px=8)
    np.testing.assert_allclose(found.centers_px[0], center, atol=0.1)
    assert np.isnan(found.centers_px[1:]).all()
    assert found.quality[1:].tolist() == [0, 0, 0]


def test_the_marker_nearest_to_the_point_is_taken_of_two_alike() -> None:
    picture = np.ones((100, 160, 3)) * np.array(SKINS[2], float)
    centers = np.array([[60.0, 50.0], [90.0, 50.0]])
    for center in centers:
        add_disc(picture, center, 6, (240, 240, 240))
    found = fit_markers(
        picture.round().astype(np.uint8), centers + np.array([[4, 3], [-5, 2]]), search_px=25
    )
    np.testing.assert_allclose(found.centers_px, centers, atol=0.05)


def test_a_square_a_line_and_a_half_disc_are_no_markers() -> None:
    picture = np.ones((100, 300, 3)) * np.array(SKINS[1], float)
    picture[48:52, 20:80] = 20
    add_disc(picture, np.array([150.0, 50.0]), 8, (240, 240, 240))
    picture[:, 150:] = SKINS[1]
    picture[30:70, 240:] = 30
    points = np.array([[50.0, 50.0], [147.0, 50.0], [240.0, 50.0]])
    found = fit_markers(picture.round().astype(np.uint8), points, search_px=12)
    assert np.isnan(found.radii_px).all()


def test_two_points_cannot_be_the_same_marker() -> None:
    picture = np.ones((100, 100, 3)) * np.array(SKINS[1], float)
    add_disc(picture, np.array([50.0, 50.0]), 6, (240, 240, 240))
    points = np.array([[53.0, 50.0], [49.0, 50.0], [20.0, 20.0], [50.0, 50.0]])
    found, confidence = refine_person(
        picture.round().astype(np.uint8), points, np.array([0.6, 0.9, 0.9, 0.05]),
        MarkerSpec(search=4), 2.0,
    )  # fmt: skip
    np.testing.assert_allclose(found[1], [50, 50], atol=0.05)
    assert np.isnan(found[[0, 2, 3]]).all()
    assert confidence.tolist() == [0, 0.9, 0, 0]


class _Coarse:
    """Says where markers are, two pixels of its input beside them."""

    card = make_card(
        {
            "name": "coarse",
            "task": "pose",
            "skeleton": "rearfoot6",
            "input": {"width": 100, "height": 100, "crop": {"source": "image"}},
            "output": {"kind": "heatmap"},
            "markers": {"search": 3},
        },
        where="test",
    )
    skeleton, provider = card.load_skeleton(), "CPU"

    def __init__(self, points: Floats) -> None:
        self.points = points
        self.calls: list[str] = []

    def estimate(self, image: NDArray[np.uint8]) -> list[Person]:
        region = Region((199.5, 199.5), (400, 400))  # a pixel of the input is four of the image
        points = (self.points + 8 * np.array([0.6, 0.8])).astype(np.float32)
        return [Person(points, np.full(6, 0.8, np.float32), 0.8, region)]

    def reset(self) -> None:
        self.calls.append("reset")

    def close(self) -> None:
        self.calls.append("close")


def test_an_estimator_gives_markers_and_drops_who_has_none() -> None:
    points = np.array([[100, 60], [100, 200], [95, 280], [300, 60], [300, 200], [305, 280]], float)
    picture = np.ones((400, 400, 3)) * np.array(SKINS[0], float)
    for point in points[:5]:
        add_disc(picture, point, 7, (30, 60, 200))
    coarse: Any = _Coarse(points)
    spec = coarse.card.markers
    assert spec == MarkerSpec(search=3)
    estimator = MarkerEstimator(coarse, spec)
    (person,) = estimator.estimate(picture.round().astype(np.uint8))
    np.testing.assert_allclose(person.keypoints_px[:5], points[:5], atol=0.05)
    assert np.isnan(person.keypoints_px[5]).all()
    assert person.confidence.tolist() == pytest.approx([0.8] * 5 + [0])
    assert person.keypoints_px.dtype == person.confidence.dtype == np.float32
    assert estimator.estimate(np.full((400, 400, 3), 120, np.uint8)) == []
    estimator.reset()
    estimator.close()
    assert coarse.calls == ["reset", "close"]
    assert estimator.card is coarse.card


def test_a_card_says_what_it_means_by_markers() -> None:
    values = {
        "name": "mine", "task": "detector", "input": {"width": 8, "height": 8},
        "output": {"kind": "boxes"}, "markers": {},
    }  # fmt: skip
    with pytest.raises(ConfigError, match="markers: only a pose model"):
        make_card(values, where="test")
    pose = values | {"task": "pose", "skeleton": "rearfoot6", "output": {"kind": "heatmap"}}
    with pytest.raises(ConfigError, match=r"radius_px: 9 to 3; from 1 to 100"):
        make_card(pose | {"markers": {"radius_px": [9, 3]}}, where="test")
    with pytest.raises(ConfigError, match=r"unknown key 'markers.serch'.*'markers.search'"):
        make_card(pose | {"markers": {"serch": 3}}, where="test")
