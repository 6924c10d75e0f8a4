"""Pictures and folders of pictures."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from gonio.errors import OutputError, VideoError
from gonio.video import open_source, read_image, write_image

from .conftest import corners, scene

UPRIGHT = ["red", "green", "blue", "grey"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".bmp", ".tif", ".tiff", ".webp"])
def test_a_picture_is_one_frame_without_a_rate(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"standing{suffix}"
    write_image(path, scene(65, 49))
    source = open_source(path)
    (frame,) = list(source)
    assert (frame.index, frame.time_s, frame.image.shape) == (0, 0.0, (49, 65, 3))
    assert corners(frame.image) == UPRIGHT
    info = source.info
    assert (info.kind, info.width, info.height, info.frames) == ("image", 65, 49, 1)
    assert (info.fps, info.duration_s) == (None, None)
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [f.name for f in tmp_path.iterdir()] == [path.name]


def test_png_keeps_every_value(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    write_image(tmp_path / "a.png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize(
    ("orientation", "stored"),
    [(3, cv2.ROTATE_180), (6, cv2.ROTATE_90_COUNTERCLOCKWISE), (8, cv2.ROTATE_90_CLOCKWISE)],
)
def test_exif_orientation_is_applied(
    tmp_path: Path, orientation: int, stored: int, suffix: str
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    folder = tmp_path / "phone"
    folder.mkdir()
    lying = Pillow.fromarray(cv2.rotate(scene(), stored))
    lying.save(folder / f"phone{suffix}", exif=exif)
    assert corners(read_image(folder / f"phone{suffix}")) == UPRIGHT
    source = open_source(folder, fps=10)
    assert (source.info.width, source.info.height) == (64, 48)
    assert [corners(f.image) for f in source] == [UPRIGHT]
    assert source.warnings == []


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16", "CMYK"])
def test_grey_transparent_palette_and_deep_pictures_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    flat = Pillow.fromarray(np.full((9, 9, 3), 100, np.uint8))
    if mode == "I;16":
        flat = Pillow.fromarray(np.full((9, 9), 100 * 257, np.uint16))
    (flat if mode == "I;16" else flat.convert(mode)).save(path)
    image = read_image(path)
    assert image.shape == (9, 9, 3)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image, 100, atol=2)


def test_a_folder_of_numbered_pictures_is_one_video_in_natural_order(tmp_path: Path) -> None:
    for number in (1, 2, 9, 10, 11, 100):
        write_image(tmp_path / f"img{number}.png", np.full((4, 6, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._img1.png").write_bytes(b"left by another system")
    source = open_source(tmp_path, fps=50)
    frames = list(source)
    assert [int(f.image[0, 0, 0]) for f in frames] == [1, 2, 9, 10, 11, 100]
    assert [f.time_s for f in frames] == pytest.approx([0, 0.02, 0.04, 0.06, 0.08, 0.1])
    info = source.info
    assert (info.kind, info.frames, info.fps, info.duration_s) == ("images", 6, 50, 0.12)
    assert (info.width, info.height) == (6, 4)
    assert source.warnings == []
    before = info.sha256
    write_image(tmp_path / "img9.png", np.zeros((4, 6, 3), np.uint8))
    assert open_source(tmp_path, fps=50).info.sha256 != before


def test_a_folder_without_a_rate_assumes_one_and_says_so(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", scene())
    source = open_source(tmp_path)
    assert source.info.fps == 30
    list(source)
    assert source.warnings == [f"'{tmp_path}': no frame rate given; 30 per second assumed"]


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(VideoError, match=r"a folder without images \(1 other entries\)"):
        open_source(tmp_path)


def test_a_folder_of_videos_says_how_to_name_them(tmp_path: Path) -> None:
    folder = tmp_path / "my trials"
    folder.mkdir()
    for name in ("a.MP4", "b.mp4"):
        (folder / name).touch()
    with pytest.raises(VideoError, match=rf"a folder of videos.*gonio analyze '{folder}'/\*$"):
        open_source(folder)


def test_pictures_of_different_size_are_no_video(tmp_path: Path) -> None:
    write_image(tmp_path / "a1.png", scene(64, 48))
    write_image(tmp_path / "a2.png", scene(48, 64))
    with pytest.raises(VideoError, match=r"'a1.png' is 64×48, 'a2.png' 48×64"):
        open_source(tmp_path)


def test_a_broken_picture_leaves_a_gap_in_time_and_a_warning(tmp_path: Path) -> None:
    for number in range(4):
        write_image(tmp_path / f"{number}.png", scene())
    (tmp_path / "1.png").write_bytes(b"no picture")
    data = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes(data[:40])
    source = open_source(tmp_path, fps=10)
    frames = list(source)
    assert [(f.index, f.time_s) for f in frames] == [(0, 0.0), (1, pytest.approx(0.3))]
    assert len(source.warnings) == 2
    for number in (0, 3):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match="none of its 4 images can be read"):
        open_source(tmp_path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_text_is_no_picture(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello")
    with pytest.raises(VideoError, match="not a picture that can be read"):
        open_source(tmp_path / name)


def test_heic_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.HEIC").write_bytes(b"1")
    with pytest.raises(VideoError, match="Export it as JPEG"):
        open_source(tmp_path / "a.HEIC")


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".full.png.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"full\.png': cannot be written \(No space left"):
        write_image(tmp_path / "full.png", scene())
    with pytest.raises(OutputError, match=r"Use \.png or \.jpg"):
        write_image(tmp_path / "a.docx", scene())
    with pytest.raises(OutputError, match="No such file or directory"):
        write_image(tmp_path / "nowhere" / "a.png", scene())
    assert list(tmp_path.iterdir()) == []


def test_a_picture_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_image(tmp_path / "file" / "a.png", scene())
