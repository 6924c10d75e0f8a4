"""Videos that tests make: of noise, or cut so that their index comes first."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

Run = Callable[..., subprocess.CompletedProcess[str]]


def write_video(
    path: Path, frames: int, size: tuple[int, int] = (64, 48), codec: str = "mpeg4"
) -> Path:
    """Write a video of noise; ``frames`` may be 0."""
    rng = np.random.default_rng(0)
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        for _ in range(frames):
            image = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        if not frames:
            container.start_encoding()
        else:
            for packet in stream.encode():
                container.mux(packet)
    return path


def move_index_first(source: Path, target: Path) -> Path:
    """Copy the video stream without coding it anew; a cut copy can still be read."""
    with (
        av.open(str(source)) as old,
        av.open(str(target), "w", options={"movflags": "faststart"}) as new,
    ):
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target
