"""Damaged and unusable input: a clear error at the door, or what can be read and a warning."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from gonio.errors import VideoError
from gonio.video import open_source

from .conftest import scene

MakeVideo = Callable[..., Path]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"walk\.mp4': no such file"):
        open_source(tmp_path / "walk.mp4")


def test_text_renamed_mp4(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("Dear diary, today I walked.\n" * 50)
    with pytest.raises(VideoError, match=r"text\.mp4': not a video that can be read"):
        open_source(tmp_path / "text.mp4")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(VideoError, match=r"empty \(0 bytes\)"):
        open_source(tmp_path / "empty.mp4")


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.ffconcat", "list.txt"])
def test_a_playlist_does_not_open_other_files(make_video: MakeVideo, name: str) -> None:
    clip = make_video("secret.ts")
    playlist = clip.with_name(name)
    head = "ffconcat version 1.0\nfile secret.ts\n"
    if name.endswith(("4", "8")):
        head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n"
    playlist.write_text(head)
    with pytest.raises(VideoError, match="not a video"):
        open_source(playlist)


def test_audio_only_names_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(VideoError, match=r"no video stream \(1 audio stream found\)"):
        open_source(path)


def test_zero_frames(tmp_path: Path) -> None:
    path = tmp_path / "none.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(VideoError, match=r"none\.mp4': (no frame|no video|not a video)"):
        open_source(path)


def test_a_truncated_mp4_without_its_index(make_video: MakeVideo) -> None:
    path = make_video("late.mov", frames=20, movflags="")
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"moov") - 4])
    with pytest.raises(VideoError, match="its index is missing"):
        open_source(path)


def test_a_truncated_mp4_with_its_index_gives_what_can_be_read(make_video: MakeVideo) -> None:
    path = make_video(frames=50, g="5", bf="0")
    whole = path.read_bytes()
    data = whole.index(b"mdat")
    path.write_bytes(whole[: data + (len(whole) - data) // 2])
    source = open_source(path)
    frames = list(source)
    assert 5 < len(frames) < 45
    assert [f.index for f in frames] == list(range(len(frames)))
    assert any(
        f"cut off: {len(frames)} of 50 frames could be read" in text for text in source.warnings
    )
    assert len(list(source)) == len(frames)
    assert sum("cut off" in text for text in source.warnings) == 1


@pytest.mark.parametrize("name", ["cut.mkv", "cut.webm", "cut.avi", "cut.mpg", "cut.ts"])
def test_other_truncated_containers_never_raise_after_the_first_frame(
    make_video: MakeVideo, name: str
) -> None:
    codec = {"cut.webm": "libvpx-vp9", "cut.avi": "mpeg4", "cut.mpg": "mpeg2video"}.get(name)
    path = make_video(name, frames=50, codec=codec or "libx264", g="5", size=(320, 240))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    source = open_source(path)
    assert 5 < len(list(source)) < 50
    if name not in {"cut.mpg", "cut.ts"}:  # these promise no length
        assert any("cut off" in text for text in source.warnings)


def test_a_last_frame_that_is_shown_for_seconds_is_no_damage(tmp_path: Path) -> None:
    """As a screen recorder ends: nothing moved any more."""
    path = tmp_path / "still.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        image = av.VideoFrame.from_ndarray(scene(), format="rgb24")
        packets = [p for _ in range(10) for p in stream.encode(image)] + stream.encode(None)
        packets[-1].duration = 100  # of 1 / 25 s
        container.mux(packets)
    source = open_source(path)
    assert source.info.duration_s == pytest.approx((9 + 100) / 25)
    assert len(list(source)) == 10
    assert source.warnings == []


def test_damaged_packets_in_the_middle_are_skipped_and_counted(make_video: MakeVideo) -> None:
    path = make_video(frames=30, g="1", bf="0")
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None]
    data = bytearray(path.read_bytes())
    for start, size in places[10:12]:
        data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    source = open_source(path)
    frames = list(source)
    assert [f.index for f in frames] == list(range(28))
    np.testing.assert_allclose(
        [f.time_s for f in frames], [i / 25 for i in range(30) if i not in {10, 11}], atol=1e-6
    )
    assert source.warnings == [f"'{path}': 2 damaged packets (2 skipped, 0 repaired)"]


@pytest.mark.parametrize("seed", range(8))
def test_random_damage_raises_at_the_door_or_not_at_all(make_video: MakeVideo, seed: int) -> None:
    rng = np.random.default_rng(seed)
    name = ["a.mp4", "a.mkv", "a.ts", "a.avi"][seed % 4]
    path = make_video(name, frames=20, codec="mpeg4" if name == "a.avi" else "libx264")
    data = np.frombuffer(path.read_bytes(), np.uint8).copy()
    data[rng.integers(0, len(data), 60)] = rng.integers(0, 256, 60)
    path.write_bytes(data.tobytes())
    try:
        source = open_source(path)
    except VideoError:
        return
    times = [f.time_s for f in source]
    assert times == sorted(set(times))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_no_read_permission(make_video: MakeVideo, kind: str) -> None:
    path = make_video()
    if kind == "folder":
        path = path.parent / "locked"
        path.mkdir()
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        with pytest.raises(VideoError, match=r"cannot be read \(Permission denied\)"):
            open_source(path)
    finally:
        if is_root:
            os.seteuid(0)
        path.chmod(0o700)


def test_a_frame_rate_must_be_positive(make_video: MakeVideo) -> None:
    with pytest.raises(VideoError, match="must be a positive number"):
        open_source(make_video(), fps=-5)
