"""Writing videos: times kept, sizes made even, nothing half-written."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gonio.errors import OutputError
from gonio.video import VideoWriter, open_source

from .conftest import corners, scene

UPRIGHT = ["red", "green", "blue", "grey"]


def write(path: Path, times: list[float], size: tuple[int, int] = (64, 48)) -> Path:
    with VideoWriter(path, width=size[0], height=size[1], fps=25) as writer:
        for time_s in times:
            writer.write(scene(*size), time_s)
    return path


@pytest.mark.parametrize(
    "times", [[i / 25 for i in range(30)], [0.0, 0.033, 0.1, 0.14, 1.14, 1.141]]
)
def test_times_come_back_whether_even_or_not(tmp_path: Path, times: list[float]) -> None:
    source = open_source(write(tmp_path / "out.mp4", times))
    np.testing.assert_allclose([f.time_s for f in source], times, atol=1 / 90_000)
    assert source.warnings == []
    assert [f.name for f in tmp_path.iterdir()] == ["out.mp4"]


def test_the_file_is_h264_that_browsers_play_from_the_start(tmp_path: Path) -> None:
    path = write(tmp_path / "out.mp4", [i / 25 for i in range(60)])
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == Fraction(25)
        keys = [p for p in container.demux(stream) if p.is_keyframe]
        assert len(keys) >= 3


def test_colors_come_back_to_a_few_levels(tmp_path: Path) -> None:
    frame = next(iter(open_source(write(tmp_path / "out.mp4", [0.0, 0.04]))))
    np.testing.assert_allclose(frame.image[8, 8], (200, 30, 30), atol=8)
    np.testing.assert_allclose(frame.image[40, 8], (30, 30, 200), atol=8)


@pytest.mark.parametrize(
    ("size", "even"), [((65, 49), (66, 50)), ((64, 49), (64, 50)), ((1, 1), (2, 2))]
)
def test_odd_sizes_grow_at_the_right_and_bottom(
    tmp_path: Path, size: tuple[int, int], even: tuple[int, int]
) -> None:
    source = open_source(write(tmp_path / "odd.mp4", [0.0, 0.04], size))
    assert (source.info.width, source.info.height) == even
    if size[0] > 1:
        assert corners(next(iter(source)).image) == UPRIGHT


def test_an_error_inside_leaves_nothing(tmp_path: Path) -> None:
    def stop_after_one() -> None:
        with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=None) as writer:
            writer.write(scene(), 0.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_after_one()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    old = tmp_path / "a.mp4"
    old.write_bytes(b"old")
    with VideoWriter(old, width=64, height=48, fps=25) as writer:
        writer.write(scene(), 0.0)
        assert old.read_bytes() == b"old"
    assert len(list(open_source(old))) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / ".a.mp4.part").symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)

    def fill() -> None:
        with VideoWriter(tmp_path / "a.mp4", width=320, height=240, fps=25) as writer:
            for i in range(30):
                writer.write(noise, i / 25)

    with pytest.raises(OutputError, match=r"a\.mp4': cannot be written \(No space left on device"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_or_locked(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        write(tmp_path / "nowhere" / "a.mp4", [0.0])
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write(locked / "a.mp4", [0.0])
    finally:
        if is_root:
            os.seteuid(0)


def test_a_video_without_frames_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no frame was written"):
        write(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_or_an_earlier_time_is_a_mistake(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25) as writer:
        writer.write(scene(), 0.0)
        with pytest.raises(ValueError, match="frame of shape"):
            writer.write(scene(48, 64), 0.04)
        with pytest.raises(ValueError, match="does not increase"):
            writer.write(scene(), 0.0)


def test_times_closer_than_a_tick_stay_apart_and_count_from_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [5.0, 5.0 + 1e-7, 5.04])
    assert [f.time_s for f in open_source(path)] == pytest.approx([0, 1 / 90_000, 0.04])
