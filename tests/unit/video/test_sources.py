"""Reading videos: containers, times, orientation, size, memory."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.video import open_source
from gonio.video.clock import Clock
from gonio.video.orientation import Orientation

from .conftest import corners, encode, scene

MakeVideo = Callable[..., Path]
UPRIGHT = ["red", "green", "blue", "grey"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.avi", "mpeg4"),
        ("b-frames.avi", "libx264"),
        ("a.mpg", "mpeg2video"),
        ("a.mpeg", "mpeg1video"),
        ("a.ts", "libx264"),
        ("a.webm", "libvpx-vp9"),
    ],
)
def test_every_container_gives_all_frames_upright_at_their_times(
    make_video: MakeVideo, name: str, codec: str
) -> None:
    with open_source(make_video(name, frames=12, codec=codec)) as source:
        frames = list(source)
        assert (source.info.width, source.info.height) == (64, 48)
        assert source.info.kind == "video"
        assert source.info.fps == pytest.approx(25)
        assert source.warnings == []
    assert [f.index for f in frames] == list(range(12))
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(12) / 25, atol=6e-4)
    assert all(f.image.shape == (48, 64, 3) and f.image.dtype == np.uint8 for f in frames)
    assert all(corners(f.image) == UPRIGHT for f in frames)


def test_colors_survive_to_a_few_levels(make_video: MakeVideo) -> None:
    first = next(iter(open_source(make_video(crf="1"))))
    np.testing.assert_allclose(first.image[8, 8], (200, 30, 30), atol=8)
    np.testing.assert_allclose(first.image[8, 56], (30, 170, 30), atol=8)


def test_variable_rate_keeps_true_times_from_the_first_shown_frame(make_video: MakeVideo) -> None:
    ticks = [500, 533, 600, 640, 1640, 1641]
    path = make_video("vfr.mkv", frames=6, ticks=ticks, tick_s=Fraction(1, 1000))
    times = [f.time_s for f in open_source(path)]
    np.testing.assert_allclose(times, [0, 0.033, 0.1, 0.14, 1.14, 1.141], atol=1e-9)


def test_repeated_stamps_of_a_container_still_increase_and_are_reported(
    make_video: MakeVideo,
) -> None:
    ticks = [0, 3600, 3610, 7200, 10800]  # Matroska keeps milliseconds: 40, 40
    path = make_video("twice.mkv", frames=5, codec="ffv1", ticks=ticks, tick_s=Fraction(1, 90000))
    source = open_source(path)
    times = [f.time_s for f in source]
    np.testing.assert_allclose(times, [0, 0.04, 0.0404, 0.08, 0.12], atol=2e-4)
    assert times == sorted(set(times))
    assert "1 time stamps do not increase" in source.warnings[0]


@given(st.lists(st.none() | st.floats(-100, 100), min_size=1, max_size=30))
def test_time_starts_at_zero_and_increases_whatever_the_stamps(stamps: list[float | None]) -> None:
    clock = Clock(1 / 30)
    times = [clock.seconds(stamp) for stamp in stamps]
    assert times[0] == 0
    assert (np.diff(times) > 0).all()


def test_a_restarted_clock_goes_on_by_one_frame() -> None:
    clock = Clock(0.5)
    assert [clock.seconds(s) for s in (7.0, 7.5, 1.0, 1.5, None)] == [0, 0.5, 1.0, 1.5, 2.0]
    assert (clock.restarts, clock.repeated, clock.missing) == (1, 0, 1)


@pytest.mark.parametrize(
    ("name", "rotation", "shown"),
    [
        ("a.mp4", (90,), ["green", "grey", "red", "blue"]),  # counter-clockwise
        ("a.mp4", (-90,), ["blue", "red", "grey", "green"]),
        ("a.mkv", (-90,), ["blue", "red", "grey", "green"]),
        ("a.mov", (180,), ["grey", "blue", "green", "red"]),
        ("a.mp4", (0, True), ["green", "red", "grey", "blue"]),  # mirrored
    ],
)
def test_rotation_metadata_is_applied(
    make_video: MakeVideo, name: str, rotation: tuple[int, ...], shown: list[str]
) -> None:
    source = open_source(make_video(name, frames=3, rotation=rotation))
    images = [f.image for f in source]
    size = (48, 64) if abs(rotation[0]) == 90 else (64, 48)
    assert (source.info.width, source.info.height) == size
    assert {image.shape[1::-1] for image in images} == {size}
    assert [corners(image) for image in images] == [shown] * 3


@pytest.mark.parametrize(
    ("abcd", "expected"),
    [
        ((1, 0, 0, 1), [[1, 2], [3, 4]]),
        ((0, 1, -1, 0), [[3, 1], [4, 2]]),  # (x, y) is shown at (−y, x): clockwise
        ((0, -1, 1, 0), [[2, 4], [1, 3]]),
        ((-1, 0, 0, -1), [[4, 3], [2, 1]]),
        ((-1, 0, 0, 1), [[2, 1], [4, 3]]),
        ((1, 0, 0, -1), [[3, 4], [1, 2]]),
        ((0, 1, 1, 0), [[1, 3], [2, 4]]),
        ((0, -1, -1, 0), [[4, 2], [3, 1]]),
    ],
)
def test_all_eight_display_matrices(abcd: tuple[int, ...], expected: list[list[int]]) -> None:
    a, b, c, d = (65536 * v for v in abcd)
    matrix = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32).tobytes()
    grid = np.array([[1, 2], [3, 4]], np.uint8)[..., None].repeat(3, axis=2)
    assert Orientation.from_display_matrix(matrix).apply(grid)[..., 0].tolist() == expected


def test_pixels_become_square(make_video: MakeVideo) -> None:
    source = open_source(make_video("dv.mkv", frames=2, aspect=Fraction(3, 2)))
    assert (source.info.width, source.info.height) == (96, 48)
    assert corners(next(iter(source)).image) == UPRIGHT


@pytest.mark.parametrize("size", [(65, 49), (33, 48), (3, 5), (1, 1)])
def test_odd_and_tiny_sizes(make_video: MakeVideo, size: tuple[int, int]) -> None:
    source = open_source(make_video("odd.mkv", frames=3, codec="ffv1", pixels="bgr0", size=size))
    assert (source.info.width, source.info.height) == size
    assert [f.image.shape for f in source] == [(size[1], size[0], 3)] * 3


def test_8k_frames(make_video: MakeVideo) -> None:
    path = make_video("8k.avi", frames=2, codec="mjpeg", pixels="yuvj420p", size=(7680, 4320))
    frames = [corners(f.image) for f in open_source(path)]
    assert frames == [UPRIGHT] * 2


def test_a_header_without_a_frame_count(make_video: MakeVideo) -> None:
    source = open_source(make_video("stream.ts", frames=7))
    assert source.info.frames is None
    assert len(list(source)) == 7


def test_a_header_with_a_frame_count_and_the_files_hash(make_video: MakeVideo) -> None:
    path = make_video(frames=7)
    info = open_source(path).info
    assert (info.path, info.frames, info.duration_s) == (str(path), 7, pytest.approx(7 / 25))
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_source_can_be_read_twice(make_video: MakeVideo) -> None:
    with open_source(make_video()) as source:
        first, second = list(source), list(source)
    assert len(first) == 10
    for a, b in zip(first, second, strict=True):
        assert a.time_s == b.time_s
        np.testing.assert_array_equal(a.image, b.image)


def test_no_frame_is_kept(make_video: MakeVideo) -> None:
    images, alive = [], []
    for frame in open_source(make_video(frames=30)):
        images.append(weakref.ref(frame.image))
        alive.append(sum(image() is not None for image in images))
    assert max(alive) <= 2


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path: Path) -> None:
    for name, size in (("a.ts", (64, 48)), ("b.ts", (128, 96))):
        encode(tmp_path / name, [scene(*size)] * 5, codec="mpeg2video")
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    source = open_source(both)
    shapes = {f.image.shape for f in source}
    assert shapes == {(48, 64, 3)}
    assert any("another size" in w for w in source.warnings)


def test_trimmed_frames_of_an_edit_list_are_neither_shown_nor_missed(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    """As a phone trims: frames before the cut stay in the file, an edit list hides them."""
    whole, trimmed = make_video(frames=20, bf="0"), tmp_path / "trimmed.mp4"
    with av.open(str(whole)) as source, av.open(str(trimmed), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None:
                continue
            packet.pts = (packet.pts or 0) - 5 * 512
            packet.dts = packet.dts - 5 * 512
            packet.stream = stream
            out.mux(packet)
    read = open_source(trimmed)
    frames = list(read)
    assert read.warnings == []
    assert len(frames) == 15
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(15) / 25, atol=1e-6)


def test_the_shared_recording_is_whole(shared: Path) -> None:
    source = open_source(shared / "data" / "videos" / "sagittal_walk_two_people.mp4")
    assert (source.info.width, source.info.height, source.info.frames) == (1768, 994, 230)
    times = [f.time_s for f in source]
    np.testing.assert_allclose(times, np.arange(230) / 30, atol=1e-6)
    assert source.warnings == []
