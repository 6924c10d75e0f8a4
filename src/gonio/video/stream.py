"""Videos through PyAV: true times, upright RGB, any place at once, damage survived."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import av
import av.error
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from gonio.errors import VideoError
from gonio.video.checks import readable_file, sha256_of
from gonio.video.clock import Clock
from gonio.video.frames import Frame, OpenWhileRead, OutOfStepError, Reading, SourceInfo
from gonio.video.orientation import Orientation
from gonio.video.scan import Scanner, packets_from

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from av.buffer import Buffer
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from gonio.video.frames import Image

# Playlists, network protocols and text screens are left out: a file that somebody sends must not
# make the reader open other files or addresses.
_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": (
        "mov,mp4,avi,matroska,webm,mpeg,mpegts,mpegtsraw,mpegvideo,m4v,h264,hevc,av1,obu,ivf,asf,"
        "flv,ogg,dv,gif,mjpeg,mxf,nut,rm,wtv,yuv4mpegpipe,wav,mp3,aac,flac"
    ),
}
_ASSUMED_FPS: Final = 30.0
_MAX_FPS: Final = 10_000.0
_FLUSH_TRIES: Final = 256
_READ_TRIES: Final = 100


@dataclass
class _Damage:
    """What went wrong in one reading of a file."""

    packets: int = 0
    frames: int = 0
    lost: int = 0
    flawed: int = 0
    resized: int = 0
    last_s: float = 0.0
    clock: Clock = field(default_factory=lambda: Clock(1 / _ASSUMED_FPS))


class VideoSource(OpenWhileRead):
    """Frames of a video file, read one at a time.

    Damaged packets are skipped and counted; a file that ends early gives what it holds. Both
    become an entry of ``warnings`` once the last frame was read. Frames whose size changes on
    the way are scaled to the first one's. One reading decodes in one thread, so that damage
    looks the same on every machine; several readings go on side by side.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    VideoError
        If the file is missing, unreadable, no video, or holds no frame that can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.warnings = []
        readable_file(path)
        self.info = self._probe(sha256_of(path))

    def __iter__(self) -> Iterator[Frame]:
        """Read from the first frame; warnings of an earlier reading are forgotten."""
        self.warnings.clear()
        return self._in_order(0, self.warnings)

    def places(self) -> int:
        """Return the number of frames that the packets promise."""
        scan = self._scan
        return scan.packets if scan.stamps is None else len(scan.stamps)

    def read(self, first: int = 0, *, direct: bool = False) -> Reading:
        """Read from a frame on; see :class:`gonio.video.Source`."""
        stamps = self._scan.stamps if direct else None
        if stamps is None:
            return Reading(lambda warnings: self._in_order(first, warnings))
        return Reading(lambda warnings: self._direct(first, stamps, warnings))

    def _in_order(self, first: int, warnings: list[str]) -> Generator[Frame, None, None]:
        """Decode from the beginning; frames before the first one wanted are not converted."""
        damage = _Damage(clock=Clock(1 / (self.info.fps or _ASSUMED_FPS)))
        with self._open() as container:
            stream = self._video_stream(container)
            promised = _promised_packets(container, stream)
            reformatter = VideoReformatter()
            for decoded in _decode(_packets(container, stream, damage), stream, damage):
                size = (decoded.width, decoded.height)
                damage.resized += size != self._stored_wh
                damage.last_s = damage.clock.seconds(_stamp_s(decoded, container))
                if damage.frames >= first:
                    image = self._upright(decoded, reformatter)
                    yield Frame(damage.frames, damage.last_s, image)
                damage.frames += 1
            if _is_avi(container):
                damage.clock.missing = 0
        warnings.extend(self._describe(damage, promised))

    def _direct(
        self, first: int, stamps: NDArray[np.int64], warnings: list[str]
    ) -> Generator[Frame, None, None]:
        """Decode from a key frame on, as long as every frame is the one that is expected."""
        if first >= len(stamps):
            return
        damage = _Damage(frames=first, clock=Clock(1 / (self.info.fps or _ASSUMED_FPS)))
        with self._open() as container:
            stream = self._video_stream(container)
            promised = _promised_packets(container, stream)
            if first and stream.time_base is not None:
                damage.clock.seconds(float(int(stamps[0]) * stream.time_base))
            packets = self._packets_for(first, container, stream, damage)
            reformatter = VideoReformatter()
            for decoded in _decode(packets, stream, damage):
                if decoded.pts is not None and decoded.pts < stamps[first]:
                    continue
                if first and damage.frames == first:
                    damage.lost = 0  # of frames that nobody asked for
                place = damage.frames
                as_expected = place < len(stamps) and decoded.pts == stamps[place]
                size = (decoded.width, decoded.height)
                if not as_expected or decoded.is_corrupt or damage.lost or size != self._stored_wh:
                    raise OutOfStepError
                damage.last_s = damage.clock.seconds(_stamp_s(decoded, container))
                yield Frame(place, damage.last_s, self._upright(decoded, reformatter))
                damage.frames += 1
            if damage.frames != len(stamps) or damage.lost:
                raise OutOfStepError
        damage.packets, damage.flawed = self._scan.packets, 0
        warnings.extend(self._describe(damage, promised))

    def _packets_for(
        self, first: int, container: InputContainer, stream: VideoStream, damage: _Damage
    ) -> Iterator[Packet[VideoStream]]:
        """Yield the packets that the frames from ``first`` on need."""
        key = self._scan.key_before(first)
        if key != self._scan.keys[0]:
            try:
                found = packets_from(container, stream, key)
                if found is None:
                    raise OutOfStepError
                yield from found
            except av.FFmpegError as error:
                raise OutOfStepError from error
            return
        yield from _packets(container, stream, damage)

    def _open(self) -> InputContainer:
        try:
            return av.open(str(self._path.absolute()), "r", options=dict(_OPTIONS))
        except av.FFmpegError as error:
            raise VideoError(
                f"'{self._path}': not a video that can be read, or its index is missing "
                f"({error.strerror}). Check that it plays, and copy or export it again."
            ) from error

    def _video_stream(self, container: InputContainer) -> VideoStream:
        streams = [
            s for s in container.streams.video if not s.disposition & Disposition.attached_pic
        ]
        if streams:
            # With several threads, what a damaged packet leaves depends on their number.
            streams[0].codec_context.thread_count = 1
            return streams[0]
        kinds = [s.type for s in container.streams]
        found = ", ".join(
            f"{n} {kind} stream{'s' if n > 1 else ''}"
            for kind in sorted(set(kinds))
            if (n := kinds.count(kind))
        )
        raise VideoError(
            f"'{self._path}': no video stream ({found or 'no stream'} found). "
            "Export the clip again with video."
        )

    def _probe(self, sha256: str) -> SourceInfo:
        with self._open() as container:
            stream = self._video_stream(container)
            damage, scanner = _Damage(), Scanner(container, stream)
            packets = scanner.passing(_packets(container, stream, damage))
            first = next(_decode(packets, stream, damage), None)
            if first is None:
                raise VideoError(
                    f"'{self._path}': no frame could be decoded ({stream.codec_context.name} "
                    "stream). Check that it plays, and copy or export it again."
                )
            self._remember_geometry(first, stream)
            height, width = self._upright(first, VideoReformatter()).shape[:2]
            deque(packets, maxlen=0)  # the rest is looked at without being decoded
            self._scan = scanner.scan(sound=not damage.lost)
            return SourceInfo(
                path=str(self._path),
                sha256=sha256,
                kind="video",
                width=width,
                height=height,
                frames=_promised_packets(container, stream),
                fps=_fps(stream),
                duration_s=_duration_s(container, stream),
            )

    def _remember_geometry(self, first: VideoFrame, stream: VideoStream) -> None:
        self._stored_wh = (first.width, first.height)
        aspect = stream.sample_aspect_ratio
        width = first.width
        if aspect is not None and aspect > 0 and 0.1 < aspect < 10:
            width = max(1, round(first.width * float(aspect)))
        self._square_wh = (width, first.height)
        matrix = first.side_data.get("DISPLAYMATRIX")
        self._orientation = (
            Orientation()
            if matrix is None
            else Orientation.from_display_matrix(bytes(cast("Buffer", matrix)))
        )

    def _upright(self, decoded: VideoFrame, reformatter: VideoReformatter) -> Image:
        width, height = self._square_wh
        rgb = reformatter.reformat(decoded, width=width, height=height, format="rgb24", threads=1)
        return self._orientation.apply(cast("Image", rgb.to_ndarray()))

    def _describe(self, damage: _Damage, promised: int | None) -> list[str]:
        found = []
        if damage.lost or damage.flawed:
            n = damage.lost + damage.flawed
            found.append(
                f"{n} damaged packet{'s' if n > 1 else ''} ({damage.lost} skipped, "
                f"{damage.flawed} repaired)"
            )
        end_s, duration_s = (
            damage.last_s + 2 / (self.info.fps or _ASSUMED_FPS),
            self.info.duration_s,
        )
        if promised is not None and damage.packets < promised:
            found.append(f"the file is cut off: {damage.frames} of {promised} frames could be read")
        # Where all promised frames came, the last one may be shown for as long as it likes.
        elif damage.packets != promised and duration_s is not None and end_s < 0.98 * duration_s:
            found.append(
                f"the file is cut off: it ends at {damage.last_s:.2f} s of {duration_s:.2f} s"
            )
        if damage.clock.restarts:
            found.append(f"its clock restarts {damage.clock.restarts} times; time was continued")
        if damage.clock.repeated:
            found.append(f"{damage.clock.repeated} time stamps do not increase; they were spread")
        if damage.clock.missing:
            found.append(f"{damage.clock.missing} frames have no time stamp; a fixed rate was used")
        if damage.resized:
            found.append(f"{damage.resized} frames have another size; they were scaled")
        return [f"'{self._path}': {text}" for text in found]


