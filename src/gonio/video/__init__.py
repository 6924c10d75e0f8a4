"""Frames in and pictures out: videos, images, image folders, writers, overlay drawing.

Every source gives upright RGB frames with their true times: rotation and mirroring metadata are
applied, pixels are made square, and time counts from the first shown frame. Reading keeps no
frame, so memory does not grow with the recording.
"""

from __future__ import annotations

from gonio.video.ahead import ReadAhead
from gonio.video.frames import Frame, OutOfStepError, Reading, Source, SourceInfo
from gonio.video.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from gonio.video.overlay import Arc, OverlayPerson, draw_overlay
from gonio.video.sources import open_source
from gonio.video.still import read_image, write_image
from gonio.video.writer import VideoWriter

__all__ = [
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Arc",
    "Frame",
    "OutOfStepError",
    "OverlayPerson",
    "ReadAhead",
    "Reading",
    "Source",
    "SourceInfo",
    "VideoWriter",
    "draw_overlay",
    "open_source",
    "read_image",
    "write_image",
]
