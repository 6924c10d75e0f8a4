"""What a video's packets say before any is decoded: its frames' times, and where to begin."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

# In these a key frame needs nothing before it, and one packet makes one frame.
_DIRECT_CODECS: Final = frozenset(
    {
        *("h264", "hevc", "vp9", "av1", "mpeg4", "mpeg2video", "mpeg1video"),
        *("mjpeg", "prores", "dnxhd", "ffv1"),
    }
)
_MOST_REORDERED: Final = 32
_BACK_S: Final = (0.0, 1.0, 10.0)


class Key(NamedTuple):
    """A packet at which decoding can begin: its stamps, and its place among all packets."""

    pts: int
    dts: int
    packet: int


@dataclass(frozen=True)
class Scan:
    """The packets of a video stream.

    Attributes
    ----------
    packets
        How many there are.
    stamps
        Presentation times of the frames in order, shape ``(frames,)``, in the stream's time
        base. None where the packets do not say (AVI, stamps that repeat or fall back, damage):
        such files can only be read from their beginning.
    keys
        In their order in the file.
    """

    packets: int
    stamps: NDArray[np.int64] | None
    keys: tuple[Key, ...] = ()

    def key_before(self, place: int) -> Key:
        """Return the last packet that decoding can begin at to show a frame and those after it.

        Frames that are shown after a key frame do not need anything before it, those that are
        shown before it may.
        """
        if self.stamps is None:
            raise ValueError("the packets do not say where to begin")
        shown = [key.pts for key in self.keys]
        return self.keys[max(bisect_right(shown, int(self.stamps[place])) - 1, 0)]


class Scanner:
    """Takes a look at every packet of a stream as it passes by.

    Parameters
    ----------
    container, stream
        Where the packets come from.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        # AVI's stamps are those of decoding.
        known = stream.codec_context.name in _DIRECT_CODECS and container.format.name != "avi"
        self._sound = known
        self._packets = 0
        self._shown: list[int | None] = []
        self._keys: list[Key] = []

    def passing(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """Yield the packets in the file's order, having looked at them."""
        for packet in packets:
            if packet.size or packet.dts is not None or packet.pts is not None:
                self._look(packet)
            yield packet

    def scan(self, *, sound: bool) -> Scan:
        """Return what was seen; ``sound``: nothing went wrong on the way."""
        in_order = [key.pts for key in self._keys]
        direct = sound and self._sound and in_order and in_order == sorted(set(in_order))
        stamps = _in_order(self._shown) if direct else None
        return Scan(self._packets, stamps, tuple(self._keys))

    def _look(self, packet: Packet[VideoStream]) -> None:
        number, self._packets = self._packets, self._packets + 1
        self._sound = self._sound and not packet.is_corrupt
        if not packet.is_discard:
            self._shown.append(packet.pts)
            if packet.is_keyframe and packet.pts is not None and packet.dts is not None:
                self._keys.append(Key(packet.pts, packet.dts, number))


def _in_order(shown: list[int | None]) -> NDArray[np.int64] | None:
    """Return the stamps sorted; None where one is missing, repeated, or far from its place."""
    if not shown or any(stamp is None for stamp in shown):
        return None
    stamps = np.array(shown, dtype=np.int64)
    order = np.argsort(stamps, kind="stable")
    ordered: NDArray[np.int64] = stamps[order]
    moved = np.abs(order - np.arange(len(order))).max()
    return ordered if (np.diff(ordered) > 0).all() and moved <= _MOST_REORDERED else None


def packets_from(
    container: InputContainer, stream: VideoStream, key: Key
) -> Iterator[Packet[VideoStream]] | None:
    """Seek, and return the packets from a key packet on; None where seeking does not find it.

    Parameters
    ----------
    container, stream
        Just opened.
    key
        Where to begin.

    Returns
    -------
    iterator of Packet or None
    """
    _show_first_packet(container, stream)
    target = min(key.pts, key.dts)
    for step_s in _BACK_S:
        step = round(step_s / stream.time_base) if stream.time_base else 0
        container.seek(target - step, stream=stream)
        found = container.demux(stream)
        for packet in found:
            if (packet.pts, packet.dts) == (key.pts, key.dts):
                return _chain(packet, found)
            if packet.dts is not None and packet.dts > key.dts:
                break  # beyond it already: begin further in front
    return None


def _show_first_packet(container: InputContainer, stream: VideoStream) -> None:
    """Let a decoder of H.264 read which encoder wrote the stream: its first packet alone says so.

    FFmpeg works around faults of old versions of x264 by it. Without, frames of their 4:4:4
    streams come out as noise, and none is marked as damaged.
    """
    if stream.codec_context.name != "h264":
        return
    with contextlib.suppress(av.FFmpegError, StopIteration):
        next(container.demux(stream)).decode()
    stream.codec_context.flush_buffers()


def _chain(
    first: Packet[VideoStream], rest: Iterator[Packet[VideoStream]]
) -> Iterator[Packet[VideoStream]]:
    yield first
    yield from rest
