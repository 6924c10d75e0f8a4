"""Reading from the middle: exactly the frames, times and warnings of a reading in order."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gonio.video import Frame, OutOfStepError, Source, open_source, write_image

from .conftest import encode, scene

MakeVideo = Callable[..., Path]
FRAMES = 40
ALL = range(0, FRAMES + 3, 3)
OPEN_GOP = {"g": "10", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}


def same(a: Frame, b: Frame) -> bool:
    return (a.index, a.time_s) == (b.index, b.time_s) and np.array_equal(a.image, b.image)


def reads_alike_from(source: Source, first: int, *, direct: bool) -> None:
    frames = list(source)
    reading = source.read(first, direct=direct)
    part = list(reading)
    assert len(part) == max(len(frames) - first, 0)
    assert all(same(a, b) for a, b in zip(part, frames[first:], strict=True))
    if part or not direct:  # beyond the end there is nothing to be warned of
        assert reading.warnings == source.warnings


@pytest.mark.parametrize(
    ("name", "how", "direct"),
    [
        ("b-frames.mp4", {"g": "12", "bf": "3"}, True),
        ("one-key.mp4", {"g": "300"}, True),
        ("open-gop.mp4", OPEN_GOP, True),
        ("open-gop.mkv", OPEN_GOP, True),
        ("open-gop.ts", OPEN_GOP, True),
        ("hevc.mp4", {"codec": "libx265", "x265-params": "keyint=10:log-level=none"}, True),
        ("vp9.webm", {"codec": "libvpx-vp9", "g": "10", "deadline": "realtime"}, True),
        ("intra.mov", {"codec": "prores_ks", "pixels": "yuv422p10le"}, True),
        ("dvd.mpg", {"codec": "mpeg2video", "g": "10", "bf": "2"}, True),
        ("b-frames.avi", {"g": "10", "bf": "3"}, False),
        ("jpeg.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}, False),
        ("picture.gif", {"codec": "gif", "pixels": "rgb8"}, False),
    ],
)
def test_every_container_reads_alike_from_any_place(
    make_video: MakeVideo, name: str, how: dict[str, str], direct: bool
) -> None:
    source = open_source(make_video(name, frames=FRAMES, size=(160, 120), **how))
    assert source.places() == FRAMES
    assert (source.read(5, direct=True)._frames.__name__ == "_direct") == direct  # type: ignore[attr-defined]
    for first in ALL:
        reads_alike_from(source, first, direct=False)
        if direct and name != "dvd.mpg":
            reads_alike_from(source, first, direct=True)


def test_a_stream_of_an_old_encoder_reads_alike_behind_its_first_key_frame(shared: Path) -> None:
    # 4:4:4 by x264 core 148: its first packet says that it is decoded in a way of its own.
    path = shared / "data" / "labels" / "dlc_openfield" / "videos" / "m3v1mp4.mp4"
    source = open_source(path)
    in_order = next(frame for frame in source if frame.index == 185)  # key frames: 0, 182, 366
    assert same(next(iter(source.read(185, direct=True))), in_order)


def test_where_seeking_misses_a_reading_says_so(make_video: MakeVideo) -> None:
    how = {"codec": "mpeg2video", "g": "10", "bf": "2"}
    source = open_source(make_video("dvd.mpg", frames=FRAMES, size=(160, 120), **how))
    frames = list(source)
    for first in ALL[:-1]:
        try:
            part = list(source.read(first, direct=True))
        except OutOfStepError:
            continue
        assert all(same(a, b) for a, b in zip(part, frames[first:], strict=True))


def test_variable_rate_keeps_its_times(make_video: MakeVideo) -> None:
    rng = np.random.default_rng(0)
    ticks = (500 + np.cumsum(rng.integers(5, 200, FRAMES))).tolist()
    path = make_video("vfr.mkv", frames=FRAMES, ticks=ticks, tick_s=Fraction(1, 1000), g="7")
    for first in ALL:
        reads_alike_from(open_source(path), first, direct=True)


def test_repeated_stamps_are_read_in_order(make_video: MakeVideo) -> None:
    ticks = [0, 3600, 3610, 7200, 10800]  # Matroska keeps milliseconds: 40, 40
    path = make_video("twice.mkv", frames=5, codec="ffv1", ticks=ticks, tick_s=Fraction(1, 90000))
    source = open_source(path)
    for first in range(6):
        reads_alike_from(source, first, direct=first < 5)
    assert "do not increase" in source.warnings[0]


def test_a_restarted_clock_is_read_in_order(make_video: MakeVideo, tmp_path: Path) -> None:
    once = make_video("once.ts", frames=60, codec="mpeg2video", g="5").read_bytes()
    (tmp_path / "twice.ts").write_bytes(once + once)
    source = open_source(tmp_path / "twice.ts")
    assert len(list(source)) == 120
    for first in (0, 30, 60, 90):
        reads_alike_from(source, first, direct=True)
    assert any("clock restarts" in text for text in source.warnings)


def test_trimmed_frames_take_no_place(make_video: MakeVideo, tmp_path: Path) -> None:
    whole, trimmed = make_video(frames=20, bf="0", g="4"), tmp_path / "trimmed.mp4"
    with av.open(str(whole)) as source, av.open(str(trimmed), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.pts, packet.dts = (packet.pts or 0) - 5 * 512, packet.dts - 5 * 512
                packet.stream = stream
                out.mux(packet)
    read = open_source(trimmed)
    assert read.places() == 15
    for first in range(16):
        reads_alike_from(read, first, direct=True)


def test_a_truncated_file_reads_alike_and_warns_alike(make_video: MakeVideo) -> None:
    path = make_video(frames=50, g="5", bf="0")
    whole = path.read_bytes()
    data = whole.index(b"mdat")
    path.write_bytes(whole[: data + (len(whole) - data) // 2])
    source = open_source(path)
    count = len(list(source))
    assert any("cut off" in text for text in source.warnings)
    for first in range(0, count, 3):
        reads_alike_from(source, first, direct=False)
        frames, reading = list(source), source.read(first, direct=True)
        try:
            part = list(reading)
        except OutOfStepError:
            continue
        assert all(same(a, b) for a, b in zip(part, frames[first:], strict=True))
        assert reading.warnings == source.warnings


@pytest.mark.parametrize("name", ["hit.mp4", "hit.mkv", "hit.ts", "hit.mpg"])
def test_no_direct_reading_passes_damage_without_noticing(make_video: MakeVideo, name: str) -> None:
    codec = "mpeg2video" if name == "hit.mpg" else "libx264"
    path = make_video(name, frames=FRAMES, codec=codec, g="8", size=(160, 120))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 900] = np.random.default_rng(3).bytes(900)
    path.write_bytes(data)
    source = open_source(path)
    frames = list(source)
    assert source.warnings or name == "hit.ts"  # whose demuxer passes over in silence
    reads_alike_from(source, 13, direct=False)
    noticed = False
    for first in range(0, len(frames), 8):  # chunks that cover the recording
        part = []
        try:
            for frame in source.read(first, direct=True):
                if frame.index >= first + 8:
                    break
                part.append(frame)
        except OutOfStepError:
            noticed = True
        # Before the first chunk that notices it, nothing may differ.
        assert noticed or all(
            same(a, b) for a, b in zip(part, frames[first : first + 8], strict=True)
        )


def test_a_folder_of_pictures_keeps_places_and_warns_of_those_it_reads(tmp_path: Path) -> None:
    for i in range(6):
        write_image(tmp_path / f"{i}.png", scene(8, 8))
    (tmp_path / "3.png").write_bytes(b"no picture")
    source = open_source(tmp_path, fps=10)
    assert source.places() == 6
    assert [f.index for f in source] == [0, 1, 2, 3, 4]
    reading = source.read(2)
    assert [(f.index, f.time_s) for f in reading] == [(2, 0.2), (4, 0.4), (5, 0.5)]
    assert len(reading.warnings) == 1
    later = source.read(4, direct=True)
    assert [f.index for f in later] == [4, 5]
    assert later.warnings == []


def test_a_picture_has_one_place(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", scene())
    source = open_source(tmp_path / "a.png")
    assert source.places() == 1
    assert [f.index for f in source.read()] == [0]
    assert list(source.read(1)) == []


def test_readings_go_on_side_by_side_and_can_be_left(make_video: MakeVideo) -> None:
    source = open_source(make_video(frames=20, g="5"))
    early, late = source.read(0), source.read(10, direct=True)
    pairs = [(a.index, b.index) for a, b in zip(early, late, strict=False)]
    assert pairs == [(i, i + 10) for i in range(10)]
    early.close()
    late.close()


def test_a_stamp_that_is_not_promised_is_noticed(make_video: MakeVideo) -> None:
    source = open_source(make_video(frames=20, g="5"))
    source._scan.stamps[12] += 1  # type: ignore[attr-defined]
    reading = source.read(10, direct=True)
    got = []
    with pytest.raises(OutOfStepError):
        got.extend(frame.index for frame in reading)
    assert got in ([], [10, 11])


def test_files_made_by_concatenation_read_alike(tmp_path: Path) -> None:
    for name, size in (("a.ts", (64, 48)), ("b.ts", (128, 96))):
        encode(tmp_path / name, [scene(*size)] * 5, codec="mpeg2video")
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    source = open_source(both)
    for first in range(len(list(source))):
        reads_alike_from(source, first, direct=False)
