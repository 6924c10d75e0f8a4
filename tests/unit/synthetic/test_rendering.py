"""The pictures: where the person is drawn, determinism, the written video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gonio.synthetic import PersonSettings, frames, render_person, truth
from gonio.synthetic.shapes import Light, SpriteSheet, draw_limb, draw_sprite, limb
from gonio.video import open_source

SMALL = (320, 240)
FLAT = Light(0, 0, 1, ambient=1.0, diffuse=0.0)


def test_a_limb_covers_its_pixels_with_a_soft_edge() -> None:
    canvas = np.zeros((40, 80, 3), np.uint8)
    tube = limb([(0, 5.0), (1, 5.0)], [(0, 5.0), (1, 5.0)], [(0, (200, 100, 50))], 0.0,
                np.random.default_rng(0))  # fmt: skip
    draw_limb(canvas, tube, np.array([20.0, 20]), np.array([60.0, 20]), px_per_m=1, light=FLAT)
    assert canvas[20, 40].tolist() == [200, 100, 50]
    assert canvas[20, 16].tolist() == [200, 100, 50], "round cap"
    assert canvas[25, 40, 0] == pytest.approx(100, abs=1), "edge: half covered"
    assert not canvas[27].any()
    assert not canvas[:, :14].any()


def test_a_limbs_front_is_forward_for_a_leg_that_hangs_down() -> None:
    canvas = np.zeros((80, 60, 3), np.uint8)
    leg = limb([(0, 3.0), (1, 3.0)], [(0, 12.0), (1, 12.0)], [(0, (255, 255, 255))], 0.0,
               np.random.default_rng(0))  # fmt: skip
    draw_limb(canvas, leg, np.array([30.0, 10]), np.array([30.0, 70]), px_per_m=1, light=FLAT)
    assert canvas[40, 40].all()
    assert not canvas[40, 22].any()


def test_a_sprite_stands_at_its_place_and_turns_counter_clockwise() -> None:
    sheet = SpriteSheet((-2, -2), (12, 2), px_per_m=4)
    sheet.polygon([(-1, -1), (10, -1), (10, 1), (-1, 1)], (255, 255, 255))
    sprite = sheet.finish(FLAT, roundness_m=1.0)
    flat, up = np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100, 3), np.uint8)
    draw_sprite(flat, sprite, np.array([50.0, 50]), 0, px_per_m=4)
    draw_sprite(up, sprite, np.array([50.0, 50]), 90, px_per_m=4)
    assert flat[50, 80].all()
    assert not flat[20, 50].any()
    assert up[20, 50].all()
    assert not up[50, 80].any()


def test_parts_outside_the_picture_are_no_trouble() -> None:
    pictures = list(frames(PersonSettings(seconds=4, fps=2, camera="static", size=SMALL)))
    assert len(pictures) == 8
    assert all(p.shape == (240, 320, 3) and p.dtype == np.uint8 for p in pictures)


def test_the_same_seed_gives_the_same_pictures_and_another_seed_another_person() -> None:
    first, again, other = (
        next(frames(PersonSettings(seed=s, seconds=0.1, size=SMALL))) for s in (4, 4, 5)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 3


@pytest.mark.parametrize("facing", ["right", "left"])
@pytest.mark.parametrize("motion", ["walk", "squat", "sit"])
def test_the_person_is_drawn_where_the_truth_says(motion: str, facing: str) -> None:
    """Against a picture without the person, the near limbs' points stand out."""
    settings = PersonSettings(motion=motion, seed=1, seconds=0.1, size=SMALL, facing=facing)  # type: ignore[arg-type]
    picture = next(frames(settings)).astype(int)
    wall = np.median(picture[:60, :60].reshape(-1, 3), axis=0)
    near = "right" if facing == "right" else "left"
    position = truth(settings).poses["position"].isel(time=0, individuals=0)
    for name in ("shoulder", "elbow", "hip", "knee"):
        x, y = np.round(position.sel(keypoints=f"{near}_{name}").values).astype(int)
        assert np.abs(picture[y - 1 : y + 2, x - 1 : x + 2] - wall).max() > 40, name
    far_off = picture[20:120, 300 if facing == "right" else 20]
    assert np.abs(far_off - wall).mean() < 40


def test_the_video_holds_every_frame_and_the_truth_has_its_times(tmp_path: Path) -> None:
    path = tmp_path / "walk.mp4"
    poses, angles = render_person(path, seconds=0.5, fps=20, size=SMALL)
    with open_source(path) as source:
        times = [frame.time_s for frame in source]
        assert (source.info.width, source.info.height) == SMALL
    np.testing.assert_allclose(poses["time"], times, atol=1e-4)
    assert angles.sizes["time"] == len(times) == 10
    assert [f.name for f in tmp_path.iterdir()] == ["walk.mp4"]