def _decode(
    packets: Iterable[Packet[VideoStream]], stream: VideoStream, damage: _Damage
) -> Iterator[VideoFrame]:
    """Yield every frame that can be decoded, counting what cannot."""
    for packet in packets:
        try:
            frames = packet.decode()
        except av.error.EOFError:
            return
        except av.FFmpegError:
            damage.lost += 1
            frames = _flush(stream) if _is_flush(packet) else []
        for decoded in frames:
            damage.flawed += bool(decoded.is_corrupt)
            yield decoded


def _packets(
    container: InputContainer, stream: VideoStream, damage: _Damage
) -> Iterator[Packet[VideoStream]]:
    """Yield packets, going on after errors of the container as long as it gives any."""
    for _ in range(_READ_TRIES):
        try:
            for packet in container.demux(stream):
                damage.packets += not _is_flush(packet)
                yield packet
        except av.FFmpegError:
            damage.lost += 1
        else:
            return


def _flush(stream: VideoStream) -> list[VideoFrame]:
    """Take the frames a threaded decoder still holds after an error at the end."""
    held: list[VideoFrame] = []
    for _ in range(_FLUSH_TRIES):
        try:
            held += stream.codec_context.decode(None)
        except av.error.EOFError:
            break
        except av.FFmpegError:
            continue
    return held


def _is_flush(packet: Packet[VideoStream]) -> bool:
    return packet.size == 0 and packet.dts is None and packet.pts is None


def _stamp_s(decoded: VideoFrame, container: InputContainer) -> float | None:
    # AVI stores no presentation times; those that FFmpeg guesses are out of order with B-frames.
    # The decoding time at which a frame leaves the decoder is right, up to a constant.
    # It is lost for the few frames a decoder still holds at the end.
    stamp = decoded.dts if _is_avi(container) or decoded.pts is None else decoded.pts
    if stamp is None or decoded.time_base is None:
        return None
    return float(stamp * decoded.time_base)


def _is_avi(container: InputContainer) -> bool:
    return container.format.name == "avi"


def _promised_packets(container: InputContainer, stream: VideoStream) -> int | None:
    # An MP4's index holds what edit lists leave; its header counts trimmed frames too.
    if container.format.name.startswith("mov"):
        return len(stream.index_entries) or stream.frames or None
    return stream.frames or None


def _fps(stream: VideoStream) -> float | None:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= _MAX_FPS:
            return float(rate)
    return None


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / av.time_base
    return None
