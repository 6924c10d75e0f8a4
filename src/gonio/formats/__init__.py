"""Other people's files: tracks of keypoints, markers and angles, read and written.

:func:`read_tracks` and :func:`write_tracks` take every format; :func:`track_formats` lists them.
"""

from __future__ import annotations

from gonio.formats.mot import COORDINATES, read_mot, write_mot
from gonio.formats.registry import (
    TrackFormat,
    detect_format,
    find_format,
    track_formats,
)
from gonio.formats.tracks import Tracks
from gonio.formats.transfer import read_tracks, write_tracks
from gonio.formats.trc import read_trc, write_trc

__all__ = [
    "COORDINATES",
    "TrackFormat",
    "Tracks",
    "detect_format",
    "find_format",
    "read_mot",
    "read_tracks",
    "read_trc",
    "track_formats",
    "write_mot",
    "write_tracks",
    "write_trc",
]
