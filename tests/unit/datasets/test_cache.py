"""Images are decoded once and kept within a budget."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gonio.datasets import ImageCache
from gonio.errors import InputError
from gonio.video import write_image

BYTES = 8 * 10 * 3


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    for i, path in enumerate(paths):
        write_image(path, np.full((8, 10, 3), 10 * i, np.uint8))
    return paths


def test_an_image_is_read_once(files: list[Path]) -> None:
    cache = ImageCache()
    first = cache.read(files[2])
    assert first[0, 0].tolist() == [20, 20, 20]
    files[2].unlink()
    assert cache.read(files[2]) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_what_exceeds_the_budget_is_read_anew_and_throws_nothing_out(files: list[Path]) -> None:
    cache = ImageCache(budget_bytes=2 * BYTES + 5)
    for _ in range(2):
        for path in files:
            cache.read(path)
    assert [path in cache for path in files] == [True, True, False, False]
    assert cache.used_bytes == 2 * BYTES
    assert ImageCache(0).read(files[0]).shape == (8, 10, 3)


def test_preloading_stops_at_the_budget_and_tells_how_far_it_is(files: list[Path]) -> None:
    told: list[int] = []
    cache = ImageCache(budget_bytes=3 * BYTES)
    cache.preload([files[0], files[0], *files[1:]], told.append)
    assert [path in cache for path in files] == [True, True, True, False]
    assert told == [1, 2, 3]


def test_a_file_that_is_missing_or_no_picture_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    for path in (broken, tmp_path / "missing.png"):
        with pytest.raises(InputError, match=path.name):
            ImageCache().read(path)
        with pytest.raises(InputError, match=path.name):
            ImageCache().preload([path])


def test_a_pickled_cache_begins_empty_with_its_budget(files: list[Path]) -> None:
    cache = ImageCache(budget_bytes=BYTES)
    cache.read(files[0])
    other = pickle.loads(pickle.dumps(cache))
    assert other.used_bytes == 0
    other.preload(files)
    assert other.used_bytes == BYTES


def test_threads_keep_to_the_budget(files: list[Path]) -> None:
    cache = ImageCache(budget_bytes=2 * BYTES)
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(cache.read, files * 10))
    assert [image[0, 0, 0] for image in images] == [0, 10, 20, 30] * 10
    assert cache.used_bytes == 2 * BYTES
