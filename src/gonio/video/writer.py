"""Videos out: H.264 in MP4 that browsers play, complete or not there at all."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Self

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from gonio.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from gonio.video.frames import Image

_TICKS_PER_S: Final = 90_000
_BT709: Final = 1
_LIMITED_RANGE: Final = 1


class VideoWriter:
    """Writes frames with their own times; a context manager.

    The file appears under its name on a clean exit; after an error nothing is left. Odd sizes
    are made even by repeating the last column or row, so that positions keep their meaning.

    Parameters
    ----------
    path
        The ``.mp4`` to write or replace.
    width, height
        Size of the frames, pixels.
    fps
        Usual frames per second; None for unknown. Times of the frames need not follow it.
    quality
        libx264's constant rate factor: lower is better and larger.

    Raises
    ------
    OutputError
        If the file cannot be written: no such folder, no permission, disk full, no frame.
    """

    def __init__(
        self, path: Path, *, width: int, height: int, fps: float | None, quality: int = 23
    ) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._size = (height, width)
        self._fps = fps if fps and math.isfinite(fps) and fps > 0 else 30.0
        self._quality = quality
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._reformatter = VideoReformatter()
        self._last_s, self._last_ticks = -math.inf, -1
        self._first_s: float | None = None

    def __enter__(self) -> Self:
        try:
            self._container = av.open(
                str(self._part.absolute()),
                "w",
                format="mp4",
                container_options={"movflags": "+faststart"},
            )
            self._stream = self._add_stream(self._container)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._discard()
            raise self._failed(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._discard()
            return
        if self._first_s is None:
            self._discard()
            raise OutputError(f"'{self._path}': no frame was written")
        try:
            self._finish()
        except (av.FFmpegError, OSError) as failure:
            raise self._failed(failure) from failure
        finally:
            self._discard()

    def write(self, image: Image, time_s: float) -> None:
        """Append a frame.

        Parameters
        ----------
        image
            RGB, shape ``(height, width, 3)``.
        time_s
            Seconds, increasing; kept to 1/90,000 s. In the file they count from the first frame's.

        Raises
        ------
        OutputError
            If the disk is full or the frame cannot be encoded.
        ValueError
            If the size is not the writer's, or time does not increase.
        """
        if image.shape != (*self._size, 3):
            raise ValueError(f"frame of shape {image.shape}, expected {(*self._size, 3)}")
        if not self._last_s < time_s < math.inf:
            raise ValueError(f"time {time_s} s does not increase")
        if self._first_s is None:
            self._first_s = time_s
        ticks = max(round((time_s - self._first_s) * _TICKS_PER_S), self._last_ticks + 1)
        container, stream = self._running()
        frame = self._encodable(image)
        frame.pts, frame.time_base = ticks, Fraction(1, _TICKS_PER_S)
        try:
            container.mux(stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error
        self._last_s, self._last_ticks = time_s, ticks

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        # An approximate rate is enough: it guides the encoder, times come with the frames.
        rate = max(Fraction(self._fps).limit_denominator(1001), Fraction(1, 1001))
        options = {"preset": "veryfast", "crf": str(self._quality)}
        stream = container.add_stream("libx264", rate=rate, options=options)
        height, width = self._size
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS_PER_S)
        context.gop_size = max(1, round(self._fps))  # a viewer can jump to any second quickly
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED_RANGE
        return stream

    def _encodable(self, image: Image) -> VideoFrame:
        height, width = self._size
        if height % 2 or width % 2:
            border = cv2.copyMakeBorder(
                image, 0, height % 2, 0, width % 2, borderType=cv2.BORDER_REPLICATE
            )
            image = np.asarray(border, dtype=np.uint8)
        rgb = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        return self._reformatter.reformat(
            rgb, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range="MPEG"
        )

    def _running(self) -> tuple[OutputContainer, VideoStream]:
        if self._container is None or self._stream is None:
            raise ValueError("write() outside of the 'with' block")
        return self._container, self._stream

    def _finish(self) -> None:
        container, stream = self._running()
        container.mux(stream.encode(None))
        self._container = None
        container.close()
        self._part.replace(self._path)

    def _discard(self) -> None:
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            with contextlib.suppress(av.FFmpegError, OSError, ValueError):
                container.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _failed(self, error: BaseException) -> OutputError:
        reason = getattr(error, "strerror", None) or error
        return OutputError(f"'{self._path}': cannot be written ({reason})")
