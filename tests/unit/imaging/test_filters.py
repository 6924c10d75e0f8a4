"""Filters on tiny images: by hand, and against other implementations where there are any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gonio.errors import InputError
from gonio.imaging import Background, Mog2, gaussian_blur
from gonio.imaging.filters import (
    bilateral,
    clahe,
    color_equalize,
    edge_enhance,
    edge_overlay,
    edges,
    equalize,
    grey,
)

FILTERS = [grey, edges, edge_overlay, equalize, clahe, color_equalize, edge_enhance, bilateral]
NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def one_channel(rows: Any) -> NDArray[np.uint8]:
    return np.array(rows, dtype=np.uint8)[..., None]


def step(height: int = 8, width: int = 12, *, size: int = 100) -> NDArray[np.uint8]:
    """Dark on the left, brighter by ``size`` from the middle on."""
    image = np.full((height, width, 3), 50, np.uint8)
    image[:, width // 2 :] += np.uint8(size)
    return image


@pytest.mark.parametrize("apply", FILTERS)
@pytest.mark.parametrize("shape", [(24, 32, 3), (24, 32, 1), (1, 1, 3), (1, 5, 1), (3, 2, 3)])
def test_a_filter_keeps_size_and_type_and_leaves_its_image_as_it_is(
    apply: Any, shape: tuple[int, ...]
) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    done = apply(image)
    assert done.shape == shape
    assert done.dtype == np.uint8
    assert np.array_equal(image, before)
    assert np.array_equal(done, apply(image[::-1][::-1]))  # whatever lies how in memory


@pytest.mark.parametrize("apply", FILTERS)
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.uint16), "type uint16, expected uint8"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\), expected"),
        (np.zeros((4, 4), np.uint8), r"shape \(4, 4\), expected"),
        (np.zeros((0, 4, 3), np.uint8), "has no pixels"),
    ],
)
def test_what_is_no_image_is_refused(apply: Any, image: NDArray[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        apply(image)


def test_grey_is_luma_in_every_channel() -> None:
    # 0.299 R + 0.587 G + 0.114 B
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]], np.uint8)
    assert grey(image).tolist() == [[[76] * 3, [150] * 3, [29] * 3, [18] * 3]]
    assert np.array_equal(grey(grey(NOISE)), grey(NOISE))


def test_edges_are_one_white_line_along_a_step() -> None:
    done = edges(step(size=100))
    columns = np.flatnonzero(done[..., 0].any(axis=0))
    assert len(columns) == 1
    assert columns[0] in {5, 6}  # the step lies between them
    assert (done[:, columns[0]] == 255).all()
    assert set(np.unique(done)) == {0, 255}


def test_a_step_of_n_levels_has_a_gradient_of_4_n() -> None:
    # 4 × 49 = 196 is no edge with the default of 200, 4 × 51 = 204 is one.
    assert not edges(step(size=49)).any()
    assert edges(step(size=51)).any()
    assert edges(step(size=10), low=20, high=39).any()
    assert not edges(step(size=10), low=20, high=41).any()


def test_a_faint_edge_goes_on_from_a_clear_one_and_does_not_begin_by_itself() -> None:
    image = step(height=16, size=30)  # 120: between low and high
    assert not edges(image).any()
    image[:4, 6:] = 150  # above it, a clear edge
    assert (edges(image)[6:, :, 0].max(axis=1) == 255).all()


def test_an_overlay_changes_the_edges_and_nothing_else() -> None:
    image = step(size=100)
    lines = edges(image) > 0
    done = edge_overlay(image)
    assert (done[lines] == 255).all()
    assert np.array_equal(done[~lines], image[~lines])
    half = edge_overlay(image, strength=0.5)
    # Half of white on 50 or 150: 152.5 or 202.5, rounded to even.
    assert set(np.unique(half[lines])) <= {152, 202}
    assert np.array_equal(edge_overlay(image, strength=0), image)


def test_equalizing_spreads_levels_by_their_order() -> None:
    # Of four pixels above the darkest, 1, 2, and 4 lie at or below each level: 255 × n / 4.
    image = one_channel([[10, 11, 12, 13, 13]])
    assert equalize(image)[..., 0].tolist() == [[0, 64, 128, 255, 255]]
    assert np.array_equal(color_equalize(image), equalize(image))


def test_an_even_image_stays_as_it_is() -> None:
    even = np.full((6, 7, 3), (10, 200, 30), np.uint8)
    for same in (equalize, color_equalize, edge_enhance, bilateral, edge_overlay):
        assert np.array_equal(same(even), even)


def test_equalizing_luma_keeps_the_differences_between_channels() -> None:
    image = np.array([[[60, 50, 40], [110, 100, 90], [160, 150, 140], [70, 60, 50]]], np.uint8)
    for change in (equalize, lambda given: clahe(given, tiles=1)):
        done = change(image).astype(int)
        inside = ((done > 0) & (done < 255)).all(axis=2)
        assert inside.any()
        assert (np.diff(done[inside], axis=-1) == -10).all()


def test_equalizing_colors_takes_a_cast_away() -> None:
    values = np.random.default_rng(0).integers(100, 140, (16, 16, 1), dtype=np.uint8)
    cast = np.concatenate([values, values // 2, values // 4 + 3], axis=2)
    done = color_equalize(cast)
    assert done.min(axis=(0, 1)).tolist() == [0, 0, 0]
    assert done.max(axis=(0, 1)).tolist() == [255, 255, 255]
    for channel in range(3):
        np.testing.assert_array_equal(done[..., channel], naive_equalize(cast[..., channel]))


def naive_equalize(channel: NDArray[np.uint8]) -> NDArray[np.uint8]:
    counts = np.bincount(channel.ravel(), minlength=256).cumsum()
    least = counts[channel.min()]
    spread: NDArray[np.uint8] = np.rint(
        (counts[channel] - least) * 255 / (channel.size - least)
    ).astype(np.uint8)
    return spread


def naive_clahe(channel: NDArray[np.uint8], clip: float, tiles: int) -> NDArray[np.float64]:
    """Zuiderveld's, for sides that are whole multiples of the tiles'."""
    height, width = channel.shape[0] // tiles, channel.shape[1] // tiles
    limit = max(int(clip * height * width / 256), 1)
    maps = np.empty((tiles, tiles, 256))
    for row, col in np.ndindex(tiles, tiles):
        tile = channel[row * height :, col * width :][:height, :width]
        counts = np.bincount(tile.ravel(), minlength=256)
        extra = int((counts - limit).clip(min=0).sum())
        counts = counts.clip(max=limit) + extra // 256
        rest = extra % 256
        if rest:
            counts[:: max(256 // rest, 1)][:rest] += 1
        maps[row, col] = np.rint(counts.cumsum() * 255 / (height * width))
    done = np.empty(channel.shape)
    for y, x in np.ndindex(*channel.shape):
        down, across = (y / height) - 0.5, (x / width) - 0.5
        rows = (int(np.floor(down)), int(np.floor(down)) + 1)
        cols = (int(np.floor(across)), int(np.floor(across)) + 1)
        value = 0.0
        for r, by_row in zip(rows, (rows[1] - down, down - rows[0]), strict=True):
            for c, by_col in zip(cols, (cols[1] - across, across - cols[0]), strict=True):
                place = (min(max(r, 0), tiles - 1), min(max(c, 0), tiles - 1))
                value += by_row * by_col * maps[(*place, channel[y, x])]
        done[y, x] = value
    return done


@pytest.mark.parametrize(("clip", "tiles"), [(2, 2), (40, 3), (1000, 4), (8, 1)])
def test_clahe_is_zuidervelds(clip: float, tiles: int) -> None:
    smooth = ndimage.gaussian_filter(np.random.default_rng(2).uniform(0, 255, (48, 48)), 3)
    image = one_channel(np.rint((smooth - smooth.min()) * 4).clip(0, 255))
    done = clahe(image, clip=clip, tiles=tiles)[..., 0]
    np.testing.assert_allclose(done, naive_clahe(image[..., 0], clip, tiles), atol=0.51)


def test_clahe_of_one_tile_without_a_limit_is_the_share_of_darker_pixels() -> None:
    image = one_channel([[10, 20], [30, 30]])
    assert clahe(image, clip=1000, tiles=1)[..., 0].tolist() == [[64, 128], [255, 255]]


def test_edge_enhancing_adds_the_differences_from_the_neighbors() -> None:
    image = one_channel(np.full((5, 5), 100))
    image[2, 2] = 110
    done = edge_enhance(image, amount=0.5)[..., 0]
    assert done[2, 2] == 110 + 0.5 * 8 * 10
    assert done[1, 1] == done[2, 1] == 100 - 0.5 * 10
    assert done[0, 0] == 100
    assert np.array_equal(edge_enhance(image, amount=0), image)


@pytest.mark.parametrize(("amount", "kind"), [(0.5, "EDGE_ENHANCE"), (1.0, "EDGE_ENHANCE_MORE")])
def test_edge_enhancing_is_pillows(amount: float, kind: str) -> None:
    pil = pytest.importorskip("PIL.Image")
    kernel = getattr(pytest.importorskip("PIL.ImageFilter"), kind)
    theirs = np.asarray(pil.fromarray(NOISE).filter(kernel)).astype(int)
    ours = edge_enhance(NOISE, amount=amount).astype(int)
    assert np.abs(ours - theirs)[1:-1, 1:-1].max() <= 1  # halves are rounded otherwise


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5])
def test_the_gaussian_is_scipys(sigma: float) -> None:
    theirs = ndimage.gaussian_filter(
        NOISE.astype(float), (sigma, sigma, 0), mode="mirror", truncate=3
    )
    assert np.abs(gaussian_blur(NOISE, sigma) - theirs).max() < 2


def test_bilateral_weighs_by_distance_and_color() -> None:
    sigma_px, sigma_levels, reach = 2.0, 40.0, 3
    padded = np.pad(NOISE.astype(float), ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    total = np.zeros(NOISE.shape)
    weights = np.zeros((*NOISE.shape[:2], 1))
    height, width = NOISE.shape[:2]
    for dy, dx in np.ndindex(2 * reach + 1, 2 * reach + 1):
        distance2 = (dy - reach) ** 2 + (dx - reach) ** 2
        if distance2 > reach**2:  # within a disc
            continue
        there = padded[dy : dy + height, dx : dx + width]
        far = np.abs(there - NOISE).sum(axis=2, keepdims=True)
        weight = np.exp(-distance2 / (2 * sigma_px**2) - far**2 / (2 * sigma_levels**2))
        total += weight * there
        weights += weight
    done = bilateral(NOISE, sigma_px=sigma_px, sigma_levels=sigma_levels)
    assert np.abs(done - total / weights).max() < 1


def test_bilateral_smooths_noise_and_keeps_a_step() -> None:
    image = step(32, 32, size=150).astype(int)
    noisy = (image + np.random.default_rng(3).integers(-4, 5, image.shape)).astype(np.uint8)
    done = bilateral(noisy, sigma_px=3, sigma_levels=30).astype(int)
    assert np.abs(done - image).mean() < 0.6 * np.abs(noisy - image).mean()
    assert (done[:, 16] - done[:, 15]).min() > 140


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: edges(NOISE, low=-1), "low: -1"),
        (lambda: edges(NOISE, low=9, high=8), "high: 8, expected at least 9"),
        (lambda: edge_overlay(NOISE, strength=1.5), "strength: 1.5, expected from 0 to 1"),
        (lambda: clahe(NOISE, clip=0), "clip: 0"),
        (lambda: clahe(NOISE, tiles=0), "tiles: 0, expected at least 1"),
        (lambda: edge_enhance(NOISE, amount=-1), "amount: -1"),
        (lambda: bilateral(NOISE, sigma_px=0), "sigma_px: 0"),
        (lambda: bilateral(NOISE, sigma_levels=float("nan")), "sigma_levels: nan"),
    ],
)
def test_numbers_out_of_range_are_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def walk(count: int) -> list[NDArray[np.uint8]]:
    """A bright square that moves before a wall that does not."""
    wall = np.random.default_rng(4).integers(60, 120, (40, 60, 3), dtype=np.uint8)
    frames = []
    for number in range(count):
        frame = wall.copy()
        frame[10:20, 2 * number : 2 * number + 10] = 250
        frames.append(frame)
    return frames


def test_the_background_goes_and_what_moves_stays() -> None:
    background = Background(Mog2(fill=7))
    frames = walk(20)
    wall = walk(1)[0]
    wall[10:20, :10] = wall[20:30, :10]
    for _ in range(60):
        background.subtract(wall)
    last = [background.subtract(frame) for frame in frames][-1]
    square = (slice(10, 20), slice(38, 48))
    assert np.array_equal(last[square], frames[-1][square])
    rest = np.ones((40, 60), bool)
    rest[square] = False
    assert (last[rest] == 7).mean() > 0.98


def test_a_picture_alone_has_no_background() -> None:
    frames = walk(10)
    background = Background(Mog2())
    assert background.subtract(frames[0]) is frames[0]
    once = [background.subtract(frame) for frame in frames[1:]]
    background.reset()
    assert background.subtract(frames[0]) is frames[0]
    again = [background.subtract(frame) for frame in frames[1:]]
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


def test_a_shadow_is_background_unless_it_is_asked_for() -> None:
    drop, keep = Background(Mog2()), Background(Mog2(shadows="keep"))
    wall = np.full((20, 20, 3), 200, np.uint8)
    for _ in range(30):
        drop.subtract(wall)
        keep.subtract(wall)
    shaded = wall.copy()
    shaded[5:10, 5:10] = 140  # the same color, darker
    assert (drop.subtract(shaded)[5:10, 5:10] == 0).all()
    assert (keep.subtract(shaded)[5:10, 5:10] == 140).all()


def test_frames_of_another_size_begin_anew_and_no_frame_is_refused() -> None:
    background = Background(Mog2())
    for frame in walk(5):
        background.subtract(frame)
    other = np.full((30, 30, 3), 90, np.uint8)
    assert background.subtract(other) is other
    assert not background.subtract(other).any()
    with pytest.raises(InputError, match="type float64"):
        background.subtract(np.zeros((4, 4, 3)))  # type: ignore[arg-type]
