"""Small videos made on the spot: a scene whose corners say which way is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

Image = NDArray[np.uint8]
RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 170, 30), (30, 30, 200), (128, 128, 128)


def scene(width: int = 64, height: int = 48) -> Image:
    """Red top left, green top right, blue bottom left, grey bottom right."""
    image = np.empty((height, width, 3), np.uint8)
    rows, columns = height // 2, width // 2
    image[:rows, :columns], image[:rows, columns:] = RED, GREEN
    image[rows:, :columns], image[rows:, columns:] = BLUE, GREY
    return image


def corners(image: Image) -> list[str]:
    """Name the color of the corners: top left, top right, bottom left, bottom right."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "grey": GREY}
    height, width = image.shape[:2]
    found = []
    for y in (height // 8, height - 1 - height // 8):
        for x in (width // 8, width - 1 - width // 8):
            pixel = image[y, x].astype(int)
            found.append(min(names, key=lambda n: np.abs(pixel - names[n]).sum()))
    return found


def encode(
    path: Path,
    images: Sequence[Image],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    ticks: Sequence[int] | None = None,
    tick_s: Fraction = Fraction(1, 25),
    rotation: tuple[Any, ...] | None = None,
    aspect: Fraction | None = None,
    **options: str,
) -> Path:
    """Write a video with PyAV alone, 25 frames per second unless ``ticks`` say otherwise."""
    flags = {"movflags": "+faststart"} if path.suffix in {".mp4", ".mov"} else {}
    with av.open(str(path), "w", container_options=flags) as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = tick_s
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(*rotation)
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = (ticks[i] if ticks else i), tick_s
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a video of the scene, moving a little."""

    def make(name: str = "clip.mp4", frames: int = 10, **how: Any) -> Path:
        width, height = how.pop("size", (64, 48))
        first = scene(width, height)
        images = []
        for i in range(frames):
            image = first.copy()
            image[height // 2, : 2 * i + 1] = 255
            images.append(image)
        return encode(tmp_path / name, images, **how)

    return make
